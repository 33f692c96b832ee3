/* Records as rows. A state holds only until the next call that takes the replica, so a row is filled in rounds: what it
 * points to, the household, the record itself, how it stands. */
#include "replica/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/place_filter.h"
#include "replica/replica_keys.h"
#include "replica/scrub.h"
#include "replica/standing.h"
#include "replica/view.h"

#define ORDER_TEXT 96 /* bytes of village and group that rows are ordered by */

struct row {
    struct mq_replica *replica;
    const struct mq_ledger_choice *choice;
    const struct mq_ledger_rows *rows;
    int64_t count;
    struct mq_names names; /* of the household, to be masked in texts */
    uint8_t household[MQ_ID_SIZE], visit[MQ_ID_SIZE];
    bool has_household, has_visit;
    size_t households; /* that a visit was at */
    int32_t day;
    bool tells;     /* nobody should be recognised beside it */
    bool in_village;
    struct mq_place_asked village;
    struct mq_span cells[MQ_CSV_COLUMNS_MAX];
    struct mq_buffer memory; /* what cells point to */
    struct mq_standing *standing;
};

/* ---- cells ---- */

/* A cell is what was appended since `start`. */
static void cell_end(struct row *row, size_t column, size_t start)
{
    row->cells[column] = mq_span(row->memory.data + start, row->memory.size - start);
}

/* Masks what was appended since `start`, as the column wants it. */
static void cell_mask(struct row *row, const struct mq_ledger_column *column, size_t start)
{
    uint8_t *copy_memory;
    size_t size = row->memory.size - start;
    if (row->choice->unmasked || size == 0)
        return;
    switch (column->mask) {
    case MQ_LEDGER_PLAIN:
    case MQ_LEDGER_PHONES: /* where they are written */ return;
    case MQ_LEDGER_HIDDEN:
        row->memory.size = start;
        mq_put_text(&row->memory, "***");
        return;
    case MQ_LEDGER_NAME:
    case MQ_LEDGER_TEXT: break;
    }
    copy_memory = mq_work_memory(size);
    memcpy(copy_memory, row->memory.data + start, size);
    row->memory.size = start;
    if (column->mask == MQ_LEDGER_NAME)
        mq_mask_name(mq_span(copy_memory, size), &row->memory);
    else
        mq_scrub(mq_span(copy_memory, size), &row->names, MQ_SCRUB_MASK, &row->memory);
    mq_work_free(copy_memory, size);
}

static void put_field(struct row *row, size_t at, const struct mq_group_state *state)
{
    const struct mq_ledger_column *column = row->choice->columns[at];
    size_t start = row->memory.size;
    mq_put_shown(row->replica, &row->memory, state, column->field, column->mask == MQ_LEDGER_PHONES && !row->choice->unmasked);
    cell_mask(row, column, start);
    if (row->households > 1 && strcmp(column->field, "head") == 0) {
        char more[32];
        snprintf(more, sizeof more, "等%zu户", row->households);
        mq_put_text(&row->memory, more);
    }
    cell_end(row, at, start);
}

static void put_village(struct row *row, size_t at, const struct mq_group_state *state)
{
    size_t start = row->memory.size;
    mq_put_village(row->replica, &row->memory, state);
    if (row->memory.size > start)
        cell_end(row, at, start);
}

/* A head's or reporter's name; for the board nobody's, where the category would tell what is the matter with him. */
static void put_who(struct row *row, size_t at, const struct mq_group_state *state, const char *key)
{
    size_t start = row->memory.size;
    mq_put_shown(row->replica, &row->memory, state, key, false);
    cell_mask(row, row->choice->columns[at], start);
    if (row->memory.size > start)
        cell_end(row, at, start);
}

static bool is_notice(const struct mq_ledger *ledger)
{
    return ledger >= mq_notices && ledger < mq_notices + mq_notice_count;
}

/* ---- rounds ---- */

static size_t visited(const struct mq_group_state *state)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text("households"));
    const struct mq_field_state *here = field == NULL ? NULL : mq_group_field(state, field->number);
    return here == NULL ? 0 : here->choice_count;
}

static enum mq_status look_at_place(struct row *row, const struct mq_group_state *state, struct mq_error *error)
{
    bool there = false;
    enum mq_status status =
        mq_place_is_asked(row->replica, &row->village, mq_shown_value(state, "place"), &there, error);
    row->in_village = row->in_village || there;
    return status;
}

static bool is_wanted(const struct row *row)
{
    const struct mq_ledger_filter *filter = &row->choice->filter;
    bool dated = row->choice->ledger->kind != MQ_KIND_HOUSEHOLD;
    return row->in_village && (!dated || filter->from == 0 || row->day >= filter->from) &&
           (!dated || filter->to == 0 || row->day <= filter->to);
}

static enum mq_status read_links(struct row *row, const struct mq_group_state *state, struct mq_error *error)
{
    row->in_village = false;
    row->has_household = mq_shown_reference(state, "household", row->household);
    row->has_visit = mq_shown_reference(state, "visit", row->visit);
    row->day = (int32_t)mq_shown_number(state, "date");
    row->households = row->has_household ? 1 : visited(state);
    if (!row->has_household && row->households > 0)
        row->has_household = mq_shown_reference(state, "households", row->household);
    row->tells = state->kind == MQ_KIND_NEED && mq_tells(state);
    mq_names_add(&row->names, mq_shown_text(state, "head"));
    mq_names_add(&row->names, mq_shown_text(state, "nickname"));
    mq_names_add(&row->names, mq_shown_text(state, "reporter"));
    return look_at_place(row, state, error);
}

static void fill_household(struct row *row, const struct mq_group_state *state)
{
    mq_names_add(&row->names, mq_shown_text(state, "head"));
    mq_names_add(&row->names, mq_shown_text(state, "nickname"));
    for (size_t i = 0; i < row->choice->count; i++) {
        const struct mq_ledger_column *column = row->choice->columns[i];
        if (column->source == MQ_LEDGER_HOUSEHOLD)
            put_field(row, i, state);
        else if (column->source == MQ_LEDGER_VILLAGE)
            put_village(row, i, state);
        else if (column->source == MQ_LEDGER_WHO)
            put_who(row, i, state, "head");
    }
}

/* Persons who are written down by name in this household: a text may name them too. */
static enum mq_status read_persons(struct row *row, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_PERSON), mq_span_text("household"));
    struct mq_query *query;
    struct mq_group_state state;
    uint8_t source[MQ_ID_SIZE];
    enum mq_status status = mq_db_query(
        row->replica->db, &query, error,
        "SELECT DISTINCT source FROM refers WHERE field = ?1 AND target IN (SELECT record FROM record WHERE canonical ="
        " (SELECT canonical FROM record WHERE record = ?2))",
        "ib", (int64_t)field->number, MQ_SPAN(row->household));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(source, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = mq_view_group(row->replica, source, &state, error);
        if (status == MQ_OK && state.kind == MQ_KIND_PERSON)
            mq_names_add(&row->names, mq_shown_text(&state, "name"));
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

static void put_checks(struct row *row, size_t at, const struct mq_group_state *state)
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_VISIT);
    static const char prefix[] = "checks.";
    const struct mq_code *wrong = NULL;
    size_t start = row->memory.size;
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct mq_field *field = &kind->fields[i];
        if (strncmp(field->key, prefix, sizeof prefix - 1) != 0)
            continue;
        wrong = mq_code_by_text(field->codes, mq_span_text("有问题"));
        MQ_ASSERT(wrong != NULL);
        if (mq_shown_number(state, field->key) != wrong->code)
            continue;
        mq_put_text(&row->memory, row->memory.size > start ? "、" : "");
        mq_put_text(&row->memory, field->key + sizeof prefix - 1);
    }
    cell_end(row, at, start);
}

static void put_content(struct row *row, size_t at, const struct mq_group_state *state)
{
    size_t start = row->memory.size;
    mq_put_shown(row->replica, &row->memory, state, mq_shown_text(state, "summary").size > 0 ? "summary" : "words", false);
    cell_mask(row, row->choice->columns[at], start);
    cell_end(row, at, start);
}

/* The reporter where there is no household, or nobody's name; before that the head's stands there. */
static void fill_who(struct row *row, size_t at, const struct mq_group_state *state)
{
    size_t start = row->memory.size;
    if (is_notice(row->choice->ledger) && row->tells) {
        mq_put_text(&row->memory, "某户");
        cell_end(row, at, start);
    } else if (row->cells[at].size == 0) {
        put_who(row, at, state, "reporter");
        if (row->cells[at].size > 0)
            return;
        start = row->memory.size;
        mq_put_shown(row->replica, &row->memory, state, "reporter_kind", false);
        cell_end(row, at, start);
    }
}

static void fill_own(struct row *row, const struct mq_group_state *state)
{
    for (size_t i = 0; i < row->choice->count; i++) {
        switch (row->choice->columns[i]->source) {
        case MQ_LEDGER_OWN: put_field(row, i, state); break;
        case MQ_LEDGER_VILLAGE:
            if (row->cells[i].size == 0)
                put_village(row, i, state);
            break;
        case MQ_LEDGER_WHO: fill_who(row, i, state); break;
        case MQ_LEDGER_CONTENT: put_content(row, i, state); break;
        case MQ_LEDGER_CHECKS: put_checks(row, i, state); break;
        case MQ_LEDGER_NUMBER:
        case MQ_LEDGER_HOUSEHOLD:
        case MQ_LEDGER_DAY:
        case MQ_LEDGER_UNIT:
        case MQ_LEDGER_DUE:
        case MQ_LEDGER_PROGRESS:
        case MQ_LEDGER_STATE:
        case MQ_LEDGER_TOLD:
        case MQ_LEDGER_REACTION: break; /* in another round */
        }
    }
}

static void put_progress(struct row *row, size_t at)
{
    size_t start = row->memory.size;
    mq_put_text(&row->memory, row->standing->state->label);
    if (row->standing->sentence[0] != '\0') {
        size_t text = row->memory.size;
        mq_put_text(&row->memory, "：");
        mq_put_text(&row->memory, row->standing->sentence);
        cell_mask(row, row->choice->columns[at], text);
    }
    cell_end(row, at, start);
}

static void put_reaction(struct row *row)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_TOLD), mq_span_text("reaction"));
    const struct mq_code *code = mq_code_by_number(field->codes, row->standing->reaction);
    mq_put_text(&row->memory, code == NULL ? "" : code->label);
}

static void fill_rest(struct row *row)
{
    for (size_t i = 0; i < row->choice->count; i++) {
        size_t start = row->memory.size;
        char number[24];
        switch (row->choice->columns[i]->source) {
        case MQ_LEDGER_NUMBER:
            snprintf(number, sizeof number, "%lld", (long long)row->count);
            mq_put_text(&row->memory, number);
            break;
        case MQ_LEDGER_DAY: mq_put_day(&row->memory, row->day); break;
        case MQ_LEDGER_UNIT: mq_put_text(&row->memory, row->standing->unit); break;
        case MQ_LEDGER_DUE: mq_put_day(&row->memory, row->standing->due); break;
        case MQ_LEDGER_STATE: mq_put_text(&row->memory, row->standing->state->label); break;
        case MQ_LEDGER_TOLD: mq_put_day(&row->memory, row->standing->told); break;
        case MQ_LEDGER_REACTION: put_reaction(row); break;
        case MQ_LEDGER_PROGRESS: put_progress(row, i); continue;
        case MQ_LEDGER_OWN:
        case MQ_LEDGER_HOUSEHOLD:
        case MQ_LEDGER_VILLAGE:
        case MQ_LEDGER_WHO:
        case MQ_LEDGER_CONTENT:
        case MQ_LEDGER_CHECKS: continue;
        }
        cell_end(row, i, start);
    }
}

/* ---- a row ---- */

/* MQ_NOT_FOUND: what is pointed to has not come, or is there no more; that is no fault. */
static enum mq_status view_linked(struct row *row, const uint8_t record[MQ_ID_SIZE], struct mq_group_state *state,
                                  struct mq_error *error)
{
    enum mq_status status = mq_view_group(row->replica, record, state, error);
    if (status == MQ_NOT_FOUND)
        mq_error_clear(error);
    return status == MQ_OK && (state->deleted || state->kind == 0) ? MQ_NOT_FOUND : status;
}

/* When a need was spoken: as it says, else its visit, else as it was written down. */
static enum mq_status read_day(struct row *row, const uint8_t canonical[MQ_ID_SIZE], uint64_t kind, int32_t *day,
                               struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = MQ_OK;
    *day = row->day;
    if (*day == 0 && row->has_visit)
        status = view_linked(row, row->visit, &state, error);
    if (*day == 0 && row->has_visit && status == MQ_OK)
        *day = (int32_t)mq_shown_number(&state, "date");
    if (status == MQ_NOT_FOUND)
        status = MQ_OK;
    if (status == MQ_OK && *day == 0 && kind == MQ_KIND_NEED)
        status = mq_need_made_on(row->replica, canonical, day, error);
    return status;
}

static enum mq_status read_household(struct row *row, struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = view_linked(row, row->household, &state, error);
    if (status != MQ_OK)
        return status;
    status = look_at_place(row, &state, error);
    if (status != MQ_OK)
        return status;
    fill_household(row, &state);
    return read_persons(row, error);
}

static enum mq_status fill_linked(struct row *row, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = mq_view_group(row->replica, canonical, &state, error);
    if (status != MQ_OK)
        return status;
    uint64_t kind = state.kind;
    status = read_links(row, &state, error);
    if (status == MQ_OK && row->has_household)
        status = read_household(row, error);
    if (status == MQ_NOT_FOUND)
        status = MQ_OK;
    if (status == MQ_OK)
        status = read_day(row, canonical, kind, &row->day, error);
    if (status == MQ_OK && kind == MQ_KIND_NEED)
        status = mq_standing_read(row->standing, row->replica, canonical, error);
    return status;
}

/* `wanted` false: the filter leaves it out. */
static enum mq_status fill(struct row *row, const uint8_t canonical[MQ_ID_SIZE], bool *wanted, struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = fill_linked(row, canonical, error);
    *wanted = is_wanted(row);
    if (status != MQ_OK || !*wanted)
        return status;
    status = mq_view_group(row->replica, canonical, &state, error);
    if (status != MQ_OK)
        return status;
    row->count++;
    fill_own(row, &state);
    fill_rest(row);
    return row->memory.failed ? mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece")) : MQ_OK;
}

static enum mq_status take(struct row *row, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    row->memory.size = 0;
    memset(row->cells, 0, sizeof row->cells);
    bool wanted;
    enum mq_status status = fill(row, canonical, &wanted, error);
    mq_names_end(&row->names);
    return status == MQ_OK && wanted ? row->rows->take(row->rows->context, canonical, row->cells, error) : status;
}

/* ---- the order of rows: by day, of households by village and group ---- */

struct place_in_order {
    int32_t day;
    char where[ORDER_TEXT];
    uint8_t record[MQ_ID_SIZE];
};

struct order {
    struct row *row;
    struct place_in_order *items;
    size_t count, capacity;
};

static int compare_places(const void *left, const void *right)
{
    const struct place_in_order *a = left, *b = right;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    int where = strcmp(a->where, b->where);
    return where != 0 ? where : memcmp(a->record, b->record, MQ_ID_SIZE);
}

static void put_where(struct mq_replica *replica, struct place_in_order *item, const struct mq_group_state *state)
{
    struct mq_buffer where = mq_buffer(item->where, sizeof item->where - 1);
    mq_put_village(replica, &where, state);
    item->where[where.size] = '\0';
}

static enum mq_status find_place(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct order *order = context;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(order->row->replica, canonical, &state, error);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: counted for review, no reason to write nothing */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK || mq_is_for_few(order->row->replica, &state))
        return status;
    if (order->count == order->capacity) {
        order->capacity = order->capacity == 0 ? 256 : 2 * order->capacity;
        order->items = realloc(order->items, order->capacity * sizeof *order->items);
        mq_enough(order->items);
    }
    struct place_in_order *item = &order->items[order->count++];
    *item = (struct place_in_order){.day = (int32_t)mq_shown_number(&state, "date")};
    memcpy(item->record, canonical, MQ_ID_SIZE);
    if (state.kind == MQ_KIND_HOUSEHOLD) {
        put_where(order->row->replica, item, &state);
        return MQ_OK;
    }
    status = read_links(order->row, &state, error);
    return status == MQ_OK ? read_day(order->row, canonical, state.kind, &item->day, error) : status;
}

static enum mq_status write_in_order(struct row *row, struct mq_error *error)
{
    struct order order = {.row = row};
    enum mq_status status = mq_view_each(row->replica, row->choice->ledger->kind, false, find_place, &order, error);
    mq_names_end(&row->names);
    if (status == MQ_OK && order.count > 0)
        qsort(order.items, order.count, sizeof *order.items, compare_places);
    for (size_t i = 0; i < order.count && status == MQ_OK; i++)
        status = take(row, order.items[i].record, error);
    mq_work_free(order.items, order.count * sizeof *order.items);
    return status;
}

enum mq_status mq_ledger_write(struct mq_replica *replica, const struct mq_ledger_choice *choice,
                               const struct mq_ledger_rows *rows, struct mq_error *error)
{
    struct row *row = mq_work_memory(sizeof *row);
    *row = (struct row){.replica = replica, .choice = choice, .rows = rows,
                        .memory = mq_buffer(mq_work_memory(MQ_OBJECT_MAX), MQ_OBJECT_MAX),
                        .standing = mq_work_memory(sizeof *row->standing)};
    row->standing->state = mq_need_state_by_number(MQ_NEED_REGISTERED);
    enum mq_status status = mq_place_ask(replica, choice->filter.village, 0, &row->village, error);
    if (status == MQ_OK)
        status = write_in_order(row, error);
    mq_work_free(row->standing, sizeof *row->standing);
    mq_work_free(row->memory.data, MQ_OBJECT_MAX);
    mq_work_free(row, sizeof *row);
    return status;
}
