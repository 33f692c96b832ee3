/* `import`: lines of the record format, or a ledger as CSV; what became of each line, and how many. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/program.h"
#include "platform/terminal.h"
#include "replica/convert.h"

struct talk {
    struct program *program;
    bool report, dry_run, csv;
    struct mq_progress progress;
    struct mq_error failed; /* a result could not be shown */
};

/* ---- what is said of a line ---- */

static void say_numbers(const struct talk *talk, const struct mq_import_line *line)
{
    size_t masked = line->fate == MQ_LINE_REFUSED ? 0 : line->saved.masked;
    if (line->resident_ids + line->bank_cards > 0)
        fprintf(stderr, _("line %lld: %zu resident ID numbers, %zu bank card numbers; they are not stored\n"),
                (long long)line->number, line->resident_ids, line->bank_cards);
    else if (masked > 0 && !talk->csv)
        fprintf(stderr, _("line %lld: %zu resident ID or bank card numbers were replaced by their masks\n"),
                (long long)line->number, masked);
    if (line->odd_phone.size > 0)
        mq_say(stderr, _("line %lld: \"%.*s\" does not look like a telephone number; it is kept as it stands\n"),
                (long long)line->number, (int)line->odd_phone.size, (const char *)line->odd_phone.data);
}

static const char *fate_name(enum mq_line_fate fate)
{
    switch (fate) {
    case MQ_LINE_SAVED: return "save";
    case MQ_LINE_UPDATED: return "update";
    case MQ_LINE_KNOWN: return "known";
    case MQ_LINE_REFUSED: break;
    }
    return "refuse";
}

static enum mq_status put_likes(struct program *program, struct mq_json_writer *writer,
                                const struct mq_import_line *line, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    mq_json_key(writer, "like");
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < line->like_count && status == MQ_OK; i++) {
        uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
        struct mq_buffer id = mq_buffer(memory, sizeof memory);
        status = mq_print_reference(program->device.replica, line->likes[i].record, &id, error);
        mq_json_begin(writer, '{');
        mq_json_key(writer, "id");
        mq_json_string_value(writer, mq_written(&id));
        mq_json_text_pair(writer, "why", mq_like_by_name(line->likes[i].reasons) ? "name" : "phone");
        mq_json_end(writer, '}');
    }
    mq_json_end(writer, ']');
    return status;
}

static void put_text(struct mq_json_writer *writer, const char *key, struct mq_span text)
{
    mq_json_key(writer, key);
    mq_json_string_value(writer, text);
}

/* {"line":12,"does":"save","id":…} */
static enum mq_status emit_fate(struct talk *talk, const struct mq_import_line *line, struct mq_error *error)
{
    uint8_t memory[4096];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    const struct mq_emitter emitter = program_emitter(talk->program);
    enum mq_status status = MQ_OK;
    mq_json_begin(&writer, '{');
    mq_json_int_pair(&writer, "line", line->number);
    put_text(&writer, "does", mq_span_text(fate_name(line->fate)));
    if (line->fate == MQ_LINE_REFUSED)
        put_text(&writer, "why", mq_span_text(line->why.text));
    else
        put_text(&writer, "id", mq_span_text(line->saved.id));
    if (line->fate != MQ_LINE_REFUSED && line->saved.masked > 0)
        mq_json_int_pair(&writer, "masked", (int64_t)line->saved.masked);
    if (line->resident_ids > 0)
        mq_json_int_pair(&writer, "resident_ids", (int64_t)line->resident_ids);
    if (line->bank_cards > 0)
        mq_json_int_pair(&writer, "bank_cards", (int64_t)line->bank_cards);
    if (line->odd_phone.size > 0)
        put_text(&writer, "odd_phone", line->odd_phone);
    if (line->like_count > 0)
        status = put_likes(talk->program, &writer, line, error);
    mq_json_end(&writer, '}');
    return status == MQ_OK ? emitter.emit(emitter.context, mq_written(&out), error) : status;
}

static void say_line(void *context, const struct mq_import_line *line)
{
    struct talk *talk = context;
    bool quiet = line->fate != MQ_LINE_REFUSED && line->resident_ids + line->bank_cards + line->odd_phone.size == 0 &&
                 line->saved.masked == 0;
    if (talk->dry_run) {
        if (talk->failed.status == MQ_OK && emit_fate(talk, line, &talk->failed) != MQ_OK)
            return;
        if (talk->program->json)
            return;
    }
    if (quiet)
        return;
    mq_progress_end(&talk->progress);
    if (line->fate == MQ_LINE_REFUSED && !talk->dry_run)
        fprintf(stderr, _("line %lld: %s\n"), (long long)line->number, line->why.text);
    say_numbers(talk, line);
}

static void say_durable(void *context, const struct mq_import *so_far)
{
    struct talk *talk = context;
    mq_progress_show(&talk->progress, so_far->lines, 0);
    if (!talk->report)
        return;
    printf("{\"durable\":%lld}\n", (long long)so_far->durable);
    fflush(stdout);
}

static void say_note(void *context, const char *text)
{
    struct talk *talk = context;
    mq_progress_end(&talk->progress);
    fprintf(stderr, "minqing: %s\n", text);
}

/* ---- all of it ---- */

static enum mq_status print_totals(struct talk *talk, const struct mq_import *done, struct mq_error *error)
{
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    const struct mq_emitter emitter = program_pages(talk->program);
    if (done->resident_ids + done->bank_cards > 0)
        fprintf(stderr, _("%lld resident ID numbers and %lld bank card numbers were found; none is stored.\n"),
                (long long)done->resident_ids, (long long)done->bank_cards);
    if (done->unknown_places > 0)
        fprintf(stderr, ngettext("%lld place is in no list of places here; it is kept as it is.\n",
                                 "%lld places are in no list of places here; they are kept as they are.\n",
                                 (unsigned long)done->unknown_places),
                (long long)done->unknown_places);
    if (done->without_notice > 0)
        fprintf(stderr, ngettext("%lld record says something sensitive about a family of which nothing says that it was told.\n",
                                 "%lld records say something sensitive about families of which nothing says that they were told.\n",
                                 (unsigned long)done->without_notice),
                (long long)done->without_notice);
    mq_json_begin(&writer, '{');
    mq_json_int_pair(&writer, "lines", done->lines);
    mq_json_int_pair(&writer, "saved", done->saved);
    mq_json_int_pair(&writer, "updated", done->updated);
    mq_json_int_pair(&writer, "known", done->known);
    mq_json_int_pair(&writer, "refused", done->refused);
    mq_json_int_pair(&writer, "masked", done->masked);
    if (done->unknown_places > 0)
        mq_json_int_pair(&writer, "unknown_places", done->unknown_places);
    if (done->without_notice > 0)
        mq_json_int_pair(&writer, "without_notice", done->without_notice);
    if (talk->csv) {
        mq_json_int_pair(&writer, "resident_ids", done->resident_ids);
        mq_json_int_pair(&writer, "bank_cards", done->bank_cards);
    }
    if (talk->dry_run)
        mq_json_bool_pair(&writer, "dry_run", true);
    mq_json_end(&writer, '}');
    return emitter.emit(emitter.context, mq_written(&out), error);
}

static enum mq_status read_options(struct program *program, struct mq_import_options *options, struct mq_buffer *map)
{
    const struct mq_command_line *line = program->line;
    const struct mq_platform *platform = program->device.platform;
    const char *kind = mq_option_get(line, "kind"), *file = mq_option_get(line, "map");
    options->update = mq_option_get(line, "update") != NULL;
    options->dry_run = mq_option_get(line, "dry-run") != NULL;
    if (mq_option_get(line, "csv") == NULL)
        return kind == NULL && file == NULL ? MQ_OK
                                            : mq_fail(&program->error, MQ_REFUSED, _("--kind and --map go with --csv"));
    options->kind = mq_kind_by_key(mq_span_text(kind == NULL ? "household" : kind));
    if (options->kind == NULL)
        return mq_fail(&program->error, MQ_REFUSED, _("there is no kind \"%s\""), kind);
    if (file == NULL)
        return MQ_OK;
    enum mq_status status = platform->read(platform->self, file, map, &program->error);
    options->map = mq_written(map);
    return status;
}

int command_import(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    struct talk talk = {.program = program,
                        .report = mq_option_get(line, "report") != NULL,
                        .dry_run = mq_option_get(line, "dry-run") != NULL,
                        .csv = mq_option_get(line, "csv") != NULL,
                        .progress = mq_progress_start(program->device.platform, _("import"))};
    const struct mq_import_report report = {&talk, say_line, say_durable, say_note};
    struct mq_import_options options = {.kind = NULL};
    struct mq_import done = {0};
    uint8_t memory[MQ_MAP_MAX + 1];
    struct mq_buffer map = mq_buffer(memory, sizeof memory);
    enum mq_status status = read_options(program, &options, &map);
    if (status != MQ_OK)
        return program_end(program, status);
    bool input = strcmp(line->words[0], "-") == 0;
    int descriptor = input ? STDIN_FILENO : open(line->words[0], O_RDONLY | O_CLOEXEC);
    status = descriptor >= 0 ? program_open(program)
                             : mq_fail(&program->error, MQ_REFUSED, _("%s cannot be opened: %s"), line->words[0],
                                       strerror(errno));
    if (status == MQ_OK)
        status = mq_device_import(&program->device, descriptor, &options, &report, &done, &program->error);
    mq_progress_end(&talk.progress);
    if (!input && descriptor >= 0)
        close(descriptor);
    if (done.lines > 0) {
        enum mq_status shown = print_totals(&talk, &done, &talk.failed);
        if (talk.failed.status != MQ_OK)
            shown = talk.failed.status;
        status = status == MQ_OK ? shown : status;
    }
    return program_end(program, status);
}
