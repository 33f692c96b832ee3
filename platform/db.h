/* SQLite's one door: one connection, one owner, SQL beside the code that uses it, typed binding, columns by place.
 * Every statement is a string constant; prepared ones are cached by the constant's address. */
#ifndef MQ_PLATFORM_DB_H
#define MQ_PLATFORM_DB_H

#include "platform/platform.h"

struct mq_db;
struct mq_query;

/* Opens or creates `path`, unencrypted, with WAL, synchronous=FULL, exclusive locking, mmap off, each read back and
 * compared; before that the write-ahead log is counted, so that a damaged log is never taken for a short one:
 * MQ_DAMAGED then, and the log is kept beside the file as PATH-wal.damaged-TIME; the next opening goes on with what is
 * whole. MQ_BUSY: another process holds it. `*db` is NULL on failure, else the caller closes it. */
MQ_MUST_USE enum mq_status mq_db_open(struct mq_db **db, const struct mq_platform *platform, const char *path,
                                      struct mq_error *error);
/* Checkpoints and closes; NULL is fine. All queries must be finished. */
void mq_db_close(struct mq_db *db);

/* Brings the schema from `PRAGMA user_version` to `count` by running each missing step, each in one transaction. A
 * newer file than `count` is refused untouched. Steps are only ever appended. */
MQ_MUST_USE enum mq_status mq_db_migrate(struct mq_db *db, const char *const *steps, int count, struct mq_error *error);

/* `format` has one letter a parameter: i int64_t, b struct mq_span as blob, t struct mq_span as text, z const char * (NULL is NULL), n
 * NULL (takes no argument). Runs a statement that gives no rows. MQ_NO_SPACE: the disk is full, nothing was changed,
 * the transaction is rolled back. MQ_REFUSED: a constraint of the schema. MQ_DAMAGED, with SQLite's words, where a name
 * in the statement is not in the file: it was made with it. After an I/O error
 * every later write answers MQ_FAULT until the file is opened anew: a failed fsync is never retried. */
MQ_MUST_USE enum mq_status mq_db_run(struct mq_db *db, struct mq_error *error, const char *sql, const char *format,
                                     ...);
/* Rows changed by the last mq_db_run. */
int64_t mq_db_changes(const struct mq_db *db);
/* Several statements, no parameters: for schemas and tests. */
MQ_MUST_USE enum mq_status mq_db_script(struct mq_db *db, const char *sql, struct mq_error *error);

/* Starts a query; what is bound is copied. Then mq_db_next until it answers false; a query left early is ended by
 * mq_db_done (NULL is fine). One SQL constant may be running once at a time, except through recursion, for which a
 * second statement is prepared. */
MQ_MUST_USE enum mq_status mq_db_query(struct mq_db *db, struct mq_query **query, struct mq_error *error,
                                       const char *sql, const char *format, ...);
/* true: a row is there. false: no more rows, or an error (then error->status is set); the query is finished and *query
 * NULL. */
MQ_MUST_USE bool mq_db_next(struct mq_query **query, struct mq_error *error);
void mq_db_done(struct mq_query **query);

/* Columns of the present row, from 0. Spans are borrowed until the next mq_db_next or mq_db_done. NULL reads as 0 or an
 * empty span. */
int64_t mq_db_int(struct mq_query *query, int column);
struct mq_span mq_db_blob(struct mq_query *query, int column);
struct mq_span mq_db_text(struct mq_query *query, int column);
bool mq_db_is_null(struct mq_query *query, int column);

/* One row, one number. MQ_NOT_FOUND: no row; often no fault at all, so `error` stays as it is. */
MQ_MUST_USE enum mq_status mq_db_number(struct mq_db *db, int64_t *out, struct mq_error *error, const char *sql,
                                        const char *format, ...);

/* Transactions do not nest. Commit answers only after the bytes are synced. Whoever began one ends it, with one or the other,
 * also where a statement failed: where a full disk has ended it before, until then every statement that writes, and commit,
 * answer MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_db_begin(struct mq_db *db, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_db_commit(struct mq_db *db, struct mq_error *error);
void mq_db_rollback(struct mq_db *db);
/* A full disk or a disk error ends the transaction by itself, whichever statement meets it, a query too. */
bool mq_db_in_transaction(const struct mq_db *db);
/* MQ_FAULT with words after a disk error, until the file is opened anew; else MQ_OK. */
enum mq_status mq_db_writable(const struct mq_db *db, struct mq_error *error);

/* A consistent copy, same encryption, durable, mode 0600, into a file that must not exist yet. */
MQ_MUST_USE enum mq_status mq_db_copy(struct mq_db *db, const char *path, struct mq_error *error);
/* Moves everything from the write-ahead log into the file and empties the log: what was deleted stands nowhere any more.
 * Not within a transaction. */
MQ_MUST_USE enum mq_status mq_db_empty_log(struct mq_db *db, struct mq_error *error);
/* SQLite's own integrity check of every page. MQ_DAMAGED with the first finding. */
MQ_MUST_USE enum mq_status mq_db_check(struct mq_db *db, struct mq_error *error);

#endif
