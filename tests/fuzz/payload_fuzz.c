/* Aim: whatever comes as a payload is refused or has one form: the encoder makes the same bytes of what the decoder
 * said. Input: a payload as it is. */
#include "protocol/assert.h"
#include "protocol/change.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_batch_change changes[MQ_CHANGES_MAX];
    static uint8_t expanded[MQ_EXPANDED_MAX], again[MQ_PAYLOAD_MAX];
    struct mq_buffer space = mq_buffer(expanded, sizeof expanded), out = mq_buffer(again, sizeof again);
    struct mq_payload_head head;
    size_t count;
    enum mq_status status = mq_payload_decode(&head, changes, MQ_CHANGES_MAX, &count, mq_span(data, size), &space);

    MQ_ASSERT(status == MQ_OK || status == MQ_REFUSED);
    if (status == MQ_OK) {
        MQ_ASSERT(mq_payload_encode(&out, &head, changes, count) == MQ_OK);
        MQ_ASSERT(mq_span_equal(mq_written(&out), mq_span(data, size)));
    }
}
