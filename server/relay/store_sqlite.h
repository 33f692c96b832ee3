/* What the files of the SQLite backend share. */
#ifndef MQ_SERVER_RELAY_STORE_SQLITE_H
#define MQ_SERVER_RELAY_STORE_SQLITE_H

#include "platform/db.h"
#include "server/relay/store.h"

struct mq_sqlite_store {
    struct mq_store store; /* first: a store is this */
    const struct mq_platform *platform;
    struct mq_db *db;
    bool group;            /* between begin and commit */
    enum mq_status failed; /* within a group: what a verb met; nothing of the group will stay */
};

static inline struct mq_sqlite_store *mq_sqlite(struct mq_store *store)
{
    return (struct mq_sqlite_store *)store;
}

/* Every verb that writes stands between these two. Outside a group they make a transaction of its own, which leave
 * commits where `status` is MQ_OK and undoes otherwise; inside one, a status that is not MQ_OK undoes the whole group,
 * so a mere refusal is not passed here. leave returns what became of it. */
MQ_MUST_USE enum mq_status mq_sqlite_enter(struct mq_sqlite_store *store, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_sqlite_leave(struct mq_sqlite_store *store, enum mq_status status,
                                           struct mq_error *error);
/* One step of a query. MQ_OK: a row; MQ_NOT_FOUND: no more rows, without words; otherwise the trouble. */
MQ_MUST_USE enum mq_status mq_sqlite_step(struct mq_query **query, struct mq_error *error);
/* Is there a row? The query is ended. MQ_OK, MQ_NOT_FOUND, or trouble; `status` is that of the query's start. */
MQ_MUST_USE enum mq_status mq_sqlite_any(enum mq_status status, struct mq_query **query, struct mq_error *error);
/* Copies a column of exactly `size` bytes. MQ_DAMAGED where it has another length. */
MQ_MUST_USE enum mq_status mq_sqlite_fixed(struct mq_query *query, int column, void *out, size_t size,
                                           struct mq_error *error);
/* Appends one blob column of the first row. MQ_NOT_FOUND; MQ_NO_SPACE where `out` is too small. */
MQ_MUST_USE enum mq_status mq_sqlite_blob(enum mq_status status, struct mq_query **query, struct mq_buffer *out,
                                          struct mq_error *error);

/* store_sqlite_log.c: logs and streams */
enum mq_status mq_sqlite_append(struct mq_store *, const uint8_t *, const struct mq_log_item *, bool *,
                                struct mq_error *);
enum mq_status mq_sqlite_last(struct mq_store *, const uint8_t *, struct mq_log_position *, struct mq_error *);
enum mq_status mq_sqlite_position(struct mq_store *, const uint8_t *, uint64_t, struct mq_log_position *,
                                  struct mq_error *);
enum mq_status mq_sqlite_list(struct mq_store *, const uint8_t *, uint64_t, mq_take_item *, void *, struct mq_error *);
enum mq_status mq_sqlite_announce(struct mq_store *, const uint8_t *, uint8_t *, struct mq_buffer *,
                                  struct mq_error *);
enum mq_status mq_sqlite_grant(struct mq_store *, const uint8_t *, struct mq_buffer *, struct mq_error *);
enum mq_status mq_sqlite_grants(struct mq_store *, mq_take_bytes *, void *, struct mq_error *);
enum mq_status mq_sqlite_segment(struct mq_store *, const uint8_t *, struct mq_buffer *, struct mq_error *);
enum mq_status mq_sqlite_head(struct mq_store *, const uint8_t *, struct mq_stream_head *, struct mq_error *);
enum mq_status mq_sqlite_held(struct mq_store *, const uint8_t *, struct mq_have *, uint64_t *, struct mq_error *);
enum mq_status mq_sqlite_streams_of(struct mq_store *, const uint8_t *, mq_take_stream *, void *, struct mq_error *);
enum mq_status mq_sqlite_check_logs(struct mq_sqlite_store *, struct mq_error *);

/* store_sqlite_slots.c: controls, desks, tokens, and what waits for a while */
enum mq_status mq_sqlite_put_control(struct mq_store *, const struct mq_control *, bool *, struct mq_error *);
enum mq_status mq_sqlite_controls(struct mq_store *, const uint8_t *, uint8_t, const uint8_t *, mq_take_bytes *,
                                  void *, struct mq_error *);
enum mq_status mq_sqlite_put_desk(struct mq_store *, struct mq_span, struct mq_error *);
enum mq_status mq_sqlite_desks(struct mq_store *, struct mq_certificate *, size_t, size_t *, struct mq_error *);
enum mq_status mq_sqlite_set_access(struct mq_store *, const uint8_t *, struct mq_span, struct mq_error *);
enum mq_status mq_sqlite_access(struct mq_store *, const uint8_t *, struct mq_access *, uint8_t *, struct mq_error *);
enum mq_status mq_sqlite_put_part(struct mq_store *, const uint8_t *, const uint8_t *, uint32_t, uint32_t,
                                  struct mq_span, int32_t, struct mq_buffer *, struct mq_error *);
enum mq_status mq_sqlite_put_enrol(struct mq_store *, const uint8_t *, struct mq_span, int32_t, struct mq_error *);
enum mq_status mq_sqlite_enrols(struct mq_store *, mq_take_bytes *, void *, struct mq_error *);
enum mq_status mq_sqlite_answer_enrol(struct mq_store *, const uint8_t *, struct mq_span, struct mq_error *);
enum mq_status mq_sqlite_enrol_reply(struct mq_store *, const uint8_t *, struct mq_buffer *, struct mq_error *);
enum mq_status mq_sqlite_expire(struct mq_store *, int32_t, struct mq_error *);

#endif
