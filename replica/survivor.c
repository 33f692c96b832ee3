/* The changes of segments that can be opened no more: written down before the body goes, and merged from there. */
#include "replica/survivor.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* ---- keeping ---- */

enum mq_status mq_survivors_keep(struct mq_replica *replica, int64_t segment, struct mq_error *error)
{
    enum mq_status status = mq_db_run(
        replica->db, error,
        "INSERT OR IGNORE INTO survivor(segment, id, wall, expanded)"
        " SELECT ?1, id, wall, expanded FROM (SELECT number, id, wall, expanded FROM change WHERE segment = ?1"
        " UNION ALL SELECT c.number, c.id, c.wall, c.expanded FROM twice AS t JOIN change AS c ON c.id = t.id"
        " WHERE t.segment = ?1) ORDER BY number",
        "i", segment);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error,
                           "INSERT OR IGNORE INTO survivor(segment, id, wall, expanded)"
                           " SELECT segment, id, wall, expanded FROM other WHERE segment = ?",
                           "i", segment);
    return status == MQ_OK ? mq_db_run(replica->db, error, "UPDATE segment SET kept = 1 WHERE number = ?", "i", segment)
                           : status;
}

enum mq_status mq_survivors_keep_all(struct mq_replica *replica, int64_t segment, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "WITH RECURSIVE later(number, id, stream, kept, state) AS"
        " (SELECT number, id, stream, kept, state FROM segment WHERE number = ?"
        " UNION SELECT g.number, g.id, g.stream, g.kept, g.state FROM segment AS g JOIN later"
        " ON g.previous = later.id AND g.stream = later.stream WHERE g.links > 0)"
        " SELECT number FROM later WHERE kept = 0 AND state = 1",
        "i", segment);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = mq_survivors_keep(replica, mq_db_int(query, 0), error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* ---- merging ---- */

/* Where a kept segment's changes came from: its stream's announce, and what is left of the segment itself. */
struct origin {
    struct mq_announce announce;
    bool keyless;
};

static enum mq_status survivor_merge(struct mq_replica *replica, int64_t segment, struct mq_query *query,
                                     const struct origin *origin, struct mq_error *error)
{
    const struct mq_announce *announce = &origin->announce;
    struct mq_said said = {.compartment = announce->compartment, .keyless = origin->keyless};
    uint8_t room[MQ_REPLACED_MAX * MQ_NAME_SIZE], record[MQ_ID_SIZE], id[MQ_ID_SIZE];
    struct mq_buffer names = mq_buffer(room, sizeof room);
    struct mq_span expanded = mq_db_blob(query, 2);
    struct mq_change change;
    int64_t wall = mq_db_int(query, 1);
    memcpy(id, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    if (mq_change_decode(&change, expanded, &names) != MQ_OK)
        return mq_fail(error, MQ_DAMAGED, _("a segment in this store is damaged; `check` names it"));
    if (change.type < MQ_CHANGE_CREATE || change.type > MQ_CHANGE_DECIDE)
        return mq_db_run(replica->db, error, "INSERT OR IGNORE INTO other VALUES(?, ?, ?, ?)", "ibib", segment,
                         MQ_SPAN(id), wall, expanded);
    memcpy(record, change.type == MQ_CHANGE_CREATE ? id : change.record, MQ_ID_SIZE);
    mq_key_name(said.writer, announce->certificate.sign_public);
    const struct mq_view_change row = {.id = id,
                                       .record = record,
                                       .team = announce->certificate.team,
                                       .rank = mq_role_rank(announce->certificate.role),
                                       .said = said,
                                       .serial = announce->certificate.serial,
                                       .segment = segment,
                                       .wall = wall,
                                       .expanded = expanded};
    enum mq_status status = mq_view_add(replica, &row, error);
    return status == MQ_OK ? mq_view_settle(replica, record, error) : status;
}

static enum mq_status origin_of(struct mq_replica *replica, int64_t segment, struct origin *out, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT announce, substr(bytes, 2, 1) FROM segment JOIN stream USING(stream) WHERE number = ? AND kept = 1", "i", segment);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    status = mq_announce_decode(&out->announce, mq_db_blob(query, 0));
    out->keyless = (mq_db_blob(query, 1).data[0] & MQ_SEGMENT_FLAG_WRITE_ONLY) != 0; /* whole or a skeleton */
    mq_db_done(&query);
    return status == MQ_OK ? MQ_OK : mq_fail(error, MQ_DAMAGED, _("a stream's announce in this store is damaged"));
}

enum mq_status mq_survivors_merge(struct mq_replica *replica, int64_t segment, struct mq_admitted *result,
                                  struct mq_error *error)
{
    struct origin origin;
    struct mq_query *query;
    enum mq_status status = origin_of(replica, segment, &origin, error);
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error,
                             "SELECT id, wall, expanded FROM survivor WHERE segment = ? ORDER BY number", "i", segment);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        status = survivor_merge(replica, segment, query, &origin, error);
        result->changes++;
    }
    mq_db_done(&query);
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK)
        status = mq_view_settle_references(replica, error);
    return status == MQ_OK ? mq_db_run(replica->db, error,
                                       "UPDATE segment SET state = 1, reason = NULL WHERE number = ?", "i", segment)
                           : status;
}
