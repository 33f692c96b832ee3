/* Aim: the state of a need is a function of the set of its steps, agrees with a naive model, and is never moved by a
 * chain that arrives late. MQ_SEED repeats a run, MQ_RUNS says how many worlds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/protocol/chance.h"
#include "tests/protocol/need_model.h"

enum { WORLDS = 400, STEPS = 24, WRITERS = 5, NAMES = 6, ORDERS = 5 };

/* Writers 0 and 1 are cadres, 2 and 3 township desks, 4 the county; each knows some of the steps. */
static const unsigned ranks[WRITERS] = {MQ_RANK_CADRE, MQ_RANK_CADRE, 2, 2, MQ_RANK_COUNTY};
static struct world {
    struct chance chance;
    struct mq_need_step steps[MODEL_STEPS_MAX];
    uint8_t names[MODEL_STEPS_MAX][NAMES][MQ_ID_SIZE];
    bool knows[WRITERS][MODEL_STEPS_MAX];
    size_t count;
} world;

static size_t below(size_t limit)
{
    return chance_below(&world.chance, limit);
}

static uint64_t run_count(void)
{
    const char *given = getenv("MQ_RUNS");
    return given != NULL ? strtoull(given, NULL, 10) : WORLDS;
}

/* The steps that a writer has, ready for deriving; `back` tells which they are in the world. */
static size_t known_steps(size_t writer, struct mq_need_step *out)
{
    size_t count = 0;
    for (size_t i = 0; i < world.count; i++)
        if (world.knows[writer][i])
            out[count++] = world.steps[i];
    return count;
}

static size_t index_in_world(const uint8_t *record)
{
    size_t i = 0;
    while (i < world.count && memcmp(world.steps[i].record, record, MQ_ID_SIZE) != 0)
        i++;
    return i;
}

/* A step that says everything, of a kind that the state allows if luck wants it. */
static void fill(struct mq_need_step *step, unsigned rank, const struct mq_need_status *status)
{
    static const uint8_t causes[] = {0, MQ_CAUSE_UNREACHED, MQ_CAUSE_MOVED, MQ_CAUSE_EXPLAINED};
    *step = (struct mq_need_step){.rank = rank, .says = (uint8_t)(below(6) == 0 ? below(64) : 63)};
    step->due = (int32_t)(20000 + below(100));
    step->reaction = (uint8_t)below(6);
    step->result = (uint8_t)(1 + below(8));
    step->cause = causes[below(4)];
    chance_fill(&world.chance, step->record, MQ_ID_SIZE);
    for (int tries = 0; tries < 12; tries++) {
        step->code = (uint8_t)below(17);
        if (mq_need_rule_find(status, step) != NULL && step->code != MQ_STEP_WITHDRAW)
            return;
    }
}

/* One more step by `writer`, who names what stands on his screen; now and then he names something else. */
static struct mq_need_step *write_step(size_t writer)
{
    static struct mq_need_step known[MODEL_STEPS_MAX];
    struct mq_need need;
    size_t at = world.count++, count = known_steps(writer, known), names = 0;
    struct mq_need_step *step = &world.steps[at];
    mq_need_derive(&need, known, count);
    fill(step, ranks[writer], &need.status);
    for (size_t i = 0; i < count && names < NAMES; i++)
        if (known[i].head && (ranks[writer] > 1 || need.head == (int16_t)i))
            memcpy(world.names[at][names++], known[i].record, MQ_ID_SIZE);
    if (below(8) == 0 && names < NAMES && count > 0)
        memcpy(world.names[at][names++], known[below(count)].record, MQ_ID_SIZE);
    if (below(16) == 0)
        names = 0;
    step->after = world.names[at][0];
    step->after_count = names;
    world.knows[writer][at] = true;
    return step;
}

/* A member of the team who forges: names of himself, of later steps, of nothing. */
static void forge(void)
{
    size_t at = below(world.count);
    struct mq_need_step *step = &world.steps[at];
    if (step->after_count == NAMES)
        return;
    if (below(5) == 0)
        chance_fill(&world.chance, world.names[at][step->after_count++], MQ_ID_SIZE);
    else
        memcpy(world.names[at][step->after_count++], world.steps[below(world.count)].record, MQ_ID_SIZE);
}

static void make_world(uint64_t seed, bool forged)
{
    memset(&world, 0, sizeof world);
    world.chance.state = seed;
    for (size_t i = 0; i < STEPS; i++) {
        size_t writer = below(WRITERS);
        write_step(writer);
        if (below(3) > 0) { /* everything that one knows reaches another */
            size_t other = below(WRITERS);
            for (size_t k = 0; k < world.count; k++)
                world.knows[other][k] = world.knows[other][k] || world.knows[writer][k];
        }
    }
    for (size_t i = below(8); forged && i > 0; i--)
        forge();
}

static void shuffle(struct mq_need_step *steps, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = below(i);
        struct mq_need_step kept = steps[i - 1];
        steps[i - 1] = steps[other];
        steps[other] = kept;
    }
}

static bool same_status(const struct mq_need_status *a, const struct mq_need_status *b)
{
    return a->state == b->state && a->dated == b->dated && a->due == b->due && a->told == b->told &&
           a->unit == b->unit && a->sentence == b->sentence && a->disputes == b->disputes &&
           a->unreached == b->unreached;
}

static size_t moved_by_luck; /* effective steps of all worlds: a test in which nothing moves would show nothing */

static void agrees_with_the_model(const struct mq_need *need, const struct mq_need_step *derived, size_t count)
{
    static struct model_result model;
    size_t late = 0;
    model_derive(&model, derived, count);
    assert_int_equal(need->status.state, model.state);
    assert_int_equal(need->head, model.head);
    assert_int_equal(need->status.dated, model.dated);
    assert_int_equal(need->status.due, model.due);
    assert_int_equal(need->status.told, model.told);
    assert_int_equal(need->status.unit, model.unit);
    assert_int_equal(need->status.sentence, model.sentence);
    assert_int_equal(need->status.disputes, model.disputes);
    assert_int_equal(need->status.unreached, model.unreached);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(derived[i].effective, model.effective[i]);
        assert_int_equal(derived[i].late, model.late[i]);
        assert_int_equal(derived[i].head, model.is_head[i]);
        late += model.is_head[i] && model.head != (int)i;
        moved_by_luck += model.effective[i];
    }
    assert_int_equal(need->late, late);
}

/* Any order of the steps gives the same state, also where names are forged, and the model says so too. */
static void order_does_not_matter(void **state)
{
    static struct mq_need_step first[MODEL_STEPS_MAX], again[MODEL_STEPS_MAX];
    struct chance seeds = chance_start("order_does_not_matter");
    (void)state;
    moved_by_luck = 0;
    for (uint64_t run = 0; run < run_count(); run++) {
        struct mq_need need, other;
        make_world(chance_u64(&seeds), run % 2 == 1);
        memcpy(first, world.steps, sizeof first);
        mq_need_derive(&need, first, world.count);
        agrees_with_the_model(&need, first, world.count);
        for (int i = 0; i < ORDERS; i++) {
            memcpy(again, world.steps, sizeof again);
            shuffle(again, world.count);
            mq_need_derive(&other, again, world.count);
            assert_true(same_status(&need.status, &other.status));
            assert_int_equal(need.head, other.head);
            assert_int_equal(need.late, other.late);
            assert_int_equal(need.out_of_turn, other.out_of_turn);
        }
    }
    assert_true(moved_by_luck > 4 * run_count());
}

/* Does the step at which the need stands know a desk's step that is not among `seen`? */
static bool desk_is_ahead(const struct mq_need_step *derived, size_t count, const bool *seen)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = index_in_world(derived[i].record);
        if (derived[i].effective && !derived[i].late && derived[i].rank >= 2 && !seen[at])
            return true;
    }
    return false;
}

/* A cadre's chain that did not know what a desk did moves nothing, however long it is and whenever it comes. */
static void late_chains_move_nothing(void **state)
{
    static struct mq_need_step derived[MODEL_STEPS_MAX];
    bool seen[MODEL_STEPS_MAX];
    struct chance seeds = chance_start("late_chains_move_nothing");
    size_t tried = 0, late = 0;
    (void)state;
    for (uint64_t run = 0; run < run_count(); run++) {
        struct mq_need before, after;
        make_world(chance_u64(&seeds), false);
        memset(world.knows[1], true, world.count * sizeof(bool));
        write_step(1); /* where it moves the need, a cadre's step is the last word in front of the late chain */
        size_t count = world.count;
        memcpy(derived, world.steps, sizeof derived);
        mq_need_derive(&before, derived, count);
        memcpy(seen, world.knows[0], sizeof seen);
        if (!desk_is_ahead(derived, count, seen))
            continue;
        for (size_t i = 0; i < 8; i++)
            write_step(0);
        memcpy(derived, world.steps, sizeof derived);
        mq_need_derive(&after, derived, world.count);
        assert_int_equal(after.status.state, before.status.state);
        assert_int_equal(after.status.dated >= 0, before.status.dated >= 0);
        assert_int_equal(after.status.due, before.status.due);
        tried++;
        late += after.late > before.late;
    }
    assert_true(tried > run_count() / 4);
    assert_true(late > 0);
}

/* Nothing of a step reaches beyond those that count: more than the limit leave the desk's steps in. */
static void floods_leave_the_desk(void **state)
{
    static struct mq_need_step flood[2 * MQ_NEED_STEPS_MAX];
    struct chance chance = chance_start("floods_leave_the_desk");
    struct mq_need need;
    (void)state;
    for (size_t i = 0; i < 2 * MQ_NEED_STEPS_MAX; i++) {
        flood[i] = (struct mq_need_step){.rank = i == 300 ? 2 : MQ_RANK_CADRE,
                                         .code = i == 300 ? MQ_STEP_ACCEPT : MQ_STEP_TOLD};
        chance_fill(&chance, flood[i].record, MQ_ID_SIZE);
    }
    assert_int_equal(mq_need_derive(&need, flood, 2 * MQ_NEED_STEPS_MAX), MQ_NEED_STEPS_MAX);
    assert_true(need.overflow);
    assert_int_equal(need.status.state, MQ_NEED_ACCEPTED);
    assert_int_equal(need.late, MQ_NEED_STEPS_MAX - 1);
    assert_int_equal(flood[need.head].rank, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(late_chains_move_nothing),
        cmocka_unit_test(floods_leave_the_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
