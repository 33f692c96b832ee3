/* What can be done at the desk: names and functions, and what of it only the county does. */
#include <string.h>

#include "protocol/assert.h"
#include "server/centre_keys.h"

static const struct {
    const char *name;
    mq_verb *run;
    bool county; /* it says who belongs to a team: a township's desk does not */
} verbs[] = {
    {"team add", mq_verb_team_add, true},
    {"team list", mq_verb_team_list, false},
    {"team rotate", mq_verb_team_rotate, true},
    {"invite", mq_verb_invite, true},
    {"member list", mq_verb_member_list, true},
    {"member right", mq_verb_member_right, true},
    {"member held", mq_verb_member_held, true},
    {"member revoke", mq_verb_member_revoke, true},
    {"member admit", mq_verb_member_admit, true},
    {"member recover", mq_verb_member_recover, true},
    {"desk list", mq_verb_desk_list, false},
    {"desk show", mq_verb_desk_show, false},
    {"desk step", mq_verb_desk_step, false},
    {"desk set", mq_verb_desk_set, false},
    {"desk today", mq_verb_desk_today, false},
    {"desk close-due", mq_verb_desk_close_due, false},
    {"desk conflicts", mq_verb_desk_conflicts, false},
    {"desk resolve", mq_verb_desk_resolve, false},
    {"desk duplicates", mq_verb_desk_duplicates, false},
    {"desk merge", mq_verb_desk_merge, false},
    {"desk unmerge", mq_verb_desk_unmerge, false},
    {"desk distinct", mq_verb_desk_distinct, false},
    {"desk split", mq_verb_desk_split, false},
    {"desk quarantine", mq_verb_desk_quarantine, false},
    {"desk adopt", mq_verb_desk_adopt, true},
    {"reference add", mq_verb_reference_add, false},
    {"reference set", mq_verb_reference_set, false},
    {"reference list", mq_verb_reference_list, false},
    {"reference codes", mq_verb_reference_codes, false},
    {"reference import", mq_verb_reference_import, false},
    {"place merge", mq_verb_place_merge, false},
    {"place split", mq_verb_place_split, false},
    {"export", mq_verb_export, false},
    {"notice", mq_verb_notice, false},
    {"digest", mq_verb_digest, false},
    {"request add", mq_verb_request_add, false},
    {"request list", mq_verb_request_list, false},
    {"request show", mq_verb_request_show, false},
    {"request decide", mq_verb_request_decide, false},
    {"request extract", mq_verb_request_extract, false},
    {"erased list", mq_verb_erased_list, false},
    {"retention", mq_verb_retention, false},
    {"status", mq_verb_status, false},
    {"check", mq_verb_check, false},
    {"backup", mq_verb_backup, false},
};

int mq_verb_run(struct mq_centre *centre, const struct mq_command *command, struct mq_call *call)
{
    struct mq_error error = {0};
    size_t i = 0;

    while (i < sizeof verbs / sizeof *verbs && strcmp(verbs[i].name, command->name) != 0)
        i++;
    MQ_ASSERT(i < sizeof verbs / sizeof *verbs);
    call->desk = &centre->desk;
    call->link = &centre->link;
    enum mq_status status =
        verbs[i].county && centre->desk.township
            ? mq_fail(&error, MQ_REFUSED,
                      _("`%s` is done at the county's centre; this desk belongs to a township and merges and decides"),
                      command->name)
            : verbs[i].run(call, &error);
    bool written = fflush(call->out) == 0 && !ferror(call->out); /* a refusal may have a result too: what was found, or done */
    if (status == MQ_OK && !written)
        status = mq_fail(&error, MQ_NO_SPACE, _("the result could not be written: no room where it should go"));
    if (status != MQ_OK)
        fprintf(call->talk, "minqingd: %s\n", error.text);
    fflush(call->talk);
    return mq_exit_code(status);
}
