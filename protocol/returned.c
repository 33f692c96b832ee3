/* Pieces of segments that come back, locked for a county's desk. */
#include "protocol/returned.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/keys.h"

_Static_assert(MQ_RETURNED_PIECE_MAX + MQ_BOX_OVERHEAD + 128 <= MQ_CHANGE_MAX, "a piece fits into a change");

uint32_t mq_returned_piece(uint32_t size, uint32_t offset)
{
    return size - offset < MQ_RETURNED_PIECE_MAX ? size - offset : MQ_RETURNED_PIECE_MAX;
}

enum mq_status mq_returned_seal(struct mq_buffer *out, struct mq_span segment, uint32_t offset, uint32_t piece,
                                const uint8_t box_public[MQ_PUBLIC_SIZE])
{
    uint8_t memory[3];
    struct mq_buffer place = mq_buffer(memory, sizeof memory);
    struct mq_secret ephemeral;

    MQ_ASSERT(offset <= segment.size && piece <= segment.size - offset);
    mq_put_u24(&place, offset);
    const struct mq_span parts[] = {mq_span(box_public, MQ_PUBLIC_SIZE), mq_written(&place), segment};
    mq_hash(ephemeral.bytes, sizeof ephemeral.bytes, MQ_DOMAIN_SEED, parts, sizeof parts / sizeof *parts);
    enum mq_status status = mq_box_seal(out, mq_span(segment.data + offset, piece), box_public, &ephemeral);
    mq_secret_wipe(&ephemeral);
    return status;
}

void mq_returned_put(struct mq_buffer *out, const struct mq_returned *returned)
{
    mq_cbor_put_array(out, 5);
    mq_cbor_put_uint(out, MQ_CHANGE_RETURN);
    mq_cbor_put_bytes(out, MQ_SPAN(returned->id));
    mq_cbor_put_uint(out, returned->size);
    mq_cbor_put_uint(out, returned->offset);
    mq_cbor_put_bytes(out, returned->sealed);
}

enum mq_status mq_returned_get(struct mq_returned *out, struct mq_span expanded)
{
    struct mq_reader reader = mq_reader(expanded);
    uint64_t items = mq_cbor_array(&reader, UINT64_MAX);

    *out = (struct mq_returned){.size = 0};
    if (items < 5 || mq_cbor_uint(&reader) != MQ_CHANGE_RETURN)
        return MQ_REFUSED;
    struct mq_span id = mq_cbor_bytes(&reader, MQ_SEGMENT_ID_SIZE);
    uint64_t size = mq_cbor_uint(&reader), offset = mq_cbor_uint(&reader);
    out->sealed = mq_cbor_bytes(&reader, MQ_RETURNED_PIECE_MAX + MQ_BOX_OVERHEAD);
    if (reader.failed || id.size != MQ_SEGMENT_ID_SIZE || size < MQ_SEGMENT_FIXED_SIZE || size > MQ_SEGMENT_MAX ||
        offset >= size || offset % MQ_RETURNED_PIECE_MAX != 0 ||
        out->sealed.size != mq_returned_piece((uint32_t)size, (uint32_t)offset) + MQ_BOX_OVERHEAD)
        return MQ_REFUSED;
    memcpy(out->id, id.data, sizeof out->id);
    out->size = (uint32_t)size;
    out->offset = (uint32_t)offset;
    return MQ_OK;
}
