/* What was erased here, locked for the county's desk, and what came back to it. */
#include "replica/returned.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/compartment.h"
#include "replica/admit_keys.h"
#include "replica/journal.h"
#include "replica/outbox.h"
#include "replica/outgoing.h"
#include "replica/route.h"

/* ---- locking ---- */

/* For whom it is locked. MQ_NOT_FOUND: this replica is that desk, or does not know it. */
static enum mq_status county_of(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], struct mq_certificate *out,
                                struct mq_error *error)
{
    bool own;
    enum mq_status status = mq_governs_team(replica, team, &own, error);
    if (status == MQ_OK && own)
        return MQ_NOT_FOUND;
    return status == MQ_OK ? mq_county_desk(replica, team, out, error) : status;
}

static enum mq_status pieces_lock(struct mq_replica *replica, struct mq_span id, struct mq_span bytes,
                                  const struct mq_certificate *county, struct mq_error *error)
{
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX);
    enum mq_status status = MQ_OK;
    for (uint32_t offset = 0, size = (uint32_t)bytes.size, piece; status == MQ_OK && offset < size; offset += piece) {
        struct mq_buffer sealed = mq_buffer(memory, MQ_CHANGE_MAX);
        piece = mq_returned_piece(size, offset);
        if (mq_returned_seal(&sealed, bytes, offset, piece, county->box_public) != MQ_OK)
            break; /* nobody could ever open it */
        status = mq_db_run(replica->db, error, "INSERT OR IGNORE INTO locked(id, offset, size, sealed) VALUES(?, ?, ?, ?)",
                           "biib", id, (int64_t)offset, (int64_t)size, mq_written(&sealed));
    }
    mq_work_free(memory, MQ_CHANGE_MAX);
    return status;
}

enum mq_status mq_returned_lock(struct mq_replica *replica, int64_t segment, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_certificate county;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT id, bytes, team FROM segment JOIN stream USING(stream) JOIN mailbox"
                                        " USING(mailbox) WHERE number = ?",
                                        "i", segment);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_FAULT;
    status = county_of(replica, mq_db_blob(query, 2).data, &county, error);
    if (status == MQ_OK)
        status = pieces_lock(replica, mq_db_blob(query, 0), mq_db_blob(query, 1), &county, error);
    mq_db_done(&query);
    return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
}

/* ---- saying ---- */

enum mq_status mq_returned_owe(struct mq_replica *replica, struct mq_span stream, struct mq_error *error)
{
    return mq_db_run(replica->db, error,
                     "UPDATE locked SET owed = 1 WHERE said = 0 AND id IN (SELECT id FROM segment WHERE stream = ? AND erased = 2)",
                     "b", stream);
}

enum mq_status mq_returned_seen(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE], struct mq_error *error)
{
    return mq_db_run(replica->db, error, "UPDATE locked SET owed = 0 WHERE id = ? AND owed = 1", "b",
                     mq_span(id, MQ_SEGMENT_ID_SIZE));
}

struct bring_work {
    const struct mq_team *team;
    uint8_t *memory; /* MQ_CHANGE_MAX, of the change */
    bool any;
};

/* A piece that is owed, and where it belongs. */
struct owed {
    struct mq_returned piece; /* its bytes are gone when the next one is looked for */
    uint8_t stream[MQ_ID_SIZE];
    uint32_t compartment;
};

/* One piece that is owed, as a change. MQ_NOT_FOUND: there is none. */
static enum mq_status next_owed(struct mq_replica *replica, const struct bring_work *work, struct owed *out,
                                struct mq_buffer *change, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT l.id, l.size, l.offset, l.sealed, m.compartment, s.stream FROM locked AS l JOIN segment AS g ON g.id = l.id"
                    " JOIN stream AS s ON s.stream = g.stream JOIN mailbox AS m ON m.mailbox = s.mailbox"
                    " WHERE l.owed = 1 AND m.team = ? ORDER BY l.id, l.offset LIMIT 1",
                    "b", MQ_SPAN(work->team->team));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(out->piece.id, mq_db_blob(query, 0).data, sizeof out->piece.id);
    out->piece.size = (uint32_t)mq_db_int(query, 1);
    out->piece.offset = (uint32_t)mq_db_int(query, 2);
    out->piece.sealed = mq_db_blob(query, 3);
    out->compartment = (uint32_t)mq_db_int(query, 4);
    memcpy(out->stream, mq_db_blob(query, 5).data, sizeof out->stream);
    mq_returned_put(change, &out->piece);
    MQ_ASSERT(!change->failed);
    mq_db_done(&query);
    return MQ_OK;
}

/* The server may have lost the stream whole, and nobody brings an announce without a segment. */
static enum mq_status announce_bring(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_announce announce;
    uint8_t bytes[MQ_ANNOUNCE_SIZE], memory[16 + MQ_ID_SIZE];
    struct mq_buffer slot = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_announce_find(replica, stream, &announce, error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_FAULT : status;
    mq_announce_encode(bytes, &announce);
    mq_put_text(&slot, "announce:"); /* a desk's receipts have the stream alone for their slot */
    mq_put(&slot, stream, MQ_ID_SIZE);
    return mq_outbox_put(replica, MQ_FRAME_ANNOUNCE, mq_written(&slot), MQ_SPAN(bytes), error);
}

static enum mq_status bring(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct bring_work *work = context;
    for (;;) {
        struct mq_buffer change = mq_buffer(work->memory, MQ_CHANGE_MAX);
        struct owed owed;
        bool reads = true;
        enum mq_status status = next_owed(replica, work, &owed, &change, error);
        if (status == MQ_OK && owed.compartment != MQ_COMPARTMENT_TEAM)
            status = mq_route_reads(replica, work->team, owed.compartment, &reads, error);
        if (status == MQ_OK && reads) /* who reads there no more leaves it to the others */
            status = announce_bring(replica, owed.stream, error);
        if (status == MQ_OK && reads)
            status = mq_journal_return(replica, work->team, owed.compartment, mq_written(&change), error);
        if (status == MQ_OK)
            status = mq_db_run(replica->db, error, "UPDATE locked SET owed = 0, said = said OR ? WHERE id = ? AND offset = ?",
                               "ibi", (int64_t)reads, MQ_SPAN(owed.piece.id), (int64_t)owed.piece.offset);
        if (status != MQ_OK)
            return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
        work->any = work->any || reads;
    }
}

enum mq_status mq_returned_bring(struct mq_replica *replica, const struct mq_team *team, bool *any, struct mq_error *error)
{
    struct bring_work work = {.team = team, .memory = mq_work_memory(MQ_CHANGE_MAX)};
    enum mq_status status = mq_replica_transact(replica, bring, &work, error);
    mq_work_free(work.memory, MQ_CHANGE_MAX);
    *any = status == MQ_OK && work.any;
    return *any ? mq_seal_all(replica, error) : status;
}

/* ---- taking ---- */

enum mq_status mq_returned_take(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], int64_t carrier,
                                struct mq_span expanded, struct mq_error *error)
{
    struct mq_returned piece;
    bool own;
    enum mq_status status = mq_returned_get(&piece, expanded);
    MQ_ASSERT(status == MQ_OK); /* whoever admits has looked */
    status = mq_governs_team(replica, team, &own, error);
    if (status != MQ_OK || !own)
        return status;
    uint8_t *memory = mq_work_memory(MQ_RETURNED_PIECE_MAX);
    struct mq_buffer bytes = mq_buffer(memory, MQ_RETURNED_PIECE_MAX);
    if (mq_box_open(&bytes, piece.sealed, &replica->identity->box_seed) == MQ_OK)
        status = mq_db_run(replica->db, error, "INSERT OR IGNORE INTO returned VALUES(?, ?, ?, ?, ?)", "ibiib", carrier,
                           MQ_SPAN(piece.id), (int64_t)piece.offset, (int64_t)piece.size, mq_written(&bytes));
    mq_work_free(memory, MQ_RETURNED_PIECE_MAX);
    return status;
}

/* ---- putting together ---- */

/* Pieces of one segment from one stream: what somebody else says of it spoils nothing. */
struct gathered {
    uint8_t id[MQ_SEGMENT_ID_SIZE], stream[MQ_ID_SIZE];
    size_t size;
    bool begun; /* there is an id */
    struct mq_buffer bytes;
};

enum worth {
    WORTH_WAITING, /* the announce that would tell has not come */
    WORTH_NOTHING,
    WORTH_ALL
};

/* The next segment of which something waits. MQ_NOT_FOUND: none. */
static enum mq_status next_id(struct mq_replica *replica, struct gathered *at, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT id FROM returned WHERE bytes IS NOT NULL AND id > ? ORDER BY id LIMIT 1", "b",
                    mq_span(at->id, at->begun ? sizeof at->id : 0));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    *at = (struct gathered){.begun = true, .bytes = at->bytes};
    memcpy(at->id, mq_db_blob(query, 0).data, sizeof at->id);
    mq_db_done(&query);
    return MQ_OK;
}

/* Of this segment, from the next stream that said all of it (or from the same, of another size). MQ_NOT_FOUND: none. */
static enum mq_status next_group(struct mq_replica *replica, struct gathered *at, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT g.stream, r.size FROM returned AS r JOIN segment AS g ON g.number = r.carrier"
                    " WHERE r.id = ? AND r.bytes IS NOT NULL AND (g.stream, r.size) > (?, ?) GROUP BY g.stream, r.size"
                    " HAVING count(DISTINCT r.offset) * ? >= r.size ORDER BY g.stream, r.size LIMIT 1",
                    "bbii", MQ_SPAN(at->id), MQ_SPAN(at->stream), (int64_t)at->size, (int64_t)MQ_RETURNED_PIECE_MAX);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(at->stream, mq_db_blob(query, 0).data, sizeof at->stream);
    at->size = (size_t)mq_db_int(query, 1);
    mq_db_done(&query);
    return MQ_OK;
}

/* Its pieces; where the stream said one more than once, as it did first. MQ_NOT_FOUND: one is missing. */
static enum mq_status gather(struct mq_replica *replica, struct gathered *gathered, struct mq_error *error)
{
    struct mq_query *query;
    gathered->bytes.size = 0;
    gathered->bytes.failed = false;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT r.bytes, min(r.carrier) FROM returned AS r JOIN segment AS g ON g.number = r.carrier"
                    " WHERE r.id = ? AND g.stream = ? AND r.size = ? AND r.bytes IS NOT NULL GROUP BY r.offset ORDER BY r.offset",
                    "bbi", MQ_SPAN(gathered->id), MQ_SPAN(gathered->stream), (int64_t)gathered->size);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        mq_put_span(&gathered->bytes, mq_db_blob(query, 0));
    mq_db_done(&query);
    if (error->status != MQ_OK)
        return error->status;
    return gathered->bytes.failed || gathered->bytes.size >= gathered->size ? MQ_OK : MQ_NOT_FOUND;
}

/* Only its author's signature makes it good: the id does not cover that, and a broken one must spoil nothing. */
static enum mq_status judge(struct mq_replica *replica, const struct gathered *gathered, enum worth *worth,
                            struct mq_error *error)
{
    struct mq_segment segment;
    struct mq_announce announce;
    *worth = WORTH_NOTHING;
    if (gathered->bytes.failed || mq_segment_decode(&segment, mq_written(&gathered->bytes)) != MQ_OK ||
        memcmp(segment.id, gathered->id, sizeof gathered->id) != 0)
        return MQ_OK;
    enum mq_status status = mq_announce_find(replica, segment.stream, &announce, error);
    if (status == MQ_NOT_FOUND)
        *worth = WORTH_WAITING;
    else if (status == MQ_OK && mq_segment_verify(&segment, &announce) == MQ_OK)
        *worth = WORTH_ALL;
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* What the desk has as a skeleton only gets its body for the way to the server, and loses it again behind that. */
static enum mq_status revive(struct mq_replica *replica, const struct gathered *gathered, struct mq_admitted *result,
                             struct mq_error *error)
{
    struct mq_span bytes = mq_written(&gathered->bytes);
    enum mq_status status = mq_db_run(replica->db, error, "UPDATE returned SET bytes = NULL WHERE id = ? AND bytes IS NOT NULL",
                                      "b", MQ_SPAN(gathered->id));
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error,
                           "UPDATE segment SET bytes = ?, erased = 1, carry = 1, stored = 0 WHERE id = ? AND erased = 2", "bb",
                           bytes, MQ_SPAN(gathered->id));
    return status == MQ_OK && mq_db_changes(replica->db) == 0 ? mq_admit_segment(replica, bytes, true, result, error) : status;
}

/* What did not fit together is not tried again; what the same stream said besides may. */
static enum mq_status forget(struct mq_replica *replica, const struct gathered *gathered, struct mq_error *error)
{
    return mq_db_run(replica->db, error,
                     "UPDATE returned SET bytes = NULL WHERE id = ?1 AND size = ?3 AND bytes IS NOT NULL AND carrier IN"
                     " (SELECT min(r.carrier) FROM returned AS r JOIN segment AS g ON g.number = r.carrier WHERE r.id = ?1"
                     " AND g.stream = ?2 AND r.size = ?3 AND r.bytes IS NOT NULL GROUP BY r.offset)",
                     "bbi", MQ_SPAN(gathered->id), MQ_SPAN(gathered->stream), (int64_t)gathered->size);
}

/* What one stream said of a segment, until it is good, all of it was tried, or it has to wait. */
static enum mq_status group_settle(struct mq_replica *replica, struct gathered *gathered, struct mq_admitted *result,
                                   struct mq_error *error)
{
    for (;;) {
        enum worth worth = WORTH_WAITING;
        enum mq_status status = gather(replica, gathered, error);
        if (status == MQ_OK)
            status = judge(replica, gathered, &worth, error);
        if (status == MQ_OK && worth == WORTH_ALL)
            return revive(replica, gathered, result, error);
        if (status == MQ_OK && worth == WORTH_NOTHING)
            status = forget(replica, gathered, error);
        if (status != MQ_OK || worth == WORTH_WAITING)
            return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
    }
}

/* What every stream said of one segment. */
static enum mq_status id_settle(struct mq_replica *replica, struct gathered *at, struct mq_admitted *result,
                                struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    while (status == MQ_OK) {
        status = next_group(replica, at, error);
        if (status == MQ_OK)
            status = group_settle(replica, at, result, error);
    }
    return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
}

/* What a stream said last, beyond what may wait, was not heard: it is taken again when the view is made again. */
static enum mq_status waiting_limit(struct mq_replica *replica, struct mq_error *error)
{
    return mq_db_run(replica->db, error,
                     "DELETE FROM returned WHERE (carrier, id, offset) IN (SELECT carrier, id, offset FROM"
                     " (SELECT r.carrier, r.id, r.offset, row_number() OVER (PARTITION BY g.stream ORDER BY r.carrier, r.id, r.offset)"
                     " AS place FROM returned AS r JOIN segment AS g ON g.number = r.carrier WHERE r.bytes IS NOT NULL) WHERE place > ?)",
                     "i", (int64_t)MQ_RETURNED_WAITING_MAX);
}

enum mq_status mq_returned_settle(struct mq_replica *replica, struct mq_admitted *result, struct mq_error *error)
{
    int64_t any;
    enum mq_status status =
        mq_db_number(replica->db, &any, error, "SELECT EXISTS (SELECT 1 FROM returned WHERE bytes IS NOT NULL)", "");
    if (status != MQ_OK || any == 0)
        return status;
    uint8_t *memory = mq_work_memory(MQ_SEGMENT_MAX);
    struct gathered at = {.bytes = mq_buffer(memory, MQ_SEGMENT_MAX)};
    while (status == MQ_OK) { /* forward only: each segment is looked at once, however many wait */
        status = next_id(replica, &at, error);
        if (status == MQ_OK)
            status = id_settle(replica, &at, result, error);
    }
    mq_work_free(memory, MQ_SEGMENT_MAX);
    return status == MQ_NOT_FOUND && error->status == MQ_OK ? waiting_limit(replica, error) : status;
}
