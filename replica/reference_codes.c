/* The codes in force, for people and scripts. */
#include <stdio.h>

#include "replica/catalogue.h"
#include "replica/reference.h"
#include "replica/replica_keys.h"

static void put_day(struct mq_json_writer *writer, const char *key, int32_t day)
{
    char text[11];
    if (day == 0)
        return;
    mq_date_print(text, day);
    mq_json_key(writer, key);
    mq_json_text_value(writer, text);
}

static enum mq_status emit_code(const struct mq_code_list *list, const struct mq_code *code,
                                const struct mq_emitter *emitter, struct mq_error *error)
{
    uint8_t memory[64 * MQ_SHORT_TEXT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "list", list->name);
    mq_json_key(&writer, "code");
    mq_json_int_value(&writer, code->code);
    mq_json_text_pair(&writer, "text", code->text);
    mq_json_text_pair(&writer, "label", code->label);
    mq_json_text_pair(&writer, "alias", code->alias);
    put_day(&writer, "from", code->from);
    put_day(&writer, "to", code->to);
    if (code->replaced_by != 0) {
        mq_json_key(&writer, "replaced_by");
        mq_json_int_value(&writer, code->replaced_by);
    }
    if (code->flags & MQ_CODE_RESTRICTED) {
        mq_json_key(&writer, "restricted");
        mq_json_bool_value(&writer, true);
    }
    mq_json_text_pair(&writer, "unit", code->unit);
    mq_json_end(&writer, '}');
    if (out.failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return emitter->emit(emitter->context, mq_written(&out), error);
}

enum mq_status mq_reference_codes(struct mq_replica *replica, struct mq_span name, bool all,
                                  const struct mq_emitter *emitter, struct mq_error *error)
{
    int32_t today = mq_catalogue_today(replica);
    const struct mq_code_list *list;
    enum mq_status status = MQ_OK;
    if (name.size > 0 && mq_code_list_by_name(name) == NULL)
        return mq_fail(error, MQ_REFUSED, _("there is no list \"%.*s\"; `reference` without a name shows all of them"),
                       (int)name.size, (const char *)name.data);
    for (size_t i = 0; i < mq_code_list_count && status == MQ_OK; i++) {
        if (name.size > 0 && !mq_span_equal(mq_span_text(mq_code_lists[i]->name), name))
            continue;
        status = mq_catalogue_codes(replica, mq_code_lists[i], &list, error);
        for (size_t c = 0; status == MQ_OK && c < list->count; c++)
            if (all || mq_code_offered(&list->codes[c], today))
                status = emit_code(list, &list->codes[c], emitter, error);
    }
    return status;
}
