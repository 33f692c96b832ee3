/* Aim: whatever file is called a bundle, it is refused, or its frames are whole. Input: a mode, then the file as it is,
 * or what stands between a good beginning and a good end. */
#include "protocol/assert.h"
#include "protocol/frame.h"
#include "protocol/keys.h"
#include "tests/fuzz/fuzz.h"

static enum mq_status walk(struct mq_span frames, bool *has_end)
{
    struct mq_reader reader = mq_reader(frames);
    struct mq_frame frame;
    enum mq_status status;

    *has_end = false;
    while ((status = mq_frame_next(&reader, &frame)) == MQ_OK)
        *has_end = *has_end || frame.type == MQ_FRAME_END;
    return status;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 20];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    struct mq_span frames;
    bool has_end;

    if (size == 0)
        return;
    struct mq_span rest = mq_span(data + 1, size - 1);
    if (data[0] & 1) {
        mq_bundle_begin(&file);
        mq_put_span(&file, rest);
        mq_bundle_end(&file);
        bool whole = walk(rest, &has_end) == MQ_NOT_FOUND && !has_end;
        MQ_ASSERT((mq_bundle_open(&frames, mq_written(&file)) == MQ_OK) == whole);
        MQ_ASSERT(!whole || mq_span_equal(frames, rest));
    } else if (mq_bundle_open(&frames, rest) == MQ_OK) {
        MQ_ASSERT(walk(frames, &has_end) == MQ_NOT_FOUND && !has_end);
    }
}
