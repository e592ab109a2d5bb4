# The checks of test-image.sh, in order; the first ones start the container that others use. Sourced.
checks=(size starts first_process user read_only healthy nip11 events memory stop_under_load kept backup
    foreign_volume bad_setting cloudron cloudron_settings cloudron_proxy)

# What the last column shows.
detail() { printf '%s\n' "$*" >>"$work/detail"; }

now() { date +%s%N; }
since() { echo $((($(now) - $1) / 1000000)); }

# Waits until a command succeeds, for as many seconds at most.
eventually() {
    local deadline=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < deadline)) || { echo "not within $1 s: ${*:2}"; return 1; }
        sleep 0.05
    done
}

in_it() { "$docker" exec "$image" "$@"; }
address() { "$docker" port "${1:-$image}" 3334/tcp | head -n 1; }
answers() { curl -sf -m 2 -o /dev/null "http://$(address "$@")/healthz"; }
bench() { "$binaries/orly-bench" "$@"; }

little_memory=(--memory 128m --memory-swap 128m)

# As an operator who is careful would run it: read-only, and without privileges.
start() {
    "$docker" run -d --name "$image" --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
        -v "$image:/app/data" -p 127.0.0.1::3334 -e ORLY_MAX_CONN_PER_IP=1000 --health-interval 1s "$@" "$image" >/dev/null
}

# What it takes of memory that cannot be given back, in MB: version 1 or 2 of control groups.
memory() {
    in_it sh -c 'cat /sys/fs/cgroup/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory/memory.stat' |
        awk '$1 == "anon" || $1 == "total_rss" { printf "%d", $2 / 1000000; exit }'
}

check_size() {
    local above
    above=$(($("$docker" image inspect -f '{{.Size}}' "$image") - $("$docker" image inspect -f '{{.Size}}' "$base")))
    detail "$((above / 1000000)) MB above the base, 60 allowed"
    ((above < 60000000))
}

check_starts() {
    local started
    remove
    started=$(now)
    start "${little_memory[@]}"
    detail "container made in $(since "$started") ms"
    started=$(now)
    eventually 10 answers
    detail "$(tail -n 1 "$work/detail"), answers $(since "$started") ms later"
    (($(since "$started") < 3000))
}

check_first_process() {
    [[ $(in_it cat /proc/1/comm) == orly-launcher ]]
    detail "$(processes | awk '{ print $2 }' | sort | tr '\n' ' ')"
    for program in orly orly-launcher orly-db-badger orly-sync-negen; do
        processes | grep -q " $program\$"
    done
}

# User and name of each process in the container.
processes() { "$docker" top "${1:-$image}" -eo pid,uid,comm | tail -n +2 | awk '{ print $2, $3 }'; }

check_user() {
    detail "users: $(processes | awk '{ print $1 }' | sort -u | tr '\n' ' ')"
    [[ $(processes | awk '{ print $1 }' | sort -u) == 1000 ]]
}

check_read_only() {
    ! in_it sh -c 'echo x >/app/code/x'
    ! in_it sh -c 'echo x >/x'
    in_it sh -c 'echo x >/app/data/x && rm /app/data/x'
}

check_healthy() {
    in_it orly health
    eventually 20 is_healthy
    # Ill as soon as the relay does not answer.
    ! in_it env ORLY_PORT=1 orly health
}
is_healthy() { [[ $("$docker" inspect -f '{{.State.Health.Status}}' "$image") == healthy ]]; }

check_nip11() {
    local list
    list=$(curl -sf -H 'Accept: application/nostr+json' "http://$(address)/" | tr -d ' \n' |
        grep -oE '"supported_nips":\[[^]]*\]')
    detail "$list"
    grep -qE '[[,]77[],]' <<<"$list"
}

check_events() {
    bench gen --public --count 2000 --seed 1 --out "$work/events.jsonl" >/dev/null
    bench ingest "ws://$(address)" "$work/events.jsonl" --connections 4
    detail "$(in_it orly query --count '{}') events are stored"
    (($(in_it orly query --count '{}') > 1900))
}

# 100 000 events and 100 clients. Where the page cache is smaller than the store, writing waits for the disk: the
# events are taken in without a limit.
check_memory() {
    local idle
    idle=$(memory)
    bench gen --public --count 100000 --seed 2 --out "$work/many.jsonl" >/dev/null
    "$docker" rm -f "$image" >/dev/null
    start
    eventually 10 answers
    bench ingest "ws://$(address)" "$work/many.jsonl" --connections 8
    "$docker" stop "$image" >/dev/null && "$docker" rm "$image" >/dev/null
    start "${little_memory[@]}"
    eventually 10 answers
    bench fanout "ws://$(address)" --subscribers 100 --rate 200 --duration 3s --seed 2 --sample "$work/many.jsonl"
    detail "$idle MB idle, $(memory) MB after $(in_it orly query --count '{}') events and 100 clients, 128 allowed"
    [[ $("$docker" inspect -f '{{.State.OOMKilled}} {{.RestartCount}}' "$image") == "false 0" ]]
    ! "$docker" logs "$image" 2>&1 | grep -iE 'killed|SIGKILL|panicked'
    ((idle < 80))
}

check_stop_under_load() {
    local started took status
    bench gen --public --count 200000 --seed 3 --out "$work/load.jsonl" >/dev/null
    bench ingest "ws://$(address)" "$work/load.jsonl" --connections 8 >"$work/load.log" 2>&1 &
    in_it orly query --count '{}' >"$work/before"
    eventually 20 grows
    started=$(now)
    "$docker" stop -t 10 "$image"
    took=$(since "$started")
    wait $! || true
    status=$("$docker" inspect -f '{{.State.ExitCode}}' "$image")
    detail "$took ms, exit code $status"
    ((took < 3000 && status == 0))
}
grows() { (($(in_it orly query --count '{}') > $(cat "$work/before"))); }

check_kept() {
    local before after
    before=$(cat "$work/before")
    "$docker" start "$image" >/dev/null
    eventually 10 answers
    after=$(in_it orly query --count '{}')
    detail "$before events before, $after after; db check: $(in_it orly db check | tail -n 1)"
    ((after >= before))
}

check_backup() {
    detail "$(in_it orly db backup /app/data/backup/)"
    in_it env ORLY_DATA_DIR=/app/data/backup orly db check
}

# A directory of root mounted as the volume: refused in words, and not tried for ever.
check_foreign_volume() {
    local text status=0
    mkdir -p "$work/foreign" && chmod 755 "$work" "$work/foreign"
    text=$(timeout 60 "$docker" run --rm --read-only --tmpfs /tmp -v "$work/foreign:/app/data" "$image" 2>&1) || status=$?
    detail "exit code $status: $(tail -n 1 <<<"$text" | cut -c 1-150)"
    grep -q "belongs to user 0:0, this process runs as 1000:1000: chown -R 1000:1000" <<<"$text" && ((status == 1))
}

check_bad_setting() {
    local text status=0
    text=$("$docker" run --rm -e ORLY_PORT=abc "$image" 2>&1) || status=$?
    detail "exit code $status: $text"
    [[ $status == 64 && $text == *'ORLY_PORT="abc"'* ]]
}

# Cloudron's image, on its base or on one that is like it.
check_cloudron() {
    local cloudron=${CLOUDRON_BASE_IMAGE:-cloudron/base:5.0.0}
    if ! "$docker" image inspect "$cloudron" >/dev/null 2>&1 && ! "$docker" pull -q "$cloudron" >/dev/null 2>&1; then
        cloudron=$image-cloudron-base
        printf '%s\n' "FROM $base" 'RUN groupadd -g 1000 cloudron && useradd -u 1000 -g cloudron cloudron' \
            'RUN apt-get update && apt-get install -y --no-install-recommends gosu' |
            DOCKER_BUILDKIT=1 "$docker" build -q -t "$cloudron" --network host -
    fi
    build "$image-cloudron" --build-arg FLAVOUR=cloudron --build-arg CLOUDRON_BASE_IMAGE="$cloudron"
    start_cloudron
    [[ $(processes "$image-cloudron" | awk '{ print $1 }' | sort -u) == 1000 ]]
    "$docker" exec "$image-cloudron" test -s /app/data/orly.env
    detail "on $cloudron, as user 1000, with a file of settings"
}
start_cloudron() {
    "$docker" rm -f "$image-cloudron" >/dev/null 2>&1 || true
    "$docker" run -d --name "$image-cloudron" --read-only --tmpfs /tmp --tmpfs /run --memory 256m \
        -v "$image-cloudron:/app/data" -p 127.0.0.1::3334 -e CLOUDRON=1 -e CLOUDRON_APP_DOMAIN=relay.example.com \
        -e CLOUDRON_APP_ORIGIN=https://relay.example.com "$@" "$image-cloudron" >/dev/null
    eventually 10 answers "$image-cloudron"
}

# What the operator wrote holds after a restart, and belongs to the right user although root wrote it.
check_cloudron_settings() {
    "$docker" exec "$image-cloudron" sh -c 'echo ORLY_APP_NAME=Mine >>/app/data/orly.env && chown root /app/data/orly.env'
    start_cloudron
    curl -sf -H 'Accept: application/nostr+json' "http://$(address "$image-cloudron")/" | grep -q '"name":"Mine"'
    [[ $("$docker" exec "$image-cloudron" stat -c %U /app/data/orly.env) == cloudron ]]
}

# X-Forwarded-For is believed from Cloudron's proxy and from nobody else.
check_cloudron_proxy() {
    local gateway
    gateway=$("$docker" network inspect bridge -f '{{(index .IPAM.Config 0).Gateway}}')
    [[ -n $gateway ]] || gateway=172.17.0.1
    start_cloudron -e CLOUDRON_PROXY_IP="$gateway" -e ORLY_IP_BLACKLIST=203.0.113.
    [[ $(forwarded) == 403 ]]
    start_cloudron -e CLOUDRON_PROXY_IP=192.0.2.1 -e ORLY_IP_BLACKLIST=203.0.113.
    [[ $(forwarded) == 200 ]]
}
forwarded() {
    curl -s -o /dev/null -w '%{http_code}' -H 'X-Forwarded-For: 203.0.113.1' "http://$(address "$image-cloudron")/healthz"
}
