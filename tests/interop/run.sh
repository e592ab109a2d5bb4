#!/usr/bin/env bash
# Runs Nostr clients that others wrote against a relay, and counts what they saw. See README.md beside this file.
#
#   tests/interop/run.sh ORLY_BINARY [DATA_FILE]
#   tests/interop/run.sh ORLY_LAUNCHER [DATA_FILE]                           a relay whose parts are processes
#   INTEROP_URL=ws://127.0.0.1:3334 tests/interop/run.sh [- [DATA_FILE]]     a relay that runs already
#
# INTEROP_SUITES  which of "nostr-sdk nostr-tools ndk wire" to run (all)
# INTEROP_CACHE   where the Python packages are installed (target/interop)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
cache=${INTEROP_CACHE:-$repo/target/interop}
suites=${INTEROP_SUITES:-nostr-sdk nostr-tools ndk wire}
binary=${1:--}
data=${2:-$repo/../shared/data/real-events.jsonl}
external=${INTEROP_URL:-}

if [[ -z $external && ! -x $binary ]]; then
    echo "usage: $0 ORLY_BINARY [DATA_FILE]   (no executable at \"$binary\", and INTEROP_URL is not set)" >&2
    exit 64
fi
[[ -f $data ]] || echo "interop: the real events are skipped: no file \"$data\""

work=$(mktemp -d "${TMPDIR:-/tmp}/orly-interop.XXXXXX")
relay_pid=
finish() {
    [[ -z $relay_pid ]] || kill -KILL "$relay_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

install_clients() {
    local venv=$cache/python
    if ! cmp -s "$here/nostr-sdk/requirements.txt" "$venv/requirements.txt"; then
        rm -rf "$venv"
        mkdir -p "$cache"
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/nostr-sdk/requirements.txt"
        cp "$here/nostr-sdk/requirements.txt" "$venv/"
    fi
    python=$venv/bin/python

    # Modules of the test files are looked up beside them, so the npm packages cannot lie in the cache.
    if ! cmp -s "$here/package-lock.json" "$here/node_modules/installed.json"; then
        (cd "$here" && npm ci --loglevel=error)
        cp "$here/package-lock.json" "$here/node_modules/installed.json"
    fi
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() {
    "$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' "$1" 2>/dev/null
}

# What the supervisor needs besides, if that is what was given: it starts a process for each part.
launcher_settings() {
    [[ $(basename "$binary") == orly-launcher ]] || return 0
    local unit
    echo ORLY_LAUNCHER_ADMIN_ENABLED=false ORLY_LAUNCHER_ACL_ENABLED=true ORLY_ACL_MODE=none
    echo ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED=true
    for unit in DB ACL SYNC_NEGENTROPY; do
        echo "ORLY_LAUNCHER_${unit}_LISTEN=127.0.0.1:$(free_port)"
    done
}

# Every suite gets a relay with nothing in it: what one client stored must not hide what another one's events do.
start_relay() {
    local suite=$1 port
    port=$(free_port)
    mkdir "$work/$suite.data"
    env ORLY_DATA_DIR="$work/$suite.data" ORLY_LISTEN=127.0.0.1 ORLY_PORT="$port" ORLY_RELAY_URL="ws://127.0.0.1:$port" \
        ORLY_NEGENTROPY_ENABLED=true ORLY_LOG_LEVEL=warn $(launcher_settings) "$binary" >"$work/$suite.relay.log" 2>&1 &
    relay_pid=$!
    for _ in {1..150}; do
        if answers "http://127.0.0.1:$port/healthz"; then
            export INTEROP_URL=ws://127.0.0.1:$port
            return
        fi
        kill -0 "$relay_pid" 2>/dev/null || break
        sleep 0.2
    done
    echo "interop: the relay did not answer GET /healthz on port $port"
    show_log "$suite"
    return 1
}

stop_relay() {
    local suite=$1 status=0
    kill -TERM "$relay_pid" 2>/dev/null || true
    for _ in {1..100}; do
        kill -0 "$relay_pid" 2>/dev/null || break
        sleep 0.2
    done
    if kill -KILL "$relay_pid" 2>/dev/null; then
        echo "interop: the relay still ran 20 s after SIGTERM"
    fi
    wait "$relay_pid" || status=$?
    relay_pid=
    if ((status != 0)); then
        echo "interop: the relay ended with exit code $status after SIGTERM"
    fi
    if grep -q panicked "$work/$suite.relay.log"; then
        echo "interop: the relay panicked"
        status=1
    fi
    return "$status"
}

show_log() {
    echo "--- the end of the relay's log"
    tail -n 40 "$work/$1.relay.log"
    echo "---"
}

run_suite() {
    export INTEROP_DATA=$data
    case $1 in
        nostr-sdk) (cd "$here/nostr-sdk" && "$python" -B -m unittest discover -v 2>&1) ;;
        # NDK keeps timers for as long as the process lives, hence the forced exit.
        *) (cd "$here/$1" && node --test --test-force-exit --test-concurrency=1 --test-reporter=spec ./*.test.mjs) ;;
    esac | tee "$work/$1.log"
}

# The last number of the lines that match, 0 if there is none.
number() { sed -nE "s/$2/\1/p" "$work/$1.log" | tail -n 1 | grep . || echo 0; }

passed=0 failed=0 skipped=0
count_tests() {
    local ran bad left
    if [[ $1 == nostr-sdk ]]; then
        ran=$(number "$1" '^Ran ([0-9]+) tests? in .*')
        bad=$(($(number "$1" '^FAILED .*failures=([0-9]+).*') + $(number "$1" '^FAILED .*errors=([0-9]+).*')))
        left=$(number "$1" '^[OF][KA].*skipped=([0-9]+).*')
        ran=$((ran - bad - left))
    else
        ran=$(number "$1" '^ℹ pass ([0-9]+)')
        bad=$(($(number "$1" '^ℹ fail ([0-9]+)') + $(number "$1" '^ℹ cancelled ([0-9]+)')))
        left=$(number "$1" '^ℹ skipped ([0-9]+)')
    fi
    summary+="$(printf 'interop %-12s %4d passed, %d failed, %d skipped' "$1" "$ran" "$bad" "$left")"$'\n'
    passed=$((passed + ran)) failed=$((failed + bad)) skipped=$((skipped + left))
}

install_clients
outcome=0 summary=
for suite in $suites; do
    echo "=== $suite"
    if [[ -z $external ]]; then
        start_relay "$suite" || { outcome=1; break; }
    fi
    if ! run_suite "$suite"; then
        outcome=1
        [[ -n $external ]] || show_log "$suite"
    fi
    count_tests "$suite"
    if [[ -z $external ]]; then
        stop_relay "$suite" || { outcome=1; show_log "$suite"; }
    fi
done

echo
printf '%s' "$summary"
echo "$passed passed, $failed failed, $skipped skipped"
exit "$outcome"
