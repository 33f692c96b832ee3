/* libFuzzer's entry points, the same for every target. A run that takes too long is a finding like a crash: whoever may
 * send bytes could otherwise hold up a program with few of them. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "protocol/assert.h"
#include "protocol/keys.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t longest_us;

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    MQ_ASSERT(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t run_us(clockid_t clock, const uint8_t *data, size_t size)
{
    int64_t before = clock_us(clock);

    fuzz_one(data, size);
    return clock_us(clock) - before;
}

static void say_longest(void)
{
    fprintf(stderr, "longest run: %lld us\n", (long long)longest_us);
}

__attribute__((weak)) void fuzz_start(void)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    MQ_ASSERT(mq_crypto_start() == MQ_OK);
    atexit(say_longest);
    fuzz_start();
    return 0;
}

/* The processor's time counts, so that a busy machine finds nothing; the cheaper clock says whether to look at all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (run_us(CLOCK_MONOTONIC, data, size) <= longest_us)
        return 0;
    int64_t took = run_us(CLOCK_THREAD_CPUTIME_ID, data, size);
    if (took > longest_us)
        longest_us = took;
    if (took > FUZZ_RUN_MS * 1000) {
        fprintf(stderr, "this run took %lld us\n", (long long)took);
        abort();
    }
    return 0;
}
