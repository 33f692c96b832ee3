/* Batches for tests: random changes, with the ids that their places give them, and payloads put together by hand. */
#ifndef MQ_TESTS_PROTOCOL_PAYLOAD_KIT_H
#define MQ_TESTS_PROTOCOL_PAYLOAD_KIT_H

#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "tests/protocol/chance.h"

#define KIT_CHANGES 40
#define KIT_PAYLOAD (64 * 1024)

struct kit_batch {
    struct mq_payload_head head;
    struct mq_batch_change changes[KIT_CHANGES];
    size_t count;
    struct mq_buffer space;
    uint8_t memory[4 * KIT_PAYLOAD];
};

static inline void kit_start(struct kit_batch *batch)
{
    memset(&batch->head, 0, sizeof batch->head);
    batch->head.schema = MQ_SCHEMA;
    batch->count = 0;
    batch->space = mq_buffer(batch->memory, sizeof batch->memory);
}

/* Takes what was written to `space` since `start` as the batch's next change. */
static inline void kit_change(struct kit_batch *batch, size_t start)
{
    struct mq_batch_change *change = &batch->changes[batch->count];

    MQ_ASSERT(batch->count < KIT_CHANGES && !batch->space.failed);
    change->expanded = mq_span(batch->memory + start, batch->space.size - start);
    change->stamp = (struct mq_stamp){0, 0};
    mq_change_id(change->id, batch->head.salt, (uint32_t)batch->count++, change->expanded);
}

static inline void kit_record(uint8_t id[MQ_ID_SIZE], uint8_t name)
{
    memset(id, name, MQ_ID_SIZE);
}

static inline bool kit_creates(const struct mq_batch_change *change)
{
    return change->expanded.size > 1 && change->expanded.data[1] == MQ_CHANGE_CREATE;
}

/* One of a few records, or one that the batch has created so far. */
static inline void kit_random_record(const struct kit_batch *batch, struct chance *chance, uint8_t id[MQ_ID_SIZE])
{
    size_t at = chance_below(chance, batch->count + 1);

    kit_record(id, (uint8_t)chance_below(chance, 12));
    if (at < batch->count && kit_creates(&batch->changes[at]))
        memcpy(id, batch->changes[at].id, MQ_ID_SIZE);
}

static inline void kit_random_value(struct kit_batch *batch, struct chance *chance, int depth)
{
    uint8_t id[MQ_ID_SIZE];
    size_t choice = chance_below(chance, depth > 0 ? 6 : 4);

    if (choice == 0) {
        mq_cbor_put_uint(&batch->space, chance_u64(chance) >> chance_below(chance, 64));
    } else if (choice == 1) {
        mq_cbor_put_text(&batch->space, mq_span_text("水浑，娃娃喝了拉肚子"));
    } else if (choice < 4) {
        kit_random_record(batch, chance, id);
        mq_put_reference(&batch->space, id);
    } else if (choice == 4) {
        mq_cbor_put_array(&batch->space, 2);
        kit_random_value(batch, chance, depth - 1);
        kit_random_value(batch, chance, depth - 1);
    } else {
        mq_cbor_put_map(&batch->space, 1);
        mq_cbor_put_uint(&batch->space, chance_below(chance, 100));
        kit_random_value(batch, chance, depth - 1);
    }
}

/* Of any known type, or of type 7 or 77, which nobody knows; sometimes with an extra. */
static inline void kit_random_change(struct kit_batch *batch, struct chance *chance)
{
    static const uint8_t items[] = {0, 3, 5, 4, 4, 4, 6}, unknown[] = {7, 77};
    size_t start = batch->space.size, type = 1 + chance_below(chance, 8), extra = chance_below(chance, 4) == 0;
    struct mq_buffer *out = &batch->space;
    uint8_t id[MQ_ID_SIZE], name[MQ_NAME_SIZE];

    mq_cbor_put_array(out, (type <= MQ_CHANGE_DECIDE ? items[type] : 2) + extra);
    mq_cbor_put_uint(out, type <= MQ_CHANGE_DECIDE ? type : unknown[type - 7]);
    if (type == MQ_CHANGE_CREATE) {
        mq_cbor_put_uint(out, chance_below(chance, 9));
        mq_cbor_put_map(out, 2);
        mq_cbor_put_uint(out, 2);
        kit_random_value(batch, chance, 3);
        mq_cbor_put_uint(out, 300);
    } else if (type <= MQ_CHANGE_DECIDE) {
        kit_random_record(batch, chance, id);
        mq_put_reference(out, id);
        mq_cbor_put_uint(out, chance_below(chance, 30));
    }
    if (type != MQ_CHANGE_REMOVE)
        kit_random_value(batch, chance, 3);
    if (type == MQ_CHANGE_SET || type == MQ_CHANGE_REMOVE || type == MQ_CHANGE_DECIDE) {
        chance_fill(chance, name, sizeof name);
        mq_cbor_put_array(out, 1);
        mq_cbor_put_bytes(out, MQ_SPAN(name));
    }
    if (type == MQ_CHANGE_DECIDE)
        mq_cbor_put_text(out, mq_span_text("两份都看过"));
    if (extra)
        kit_random_value(batch, chance, 3);
    kit_change(batch, start);
    batch->changes[batch->count - 1].stamp.minutes = (uint32_t)(chance_u64(chance) >> (32 + chance_below(chance, 32)));
    batch->changes[batch->count - 1].stamp.actor = (uint8_t)chance_below(chance, MQ_ACTORS_MAX);
}

static inline void kit_random_batch(struct kit_batch *batch, struct chance *chance)
{
    struct mq_payload_head *head = &batch->head;

    kit_start(batch);
    head->schema = 1 + chance_below(chance, 3);
    chance_fill(chance, head->salt, sizeof head->salt);
    head->clock.boot = (uint32_t)chance_below(chance, 100);
    head->clock.monotonic_seconds = chance_u64(chance) >> chance_below(chance, 64);
    head->clock.wall_seconds = (int64_t)chance_u64(chance) >> chance_below(chance, 64);
    head->clock.offset_known = chance_below(chance, 2) == 0;
    if (head->clock.offset_known)
        head->clock.utc_offset = (int32_t)chance_below(chance, 100000) - 50000;
    head->frontier_count = chance_below(chance, 4);
    for (size_t i = 0; i < head->frontier_count; i++) {
        chance_fill(chance, head->frontier[i].stream, MQ_ID_SIZE);
        head->frontier[i].seq = (uint32_t)chance_u64(chance);
        chance_fill(chance, head->frontier[i].id_prefix, MQ_NAME_SIZE);
    }
    for (size_t n = chance_below(chance, KIT_CHANGES + 1); n > 0; n--)
        kit_random_change(batch, chance);
}

/* A payload by hand: an ordinary head, then the four parts as encoded items one after another. */
static inline struct mq_span kit_payload(struct mq_buffer *out, struct mq_span refs, struct mq_span changes,
                                         struct mq_span stamps, uint64_t extras)
{
    static const uint8_t salt[MQ_SALT_SIZE] = {0x5a};
    size_t start = out->size;

    mq_cbor_put_array(out, 7 + extras);
    mq_cbor_put_uint(out, MQ_SCHEMA);
    mq_cbor_put_bytes(out, MQ_SPAN(salt));
    mq_cbor_put_array(out, 4);
    for (int i = 0; i < 3; i++)
        mq_cbor_put_uint(out, 1);
    mq_cbor_put_null(out);
    mq_cbor_put_array(out, 0);
    mq_cbor_put_bytes(out, refs);
    mq_put_span(out, changes);
    mq_put_span(out, stamps);
    return mq_span(out->data + start, out->size - start);
}

#endif
