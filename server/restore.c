/* `restore`: a backup becomes the centre; what stood there is moved aside, never removed. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "platform/secret_key.h"
#include "replica/outgoing.h"
#include "server/archive_keys.h"
#include "server/backup.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/desk/enrol_keys.h"
#include "server/program.h"

#define SERIALS_SKIPPED 100 /* given out after the backup was made: nobody knows how many */

struct restore {
    const struct mq_platform *platform;
    const char *data, *file;
    const struct mq_phrase *phrase;
    struct mq_data_path scratch, aside;
    bool broken_off; /* an earlier one was: DIR may be half of one centre and half of another */
    int64_t number, records, newest; /* of the backup: which, how many records, when the newest change in it was made */
};

/* What may stand in the directory of a centre and belongs to one life of it. */
static const char *const entries[] = {"desk", "relay", "tls.pem", "tls_key.pem", "root.pub", "root.key", "url"};

static bool is_piece(const char *name, bool found[])
{
    for (size_t i = 0; i < mq_backup_piece_count; i++)
        if (strcmp(mq_backup_pieces[i].name, name) == 0 && !found[i])
            return found[i] = true;
    return false;
}

/* ---- unpacking ---- */

static enum mq_status refuse_left(const struct restore *work, const char *directory, const char *name, struct mq_error *error)
{
    struct mq_data_path path;
    enum mq_status status = mq_data_path(&path, directory, name, error);

    if (status != MQ_OK || !mq_data_has(work->platform, directory, name))
        return status;
    return mq_fail(error, MQ_REFUSED, _("%s cannot be removed; remove it, then run the restore again"), path.text);
}

static enum mq_status clear_done(const struct restore *work, struct mq_error *error)
{
    struct mq_data_path path;
    enum mq_status status = mq_data_path(&path, work->data, MQ_RESTORE_DONE, error);

    if (status != MQ_OK)
        return status;
    mq_data_clear(path.text);
    return refuse_left(work, work->data, MQ_RESTORE_DONE, error);
}

/* The directory of one that was broken off is all that says that DIR is not whole: it stays, empty, until this one is done. */
static enum mq_status empty_scratch(struct restore *work, struct mq_error *error)
{
    enum mq_status status = MQ_OK;

    work->broken_off = mq_data_has(work->platform, work->data, MQ_RESTORE_SCRATCH);
    mq_data_empty(work->scratch.text);
    for (size_t i = 0; i < sizeof entries / sizeof *entries && status == MQ_OK; i++)
        status = refuse_left(work, work->scratch.text, entries[i], error);
    return status;
}

static enum mq_status make_scratch(struct restore *work, struct mq_error *error)
{
    const struct mq_platform *platform = work->platform;
    struct mq_data_path path;
    enum mq_status status = mq_data_path(&work->scratch, work->data, MQ_RESTORE_SCRATCH, error);

    if (status != MQ_OK)
        return status;
    status = empty_scratch(work, error);
    if (status == MQ_OK)
        status = clear_done(work, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, work->scratch.text, "desk", error);
    if (status == MQ_OK)
        status = platform->make_directory(platform->self, path.text, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, work->scratch.text, "relay", error);
    return status == MQ_OK ? platform->make_directory(platform->self, path.text, error) : status;
}

static enum mq_status unpack(struct restore *work, struct mq_error *error)
{
    struct mq_archive *archive;
    char name[MQ_ARCHIVE_NAME_SIZE];
    bool found[16] = {0};
    struct mq_data_path path;
    enum mq_status status =
        mq_archive_open(&archive, work->file, mq_span(work->phrase->bytes, work->phrase->size), error);

    if (status != MQ_OK)
        return status;
    status = make_scratch(work, error);
    while (status == MQ_OK) {
        status = mq_archive_next(archive, name, error);
        if (status != MQ_OK)
            break;
        bool known = is_piece(name, found);
        status = mq_data_path(&path, work->scratch.text, name, error);
        if (status == MQ_OK)
            status = mq_archive_extract(archive, known ? path.text : NULL, error);
    }
    mq_archive_close(archive);
    if (status != MQ_NOT_FOUND || error->status != MQ_OK)
        return status;
    for (size_t i = 0; i < mq_backup_piece_count; i++)
        if (mq_backup_pieces[i].needed && !found[i])
            return mq_fail(error, MQ_DAMAGED, _("the backup %s is without its piece %s"), work->file,
                           mq_backup_pieces[i].name);
    return MQ_OK;
}

/* ---- a new life ---- */

static enum mq_status renew_desk(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct mq_centre *centre = context;
    int64_t serial, number;
    enum mq_status status = mq_streams_close(replica, error);

    if (status == MQ_OK)
        status = mq_invitations_void(&centre->desk, error);
    if (status == MQ_OK)
        status = mq_setting_number(replica, "serial", &serial, error);
    if (status == MQ_OK)
        status = mq_setting_put_number(replica, "serial", serial + SERIALS_SKIPPED, error);
    if (status == MQ_OK)
        status = mq_setting_number(replica, MQ_BACKUP_BEGUN, &number, error);
    /* The file itself is that backup, and has just been read to its end. */
    return status == MQ_OK ? mq_setting_put_number(replica, "backup", number, error) : status;
}

/* What the person is told of it. */
static enum mq_status look_at_desk(struct restore *work, struct mq_replica *replica, struct mq_error *error)
{
    struct mq_db *db = mq_replica_db(replica);
    enum mq_status status = mq_setting_number(replica, "backup", &work->number, error);

    if (status == MQ_OK)
        status = mq_db_number(db, &work->records, error, "SELECT count(*) FROM state WHERE kind > 0 AND NOT deleted", "");
    if (status == MQ_OK)
        status = mq_db_number(db, &work->newest, error, "SELECT coalesce(max(wall), 0) FROM change", "");
    return status;
}

/* Another server id, so that devices bring what is missing; new streams for the desk; open invitations are void. All of
 * it while the pieces are still in the scratch directory: what changes places is a centre that can be started. */
static enum mq_status renew(struct restore *work, struct mq_error *error)
{
    struct mq_centre centre;
    struct mq_data_path relay = {""};
    enum mq_status status = mq_centre_open(&centre, work->platform, work->scratch.text, work->phrase, -1, error);

    if (status == MQ_OK && centre.store != NULL)
        status = centre.store->verbs->renew(centre.store, error);
    else if (status == MQ_OK)
        status = mq_data_path(&relay, work->scratch.text, "relay", error);
    (void)rmdir(relay.text); /* a township's desk has none */
    if (status == MQ_OK)
        status = mq_replica_transact(centre.desk.replica, renew_desk, &centre, error);
    if (status == MQ_OK)
        status = look_at_desk(work, centre.desk.replica, error);
    mq_centre_close(&centre);
    return status;
}

/* ---- changing places ---- */

static enum mq_status move(const struct restore *work, const char *from, const char *to, const char *name,
                           struct mq_error *error)
{
    struct mq_data_path source, target;
    enum mq_status status = MQ_OK;

    if (!mq_data_has(work->platform, from, name))
        return MQ_OK;
    status = mq_data_path(&source, from, name, error);
    if (status == MQ_OK)
        status = mq_data_path(&target, to, name, error);
    return status == MQ_OK ? work->platform->rename(work->platform->self, source.text, target.text, error) : status;
}

static bool aside_name(const struct restore *work, char name[32])
{
    struct tm parts;
    time_t now = (time_t)mq_now(work->platform);

    return gmtime_r(&now, &parts) != NULL && strftime(name, 32, "before-%Y%m%dT%H%M%SZ", &parts) > 0;
}

/* DIR/before-MOMENT, inside DIR: on its file system, and ours to write in. */
static enum mq_status make_aside(struct restore *work, struct mq_error *error)
{
    char name[32];

    if (!aside_name(work, name))
        return mq_fail(error, MQ_FAULT, _("this machine's clock is not set"));
    if (mq_data_has(work->platform, work->data, name)) {
        work->platform->sleep_ms(work->platform->self, 1000); /* two restores within a second */
        (void)aside_name(work, name);
    }
    if (mq_data_has(work->platform, work->data, name))
        return mq_fail(error, MQ_REFUSED, _("%s/%s is there already; run the restore again in a moment"), work->data,
                       name);
    enum mq_status status = mq_data_path(&work->aside, work->data, name, error);
    return status == MQ_OK ? work->platform->make_directory(work->platform->self, work->aside.text, error) : status;
}

/* While it lasts under its name, the scratch directory says that DIR is not whole. It gets another one last, and for good: what
 * cannot be removed of it then is in nobody's way. */
static enum mq_status change_places(struct restore *work, struct mq_error *error)
{
    struct mq_data_path done;
    enum mq_status status = MQ_OK;

    for (size_t i = 0; i < sizeof entries / sizeof *entries && status == MQ_OK; i++)
        status = move(work, work->data, work->aside.text, entries[i], error);
    for (size_t i = 0; i < sizeof entries / sizeof *entries && status == MQ_OK; i++)
        status = move(work, work->scratch.text, work->data, entries[i], error);
    (void)rmdir(work->aside.text); /* goes only where nothing stood there before */
    if (status == MQ_OK)
        status = mq_data_path(&done, work->data, MQ_RESTORE_DONE, error);
    if (status == MQ_OK)
        status = work->platform->rename(work->platform->self, work->scratch.text, done.text, error);
    if (status == MQ_OK)
        mq_data_clear(done.text);
    return status;
}

static enum mq_status prepare(struct restore *work, struct mq_error *error)
{
    enum mq_status status = unpack(work, error);

    if (status == MQ_OK)
        status = renew(work, error);
    if (status == MQ_OK)
        status = make_aside(work, error);
    if (status != MQ_OK && work->scratch.text[0] != '\0') /* nothing has changed yet */
        (work->broken_off ? mq_data_empty : mq_data_clear)(work->scratch.text);
    return status;
}

int mq_run_restore(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    struct restore work = {.platform = program->platform, .data = mq_program_data(line), .file = line->words[0]};
    struct mq_phrase *phrase = NULL;
    struct mq_error error = {0};
    char newest[MQ_TIME_TEXT_SIZE];

    if (work.data == NULL)
        return 2;
    enum mq_status status = work.platform->make_directory(work.platform->self, work.data, &error);
    if (status == MQ_OK)
        status = mq_data_lock(work.platform, work.data, 0, &error);
    if (status == MQ_OK)
        status = mq_phrase_get(&phrase, line, false, &error);
    work.phrase = phrase;
    if (status == MQ_OK)
        status = prepare(&work, &error);
    mq_secret_free(phrase);
    if (status == MQ_OK)
        status = change_places(&work, &error);
    if (status != MQ_OK)
        return mq_program_fail(&error);
    mq_time_text(newest, work.newest);
    if (access(work.aside.text, F_OK) == 0)
        fprintf(stderr, _("What stood in %s is now in %s.\n"), work.data, work.aside.text);
    if (mq_option_get(line, "json") != NULL)
        printf("{\"backup\":%lld,\"records\":%lld,\"newest\":\"%s\"}\n", (long long)work.number, (long long)work.records,
               newest);
    else
        printf(_("This centre is as it was at backup %lld: %lld records, the newest change of %s. What came later was rolled "
                 "back here.\n"),
               (long long)work.number, (long long)work.records, newest);
    fprintf(stderr,
            _("Restored. Open invitations are void; devices bring by themselves what came after the backup. Whoever "
              "joined after it needs a new invitation.\n"));
    return 0;
}
