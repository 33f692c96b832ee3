# Words for flows that put a bad line (tests/proxy/proxy.c) between device and centre. Sourced behind lib.sh.
proxy=$here/build/tests/proxy/proxy
[ -x "$proxy" ] || fail "first: make flow-tools"

begin_line() { # TARGET_PORT; sets line_port
    mkfifo "$work/rules"
    : > "$work/line.log"
    "$proxy" "$1" "$work/rules" "$work/line.log" "$work/line.port" &
    helpers+=($!)
    for _ in $(seq 200); do [ -s "$work/line.port" ] && break; sleep 0.02; done
    line_port=$(cat "$work/line.port")
}
# The next connections, a rule each (tests/proxy/proxy.c).
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
