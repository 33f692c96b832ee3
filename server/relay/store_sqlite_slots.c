/* What is not a log in SQLite: controls, desks, tokens, and what waits for a while (parts, enrolments). */
#include <string.h>

#include "protocol/assert.h"
#include "server/relay/store_sqlite.h"

/* Hands the first column of every row to `take`. `status` is that of the query's start. */
static enum mq_status give_bytes(enum mq_status status, struct mq_query **query, mq_take_bytes *take, void *context,
                                 struct mq_error *error)
{
    bool more = status == MQ_OK;

    while (more) {
        status = mq_sqlite_step(query, error);
        more = status == MQ_OK && take(context, mq_db_blob(*query, 0));
    }
    mq_db_done(query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* ---- Controls ---- */

enum mq_status mq_sqlite_put_control(struct mq_store *base, const struct mq_control *control, bool *kept,
                                     struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    uint8_t owner[MQ_KID_SIZE];

    *kept = false;
    mq_control_owner(owner, control);
    if (control->number > INT64_MAX)
        return mq_fail(error, MQ_REFUSED, _("a control object's number is too great"));
    enum mq_status status = mq_sqlite_enter(store, error);
    if (status != MQ_OK)
        return status;
    status = mq_db_run(store->db, error,
                       "INSERT INTO control (team, kind, subject, owner, number, bytes) VALUES (?, ?, ?, ?, ?, ?)"
                       " ON CONFLICT DO UPDATE SET number = excluded.number, bytes = excluded.bytes"
                       " WHERE excluded.number > control.number",
                       "bibbib", MQ_SPAN(control->team), (int64_t)control->kind, MQ_SPAN(control->subject),
                       MQ_SPAN(owner), (int64_t)control->number, control->bytes);
    bool changed = status == MQ_OK && mq_db_changes(store->db) > 0;
    status = mq_sqlite_leave(store, status, error);
    *kept = changed && status == MQ_OK;
    return status;
}

enum mq_status mq_sqlite_controls(struct mq_store *base, const uint8_t *team, uint8_t kind, const uint8_t *subject,
                                  mq_take_bytes *take, void *context, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_span wanted = subject == NULL ? mq_span(NULL, 0) : mq_span(subject, MQ_ID_SIZE);
    enum mq_status status = mq_db_query(
        mq_sqlite(base)->db, &query, error,
        "SELECT bytes FROM control WHERE team = ?1 AND (?2 = 0 OR kind = ?2) AND (length(?3) = 0 OR subject = ?3)"
        " ORDER BY number DESC",
        "bib", mq_span(team, MQ_ID_SIZE), (int64_t)kind, wanted);

    return give_bytes(status, &query, take, context, error);
}

/* ---- Desks ---- */

/* Inserts unless it is there. *full: there are too many others. */
static enum mq_status insert_desk(struct mq_db *db, struct mq_span certificate, bool *full, struct mq_error *error)
{
    uint8_t id[MQ_HASH_SIZE];
    int64_t count = 0;
    struct mq_query *query;

    mq_hash_one(id, sizeof id, MQ_DOMAIN_BODY, certificate);
    enum mq_status status = mq_db_query(db, &query, error, "SELECT 1 FROM desk WHERE id = ?", "b", MQ_SPAN(id));
    status = mq_sqlite_any(status, &query, error);
    if (status != MQ_NOT_FOUND)
        return status;
    status = mq_db_number(db, &count, error, "SELECT count(*) FROM desk", "");
    *full = count >= MQ_DESKS_MAX;
    if (status != MQ_OK || *full)
        return status;
    return mq_db_run(db, error, "INSERT INTO desk (id, bytes) VALUES (?, ?)", "bb", MQ_SPAN(id), certificate);
}

enum mq_status mq_sqlite_put_desk(struct mq_store *base, struct mq_span certificate, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    bool full = false;
    enum mq_status status = mq_sqlite_enter(store, error);

    if (status != MQ_OK)
        return status;
    status = mq_sqlite_leave(store, insert_desk(store->db, certificate, &full, error), error);
    if (status == MQ_OK && full)
        return mq_fail(error, MQ_REFUSED, _("this relay knows %d desks already and takes no more"), MQ_DESKS_MAX);
    return status;
}

enum mq_status mq_sqlite_desks(struct mq_store *base, struct mq_certificate *out, size_t most, size_t *count,
                               struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error, "SELECT bytes FROM desk", "");

    *count = 0;
    while (status == MQ_OK && *count < most) {
        status = mq_sqlite_step(&query, error);
        if (status != MQ_OK)
            break;
        if (mq_certificate_decode(&out[*count], mq_db_blob(query, 0)) != MQ_OK)
            status = mq_fail(error, MQ_DAMAGED, _("a desk's certificate in the relay's store is damaged"));
        ++*count;
    }
    mq_db_done(&query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* ---- Tokens ---- */

static enum mq_status replace_access(struct mq_db *db, struct mq_span team, struct mq_span entries,
                                     struct mq_error *error)
{
    struct mq_reader reader = mq_reader(entries);
    struct mq_access access;
    enum mq_status status = mq_db_run(db, error, "DELETE FROM access WHERE team = ?", "b", team);

    while (status == MQ_OK && mq_left(&reader) > 0) {
        MQ_ASSERT(mq_access_get(&access, &reader) == MQ_OK); /* whole entries */
        status = mq_db_run(
            db, error, "INSERT OR IGNORE INTO access (token_hash, team, key_name, rights) VALUES (?, ?, ?, ?)", "bbbi",
            MQ_SPAN(access.token_hash), team, MQ_SPAN(access.key_name), (int64_t)access.rights);
    }
    return status;
}

enum mq_status mq_sqlite_set_access(struct mq_store *base, const uint8_t *team, struct mq_span entries,
                                    struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);

    if (entries.size % MQ_ACCESS_ENTRY_SIZE != 0 || entries.size / MQ_ACCESS_ENTRY_SIZE > MQ_ACCESS_ENTRIES_MAX)
        return mq_fail(error, MQ_REFUSED, _("an access list of %zu bytes is none"), entries.size);
    enum mq_status status = mq_sqlite_enter(store, error);
    if (status != MQ_OK)
        return status;
    status = replace_access(store->db, mq_span(team, MQ_ID_SIZE), entries, error);
    return mq_sqlite_leave(store, status, error);
}

enum mq_status mq_sqlite_access(struct mq_store *base, const uint8_t *token_hash, struct mq_access *out, uint8_t *team,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error,
                                        "SELECT team, key_name, rights FROM access WHERE token_hash = ?", "b",
                                        mq_span(token_hash, MQ_ID_SIZE));

    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK) {
        memcpy(out->token_hash, token_hash, sizeof out->token_hash);
        out->rights = (uint8_t)mq_db_int(query, 2);
        status = mq_sqlite_fixed(query, 0, team, MQ_ID_SIZE, error);
    }
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 1, out->key_name, sizeof out->key_name, error);
    mq_db_done(&query);
    return status;
}

/* ---- Parts ---- */

struct part {
    struct mq_span owner, id, bytes;
    uint32_t size, offset;
    int32_t day;
};

/* Of this segment and owner; those that name another size are forgotten. */
static enum mq_status insert_part(struct mq_db *db, const struct part *part, struct mq_error *error)
{
    enum mq_status status = mq_db_run(db, error, "DELETE FROM part WHERE owner = ? AND id = ? AND size <> ?", "bbi",
                                      part->owner, part->id, (int64_t)part->size);

    if (status != MQ_OK)
        return status;
    return mq_db_run(db, error,
                     "INSERT OR REPLACE INTO part (owner, id, offset, size, day, bytes) VALUES (?, ?, ?, ?, ?, ?)",
                     "bbiiib", part->owner, part->id, (int64_t)part->offset, (int64_t)part->size, (int64_t)part->day,
                     part->bytes);
}

/* Nobody's parts crowd out what others bring until all places are taken; then the oldest go. */
static enum mq_status forget_oldest_parts(struct mq_db *db, struct mq_span owner, struct mq_error *error)
{
    int64_t own = 0, all = 0;
    enum mq_status status = mq_db_number(db, &own, error, "SELECT count(*) FROM part WHERE owner = ?", "b", owner);

    if (status == MQ_OK && own > MQ_PARTS_OWNER_MAX)
        status = mq_db_run(db, error,
                           "DELETE FROM part WHERE place IN (SELECT place FROM part WHERE owner = ?"
                           " ORDER BY place LIMIT ?)",
                           "bi", owner, own - MQ_PARTS_OWNER_MAX);
    if (status == MQ_OK)
        status = mq_db_number(db, &all, error, "SELECT count(*) FROM part", "");
    if (status == MQ_OK && all > MQ_PARTS_WAITING_MAX)
        status = mq_db_run(db, error, "DELETE FROM part WHERE place IN (SELECT place FROM part ORDER BY place LIMIT ?)",
                           "i", all - MQ_PARTS_WAITING_MAX);
    return status;
}

/* Puts the parts together, overlaps and all. *complete: `whole` has `size` more bytes. */
static enum mq_status join_parts(struct mq_db *db, const struct part *part, struct mq_buffer *whole, bool *complete,
                                 struct mq_error *error)
{
    struct mq_query *query;
    size_t before = whole->size, done = 0;
    enum mq_status status =
        mq_db_query(db, &query, error, "SELECT offset, bytes FROM part WHERE owner = ? AND id = ? ORDER BY offset",
                    "bb", part->owner, part->id);

    while (status == MQ_OK && done < part->size) {
        status = mq_sqlite_step(&query, error);
        if (status != MQ_OK)
            break;
        size_t offset = (size_t)mq_db_int(query, 0);
        struct mq_span bytes = mq_db_blob(query, 1);
        if (offset > done)
            break; /* a hole */
        if (offset + bytes.size > done) {
            mq_put(whole, bytes.data + (done - offset), offset + bytes.size - done);
            done = offset + bytes.size;
        }
    }
    mq_db_done(&query);
    *complete = done == part->size;
    if (whole->failed)
        return mq_fail(error, MQ_NO_SPACE, _("a segment in parts is larger than it may be"));
    if (!*complete)
        whole->size = before;
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status put_and_join(struct mq_db *db, const struct part *part, struct mq_buffer *whole, bool *complete,
                                   struct mq_error *error)
{
    enum mq_status status = insert_part(db, part, error);

    if (status == MQ_OK)
        status = join_parts(db, part, whole, complete, error);
    if (status == MQ_OK && *complete)
        return mq_db_run(db, error, "DELETE FROM part WHERE owner = ? AND id = ?", "bb", part->owner, part->id);
    return status == MQ_OK ? forget_oldest_parts(db, part->owner, error) : status;
}

enum mq_status mq_sqlite_put_part(struct mq_store *base, const uint8_t *owner, const uint8_t *id, uint32_t size,
                                  uint32_t offset, struct mq_span bytes, int32_t day, struct mq_buffer *whole,
                                  struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    const struct part part = {.owner = mq_span(owner, MQ_KID_SIZE),
                              .id = mq_span(id, MQ_SEGMENT_ID_SIZE),
                              .bytes = bytes,
                              .size = size,
                              .offset = offset,
                              .day = day};
    bool complete = false;

    if (size > MQ_SEGMENT_MAX || offset > size || bytes.size == 0 || bytes.size > size - offset)
        return mq_fail(error, MQ_REFUSED, _("a part of a segment does not fit its size"));
    enum mq_status status = mq_sqlite_enter(store, error);
    if (status != MQ_OK)
        return status;
    size_t before = whole->size;
    status = mq_sqlite_leave(store, put_and_join(store->db, &part, whole, &complete, error), error);
    if (status != MQ_OK)
        whole->size = before; /* not stored, so not there */
    return status == MQ_OK && !complete ? MQ_WAITING : status;
}

/* ---- Enrolments ---- */

static enum mq_status insert_enrol(struct mq_db *db, struct mq_span id, struct mq_span request, int32_t day,
                                   struct mq_error *error)
{
    enum mq_status status = mq_db_run(db, error, "INSERT OR IGNORE INTO enrol (id, day, request) VALUES (?, ?, ?)",
                                      "bib", id, (int64_t)day, request);

    if (status == MQ_OK)
        status = mq_db_run(db, error,
                           "DELETE FROM enrol WHERE reply IS NULL AND place <= (SELECT place FROM enrol"
                           " WHERE reply IS NULL ORDER BY place DESC LIMIT 1 OFFSET ?)",
                           "i", (int64_t)MQ_ENROLS_WAITING_MAX);
    if (status == MQ_OK)
        status = mq_db_run(db, error,
                           "DELETE FROM enrol WHERE place <= (SELECT place FROM enrol ORDER BY place DESC"
                           " LIMIT 1 OFFSET ?)",
                           "i", (int64_t)MQ_ENROLS_KEPT_MAX);
    return status;
}

enum mq_status mq_sqlite_put_enrol(struct mq_store *base, const uint8_t *id, struct mq_span request, int32_t day,
                                   struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    enum mq_status status = mq_sqlite_enter(store, error);

    if (status != MQ_OK)
        return status;
    return mq_sqlite_leave(store, insert_enrol(store->db, mq_span(id, MQ_ID_SIZE), request, day, error), error);
}

enum mq_status mq_sqlite_enrols(struct mq_store *base, mq_take_bytes *take, void *context, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error,
                                        "SELECT request FROM enrol WHERE reply IS NULL ORDER BY place", "");

    return give_bytes(status, &query, take, context, error);
}

static enum mq_status put_reply(struct mq_db *db, struct mq_span id, struct mq_span reply, bool *found,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(db, &query, error, "SELECT 1 FROM enrol WHERE id = ?", "b", id);

    status = mq_sqlite_any(status, &query, error);
    *found = status == MQ_OK;
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    return mq_db_run(db, error, "UPDATE enrol SET reply = ? WHERE id = ? AND (reply IS NULL OR length(reply) = 1)",
                     "bb", reply, id);
}

enum mq_status mq_sqlite_answer_enrol(struct mq_store *base, const uint8_t *id, struct mq_span reply,
                                      struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    bool found = false;
    enum mq_status status = mq_sqlite_enter(store, error);

    if (status != MQ_OK)
        return status;
    status = mq_sqlite_leave(store, put_reply(store->db, mq_span(id, MQ_ID_SIZE), reply, &found, error), error);
    return status == MQ_OK && !found ? MQ_NOT_FOUND : status;
}

enum mq_status mq_sqlite_enrol_reply(struct mq_store *base, const uint8_t *id, struct mq_buffer *reply,
                                     struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error, "SELECT reply FROM enrol WHERE id = ?",
                                        "b", mq_span(id, MQ_ID_SIZE));

    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK && mq_db_is_null(query, 0))
        status = MQ_WAITING;
    if (status == MQ_OK) {
        mq_put_span(reply, mq_db_blob(query, 0));
        if (reply->failed)
            status = mq_fail(error, MQ_NO_SPACE, _("an enrolment's reply is larger than it may be"));
    }
    mq_db_done(&query);
    return status;
}

enum mq_status mq_sqlite_expire(struct mq_store *base, int32_t day, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    enum mq_status status = mq_sqlite_enter(store, error);

    if (status != MQ_OK)
        return status;
    status = mq_db_run(store->db, error, "DELETE FROM part WHERE day < ?", "i", (int64_t)day);
    if (status == MQ_OK)
        status = mq_db_run(store->db, error, "DELETE FROM enrol WHERE day < ?", "i", (int64_t)day);
    return mq_sqlite_leave(store, status, error);
}
