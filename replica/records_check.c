/* `check`: every page, every signature, every link of every chain; the view made anew and compared. */
#include <string.h>

#include "protocol/assert.h"
#include "replica/admit.h"
#include "replica/check_parts.h"
#include "replica/keyring_keys.h"
#include "replica/need_chain.h"
#include "replica/records.h"
#include "replica/search_index.h"
#include "replica/view.h"

#define HASHES 4 /* of a view: groups, needs, search, and the other derived tables */

enum mq_status mq_check_finding(struct mq_check_work *work, const char *what, struct mq_span id, struct mq_error *error)
{
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    work->damaged = true;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "what");
    mq_json_text_value(&writer, what);
    mq_json_key(&writer, "id");
    mq_json_hex_value(&writer, id);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!out.failed);
    return work->emitter->emit(work->emitter->context, mq_written(&out), error);
}

/* The row's own columns against its bytes, and the signature against the announce. */
static enum mq_status check_segment(struct mq_check_work *work, struct mq_query *query, struct mq_error *error)
{
    struct mq_segment segment;
    struct mq_announce announce;
    struct mq_span id = mq_db_blob(query, 0), stream = mq_db_blob(query, 1), bytes = mq_db_blob(query, 3),
                   announced = mq_db_blob(query, 4);
    work->result->segments++;
    bool erased = mq_db_int(query, 5) == 2; /* the body went on purpose: what is left still verifies and chains */
    work->result->erased += erased;
    enum mq_status whole = erased ? mq_skeleton_decode(&segment, bytes) : mq_segment_decode(&segment, bytes);
    if (whole != MQ_OK || !mq_span_equal(id, MQ_SPAN(segment.id)) ||
        !mq_span_equal(stream, MQ_SPAN(segment.stream)) || mq_db_int(query, 2) != (int64_t)segment.seq ||
        !mq_span_equal(mq_db_blob(query, 6), MQ_SPAN(segment.previous)))
        return mq_check_finding(work, "segment differs from what was stored", id, error);
    if (announced.size == 0) /* none is stored before its announce is (admit.c) */
        return mq_check_finding(work, "segment without its announce", id, error);
    if (mq_announce_decode(&announce, announced) != MQ_OK)
        return mq_check_finding(work, "announce does not verify", stream, error);
    if (mq_segment_verify(&segment, &announce) != MQ_OK)
        return mq_check_finding(work, "signature does not verify", id, error);
    return MQ_OK;
}

static enum mq_status check_segments(struct mq_check_work *work, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        work->replica->db, &query, error,
        "SELECT g.id, g.stream, g.seq, g.bytes, s.announce, g.erased, g.previous FROM segment AS g"
        " LEFT JOIN stream AS s ON s.stream = g.stream ORDER BY g.number",
        "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = check_segment(work, query, error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* Others' holes and forks are counted; they are no damage here. */
static enum mq_status count_chains(struct mq_check_work *work, struct mq_error *error)
{
    struct mq_db *db = work->replica->db;
    enum mq_status status =
        mq_db_number(db, &work->result->forks, error,
                     "SELECT count(*) FROM (SELECT 1 FROM segment GROUP BY stream, seq HAVING count(*) > 1)", "");
    if (status != MQ_OK)
        return status;
    return mq_db_number(
        db, &work->result->holes, error,
        "SELECT count(*) FROM segment AS g WHERE seq > 1 AND NOT EXISTS (SELECT 1 FROM segment AS p WHERE p.id = g.previous)",
        "");
}

/* Of the groups, and of what is noted beside them. */
static enum mq_status hash_view(struct mq_replica *replica, uint8_t out[HASHES * MQ_HASH_SIZE], struct mq_error *error)
{
    enum mq_status status = mq_view_hash(replica, out, error);
    if (status == MQ_OK)
        status = mq_need_hash(replica, out + MQ_HASH_SIZE, error);
    if (status == MQ_OK)
        status = mq_search_hash(replica, out + 2 * MQ_HASH_SIZE, error);
    return status == MQ_OK ? mq_check_derived(replica, out + 3 * MQ_HASH_SIZE, error) : status;
}

/* Always made anew inside a transaction; kept only where it was asked for. */
static enum mq_status check_view(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct mq_check_work *work = context;
    uint8_t before[HASHES * MQ_HASH_SIZE], after[HASHES * MQ_HASH_SIZE];
    enum mq_status status = hash_view(replica, before, error);
    bool broken = status == MQ_NOT_FOUND || status == MQ_REFUSED; /* its tables do not even fit together */
    if (broken)
        mq_error_clear(error);
    if (status == MQ_OK || broken)
        status = mq_view_rebuild(replica, error);
    if (status == MQ_OK)
        status = hash_view(replica, after, error);
    if (status != MQ_OK)
        return status;
    if (!broken && memcmp(before, after, sizeof before) == 0)
        return work->rebuild ? MQ_OK : MQ_WAITING; /* blocks of search are not compared, so a rebuild is always kept */
    status = mq_check_finding(work, "view differs from journal and segments", mq_span(after, MQ_HASH_SIZE), error);
    if (status == MQ_OK && !work->rebuild)
        return MQ_WAITING; /* nothing is repaired unasked */
    return status;
}

static enum mq_status count_all(struct mq_check_work *work, struct mq_error *error)
{
    struct mq_partition partition;
    struct mq_check_result *result = work->result;
    enum mq_status status = mq_partition(work->replica, &partition, error);
    result->waiting = partition.waiting;
    result->quarantined = partition.quarantined;
    result->undecodable = partition.undecodable;
    if (status == MQ_OK)
        status = mq_db_number(work->replica->db, &result->changes, error, "SELECT count(*) FROM change", "");
    if (status == MQ_OK)
        status =
            mq_db_number(work->replica->db, &result->records, error, "SELECT count(*) FROM state WHERE kind > 0", "");
    return status;
}

enum mq_status mq_records_check(struct mq_replica *replica, bool rebuild, struct mq_check_result *result,
                                const struct mq_emitter *emitter, struct mq_error *error)
{
    *result = (struct mq_check_result){0};
    struct mq_check_work work = {.replica = replica, .result = result, .emitter = emitter, .rebuild = rebuild};
    enum mq_status status = mq_db_check(replica->db, error);
    if (status == MQ_OK)
        status = check_segments(&work, error);
    if (status == MQ_OK)
        status = mq_check_truth(&work, error);
    if (status == MQ_OK)
        status = count_chains(&work, error);
    bool truth_damaged = work.damaged; /* the view may hold what could not be read any more: it is left as it is */
    if (status == MQ_OK && !truth_damaged) {
        status = mq_replica_transact(replica, check_view, &work, error);
        if (status == MQ_WAITING) /* rolled back, as meant */
            status = MQ_OK;
    }
    if (status == MQ_OK)
        status = count_all(&work, error);
    if (status == MQ_OK && truth_damaged)
        return mq_fail(error, MQ_DAMAGED,
                       _("damage was found in what is kept for good, and is listed; the view was left as it is. `bundle write` "
                         "saves what can be read; then bring this back from a backup"));
    if (status == MQ_OK && work.damaged)
        return mq_fail(error, MQ_DAMAGED,
                       rebuild ? _("the view differed from what is kept for good; it was made anew, and nothing is lost")
                               : _("damage was found and is listed; the rest is sound. `check --rebuild` makes the view anew"));
    return status;
}
