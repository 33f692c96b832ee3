/* What a fuzz target is: two functions. tests/fuzz/main.c calls them, with the clock in its hand. */
#ifndef MQ_TESTS_FUZZ_FUZZ_H
#define MQ_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Once, before all runs; libsodium is ready. A target that needs nothing leaves it out. */
void fuzz_start(void);
/* One run. Asserts what must hold; must be done within FUZZ_RUN_MS of the processor's time, sanitizers included. */
void fuzz_one(const uint8_t *data, size_t size);

#define FUZZ_RUN_MS 100

#endif
