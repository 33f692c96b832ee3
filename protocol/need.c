/* The state of a need from the set of its steps (docs/protocol.md, section 6). Steps are numbered by record id; sets of
 * steps are bits. */
#include "protocol/need.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/certificate.h"
#include "protocol/merge_values.h"

/* ---- the table ---- */

const struct mq_need_state *mq_need_state_by_number(unsigned number)
{
    for (size_t i = 0; i < mq_need_state_count; i++)
        if (mq_need_states[i].number == number)
            return &mq_need_states[i];
    return NULL;
}

const struct mq_need_state *mq_need_state_by_text(struct mq_span text)
{
    for (size_t i = 0; i < mq_need_state_count; i++)
        if (mq_span_equal(mq_span_text(mq_need_states[i].key), text) ||
            mq_span_equal(mq_span_text(mq_need_states[i].label), text))
            return &mq_need_states[i];
    return NULL;
}

static bool holds(enum mq_need_when when, const struct mq_need_status *before, const struct mq_need_step *step)
{
    switch (when) {
    case MQ_WHEN_ALWAYS: return true;
    case MQ_WHEN_HEARD: return step->reaction != MQ_REACTION_UNSATISFIED && step->reaction != MQ_REACTION_UNREACHED;
    case MQ_WHEN_UNSATISFIED: return step->reaction == MQ_REACTION_UNSATISFIED;
    case MQ_WHEN_UNREACHED: return step->reaction == MQ_REACTION_UNREACHED;
    case MQ_WHEN_FOR_GOOD: return step->result != MQ_RESULT_PARKED;
    case MQ_WHEN_NO_MEANS: return step->result == MQ_RESULT_PARKED;
    case MQ_WHEN_DISPUTABLE: return before->disputes < MQ_DISPUTES_MAX;
    case MQ_WHEN_EXCEPTION:
        return step->cause == MQ_CAUSE_UNREACHED || step->cause == MQ_CAUSE_ANONYMOUS || step->cause == MQ_CAUSE_MOVED;
    case MQ_WHEN_EXPLAINED: return step->cause == MQ_CAUSE_EXPLAINED;
    }
    MQ_NO_OTHER();
}

enum mq_need_verdict mq_need_judge(const struct mq_need_rule *rule, const struct mq_need_status *before,
                                   const struct mq_need_step *step)
{
    unsigned said = step->says | (before->unit >= 0 || (step->says & MQ_SAYS_UNIT) ? MQ_SAYS_NO_NEW_UNIT : 0);

    if (rule->code != step->code)
        return MQ_VERDICT_STEP;
    if (!(rule->from >> before->state & 1))
        return MQ_VERDICT_STATE;
    if (step->rank < rule->rank)
        return MQ_VERDICT_RANK;
    if (!holds(rule->when, before, step))
        return MQ_VERDICT_WHEN;
    if ((rule->says & ~said) != 0 || (rule->one_of != 0 && (rule->one_of & said) == 0))
        return MQ_VERDICT_DATA;
    return MQ_VERDICT_ALLOWED;
}

const struct mq_need_rule *mq_need_rule_find(const struct mq_need_status *before, const struct mq_need_step *step)
{
    for (size_t i = 0; i < mq_need_rule_count; i++)
        if (mq_need_judge(&mq_need_rules[i], before, step) == MQ_VERDICT_ALLOWED)
            return &mq_need_rules[i];
    return NULL;
}

struct mq_need_status mq_need_registered(void)
{
    return (struct mq_need_status){.state = MQ_NEED_REGISTERED, .unit = -1, .sentence = -1, .dated = -1};
}

/* How the need stands after step number `at`, which `rule` allows. */
static struct mq_need_status moved(const struct mq_need_status *before, const struct mq_need_rule *rule,
                                   const struct mq_need_step *step, int16_t at)
{
    struct mq_need_status after = *before;
    bool dated = (step->says & MQ_SAYS_DUE) != 0 && rule->clock != MQ_CLOCK_END;

    if (dated || rule->clock != MQ_CLOCK_RUN) {
        after.dated = dated ? at : -1;
        after.due = dated ? step->due : 0;
    }
    if (rule->to != 0)
        after.state = rule->to;
    if (step->says & MQ_SAYS_UNIT)
        after.unit = at;
    if (rule->to != 0 && mq_need_state_by_number(rule->to)->tells) {
        after.sentence = at;
        after.told = false;
        after.unreached = 0;
    }
    after.disputes = (uint16_t)(after.disputes + (step->code == MQ_STEP_DISPUTE));
    after.unreached = (uint16_t)(after.unreached + (rule->when == MQ_WHEN_UNREACHED));
    after.told = after.told || rule->when == MQ_WHEN_HEARD || rule->when == MQ_WHEN_UNSATISFIED;
    return after;
}

/* ---- sets of steps ---- */

enum { WORDS = MQ_NEED_STEPS_MAX / 64 };
_Static_assert(MQ_NEED_STEPS_MAX % 64 == 0, "sets of steps are whole words");

struct set {
    uint64_t words[WORDS];
};

static bool has(const struct set *set, size_t at)
{
    return set->words[at / 64] >> at % 64 & 1;
}

static void put(struct set *set, size_t at)
{
    set->words[at / 64] |= UINT64_C(1) << at % 64;
}

static void drop(struct set *set, size_t at)
{
    set->words[at / 64] &= ~(UINT64_C(1) << at % 64);
}

static void join(struct set *set, const struct set *other)
{
    for (size_t i = 0; i < WORDS; i++)
        set->words[i] |= other->words[i];
}

/* Which has the greatest element that the other has not? */
static bool greater(const struct set *a, const struct set *b)
{
    for (size_t i = WORDS; i-- > 0;)
        if (a->words[i] != b->words[i])
            return a->words[i] > b->words[i];
    return false;
}

/* ---- who names whom ---- */

struct derivation {
    struct mq_need_step *steps;
    size_t count;
    struct set names[MQ_NEED_STEPS_MAX];    /* by number; without those of one's own ring */
    struct set reach[MQ_NEED_STEPS_MAX];    /* by number: what is named, and what that names, and so on */
    struct set past[MQ_NEED_STEPS_MAX];     /* by place: the effective steps that it knows, itself included */
    uint16_t place[MQ_NEED_STEPS_MAX];      /* in the order of (rank, depth, record id) */
    uint16_t turn[MQ_NEED_STEPS_MAX];       /* numbers, so that whoever is named comes before */
    int16_t before[MQ_NEED_STEPS_MAX];      /* the effective step that it follows; -1: none */
};

static int order_ids(const void *a, const void *b)
{
    const struct mq_need_step *left = a, *right = b;
    return memcmp(left->record, right->record, MQ_ID_SIZE);
}

static int order_ranks(const void *a, const void *b)
{
    const struct mq_need_step *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    return order_ids(a, b);
}

static size_t find(const struct derivation *all, const uint8_t *record)
{
    size_t low = 0, high = all->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(all->steps[middle].record, record, MQ_ID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < all->count && memcmp(all->steps[low].record, record, MQ_ID_SIZE) == 0 ? low : all->count;
}

static void read_names(struct derivation *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t n = 0; n < all->steps[i].after_count; n++) {
            size_t named = find(all, all->steps[i].after + n * MQ_ID_SIZE);
            if (named < all->count)
                put(&all->names[i], named);
        }
    memcpy(all->reach, all->names, sizeof all->reach);
    for (size_t through = 0; through < all->count; through++)
        for (size_t i = 0; i < all->count; i++)
            if (has(&all->reach[i], through))
                join(&all->reach[i], &all->reach[through]);
    for (size_t i = 0; i < all->count; i++)
        for (size_t named = 0; named < all->count; named++)
            if (has(&all->names[i], named) && has(&all->reach[named], i))
                drop(&all->names[i], named);
}

/* Whoever names another reaches more than it, itself included: so this order has the named ones first. */
static void find_turns(struct derivation *all)
{
    size_t sizes[MQ_NEED_STEPS_MAX] = {0};

    for (size_t i = 0; i < all->count; i++) {
        put(&all->reach[i], i);
        for (size_t j = 0; j < all->count; j++)
            sizes[i] += has(&all->reach[i], j);
    }
    for (size_t i = 0; i < all->count; i++) {
        size_t earlier = 0;
        for (size_t j = 0; j < all->count; j++)
            earlier += sizes[j] < sizes[i] || (sizes[j] == sizes[i] && j < i);
        all->turn[earlier] = (uint16_t)i;
    }
}

static void find_depths(struct derivation *all)
{
    for (size_t t = 0; t < all->count; t++) {
        struct mq_need_step *step = &all->steps[all->turn[t]];
        step->depth = 0;
        for (size_t named = 0; named < all->count; named++)
            if (has(&all->names[all->turn[t]], named) && all->steps[named].depth >= step->depth)
                step->depth = all->steps[named].depth + 1;
    }
}

static bool less(const struct derivation *all, size_t a, size_t b)
{
    const struct mq_need_step *left = &all->steps[a], *right = &all->steps[b];

    if (left->rank != right->rank)
        return left->rank < right->rank;
    return left->depth != right->depth ? left->depth < right->depth : a < b;
}

static void find_places(struct derivation *all)
{
    for (size_t i = 0; i < all->count; i++) {
        all->place[i] = 0;
        for (size_t j = 0; j < all->count; j++)
            all->place[i] = (uint16_t)(all->place[i] + less(all, j, i));
    }
}

/* ---- what moves ---- */

/* Of two effective steps the one whose past has the greatest step that the other's has not. */
static int16_t better(const struct derivation *all, int16_t a, int16_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return greater(&all->past[a], &all->past[b]) ? a : b;
}

static void evaluate(struct derivation *all, size_t at)
{
    struct mq_need_step *step = &all->steps[at];
    struct mq_need_status before = mq_need_registered();

    all->before[at] = -1;
    for (size_t named = 0; named < all->count; named++) {
        if (!has(&all->names[at], named))
            continue;
        join(&all->past[at], &all->past[named]);
        all->before[at] =
            better(all, all->before[at], all->steps[named].effective ? (int16_t)named : all->before[named]);
    }
    if (step->rank < MQ_RANK_DESK) /* below a desk nobody joins chains: he knows the one that he follows */
        all->past[at] = all->before[at] < 0 ? (struct set){{0}} : all->past[all->before[at]];
    if (all->before[at] >= 0)
        before = all->steps[all->before[at]].status;
    const struct mq_need_rule *rule = mq_need_rule_find(&before, step);
    step->effective = rule != NULL;
    step->status = rule != NULL ? moved(&before, rule, step, (int16_t)at) : before;
    if (step->effective)
        put(&all->past[at], all->place[at]);
}

static void find_heads(struct derivation *all, struct mq_need *out)
{
    struct set known = {{0}};

    out->head = -1;
    for (size_t i = 0; i < all->count; i++) {
        struct set past = all->past[i];
        if (!all->steps[i].effective)
            continue;
        drop(&past, all->place[i]);
        join(&known, &past);
    }
    for (size_t i = 0; i < all->count; i++) {
        struct mq_need_step *step = &all->steps[i];
        step->head = step->effective && !has(&known, all->place[i]);
        out->late += step->head;
        out->out_of_turn += !step->effective;
        if (step->head)
            out->head = better(all, out->head, (int16_t)i);
    }
    out->late -= out->head >= 0;
    for (size_t i = 0; i < all->count; i++) {
        struct mq_need_step *step = &all->steps[i];
        MQ_ASSERT(!step->effective || out->head >= 0); /* of the effective ones nobody knows the last in turn */
        step->late = step->effective && !has(&all->past[out->head], all->place[i]);
    }
    if (out->head >= 0)
        out->status = all->steps[out->head].status;
}

size_t mq_need_derive(struct mq_need *out, struct mq_need_step *steps, size_t count)
{
    struct derivation all = {.steps = steps, .count = count};

    *out = (struct mq_need){.status = mq_need_registered(), .head = -1, .overflow = count > MQ_NEED_STEPS_MAX};
    if (out->overflow) {
        mq_merge_sort(steps, count, sizeof *steps, order_ranks);
        all.count = MQ_NEED_STEPS_MAX;
    }
    mq_merge_sort(steps, all.count, sizeof *steps, order_ids);
    read_names(&all);
    find_turns(&all);
    find_depths(&all);
    find_places(&all);
    for (size_t t = 0; t < all.count; t++)
        evaluate(&all, all.turn[t]);
    find_heads(&all, out);
    return all.count;
}
