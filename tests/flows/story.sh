# Words that the stories share: 青垭县 with a team for 杉坪村 (tests/flows/village.py), and what a story asks of JSON.
# Sourced, never run.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# values KEY: that key of each line of JSON in $work/out; lists with blanks between, what is missing as an empty line.
values() {
    python3 -c '
import json, sys
for line in open(sys.argv[2], encoding="utf-8"):
    value = json.loads(line).get(sys.argv[1], "")
    print(" ".join(map(str, value)) if isinstance(value, list) else value)' "$1" "$work/out"
}
lines() { wc -l < "$work/out"; }
equal() { # GOT WANT WHAT
    [ "$1" = "$2" ] || { cat "$work/out" "$work/err" >&2; fail "$3: \"$1\", not \"$2\""; }
}
has() { # TEXT WHAT
    grep -qF -- "$1" "$work/out" || { cat "$work/out" "$work/err" >&2; fail "$2: no \"$1\""; }
}
lacks() { # TEXT WHAT
    ! grep -qF -- "$1" "$work/out" || { cat "$work/out" >&2; fail "$2: there is \"$1\""; }
}
# The same words to the byte: JSON of $work/out against a file.
same_words() { # KEY FILE WHAT
    python3 -c '
import json, sys
value = json.loads(open(sys.argv[2], encoding="utf-8").readlines()[-1])[sys.argv[1]]
sys.exit(value.encode() != open(sys.argv[3], "rb").read())' "$1" "$work/out" "$2" || fail "$3: other bytes"
}
syncs() { # NAME...: each sends and fetches
    local name
    for name in "$@"; do expect 0 device "$name" sync --json; done
}

# ---- a township's desk beside the county's ----

town_data=$work/town
town() { "$minqingd" "$@" --data "$town_data"; }
begin_township() { # NAME; its desk runs
    expect 0 desk invite --role desk --team "$team" --json
    expect 0 town join "$(field invitation)" --org "$1" --team "杉坪队" --kdf-memory 8
    "$minqingd" desk --data "$town_data" > "$work/town.out" 2>> "$work/town.err" &
    helpers+=($!)
    for _ in $(seq 200); do [ -S "$town_data/desk.sock" ] && return; sleep 0.05; done
    cat "$work/town.err" >&2
    fail "the township's desk does not start"
}

# ---- clocks ----

on() { # DATE: that day for all programs from now on, those that run already too
    local morning now
    now=$(LD_PRELOAD='' date +%s)
    morning=$(LD_PRELOAD='' date -d "$1 09:00" +%s)
    printf '%+d\n' $((morning - now)) > "$work/clock.new"
    mv "$work/clock.new" "$work/clock"
    export LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE=$work/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
}
