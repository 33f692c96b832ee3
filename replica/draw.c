/* Drawing by lot. Each household has a lot of its own, worked out from the seed and its record id alone; so who is drawn
 * does not depend on the order in which records came, and one household more or less changes nobody else's lot. */
#include "replica/draw.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/hash.h"
#include "replica/convert.h"
#include "replica/place_filter.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define YEAR_DAYS 365
#define NEVER INT32_MIN
/* Codes of docs/domain.md, section 3.1. */
enum { TYPE_ORDINARY = 1, STATE_EMPTY = 3, STATE_MOVED_OUT = 4, STATE_JOINED = 6, STATE_DISSOLVED = 7 };
enum { RESULT_MET_PERSON = 1, RESULT_MET_FAMILY = 2 };
enum { VISIT_HOUSEHOLD = 3, VISIT_HOUSEHOLDS = 4, VISIT_DATE = 6, VISIT_RESULT = 9 };
enum { PLACE = 3, GROUP = 4, HEAD = 5, NICKNAME = 6, TYPES = 11, STATE = 15 };

struct candidate {
    uint8_t record[MQ_ID_SIZE];
    int32_t heard; /* the last day; NEVER */
    uint64_t lot;  /* the smaller, the earlier drawn */
    bool ordinary;
};

struct candidates {
    struct mq_replica *replica;
    const struct mq_draw *draw;
    struct mq_place_asked place;
    struct candidate *items;
    size_t count, room;
};

/* ---- one household ---- */

static struct mq_span value_of(const struct mq_group_state *state, uint64_t field)
{
    const struct mq_field_state *found = mq_group_field(state, field);
    return found != NULL && found->choice_count > 0 ? found->choices[0].value : mq_span(NULL, 0);
}

static uint64_t number_of(const struct mq_group_state *state, uint64_t field)
{
    struct mq_reader reader = mq_reader(value_of(state, field));
    struct mq_cbor_item item = mq_cbor_next(&reader);
    return item.type == MQ_CBOR_UINT ? item.number : 0;
}

static bool has_element(const struct mq_group_state *state, uint64_t field, uint64_t wanted)
{
    const struct mq_field_state *set = mq_group_field(state, field);
    for (size_t i = 0; set != NULL && i < set->choice_count; i++) {
        struct mq_reader reader = mq_reader(set->choices[i].value);
        struct mq_cbor_item item = mq_cbor_next(&reader);
        if (item.type == MQ_CBOR_UINT && item.number == wanted)
            return true;
    }
    return false;
}

/* Does the field show this text? */
static bool shows(const struct mq_group_state *state, uint64_t number, struct mq_span text)
{
    uint8_t memory[MQ_SHORT_TEXT_MAX + 16];
    struct mq_buffer shown = mq_buffer(memory, sizeof memory);
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(MQ_KIND_HOUSEHOLD), number);
    struct mq_span value = value_of(state, number);
    return value.size > 0 && mq_value_to_text(field, value, &shown) == MQ_OK && mq_span_equal(mq_written(&shown), text);
}

static bool fits(const struct mq_draw *draw, const struct mq_group_state *state)
{
    uint64_t life = number_of(state, STATE);
    bool lives = life != STATE_EMPTY && life != STATE_MOVED_OUT && life != STATE_JOINED && life != STATE_DISSOLVED;
    return lives && (draw->group.size == 0 || shows(state, GROUP, draw->group)) &&
           (draw->type == 0 || has_element(state, TYPES, draw->type));
}

/* ---- when it was last heard ---- */

/* The day of a visit in which somebody was met. */
static enum mq_status visit_day(struct mq_replica *replica, const uint8_t visit[MQ_ID_SIZE], int32_t *day,
                                struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, visit, &state, error);
    if (status != MQ_OK)
        return status;
    uint64_t result = number_of(&state, VISIT_RESULT), date = number_of(&state, VISIT_DATE);
    bool met = result == 0 || result == RESULT_MET_PERSON || result == RESULT_MET_FAMILY;
    if (met && date <= MQ_DAY_MAX && (int32_t)date > *day)
        *day = (int32_t)date;
    return MQ_OK;
}

static enum mq_status last_heard(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE], int32_t *day,
                                 struct mq_error *error)
{
    struct mq_query *query;
    *day = NEVER;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT DISTINCT source FROM record JOIN refers ON target = record.record JOIN state ON"
                    " state.canonical = source WHERE record.canonical = ? AND state.kind = ? AND field IN (?, ?)",
                    "biii", mq_span(household, MQ_ID_SIZE), (int64_t)MQ_KIND_VISIT, (int64_t)VISIT_HOUSEHOLD,
                    (int64_t)VISIT_HOUSEHOLDS);
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t visit[MQ_ID_SIZE];
        memcpy(visit, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = visit_day(replica, visit, day, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* ---- the lots ---- */

static uint64_t lot_of(const struct mq_draw *draw, const struct candidate *one)
{
    uint8_t seed[8], hash[8];
    uint64_t lot = 0, weight = one->heard == NEVER ? 4 : draw->today - one->heard > YEAR_DAYS ? 2 : 1;
    for (int i = 0; i < 8; i++)
        seed[i] = (uint8_t)(draw->seed >> (56 - 8 * i));
    const struct mq_span parts[] = {MQ_SPAN(seed), MQ_SPAN(one->record)};
    mq_hash(hash, sizeof hash, MQ_DOMAIN_DRAW, parts, 2);
    for (int i = 0; i < 8; i++)
        lot = lot << 8 | hash[i];
    return lot / (one->ordinary ? 2 * weight : weight);
}

static enum mq_status take(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct candidates *all = context;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(all->replica, canonical, &state, error);
    bool there = false;
    if (status == MQ_OK)
        status = mq_place_is_asked(all->replica, &all->place, value_of(&state, PLACE), &there, error);
    if (status != MQ_OK || !there || !fits(all->draw, &state))
        return status;
    struct candidate one = {.ordinary = has_element(&state, TYPES, TYPE_ORDINARY)};
    memcpy(one.record, canonical, MQ_ID_SIZE);
    status = last_heard(all->replica, canonical, &one.heard, error);
    bool lately = one.heard != NEVER && all->draw->unheard_days > 0 &&
                  all->draw->today - one.heard < all->draw->unheard_days;
    if (status != MQ_OK || lately)
        return status;
    if (all->count == all->room) {
        all->room = all->room == 0 ? 256 : all->room * 2;
        all->items = realloc(all->items, all->room * sizeof *all->items);
        mq_enough(all->items);
    }
    one.lot = lot_of(all->draw, &one);
    all->items[all->count++] = one;
    return MQ_OK;
}

static int by_lot(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->lot != b->lot)
        return a->lot < b->lot ? -1 : 1;
    return memcmp(a->record, b->record, MQ_ID_SIZE);
}

static int by_silence(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->heard != b->heard)
        return a->heard < b->heard ? -1 : 1;
    return memcmp(a->record, b->record, MQ_ID_SIZE);
}

/* ---- showing ---- */

static enum mq_status put(struct mq_replica *replica, const struct mq_group_state *state, uint64_t number,
                          struct mq_json_writer *writer, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(MQ_KIND_HOUSEHOLD), number);
    struct mq_span value = value_of(state, number);
    if (value.size == 0)
        return MQ_OK;
    mq_json_key(writer, field->key);
    return mq_print_value(replica, field, value, writer, error);
}

static enum mq_status show(struct mq_replica *replica, const struct candidate *one, const struct mq_emitter *emitter,
                           struct mq_error *error)
{
    static const uint8_t fields[] = {GROUP, HEAD, NICKNAME};
    uint8_t memory[4096], id_memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer out = mq_buffer(memory, sizeof memory), id = mq_buffer(id_memory, sizeof id_memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_group_state state;
    char day[11];
    enum mq_status status = mq_view_group(replica, one->record, &state, error);
    if (status == MQ_OK)
        status = mq_print_reference(replica, one->record, &id, error);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "household");
    mq_json_string_value(&writer, mq_written(&id));
    for (size_t i = 0; i < sizeof fields && status == MQ_OK; i++)
        status = put(replica, &state, fields[i], &writer, error);
    mq_json_key(&writer, "last_heard");
    if (one->heard == NEVER) {
        mq_json_null_value(&writer);
    } else {
        mq_date_print(day, one->heard);
        mq_json_text_value(&writer, day);
    }
    mq_json_end(&writer, '}');
    MQ_ASSERT(status != MQ_OK || !out.failed);
    return status == MQ_OK ? emitter->emit(emitter->context, mq_written(&out), error) : status;
}

enum mq_status mq_draw_households(struct mq_replica *replica, const struct mq_draw *draw,
                                  const struct mq_emitter *emitter, struct mq_error *error)
{
    struct candidates all = {.replica = replica, .draw = draw};
    enum mq_status status = mq_place_ask(replica, draw->place, 0, &all.place, error);
    if (status == MQ_OK)
        status = mq_view_each(replica, MQ_KIND_HOUSEHOLD, false, take, &all, error);
    size_t wanted = draw->count == 0 ? all.count : (size_t)draw->count;
    if (all.count > 1)
        qsort(all.items, all.count, sizeof *all.items, draw->count == 0 ? by_silence : by_lot);
    for (size_t i = 0; status == MQ_OK && i < all.count && i < wanted; i++)
        status = show(replica, &all.items[i], emitter, error);
    if (status == MQ_OK && all.count < wanted)
        status = mq_fail(error, MQ_REFUSED, _("only %zu households fit, not %zu; all of them are listed"), all.count,
                         wanted);
    mq_work_free(all.items, all.room * sizeof *all.items);
    return status;
}
