/* Units, calendars and presets that desks gave (replica/catalogue.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/codes.h"
#include "replica/catalogue_keys.h"

/* Each row begins with these two, so that one order serves all: several teams of a desk have the same record. */
struct row_head {
    const char *id;
    uint8_t record[MQ_ID_SIZE];
};

static void head_read(struct row_head *head, struct mq_pool *pool, const struct mq_group_state *state)
{
    head->id = mq_state_id(pool, state);
    memcpy(head->record, state->canonical, MQ_ID_SIZE);
}

static int head_order(const void *a, const void *b)
{
    const struct row_head *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order != 0 ? order : memcmp(left->record, right->record, MQ_ID_SIZE);
}

/* Rows of a part in order; is row `i` the first with its id? */
static bool is_first(const struct mq_catalogue_part *part, size_t row_size, size_t i)
{
    if (i == 0)
        return true;
    const uint8_t *here = (const uint8_t *)part->rows + i * row_size;
    return strcmp(((const struct row_head *)(const void *)here)->id,
                  ((const struct row_head *)(const void *)(here - row_size))->id) != 0;
}

static void rows_sort(struct mq_catalogue_part *part, size_t row_size)
{
    if (part->count > 0)
        qsort(part->rows, part->count, row_size, head_order);
}

/* ---- units ---- */

struct unit_row {
    struct row_head head;
    struct mq_unit unit;
};

static void read_phones(struct mq_pool *pool, const struct mq_group_state *state, struct mq_unit *unit)
{
    struct mq_span value = mq_state_value(state, "phones");
    struct mq_reader reader = mq_reader(value);
    unit->phone_count = value.size > 0 ? (size_t)mq_cbor_array(&reader, MQ_PHONES_MAX) : 0;
    struct mq_unit_phone *phones = mq_pool_take(pool, unit->phone_count * sizeof *phones);
    for (size_t i = 0; i < unit->phone_count; i++) {
        mq_cbor_array(&reader, 2);
        phones[i].number = mq_pool_text(pool, mq_cbor_text(&reader, MQ_NAME_TEXT_MAX));
        struct mq_cbor_item whose = mq_cbor_next(&reader);
        phones[i].whose = whose.type == MQ_CBOR_TEXT ? mq_pool_text(pool, whose.bytes) : NULL;
    }
    unit->phones = phones;
}

static void read_categories(struct mq_pool *pool, const struct mq_group_state *state, struct mq_unit *unit)
{
    const struct mq_field_state *here = mq_state_field(state, "categories");
    size_t count = here == NULL ? 0 : here->choice_count;
    uint16_t *categories = mq_pool_take(pool, count * sizeof *categories);
    for (size_t i = 0; i < count; i++) {
        struct mq_reader reader = mq_reader(here->choices[i].value);
        uint64_t number = mq_cbor_uint(&reader);
        if (number > 0 && number <= MQ_CODE_NUMBER_MAX)
            categories[unit->category_count++] = (uint16_t)number;
    }
    unit->categories = categories;
}

static const char *read_place(struct mq_pool *pool, const struct mq_group_state *state)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_UNIT), mq_span_text("place"));
    char memory[MQ_NAME_TEXT_MAX + 16];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    bool good = mq_value_to_text(field, mq_state_value(state, "place"), &text) == MQ_OK;
    return good ? mq_pool_text(pool, mq_written(&text)) : NULL;
}

static enum mq_status read_unit(struct mq_replica *replica, struct mq_pool *pool, const struct mq_group_state *state,
                                void *out, bool *keep, struct mq_error *error)
{
    struct unit_row *row = out;
    (void)replica;
    (void)error;
    head_read(&row->head, pool, state);
    row->unit = (struct mq_unit){
        .id = row->head.id,
        .name = mq_state_text(pool, state, "name"),
        .level = (uint16_t)mq_state_number(state, "level"),
        .place = read_place(pool, state),
        .from = (int32_t)mq_state_number(state, "from"),
        .to = (int32_t)mq_state_number(state, "to"),
        .emergency = mq_state_true(state, "emergency"),
    };
    read_phones(pool, state, &row->unit);
    read_categories(pool, state, &row->unit);
    *keep = row->unit.name != NULL;
    return MQ_OK;
}

static enum mq_status units_read(struct mq_replica *replica, struct mq_error *error)
{
    static const struct mq_part_reader reader = {MQ_KIND_UNIT, sizeof(struct unit_row), read_unit};
    bool stale;
    enum mq_status status = mq_catalogue_read(replica, MQ_PART_UNITS, &reader, &stale, error);
    if (status != MQ_OK || !stale)
        return status;
    struct mq_catalogue *catalogue = replica->catalogue;
    struct mq_catalogue_part *part = &catalogue->parts[MQ_PART_UNITS];
    const struct unit_row *rows = part->rows;
    rows_sort(part, sizeof *rows);
    const struct mq_unit **units = mq_pool_take(&part->pool, part->count * sizeof *units);
    catalogue->unit_count = 0;
    for (size_t i = 0; i < part->count; i++)
        if (is_first(part, sizeof *rows, i))
            units[catalogue->unit_count++] = &rows[i].unit;
    catalogue->units = units;
    return MQ_OK;
}

static bool unit_now(const struct mq_unit *unit, int32_t today)
{
    return (unit->from == 0 || today >= unit->from) && (unit->to == 0 || today <= unit->to);
}

static const char *unit_with(const struct mq_catalogue *catalogue, uint64_t category, int32_t today)
{
    for (size_t i = 0; i < catalogue->unit_count; i++)
        for (size_t c = 0; c < catalogue->units[i]->category_count; c++)
            if (catalogue->units[i]->categories[c] == category && unit_now(catalogue->units[i], today))
                return catalogue->units[i]->name;
    return NULL;
}

enum mq_status mq_catalogue_unit_for(struct mq_replica *replica, uint64_t category, uint64_t subcategory,
                                     const char **unit, struct mq_error *error)
{
    const struct mq_code_list *first = NULL, *second = NULL;
    *unit = NULL;
    enum mq_status status = mq_catalogue_codes(replica, &mq_codes_category, &first, error);
    if (status == MQ_OK)
        status = mq_catalogue_codes(replica, &mq_codes_subcategory, &second, error);
    if (status == MQ_OK)
        status = units_read(replica, error);
    if (status != MQ_OK)
        return status;
    const struct mq_code *below = mq_code_by_number(second, subcategory), *above = mq_code_by_number(first, category);
    if (below != NULL && below->unit != NULL) /* what is said of the second level says more */
        *unit = below->unit;
    if (*unit == NULL)
        *unit = unit_with(replica->catalogue, category, mq_catalogue_today(replica));
    if (*unit == NULL && above != NULL)
        *unit = above->unit;
    return MQ_OK;
}

/* The whole country's. */
static const struct mq_unit_phone police[] = {{"110", NULL}}, ambulance[] = {{"120", NULL}};
static const struct mq_unit country[] = {
    {.id = "110", .name = "公安报警", .phones = police, .phone_count = 1, .emergency = true},
    {.id = "120", .name = "急救", .phones = ambulance, .phone_count = 1, .emergency = true},
};
#define COUNTRY_COUNT (sizeof country / sizeof *country)

static bool has_number(const struct mq_unit *const *units, size_t count, const char *number)
{
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < units[i]->phone_count; p++)
            if (strcmp(units[i]->phones[p].number, number) == 0)
                return true;
    return false;
}

enum mq_status mq_catalogue_emergency(struct mq_replica *replica, const struct mq_unit *out[MQ_EMERGENCY_MAX],
                                      size_t *count, struct mq_error *error)
{
    enum mq_status status = units_read(replica, error);
    *count = 0;
    if (status != MQ_OK)
        return status;
    int32_t today = mq_catalogue_today(replica);
    for (size_t i = 0; i < replica->catalogue->unit_count && *count < MQ_EMERGENCY_MAX - COUNTRY_COUNT; i++) {
        const struct mq_unit *unit = replica->catalogue->units[i];
        if (unit->emergency && unit->phone_count > 0 && unit_now(unit, today))
            out[(*count)++] = unit;
    }
    size_t own = *count;
    for (size_t i = 0; i < COUNTRY_COUNT; i++)
        if (!has_number(out, own, country[i].phones[0].number))
            out[(*count)++] = &country[i];
    return MQ_OK;
}

/* ---- calendars ---- */

struct year_row {
    struct row_head head;
    struct mq_calendar_year year;
};

static const struct mq_days *read_days(struct mq_pool *pool, const struct mq_group_state *state, const char *key,
                                       size_t *count)
{
    struct mq_span value = mq_state_value(state, key);
    struct mq_reader reader = mq_reader(value);
    *count = value.size > 0 ? (size_t)mq_cbor_array(&reader, MQ_CALENDAR_DAYS_MAX) : 0;
    struct mq_days *days = mq_pool_take(pool, *count * sizeof *days);
    for (size_t i = 0; i < *count; i++)
        days[i].first = days[i].last = (int32_t)mq_cbor_uint(&reader);
    return days;
}

static enum mq_status read_year(struct mq_replica *replica, struct mq_pool *pool, const struct mq_group_state *state,
                                void *out, bool *keep, struct mq_error *error)
{
    struct year_row *row = out;
    struct mq_calendar_year *year = &row->year;
    (void)replica;
    (void)error;
    head_read(&row->head, pool, state);
    year->year = (int)mq_state_number(state, "year");
    year->holidays = read_days(pool, state, "holidays", &year->holiday_count);
    year->workdays = read_days(pool, state, "workdays", &year->workday_count);
    year->source = mq_state_text(pool, state, "source");
    if (year->source == NULL)
        year->source = "";
    *keep = year->year != 0;
    return MQ_OK;
}

enum mq_status mq_catalogue_calendar(struct mq_replica *replica, struct mq_calendar *out, struct mq_error *error)
{
    static const struct mq_part_reader reader = {MQ_KIND_CALENDAR, sizeof(struct year_row), read_year};
    bool stale;
    enum mq_status status = mq_catalogue_read(replica, MQ_PART_CALENDARS, &reader, &stale, error);
    if (status != MQ_OK)
        return status;
    struct mq_catalogue *catalogue = replica->catalogue;
    struct mq_catalogue_part *part = &catalogue->parts[MQ_PART_CALENDARS];
    const struct year_row *rows = part->rows;
    if (stale) {
        rows_sort(part, sizeof *rows);
        catalogue->years = mq_pool_take(&part->pool, part->count * sizeof *catalogue->years);
        catalogue->year_count = 0;
        for (size_t i = 0; i < part->count; i++)
            if (is_first(part, sizeof *rows, i))
                catalogue->years[catalogue->year_count++] = rows[i].year;
    }
    *out = (struct mq_calendar){.years = catalogue->years, .count = catalogue->year_count};
    return MQ_OK;
}

/* ---- presets ---- */

struct preset_row {
    struct row_head head;
    struct mq_preset preset;
};

static enum mq_status read_preset(struct mq_replica *replica, struct mq_pool *pool,
                                  const struct mq_group_state *state, void *out, bool *keep, struct mq_error *error)
{
    struct preset_row *row = out;
    struct mq_preset *preset = &row->preset;
    uint64_t clock = mq_state_number(state, "clock"), urgency = mq_state_number(state, "urgency");
    uint64_t category = mq_state_number(state, "category");
    (void)replica;
    (void)error;
    head_read(&row->head, pool, state);
    *preset = (struct mq_preset){
        .id = row->head.id,
        .name = mq_state_text(pool, state, "name"),
        .clock = (uint8_t)clock,
        .days = (uint16_t)mq_state_number(state, "days"),
        .working = mq_state_true(state, "working"),
        .urgency = (uint8_t)urgency,
        .category = (uint8_t)category,
        .usual = !mq_state_true(state, "binding"), /* what binds was chosen, for what was handed to that channel */
        .binding = mq_state_true(state, "binding"),
        .source = mq_state_text(pool, state, "source"),
        .from = (int32_t)mq_state_number(state, "from"),
        .to = (int32_t)mq_state_number(state, "to"),
    };
    if (preset->source == NULL)
        preset->source = "";
    /* For a code that this program cannot count by: better no preset than one that is for everything. */
    *keep = preset->name != NULL && clock <= UINT8_MAX && urgency <= UINT8_MAX && category <= UINT8_MAX;
    return MQ_OK;
}

enum mq_status mq_catalogue_presets(struct mq_replica *replica, struct mq_preset_list *out, struct mq_error *error)
{
    static const struct mq_part_reader reader = {MQ_KIND_PRESET, sizeof(struct preset_row), read_preset};
    bool stale;
    enum mq_status status = mq_catalogue_read(replica, MQ_PART_PRESETS, &reader, &stale, error);
    if (status != MQ_OK)
        return status;
    struct mq_catalogue *catalogue = replica->catalogue;
    struct mq_catalogue_part *part = &catalogue->parts[MQ_PART_PRESETS];
    const struct preset_row *rows = part->rows;
    if (stale) {
        rows_sort(part, sizeof *rows);
        catalogue->presets = mq_pool_take(&part->pool, part->count * sizeof *catalogue->presets);
        catalogue->preset_count = 0;
        for (size_t i = 0; i < part->count; i++)
            if (is_first(part, sizeof *rows, i))
                catalogue->presets[catalogue->preset_count++] = rows[i].preset;
    }
    *out = (struct mq_preset_list){.presets = catalogue->presets, .count = catalogue->preset_count};
    return MQ_OK;
}
