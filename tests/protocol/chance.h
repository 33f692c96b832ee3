/* Repeatable chance for tests: a seed that is printed and may be given as MQ_SEED. */
#ifndef MQ_TESTS_PROTOCOL_CHANCE_H
#define MQ_TESTS_PROTOCOL_CHANCE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct chance {
    uint64_t state;
};

static inline struct chance chance_start(const char *test)
{
    const char *given = getenv("MQ_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

    printf("%s: MQ_SEED=%" PRIu64 "\n", test, seed);
    return (struct chance){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

/* splitmix64: short, and good enough to shake tests with. */
static inline uint64_t chance_u64(struct chance *chance)
{
    uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 to below - 1 */
static inline size_t chance_below(struct chance *chance, size_t below)
{
    return (size_t)(chance_u64(chance) % below);
}

static inline void chance_fill(struct chance *chance, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)chance_u64(chance);
}

#endif
