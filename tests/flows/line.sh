# Words for flows that put a bad line (tests/proxy/proxy.c) between device and centre. Sourced behind lib.sh.
proxy=$here/build/tests/proxy/proxy
[ -x "$proxy" ] || fail "first: make flow-tools"

begin_line() { # TARGET_PORT [NAME]; sets line_port
    mkfifo "$work/rules${2:-}"
    : > "$work/line.log${2:-}"
    "$proxy" "$1" "$work/rules${2:-}" "$work/line.log${2:-}" "$work/line.port${2:-}" &
    helpers+=($!)
    for _ in $(seq 200); do [ -s "$work/line.port${2:-}" ] && break; sleep 0.02; done
    line_port=$(cat "$work/line.port${2:-}")
}
# The next connections of the line without a name, a rule each (tests/proxy/proxy.c).
rule() { printf '%s\n' "$@" > "$work/rules"; }
# How many connections have ended so far, and the last one's line: number rule done|whole up down.
line_count() { wc -l < "$work/line.log"; }
line_last() { # COUNT: waits for the connection after these
    for _ in $(seq 200); do [ "$(line_count)" -gt "$1" ] && break; sleep 0.01; done
    sed -n "$(($1 + 1))p" "$work/line.log"
}
# One that joins through the line.
begin_device_on_line() { # NAME http|https
    "$minqingd" invite --team "$team" --data "$data" --url "$2://127.0.0.1:$line_port" --json > "$work/out"
    "$minqing" join "$(field invitation)" --name "$1" --home "$work/$1" --kdf-memory 8 > /dev/null
}
