/* The run that takes out what was kept long enough; an archive of it first. */
#include "replica/retention.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/keys.h"
#include "server/desk/call_keys.h"

struct work {
    struct mq_call *call;
    char path[MQ_PATH_MAX]; /* of the archive */
    FILE *archive;          /* in memory, until it is whole */
    char *bytes;
    size_t size;
};

static enum mq_status emit_archive(void *context, struct mq_span object, struct mq_error *error)
{
    struct work *work = context;
    fwrite(object.data, 1, object.size, work->archive);
    return fputc('\n', work->archive) == EOF ? mq_fail(error, MQ_FAULT, _("there is not enough memory")) : MQ_OK;
}

/* Durable before anything goes. */
static enum mq_status archived(void *context, struct mq_error *error)
{
    struct work *work = context;
    const struct mq_platform *platform = work->call->desk->platform;
    if (fflush(work->archive) != 0)
        return mq_fail(error, MQ_FAULT, _("there is not enough memory"));
    return platform->write(platform->self, work->path, mq_span((const uint8_t *)work->bytes, work->size), error);
}

static enum mq_status read_today(const struct mq_call *call, int32_t *day, struct mq_error *error)
{
    const char *text = mq_option_get(call->line, "today");
    *day = mq_call_today(call);
    if (text == NULL || mq_date_parse(day, mq_span_text(text)))
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("--%s: \"%s\" is no date; write it as 2026-11-05"), "today", text);
}

static enum mq_status read_archive(struct work *work, struct mq_error *error)
{
    const struct mq_platform *platform = work->call->desk->platform;
    const char *name = mq_option_get(work->call->line, "archive");
    struct mq_file_identity there;
    if (name == NULL)
        return mq_fail(error, MQ_REFUSED,
                       _("say where the archive goes: --archive FILE; or --dry-run, which only lists what is over its time"));
    enum mq_status status = mq_call_path(work->call, name, work->path, error);
    if (status == MQ_OK)
        status = platform->identify(platform->self, work->path, &there, error);
    if (status == MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("%s is there already; name a file that is not"), work->path);
    if (status != MQ_NOT_FOUND)
        return status;
    mq_error_clear(error);
    return MQ_OK;
}

/* That it left the centre, and why. */
static enum mq_status note(const struct work *work, const struct mq_team *team, int32_t today, int64_t records,
                           struct mq_error *error)
{
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_json *object;
    struct mq_saved saved;
    char day[11];
    mq_date_print(day, today);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, "exported");
    mq_json_key(&writer, "date");
    mq_json_text_value(&writer, day);
    mq_json_key(&writer, "what");
    mq_json_text_value(&writer, "retention");
    mq_json_key(&writer, "format");
    mq_json_text_value(&writer, "jsonl");
    mq_json_key(&writer, "rows");
    mq_json_int_value(&writer, records);
    mq_json_key(&writer, "unmasked");
    mq_json_bool_value(&writer, true);
    mq_json_key(&writer, "sensitive");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!out.failed);
    enum mq_status status = mq_json_parse(&object, mq_written(&out), error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(work->call->desk->replica, team, object, &saved, error);
    mq_json_free(object);
    return status;
}

static enum mq_status run_all(struct work *work, const struct mq_retention_run *run, int64_t *total,
                              struct mq_error *error)
{
    struct mq_team *teams;
    size_t count;
    enum mq_status status = mq_desk_teams(work->call->desk, &teams, &count, error);
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        int64_t records = 0;
        status = mq_retention_run(work->call->desk->replica, &teams[i], run, &records, error);
        *total += records;
        if (status == MQ_OK && !run->dry && records > 0)
            status = note(work, &teams[i], run->today, records, error);
        work->call->changed = work->call->changed || (!run->dry && records > 0);
    }
    free(teams);
    return status;
}

static void say_what(const struct work *work, bool dry, int64_t total)
{
    FILE *talk = work->call->talk;
    if (total == 0)
        fputs(_("Nothing is over its time.\n"), talk);
    else if (dry)
        fputs(_("Nothing was taken out. With --archive FILE these records are written to that file first; then what they "
                "say is taken out, here and on every device with its next sync.\n"),
              talk);
    else
        fprintf(talk, _("%s is not encrypted. Hand it to the archive, and keep it nowhere else.\n"), work->path);
}

enum mq_status mq_verb_retention(struct mq_call *call, struct mq_error *error)
{
    struct work work = {.call = call};
    const struct mq_emitter lines = mq_call_lines(call), archive = {&work, emit_archive};
    struct mq_retention_run run = {.dry = mq_option_get(call->line, "dry-run") != NULL,
                                   .lines = &lines,
                                   .archive = &archive,
                                   .archived = archived,
                                   .context = &work};
    int64_t total = 0;
    enum mq_status status = read_today(call, &run.today, error);
    if (status == MQ_OK && !run.dry)
        status = read_archive(&work, error);
    if (status == MQ_OK)
        status = run.dry ? mq_call_merge(call, error) : mq_desk_sync(call->desk, error);
    if (status != MQ_OK)
        return status;
    work.archive = open_memstream(&work.bytes, &work.size);
    mq_enough(work.archive);
    status = run_all(&work, &run, &total, error);
    fclose(work.archive);
    mq_wipe(work.bytes, work.size);
    free(work.bytes);
    if (status == MQ_OK)
        say_what(&work, run.dry, total);
    return status;
}
