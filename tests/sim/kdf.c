/* Stands in for mq_kdf in the simulated worlds and in fuzz targets (the linker's --wrap): Argon2id is slow on purpose, and a
 * world of power cuts, or a target that opens a vault in each run, would see little else. What mq_kdf refuses, this refuses. */
#include "platform/secret_key.h"
#include "protocol/keys.h"

enum mq_status __wrap_mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                             struct mq_kdf_cost cost, struct mq_error *error);

enum mq_status __wrap_mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                             struct mq_kdf_cost cost, struct mq_error *error)
{
    uint8_t bytes[8];
    struct mq_buffer numbers = mq_buffer(bytes, sizeof bytes);

    if (cost.memory_mib < MQ_KDF_MIB_MIN || cost.memory_mib > MQ_KDF_MIB_MAX || cost.passes < 1 ||
        cost.passes > MQ_KDF_PASSES_MAX)
        return mq_fail(error, MQ_REFUSED, "a cost that nobody would choose");
    mq_put_u32(&numbers, cost.memory_mib);
    mq_put_u32(&numbers, cost.passes);
    const struct mq_span parts[] = {passphrase, mq_span(salt, MQ_SALT_SIZE), mq_written(&numbers)};
    mq_hash(out->bytes, sizeof out->bytes, MQ_DOMAIN_BODY, parts, 3);
    return MQ_OK;
}
