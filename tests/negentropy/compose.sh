# Hosts as containers of docker-compose.yml, which run already. Sourced by test-sync.sh.
#
# COMPOSE  the command (docker compose)
read -ra compose_command <<<"${COMPOSE:-docker compose}"
declare -A service=([foreign]=strfry [orly1]=orly-relay-1 [orly2]=orly-relay-2 [orly3]=orly-peer)
strfry_command=${STRFRY_COMMAND:-/app/strfry}
everything='{}'

compose() { "${compose_command[@]}" -f "$here/docker-compose.yml" --profile peer "$@"; }

# Runs a command in a container; what it reads and writes goes through.
in_container() { compose exec -T "$@"; }

describe() { echo "containers of $here/docker-compose.yml"; }

is_well() { in_container "${service[$1]}" orly health >/dev/null 2>&1; }

wait_for() {
    local host=$1 tries
    for ((tries = 0; tries < 120; tries++)); do
        ! is_well "$host" || return 0
        sleep 0.5
    done
    echo "${service[$host]} is not well; the end of its log:" >&2
    compose logs --tail 20 "${service[$host]}" >&2
    return 1
}

setup() {
    [[ -n $(compose ps -q runner) ]] || { echo "nothing runs: docker compose up -d" >&2; exit 64; }
    wait_for orly1
    wait_for orly2
}

start_peer() {
    compose up -d --no-build orly-peer
    wait_for orly3
}

teardown() { compose rm --stop --force --volumes orly-peer >/dev/null 2>&1; }

url() {
    if [[ $1 == foreign ]]; then
        echo ws://strfry:7777
    else
        echo "ws://${service[$1]}:3334"
    fi
}

http() {
    local host=$1
    shift
    curl -sf -m 10 "$@" "http://$(compose port "${service[$host]}" 3334)/"
}

orly() {
    local host=$1
    shift
    in_container "${service[$host]}" orly "$@" </dev/null
}

is_strfry() { true; }
strfry() { in_container strfry "$strfry_command" --config=/etc/strfry.conf "$@"; }

load() {
    if is_foreign "$1"; then
        strfry import
    else
        in_container "${service[$1]}" orly import -
    fi
}

dump() {
    local filter=${2:-'{}'}
    if is_foreign "$1"; then
        strfry scan "$filter" </dev/null 2>>"$work/foreign.out"
    else
        orly "$1" export --filter "$filter"
    fi
}

is_foreign() { [[ $1 == foreign ]]; }

strfry_sync() { strfry sync "$(url "$1")" --dir "$2" --filter "${3:-$everything}" </dev/null; }

# Writes new events to a file, and with --out-b FILE to another.
generate() {
    local file=$1 arguments=() second=
    shift
    while (($#)); do
        if [[ $1 == --out-b ]]; then
            second=$2 && arguments+=(--out-b /tmp/b.jsonl) && shift 2
        else
            arguments+=("$1") && shift
        fi
    done
    in_container runner orly-bench gen --public --out /tmp/a.jsonl "${arguments[@]}" </dev/null >/dev/null
    in_container runner cat /tmp/a.jsonl </dev/null >"$file"
    [[ -z $second ]] || in_container runner cat /tmp/b.jsonl </dev/null >"$second"
}
