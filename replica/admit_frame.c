/* The one door for frames: each type to its check. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/control.h"
#include "replica/admit_keys.h"
#include "replica/cases_keys.h"
#include "replica/heal.h"
#include "replica/revoke.h"
#include "replica/rotate.h"

/* ---- what cannot be verified yet ---- */

enum mq_status mq_unverified_put(struct mq_replica *replica, enum mq_frame_type type, const uint8_t stream[MQ_ID_SIZE],
                                 struct mq_span bytes, bool carry, struct mq_admitted *result, struct mq_error *error)
{
    uint8_t hash[MQ_HASH_SIZE];
    int64_t count;
    enum mq_status status = mq_db_number(replica->db, &count, error, "SELECT count(*) FROM unverified", "");
    if (status != MQ_OK)
        return status;
    if (count >= MQ_UNVERIFIED_MAX) {
        result->refused++;
        return MQ_OK;
    }
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, bytes);
    return mq_db_run(replica->db, error, "INSERT OR IGNORE INTO unverified VALUES(?, ?, ?, ?, ?)", "bibib",
                     MQ_SPAN(hash), (int64_t)type, mq_span(stream, MQ_ID_SIZE), (int64_t)carry, bytes);
}

/* What waited for this stream's announce (type segment), or for a desk's certificate (type announce), goes through the
 * door again. While a segment waited no server heard of it: one that was emptied since learns now that it is here. */
static enum mq_status unverified_again(struct mq_replica *replica, enum mq_frame_type type,
                                       const uint8_t stream[MQ_ID_SIZE], struct mq_admitted *result,
                                       struct mq_error *error)
{
    uint8_t *copy = mq_work_memory(MQ_SEGMENT_MAX), at[MQ_HASH_SIZE] = {0};
    enum mq_status status = MQ_OK;
    while (status == MQ_OK) {
        struct mq_query *query;
        status = mq_db_query(
            replica->db, &query, error,
            "SELECT hash, carry, bytes FROM unverified WHERE frame = ? AND stream = ? AND hash > ? ORDER BY hash LIMIT 1",
            "ibb", (int64_t)type, mq_span(stream, MQ_ID_SIZE), MQ_SPAN(at));
        if (status != MQ_OK || !mq_db_next(&query, error))
            break;
        struct mq_span bytes = mq_db_blob(query, 2);
        struct mq_frame frame = {.type = (uint8_t)type, .payload = {copy, bytes.size}};
        bool carry = mq_db_int(query, 1) != 0;
        MQ_ASSERT(bytes.size <= MQ_SEGMENT_MAX);
        memcpy(copy, bytes.data, bytes.size);
        memcpy(at, mq_db_blob(query, 0).data, sizeof at);
        mq_db_done(&query);
        status = mq_db_run(replica->db, error, "DELETE FROM unverified WHERE hash = ?", "b", MQ_SPAN(at));
        if (status == MQ_OK)
            status = mq_admit(replica, &frame, carry, result, error);
        if (status == MQ_OK && type == MQ_FRAME_SEGMENT)
            status = mq_have_list_owe(replica, error);
    }
    mq_work_free(copy, MQ_SEGMENT_MAX);
    return status != MQ_OK ? status : error->status;
}

static const uint8_t no_stream[MQ_ID_SIZE];

static enum mq_status admit_certificate(struct mq_replica *replica, struct mq_span payload, struct mq_admitted *result,
                                        struct mq_error *error)
{
    struct mq_certificate certificate;
    if (mq_certificate_decode(&certificate, payload) != MQ_OK || !mq_role_is_desk(certificate.role) ||
        mq_certificate_verify(&certificate, mq_replica_root(replica), NULL, 0) != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    enum mq_status status = mq_desk_put(replica, &certificate, error);
    if (status == MQ_OK)
        status = mq_revoke_meet(replica, &certificate, error);
    return status == MQ_OK ? unverified_again(replica, MQ_FRAME_ANNOUNCE, no_stream, result, error) : status;
}

static enum mq_status admit_announce(struct mq_replica *replica, struct mq_span payload, struct mq_admitted *result,
                                     struct mq_error *error)
{
    struct mq_announce announce;
    uint8_t stream[MQ_ID_SIZE];
    int64_t known;
    if (mq_announce_decode(&announce, payload) != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    mq_announce_stream(stream, &announce);
    enum mq_status status =
        mq_db_number(replica->db, &known, error, "SELECT count(*) FROM stream WHERE stream = ?", "b", MQ_SPAN(stream));
    if (status != MQ_OK || known > 0)
        return status;
    status = mq_certificate_trust(replica, &announce.certificate, error);
    if (status == MQ_FAULT || status == MQ_DAMAGED)
        return status;
    if (status == MQ_WAITING) /* for its desk's certificate */
        return mq_unverified_put(replica, MQ_FRAME_ANNOUNCE, no_stream, payload, false, result, error);
    if (status != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    status = mq_stream_put(replica, &announce, false, error);
    return status == MQ_OK ? unverified_again(replica, MQ_FRAME_SEGMENT, stream, result, error) : status;
}

/* Wraps that came before their grant, as they may in a reply with several mailboxes. The kid names them, as a stream
 * names segments. */
static void wrap_name(uint8_t out[MQ_ID_SIZE], const uint8_t kid[MQ_KID_SIZE])
{
    memset(out, 0, MQ_ID_SIZE);
    memcpy(out, kid, MQ_KID_SIZE);
}

static enum mq_status grant_take(struct mq_replica *replica, const struct mq_grant *grant, bool carry,
                                 struct mq_admitted *result, struct mq_error *error)
{
    uint8_t kid[MQ_KID_SIZE], name[MQ_ID_SIZE];
    int64_t known;
    mq_grant_kid(kid, grant);
    wrap_name(name, kid);
    enum mq_status status =
        mq_db_number(replica->db, &known, error, "SELECT count(*) FROM grants WHERE kid = ?", "b", MQ_SPAN(kid));
    if (status == MQ_OK && carry && known == 0)
        status = mq_heal_owe_grant(replica, grant, error);
    if (status == MQ_OK)
        status = mq_grant_take(replica, grant, error);
    return status == MQ_OK ? unverified_again(replica, MQ_FRAME_WRAP, name, result, error) : status;
}

/* The grant's desk among those known: a county's; hint and team must fit, and the signature. */
static enum mq_status admit_grant(struct mq_replica *replica, struct mq_span payload, bool carry,
                                  struct mq_admitted *result, struct mq_error *error)
{
    struct mq_grant grant;
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t count;
    enum mq_status status = mq_desks(replica, desks, MQ_DESKS_MAX, &count, error);
    if (status != MQ_OK)
        return status;
    if (mq_grant_decode(&grant, payload) == MQ_OK)
        for (size_t i = 0; i < count; i++)
            if (mq_role_governs(desks[i].role) && mq_grant_verify(&grant, &desks[i]) == MQ_OK)
                return grant_take(replica, &grant, carry, result, error);
    result->refused++;
    return MQ_OK;
}

static enum mq_status admit_wrap(struct mq_replica *replica, struct mq_span payload, struct mq_admitted *result,
                                 struct mq_error *error)
{
    uint8_t own[MQ_KID_SIZE], name[MQ_ID_SIZE];
    struct mq_query *query;
    struct mq_grant grant;
    struct mq_secret key;
    bool known;
    if (payload.size != MQ_WRAP_FRAME_SIZE) {
        result->refused++;
        return MQ_OK;
    }
    const struct mq_span kid = mq_span(payload.data, MQ_KID_SIZE);
    const struct mq_span wrap = mq_span(payload.data + MQ_KID_SIZE, MQ_WRAP_SIZE);
    mq_key_name(own, replica->identity->box_public);
    if (memcmp(wrap.data, own, sizeof own) != 0)
        return MQ_OK; /* for somebody else */
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT bytes, key IS NULL FROM grants WHERE kid = ?", "b", kid);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error)) {
        wrap_name(name, kid.data);
        return error->status != MQ_OK
                   ? error->status
                   : mq_unverified_put(replica, MQ_FRAME_WRAP, name, payload, false, result, error);
    }
    known = mq_db_int(query, 1) == 0;
    status = mq_grant_decode(&grant, mq_db_blob(query, 0));
    mq_db_done(&query);
    if (known)
        return MQ_OK;
    if (status == MQ_OK)
        status = mq_wrap_open(&key, wrap, &grant, replica->identity);
    if (status != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    status = mq_key_take(replica, &grant, &key, error);
    if (status == MQ_OK)
        status = mq_grant_share(replica, &grant, &key, error);
    mq_secret_wipe(&key);
    return status;
}

/* What was kept before desks had slots of their own has no rank of its issuer yet: it gets it when it comes again. */
enum mq_status mq_control_store(struct mq_replica *replica, const struct mq_control *control, unsigned rank, bool *newer,
                                struct mq_error *error)
{
    uint8_t owner[MQ_KID_SIZE];
    mq_control_owner(owner, control);
    enum mq_status status = mq_db_run(replica->db, error,
                                      "INSERT INTO control VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                      " ON CONFLICT(team, kind, subject, owner)"
                                      " DO UPDATE SET rank = ?5, number = ?6, bytes = ?7"
                                      " WHERE number < ?6 OR (number = ?6 AND rank <> ?5)",
                                      "bibbiib", MQ_SPAN(control->team), (int64_t)control->kind,
                                      MQ_SPAN(control->subject), MQ_SPAN(owner), (int64_t)rank,
                                      (int64_t)control->number, control->bytes);
    *newer = status == MQ_OK && mq_db_changes(replica->db) > 0;
    return status;
}

/* A township's desk says receipts only, and is heard only where they say something here: of an own stream, or, where we are
 * that desk and were set back, how far our numbers went. */
static enum mq_status townships_word(struct mq_replica *replica, const struct mq_control *control, bool *heard,
                                     struct mq_error *error)
{
    uint8_t self[MQ_KID_SIZE];
    int64_t own;
    mq_key_name(self, replica->identity->sign_public);
    enum mq_status status =
        mq_db_number(replica->db, &own, error,
                     "SELECT count(*) FROM stream JOIN mailbox USING(mailbox) WHERE stream = ? AND mine = 1 AND team = ?",
                     "bb", MQ_SPAN(control->subject), MQ_SPAN(control->team));
    *heard = status == MQ_OK && control->kind == MQ_CONTROL_RECEIPT &&
             (own > 0 || memcmp(self, control->issuer, sizeof self) == 0);
    return status;
}

/* It holds under this desk. */
static enum mq_status control_take(struct mq_replica *replica, const struct mq_control *control,
                                   const struct mq_certificate *desk, struct mq_admitted *result,
                                   struct mq_error *error)
{
    bool newer = false;
    if (control->kind == MQ_CONTROL_REVOCATION)
        return mq_revoke_take(replica, control, result, error);
    struct mq_receipt receipt;
    if (control->kind == MQ_CONTROL_RECEIPT && mq_receipt_get(&receipt, control->body) != MQ_OK) {
        result->refused++; /* kept, it would keep the slot from a true one, and be read again and again */
        return MQ_OK;
    }
    enum mq_status status = MQ_OK;
    bool heard = mq_role_governs(desk->role);
    if (!heard)
        status = townships_word(replica, control, &heard, error);
    if (status != MQ_OK || !heard)
        return status;
    status = mq_control_store(replica, control, mq_role_rank(desk->role), &newer, error);
    return status == MQ_OK && newer && control->kind == MQ_CONTROL_RECEIPT
               ? mq_receipts_apply(replica, control->subject, error)
               : status;
}

/* Is this the very object that stands in its slot? */
static enum mq_status control_kept(struct mq_replica *replica, const struct mq_control *control, bool *kept,
                                   struct mq_error *error)
{
    uint8_t owner[MQ_KID_SIZE];
    int64_t count;
    mq_control_owner(owner, control);
    enum mq_status status =
        mq_db_number(replica->db, &count, error,
                     "SELECT count(*) FROM control WHERE team = ? AND kind = ? AND subject = ? AND owner = ? AND bytes = ?",
                     "bibbb", MQ_SPAN(control->team), (int64_t)control->kind, MQ_SPAN(control->subject), MQ_SPAN(owner),
                     control->bytes);
    *kept = status == MQ_OK && count > 0;
    return status;
}

/* What is new here goes on to the server: a centre that was set back may have forgotten that its desk ever said so. The county's
 * desk says itself what counts now. */
static enum mq_status control_carry(struct mq_replica *replica, const struct mq_control *control,
                                    const struct mq_certificate *desk, struct mq_admitted *result, struct mq_error *error)
{
    bool before, after = false, own = false;
    enum mq_status status = control_kept(replica, control, &before, error);
    if (status == MQ_OK)
        status = control_take(replica, control, desk, result, error);
    if (status == MQ_OK)
        status = control_kept(replica, control, &after, error);
    if (status == MQ_OK && after && !before)
        status = mq_governs_team(replica, control->team, &own, error);
    return status == MQ_OK && after && !before && !own ? mq_heal_owe_word(replica, control, error) : status;
}

/* A key may have several certificates: its word has the rank of the highest, and none once one of them was revoked. */
static enum mq_status admit_control(struct mq_replica *replica, struct mq_span payload, bool carry,
                                    struct mq_admitted *result, struct mq_error *error)
{
    struct mq_control control;
    struct mq_certificate desks[MQ_DESKS_MAX];
    const struct mq_certificate *desk = NULL;
    bool revoked = false;
    size_t count;
    enum mq_status status = mq_desks(replica, desks, MQ_DESKS_MAX, &count, error);
    if (status != MQ_OK)
        return status;
    if (mq_control_decode(&control, payload) != MQ_OK || control.number > INT64_MAX)
        count = 0;
    for (size_t i = 0; i < count && status == MQ_OK && !revoked; i++) {
        if (mq_control_verify(&control, &desks[i]) != MQ_OK)
            continue;
        status = mq_revoked(replica, &desks[i], &revoked, error);
        if (desk == NULL || mq_role_rank(desks[i].role) > mq_role_rank(desk->role))
            desk = &desks[i];
    }
    if (status == MQ_OK && desk != NULL && !revoked)
        return carry ? control_carry(replica, &control, desk, result, error)
                     : control_take(replica, &control, desk, result, error);
    result->refused += status == MQ_OK;
    return status;
}

enum mq_status mq_admit(struct mq_replica *replica, const struct mq_frame *frame, bool carry,
                        struct mq_admitted *result, struct mq_error *error)
{
    MQ_ASSERT(mq_db_in_transaction(replica->db));
    switch (frame->type) { /* tidy: not an enum, types come from outside */
    case MQ_FRAME_CERTIFICATE: return admit_certificate(replica, frame->payload, result, error);
    case MQ_FRAME_ANNOUNCE: return admit_announce(replica, frame->payload, result, error);
    case MQ_FRAME_GRANT: return admit_grant(replica, frame->payload, carry, result, error);
    case MQ_FRAME_WRAP: return admit_wrap(replica, frame->payload, result, error);
    case MQ_FRAME_CONTROL: return admit_control(replica, frame->payload, carry, result, error);
    case MQ_FRAME_SEGMENT: return mq_admit_segment(replica, frame->payload, carry, result, error);
    default: return MQ_OK;
    }
}
