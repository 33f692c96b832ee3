/* Secrets on this machine: random bytes, memory that is not swapped or dumped, a key from a passphrase (Argon2id). */
#ifndef MQ_PLATFORM_SECRET_KEY_H
#define MQ_PLATFORM_SECRET_KEY_H

#include "platform/error.h"
#include "protocol/keys.h"

/* Memory for secrets: guard pages, locked where the system allows, left out of core dumps, wiped by mq_secret_free.
 * NULL only without memory. */
void *mq_secret_alloc(size_t size);
void mq_secret_free(void *memory);
/* In a process made by fork(), which inherits the memory but not its lock: a locked copy; what was inherited is wiped and
 * freed here, and stays as it is with the parent. NULL only without memory. */
void *mq_secret_take_over(void *inherited, size_t size);

/* libsodium's random bytes; ends the program where the system has none. */
void mq_secret_random(void *out, size_t size);

/* No core dumps from here on (setrlimit, prctl), once at start. */
void mq_secret_guard_process(void);

struct mq_kdf_cost {
    uint32_t memory_mib; /* 8 at least */
    uint32_t passes;
};
/* 64 MiB x 3 where the machine has it free, else 16 MiB x 8, else 8 MiB x 16; `asked_mib` (0: not asked) decides where
 * given. */
struct mq_kdf_cost mq_kdf_choose(uint32_t asked_mib);
/* Argon2id v1.3. MQ_FAULT: not enough memory. MQ_REFUSED: cost outside 8..1024 MiB or 1..64 passes. */
MQ_MUST_USE enum mq_status mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                                  struct mq_kdf_cost cost, struct mq_error *error);

#endif
