/* Writes an encoded item again from what the readers say about it: equal bytes mean that nothing was lost or accepted
 * in a second form. Used by the test and by the fuzz target. */
#ifndef MQ_TESTS_PROTOCOL_CBOR_WALK_H
#define MQ_TESTS_PROTOCOL_CBOR_WALK_H

#include "protocol/cbor.h"

static inline void cbor_put_again(struct mq_buffer *out, const struct mq_cbor_item *item)
{
    switch (item->type) {
    case MQ_CBOR_UINT:
        mq_cbor_put_uint(out, item->number);
        break;
    case MQ_CBOR_NEGATIVE:
        if (item->number <= INT64_MAX) {
            mq_cbor_put_int(out, -1 - (int64_t)item->number);
        } else { /* below int64_t, which no writer of ours has: by hand */
            mq_put_u8(out, 0x3b);
            mq_put_u64(out, item->number);
        }
        break;
    case MQ_CBOR_BYTES:
        mq_cbor_put_bytes(out, item->bytes);
        break;
    case MQ_CBOR_TEXT:
        mq_cbor_put_text(out, item->bytes);
        break;
    case MQ_CBOR_ARRAY:
        mq_cbor_put_array(out, item->number);
        break;
    case MQ_CBOR_MAP:
        mq_cbor_put_map(out, item->number);
        break;
    case MQ_CBOR_REFERENCE:
        mq_cbor_put_reference(out);
        break;
    case MQ_CBOR_FALSE:
    case MQ_CBOR_TRUE:
        mq_cbor_put_bool(out, item->type == MQ_CBOR_TRUE);
        break;
    case MQ_CBOR_NULL:
        mq_cbor_put_null(out);
        break;
    }
}

/* `memory` has room for encoded.size bytes. Also asks mq_cbor_take, which must find the same end. */
static inline bool cbor_walks_to_itself(struct mq_span encoded, uint8_t *memory)
{
    struct mq_buffer out = mq_buffer(memory, encoded.size);
    struct mq_reader reader = mq_reader(encoded), whole = mq_reader(encoded);

    while (!reader.failed && reader.at < reader.size) {
        struct mq_cbor_item item = mq_cbor_next(&reader);
        cbor_put_again(&out, &item);
    }
    return mq_reader_done(&reader) && !out.failed && mq_span_equal(mq_written(&out), encoded) &&
           mq_span_equal(mq_cbor_take(&whole), encoded) && mq_reader_done(&whole);
}

#endif
