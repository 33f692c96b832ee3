/* The naive derivation of need_model.h: recursion over lists, nothing kept but the answers. */
#include "tests/protocol/need_model.h"

#include <stdlib.h>
#include <string.h>

struct life {
    unsigned state;
    bool told;
    int32_t due;
    int dated, unit, sentence;
    unsigned disputes, unreached;
};

static const struct mq_need_step *all;
static size_t total;
static bool known[MODEL_STEPS_MAX], moves[MODEL_STEPS_MAX];
static struct life lives[MODEL_STEPS_MAX];
static int followed[MODEL_STEPS_MAX];
static bool named_by[MODEL_STEPS_MAX][MODEL_STEPS_MAX]; /* worked out once, by names_of */
static unsigned depths[MODEL_STEPS_MAX];                /* plus 1; 0: not yet */

static int index_of(const uint8_t *record)
{
    for (size_t i = 0; i < total; i++)
        if (memcmp(all[i].record, record, MQ_ID_SIZE) == 0)
            return (int)i;
    return -1;
}

/* Is there a way from a to b along names? `seen` keeps it from going round. */
static bool leads(size_t a, size_t b, bool seen[MODEL_STEPS_MAX])
{
    for (size_t n = 0; n < all[a].after_count; n++) {
        int named = index_of(all[a].after + n * MQ_ID_SIZE);
        if (named < 0)
            continue;
        if ((size_t)named == b)
            return true;
        if (seen[named])
            continue;
        seen[named] = true;
        if (leads((size_t)named, b, seen))
            return true;
    }
    return false;
}

/* Does a name b, and b not lead back to a? */
static bool names_of(size_t a, size_t b)
{
    bool seen[MODEL_STEPS_MAX] = {false};
    bool there = false;
    for (size_t n = 0; n < all[a].after_count; n++)
        there = there || index_of(all[a].after + n * MQ_ID_SIZE) == (int)b;
    return there && a != b && !leads(b, a, seen);
}

static bool names(size_t a, size_t b)
{
    return named_by[a][b];
}

static unsigned depth_of(size_t at)
{
    unsigned depth = 0;
    if (depths[at] > 0)
        return depths[at] - 1;
    for (size_t i = 0; i < total; i++)
        if (names(at, i) && depth_of(i) + 1 > depth)
            depth = depth_of(i) + 1;
    depths[at] = depth + 1;
    return depth;
}

static int order(size_t a, size_t b)
{
    unsigned deep = depth_of(a), deeper = depth_of(b);
    if (all[a].rank != all[b].rank)
        return all[a].rank > all[b].rank ? 1 : -1;
    if (deep != deeper)
        return deep > deeper ? 1 : -1;
    return memcmp(all[a].record, all[b].record, MQ_ID_SIZE);
}

static void settle(size_t at);

static void reach(size_t at, bool reached[MODEL_STEPS_MAX])
{
    settle(at);
    if (moves[at])
        reached[at] = true;
    if (all[at].rank < 2) { /* knows the one that it follows, and through it the rest */
        if (followed[at] >= 0)
            reach((size_t)followed[at], reached);
        return;
    }
    for (size_t i = 0; i < total; i++)
        if (names(at, i))
            reach(i, reached);
}

/* All effective steps that `at` knows, greatest first; itself too where it is effective. */
static size_t past_of(size_t at, size_t out[MODEL_STEPS_MAX])
{
    size_t count = 0;
    bool reached[MODEL_STEPS_MAX] = {false};
    reach(at, reached);
    for (size_t i = 0; i < total; i++)
        if (reached[i])
            out[count++] = i;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (order(out[j], out[i]) > 0) {
                size_t kept = out[i];
                out[i] = out[j];
                out[j] = kept;
            }
    return count;
}

/* Word by word, as in a dictionary; the first difference decides, and the longer wins where there is none. */
static bool stands_above(size_t a, size_t b)
{
    size_t left[MODEL_STEPS_MAX], right[MODEL_STEPS_MAX];
    size_t lefts = past_of(a, left), rights = past_of(b, right);
    for (size_t i = 0; i < lefts && i < rights; i++)
        if (left[i] != right[i])
            return order(left[i], right[i]) > 0;
    return lefts > rights;
}

static void walk_back(size_t at, int *best)
{
    for (size_t i = 0; i < total; i++) {
        if (!names(at, i))
            continue;
        settle(i);
        if (!moves[i])
            walk_back(i, best);
        else if (*best < 0 || stands_above(i, (size_t)*best))
            *best = (int)i;
    }
}

static void settle(size_t at)
{
    if (known[at])
        return;
    known[at] = true; /* nobody names in a ring, so nobody asks for it before it is done */
    followed[at] = -1;
    walk_back(at, &followed[at]);
    struct life life = {.state = MQ_NEED_REGISTERED, .dated = -1, .unit = -1, .sentence = -1};
    if (followed[at] >= 0)
        life = lives[followed[at]];
    const struct mq_need_step *step = &all[at];
    const struct mq_need_status before = {.state = (uint8_t)life.state,
                                          .unit = (int16_t)life.unit,
                                          .disputes = (uint16_t)life.disputes};
    const struct mq_need_rule *rule = mq_need_rule_find(&before, step);
    lives[at] = life;
    moves[at] = rule != NULL;
    if (rule == NULL)
        return;
    bool gives = step->says & MQ_SAYS_DUE;
    switch (rule->clock) {
    case MQ_CLOCK_END: life.dated = -1; break;
    case MQ_CLOCK_RUN: life.dated = gives ? (int)at : life.dated; break;
    case MQ_CLOCK_START:
    case MQ_CLOCK_PAUSE:
    case MQ_CLOCK_DATE:
    case MQ_CLOCK_STOP: life.dated = gives ? (int)at : -1; break;
    }
    life.due = life.dated < 0 ? 0 : all[life.dated].due;
    if (step->says & MQ_SAYS_UNIT)
        life.unit = (int)at;
    if (step->code == MQ_STEP_DISPUTE)
        life.disputes++;
    if (rule->to == MQ_NEED_ANSWERED || rule->to == MQ_NEED_PARKED || rule->to == MQ_NEED_REDIRECTED) {
        life.sentence = (int)at;
        life.told = false;
        life.unreached = 0;
    }
    if (step->code == MQ_STEP_TOLD && rule->when == MQ_WHEN_UNREACHED)
        life.unreached++;
    else if (step->code == MQ_STEP_TOLD && rule->when != MQ_WHEN_ALWAYS)
        life.told = true;
    if (rule->to != 0)
        life.state = rule->to;
    lives[at] = life;
}

void model_derive(struct model_result *out, const struct mq_need_step *steps, size_t count)
{
    size_t past[MODEL_STEPS_MAX];
    all = steps;
    total = count;
    memset(known, 0, sizeof known);
    memset(depths, 0, sizeof depths);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            named_by[i][j] = names_of(i, j);
    *out = (struct model_result){.state = MQ_NEED_REGISTERED, .dated = -1, .unit = -1, .sentence = -1, .head = -1};
    for (size_t i = 0; i < count; i++)
        settle(i);
    for (size_t i = 0; i < count; i++) {
        out->effective[i] = out->is_head[i] = moves[i];
        for (size_t j = 0; j < count && out->is_head[i]; j++) {
            size_t knows = moves[j] && j != i ? past_of(j, past) : 0;
            for (size_t k = 0; k < knows; k++)
                out->is_head[i] = out->is_head[i] && past[k] != i;
        }
        if (out->is_head[i] && (out->head < 0 || stands_above(i, (size_t)out->head)))
            out->head = (int)i;
    }
    size_t knows = out->head < 0 ? 0 : past_of((size_t)out->head, past);
    for (size_t i = 0; i < count; i++) {
        out->late[i] = moves[i];
        for (size_t k = 0; k < knows; k++)
            out->late[i] = out->late[i] && past[k] != i;
    }
    if (out->head < 0)
        return;
    const struct life *life = &lives[out->head];
    out->state = life->state;
    out->dated = life->dated;
    out->due = life->due;
    out->told = life->told;
    out->unit = life->unit;
    out->sentence = life->sentence;
    out->disputes = life->disputes;
    out->unreached = life->unreached;
}
