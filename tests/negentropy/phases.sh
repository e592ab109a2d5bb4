# The phases, in order: what one leaves behind the next ones build on. Sourced by test-sync.sh.
#
# Hosts are `foreign`, `orly1`, `orly2` and, once its phase has started it, `orly3`. What is done to them is in
# local.sh and compose.sh: load, dump, url, http, orly, is_strfry, strfry_sync, start_peer, generate.
phases=(nip11 foreign_up foreign_down foreign_both orly_down orly_up orly_both
    orly_to_orly kinds deletes replaceables large background all_the_same)

# Says what the last column shows.
detail() { printf '%s\n' "$*" >>"$work/detail"; }

# The ids a host holds, sorted.
ids() { dump "$@" | sed -nE 's/.*"id":"([0-9a-f]{64})".*/\1/p' | LC_ALL=C sort -u; }

ids_of_file() { sed -nE 's/.*"id":"([0-9a-f]{64})".*/\1/p' "$1" | LC_ALL=C sort -u; }

# Fails unless all hosts hold the same ids; names some that are missing where.
same() {
    local first=$1 other missing=0
    ids "$first" >"$work/ids.$first"
    for other in "${@:2}"; do
        ids "$other" >"$work/ids.$other"
        LC_ALL=C comm -3 "$work/ids.$first" "$work/ids.$other" >"$work/differences"
        if [[ -s $work/differences ]]; then
            echo "$first and $other differ; on the left what $other lacks, on the right what $first lacks:"
            head -n 10 "$work/differences"
            missing=$((missing + $(wc -l <"$work/differences")))
        fi
    done
    detail "$(wc -l <"$work/ids.$first") ids in $*$( ((missing == 0)) || echo ", $missing differences")"
    ((missing == 0)) && [[ -s $work/ids.$first ]]
}

# Fails unless the host holds (or lacks) every id of a list.
holds() { no_lines "$1 lacks" < <(LC_ALL=C comm -13 <(ids "$1") "$2"); }
lacks() { no_lines "$1 holds" < <(LC_ALL=C comm -12 <(ids "$1") "$2"); }
no_lines() {
    local lines
    lines=$(head -n 5)
    [[ -z $lines ]] || { echo "$1: $lines"; detail "$1 $(head -n 1 <<<"$lines")"; return 1; }
}

# Makes new events and gives them to a host.
seed() {
    local host=$1 seed=$2 count=$3
    generate "$work/seed-$seed.jsonl" --count "$count" --seed "$seed" --authors 20
    load "$host" <"$work/seed-$seed.jsonl"
}

# Waits until a command succeeds, for as many seconds at most.
eventually() {
    local deadline=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < deadline)) || { echo "not within $1 s: ${*:2}"; return 1; }
        sleep 0.2
    done
}

phase_nip11() {
    local host list
    for host in orly1 orly2; do
        list=$(http "$host" -H 'Accept: application/nostr+json' | tr -d ' \n' | grep -oE '"supported_nips":\[[^]]*\]')
        echo "$host: $list"
        # A number, as NIP-11 says.
        grep -qE '[[,]77[],]' <<<"$list" || { detail "$host: $list"; return 1; }
    done
    detail "77 is a number in supported_nips of orly1 and orly2"
}

# The foreign relay's own command, both ways; by ORLY's, the other way round, where there is no such command.
phase_foreign_up() {
    seed foreign 1 200
    strfry_sync orly1 up
    same foreign orly1
}

phase_foreign_down() {
    seed orly1 2 100
    strfry_sync orly1 down
    same foreign orly1
}

phase_foreign_both() {
    seed foreign 3 60
    seed orly1 4 60
    strfry_sync orly1 both
    same foreign orly1
}

phase_orly_down() {
    orly orly2 sync "$(url foreign)" --dir down
    same foreign orly2
}

phase_orly_up() {
    seed orly2 5 100
    orly orly2 sync "$(url foreign)" --dir up
    same foreign orly2
}

phase_orly_both() {
    seed foreign 6 60
    seed orly2 7 60
    orly orly2 sync "$(url foreign)" --dir both
    same foreign orly2
}

phase_orly_to_orly() {
    seed orly1 8 150
    seed orly2 9 150
    orly orly1 sync "$(url orly2)" --dir down
    orly orly1 sync "$(url orly2)" --dir up
    same orly1 orly2
    orly orly1 sync "$(url foreign)" --dir both
    same orly1 orly2 foreign
}

# Only what the filter asks for crosses over.
phase_kinds() {
    local filter='{"kinds":[1,30023]}'
    seed foreign 10 200
    ids foreign "$filter" >"$work/wanted"
    ids orly1 >"$work/before"
    strfry_sync orly1 up "$filter"
    LC_ALL=C sort -u "$work/before" "$work/wanted" >"$work/expected"
    ids orly1 >"$work/found"
    LC_ALL=C comm -3 "$work/expected" "$work/found" | no_lines "not as the filter says"
    ids orly2 >"$work/before"
    orly orly2 sync "$(url foreign)" --dir down --filter "$filter"
    LC_ALL=C sort -u "$work/before" "$work/wanted" >"$work/expected"
    ids orly2 >"$work/found"
    LC_ALL=C comm -3 "$work/expected" "$work/found" | no_lines "not as the filter says"
    strfry_sync orly1 up
    orly orly2 sync "$(url orly1)" --dir down
    same foreign orly1 orly2
}

# Requests to delete cross over and are heeded; those of others are not, and nothing comes back.
phase_deletes() {
    local deleted="$work/deleted" left="$work/left"
    grep -oE '\["e","[0-9a-f]{64}"' "$here/events/deletions.jsonl" | grep -oE '[0-9a-f]{64}' | LC_ALL=C sort >"$deleted"
    LC_ALL=C comm -23 <(ids_of_file "$here/events/notes.jsonl") "$deleted" >"$left"
    load foreign <"$here/events/notes.jsonl"
    strfry_sync orly1 both
    orly orly2 sync "$(url foreign)" --dir both
    holds orly1 "$deleted"
    holds orly2 "$deleted"
    load orly1 <"$here/events/deletions.jsonl"
    # Some relays do not even store a request that names events of others.
    ! is_strfry || load orly1 <"$here/events/deletions-of-others.jsonl"
    lacks orly1 "$deleted"
    # Who still has them offers them.
    strfry_sync orly1 both
    orly orly1 sync "$(url orly2)" --dir both
    for host in foreign orly1 orly2; do
        lacks "$host" "$deleted"
        holds "$host" "$left"
    done
    orly orly2 sync "$(url foreign)" --dir both
    same foreign orly1 orly2
}

# The newest version wins, whichever way it goes.
phase_replaceables() {
    local older="$work/older" newer="$work/newer"
    ids_of_file "$here/events/older.jsonl" >"$older"
    ids_of_file "$here/events/newer.jsonl" >"$newer"
    load foreign <"$here/events/older.jsonl"
    load orly1 <"$here/events/newer.jsonl"
    strfry_sync orly1 both
    load orly2 <"$here/events/older.jsonl"
    orly orly2 sync "$(url orly1)" --dir both
    for host in foreign orly1 orly2; do
        holds "$host" "$newer"
        lacks "$host" "$older"
    done
    same foreign orly1 orly2
}

# 20 000 events, of which one in a hundred is missing on either side.
phase_large() {
    generate "$work/large.jsonl" --count 20000 --seed 11 --out-b "$work/large-b.jsonl" --diff 200
    load foreign <"$work/large.jsonl"
    load orly1 <"$work/large-b.jsonl"
    load orly2 <"$work/large-b.jsonl"
    local started
    started=$(date +%s%N)
    strfry_sync orly1 both
    echo "foreign and orly1: $((($(date +%s%N) - started) / 1000000)) ms"
    same foreign orly1
    started=$(date +%s%N)
    orly orly2 sync "$(url orly1)" --dir both
    echo "orly2 and orly1: $((($(date +%s%N) - started) / 1000000)) ms"
    same foreign orly1 orly2
}

# A relay that is told of peers keeps itself in step with them, both ways.
phase_background() {
    start_peer
    eventually 90 same orly3 orly1 foreign
    seed orly3 12 50
    seed orly1 13 50
    seed foreign 14 50
    eventually 60 same orly3 orly1 foreign
}

# At the end every relay holds every event.
phase_all_the_same() {
    orly orly2 sync "$(url orly1)" --dir both
    same orly1 orly2 foreign
    for host in orly1 orly2; do
        orly "$host" db check
    done
}
