/* The rounds of a sync: ask, answer, again, with smaller bodies where the link fails. */
#include "replica/sync.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/outgoing.h"
#include "replica/returned.h"
#include "replica/spool.h"
#include "replica/sync_keys.h"

#define IDLE_ROUNDS_MAX 8 /* rounds in a row that move nothing: the other side does not do its part */
#define PIECE_LEAST 1024       /* bytes of a segment's pieces that count as something new */

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

/* ---- what moves ---- */

bool mq_sync_news(struct mq_sync_state *state, struct mq_span what)
{
    uint8_t hash[4];
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, what);
    struct mq_reader reader = mq_reader(MQ_SPAN(hash));
    uint32_t bit = mq_get_u32(&reader) % (8 * MQ_SYNC_NOTED_SIZE);
    uint8_t *noted = &state->noted[bit / 8], mask = (uint8_t)(1u << bit % 8);
    bool news = (*noted & mask) == 0;
    *noted |= mask;
    return news;
}

bool mq_sync_piece_news(struct mq_sync_state *state, const uint8_t id[MQ_SEGMENT_ID_SIZE], uint32_t reached)
{
    uint8_t memory[MQ_SEGMENT_ID_SIZE + 4];
    struct mq_buffer piece = mq_buffer(memory, sizeof memory);
    mq_put(&piece, id, MQ_SEGMENT_ID_SIZE);
    mq_put_u32(&piece, reached / PIECE_LEAST);
    return mq_sync_news(state, mq_written(&piece));
}

static bool frame_is_news(struct mq_sync_state *state, const struct mq_frame *frame)
{
    struct mq_reader reader = mq_reader(frame->payload);
    switch (frame->type) { /* tidy: not an enum, one byte */
    case MQ_FRAME_PART: {
        struct mq_span id = mq_take(&reader, MQ_SEGMENT_ID_SIZE);
        mq_take(&reader, 3); /* the segment's size */
        uint32_t offset = mq_get_u24(&reader);
        return mq_sync_piece_news(state, id.data, offset + (uint32_t)mq_left(&reader));
    }
    case MQ_FRAME_WANT_PART: /* moves something when it is answered */
    case MQ_FRAME_ENROLLED: /* strangers may ask for ever */
    case MQ_FRAME_END: return false;
    default: return mq_sync_news(state, frame->payload);
    }
}

/* Did the round that was just whole move anything? Of what went up, only what no round of this sync brought before: a server
 * may lose something and want it again, but who wants the same for ever, whatever the order, gets it in another sync. */
static bool progresses(struct mq_sync_state *state, const struct mq_buffer *request, int64_t received_before)
{
    struct mq_reader reader = mq_reader(mq_written(request));
    struct mq_frame frame;
    bool news = false;
    mq_take(&reader, MQ_REQUEST_HEAD_SIZE + state->request.mailbox_count * MQ_REQUEST_MAILBOX_SIZE);
    while (mq_frame_next(&reader, &frame) == MQ_OK)
        news |= frame_is_news(state, &frame);
    return news || state->moved || state->result->received != received_before;
}

/* ---- rounds ---- */

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
    int64_t received = state->result->received;
    bool again = true;
    for (int i = 0; again && i < MQ_ROUNDS_MAX; i++) {
        enum mq_status status = one_round(state, transport, round, &again, error);
        if (status == MQ_OK) {
            failures = 0;
            bodies_grow(state);
            idle = progresses(state, &round->request, received) ? 0 : idle + 1;
            received = state->result->received;
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
    state.noted = mq_work_memory(MQ_SYNC_NOTED_SIZE);
    memset(state.noted, 0, MQ_SYNC_NOTED_SIZE);
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
    mq_work_free(state.noted, MQ_SYNC_NOTED_SIZE);
    return status;
}
