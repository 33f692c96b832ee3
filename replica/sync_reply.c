/* What was said: the server's view of us, then frames; taken in together with the new cursor, or not at all. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/control.h"
#include "replica/erase.h"
#include "replica/heal.h"
#include "replica/outgoing.h"
#include "replica/returned.h"
#include "replica/sync_keys.h"

_Static_assert(MQ_FRAME_WRAP == 5 && MQ_KID_SIZE == 8, "wraps in SQL, which begin with their grant's kid");

struct reply_work {
    struct mq_sync_state *state;
    struct mq_reply reply;
    struct mq_span frames;
    struct mq_segment skeletons[MQ_MAILBOXES_MAX]; /* of the heads that the server knows, where they differ from ours */
    bool has_skeleton[MQ_MAILBOXES_MAX], wants_own[MQ_MAILBOXES_MAX]; /* our open stream is wanted: its head tells of what */
    bool whole;           /* all of it came, as the server sent it */
    bool wanted, restart; /* restart: ask for everything once more */
    bool enough;          /* as many mailboxes are asked for as a team can have */
    struct mq_admitted admitted;
};

/* ---- our own stream ---- */

static enum mq_status own_id_at(struct mq_sync_state *state, const struct mq_sync_mailbox *own, uint32_t seq,
                                uint8_t id[MQ_SEGMENT_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(state->replica->db, &query, error,
                                        "SELECT id FROM segment WHERE stream = ? AND mine = 1 AND seq = ?", "bi",
                                        MQ_SPAN(own->stream), (int64_t)seq);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(id, mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

static enum mq_status stored_up_to(struct mq_sync_state *state, const struct mq_sync_mailbox *own, uint32_t seq,
                                   struct mq_error *error)
{
    struct mq_db *db = state->replica->db;
    enum mq_status status = mq_db_run(db, error, "UPDATE stream SET server_seq = ? WHERE stream = ?", "ib",
                                      (int64_t)seq, MQ_SPAN(own->stream));
    if (status == MQ_OK)
        status = mq_db_run(
            db, error,
            "UPDATE segment SET stored = (seq <= ?1) WHERE stream = ?2 AND mine = 1 AND stored <> (seq <= ?1)", "ib",
            (int64_t)seq, MQ_SPAN(own->stream));
    return status;
}

/* The server knows a segment of our stream that we did not seal. That counts only with its skeleton under our own key;
 * otherwise a server could make us open streams for ever. Then this store is a copy, or was set back: go on under a new
 * stream, bring what the server may lack of the old one, and ask for everything once more. Where it wants the old one, it lacks
 * also what was anchored, in a life of the centre that it has forgotten. */
static enum mq_status own_past(struct reply_work *work, size_t index, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    const struct mq_sync_mailbox *own = &state->mailboxes[index];
    const struct mq_segment *skeleton = &work->skeletons[index];
    struct mq_announce announce;
    enum mq_status status = mq_announce_find(state->replica, own->stream, &announce, error);
    if (status != MQ_OK)
        return status;
    const struct mq_mailbox_reply *said = &work->reply.mailboxes[index];
    if (!work->has_skeleton[index] || skeleton->seq != said->head_seq ||
        memcmp(skeleton->id, said->head_id, MQ_ID_SIZE) != 0 || mq_segment_verify(skeleton, &announce) != MQ_OK)
        return MQ_OK; /* an empty claim */
    struct mq_db *db = state->replica->db;
    status = mq_db_run(db, error, "UPDATE segment SET carry = 1 WHERE stream = ? AND mine = 1 AND (? OR anchored = 0) AND erased < 2",
                       "bi", MQ_SPAN(own->stream), (int64_t)work->wants_own[index]);
    if (status == MQ_OK) /* what is true of one stream is true of the store */
        status = mq_streams_close(state->replica, error);
    if (status == MQ_OK)
        status = mq_db_run(db, error, "UPDATE mailbox SET cursor = 0, fingerprint = zeroblob(16) WHERE team = ?", "b",
                           MQ_SPAN(state->team->team));
    state->result->cloned = true;
    work->restart = work->wanted = true;
    return status;
}

static enum mq_status own_stream(struct reply_work *work, size_t index, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    const struct mq_sync_mailbox *own = &state->mailboxes[index];
    const struct mq_mailbox_reply *said = &work->reply.mailboxes[index];
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    if (own->head_seq == 0)
        return MQ_OK; /* there is nothing of ours that it could know */
    if (said->head_seq == 0)
        return stored_up_to(state, own, 0, error);
    enum mq_status status = own_id_at(state, own, said->head_seq, id, error);
    if (status == MQ_OK && memcmp(id, said->head_id, MQ_ID_SIZE) == 0)
        return stored_up_to(state, own, said->head_seq, error);
    return status == MQ_OK || status == MQ_NOT_FOUND ? own_past(work, index, error) : status;
}

static enum mq_status own_streams(struct reply_work *work, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; status == MQ_OK && i < work->state->mailbox_count; i++)
        status = own_stream(work, i, error);
    return status;
}

/* The entry of the last request that named this stream as its own; -1: none. */
static int entry_of(const struct mq_sync_state *state, const uint8_t stream[MQ_ID_SIZE])
{
    for (size_t i = 0; i < state->mailbox_count; i++)
        if (memcmp(state->mailboxes[i].stream, stream, MQ_ID_SIZE) == 0)
            return (int)i;
    return -1;
}

/* ---- frames ---- */

/* Of our own open stream the head tells what is missing, so only others' segments of it are carried. */
static enum mq_status want(struct reply_work *work, struct mq_span payload, struct mq_error *error)
{
    if (payload.size != MQ_ID_SIZE)
        return MQ_OK;
    int own = entry_of(work->state, payload.data);
    work->wanted = true;
    if (own >= 0)
        work->wants_own[own] = true;
    enum mq_status status = mq_returned_owe(work->state->replica, payload, error);
    if (status != MQ_OK)
        return status;
    return mq_db_run(work->state->replica->db, error,
                     "UPDATE segment SET carry = 1 WHERE stream = ?1 AND NOT (mine = 1 AND ?2) AND erased < 2", "bi", payload,
                     (int64_t)(own >= 0));
}

/* How far we have come in a mailbox that may not be known here yet. */
static enum mq_status cursor_in(struct mq_sync_state *state, uint32_t compartment, int64_t *cursor, struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    *cursor = 0;
    mq_mailbox(mailbox, state->team->team, compartment);
    enum mq_status status = mq_db_number(state->replica->db, cursor, error, "SELECT cursor FROM mailbox WHERE mailbox = ?",
                                         "b", MQ_SPAN(mailbox));
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* A team has no more cases than a relay would name: whoever claims more is not believed, or each sync would ask for them all. */
static enum mq_status asks_enough(struct reply_work *work, struct mq_error *error)
{
    int64_t asked;
    if (work->enough)
        return MQ_OK;
    enum mq_status status = mq_db_number(work->state->replica->db, &asked, error,
                                         "SELECT count(*) FROM mailbox WHERE team = ? AND asked", "b",
                                         MQ_SPAN(work->state->team->team));
    work->enough = status == MQ_OK && asked >= MQ_COMPARTMENTS_MAX + MQ_CASES_MAX;
    return status;
}

/* Something for us lies in a mailbox that we did not ask for: a right was given, an answer came, or there is news. A claim
 * costs a few bytes a request, so only what can be ours is believed. */
static enum mq_status elsewhere(struct reply_work *work, struct mq_span payload, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    struct mq_reader reader = mq_reader(payload);
    uint32_t compartment = mq_get_u32(&reader);
    uint64_t last = mq_get_u64(&reader);
    int64_t cursor;
    bool reads = false;
    if (!mq_reader_done(&reader) || last > INT64_MAX || compartment == MQ_COMPARTMENT_TEAM || !mq_compartment_known(compartment))
        return MQ_OK;
    enum mq_status status =
        mq_key_here(state->replica, state->team->team, MQ_COMPARTMENT_RESTRICTED, &reads, error);
    if (status != MQ_OK || (mq_compartment_is_case(compartment) && !reads &&
                            compartment != mq_compartment_case(state->team->certificate.serial)))
        return status;
    bool news;
    status = cursor_in(state, compartment, &cursor, error);
    if (status != MQ_OK || cursor == (int64_t)last)
        return status; /* all of it is here */
    status = asks_enough(work, error);
    if (status != MQ_OK || work->enough)
        return status;
    status = mq_mailbox_ask(state->replica, state->team->team, compartment, &news, error);
    if (news)
        state->turn = state->turn_end = 0;
    work->wanted = work->wanted || news;
    return status;
}

static void skeleton(struct reply_work *work, struct mq_span payload)
{
    struct mq_segment segment;
    int index = mq_skeleton_decode(&segment, payload) == MQ_OK ? entry_of(work->state, segment.stream) : -1;
    if (index < 0)
        return;
    work->skeletons[index] = segment;
    work->has_skeleton[index] = true;
}

/* A segment larger than the reply may be: its pieces wait in the store until it is whole. */
static enum mq_status part(struct reply_work *work, struct mq_span payload, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    struct mq_db *db = state->replica->db;
    struct mq_reader reader = mq_reader(payload);
    struct mq_part_state *down = &state->down;
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    mq_get(&reader, id, sizeof id);
    uint32_t size = mq_get_u24(&reader), offset = mq_get_u24(&reader);
    struct mq_span bytes = mq_take(&reader, mq_left(&reader));
    if (reader.failed || bytes.size == 0 || size > MQ_SEGMENT_MAX || offset + bytes.size > size)
        return MQ_OK;
    if (!down->active || memcmp(down->id, id, sizeof id) != 0) {
        *down = (struct mq_part_state){.active = true, .size = size};
        memcpy(down->id, id, sizeof id);
        enum mq_status cleared = mq_db_run(db, error, "DELETE FROM part", ""); /* of an earlier sync */
        if (cleared != MQ_OK)
            return cleared;
    }
    if (offset != down->offset || size != down->size)
        return MQ_OK;
    enum mq_status status =
        mq_db_run(db, error, "INSERT OR REPLACE INTO part VALUES(?, ?, ?)", "bib", MQ_SPAN(id), (int64_t)offset, bytes);
    down->offset += (uint32_t)bytes.size;
    work->wanted = true;
    if (status == MQ_OK && mq_sync_piece_news(state, id, down->offset))
        state->moved = true; /* of a body that was here before, nothing else tells */
    if (status != MQ_OK || down->offset < down->size)
        return status;

    uint8_t *memory = mq_work_memory(MQ_SEGMENT_MAX);
    struct mq_buffer whole = mq_buffer(memory, MQ_SEGMENT_MAX);
    struct mq_query *query;
    status = mq_db_query(db, &query, error, "SELECT bytes FROM part WHERE id = ? ORDER BY offset", "b", MQ_SPAN(id));
    while (status == MQ_OK && mq_db_next(&query, error))
        mq_put_span(&whole, mq_db_blob(query, 0));
    if (status == MQ_OK)
        status = error->status;
    const struct mq_frame frame = {.type = MQ_FRAME_SEGMENT, .payload = mq_written(&whole)};
    if (status == MQ_OK && !whole.failed)
        status = mq_admit(state->replica, &frame, false, &work->admitted, error);
    mq_work_free(memory, MQ_SEGMENT_MAX);
    return status == MQ_OK ? mq_db_run(db, error, "DELETE FROM part", "") : status;
}

static enum mq_status take_frame(struct reply_work *work, const struct mq_frame *frame, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    switch (frame->type) { /* tidy: not an enum, types come from outside */
    case MQ_FRAME_WANT: return want(work, frame->payload, error);
    case MQ_FRAME_PART: return work->whole ? part(work, frame->payload, error) : MQ_OK; /* only the segment can be verified */
    case MQ_FRAME_SKELETON: skeleton(work, frame->payload); return MQ_OK;
    case MQ_FRAME_ELSEWHERE: return elsewhere(work, frame->payload, error);
    case MQ_FRAME_ENROL:
        if (state->hooks == NULL || state->hooks->enrol == NULL)
            return MQ_OK;
        return state->hooks->enrol(state->hooks->context, state->team, frame->payload, error);
    default: return mq_admit(state->replica, frame, false, &work->admitted, error);
    }
}

/* Every whole frame counts; where the reply was cut or changed, the cursor stays, and what comes twice is known already. */
static enum mq_status take_frames(struct reply_work *work, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_frame_next(&reader, &frame) == MQ_OK && frame.type != MQ_FRAME_END)
        status = take_frame(work, &frame, error);
    return status;
}

/* ---- the whole ---- */

/* A server that has nothing yet could never follow an own stream with a gap to its head: it is carried instead. */
static enum mq_status own_gaps_close(struct mq_db *db, struct mq_error *error)
{
    enum mq_status status = mq_db_run(db, error,
                                      "UPDATE stream SET closed = 1 WHERE mine = 1 AND closed = 0 AND stream IN"
                                      " (SELECT stream FROM segment WHERE erased = 2)",
                                      "");
    if (status != MQ_OK || mq_db_changes(db) == 0)
        return status;
    return mq_db_run(db, error,
                     "UPDATE segment SET carry = 1 WHERE mine = 1 AND stored = 0 AND erased < 2 AND stream IN"
                     " (SELECT stream FROM segment WHERE erased = 2)",
                     "");
}

/* The server that knew us is gone: whatever it had may be. */
static enum mq_status server_reset(struct reply_work *work, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    struct mq_db *db = state->replica->db;
    enum mq_status status = mq_db_run(db, error, "UPDATE mailbox SET cursor = 0, fingerprint = zeroblob(16)", "");
    if (status == MQ_OK)
        status = mq_db_run(db, error, "UPDATE outbox SET sent = 0", "");
    if (status == MQ_OK) /* "stored" was that other server's word */
        status = mq_db_run(db, error, "UPDATE segment SET stored = 0 WHERE mine = 1 AND anchored = 0", "");
    if (status == MQ_OK)
        status = own_gaps_close(db, error);
    if (status == MQ_OK)
        status = mq_db_run(db, error,
                           "UPDATE mailbox SET asked = 1 WHERE compartment = ? AND EXISTS (SELECT 1 FROM grants AS g"
                           " WHERE g.mailbox = mailbox.mailbox AND g.key IS NOT NULL)",
                           "i", (int64_t)MQ_COMPARTMENT_SENSITIVE);
    if (status == MQ_OK) /* no head will be told of what is written and not read here */
        status = mq_db_run(db, error,
                           "UPDATE segment SET carry = 1 WHERE mine = 1 AND anchored = 0 AND erased < 2 AND stream IN"
                           " (SELECT stream FROM stream JOIN mailbox USING(mailbox) WHERE compartment <> 0 AND NOT asked)",
                           "");
    if (status == MQ_OK) /* owed until it was said and answered, whatever happens to this sync */
        status = mq_have_list_owe(state->replica, error);
    return status;
}

/* The first server that is met may have been set back since it let this replica in: what it gave then, only we may have. */
static enum mq_status server_changed(struct reply_work *work, struct mq_error *error)
{
    static const uint8_t none[MQ_SERVER_ID_SIZE];
    struct mq_sync_state *state = work->state;
    bool reset = work->reply.status == MQ_REPLY_RESET;
    bool first = memcmp(state->request.server_id, none, sizeof none) == 0;
    enum mq_status status = mq_setting_put(state->replica, "server_id", MQ_SPAN(work->reply.server_id), error);
    if (status == MQ_OK && reset)
        status = server_reset(work, error);
    if (status == MQ_OK && (reset || first) && !mq_role_governs(state->team->certificate.role))
        status = mq_heal_owe(state->replica, error); /* the county says all of it itself */
    return status;
}

/* What is sensitive changes seldom: once all of it is here, the server's word that there is more is enough. In a case that is none,
 * which only a liar named, nothing lies and nothing is asked for again. */
static enum mq_status heard_out(struct mq_sync_state *state, const uint8_t mailbox[MQ_ID_SIZE], struct mq_error *error)
{
    enum mq_status status =
        mq_db_run(state->replica->db, error,
                  "UPDATE mailbox SET asked = 0 WHERE mailbox = ?1 AND compartment >= ?2 AND cursor = 0 AND asked"
                  " AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.mailbox = ?1)",
                  "bi", mq_span(mailbox, MQ_ID_SIZE), (int64_t)MQ_COMPARTMENT_CASE_FIRST);
    if (status != MQ_OK || mq_role_rank(state->team->certificate.role) >= MQ_RANK_DESK)
        return status;
    return mq_db_run(state->replica->db, error, "UPDATE mailbox SET asked = 0 WHERE mailbox = ? AND compartment = ? AND asked",
                     "bi", mq_span(mailbox, MQ_ID_SIZE), (int64_t)MQ_COMPARTMENT_SENSITIVE);
}

/* A cursor may go back, and on again; where it stood before in this sync it moves nothing. */
static bool cursor_is_news(struct mq_sync_state *state, size_t index, uint64_t cursor)
{
    uint8_t memory[MQ_ID_SIZE + 8];
    struct mq_buffer place = mq_buffer(memory, sizeof memory);
    mq_put(&place, state->mailboxes[index].mailbox, MQ_ID_SIZE);
    mq_put_u64(&place, cursor);
    return mq_sync_news(state, mq_written(&place));
}

static enum mq_status cursors_move(struct reply_work *work, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    enum mq_status status = MQ_OK;
    if (!work->whole || work->reply.status == MQ_REPLY_RESET || work->restart)
        return MQ_OK;
    for (size_t i = 0; status == MQ_OK && i < state->mailbox_count; i++) {
        const struct mq_mailbox_reply *said = &work->reply.mailboxes[i];
        if (said->cursor > INT64_MAX)
            continue;
        if (said->cursor != state->request.mailboxes[i].cursor && cursor_is_news(state, i, said->cursor))
            state->moved = true;
        status = mq_db_run(state->replica->db, error, "UPDATE mailbox SET cursor = ?, fingerprint = ? WHERE mailbox = ?",
                           "ibb", (int64_t)said->cursor, MQ_SPAN(said->fingerprint),
                           MQ_SPAN(state->mailboxes[i].mailbox));
        if (status == MQ_OK && said->remaining == 0)
            status = heard_out(state, state->mailboxes[i].mailbox, error);
    }
    return status;
}

/* A relay takes a township's receipt only where the stream was announced: what this desk brought of a stream may have come
 * after what it said of it. */
static enum mq_status say_of_carried(struct mq_sync_state *state, struct mq_error *error)
{
    if (mq_role_governs(state->team->certificate.role))
        return MQ_OK;
    return mq_db_run(state->replica->db, error,
                     "UPDATE outbox SET sent = 0 WHERE frame = ? AND slot IN (SELECT stream FROM segment JOIN stream USING(stream)"
                     " JOIN mailbox USING(mailbox) WHERE carry = 1 AND segment.number <= ? AND team = ?)",
                     "iib", (int64_t)MQ_FRAME_CONTROL, state->carry_sent, MQ_SPAN(state->team->team));
}

static enum mq_status said_what_was_sent(struct reply_work *work, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    struct mq_db *db = state->replica->db;
    enum mq_status status =
        mq_db_run(db, error, "UPDATE outbox SET sent = 1 WHERE number <= ?2 AND sent = 0 AND " MQ_OUTBOX_OF("?1"), "bi",
                  MQ_SPAN(state->team->team), state->outbox_sent);
    if (status == MQ_OK && state->carry_sent > 0)
        status = say_of_carried(state, error);
    if (status == MQ_OK && state->carry_sent > 0)
        status =
            mq_db_run(db, error,
                      "UPDATE segment SET carry = 0, stored = CASE WHEN mine THEN 1 ELSE stored END"
                      " WHERE carry = 1 AND number <= ?2 AND stream IN"
                      " (SELECT stream FROM stream JOIN mailbox USING(mailbox) WHERE " MQ_CARRIED_BY("?1") ")",
                      "bi", MQ_SPAN(state->team->team), state->carry_sent);
    return status;
}

/* Before the frames are taken in, for what they bring may owe another list. */
static enum mq_status have_said(struct reply_work *work, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    if (!state->have_list || !work->whole || work->reply.status == MQ_REPLY_RESET)
        return MQ_OK;
    state->have_said = state->have_end;
    work->wanted = work->wanted || state->have_more;
    return mq_have_list_put(state->replica, state->team->team, state->have_more ? MQ_HAVE_BEGUN : 0, error);
}

static enum mq_status take_in(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct reply_work *work = context;
    (void)replica;
    enum mq_status status = said_what_was_sent(work, error);
    if (status == MQ_OK)
        status = have_said(work, error);
    if (status == MQ_OK)
        status = server_changed(work, error);
    if (status == MQ_OK)
        status = take_frames(work, error);
    if (status == MQ_OK)
        status = mq_admit_waiting(work->state->replica, &work->admitted, error);
    if (status == MQ_OK)
        status = own_streams(work, error);
    if (status == MQ_OK)
        status = mq_erase_settle(work->state->replica, error);
    if (status == MQ_OK)
        status = cursors_move(work, error);
    if (status == MQ_OK && work->state->hooks != NULL && work->state->hooks->between != NULL)
        status = work->state->hooks->between(work->state->hooks->context, work->state->team, error);
    return status;
}

/* Of the mailboxes of the last request: is anything left on either side? */
static enum mq_status mailboxes_left(struct reply_work *work, bool *left, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    enum mq_status status = MQ_OK;
    *left = false;
    for (size_t i = 0; status == MQ_OK && i < state->mailbox_count; i++) {
        status = mq_sync_own_stream(state, &state->mailboxes[i], error);
        *left = *left || work->reply.mailboxes[i].remaining > 0 ||
                (int64_t)state->mailboxes[i].head_seq > state->mailboxes[i].server_seq;
    }
    return status;
}

/* Is there still something to say or to hear? Only when nothing is left in these mailboxes others have their turn. */
static enum mq_status again_needed(struct reply_work *work, bool *again, struct mq_error *error)
{
    struct mq_sync_state *state = work->state;
    int64_t answers, others, borrow;
    bool left = false;
    enum mq_status status =
        mq_db_number(state->replica->db, &answers, error, "SELECT count(*) FROM outbox WHERE sent = 0 AND frame = ?",
                     "i", (int64_t)MQ_FRAME_ENROLLED);
    if (status == MQ_OK)
        status = mq_db_number(state->replica->db, &others, error,
                              "SELECT (SELECT count(*) FROM outbox WHERE sent = 0 AND frame <> ?2 AND " MQ_OUTBOX_OF("?1") ") +"
                              " (SELECT count(*) FROM segment JOIN stream USING(stream) JOIN mailbox USING(mailbox)"
                              " WHERE carry = 1 AND " MQ_CARRIED_BY("?1") ")",
                              "bi", MQ_SPAN(state->team->team), (int64_t)MQ_FRAME_ENROLLED);
    if (status == MQ_OK)
        status = mq_db_number(state->replica->db, &borrow, error,
                              "SELECT count(*) FROM segment JOIN stream USING(stream) JOIN mailbox USING(mailbox)"
                              " WHERE state = 0 AND reason = 'erased' AND team = ?",
                              "b", MQ_SPAN(state->team->team));
    if (status == MQ_OK && state->borrow_ended)
        status = mq_erase_return_lent(state->replica, error);
    if (status == MQ_OK)
        status = mailboxes_left(work, &left, error);
    if (status != MQ_OK)
        return status;
    bool borrowing = borrow > 0 && !state->borrow_ended;
    bool rest = others > 0 || borrowing || left || work->wanted || !work->whole || work->reply.status == MQ_REPLY_RESET;
    if (!rest) {
        state->turn = state->turn_more ? state->turn_end : 0;
        state->moved = state->moved || state->turn_more;
        rest = state->turn_more;
    }
    state->answers_only = answers > 0 && !rest;
    *again = answers > 0 || rest;
    return MQ_OK;
}

/* A server that lost its list of members does not know its desk either: the county's desk says once more who may come. Others
 * wait until it did; then the server says by itself that it is another. */
static enum mq_status introduce(struct mq_sync_state *state, bool *again, struct mq_error *error)
{
    state->introduced = state->stranger = *again = true;
    if (!mq_role_governs(state->team->certificate.role))
        return MQ_OK;
    return mq_db_run(state->replica->db, error, "UPDATE outbox SET sent = 0", "");
}

enum mq_status mq_sync_reply(struct mq_sync_state *state, struct mq_span reply, bool *again, struct mq_error *error)
{
    struct reply_work work = {.state = state};
    struct mq_reader reader = mq_reader(reply);
    *again = false;
    if (mq_reply_get(&work.reply, state->request.mailbox_count, &reader) != MQ_OK)
        return mq_fail(error, MQ_UNREACHABLE,
                       _("the server's answer could not be read; nothing was lost, try again later"));
    if (work.reply.status == MQ_REPLY_STRANGER && !state->introduced)
        return introduce(state, again, error);
    if (work.reply.status == MQ_REPLY_STRANGER)
        return mq_fail(
            error, MQ_REFUSED,
            _("the server does not know this device (yet); the records stay saved here. Ask the centre whether it was admitted"));
    state->stranger = false;
    work.frames = mq_take(&reader, mq_left(&reader));
    work.whole = mq_exchange_whole(reply, work.frames);
    struct mq_part_state down = state->down;
    if (work.whole && down.active && down.offset == down.size)
        state->down.active = false; /* what we said about it has been heard, and the cursor passes it */
    enum mq_status status = mq_replica_transact(state->replica, take_in, &work, error);
    if (status != MQ_OK) {
        state->down = down;
        mq_chain_reset(&state->replica->chain); /* it may stand on what was rolled back */
        return status;
    }
    state->heads_only = false;
    state->up.active = state->up.active && state->up.offset < state->up.size;
    state->result->received += work.admitted.segments;
    state->result->changes += work.admitted.changes;
    state->result->refused += work.admitted.refused;
    return again_needed(&work, again, error);
}
