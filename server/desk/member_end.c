/* Finding a member, and ending his membership. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "platform/json.h"
#include "protocol/assert.h"
#include "replica/cases.h"
#include "replica/revoke.h"
#include "replica/rotate.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/member_keys.h"

/* Numbers in the statements are sizes, and a team's and a key's places in a certificate. */
_Static_assert(MQ_CERTIFICATE_SIZE == 166 && MQ_ID_SIZE == 16 && MQ_PUBLIC_SIZE == 32, "certificates in SQL");

#define REVOKED 1 /* member.state */
#define DAY_SECONDS 86400

/* ---- finding ---- */

static bool is_member(const char *text, const uint8_t sign_public[MQ_PUBLIC_SIZE], int64_t serial, struct mq_span name)
{
    uint8_t id[MQ_KID_SIZE];
    char hex[2 * MQ_KID_SIZE + 1], number[24];

    mq_key_name(id, sign_public);
    mq_hex_write(hex, MQ_SPAN(id));
    snprintf(number, sizeof number, "%lld", (long long)serial);
    return strcmp(text, hex) == 0 || strcmp(text, number) == 0 || mq_span_equal(name, mq_span_text(text));
}

#define MEMBER_COLUMNS "certificate, name, rights, state"

static void member_take(struct mq_member *out, struct mq_query *query)
{
    struct mq_span name = mq_db_text(query, 1);
    enum mq_status status = mq_certificate_decode(&out->certificate, mq_db_blob(query, 0));

    MQ_ASSERT(status == MQ_OK && name.size < sizeof out->name);
    memcpy(out->name, name.data, name.size);
    out->name[name.size] = '\0';
    out->rights = (unsigned)mq_db_int(query, 2);
    out->revoked = mq_db_int(query, 3) == REVOKED;
}

static void unlisted_take(struct mq_member *out, const struct mq_certificate *certificate)
{
    uint8_t id[MQ_KID_SIZE];

    *out = (struct mq_member){.certificate = *certificate, .rights = MQ_RIGHT_SENSITIVE | MQ_RIGHT_RESTRICTED};
    mq_key_name(id, certificate->sign_public);
    mq_hex_write(out->name, MQ_SPAN(id));
}

/* The certificates that this desk has seen: of those who wrote, at the front of their announces; of desks, which need not write. */
#define SEEN \
    "(SELECT substr(announce, 1, 166) AS certificate FROM stream WHERE mine = 0 UNION ALL SELECT certificate FROM desk) "

/* Who joined after the backup that this desk was brought back from: his certificate says who he is, but for his name and his
 * rights, so he may have had any. */
static enum mq_status unlisted_find(struct mq_desk *desk, const char *text, struct mq_member *out, int *found,
                                    struct mq_error *error)
{
    struct mq_query *query;
    uint8_t key[MQ_PUBLIC_SIZE] = {0};
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT certificate FROM " SEEN, "");

    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_certificate certificate;
        if (mq_certificate_decode(&certificate, mq_db_blob(query, 0)) != MQ_OK || mq_role_governs(certificate.role) ||
            !is_member(text, certificate.sign_public, certificate.serial, mq_span(NULL, 0)) ||
            memcmp(key, certificate.sign_public, sizeof key) == 0)
            continue;
        memcpy(key, certificate.sign_public, sizeof key);
        unlisted_take(out, &certificate);
        ++*found;
    }
    mq_db_done(&query);
    return status == MQ_OK ? error->status : status;
}

enum mq_status mq_member_find(struct mq_desk *desk, const char *text, struct mq_member *out, struct mq_error *error)
{
    struct mq_query *query;
    int found = 0, revoked = 0;
    enum mq_status status =
        mq_db_query(mq_replica_db(desk->replica), &query, error,
                    "SELECT " MEMBER_COLUMNS ", sign_public, serial FROM member ORDER BY state DESC, serial", "");

    while (status == MQ_OK && mq_db_next(&query, error)) {
        if (!is_member(text, mq_db_blob(query, 4).data, mq_db_int(query, 5), mq_db_text(query, 1)))
            continue;
        member_take(out, query); /* those who are members come last */
        revoked += out->revoked;
        found++;
    }
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK && found == 0)
        status = unlisted_find(desk, text, out, &found, error);
    if (status == MQ_OK && found == 0)
        return mq_fail(error, MQ_REFUSED, _("there is no member \"%s\"; `member list` shows who there is"), text);
    int fits = found > revoked ? found - revoked : revoked;
    if (status == MQ_OK && fits > 1)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" fits several members; say the number that `member list` shows"),
                       text);
    return status == MQ_OK ? mq_team_find(desk->replica, out->certificate.team, &out->team, error) : status;
}

/* ---- revoking ---- */

/* Columns of `query`: certificate. Gives the first that is not revoked. */
static enum mq_status first_open(struct mq_desk *desk, struct mq_query *query, struct mq_certificate *out,
                                 struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    bool revoked = true;

    while (status == MQ_OK && revoked && mq_db_next(&query, error)) {
        if (mq_certificate_decode(out, mq_db_blob(query, 0)) != MQ_OK || mq_role_governs(out->role))
            continue; /* damaged, which `check` names; or the root's to revoke */
        status = mq_revoked(desk->replica, out, &revoked, error);
    }
    mq_db_done(&query);
    if (status != MQ_OK || error->status != MQ_OK)
        return status != MQ_OK ? status : error->status;
    return revoked ? MQ_NOT_FOUND : MQ_OK;
}

/* Of a team, by its key: both stand at fixed places. */
#define OF_TEAM "SELECT certificate FROM " SEEN "WHERE substr(certificate, 3, 16) = ?1 AND substr(certificate, 19, 32) "

/* A certificate under the member's key that is not revoked: his own, or another that was seen. MQ_NOT_FOUND: none. */
static enum mq_status open_certificate(struct mq_desk *desk, const struct mq_member *member, struct mq_certificate *out,
                                       struct mq_error *error)
{
    struct mq_query *query;
    bool revoked;
    enum mq_status status = mq_revoked(desk->replica, &member->certificate, &revoked, error);

    *out = member->certificate;
    if (status != MQ_OK || !revoked)
        return status;
    status = mq_db_query(mq_replica_db(desk->replica), &query, error, OF_TEAM "= ?2", "bb",
                         MQ_SPAN(member->certificate.team), MQ_SPAN(member->certificate.sign_public));
    return status == MQ_OK ? first_open(desk, query, out, error) : status;
}

/* His row says so. One whom the desk forgot gets a row, so that it knows his key from now on; the relay is told no token. */
static enum mq_status row_end(struct mq_desk *desk, const struct mq_member *member, struct mq_error *error)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];

    mq_certificate_encode(bytes, &member->certificate);
    return mq_db_run(mq_replica_db(desk->replica), error,
                     "INSERT INTO member(sign_public, team, name, serial, certificate, token_hash, state, joined, reply, role,"
                     " rights) VALUES(?1, ?2, ?3, ?4, ?5, zeroblob(16), ?6, ?7, x'', ?8, ?9)"
                     " ON CONFLICT(sign_public, team) DO UPDATE SET state = ?6",
                     "bbzibiiii", MQ_SPAN(member->certificate.sign_public), MQ_SPAN(member->certificate.team), member->name,
                     (int64_t)member->certificate.serial, MQ_SPAN(bytes), (int64_t)REVOKED,
                     (int64_t)member->certificate.issued_day * DAY_SECONDS, (int64_t)member->certificate.role,
                     (int64_t)member->rights);
}

/* His rights end here: keys and the relay's list follow. */
static enum mq_status member_end(struct mq_desk *desk, const struct mq_member *member, struct mq_error *error)
{
    enum mq_status status = row_end(desk, member, error);

    if (status == MQ_OK)
        status = mq_rotate_without(desk->replica, &member->team, &member->certificate, member->rights, error);
    return status == MQ_OK ? mq_access_update(desk, &member->team, error) : status;
}

enum mq_status mq_member_revoke(struct mq_desk *desk, const struct mq_member *member, struct mq_error *error)
{
    struct mq_certificate certificate;
    enum mq_status status;
    bool any = false;

    while ((status = open_certificate(desk, member, &certificate, error)) == MQ_OK) {
        status = mq_revoke(desk->replica, &member->team, &certificate, error);
        if (status != MQ_OK)
            return status;
        any = true;
    }
    if (status != MQ_NOT_FOUND)
        return status;
    if (!any && member->revoked)
        return mq_fail(error, MQ_REFUSED, _("this device's rights were taken already; nothing was changed"));
    return member_end(desk, member, error);
}

/* ---- after a restore ---- */

/* A member of the team who is revoked and whose row does not say so. MQ_NOT_FOUND. */
static enum mq_status find_unsettled(struct mq_desk *desk, const struct mq_team *team, struct mq_member *out,
                                     struct mq_error *error)
{
    struct mq_query *query;
    bool revoked = false;
    enum mq_status status =
        mq_db_query(mq_replica_db(desk->replica), &query, error,
                    "SELECT " MEMBER_COLUMNS " FROM member WHERE team = ? AND state = 0 AND EXISTS"
                    " (SELECT 1 FROM revoked WHERE revoked.team = member.team) ORDER BY serial",
                    "b", MQ_SPAN(team->team));

    while (status == MQ_OK && !revoked && mq_db_next(&query, error)) {
        member_take(out, query);
        status = mq_revoked(desk->replica, &out->certificate, &revoked, error);
    }
    mq_db_done(&query);
    out->team = *team;
    if (status != MQ_OK || error->status != MQ_OK)
        return status != MQ_OK ? status : error->status;
    return revoked ? MQ_OK : MQ_NOT_FOUND;
}

/* Under a key of the team whose rights were taken: a certificate that this desk had issued, and had forgotten by then. */
static enum mq_status find_late(struct mq_desk *desk, const struct mq_team *team, struct mq_certificate *out,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        OF_TEAM "IN (SELECT sign_public FROM member WHERE team = ?1 AND state = ?2)", "bi",
                                        MQ_SPAN(team->team), (int64_t)REVOKED);

    return status == MQ_OK ? first_open(desk, query, out, error) : status;
}

enum mq_status mq_members_settle(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error)
{
    struct mq_member member;
    struct mq_certificate certificate;
    enum mq_status status;

    while ((status = find_unsettled(desk, team, &member, error)) == MQ_OK) {
        status = member_end(desk, &member, error);
        if (status != MQ_OK)
            return status;
    }
    if (status != MQ_NOT_FOUND)
        return status;
    while ((status = find_late(desk, team, &certificate, error)) == MQ_OK) {
        status = mq_revoke_late(desk->replica, team, &certificate, error);
        if (status != MQ_OK)
            return status;
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}
