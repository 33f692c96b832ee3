#!/bin/sh
# Turns a prose into a C array for prose.c, with nothing but POSIX tools, so that every build can do it.
# Usage: embed.sh protocol/prose/1.txt build/generated/prose_1.h       (the array is named after the output file)
set -eu

text=$1
header=$2
name=$(basename "$header" .h)

[ -s "$text" ] || { echo "embed.sh: $text is missing or empty" >&2; exit 1; }

mkdir -p "$(dirname "$header")"
{
    printf '/* Generated from %s by protocol/prose/embed.sh. */\n' "$text"
    printf '#include <stdint.h>\n\nstatic const uint8_t %s[] = {\n' "$name"
    od -A n -v -t u1 "$text" | sed 's/[0-9][0-9]*/&,/g'
    printf '};\n'
} > "$header.part"
mv "$header.part" "$header"
