# Words that the flows share: a world of real programs in a temporary directory. Sourced, never run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=${MQ_PROGRAMS:-$here/build}
minqing=$programs/minqing
minqingd=$programs/minqingd
work=$(mktemp -d /tmp/minqing-flow-XXXXXX)
data=$work/centre
server=
helpers=()
export MINQING_PASSPHRASE_FILE=$work/passphrase
export LC_ALL=${LC_ALL:-C.UTF-8}
(umask 077; echo "three grey herons by the weir" > "$work/passphrase")

end() {
    code=$?
    [ -z "$server" ] || stop_server || true
    [ ${#helpers[@]} = 0 ] || kill "${helpers[@]}" 2>/dev/null || true
    umount "$work"/* 2>/dev/null || true
    [ "${KEEP:-}" = 1 ] && echo "kept: $work" || rm -rf "$work"
    exit $code
}
trap end EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
# expect CODE COMMAND...: the command must end with that exit code; its output goes to $work/out and $work/err.
expect() {
    local want=$1 got=0
    shift
    "$@" > "$work/out" 2> "$work/err" || got=$?
    [ "$got" = "$want" ] || { cat "$work/out" "$work/err" >&2; fail "exit $got, not $want: $*"; }
}
# field KEY: a value from the last line of JSON in $work/out.
field() { tail -n 1 "$work/out" | python3 -c "import json, sys; print(json.load(sys.stdin)[sys.argv[1]])" "$1"; }

start_server() { # [PORT [OPTION...]]
    : > "$work/serve.out"
    "$minqingd" serve --data "$data" --listen "127.0.0.1:${1:-0}" "${@:2}" > "$work/serve.out" 2>> "$work/serve.err" &
    server=$!
    for _ in $(seq 200); do
        address=$(sed -n 's/^listening //p' "$work/serve.out")
        [ -n "$address" ] && return
        kill -0 $server 2>/dev/null || { cat "$work/serve.err" >&2; fail "the server ended"; }
        sleep 0.05
    done
    fail "the server does not listen"
}
stop_server() {
    local pid=$server code=0
    server=
    kill -TERM "$pid" 2>/dev/null || return 0
    wait "$pid" || code=$?
    [ "$code" = 0 ] || { cat "$work/serve.err" >&2; fail "the server ended with $code"; }
}
kill_server() {
    local pid=$server
    server=
    pkill -KILL -P "$pid" 2>/dev/null || true
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    while pgrep -f "serve --data $data " > /dev/null; do sleep 0.02; done
}
port() { echo "${address##*:}"; }
begin_centre() { # one team, the server running
    "$minqingd" init --data "$data" --org "青垭县" --kdf-memory 8 > /dev/null
    start_server
    "$minqingd" team add "杉坪队" --data "$data" --json > "$work/out"
    team=$(field team)
}
begin_device() { # NAME
    "$minqingd" invite --team "$team" --data "$data" --json > "$work/out"
    "$minqing" join "$(field invitation)" --name "$1" --home "$work/$1" --kdf-memory 8 > /dev/null 2>> "$work/join.err" ||
        { cat "$work/join.err" >&2; fail "$1 could not join"; }
}
device() { # NAME COMMAND...
    local name=$1
    shift
    "$minqing" "$@" --home "$work/$name"
}
desk() { "$minqingd" "$@" --data "$data"; }

# ---- clocks (package faketime; its library, since its program trips over what a killed one left in /dev/shm) ----

faketime=$(dpkg -L libfaketime 2>/dev/null | grep '/libfaketime.so.1$' | head -n 1)
at() { # OFFSET COMMAND...: with a clock that is so far off, +1d or -5h
    local offset=$1
    shift
    LD_PRELOAD=$faketime FAKETIME=$offset FAKETIME_DONT_FAKE_MONOTONIC=1 "$@"
}
after() { # TIME COMMAND...: as if so much had passed, +5h: every clock has moved
    local time=$1
    shift
    LD_PRELOAD=$faketime FAKETIME=$time "$@"
}
