/* Aim: a request's head from outside is refused, or read and written again as the same bytes. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_request request;
    uint8_t memory[MQ_REQUEST_HEAD_SIZE + MQ_MAILBOXES_MAX * MQ_REQUEST_MAILBOX_SIZE];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_reader reader = mq_reader(mq_span(data, size));

    if (mq_request_get(&request, &reader) != MQ_OK)
        return;
    mq_request_put(&again, &request);
    MQ_ASSERT(!again.failed && again.size == reader.at && memcmp(memory, data, again.size) == 0);
}
