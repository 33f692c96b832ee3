/* Teams: `team add` makes one, with a desk certificate that the root signs, and its first keys; `team list`. */
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "replica/reference.h"
#include "server/desk/call_keys.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/rights_keys.h"

#define LINE_SIZE 1024

struct new_team {
    struct mq_desk *desk;
    const struct mq_identity *root;
    struct mq_team team;
};

/* ---- the parts of a new team ---- */

static enum mq_status certify(struct new_team *work, struct mq_error *error)
{
    const struct mq_identity *own = mq_replica_identity(work->desk->replica);
    struct mq_certificate *certificate = &work->team.certificate;

    certificate->role = MQ_ROLE_COUNTY_DESK;
    memcpy(certificate->team, work->team.team, sizeof certificate->team);
    memcpy(certificate->sign_public, own->sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate->box_public, own->box_public, MQ_PUBLIC_SIZE);
    return mq_desk_certify(work->desk, certificate, work->root, error);
}

static enum mq_status make_team(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct new_team *work = context;
    enum mq_status status = certify(work, error);

    if (status == MQ_OK)
        status = mq_team_put(replica, &work->team, error);
    if (status == MQ_OK)
        status = mq_rights_complete(work->desk, &work->team, error);
    if (status == MQ_OK) /* what the others have, it begins with */
        status = mq_reference_copy(replica, &work->team, error);
    return status;
}

/* ---- team add ---- */

static enum mq_status check_name(struct mq_desk *desk, const char *name, struct mq_error *error)
{
    struct mq_team *teams;
    size_t count, length = strlen(name);

    if (length == 0 || length > MQ_NAME_TEXT_MAX || !mq_utf8_line(mq_span_text(name)))
        return mq_fail(error, MQ_REFUSED, _("a team's name is one line of 1 to %d bytes"), MQ_NAME_TEXT_MAX);
    enum mq_status status = mq_desk_teams(desk, &teams, &count, error);
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        if (strcmp(teams[i].name, name) == 0)
            status = mq_fail(error, MQ_REFUSED, _("there is a team \"%s\" already; choose another name"), name);
    free(teams);
    return status == MQ_OK ? mq_desk_certificate_room(desk, error) : status;
}

enum mq_status mq_verb_team_add(struct mq_call *call, struct mq_error *error)
{
    struct mq_desk *desk = call->desk;
    const char *name = call->line->words[0];
    struct mq_identity root = {0};
    struct new_team work = {.desk = desk, .root = &root};
    enum mq_status status = check_name(desk, name, error);

    if (status == MQ_OK)
        status = mq_call_root(call, &root, error);
    if (status == MQ_OK) {
        memcpy(work.team.name, name, strlen(name));
        mq_random(desk->platform, work.team.team, sizeof work.team.team);
        mq_random(desk->platform, work.team.token, sizeof work.team.token);
        mq_mailbox(work.team.mailbox, work.team.team, MQ_COMPARTMENT_TEAM);
        status = mq_replica_transact(desk->replica, make_team, &work, error);
    }
    mq_identity_wipe(&root);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "team");
    mq_json_hex_value(&writer, MQ_SPAN(work.team.team));
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, name);
    mq_json_end(&writer, '}');
    if (mq_call_json(call))
        mq_call_print(call, mq_written(&line));
    else
        mq_say(call->out, _("The team \"%s\" is made. Next: minqingd invite --team \"%s\"\n"), name, name);
    return MQ_OK;
}

/* ---- team list ---- */

static enum mq_status print_team(struct mq_call *call, const struct mq_team *team, struct mq_error *error)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    int64_t members;
    enum mq_status status = mq_db_number(mq_replica_db(call->desk->replica), &members, error,
                                         "SELECT count(*) FROM member WHERE team = ?", "b", MQ_SPAN(team->team));

    if (status != MQ_OK)
        return status;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "team");
    mq_json_hex_value(&writer, MQ_SPAN(team->team));
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, team->name);
    mq_json_key(&writer, "members");
    mq_json_int_value(&writer, members);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    if (mq_call_json(call))
        mq_call_print(call, mq_written(&line));
    else
        mq_say(call->out, ngettext("%s: %lld member\n", "%s: %lld members\n", (unsigned long)members), team->name,
               (long long)members);
    return MQ_OK;
}

enum mq_status mq_verb_team_list(struct mq_call *call, struct mq_error *error)
{
    struct mq_team *teams;
    size_t count;
    enum mq_status status = mq_desk_teams(call->desk, &teams, &count, error);

    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = print_team(call, &teams[i], error);
    free(teams);
    return status;
}
