/* States into the record format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/convert.h"
#include "replica/matter.h"
#include "replica/need_chain.h"
#include "replica/print_related.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define TEXT_SCRATCH (MQ_LONG_TEXT_MAX + 64)

static void put_name(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE])
{
    char hex[2 * MQ_ID_SIZE + 1];
    mq_hex_write(hex, mq_span(record, MQ_ID_SIZE));
    mq_put_text(out, hex);
}

enum mq_status mq_print_reference(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_buffer *out,
                                  struct mq_error *error)
{
    struct mq_query *query;
    struct mq_matter matter;
    const struct mq_field *id = mq_field_by_number(mq_kind_by_number(MQ_KIND_HOUSEHOLD), MQ_FIELD_ID);
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT id FROM record WHERE record = ? AND id IS NOT NULL", "b",
                    mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error)) {
        bool valid = mq_value_valid(id, mq_db_blob(query, 0));
        status = valid ? mq_value_to_text(id, mq_db_blob(query, 0), out) : MQ_OK;
        mq_db_done(&query);
        if (!valid) /* of a newer or hostile writer: no id that could be shown */
            put_name(out, record);
        return status;
    }
    if (error->status != MQ_OK)
        return error->status;
    status = mq_matter_find(replica, record, &matter, error);
    if (status == MQ_OK && matter.id_size > 0)
        return mq_value_to_text(id, mq_span(matter.id, matter.id_size), out);
    put_name(out, record);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status print_reference_item(struct mq_replica *replica, struct mq_reader *reader,
                                           struct mq_json_writer *writer, struct mq_error *error)
{
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    struct mq_cbor_item item = mq_cbor_next(reader);
    struct mq_span record = mq_cbor_bytes(reader, MQ_ID_SIZE);
    MQ_ASSERT(item.type == MQ_CBOR_REFERENCE && record.size == MQ_ID_SIZE);
    enum mq_status status = mq_print_reference(replica, record.data, &text, error);
    if (status == MQ_OK)
        mq_json_string_value(writer, mq_written(&text));
    return status;
}

static void print_phone(struct mq_reader *reader, struct mq_json_writer *writer)
{
    mq_cbor_array(reader, 2);
    mq_json_begin(writer, '{');
    mq_json_key(writer, "number");
    mq_json_string_value(writer, mq_cbor_text(reader, MQ_SHORT_TEXT_MAX));
    struct mq_cbor_item whose = mq_cbor_next(reader);
    if (whose.type == MQ_CBOR_TEXT) {
        mq_json_key(writer, "whose");
        mq_json_string_value(writer, whose.bytes);
    }
    mq_json_end(writer, '}');
}

static void print_day(struct mq_reader *reader, const char *key, struct mq_json_writer *writer)
{
    struct mq_cbor_item day = mq_cbor_next(reader);
    char text[11];
    if (day.type != MQ_CBOR_UINT) /* null: open */
        return;
    mq_date_print(text, (int32_t)day.number);
    if (key != NULL)
        mq_json_key(writer, key);
    mq_json_text_value(writer, text);
}

static void print_dated_code(struct mq_reader *reader, struct mq_json_writer *writer)
{
    char code[24];
    mq_cbor_array(reader, 3);
    snprintf(code, sizeof code, "%012llu", (unsigned long long)mq_cbor_uint(reader));
    mq_json_begin(writer, '{');
    mq_json_key(writer, "code");
    mq_json_text_value(writer, code);
    print_day(reader, "from", writer);
    print_day(reader, "to", writer);
    mq_json_end(writer, '}');
}

static enum mq_status print_list(struct mq_replica *replica, const struct mq_field *field, struct mq_span value,
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    enum mq_status status = MQ_OK;
    mq_json_begin(writer, '[');
    for (uint64_t i = 0; i < count && status == MQ_OK; i++) {
        if (field->type == MQ_TYPE_PHONES)
            print_phone(&reader, writer);
        else if (field->type == MQ_TYPE_DATES)
            print_day(&reader, NULL, writer);
        else if (field->type == MQ_TYPE_DATED_CODES)
            print_dated_code(&reader, writer);
        else if (field->type == MQ_TYPE_TEXTS)
            mq_json_string_value(writer, mq_cbor_text(&reader, MQ_LONG_TEXT_MAX));
        else
            status = print_reference_item(replica, &reader, writer, error);
    }
    mq_json_end(writer, ']');
    return status;
}

enum mq_status mq_print_value(struct mq_replica *replica, const struct mq_field *field, struct mq_span value,
                              struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    uint8_t memory[TEXT_SCRATCH];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    if (!mq_value_valid(field, value)) { /* of a newer or hostile writer: shown, so that it is not overlooked */
        mq_json_hex_value(writer, value);
        return MQ_OK;
    }
    switch (field->type) {
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES: return print_list(replica, field, value, writer, error);
    case MQ_TYPE_REFERENCE: return print_reference_item(replica, &reader, writer, error);
    case MQ_TYPE_BOOL: mq_json_bool_value(writer, mq_cbor_next(&reader).type == MQ_CBOR_TRUE); return MQ_OK;
    case MQ_TYPE_COUNT: mq_json_int_value(writer, (int64_t)mq_cbor_uint(&reader)); return MQ_OK;
    case MQ_TYPE_ID:
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
    case MQ_TYPE_DATE:
    case MQ_TYPE_CODE:
    case MQ_TYPE_PLACE: break;
    case MQ_TYPE_LIFE: /* never in the record format, but in a history */
        mq_json_text_value(writer, mq_cbor_next(&reader).type == MQ_CBOR_UINT ? "lives" : "deleted");
        return MQ_OK;
    }
    struct mq_field in_force;
    enum mq_status status = mq_catalogue_field(replica, field, &in_force, error);
    if (status != MQ_OK)
        return status;
    if (mq_value_to_text(&in_force, value, &text) != MQ_OK)
        return mq_fail(error, MQ_FAULT, "\"%s\" cannot be shown", field->key);
    mq_json_string_value(writer, mq_written(&text));
    return MQ_OK;
}

static enum mq_status print_set(struct mq_replica *replica, const struct mq_field *field,
                                const struct mq_field_state *state, struct mq_json_writer *writer,
                                struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < state->choice_count && status == MQ_OK; i++)
        status = mq_print_value(replica, field, state->choices[i].value, writer, error);
    mq_json_end(writer, ']');
    return status;
}

void mq_later_key(char out[MQ_LATER_KEY_SIZE], const struct mq_field *field)
{
    MQ_ASSERT(field->merge == MQ_MERGE_WORDS);
    int length = snprintf(out, MQ_LATER_KEY_SIZE, "%s_more", field->key);
    MQ_ASSERT(length > 0 && length < MQ_LATER_KEY_SIZE);
}

static int by_value(const void *left, const void *right)
{
    const struct mq_choice *const *a = left, *const *b = right;
    return mq_span_order((*a)->value, (*b)->value);
}

/* Merging has them by the ids of their changes, and these are others where the same was imported. */
enum mq_status mq_print_later(struct mq_replica *replica, const struct mq_field *field,
                              const struct mq_field_state *state, size_t first, struct mq_json_writer *writer,
                              struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    char key[MQ_LATER_KEY_SIZE];
    if (state->choice_count <= first)
        return MQ_OK;
    size_t count = state->choice_count - first, size = count * sizeof(const struct mq_choice *);
    const struct mq_choice **sorted = mq_work_memory(size);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &state->choices[first + i];
    qsort(sorted, count, sizeof *sorted, by_value);
    mq_later_key(key, field);
    mq_json_key(writer, key);
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = mq_print_value(replica, field, sorted[i]->value, writer, error);
    mq_json_end(writer, ']');
    mq_work_free(sorted, size);
    return status;
}

/* The first is the creator's, to the letter; what was added later stands beside it, never in its place. */
static enum mq_status print_words(struct mq_replica *replica, const struct mq_field *field,
                                  const struct mq_field_state *state, struct mq_json_writer *writer,
                                  struct mq_error *error)
{
    enum mq_status status = mq_print_value(replica, field, state->choices[0].value, writer, error);
    return status == MQ_OK ? mq_print_later(replica, field, state, 1, writer, error) : status;
}

struct print_place {
    const char *nested; /* the key before the point that is open; NULL: none */
    size_t size;
};

/* "checks.住房" stands inside "checks": {...}; fields of one nest follow each other in the table. */
static const char *enter_key(struct print_place *place, const char *key, struct mq_json_writer *writer)
{
    const char *point = strchr(key, '.');
    size_t size = point == NULL ? 0 : (size_t)(point - key);
    bool same = place->nested != NULL && place->size == size && memcmp(place->nested, key, size) == 0;
    if (place->nested != NULL && !same) {
        mq_json_end(writer, '}');
        place->nested = NULL;
    }
    if (point == NULL)
        return key;
    if (!same) {
        char name[64];
        MQ_ASSERT(size < sizeof name);
        memcpy(name, key, size);
        name[size] = '\0';
        mq_json_key(writer, name);
        mq_json_begin(writer, '{');
        *place = (struct print_place){.nested = key, .size = size};
    }
    return point + 1;
}

static enum mq_status print_field(struct mq_replica *replica, const struct mq_field *field,
                                  const struct mq_field_state *state, struct print_place *place,
                                  struct mq_json_writer *writer, struct mq_error *error)
{
    if (state == NULL || state->choice_count == 0)
        return MQ_OK;
    mq_json_key(writer, enter_key(place, field->key, writer));
    switch (field->merge) {
    case MQ_MERGE_SET: return print_set(replica, field, state, writer, error);
    case MQ_MERGE_WORDS: return print_words(replica, field, state, writer, error);
    case MQ_MERGE_REGISTER: break;
    }
    return mq_print_value(replica, field, state->choices[0].value, writer, error);
}

/* What a place is called, and, where it was merged into another since, what it belongs to today. */
static enum mq_status print_place_names(struct mq_replica *replica, const struct mq_kind *kind,
                                        const struct mq_group_state *state, struct mq_json_writer *writer,
                                        struct mq_error *error)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct mq_field_state *here = mq_group_field(state, kind->fields[i].number);
        const struct mq_place *place;
        char key[32];
        if (kind->fields[i].type != MQ_TYPE_PLACE || here == NULL || here->choice_count == 0)
            continue;
        enum mq_status status = mq_catalogue_place(replica, here->choices[0].value, &place, error);
        if (status != MQ_OK)
            return status;
        if (place == NULL)
            continue;
        const struct mq_place *now = mq_place_on(place, mq_catalogue_today(replica));
        snprintf(key, sizeof key, "%s_name", kind->fields[i].key);
        mq_json_key(writer, key);
        mq_json_text_value(writer, place->name);
        if (now == place)
            continue;
        snprintf(key, sizeof key, "%s_now", kind->fields[i].key);
        mq_json_key(writer, key);
        mq_json_text_value(writer, now->name);
    }
    return MQ_OK;
}

static enum mq_status print_extras(struct mq_replica *replica, const struct mq_kind *kind,
                                   const struct mq_group_state *state, enum mq_print_extras extras,
                                   struct mq_json_writer *writer, struct mq_error *error)
{
    mq_json_key(writer, "record");
    mq_json_hex_value(writer, MQ_SPAN(state->canonical));
    bool open = false;
    for (size_t i = 0; i < state->field_count; i++) {
        const struct mq_field *field = mq_field_by_number(kind, state->fields[i].number);
        if (field == NULL || !(state->fields[i].conflict || state->fields[i].review))
            continue;
        if (!open) {
            mq_json_key(writer, "conflicts");
            mq_json_begin(writer, '[');
        }
        open = true;
        mq_json_text_value(writer, field->key);
    }
    if (open)
        mq_json_end(writer, ']');
    if (state->deleted) {
        mq_json_key(writer, "deleted");
        mq_json_bool_value(writer, true);
    }
    enum mq_status status = mq_print_merged(replica, kind, state, writer, error);
    if (status == MQ_OK && extras == MQ_PRINT_SHOWN)
        status = mq_print_related(replica, kind, state->canonical, writer, error);
    if (status != MQ_OK || kind->number != MQ_KIND_NEED)
        return status;
    status = mq_need_put_state(replica, state->canonical, writer, error);
    return status == MQ_OK && extras == MQ_PRINT_SHOWN ? mq_need_put_steps(replica, state->canonical, writer, error)
                                                       : status;
}

/* Said only where it is so: few may read it, and whoever shows it to others should know. */
static enum mq_status print_restricted(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                       struct mq_json_writer *writer, struct mq_error *error)
{
    bool restricted;
    enum mq_status status = mq_view_restricted(replica, canonical, &restricted, error);
    if (restricted) {
        mq_json_key(writer, "restricted");
        mq_json_bool_value(writer, true);
    }
    return status;
}

/* What the program makes for itself, and no import takes. */
static bool is_hidden(const struct mq_field *field)
{
    return field->number < MQ_FIELD_ID || (field->flags & MQ_FIELD_MADE && field->type == MQ_TYPE_REFERENCE);
}

enum mq_status mq_print_record(struct mq_replica *replica, const struct mq_group_state *state,
                               enum mq_print_extras extras, struct mq_buffer *out, struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    struct mq_json_writer writer = {.out = out};
    struct print_place place = {.nested = NULL};
    enum mq_status status = MQ_OK;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, kind == NULL ? "unknown" : kind->key);
    for (size_t i = 0; kind != NULL && i < kind->field_count && status == MQ_OK; i++)
        if (!is_hidden(&kind->fields[i]))
            status = print_field(replica, &kind->fields[i], mq_group_field(state, kind->fields[i].number), &place,
                                 &writer, error);
    if (place.nested != NULL)
        mq_json_end(&writer, '}');
    if (status == MQ_OK && extras != MQ_PRINT_EXACT && kind != NULL)
        status = print_place_names(replica, kind, state, &writer, error);
    if (status == MQ_OK && extras != MQ_PRINT_EXACT && kind != NULL)
        status = print_extras(replica, kind, state, extras, &writer, error);
    if (status == MQ_OK && extras != MQ_PRINT_EXACT)
        status = print_restricted(replica, state->canonical, &writer, error);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out->failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return status;
}
