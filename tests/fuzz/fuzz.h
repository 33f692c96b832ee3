/* What a fuzz target is: two functions. tests/fuzz/main.c calls them, with the clock in its hand. The shortest example is
 * tests/fuzz/request_fuzz.c; one with a whole village behind it tests/fuzz/sync_fuzz.c.
 *
 * A good target reaches behind every check that chance does not pass. So its input often begins with a mode, and the rest
 * stands for itself, or for changes to something good, or for what somebody with the right key could have made. */
#ifndef MQ_TESTS_FUZZ_FUZZ_H
#define MQ_TESTS_FUZZ_FUZZ_H

#include "protocol/bytes.h"

/* Once, before all runs; libsodium is ready. A target that needs nothing leaves it out. */
void fuzz_start(void);
/* One run. Asserts what must hold; must be done within FUZZ_RUN_MS of the processor's time, sanitizers included. What it
 * leaves behind another run meets, and a finding may then not come back from its input alone: best nothing. */
void fuzz_one(const uint8_t *data, size_t size);

#define FUZZ_RUN_MS 100

/* All that is left of the input, or at most `size` bytes of it. */
static inline struct mq_span fuzz_rest(struct mq_reader *input)
{
    return mq_take(input, mq_left(input));
}

static inline struct mq_span fuzz_take(struct mq_reader *input, size_t size)
{
    return mq_take(input, size < mq_left(input) ? size : mq_left(input));
}

/* Changes something good, as the rest of the input has it: position u16, value u8. */
static inline void fuzz_change(uint8_t *bytes, size_t size, struct mq_reader *input)
{
    while (mq_left(input) >= 3) {
        size_t at = mq_get_u16(input) % size;
        bytes[at] = mq_get_u8(input);
    }
}

/* Lays the input over a copy of something good (XOR), which lets it reach what only a signature opens. */
static inline struct mq_span fuzz_lay_over(uint8_t *copy, struct mq_span good, struct mq_span input)
{
    for (size_t i = 0; i < good.size; i++)
        copy[i] = good.data[i] ^ (i < input.size ? input.data[i] : 0);
    return mq_span(copy, good.size);
}

#endif
