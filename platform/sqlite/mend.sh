#!/bin/sh
# Mends what the source of SQLite3MultipleCiphers forgets: where the file below answers an error to a read, other than that it
# is shorter, the layer of ciphers goes on and answers that all is well (docs/decisions/0029-read-errors.md). Fails where
# the source is not the one it knows: then somebody has to look whether it is still so.
#
# Usage: mend.sh FROM TO
set -eu
sed -e '/^static int mcReadMainDb(/,/^}/s/if (rc == SQLITE_IOERR_SHORT_READ)/if (rc != SQLITE_OK)/' \
    -e '/^static int mcIoRead(.*offset).\{0,1\}$/,/^}/s/if (rc == SQLITE_IOERR_SHORT_READ)/if (rc != SQLITE_OK)/' "$1" >"$2.new"
changed=$(diff "$1" "$2.new" | tr -d '\r' | grep -c '^> *if (rc != SQLITE_OK)$' || true)
if [ "$changed" != 2 ]; then
    echo "platform/sqlite/mend.sh: $changed places of $1 are as they were known, not 2; look whether errors of reads are still lost" >&2
    rm -f "$2.new"
    exit 1
fi
mv "$2.new" "$2"
