/* Invitations and what is answered to those who come with one. A secret works once; whoever comes again with the keys
 * that used it gets the same answer again, because answers get lost on the way. */
#include "server/desk/enrol_keys.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "protocol/identity_keys.h"
#include "replica/outbox.h"
#include "server/desk/rights_keys.h"

#define TEAM_MEMBERS_MOST (MQ_ACCESS_ENTRIES_MAX - 1) /* the desk itself is on the list too */

struct invitation_row {
    uint8_t team[MQ_ID_SIZE], secret[MQ_SECRET_SIZE];
    enum mq_role role;
    int64_t expiry_day;
    bool used; /* or void */
    bool asked; /* a desk's request waits for the root's key */
    unsigned rights;
    uint8_t used_by[MQ_PUBLIC_SIZE];
};

/* ---- invitations ---- */

static enum mq_status count_members(struct mq_desk *desk, const uint8_t team[MQ_ID_SIZE], int64_t *count,
                                    struct mq_error *error)
{
    return mq_db_number(mq_replica_db(desk->replica), count, error, "SELECT count(*) FROM member WHERE team = ?", "b",
                        mq_span(team, MQ_ID_SIZE));
}

enum mq_status mq_invitation_make(struct mq_desk *desk, const struct mq_team *team, enum mq_role role, unsigned rights,
                                  struct mq_invitation *invitation, struct mq_error *error)
{
    uint8_t name[MQ_ID_SIZE];
    int64_t members;
    enum mq_status status = count_members(desk, team->team, &members, error);

    if (status != MQ_OK)
        return status;
    if (members >= TEAM_MEMBERS_MOST)
        return mq_fail(error, MQ_REFUSED, _("the team \"%s\" is full (%d members); make another"), team->name,
                       TEAM_MEMBERS_MOST);
    if (role == MQ_ROLE_DESK)
        status = mq_desk_certificate_room(desk, error);
    if (status != MQ_OK)
        return status;
    invitation->desk = team->certificate;
    memcpy(invitation->root_public, mq_replica_root(desk->replica), MQ_PUBLIC_SIZE);
    mq_random(desk->platform, invitation->secret, sizeof invitation->secret);
    mq_invitation_name(name, invitation->secret);
    return mq_db_run(mq_replica_db(desk->replica), error,
                     "INSERT INTO invitation(name, team, secret, expiry_day, role, rights) VALUES(?, ?, ?, ?, ?, ?)", "bbbiii",
                     MQ_SPAN(name), MQ_SPAN(team->team), MQ_SPAN(invitation->secret), (int64_t)invitation->expiry_day,
                     (int64_t)role, (int64_t)rights);
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
    enum mq_status status = mq_db_query(
        mq_replica_db(desk->replica), &query, error,
        "SELECT team, secret, expiry_day, used_by, role, request IS NOT NULL, rights FROM invitation WHERE name = ?", "b",
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
    row->role = (enum mq_role)mq_db_int(query, 4);
    row->asked = mq_db_int(query, 5) != 0;
    row->rights = (unsigned)mq_db_int(query, 6);
    if (used_by.size == sizeof row->used_by)
        memcpy(row->used_by, used_by.data, used_by.size);
    mq_db_done(&query);
    return MQ_OK;
}

/* ---- a new member ---- */

static enum mq_status store_member(struct mq_desk *desk, const struct mq_enrol_reply *reply, const char *name,
                                   unsigned rights, struct mq_span sealed, struct mq_error *error)
{
    uint8_t certificate[MQ_CERTIFICATE_SIZE], token_hash[MQ_ID_SIZE];

    mq_certificate_encode(certificate, &reply->certificate);
    mq_token_hash(token_hash, reply->token);
    return mq_db_run(mq_replica_db(desk->replica), error,
                     "INSERT INTO member(sign_public, team, name, serial, certificate, token_hash, joined, reply, role,"
                     " rights) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "bbtibbibii", MQ_SPAN(reply->certificate.sign_public), MQ_SPAN(reply->certificate.team),
                     mq_span_text(name), (int64_t)reply->certificate.serial, MQ_SPAN(certificate), MQ_SPAN(token_hash),
                     mq_now(desk->platform), sealed, (int64_t)reply->certificate.role, (int64_t)rights);
}

struct judging {
    struct mq_desk *desk;
    struct mq_span sealed;
    const char *root; /* file of the root's key; NULL: in DIR */
    bool may_wait;    /* for that key: then the request is kept, and MQ_WAITING */
    struct invitation_row row;
    struct mq_enrol_request request;
    struct mq_team team;
    struct mq_enrol_reply answer;
    struct mq_buffer *reply; /* gets the sealed answer */
    enum mq_enrol_refusal refusal;
};

/* A cadre is certified by this desk, a township's desk by the root: it decides as this one does. */
static enum mq_status certify(struct judging *work, const struct mq_identity *root, struct mq_error *error)
{
    struct mq_desk *desk = work->desk;
    struct mq_certificate *certificate = &work->answer.certificate;

    if (certificate->role == MQ_ROLE_DESK)
        return mq_desk_certify(desk, certificate, root, error);
    certificate->issued_day = mq_desk_today(desk);
    certificate->expiry_day = certificate->issued_day + MQ_CADRE_DAYS;
    enum mq_status status = mq_desk_serial(desk, &certificate->serial, error);
    if (status == MQ_OK)
        mq_certificate_sign(certificate, mq_replica_identity(desk->replica));
    return status;
}

/* Certificate, token, keys. MQ_REFUSED, without words: its box key is none. */
static enum mq_status make_answer(struct judging *work, const struct mq_identity *root, struct mq_error *error)
{
    struct mq_enrol_reply *answer = &work->answer;
    struct mq_certificate *certificate = &answer->certificate;

    memset(answer, 0, sizeof *answer);
    certificate->role = work->row.role;
    memcpy(certificate->team, work->team.team, sizeof certificate->team);
    memcpy(certificate->sign_public, work->request.sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate->box_public, work->request.box_public, MQ_PUBLIC_SIZE);
    answer->desk = work->team.certificate;
    mq_random(work->desk->platform, answer->token, sizeof answer->token);
    enum mq_status status = mq_rights_enrol(work->desk, &work->team, work->row.rights, answer, error);
    return status == MQ_OK ? certify(work, root, error) : status;
}

static enum mq_status admit_member(struct judging *work, const struct mq_identity *root, struct mq_error *error)
{
    struct mq_desk *desk = work->desk;
    struct mq_secret ephemeral;
    uint8_t name[MQ_ID_SIZE];
    enum mq_status status = make_answer(work, root, error);

    mq_random(desk->platform, &ephemeral, sizeof ephemeral);
    if (status == MQ_OK)
        status = mq_enrol_reply_seal(work->reply, &work->answer, work->row.secret, &ephemeral);
    mq_secret_wipe(&ephemeral);
    if (status == MQ_OK)
        status = store_member(desk, &work->answer, work->request.name, work->row.rights, mq_written(work->reply),
                              error);
    mq_invitation_name(name, work->row.secret);
    if (status == MQ_OK)
        status = mq_db_run(mq_replica_db(desk->replica), error, "UPDATE invitation SET used_by = ? WHERE name = ?",
                           "bb", MQ_SPAN(work->request.sign_public), MQ_SPAN(name));
    return status == MQ_OK ? mq_access_update(desk, &work->team, error) : status;
}

/* ---- judging ---- */

/* Somebody whose keys are known in this team gets what he was answered then. MQ_NOT_FOUND: not known. */
static enum mq_status old_reply(const struct judging *work, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_replica_db(work->desk->replica), &query, error,
                    "SELECT reply FROM member WHERE sign_public = ? AND team = ?", "bb",
                    MQ_SPAN(work->request.sign_public), MQ_SPAN(work->row.team));

    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    mq_put_span(work->reply, mq_db_blob(query, 0));
    mq_db_done(&query);
    MQ_ASSERT(!work->reply->failed);
    return MQ_OK;
}

/* The first who asks with an invitation waits; what he asked is good until it is answered. */
static enum mq_status keep_request(struct judging *work, struct mq_error *error)
{
    uint8_t name[MQ_ID_SIZE];

    mq_error_clear(error);
    mq_invitation_name(name, work->row.secret);
    enum mq_status status = mq_db_run(mq_replica_db(work->desk->replica), error,
                                      "UPDATE invitation SET request = ? WHERE name = ? AND request IS NULL", "bb",
                                      work->sealed, MQ_SPAN(name));
    return status == MQ_OK ? MQ_WAITING : status;
}

static enum mq_status admit_asker(struct judging *work, struct mq_error *error)
{
    struct mq_identity root = {0};
    enum mq_status status = MQ_OK;

    if (work->row.role == MQ_ROLE_DESK && work->may_wait && work->row.asked)
        return MQ_WAITING; /* it was not at hand before: a person brings it */
    if (work->row.role == MQ_ROLE_DESK)
        status = mq_root_of(work->desk, work->root, &root, error);
    if (work->may_wait && (status == MQ_NOT_FOUND || status == MQ_WRONG_KEY)) /* a damaged file is not one that is away */
        return keep_request(work, error);
    if (status != MQ_OK)
        return status;
    status = admit_member(work, &root, error);
    mq_identity_wipe(&root);
    return status;
}

/* For a request that names an invitation. As judge. */
static enum mq_status judge_invited(struct judging *work, struct mq_error *error)
{
    struct mq_desk *desk = work->desk;
    const struct invitation_row *row = &work->row;
    int64_t members;

    work->refusal = MQ_ENROL_WRONG;
    if (mq_enrol_request_open(&work->request, work->sealed, row->secret, mq_replica_identity(desk->replica)) != MQ_OK)
        return MQ_REFUSED;
    work->refusal = MQ_ENROL_USED;
    if (row->used && !mq_equal_secret(row->used_by, work->request.sign_public, sizeof row->used_by))
        return MQ_REFUSED;
    int64_t revoked;
    enum mq_status status = mq_db_number(mq_replica_db(desk->replica), &revoked, error,
                                         "SELECT count(*) FROM member WHERE sign_public = ? AND state <> 0", "b",
                                         MQ_SPAN(work->request.sign_public));
    if (status != MQ_OK || revoked > 0) /* a new device has new keys */
        return status != MQ_OK ? status : MQ_REFUSED;
    status = old_reply(work, error);
    if (status != MQ_NOT_FOUND)
        return row->used ? status : MQ_REFUSED; /* keys that joined by another invitation */
    work->refusal = MQ_ENROL_EXPIRED;
    if ((int64_t)mq_desk_today(desk) > row->expiry_day && !row->asked)
        return MQ_REFUSED;
    status = mq_team_find(desk->replica, row->team, &work->team, error);
    if (status == MQ_OK)
        status = count_members(desk, row->team, &members, error);
    if (status != MQ_OK)
        return status;
    work->refusal = MQ_ENROL_UNKNOWN;
    if (members >= TEAM_MEMBERS_MOST)
        return MQ_REFUSED;
    work->refusal = MQ_ENROL_WRONG;
    return admit_asker(work, error);
}

/* MQ_OK: `reply` holds the sealed reply. MQ_REFUSED without words: `refusal` says why. MQ_WAITING: for the root's key.
 * The secrets in `work` are wiped. */
static enum mq_status judge(struct judging *work, struct mq_error *error)
{
    uint8_t name[MQ_ID_SIZE];

    work->refusal = MQ_ENROL_WRONG;
    if (mq_enrol_request_name(name, work->sealed) != MQ_OK)
        return MQ_REFUSED;
    enum mq_status status = find_invitation(work->desk, name, &work->row, error);
    work->refusal = MQ_ENROL_UNKNOWN;
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_REFUSED : status;
    status = judge_invited(work, error);
    mq_wipe(&work->row, sizeof work->row);
    mq_wipe(&work->request, sizeof work->request);
    mq_wipe(&work->answer, sizeof work->answer);
    return status;
}

/* ---- through the relay ---- */

/* The answer goes into the outbox: the reply, or the reason of the refusal. MQ_OK, MQ_REFUSED (said so), MQ_WAITING:
 * nothing is said yet. */
static enum mq_status answer_by_relay(struct judging *work, struct mq_error *error)
{
    static uint8_t memory[MQ_ID_SIZE + MQ_ENROL_MAX]; /* sealed bytes */
    struct mq_buffer answer = mq_buffer(memory, sizeof memory);
    struct mq_buffer reply = mq_buffer(memory + MQ_ID_SIZE, MQ_ENROL_MAX);
    uint8_t hash[MQ_HASH_SIZE];

    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, work->sealed);
    mq_put(&answer, hash, MQ_ID_SIZE);
    work->reply = &reply;
    enum mq_status verdict = judge(work, error);
    if (verdict == MQ_REFUSED && error->status == MQ_OK)
        mq_put_u8(&answer, (uint8_t)work->refusal);
    else if (verdict != MQ_OK)
        return verdict;
    else
        answer.size += reply.size;
    /* What has reached the relay need not stay here: anybody can ask, and who asks again is answered again. */
    enum mq_status status = mq_db_run(mq_replica_db(work->desk->replica), error,
                                      "DELETE FROM outbox WHERE frame = ? AND sent = 1", "i",
                                      (int64_t)MQ_FRAME_ENROLLED);
    if (status == MQ_OK)
        status = mq_outbox_put(work->desk->replica, MQ_FRAME_ENROLLED, mq_span(hash, MQ_ID_SIZE), mq_written(&answer),
                               error);
    return status == MQ_OK ? verdict : status;
}

static struct judging *begin(struct mq_desk *desk, struct mq_span sealed, const char *root)
{
    struct judging *work = mq_work_memory(sizeof *work);

    memset(work, 0, sizeof *work);
    work->desk = desk;
    work->sealed = sealed;
    work->root = root;
    return work;
}

enum mq_status mq_enrol_take(struct mq_desk *desk, struct mq_span request, struct mq_error *error)
{
    struct judging *work = begin(desk, request, NULL);

    work->may_wait = true;
    enum mq_status status = answer_by_relay(work, error);
    mq_work_free(work, sizeof *work);
    return status == MQ_WAITING || (status == MQ_REFUSED && error->status == MQ_OK) ? MQ_OK : status;
}

/* One that waits. MQ_NOT_FOUND: there is none. */
static enum mq_status next_waiting(struct mq_desk *desk, uint8_t request[MQ_ENROL_REQUEST_MAX], size_t *size,
                                   struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_replica_db(desk->replica), &query, error,
                    "SELECT request FROM invitation WHERE request IS NOT NULL AND used_by IS NULL LIMIT 1", "");

    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    struct mq_span bytes = mq_db_blob(query, 0);
    MQ_ASSERT(bytes.size <= MQ_ENROL_REQUEST_MAX);
    memcpy(request, bytes.data, bytes.size);
    *size = bytes.size;
    mq_db_done(&query);
    return MQ_OK;
}

static enum mq_status waits_no_more(struct mq_desk *desk, struct mq_span request, struct mq_error *error)
{
    return mq_db_run(mq_replica_db(desk->replica), error, "UPDATE invitation SET request = NULL WHERE request = ?", "b",
                     request);
}

enum mq_status mq_enrol_admit_waiting(struct mq_desk *desk, const char *root, int64_t *count, struct mq_error *error)
{
    uint8_t request[MQ_ENROL_REQUEST_MAX];
    size_t size;
    enum mq_status status;

    *count = 0;
    while ((status = next_waiting(desk, request, &size, error)) == MQ_OK) {
        struct judging *work = begin(desk, mq_span(request, size), root);
        status = answer_by_relay(work, error);
        mq_work_free(work, sizeof *work);
        *count += status == MQ_OK;
        if (status == MQ_REFUSED && error->status == MQ_OK)
            status = MQ_OK;
        if (status == MQ_OK)
            status = waits_no_more(desk, mq_span(request, size), error);
        if (status != MQ_OK)
            return status;
    }
    return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
}

enum mq_status mq_enrol_waiting(struct mq_desk *desk, int64_t *count, struct mq_error *error)
{
    return mq_db_number(mq_replica_db(desk->replica), count, error,
                        "SELECT count(*) FROM invitation WHERE request IS NOT NULL AND used_by IS NULL", "");
}

/* ---- by files ---- */

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

enum mq_status mq_enrol_admit(struct mq_desk *desk, struct mq_span request, const char *root, struct mq_buffer *reply,
                              struct mq_error *error)
{
    struct judging *work = begin(desk, request, root);

    work->reply = reply;
    enum mq_status status = judge(work, error);
    enum mq_enrol_refusal refusal = work->refusal;
    mq_work_free(work, sizeof *work);
    return status == MQ_REFUSED && error->status == MQ_OK ? refuse(refusal, error) : status;
}
