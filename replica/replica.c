/* Opening, making and closing a replica, its settings and its keys. */
#include "replica/catalogue.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"
#include "replica/revoke.h"
#include "replica/view.h"

#include <stdlib.h>
#include <string.h>

#include "platform/db_key.h"
#include "protocol/assert.h"

#define LOCK_WAIT_CREATE_MS 1000
#define MEDIUM_SIZE 16 /* inode, machine */

/* ---- settings ---- */

enum mq_status mq_setting_get(struct mq_replica *replica, const char *name, struct mq_buffer *out,
                              struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT value FROM setting WHERE name = ?", "z", name);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    mq_put_span(out, mq_db_blob(query, 0));
    mq_db_done(&query);
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}

enum mq_status mq_setting_put(struct mq_replica *replica, const char *name, struct mq_span value,
                              struct mq_error *error)
{
    return mq_db_run(replica->db, error, "INSERT OR REPLACE INTO setting VALUES(?, ?)", "zb", name, value);
}

enum mq_status mq_setting_number(struct mq_replica *replica, const char *name, int64_t *out, struct mq_error *error)
{
    enum mq_status status =
        mq_db_number(replica->db, out, error, "SELECT value FROM setting WHERE name = ?", "z", name);
    if (status != MQ_NOT_FOUND)
        return status;
    *out = 0;
    return MQ_OK;
}

enum mq_status mq_setting_put_number(struct mq_replica *replica, const char *name, int64_t value,
                                     struct mq_error *error)
{
    return mq_db_run(replica->db, error, "INSERT OR REPLACE INTO setting VALUES(?, ?)", "zi", name, value);
}

/* ---- the store's own keys and place ---- */

static enum mq_status load_identity(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_secret seeds[2];
    struct mq_buffer sign = mq_buffer(seeds[0].bytes, sizeof seeds[0].bytes);
    struct mq_buffer box = mq_buffer(seeds[1].bytes, sizeof seeds[1].bytes);
    enum mq_status status = mq_setting_get(replica, "sign_seed", &sign, error);
    if (status == MQ_OK)
        status = mq_setting_get(replica, "box_seed", &box, error);
    if (status == MQ_OK)
        mq_identity_from_seeds(replica->identity, &seeds[0], &seeds[1]);
    mq_wipe(seeds, sizeof seeds);
    if (status == MQ_NOT_FOUND)
        return mq_fail(error, MQ_DAMAGED,
                       _("the store in %s was begun but not finished; remove that directory and join again"),
                       replica->home);
    if (status != MQ_OK)
        return status;

    struct mq_buffer root = mq_buffer(replica->root_public, sizeof replica->root_public);
    status = mq_setting_get(replica, "root_public", &root, error);
    replica->has_root = status == MQ_OK;
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status make_identity(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_secret seeds[2];
    mq_random(replica->platform, seeds, sizeof seeds);
    enum mq_status status = mq_setting_put(replica, "sign_seed", MQ_SPAN(seeds[0].bytes), error);
    if (status == MQ_OK)
        status = mq_setting_put(replica, "box_seed", MQ_SPAN(seeds[1].bytes), error);
    mq_wipe(seeds, sizeof seeds);
    return status;
}

/* Which file on which machine the store is: a copied home is another. Device numbers are left out: they change from one
 * start of the machine to the next, and each would cost a new stream. */
static enum mq_status medium_now(struct mq_replica *replica, uint8_t out[MEDIUM_SIZE], struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    struct mq_file_identity identity;
    mq_home_path(path, replica->home, "store.db");
    enum mq_status status = replica->platform->identify(replica->platform->self, path, &identity, error);
    if (status != MQ_OK)
        return status;
    struct mq_buffer buffer = mq_buffer(out, MEDIUM_SIZE);
    mq_put_u64(&buffer, identity.inode);
    mq_put_u64(&buffer, identity.machine);
    return MQ_OK;
}

/* Does the witness outside the store know of a later segment than the store does? Then the store was set back. */
static enum mq_status set_back(struct mq_replica *replica, bool *answer, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[MQ_ID_SIZE + 4];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    *answer = false;
    mq_home_path(path, replica->home, "witness");
    enum mq_status status = replica->platform->read(replica->platform->self, path, &content, error);
    if (status == MQ_NOT_FOUND) {
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK && status != MQ_NO_SPACE)
        return status;
    mq_error_clear(error);
    struct mq_reader reader = mq_reader(mq_written(&content));
    struct mq_span stream = mq_take(&reader, MQ_ID_SIZE);
    int64_t sealed = mq_get_u32(&reader), next = 1;
    /* Half-written by a foreign hand, or too long: no reason to trust the store's place. */
    if (status == MQ_NO_SPACE || !mq_reader_done(&reader)) {
        *answer = true;
        return MQ_OK;
    }
    status = mq_db_number(replica->db, &next, error, "SELECT next_seq FROM stream WHERE stream = ?", "b", stream);
    *answer = status == MQ_NOT_FOUND || (status == MQ_OK && sealed >= next);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* Each page of a copy that was taken while its home was written is good by itself, and the whole may be of no moment that
 * ever was. It shows here, once, before anything builds on it. */
static enum mq_status check_copy(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_error found = {0};
    enum mq_status status = mq_db_check(replica->db, &found);
    if (status != MQ_DAMAGED)
        return status == MQ_OK ? MQ_OK : mq_fail(error, status, "%s", found.text);
    return mq_fail(error, MQ_DAMAGED,
                   _("%s is a copy that is not whole; it was made while a program was writing, or the medium is bad. "
                     "Nothing was changed: copy the home again while nothing uses it"),
                   replica->home);
}

/* A store that was copied or set back must never write under its old streams again: two different segments of one
 * number would leave. Closing them is enough; the next segment opens a new one. */
static enum mq_status check_place(struct mq_replica *replica, struct mq_error *error)
{
    uint8_t now[MEDIUM_SIZE], before[MEDIUM_SIZE];
    bool back;
    struct mq_buffer known = mq_buffer(before, sizeof before);
    enum mq_status status = medium_now(replica, now, error);
    if (status != MQ_OK)
        return status;
    status = mq_setting_get(replica, "medium", &known, error);
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    bool moved = status == MQ_OK && !mq_span_equal(mq_written(&known), MQ_SPAN(now));
    status = set_back(replica, &back, error);
    if (status != MQ_OK || (known.size > 0 && !moved && !back))
        return status;

    if (moved)
        status = check_copy(replica, error);
    if (status == MQ_OK)
        status = mq_db_begin(replica->db, error);
    if (status == MQ_OK && (moved || back))
        status = mq_streams_close(replica, error);
    if (status == MQ_OK)
        status = mq_setting_put(replica, "medium", MQ_SPAN(now), error);
    if (status == MQ_OK)
        return mq_db_commit(replica->db, error);
    mq_db_rollback(replica->db);
    return status;
}

/* ---- life ---- */

static struct mq_replica *replica_new(const struct mq_platform *platform, const char *home)
{
    struct mq_replica *replica = calloc(1, sizeof *replica);
    mq_enough(replica);
    MQ_ASSERT(strlen(home) < MQ_PATH_MAX - 32);
    replica->platform = platform;
    replica->lock = -1;
    memcpy(replica->home, home, strlen(home) + 1);
    replica->store_key = mq_secret_alloc(sizeof *replica->store_key);
    replica->identity = mq_secret_alloc(sizeof *replica->identity);
    mq_enough(replica->store_key);
    mq_enough(replica->identity);
    return replica;
}

void mq_replica_close(struct mq_replica *replica)
{
    if (replica == NULL)
        return;
    mq_db_close(replica->db);
    mq_catalogue_close(replica);
    mq_work_free(replica->chain.bytes, MQ_LINK_WINDOW);
    mq_work_free(replica->space, mq_seal_space_size());
    mq_work_free(replica->payload, MQ_PAYLOAD_MAX);
    mq_work_free(replica->expanded, MQ_EXPANDED_MAX);
    mq_work_free(replica->arena, replica->arena_used);
    mq_secret_free(replica->identity);
    mq_secret_free(replica->store_key);
    if (replica->lock >= 0)
        replica->platform->lock_release(replica->platform->self, replica->lock);
    free(replica);
}

static enum mq_status take_lock(struct mq_replica *replica, int wait_ms, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    mq_home_path(path, replica->home, "lock");
    return replica->platform->lock_take(replica->platform->self, path, wait_ms, &replica->lock, error);
}

static enum mq_status open_store(struct mq_replica *replica, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    mq_home_path(path, replica->home, "store.db");
    enum mq_status status = mq_db_open_encrypted(&replica->db, replica->platform, path, replica->store_key, error);
    if (status == MQ_WRONG_KEY) /* the passphrase was right, so it is the file */
        return mq_fail(error, MQ_DAMAGED,
                       _("the store %s is damaged; keep the file, and bring the home back from a backup"), path);
    if (status != MQ_OK)
        return status;
    return mq_db_migrate(replica->db, mq_schema_steps, mq_schema_count, error);
}

/* A newer program knows derived tables that the older one did not fill. */
static enum mq_status refresh_view(struct mq_replica *replica, struct mq_error *error)
{
    int64_t stale;
    enum mq_status status = mq_setting_number(replica, "view_stale", &stale, error);
    if (status != MQ_OK || stale == 0)
        return status;
    status = mq_view_rebuild(replica, error);
    return status == MQ_OK ? mq_setting_put_number(replica, "view_stale", 0, error) : status;
}

/* The view first: with it comes who was revoked. */
static enum mq_status refresh(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    enum mq_status status = refresh_view(replica, error);
    return status == MQ_OK ? mq_revoke_silence(replica, error) : status;
}

enum mq_status mq_replica_empty_log(struct mq_replica *replica, struct mq_error *error)
{
    if (!replica->log_stale)
        return MQ_OK;
    enum mq_status status = mq_db_empty_log(replica->db, error);
    if (status == MQ_OK)
        status = mq_setting_put_number(replica, "log_stale", 0, error);
    replica->log_stale = status != MQ_OK;
    return status;
}

static enum mq_status empty_old_log(struct mq_replica *replica, struct mq_error *error)
{
    int64_t stale;
    enum mq_status status = mq_setting_number(replica, "log_stale", &stale, error);
    replica->log_stale = replica->log_stale || (status == MQ_OK && stale != 0);
    return status == MQ_OK ? mq_replica_empty_log(replica, error) : status;
}

/* The last steps of opening and of making: the store's own keys and place; or everything closed again. */
static enum mq_status finish(struct mq_replica *replica, enum mq_status status, struct mq_replica **out,
                             struct mq_error *error)
{
    if (status == MQ_OK)
        status = load_identity(replica, error);
    if (status == MQ_OK)
        status = check_place(replica, error);
    if (status == MQ_OK)
        status = mq_replica_transact(replica, refresh, NULL, error);
    if (status == MQ_OK)
        status = empty_old_log(replica, error);
    if (status != MQ_OK) {
        mq_replica_close(replica);
        return status;
    }
    *out = replica;
    return MQ_OK;
}

enum mq_status mq_replica_open(struct mq_replica **out, const struct mq_platform *platform, const char *home,
                               struct mq_span passphrase, int wait_ms, struct mq_error *error)
{
    *out = NULL;
    if (!mq_vault_exists(platform, home))
        return mq_fail(error, MQ_NOT_FOUND, _("there is no store in %s; `join` makes one from an invitation"), home);
    struct mq_replica *replica = replica_new(platform, home);
    struct mq_file_identity identity;
    char path[MQ_PATH_MAX];
    mq_home_path(path, home, "store.db");

    enum mq_status status = take_lock(replica, wait_ms, error);
    if (status == MQ_OK)
        status = mq_vault_open(platform, home, passphrase, replica->store_key, error);
    if (status == MQ_OK) { /* a fresh store is never made where one is expected */
        status = platform->identify(platform->self, path, &identity, error);
        if (status == MQ_NOT_FOUND) {
            mq_error_clear(error);
            status = mq_fail(error, MQ_DAMAGED, _("%s is missing; is its card or disk in place? Nothing was made anew"),
                             path);
        }
    }
    if (status == MQ_OK)
        status = open_store(replica, error);
    return finish(replica, status, out, error);
}

/* A store without a vault was begun and never finished: nobody can open it any more. */
static enum mq_status leftovers_remove(struct mq_replica *replica, struct mq_error *error)
{
    static const char *const files[] = {"store.db", "store.db-wal", "witness"};
    char path[MQ_PATH_MAX];
    enum mq_status status = MQ_OK;
    if (mq_vault_exists(replica->platform, replica->home))
        return mq_fail(error, MQ_REFUSED,
                       _("there is a store in %s already; it is left as it is. Choose another home to make a new one"),
                       replica->home);
    for (size_t i = 0; i < sizeof files / sizeof *files && status == MQ_OK; i++) {
        mq_home_path(path, replica->home, files[i]);
        status = replica->platform->remove(replica->platform->self, path, error);
    }
    return status;
}

enum mq_status mq_replica_create(struct mq_replica **out, const struct mq_platform *platform, const char *home,
                                 struct mq_span passphrase, uint32_t kdf_memory_mib, struct mq_error *error)
{
    *out = NULL;
    struct mq_replica *replica = replica_new(platform, home);
    enum mq_status status = platform->make_directory(platform->self, home, error);
    if (status == MQ_OK)
        status = take_lock(replica, LOCK_WAIT_CREATE_MS, error);
    if (status == MQ_OK)
        status = leftovers_remove(replica, error);
    mq_random(platform, replica->store_key->bytes, sizeof replica->store_key->bytes);
    if (status == MQ_OK)
        status = open_store(replica, error);
    if (status == MQ_OK)
        status = mq_db_begin(replica->db, error);
    if (status == MQ_OK)
        status = make_identity(replica, error);
    if (status == MQ_OK)
        status = mq_db_commit(replica->db, error);
    if (status == MQ_OK)
        status = mq_vault_create(platform, home, passphrase, mq_kdf_choose(kdf_memory_mib), replica->store_key, error);
    return finish(replica, status, out, error);
}

enum mq_status mq_replica_passphrase(struct mq_replica *replica, struct mq_span passphrase, uint32_t kdf_memory_mib,
                                     struct mq_error *error)
{
    return mq_vault_rewrap(replica->platform, replica->home, replica->store_key, passphrase,
                           mq_kdf_choose(kdf_memory_mib), error);
}

struct mq_db *mq_replica_db(struct mq_replica *replica)
{
    return replica->db;
}

enum mq_status mq_replica_transact(struct mq_replica *replica,
                                   enum mq_status (*work)(struct mq_replica *, void *, struct mq_error *),
                                   void *context, struct mq_error *error)
{
    if (mq_db_in_transaction(replica->db))
        return work(replica, context, error);
    uint64_t touched = replica->catalogue_touched;
    enum mq_status status = mq_db_begin(replica->db, error);
    if (status != MQ_OK)
        return status;
    status = work(replica, context, error);
    if (status == MQ_OK)
        status = mq_db_commit(replica->db, error);
    if (status == MQ_OK) {
        /* What is committed is not called failed because the log could not be emptied behind it: the next transaction tries
         * again, then the next opening, and who must know at once asks (mq_erase). */
        struct mq_error later = {0};
        (void)!mq_replica_empty_log(replica, &later);
        return MQ_OK;
    }
    mq_db_rollback(replica->db);
    if (touched != replica->catalogue_touched) /* it may have read what is not there any more */
        mq_catalogue_touch(replica, 0);
    return status;
}

enum mq_status mq_replica_attempt(struct mq_replica *replica,
                                  enum mq_status (*work)(struct mq_replica *, void *, struct mq_error *), void *context,
                                  struct mq_error *error)
{
    struct mq_db *db = replica->db;
    struct mq_error trouble = {0};
    if (!mq_db_in_transaction(db))
        return mq_replica_transact(replica, work, context, error);
    uint64_t touched = replica->catalogue_touched;
    enum mq_status status = mq_db_run(db, error, "SAVEPOINT attempt", "");
    if (status != MQ_OK)
        return status;
    status = work(replica, context, error);
    if (!mq_db_in_transaction(db))
        return status; /* the disk has ended all of it */
    enum mq_status settled = status == MQ_OK ? MQ_OK : mq_db_run(db, &trouble, "ROLLBACK TO attempt", "");
    if (settled == MQ_OK)
        settled = mq_db_run(db, &trouble, "RELEASE attempt", "");
    if (status != MQ_OK && touched != replica->catalogue_touched)
        mq_catalogue_touch(replica, 0);
    if (settled == MQ_OK)
        return status;
    *error = trouble;
    return settled;
}
