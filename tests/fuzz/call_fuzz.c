/* Aim: what a local command or the running server says at the socket is refused, or written again as the same bytes.
 * Input: which of the two, then the bytes. */
#include "protocol/assert.h"
#include "server/local_call.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_call_request request;
    static uint8_t memory[MQ_LOCAL_REQUEST_MAX];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_call_reply reply;

    if (size == 0)
        return;
    struct mq_span bytes = mq_span(data + 1, size - 1);
    if (data[0] & 1) {
        if (mq_call_request_get(&request, bytes) != MQ_OK)
            return;
        MQ_ASSERT(request.argument_count <= MQ_CALL_ARGUMENTS_MAX);
        mq_call_request_put(&again, &request);
    } else {
        if (mq_call_reply_get(&reply, bytes) != MQ_OK)
            return;
        MQ_ASSERT(reply.exit_code <= 255);
        mq_call_reply_put(&again, &reply);
    }
    MQ_ASSERT(mq_span_equal(mq_written(&again), bytes));
}
