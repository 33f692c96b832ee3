/* One field of a state as text for people. */
#include "replica/ledger_value.h"

#include <string.h>

#include "replica/catalogue.h"
#include "replica/scrub.h"
#include "replica/view.h"

enum { FOR_NAMED = 1, SENSITIVE = 2 }; /* of the list `secrecy`: 限定知悉, 敏感 */

static const struct mq_field_state *find(const struct mq_group_state *state, const char *key,
                                         const struct mq_field **field)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    *field = kind == NULL ? NULL : mq_field_by_key(kind, mq_span_text(key));
    const struct mq_field_state *here = *field == NULL ? NULL : mq_group_field(state, (*field)->number);
    return here != NULL && here->choice_count > 0 ? here : NULL;
}

struct mq_span mq_shown_value(const struct mq_group_state *state, const char *key)
{
    const struct mq_field *field;
    const struct mq_field_state *here = find(state, key, &field);
    return here == NULL ? mq_span(NULL, 0) : here->choices[0].value;
}

bool mq_shown_reference(const struct mq_group_state *state, const char *key, uint8_t out[MQ_ID_SIZE])
{
    struct mq_reader reader = mq_reader(mq_shown_value(state, key));
    if (mq_left(&reader) == 0 || mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
        return false;
    struct mq_span record = mq_cbor_bytes(&reader, MQ_ID_SIZE);
    if (record.size != MQ_ID_SIZE)
        return false;
    memcpy(out, record.data, MQ_ID_SIZE);
    return true;
}

uint64_t mq_shown_number(const struct mq_group_state *state, const char *key)
{
    struct mq_reader reader = mq_reader(mq_shown_value(state, key));
    struct mq_cbor_item item = mq_left(&reader) > 0 ? mq_cbor_next(&reader) : (struct mq_cbor_item){0};
    return item.type == MQ_CBOR_UINT ? item.number : 0;
}

struct mq_span mq_shown_text(const struct mq_group_state *state, const char *key)
{
    struct mq_reader reader = mq_reader(mq_shown_value(state, key));
    struct mq_cbor_item item = mq_left(&reader) > 0 ? mq_cbor_next(&reader) : (struct mq_cbor_item){0};
    return item.type == MQ_CBOR_TEXT ? item.bytes : mq_span(NULL, 0);
}

/* A field with the list that is in force; the list of the program where none can be told. */
static struct mq_field in_force(struct mq_replica *replica, const struct mq_field *field, bool *failed)
{
    struct mq_error error = {0};
    struct mq_field out = *field;
    *failed = replica != NULL && mq_catalogue_field(replica, field, &out, &error) != MQ_OK;
    return *failed ? *field : out;
}

static bool value_is_for_few(const struct mq_field *field, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    struct mq_cbor_item item = mq_cbor_next(&reader);
    if (field->flags & MQ_FIELD_RESTRICTED)
        return item.type == MQ_CBOR_TRUE;
    if (field->type != MQ_TYPE_CODE || item.type != MQ_CBOR_UINT)
        return false;
    const struct mq_code *code = mq_code_by_number(field->codes, item.number);
    return (code != NULL && (code->flags & MQ_CODE_RESTRICTED)) ||
           (strcmp(field->key, "secrecy") == 0 && item.number == FOR_NAMED);
}

bool mq_is_for_few(struct mq_replica *replica, const struct mq_group_state *state)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    struct mq_error unsure = {0};
    bool failed, restricted;
    if (mq_view_restricted(replica, state->canonical, &restricted, &unsure) != MQ_OK || restricted)
        return true;
    for (size_t i = 0; kind != NULL && i < state->field_count; i++) {
        const struct mq_field *field = mq_field_by_number(kind, state->fields[i].number);
        if (field == NULL || !(field->type == MQ_TYPE_CODE || (field->flags & MQ_FIELD_RESTRICTED)))
            continue;
        const struct mq_field now = in_force(replica, field, &failed);
        for (size_t c = 0; c < state->fields[i].choice_count; c++)
            if (failed || value_is_for_few(&now, state->fields[i].choices[c].value))
                return true; /* what cannot be told is kept back */
    }
    return false;
}

bool mq_tells(const struct mq_group_state *state)
{
    static const uint8_t categories[] = {1, 7, 8, 9, 10, 15, 18, 90};
    uint64_t category = mq_shown_number(state, "category");
    return mq_shown_number(state, "secrecy") == SENSITIVE ||
           (category <= UINT8_MAX && memchr(categories, (int)category, sizeof categories) != NULL);
}

void mq_put_village(struct mq_replica *replica, struct mq_buffer *out, const struct mq_group_state *state)
{
    mq_put_shown(replica, out, state, "place", false);
    bool code = out->size > 0 && out->data[out->size - 1] >= '0' && out->data[out->size - 1] <= '9';
    mq_put_text(out, code && mq_shown_text(state, "group").size > 0 ? " " : "");
    mq_put_shown(replica, out, state, "group", false);
}

void mq_put_day(struct mq_buffer *out, int32_t day)
{
    char text[11];
    if (day <= 0)
        return;
    mq_date_print(text, day);
    mq_put_text(out, text);
}

static void put_phones(struct mq_buffer *out, struct mq_span value, bool mask)
{
    struct mq_reader reader = mq_reader(value);
    uint64_t count = mq_cbor_array(&reader, MQ_PHONES_MAX);
    for (uint64_t i = 0; i < count; i++) {
        (void)mq_cbor_array(&reader, 2);
        struct mq_span number = mq_cbor_text(&reader, MQ_SHORT_TEXT_MAX);
        struct mq_cbor_item whose = mq_cbor_next(&reader);
        mq_put_text(out, i > 0 ? "、" : "");
        if (mask) {
            mq_mask_phone(number, out);
            continue;
        }
        mq_put_span(out, number);
        if (whose.type != MQ_CBOR_TEXT || whose.bytes.size == 0)
            continue;
        mq_put_text(out, "（");
        mq_put_span(out, whose.bytes);
        mq_put_text(out, "）");
    }
}

static void put_texts(struct mq_buffer *out, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    for (uint64_t i = 0; i < count; i++) {
        mq_put_text(out, i > 0 ? "；" : "");
        mq_put_span(out, mq_cbor_text(&reader, MQ_LONG_TEXT_MAX));
    }
}

/* The name that a place has today; its code where nobody knows one. */
static void put_place(struct mq_replica *replica, struct mq_buffer *out, const struct mq_field *field,
                      struct mq_span value)
{
    const struct mq_place *place = NULL;
    struct mq_error error = {0};
    if (replica != NULL && mq_catalogue_place(replica, value, &place, &error) != MQ_OK)
        out->failed = true;
    else if (place != NULL)
        mq_put_text(out, mq_place_on(place, mq_catalogue_today(replica))->name);
    else if (mq_value_to_text(field, value, out) != MQ_OK)
        out->failed = true;
}

struct mq_span mq_place_called(struct mq_replica *replica, struct mq_span text)
{
    const struct mq_place *place;
    struct mq_error error = {0};
    return mq_catalogue_place_named(replica, text, &place, &error) != MQ_OK
               ? text
               : mq_span_text(mq_place_on(place, mq_catalogue_today(replica))->name);
}

static void put_value(struct mq_replica *replica, struct mq_buffer *out, const struct mq_field *field,
                      struct mq_span value, bool mask)
{
    struct mq_reader reader = mq_reader(value);
    if (!mq_value_valid(field, value)) /* of a newer program: left to the exact copy */
        return;
    switch (field->type) {
    case MQ_TYPE_CODE: { /* the label, also where the record format has a printed code */
        const struct mq_code *code = mq_code_by_number(field->codes, mq_cbor_uint(&reader));
        mq_put_text(out, code == NULL ? "?" : code->label);
        return;
    }
    case MQ_TYPE_BOOL: mq_put_text(out, mq_cbor_next(&reader).type == MQ_CBOR_TRUE ? "是" : "否"); return;
    case MQ_TYPE_PLACE: put_place(replica, out, field, value); return;
    case MQ_TYPE_PHONES: put_phones(out, value, mask); return;
    case MQ_TYPE_TEXTS: put_texts(out, value); return;
    case MQ_TYPE_ID:
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
    case MQ_TYPE_DATE:
    case MQ_TYPE_COUNT:
        if (mq_value_to_text(field, value, out) != MQ_OK)
            out->failed = true;
        return;
    case MQ_TYPE_REFERENCE:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES:
    case MQ_TYPE_LIFE: return; /* no ledger has such a column */
    }
}

void mq_put_shown(struct mq_replica *replica, struct mq_buffer *out, const struct mq_group_state *state,
                  const char *key, bool mask)
{
    const struct mq_field *field;
    const struct mq_field_state *here = find(state, key, &field);
    if (here == NULL)
        return;
    bool failed;
    const struct mq_field now = in_force(replica, field, &failed);
    out->failed = out->failed || failed;
    size_t count = here->merge == MQ_MERGE_REGISTER ? 1 : here->choice_count;
    for (size_t i = 0; i < count; i++) {
        mq_put_text(out, i == 0 ? "" : field->merge == MQ_MERGE_WORDS ? "\n" : "、");
        put_value(replica, out, &now, here->choices[i].value, mask);
    }
}
