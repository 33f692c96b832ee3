/* Crash points, enumerated: a step is run once to count the operations of one disk, then once more for each of them with the power
 * going just before it, and for several fates of what was not synced (points_test.c); so no moment is left out, which chance
 * can. The same steps are run with the n-th operation failing (faults_test.c). */
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

struct point_steps {
    const struct point_step *list;
    size_t count;
};
extern const struct point_steps point_writing, point_homes, point_centre;

/* A step, ready to be tried as often as one likes. */
struct point {
    const struct point_step *step;
    struct stage *stage;
    struct stage_image image; /* what it begins with */
    int64_t operations;       /* that it takes without trouble */
};

/* The stage of a test program, with a village where nothing is written, is made before all its tests and ends behind them. */
int point_stage_begin(void **state);
int point_stage_end(void **state);

/* Prepares a step and runs it once without trouble. point_free is the caller's. */
void point_make(struct point *point, const struct point_step *step);
void point_free(struct point *point);
/* Everything is as before the step, which can now be harmed and then acted. */
void point_begin(struct point *point, uint64_t seed);
/* Tries the steps that the environment's POINTS asks for: "all", "usual" (those for always), or the name of one; without it
 * saving. Asserts that there was one. */
void point_each(void (*attempt)(struct point *point));
/* The step of every test: saving. */
extern const struct point_step *const point_saving;

#endif
