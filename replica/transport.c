/* What every exchange does with an answer that is none, however it travels. */
#include "replica/sync.h"

#define RETRY_FIRST_MS 200

/* Full jitter: anything up to the bound, so that a village's devices do not come back together. */
void mq_transport_wait(const struct mq_platform *platform, unsigned attempt, uint32_t retry_after, int64_t deadline_ms)
{
    uint8_t chance[2];
    mq_random(platform, chance, sizeof chance);
    int64_t bound = RETRY_FIRST_MS << (attempt < 5 ? attempt : 5);
    int64_t wait = retry_after > 0 ? (int64_t)retry_after * 1000 : bound * (chance[0] * 256 + chance[1]) / 65536;
    int64_t left = deadline_ms - platform->monotonic_ms(platform->self);
    if (wait > left)
        wait = left;
    if (wait > 0)
        platform->sleep_ms(platform->self, (uint32_t)wait);
}

enum mq_status mq_transport_status(const struct mq_post_answer *answer, struct mq_error *error)
{
    if (answer->http_status == 200)
        return MQ_OK;
    if (answer->http_status == 507)
        return mq_fail(error, MQ_UNREACHABLE, _("the server's disk is full; nothing was lost, the records wait here"));
    return mq_fail(error, MQ_UNREACHABLE, _("the server answered %u; nothing was lost, try again later"),
                   answer->http_status);
}
