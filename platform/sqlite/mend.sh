#!/bin/sh
# Mends the source of SQLite3MultipleCiphers on its way to the compiler:
# - where the file below answers an error to a read, other than that it is shorter, the layer of ciphers goes on and answers
#   that all is well (docs/decisions/0029-read-errors.md);
# - the stream cipher and the tag of a page are those of platform/page_cipher.h (docs/decisions/0031-page-cipher.md).
# Fails where the source is not the one it knows: then somebody has to look whether it is still so.
#
# Usage: mend.sh FROM TO
set -eu
from=$1 to=$2
read_error='s/if (rc == SQLITE_IOERR_SHORT_READ)/if (rc != SQLITE_OK)/'
sed -e "/^static int mcReadMainDb(/,/^}/$read_error" \
    -e "/^static int mcIoRead(.*offset).\{0,1\}\$/,/^}/$read_error" \
    -e 's/^SQLITE_PRIVATE void chacha20_xor(/void mq_page_xor(/' -e '/^void chacha20_xor(/!s/\<chacha20_xor(/mq_page_xor(/' \
    -e 's/^SQLITE_PRIVATE void poly1305(/void mq_page_tag(/' -e '/^void poly1305(/!s/\<poly1305(/mq_page_tag(/' "$from" >"$to.new"

demand() { # COUNT PATTERN WHAT
    changed=$(diff "$from" "$to.new" | tr -d '\r' | grep -c "^> *$2" || true)
    if [ "$changed" != "$1" ]; then
        echo "platform/sqlite/mend.sh: $changed places of $from are as they were known, not $1; look $3" >&2
        rm -f "$to.new"
        exit 1
    fi
}
demand 2 'if (rc != SQLITE_OK)$' "whether errors of reads are still lost"
demand 10 '.*mq_page_xor(' "how pages are encrypted"
demand 3 '.*mq_page_tag(' "how pages are told from others"
mv "$to.new" "$to"
