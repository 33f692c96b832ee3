/* Why a step is not possible, for the person who wanted it: what the need waits for, who may do it, what is missing. */
#include <stdio.h>
#include <string.h>

#include "protocol/certificate.h"
#include "protocol/codes.h"
#include "replica/need_chain.h"

#define LIST_MAX (MQ_ERROR_TEXT_SIZE / 2)

/* "assign 交办": as lists of codes are shown elsewhere. */
static void put_step(char *out, size_t capacity, unsigned code)
{
    const struct mq_code *step = mq_code_by_number(&mq_codes_step, code);
    snprintf(out, capacity, "%s %s", step == NULL ? "tell" : step->text, step == NULL ? "告知" : step->label);
}

static const char *who(unsigned rank)
{
    return rank >= MQ_RANK_COUNTY ? _("the county's desk") : rank >= MQ_RANK_DESK ? _("the desk") : _("anybody");
}

/* The least rank that may take this step from this state, in some way; 0: nobody. */
static unsigned least_rank(const struct mq_need_status *before, unsigned code)
{
    unsigned least = 0;
    for (size_t i = 0; i < mq_need_rule_count; i++) {
        const struct mq_need_rule *rule = &mq_need_rules[i];
        if (rule->code == code && rule->from >> before->state & 1 && (least == 0 || rule->rank < least))
            least = rule->rank;
    }
    return least;
}

static void list_possible(char out[LIST_MAX], const struct mq_need_status *before, unsigned rank)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned code = 0; code <= mq_codes_step.count; code++) {
        char name[64], item[160];
        unsigned least = least_rank(before, code);
        if (least == 0)
            continue;
        put_step(name, sizeof name, code);
        if (least <= rank)
            snprintf(item, sizeof item, "%s%s", used > 0 ? ", " : "", name);
        else
            snprintf(item, sizeof item, _("%s%s (%s)"), used > 0 ? ", " : "", name, who(least));
        if (used + strlen(item) >= LIST_MAX)
            return;
        memcpy(out + used, item, strlen(item) + 1);
        used += strlen(item);
    }
}

static void list_fields(char *out, size_t capacity, unsigned bits, const char *between)
{
    static const char *const names[] = {"--unit", "--text", "--due", "--reason", "--result", "--cause", "--unit"};
    size_t used = 0;
    out[0] = '\0';
    for (unsigned bit = 0; bit < sizeof names / sizeof *names && used < capacity; bit++)
        if (bits >> bit & 1)
            used += (size_t)snprintf(out + used, capacity - used, "%s%s", used > 0 ? between : "", names[bit]);
}

static enum mq_status missing(const struct mq_need_rule *rule, const struct mq_need_status *before,
                              const struct mq_need_step *step, struct mq_error *error)
{
    char name[64], fields[120];
    unsigned said = step->says | (before->unit >= 0 || step->says & MQ_SAYS_UNIT ? MQ_SAYS_NO_NEW_UNIT : 0);
    unsigned lacking = rule->says & ~said;
    put_step(name, sizeof name, step->code);
    if (lacking != 0) {
        list_fields(fields, sizeof fields, lacking, ", ");
        return mq_fail(error, MQ_REFUSED, _("\"%s\" also needs %s"), name, fields);
    }
    list_fields(fields, sizeof fields, rule->one_of, ", ");
    return mq_fail(error, MQ_REFUSED, _("\"%s\" needs one of %s"), name, fields);
}

static enum mq_status wrong_moment(const struct mq_need_rule *rule, struct mq_error *error)
{
    switch (rule->when) {
    case MQ_WHEN_DISPUTABLE:
        return mq_fail(error, MQ_REFUSED, _("this need was disputed twice; now the desk's decision stands"));
    case MQ_WHEN_EXCEPTION:
        return mq_fail(error, MQ_REFUSED,
                       _("the villager has not been told yet. Tell him first, or close it with --cause 三次未联系上, "
                         "匿名 or 迁出"));
    case MQ_WHEN_EXPLAINED:
        return mq_fail(error, MQ_REFUSED,
                       _("the villager is not satisfied: reopen it, or, where it was explained to him once more, close "
                         "it with --cause 解释后办结 and a --reason"));
    case MQ_WHEN_FOR_GOOD:
        return mq_fail(error, MQ_REFUSED,
                       _("it was answered already; reopen it before it is parked for want of means"));
    case MQ_WHEN_ALWAYS:
    case MQ_WHEN_HEARD:
    case MQ_WHEN_UNSATISFIED:
    case MQ_WHEN_UNREACHED:
    case MQ_WHEN_NO_MEANS: break;
    }
    return mq_fail(error, MQ_REFUSED, _("this step does not fit here"));
}

enum mq_status mq_need_refuse(const struct mq_need_status *before, const struct mq_need_step *step,
                              struct mq_error *error)
{
    enum mq_need_verdict best = MQ_VERDICT_STEP;
    const struct mq_need_rule *nearest = NULL;
    char name[64], possible[LIST_MAX];
    for (size_t i = 0; i < mq_need_rule_count; i++) {
        enum mq_need_verdict verdict = mq_need_judge(&mq_need_rules[i], before, step);
        if (verdict < best) {
            best = verdict;
            nearest = &mq_need_rules[i];
        }
    }
    put_step(name, sizeof name, step->code);
    if (best == MQ_VERDICT_DATA)
        return missing(nearest, before, step, error);
    if (best == MQ_VERDICT_WHEN)
        return wrong_moment(nearest, error);
    if (best == MQ_VERDICT_RANK)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is for %s to do"), name, who(nearest->rank));
    list_possible(possible, before, step->rank);
    return mq_fail(error, MQ_REFUSED, _("this need is %s now, so \"%s\" is not possible; possible: %s"),
                   mq_need_state_by_number(before->state)->label, name, possible);
}
