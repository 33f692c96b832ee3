/* Aim: a list of what is to be erased is refused, or written again as the same bytes, each entry once; what is left of
 * a change without some fields is a change, and stays as it is when they are taken out again; what comes back of something
 * erased is refused or lies within a segment. Input: a mode, four field numbers, then the list or the change, expanded. */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/erase.h"
#include "protocol/returned.h"
#include "tests/fuzz/fuzz.h"

static void try_list(struct mq_span bytes)
{
    static struct mq_erase_entry entries[MQ_ERASE_ENTRIES_MAX];
    static uint8_t memory[MQ_CHANGE_MAX];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_erasure list;
    size_t count = 0;

    if (mq_erasure_get(&list, bytes) != MQ_OK || !mq_cbor_valid(bytes))
        return; /* a change is one item, whoever brings it has looked */
    struct mq_erasure_walk walk = mq_erasure_walk(&list);
    while (count < MQ_ERASE_ENTRIES_MAX && mq_erasure_next(&walk, &entries[count]))
        count++;
    struct mq_erase_entry more;
    MQ_ASSERT(count > 0 && !mq_erasure_next(&walk, &more));
    mq_erasure_put(&again, list.because_known ? list.because : NULL, entries, count);
    bool plain = bytes.data[0] == 0x83; /* a later version may add items */
    MQ_ASSERT(!again.failed && (!plain || mq_span_equal(mq_written(&again), bytes)));
}

static void try_change(struct mq_span bytes, const uint8_t *fields, size_t count)
{
    static uint8_t one[MQ_CHANGE_MAX], two[MQ_CHANGE_MAX];
    uint8_t names[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer left = mq_buffer(one, sizeof one), same = mq_buffer(two, sizeof two),
                     room = mq_buffer(names, sizeof names);
    struct mq_change change;
    bool is_change = mq_change_decode(&change, bytes, &room) == MQ_OK;

    if (mq_change_void(&left, bytes, fields, count) != MQ_OK)
        return;
    if (!is_change)
        return;
    MQ_ASSERT(!left.failed && left.size <= bytes.size + 16);
    room = mq_buffer(names, sizeof names);
    MQ_ASSERT(mq_change_decode(&change, mq_written(&left), &room) == MQ_OK);
    MQ_ASSERT(mq_change_void(&same, mq_written(&left), fields, count) == MQ_OK);
    MQ_ASSERT(mq_span_equal(mq_written(&left), mq_written(&same)));
}

static void try_returned(struct mq_span bytes)
{
    static uint8_t memory[MQ_CHANGE_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_returned piece, again;

    if (mq_returned_get(&piece, bytes) != MQ_OK)
        return;
    uint32_t size = mq_returned_piece(piece.size, piece.offset);
    MQ_ASSERT(size > 0 && piece.offset + size <= piece.size && piece.size <= MQ_SEGMENT_MAX);
    mq_returned_put(&out, &piece);
    MQ_ASSERT(!out.failed && mq_returned_get(&again, mq_written(&out)) == MQ_OK);
    MQ_ASSERT(again.size == piece.size && again.offset == piece.offset && mq_span_equal(again.sealed, piece.sealed) &&
              memcmp(again.id, piece.id, sizeof again.id) == 0);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < 5 || size > MQ_CHANGE_MAX)
        return;
    struct mq_span bytes = mq_span(data + 5, size - 5);
    if (data[0] >= 0xe0)
        try_returned(bytes);
    else if (data[0] & 1)
        try_list(bytes);
    else
        try_change(bytes, data + 1, 1 + (data[0] >> 1) % 4u);
}
