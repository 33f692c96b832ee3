/* Running a step of tests/power/points.c: what it begins with, and how many operations it takes. */
#include "tests/power/points.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void point_prepare(struct stage *stage, const struct stage_image *base, const struct point_step *step,
                   struct stage_image *image)
{
    stage_bring(stage, base, 1);
    if (step->prepare != NULL)
        step->prepare(stage);
    stage_keep(stage, image);
}

int64_t point_count(struct stage *stage, const struct stage_image *image, const struct point_step *step)
{
    struct mq_error error = {0};
    stage_bring(stage, image, 1);
    if (step->begin != NULL)
        step->begin(stage);
    int64_t before = sim_disk_operations(stage_disk(stage, step->machine));
    enum mq_status status = step->act(stage, &error);
    if (status != MQ_OK)
        print_message("%s: %s\n", step->name, error.text);
    assert_int_equal(status, MQ_OK);
    int64_t taken = sim_disk_operations(stage_disk(stage, step->machine)) - before;
    stage_close_all(stage);
    stage_reboot(stage, step->machine);
    step->judge(stage, true);
    assert_true(taken > 0);
    return taken;
}
