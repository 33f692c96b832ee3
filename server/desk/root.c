/* The root's file: [version, salt, memory MiB, passes, nonce, sealed seeds] in CBOR; the AEAD covers what stands before
 * the seeds. */
#include "server/desk/root_keys.h"

#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/cbor.h"

#define ROOT_VERSION 1
#define ROOT_FILE_SIZE 256
#define SEEDS_SIZE (2 * MQ_KEY_SIZE)

struct root_file {
    uint8_t salt[MQ_SALT_SIZE];
    struct mq_kdf_cost cost;
    uint8_t nonce[MQ_NONCE_SIZE];
    uint8_t sealed[SEEDS_SIZE + MQ_TAG_SIZE];
};

void mq_root_make(struct mq_identity *root, const struct mq_platform *platform)
{
    struct mq_secret seeds[2];

    mq_random(platform, seeds, sizeof seeds);
    mq_identity_from_seeds(root, &seeds[0], &seeds[1]);
    mq_wipe(seeds, sizeof seeds);
}

static void put_head(struct mq_buffer *out, const struct root_file *file)
{
    mq_cbor_put_array(out, 6);
    mq_cbor_put_uint(out, ROOT_VERSION);
    mq_cbor_put_bytes(out, MQ_SPAN(file->salt));
    mq_cbor_put_uint(out, file->cost.memory_mib);
    mq_cbor_put_uint(out, file->cost.passes);
    mq_cbor_put_bytes(out, MQ_SPAN(file->nonce));
}

enum mq_status mq_root_write(const struct mq_platform *platform, const char *path, struct mq_span passphrase,
                             struct mq_kdf_cost cost, const struct mq_identity *root, struct mq_error *error)
{
    struct root_file file = {.cost = cost};
    struct mq_secret key;
    struct mq_file_identity found;
    struct mq_error missing = {0};

    if (platform->identify(platform->self, path, &found, &missing) != MQ_NOT_FOUND)
        return mq_fail(error, MQ_REFUSED, _("%s is there already; the root's key goes into a new file"), path);
    mq_random(platform, file.salt, sizeof file.salt);
    mq_random(platform, file.nonce, sizeof file.nonce);
    enum mq_status status = mq_kdf(&key, passphrase, file.salt, cost, error);
    if (status != MQ_OK)
        return status;

    uint8_t memory[ROOT_FILE_SIZE], seeds[SEEDS_SIZE];
    struct mq_buffer content = mq_buffer(memory, sizeof memory), sealed = mq_buffer(file.sealed, sizeof file.sealed);
    memcpy(seeds, root->sign_seed.bytes, MQ_KEY_SIZE);
    memcpy(seeds + MQ_KEY_SIZE, root->box_seed.bytes, MQ_KEY_SIZE);
    put_head(&content, &file);
    status = mq_aead_seal(&sealed, MQ_SPAN(seeds), mq_written(&content), file.nonce, &key);
    mq_secret_wipe(&key);
    mq_wipe(seeds, sizeof seeds);
    mq_cbor_put_bytes(&content, MQ_SPAN(file.sealed));
    MQ_ASSERT(status == MQ_OK && !content.failed);
    return platform->write(platform->self, path, mq_written(&content), error);
}

static bool take_bytes(struct mq_reader *reader, uint8_t *out, size_t size)
{
    struct mq_span bytes = mq_cbor_bytes(reader, size);

    if (bytes.size != size)
        return false;
    memcpy(out, bytes.data, size);
    return true;
}

static enum mq_status read_file(const struct mq_platform *platform, const char *path, struct root_file *file,
                                struct mq_error *error)
{
    uint8_t memory[ROOT_FILE_SIZE];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    enum mq_status status = platform->read(platform->self, path, &content, error);

    if (status == MQ_NOT_FOUND) {
        mq_error_clear(error);
        return mq_fail(error, MQ_NOT_FOUND,
                       _("the root's key is not in %s; bring the file and name it with --root FILE"), path);
    }
    if (status == MQ_NO_SPACE) {
        mq_error_clear(error);
        return mq_fail(error, MQ_DAMAGED, _("%s holds no root key, or is damaged"), path);
    }
    if (status != MQ_OK)
        return status;
    struct mq_reader reader = mq_reader(mq_written(&content));
    bool good = mq_cbor_valid(mq_written(&content)) && mq_cbor_array(&reader, 6) == 6 &&
                mq_cbor_uint(&reader) == ROOT_VERSION && take_bytes(&reader, file->salt, sizeof file->salt);
    uint64_t memory_mib = mq_cbor_uint(&reader), passes = mq_cbor_uint(&reader);
    good = good && take_bytes(&reader, file->nonce, sizeof file->nonce) &&
           take_bytes(&reader, file->sealed, sizeof file->sealed) && mq_reader_done(&reader) &&
           memory_mib <= MQ_KDF_MIB_MAX && passes <= MQ_KDF_PASSES_MAX;
    if (!good)
        return mq_fail(error, MQ_DAMAGED, _("%s holds no root key, or is damaged"), path);
    file->cost = (struct mq_kdf_cost){(uint32_t)memory_mib, (uint32_t)passes};
    return MQ_OK;
}

enum mq_status mq_root_read(const struct mq_platform *platform, const char *path, struct mq_span passphrase,
                            struct mq_identity *root, struct mq_error *error)
{
    struct root_file file;
    struct mq_secret key, seeds[2];
    uint8_t memory[ROOT_FILE_SIZE], opened_memory[SEEDS_SIZE];
    struct mq_buffer head = mq_buffer(memory, sizeof memory), opened = mq_buffer(opened_memory, sizeof opened_memory);

    memset(root, 0, sizeof *root);
    enum mq_status status = read_file(platform, path, &file, error);
    if (status == MQ_OK)
        status = mq_kdf(&key, passphrase, file.salt, file.cost, error);
    if (status != MQ_OK)
        return status;
    put_head(&head, &file);
    status = mq_aead_open(&opened, MQ_SPAN(file.sealed), mq_written(&head), file.nonce, &key);
    mq_secret_wipe(&key);
    if (status != MQ_OK)
        return mq_fail(error, MQ_WRONG_KEY, _("the passphrase does not open the root's key in %s"), path);
    memcpy(seeds[0].bytes, opened_memory, MQ_KEY_SIZE);
    memcpy(seeds[1].bytes, opened_memory + MQ_KEY_SIZE, MQ_KEY_SIZE);
    mq_identity_from_seeds(root, &seeds[0], &seeds[1]);
    mq_wipe(seeds, sizeof seeds);
    mq_wipe(opened_memory, sizeof opened_memory);
    return MQ_OK;
}

void mq_root_fingerprint(char out[MQ_FINGERPRINT_TEXT_SIZE], const uint8_t root_public[MQ_PUBLIC_SIZE])
{
    uint8_t hash[MQ_ID_SIZE];

    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_KEY_NAME, mq_span(root_public, MQ_PUBLIC_SIZE));
    for (size_t i = 0; i < sizeof hash; i += 2)
        snprintf(out + i / 2 * 5, 6, "%02x%02x%s", hash[i], hash[i + 1], i + 2 < sizeof hash ? " " : "");
}
