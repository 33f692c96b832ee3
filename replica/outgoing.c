/* From open batches to segments: new streams, the chain of one's own, the frontier of others'. */
#include "replica/outgoing.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/compress.h"
#include "replica/stream_keys.h"

enum mq_status mq_streams_close(struct mq_replica *replica, struct mq_error *error)
{
    enum mq_status status =
        mq_db_run(replica->db, error, "UPDATE stream SET closed = 1 WHERE mine = 1 AND closed = 0", "");
    if (status != MQ_OK)
        return status;
    /* A closed stream is no longer compared with the server's head: what may not be there is carried. */
    return mq_db_run(replica->db, error, "UPDATE segment SET carry = 1 WHERE mine = 1 AND stored = 0 AND erased < 2", "");
}

/* ---- the payload ---- */

/* Other streams of the mailbox that moved on since our last segment said how far they were. */
static enum mq_status frontier_read(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE],
                                    const uint8_t own[MQ_ID_SIZE], struct mq_payload_head *head, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT s.stream, g.seq, g.id FROM stream AS s JOIN segment AS g ON g.stream = s.stream"
                    " WHERE s.mailbox = ? AND s.stream <> ? AND g.state = 1"
                    " AND g.seq = (SELECT max(seq) FROM segment WHERE stream = s.stream AND state = 1)"
                    " AND g.seq > coalesce((SELECT seq FROM frontier WHERE frontier.stream = s.stream), 0)"
                    " GROUP BY s.stream ORDER BY s.stream LIMIT 64",
                    "bb", mq_span(mailbox, MQ_ID_SIZE), mq_span(own, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (head->frontier_count < MQ_FRONTIER_MAX && mq_db_next(&query, error)) {
        struct mq_frontier_entry *entry = &head->frontier[head->frontier_count++];
        memcpy(entry->stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        entry->seq = (uint32_t)mq_db_int(query, 1);
        memcpy(entry->id_prefix, mq_db_blob(query, 2).data, MQ_NAME_SIZE);
    }
    mq_db_done(&query);
    return error->status;
}

static enum mq_status frontier_said(struct mq_replica *replica, const struct mq_payload_head *head,
                                    struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < head->frontier_count && status == MQ_OK; i++)
        status = mq_db_run(replica->db, error, "INSERT OR REPLACE INTO frontier VALUES(?, ?)", "bi",
                           MQ_SPAN(head->frontier[i].stream), (int64_t)head->frontier[i].seq);
    return status;
}

static enum mq_status batch_head(struct mq_replica *replica, int64_t batch, struct mq_payload_head *head,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT salt, boot, monotonic, wall, utc_offset FROM batch WHERE number = ?", "i", batch);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status
                                      : mq_fail(error, MQ_FAULT, "batch %lld is gone", (long long)batch);
    memcpy(head->salt, mq_db_blob(query, 0).data, MQ_SALT_SIZE);
    head->schema = MQ_SCHEMA;
    head->clock = (struct mq_clock){.boot = (uint32_t)mq_db_int(query, 1),
                                    .monotonic_seconds = (uint64_t)mq_db_int(query, 2),
                                    .wall_seconds = mq_db_int(query, 3),
                                    .offset_known = true,
                                    .utc_offset = (int32_t)mq_db_int(query, 4)};
    mq_db_done(&query);
    return MQ_OK;
}

/* The batch's changes, their bytes copied together into `bytes`. */
static enum mq_status batch_changes(struct mq_replica *replica, int64_t batch, struct mq_batch_change *changes,
                                    size_t *count, struct mq_buffer *bytes, struct mq_error *error)
{
    struct mq_query *query;
    *count = 0;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT id, minutes, actor, expanded FROM journal WHERE batch = ? ORDER BY idx", "i", batch);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        MQ_ASSERT(*count < MQ_CHANGES_MAX);
        struct mq_batch_change *change = &changes[(*count)++];
        struct mq_span expanded = mq_db_blob(query, 3);
        uint8_t *copy = mq_reserve(bytes, expanded.size);
        MQ_ASSERT(copy != NULL);
        memcpy(copy, expanded.data, expanded.size);
        memcpy(change->id, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        change->expanded = mq_span(copy, expanded.size);
        change->stamp =
            (struct mq_stamp){.minutes = (uint32_t)mq_db_int(query, 1), .actor = (uint8_t)mq_db_int(query, 2)};
    }
    mq_db_done(&query);
    return error->status;
}

/* ---- one segment ---- */

/* Will a body go, or is one gone, among those that the next segment would lean on? */
static enum mq_status run_erased(struct mq_replica *replica, const struct mq_own_stream *stream, bool *erased,
                                 struct mq_error *error)
{
    int64_t found;
    enum mq_status status = mq_db_number(
        replica->db, &found, error,
        "SELECT EXISTS (SELECT 1 FROM segment WHERE erased > 0 AND stream = ?1 AND seq >="
        " (SELECT max(seq) FROM segment WHERE stream = ?1 AND mine = 1 AND links = 0))",
        "b", MQ_SPAN(stream->stream));
    *erased = status == MQ_OK && found != 0;
    return status;
}

/* How many payloads the next segment may lean on (section 2): none at the start, under a new key, every 64th time, each
 * time another fifteen wait for a receipt, and where one of them is to be erased. */
static enum mq_status links_choose(struct mq_replica *replica, const struct mq_own_stream *stream,
                                   const uint8_t kid[MQ_KID_SIZE], uint8_t *links, struct mq_error *error)
{
    struct mq_query *query;
    uint8_t last_kid[MQ_KID_SIZE] = {0};
    *links = 0;
    if (stream->seq == 1 || (stream->unanchored > 0 && stream->unanchored % MQ_LINKS_MAX == 0))
        return MQ_OK;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT bytes FROM segment WHERE id = ?", "b",
                                        MQ_SPAN(stream->previous));
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error)) {
        struct mq_segment segment;
        if (mq_segment_decode(&segment, mq_db_blob(query, 0)) == MQ_OK)
            memcpy(last_kid, segment.kid, sizeof last_kid);
        mq_db_done(&query);
    }
    if (error->status != MQ_OK || memcmp(last_kid, kid, sizeof last_kid) != 0)
        return error->status;
    bool erased;
    status = run_erased(replica, stream, &erased, error);
    if (status != MQ_OK || erased)
        return status;
    status = mq_chain_load(replica, stream->seq, stream->previous, error);
    if (status == MQ_OK && replica->chain.run < MQ_LINK_RUN_MAX - 1)
        *links = (uint8_t)replica->chain.count;
    else if (status == MQ_WAITING ||
             status == MQ_REFUSED) /* our own past does not open: start afresh rather than stop */
        return MQ_OK;
    return status;
}

/* Read back what was sealed, as any reader would, and compare: what does not open must never replace the journal.
 * `prefix` becomes the one that was really used. */
static enum mq_status read_back(struct mq_replica *replica, struct mq_span segment_bytes,
                                struct mq_seal_context *context, struct mq_prefix *prefix, struct mq_span payload,
                                struct mq_segment *segment, struct mq_error *error)
{
    struct mq_opened opened;
    struct mq_buffer again = mq_work_payload(replica);
    enum mq_status status = mq_segment_decode(segment, segment_bytes);
    if (status == MQ_OK)
        status = mq_open(&opened, segment, context, mq_work_space(replica));
    if (status == MQ_OK && opened.links == 0) /* stored without compression, it leans on nothing */
        *prefix = (struct mq_prefix){.prose = opened.prose};
    if (status == MQ_OK)
        status = mq_inflate(&again, &opened, prefix, mq_work_space(replica));
    if (status != MQ_OK || !mq_span_equal(mq_written(&again), payload))
        return mq_fail(error, MQ_FAULT, _("sealing went wrong and was undone; the records stay saved on this device"));
    mq_chain_push(&replica->chain, segment->id, opened.links, payload);
    return MQ_OK;
}

static enum mq_status segment_store(struct mq_replica *replica, int64_t batch, const struct mq_segment *segment,
                                    uint8_t links, struct mq_span bytes, struct mq_error *error)
{
    int64_t number;
    enum mq_status status = mq_own_segment_put(replica, segment, links, false, bytes, &number, error);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "UPDATE change SET segment = ? WHERE segment = ?", "ii", number, -batch);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "DELETE FROM journal WHERE batch = ?", "i", batch);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "DELETE FROM batch WHERE number = ?", "i", batch);
    return status;
}

struct seal_work {
    int64_t batch;
    struct mq_team team;
    uint32_t compartment;
    uint8_t mailbox[MQ_ID_SIZE];
    uint8_t *memory; /* of the segment's bytes and the batch's changes */
    struct mq_batch_change *changes;
    struct mq_own_stream stream;
};

#define SEAL_MEMORY (2 * MQ_BATCH_MAX + 2 * MQ_SEGMENT_MAX)

static enum mq_status seal_payload(struct mq_replica *replica, struct seal_work *work, struct mq_span payload,
                                   const struct mq_grant *grant, const struct mq_secret *key, struct mq_error *error)
{
    struct mq_own_stream *stream = &work->stream;
    struct mq_seal_context context;
    struct mq_prefix prefix = {.prose = MQ_PROSE_WRITTEN};
    mq_own_context(replica, stream, grant, &context);
    context.key = key;

    enum mq_status status = links_choose(replica, stream, context.kid, &prefix.links, error);
    if (status != MQ_OK)
        return status;
    if (prefix.links > 0)
        prefix.linked = mq_chain_linked(&replica->chain, prefix.links);
    struct mq_buffer bytes = mq_buffer(work->memory, MQ_SEGMENT_MAX);
    status = mq_seal(&bytes, &context, payload, &prefix, mq_work_space(replica));
    MQ_ASSERT(status == MQ_OK); /* a batch is kept small enough to fit */
    struct mq_segment segment;
    status = read_back(replica, mq_written(&bytes), &context, &prefix, payload, &segment, error);
    mq_wipe(context.seed, sizeof context.seed);
    if (status != MQ_OK)
        return status;
    return segment_store(replica, work->batch, &segment, prefix.links, mq_written(&bytes), error);
}

static enum mq_status seal_batch(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct seal_work *work = context;
    struct mq_grant grant;
    struct mq_secret key;
    struct mq_payload_head head = {0};
    size_t count;
    enum mq_status status = mq_key_newest(replica, work->mailbox, &grant, &key, error);
    if (status == MQ_NOT_FOUND)
        return mq_fail(
            error, MQ_NOT_FOUND,
            _("the team's key is not here yet, so nothing can be sealed; the records stay saved on this device"));
    if (status == MQ_OK)
        status = mq_own_stream(replica, &work->team, work->compartment, &work->stream, error);
    if (status == MQ_OK)
        status = batch_head(replica, work->batch, &head, error);
    if (status == MQ_OK)
        status = frontier_read(replica, work->mailbox, work->stream.stream, &head, error);
    struct mq_buffer expanded = mq_buffer(work->memory + MQ_SEGMENT_MAX, MQ_BATCH_MAX);
    if (status == MQ_OK)
        status = batch_changes(replica, work->batch, work->changes, &count, &expanded, error);
    struct mq_buffer payload = mq_buffer(work->memory + MQ_SEGMENT_MAX + MQ_BATCH_MAX, MQ_BATCH_MAX);
    if (status == MQ_OK) {
        status = mq_payload_encode(&payload, &head, work->changes, count);
        MQ_ASSERT(status == MQ_OK);
        status = seal_payload(replica, work, mq_written(&payload), &grant, &key, error);
    }
    if (status == MQ_OK)
        status = frontier_said(replica, &head, error);
    mq_secret_wipe(&key);
    return status;
}

static enum mq_status next_batch(struct mq_replica *replica, struct seal_work *work, struct mq_error *error)
{
    struct mq_query *query;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT number, team, compartment, mailbox FROM batch JOIN mailbox USING(mailbox) WHERE count > 0"
        " ORDER BY number LIMIT 1",
        "");
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    work->batch = mq_db_int(query, 0);
    memcpy(team, mq_db_blob(query, 1).data, MQ_ID_SIZE);
    work->compartment = (uint32_t)mq_db_int(query, 2);
    memcpy(work->mailbox, mq_db_blob(query, 3).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return mq_team_find(replica, team, &work->team, error);
}

enum mq_status mq_seal_all(struct mq_replica *replica, struct mq_error *error)
{
    struct seal_work work = {.batch = 0};
    bool sealed = false;
    enum mq_status status = next_batch(replica, &work, error);
    if (status == MQ_NOT_FOUND && error->status == MQ_OK)
        return MQ_OK;
    if (status != MQ_OK)
        return status;
    work.memory = mq_work_memory(SEAL_MEMORY);
    work.changes = mq_work_memory(MQ_CHANGES_MAX * sizeof *work.changes);
    while (status == MQ_OK) {
        status = mq_replica_transact(replica, seal_batch, &work, error);
        sealed = sealed || status == MQ_OK;
        if (status == MQ_OK)
            status = next_batch(replica, &work, error);
    }
    if (status == MQ_NOT_FOUND && error->status == MQ_OK)
        status = MQ_OK;
    if (sealed && status == MQ_OK)
        status = mq_own_witness(replica, &work.stream, error);
    if (status != MQ_OK)
        mq_chain_reset(&replica->chain); /* it may stand on a segment that was rolled back */
    mq_work_free(work.memory, SEAL_MEMORY);
    mq_work_free(work.changes, MQ_CHANGES_MAX * sizeof *work.changes);
    return status;
}

/* Within one start of the machine its own clock is surer than the one on the wall. */
static int64_t batch_age(struct mq_replica *replica, uint32_t boot, int64_t monotonic, int64_t wall)
{
    const struct mq_platform *platform = replica->platform;
    return boot == platform->boot(platform->self) ? platform->monotonic_ms(platform->self) / 1000 - monotonic
                                                  : mq_now(platform) - wall;
}

enum mq_status mq_seal_aged(struct mq_replica *replica, int64_t seconds, struct mq_error *error)
{
    struct mq_query *query;
    bool aged = false;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT boot, monotonic, wall FROM batch WHERE count > 0", "");
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        int64_t age = batch_age(replica, (uint32_t)mq_db_int(query, 0), mq_db_int(query, 1), mq_db_int(query, 2));
        aged = aged || age < 0 || age >= seconds; /* a clock that was set back tells nothing */
    }
    if (error->status != MQ_OK)
        return error->status;
    return aged ? mq_seal_all(replica, error) : MQ_OK;
}
