/* One value of the record format, encoded: every refusal says which key, what stood there, and what would be right. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "protocol/mask.h"
#include "replica/catalogue.h"
#include "replica/convert.h"
#include "replica/matter.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define SHOWN_MAX 60 /* bytes of a refused value that the message repeats */

struct parse_context {
    struct mq_replica *replica;
    const struct mq_team *team;
    const struct mq_field *field;
    struct mq_buffer *memory;
    struct mq_remarks *remarks;
    struct mq_error *error;
};

static enum mq_status wrong_type(const struct parse_context *context, const char *expected)
{
    return mq_fail(context->error, MQ_REFUSED, _("\"%s\" should be %s"), context->field->key, expected);
}

/* Codes that would be right today, as far as they fit a message. */
static void list_codes(const struct mq_code_list *list, int32_t today, char *out, size_t capacity)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        const struct mq_code *code = &list->codes[i];
        if (!mq_code_offered(code, today))
            continue;
        int length = snprintf(out + used, capacity - used, "%s%s%s%s", used == 0 ? "" : "、",
                              code->text != NULL ? code->text : "", code->text != NULL ? " " : "", code->label);
        if (length < 0 || (size_t)length >= capacity - used) {
            out[used] = '\0';
            return;
        }
        used += (size_t)length;
    }
}

static enum mq_status wrong_value(const struct parse_context *context, struct mq_span text)
{
    const struct mq_field *field = context->field;
    int size = text.size < SHOWN_MAX ? (int)text.size : SHOWN_MAX;
    const char *shown = (const char *)text.data;
    char codes[MQ_ERROR_TEXT_SIZE / 2];
    switch (field->type) {
    case MQ_TYPE_CODE:
        list_codes(field->codes, mq_catalogue_today(context->replica), codes, sizeof codes);
        return mq_fail(context->error, MQ_REFUSED, _("\"%s\": \"%.*s\" is not in the list; it has %s"), field->key,
                       size, shown, codes);
    case MQ_TYPE_DATE:
        return mq_fail(context->error, MQ_REFUSED, _("\"%s\": \"%.*s\" is no date; write it as 2026-11-05"), field->key,
                       size, shown);
    case MQ_TYPE_COUNT:
        return mq_fail(context->error, MQ_REFUSED, _("\"%s\": \"%.*s\" is no number from 0 to %u"), field->key, size,
                       shown, field->most);
    case MQ_TYPE_BOOL: return mq_fail(context->error, MQ_REFUSED, _("\"%s\": write true or false"), field->key);
    case MQ_TYPE_PLACE:
        return mq_fail(context->error, MQ_REFUSED, _("\"%s\": \"%.*s\" is neither a 12-digit code nor a place's name"),
                       field->key, size, shown);
    case MQ_TYPE_ID:
        return mq_fail(context->error, MQ_REFUSED, _("\"%s\" should be 1 to %d bytes without control characters"),
                       field->key, MQ_RECORD_ID_TEXT_MAX);
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
    case MQ_TYPE_REFERENCE:
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES:
    case MQ_TYPE_LIFE: break;
    }
    return mq_fail(context->error, MQ_REFUSED,
                   _("\"%s\" is empty, has control characters, or is longer than %u bytes (%zu)"), field->key,
                   field->most, text.size);
}

/* A copy of the text in memory with numbers that must not be stored replaced by their masks. */
static enum mq_status masked_copy(const struct parse_context *context, struct mq_span text, struct mq_span *out)
{
    uint8_t *copy = mq_reserve(context->memory, text.size);
    if (copy == NULL)
        return mq_fail(context->error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    context->remarks->masked += mq_mask(copy, text.size, !(context->field->flags & MQ_FIELD_UNSCANNED));
    *out = mq_span(copy, text.size);
    return MQ_OK;
}

__attribute__((format(printf, 2, 3))) static void remark(const struct parse_context *context, const char *format, ...)
{
    struct mq_remarks *remarks = context->remarks;
    va_list arguments;
    if (!remarks->typed || remarks->text[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(remarks->text, sizeof remarks->text, format, arguments);
    va_end(arguments);
}

/* A code that is out of use is accepted, because whoever was on the way when it was retired loses nothing; a person is
 * told which one came in its place. A number that no list here has may be another desk's: from a file it is kept. */
static enum mq_status remark_code(const struct parse_context *context, struct mq_span text, struct mq_span value)
{
    const struct mq_code_list *list = context->field->codes;
    struct mq_reader reader = mq_reader(value);
    const struct mq_code *code = mq_code_by_number(list, mq_cbor_uint(&reader));
    if (code == NULL)
        return context->remarks->typed ? wrong_value(context, text) : MQ_OK;
    int32_t today = mq_catalogue_today(context->replica);
    if (mq_code_offered(code, today))
        return MQ_OK;
    const struct mq_code *instead = mq_code_by_number(list, code->replaced_by);
    if (code->to == 0 || today <= code->to)
        remark(context, _("\"%s\": %s is not offered yet; it is saved"), context->field->key, code->label);
    else if (instead != NULL)
        remark(context, _("\"%s\": %s is out of use, %s took its place; it is saved as you said"), context->field->key,
               code->label, instead->label);
    else
        remark(context, _("\"%s\": %s is out of use; it is saved as you said"), context->field->key, code->label);
    return MQ_OK;
}

/* A place that no list here has is kept: lists are late, and people know where they are. A name is unknown only where
 * there is a list of names. */
static enum mq_status remark_place(const struct parse_context *context, struct mq_span text, struct mq_span value)
{
    const struct mq_place *const *places, *place;
    size_t count;
    struct mq_reader reader = mq_reader(value);
    enum mq_status status = mq_catalogue_places(context->replica, &places, &count, context->error);
    if (status == MQ_OK)
        status = mq_catalogue_place(context->replica, value, &place, context->error);
    if (status != MQ_OK || place != NULL || (count == 0 && mq_cbor_next(&reader).type == MQ_CBOR_TEXT))
        return status;
    context->remarks->unknown_places++;
    remark(context, _("\"%s\": \"%.*s\" is in no list of places here; it is kept as it is"), context->field->key,
           (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), (const char *)text.data);
    return MQ_OK;
}

static enum mq_status encode_text(const struct parse_context *context, struct mq_span text, struct mq_buffer *out)
{
    const struct mq_field *field = context->field;
    struct mq_span masked = text;
    if (field->type == MQ_TYPE_ID) {
        if (field->number == MQ_FIELD_ID && mq_is_resident_id(text))
            return mq_fail(context->error, MQ_REFUSED,
                           _("\"id\" is a resident ID number; these are never stored. Give the record another id"));
    } else {
        enum mq_status status = masked_copy(context, text, &masked);
        if (status != MQ_OK)
            return status;
    }
    size_t start = out->size;
    if (mq_value_from_text(field, masked, out) != MQ_OK || out->failed ||
        !mq_value_valid(field, mq_span(out->data + start, out->size - start)))
        return wrong_value(context, masked);
    struct mq_span value = mq_span(out->data + start, out->size - start);
    return field->type == MQ_TYPE_CODE ? remark_code(context, masked, value)
           : field->type == MQ_TYPE_PLACE ? remark_place(context, masked, value)
                                          : MQ_OK;
}

static enum mq_status not_two(const struct parse_context *context, struct mq_span text, struct mq_span id,
                              const uint8_t canonical[MQ_ID_SIZE])
{
    bool other = false;
    enum mq_status status =
        mq_matter_twice(context->replica, context->field->target, id, canonical, &other, context->error);
    if (status == MQ_OK && other)
        return mq_fail(context->error, MQ_REFUSED,
                       _("\"%s\": several records are called \"%.*s\", and they are not for the same people to read; nothing was "
                         "saved, so that nothing is told to the wrong ones"),
                       context->field->key, (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), (const char *)text.data);
    return status;
}

static enum mq_status encode_reference(const struct parse_context *context, struct mq_span text, struct mq_buffer *out)
{
    const struct mq_kind *target = mq_kind_by_number(context->field->target);
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8], canonical[MQ_ID_SIZE];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    struct mq_matter matter = {.kind = 0};
    MQ_ASSERT(target != NULL);
    enum mq_status status = MQ_NOT_FOUND;
    if (mq_value_from_text(mq_field_by_number(target, MQ_FIELD_ID), text, &id) == MQ_OK)
        status = mq_view_by_id(context->replica, context->team->team, target->number, mq_written(&id), canonical,
                               context->error);
    if (status == MQ_OK)
        status = not_two(context, text, mq_written(&id), canonical);
    if (status == MQ_NOT_FOUND && id.size > 0) { /* one that was sealed here */
        status = mq_matter_by_id(context->replica, target->number, mq_written(&id), &matter, context->error);
        memcpy(canonical, matter.record, sizeof canonical);
    }
    if (status == MQ_NOT_FOUND)
        return mq_fail(context->error, MQ_REFUSED,
                       _("\"%s\": there is no %s \"%.*s\" here; it must stand in an earlier line"), context->field->key,
                       target->key, (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), (const char *)text.data);
    if (status == MQ_OK)
        mq_put_reference(out, canonical);
    return status;
}

static enum mq_status encode_phone(const struct parse_context *context, const struct mq_json *item,
                                   struct mq_buffer *out)
{
    void *iterator = NULL;
    const char *key;
    const struct mq_json *value, *number = NULL, *whose = NULL;
    if (mq_json_type(item) != MQ_JSON_OBJECT)
        return wrong_type(context, _("a list of objects with number and whose"));
    while (mq_json_each(item, &iterator, &key, &value)) {
        if (strcmp(key, "number") == 0 && mq_json_type(value) == MQ_JSON_STRING)
            number = value;
        else if (strcmp(key, "whose") == 0 && mq_json_type(value) == MQ_JSON_STRING)
            whose = value;
        else
            return wrong_type(context, _("a list of objects with number and whose"));
    }
    if (number == NULL)
        return wrong_type(context, _("a list of objects with number and whose"));
    struct mq_span text;
    enum mq_status status = masked_copy(context, mq_json_string(number), &text);
    if (status != MQ_OK)
        return status;
    mq_cbor_put_array(out, 2);
    mq_cbor_put_text(out, text);
    if (whose == NULL) {
        mq_cbor_put_null(out);
        return MQ_OK;
    }
    status = masked_copy(context, mq_json_string(whose), &text);
    if (status == MQ_OK)
        mq_cbor_put_text(out, text);
    return status;
}

/* A day of a list, by the words of a date field. */
static enum mq_status encode_day(const struct parse_context *context, const struct mq_json *json, struct mq_buffer *out)
{
    const struct mq_field day = {.key = context->field->key, .type = MQ_TYPE_DATE};
    struct parse_context inside = *context;
    inside.field = &day;
    return mq_json_type(json) == MQ_JSON_STRING ? encode_text(&inside, mq_json_string(json), out)
                                                : wrong_type(context, _("a date such as 2026-11-05"));
}

/* {"code": "990527103204", "from": "2020-01-01", "to": "2026-11-30"}, the days where they are known. */
static enum mq_status encode_dated_code(const struct parse_context *context, const struct mq_json *item,
                                        struct mq_buffer *out)
{
    static const char *const days[] = {"from", "to"};
    const struct mq_field place = {.key = context->field->key, .type = MQ_TYPE_PLACE};
    const struct mq_json *code = mq_json_type(item) == MQ_JSON_OBJECT ? mq_json_get(item, "code") : NULL;
    struct parse_context inside = *context;
    inside.field = &place;
    if (code == NULL || mq_json_type(code) != MQ_JSON_STRING)
        return wrong_type(context, _("a list of objects with code, from and to"));
    mq_cbor_put_array(out, 3);
    enum mq_status status = encode_text(&inside, mq_json_string(code), out);
    for (size_t i = 0; i < 2 && status == MQ_OK; i++) {
        const struct mq_json *day = mq_json_get(item, days[i]);
        if (day != NULL && mq_json_type(day) != MQ_JSON_NULL)
            status = encode_day(context, day, out);
        else
            mq_cbor_put_null(out);
    }
    return status;
}

static enum mq_status list_size(const struct parse_context *context, const struct mq_json *json, size_t *count)
{
    if (mq_json_type(json) != MQ_JSON_ARRAY)
        return wrong_type(context, _("a list in brackets"));
    *count = mq_json_size(json);
    return *count <= MQ_SET_MAX ? MQ_OK
                                : mq_fail(context->error, MQ_REFUSED, _("\"%s\" has %zu entries; at most %d are kept"),
                                          context->field->key, *count, MQ_SET_MAX);
}

static enum mq_status encode_listed_text(const struct parse_context *context, struct mq_span text, struct mq_buffer *out)
{
    struct mq_span masked;
    enum mq_status status = masked_copy(context, text, &masked);
    if (status == MQ_OK)
        mq_cbor_put_text(out, masked);
    return status;
}

static enum mq_status encode_item(const struct parse_context *context, const struct mq_json *item, struct mq_buffer *out)
{
    const enum mq_field_type type = context->field->type;
    if (type == MQ_TYPE_PHONES)
        return encode_phone(context, item, out);
    if (type == MQ_TYPE_DATES)
        return encode_day(context, item, out);
    if (type == MQ_TYPE_DATED_CODES)
        return encode_dated_code(context, item, out);
    if (mq_json_type(item) != MQ_JSON_STRING)
        return wrong_type(context, _("a list of texts"));
    return type == MQ_TYPE_TEXTS ? encode_listed_text(context, mq_json_string(item), out)
                                 : encode_reference(context, mq_json_string(item), out);
}

static enum mq_status encode_list(const struct parse_context *context, const struct mq_json *json,
                                  struct mq_buffer *out)
{
    size_t count;
    enum mq_status status = list_size(context, json, &count);
    if (status == MQ_OK)
        mq_cbor_put_array(out, count);
    for (size_t i = 0; status == MQ_OK && i < count; i++)
        status = encode_item(context, mq_json_item(json, i), out);
    return status;
}

static enum mq_status encode_one(const struct parse_context *context, const struct mq_json *json, struct mq_buffer *out)
{
    enum mq_json_type type = mq_json_type(json);
    char number[24];
    switch (context->field->type) {
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES: return encode_list(context, json, out);
    case MQ_TYPE_REFERENCE:
        return type == MQ_JSON_STRING ? encode_reference(context, mq_json_string(json), out)
                                      : wrong_type(context, _("the id of a record"));
    case MQ_TYPE_BOOL:
        if (type == MQ_JSON_BOOL) {
            mq_cbor_put_bool(out, mq_json_bool(json));
            return MQ_OK;
        }
        return type == MQ_JSON_STRING ? encode_text(context, mq_json_string(json), out)
                                      : wrong_type(context, _("true or false"));
    case MQ_TYPE_COUNT:
        if (type == MQ_JSON_INTEGER) {
            snprintf(number, sizeof number, "%lld", (long long)mq_json_integer(json));
            return encode_text(context, mq_span_text(number), out);
        }
        return type == MQ_JSON_STRING ? encode_text(context, mq_json_string(json), out)
                                      : wrong_type(context, _("a whole number"));
    case MQ_TYPE_ID:
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
    case MQ_TYPE_DATE:
    case MQ_TYPE_CODE:
    case MQ_TYPE_PLACE: break;
    case MQ_TYPE_LIFE: /* never in the record format */ return wrong_type(context, _("left out"));
    }
    return type == MQ_JSON_STRING ? encode_text(context, mq_json_string(json), out)
                                  : wrong_type(context, _("a text in quotes"));
}

/* Of a set: each element once. */
static enum mq_status encode_set(const struct parse_context *context, const struct mq_json *json, struct mq_buffer *out)
{
    size_t count, kept = 0;
    enum mq_status status = list_size(context, json, &count);
    struct mq_span elements[MQ_SET_MAX];
    if (status != MQ_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        uint8_t memory[MQ_SHORT_TEXT_MAX + MQ_RECORD_ID_TEXT_MAX];
        struct mq_buffer element = mq_buffer(memory, sizeof memory);
        status = encode_one(context, mq_json_item(json, i), &element);
        if (status != MQ_OK)
            return status;
        size_t same = 0;
        while (same < kept && !mq_span_equal(elements[same], mq_written(&element)))
            same++;
        if (same < kept)
            continue;
        uint8_t *copy = mq_reserve(context->memory, element.size);
        if (copy == NULL)
            return mq_fail(context->error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
        memcpy(copy, element.data, element.size);
        elements[kept++] = mq_span(copy, element.size);
    }
    mq_cbor_put_array(out, kept);
    for (size_t i = 0; i < kept; i++)
        mq_put_span(out, elements[i]);
    return MQ_OK;
}

enum mq_status mq_parse_value(struct mq_replica *replica, const struct mq_team *team, const struct mq_field *field,
                              const struct mq_json *json, struct mq_buffer *memory, struct mq_remarks *remarks,
                              struct mq_span *value, struct mq_error *error)
{
    struct mq_field in_force;
    const struct parse_context context = {
        .replica = replica, .team = team, .field = &in_force, .memory = memory, .remarks = remarks, .error = error};
    enum mq_status known = mq_catalogue_field(replica, field, &in_force, error);
    if (known != MQ_OK)
        return known;
    uint8_t *scratch = mq_work_memory(MQ_CHANGE_MAX);
    struct mq_buffer out = mq_buffer(scratch, MQ_CHANGE_MAX);
    enum mq_status status =
        field->merge == MQ_MERGE_SET ? encode_set(&context, json, &out) : encode_one(&context, json, &out);
    if (status == MQ_OK && field->merge != MQ_MERGE_SET && !mq_value_valid(field, mq_written(&out)))
        status =
            mq_fail(error, MQ_REFUSED, _("\"%s\" has too many entries, or one that is empty or too long"), field->key);
    uint8_t *copy = status == MQ_OK && !out.failed ? mq_reserve(memory, out.size) : NULL;
    if (status == MQ_OK && copy == NULL)
        status = mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    if (status == MQ_OK) {
        memcpy(copy, out.data, out.size);
        *value = mq_span(copy, out.size);
    }
    mq_work_free(scratch, out.size);
    return status;
}

/* What was said of a field by now. */
struct said {
    struct mq_span texts[1 + MQ_SET_MAX];
    size_t count;
};

/* Of one text: nothing is left in `out` where it says what was said already. */
static enum mq_status encode_later(const struct parse_context *context, const struct mq_json *item, struct said *said,
                                   struct mq_buffer *out)
{
    size_t start = out->size, same = 0;
    if (mq_json_type(item) != MQ_JSON_STRING)
        return wrong_type(context, _("a list of texts"));
    enum mq_status status = encode_text(context, mq_json_string(item), out);
    struct mq_span value = mq_span(out->data + start, out->size - start);
    while (same < said->count && !mq_span_equal(said->texts[same], value))
        same++;
    if (same < said->count)
        out->size = start;
    else
        said->texts[said->count++] = value;
    return status;
}

enum mq_status mq_parse_later(struct mq_replica *replica, const struct mq_team *team, const char *key,
                              const struct mq_json *json, struct mq_parsed *out, struct mq_parsed_field *given,
                              struct mq_error *error)
{
    struct mq_field in_force;
    const struct parse_context context = {.replica = replica,
                                          .team = team,
                                          .field = &in_force,
                                          .memory = &out->memory,
                                          .remarks = &out->remarks,
                                          .error = error};
    struct said said = {.texts = {given->value}, .count = 1};
    size_t count = 0;
    enum mq_status status = mq_catalogue_field(replica, given->field, &in_force, error);
    in_force.key = key;
    if (status == MQ_OK)
        status = list_size(&context, json, &count);
    if (status != MQ_OK)
        return status;
    uint8_t *scratch = mq_work_memory(MQ_LINE_MAX);
    struct mq_buffer later = mq_buffer(scratch, MQ_LINE_MAX);
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = encode_later(&context, mq_json_item(json, i), &said, &later);
    uint8_t *copy = status == MQ_OK ? mq_reserve(&out->memory, later.size) : NULL;
    if (status == MQ_OK && copy == NULL)
        status = mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    if (status == MQ_OK) {
        memcpy(copy, later.data, later.size);
        given->later = mq_span(copy, later.size);
    }
    mq_work_free(scratch, MQ_LINE_MAX); /* what was said twice stands behind the end */
    return status;
}
