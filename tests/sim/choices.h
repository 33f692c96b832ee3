/* Every choice of the simulated world is drawn here, and 0 is always the benign one: no fault, in order, whole, now. So a
 * run is a vector of numbers: it replays exactly, and a shorter vector with more zeros is a simpler run of the same kind. */
#ifndef MQ_TESTS_SIM_CHOICES_H
#define MQ_TESTS_SIM_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_choices;

/* Explores from `seed`. Asserts that there is memory, as everything in the simulator does. */
struct sim_choices *sim_choices_explore(uint64_t seed);
/* Replays `made`, which is copied; behind its end every choice is benign. */
struct sim_choices *sim_choices_replay(const uint32_t *made, size_t count);
void sim_choices_free(struct sim_choices *choices);
/* One that explores begins anew from `seed`: machines keep the choices that they were made with. */
void sim_choices_again(struct sim_choices *choices, uint64_t seed);

/* 0 to bound - 1; bound is at least 1. */
uint32_t sim_choose(struct sim_choices *choices, uint32_t bound);
/* True once in `one_in`, never where it is 0; false is benign. */
bool sim_chance(struct sim_choices *choices, uint32_t one_in);
/* Is the vector that is replayed used up? A run then comes to its end, so that a shorter vector is a shorter run. */
bool sim_choices_ended(const struct sim_choices *choices);
/* From now on every choice is benign, and none is noted: the world heals. */
void sim_choices_freeze(struct sim_choices *choices);

/* Bytes that nobody shrinks: keys, nonces. A stream of its own, from the seed given here, so that a choice more or less
 * changes none of them. */
void sim_chance_bytes(uint64_t *state, void *out, size_t size);

/* What was chosen so far; borrowed until the next choice. */
const uint32_t *sim_choices_made(const struct sim_choices *choices, size_t *count);

#endif
