/* The rounds of a sync: ask, answer, again, with smaller bodies where the link fails. */
#include "replica/sync.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/outgoing.h"
#include "replica/sync_keys.h"

#define EXCHANGE_PATH "/v1/exchange"
#define RETRY_FIRST_MS 200
#define IDLE_ROUNDS_MAX 8 /* rounds in a row that move nothing: the other side does not do its part */

/* Space set aside for this moment: sealing needs a little even when the disk is full of photos. */
static enum mq_status seal_with_reserve(struct mq_replica *replica, struct mq_error *error)
{
    enum mq_status status = mq_seal_all(replica, error);
    if (status != MQ_NO_SPACE)
        return status;
    char path[MQ_PATH_MAX];
    mq_error_clear(error);
    mq_home_path(path, replica->home, "reserve");
    status = replica->platform->remove(replica->platform->self, path, error);
    return status == MQ_OK ? mq_seal_all(replica, error) : status;
}

struct round {
    struct mq_buffer request, reply;
    struct mq_post_answer answer;
};

static int64_t now_ms(const struct mq_replica *replica)
{
    return replica->platform->monotonic_ms(replica->platform->self);
}

/* Full jitter: anything up to the bound, so that a village's devices do not come back together. */
static void wait_a_little(const struct mq_replica *replica, unsigned attempt, uint32_t retry_after, int64_t deadline)
{
    uint8_t chance[2];
    mq_random(replica->platform, chance, sizeof chance);
    int64_t bound = RETRY_FIRST_MS << (attempt < 5 ? attempt : 5);
    int64_t wait = retry_after > 0 ? (int64_t)retry_after * 1000 : bound * (chance[0] * 256 + chance[1]) / 65536;
    int64_t left = deadline - now_ms(replica);
    if (wait > left)
        wait = left;
    if (wait > 0)
        replica->platform->sleep_ms(replica->platform->self, (uint32_t)wait);
}

static enum mq_status http_status(const struct mq_post_answer *answer, struct mq_error *error)
{
    if (answer->http_status == 200)
        return MQ_OK;
    if (answer->http_status == 507)
        return mq_fail(error, MQ_UNREACHABLE, _("the server's disk is full; nothing was lost, the records wait here"));
    return mq_fail(error, MQ_UNREACHABLE, _("the server answered %u; nothing was lost, try again later"), answer->http_status);
}

static enum mq_status one_round(struct mq_sync_state *state, const struct mq_transport *transport, struct round *round, bool *again,
                                struct mq_error *error)
{
    struct mq_part_state up = state->up;
    int64_t sent = state->result->sent;
    round->request.size = round->reply.size = 0;
    round->request.failed = round->reply.failed = false;
    enum mq_status status = mq_sync_request(state, &round->request, error);
    if (status != MQ_OK)
        return status;
    memset(&round->answer, 0, sizeof round->answer);
    status = transport->post(transport->context, EXCHANGE_PATH, mq_written(&round->request), &round->reply, &round->answer, error);
    state->result->requests++;
    state->result->bytes_up += round->answer.bytes_up;
    state->result->bytes_down += round->answer.bytes_down;
    if (status == MQ_OK)
        status = http_status(&round->answer, error);
    if (status == MQ_OK)
        return mq_sync_reply(state, mq_written(&round->reply), again, error);
    state->up = up;
    state->result->sent = sent;
    return status;
}

static enum mq_status rounds(struct mq_sync_state *state, const struct mq_transport *transport, struct round *round, int64_t deadline,
                             struct mq_error *error)
{
    struct mq_replica *replica = state->replica;
    unsigned failures = 0, idle = 0;
    bool again = true;
    for (int i = 0; again && i < MQ_ROUNDS_MAX; i++) {
        int64_t before = state->result->sent + state->result->received;
        enum mq_status status = one_round(state, transport, round, &again, error);
        if (status == MQ_OK) {
            failures = 0;
            if (state->budget < MQ_BODY_START)
                state->budget *= 2;
            idle = state->result->sent + state->result->received == before ? idle + 1 : 0;
            if (idle > IDLE_ROUNDS_MAX)
                return mq_fail(error, MQ_UNREACHABLE, _("the server answers but takes nothing; nothing was lost, tell the centre"));
            continue;
        }
        if (status != MQ_UNREACHABLE || now_ms(replica) >= deadline)
            return status;
        again = true;
        if (state->budget > MQ_BODY_SMALLEST)
            state->budget /= 2;
        wait_a_little(replica, failures++, round->answer.retry_after, deadline);
        if (now_ms(replica) >= deadline)
            return status;
        mq_error_clear(error);
    }
    return MQ_OK;
}

enum mq_status mq_sync(struct mq_replica *replica, const struct mq_team *team, const struct mq_transport *transport,
                       const struct mq_sync_hooks *hooks, int64_t deadline_ms, struct mq_sync_result *result, struct mq_error *error)
{
    struct mq_sync_state state = {.replica = replica, .team = team, .hooks = hooks, .result = result, .budget = MQ_BODY_START};
    enum mq_status status = seal_with_reserve(replica, error);
    if (status != MQ_OK)
        return status;
    uint8_t *request = mq_work_memory(MQ_REQUEST_MAX), *reply = mq_work_memory(MQ_REPLY_MAX);
    struct round round = {.request = mq_buffer(request, MQ_REQUEST_MAX), .reply = mq_buffer(reply, MQ_REPLY_MAX)};
    status = rounds(&state, transport, &round, deadline_ms, error);
    mq_work_free(request, MQ_REQUEST_MAX);
    mq_work_free(reply, MQ_REPLY_MAX);
    return status;
}
