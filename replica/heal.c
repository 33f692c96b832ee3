/* What a server, and through it a desk, may have lost, laid into the outbox. */
#include "replica/heal.h"

#include <string.h>

#include "protocol/control.h"
#include "protocol/frame.h"
#include "replica/cases_keys.h"
#include "replica/keyring_keys.h"
#include "replica/outbox.h"
#include "replica/replica_keys.h"

/* In the order in which a reader needs them: the object, and what it is known by, so that a newer word takes an older one's
 * place here too. */
static const struct {
    enum mq_frame_type type;
    const char *sql;
} owed[] = {
    {MQ_FRAME_CERTIFICATE, "SELECT certificate, certificate FROM desk"},
    /* Revocations before grants: a desk that was set back finds its keys in these and hands them to all it knows of, so it has to
     * have heard by then whom it revoked. */
    {MQ_FRAME_CONTROL, "SELECT bytes, CAST(team || subject || owner AS BLOB) FROM control WHERE kind = 3 ORDER BY number"},
    {MQ_FRAME_GRANT, "SELECT bytes, kid FROM grants ORDER BY epoch"},
    /* A desk that was set back, and whose clock is late, goes on above the numbers that it gave before. */
    {MQ_FRAME_CONTROL, "SELECT bytes, CAST(team || subject || owner AS BLOB) FROM control WHERE kind = 1 ORDER BY number"},
};
_Static_assert(MQ_CONTROL_RECEIPT == 1 && MQ_CONTROL_REVOCATION == 3, "the kinds in SQL");

static enum mq_status owe(struct mq_replica *replica, enum mq_frame_type type, struct mq_span bytes, struct mq_span key,
                          struct mq_error *error)
{
    uint8_t memory[16 + MQ_HASH_SIZE];
    struct mq_buffer slot = mq_buffer(memory, sizeof memory);
    mq_put_text(&slot, "owed:");
    mq_put_u8(&slot, (uint8_t)type);
    mq_hash_one(mq_reserve(&slot, MQ_HASH_SIZE), MQ_HASH_SIZE, MQ_DOMAIN_BODY, key);
    return mq_outbox_put(replica, type, mq_written(&slot), bytes, error);
}

/* Each key that is here, to the county desks of its team: a desk that was set back cannot read what was sealed since. */
static enum mq_status owe_key(struct mq_replica *replica, const struct mq_grant *grant, const struct mq_secret *key,
                              const struct mq_certificate *desks, size_t count, struct mq_error *error)
{
    uint8_t frame[MQ_WRAP_FRAME_SIZE];
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        if (mq_role_governs(desks[i].role) && memcmp(desks[i].team, grant->team, MQ_ID_SIZE) == 0 &&
            mq_grant_wrap_back(frame, grant, key, desks[i].box_public) == MQ_OK)
            status = owe(replica, MQ_FRAME_WRAP, MQ_SPAN(frame), MQ_SPAN(frame), error);
    return status;
}

static enum mq_status owe_keys(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_certificate desks[MQ_DESKS_MAX];
    struct mq_query *query;
    size_t count;
    enum mq_status status = mq_desks(replica, desks, MQ_DESKS_MAX, &count, error);
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error,
                             "SELECT bytes, key FROM grants WHERE key IS NOT NULL ORDER BY epoch", "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_grant grant;
        struct mq_secret key;
        struct mq_span bytes = mq_db_blob(query, 1);
        if (mq_grant_decode(&grant, mq_db_blob(query, 0)) != MQ_OK || bytes.size != sizeof key.bytes)
            continue; /* `check` names it */
        memcpy(key.bytes, bytes.data, bytes.size);
        status = owe_key(replica, &grant, &key, desks, count, error);
        mq_secret_wipe(&key);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_heal_owe_grant(struct mq_replica *replica, const struct mq_grant *grant, struct mq_error *error)
{
    uint8_t bytes[MQ_GRANT_SIZE], kid[MQ_KID_SIZE];
    mq_grant_encode(bytes, grant);
    mq_grant_kid(kid, grant);
    return owe(replica, MQ_FRAME_GRANT, MQ_SPAN(bytes), MQ_SPAN(kid), error);
}

/* Receipts of others are theirs to bring: with every stick all of them would go over somebody's line once more. */
static enum mq_status is_ours_to_bring(struct mq_replica *replica, const struct mq_control *control, bool *ours,
                                       struct mq_error *error)
{
    int64_t own = 0;
    enum mq_status status = MQ_OK;
    if (control->kind == MQ_CONTROL_RECEIPT)
        status = mq_db_number(replica->db, &own, error, "SELECT count(*) FROM stream WHERE stream = ? AND mine = 1", "b",
                              MQ_SPAN(control->subject));
    *ours = own > 0 || control->kind == MQ_CONTROL_REVOCATION;
    return status;
}

enum mq_status mq_heal_owe_word(struct mq_replica *replica, const struct mq_control *control, struct mq_error *error)
{
    bool ours;
    uint8_t memory[MQ_ID_SIZE + MQ_ID_SIZE + MQ_KID_SIZE], owner[MQ_KID_SIZE];
    struct mq_buffer key = mq_buffer(memory, sizeof memory);
    enum mq_status status = is_ours_to_bring(replica, control, &ours, error);
    if (status != MQ_OK || !ours)
        return status;
    mq_control_owner(owner, control);
    mq_put(&key, control->team, sizeof control->team);
    mq_put(&key, control->subject, sizeof control->subject);
    mq_put(&key, owner, sizeof owner);
    return owe(replica, MQ_FRAME_CONTROL, control->bytes, mq_written(&key), error);
}

enum mq_status mq_heal_owe(struct mq_replica *replica, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < sizeof owed / sizeof *owed && status == MQ_OK; i++) {
        struct mq_query *query;
        status = mq_db_query(replica->db, &query, error, owed[i].sql, "");
        while (status == MQ_OK && mq_db_next(&query, error))
            status = owe(replica, owed[i].type, mq_db_blob(query, 0), mq_db_blob(query, 1), error);
        mq_db_done(&query);
        if (status == MQ_OK)
            status = error->status;
    }
    return status == MQ_OK ? owe_keys(replica, error) : status;
}
