/* Does the relay's store still hold what was written? Works every id, number and sum out once more. */
#include <string.h>

#include "protocol/segment.h"
#include "server/relay/store_sqlite.h"

/* What the rows read so far add up to. */
struct audit {
    uint8_t mailbox[MQ_ID_SIZE];
    struct mq_log_position position;
};

static void name_of(uint8_t id[MQ_HASH_SIZE], uint8_t frame, struct mq_span bytes)
{
    struct mq_segment segment;

    if (frame != MQ_FRAME_SEGMENT)
        mq_hash_one(id, MQ_HASH_SIZE, MQ_DOMAIN_BODY, bytes);
    else if (mq_segment_decode(&segment, bytes) == MQ_OK)
        memcpy(id, segment.id, MQ_HASH_SIZE);
    else
        memset(id, 0, MQ_HASH_SIZE);
}

/* Columns: mailbox, number, frame, id, total, bytes, the mailbox's head and total (which fit its last row only). */
static bool row_fits(struct audit *audit, struct mq_query *query)
{
    struct mq_span mailbox = mq_db_blob(query, 0);
    uint8_t id[MQ_HASH_SIZE];

    if (!mq_span_equal(mailbox, MQ_SPAN(audit->mailbox))) {
        if (mailbox.size != sizeof audit->mailbox)
            return false;
        memcpy(audit->mailbox, mailbox.data, mailbox.size);
        memset(&audit->position, 0, sizeof audit->position);
    }
    name_of(id, (uint8_t)mq_db_int(query, 2), mq_db_blob(query, 5));
    mq_sum_add(&audit->position.sum, id);
    audit->position.number++;
    uint64_t head = (uint64_t)mq_db_int(query, 6);
    return mq_span_equal(mq_db_blob(query, 3), MQ_SPAN(id)) &&
           (uint64_t)mq_db_int(query, 1) == audit->position.number &&
           mq_span_equal(mq_db_blob(query, 4), MQ_SPAN(audit->position.sum.total)) &&
           audit->position.number <= head &&
           (audit->position.number < head || mq_span_equal(mq_db_blob(query, 7), MQ_SPAN(audit->position.sum.total)));
}

/* MQ_NOT_FOUND: no log ends before its mailbox says. */
static enum mq_status short_log(struct mq_db *db, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(db, &query, error,
                    "SELECT 1 FROM mailbox WHERE head <>"
                    " (SELECT count(*) FROM log WHERE log.mailbox = mailbox.id)",
                    "");

    return mq_sqlite_any(status, &query, error);
}

enum mq_status mq_sqlite_check_logs(struct mq_sqlite_store *store, struct mq_error *error)
{
    struct audit audit = {.mailbox = {0}};
    struct mq_query *query;
    bool fits = true;
    enum mq_status status =
        mq_db_query(store->db, &query, error,
                    "SELECT log.mailbox, number, frame, log.id, log.total, bytes, mailbox.head, mailbox.total"
                    " FROM log LEFT JOIN mailbox ON mailbox.id = log.mailbox ORDER BY log.mailbox, number",
                    "");

    while (status == MQ_OK && fits) {
        status = mq_sqlite_step(&query, error);
        if (status == MQ_OK)
            fits = row_fits(&audit, query);
    }
    mq_db_done(&query);
    if (status == MQ_NOT_FOUND)
        status = short_log(store->db, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    if (status != MQ_OK)
        return status;
    return mq_fail(error, MQ_DAMAGED,
                   _("a log of the relay's store is not what was written; restore it from a backup"));
}
