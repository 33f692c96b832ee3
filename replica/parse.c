/* The record format into a record: its keys into fields, what is missing made or asked for. */
#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/convert.h"
#include "replica/replica_keys.h"

const struct mq_parsed_field *mq_parsed_find(const struct mq_parsed *parsed, uint8_t number)
{
    for (size_t i = 0; i < parsed->count; i++)
        if (parsed->fields[i].field->number == number)
            return &parsed->fields[i];
    return NULL;
}

/* Fields stand by number, as the change's map wants them. */
enum mq_status mq_parsed_put(struct mq_parsed *parsed, const struct mq_field *field, struct mq_span value,
                             struct mq_error *error)
{
    if (parsed->count == MQ_FIELDS_MAX || mq_parsed_find(parsed, field->number) != NULL)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is given twice"), field->key);
    size_t at = parsed->count++;
    while (at > 0 && parsed->fields[at - 1].field->number > field->number) {
        parsed->fields[at] = parsed->fields[at - 1];
        at--;
    }
    parsed->fields[at] = (struct mq_parsed_field){.field = field, .value = value};
    return MQ_OK;
}

static enum mq_status parse_key(struct mq_replica *replica, const struct mq_team *team, const char *key,
                                const struct mq_json *value, struct mq_parsed *out, struct mq_error *error)
{
    if (mq_json_type(value) == MQ_JSON_NULL)
        return MQ_OK; /* not said */
    const struct mq_field *field = mq_field_by_key(out->kind, mq_span_text(key));
    bool given = field != NULL && (field->flags & MQ_FIELD_MADE) &&
                 field->type == MQ_TYPE_REFERENCE; /* by the program, from the screen */
    if (field == NULL || field->number < MQ_FIELD_ID || given)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is no key of a %s; nothing of this record was saved"), key,
                       out->kind->key);
    struct mq_span encoded;
    enum mq_status status = mq_parse_value(replica, team, field, value, &out->memory, &out->remarks, &encoded, error);
    return status == MQ_OK ? mq_parsed_put(out, field, encoded, error) : status;
}

/* {"checks": {"住房": "好"}} is the field "checks.住房". */
static enum mq_status parse_nested(struct mq_replica *replica, const struct mq_team *team, const char *key,
                                   const struct mq_json *object, struct mq_parsed *out, struct mq_error *error)
{
    void *iterator = NULL;
    const char *inner;
    const struct mq_json *value;
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_json_each(object, &iterator, &inner, &value)) {
        char path[128];
        int length = snprintf(path, sizeof path, "%s.%s", key, inner);
        if (length < 0 || (size_t)length >= sizeof path)
            return mq_fail(error, MQ_REFUSED, _("\"%s\" is no key of a %s; nothing of this record was saved"), inner,
                           out->kind->key);
        status = parse_key(replica, team, path, value, out, error);
    }
    return status;
}

/* The field of words of which `key` says what was said later; NULL: of none. */
static const struct mq_field *later_of(const struct mq_kind *kind, const char *key)
{
    char own[MQ_LATER_KEY_SIZE];
    for (size_t i = 0; i < kind->field_count; i++) {
        if (kind->fields[i].merge != MQ_MERGE_WORDS)
            continue;
        mq_later_key(own, &kind->fields[i]);
        if (strcmp(key, own) == 0)
            return &kind->fields[i];
    }
    return NULL;
}

/* After all keys, since it stands beside what one of them says first. */
static enum mq_status parse_later(struct mq_replica *replica, const struct mq_team *team, const struct mq_json *object,
                                  struct mq_parsed *out, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < out->kind->field_count && status == MQ_OK; i++) {
        const struct mq_field *field = &out->kind->fields[i];
        char key[MQ_LATER_KEY_SIZE];
        size_t at = 0;
        if (field->merge != MQ_MERGE_WORDS)
            continue;
        mq_later_key(key, field);
        const struct mq_json *list = mq_json_get(object, key);
        if (list == NULL || mq_json_type(list) == MQ_JSON_NULL)
            continue;
        while (at < out->count && out->fields[at].field != field)
            at++;
        if (at == out->count)
            return mq_fail(error, MQ_REFUSED, _("a %s needs \"%s\""), out->kind->key, field->key);
        status = mq_parse_later(replica, team, key, list, out, &out->fields[at], error);
    }
    return status;
}

static enum mq_status make_missing_id(struct mq_replica *replica, struct mq_parsed *out, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_number(out->kind, MQ_FIELD_ID);
    uint8_t uuid[MQ_ID_SIZE];
    uint64_t milliseconds = (uint64_t)mq_now(replica->platform) * 1000;
    mq_random(replica->platform, uuid, sizeof uuid);
    for (int i = 0; i < 6; i++) /* RFC 9562, version 7 */
        uuid[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
    uuid[6] = (uint8_t)(0x70 | (uuid[6] & 0x0f));
    uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3f));
    size_t start = out->memory.size;
    if (out->made_id.size == 0)
        mq_cbor_put_bytes(&out->memory, MQ_SPAN(uuid));
    else if (mq_value_from_text(field, out->made_id, &out->memory) != MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("\"id\" should be 1 to %d bytes without control characters"),
                       MQ_RECORD_ID_TEXT_MAX);
    MQ_ASSERT(!out->memory.failed);
    return mq_parsed_put(out, field, mq_span(out->memory.data + start, out->memory.size - start), error);
}

/* Who writes down what happened at the door should not have to say which day it is. */
static enum mq_status make_missing_dates(struct mq_replica *replica, struct mq_parsed *out, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < out->kind->field_count && status == MQ_OK; i++) {
        const struct mq_field *field = &out->kind->fields[i];
        if (field->type != MQ_TYPE_DATE || !(field->flags & MQ_FIELD_REQUIRED) || mq_parsed_find(out, field->number) != NULL)
            continue;
        size_t start = out->memory.size;
        mq_cbor_put_uint(&out->memory, (uint64_t)mq_catalogue_today(replica));
        MQ_ASSERT(!out->memory.failed);
        status = mq_parsed_put(out, field, mq_span(out->memory.data + start, out->memory.size - start), error);
    }
    return status;
}

static enum mq_status check_needed(const struct mq_parsed *parsed, struct mq_error *error)
{
    const struct mq_kind *kind = parsed->kind;
    for (size_t i = 0; i < kind->field_count; i++)
        if ((kind->fields[i].flags & MQ_FIELD_REQUIRED) && mq_parsed_find(parsed, kind->fields[i].number) == NULL)
            return mq_fail(error, MQ_REFUSED, _("a %s needs \"%s\""), kind->key, kind->fields[i].key);
    for (size_t i = 0; i < kind->one_of_count; i++) {
        bool found = false;
        char names[128] = "";
        size_t used = 0;
        for (size_t j = 0; j < 4 && kind->one_of[i][j] != 0; j++) {
            const struct mq_field *field = mq_field_by_number(kind, kind->one_of[i][j]);
            found = found || mq_parsed_find(parsed, field->number) != NULL;
            used += (size_t)snprintf(names + used, sizeof names - used, "%s\"%s\"", j == 0 ? "" : " / ", field->key);
        }
        if (!found)
            return mq_fail(error, MQ_REFUSED, _("a %s needs one of %s"), kind->key, names);
    }
    return MQ_OK;
}

static uint64_t code_number(const struct mq_parsed_field *given)
{
    struct mq_reader reader = mq_reader(given->value);
    return mq_cbor_uint(&reader);
}

/* 0401 is 04: where the first level is not said, it is known; where another one is said, somebody is mistaken. */
static enum mq_status complete_levels(struct mq_parsed *out, struct mq_error *error)
{
    for (size_t i = 0; i < out->count; i++) {
        const struct mq_field *field = out->fields[i].field, *first = mq_field_first_level(out->kind, field);
        if (first == NULL)
            continue;
        uint64_t number = code_number(&out->fields[i]) / MQ_CODE_CHILDREN;
        const struct mq_parsed_field *given = mq_parsed_find(out, first->number);
        if (given != NULL && code_number(given) != number)
            return mq_fail(error, MQ_REFUSED, _("\"%s\" %04u belongs to \"%s\" %02u, not to %02u; leave one of them out"),
                           field->key, (unsigned)code_number(&out->fields[i]), first->key, (unsigned)number,
                           (unsigned)code_number(given));
        if (given != NULL || number == 0)
            continue;
        size_t start = out->memory.size;
        mq_cbor_put_uint(&out->memory, number);
        if (out->memory.failed)
            return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
        return mq_parsed_put(out, first, mq_span(out->memory.data + start, out->memory.size - start), error);
    }
    return MQ_OK;
}

enum mq_status mq_parse_record(struct mq_replica *replica, const struct mq_team *team, const struct mq_json *object,
                               bool make_id, struct mq_parsed *out, struct mq_error *error)
{
    void *iterator = NULL;
    const char *key;
    const struct mq_json *value;
    if (mq_json_type(object) != MQ_JSON_OBJECT)
        return mq_fail(error, MQ_REFUSED, _("a record is an object in braces: {\"kind\": ...}"));
    const struct mq_json *kind = mq_json_get(object, "kind");
    out->count = 0;
    out->remarks = (struct mq_remarks){.typed = make_id};
    out->kind = kind != NULL && mq_json_type(kind) == MQ_JSON_STRING ? mq_kind_by_key(mq_json_string(kind)) : NULL;
    if (out->kind == NULL)
        return mq_fail(error, MQ_REFUSED,
                       _("\"kind\" should be one of household, plan, visit, need, step, told, suggestion, person, "
                         "standing, notice or request"));
    if (out->kind->desk_only && mq_role_rank(team->certificate.role) < MQ_RANK_DESK)
        return mq_fail(error, MQ_REFUSED, _("a %s is kept by the centre, and comes from there by itself"),
                       out->kind->key);
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_json_each(object, &iterator, &key, &value)) {
        if (strcmp(key, "kind") == 0 || (!make_id && later_of(out->kind, key) != NULL))
            continue;
        status = mq_json_type(value) == MQ_JSON_OBJECT ? parse_nested(replica, team, key, value, out, error)
                                                       : parse_key(replica, team, key, value, out, error);
    }
    if (status == MQ_OK && !make_id)
        status = parse_later(replica, team, object, out, error);
    if (status == MQ_OK && make_id && mq_parsed_find(out, MQ_FIELD_ID) == NULL)
        status = make_missing_id(replica, out, error);
    if (status == MQ_OK && make_id && out->made_id.size == 0)
        status = make_missing_dates(replica, out, error);
    if (status == MQ_OK)
        status = complete_levels(out, error);
    return status == MQ_OK ? check_needed(out, error) : status;
}
