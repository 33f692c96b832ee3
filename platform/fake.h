/* A pretended machine for tests: a clock that is set by hand, chance from a seed, an identity that can change, files
 * that can fail. Its files are real ones (SQLite needs them), so a test gives it a directory of its own. */
#ifndef MQ_PLATFORM_FAKE_H
#define MQ_PLATFORM_FAKE_H

#include "platform/platform.h"

struct mq_fake;

/* Fresh machine; `seed` decides all its chance. Asserts that there is memory. */
struct mq_fake *mq_fake_new(uint64_t seed);
void mq_fake_free(struct mq_fake *fake);
const struct mq_platform *mq_fake_platform(struct mq_fake *fake);
void mq_fake_set_wall(struct mq_fake *fake, int64_t seconds);
void mq_fake_advance(struct mq_fake *fake, int64_t seconds); /* wall and monotonic; sleep_ms does so too */
void mq_fake_reboot(struct mq_fake *fake);
/* Its chance begins here once more: a board that finds the same randomness at every start, a machine that is brought back with
 * its memory. */
void mq_fake_set_chance(struct mq_fake *fake, uint64_t seed);
/* Pretend that the storage moved to another medium: identify() answers otherwise from now on. */
void mq_fake_move(struct mq_fake *fake);
/* The n-th call from now of write, append, rename or remove fails with this status; 0 switches off. */
void mq_fake_fail_file(struct mq_fake *fake, int nth, enum mq_status status);

#endif
