/* Places: what a code or a name means, although codes die and villages merge (replica/catalogue.h). */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue_keys.h"

#define TOWN_UNIT 1000u /* the last three of twelve digits are the village's */

/* One record; a desk has one in each team. */
struct place_row {
    uint8_t record[MQ_ID_SIZE];
    uint8_t parent[MQ_ID_SIZE], into[MQ_ID_SIZE], split_from[MQ_ID_SIZE]; /* zeros: none */
    struct mq_place *place;
};

struct name_row {
    const char *name;
    const struct mq_place *place;
    bool now; /* its name, not an earlier one */
};

struct code_row {
    uint64_t code;
    const struct mq_place *place;
    int32_t to;
};

struct mq_place_names {
    struct name_row *names; /* by name, those of now first */
    size_t name_count;
    struct code_row *codes; /* by code, the longest first */
    size_t code_count;
};

/* ---- reading ---- */

/* The group that a reference points to; zeros where it has not come. */
static enum mq_status target_of(struct mq_replica *replica, const struct mq_group_state *state, const char *key,
                                uint8_t out[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_reader reader = mq_reader(mq_state_value(state, key));
    struct mq_query *query;
    if (mq_left(&reader) == 0)
        return MQ_OK;
    (void)mq_cbor_next(&reader);
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT canonical FROM record WHERE record = ?",
                                        "b", mq_cbor_bytes(&reader, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status;
    memcpy(out, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

static void read_codes(struct mq_pool *pool, const struct mq_group_state *state, struct mq_place *place)
{
    struct mq_span value = mq_state_value(state, "codes");
    struct mq_reader reader = mq_reader(value);
    place->code_count = value.size > 0 ? (size_t)mq_cbor_array(&reader, MQ_PLACE_CODES_MAX) : 0;
    struct mq_place_code *codes = mq_pool_take(pool, place->code_count * sizeof *codes);
    for (size_t i = 0; i < place->code_count; i++) {
        mq_cbor_array(&reader, 3);
        codes[i].code = mq_cbor_uint(&reader);
        struct mq_cbor_item from = mq_cbor_next(&reader), to = mq_cbor_next(&reader);
        codes[i].from = from.type == MQ_CBOR_UINT ? (int32_t)from.number : 0;
        codes[i].to = to.type == MQ_CBOR_UINT ? (int32_t)to.number : 0;
    }
    place->codes = codes;
}

/* Earlier names, and what other desks call it at the same time. */
static void read_names(struct mq_pool *pool, const struct mq_group_state *state, struct mq_place *place)
{
    size_t listed;
    const char *const *earlier = mq_state_texts(pool, state, "earlier_names", &listed);
    const struct mq_field_state *here = mq_state_field(state, "name");
    size_t others = here->choice_count - 1;
    const char **names = mq_pool_take(pool, (listed + others) * sizeof *names);
    for (size_t i = 0; i < listed; i++)
        names[i] = earlier[i];
    for (size_t i = 0; i < others; i++) {
        struct mq_reader reader = mq_reader(here->choices[i + 1].value);
        names[listed + i] = mq_pool_text(pool, mq_cbor_text(&reader, MQ_NAME_TEXT_MAX));
    }
    place->earlier = names;
    place->earlier_count = listed + others;
}

static enum mq_status read_place(struct mq_replica *replica, struct mq_pool *pool, const struct mq_group_state *state,
                                 void *out, bool *keep, struct mq_error *error)
{
    struct place_row *row = out;
    struct mq_place *place = mq_pool_take(pool, sizeof *place);
    const char *name = mq_state_text(pool, state, "name");
    *keep = name != NULL;
    if (name == NULL)
        return MQ_OK;
    *place = (struct mq_place){
        .id = mq_state_id(pool, state),
        .name = name,
        .level = (uint16_t)mq_state_number(state, "level"),
        .class = (uint16_t)mq_state_number(state, "class"),
        .into_date = (int32_t)mq_state_number(state, "into_date"),
        .letters = mq_state_text(pool, state, "letters"),
    };
    place->groups = mq_state_texts(pool, state, "groups", &place->group_count);
    read_codes(pool, state, place);
    read_names(pool, state, place);
    row->place = place;
    memcpy(row->record, state->canonical, MQ_ID_SIZE);
    enum mq_status status = target_of(replica, state, "parent", row->parent, error);
    if (status == MQ_OK)
        status = target_of(replica, state, "into", row->into, error);
    return status == MQ_OK ? target_of(replica, state, "split_from", row->split_from, error) : status;
}

/* ---- one place for each id ---- */

static int by_id(const void *a, const void *b)
{
    const struct place_row *left = a, *right = b;
    int order = strcmp(left->place->id, right->place->id);
    return order != 0 ? order : memcmp(left->record, right->record, MQ_ID_SIZE);
}

static int by_place_id(const void *a, const void *b)
{
    const struct mq_place *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

struct record_row {
    uint8_t record[MQ_ID_SIZE];
    const char *id;
};

static int by_record(const void *a, const void *b)
{
    const struct record_row *left = a, *right = b;
    return memcmp(left->record, right->record, MQ_ID_SIZE);
}

/* The place that a record, of whatever team, is about. */
static const struct mq_place *place_of(const struct mq_catalogue *catalogue, const struct record_row *records,
                                       size_t count, const uint8_t record[MQ_ID_SIZE])
{
    struct record_row key;
    memcpy(key.record, record, MQ_ID_SIZE);
    const struct record_row *row = bsearch(&key, records, count, sizeof key, by_record);
    if (row == NULL)
        return NULL;
    const struct mq_place wanted = {.id = row->id}, *pointer = &wanted;
    const struct mq_place *const *found = bsearch(&pointer, catalogue->places, catalogue->place_count,
                                                  sizeof *catalogue->places, by_place_id);
    return found == NULL ? NULL : *found;
}

static void places_join(struct mq_catalogue *catalogue)
{
    struct mq_catalogue_part *part = &catalogue->parts[MQ_PART_PLACES];
    struct place_row *rows = part->rows;
    struct record_row *records = mq_pool_take(&part->pool, part->count * sizeof *records);
    const struct mq_place **places = mq_pool_take(&part->pool, part->count * sizeof *places);
    if (part->count > 0)
        qsort(rows, part->count, sizeof *rows, by_id);
    catalogue->places = places;
    catalogue->place_count = 0;
    for (size_t i = 0; i < part->count; i++) {
        memcpy(records[i].record, rows[i].record, MQ_ID_SIZE);
        records[i].id = rows[i].place->id;
        if (i == 0 || strcmp(rows[i].place->id, rows[i - 1].place->id) != 0)
            places[catalogue->place_count++] = rows[i].place;
    }
    if (part->count > 0)
        qsort(records, part->count, sizeof *records, by_record);
    for (size_t i = 0; i < part->count; i++) {
        rows[i].place->parent = place_of(catalogue, records, part->count, rows[i].parent);
        rows[i].place->into = place_of(catalogue, records, part->count, rows[i].into);
        rows[i].place->split_from = place_of(catalogue, records, part->count, rows[i].split_from);
    }
}

/* ---- how they are found ---- */

static int by_name(const void *a, const void *b)
{
    const struct name_row *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (int)right->now - (int)left->now;
}

static int by_code(const void *a, const void *b)
{
    const struct code_row *left = a, *right = b;
    int32_t left_to = left->to == 0 ? INT32_MAX : left->to, right_to = right->to == 0 ? INT32_MAX : right->to;
    int order = (left->code > right->code) - (left->code < right->code);
    return order != 0 ? order : (right_to > left_to) - (right_to < left_to);
}

static void names_sort(struct mq_catalogue *catalogue)
{
    struct mq_pool *pool = &catalogue->parts[MQ_PART_PLACES].pool;
    struct mq_place_names *index = mq_pool_take(pool, sizeof *index);
    size_t names = 0, codes = 0;
    for (size_t i = 0; i < catalogue->place_count; i++) {
        names += 1 + catalogue->places[i]->earlier_count;
        codes += catalogue->places[i]->code_count;
    }
    index->names = mq_pool_take(pool, names * sizeof *index->names);
    index->codes = mq_pool_take(pool, codes * sizeof *index->codes);
    for (size_t i = 0; i < catalogue->place_count; i++) {
        const struct mq_place *place = catalogue->places[i];
        index->names[index->name_count++] = (struct name_row){place->name, place, true};
        for (size_t n = 0; n < place->earlier_count; n++)
            index->names[index->name_count++] = (struct name_row){place->earlier[n], place, false};
        for (size_t c = 0; c < place->code_count; c++)
            index->codes[index->code_count++] = (struct code_row){place->codes[c].code, place, place->codes[c].to};
    }
    if (names > 0)
        qsort(index->names, names, sizeof *index->names, by_name);
    if (codes > 0)
        qsort(index->codes, codes, sizeof *index->codes, by_code);
    catalogue->names = index;
}

static enum mq_status places_read(struct mq_replica *replica, struct mq_error *error)
{
    static const struct mq_part_reader reader = {MQ_KIND_PLACE, sizeof(struct place_row), read_place};
    bool stale;
    enum mq_status status = mq_catalogue_read(replica, MQ_PART_PLACES, &reader, &stale, error);
    if (status != MQ_OK || !stale)
        return status;
    places_join(replica->catalogue);
    names_sort(replica->catalogue);
    return MQ_OK;
}

/* The first row with that code; NULL: none. */
static const struct mq_place *with_code(const struct mq_place_names *index, uint64_t code)
{
    size_t low = 0, high = index->code_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->codes[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->code_count && index->codes[low].code == code ? index->codes[low].place : NULL;
}

/* The place of that name; a name of today goes before an earlier one. `several`: more than one is called so. */
static const struct mq_place *with_name(const struct mq_place_names *index, struct mq_span name, bool *several)
{
    const struct mq_place *found = NULL;
    bool now = false;
    size_t low = 0, high = index->name_count;
    *several = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mq_span_order(mq_span_text(index->names[middle].name), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->name_count && mq_span_equal(mq_span_text(index->names[low].name), name); low++) {
        const struct name_row *row = &index->names[low];
        if (found != NULL && now && !row->now)
            break;
        *several = *several || (found != NULL && found != row->place);
        found = row->place;
        now = row->now;
    }
    return *several ? NULL : found;
}

/* ---- asking ---- */

enum mq_status mq_catalogue_places(struct mq_replica *replica, const struct mq_place *const **places, size_t *count,
                                   struct mq_error *error)
{
    enum mq_status status = places_read(replica, error);
    if (status == MQ_OK) {
        *places = replica->catalogue->places;
        *count = replica->catalogue->place_count;
    }
    return status;
}

enum mq_status mq_catalogue_place(struct mq_replica *replica, struct mq_span value, const struct mq_place **out,
                                  struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    bool several;
    *out = NULL;
    enum mq_status status = places_read(replica, error);
    if (status != MQ_OK || replica->catalogue->place_count == 0)
        return status;
    struct mq_cbor_item item = mq_cbor_next(&reader);
    if (item.type == MQ_CBOR_UINT)
        *out = with_code(replica->catalogue->names, item.number);
    else if (item.type == MQ_CBOR_TEXT)
        *out = with_name(replica->catalogue->names, item.bytes, &several);
    return MQ_OK;
}

enum mq_status mq_catalogue_place_named(struct mq_replica *replica, struct mq_span text, const struct mq_place **out,
                                        struct mq_error *error)
{
    const struct mq_field field = {.key = "place", .type = MQ_TYPE_PLACE, .most = MQ_NAME_TEXT_MAX};
    uint8_t memory[MQ_NAME_TEXT_MAX + 16];
    struct mq_buffer value = mq_buffer(memory, sizeof memory);
    bool several = false;
    enum mq_status status = places_read(replica, error);
    if (status != MQ_OK)
        return status;
    *out = NULL;
    for (size_t i = 0; i < replica->catalogue->place_count; i++)
        if (mq_span_equal(mq_span_text(replica->catalogue->places[i]->id), text))
            *out = replica->catalogue->places[i];
    if (*out == NULL && mq_value_from_text(&field, text, &value) == MQ_OK)
        status = mq_catalogue_place(replica, mq_written(&value), out, error);
    if (status != MQ_OK || *out != NULL)
        return status;
    (void)with_name(replica->catalogue->names, text, &several);
    if (several)
        return mq_fail(error, MQ_REFUSED, _("several places are called \"%.*s\"; say which by its 12-digit code"),
                       (int)text.size, (const char *)text.data);
    return mq_fail(error, MQ_NOT_FOUND, _("no place \"%.*s\" is known here; `list place` shows which are"),
                   (int)text.size, (const char *)text.data);
}

enum mq_status mq_catalogue_town(struct mq_replica *replica, uint64_t code, const struct mq_place **out,
                                 struct mq_error *error)
{
    enum mq_status status = places_read(replica, error);
    *out = NULL;
    if (status == MQ_OK && replica->catalogue->place_count > 0)
        *out = with_code(replica->catalogue->names, code / TOWN_UNIT * TOWN_UNIT);
    return status;
}

const struct mq_place *mq_place_on(const struct mq_place *place, int32_t day)
{
    /* Two desks may have merged two places into each other: the walk ends all the same. */
    for (int steps = 0; steps < MQ_PLACE_STEPS_MAX && place->into != NULL && place->into_date <= day; steps++)
        place = place->into;
    return place;
}

bool mq_place_within(const struct mq_place *place, const struct mq_place *whole, int32_t day)
{
    place = mq_place_on(place, day);
    for (int steps = 0; steps < MQ_PLACE_STEPS_MAX && place != NULL; steps++) {
        if (place == whole)
            return true;
        place = place->parent == NULL ? NULL : mq_place_on(place->parent, day);
    }
    return false;
}

uint64_t mq_place_code_on(const struct mq_place *place, int32_t day)
{
    for (size_t i = place->code_count; i > 0; i--) {
        const struct mq_place_code *code = &place->codes[i - 1];
        if ((code->from == 0 || day >= code->from) && (code->to == 0 || day <= code->to))
            return code->code;
    }
    return 0;
}
