/* --FIELD VALUE pairs of a command line as an object of the record format. */
#include <string.h>

#include "replica/records.h"

/* The pairs of one set, from the first of them on, as a list; of anything else the one pair. */
static enum mq_status put_pair(const struct mq_field *field, const struct mq_field_value *pairs, size_t count, size_t at,
                               struct mq_json_writer *writer, struct mq_error *error)
{
    const char *name = pairs[at].name;
    bool set = field != NULL && field->merge == MQ_MERGE_SET;
    mq_json_key(writer, name);
    if (!set && field != NULL && mq_type_is_list(field->type)) { /* JSON already */
        mq_put_text(writer->out, pairs[at].value);
        writer->comma = true;
        return MQ_OK;
    }
    if (set)
        mq_json_begin(writer, '[');
    for (size_t i = at; i < (set ? count : at + 1); i++) {
        struct mq_span value = mq_span_text(pairs[i].value);
        if (strcmp(pairs[i].name, name) != 0)
            continue;
        if (!mq_utf8_valid(value))
            return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), name);
        mq_json_string_value(writer, value);
    }
    if (set)
        mq_json_end(writer, ']');
    return MQ_OK;
}

enum mq_status mq_object_from_fields(const struct mq_kind *kind, const struct mq_field_value *pairs, size_t count,
                                     struct mq_buffer *out, struct mq_error *error)
{
    struct mq_json_writer writer = {.out = out};
    enum mq_status status = MQ_OK;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, kind->key);
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        const struct mq_field *field = mq_field_by_key(kind, mq_span_text(pairs[i].name));
        bool first = true;
        for (size_t j = 0; j < i && field != NULL && field->merge == MQ_MERGE_SET; j++)
            first = first && strcmp(pairs[j].name, pairs[i].name) != 0;
        if (first)
            status = put_pair(field, pairs, count, i, &writer, error);
    }
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out->failed)
        return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return status;
}
