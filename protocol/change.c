/* Changes in their expanded form: put together, taken apart, named (docs/protocol.md, section 2). */
#include "protocol/change.h"

#include "protocol/assert.h"

/* Building. */

void mq_put_reference(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE])
{
    mq_cbor_put_reference(out);
    mq_cbor_put_bytes(out, mq_span(record, MQ_ID_SIZE));
}

/* The beginning that all changes but create have: type, record, field. */
static void put_aimed(struct mq_buffer *out, enum mq_change_type type, uint64_t items, const uint8_t *record,
                      uint64_t field)
{
    mq_cbor_put_array(out, items);
    mq_cbor_put_uint(out, type);
    mq_put_reference(out, record);
    mq_cbor_put_uint(out, field);
}

static void put_names(struct mq_buffer *out, struct mq_span names)
{
    size_t count = names.size / MQ_NAME_SIZE;

    MQ_ASSERT(names.size % MQ_NAME_SIZE == 0 && count <= MQ_REPLACED_MAX);
    mq_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        mq_cbor_put_bytes(out, mq_span(names.data + i * MQ_NAME_SIZE, MQ_NAME_SIZE));
}

void mq_change_put_create(struct mq_buffer *out, uint64_t kind, uint64_t pairs, struct mq_span encoded_pairs)
{
    MQ_ASSERT(pairs <= MQ_FIELDS_MAX);
    mq_cbor_put_array(out, 3);
    mq_cbor_put_uint(out, MQ_CHANGE_CREATE);
    mq_cbor_put_uint(out, kind);
    mq_cbor_put_map(out, pairs);
    mq_put_span(out, encoded_pairs);
}

void mq_change_put_set(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field, struct mq_span value,
                       struct mq_span replaced, struct mq_span note)
{
    MQ_ASSERT(note.size <= MQ_LONG_TEXT_MAX);
    put_aimed(out, MQ_CHANGE_SET, note.size > 0 ? 6 : 5, record, field);
    mq_put_span(out, value);
    put_names(out, replaced);
    if (note.size > 0)
        mq_cbor_put_text(out, note);
}

void mq_change_put_add(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field, struct mq_span value)
{
    put_aimed(out, MQ_CHANGE_ADD, 4, record, field);
    mq_put_span(out, value);
}

void mq_change_put_remove(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field,
                          struct mq_span replaced)
{
    put_aimed(out, MQ_CHANGE_REMOVE, 4, record, field);
    put_names(out, replaced);
}

void mq_change_put_decide(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field, struct mq_span value,
                          struct mq_span replaced, struct mq_span note)
{
    MQ_ASSERT(note.size <= MQ_LONG_TEXT_MAX);
    put_aimed(out, MQ_CHANGE_DECIDE, 6, record, field);
    mq_put_span(out, value);
    put_names(out, replaced);
    mq_cbor_put_text(out, note);
}

/* Taking apart. */

/* The map {field: value}; its keys are numbers, rising. */
static struct mq_span take_fields(struct mq_reader *reader)
{
    size_t start = reader->at;
    uint64_t pairs = mq_cbor_map(reader, MQ_FIELDS_MAX), last = 0;

    for (uint64_t i = 0; i < pairs && !reader->failed; i++) {
        uint64_t field = mq_cbor_uint(reader);
        if (i > 0 && field <= last)
            reader->failed = true;
        last = field;
        mq_cbor_take(reader);
    }
    return reader->failed ? mq_span(NULL, 0) : mq_span(reader->data + start, reader->at - start);
}

/* The record that a change is about, and the field. */
static void take_aim(struct mq_change *out, struct mq_reader *reader)
{
    if (mq_cbor_next(reader).type != MQ_CBOR_REFERENCE)
        reader->failed = true;
    struct mq_span record = mq_cbor_bytes(reader, MQ_ID_SIZE);
    if (record.size != MQ_ID_SIZE)
        reader->failed = true;
    for (size_t i = 0; i < record.size; i++)
        out->record[i] = record.data[i];
    out->field = mq_cbor_uint(reader);
}

static struct mq_span take_names(struct mq_reader *reader, struct mq_buffer *names)
{
    size_t start = names->size;
    uint64_t count = mq_cbor_array(reader, MQ_REPLACED_MAX);

    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        struct mq_span name = mq_cbor_bytes(reader, MQ_NAME_SIZE);
        if (name.size != MQ_NAME_SIZE)
            reader->failed = true;
        mq_put_span(names, name);
    }
    return names->size == start ? mq_span(NULL, 0) : mq_span(names->data + start, names->size - start);
}

/* Items that the shape of a type has; 0: a type unknown to this program. */
static uint64_t items_of(uint64_t type)
{
    static const uint8_t items[] = {
        [MQ_CHANGE_CREATE] = 3, [MQ_CHANGE_SET] = 5,    [MQ_CHANGE_ADD] = 4,
        [MQ_CHANGE_REMOVE] = 4, [MQ_CHANGE_ATTACH] = 4, [MQ_CHANGE_DECIDE] = 6,
    };

    return type < sizeof items ? items[type] : 0;
}

/* A set may give its reason behind the names. Anything else that stands there belongs to a newer program. */
static struct mq_span take_reason(struct mq_reader *reader)
{
    struct mq_reader inside = mq_reader(mq_cbor_take(reader));
    struct mq_cbor_item item = mq_cbor_next(&inside);
    bool text = item.type == MQ_CBOR_TEXT && item.bytes.size <= MQ_LONG_TEXT_MAX;

    return text ? item.bytes : mq_span(NULL, 0);
}

/* What follows the type in a change of a known one. */
static void take_known(struct mq_change *out, struct mq_reader *reader, struct mq_buffer *names)
{
    if (out->type == MQ_CHANGE_CREATE) {
        out->kind = mq_cbor_uint(reader);
        out->fields = take_fields(reader);
        return;
    }
    take_aim(out, reader);
    if (out->type != MQ_CHANGE_REMOVE)
        out->value = mq_cbor_take(reader);
    if (out->type != MQ_CHANGE_ADD && out->type != MQ_CHANGE_ATTACH)
        out->replaced = take_names(reader, names);
    if (out->type == MQ_CHANGE_DECIDE)
        out->note = mq_cbor_text(reader, MQ_LONG_TEXT_MAX);
}

enum mq_status mq_change_decode(struct mq_change *out, struct mq_span expanded, struct mq_buffer *names)
{
    struct mq_span none = mq_span(NULL, 0);
    struct mq_reader reader = mq_reader(expanded);
    uint64_t items = mq_cbor_array(&reader, UINT64_MAX);
    uint64_t known;

    *out = (struct mq_change){.fields = none, .value = none, .replaced = none, .note = none};
    if (expanded.size > MQ_CHANGE_MAX || items == 0)
        return MQ_REFUSED;
    out->type = mq_cbor_uint(&reader);
    known = items_of(out->type);
    if (items < known)
        return MQ_REFUSED;
    if (known > 0)
        take_known(out, &reader, names);
    if (out->type == MQ_CHANGE_SET && items > known) {
        out->note = take_reason(&reader);
        known++;
    }
    for (uint64_t i = known > 0 ? known : 1; i < items && !reader.failed; i++)
        mq_cbor_take(&reader);
    if (!mq_reader_done(&reader))
        return MQ_REFUSED;
    return names->failed ? MQ_NO_SPACE : MQ_OK;
}

/* Names. */

void mq_change_id(uint8_t out[MQ_ID_SIZE], const uint8_t salt[MQ_SALT_SIZE], uint32_t index, struct mq_span expanded)
{
    const uint8_t place[] = {(uint8_t)(index >> 24), (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index};
    const struct mq_span parts[] = {mq_span(salt, MQ_SALT_SIZE), MQ_SPAN(place), expanded};

    mq_hash(out, MQ_ID_SIZE, MQ_DOMAIN_CHANGE, parts, sizeof parts / sizeof *parts);
}

void mq_element_name(uint8_t out[MQ_NAME_SIZE], const uint8_t change_id[MQ_ID_SIZE], struct mq_span value)
{
    const struct mq_span parts[] = {mq_span(change_id, MQ_ID_SIZE), value};

    mq_hash(out, MQ_NAME_SIZE, MQ_DOMAIN_ELEMENT, parts, sizeof parts / sizeof *parts);
}
