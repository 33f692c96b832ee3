/* Cuts and names of revoked certificates: kept everywhere, applied to what is stored. */
#include "replica/revoke_keys.h"

#include <string.h>

#include "protocol/control_keys.h"
#include "replica/admit_keys.h"
#include "replica/outbox.h"
#include "replica/view.h"

/* What the cuts of certificate ?1 reach in stream ?2: the named segments, and by `previous` what they follow. The last of
 * a chain may be none that is stored: a hole, or what the first segment follows, the announce. */
#define PAST \
    "WITH RECURSIVE past(id, seq) AS (SELECT id, seq FROM cut WHERE certificate = ?1 AND stream = ?2" \
    " UNION SELECT g.previous, past.seq - 1 FROM past JOIN segment AS g ON g.id = past.id WHERE g.stream = ?2) "
#define COUNTS "(id IN (SELECT id FROM past) OR id IN (SELECT id FROM adopted WHERE certificate = ?1))"

/* ---- asking ---- */

static enum mq_status hash_revoked(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], bool *revoked,
                                   struct mq_error *error)
{
    int64_t count;
    enum mq_status status = mq_db_number(replica->db, &count, error,
                                         "SELECT count(*) FROM revoked WHERE certificate = ?", "b",
                                         mq_span(hash, MQ_HASH_SIZE));
    *revoked = status == MQ_OK && count > 0;
    return status;
}

enum mq_status mq_revoked(struct mq_replica *replica, const struct mq_certificate *certificate, bool *revoked,
                          struct mq_error *error)
{
    uint8_t hash[MQ_HASH_SIZE];
    mq_certificate_hash(hash, certificate);
    return hash_revoked(replica, hash, revoked, error);
}

enum mq_status mq_revoke_judge(struct mq_replica *replica, int64_t segment, const struct mq_announce *announce,
                               enum mq_verdict *out, struct mq_error *error)
{
    uint8_t hash[MQ_HASH_SIZE], stream[MQ_ID_SIZE];
    struct mq_query *query;
    bool revoked;
    *out = MQ_VERDICT_COUNTS;
    mq_certificate_hash(hash, &announce->certificate);
    mq_announce_stream(stream, announce);
    enum mq_status status = hash_revoked(replica, hash, &revoked, error);
    if (status != MQ_OK || !revoked)
        return status;
    status = mq_db_query(replica->db, &query, error,
                         PAST "SELECT mine OR " COUNTS ", EXISTS (SELECT 1 FROM past WHERE past.seq > s.seq"
                              " AND NOT EXISTS (SELECT 1 FROM segment AS h WHERE h.id = past.id)) FROM segment AS s WHERE number = ?3",
                         "bbi", MQ_SPAN(hash), MQ_SPAN(stream), segment);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_FAULT;
    if (mq_db_int(query, 0) == 0)
        *out = mq_db_int(query, 1) != 0 ? MQ_VERDICT_OPEN : MQ_VERDICT_BEYOND;
    mq_db_done(&query);
    return MQ_OK;
}

/* ---- applying ---- */

/* What counts no longer, or counts now, goes through the door again; a receipt must say so, though no segment came. */
static enum mq_status stream_apply(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_span stream,
                                   struct mq_error *error)
{
    struct mq_db *db = replica->db;
    struct mq_span certificate = mq_span(hash, MQ_HASH_SIZE);
    enum mq_status status = mq_db_run(db, error,
                                      PAST "UPDATE segment SET state = 0, reason = NULL WHERE stream = ?2 AND mine = 0"
                                           " AND state = 1 AND NOT " COUNTS,
                                      "bb", certificate, stream);
    if (status == MQ_OK && mq_db_changes(db) > 0)
        status = mq_setting_put_number(replica, "view_stale", 1, error);
    if (status == MQ_OK)
        status = mq_db_run(db, error,
                           PAST "UPDATE segment SET state = 0, reason = NULL WHERE stream = ?2 AND state = 2"
                                " AND reason = 'revoked' AND " COUNTS,
                           "bb", certificate, stream);
    return status == MQ_OK ? mq_db_run(db, error, "DELETE FROM setting WHERE name = 'branches:' || lower(hex(?))", "b",
                                       stream)
                           : status;
}

enum mq_status mq_revoked_stream(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], uint8_t at[MQ_ID_SIZE],
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT stream, announce FROM stream WHERE stream > ? ORDER BY stream", "b",
                                        mq_span(at, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    status = MQ_NOT_FOUND;
    while (status == MQ_NOT_FOUND && mq_db_next(&query, error)) {
        struct mq_announce announce;
        uint8_t own[MQ_HASH_SIZE];
        if (mq_announce_decode(&announce, mq_db_blob(query, 1)) != MQ_OK)
            continue; /* `check` names it */
        mq_certificate_hash(own, &announce.certificate);
        if (memcmp(own, hash, sizeof own) != 0)
            continue;
        memcpy(at, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = MQ_OK;
    }
    mq_db_done(&query);
    return error->status != MQ_OK ? error->status : status;
}

/* Where it is a desk's, what that desk confirmed counts no longer, in whatever order it came. */
static enum mq_status desk_silence(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_error *error)
{
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t count;
    enum mq_status status = mq_desks(replica, desks, MQ_DESKS_MAX, &count, error);
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        uint8_t own[MQ_HASH_SIZE], name[MQ_KID_SIZE];
        mq_certificate_hash(own, &desks[i]);
        mq_key_name(name, desks[i].sign_public);
        if (memcmp(own, hash, sizeof own) == 0)
            status = mq_receipts_forget(replica, desks[i].team, name, error);
    }
    return status;
}

enum mq_status mq_revoke_meet(struct mq_replica *replica, const struct mq_certificate *desk, struct mq_error *error)
{
    uint8_t hash[MQ_HASH_SIZE];
    bool revoked;
    mq_certificate_hash(hash, desk);
    enum mq_status status = hash_revoked(replica, hash, &revoked, error);
    return status == MQ_OK && revoked ? desk_silence(replica, hash, error) : status;
}

static enum mq_status silence_all(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT certificate FROM revoked", "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = desk_silence(replica, mq_db_blob(query, 0).data, error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_revoke_silence(struct mq_replica *replica, struct mq_error *error)
{
    int64_t stale;
    enum mq_status status = mq_setting_number(replica, "words_stale", &stale, error);
    if (status != MQ_OK || stale == 0)
        return status;
    status = silence_all(replica, error);
    return status == MQ_OK ? mq_setting_put_number(replica, "words_stale", 0, error) : status;
}

enum mq_status mq_revoke_apply(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_error *error)
{
    uint8_t stream[MQ_ID_SIZE] = {0};
    enum mq_status status = desk_silence(replica, hash, error);
    if (status != MQ_OK)
        return status;
    while ((status = mq_revoked_stream(replica, hash, stream, error)) == MQ_OK) {
        status = stream_apply(replica, hash, MQ_SPAN(stream), error);
        if (status != MQ_OK)
            return status;
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_revoke_settle(struct mq_replica *replica, struct mq_error *error)
{
    int64_t stale;
    enum mq_status status = mq_setting_number(replica, "view_stale", &stale, error);
    if (status != MQ_OK || stale == 0)
        return status;
    status = mq_setting_put_number(replica, "view_stale", 0, error); /* first: a rebuild comes by here again */
    return status == MQ_OK ? mq_view_rebuild(replica, error) : status;
}

/* ---- the tables ---- */

enum mq_status mq_revoked_rows_drop(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_error *error)
{
    struct mq_span certificate = mq_span(hash, MQ_HASH_SIZE);
    enum mq_status status = mq_db_run(replica->db, error, "DELETE FROM cut WHERE certificate = ?", "b", certificate);
    return status == MQ_OK
               ? mq_db_run(replica->db, error, "DELETE FROM adopted WHERE certificate = ?", "b", certificate)
               : status;
}

/* `*more`: something of it was not here. */
static enum mq_status rows_add(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                               const struct mq_revocation *said, bool *more, struct mq_error *error)
{
    struct mq_db *db = replica->db;
    struct mq_span certificate = MQ_SPAN(said->certificate);
    enum mq_status status = mq_db_run(db, error, "INSERT OR IGNORE INTO revoked VALUES(?, ?)", "bb", certificate,
                                      mq_span(team, MQ_ID_SIZE));
    *more = status == MQ_OK && mq_db_changes(db) > 0;
    for (size_t i = 0; i < said->cut_count && status == MQ_OK; i++) {
        struct mq_cut cut;
        mq_cut_get(&cut, said, i);
        status = mq_db_run(db, error, "INSERT OR IGNORE INTO cut VALUES(?, ?, ?, ?)", "bbib", certificate,
                           MQ_SPAN(cut.stream), (int64_t)cut.seq, MQ_SPAN(cut.id));
        *more = *more || (status == MQ_OK && mq_db_changes(db) > 0);
    }
    for (size_t i = 0; i < said->adopted_count && status == MQ_OK; i++) {
        status = mq_db_run(db, error, "INSERT OR IGNORE INTO adopted VALUES(?, ?)", "bb", certificate,
                           mq_span(said->adopted.data + i * MQ_SEGMENT_ID_SIZE, MQ_SEGMENT_ID_SIZE));
        *more = *more || (status == MQ_OK && mq_db_changes(db) > 0);
    }
    return status;
}

enum mq_status mq_revoked_rows_count(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], size_t *cuts,
                                     size_t *names, struct mq_error *error)
{
    struct mq_span certificate = mq_span(hash, MQ_HASH_SIZE);
    int64_t count;
    enum mq_status status =
        mq_db_number(replica->db, &count, error, "SELECT count(*) FROM cut WHERE certificate = ?", "b", certificate);
    *cuts = status == MQ_OK ? (size_t)count : 0;
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &count, error, "SELECT count(*) FROM adopted WHERE certificate = ?", "b",
                              certificate);
    *names = status == MQ_OK ? (size_t)count : 0;
    return status;
}

/* Over the limits, which takes a hostile writer of many branches and a desk that was set back between two revocations, what
 * came here first is kept, as where cuts are chosen: what is cut off waits in quarantine, and can be let in by name. */
enum mq_status mq_revoked_rows_trim(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_error *error)
{
    struct mq_span certificate = mq_span(hash, MQ_HASH_SIZE);
    enum mq_status status = mq_db_run(replica->db, error,
                                      "DELETE FROM cut WHERE certificate = ?1 AND id NOT IN"
                                      " (SELECT id FROM cut LEFT JOIN segment USING(id) WHERE certificate = ?1"
                                      " ORDER BY number IS NULL, number, cut.seq DESC, id LIMIT ?2)",
                                      "bi", certificate, (int64_t)MQ_CUTS_MAX);
    return status == MQ_OK ? mq_db_run(replica->db, error,
                                       "DELETE FROM adopted WHERE certificate = ?1 AND id NOT IN"
                                       " (SELECT id FROM adopted WHERE certificate = ?1 ORDER BY id LIMIT ?2)",
                                       "bi", certificate, (int64_t)MQ_ADOPTED_MAX)
                           : status;
}

/* ---- what comes ---- */

/* The desk that makes them keeps the union of all it ever said: it was set back if one comes that says more, or one that is newer.
 * That may have come on a stick, to a server that was set back too: it is said once more. */
static enum mq_status take_own(struct mq_replica *replica, const struct mq_control *control,
                               const struct mq_revocation *said, bool newer, struct mq_error *error)
{
    size_t cuts, names;
    bool more;
    enum mq_status status = rows_add(replica, control->team, said, &more, error);
    if (status == MQ_OK)
        status = mq_revoked_rows_trim(replica, said->certificate, error);
    if (status == MQ_OK)
        status = mq_revoked_rows_count(replica, said->certificate, &cuts, &names, error);
    if (status != MQ_OK)
        return status;
    bool lacks = newer ? cuts > said->cut_count || names > said->adopted_count : more;
    if (lacks)
        return mq_revoke_say(replica, control->team, said->certificate, error);
    if (newer)
        status = mq_outbox_put(replica, MQ_FRAME_CONTROL, MQ_SPAN(said->certificate), control->bytes, error);
    if (status != MQ_OK)
        return status;
    return more ? mq_revoke_apply(replica, said->certificate, error) : MQ_OK;
}

static enum mq_status take_newer(struct mq_replica *replica, const struct mq_control *control,
                                 const struct mq_revocation *said, struct mq_error *error)
{
    bool more;
    enum mq_status status = mq_revoked_rows_drop(replica, said->certificate, error);
    if (status == MQ_OK)
        status = rows_add(replica, control->team, said, &more, error);
    return status == MQ_OK ? mq_revoke_apply(replica, said->certificate, error) : status;
}

enum mq_status mq_revoke_take(struct mq_replica *replica, const struct mq_control *control, struct mq_admitted *result,
                              struct mq_error *error)
{
    struct mq_revocation said;
    bool own = false, newer = false;
    if (mq_revocation_get(&said, control) != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    enum mq_status status = mq_governs_team(replica, control->team, &own, error);
    if (status == MQ_OK)
        status = mq_control_store(replica, control, MQ_RANK_COUNTY, &newer, error);
    if (status != MQ_OK || (!own && !newer))
        return status;
    return own ? take_own(replica, control, &said, newer, error) : take_newer(replica, control, &said, error);
}

static enum mq_status reload_one(struct mq_replica *replica, struct mq_query *query, struct mq_error *error)
{
    struct mq_control control;
    struct mq_revocation said;
    bool more;
    if (mq_control_decode(&control, mq_db_blob(query, 0)) != MQ_OK || mq_revocation_get(&said, &control) != MQ_OK)
        return MQ_OK; /* of a program that did not know the kind yet */
    return rows_add(replica, control.team, &said, &more, error);
}

enum mq_status mq_revoke_reload(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_script(replica->db, "DELETE FROM revoked; DELETE FROM cut; DELETE FROM adopted;", error);
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error, "SELECT bytes FROM control WHERE kind = ?", "i",
                             (int64_t)MQ_CONTROL_REVOCATION);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = reload_one(replica, query, error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}
