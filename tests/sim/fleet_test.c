/* Aim: the simulated fleet keeps its promises under the sanitizers, a run told twice is the same, and what the shrinker
 * makes of a failure still fails. The long runs are those of the program (tests/sim/program/sim.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/sim/run.h"
#include "tests/sim/shrink.h"

#define RUNS 6

static uint64_t seed;

static void play(uint64_t run, struct sim_result *result)
{
    struct sim_choices *choices = sim_choices_explore(run);
    sim_world_seed(run);
    sim_run(choices, run, NULL, result);
    sim_choices_free(choices);
}

/* Runs with fresh seeds break no promise. */
static void promises_are_kept(void **state)
{
    (void)state;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct sim_result result;
        play(seed + run, &result);
        if (sim_is_broken(&result.story))
            fail_msg("run %llu breaks %s: %s", (unsigned long long)(seed + run), result.story.invariant, result.story.words);
        assert_true(result.tally.records > 0 && result.tally.syncs > 0);
    }
}

/* One run tells one story, however often it is told: nothing is drawn from outside. */
static void told_twice_it_is_the_same(void **state)
{
    struct sim_result first, second;
    (void)state;
    play(seed, &first);
    play(seed, &second);
    assert_true(first.story.hash == second.story.hash && first.story.lines == second.story.lines);
}

/* Fails where a 7 stands somewhere before a 5. */
static bool seven_before_five(void *context, const struct sim_vector *vector)
{
    bool seven = false;
    (void)context;
    for (size_t i = 0; i < vector->count; i++) {
        seven = seven || vector->values[i] == 7;
        if (seven && vector->values[i] == 5)
            return true;
    }
    return false;
}

/* A long vector becomes the two numbers that matter. */
static void shrinks_to_what_matters(void **state)
{
    uint32_t values[400];
    struct sim_vector vector = {values, sizeof values / sizeof *values};
    (void)state;
    for (size_t i = 0; i < vector.count; i++)
        values[i] = (uint32_t)(i % 11);
    assert_true(seven_before_five(NULL, &vector));
    sim_shrink(&vector, seven_before_five, NULL, 10000);
    assert_int_equal(vector.count, 2);
    assert_int_equal(values[0], 7);
    assert_int_equal(values[1], 5);
}

int main(void)
{
    const char *asked = getenv("MQ_SEED");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinks_to_what_matters),
        cmocka_unit_test(told_twice_it_is_the_same),
        cmocka_unit_test(promises_are_kept),
    };
    seed = asked != NULL ? strtoull(asked, NULL, 0) : (uint64_t)time(NULL) * 1000;
    print_message("seed %llu (MQ_SEED)\n", (unsigned long long)seed);
    sim_world_seed(0);
    sim_template_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sim_template_free();
    return failed;
}
