/* Aim: the power may go before any single operation of a step, and whatever survives of what was not synced, after it
 * everything that was acknowledged is there, the step is done whole or not at all, and all goes on; the same where the power goes
 * once more while recovering. Under the sanitizers saving only; POINTS=usual adds first creation, POINTS=all every step, and
 * the name of a step means that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/power/points.h"

static const struct fate {
    enum sim_survival survival;
    bool again; /* the power goes once more, in the recovery */
} fates[] = {{SIM_NOTHING, false}, {SIM_ALL, false}, {SIM_EACH, false}, {SIM_PREFIX, true}, {SIM_EACH, true}};
#define FATES (sizeof fates / sizeof *fates)
#define FATES_POINTS_MAX 100

static void cut_again(const struct point *point, uint64_t seed)
{
    const struct point_step *step = point->step;
    struct mq_error ignored = {0};
    sim_disk_cut_before(stage_disk(point->stage, step->machine), 1 + (int64_t)(seed % 9));
    if (step->begin == NULL) /* the step opens what it needs: tried a second time */
        (void)!step->act(point->stage, &ignored);
    else
        (void)!stage_open(point->stage, step->machine, &ignored);
    stage_reboot(point->stage, step->machine);
}

/* One cut before the n-th operation. True: the power did go within the step. */
static bool cut(struct point *point, int64_t nth, const struct fate *fate, uint64_t seed)
{
    const struct point_step *step = point->step;
    struct mq_error error = {0};
    struct sim_disk *disk = stage_disk(point->stage, step->machine);
    point_begin(point, seed);
    sim_disk_set_survival(disk, fate->survival);
    sim_disk_cut_before(disk, nth);
    enum mq_status status = step->act(point->stage, &error);
    bool off = sim_disk_is_off(disk);
    assert_true(off || status == MQ_OK);
    stage_close_all(point->stage);
    stage_reboot(point->stage, step->machine);
    if (fate->again)
        cut_again(point, seed);
    if (getenv("MQ_TRACE") != NULL)
        print_message("%s: operation %lld, seed %llu\n", step->name, (long long)nth, (unsigned long long)seed);
    step->judge(point->stage, status == MQ_OK);
    return off;
}

static void cut_everywhere(struct point *point)
{
    int64_t tested = 0, cuts = 0;
    for (int64_t nth = 1; nth <= point->operations; nth++) {
        bool gone = true;
        for (size_t i = 0; i < FATES; i++) {
            /* Of a long step each point has two fates: nothing survives, and one of the others in turn. */
            if (point->operations > FATES_POINTS_MAX && i != 0 && i != 1 + (size_t)nth % (FATES - 1))
                continue;
            gone = cut(point, nth, &fates[i], (uint64_t)nth * 100 + i) && gone;
            cuts++;
        }
        if (!gone)
            print_message("%s: the power did not go before operation %lld\n", point->step->name, (long long)nth);
        tested += gone;
    }
    print_message("%s: enumerated=%lld tested=%lld cuts=%lld\n", point->step->name, (long long)point->operations,
                  (long long)tested, (long long)cuts);
    assert_int_equal(tested, point->operations);
}

static void every_point(void **state)
{
    (void)state;
    point_each(cut_everywhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_point)};
    return cmocka_run_group_tests(tests, point_stage_begin, point_stage_end);
}
