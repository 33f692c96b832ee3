/* Aim: whatever bytes arrive, frames are read without harm, and what was read writes the same bytes again. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/frame.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 20];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_reader reader = mq_reader(mq_span(data, size));
    struct mq_frame frame;
    enum mq_status status;

    while ((status = mq_frame_next(&reader, &frame)) == MQ_OK)
        mq_frame_put(&again, (enum mq_frame_type)frame.type, frame.payload);
    MQ_ASSERT(!reader.failed && (status == MQ_NOT_FOUND) == (reader.at == size));
    MQ_ASSERT(!again.failed && again.size == reader.at && (size == 0 || memcmp(memory, data, again.size) == 0));
}
