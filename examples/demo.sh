#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, shown: a primary, its mirror and their witness (pg_auto_failover) on loopback ports, a server
# application writing to them, a kill -9, a planned switchover, a while without the witness; then the verdict
# from the database. Exits 0 only if both failovers took place and were followed, and nothing acknowledged was lost
# or doubled. Cleans up after itself.
#
# usage: bash examples/demo.sh [--driver libpq | --driver odbc]
#
#   --driver odbc   the same show through unixODBC and psqlODBC, Driver={PostgreSQL Unicode}
set -euo pipefail
driver=libpq
case "$*" in
    '' | '--driver libpq') ;;
    '--driver odbc') driver='{PostgreSQL Unicode}' ;;
    *)
        sed -n '8,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [ "$*" = --help ] && exit 0
        exit 2
        ;;
esac
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/.build/demo

say() { printf '%s\n' "== $*"; }

install_missing() {
    local packages=(g++ cmake ninja-build libfmt-dev libpq-dev unixodbc-dev postgresql-15 postgresql-15-auto-failover
        pg-auto-failover-cli procps util-linux)
    [ "$driver" = libpq ] || packages+=(odbc-postgresql)
    local missing=() one
    for one in "${packages[@]}"; do
        dpkg-query -W -f='${Status}' "$one" 2>/dev/null | grep -q 'ok installed' || missing+=("$one")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    local as=()
    [ "$(id -u)" = 0 ] || as=(sudo)
    # The packages' own server is not wanted: everything here runs on ports of its own.
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 update -qq
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq \
        --no-install-recommends "${missing[@]}" >/dev/null
}

build_demo() {
    say "building"
    local options=(-DCMAKE_BUILD_TYPE=Release -DHADR_TESTS=OFF -DHADR_TESTING=OFF -DHADR_INSTALL=OFF)
    command -v ccache >/dev/null && options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    cmake -S "$root" -B "$build" -G Ninja "${options[@]}" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; exit 1; }
    cmake --build "$build" --target hadr_demo >"$work/build.log" 2>&1 || { tail -30 "$work/build.log"; exit 1; }
}

# The servers refuse to run as root.
as_servers() {
    local environment=(env "HOME=$work/home" "XDG_RUNTIME_DIR=$work/run" "PATH=$bin:/usr/bin:/bin" LC_ALL=C.UTF-8)
    if [ "$(id -u)" = 0 ]; then
        runuser -u postgres -- "${environment[@]}" "$@"
    else
        "${environment[@]}" "$@"
    fi
}

free_port() {
    local port
    for _ in $(seq 200); do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
    done
    echo "no free port" >&2
    exit 1
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "waited in vain for $what; logs in $work" >&2; keep=1; exit 1; }
        sleep 0.1
    done
}

sql() { # PORT DATABASE TEXT
    PGCONNECT_TIMEOUT=2 PGOPTIONS='' psql -XAtq -h 127.0.0.1 -p "$1" -U postgres -d "$2" -c "$3"
}

monitor() { sql "$monitor_port" pg_auto_failover "$1"; }
settled() {
    [ "$(monitor "select count(*) from pgautofailover.node where reportedstate = goalstate
        and reportedstate in ('primary', 'secondary') and health = 1")" = 2 ]
}
registered() {
    sql "${ports[1]}" postgres checkpoint >/dev/null 2>&1 || true # The base backup waits for one.
    [ "$(monitor "select count(*) from pgautofailover.node where nodename = '$1'
        and reportedstate in ('single', 'primary', 'secondary')")" = 1 ]
}
primary_node() { monitor "select primary_name from pgautofailover.get_primary('default', 0)" | tr -d n; }

# In a session of its own, whose number is kept: the keeper's children outlive it and bear no name of
# ours.
start_part() { # NAME COMMAND...
    local name=$1
    shift
    # shellcheck disable=SC2016
    as_servers setsid bash -c 'echo $$ >"$0"; exec "$@"' "$work/$name.session" "$@" \
        >>"$work/$name.log" 2>&1 </dev/null &
}

# Every process of one part: its keeper's session, and the server, which has a session of its own.
pids_of() { # NAME
    local session postmaster
    session=$(cat "$work/$1.session" 2>/dev/null || true)
    [ -z "$session" ] || pgrep -s "$session" || true
    postmaster=$(head -1 "$work/$1/postmaster.pid" 2>/dev/null || true)
    [ -z "$postmaster" ] || { echo "$postmaster"; pgrep -P "$postmaster" || true; }
}

kill_part() { # SIGNAL NAME
    local all
    all=$(pids_of "$2")
    # shellcheck disable=SC2086
    [ -z "$all" ] || kill "-$1" $all 2>/dev/null || true
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    [ -n "${application:-}" ] && kill "$application" 2>/dev/null && wait "$application" 2>/dev/null
    for name in n1 n2 monitor; do
        for _ in 1 2 3; do kill_part KILL $name; sleep 0.1; done
    done
    [ -n "${keep:-}" ] || rm -rf "$work"
    exit "$code"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/hadr-demo-XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM

install_missing
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -d /usr/lib/postgresql/15/bin ] && bin=/usr/lib/postgresql/15/bin
build_demo

say "starting a witness, a primary and a mirror"
mkdir -m 700 "$work/home" "$work/run"
chmod 755 "$work"
[ "$(id -u)" != 0 ] || chown -R postgres: "$work"
monitor_port=$(free_port)
ports=(0 "$(free_port)" "$(free_port)")
as_servers pg_autoctl create monitor --pgdata "$work/monitor" --pgport "$monitor_port" --hostname 127.0.0.1 \
    --auth trust --no-ssl >"$work/monitor.log" 2>&1 || { cat "$work/monitor.log"; exit 1; }
as_servers tee -a "$work/monitor/postgresql.conf" >/dev/null <<'CONF'
pgautofailover.health_check_period = '300ms'
pgautofailover.health_check_timeout = '1s'
pgautofailover.health_check_max_retries = 2
pgautofailover.health_check_retry_delay = '100ms'
pgautofailover.node_considered_unhealthy_timeout = '1500ms'
pgautofailover.primary_demote_timeout = '500ms'
pgautofailover.startup_grace_period = '1s'
shared_buffers = 16MB
CONF
as_servers pg_autoctl config set --pgdata "$work/monitor" postgresql.listen_addresses 127.0.0.1 >/dev/null 2>&1
start_part monitor pg_autoctl run --pgdata "$work/monitor"
wait_for 30 "the witness" monitor 'select 1'

as_servers initdb -D "$work/n1" -U postgres -A trust --no-sync --no-instructions --wal-segsize=1 -E UTF8 \
    --locale=C >/dev/null
as_servers tee -a "$work/n1/pg_hba.conf" >/dev/null <<'CONF'
host all all 127.0.0.0/8 trust
host replication all 127.0.0.0/8 trust
CONF
as_servers tee -a "$work/n1/postgresql.conf" >/dev/null <<'CONF'
shared_buffers = 16MB
wal_keep_size = 32MB
min_wal_size = 8MB
max_wal_size = 64MB
wal_log_hints = on
wal_retrieve_retry_interval = 100ms
CONF
for node in 1 2; do
    start_part n$node pg_autoctl create postgres --pgdata "$work/n$node" --pgport "${ports[$node]}" --name n$node \
        --hostname 127.0.0.1 --listen 127.0.0.1 --auth trust --no-ssl \
        --monitor "postgres://autoctl_node@127.0.0.1:$monitor_port/pg_auto_failover" --run
    wait_for 60 "node n$node" registered n$node
done
wait_for 60 "the pair to be synchronous" settled
for node in 1 2; do
    as_servers pg_autoctl config set --pgdata "$work/n$node" timeout.prepare_promotion_catchup 3 >/dev/null 2>&1
    as_servers pg_autoctl config set --pgdata "$work/n$node" timeout.prepare_promotion_walreceiver 1 >/dev/null 2>&1
    as_servers pg_autoctl reload --pgdata "$work/n$node" >/dev/null 2>&1
done
sql "${ports[1]}" postgres 'create table ledger (id bigserial primary key, token text not null,
    at timestamptz default clock_timestamp())'

say "the application starts, Driver=$driver: 4 writers, 1 reader; its connection string names both servers and the witness"
connection="Mode=mirroring;Driver=$driver;Server=127.0.0.1:${ports[1]};Failover_Partner=127.0.0.1:${ports[2]};"
connection+="Witness=pg_auto_failover:127.0.0.1:$monitor_port;Database=postgres;UID=postgres;Store_Name=ledger"
"$build/examples/hadr_demo" "$connection" "$work/summary" "${ports[1]}" "${ports[2]}" "$monitor_port" &
application=$!
sleep 3

# changed FROM: the witness names somebody, and somebody else.
changed() {
    local now
    now=$(primary_node)
    [ -n "$now" ] && [ "$now" != "$1" ]
}
first=$(primary_node)
[ -n "$first" ] || { echo "the witness names no primary" >&2; exit 1; }
say "kill -9 of the primary n$first and its keeper"
kill_part KILL "n$first"
wait_for 30 "the engine's failover" changed "$first"
sleep 4
say "n$first comes back, as the mirror"
rm -f "$work/n$first/postmaster.pid" /tmp/.s.PGSQL."${ports[$first]}"* /var/run/postgresql/.s.PGSQL."${ports[$first]}"*
start_part "n$first" pg_autoctl run --pgdata "$work/n$first"
wait_for 60 "the pair to be whole again" settled
sleep 1

say "planned switchover"
second=$(primary_node)
[ -n "$second" ] || { echo "the witness names no primary" >&2; exit 1; }
monitor "select pgautofailover.perform_failover('default', 0)" >/dev/null
wait_for 30 "the planned failover" changed "$second"
sleep 3
wait_for 60 "the pair to be whole again" settled

say "the witness stops for a while: service goes on, without automatic failover"
kill_part KILL monitor
sleep 3
rm -f "$work/monitor/postmaster.pid" /tmp/.s.PGSQL."$monitor_port"* /var/run/postgresql/.s.PGSQL."$monitor_port"*
start_part monitor pg_autoctl run --pgdata "$work/monitor"
wait_for 60 "the witness to be back" settled
sleep 1

# Whether it was the engine that gave up what it had.
engine_says() {
    say "the last words of the engine, and when it waited for which mirror"
    monitor "select to_char(eventtime, 'HH24:MI:SS.MS'), nodename, reportedstate, goalstate, description
        from (select * from pgautofailover.event order by eventid desc limit 40) last order by eventid" || true
    grep -h 'synchronous_standby_names' "$work"/n?.log "$work"/n?/log/* 2>/dev/null | tail -40 || true
}

say "the application stops and the ledger is checked"
kill -TERM $application
code=0
wait $application || code=$?
application=
[ $code = 0 ] || engine_says
exit $code
