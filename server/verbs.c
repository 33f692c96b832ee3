/* What can be done at the desk: names and functions. */
#include <string.h>

#include "protocol/assert.h"
#include "server/centre_keys.h"

static const struct {
    const char *name;
    mq_verb *run;
} verbs[] = {
    {"team add", mq_verb_team_add},
    {"team list", mq_verb_team_list},
    {"invite", mq_verb_invite},
    {"member list", mq_verb_member_list},
    {"member admit", mq_verb_member_admit},
    {"desk list", mq_verb_desk_list},
    {"desk show", mq_verb_desk_show},
    {"desk conflicts", mq_verb_desk_conflicts},
    {"desk resolve", mq_verb_desk_resolve},
    {"desk merge", mq_verb_desk_merge},
    {"desk unmerge", mq_verb_desk_unmerge},
    {"desk quarantine", mq_verb_desk_quarantine},
    {"export", mq_verb_export},
    {"status", mq_verb_status},
    {"check", mq_verb_check},
    {"backup", mq_verb_backup},
};

static mq_verb *find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run;
    return NULL;
}

int mq_verb_run(struct mq_centre *centre, const struct mq_command *command, struct mq_call *call)
{
    struct mq_error error = {0};
    mq_verb *run = find(command->name);

    MQ_ASSERT(run != NULL);
    call->desk = &centre->desk;
    call->link = &centre->link;
    enum mq_status status = run(call, &error);
    if (status == MQ_OK && (fflush(call->out) != 0 || ferror(call->out)))
        status = mq_fail(&error, MQ_NO_SPACE, _("the result could not be written: no room where it should go"));
    if (status != MQ_OK)
        fprintf(call->talk, "minqingd: %s\n", error.text);
    fflush(call->talk);
    return mq_exit_code(status);
}
