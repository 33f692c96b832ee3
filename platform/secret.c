/* Secrets on this machine: libsodium's second door, for what needs the system. */
#include "platform/secret_key.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define KIB_PER_MIB 1024
#define BYTES_PER_MIB (1024 * 1024)

_Static_assert(MQ_SALT_SIZE == crypto_pwhash_SALTBYTES, "a salt is what Argon2id takes");

void *mq_secret_alloc(size_t size)
{
    return sodium_malloc(size);
}

void mq_secret_free(void *memory)
{
    sodium_free(memory);
}

void *mq_secret_take_over(void *inherited, size_t size)
{
    void *own = sodium_malloc(size);

    if (own != NULL)
        memcpy(own, inherited, size);
    sodium_free(inherited);
    return own;
}

void mq_secret_random(void *out, size_t size)
{
    randombytes_buf(out, size);
}

void mq_secret_guard_process(void)
{
    /* Either of them is enough on most systems; neither can be lost by going on without it. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* What the machine could give without swapping; 0 where it does not say. */
static uint64_t available_mib(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL)
        return 0;
    char line[128];
    uint64_t kib = 0;
    while (kib == 0 && fgets(line, sizeof line, file) != NULL)
        (void)!sscanf(line, "MemAvailable: %" SCNu64, &kib);
    fclose(file);
    return kib / KIB_PER_MIB;
}

struct mq_kdf_cost mq_kdf_choose(uint32_t asked_mib)
{
    /* Less memory, more passes: about the same work for us. Twice the memory must be there, for the rest of the
     * program. */
    static const struct mq_kdf_cost costs[] = {{64, 3}, {16, 8}, {MQ_KDF_MIB_MIN, 16}};
    const size_t last = sizeof costs / sizeof costs[0] - 1;
    uint64_t bound = asked_mib != 0 ? asked_mib : available_mib() / 2;
    size_t i = 0;
    while (i < last && costs[i].memory_mib > bound)
        i++;
    return (struct mq_kdf_cost){asked_mib != 0 ? asked_mib : costs[i].memory_mib, costs[i].passes};
}

enum mq_status mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                      struct mq_kdf_cost cost, struct mq_error *error)
{
    if (cost.memory_mib < MQ_KDF_MIB_MIN || cost.memory_mib > MQ_KDF_MIB_MAX)
        return mq_fail(error, MQ_REFUSED, _("the passphrase's memory cost must be %d to %d MiB, not %" PRIu32),
                       MQ_KDF_MIB_MIN, MQ_KDF_MIB_MAX, cost.memory_mib);
    if (cost.passes < 1 || cost.passes > MQ_KDF_PASSES_MAX)
        return mq_fail(error, MQ_REFUSED, _("the passphrase's passes must be 1 to %d, not %" PRIu32), MQ_KDF_PASSES_MAX,
                       cost.passes);
    if (crypto_pwhash(out->bytes, sizeof out->bytes, (const char *)passphrase.data, passphrase.size, salt, cost.passes,
                      (size_t)cost.memory_mib * BYTES_PER_MIB, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return mq_fail(error, MQ_FAULT, _("not enough memory for the passphrase: %" PRIu32 " MiB are needed"),
                       cost.memory_mib);
    return MQ_OK;
}
