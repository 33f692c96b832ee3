/* Commands on records: add, set, list, show, export, conflicts, resolve. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/program.h"
#include "platform/terminal.h"
#include "protocol/keys.h"
#include "replica/needs.h"
#include "replica/place_filter.h"
#include "replica/reference.h"


static enum mq_status kind_find(struct program *program, const char *text, const struct mq_kind **kind)
{
    *kind = text == NULL || strcmp(text, "all") == 0 ? NULL : mq_kind_by_key(mq_span_text(text));
    if (*kind == NULL && text != NULL && strcmp(text, "all") != 0)
        return mq_fail(&program->error, MQ_REFUSED,
                       _("\"%s\" is no kind; there are household, plan, visit, need, step, told, suggestion, person, "
                         "standing, notice, request, and of a desk exported, code, place, unit, calendar, preset"),
                       text);
    return MQ_OK;
}

/* A whole number from the command line. */
static bool number_read(const char *text, int64_t *out)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    long long value = strtoll(text, &end, 10);
    *out = value;
    return *end == '\0' && value < INT32_MAX;
}

/* ---- add ---- */

static enum mq_status object_from_input(struct program *program, struct mq_buffer *out)
{
    for (;;) {
        ssize_t got = read(STDIN_FILENO, out->data + out->size, out->capacity - out->size);
        if (got < 0)
            return mq_fail(&program->error, MQ_FAULT, _("standard input could not be read"));
        if (got == 0)
            return MQ_OK;
        out->size += (size_t)got;
        if (out->size == out->capacity)
            return mq_fail(&program->error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    }
}

static enum mq_status add_object(struct program *program, struct mq_span text, struct mq_saved *saved)
{
    struct mq_json *object;
    enum mq_status status = mq_json_parse(&object, text, &program->error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(program->device.replica, NULL, object, saved, &program->error);
    mq_json_free(object);
    return status;
}

static enum mq_status print_saved(struct program *program, const struct mq_saved *saved)
{
    uint8_t memory[1024];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    const struct mq_emitter emitter = program_emitter(program);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_text_value(&writer, saved->id);
    if (saved->number[0] != '\0') {
        mq_json_key(&writer, "no");
        mq_json_text_value(&writer, saved->number);
    }
    if (saved->masked > 0) {
        mq_json_key(&writer, "masked");
        mq_json_int_value(&writer, (int64_t)saved->masked);
    }
    if (saved->without_notice) {
        mq_json_key(&writer, "without_notice");
        mq_json_bool_value(&writer, true);
    }
    mq_json_key(&writer, "saved");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    if (saved->masked > 0)
        fprintf(
            stderr,
            _("minqing: %zu resident ID or bank card numbers were replaced by their masks; they are never stored\n"),
            saved->masked);
    if (saved->remark[0] != '\0')
        mq_say(stderr, "minqing: %s\n", saved->remark);
    if (mq_saved_unnoticed(saved) != NULL)
        fprintf(stderr, "minqing: %s\n", mq_saved_unnoticed(saved));
    return emitter.emit(emitter.context, mq_written(&out), &program->error);
}

int command_add(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_kind *kind = NULL;
    struct mq_saved saved;
    bool input = strcmp(line->words[line->word_count - 1], "-") == 0;
    uint8_t *memory = malloc(MQ_OBJECT_MAX);
    struct mq_buffer object = mq_buffer(memory, memory == NULL ? 0 : MQ_OBJECT_MAX);
    enum mq_status status = input ? MQ_OK : kind_find(program, line->words[0], &kind);
    if (status == MQ_OK && !input && kind == NULL)
        status = mq_fail(&program->error, MQ_REFUSED, _("say which kind: `minqing add household --head ...`"));
    if (status == MQ_OK)
        status = input ? object_from_input(program, &object) : mq_object_from_fields(kind, line->fields, (size_t)line->field_count, &object,
                                                                     &program->error);
    bool danger = status == MQ_OK && program_danger(mq_written(&object));
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK && danger)
        status = program_danger_numbers(program);
    if (status == MQ_OK)
        status = add_object(program, mq_written(&object), &saved);
    if (status == MQ_OK)
        status = print_saved(program, &saved);
    if (status == MQ_OK && !saved.known)
        status = program_say_alike(program, &saved);
    if (memory != NULL)
        mq_wipe(memory, object.size);
    free(memory);
    return program_end(program, status);
}

int command_set(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const char *reason = mq_option_get(line, "reason");
    struct mq_saved saved;
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_records_set(program->device.replica, mq_span_text(line->words[0]), line->words + 1,
                                (size_t)line->word_count - 1, mq_span_text(reason == NULL ? "" : reason), &saved,
                                &program->error);
    if (status == MQ_OK)
        status = print_saved(program, &saved);
    return program_end(program, status);
}

/* ---- reading ---- */

int command_list(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_kind *kind;
    const char *search = mq_option_get(line, "search"), *limit_text = mq_option_get(line, "limit");
    const char *state = mq_option_get(line, "state"), *place = mq_option_get(line, "place");
    const struct mq_emitter shown = program_emitter(program);
    struct mq_emitter emitter = shown;
    struct mq_place_filter filter;
    int32_t day = 0;
    int64_t limit = 0;
    enum mq_status status = kind_find(program, line->words[0], &kind);
    if (status == MQ_OK && state != NULL && (kind == NULL || kind->number != MQ_KIND_NEED || search != NULL))
        status = mq_fail(&program->error, MQ_REFUSED, _("--state is for `list need`, and without --search"));
    if (status == MQ_OK && limit_text != NULL && !number_read(limit_text, &limit))
        status = mq_fail(&program->error, MQ_REFUSED, _("--limit should be a whole number"));
    if (status == MQ_OK)
        status = mq_place_day(mq_option_get(line, "place-as-of"), &day, &program->error);
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK && place != NULL) {
        status = mq_place_filter_begin(&filter, program->device.replica, mq_span_text(place), day, limit, &shown,
                                       &program->error);
        emitter = mq_place_filter_emitter(&filter);
        limit = 0; /* counted behind the filter */
    }
    if (status == MQ_OK && state != NULL)
        status = mq_needs_list(program->device.replica, mq_span_text(state), limit, &emitter, &program->error);
    else if (status == MQ_OK)
        status = mq_records_list(program->device.replica, kind, mq_span_text(search == NULL ? "" : search), limit,
                                 &emitter, &program->error);
    return program_end(program, status);
}

int command_show(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_emitter emitter = program_pages(program);
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_records_show(program->device.replica, mq_span_text(line->words[0]),
                                 mq_option_get(line, "history") != NULL, &emitter, &program->error);
    return program_end(program, status);
}

int command_reference(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_emitter emitter = program_emitter(program);
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_reference_codes(program->device.replica, mq_span_text(line->word_count > 0 ? line->words[0] : ""),
                                    mq_option_get(line, "all") != NULL, &emitter, &program->error);
    return program_end(program, status);
}

int command_export(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_kind *kind;
    program->json = true;
    const struct mq_emitter emitter = program_emitter(program);
    enum mq_status status = kind_find(program, mq_option_get(line, "kind"), &kind);
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK)
        status = mq_records_export(program->device.replica, kind, &emitter, &program->error);
    return program_end(program, status);
}

int command_conflicts(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    (void)line;
    const struct mq_emitter emitter = program_pages(program);
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_records_conflicts(program->device.replica, &emitter, &program->error);
    return program_end(program, status);
}

int command_resolve(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const char *reason = mq_option_get(line, "reason");
    int64_t keep = 0;
    enum mq_status status = MQ_OK;
    if (!number_read(mq_option_get(line, "keep"), &keep))
        status = mq_fail(&program->error, MQ_REFUSED,
                         _("say which value stands: --keep N, as `conflicts` counts them from 1"));
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK)
        status = mq_records_resolve(program->device.replica, mq_span_text(line->words[0]), mq_span_text(line->words[1]),
                                    keep, mq_span_text(reason == NULL ? "" : reason), &program->error);
    return program_end(program, status);
}
