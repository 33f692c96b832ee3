/* Logs of mailboxes, and what is held of streams, in SQLite. */
#include <string.h>

#include "server/relay/store_sqlite.h"

static enum mq_status damaged(struct mq_error *error)
{
    return mq_fail(error, MQ_DAMAGED,
                   _("a log of the relay's store is not what was written; restore it from a backup"));
}

/* ---- Appending ---- */

/* MQ_OK: it is there already; MQ_NOT_FOUND. */
static enum mq_status look_for(struct mq_db *db, const struct mq_log_item *item, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(db, &query, error, "SELECT 1 FROM log WHERE id = ?", "b", MQ_SPAN(item->id));

    status = mq_sqlite_any(status, &query, error);
    if (status != MQ_NOT_FOUND || item->frame != MQ_FRAME_ANNOUNCE)
        return status;
    status = mq_db_query(db, &query, error, "SELECT 1 FROM log WHERE frame = 3 AND stream = ?", "b",
                         MQ_SPAN(item->stream));
    return mq_sqlite_any(status, &query, error);
}

/* Moves the mailbox on by one: its new position, sum included. */
static enum mq_status next_position(struct mq_db *db, const uint8_t mailbox[MQ_ID_SIZE], const uint8_t id[MQ_HASH_SIZE],
                                    struct mq_log_position *position, struct mq_error *error)
{
    struct mq_span box = mq_span(mailbox, MQ_ID_SIZE);
    struct mq_query *query = NULL;
    enum mq_status status = mq_db_run(
        db, error, "INSERT OR IGNORE INTO mailbox (id, head, total) VALUES (?, 0, zeroblob(32))", "b", box);

    if (status == MQ_OK)
        status = mq_db_query(db, &query, error,
                             "UPDATE mailbox SET head = head + 1 WHERE id = ? RETURNING head, total", "b", box);
    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK) {
        position->number = (uint64_t)mq_db_int(query, 0);
        position->sum.count = position->number - 1;
        status = mq_sqlite_fixed(query, 1, position->sum.total, MQ_HASH_SIZE, error);
    }
    mq_db_done(&query);
    if (status != MQ_OK)
        return status;
    mq_sum_add(&position->sum, id);
    return mq_db_run(db, error, "UPDATE mailbox SET total = ? WHERE id = ?", "bb", MQ_SPAN(position->sum.total), box);
}

static enum mq_status insert(struct mq_db *db, const uint8_t mailbox[MQ_ID_SIZE], const struct mq_log_item *item,
                             struct mq_error *error)
{
    struct mq_log_position position;
    enum mq_status status = next_position(db, mailbox, item->id, &position, error);

    if (status != MQ_OK)
        return status;
    return mq_db_run(db, error,
                     "INSERT INTO log (mailbox, number, frame, id, stream, seq, previous, name, total, bytes)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "biibbibbbb", mq_span(mailbox, MQ_ID_SIZE), (int64_t)position.number, (int64_t)item->frame,
                     MQ_SPAN(item->id), MQ_SPAN(item->stream), (int64_t)item->seq, MQ_SPAN(item->previous),
                     MQ_SPAN(item->name), MQ_SPAN(position.sum.total), item->bytes);
}

/* ---- Streams ---- */

struct stream_row {
    struct mq_stream_head head;
    struct mq_sum sum;
    uint32_t highest;
    uint64_t bytes;
};

/* Zeros for a stream of which nothing is held. */
static enum mq_status get_stream(struct mq_db *db, const uint8_t stream[MQ_ID_SIZE], struct stream_row *out,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(db, &query, error,
                    "SELECT head_seq, head_id, count, highest, total, bytes FROM stream WHERE id = ?", "b",
                    mq_span(stream, MQ_ID_SIZE));

    memset(out, 0, sizeof *out);
    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK) {
        out->head.seq = (uint32_t)mq_db_int(query, 0);
        out->sum.count = (uint64_t)mq_db_int(query, 2);
        out->highest = (uint32_t)mq_db_int(query, 3);
        out->bytes = (uint64_t)mq_db_int(query, 5);
        status = mq_sqlite_fixed(query, 1, out->head.id, sizeof out->head.id, error);
    }
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 4, out->sum.total, sizeof out->sum.total, error);
    mq_db_done(&query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status put_stream(struct mq_db *db, const uint8_t stream[MQ_ID_SIZE], const struct stream_row *row,
                                 struct mq_error *error)
{
    return mq_db_run(db, error,
                     "INSERT OR REPLACE INTO stream (id, head_seq, head_id, count, highest, total, bytes)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?)",
                     "bibiibi", mq_span(stream, MQ_ID_SIZE), (int64_t)row->head.seq, MQ_SPAN(row->head.id),
                     (int64_t)row->sum.count, (int64_t)row->highest, MQ_SPAN(row->sum.total), (int64_t)row->bytes);
}

/* Moves the head on as long as a stored segment follows it. What the first one follows, its announce, was verified. */
static enum mq_status advance(struct mq_db *db, const uint8_t stream[MQ_ID_SIZE], struct mq_stream_head *head,
                              struct mq_error *error)
{
    enum mq_status status = MQ_OK;

    while (status == MQ_OK) {
        struct mq_query *query;
        status = mq_db_query(db, &query, error,
                             "SELECT id FROM log WHERE frame = 1 AND stream = ?1 AND seq = ?2"
                             " AND (seq = 1 OR previous = ?3) ORDER BY rowid LIMIT 1",
                             "bib", mq_span(stream, MQ_ID_SIZE), (int64_t)head->seq + 1, MQ_SPAN(head->id));
        if (status == MQ_OK)
            status = mq_sqlite_step(&query, error);
        if (status == MQ_OK)
            status = mq_sqlite_fixed(query, 0, head->id, sizeof head->id, error);
        if (status == MQ_OK)
            head->seq++;
        mq_db_done(&query);
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status count_segment(struct mq_db *db, const struct mq_log_item *item, struct mq_error *error)
{
    struct stream_row row;
    enum mq_status status = get_stream(db, item->stream, &row, error);

    if (status != MQ_OK)
        return status;
    mq_sum_add(&row.sum, item->id);
    row.bytes += item->bytes.size;
    if (item->seq > row.highest)
        row.highest = item->seq;
    if (item->seq == (uint64_t)row.head.seq + 1)
        status = advance(db, item->stream, &row.head, error);
    return status == MQ_OK ? put_stream(db, item->stream, &row, error) : status;
}

enum mq_status mq_sqlite_append(struct mq_store *base, const uint8_t *mailbox, const struct mq_log_item *item,
                                bool *added, struct mq_error *error)
{
    struct mq_sqlite_store *store = mq_sqlite(base);
    enum mq_status status = mq_sqlite_enter(store, error);

    *added = false;
    if (status != MQ_OK)
        return status;
    status = look_for(store->db, item, error);
    bool missing = status == MQ_NOT_FOUND;
    if (missing)
        status = insert(store->db, mailbox, item, error);
    if (missing && status == MQ_OK && item->frame == MQ_FRAME_SEGMENT)
        status = count_segment(store->db, item, error);
    status = mq_sqlite_leave(store, status, error);
    *added = missing && status == MQ_OK;
    return status;
}

/* ---- Reading ---- */

enum mq_status mq_sqlite_position(struct mq_store *base, const uint8_t *mailbox, uint64_t number,
                                  struct mq_log_position *out, struct mq_error *error)
{
    struct mq_query *query;

    memset(out, 0, sizeof *out);
    if (number == 0)
        return MQ_OK;
    if (number > INT64_MAX)
        return MQ_NOT_FOUND;
    enum mq_status status =
        mq_db_query(mq_sqlite(base)->db, &query, error, "SELECT total FROM log WHERE mailbox = ? AND number = ?", "bi",
                    mq_span(mailbox, MQ_ID_SIZE), (int64_t)number);
    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 0, out->sum.total, sizeof out->sum.total, error);
    mq_db_done(&query);
    out->number = out->sum.count = number;
    return status;
}

enum mq_status mq_sqlite_last(struct mq_store *base, const uint8_t *mailbox, struct mq_log_position *out,
                              struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error,
                                        "SELECT head, total FROM mailbox WHERE id = ?", "b",
                                        mq_span(mailbox, MQ_ID_SIZE));

    memset(out, 0, sizeof *out);
    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK) {
        out->number = out->sum.count = (uint64_t)mq_db_int(query, 0);
        status = mq_sqlite_fixed(query, 1, out->sum.total, sizeof out->sum.total, error);
    }
    mq_db_done(&query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* The columns of LOG_COLUMNS. `bytes` borrows from the query's row. */
#define LOG_COLUMNS "number, frame, id, stream, seq, previous, name, bytes"
static enum mq_status get_item(struct mq_query *query, struct mq_log_item *item, struct mq_error *error)
{
    enum mq_status status = mq_sqlite_fixed(query, 2, item->id, sizeof item->id, error);

    item->number = (uint64_t)mq_db_int(query, 0);
    item->frame = (uint8_t)mq_db_int(query, 1);
    item->seq = (uint32_t)mq_db_int(query, 4);
    item->bytes = mq_db_blob(query, 7);
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 3, item->stream, sizeof item->stream, error);
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 5, item->previous, sizeof item->previous, error);
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 6, item->name, sizeof item->name, error);
    return status;
}

enum mq_status mq_sqlite_list(struct mq_store *base, const uint8_t *mailbox, uint64_t cursor, mq_take_item *take,
                              void *context, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_log_item item;

    if (cursor > INT64_MAX)
        return MQ_OK;
    enum mq_status status = mq_db_query(
        mq_sqlite(base)->db, &query, error,
        "SELECT " LOG_COLUMNS " FROM log WHERE mailbox = ? AND number > ? ORDER BY number", "bi",
        mq_span(mailbox, MQ_ID_SIZE), (int64_t)cursor);
    bool more = status == MQ_OK;
    while (more) {
        status = mq_sqlite_step(&query, error);
        if (status == MQ_OK)
            status = get_item(query, &item, error);
        more = status == MQ_OK && take(context, &item);
    }
    mq_db_done(&query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_sqlite_announce(struct mq_store *base, const uint8_t *stream, uint8_t *mailbox,
                                  struct mq_buffer *bytes, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_sqlite(base)->db, &query, error,
                                        "SELECT bytes, mailbox FROM log WHERE frame = 3 AND stream = ?", "b",
                                        mq_span(stream, MQ_ID_SIZE));

    if (status == MQ_OK)
        status = mq_sqlite_step(&query, error);
    if (status == MQ_OK)
        status = mq_sqlite_fixed(query, 1, mailbox, MQ_ID_SIZE, error);
    if (status == MQ_OK) {
        mq_put_span(bytes, mq_db_blob(query, 0));
        if (bytes->failed)
            status = damaged(error);
    }
    mq_db_done(&query);
    return status;
}

enum mq_status mq_sqlite_grant(struct mq_store *base, const uint8_t *kid, struct mq_buffer *bytes,
                               struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_sqlite(base)->db, &query, error,
                    "SELECT bytes FROM log WHERE frame = 4 AND name = ? ORDER BY rowid LIMIT 1", "b",
                    mq_span(kid, MQ_KID_SIZE));

    return mq_sqlite_blob(status, &query, bytes, error);
}

enum mq_status mq_sqlite_grants(struct mq_store *base, mq_take_bytes *take, void *context, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_sqlite(base)->db, &query, error, "SELECT bytes FROM log WHERE frame = 4 ORDER BY rowid", "");
    bool more = status == MQ_OK;

    while (more) {
        status = mq_sqlite_step(&query, error);
        more = status == MQ_OK && take(context, mq_db_blob(query, 0));
    }
    mq_db_done(&query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_sqlite_segment(struct mq_store *base, const uint8_t *id, struct mq_buffer *bytes,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_sqlite(base)->db, &query, error, "SELECT bytes FROM log WHERE id = ? AND frame = 1", "b",
                    mq_span(id, MQ_SEGMENT_ID_SIZE));

    return mq_sqlite_blob(status, &query, bytes, error);
}

enum mq_status mq_sqlite_head(struct mq_store *base, const uint8_t *stream, struct mq_stream_head *out,
                              struct mq_error *error)
{
    struct stream_row row;
    enum mq_status status = get_stream(mq_sqlite(base)->db, stream, &row, error);

    *out = row.head;
    return status;
}

enum mq_status mq_sqlite_held(struct mq_store *base, const uint8_t *stream, struct mq_have *have, uint64_t *bytes,
                              struct mq_error *error)
{
    struct stream_row row;
    enum mq_status status = get_stream(mq_sqlite(base)->db, stream, &row, error);

    memcpy(have->stream, stream, sizeof have->stream);
    have->count = (uint32_t)row.sum.count;
    have->highest = row.highest;
    mq_sum_fingerprint(have->fingerprint, &row.sum);
    *bytes = row.bytes;
    return status;
}

enum mq_status mq_sqlite_streams_of(struct mq_store *base, const uint8_t *key_name, mq_take_stream *take,
                                    void *context, struct mq_error *error)
{
    struct mq_query *query;
    uint8_t stream[MQ_ID_SIZE];
    enum mq_status status =
        mq_db_query(mq_sqlite(base)->db, &query, error,
                    "SELECT stream FROM log WHERE frame = 3 AND name = ? ORDER BY rowid DESC", "b",
                    mq_span(key_name, MQ_KID_SIZE));
    bool more = status == MQ_OK;

    while (more) {
        status = mq_sqlite_step(&query, error);
        if (status == MQ_OK)
            status = mq_sqlite_fixed(query, 0, stream, sizeof stream, error);
        more = status == MQ_OK && take(context, stream);
    }
    mq_db_done(&query);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}
