/* The relay's store in one SQLite file: its life, its schema, its groups of writes. */
#include "server/relay/store_sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

/* Numbers in the schema and in the statements are frame types. */
_Static_assert(MQ_FRAME_SEGMENT == 1 && MQ_FRAME_ANNOUNCE == 3 && MQ_FRAME_GRANT == 4, "frames in SQL");
_Static_assert(MQ_CONTROL_ACCESS == 2 && MQ_CONTROL_REVOCATION == 3 && MQ_KID_SIZE == 8, "control objects in SQL");

/* Only ever appended to. `total` is the running sum of ids; stream.head is the end of the unbroken chain. */
static const char *const steps[] = {
    "CREATE TABLE life (server_id BLOB NOT NULL) STRICT;"
    "CREATE TABLE mailbox (id BLOB PRIMARY KEY, head INTEGER NOT NULL, total BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE log (mailbox BLOB NOT NULL, number INTEGER NOT NULL, frame INTEGER NOT NULL,"
    "  id BLOB NOT NULL UNIQUE, stream BLOB NOT NULL, seq INTEGER NOT NULL, previous BLOB NOT NULL,"
    "  name BLOB NOT NULL, total BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (mailbox, number)) STRICT;"
    "CREATE INDEX log_segment ON log (stream, seq) WHERE frame = 1;"
    "CREATE UNIQUE INDEX log_announce ON log (stream) WHERE frame = 3;"
    "CREATE INDEX log_writer ON log (name) WHERE frame = 3;"
    "CREATE INDEX log_grant ON log (name) WHERE frame = 4;"
    "CREATE TABLE stream (id BLOB PRIMARY KEY, head_seq INTEGER NOT NULL, head_id BLOB NOT NULL,"
    "  count INTEGER NOT NULL, highest INTEGER NOT NULL, total BLOB NOT NULL, bytes INTEGER NOT NULL) STRICT,"
    "  WITHOUT ROWID;"
    "CREATE TABLE control (team BLOB NOT NULL, kind INTEGER NOT NULL, subject BLOB NOT NULL, number INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL, PRIMARY KEY (team, kind, subject)) STRICT;"
    "CREATE TABLE desk (id BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE access (token_hash BLOB PRIMARY KEY, team BLOB NOT NULL, key_name BLOB NOT NULL,"
    "  rights INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX access_team ON access (team);"
    "CREATE TABLE part (id BLOB NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL, day INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL, PRIMARY KEY (id, offset)) STRICT;"
    "CREATE INDEX part_day ON part (day);"
    "CREATE TABLE enrol (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, day INTEGER NOT NULL,"
    "  request BLOB NOT NULL, reply BLOB) STRICT;"
    "CREATE INDEX enrol_waiting ON enrol (place) WHERE reply IS NULL;",

    /* Parts have owners. Those that waited are forgotten: their devices send them again. */
    "DROP TABLE part;"
    "CREATE TABLE part (place INTEGER PRIMARY KEY, owner BLOB NOT NULL, id BLOB NOT NULL, offset INTEGER NOT NULL,"
    "  size INTEGER NOT NULL, day INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (owner, id, offset)) STRICT;"
    "CREATE INDEX part_day ON part (day);",

    /* What is not the county's to say has a slot for each desk (mq_control_owner). */
    "ALTER TABLE control RENAME TO control_before;"
    "CREATE TABLE control (team BLOB NOT NULL, kind INTEGER NOT NULL, subject BLOB NOT NULL, owner BLOB NOT NULL,"
    "  number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (team, kind, subject, owner)) STRICT;"
    "INSERT INTO control SELECT team, kind, subject, CASE WHEN kind IN (2, 3) THEN zeroblob(8) ELSE substr(bytes, 3, 8) END,"
    "  number, bytes FROM control_before;"
    "DROP TABLE control_before;",
};

/* ---- What all files of this backend use ---- */

/* A full disk may end the transaction under a verb that only reads. What is written after that would stand alone. */
static void look_after_group(struct mq_sqlite_store *store, struct mq_error *error)
{
    if (store->failed == MQ_OK && !mq_db_in_transaction(store->db))
        store->failed = mq_db_writable(store->db, error) == MQ_OK ? MQ_NO_SPACE : MQ_FAULT;
}

enum mq_status mq_sqlite_enter(struct mq_sqlite_store *store, struct mq_error *error)
{
    if (!store->group)
        return mq_db_begin(store->db, error);
    look_after_group(store, error);
    if (store->failed != MQ_OK)
        return mq_fail(error, store->failed, _("an earlier write of this group did not succeed"));
    return MQ_OK;
}

enum mq_status mq_sqlite_leave(struct mq_sqlite_store *store, enum mq_status status, struct mq_error *error)
{
    if (store->group) {
        store->failed = status;
        return status;
    }
    if (status == MQ_OK)
        return mq_db_commit(store->db, error);
    mq_db_rollback(store->db);
    return status;
}

enum mq_status mq_sqlite_step(struct mq_query **query, struct mq_error *error)
{
    struct mq_error trouble = {0};

    if (mq_db_next(query, &trouble))
        return MQ_OK;
    if (trouble.status == MQ_OK)
        return MQ_NOT_FOUND;
    return mq_fail(error, trouble.status, "%s", trouble.text);
}

enum mq_status mq_sqlite_any(enum mq_status status, struct mq_query **query, struct mq_error *error)
{
    if (status == MQ_OK)
        status = mq_sqlite_step(query, error);
    mq_db_done(query);
    return status;
}

enum mq_status mq_sqlite_fixed(struct mq_query *query, int column, void *out, size_t size, struct mq_error *error)
{
    struct mq_span bytes = mq_db_blob(query, column);

    if (bytes.size != size)
        return mq_fail(error, MQ_DAMAGED, _("the relay's store holds something that it did not write; run check"));
    memcpy(out, bytes.data, size);
    return MQ_OK;
}

enum mq_status mq_sqlite_blob(enum mq_status status, struct mq_query **query, struct mq_buffer *out,
                              struct mq_error *error)
{
    if (status == MQ_OK)
        status = mq_sqlite_step(query, error);
    if (status == MQ_OK) {
        mq_put_span(out, mq_db_blob(*query, 0));
        if (out->failed)
            status = mq_fail(error, MQ_NO_SPACE, _("something in the relay's store is larger than it may be"));
    }
    mq_db_done(query);
    return status;
}

/* ---- The store's life ---- */

static void close_store(struct mq_store *base)
{
    struct mq_sqlite_store *store = mq_sqlite(base);

    if (store == NULL)
        return;
    mq_db_close(store->db);
    free(store);
}

static enum mq_status server_id(struct mq_store *base, uint8_t out[MQ_SERVER_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error, "SELECT server_id FROM life", "");

    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 0, out, MQ_SERVER_ID_SIZE, error);
    mq_db_done(&query);
    return status;
}

static enum mq_status renew(struct mq_store *base, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    uint8_t id[MQ_SERVER_ID_SIZE];
    enum mq_status status = mq_sqlite_enter(store, error);

    if (status != MQ_OK)
        return status;
    mq_random(store->platform, id, sizeof id);
    status = mq_db_run(store->db, error, "DELETE FROM life", "");
    if (status == MQ_OK)
        status = mq_db_run(store->db, error, "INSERT INTO life (server_id) VALUES (?)", "b", MQ_SPAN(id));
    return mq_sqlite_leave(store, status, error);
}

static enum mq_status begin(struct mq_store *base, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);

    MQ_ASSERT(!store->group);
    enum mq_status status = mq_db_begin(store->db, error);
    if (status == MQ_OK) {
        store->group = true;
        store->failed = MQ_OK;
    }
    return status;
}

static void rollback(struct mq_store *base)
{
    struct mq_sqlite_store *store = mq_sqlite(base);

    MQ_ASSERT(store->group);
    mq_db_rollback(store->db);
    store->group = false;
}

static enum mq_status commit(struct mq_store *base, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);

    MQ_ASSERT(store->group);
    look_after_group(store, error);
    if (store->failed != MQ_OK) {
        rollback(base);
        return mq_fail(error, store->failed, _("a write of this group did not succeed; nothing of it was kept"));
    }
    store->group = false;
    return mq_db_commit(store->db, error);
}

static enum mq_status check(struct mq_store *base, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    enum mq_status status = mq_db_check(store->db, error);

    return status == MQ_OK ? mq_sqlite_check_logs(store, error) : status;
}

static enum mq_status copy(struct mq_store *base, const char *path, struct mq_error *error)
{
    return mq_db_copy(mq_sqlite(base)->db, path, error);
}

static const struct mq_store_verbs verbs = {
    .close = close_store,
    .server_id = server_id,
    .renew = renew,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .append = mq_sqlite_append,
    .last = mq_sqlite_last,
    .position = mq_sqlite_position,
    .list = mq_sqlite_list,
    .announce = mq_sqlite_announce,
    .grant = mq_sqlite_grant,
    .grants = mq_sqlite_grants,
    .segment = mq_sqlite_segment,
    .head = mq_sqlite_head,
    .held = mq_sqlite_held,
    .streams_of = mq_sqlite_streams_of,
    .put_control = mq_sqlite_put_control,
    .controls = mq_sqlite_controls,
    .put_desk = mq_sqlite_put_desk,
    .desks = mq_sqlite_desks,
    .set_access = mq_sqlite_set_access,
    .access = mq_sqlite_access,
    .put_part = mq_sqlite_put_part,
    .put_enrol = mq_sqlite_put_enrol,
    .enrols = mq_sqlite_enrols,
    .answer_enrol = mq_sqlite_answer_enrol,
    .enrol_reply = mq_sqlite_enrol_reply,
    .expire = mq_sqlite_expire,
    .check = check,
    .copy = copy,
};

/* Brings the schema up to date and gives a new store its first id. */
static enum mq_status prepare(struct mq_sqlite_store *store, struct mq_error *error)
{
    uint8_t id[MQ_SERVER_ID_SIZE];
    enum mq_status status = mq_db_migrate(store->db, steps, (int)(sizeof steps / sizeof steps[0]), error);

    if (status == MQ_OK)
        status = server_id(&store->store, id, error);
    return status == MQ_NOT_FOUND ? renew(&store->store, error) : status;
}

enum mq_status mq_store_sqlite_open(struct mq_store **out, const struct mq_platform *platform, const char *path,
                                    struct mq_error *error)
{
    struct mq_sqlite_store *store = calloc(1, sizeof *store);

    *out = NULL;
    if (MQ_NEVER(store == NULL, "a test would have to starve the whole program for these hundred bytes"))
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    store->store.verbs = &verbs;
    store->platform = platform;
    enum mq_status status = mq_db_open(&store->db, platform, path, error);
    if (status == MQ_OK)
        status = prepare(store, error);
    if (status != MQ_OK) {
        close_store(&store->store);
        return status;
    }
    *out = &store->store;
    return MQ_OK;
}
