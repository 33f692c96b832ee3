/* What the parts of the database's door share, and nobody else includes: db.c (statements), db_open.c (opening, schema,
 * copies), db_wal.c (the log's silent end). */
#ifndef MQ_PLATFORM_DB_PARTS_H
#define MQ_PLATFORM_DB_PARTS_H

#include "platform/db.h"
#include "protocol/limits.h"

/* SQLite's own types, unnamed here: sqlite3.h is included by the db*.c files only. */
struct sqlite3;
struct sqlite3_stmt;

/* A prepared statement and, while `running`, the query that uses it. */
struct mq_query {
    struct mq_db *db;
    const char *sql; /* the key in the table: the constant's address; NULL: a free place */
    struct sqlite3_stmt *statement;
    bool running;
    bool temporary; /* not in the table: freed when done */
};

struct mq_db {
    struct sqlite3 *sqlite;
    const struct mq_platform *platform;
    char *path;
    bool poisoned; /* an I/O error was seen: nobody knows what is on the disk */
    bool leftover; /* a full disk broke a commit off: behind the log's end may stand what looks like one */
    bool begun;    /* a transaction, and neither committed nor rolled back by who began it; the disk may have ended it */
    struct mq_query statements[MQ_STATEMENTS_MAX];
};

/* SQLite's result code as a status with words; rolls back where the disk is full, poisons where I/O failed. */
enum mq_status mq_db_trouble(struct mq_db *db, int result, struct mq_error *error);
void mq_db_forget_statements(struct mq_db *db);

/* The log as it stood before SQLite opened it: open, so that it stays readable where SQLite removes its name. */
struct mq_wal {
    struct sqlite3_file *file; /* NULL: there was no log */
    struct sqlite3_vfs *vfs;
    char *path;
};

/* Looks for `path`-wal. */
MQ_MUST_USE enum mq_status mq_wal_open(struct mq_wal *wal, const struct mq_platform *platform, const char *path,
                                       struct mq_error *error);
/* `used`: frames that SQLite recovered, `pages` of the database with them (0: not known). Where acknowledged commits stand
 * beyond them: keeps a copy, MQ_DAMAGED. */
MQ_MUST_USE enum mq_status mq_wal_compare(struct mq_wal *wal, int64_t used, int64_t pages, int64_t now,
                                          struct mq_error *error);
/* Makes durable that SQLite has emptied it. */
MQ_MUST_USE enum mq_status mq_wal_sync(struct mq_wal *wal, struct mq_error *error);
void mq_wal_close(struct mq_wal *wal);
/* Takes from the log of an open database what stands behind its last commit, durably: empties it or, where the disk has
 * no room for that, cuts it, which needs none. SQLite's result code. */
MQ_MUST_USE int mq_wal_cut(struct sqlite3 *sqlite);

#endif
