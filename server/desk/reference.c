/* Reference data at the desk: codes, places, units, calendars, presets, the same in every team (replica/reference.h). */
#include "replica/reference.h"

#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "server/desk/call_keys.h"

#define FILE_MAX (8 * 1024 * 1024)

static enum mq_status find_kind(const char *word, const struct mq_kind **kind, struct mq_error *error)
{
    *kind = mq_kind_by_key(mq_span_text(word));
    return mq_reference_kind(*kind)
               ? MQ_OK
               : mq_fail(error, MQ_REFUSED, _("\"%s\" is no reference data; there are code, place, unit, calendar, preset"),
                         word);
}

/* What others wrote comes first; then the work, in all teams; then it is on its way. */
static enum mq_status write_all(struct mq_call *call,
                                enum mq_status (*work)(struct mq_call *, const struct mq_reference_teams *, void *,
                                                       struct mq_error *),
                                void *context, struct mq_error *error)
{
    struct mq_team *teams = NULL;
    size_t count = 0;
    enum mq_status status = mq_call_merge(call, error);
    if (status == MQ_OK)
        status = mq_desk_teams(call->desk, &teams, &count, error);
    const struct mq_reference_teams all = {.teams = teams, .count = count};
    if (status == MQ_OK)
        status = work(call, &all, context, error);
    free(teams);
    return status;
}

static void print_saved(struct mq_call *call, const struct mq_saved *saved)
{
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_text_value(&writer, saved->id);
    mq_json_key(&writer, "saved");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    if (saved->remark[0] != '\0')
        mq_say(call->talk, "minqingd: %s\n", saved->remark);
    if (mq_call_json(call))
        mq_call_print(call, mq_written(&out));
    else
        mq_say(call->out, _("Saved as \"%s\"; it goes to the devices with their next sync.\n"), saved->id);
    call->changed = true;
}

/* ---- add ---- */

static enum mq_status add_text(struct mq_call *call, const struct mq_reference_teams *teams, struct mq_span text,
                               struct mq_saved *saved, struct mq_error *error)
{
    struct mq_json *object;
    enum mq_status status = mq_json_parse(&object, text, error);
    if (status != MQ_OK)
        return status;
    status = mq_reference_add(call->desk->replica, teams, object, saved, error);
    mq_json_free(object);
    return status;
}

static enum mq_status add(struct mq_call *call, const struct mq_reference_teams *teams, void *context,
                          struct mq_error *error)
{
    const struct mq_buffer *object = context;
    struct mq_saved saved;
    enum mq_status status = add_text(call, teams, mq_written(object), &saved, error);
    if (status == MQ_OK)
        print_saved(call, &saved);
    return status;
}

enum mq_status mq_verb_reference_add(struct mq_call *call, struct mq_error *error)
{
    const struct mq_kind *kind;
    struct mq_buffer object = mq_buffer(malloc(MQ_OBJECT_MAX), MQ_OBJECT_MAX);
    mq_enough(object.data);
    enum mq_status status = find_kind(call->line->words[0], &kind, error);
    if (status == MQ_OK)
        status = mq_object_from_fields(kind, call->line->fields, (size_t)call->line->field_count, &object, error);
    if (status == MQ_OK)
        status = write_all(call, add, &object, error);
    free(object.data);
    return status;
}

/* ---- set ---- */

static enum mq_status set(struct mq_call *call, const struct mq_reference_teams *teams, void *context,
                          struct mq_error *error)
{
    const struct mq_command_line *line = call->line;
    struct mq_saved saved;
    (void)context;
    enum mq_status status = mq_reference_set(call->desk->replica, teams, mq_span_text(line->words[0]), line->words + 1,
                                             (size_t)line->word_count - 1, &saved, error);
    if (status == MQ_OK)
        print_saved(call, &saved);
    return status;
}

enum mq_status mq_verb_reference_set(struct mq_call *call, struct mq_error *error)
{
    return write_all(call, set, NULL, error);
}

/* ---- import ---- */

struct import {
    struct mq_buffer file;
    int64_t lines, saved, known, refused;
};

static enum mq_status import_line(struct mq_call *call, const struct mq_reference_teams *teams, struct import *import,
                                  struct mq_span line, struct mq_error *error)
{
    struct mq_saved saved;
    struct mq_error why = {0};
    import->lines++;
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    if (line.size == 0)
        return MQ_OK;
    enum mq_status status = add_text(call, teams, line, &saved, &why);
    if (status == MQ_REFUSED || status == MQ_NOT_FOUND) {
        import->refused++;
        fprintf(call->talk, _("line %lld: %s\n"), (long long)import->lines, why.text);
        return MQ_OK;
    }
    if (status != MQ_OK) {
        *error = why;
        return status;
    }
    import->saved += !saved.known;
    import->known += saved.known;
    return MQ_OK;
}

static void print_import(struct mq_call *call, const struct import *import)
{
    uint8_t memory[256];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "lines");
    mq_json_int_value(&writer, import->lines);
    mq_json_key(&writer, "saved");
    mq_json_int_value(&writer, import->saved);
    mq_json_key(&writer, "known");
    mq_json_int_value(&writer, import->known);
    mq_json_key(&writer, "refused");
    mq_json_int_value(&writer, import->refused);
    mq_json_end(&writer, '}');
    mq_call_print(call, mq_written(&out));
}

static enum mq_status import_all(struct mq_call *call, const struct mq_reference_teams *teams, void *context,
                                 struct mq_error *error)
{
    struct import *import = context;
    enum mq_status status = MQ_OK;
    for (size_t at = 0; at < import->file.size && status == MQ_OK;) {
        const uint8_t *start = import->file.data + at, *end = memchr(start, '\n', import->file.size - at);
        size_t size = end != NULL ? (size_t)(end - start) : import->file.size - at;
        status = import_line(call, teams, import, mq_span(start, size), error);
        at += size + 1;
    }
    call->changed = import->saved > 0;
    print_import(call, import);
    if (status == MQ_OK && import->refused > 0)
        return mq_fail(error, MQ_REFUSED, _("%lld of %lld lines were refused, see above; all others are saved"),
                       (long long)import->refused, (long long)import->lines);
    return status;
}

enum mq_status mq_verb_reference_import(struct mq_call *call, struct mq_error *error)
{
    const struct mq_platform *platform = call->desk->platform;
    char path[MQ_PATH_MAX];
    struct import import = {.file = mq_buffer(malloc(FILE_MAX), FILE_MAX)};
    mq_enough(import.file.data);
    enum mq_status status = mq_call_path(call, call->line->words[0], path, error);
    if (status == MQ_OK)
        status = platform->read(platform->self, path, &import.file, error);
    if (status == MQ_NOT_FOUND) {
        mq_error_clear(error);
        status = mq_fail(error, MQ_REFUSED, _("there is no file %s"), path);
    }
    if (status == MQ_OK)
        status = write_all(call, import_all, &import, error);
    free(import.file.data);
    return status;
}

/* ---- reading ---- */

enum mq_status mq_verb_reference_list(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const struct mq_kind *kind = NULL;
    enum mq_status status = MQ_OK;
    if (call->line->word_count > 0)
        status = find_kind(call->line->words[0], &kind, error);
    if (status == MQ_OK)
        status = mq_call_merge(call, error);
    for (size_t i = 0; i < mq_kind_count && status == MQ_OK; i++)
        if (mq_reference_kind(&mq_kinds[i]) && (kind == NULL || kind == &mq_kinds[i]))
            status = mq_records_list(call->desk->replica, &mq_kinds[i], mq_span(NULL, 0), 0, &emitter, error);
    return status;
}

enum mq_status mq_verb_reference_codes(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *list = call->line->word_count > 0 ? call->line->words[0] : "";
    enum mq_status status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_reference_codes(call->desk->replica, mq_span_text(list),
                                                mq_option_get(call->line, "all") != NULL, &emitter, error)
                           : status;
}
