/* Statements, queries and transactions over one SQLite connection. */
#include "platform/db_parts.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

/* ---- trouble ---- */

/* Not through mq_db_run: allowed after a disk error too, and without words of its own. */
static void roll_back(struct mq_db *db)
{
    if (mq_db_in_transaction(db))
        (void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

static enum mq_status tell_full(const struct mq_db *db, struct mq_error *error)
{
    return mq_fail(error, MQ_NO_SPACE, _("the disk is full, nothing was changed in %s; make room, then try again"),
                   db->path);
}

enum mq_status mq_db_trouble(struct mq_db *db, int result, struct mq_error *error)
{
    const char *words = sqlite3_errmsg(db->sqlite);
    switch (result & 0xff) {
    case SQLITE_BUSY:
        return mq_fail(error, MQ_BUSY, _("another program is using %s; wait until it is done, or stop it"), db->path);
    case SQLITE_FULL:
        roll_back(db);
        db->leftover = true;
        return tell_full(db, error);
    case SQLITE_IOERR:
        db->poisoned = true;
        return mq_fail(error, MQ_FAULT,
                       _("the disk could not be read or written (%s, code %d); nothing more is written to %s "
                         "until the program is started anew"),
                       words, result, db->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return mq_fail(error, MQ_DAMAGED, _("%s is damaged (%s); restore it from a backup"), db->path, words);
    case SQLITE_CONSTRAINT:
        return mq_fail(error, MQ_REFUSED, _("%s does not take this: %s"), db->path, words);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        return mq_fail(error, MQ_REFUSED, _("cannot open %s for writing (%s); its directory must exist and be ours"),
                       db->path, words);
    default: /* tidy: not an enum */
        return mq_fail(error, MQ_FAULT, _("the database %s does not do this: %s (code %d)"), db->path, words, result);
    }
}

enum mq_status mq_db_writable(const struct mq_db *db, struct mq_error *error)
{
    if (!db->poisoned)
        return MQ_OK;
    return mq_fail(error, MQ_FAULT, _("nothing more is written to %s after a disk error; start the program anew"),
                   db->path);
}

/* Who goes on where a full disk has ended his transaction, because a query met it and he took its answer for another, writes
 * nothing that would stand alone. */
static enum mq_status may_write(const struct mq_db *db, struct mq_error *error)
{
    enum mq_status status = mq_db_writable(db, error);
    return status == MQ_OK && db->begun && !mq_db_in_transaction(db) ? tell_full(db, error) : status;
}

/* ---- prepared statements ---- */

static enum mq_status prepare(struct mq_query *query, struct mq_db *db, const char *sql, unsigned flags,
                              struct mq_error *error)
{
    const char *tail = NULL;
    int result = sqlite3_prepare_v3(db->sqlite, sql, -1, flags, &query->statement, &tail);
    if (result == SQLITE_ERROR) /* what is asked fits the tables as we made them: a name in them has rotted */
        result = SQLITE_CORRUPT;
    if (result != SQLITE_OK)
        return mq_db_trouble(db, result, error);
    MQ_ASSERT(query->statement != NULL && *tail == '\0'); /* one statement, not none, not two */
    query->db = db;
    query->sql = sql;
    return MQ_OK;
}

static void forget(struct mq_query *query)
{
    sqlite3_finalize(query->statement);
    *query = (struct mq_query){0};
}

void mq_db_forget_statements(struct mq_db *db)
{
    for (size_t i = 0; i < MQ_STATEMENTS_MAX; i++) {
        MQ_ASSERT(!db->statements[i].running);
        forget(&db->statements[i]);
    }
}

/* The place of `sql` in the table, or one where it may go. NULL: all of them are running, or `sql` itself is. */
static struct mq_query *find_place(struct mq_db *db, const char *sql)
{
    uintptr_t key = (uintptr_t)sql;
    size_t start = (size_t)((key ^ key >> 12) * 0x9e3779b1u >> 8);
    struct mq_query *place = NULL;
    for (size_t i = 0; i < MQ_STATEMENT_PROBES; i++) {
        struct mq_query *query = &db->statements[(start + i) % MQ_STATEMENTS_MAX];
        if (query->sql == sql)
            return query->running ? NULL : query;
        bool better = place == NULL || (place->sql != NULL && query->sql == NULL);
        if (!query->running && better)
            place = query;
    }
    return place;
}

/* A statement that is ready to be bound, and marked as running. */
static enum mq_status acquire(struct mq_db *db, struct mq_query **out, const char *sql, struct mq_error *error)
{
    struct mq_query *query = find_place(db, sql);
    enum mq_status status = MQ_OK;
    if (query == NULL) {
        query = calloc(1, sizeof *query);
        if (query == NULL)
            return mq_fail(error, MQ_FAULT, _("not enough memory"));
        status = prepare(query, db, sql, 0, error);
        query->temporary = true;
    } else if (query->sql != sql) {
        forget(query);
        status = prepare(query, db, sql, SQLITE_PREPARE_PERSISTENT, error);
    } else {
        /* Found by its address: the text there must still be the one that was prepared. */
        MQ_ASSERT(strcmp(sqlite3_sql(query->statement), sql) == 0);
    }
    if (status != MQ_OK) {
        if (query->temporary)
            free(query);
        return status;
    }
    query->running = true;
    *out = query;
    return MQ_OK;
}

static void release(struct mq_query *query)
{
    if (query->temporary) {
        sqlite3_finalize(query->statement);
        free(query);
        return;
    }
    sqlite3_reset(query->statement); /* its code repeats what the step said */
    sqlite3_clear_bindings(query->statement);
    query->running = false;
}

/* `keep`: SQLITE_STATIC where the statement ends before the caller's bytes do, else SQLITE_TRANSIENT (copied). */
static int bind_span(struct sqlite3_stmt *statement, int at, struct mq_span span, bool text,
                     sqlite3_destructor_type keep)
{
    const char *data = span.size == 0 ? "" : (const char *)span.data; /* a NULL pointer would become a NULL value */
    if (text)
        return sqlite3_bind_text64(statement, at, data, span.size, keep, SQLITE_UTF8);
    return sqlite3_bind_blob64(statement, at, data, span.size, keep);
}

static enum mq_status bind(struct mq_query *query, sqlite3_destructor_type keep, const char *format, va_list values,
                           struct mq_error *error)
{
    int count = (int)strlen(format), result = SQLITE_OK;
    MQ_ASSERT(count == sqlite3_bind_parameter_count(query->statement));
    for (int at = 1; at <= count && result == SQLITE_OK; at++) {
        char kind = format[at - 1];
        if (kind == 'i')
            result = sqlite3_bind_int64(query->statement, at, va_arg(values, int64_t));
        else if (kind == 'b' || kind == 't')
            result = bind_span(query->statement, at, va_arg(values, struct mq_span), kind == 't', keep);
        else if (kind == 'z') {
            const char *text = va_arg(values, const char *);
            if (text != NULL) /* else it stays NULL, as bindings begin */
                result = bind_span(query->statement, at, mq_span_text(text), true, keep);
        } else
            MQ_ASSERT(kind == 'n'); /* bindings start as NULL */
    }
    return result == SQLITE_OK ? MQ_OK : mq_db_trouble(query->db, result, error);
}

/* ---- statements without rows ---- */

static enum mq_status run(struct mq_db *db, struct mq_error *error, const char *sql, const char *format, va_list values)
{
    struct mq_query *query;
    enum mq_status status = may_write(db, error);
    if (status == MQ_OK)
        status = acquire(db, &query, sql, error);
    if (status != MQ_OK)
        return status;
    status = bind(query, SQLITE_STATIC, format, values, error);
    if (status == MQ_OK) {
        int result = sqlite3_step(query->statement);
        MQ_ASSERT(result != SQLITE_ROW);
        if (result != SQLITE_DONE)
            status = mq_db_trouble(db, result, error);
    }
    release(query);
    return status;
}

/* What a commit left in the log that a full disk broke off must not be counted with what is torn next time
 * (platform/db_wal.c). Where it cannot go now the next transaction tries again. */
static enum mq_status leftover_go(struct mq_db *db, struct mq_error *error)
{
    if (!db->leftover || mq_db_in_transaction(db) || db->poisoned)
        return MQ_OK;
    int result = mq_wal_cut(db->sqlite);
    db->leftover = result != SQLITE_OK;
    return (result & 0xff) == SQLITE_IOERR ? mq_db_trouble(db, result, error) : MQ_OK;
}

enum mq_status mq_db_run(struct mq_db *db, struct mq_error *error, const char *sql, const char *format, ...)
{
    enum mq_status left = leftover_go(db, error);
    if (left != MQ_OK)
        return left;
    va_list values;
    va_start(values, format);
    enum mq_status status = run(db, error, sql, format, values);
    va_end(values);
    return status;
}

int64_t mq_db_changes(const struct mq_db *db)
{
    return sqlite3_changes64(db->sqlite);
}

enum mq_status mq_db_script(struct mq_db *db, const char *sql, struct mq_error *error)
{
    enum mq_status status = may_write(db, error);
    if (status != MQ_OK)
        return status;
    int result = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? MQ_OK : mq_db_trouble(db, result, error);
}

/* ---- queries ---- */

static enum mq_status start_query(struct mq_db *db, struct mq_query **query, struct mq_error *error, const char *sql,
                                  const char *format, va_list values)
{
    *query = NULL;
    enum mq_status status = acquire(db, query, sql, error);
    if (status != MQ_OK)
        return status;
    status = bind(*query, SQLITE_TRANSIENT, format, values, error);
    if (status != MQ_OK)
        mq_db_done(query);
    return status;
}

enum mq_status mq_db_query(struct mq_db *db, struct mq_query **query, struct mq_error *error, const char *sql,
                           const char *format, ...)
{
    va_list values;
    va_start(values, format);
    enum mq_status status = start_query(db, query, error, sql, format, values);
    va_end(values);
    return status;
}

bool mq_db_next(struct mq_query **query, struct mq_error *error)
{
    MQ_ASSERT(*query != NULL && (*query)->running);
    int result = sqlite3_step((*query)->statement);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        (void)mq_db_trouble((*query)->db, result, error);
    mq_db_done(query);
    return false;
}

void mq_db_done(struct mq_query **query)
{
    if (*query != NULL)
        release(*query);
    *query = NULL;
}

int64_t mq_db_int(struct mq_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

struct mq_span mq_db_blob(struct mq_query *query, int column)
{
    /* First the bytes, then their number: SQLite may convert in between. */
    const void *data = sqlite3_column_blob(query->statement, column);
    return mq_span(data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(query->statement, column));
}

struct mq_span mq_db_text(struct mq_query *query, int column)
{
    const void *data = sqlite3_column_text(query->statement, column);
    return mq_span(data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(query->statement, column));
}

bool mq_db_is_null(struct mq_query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

enum mq_status mq_db_number(struct mq_db *db, int64_t *out, struct mq_error *error, const char *sql, const char *format,
                            ...)
{
    struct mq_query *query;
    va_list values;
    va_start(values, format);
    enum mq_status status = start_query(db, &query, error, sql, format, values);
    va_end(values);
    if (status != MQ_OK)
        return status;
    struct mq_error trouble = {0}; /* the caller's may hold an older one */
    if (mq_db_next(&query, &trouble)) {
        *out = mq_db_int(query, 0);
        mq_db_done(&query);
        return MQ_OK;
    }
    if (trouble.status != MQ_OK)
        return mq_fail(error, trouble.status, "%s", trouble.text);
    return MQ_NOT_FOUND;
}

/* ---- transactions ---- */

enum mq_status mq_db_begin(struct mq_db *db, struct mq_error *error)
{
    MQ_ASSERT(!mq_db_in_transaction(db));
    enum mq_status status = mq_db_run(db, error, "BEGIN IMMEDIATE", "");
    db->begun = db->begun || status == MQ_OK;
    return status;
}

enum mq_status mq_db_commit(struct mq_db *db, struct mq_error *error)
{
    MQ_ASSERT(db->begun);
    enum mq_status status = mq_db_run(db, error, "COMMIT", "");
    if (status != MQ_OK)
        roll_back(db);
    db->begun = false;
    return status;
}

void mq_db_rollback(struct mq_db *db)
{
    roll_back(db);
    db->begun = false;
}

bool mq_db_in_transaction(const struct mq_db *db)
{
    return sqlite3_get_autocommit(db->sqlite) == 0;
}
