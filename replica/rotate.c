/* The next epochs, and the way back to the earlier ones. */
#include "replica/rotate.h"

#include <stdio.h>
#include <string.h>

#include "platform/hex.h"
#include "protocol/compartment.h"
#include "replica/cases.h"
#include "replica/cases_keys.h"
#include "replica/keyring_keys.h"

#define DAY_SECONDS 86400

/* ---- at a county's desk ---- */

static enum mq_status rotate_one(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                 unsigned right, struct mq_error *error)
{
    enum mq_status status = mq_grant_next(replica, team, compartment, error);
    return status == MQ_OK ? mq_grant_wrap_all(replica, team, compartment, right, error) : status;
}

/* "rotated:" and the team's id: when its key last changed, by this machine's clock. */
#define SLOT_SIZE (sizeof "rotated:" + 2 * MQ_ID_SIZE)

static void slot_name(char out[SLOT_SIZE], const struct mq_team *team)
{
    int size = snprintf(out, SLOT_SIZE, "rotated:");
    mq_hex_write(out + size, MQ_SPAN(team->team));
}

enum mq_status mq_rotate(struct mq_replica *replica, const struct mq_team *team, struct mq_error *error)
{
    char slot[SLOT_SIZE];
    slot_name(slot, team);
    enum mq_status status = rotate_one(replica, team, MQ_COMPARTMENT_TEAM, MQ_RIGHT_NONE, error);
    if (status == MQ_OK)
        status = rotate_one(replica, team, MQ_COMPARTMENT_SENSITIVE, MQ_RIGHT_SENSITIVE, error);
    return status == MQ_OK ? mq_setting_put_number(replica, slot, mq_now(replica->platform), error) : status;
}

enum mq_status mq_rotate_without(struct mq_replica *replica, const struct mq_team *team,
                                 const struct mq_certificate *member, unsigned rights, struct mq_error *error)
{
    uint32_t own = mq_compartment_case(member->serial);
    bool answered = false;
    enum mq_status status = mq_rotate(replica, team, error);
    if (status == MQ_OK && (rights & MQ_RIGHT_RESTRICTED))
        return mq_restricted_regrant(replica, team, error);
    if (status == MQ_OK && own != 0)
        status = mq_key_here(replica, team->team, own, &answered, error);
    return answered ? rotate_one(replica, team, own, MQ_RIGHT_RESTRICTED, error) : status;
}

enum mq_status mq_rotate_due(struct mq_replica *replica, const struct mq_team *team, bool *rotated,
                             struct mq_error *error)
{
    char slot[SLOT_SIZE];
    int64_t last, now = mq_now(replica->platform);
    *rotated = false;
    slot_name(slot, team);
    enum mq_status status = mq_setting_number(replica, slot, &last, error);
    if (status != MQ_OK)
        return status;
    if (last <= 0 || last > now) /* never noted, or by a clock that was ahead */
        return mq_setting_put_number(replica, slot, now, error);
    if (now - last < (int64_t)MQ_EPOCH_DAYS * DAY_SECONDS)
        return MQ_OK;
    *rotated = true;
    return mq_rotate(replica, team, error);
}

/* ---- at whoever reads ---- */

/* Is it the key that the grant commits to? */
static bool fits(const struct mq_grant *grant, const struct mq_secret *key)
{
    uint8_t commitment[MQ_PUBLIC_SIZE];
    mq_commitment(commitment, key);
    return mq_equal_secret(commitment, grant->commitment, sizeof commitment);
}

/* What this replica itself sealed under the key, and could not read, goes through the door again. */
static enum mq_status key_put(struct mq_replica *replica, const struct mq_grant *grant, const struct mq_secret *key,
                              struct mq_error *error)
{
    uint8_t kid[MQ_KID_SIZE];
    mq_grant_kid(kid, grant);
    enum mq_status status = mq_grant_put(replica, grant, key, error);
    return status == MQ_OK ? mq_db_run(replica->db, error,
                                       "UPDATE segment SET state = 0 WHERE " MQ_SEGMENT_WRITE_ONLY
                                       " AND substr(bytes, 23, 8) = ?",
                                       "b", MQ_SPAN(kid))
                           : status;
}

/* The grant that stood before this one, if it is here and its key is not. MQ_NOT_FOUND. */
static enum mq_status grant_before(struct mq_replica *replica, const struct mq_grant *grant, struct mq_grant *out,
                                   struct mq_error *error)
{
    struct mq_query *query;
    uint8_t mailbox[MQ_ID_SIZE], hash[MQ_HASH_SIZE];
    mq_mailbox(mailbox, grant->team, grant->compartment);
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT bytes FROM grants WHERE mailbox = ? AND epoch < ? AND key IS NULL ORDER BY epoch DESC, kid", "bi",
        MQ_SPAN(mailbox), (int64_t)grant->epoch);
    if (status != MQ_OK)
        return status;
    status = MQ_NOT_FOUND;
    while (status == MQ_NOT_FOUND && mq_db_next(&query, error)) {
        if (mq_grant_decode(out, mq_db_blob(query, 0)) != MQ_OK)
            continue;
        mq_grant_hash(hash, out);
        if (memcmp(hash, grant->previous_hash, sizeof hash) == 0)
            status = MQ_OK;
    }
    mq_db_done(&query);
    return error->status != MQ_OK ? error->status : status;
}

enum mq_status mq_key_take(struct mq_replica *replica, const struct mq_grant *grant, const struct mq_secret *key,
                           struct mq_error *error)
{
    struct mq_grant at = *grant, before;
    struct mq_secret own = *key;
    enum mq_status status = key_put(replica, &at, &own, error);
    while (status == MQ_OK) {
        status = grant_before(replica, &at, &before, error);
        if (status != MQ_OK)
            break;
        /* Whatever is handed on is a key only if its own grant commits to it. */
        if (mq_grant_previous_key(&own, &at, &own) != MQ_OK || !fits(&before, &own)) {
            status = MQ_NOT_FOUND;
            break;
        }
        status = key_put(replica, &before, &own, error);
        at = before;
    }
    mq_secret_wipe(&own);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* The key of `grant`, from a later one that hands it on. MQ_NOT_FOUND. */
static enum mq_status key_from_later(struct mq_replica *replica, const struct mq_grant *grant, struct mq_secret *out,
                                     struct mq_error *error)
{
    struct mq_query *query;
    uint8_t mailbox[MQ_ID_SIZE], hash[MQ_HASH_SIZE];
    struct mq_grant later;
    mq_mailbox(mailbox, grant->team, grant->compartment);
    mq_grant_hash(hash, grant);
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT bytes, key FROM grants WHERE mailbox = ? AND epoch > ? AND key IS NOT NULL ORDER BY epoch, kid", "bi",
        MQ_SPAN(mailbox), (int64_t)grant->epoch);
    if (status != MQ_OK)
        return status;
    status = MQ_NOT_FOUND;
    while (status == MQ_NOT_FOUND && mq_db_next(&query, error)) {
        struct mq_span key = mq_db_blob(query, 1);
        if (mq_grant_decode(&later, mq_db_blob(query, 0)) != MQ_OK || key.size != sizeof out->bytes ||
            memcmp(later.previous_hash, hash, sizeof hash) != 0)
            continue;
        memcpy(out->bytes, key.data, key.size);
        if (mq_grant_previous_key(out, &later, out) == MQ_OK && fits(grant, out))
            status = MQ_OK;
    }
    mq_db_done(&query);
    return error->status != MQ_OK ? error->status : status;
}

/* A grant that this desk made in a life it does not remember brings its key with it. */
static enum mq_status key_of_own(struct mq_replica *replica, const struct mq_grant *grant, struct mq_secret *out,
                                 struct mq_error *error)
{
    if (mq_grant_desk_key(out, grant, replica->identity) != MQ_OK)
        return MQ_OK; /* somebody else made it, or not as it should be */
    enum mq_status status = mq_key_take(replica, grant, out, error);
    return status == MQ_OK ? mq_grant_share(replica, grant, out, error) : status;
}

enum mq_status mq_grant_take(struct mq_replica *replica, const struct mq_grant *grant, struct mq_error *error)
{
    uint8_t kid[MQ_KID_SIZE];
    struct mq_secret key = {{0}};
    int64_t here;
    mq_grant_kid(kid, grant);
    enum mq_status status = mq_grant_put(replica, grant, NULL, error);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &here, error, "SELECT key IS NOT NULL FROM grants WHERE kid = ?", "b",
                              MQ_SPAN(kid));
    if (status != MQ_OK || here != 0)
        return status;
    status = key_from_later(replica, grant, &key, error);
    if (status == MQ_OK)
        status = mq_key_take(replica, grant, &key, error);
    else if (status == MQ_NOT_FOUND)
        status = key_of_own(replica, grant, &key, error);
    mq_secret_wipe(&key);
    return status;
}
