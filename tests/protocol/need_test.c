/* Aim: a need moves by the rows of its table and by nothing else; every open state has one holder, and nothing is closed
 * that nobody was told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/certificate.h"
#include "protocol/codes.h"
#include "protocol/need.h"

/* ---- chains: each step knows the one before ---- */

enum { CHAIN_MAX = 24 };

struct chain {
    struct mq_need_step steps[CHAIN_MAX];
    uint8_t ids[CHAIN_MAX][MQ_ID_SIZE];
    size_t count;
};

static void chain_put(struct chain *chain, struct mq_need_step step)
{
    size_t at = chain->count++;
    assert_true(at < CHAIN_MAX);
    memset(chain->ids[at], 0, MQ_ID_SIZE);
    chain->ids[at][0] = (uint8_t)(at + 1);
    memcpy(step.record, chain->ids[at], MQ_ID_SIZE);
    chain->steps[at] = step;
}

static struct mq_need chain_end(const struct chain *chain)
{
    static struct chain copy;
    struct mq_need need;
    copy = *chain;
    for (size_t i = 1; i < copy.count; i++) {
        copy.steps[i].after = copy.ids[i - 1];
        copy.steps[i].after_count = 1;
    }
    mq_need_derive(&need, copy.steps, copy.count);
    return need;
}

/* ---- what the table should be, said a second time ---- */

enum variant { PLAIN, NOT_SATISFIED, NOBODY_REACHED, NO_MEANS, COULD_NOT_TELL, EXPLAINED, VARIANTS };

static const char *const variant_names[VARIANTS] = {"", "/unsatisfied", "/unreached", "/no_means", "/exception",
                                                    "/explained"};

static struct mq_need_step full_step(unsigned code, enum variant variant, unsigned rank)
{
    struct mq_need_step step = {.rank = rank, .code = (uint8_t)code, .says = 63, .due = 20500, .result = 1};
    step.reaction = variant == NOT_SATISFIED ? 3 : variant == NOBODY_REACHED ? 5 : 1;
    step.result = variant == NO_MEANS ? 7 : 1;
    step.cause = variant == COULD_NOT_TELL ? 22 : variant == EXPLAINED ? 24 : 1;
    return step;
}

static const char *step_name(unsigned code)
{
    return code == 0 ? "told" : mq_code_by_number(&mq_codes_step, code)->text;
}

/* step[/variant]>state@rank. A variant that is not listed does what the plain one does. */
static const char *const expected[][2] = {
    {"registered", "told>registered@1 accept>accepted@2 return>returned@2 redirect>redirected@2 settle>told@1"
                   " withdraw>withdrawn@1 merge_into>merged@2"},
    {"accepted", "told>accepted@1 redirect>redirected@2 assign>assigned@2 escalate>escalated@2 park>parked@2"
                 " answer>answered@2 answer/no_means>parked@2 withdraw>withdrawn@1 merge_into>merged@2"},
    {"returned", "told>returned@1 supplement>registered@1 settle>told@1 withdraw>withdrawn@1 merge_into>merged@2"},
    {"redirected", "told>told@1 told/unsatisfied>unsatisfied@1 told/unreached>redirected@1 close>@9"
                   " close/exception>closed@2 reopen>reopened@2 withdraw>withdrawn@1"},
    {"assigned", "told>assigned@1 assign>assigned@2 dispute>disputed@2 start>working@2 escalate>escalated@2"
                 " park>parked@2 answer>answered@2 answer/no_means>parked@2 withdraw>withdrawn@1 merge_into>merged@2"},
    {"disputed", "told>disputed@1 assign>assigned@2 escalate>escalated@2 park>parked@2 answer>answered@2"
                 " answer/no_means>parked@2 withdraw>withdrawn@1 merge_into>merged@2"},
    {"working", "told>working@1 assign>assigned@2 extend>working@2 escalate>escalated@2 park>parked@2"
                " answer>answered@2 answer/no_means>parked@2 withdraw>withdrawn@1 merge_into>merged@2"},
    {"escalated", "told>escalated@1 assign>assigned@3 park>parked@3 answer>answered@3 answer/no_means>parked@3"
                  " withdraw>withdrawn@1 merge_into>merged@2"},
    {"parked", "told>parked@1 told/unsatisfied>unsatisfied@1 assign>assigned@2 start>working@2 park>parked@2"
               " answer>answered@2 answer/no_means>parked@2 withdraw>withdrawn@1 merge_into>merged@2"},
    {"answered", "told>told@1 told/unsatisfied>unsatisfied@1 told/unreached>answered@1 answer>answered@2"
                 " answer/no_means>@9 close>@9 close/exception>closed@2 reopen>reopened@2 withdraw>withdrawn@1"},
    {"told", "told>told@1 told/unsatisfied>unsatisfied@1 park>parked@2 close>closed@2 reopen>reopened@2"
             " withdraw>withdrawn@1"},
    {"unsatisfied", "told>told@1 told/unsatisfied>unsatisfied@1 told/unreached>unsatisfied@1 park>parked@2 close>@9"
                    " close/explained>closed@2 reopen>reopened@2 withdraw>withdrawn@1"},
    {"reopened", "told>reopened@1 assign>assigned@2 escalate>escalated@2 park>parked@2 answer>answered@2"
                 " answer/no_means>parked@2 withdraw>withdrawn@1 merge_into>merged@2"},
    {"merged", "told>told@1 told/unsatisfied>unsatisfied@1 told/unreached>merged@1 close>@9 close/exception>closed@2"
               " reopen>reopened@2 withdraw>withdrawn@1"},
    {"closed", "close>closed@2 reopen>reopened@2"},
    {"withdrawn", "reopen>reopened@2"},
};

/* What the lines above say: the state it leads to, NULL where it does not move. */
static const struct mq_need_state *expected_state(unsigned state, unsigned code, enum variant variant, unsigned rank)
{
    for (int general = 0; general < 2; general++) {
        char token[64];
        snprintf(token, sizeof token, " %s%s>", step_name(code), general ? "" : variant_names[variant]);
        char line[600];
        snprintf(line, sizeof line, " %s", expected[state - 1][1]);
        const char *found = strstr(line, token);
        if (found == NULL)
            continue;
        found += strlen(token);
        const char *at = strchr(found, '@');
        assert_non_null(at);
        if (rank < (unsigned)(at[1] - '0'))
            return NULL;
        return mq_need_state_by_text(mq_span(found, (size_t)(at - found)));
    }
    return NULL;
}

static int16_t some_unit = 0;

/* Every (state, step, variant, rank): where the table has no row, the need stays as it is. */
static void table_is_walked(void **state)
{
    size_t moving = 0;
    (void)state;
    assert_int_equal(mq_need_state_count, sizeof expected / sizeof *expected);
    for (unsigned from = 1; from <= mq_need_state_count; from++) {
        assert_string_equal(mq_need_state_by_number(from)->key, expected[from - 1][0]);
        for (unsigned code = 0; code <= mq_codes_step.count; code++)
            for (int variant = 0; variant < VARIANTS; variant++)
                for (unsigned rank = 0; rank <= 3; rank++) {
                    struct mq_need_status before = {.state = (uint8_t)from, .unit = some_unit, .sentence = -1};
                    struct mq_need_step step = full_step(code, (enum variant)variant, rank);
                    const struct mq_need_rule *rule = mq_need_rule_find(&before, &step);
                    const struct mq_need_state *wanted = expected_state(from, code, (enum variant)variant, rank);
                    unsigned to = rule == NULL ? 0 : rule->to == 0 ? from : rule->to;
                    if (to != (wanted == NULL ? 0 : wanted->number))
                        fail_msg("%s, %s%s at rank %u: leads to %u", expected[from - 1][0], step_name(code),
                                 variant_names[variant], rank, to);
                    moving += rule != NULL;
                }
    }
    assert_true(moving > 0);
}

/* The codes that the rules look at are those of the lists, and every row is used by some state. */
static void codes_are_those_of_the_lists(void **state)
{
    static const struct {
        const struct mq_code_list *list;
        unsigned code;
        const char *label;
    } codes[] = {
        {&mq_codes_step_result, MQ_RESULT_PARKED, "挂账"},     {&mq_codes_reaction, MQ_REACTION_UNSATISFIED, "不满意"},
        {&mq_codes_reaction, MQ_REACTION_UNREACHED, "未联系上"}, {&mq_codes_step, MQ_STEP_ACCEPT, "受理"},
        {&mq_codes_step, MQ_STEP_RETURN, "退回补充"},          {&mq_codes_step, MQ_STEP_REDIRECT, "指路"},
        {&mq_codes_step, MQ_STEP_ASSIGN, "交办"},              {&mq_codes_step, MQ_STEP_DISPUTE, "退回异议"},
        {&mq_codes_step, MQ_STEP_START, "办理"},               {&mq_codes_step, MQ_STEP_EXTEND, "延期"},
        {&mq_codes_step, MQ_STEP_ESCALATE, "上报县级"},        {&mq_codes_step, MQ_STEP_PARK, "挂账"},
        {&mq_codes_step, MQ_STEP_ANSWER, "答复"},              {&mq_codes_step, MQ_STEP_SETTLE, "当场解决"},
        {&mq_codes_step, MQ_STEP_CLOSE, "办结"},               {&mq_codes_step, MQ_STEP_REOPEN, "重办"},
        {&mq_codes_step, MQ_STEP_WITHDRAW, "撤回"},            {&mq_codes_step, MQ_STEP_SUPPLEMENT, "补充"},
        {&mq_codes_step, MQ_STEP_MERGE_INTO, "并入"},
    };
    bool used[64] = {false};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_string_equal(mq_code_by_number(codes[i].list, codes[i].code)->label, codes[i].label);
    assert_true(mq_need_rule_count <= sizeof used);
    for (unsigned from = 1; from <= mq_need_state_count; from++)
        for (unsigned code = 0; code <= mq_codes_step.count; code++)
            for (int variant = 0; variant < VARIANTS; variant++) {
                struct mq_need_status before = {.state = (uint8_t)from, .unit = some_unit};
                struct mq_need_step step = full_step(code, (enum variant)variant, 3);
                const struct mq_need_rule *rule = mq_need_rule_find(&before, &step);
                if (rule != NULL)
                    used[rule - mq_need_rules] = true;
            }
    for (size_t i = 0; i < mq_need_rule_count; i++)
        if (!used[i])
            fail_msg("row %zu is never used", i);
}

/* A step that does not say what its row wants moves nothing; one bit less is already too little. */
static void data_is_needed(void **state)
{
    size_t tried = 0;
    (void)state;
    for (size_t r = 0; r < mq_need_rule_count; r++)
        for (unsigned from = 1; from <= mq_need_state_count; from++)
            for (int variant = 0; variant < VARIANTS; variant++) {
                const struct mq_need_rule *rule = &mq_need_rules[r];
                struct mq_need_status before = {.state = (uint8_t)from, .unit = -1, .sentence = -1};
                struct mq_need_step step = full_step(rule->code, (enum variant)variant, 3);
                if (mq_need_rule_find(&before, &step) != rule)
                    continue;
                for (unsigned bit = 1; bit < 64; bit *= 2) {
                    unsigned wanted = rule->says & MQ_SAYS_NO_NEW_UNIT ? rule->says | MQ_SAYS_UNIT : rule->says;
                    step.says = (uint8_t)(63 & ~bit);
                    assert_int_equal(mq_need_rule_find(&before, &step) != NULL, !(wanted & bit));
                    tried++;
                }
                step.says = (uint8_t)(63 & ~rule->one_of);
                assert_int_equal(mq_need_rule_find(&before, &step) != NULL, rule->one_of == 0);
            }
    assert_true(tried > mq_need_rule_count);
}

/* ---- what can be reached at all ---- */

enum { REACHED_MAX = 4096, DEPTH_MAX = 8 };

struct reached {
    struct chain chain;
    bool heard; /* since the last sentence: kept apart from what the derivation says */
};
static struct reached reached[REACHED_MAX];
static size_t reached_count;

static bool reached_before(const struct mq_need *need, bool heard)
{
    for (size_t i = 0; i < reached_count; i++) {
        struct mq_need other = chain_end(&reached[i].chain);
        const struct mq_need_status *a = &other.status, *b = &need->status;
        if (a->state == b->state && a->told == b->told && (a->unit < 0) == (b->unit < 0) &&
            a->disputes == b->disputes && (a->unreached > 0) == (b->unreached > 0) && reached[i].heard == heard)
            return true;
    }
    return false;
}

/* The villager was told, or it is on record why he could not be. */
static bool may_be_closed(unsigned from, const struct mq_need_step *step, bool heard)
{
    bool exception = step->says & MQ_SAYS_CAUSE && (step->cause >= 21 && step->cause <= 23);
    return heard || exception || from == MQ_NEED_CLOSED;
}

static void look_at(const struct reached *way, const struct mq_need_status *before, const struct mq_need *after)
{
    const struct mq_need_step *step = &way->chain.steps[way->chain.count - 1];
    const struct mq_need_state *state = mq_need_state_by_number(after->status.state);
    assert_non_null(state);
    assert_int_equal(after->late, 0);
    assert_int_equal(state->open, state->holder != MQ_HOLDER_NOBODY);
    if (state->holder == MQ_HOLDER_UNIT) /* a holder without a name is none */
        assert_true(after->status.unit >= 0 && way->chain.steps[after->status.unit].says & MQ_SAYS_UNIT);
    if (state->tells)
        assert_true(after->status.sentence >= 0 && way->chain.steps[after->status.sentence].says & MQ_SAYS_TEXT);
    if (state->number == MQ_NEED_PARKED)
        assert_true(after->status.dated >= 0);
    if (state->number == MQ_NEED_CLOSED && !may_be_closed(before->state, step, way->heard))
        fail_msg("closed from state %u by step %u and nobody was told", before->state, step->code);
    if (before->state == MQ_NEED_UNSATISFIED && state->number == MQ_NEED_CLOSED)
        assert_true(step->says & MQ_SAYS_REASON && step->cause == MQ_CAUSE_EXPLAINED);
}

/* One step further from a reached state, in every way. */
static void go_on(size_t from)
{
    for (unsigned code = 0; code <= mq_codes_step.count; code++)
        for (int variant = 0; variant < VARIANTS; variant++)
            for (unsigned half = 0; half < 2; half++) { /* with all it can say, and without a unit */
                struct reached way = reached[from];
                struct mq_need before = chain_end(&way.chain), after;
                struct mq_need_step step = full_step(code, (enum variant)variant, 3);
                step.says = (uint8_t)(half ? 63 & ~MQ_SAYS_UNIT : 63);
                chain_put(&way.chain, step);
                after = chain_end(&way.chain);
                if (after.out_of_turn > 0)
                    continue;
                const struct mq_need_state *now = mq_need_state_by_number(after.status.state);
                bool hears = before.status.state == MQ_NEED_ANSWERED || before.status.state == MQ_NEED_REDIRECTED ||
                             before.status.state == MQ_NEED_PARKED || before.status.state == MQ_NEED_MERGED ||
                             before.status.state == MQ_NEED_TOLD || before.status.state == MQ_NEED_UNSATISFIED;
                if (now->tells && code != 0)
                    way.heard = false;
                if (code == MQ_STEP_REOPEN || code == MQ_STEP_MERGE_INTO)
                    way.heard = false;
                if ((code == 0 && hears && variant != NOBODY_REACHED) || code == MQ_STEP_SETTLE)
                    way.heard = true;
                look_at(&way, &before.status, &after);
                if (way.chain.count == DEPTH_MAX || reached_before(&after, way.heard))
                    continue;
                assert_true(reached_count < REACHED_MAX);
                reached[reached_count++] = way;
            }
}

/* Whatever chain of up to eight steps: one holder, no sentence lost, nothing closed that nobody was told. */
static void invariants_hold_everywhere(void **state)
{
    bool seen[32] = {false};
    (void)state;
    reached[0] = (struct reached){.heard = false};
    reached_count = 1;
    for (size_t i = 0; i < reached_count; i++) {
        seen[chain_end(&reached[i].chain).status.state] = true;
        go_on(i);
    }
    for (unsigned number = 1; number <= mq_need_state_count; number++)
        if (!seen[number])
            fail_msg("no chain leads to %s", mq_need_state_by_number(number)->key);
}

/* ---- stories ---- */

static struct mq_need_step by(unsigned rank, unsigned code, uint8_t says)
{
    return (struct mq_need_step){.rank = rank, .code = (uint8_t)code, .says = says, .result = 1, .due = 20500};
}

/* A third dispute is out of turn: the desk's second decision is final. */
static void third_dispute_is_out_of_turn(void **state)
{
    struct chain chain = {.count = 0};
    (void)state;
    chain_put(&chain, by(2, MQ_STEP_ACCEPT, 0));
    for (int i = 0; i < 3; i++) {
        chain_put(&chain, by(2, MQ_STEP_ASSIGN, MQ_SAYS_UNIT));
        chain_put(&chain, by(2, MQ_STEP_DISPUTE, MQ_SAYS_REASON));
    }
    struct mq_need need = chain_end(&chain);
    assert_int_equal(need.status.state, MQ_NEED_ASSIGNED);
    assert_int_equal(need.status.disputes, 2);
    assert_int_equal(need.out_of_turn, 1);
    assert_int_equal(need.status.unit, 5);
}

/* Of more steps than count those of the highest rank count, among equals those with the smallest ids: no flood of notes by
 * colleagues hides what a desk said. */
static void too_many_steps(void **state)
{
    enum { MORE = 44, ALL = MQ_NEED_STEPS_MAX + MORE };
    static struct mq_need_step steps[ALL];
    struct mq_need need;

    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        steps[i] = by(i == 20 ? 2 : 1, MQ_STEP_ACCEPT, 0);
        size_t id = i == 20 ? ALL : (i * 7) % ALL; /* the desk's is the greatest of all */
        steps[i].record[0] = (uint8_t)(id >> 8);
        steps[i].record[1] = (uint8_t)id;
    }
    assert_int_equal(mq_need_derive(&need, steps, ALL), MQ_NEED_STEPS_MAX);
    assert_true(need.overflow);
    assert_int_equal(steps[MQ_NEED_STEPS_MAX - 1].rank, 2);
    assert_int_equal(steps[need.head].rank, 2);
    for (size_t i = MQ_NEED_STEPS_MAX; i < ALL; i++) {
        assert_int_equal(steps[i].rank, 1);
        assert_true(memcmp(steps[i].record, steps[MQ_NEED_STEPS_MAX - 2].record, MQ_ID_SIZE) > 0);
    }
}

/* From the ledger of an old woman's roof: disputed, parked by the county, not satisfied, done, told, kept for March. */
static void a_roof_in_winter(void **state)
{
    struct chain chain = {.count = 0};
    struct mq_need need;
    (void)state;
    chain_put(&chain, by(2, MQ_STEP_ACCEPT, MQ_SAYS_DUE));
    chain_put(&chain, by(2, MQ_STEP_ASSIGN, MQ_SAYS_UNIT));
    chain_put(&chain, by(2, MQ_STEP_DISPUTE, MQ_SAYS_REASON | MQ_SAYS_CAUSE));
    chain_put(&chain, by(2, MQ_STEP_ASSIGN, MQ_SAYS_UNIT));
    need = chain_end(&chain);
    assert_true(need.status.dated >= 0); /* the clock did not stop */
    assert_int_equal(need.status.due, 20500);
    struct mq_need_step parked = by(2, MQ_STEP_ANSWER, 63 & ~MQ_SAYS_UNIT);
    parked.result = MQ_RESULT_PARKED;
    parked.due = 20600;
    chain_put(&chain, parked);
    need = chain_end(&chain);
    assert_int_equal(need.status.state, MQ_NEED_PARKED);
    assert_int_equal(need.status.due, 20600);
    assert_int_equal(need.status.unit, 3);
    assert_false(need.status.told);
    struct mq_need_step told = by(1, MQ_STEP_TOLD, 0);
    told.reaction = MQ_REACTION_UNSATISFIED;
    chain_put(&chain, told);
    assert_int_equal(chain_end(&chain).status.state, MQ_NEED_UNSATISFIED);
    chain_put(&chain, by(2, MQ_STEP_CLOSE, MQ_SAYS_REASON)); /* out of turn: nothing was explained */
    assert_int_equal(chain_end(&chain).status.state, MQ_NEED_UNSATISFIED);
    chain_put(&chain, by(2, MQ_STEP_REOPEN, MQ_SAYS_REASON));
    chain_put(&chain, by(2, MQ_STEP_ASSIGN, MQ_SAYS_UNIT));
    chain_put(&chain, by(2, MQ_STEP_ANSWER, MQ_SAYS_RESULT | MQ_SAYS_TEXT));
    chain_put(&chain, by(1, MQ_STEP_TOLD, 0));
    parked = by(2, MQ_STEP_PARK, MQ_SAYS_REASON | MQ_SAYS_TEXT | MQ_SAYS_DUE);
    chain_put(&chain, parked);
    need = chain_end(&chain);
    assert_int_equal(need.status.state, MQ_NEED_PARKED);
    assert_true(need.status.dated >= 0);
    assert_int_equal(need.out_of_turn, 1);
}

/* Three attempts in which nobody was reached leave the answer to be told, and are counted until there is a new one. */
static void attempts_are_counted(void **state)
{
    struct chain chain = {.count = 0};
    struct mq_need_step nobody = by(1, MQ_STEP_TOLD, 0);
    (void)state;
    nobody.reaction = MQ_REACTION_UNREACHED;
    chain_put(&chain, by(2, MQ_STEP_ACCEPT, 0));
    chain_put(&chain, by(2, MQ_STEP_ANSWER, MQ_SAYS_RESULT | MQ_SAYS_TEXT | MQ_SAYS_DUE));
    for (int i = 0; i < 3; i++)
        chain_put(&chain, nobody);
    struct mq_need need = chain_end(&chain);
    assert_int_equal(need.status.state, MQ_NEED_ANSWERED);
    assert_int_equal(need.status.unreached, 3);
    assert_true(need.status.dated >= 0 && !need.status.told);
    chain_put(&chain, by(2, MQ_STEP_ANSWER, MQ_SAYS_RESULT | MQ_SAYS_TEXT));
    assert_int_equal(chain_end(&chain).status.unreached, 0);
    chain_put(&chain, nobody);
    struct mq_need_step close = by(2, MQ_STEP_CLOSE, MQ_SAYS_CAUSE);
    close.cause = MQ_CAUSE_UNREACHED;
    chain_put(&chain, close);
    assert_int_equal(chain_end(&chain).status.state, MQ_NEED_CLOSED);
}

/* States are found by key and by label, and by nothing else. */
static void states_have_names(void **state)
{
    (void)state;
    assert_int_equal(mq_need_state_by_text(mq_span_text("answered"))->number, MQ_NEED_ANSWERED);
    assert_int_equal(mq_need_state_by_text(mq_span_text("已答复"))->number, MQ_NEED_ANSWERED);
    assert_null(mq_need_state_by_text(mq_span_text("answer")));
    assert_null(mq_need_state_by_number(0));
    assert_null(mq_need_state_by_number((unsigned)mq_need_state_count + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_walked),
        cmocka_unit_test(codes_are_those_of_the_lists),
        cmocka_unit_test(data_is_needed),
        cmocka_unit_test(invariants_hold_everywhere),
        cmocka_unit_test(too_many_steps),
        cmocka_unit_test(third_dispute_is_out_of_turn),
        cmocka_unit_test(a_roof_in_winter),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
