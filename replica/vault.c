/* The vault file: [version, salt, memory MiB, passes, nonce, wrapped key] in CBOR; the AEAD covers what stands before
 * the wrapped key. */
#include "replica/vault.h"

#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/cbor.h"

#define VAULT_VERSION 1
#define VAULT_FILE_MAX 256
#define TRIES_FREE 3
#define TRIES_WAIT_MAX_MS 30000

struct vault_file {
    uint8_t salt[MQ_SALT_SIZE];
    struct mq_kdf_cost cost;
    uint8_t nonce[MQ_NONCE_SIZE];
    uint8_t wrapped[MQ_KEY_SIZE + MQ_TAG_SIZE];
};

void mq_home_path(char out[MQ_PATH_MAX], const char *home, const char *name)
{
    int length = snprintf(out, MQ_PATH_MAX, "%s/%s", home, name);
    MQ_ASSERT(length > 0 && length < MQ_PATH_MAX);
}

static void vault_head(struct mq_buffer *out, const struct vault_file *file)
{
    mq_cbor_put_array(out, 6);
    mq_cbor_put_uint(out, VAULT_VERSION);
    mq_cbor_put_bytes(out, MQ_SPAN(file->salt));
    mq_cbor_put_uint(out, file->cost.memory_mib);
    mq_cbor_put_uint(out, file->cost.passes);
    mq_cbor_put_bytes(out, MQ_SPAN(file->nonce));
}

static enum mq_status vault_read(const struct mq_platform *platform, const char *home, struct vault_file *file,
                                 struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[VAULT_FILE_MAX];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);

    mq_home_path(path, home, "vault");
    enum mq_status status = platform->read(platform->self, path, &content, error);
    if (status != MQ_OK && status != MQ_NO_SPACE)
        return status;
    mq_error_clear(error); /* larger than any vault is damage like any other */
    struct mq_reader reader = mq_reader(mq_written(&content));
    bool shape = status == MQ_OK && mq_cbor_valid(mq_written(&content)) && mq_cbor_array(&reader, 6) == 6 &&
                 mq_cbor_uint(&reader) == VAULT_VERSION;
    struct mq_span salt = mq_cbor_bytes(&reader, sizeof file->salt);
    uint64_t memory_mib = mq_cbor_uint(&reader), passes = mq_cbor_uint(&reader);
    bool cost = memory_mib >= MQ_KDF_MIB_MIN && memory_mib <= MQ_KDF_MIB_MAX && /* else it is no passphrase's fault */
                passes >= 1 && passes <= MQ_KDF_PASSES_MAX;
    file->cost = (struct mq_kdf_cost){(uint32_t)memory_mib, (uint32_t)passes};
    struct mq_span nonce = mq_cbor_bytes(&reader, sizeof file->nonce);
    struct mq_span wrapped = mq_cbor_bytes(&reader, sizeof file->wrapped);
    if (!shape || !cost || !mq_reader_done(&reader) || salt.size != sizeof file->salt ||
        nonce.size != sizeof file->nonce || wrapped.size != sizeof file->wrapped)
        return mq_fail(error, MQ_DAMAGED,
                       _("the file %s is damaged; bring back a copy of it from a backup of this home"), path);
    memcpy(file->salt, salt.data, salt.size);
    memcpy(file->nonce, nonce.data, nonce.size);
    memcpy(file->wrapped, wrapped.data, wrapped.size);
    return MQ_OK;
}

bool mq_vault_exists(const struct mq_platform *platform, const char *home)
{
    struct vault_file file;
    struct mq_error error = {0};
    return vault_read(platform, home, &file, &error) != MQ_NOT_FOUND;
}

enum mq_status mq_vault_rewrap(const struct mq_platform *platform, const char *home, const struct mq_secret *store_key,
                               struct mq_span passphrase, struct mq_kdf_cost cost, struct mq_error *error)
{
    if (passphrase.size == 0)
        return mq_fail(error, MQ_REFUSED, _("an empty passphrase protects nothing; choose one of several words"));
    struct vault_file file = {.cost = cost};
    mq_random(platform, file.salt, sizeof file.salt);
    mq_random(platform, file.nonce, sizeof file.nonce);

    struct mq_secret wrapping;
    enum mq_status status = mq_kdf(&wrapping, passphrase, file.salt, cost, error);
    if (status != MQ_OK)
        return status;
    uint8_t memory[VAULT_FILE_MAX];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    vault_head(&content, &file);
    struct mq_buffer wrapped = mq_buffer(file.wrapped, sizeof file.wrapped);
    status = mq_aead_seal(&wrapped, MQ_SPAN(store_key->bytes), mq_written(&content), file.nonce, &wrapping);
    mq_secret_wipe(&wrapping);
    MQ_ASSERT(status == MQ_OK && !content.failed);
    mq_cbor_put_bytes(&content, MQ_SPAN(file.wrapped));
    MQ_ASSERT(!content.failed);

    char path[MQ_PATH_MAX];
    mq_home_path(path, home, "vault");
    return platform->write(platform->self, path, mq_written(&content), error);
}

enum mq_status mq_vault_create(const struct mq_platform *platform, const char *home, struct mq_span passphrase,
                               struct mq_kdf_cost cost, const struct mq_secret *store_key, struct mq_error *error)
{
    if (mq_vault_exists(platform, home))
        return mq_fail(error, MQ_REFUSED,
                       _("there is a store in %s already; it is left as it is. Choose another home to make a new one"),
                       home);
    return mq_vault_rewrap(platform, home, store_key, passphrase, cost, error);
}

/* How often in a row the passphrase was wrong: one byte a time in a file of its own. */
static size_t tries_count(const struct mq_platform *platform, const char *path)
{
    uint8_t memory[VAULT_FILE_MAX];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    struct mq_error error = {0};
    enum mq_status status = platform->read(platform->self, path, &content, &error);
    return status == MQ_NOT_FOUND ? 0 : status == MQ_OK ? content.size : sizeof memory;
}

static void tries_wait(const struct mq_platform *platform, size_t tries)
{
    if (tries < TRIES_FREE)
        return;
    size_t doublings = tries - TRIES_FREE < 6 ? tries - TRIES_FREE : 6;
    uint32_t wait = 500u << doublings;
    platform->sleep_ms(platform->self, wait < TRIES_WAIT_MAX_MS ? wait : TRIES_WAIT_MAX_MS);
}

enum mq_status mq_vault_open(const struct mq_platform *platform, const char *home, struct mq_span passphrase,
                             struct mq_secret *store_key, struct mq_error *error)
{
    struct vault_file file;
    enum mq_status status = vault_read(platform, home, &file, error);
    if (status != MQ_OK)
        return status;
    char tries_path[MQ_PATH_MAX];
    mq_home_path(tries_path, home, "tries");
    size_t tries = tries_count(platform, tries_path);
    tries_wait(platform, tries);

    struct mq_secret wrapping;
    status = mq_kdf(&wrapping, passphrase, file.salt, file.cost, error);
    if (status != MQ_OK)
        return status;
    uint8_t memory[VAULT_FILE_MAX];
    struct mq_buffer head = mq_buffer(memory, sizeof memory);
    vault_head(&head, &file);
    struct mq_buffer opened = mq_buffer(store_key->bytes, sizeof store_key->bytes);
    status = mq_aead_open(&opened, MQ_SPAN(file.wrapped), mq_written(&head), file.nonce, &wrapping);
    mq_secret_wipe(&wrapping);
    if (status == MQ_OK)
        return tries > 0 ? platform->remove(platform->self, tries_path, error) : MQ_OK;

    struct mq_error unwritten = {0}; /* a full disk must not turn a wrong passphrase into another answer */
    if (tries < sizeof memory)
        (void)platform->append(platform->self, tries_path, MQ_SPAN((const uint8_t[]){'x'}), &unwritten);
    return mq_fail(error, MQ_WRONG_KEY, _("the passphrase is not right; nothing was changed. Try again, slowly"));
}
