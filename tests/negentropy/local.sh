# Hosts as processes of this machine. Sourced by test-sync.sh.
target() {
    local name=$1
    if [[ -x $repo/target/release/$name ]]; then
        echo "$repo/target/release/$name"
    else
        echo "$repo/target/debug/$name"
    fi
}
ORLY_BIN=${ORLY_BIN:-$(target orly)}
BENCH_BIN=${BENCH_BIN:-$(dirname "$ORLY_BIN")/orly-bench}
LAUNCHER_BIN=$(dirname "$ORLY_BIN")/orly-launcher
FOREIGN_BIN=${FOREIGN_BIN:-$repo/target/debug/examples/foreign-relay}
declare -A port

describe() {
    echo "${split:+orly-launcher with its services, }$ORLY_BIN; foreign relay: ${STRFRY_BIN:-$FOREIGN_BIN}"
}

free_port() {
    local candidate
    while candidate=$((20000 + RANDOM % 12000)) && listens "$candidate"; do :; done
    echo "$candidate"
}

# Starts a process whose end is seen to.
spawn() {
    local name=$1
    shift
    "$@" >>"$work/$name.out" 2>&1 &
    echo "$!" >>"$work/pids"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
is_well() { curl -sf -m 5 -o /dev/null "http://127.0.0.1:$1/healthz"; }

wait_for() {
    local name=$1 at=$2 check=$3 tries
    for ((tries = 0; tries < 300; tries++)); do
        ! "$check" "$at" || return 0
        sleep 0.1
    done
    echo "$name does not answer on port $at; the end of its log:" >&2
    tail -n 20 "$work/$name.out" >&2
    return 1
}

start_orly() {
    local name=$1
    shift
    port[$name]=${port[$name]:-$(free_port)}
    mkdir -p "$work/$name"
    local settings=(ORLY_DATA_DIR="$work/$name" ORLY_LISTEN=127.0.0.1 ORLY_PORT="${port[$name]}"
        ORLY_RELAY_URL="ws://127.0.0.1:${port[$name]}" ORLY_NEGENTROPY_ENABLED=true ORLY_LOG_LEVEL=info
        HOME="$work/$name" "$@")
    if [[ -n $split ]]; then
        spawn "$name" env "${settings[@]}" \
            ORLY_LAUNCHER_DB_LISTEN="127.0.0.1:$(free_port)" \
            ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED=true \
            ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN="127.0.0.1:$(free_port)" \
            ORLY_LAUNCHER_ADMIN_ENABLED=false ORLY_LAUNCHER_SOCKET="$work/$name/launcher.sock" "$LAUNCHER_BIN"
    else
        spawn "$name" env "${settings[@]}" "$ORLY_BIN"
    fi
    wait_for "$name" "${port[$name]}" is_well
}

start_foreign() {
    port[foreign]=$(free_port)
    if is_strfry; then
        mkdir -p "$work/foreign"
        sed -e "s|^db = .*|db = \"$work/foreign/\"|" -e "s|bind = .*|bind = \"127.0.0.1\"|" \
            -e "s|port = .*|port = ${port[foreign]}|" "$here/strfry.conf" >"$work/strfry.conf"
        spawn foreign "$STRFRY_BIN" --config="$work/strfry.conf" relay
    else
        control=$(free_port)
        spawn foreign "$FOREIGN_BIN" "${port[foreign]}" "$control"
        wait_for foreign "$control" listens
    fi
    wait_for foreign "${port[foreign]}" listens
}

setup() {
    local binary
    for binary in "$ORLY_BIN" "$BENCH_BIN" ${split:+"$LAUNCHER_BIN"}; do
        [[ -x $binary ]] || { echo "no executable at $binary: build it, or set ORLY_BIN and BENCH_BIN" >&2; exit 64; }
    done
    if ! is_strfry && [[ ! -x $FOREIGN_BIN ]]; then
        cargo build --quiet --manifest-path "$repo/Cargo.toml" -p relay-sync --example foreign-relay
    fi
    start_foreign
    start_orly orly1
    start_orly orly2
    # The phases run in subshells: ports are chosen here.
    port[orly3]=$(free_port)
}

start_peer() {
    start_orly orly3 ORLY_SYNC_NEGENTROPY_PEERS="$(url orly1),$(url foreign)" ORLY_SYNC_NEGENTROPY_INTERVAL=1s
}

teardown() {
    local pid
    [[ -f $work/pids ]] || return 0
    while read -r pid; do
        kill -TERM "$pid" 2>/dev/null || true
    done <"$work/pids"
    while read -r pid; do
        for _ in {1..100}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    done <"$work/pids"
}

url() { echo "ws://127.0.0.1:${port[$1]}"; }

http() {
    local host=$1
    shift
    curl -sf -m 10 "$@" "http://127.0.0.1:${port[$host]}/"
}

orly() {
    local host=$1
    shift
    ORLY_DATA_DIR="$work/$host" HOME="$work/$host" "$ORLY_BIN" "$@"
}

is_strfry() { [[ -n ${STRFRY_BIN:-} ]]; }
strfry() { "$STRFRY_BIN" --config="$work/strfry.conf" "$@"; }

load() {
    local host=$1
    if [[ $host != foreign ]]; then
        orly "$host" import -
    elif is_strfry; then
        strfry import
    else
        curl -sSf --data-binary @- "http://127.0.0.1:$control/"
    fi
}

# All events of a host, or those that match a filter, one a line.
dump() {
    local host=$1 filter=${2:-'{}'}
    if [[ $host != foreign ]]; then
        orly "$host" export --filter "$filter"
    elif is_strfry; then
        strfry scan "$filter" 2>>"$work/foreign.out"
    else
        curl -sSf "http://127.0.0.1:$control/" | matching "$filter"
    fi
}

# What a filter by kinds leaves over.
matching() {
    local kinds
    kinds=$(grep -oE '"kinds":\[[^]]*\]' <<<"$1" | grep -oE '[0-9,]+' | tr , '|') || true
    if [[ -n $kinds ]]; then grep -E "\"kind\":($kinds),"; else cat; fi
}

# Makes the foreign relay and an ORLY hold the same: up is from the foreign one to ORLY.
strfry_sync() {
    local host=$1 direction=$2 filter=${3:-'{}'}
    if is_strfry; then
        strfry sync "$(url "$host")" --dir "$direction" --filter "$filter"
    else
        case $direction in up) direction=down ;; down) direction=up ;; esac
        orly "$host" sync "$(url foreign)" --dir "$direction" --filter "$filter"
    fi
}

# Writes new events to a file.
generate() {
    local file=$1
    shift
    "$BENCH_BIN" gen --public --out "$file" "$@" >/dev/null
}
