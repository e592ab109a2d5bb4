#!/usr/bin/env bash
# Checks that ORLY and a foreign relay (strfry), and ORLY and ORLY, end with the same events by NIP-77.
#
#   docker compose build && docker compose up -d && ./test-sync.sh && docker compose down -v
#   test-sync.sh --local [--split] [PHASE…]      the same with processes of this machine, without Docker
#
# ORLY_BIN    the relay (target/release/orly, else target/debug/orly); orly-launcher lies beside it for --split
# BENCH_BIN   the generator (orly-bench beside the relay)
# STRFRY_BIN  strfry; without it the relay of `cargo run -p relay-sync --example foreign-relay` stands for it
# KEEP=1      leaves the working directory, with all logs
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)

mode=compose split='' chosen=()
for argument in "$@"; do
    case $argument in
        --local) mode=local ;;
        --split) split=1 ;;
        -h | --help) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
        -*) echo "$0: $argument is not known; see --help" >&2 && exit 64 ;;
        *) chosen+=("$argument") ;;
    esac
done
[[ $mode == local || -z $split ]] || { echo "$0: --split goes with --local" >&2; exit 64; }

work=$(mktemp -d "${TMPDIR:-/tmp}/orly-negentropy.XXXXXX")
# shellcheck source=local.sh source=compose.sh
source "$here/$mode.sh"
# shellcheck source=phases.sh
source "$here/phases.sh"

finish() {
    local status=$?
    teardown || true
    if [[ -n ${KEEP:-} ]]; then
        echo "kept: $work"
    else
        rm -rf "$work"
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

table=() passed=0 failed=0
run_phase() {
    local name=$1 started status=0 outcome seconds
    log=$work/$name.log
    : >"$work/detail"
    started=$(date +%s%N)
    set +e
    (set -e && "phase_$name") >"$log" 2>&1
    status=$?
    set -e
    seconds=$((($(date +%s%N) - started) / 1000000))
    if ((status == 0)); then
        outcome=ok passed=$((passed + 1))
    else
        outcome=FAILED failed=$((failed + 1))
    fi
    table+=("$(printf '%-18s %-7s %6d ms  %s' "$name" "$outcome" "$seconds" "$(tail -n 1 "$work/detail")")")
    echo "${table[-1]}"
    if ((status != 0)); then
        echo "--- the end of what it said" && tail -n 25 "$log" && echo "---"
    fi
}

echo "starting: $(describe)"
setup
for phase in "${chosen[@]:-${phases[@]}}"; do
    for name in $phase; do
        run_phase "$name"
    done
done

echo
printf '%-18s %-7s %9s  %s\n' phase outcome time what
printf '%s\n' "${table[@]}"
echo
echo "$passed passed, $failed failed"
((failed == 0))
