/* The tables that search reads. */
#include "replica/search_index.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/fold.h"
#include "replica/replica_keys.h"
#include "replica/search_blocks.h"
#include "replica/search_grams.h"

const char mq_search_drop[] = "DELETE FROM search; DELETE FROM search_long; DELETE FROM search_tail;"
                              "DELETE FROM search_block; DELETE FROM search_gram;";

#define PLACE_CODE_MIN UINT64_C(100000000000) /* 12 digits: what else is a number in a value is no code of a place */

bool mq_search_is_long(const struct mq_field *field)
{
    return field->type == MQ_TYPE_LONG_TEXT;
}

/* ---- short texts ---- */

static bool is_short(const struct mq_field *field)
{
    return field->type == MQ_TYPE_TEXT || field->type == MQ_TYPE_TEXTS || field->type == MQ_TYPE_PHONES ||
           field->type == MQ_TYPE_PLACE || field->type == MQ_TYPE_DATED_CODES;
}

static void put_entry(struct mq_buffer *row, const struct mq_field *field, struct mq_span text)
{
    size_t start = row->size;
    mq_put_u8(row, field->number);
    for (uint32_t character = mq_fold_next(&text); character != 0; character = mq_fold_next(&text))
        mq_fold_put(row, character == MQ_SEARCH_ENTRY_END ? ' ' : character);
    if (row->size == start + 1)
        row->size = start; /* nothing is left of it */
    else
        mq_put_u8(row, MQ_SEARCH_ENTRY_END);
}

/* Every text inside a value, and every code of a place as its digits. */
static void put_value(struct mq_buffer *row, const struct mq_field *field, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    while (mq_left(&reader) > 0 && !reader.failed) {
        struct mq_cbor_item item = mq_cbor_next(&reader);
        if (item.type == MQ_CBOR_TEXT)
            put_entry(row, field, item.bytes);
        if (item.type != MQ_CBOR_UINT || item.number < PLACE_CODE_MIN)
            continue;
        uint8_t digits[20];
        size_t at = sizeof digits;
        for (uint64_t rest = item.number; rest > 0; rest /= 10)
            digits[--at] = (uint8_t)('0' + rest % 10);
        put_entry(row, field, mq_span(digits + at, sizeof digits - at));
    }
}

/* Kinds one after another, and the rows of each in their order. */
static int64_t place_of(int64_t kind, int64_t number)
{
    return kind << MQ_SEARCH_KIND_SHIFT | number;
}

static bool names_households(const struct mq_field *field)
{
    return field->target == MQ_KIND_HOUSEHOLD && field->number > MQ_FIELD_ID;
}

/* Every record that a value refers to. */
static void put_references(struct mq_buffer *row, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    while (mq_left(&reader) > 0 && !reader.failed) {
        if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
            continue;
        struct mq_span target = mq_cbor_bytes(&reader, MQ_ID_SIZE);
        if (target.size == MQ_ID_SIZE)
            mq_put(row, target.data, MQ_SEARCH_ID_SIZE);
    }
}

/* What a row needs at most: folding makes nothing longer, and every text or code has a head of a byte or more. */
static size_t row_room(const struct mq_group_state *state)
{
    size_t room = 2 + state->member_count * MQ_ID_SIZE;
    for (size_t i = 0; i < state->field_count; i++)
        for (size_t c = 0; c < state->fields[i].choice_count; c++)
            room += 3 * state->fields[i].choices[c].value.size;
    return room;
}

static void row_make(struct mq_buffer *row, const struct mq_kind *kind, const struct mq_group_state *state)
{
    uint8_t *count = mq_reserve(row, 2);
    MQ_ASSERT(count != NULL);
    for (size_t i = 0; kind->number == MQ_KIND_HOUSEHOLD && i < state->member_count; i++)
        mq_put(row, state->members + i * MQ_ID_SIZE, MQ_SEARCH_ID_SIZE);
    for (unsigned texts = 0; texts < 2; texts++) {
        for (size_t i = 0; i < state->field_count; i++) {
            const struct mq_field *field = mq_field_by_number(kind, state->fields[i].number);
            for (size_t c = 0; field != NULL && c < state->fields[i].choice_count; c++) {
                if (texts && is_short(field))
                    put_value(row, field, state->fields[i].choices[c].value);
                if (!texts && kind->number != MQ_KIND_HOUSEHOLD && names_households(field))
                    put_references(row, state->fields[i].choices[c].value);
            }
        }
        if (!texts) {
            struct mq_buffer ids = mq_buffer(count, 2);
            mq_put_u16(&ids, (uint16_t)((row->size - 2) / MQ_SEARCH_ID_SIZE));
        }
    }
    MQ_ASSERT(!row->failed);
}

static enum mq_status note_short(struct mq_replica *replica, int64_t number, const struct mq_kind *kind,
                                 const struct mq_group_state *state, struct mq_error *error)
{
    size_t room = row_room(state);
    uint8_t *memory = mq_work_memory(room);
    struct mq_buffer row = mq_buffer(memory, room);
    row_make(&row, kind, state);
    enum mq_status status = MQ_OK;
    if (row.size > 2)
        status = mq_db_run(replica->db, error, "INSERT INTO search(place, text) VALUES(?, ?)", "ib",
                           place_of(kind->number, number), mq_written(&row));
    mq_work_free(memory, row.size);
    return status;
}

/* ---- long texts ---- */

static enum mq_status note_long(struct mq_replica *replica, int64_t number, bool is_new, const struct mq_kind *kind,
                                const struct mq_group_state *state, struct mq_error *error)
{
    struct mq_grams grams = {.count = 0};
    for (size_t i = 0; i < state->field_count; i++) {
        const struct mq_field *field = mq_field_by_number(kind, state->fields[i].number);
        for (size_t c = 0; field != NULL && mq_search_is_long(field) && c < state->fields[i].choice_count; c++) {
            struct mq_reader reader = mq_reader(state->fields[i].choices[c].value);
            mq_grams_add(&grams, mq_cbor_text(&reader, MQ_LONG_TEXT_MAX));
        }
    }
    if (grams.count == 0)
        return is_new ? MQ_OK : mq_search_blocks_forget(replica, number, error);
    size_t size = 2 * grams.count;
    uint8_t *memory = mq_work_memory(size);
    struct mq_buffer list = mq_buffer(memory, size);
    mq_grams_list(&grams, &list);
    enum mq_status status = mq_search_blocks_put(replica, number, is_new, mq_written(&list), error);
    mq_work_free(memory, size);
    return status;
}

/* ---- both ---- */

enum mq_status mq_search_forget(struct mq_replica *replica, int64_t number, int64_t kind, struct mq_error *error)
{
    enum mq_status status =
        mq_db_run(replica->db, error, "DELETE FROM search WHERE place = ?", "i", place_of(kind, number));
    return status == MQ_OK ? mq_search_blocks_forget(replica, number, error) : status;
}

enum mq_status mq_search_erase(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    int64_t number;
    enum mq_status status = mq_db_number(
        replica->db, &number, error,
        "SELECT s.number FROM record AS r JOIN state AS s ON s.canonical = r.canonical WHERE r.record = ?", "b",
        mq_span(record, MQ_ID_SIZE));
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    return status == MQ_OK ? mq_search_blocks_forget(replica, number, error) : status;
}

enum mq_status mq_search_note(struct mq_replica *replica, int64_t number, int64_t before,
                              const struct mq_group_state *state, struct mq_error *error)
{
    const struct mq_kind *kind = state->deleted ? NULL : mq_kind_by_number(state->kind);
    enum mq_status status = MQ_OK;
    if (before >= 0)
        status = kind == NULL ? mq_search_forget(replica, number, before, error)
                              : mq_db_run(replica->db, error, "DELETE FROM search WHERE place = ?", "i",
                                          place_of(before, number));
    if (status == MQ_OK && kind != NULL)
        status = note_short(replica, number, kind, state, error);
    return status == MQ_OK && kind != NULL ? note_long(replica, number, before < 0, kind, state, error) : status;
}

enum mq_status mq_search_hash(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    memset(out, 0, MQ_HASH_SIZE);
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT s.canonical, x.text, l.hash FROM state AS s LEFT JOIN search AS x ON x.place = (s.kind << ?) + s.number"
        " LEFT JOIN search_long AS l ON l.number = s.number ORDER BY s.canonical",
        "i", (int64_t)MQ_SEARCH_KIND_SHIFT);
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t number[8];
        struct mq_buffer hash = mq_buffer(number, sizeof number);
        mq_put_u64(&hash, (uint64_t)mq_db_int(query, 2));
        const struct mq_span parts[] = {mq_span(out, MQ_HASH_SIZE), mq_db_blob(query, 0), mq_db_blob(query, 1),
                                        MQ_SPAN(number)};
        mq_hash(out, MQ_HASH_SIZE, MQ_DOMAIN_BODY, parts, sizeof parts / sizeof *parts);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}
