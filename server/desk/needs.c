/* The life of a need at the desk: moving it along, what is to be done today, closing what is over. */
#include "replica/needs.h"

#include <string.h>

#include "server/desk/call_keys.h"

#define CLOSE_DAYS 7 /* after the villager was told, where nothing else is said */

enum mq_status mq_verb_desk_step(struct mq_call *call, struct mq_error *error)
{
    const struct mq_command_line *line = call->line;
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *step = strcmp(line->words[1], "tell") == 0 ? NULL : line->words[1];
    enum mq_status status = mq_desk_sync(call->desk, error);
    if (status == MQ_OK)
        status = mq_needs_step(call->desk->replica, mq_span_text(line->words[0]), step, line->fields,
                               (size_t)line->field_count, &emitter, error);
    call->changed = status == MQ_OK;
    return status;
}

enum mq_status mq_verb_desk_today(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *unit = mq_option_get(call->line, "unit");
    enum mq_status status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_needs_desk_today(call->desk->replica, mq_span_text(unit == NULL ? "" : unit), &emitter, error)
                           : status;
}

enum mq_status mq_verb_desk_close_due(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *given = mq_option_get(call->line, "days");
    int64_t days = CLOSE_DAYS;
    enum mq_status status = given == NULL ? MQ_OK : mq_call_number(given, "--days", 0, 366, &days, error);
    if (status == MQ_OK)
        status = mq_desk_sync(call->desk, error);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    return mq_needs_close_due(call->desk->replica, (int32_t)days, &emitter, error);
}

enum mq_status mq_verb_desk_set(struct mq_call *call, struct mq_error *error)
{
    const struct mq_command_line *line = call->line;
    const char *reason = mq_option_get(line, "reason");
    struct mq_saved saved;
    enum mq_status status = mq_desk_sync(call->desk, error);
    if (status == MQ_OK)
        status = mq_records_set(call->desk->replica, mq_span_text(line->words[0]), line->words + 1,
                                (size_t)line->word_count - 1, mq_span_text(reason == NULL ? "" : reason), &saved, error);
    call->changed = status == MQ_OK;
    if (status != MQ_OK)
        return status;
    uint8_t memory[1024];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_text_value(&writer, saved.id);
    if (saved.masked > 0) {
        mq_json_key(&writer, "masked");
        mq_json_int_value(&writer, (int64_t)saved.masked);
    }
    mq_json_key(&writer, "saved");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    mq_call_print(call, mq_written(&out));
    return MQ_OK;
}
