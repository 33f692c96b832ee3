/* Running the steps whose every moment is tried. */
#include "tests/power/points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct point_steps *const tables[] = {&point_writing, &point_homes, &point_centre};
static struct stage stage;
static struct stage_image base;

int point_stage_begin(void **state)
{
    (void)state;
    stage_begin(&stage);
    stage_keep(&stage, &base);
    return 0;
}

int point_stage_end(void **state)
{
    (void)state;
    stage_image_free(&base);
    stage_end(&stage);
    return 0;
}

void point_begin(struct point *point, uint64_t seed)
{
    stage_bring(point->stage, &point->image, seed);
    if (point->step->begin != NULL)
        point->step->begin(point->stage);
}

/* The operations that it takes. */
static int64_t run_whole(struct point *point)
{
    const struct point_step *step = point->step;
    struct mq_error error = {0};
    point_begin(point, 1);
    int64_t before = sim_disk_operations(stage_disk(&stage, step->machine));
    enum mq_status status = step->act(&stage, &error);
    if (status != MQ_OK)
        print_message("%s: %s\n", step->name, error.text);
    assert_int_equal(status, MQ_OK);
    int64_t taken = sim_disk_operations(stage_disk(&stage, step->machine)) - before;
    stage_close_all(&stage);
    stage_reboot(&stage, step->machine);
    step->judge(&stage, true);
    assert_true(taken > 0);
    return taken;
}

void point_make(struct point *point, const struct point_step *step)
{
    *point = (struct point){.step = step, .stage = &stage};
    stage_bring(&stage, &base, 1);
    if (step->prepare != NULL)
        step->prepare(&stage);
    stage_keep(&stage, &point->image);
    point->operations = run_whole(point);
}

void point_free(struct point *point)
{
    stage_image_free(&point->image);
}

static bool wanted(const struct point_step *step)
{
    const char *asked = getenv("POINTS");
    if (asked == NULL)
        return step == point_saving;
    return strcmp(asked, "all") == 0 || (strcmp(asked, "usual") == 0 && step->always) || strcmp(asked, step->name) == 0;
}

void point_each(void (*attempt)(struct point *point))
{
    size_t tried = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (size_t k = 0; k < tables[i]->count; k++) {
            struct point point;
            if (!wanted(&tables[i]->list[k]))
                continue;
            point_make(&point, &tables[i]->list[k]);
            attempt(&point);
            point_free(&point);
            tried++;
        }
    assert_true(tried > 0);
}
