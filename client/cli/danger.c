/* The card of numbers that stands before everything else where somebody is in danger: phone now, write later. */
#include <stdio.h>
#include <string.h>

#include "client/cli/program.h"
#include "platform/terminal.h"
#include "protocol/record.h"
#include "replica/catalogue.h"

static bool calls_first(const struct mq_kind *kind, const char *key, const struct mq_json *value)
{
    const struct mq_field *field = mq_field_by_key(kind, mq_span_text(key));
    if (field == NULL || field->type != MQ_TYPE_CODE || mq_json_type(value) != MQ_JSON_STRING)
        return false;
    const struct mq_code *code = mq_code_by_text(field->codes, mq_json_string(value));
    return code != NULL && (code->flags & MQ_CODE_CALL_FIRST) != 0;
}

bool program_danger(struct mq_span object)
{
    struct mq_error unread = {0};
    struct mq_json *record;
    void *iterator = NULL;
    const char *key;
    const struct mq_json *value;
    bool danger = false;
    if (mq_json_parse(&record, object, &unread) != MQ_OK)
        return false; /* the parser that takes it in will say what is wrong */
    const struct mq_json *named = mq_json_get(record, "kind");
    const struct mq_kind *kind = named != NULL && mq_json_type(named) == MQ_JSON_STRING
                                     ? mq_kind_by_key(mq_json_string(named))
                                     : NULL;
    while (kind != NULL && !danger && mq_json_each(record, &iterator, &key, &value))
        danger = calls_first(kind, key, value);
    mq_json_free(record);
    if (danger)
        fputs(_("Phone now: 110, the township's police station, the county's civil affairs office. An ambulance: 120.\n"
                "Write it down afterwards: your words are enough; --called says who was phoned.\n"),
              stderr);
    return danger;
}

enum mq_status program_danger_numbers(struct program *program)
{
    const struct mq_unit *units[MQ_EMERGENCY_MAX];
    size_t count;
    enum mq_status status = mq_catalogue_emergency(program->device.replica, units, &count, &program->error);
    for (size_t i = 0; status == MQ_OK && i < count; i++)
        for (size_t p = 0; p < units[i]->phone_count; p++)
            mq_say(stderr, "  %s  %s\n", units[i]->phones[p].number, units[i]->name);
    return status;
}
