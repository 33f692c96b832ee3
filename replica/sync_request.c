/* What to say: where we stand, then frames as far as the budget reaches (docs/protocol.md, section 4). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/control.h"
#include "replica/sync_keys.h"

#define BORROW_MISSES_MAX 4 /* bodies that a server has no more, asked for in one sync */
#define HAVE_ROOM (MQ_FRAME_HEADER_SIZE + MQ_ID_SIZE + MQ_HAVE_ENTRY_SIZE) /* one stream more, in a mailbox of its own */

static bool room_for(const struct mq_sync_state *state, const struct mq_buffer *out, size_t payload)
{
    return out->size + MQ_FRAME_HEADER_SIZE + payload <= state->budget;
}

/* ---- the head ---- */

enum mq_status mq_sync_own_stream(struct mq_sync_state *state, struct mq_sync_mailbox *out, struct mq_error *error)
{
    struct mq_query *query;
    memset(out->stream, 0, sizeof out->stream);
    memset(out->head_id, 0, sizeof out->head_id);
    out->head_seq = 0;
    out->server_seq = 0;
    enum mq_status status = mq_db_query(
        state->replica->db, &query, error,
        "SELECT stream, next_seq - 1, head_id, server_seq FROM stream WHERE mailbox = ? AND mine = 1 AND closed = 0 LIMIT 1",
        "b", MQ_SPAN(out->mailbox));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status;
    memcpy(out->stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    out->head_seq = (uint32_t)mq_db_int(query, 1);
    struct mq_span head = mq_db_blob(query, 2);
    if (head.size == MQ_SEGMENT_ID_SIZE)
        memcpy(out->head_id, head.data, MQ_SEGMENT_ID_SIZE);
    out->server_seq = mq_db_int(query, 3);
    mq_db_done(&query);
    return MQ_OK;
}

/* Cursor and fingerprint of an entry whose mailbox is known. */
static enum mq_status entry_fill(struct mq_sync_state *state, size_t index, struct mq_query *row, struct mq_error *error)
{
    struct mq_sync_mailbox *own = &state->mailboxes[index];
    struct mq_mailbox_request *entry = &state->request.mailboxes[index];
    struct mq_span fingerprint = mq_db_blob(row, 3);
    MQ_ASSERT(fingerprint.size == MQ_FINGERPRINT_SIZE);
    memcpy(own->mailbox, mq_db_blob(row, 0).data, MQ_ID_SIZE);
    memcpy(entry->mailbox, own->mailbox, MQ_ID_SIZE);
    entry->cursor = (uint64_t)mq_db_int(row, 2);
    memcpy(entry->fingerprint, fingerprint.data, MQ_FINGERPRINT_SIZE);
    enum mq_status status = mq_sync_own_stream(state, own, error);
    memcpy(entry->stream, own->stream, MQ_ID_SIZE);
    entry->head_seq = own->head_seq;
    memcpy(entry->head_id, own->head_id, MQ_ID_SIZE);
    return status;
}

/* The team's own mailbox, then those of the others whose turn it is: those that are asked for, and those that are owed
 * something. One more row than fits tells that there are more. */
static enum mq_status entries_fill(struct mq_sync_state *state, struct mq_error *error)
{
    struct mq_query *query;
    size_t count = 0;
    state->turn_more = false;
    state->turn_end = state->turn;
    enum mq_status status =
        mq_db_query(state->replica->db, &query, error,
                    "SELECT mailbox, compartment, cursor, fingerprint FROM mailbox WHERE team = ?1 AND"
                    " (compartment = 0 OR (compartment > ?2 AND (asked OR EXISTS (SELECT 1 FROM stream AS s JOIN grants AS g"
                    " USING(mailbox) WHERE s.mailbox = mailbox.mailbox AND g.key IS NOT NULL AND s.mine = 1 AND s.closed = 0"
                    " AND s.next_seq - 1 > s.server_seq)))) ORDER BY compartment LIMIT ?3",
                    "bii", MQ_SPAN(state->team->team), state->turn, (int64_t)MQ_MAILBOXES_MAX + 1);
    while (status == MQ_OK && !state->turn_more && mq_db_next(&query, error)) {
        state->turn_more = count == MQ_MAILBOXES_MAX;
        if (state->turn_more)
            break;
        state->turn_end = mq_db_int(query, 1);
        status = entry_fill(state, count++, query, error);
    }
    mq_db_done(&query);
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK && count == 0)
        return mq_fail(error, MQ_DAMAGED, _("the team's mailbox is missing in this store"));
    state->mailbox_count = state->request.mailbox_count = count;
    return status;
}

static enum mq_status request_head(struct mq_sync_state *state, struct mq_error *error)
{
    struct mq_request *request = &state->request;
    memset(request, 0, sizeof *request);
    request->budget = state->reply_budget;
    memcpy(request->token, state->team->token, MQ_TOKEN_SIZE);
    struct mq_buffer server = mq_buffer(request->server_id, sizeof request->server_id);
    enum mq_status status = mq_setting_get(state->replica, "server_id", &server, error);
    return status == MQ_OK || status == MQ_NOT_FOUND ? entries_fill(state, error) : status;
}

/* ---- frames ---- */

_Static_assert(MQ_FRAME_CONTROL == 6 && MQ_FRAME_CERTIFICATE == 8 && MQ_CONTROL_ACCESS == 2, "what introduces a desk, in SQL");

/* To a server that does not know us: what says who comes from this team, at a desk. It may stand behind more than one request
 * holds, and until it came nothing of that is heard. */
static enum mq_status put_introduction(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(state->replica->db, &query, error,
                                        "SELECT frame, bytes FROM outbox WHERE (frame = 8 AND substr(bytes, 3, 16) = ?1)"
                                        " OR (frame = 6 AND substr(bytes, 2, 1) = x'02' AND substr(bytes, 11, 16) = ?1)"
                                        " ORDER BY number",
                                        "b", MQ_SPAN(state->team->team));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        mq_frame_put(out, (enum mq_frame_type)mq_db_int(query, 0), mq_db_blob(query, 1));
    mq_db_done(&query);
    return error->status;
}

static enum mq_status put_outbox(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error)
{
    struct mq_query *query;
    state->outbox_sent = 0;
    enum mq_status status = mq_db_query(state->replica->db, &query, error,
                                        "SELECT number, frame, bytes FROM outbox WHERE sent = 0 AND " MQ_OUTBOX_OF("?1")
                                        " ORDER BY number",
                                        "b", MQ_SPAN(state->team->team));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        struct mq_span bytes = mq_db_blob(query, 2);
        if (!room_for(state, out, bytes.size) && state->outbox_sent > 0) {
            state->more = true;
            break;
        }
        mq_frame_put(out, (enum mq_frame_type)mq_db_int(query, 1), bytes);
        state->outbox_sent = mq_db_int(query, 0);
    }
    mq_db_done(&query);
    return error->status;
}

static void put_part(struct mq_sync_state *state, struct mq_buffer *out, const uint8_t id[MQ_SEGMENT_ID_SIZE],
                     struct mq_span bytes)
{
    struct mq_part_state *part = &state->up;
    if (!part->active || memcmp(part->id, id, MQ_SEGMENT_ID_SIZE) != 0) {
        *part = (struct mq_part_state){.active = true, .size = (uint32_t)bytes.size};
        memcpy(part->id, id, MQ_SEGMENT_ID_SIZE);
    }
    size_t used = out->size + MQ_FRAME_HEADER_SIZE + MQ_PART_HEAD_SIZE;
    size_t room = state->budget > used ? state->budget - used : 0, left = bytes.size - part->offset;
    size_t size = room < left ? room : left;
    if (size == 0)
        return;
    uint8_t head_memory[MQ_FRAME_HEADER_SIZE];
    struct mq_buffer head = mq_buffer(head_memory, sizeof head_memory);
    mq_put_u8(&head, MQ_FRAME_PART);
    mq_put_u24(&head, (uint32_t)(MQ_PART_HEAD_SIZE + size));
    mq_put_span(out, mq_written(&head));
    mq_put(out, id, MQ_SEGMENT_ID_SIZE);
    mq_put_u24(out, part->size);
    mq_put_u24(out, part->offset);
    mq_put(out, bytes.data + part->offset, size);
    part->offset += (uint32_t)size; /* taken back where the request does not get there */
    state->result->sent += part->offset == part->size;
}

/* false: no room left for it in this request. */
static bool put_segment(struct mq_sync_state *state, struct mq_buffer *out, size_t frames_start,
                        const uint8_t id[MQ_SEGMENT_ID_SIZE], struct mq_span bytes)
{
    if (room_for(state, out, bytes.size)) {
        mq_frame_put(out, MQ_FRAME_SEGMENT, bytes);
        state->result->sent++;
        return true;
    }
    state->more = true;
    if (out->size == frames_start && bytes.size + MQ_FRAME_HEADER_SIZE + frames_start > state->budget)
        put_part(state, out, id, bytes); /* larger than a body can be now: it goes in pieces */
    return false;
}

/* Of an own stream, what the server does not have. Its announce goes first where the server has nothing of it. */
static enum mq_status put_own(struct mq_sync_state *state, const struct mq_sync_mailbox *own, struct mq_buffer *out,
                              struct mq_error *error)
{
    struct mq_query *query;
    struct mq_announce announce;
    if (own->head_seq == 0)
        return MQ_OK;
    if (own->server_seq == 0) {
        uint8_t bytes[MQ_ANNOUNCE_SIZE];
        enum mq_status status = mq_announce_find(state->replica, own->stream, &announce, error);
        if (status != MQ_OK)
            return status;
        mq_announce_encode(bytes, &announce);
        mq_frame_put(out, MQ_FRAME_ANNOUNCE, MQ_SPAN(bytes));
    }
    size_t start = out->size;
    enum mq_status status =
        mq_db_query(state->replica->db, &query, error,
                    "SELECT seq, id, bytes FROM segment WHERE stream = ? AND mine = 1 AND seq > ? AND erased < 2 ORDER BY seq", "bi",
                    MQ_SPAN(own->stream), own->server_seq);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        if (!put_segment(state, out, start, mq_db_blob(query, 1).data, mq_db_blob(query, 2)))
            break;
    }
    mq_db_done(&query);
    return error->status;
}

/* Segments to be carried: of closed streams, of compartments that are written and not read here, from bundles, or wanted
 * by a server that lost them. Each stream's announce before its first. */
static enum mq_status put_carried(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error)
{
    struct mq_query *query;
    uint8_t last[MQ_ID_SIZE] = {0};
    state->carry_sent = 0;
    enum mq_status status = mq_db_query(
        state->replica->db, &query, error,
        "SELECT g.number, g.stream, g.id, g.bytes, s.announce FROM segment AS g JOIN stream AS s ON s.stream = g.stream"
        " JOIN mailbox USING(mailbox) WHERE g.carry = 1 AND g.erased < 2 AND " MQ_CARRIED_BY("?1") " ORDER BY g.number",
        "b", MQ_SPAN(state->team->team));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        struct mq_span stream = mq_db_blob(query, 1), announce = mq_db_blob(query, 4);
        if (memcmp(last, stream.data, MQ_ID_SIZE) != 0) {
            if (!room_for(state, out, announce.size)) {
                state->more = true;
                break;
            }
            mq_frame_put(out, MQ_FRAME_ANNOUNCE, announce);
            memcpy(last, stream.data, MQ_ID_SIZE);
        }
        bool whole = put_segment(state, out, out->size, mq_db_blob(query, 2).data, mq_db_blob(query, 3));
        bool last_part = !whole && state->up.active && state->up.offset == state->up.size &&
                         memcmp(state->up.id, mq_db_blob(query, 2).data, MQ_SEGMENT_ID_SIZE) == 0;
        if (whole || last_part)
            state->carry_sent = mq_db_int(query, 0);
        if (!whole)
            break;
    }
    mq_db_done(&query);
    return error->status;
}

/* ---- after a reset: what we hold ---- */

static enum mq_status have_of(struct mq_sync_state *state, struct mq_have *have, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_sum sum = {{0}, 0};
    enum mq_status status =
        mq_db_query(state->replica->db, &query, error, "SELECT id, seq FROM segment WHERE stream = ? ORDER BY seq", "b",
                    MQ_SPAN(have->stream));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        mq_sum_add(&sum, mq_db_blob(query, 0).data);
        have->count++;
        have->highest = (uint32_t)mq_db_int(query, 1);
    }
    mq_sum_fingerprint(have->fingerprint, &sum);
    return error->status;
}

static void have_end(struct mq_buffer *out, struct mq_buffer *list)
{
    if (list->size > MQ_ID_SIZE)
        mq_frame_put(out, MQ_FRAME_HAVE, mq_written(list));
    list->size = 0;
}

/* One list a mailbox, of those that are only written to as well. What does not fit goes in the next request. */
static enum mq_status put_have(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error)
{
    struct mq_query *query;
    size_t size = MQ_ID_SIZE + MQ_STREAMS_MAX * MQ_HAVE_ENTRY_SIZE, count = 0;
    uint8_t *memory = mq_work_memory(size), mailbox[MQ_ID_SIZE] = {0};
    struct mq_buffer list = mq_buffer(memory, size);
    struct mq_have_place *end = &state->have_end;
    *end = state->have_said;
    state->have_more = false;
    enum mq_status status =
        mq_db_query(state->replica->db, &query, error,
                    "SELECT stream, mailbox, compartment FROM stream JOIN mailbox USING(mailbox) WHERE team = ?1"
                    " AND (NOT ?2 OR (compartment, stream) > (?3, ?4)) ORDER BY compartment, stream",
                    "biib", MQ_SPAN(state->team->team), (int64_t)end->begun, end->compartment, MQ_SPAN(end->stream));
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_have have = {.count = 0};
        struct mq_span place = mq_db_blob(query, 1);
        state->have_more = count == MQ_STREAMS_MAX || (count > 0 && !room_for(state, out, list.size + HAVE_ROOM));
        if (state->have_more)
            break;
        memcpy(have.stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        if (list.size == 0 || !mq_span_equal(place, MQ_SPAN(mailbox))) {
            have_end(out, &list);
            mq_put_span(&list, place);
            memcpy(mailbox, place.data, MQ_ID_SIZE);
        }
        *end = (struct mq_have_place){.begun = true, .compartment = mq_db_int(query, 2)};
        memcpy(end->stream, have.stream, MQ_ID_SIZE);
        count++;
        status = have_of(state, &have, error);
        if (status == MQ_OK && have.count > 0)
            mq_have_put(&list, &have);
    }
    mq_db_done(&query);
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK)
        have_end(out, &list);
    mq_work_free(memory, size);
    return status;
}

static void put_want_part(struct mq_buffer *out, const uint8_t id[MQ_SEGMENT_ID_SIZE], uint32_t offset)
{
    uint8_t memory[MQ_SEGMENT_ID_SIZE + 3];
    struct mq_buffer want = mq_buffer(memory, sizeof memory);
    mq_put(&want, id, MQ_SEGMENT_ID_SIZE);
    mq_put_u24(&want, offset);
    mq_frame_put(out, MQ_FRAME_WANT_PART, mq_written(&want));
}

/* A segment that was written before its writer knew of an erasure may lean on a body that was dropped here. The server
 * still has it, sealed: it is asked for, used once, and given back (erase.c). One after the other, from anywhere on: one that
 * is nowhere any more must not stop the others. */
static enum mq_status put_borrow(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error)
{
    struct mq_query *query;
    if (state->borrow_ended)
        return MQ_OK;
    enum mq_status status = mq_db_query(
        state->replica->db, &query, error,
        "WITH RECURSIVE run(id, previous, links, erased) AS"
        " (SELECT p.id, p.previous, p.links, p.erased FROM segment AS w JOIN segment AS p ON p.id = w.previous"
        " JOIN stream AS s ON s.stream = w.stream JOIN mailbox AS m ON m.mailbox = s.mailbox"
        " WHERE w.state = 0 AND w.reason = 'erased' AND m.team = ?1"
        " UNION SELECT q.id, q.previous, q.links, q.erased FROM run JOIN segment AS q ON q.id = run.previous WHERE run.links > 0),"
        " needed(id) AS (SELECT id FROM run WHERE erased = 2 AND id NOT IN (SELECT id FROM lent))"
        " SELECT id, EXISTS (SELECT 1 FROM needed WHERE id = ?2) FROM needed ORDER BY id <= ?2, id LIMIT 1",
        "bb", MQ_SPAN(state->team->team), MQ_SPAN(state->borrow));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status;
    struct mq_span id = mq_db_blob(query, 0);
    state->borrow_misses += mq_db_int(query, 1) != 0;
    state->borrow_ended = mq_span_equal(id, MQ_SPAN(state->borrow)) || state->borrow_misses > BORROW_MISSES_MAX;
    memcpy(state->borrow, id.data, sizeof state->borrow);
    mq_db_done(&query);
    if (!state->borrow_ended)
        put_want_part(out, state->borrow, 0);
    return MQ_OK;
}

enum mq_status mq_sync_request(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error)
{
    int64_t owed;
    state->more = false;
    state->outbox_sent = state->carry_sent = 0; /* nothing of these may count as said before it is */
    enum mq_status status = request_head(state, error);
    if (status != MQ_OK)
        return status;
    mq_request_put(out, &state->request);
    status = state->stranger ? put_introduction(state, out, error) : MQ_OK;
    if (status == MQ_OK)
        status = put_outbox(state, out, error);
    if (status == MQ_OK)
        status = mq_have_list_owed(state->replica, state->team->team, &owed, error);
    state->have_list = status == MQ_OK && owed != 0;
    if (state->have_list && owed == MQ_HAVE_OWED)
        state->have_said = (struct mq_have_place){.begun = false};
    if (status == MQ_OK && state->have_list)
        status = put_have(state, out, error);
    if (state->down.active)
        put_want_part(out, state->down.id, state->down.offset);
    else if (status == MQ_OK)
        status = put_borrow(state, out, error);
    for (size_t i = 0; status == MQ_OK && !state->more && !state->heads_only && i < state->mailbox_count; i++)
        status = put_own(state, &state->mailboxes[i], out, error);
    if (status == MQ_OK && !state->more && !state->heads_only)
        status = put_carried(state, out, error);
    mq_exchange_end(out);
    MQ_ASSERT(status != MQ_OK || !out->failed);
    return status;
}
