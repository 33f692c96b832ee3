/* One run: a world, its events, its healing. */
#ifndef MQ_TESTS_SIM_RUN_H
#define MQ_TESTS_SIM_RUN_H

#include "tests/sim/fleet.h"
#include "tests/sim/story.h"

struct sim_result {
    struct sim_tally tally;
    struct sim_story story;
};

/* Plays choices to their end. `seed` is for keys and nonces only. `out` NULL: tells nothing. */
void sim_run(struct sim_choices *choices, uint64_t seed, FILE *out, struct sim_result *result);

#endif
