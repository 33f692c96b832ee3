/* Finding a member, and ending his membership. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "protocol/assert.h"
#include "replica/revoke.h"
#include "replica/rotate.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/member_keys.h"
#include "server/desk/reach.h"

#define REVOKED 1 /* member.state */
#define CERTIFICATES_MAX 64 /* of one key in one team: a new one for each invitation */

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
        return mq_fail(error, MQ_REFUSED, _("there is no member \"%s\"; `member list` shows who there is"), text);
    int fits = found > revoked ? found - revoked : revoked;
    if (status == MQ_OK && fits > 1)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" fits several members; say the number that `member list` shows"),
                       text);
    return status == MQ_OK ? mq_team_find(desk->replica, out->certificate.team, &out->team, error) : status;
}

/* ---- revoking ---- */

struct certificates {
    struct mq_certificate items[CERTIFICATES_MAX];
    size_t count;
};

static bool same_certificate(const struct mq_certificate *a, const struct mq_certificate *b)
{
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];

    mq_certificate_hash(left, a);
    mq_certificate_hash(right, b);
    return memcmp(left, right, sizeof left) == 0;
}

static bool certificate_add(struct certificates *out, const struct mq_certificate *certificate)
{
    for (size_t i = 0; i < out->count; i++)
        if (same_certificate(&out->items[i], certificate))
            return true;
    if (out->count == CERTIFICATES_MAX)
        return false;
    out->items[out->count++] = *certificate;
    return true;
}

/* The member's own, and whatever else his key wrote under. */
static enum mq_status certificates_find(struct mq_desk *desk, const struct mq_member *member, struct certificates *out,
                                        struct mq_error *error)
{
    struct mq_query *query;
    bool room = certificate_add(out, &member->certificate);
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT announce FROM stream JOIN mailbox USING(mailbox) WHERE mine = 0 AND team = ?",
                                        "b", MQ_SPAN(member->certificate.team));

    while (status == MQ_OK && room && mq_db_next(&query, error)) {
        struct mq_announce announce;
        if (mq_announce_decode(&announce, mq_db_blob(query, 0)) == MQ_OK &&
            memcmp(announce.certificate.sign_public, member->certificate.sign_public, MQ_PUBLIC_SIZE) == 0)
            room = certificate_add(out, &announce.certificate);
    }
    mq_db_done(&query);
    return status == MQ_OK ? error->status : status;
}

/* His rights end here: keys and the relay's list follow. */
static enum mq_status member_end(struct mq_desk *desk, const struct mq_member *member, struct mq_error *error)
{
    enum mq_status status = mq_db_run(mq_replica_db(desk->replica), error,
                                      "UPDATE member SET state = ? WHERE sign_public = ? AND team = ?", "ibb",
                                      (int64_t)REVOKED, MQ_SPAN(member->certificate.sign_public),
                                      MQ_SPAN(member->certificate.team));

    if (status == MQ_OK)
        status = mq_rotate_without(desk->replica, &member->team, &member->certificate, member->rights, error);
    return status == MQ_OK ? mq_access_update(desk, &member->team, error) : status;
}

enum mq_status mq_member_revoke(struct mq_desk *desk, const struct mq_member *member, struct mq_error *error)
{
    struct certificates *all = calloc(1, sizeof *all);
    bool already, any = false;

    MQ_ASSERT(all != NULL);
    enum mq_status status = certificates_find(desk, member, all, error);
    for (size_t i = 0; i < all->count && status == MQ_OK; i++) {
        status = mq_revoked(desk->replica, &all->items[i], &already, error);
        if (status != MQ_OK || already)
            continue;
        status = mq_revoke(desk->replica, &member->team, &all->items[i], error);
        any = true;
    }
    free(all);
    if (status == MQ_OK && !any && member->revoked)
        return mq_fail(error, MQ_REFUSED, _("this device's rights were taken already; nothing was changed"));
    return status == MQ_OK ? member_end(desk, member, error) : status;
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

enum mq_status mq_members_settle(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error)
{
    struct mq_member member;
    enum mq_status status;

    while ((status = find_unsettled(desk, team, &member, error)) == MQ_OK) {
        status = member_end(desk, &member, error);
        if (status != MQ_OK)
            return status;
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}
