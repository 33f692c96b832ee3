/* Frames and bundles (docs/protocol.md, section 4). */
#include "protocol/frame.h"

#include <string.h>

#include "protocol/assert.h"

static const uint8_t bundle_head[MQ_BUNDLE_HEAD_SIZE] = {'M', 'I', 'N', 'Q', 'I', 'N', 'G', 1};

void mq_frame_put(struct mq_buffer *out, enum mq_frame_type type, struct mq_span payload)
{
    MQ_ASSERT(payload.size <= MQ_FRAME_MAX);
    /* Asked for in one piece, so that a full buffer never ends in half a frame. */
    uint8_t *room = mq_reserve(out, MQ_FRAME_HEADER_SIZE + payload.size);
    if (room == NULL)
        return;
    struct mq_buffer frame = mq_buffer(room, MQ_FRAME_HEADER_SIZE + payload.size);
    mq_put_u8(&frame, (uint8_t)type);
    mq_put_u24(&frame, (uint32_t)payload.size);
    mq_put_span(&frame, payload);
}

enum mq_status mq_frame_next(struct mq_reader *reader, struct mq_frame *frame)
{
    if (reader->failed)
        return MQ_REFUSED;
    if (mq_left(reader) == 0)
        return MQ_NOT_FOUND;
    struct mq_reader ahead = *reader;
    frame->type = mq_get_u8(&ahead);
    frame->payload = mq_take(&ahead, mq_get_u24(&ahead));
    if (ahead.failed)
        return MQ_REFUSED;
    *reader = ahead;
    return MQ_OK;
}

void mq_bundle_begin(struct mq_buffer *out)
{
    MQ_ASSERT(out->size == 0);
    mq_put(out, bundle_head, sizeof bundle_head);
}

void mq_bundle_end(struct mq_buffer *out)
{
    uint8_t hash[MQ_HASH_SIZE];

    if (out->failed)
        return;
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, mq_written(out));
    mq_frame_put(out, MQ_FRAME_END, MQ_SPAN(hash));
}

/* Do whole frames fill these bytes, with no end among them? */
static bool frames_whole(struct mq_span frames)
{
    struct mq_reader reader = mq_reader(frames);
    struct mq_frame frame;
    enum mq_status status;

    while ((status = mq_frame_next(&reader, &frame)) == MQ_OK)
        if (frame.type == MQ_FRAME_END)
            return false;
    return status == MQ_NOT_FOUND;
}

enum mq_status mq_bundle_open(struct mq_span *frames, struct mq_span file)
{
    uint8_t hash[MQ_HASH_SIZE];
    struct mq_frame end;

    if (file.size < MQ_BUNDLE_HEAD_SIZE || memcmp(file.data, bundle_head, sizeof bundle_head) != 0)
        return MQ_REFUSED;
    if (file.size < MQ_BUNDLE_HEAD_SIZE + MQ_BUNDLE_END_SIZE)
        return MQ_DAMAGED;
    size_t before_end = file.size - MQ_BUNDLE_END_SIZE;
    struct mq_reader tail = mq_reader(mq_span(file.data + before_end, MQ_BUNDLE_END_SIZE));
    if (mq_frame_next(&tail, &end) != MQ_OK || end.type != MQ_FRAME_END)
        return MQ_DAMAGED;
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, mq_span(file.data, before_end));
    if (!mq_span_equal(end.payload, MQ_SPAN(hash)))
        return MQ_DAMAGED;
    struct mq_span between = mq_span(file.data + MQ_BUNDLE_HEAD_SIZE, before_end - MQ_BUNDLE_HEAD_SIZE);
    if (!frames_whole(between))
        return MQ_DAMAGED;
    *frames = between;
    return MQ_OK;
}
