/* Crash points, enumerated: a step is run once to count the operations of one disk, then once more for each of them with the power
 * going just before it, and for several fates of what was not synced. So no moment is left out, which chance can. The
 * same steps are run with the n-th operation failing (tests/power/faults_test.c). */
#ifndef MQ_TESTS_POWER_POINTS_H
#define MQ_TESTS_POWER_POINTS_H

#include "tests/power/stage.h"

struct point_step {
    const char *name;
    enum stage_machine machine; /* whose disk it is */
    bool always;                /* in every `make test`; the others in the long run */
    /* Makes what the step begins with, from a village where nothing is written. May leave programs running. NULL: nothing. */
    void (*prepare)(struct stage *stage);
    /* Starts what it needs, with the power on. NULL: nothing. */
    void (*begin)(struct stage *stage);
    enum mq_status (*act)(struct stage *stage, struct mq_error *error);
    /* All is closed and the machine has started again. Asserts that what was there before is there, that what the step did
     * is there where it was `acknowledged`, and else whole or not at all; and that all goes on. */
    void (*judge)(struct stage *stage, bool acknowledged);
};

extern const struct point_step point_steps[];
extern const size_t point_step_count;

/* Brings what the step begins with into an image of its own. */
void point_prepare(struct stage *stage, const struct stage_image *base, const struct point_step *step,
                   struct stage_image *image);
/* Runs it once from the image without trouble; gives the operations that it took. */
int64_t point_count(struct stage *stage, const struct stage_image *image, const struct point_step *step);

#endif
