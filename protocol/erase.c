/* Lists of what is to be erased, and changes without their content. */
#include "protocol/erase.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge_values.h"
#include "protocol/record.h"

/* ---- lists ---- */

static int order_entries(const void *left, const void *right)
{
    const struct mq_erase_entry *a = left, *b = right;

    return a->field != b->field ? (a->field > b->field) - (a->field < b->field)
                                : memcmp(a->name, b->name, sizeof a->name);
}

static size_t each_once(struct mq_erase_entry *entries, size_t count)
{
    size_t kept = 1;

    for (size_t i = 1; i < count; i++)
        if (order_entries(&entries[kept - 1], &entries[i]) != 0)
            entries[kept++] = entries[i];
    return kept;
}

/* How many entries from `at` on have its field. */
static size_t run_of(const struct mq_erase_entry *entries, size_t at, size_t count)
{
    size_t end = at + 1;

    while (end < count && entries[end].field == entries[at].field)
        end++;
    return end - at;
}

void mq_erasure_put(struct mq_buffer *out, const uint8_t *because, struct mq_erase_entry *entries, size_t count)
{
    size_t fields = 0;

    MQ_ASSERT(count > 0 && count <= MQ_ERASE_ENTRIES_MAX);
    mq_merge_sort(entries, count, sizeof *entries, order_entries);
    count = each_once(entries, count);
    for (size_t i = 0; i < count; i += run_of(entries, i, count))
        fields++;
    mq_cbor_put_array(out, 3);
    mq_cbor_put_uint(out, MQ_CHANGE_ERASE);
    if (because != NULL)
        mq_put_reference(out, because);
    else
        mq_cbor_put_null(out);
    mq_cbor_put_map(out, fields);
    for (size_t i = 0; i < count;) {
        size_t run = run_of(entries, i, count);
        mq_cbor_put_uint(out, entries[i].field);
        mq_cbor_put_array(out, run);
        for (size_t end = i + run; i < end; i++)
            mq_cbor_put_bytes(out, MQ_SPAN(entries[i].name));
    }
}

static void get_because(struct mq_erasure *out, struct mq_reader *reader)
{
    enum mq_cbor_type type = mq_cbor_next(reader).type;

    out->because_known = type == MQ_CBOR_REFERENCE;
    if (!out->because_known) {
        if (type != MQ_CBOR_NULL)
            reader->failed = true;
        return;
    }
    struct mq_span record = mq_cbor_bytes(reader, MQ_ID_SIZE);
    if (record.size != MQ_ID_SIZE)
        reader->failed = true;
    else
        memcpy(out->because, record.data, MQ_ID_SIZE);
}

/* The map, looked through once, so that walking it later cannot fail. */
static void get_parts(struct mq_erasure *out, struct mq_reader *reader)
{
    size_t start = reader->at, entries = 0;
    uint64_t fields = mq_cbor_map(reader, MQ_ERASE_WHOLE);

    for (uint64_t i = 0; i < fields && !reader->failed; i++) {
        uint64_t field = mq_cbor_uint(reader);
        uint64_t names = mq_cbor_array(reader, MQ_ERASE_ENTRIES_MAX);
        struct mq_span before = mq_span(NULL, 0);
        if (field <= MQ_FIELD_ID || field > MQ_ERASE_WHOLE || names == 0)
            reader->failed = true;
        for (uint64_t n = 0; n < names && !reader->failed; n++) {
            struct mq_span name = mq_cbor_bytes(reader, MQ_NAME_SIZE);
            if (name.size != MQ_NAME_SIZE || mq_span_order(before, name) >= 0 || ++entries > MQ_ERASE_ENTRIES_MAX)
                reader->failed = true;
            before = name;
        }
    }
    if (entries == 0)
        reader->failed = true;
    if (!reader->failed)
        out->parts = mq_span(reader->data + start, reader->at - start);
}

enum mq_status mq_erasure_get(struct mq_erasure *out, struct mq_span expanded)
{
    struct mq_reader reader = mq_reader(expanded);
    uint64_t items = mq_cbor_array(&reader, UINT64_MAX);

    *out = (struct mq_erasure){.because_known = false};
    if (items < 3 || mq_cbor_uint(&reader) != MQ_CHANGE_ERASE)
        return MQ_REFUSED;
    get_because(out, &reader);
    get_parts(out, &reader);
    return reader.failed ? MQ_REFUSED : MQ_OK;
}

struct mq_erasure_walk mq_erasure_walk(const struct mq_erasure *list)
{
    struct mq_erasure_walk walk = {.reader = mq_reader(list->parts)};

    walk.fields = mq_cbor_map(&walk.reader, MQ_ERASE_WHOLE);
    return walk;
}

bool mq_erasure_next(struct mq_erasure_walk *walk, struct mq_erase_entry *out)
{
    if (walk->names == 0 && walk->fields == 0)
        return false;
    if (walk->names == 0) {
        walk->fields--;
        walk->field = mq_cbor_uint(&walk->reader);
        walk->names = mq_cbor_array(&walk->reader, MQ_ERASE_ENTRIES_MAX);
    }
    walk->names--;
    struct mq_span name = mq_cbor_bytes(&walk->reader, MQ_NAME_SIZE);
    MQ_ASSERT(!walk->reader.failed && name.size == MQ_NAME_SIZE); /* looked through when the list was read */
    out->field = (uint8_t)walk->field;
    memcpy(out->name, name.data, MQ_NAME_SIZE);
    return true;
}

/* ---- changes without their content ---- */

static bool goes(uint64_t field, const uint8_t *fields, size_t count)
{
    if (field <= MQ_FIELD_ID)
        return false;
    for (size_t i = 0; i < count; i++)
        if (fields[i] == MQ_ERASE_WHOLE || fields[i] == field)
            return true;
    return false;
}

/* Twice over the map: how many pairs stay, then the pairs. */
static void put_create(struct mq_buffer *out, const struct mq_change *change, const uint8_t *fields, size_t count)
{
    uint64_t stay = 0;

    for (int pass = 0; pass < 2; pass++) {
        struct mq_reader reader = mq_reader(change->fields);
        uint64_t pairs = mq_cbor_map(&reader, MQ_FIELDS_MAX);
        if (pass == 1)
            mq_change_put_create(out, change->kind, stay, mq_span(NULL, 0));
        for (uint64_t i = 0; i < pairs; i++) {
            size_t start = reader.at;
            bool gone = goes(mq_cbor_uint(&reader), fields, count);
            (void)mq_cbor_take(&reader);
            MQ_ASSERT(!reader.failed);
            if (pass == 0)
                stay += !gone;
            else if (!gone)
                mq_put(out, reader.data + start, reader.at - start);
        }
    }
}

enum mq_status mq_change_void(struct mq_buffer *out, struct mq_span expanded, const uint8_t *fields, size_t count)
{
    uint8_t room[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(room, sizeof room);
    struct mq_change change;

    if (mq_change_decode(&change, expanded, &names) != MQ_OK)
        return MQ_REFUSED;
    if (change.type == MQ_CHANGE_CREATE)
        put_create(out, &change, fields, count);
    else if (change.type < MQ_CHANGE_CREATE || change.type > MQ_CHANGE_DECIDE)
        return MQ_REFUSED;
    else if (change.type != MQ_CHANGE_REMOVE && goes(change.field, fields, count))
        mq_change_put_remove(out, change.record, change.field, mq_span(NULL, 0));
    else
        mq_put_span(out, expanded);
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}

bool mq_change_is_void(const struct mq_change *change)
{
    return change->type == MQ_CHANGE_REMOVE && change->replaced.size == 0;
}
