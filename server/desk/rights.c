/* Keys for teams and members; `member right`. */
#include "server/desk/rights_keys.h"

#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "protocol/control.h"
#include "server/desk/call_keys.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/member_keys.h"

#define LINE_SIZE 1024

/* A member's rights, what they open, and how the relay knows them. The restricted compartment is opened for nobody who
 * was not named. */
static const struct {
    const char *name;
    unsigned right;
    uint32_t compartment;
    uint8_t access;
} rights_table[] = {
    {"restricted", MQ_RIGHT_RESTRICTED, MQ_COMPARTMENT_RESTRICTED, MQ_ACCESS_RESTRICTED},
    {"sensitive", MQ_RIGHT_SENSITIVE, MQ_COMPARTMENT_SENSITIVE, MQ_ACCESS_SENSITIVE},
};
#define RIGHTS (sizeof rights_table / sizeof *rights_table)

uint8_t mq_rights_access(unsigned rights)
{
    uint8_t access = MQ_ACCESS_MEMBER;

    for (size_t i = 0; i < RIGHTS; i++)
        if (rights & rights_table[i].right)
            access |= rights_table[i].access;
    return access;
}

enum mq_status mq_rights_named(const char *name, unsigned *right, struct mq_error *error)
{
    for (size_t i = 0; i < RIGHTS; i++)
        if (strcmp(name, rights_table[i].name) == 0) {
            *right = rights_table[i].right;
            return MQ_OK;
        }
    return mq_fail(error, MQ_REFUSED, _("there is no right \"%s\"; there are: restricted, sensitive"), name);
}

/* What his invitation gave, and what was ever wrapped to his box key (replica/cases.c): the outbox keeps it. */
enum mq_status mq_rights_ever(struct mq_desk *desk, const struct mq_member *member, unsigned *rights,
                              struct mq_error *error)
{
    struct mq_db *db = mq_replica_db(desk->replica);
    const struct mq_certificate *certificate = &member->certificate;
    uint8_t box_name[MQ_KID_SIZE];
    int64_t found;

    *rights = member->rights;
    mq_key_name(box_name, certificate->box_public);
    for (size_t i = 0; i < RIGHTS; i++) {
        enum mq_status status = mq_db_number(
            db, &found, error,
            "SELECT EXISTS(SELECT 1 FROM invitation WHERE used_by = ?1 AND team = ?2 AND rights & ?3)"
            " OR EXISTS(SELECT 1 FROM outbox AS o JOIN grants AS g ON g.kid = substr(o.bytes, 1, ?4) JOIN mailbox USING(mailbox)"
            " WHERE o.frame = ?5 AND substr(o.bytes, ?4 + 1, ?4) = ?6 AND team = ?2 AND compartment = ?7)",
            "bbiiibi", MQ_SPAN(certificate->sign_public), MQ_SPAN(certificate->team), (int64_t)rights_table[i].right,
            (int64_t)MQ_KID_SIZE, (int64_t)MQ_FRAME_WRAP, MQ_SPAN(box_name), (int64_t)rights_table[i].compartment);
        if (status != MQ_OK)
            return status;
        if (found)
            *rights |= rights_table[i].right;
    }
    return MQ_OK;
}

/* ---- what a team has ---- */

static enum mq_status grant_missing(struct mq_desk *desk, const struct mq_team *team, uint32_t compartment, bool *made,
                                    struct mq_error *error)
{
    bool here;
    enum mq_status status = mq_key_here(desk->replica, team->team, compartment, &here, error);

    *made = status == MQ_OK && !here;
    return *made ? mq_grant_next(desk->replica, team, compartment, error) : status;
}

enum mq_status mq_rights_complete(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error)
{
    bool made, any;
    enum mq_status status = grant_missing(desk, team, MQ_COMPARTMENT_TEAM, &any, error);

    for (size_t i = 0; i < RIGHTS && status == MQ_OK; i++) {
        status = grant_missing(desk, team, rights_table[i].compartment, &made, error);
        if (status == MQ_OK && made)
            status = mq_grant_wrap_all(desk->replica, team, rights_table[i].compartment, rights_table[i].right, error);
        any = any || made;
    }
    return status == MQ_OK && any ? mq_access_update(desk, team, error) : status;
}

static enum mq_status complete_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct mq_desk *desk = context;
    struct mq_team *teams;
    size_t count;
    enum mq_status status = mq_desk_teams(desk, &teams, &count, error);

    (void)replica;
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        if (teams[i].certificate.role == MQ_ROLE_COUNTY_DESK)
            status = mq_rights_complete(desk, &teams[i], error);
    free(teams);
    return status;
}

enum mq_status mq_rights_complete_all(struct mq_desk *desk, struct mq_error *error)
{
    return mq_replica_transact(desk->replica, complete_all, desk, error);
}

/* ---- a new member ---- */

struct enrolling {
    struct mq_desk *desk;
    bool wrapped;
    struct mq_enrol_reply *reply;
};

static enum mq_status put_grant(void *context, const struct mq_grant *grant, const struct mq_secret *key,
                                struct mq_error *error)
{
    const struct enrolling *enrolling = context;
    struct mq_enrol_reply *reply = enrolling->reply;
    struct mq_secret ephemeral;
    enum mq_status status = MQ_OK;

    (void)error;
    MQ_ASSERT(reply->grant_count < MQ_ENROL_GRANTS_MAX);
    reply->grants[reply->grant_count] = *grant;
    if (enrolling->wrapped) {
        mq_random(enrolling->desk->platform, &ephemeral, sizeof ephemeral);
        status = mq_wrap_seal(reply->wraps[reply->grant_count], key, reply->certificate.box_public, &ephemeral);
        mq_secret_wipe(&ephemeral);
    }
    reply->grant_count++;
    return status;
}

/* The newest grant of a compartment; wrapped, and then those too to which no later one leads, as far as there is room.
 * Without a wrap the newest is enough: what to seal to. */
static enum mq_status put_grants(struct mq_desk *desk, const struct mq_team *team, uint32_t compartment, bool wrapped,
                                 size_t most, struct mq_enrol_reply *reply, struct mq_error *error)
{
    struct enrolling enrolling = {.desk = desk, .wrapped = wrapped, .reply = reply};
    uint8_t mailbox[MQ_ID_SIZE];

    mq_mailbox(mailbox, team->team, compartment);
    return mq_key_ends(desk->replica, mailbox, most, put_grant, &enrolling, error);
}

enum mq_status mq_rights_enrol(struct mq_desk *desk, const struct mq_team *team, unsigned rights,
                               struct mq_enrol_reply *reply, struct mq_error *error)
{
    enum mq_status status =
        put_grants(desk, team, MQ_COMPARTMENT_TEAM, true, MQ_ENROL_GRANTS_MAX / 2, reply, error);

    for (size_t i = 0; i < RIGHTS && status == MQ_OK; i++) {
        bool reads = (rights & rights_table[i].right) != 0;
        status = put_grants(desk, team, rights_table[i].compartment, reads, reads ? MQ_ENROL_GRANTS_MAX / 4 : 1, reply,
                            error);
    }
    return status;
}

/* ---- member right ---- */

struct member_right {
    struct mq_call *call;
    const char *text;
    unsigned right;
    bool take;
    struct mq_member member;
};

/* Who is named reads what is written from now on; who is not any more, what was written until now. Sensitive fields
 * belong to records that a member has: he reads them from the start. */
static enum mq_status keys_for(const struct member_right *work, struct mq_error *error)
{
    struct mq_replica *replica = work->call->desk->replica;

    const struct mq_team *team = &work->member.team;

    if (work->right == MQ_RIGHT_RESTRICTED)
        return mq_restricted_regrant(replica, team, error);
    if (!work->take)
        return mq_grant_wrap(replica, team, MQ_COMPARTMENT_SENSITIVE, false, work->member.certificate.box_public, error);
    enum mq_status status = mq_grant_next(replica, team, MQ_COMPARTMENT_SENSITIVE, error);
    return status == MQ_OK ? mq_grant_wrap_all(replica, team, MQ_COMPARTMENT_SENSITIVE, MQ_RIGHT_SENSITIVE, error)
                           : status;
}

static enum mq_status give_or_take(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct member_right *work = context;
    struct mq_desk *desk = work->call->desk;
    struct mq_member *member = &work->member;
    enum mq_status status = mq_member_find(desk, work->text, member, error);

    if (status != MQ_OK)
        return status;
    if (member->revoked)
        return mq_fail(error, MQ_REFUSED, _("the rights of %s were taken; a new device gets a new invitation"),
                       member->name);
    if (member->team.certificate.role != MQ_ROLE_COUNTY_DESK)
        return mq_fail(error, MQ_REFUSED, _("who may read what is decided at the county's desk"));
    unsigned rights = work->take ? member->rights & ~work->right : member->rights | work->right;
    if (rights == member->rights)
        return mq_fail(error, MQ_REFUSED,
                       work->take ? _("%s does not have this right; nothing was changed")
                                  : _("%s has this right already; nothing was changed"),
                       member->name);
    status = mq_db_run(mq_replica_db(replica), error, "UPDATE member SET rights = ? WHERE sign_public = ? AND team = ?",
                       "ibb", (int64_t)rights, MQ_SPAN(member->certificate.sign_public), MQ_SPAN(member->team.team));
    if (status == MQ_OK)
        status = keys_for(work, error);
    return status == MQ_OK ? mq_access_update(desk, &member->team, error) : status;
}

static void say(struct mq_call *call, const struct member_right *work)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};

    if (!mq_call_json(call)) {
        mq_say(call->out,
               work->take ? _("%s no longer has the right \"%s\".\n") : _("%s has the right \"%s\" from now on.\n"),
               work->member.name, call->line->words[1]);
        return;
    }
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, work->member.name);
    mq_json_key(&writer, "right");
    mq_json_text_value(&writer, call->line->words[1]);
    mq_json_key(&writer, "given");
    mq_json_bool_value(&writer, !work->take);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    mq_call_print(call, mq_written(&line));
}

enum mq_status mq_verb_member_right(struct mq_call *call, struct mq_error *error)
{
    struct member_right work = {
        .call = call, .text = call->line->words[0], .take = mq_option_get(call->line, "take") != NULL};
    enum mq_status status = mq_rights_named(call->line->words[1], &work.right, error);

    if (status == MQ_OK)
        status = mq_replica_transact(call->desk->replica, give_or_take, &work, error);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    say(call, &work);
    return MQ_OK;
}
