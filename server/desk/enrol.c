/* Invitations and what is answered to those who come with one. A secret works once; whoever comes again with the keys
 * that used it gets the same answer again, because answers get lost on the way. */
#include "server/desk/enrol_keys.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "protocol/identity_keys.h"
#include "replica/outbox.h"

#define TEAM_MEMBERS_MOST (MQ_ACCESS_ENTRIES_MAX - 1) /* the desk itself is on the list too */

struct invitation_row {
    uint8_t team[MQ_ID_SIZE], secret[MQ_SECRET_SIZE];
    int64_t expiry_day;
    bool used; /* or void */
    uint8_t used_by[MQ_PUBLIC_SIZE];
};

/* ---- invitations ---- */

static enum mq_status count_members(struct mq_desk *desk, const uint8_t team[MQ_ID_SIZE], int64_t *count,
                                    struct mq_error *error)
{
    return mq_db_number(mq_replica_db(desk->replica), count, error, "SELECT count(*) FROM member WHERE team = ?", "b",
                        mq_span(team, MQ_ID_SIZE));
}

enum mq_status mq_invitation_make(struct mq_desk *desk, const struct mq_team *team, struct mq_invitation *invitation,
                                  struct mq_error *error)
{
    uint8_t name[MQ_ID_SIZE];
    int64_t members;
    enum mq_status status = count_members(desk, team->team, &members, error);

    if (status != MQ_OK)
        return status;
    if (members >= TEAM_MEMBERS_MOST)
        return mq_fail(error, MQ_REFUSED, _("the team \"%s\" is full (%d members); make another"), team->name,
                       TEAM_MEMBERS_MOST);
    invitation->desk = team->certificate;
    memcpy(invitation->root_public, mq_replica_root(desk->replica), MQ_PUBLIC_SIZE);
    mq_random(desk->platform, invitation->secret, sizeof invitation->secret);
    mq_invitation_name(name, invitation->secret);
    return mq_db_run(mq_replica_db(desk->replica), error,
                     "INSERT INTO invitation(name, team, secret, expiry_day) VALUES(?, ?, ?, ?)", "bbbi", MQ_SPAN(name),
                     MQ_SPAN(team->team), MQ_SPAN(invitation->secret), (int64_t)invitation->expiry_day);
}

enum mq_status mq_invitations_void(struct mq_desk *desk, struct mq_error *error)
{
    return mq_db_run(mq_replica_db(desk->replica), error, "UPDATE invitation SET used_by = x'' WHERE used_by IS NULL",
                     "");
}

static enum mq_status find_invitation(struct mq_desk *desk, const uint8_t name[MQ_ID_SIZE], struct invitation_row *row,
                                      struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT team, secret, expiry_day, used_by FROM invitation WHERE name = ?", "b",
                                        mq_span(name, MQ_ID_SIZE));

    memset(row, 0, sizeof *row);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    struct mq_span team = mq_db_blob(query, 0), secret = mq_db_blob(query, 1), used_by = mq_db_blob(query, 3);
    MQ_ASSERT(team.size == sizeof row->team && secret.size == sizeof row->secret);
    memcpy(row->team, team.data, team.size);
    memcpy(row->secret, secret.data, secret.size);
    row->expiry_day = mq_db_int(query, 2);
    row->used = !mq_db_is_null(query, 3);
    if (used_by.size == sizeof row->used_by)
        memcpy(row->used_by, used_by.data, used_by.size);
    mq_db_done(&query);
    return MQ_OK;
}

/* ---- a new member ---- */

/* Every key of the team that is here, wrapped to the new member. */
static enum mq_status put_grants(struct mq_desk *desk, const struct mq_team *team, struct mq_enrol_reply *reply,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT bytes, key FROM grants WHERE mailbox = ? AND key IS NOT NULL"
                                        " ORDER BY epoch DESC LIMIT ?",
                                        "bi", MQ_SPAN(team->mailbox), (int64_t)MQ_ENROL_GRANTS_MAX);

    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_secret key, ephemeral;
        struct mq_span bytes = mq_db_blob(query, 1);
        MQ_ASSERT(bytes.size == sizeof key.bytes);
        memcpy(key.bytes, bytes.data, bytes.size);
        mq_random(desk->platform, &ephemeral, sizeof ephemeral);
        status = mq_grant_decode(&reply->grants[reply->grant_count], mq_db_blob(query, 0));
        if (status == MQ_OK)
            status = mq_wrap_seal(reply->wraps[reply->grant_count], &key, reply->certificate.box_public, &ephemeral);
        mq_secret_wipe(&key);
        mq_secret_wipe(&ephemeral);
        reply->grant_count++;
    }
    mq_db_done(&query);
    return status == MQ_OK ? error->status : status;
}

static enum mq_status store_member(struct mq_desk *desk, const struct mq_enrol_reply *reply, const char *name,
                                   struct mq_span sealed, struct mq_error *error)
{
    uint8_t certificate[MQ_CERTIFICATE_SIZE], token_hash[MQ_ID_SIZE];

    mq_certificate_encode(certificate, &reply->certificate);
    mq_token_hash(token_hash, reply->token);
    return mq_db_run(mq_replica_db(desk->replica), error,
                     "INSERT INTO member(sign_public, team, name, serial, certificate, token_hash, joined, reply)"
                     " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                     "bbtibbib", MQ_SPAN(reply->certificate.sign_public), MQ_SPAN(reply->certificate.team),
                     mq_span_text(name), (int64_t)reply->certificate.serial, MQ_SPAN(certificate), MQ_SPAN(token_hash),
                     mq_now(desk->platform), sealed);
}

/* Certificate, token, keys. MQ_REFUSED, without words: its box key is none. */
static enum mq_status make_reply(struct mq_desk *desk, const struct mq_team *team,
                                 const struct mq_enrol_request *request, struct mq_enrol_reply *reply,
                                 struct mq_error *error)
{
    struct mq_certificate *certificate = &reply->certificate;

    memset(reply, 0, sizeof *reply);
    certificate->role = MQ_ROLE_CADRE;
    memcpy(certificate->team, team->team, sizeof certificate->team);
    memcpy(certificate->sign_public, request->sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate->box_public, request->box_public, MQ_PUBLIC_SIZE);
    certificate->issued_day = mq_desk_today(desk);
    certificate->expiry_day = certificate->issued_day + MQ_CADRE_DAYS;
    reply->desk = team->certificate;
    mq_random(desk->platform, reply->token, sizeof reply->token);
    enum mq_status status = mq_desk_serial(desk, &certificate->serial, error);
    if (status != MQ_OK)
        return status;
    mq_certificate_sign(certificate, mq_replica_identity(desk->replica));
    return put_grants(desk, team, reply, error);
}

static enum mq_status admit_member(struct mq_desk *desk, const struct mq_team *team, const struct invitation_row *row,
                                   const struct mq_enrol_request *request, struct mq_buffer *sealed,
                                   struct mq_error *error)
{
    struct mq_enrol_reply reply;
    struct mq_secret ephemeral;
    uint8_t name[MQ_ID_SIZE];
    enum mq_status status = make_reply(desk, team, request, &reply, error);

    mq_random(desk->platform, &ephemeral, sizeof ephemeral);
    if (status == MQ_OK)
        status = mq_enrol_reply_seal(sealed, &reply, row->secret, &ephemeral);
    mq_secret_wipe(&ephemeral);
    if (status == MQ_OK)
        status = store_member(desk, &reply, request->name, mq_written(sealed), error);
    mq_wipe(&reply, sizeof reply);
    mq_invitation_name(name, row->secret);
    if (status == MQ_OK)
        status = mq_db_run(mq_replica_db(desk->replica), error, "UPDATE invitation SET used_by = ? WHERE name = ?",
                           "bb", MQ_SPAN(request->sign_public), MQ_SPAN(name));
    return status == MQ_OK ? mq_access_update(desk, team, error) : status;
}

/* ---- judging ---- */

/* Somebody whose keys are known gets what he was answered then. MQ_NOT_FOUND: not known. */
static enum mq_status old_reply(struct mq_desk *desk, const uint8_t sign_public[MQ_PUBLIC_SIZE],
                                struct mq_buffer *reply, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_replica_db(desk->replica), &query, error, "SELECT reply FROM member WHERE sign_public = ?", "b",
                    mq_span(sign_public, MQ_PUBLIC_SIZE));

    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    mq_put_span(reply, mq_db_blob(query, 0));
    mq_db_done(&query);
    MQ_ASSERT(!reply->failed);
    return MQ_OK;
}

/* For a request that names an invitation. As judge. */
static enum mq_status judge_invited(struct mq_desk *desk, struct mq_span sealed, const struct invitation_row *row,
                                    struct mq_enrol_request *request, struct mq_buffer *reply,
                                    enum mq_enrol_refusal *refusal, struct mq_error *error)
{
    struct mq_team team;
    int64_t members;

    *refusal = MQ_ENROL_WRONG;
    if (mq_enrol_request_open(request, sealed, row->secret, mq_replica_identity(desk->replica)) != MQ_OK)
        return MQ_REFUSED;
    *refusal = MQ_ENROL_USED;
    if (row->used && !mq_equal_secret(row->used_by, request->sign_public, sizeof row->used_by))
        return MQ_REFUSED;
    enum mq_status status = old_reply(desk, request->sign_public, reply, error);
    if (status != MQ_NOT_FOUND)
        return row->used ? status : MQ_REFUSED; /* keys that joined by another invitation */
    *refusal = MQ_ENROL_EXPIRED;
    if ((int64_t)mq_desk_today(desk) > row->expiry_day)
        return MQ_REFUSED;
    status = mq_team_find(desk->replica, row->team, &team, error);
    if (status == MQ_OK)
        status = count_members(desk, row->team, &members, error);
    if (status != MQ_OK)
        return status;
    *refusal = MQ_ENROL_UNKNOWN;
    if (members >= TEAM_MEMBERS_MOST)
        return MQ_REFUSED;
    *refusal = MQ_ENROL_WRONG;
    return admit_member(desk, &team, row, request, reply, error);
}

/* MQ_OK: `reply` holds the sealed reply. MQ_REFUSED: *refusal says why. */
static enum mq_status judge(struct mq_desk *desk, struct mq_span sealed, struct mq_buffer *reply,
                            enum mq_enrol_refusal *refusal, struct mq_error *error)
{
    uint8_t name[MQ_ID_SIZE];
    struct invitation_row row;
    struct mq_enrol_request request;

    *refusal = MQ_ENROL_WRONG;
    if (mq_enrol_request_name(name, sealed) != MQ_OK)
        return MQ_REFUSED;
    enum mq_status status = find_invitation(desk, name, &row, error);
    *refusal = MQ_ENROL_UNKNOWN;
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_REFUSED : status;
    status = judge_invited(desk, sealed, &row, &request, reply, refusal, error);
    mq_wipe(&row, sizeof row);
    mq_wipe(&request, sizeof request);
    return status;
}

enum mq_status mq_enrol_take(struct mq_desk *desk, struct mq_span request, struct mq_error *error)
{
    static uint8_t memory[MQ_ID_SIZE + MQ_ENROL_MAX]; /* sealed bytes */
    struct mq_buffer answer = mq_buffer(memory, sizeof memory);
    uint8_t hash[MQ_HASH_SIZE];
    enum mq_enrol_refusal refusal;
    struct mq_db *db = mq_replica_db(desk->replica);

    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, request);
    mq_put(&answer, hash, MQ_ID_SIZE);
    struct mq_buffer reply = mq_buffer(memory + MQ_ID_SIZE, MQ_ENROL_MAX);
    enum mq_status status = judge(desk, request, &reply, &refusal, error);
    if (status == MQ_REFUSED && error->status == MQ_OK)
        mq_put_u8(&answer, (uint8_t)refusal);
    else if (status != MQ_OK)
        return status;
    else
        answer.size += reply.size;
    /* What has reached the relay need not stay here: anybody can ask, and who asks again is answered again. */
    status = mq_db_run(db, error, "DELETE FROM outbox WHERE frame = ? AND sent = 1", "i", (int64_t)MQ_FRAME_ENROLLED);
    if (status != MQ_OK)
        return status;
    return mq_outbox_put(desk->replica, MQ_FRAME_ENROLLED, mq_span(hash, MQ_ID_SIZE), mq_written(&answer), error);
}

static enum mq_status refuse(enum mq_enrol_refusal refusal, struct mq_error *error)
{
    switch (refusal) {
    case MQ_ENROL_UNKNOWN:
        return mq_fail(error, MQ_REFUSED, _("this request names no invitation of this desk; invite the person anew"));
    case MQ_ENROL_USED:
        return mq_fail(error, MQ_REFUSED,
                       _("this invitation was used by another device already, or is void; invite anew"));
    case MQ_ENROL_EXPIRED:
        return mq_fail(error, MQ_REFUSED, _("this invitation has expired; invite the person anew"));
    case MQ_ENROL_WRONG:
        return mq_fail(error, MQ_REFUSED, _("this is not a request that was made from an invitation of this desk"));
    }
    return MQ_FAULT;
}

enum mq_status mq_enrol_admit(struct mq_desk *desk, struct mq_span request, struct mq_buffer *reply,
                              struct mq_error *error)
{
    enum mq_enrol_refusal refusal;
    enum mq_status status = judge(desk, request, reply, &refusal, error);

    return status == MQ_REFUSED && error->status == MQ_OK ? refuse(refusal, error) : status;
}
