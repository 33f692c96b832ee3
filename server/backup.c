/* `backup`: the whole centre in one encrypted file, made while it works, and read back before it counts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/json.h"
#include "protocol/assert.h"
#include "replica/outgoing.h"
#include "server/archive_keys.h"
#include "server/backup.h"
#include "server/centre_keys.h"
#include "server/data.h"

#define LINE_SIZE 256

const struct mq_backup_piece mq_backup_pieces[] = {
    {"desk/vault", NULL, true},
    {"desk/store.db", MQ_BACKUP_SCRATCH "/desk.db", true},
    {"relay/store.db", "relay/backup.db", false}, /* the front can write only there */
    {"tls.pem", NULL, false},
    {"tls_key.pem", NULL, false},
    {"root.pub", NULL, true},
    {"root.key", NULL, false},
    {"url", NULL, false},
};
const size_t mq_backup_piece_count = sizeof mq_backup_pieces / sizeof *mq_backup_pieces;

/* ---- copies of the two stores ---- */

static void remove_scratch(const struct mq_call *call)
{
    struct mq_data_path path;
    struct mq_error unheard = {0};

    for (size_t i = 0; i < mq_backup_piece_count; i++)
        if (mq_backup_pieces[i].copy != NULL &&
            mq_data_path(&path, call->desk->data, mq_backup_pieces[i].copy, &unheard) == MQ_OK)
            (void)unlink(path.text);
    if (mq_data_path(&path, call->desk->data, MQ_BACKUP_SCRATCH, &unheard) == MQ_OK)
        (void)rmdir(path.text);
}

static enum mq_status copy_stores(const struct mq_call *call, struct mq_error *error)
{
    const struct mq_platform *platform = call->desk->platform;
    struct mq_data_path path;
    struct mq_buffer nothing = mq_buffer(malloc(MQ_REPLY_MAX), MQ_REPLY_MAX);
    enum mq_status status = mq_data_path(&path, call->desk->data, MQ_BACKUP_SCRATCH, error);

    mq_enough(nothing.data);
    remove_scratch(call); /* of a backup that was broken off */
    if (status == MQ_OK)
        status = platform->make_directory(platform->self, path.text, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, call->desk->data, MQ_BACKUP_SCRATCH "/desk.db", error);
    if (status == MQ_OK)
        status = mq_db_copy(mq_replica_db(call->desk->replica), path.text, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, call->desk->data, "relay/backup.db", error);
    if (status == MQ_OK && mq_link_reaches_store(call->link))
        status = mq_link_ask(call->link, MQ_LINK_COPY, mq_span_text(path.text), &nothing, error);
    free(nothing.data);
    return status;
}

/* ---- the file ---- */

static enum mq_status add_pieces(const struct mq_call *call, struct mq_archive *archive, struct mq_error *error)
{
    enum mq_status status = MQ_OK;

    for (size_t i = 0; i < mq_backup_piece_count && status == MQ_OK; i++) {
        const struct mq_backup_piece *piece = &mq_backup_pieces[i];
        const struct mq_platform *platform = call->desk->platform;
        struct mq_data_path path;
        struct mq_file_identity identity;
        struct mq_error missing = {0};
        status = mq_data_path(&path, call->desk->data, piece->copy != NULL ? piece->copy : piece->name, error);
        if (!piece->needed && platform->identify(platform->self, path.text, &identity, &missing) == MQ_NOT_FOUND)
            continue;
        if (status == MQ_OK)
            status = mq_archive_add(archive, piece->name, path.text, error);
    }
    return status;
}

/* The old file of that name, if any, stays until the new one is verified. */
static enum mq_status write_file(const struct mq_call *call, const char *path, struct mq_error *error)
{
    const struct mq_platform *platform = call->desk->platform;
    const struct mq_phrase *phrase = call->desk->passphrase;
    struct mq_data_path temporary;
    struct mq_archive *archive = NULL;
    uint32_t suffix;

    mq_random(platform, &suffix, sizeof suffix);
    int length = snprintf(temporary.text, sizeof temporary.text, "%s.%08" PRIx32 ".new", path, suffix);
    if (length < 0 || (size_t)length >= sizeof temporary.text)
        return mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), path);
    enum mq_status status = mq_archive_create(&archive, platform, temporary.text,
                                              mq_span(phrase->bytes, phrase->size), mq_kdf_choose(0), error);
    if (status == MQ_OK)
        status = add_pieces(call, archive, error);
    if (status == MQ_OK)
        status = mq_archive_finish(archive, error);
    bool made = archive != NULL;
    mq_archive_close(archive);
    if (status == MQ_OK)
        return platform->rename(platform->self, temporary.text, path, error);
    struct mq_error unheard = {0};
    if (made)
        (void)platform->remove(platform->self, temporary.text, &unheard);
    return status;
}

/* A name that was mistyped must not cost the file that it names. */
static enum mq_status refuse_other(const struct mq_call *call, const char *path, struct mq_error *error)
{
    const struct mq_platform *platform = call->desk->platform;
    struct mq_file_identity identity;
    struct mq_error missing = {0};

    if (platform->identify(platform->self, path, &identity, &missing) == MQ_NOT_FOUND || mq_archive_is(path))
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("%s is there already and is no backup; it is left as it is"), path);
}

/* Its number is given out for good before anything is copied, so that the copy knows it too: a centre that is restored
 * never gives it to another file. Receipts name it only once the file is verified. */
static enum mq_status next_number(struct mq_replica *replica, int64_t *number, struct mq_error *error)
{
    int64_t begun = 0, verified = 0;
    enum mq_status status = mq_setting_number(replica, MQ_BACKUP_BEGUN, &begun, error);

    if (status == MQ_OK)
        status = mq_setting_number(replica, "backup", &verified, error);
    *number = (begun > verified ? begun : verified) + 1;
    return status == MQ_OK ? mq_setting_put_number(replica, MQ_BACKUP_BEGUN, *number, error) : status;
}

static void print(struct mq_call *call, int64_t number, const char *path)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};

    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "backup");
    mq_json_int_value(&writer, number);
    mq_json_end(&writer, '}');
    if (mq_call_json(call))
        mq_call_print(call, mq_written(&line));
    else
        fprintf(call->out, _("Backup number %lld is in %s, verified. The passphrase of this centre opens it.\n"),
                (long long)number, path);
}

enum mq_status mq_verb_backup(struct mq_call *call, struct mq_error *error)
{
    struct mq_replica *replica = call->desk->replica;
    char path[MQ_PATH_MAX];
    int64_t number = 0;
    enum mq_status status = mq_call_path(call, call->line->words[0], path, error);

    if (status == MQ_OK)
        status = refuse_other(call, path, error);
    if (status == MQ_OK)
        status = mq_seal_all(replica, error);
    if (status == MQ_OK)
        status = mq_call_merge(call, error);
    if (status == MQ_OK)
        status = next_number(replica, &number, error);
    if (status == MQ_OK)
        status = copy_stores(call, error);
    if (status == MQ_OK)
        status = write_file(call, path, error);
    remove_scratch(call);
    if (status == MQ_OK)
        status = mq_setting_put_number(replica, "backup", number, error);
    if (status == MQ_OK)
        print(call, number, path);
    return status;
}
