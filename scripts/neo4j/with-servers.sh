#!/usr/bin/env bash
# Runs a command beside real Neo4j servers, from Maven packages, which are gone when it ends.
#
#   scripts/neo4j/with-servers.sh [-n SERVERS] COMMAND…
#
# The command finds them in ORLY_TEST_NEO4J: bolt://user:password@host:port, with commas between. Needs a JDK of at least
# 17 and Maven; root of a Debian gets them installed. Says "skipped" and succeeds where they cannot be had.
#
# NEO4J_JARS   where the packages are kept (~/.cache/orly-neo4j)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jars=${NEO4J_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/orly-neo4j}
servers=2
if [[ ${1:-} == -n ]]; then
    servers=$2
    shift 2
fi
(($# > 0)) || { sed -n '4,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 64; }
work=$(mktemp -d "${TMPDIR:-/tmp}/orly-neo4j.XXXXXX")
pids=()

finish() {
    local status=$?
    # Only what was started here.
    if ((${#pids[@]} > 0)); then
        kill "${pids[@]}" 2>/dev/null || true
        wait "${pids[@]}" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

skip() {
    echo "neo4j: skipped: $*"
    exit 0
}

tools() { type -p javac >/dev/null && type -p mvn >/dev/null; }

if ! tools; then
    if [[ $(id -u) != 0 ]] || ! type -p apt-get >/dev/null; then
        skip "no JDK and Maven, and only root of a Debian can install them"
    fi
    apt-get update -qq >"$work/apt" 2>&1 || true
    apt-get install -y -qq openjdk-17-jdk-headless maven >>"$work/apt" 2>&1 || skip "no JDK and Maven to be had"
    tools || skip "no JDK and Maven"
fi
if [[ ! -e $jars/complete ]] || ! cmp -s "$here/pom.xml" "$jars/complete"; then
    mkdir -p "$jars"
    mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$jars" -DincludeScope=runtime \
        >"$work/maven" 2>&1 || skip "Maven's packages cannot be had: $(tail -n 1 "$work/maven")"
    cp "$here/pom.xml" "$jars/complete"
fi
javac -cp "$jars/*" -d "$work/classes" "$here/TestServer.java"

cat >"$work/neo4j.conf" <<'END'
server.bolt.enabled=true
server.bolt.listen_address=127.0.0.1:0
dbms.security.auth_enabled=true
server.memory.pagecache.size=128m
db.tx_log.preallocate=false
db.tx_log.rotation.size=16m
END
export NEO4J_TEST_PASSWORD=orly-test-$RANDOM$RANDOM
for ((number = 1; number <= servers; number++)); do
    : >"$work/$number.log"
    java -Xms256m -Xmx512m -XX:+UseParallelGC \
        --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
        --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
        -cp "$work/classes:$jars/*" TestServer "$work/$number" "$work/neo4j.conf" >>"$work/$number.log" 2>&1 &
    pids+=($!)
done
list=''
for ((number = 1; number <= servers; number++)); do
    for ((tenth = 0; ; tenth++)); do
        port=$(sed -n 's/^ready //p' "$work/$number.log")
        [[ -z $port ]] || break
        if ((tenth > 1800)) || ! kill -0 "${pids[number - 1]}" 2>/dev/null; then
            echo "neo4j: server $number did not start:" >&2
            tail -n 20 "$work/$number.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    list+="${list:+,}bolt://neo4j:$NEO4J_TEST_PASSWORD@127.0.0.1:$port"
done
echo "neo4j: $servers servers are ready"
ORLY_TEST_NEO4J=$list "$@"
