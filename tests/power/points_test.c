/* Aim: the power may go before any single operation of a step, and whatever survives of what was not synced, after it
 * everything that was acknowledged is there, the step is done whole or not at all, and all goes on; the same where the power goes
 * once more while recovering. Under the sanitizers saving only; POINTS=usual adds first creation, POINTS=all every step, and
 * the name of a step means that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/power/points.h"

static struct stage stage;
static struct stage_image base;

static const struct fate {
    enum sim_survival survival;
    bool again; /* the power goes once more, in the recovery */
} fates[] = {{SIM_NOTHING, false}, {SIM_ALL, false}, {SIM_EACH, false}, {SIM_PREFIX, true}, {SIM_EACH, true}};
#define FATES (sizeof fates / sizeof *fates)
#define FATES_POINTS_MAX 100

static void cut_again(const struct point_step *step, uint64_t seed)
{
    struct mq_error ignored = {0};
    sim_disk_cut_before(stage_disk(&stage, step->machine), 1 + (int64_t)(seed % 9));
    if (step->act != NULL && step->begin == NULL) /* the step opens what it needs: tried a second time */
        (void)!step->act(&stage, &ignored);
    else
        (void)!stage_open(&stage, step->machine, &ignored);
    stage_reboot(&stage, step->machine);
}

/* One cut before the n-th operation. True: the power did go within the step. */
static bool cut(const struct point_step *step, const struct stage_image *image, int64_t nth, const struct fate *fate,
                uint64_t seed)
{
    struct mq_error error = {0};
    struct sim_disk *disk = stage_disk(&stage, step->machine);
    stage_bring(&stage, image, seed);
    if (step->begin != NULL)
        step->begin(&stage);
    sim_disk_set_survival(disk, fate->survival);
    sim_disk_cut_before(disk, nth);
    enum mq_status status = step->act(&stage, &error);
    bool off = sim_disk_is_off(disk);
    assert_true(off || status == MQ_OK);
    stage_close_all(&stage);
    stage_reboot(&stage, step->machine);
    if (fate->again)
        cut_again(step, seed);
    if (getenv("MQ_TRACE") != NULL)
        print_message("%s: operation %lld, seed %llu\n", step->name, (long long)nth, (unsigned long long)seed);
    step->judge(&stage, status == MQ_OK);
    return off;
}

static void try_step(const struct point_step *step)
{
    struct stage_image image = {{NULL}};
    point_prepare(&stage, &base, step, &image);
    int64_t points = point_count(&stage, &image, step), tested = 0, cuts = 0;
    for (int64_t nth = 1; nth <= points; nth++) {
        bool gone = true;
        for (size_t i = 0; i < FATES; i++) {
            /* Of a long step each point has two fates: nothing survives, and one of the others in turn. */
            if (points > FATES_POINTS_MAX && i != 0 && i != 1 + (size_t)nth % (FATES - 1))
                continue;
            gone = cut(step, &image, nth, &fates[i], (uint64_t)nth * 100 + i) && gone;
            cuts++;
        }
        if (!gone)
            print_message("%s: the power did not go before operation %lld\n", step->name, (long long)nth);
        tested += gone;
    }
    print_message("%s: enumerated=%lld tested=%lld cuts=%lld\n", step->name, (long long)points, (long long)tested,
                  (long long)cuts);
    assert_int_equal(tested, points);
    stage_image_free(&image);
}

static void every_point(void **state)
{
    const char *asked = getenv("POINTS");
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < point_step_count; i++) {
        const struct point_step *step = &point_steps[i];
        bool wanted = asked == NULL ? i == 0
                                    : strcmp(asked, "all") == 0 || (strcmp(asked, "usual") == 0 && step->always) ||
                                          strcmp(asked, step->name) == 0;
        if (wanted)
            try_step(step);
        tried += wanted;
    }
    assert_true(tried > 0);
}

static int begin(void **state)
{
    (void)state;
    stage_begin(&stage);
    stage_keep(&stage, &base);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stage_image_free(&base);
    stage_end(&stage);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_point)};
    return cmocka_run_group_tests(tests, begin, end);
}
