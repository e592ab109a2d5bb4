# Checks of test-image.sh: docker compose, and systemd in a container. Skipped where there is no such thing. Sourced.
checks+=(compose systemd)

replica=$image-replica
compose() {
    ORLY_IMAGE=$image ORLY_PORT=127.0.0.1: ORLY_REPLICA_PORT=127.0.0.1: ORLY_SYNC_NEGENTROPY_INTERVAL=1s \
        "$docker" compose -f docker-compose.yml -p "$replica" --profile replica "$@"
}

# The appliance and a replica of it, which ends with the same events; nothing is left of them.
check_compose() {
    if ! "$docker" compose version >/dev/null 2>&1; then
        detail "skipped: no docker compose"
        return 0
    fi
    [[ -s $work/events.jsonl ]] || bench gen --public --count 2000 --seed 1 --out "$work/events.jsonl" >/dev/null
    compose up -d --no-build
    eventually 30 composed orly orly health
    bench ingest "ws://$(compose port orly 3334)" "$work/events.jsonl" --connections 4
    eventually 60 is_replicated
    compose down -v
    detail "$(cat "$work/stored") events in both"
    [[ -z $("$docker" volume ls -q --filter "name=^${replica}_") ]]
}
composed() { compose exec -T "$@" </dev/null; }
is_replicated() {
    composed orly orly query --count '{}' >"$work/stored"
    (($(cat "$work/stored") > 0)) && composed replica orly query --count '{}' | cmp - "$work/stored"
}

in_systemd() { "$docker" exec "$image-systemd" "$@"; }

# The unit as docs/deploy.md installs it: ready when it says so, back after a kill, soundly stopped.
check_systemd() {
    local program directory=/usr/local/bin
    if ! start_systemd >"$work/systemd.log" 2>&1; then
        detail "skipped: no systemd in a container: $(tail -n 1 "$work/systemd.log")"
        return 0
    fi
    for program in "${programs[@]}"; do
        "$docker" cp "$binaries/$program" "$image-systemd:$directory/" >/dev/null
    done
    in_systemd install -d /etc/orly
    "$docker" cp docker/systemd/orly.env "$image-systemd:/etc/orly/" >/dev/null
    "$docker" cp docker/systemd/orly.service "$image-systemd:/etc/systemd/system/" >/dev/null
    in_systemd systemctl daemon-reload
    in_systemd systemd-analyze verify orly.service
    in_systemd systemctl start orly
    is_up
    # Each reads the files of the store, whatever the unit takes away.
    (($(in_systemd journalctl -u orly --no-pager | grep -c "its files are read directly") == 2))
    in_systemd systemctl kill --kill-who=main --signal=KILL orly
    eventually 15 is_back
    in_systemd systemctl stop orly
    [[ $(unit Result) == success && $(unit ExecMainStatus) == 0 ]]
    detail "$(in_systemd systemd-analyze security orly --no-pager | tail -n 1 | sed 's/[^a-zA-Z]*//')"
}
unit() { in_systemd systemctl show --value -p "$1" orly; }
is_up() { in_systemd env ORLY_PORT=3334 "$directory/orly" health; }
is_back() { [[ $(unit NRestarts) == 1 ]] && is_up; }

# systemd as the first process of a container, with what it needs of the host's control groups.
start_systemd() {
    local capabilities=(--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add SYS_NICE --cap-add SYS_PTRACE)
    local groups=(--cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup:ro -v /sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd)
    [[ -d /sys/fs/cgroup/systemd ]] || groups=(--cgroupns private)
    printf '%s\n' "FROM $base" \
        'RUN apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv dbus procps' |
        DOCKER_BUILDKIT=1 "$docker" build -q -t "$image-systemd" --network host - &&
        "$docker" run -d -t --name "$image-systemd" "${capabilities[@]}" "${groups[@]}" --tmpfs /run:exec --tmpfs /run/lock \
            --security-opt seccomp=unconfined --security-opt apparmor=unconfined -e container=docker \
            "$image-systemd" /lib/systemd/systemd &&
        eventually 20 has_booted
}
has_booted() { in_systemd systemctl is-system-running | grep -E "running|degraded"; }
