/* Turning recovery on and off, asking for it, and taking its answer. */
#include "replica/recovery.h"

#include <string.h>

#include "platform/db_key.h"
#include "protocol/assert.h"
#include "protocol/recovery_keys.h"
#include "replica/keyring_keys.h"

#define KEY_FILE_SIZE (MQ_KEY_SIZE + MQ_HASH_SIZE) /* `recover.key`: seed of the request's box key, the request's hash */

/* ---- on and off ---- */

enum mq_status mq_recovery_on(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_team team;
    struct mq_certificate desk;
    struct mq_secret ephemeral;
    uint8_t memory[MQ_RECOVERY_SIZE];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    char path[MQ_PATH_MAX];
    enum mq_status status = mq_team_find(replica, NULL, &team, error);
    if (status == MQ_OK)
        status = mq_county_desk(replica, team.team, &desk, error);
    if (status == MQ_NOT_FOUND)
        return mq_fail(error, MQ_NOT_FOUND, _("this device does not know its county's desk yet; sync once, then try again"));
    if (status != MQ_OK)
        return status;
    mq_random(replica->platform, &ephemeral, sizeof ephemeral);
    status = mq_recovery_seal(&file, &team.certificate, replica->store_key, desk.box_public,
                              mq_replica_identity(replica), &ephemeral);
    mq_secret_wipe(&ephemeral);
    MQ_ASSERT(status == MQ_OK); /* the county's root has certified that key */
    mq_home_path(path, replica->home, "recovery");
    return replica->platform->write(replica->platform->self, path, mq_written(&file), error);
}

enum mq_status mq_recovery_off(struct mq_replica *replica, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    mq_home_path(path, replica->home, "recovery");
    return replica->platform->remove(replica->platform->self, path, error);
}

bool mq_recovery_is_on(const struct mq_platform *platform, const char *home)
{
    char path[MQ_PATH_MAX];
    struct mq_file_identity identity;
    struct mq_error unneeded = {0};
    mq_home_path(path, home, "recovery");
    return platform->identify(platform->self, path, &identity, &unneeded) == MQ_OK;
}

/* ---- the request ---- */

static enum mq_status file_read(const struct mq_platform *platform, const char *home, struct mq_buffer *file,
                                struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    struct mq_recovery recovery;
    mq_home_path(path, home, "recovery");
    enum mq_status status = platform->read(platform->self, path, file, error);
    if (status == MQ_NOT_FOUND) {
        mq_error_clear(error);
        return mq_fail(error, MQ_REFUSED,
                       _("this device was never allowed to be opened through the county, so without its passphrase nobody can "
                         "open it. What is sealed still leaves it: `sync --locked`. Leave the device as it is, and keep on "
                         "trying the passphrase; a new home can join again meanwhile"));
    }
    if (status == MQ_OK && mq_recovery_decode(&recovery, mq_written(file)) == MQ_OK)
        return MQ_OK;
    mq_error_clear(error);
    return mq_fail(error, MQ_DAMAGED, _("the file %s is damaged; bring back a copy of it from a backup of this home"), path);
}

static enum mq_status key_write(const struct mq_platform *platform, const char *home, const struct mq_secret *seed,
                                struct mq_span request, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[KEY_FILE_SIZE];
    memcpy(memory, seed->bytes, MQ_KEY_SIZE);
    mq_recover_request_hash(memory + MQ_KEY_SIZE, request);
    mq_home_path(path, home, "recover.key");
    enum mq_status status = platform->write(platform->self, path, MQ_SPAN(memory), error);
    mq_wipe(memory, sizeof memory);
    return status;
}

enum mq_status mq_recovery_request(const struct mq_platform *platform, const char *home, struct mq_buffer *out, char *code,
                                   struct mq_error *error)
{
    uint8_t memory[MQ_RECOVERY_SIZE], public_key[MQ_PUBLIC_SIZE];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    struct mq_secret seed;
    size_t start = out->size;
    enum mq_status status = file_read(platform, home, &file, error);
    if (status != MQ_OK)
        return status;
    mq_random(platform, &seed, sizeof seed);
    mq_box_public(public_key, &seed);
    mq_recover_request_put(out, mq_written(&file), public_key);
    MQ_ASSERT(!out->failed);
    const struct mq_span request = mq_span(out->data + start, out->size - start);
    mq_recover_code(code, request);
    status = key_write(platform, home, &seed, request, error);
    mq_secret_wipe(&seed);
    return status;
}

/* ---- the answer ---- */

static enum mq_status grant_read(const struct mq_platform *platform, const char *home, struct mq_span grant,
                                 struct mq_secret *store_key, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[KEY_FILE_SIZE];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    struct mq_secret seed;
    mq_home_path(path, home, "recover.key");
    enum mq_status status = platform->read(platform->self, path, &file, error);
    if (status == MQ_NOT_FOUND || (status == MQ_OK && file.size != sizeof memory)) {
        mq_error_clear(error);
        return mq_fail(error, MQ_REFUSED, _("this device waits for no answer; `recover --request-out FILE` asks for one"));
    }
    if (status != MQ_OK)
        return status;
    memcpy(seed.bytes, memory, MQ_KEY_SIZE);
    status = mq_recover_grant_open(store_key, grant, memory + MQ_KEY_SIZE, &seed);
    mq_secret_wipe(&seed);
    mq_wipe(memory, sizeof memory);
    if (status == MQ_OK)
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED,
                   _("this is not the answer to what this device asked last; nothing was changed. Ask once more: `recover "
                     "--request-out FILE`"));
}

/* Is it the key of this very store? Only then the vault may be written: it is all that opens the store. */
static enum mq_status key_opens(const struct mq_platform *platform, const char *home, const struct mq_secret *store_key,
                                struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    struct mq_db *db;
    struct mq_file_identity identity;
    mq_home_path(path, home, "store.db");
    enum mq_status status = platform->identify(platform->self, path, &identity, error);
    if (status == MQ_OK)
        status = mq_db_open_encrypted(&db, platform, path, store_key, error);
    if (status == MQ_OK)
        mq_db_close(db);
    if (status != MQ_WRONG_KEY)
        return status;
    mq_error_clear(error);
    return mq_fail(error, MQ_REFUSED, _("the answer holds another store's key; nothing was changed"));
}

enum mq_status mq_recovery_finish(const struct mq_platform *platform, const char *home, struct mq_span grant,
                                  struct mq_span passphrase, uint32_t kdf_memory_mib, struct mq_error *error)
{
    static const char *const used[] = {"recover.key", "tries"};
    char path[MQ_PATH_MAX];
    struct mq_secret *store_key = mq_secret_alloc(sizeof *store_key);
    mq_enough(store_key);
    enum mq_status status = grant_read(platform, home, grant, store_key, error);
    if (status == MQ_OK)
        status = key_opens(platform, home, store_key, error);
    if (status == MQ_OK)
        status = mq_vault_rewrap(platform, home, store_key, passphrase, mq_kdf_choose(kdf_memory_mib), error);
    mq_secret_free(store_key);
    for (size_t i = 0; i < sizeof used / sizeof *used && status == MQ_OK; i++) {
        mq_home_path(path, home, used[i]);
        status = platform->remove(platform->self, path, error);
    }
    return status;
}
