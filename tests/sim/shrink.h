/* Making a failing run small (docs/testing.md): knows nothing of the world but whether a vector of choices still breaks
 * the same promise. */
#ifndef MQ_TESTS_SIM_SHRINK_H
#define MQ_TESTS_SIM_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_vector {
    uint32_t *values;
    size_t count;
};

/* Does this vector still fail in the same way? */
typedef bool sim_fails(void *context, const struct sim_vector *vector);

/* Shortens and simplifies `vector` in place for as long as `fails` says so; asks it at most `tries` times. Whoever has a budget of
 * time lets it answer false once that is used up. */
void sim_shrink(struct sim_vector *vector, sim_fails *fails, void *context, int tries);

#endif
