/* Aim: a reply's head from outside is refused, or read and written again as the same bytes. Input: the number of
 * mailboxes that were asked about, then the reply. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_reply reply;
    uint8_t memory[MQ_REPLY_HEAD_SIZE + MQ_MAILBOXES_MAX * MQ_REPLY_MAILBOX_SIZE];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);

    if (size == 0)
        return;
    struct mq_reader reader = mq_reader(mq_span(data + 1, size - 1));
    if (mq_reply_get(&reply, data[0] % (MQ_MAILBOXES_MAX + 1), &reader) != MQ_OK)
        return;
    mq_reply_put(&again, &reply);
    MQ_ASSERT(!again.failed && again.size == reader.at && memcmp(memory, data + 1, again.size) == 0);
}
