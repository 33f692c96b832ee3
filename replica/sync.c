/* The rounds of a sync: ask, answer, again, with smaller bodies where the link fails. */
#include "replica/sync.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/outgoing.h"
#include "replica/returned.h"
#include "replica/spool.h"
#include "replica/sync_keys.h"

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

/* How far it had come when a round last was whole. */
struct progress {
    uint8_t request[MQ_HASH_SIZE];
    int64_t sent, received;
};

/* Did this round move anything? Who says once more, to the byte, what he said before has learnt nothing from the answer. */
static bool progresses(struct progress *before, const struct mq_sync_state *state, const struct round *round)
{
    struct progress now = {.sent = state->result->sent, .received = state->result->received};
    mq_hash_one(now.request, sizeof now.request, MQ_DOMAIN_BODY, mq_written(&round->request));
    bool said = now.sent != before->sent && memcmp(now.request, before->request, sizeof now.request) != 0;
    bool heard = now.received != before->received;
    *before = now;
    return said || heard || state->moved;
}

/* A reply that was cut: every whole frame in it counts, the cursor stays, and smaller ones are asked for. */
static void take_cut_reply(struct mq_sync_state *state, struct round *round)
{
    struct mq_error unneeded = {0};
    bool again;
    if (round->answer.http_status != 200 || round->reply.size == 0 || round->reply.failed)
        return;
    if (mq_sync_reply(state, mq_written(&round->reply), &again, &unneeded) != MQ_OK)
        mq_error_clear(&unneeded); /* then nothing of it counts */
}

static enum mq_status one_round(struct mq_sync_state *state, const struct mq_transport *transport, struct round *round,
                                bool *again, struct mq_error *error)
{
    struct mq_part_state up = state->up;
    int64_t sent = state->result->sent;
    state->moved = false;
    round->request.size = round->reply.size = 0;
    round->request.failed = round->reply.failed = false;
    enum mq_status status = mq_sync_request(state, &round->request, error);
    if (status != MQ_OK)
        return status;
    memset(&round->answer, 0, sizeof round->answer);
    status = transport->post(transport->context, MQ_EXCHANGE_PATH, mq_written(&round->request), &round->reply,
                             &round->answer, error);
    state->result->requests++;
    state->result->bytes_up += round->answer.bytes_up;
    state->result->bytes_down += round->answer.bytes_down;
    if (status == MQ_OK)
        status = mq_transport_status(&round->answer, error);
    if (status == MQ_OK)
        return mq_sync_reply(state, mq_written(&round->reply), again, error);
    state->up = up;
    state->result->sent = sent;
    if (status == MQ_UNREACHABLE)
        take_cut_reply(state, round);
    return status;
}

/* Bodies halve where the link fails and double where it does not. What was found is kept for the next sync: on a thin
 * link the first try would otherwise always be too large for the time there is. */
static void bodies_grow(struct mq_sync_state *state)
{
    if (state->budget < MQ_BODY_START)
        state->budget *= 2;
    if (state->reply_budget < MQ_REPLY_MAX / 2)
        state->reply_budget *= 2;
}

static void bodies_shrink(struct mq_sync_state *state)
{
    if (state->budget > MQ_BODY_SMALLEST)
        state->budget /= 2;
    if (state->reply_budget > MQ_BODY_SMALLEST)
        state->reply_budget /= 2;
}

static enum mq_status bodies_recall(struct mq_sync_state *state, struct mq_error *error)
{
    int64_t up, down;
    enum mq_status status = mq_setting_number(state->replica, "body_up", &up, error);
    if (status == MQ_OK)
        status = mq_setting_number(state->replica, "body_down", &down, error);
    if (status != MQ_OK)
        return status;
    state->budget = up >= MQ_BODY_SMALLEST && up <= MQ_BODY_START ? (uint32_t)up : MQ_BODY_START;
    state->reply_budget = down >= MQ_BODY_SMALLEST && down <= MQ_REPLY_MAX / 2 ? (uint32_t)down : MQ_REPLY_FIRST;
    return MQ_OK;
}

static enum mq_status bodies_keep(struct mq_sync_state *state, struct mq_error *error)
{
    enum mq_status status = mq_setting_put_number(state->replica, "body_up", state->budget, error);
    return status == MQ_OK ? mq_setting_put_number(state->replica, "body_down", state->reply_budget, error) : status;
}

static enum mq_status rounds(struct mq_sync_state *state, const struct mq_transport *transport, struct round *round,
                             int64_t deadline, struct mq_error *error)
{
    struct mq_replica *replica = state->replica;
    unsigned failures = 0, idle = 0;
    struct progress before = {.sent = state->result->sent, .received = state->result->received};
    bool again = true;
    for (int i = 0; again && i < MQ_ROUNDS_MAX; i++) {
        enum mq_status status = one_round(state, transport, round, &again, error);
        if (status == MQ_OK) {
            failures = 0;
            bodies_grow(state);
            idle = progresses(&before, state, round) ? 0 : idle + 1;
            if (idle > IDLE_ROUNDS_MAX && state->answers_only)
                return MQ_OK; /* the next sync answers those who ask by then */
            if (idle > IDLE_ROUNDS_MAX)
                return mq_fail(error, MQ_UNREACHABLE,
                               _("the server answers but takes nothing; nothing was lost, tell the centre"));
            continue;
        }
        if (status != MQ_UNREACHABLE)
            return status;
        again = true;
        bodies_shrink(state);
        mq_transport_wait(replica->platform, failures++, round->answer.retry_after, deadline);
        if (replica->platform->monotonic_ms(replica->platform->self) >= deadline)
            return status;
        mq_error_clear(error);
    }
    if (again)
        return mq_fail(error, MQ_UNREACHABLE,
                       _("there is more to exchange than fits one sync; nothing was lost, sync once more"));
    return MQ_OK;
}

/* Was the spool sent since it was filled? Then the server's heads are asked for before anything is sent once more. */
static void spool_consider(struct mq_sync_state *state)
{
    struct mq_spool_address address;
    struct mq_error unneeded = {0};
    state->heads_only = mq_spool_address_read(state->replica->platform, state->replica->home, &address, &unneeded) == MQ_OK &&
                        address.taken > 0;
}

enum mq_status mq_sync(struct mq_replica *replica, const struct mq_team *team, const struct mq_transport *transport,
                       const struct mq_sync_hooks *hooks, int64_t deadline_ms, struct mq_sync_result *result,
                       struct mq_error *error)
{
    struct mq_sync_state state = {.replica = replica, .team = team, .hooks = hooks, .result = result};
    mq_random(replica->platform, state.borrow, sizeof state.borrow);
    enum mq_status status = seal_with_reserve(replica, error);
    if (status == MQ_OK)
        status = bodies_recall(&state, error);
    if (status != MQ_OK)
        return status;
    spool_consider(&state);
    uint8_t *request = mq_work_memory(MQ_REQUEST_MAX), *reply = mq_work_memory(MQ_REPLY_MAX);
    struct round round = {.request = mq_buffer(request, MQ_REQUEST_MAX), .reply = mq_buffer(reply, MQ_REPLY_MAX)};
    uint32_t before_up = state.budget, before_down = state.reply_budget;
    status = rounds(&state, transport, &round, deadline_ms, error);
    bool brought = false; /* what this server lacks, and nobody can carry: after all that others brought was heard */
    if (status == MQ_OK)
        status = mq_returned_bring(replica, team, &brought, error);
    if (status == MQ_OK && brought)
        status = rounds(&state, transport, &round, deadline_ms, error);
    if (state.budget != before_up || state.reply_budget != before_down) {
        struct mq_error unkept = {0};
        enum mq_status kept = bodies_keep(&state, &unkept);
        if (status == MQ_OK && kept != MQ_OK)
            status = mq_fail(error, kept, "%s", unkept.text);
    }
    mq_work_free(request, MQ_REQUEST_MAX);
    mq_work_free(reply, MQ_REPLY_MAX);
    return status;
}
