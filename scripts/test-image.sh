#!/usr/bin/env bash
# Builds the container images from binaries that are there, and checks that they run as promised.
#
#   scripts/test-image.sh [CHECK…]
#
# Installs and starts a Docker engine where there is none (Debian, root), and makes a base image where none can be
# pulled. Says "skipped" and succeeds where Docker cannot run. Ends with a count of checks.
#
# BINARIES     the directory of the binaries, orly-bench too (target/release)
# BASE_IMAGE   the base (debian:bookworm-slim)
# KEEP=1       leaves containers, volumes and images
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binaries=${BINARIES:-target/release}
base=${BASE_IMAGE:-debian:bookworm-slim}
programs=(orly orly-launcher orly-db-badger orly-db-neo4j orly-acl orly-sync-negentropy)
image=orly-image-test
work=$(mktemp -d "${TMPDIR:-/tmp}/orly-image.XXXXXX")
passed=0 failed=0

finish() {
    local status=$?
    if [[ -z ${KEEP:-} && -n ${docker:-} ]]; then
        remove
        compose down -v >/dev/null 2>&1 || true
        "$docker" image rm -f "$image" "$image-cloudron" "$image-cloudron-base" "$image-systemd" >/dev/null 2>&1 || true
    fi
    [[ -n ${KEEP:-} ]] || rm -rf "$work"
    exit "$status"
}
remove() {
    "$docker" rm -f "$image" "$image-cloudron" "$image-systemd" >/dev/null 2>&1 || true
    "$docker" volume rm -f "$image" "$image-cloudron" >/dev/null 2>&1 || true
}
trap finish EXIT
trap 'exit 130' INT TERM

skip() {
    echo "image: skipped: $*"
    exit 0
}

# A client that knows BuildKit: with buildx, or old enough to have it built in.
find_docker() {
    local candidate version
    for candidate in $(type -ap docker); do
        version=$("$candidate" version --format '{{.Client.Version}}' 2>/dev/null || true)
        [[ -n $version ]] || version=$("$candidate" --version | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
        if ((${version%%.*} < 23)) || "$candidate" buildx version >/dev/null 2>&1; then
            docker=$candidate
            return 0
        fi
    done
    return 1
}

start_docker() {
    if ! find_docker || ! type -p dockerd >/dev/null; then
        if ! "${docker:-false}" info >/dev/null 2>&1; then
            [[ $(id -u) == 0 ]] && type -p apt-get >/dev/null || skip "no Docker engine, and only root of a Debian can install one"
            echo "installing docker.io"
            (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y docker.io) >"$work/apt.log" 2>&1 ||
                skip "docker.io could not be installed"
            hash -r
            find_docker || skip "no docker with BuildKit"
        fi
    fi
    if ! "$docker" info >/dev/null 2>&1; then
        setsid dockerd >"$work/dockerd.log" 2>&1 &
        for _ in {1..60}; do
            ! "$docker" info >/dev/null 2>&1 || return 0
            sleep 0.5
        done
        tail -n 5 "$work/dockerd.log"
        skip "dockerd does not start"
    fi
}

# The base: at hand, pulled, or made.
find_base() {
    "$docker" image inspect "$base" >/dev/null 2>&1 ||
        timeout 120 "$docker" pull -q "$base" >/dev/null 2>&1 || make_base
}
make_base() {
    base=orly-image-test-base
    ! "$docker" image inspect "$base" >/dev/null 2>&1 || return 0
    echo "making a base image, for none can be pulled"
    type -p debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y debootstrap >"$work/apt.log" 2>&1 ||
        skip "no base image, and no debootstrap to make one"
    debootstrap --variant=minbase bookworm "$work/base" >"$work/debootstrap.log" 2>&1 || skip "debootstrap failed"
    tar -C "$work/base" -c . | "$docker" import - "$base" >/dev/null
    rm -rf "$work/base"
}

build() {
    local program
    mkdir -p "$work/context/binaries" "$work/context/docker"
    for program in "${programs[@]}" orly-bench; do
        [[ -x $binaries/$program ]] || { echo "no executable at $binaries/$program: build it first" >&2; exit 64; }
    done
    cp -r docker/cloudron "$work/context/docker/"
    for program in "${programs[@]}"; do
        install "$binaries/$program" "$work/context/binaries/"
    done
    DOCKER_BUILDKIT=1 "$docker" build -q -t "$1" -f docker/Dockerfile --build-arg BINARIES=host \
        --build-arg BASE_IMAGE="$base" "${@:2}" "$work/context" >/dev/null
}

run_check() {
    local name=$1 status
    : >"$work/detail"
    set +e
    (set -e && "check_$name") >"$work/$name.log" 2>&1
    status=$?
    set -e
    if ((status == 0)); then
        passed=$((passed + 1))
        printf '%-22s ok      %s\n' "$name" "$(tail -n 1 "$work/detail")"
    else
        failed=$((failed + 1))
        printf '%-22s FAILED  %s\n' "$name" "$(tail -n 1 "$work/detail")"
        tail -n 20 "$work/$name.log"
        "$docker" logs --tail 20 "$image" 2>&1 | sed 's/^/    | /' || true
    fi
}

# shellcheck source=scripts/image/checks.sh
source scripts/image/checks.sh
# shellcheck source=scripts/image/hosts.sh
source scripts/image/hosts.sh

start_docker
find_base
build "$image"
all=("$@")
((${#all[@]})) || all=("${checks[@]}")
for name in "${all[@]}"; do
    run_check "$name"
done
echo
echo "$passed passed, $failed failed"
((failed == 0))
