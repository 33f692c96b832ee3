/* Opening a database so that what it acknowledges is durable; its schema; whole copies and checks. */
#include "platform/db_key.h"
#include "platform/db_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/assert.h"

#define RAW_KEY_MARK "raw:" /* exactly this and 32 bytes; anything else would be taken for a passphrase */
#define RAW_KEY_SIZE (4 + MQ_KEY_SIZE)

/* ---- opening ---- */

static enum mq_status give_key(struct mq_db *db, const struct mq_secret *key, struct mq_error *error)
{
    int cipher = sqlite3mc_cipher_index("chacha20");
    if (cipher <= 0 || sqlite3mc_config(db->sqlite, "cipher", cipher) != cipher)
        return mq_fail(error, MQ_FAULT, _("this program was built without the cipher chacha20"));
    uint8_t raw[RAW_KEY_SIZE] = RAW_KEY_MARK;
    memcpy(raw + 4, key->bytes, MQ_KEY_SIZE);
    int result = sqlite3_key_v2(db->sqlite, "main", raw, RAW_KEY_SIZE);
    mq_wipe(raw, sizeof raw);
    return result == SQLITE_OK ? MQ_OK : mq_db_trouble(db, result, error);
}

/* The first row's first column; a pragma without a row gives "". */
static int read_pragma(struct mq_db *db, const char *sql, char out[32])
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);
    out[0] = '\0';
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        snprintf(out, 32, "%s", (const char *)sqlite3_column_text(statement, 0));
        result = SQLITE_OK;
    } else if (result == SQLITE_DONE) {
        result = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return result;
}

/* Settings in the order they need: exclusive locking before WAL, or a shared-memory file appears; WAL is the first to
 * read the file, so a wrong key and another process show there. Then each is read back. */
static enum mq_status set_pragmas(struct mq_db *db, bool encrypted, struct mq_error *error)
{
    static const struct {
        const char *sql, *answer; /* NULL: the answer does not matter, or is read back below */
    } pragmas[] = {
        {"PRAGMA locking_mode=EXCLUSIVE", "exclusive"},
        {"PRAGMA journal_mode=WAL", "wal"},
        {"PRAGMA synchronous=FULL", NULL},
        {"PRAGMA mmap_size=0", NULL},
        {"PRAGMA temp_store=MEMORY", NULL},
        {"PRAGMA foreign_keys=ON", NULL},
        {"PRAGMA locking_mode", "exclusive"},
        {"PRAGMA journal_mode", "wal"},
        {"PRAGMA synchronous", "2"},
        {"PRAGMA temp_store", "2"},
        {"PRAGMA foreign_keys", "1"},
        {"PRAGMA schema_version", NULL},
    };
    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        char answer[32];
        int result = read_pragma(db, pragmas[i].sql, answer);
        if ((result & 0xff) == SQLITE_NOTADB && encrypted)
            return mq_fail(error, MQ_WRONG_KEY, _("the key does not open %s, or its first page is damaged"), db->path);
        if (result != SQLITE_OK)
            return mq_db_trouble(db, result, error);
        if (pragmas[i].answer != NULL && strcmp(answer, pragmas[i].answer) != 0)
            return mq_fail(error, MQ_FAULT, _("%s cannot be kept safely here: \"%s\" answers \"%s\", not \"%s\""),
                           db->path, pragmas[i].sql, answer, pragmas[i].answer);
    }
    char mapped[32];
    if (read_pragma(db, "PRAGMA mmap_size", mapped) != SQLITE_OK || (mapped[0] != '\0' && strcmp(mapped, "0") != 0))
        return mq_fail(error, MQ_FAULT, _("%s cannot be kept safely here: memory mapping is on"), db->path);
    return MQ_OK;
}

static void checkpoint_on_close(struct mq_db *db, bool wanted)
{
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, NULL);
}

/* SQLite would make the file readable by everybody; an empty one that is ours alone it takes as it is, and the log gets
 * the same mode. False where there is none, or one was there. */
static bool make_private(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return file >= 0 && close(file) == 0;
}

/* From a path to a connection with its settings, and the log compared. */
static enum mq_status connect(struct mq_db *db, const struct mq_secret *key, struct mq_wal *wal, struct mq_error *error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE;
    int result = sqlite3_open_v2(db->path, &db->sqlite, flags, db->platform->vfs);
    if (result != SQLITE_OK)
        return db->sqlite == NULL ? mq_fail(error, MQ_FAULT, _("not enough memory")) : mq_db_trouble(db, result, error);
    /* Until all is known to be well, closing must leave the log alone. */
    checkpoint_on_close(db, false);
    enum mq_status status = key == NULL ? MQ_OK : give_key(db, key, error);
    if (status == MQ_OK)
        status = set_pragmas(db, key != NULL, error);
    if (status != MQ_OK)
        return status;

    int used = 0, moved = 0;
    result = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, &used, &moved);
    if (result != SQLITE_OK)
        return mq_db_trouble(db, result, error);
    char pages[32];
    result = read_pragma(db, "PRAGMA page_count", pages);
    if (result != SQLITE_OK)
        return mq_db_trouble(db, result, error);
    status = mq_wal_compare(wal, used, strtoll(pages, NULL, 10), mq_now(db->platform), error);
    if (status == MQ_OK && wal->file != NULL) {
        /* What a cut left behind the last commit must not be counted with what is torn next time. */
        result = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE, &used, &moved);
        if (result != SQLITE_OK)
            return mq_db_trouble(db, result, error);
        status = mq_wal_sync(wal, error);
    }
    /* A damaged log that is kept aside has done its service: the next opening goes on without it. */
    if (status == MQ_OK || status == MQ_DAMAGED)
        checkpoint_on_close(db, true);
    return status;
}

/* SQLite bears a heap that ends, but not every part of it does (its extension for ciphers fails where it registers them),
 * and a half-opened store is of no use: without memory the program ends, as everywhere. */
static sqlite3_mem_methods heap;

static void *take(int size)
{
    void *memory = heap.xMalloc(size);
    mq_enough(memory);
    return memory;
}

static void *take_more(void *memory, int size)
{
    void *larger = heap.xRealloc(memory, size);
    mq_enough(larger);
    return larger;
}

/* The heap is chosen before the library's first start; later calls change nothing. */
static bool start_library(void)
{
    if (heap.xMalloc == NULL && sqlite3_config(SQLITE_CONFIG_GETMALLOC, &heap) == SQLITE_OK) {
        sqlite3_mem_methods ours = heap;
        ours.xMalloc = take;
        ours.xRealloc = take_more;
        (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
    }
    return sqlite3_initialize() == SQLITE_OK;
}

static enum mq_status open_database(struct mq_db **out, const struct mq_platform *platform, const char *path,
                                    const struct mq_secret *key, struct mq_error *error)
{
    *out = NULL;
    if (!start_library())
        return mq_fail(error, MQ_FAULT, _("the database library does not start"));
    struct mq_db *db = calloc(1, sizeof *db);
    char *copy = strdup(path);
    if (db == NULL || copy == NULL) {
        free(db);
        free(copy);
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    }
    db->platform = platform;
    db->path = copy;
    if (platform->vfs == NULL)
        (void)make_private(path); /* where that fails, SQLite says why */

    struct mq_wal wal;
    enum mq_status status = mq_wal_open(&wal, platform, path, error);
    if (status == MQ_OK)
        status = connect(db, key, &wal, error);
    mq_wal_close(&wal);
    if (status != MQ_OK) {
        mq_db_close(db);
        return status;
    }
    *out = db;
    return MQ_OK;
}

enum mq_status mq_db_open(struct mq_db **db, const struct mq_platform *platform, const char *path,
                          struct mq_error *error)
{
    return open_database(db, platform, path, NULL, error);
}

enum mq_status mq_db_open_encrypted(struct mq_db **db, const struct mq_platform *platform, const char *path,
                                    const struct mq_secret *key, struct mq_error *error)
{
    MQ_ASSERT(key != NULL);
    return open_database(db, platform, path, key, error);
}

void mq_db_close(struct mq_db *db)
{
    if (db == NULL)
        return;
    if (db->sqlite != NULL) {
        mq_db_rollback(db);
        mq_db_forget_statements(db);
        if (db->poisoned)
            checkpoint_on_close(db, false); /* a failed sync is never retried: recovery reads the log anew */
        MQ_ASSERT(sqlite3_close(db->sqlite) == SQLITE_OK);
    }
    free(db->path);
    free(db);
}

/* ---- schema ---- */

static enum mq_status run_step(struct mq_db *db, const char *step, int number, struct mq_error *error)
{
    char version[48];
    snprintf(version, sizeof version, "PRAGMA user_version=%d", number);
    enum mq_status status = mq_db_begin(db, error);
    if (status == MQ_OK)
        status = mq_db_script(db, step, error);
    if (status == MQ_OK)
        status = mq_db_script(db, version, error);
    if (status == MQ_OK)
        return mq_db_commit(db, error);
    mq_db_rollback(db);
    return status;
}

enum mq_status mq_db_migrate(struct mq_db *db, const char *const *steps, int count, struct mq_error *error)
{
    int64_t version;
    enum mq_status status = mq_db_number(db, &version, error, "PRAGMA user_version", "");
    if (status != MQ_OK)
        return status;
    if (version > count)
        return mq_fail(error, MQ_REFUSED,
                       _("%s was written by a newer program (version %lld, this one knows %d); use the newer "
                         "program"),
                       db->path, (long long)version, count);
    for (int step = (int)version; step < count && status == MQ_OK; step++)
        status = run_step(db, steps[step], step + 1, error);
    return status;
}

/* ---- whole copies and checks ---- */

static enum mq_status copy_into(struct mq_db *db, const char *path, struct mq_error *error)
{
    if (db->platform->vfs == NULL && !make_private(path))
        return mq_fail(error, errno == ENOSPC ? MQ_NO_SPACE : MQ_REFUSED, "%s", strerror(errno));
    struct mq_query *query;
    bool poisoned = db->poisoned;
    enum mq_status status = mq_db_query(db, &query, error, "VACUUM INTO ?1", "z", path);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        continue;
    db->poisoned = poisoned; /* trouble here is the copy's medium, or a page that could not be read */
    return error->status;
}

enum mq_status mq_db_copy(struct mq_db *db, const char *path, struct mq_error *error)
{
    MQ_ASSERT(!mq_db_in_transaction(db));
    const struct mq_platform *platform = db->platform;
    struct mq_file_identity found;
    struct mq_error absent = {0};
    if (platform->identify(platform->self, path, &found, &absent) == MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("%s is there already; name a file that is not"), path);
    char *part = sqlite3_mprintf("%s.new", path);
    if (part == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory"));

    /* Under another name until it is whole; the rename makes the name durable, which SQLite does not do here. */
    struct mq_error trouble = {0};
    enum mq_status status = platform->remove(platform->self, part, &trouble); /* of a copy that was broken off */
    if (status == MQ_OK)
        status = copy_into(db, part, &trouble);
    if (status == MQ_OK)
        status = platform->rename(platform->self, part, path, &trouble);
    if (status != MQ_OK) {
        mq_fail(error, status, _("cannot copy to %s: %s"), path, trouble.text);
        (void)platform->remove(platform->self, part, &absent);
    }
    sqlite3_free(part);
    return status;
}

enum mq_status mq_db_empty_log(struct mq_db *db, struct mq_error *error)
{
    int frames = 0, moved = 0;

    MQ_ASSERT(!mq_db_in_transaction(db));
    enum mq_status status = mq_db_writable(db, error);
    if (status != MQ_OK)
        return status;
    int result = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE, &frames, &moved);
    return result == SQLITE_OK ? MQ_OK : mq_db_trouble(db, result, error);
}

enum mq_status mq_db_check(struct mq_db *db, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_error trouble = {0};
    enum mq_status status = mq_db_query(db, &query, error, "PRAGMA integrity_check(1)", "");
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, &trouble)) {
        struct mq_span finding = mq_db_text(query, 0);
        if (!mq_span_equal(finding, mq_span_text("ok")))
            mq_fail(&trouble, MQ_DAMAGED, _("%s is damaged: %.*s"), db->path,
                    (int)(finding.size < 200 ? finding.size : 200), (const char *)finding.data);
    }
    return trouble.status == MQ_OK ? MQ_OK : mq_fail(error, trouble.status, "%s", trouble.text);
}
