/* Records by place (replica/place_filter.h). */
#include "replica/place_filter.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define TOWN_DIGITS 9
#define TOWN_UNIT 1000u
#define REFERENCE_STEPS 3 /* a telling is about a need, that about a visit, that about a household */

/* ---- what was asked ---- */

enum mq_status mq_place_ask(struct mq_replica *replica, struct mq_span text, int32_t day, struct mq_place_asked *out,
                            struct mq_error *error)
{
    *out = (struct mq_place_asked){.text = text, .day = day, .today = mq_catalogue_today(replica)};
    if (text.size == 0)
        return MQ_OK;
    enum mq_status status = mq_catalogue_place_named(replica, text, &out->place, error);
    if (status == MQ_NOT_FOUND) { /* people may have written what is in no list */
        mq_error_clear(error);
        status = MQ_OK;
    }
    return status;
}

/* By any of what the place was and is, until today. */
static bool ever_within(const struct mq_place *place, const struct mq_place_asked *asked)
{
    for (int steps = 0; steps < MQ_PLACE_STEPS_MAX; steps++) {
        const struct mq_place *above = place;
        for (int up = 0; up < MQ_PLACE_STEPS_MAX && above != NULL && above != asked->place; up++)
            above = above->parent;
        if (above != NULL && above == asked->place)
            return true;
        if (place->into == NULL || place->into_date > asked->today)
            return false;
        place = place->into;
    }
    return false;
}

/* The code begins with the nine digits that were asked for. */
static bool begins_with(uint64_t code, struct mq_span digits)
{
    uint64_t number = 0;
    if (digits.size != TOWN_DIGITS)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(digits.data[i] - '0');
    }
    return code / TOWN_UNIT == number;
}

static bool says_text(struct mq_span value, struct mq_span text)
{
    const struct mq_field field = {.key = "place", .type = MQ_TYPE_PLACE, .most = MQ_NAME_TEXT_MAX};
    uint8_t memory[MQ_NAME_TEXT_MAX + 16];
    struct mq_buffer shown = mq_buffer(memory, sizeof memory);
    return mq_value_to_text(&field, value, &shown) == MQ_OK && mq_span_equal(mq_written(&shown), text);
}

enum mq_status mq_place_is_asked(struct mq_replica *replica, const struct mq_place_asked *asked, struct mq_span value,
                                 bool *yes, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    const struct mq_place *place = NULL;
    *yes = asked->text.size == 0;
    if (*yes || value.size == 0)
        return MQ_OK;
    enum mq_status status = mq_catalogue_place(replica, value, &place, error);
    struct mq_cbor_item item = mq_cbor_next(&reader);
    uint64_t code = item.type == MQ_CBOR_UINT ? item.number : 0;
    if (status == MQ_OK && place == NULL && code != 0) /* a village in no list, of a town that is */
        status = mq_catalogue_town(replica, code, &place, error);
    if (status != MQ_OK)
        return status;
    if (place != NULL && asked->place != NULL)
        *yes = asked->day != 0 ? mq_place_within(place, asked->place, asked->day) : ever_within(place, asked);
    if (!*yes && asked->place == NULL)
        *yes = says_text(value, asked->text) || begins_with(code, asked->text) ||
               (place != NULL && begins_with(mq_place_code_on(place, asked->day != 0 ? asked->day : asked->today), asked->text));
    return MQ_OK;
}

/* ---- records ---- */

struct targets {
    uint8_t records[MQ_SET_MAX][MQ_ID_SIZE];
    size_t count;
};

/* Households, visits and needs that a record is about. */
static enum mq_status targets_of(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct targets *targets,
                                 struct mq_error *error)
{
    struct mq_query *query;
    targets->count = 0;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT record.canonical FROM refers JOIN record ON record.record = refers.target"
        " WHERE refers.source = (SELECT canonical FROM record WHERE record = ?) AND record.kind IN (?, ?, ?)",
        "biii", mq_span(record, MQ_ID_SIZE), (int64_t)MQ_KIND_HOUSEHOLD, (int64_t)MQ_KIND_VISIT, (int64_t)MQ_KIND_NEED);
    if (status != MQ_OK)
        return status;
    while (targets->count < MQ_SET_MAX && mq_db_next(&query, error))
        memcpy(targets->records[targets->count++], mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return error->status;
}

/* Does the record itself say a place that was asked for? */
static enum mq_status says_place(const struct mq_place_filter *filter, const uint8_t record[MQ_ID_SIZE], bool *yes,
                                 struct mq_error *error)
{
    struct mq_group_state state;
    *yes = false;
    enum mq_status status = mq_view_group(filter->replica, record, &state, error);
    const struct mq_kind *kind = status == MQ_OK ? mq_kind_by_number(state.kind) : NULL;
    for (size_t i = 0; status == MQ_OK && kind != NULL && i < kind->field_count && !*yes; i++) {
        const struct mq_field_state *here = mq_group_field(&state, kind->fields[i].number);
        if (kind->fields[i].type == MQ_TYPE_PLACE && here != NULL && here->choice_count > 0)
            status = mq_place_is_asked(filter->replica, &filter->asked, here->choices[0].value, yes, error);
    }
    return status;
}

static enum mq_status is_there(const struct mq_place_filter *filter, const uint8_t record[MQ_ID_SIZE], int steps,
                               bool *yes, struct mq_error *error)
{
    struct targets targets;
    enum mq_status status = says_place(filter, record, yes, error);
    if (status != MQ_OK || *yes || steps == 0)
        return status;
    status = targets_of(filter->replica, record, &targets, error);
    for (size_t i = 0; i < targets.count && status == MQ_OK && !*yes; i++)
        status = is_there(filter, targets.records[i], steps - 1, yes, error);
    return status;
}

static bool record_of(struct mq_span object, uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_json *json;
    bool good = false;
    if (mq_json_parse(&json, object, error) != MQ_OK)
        return false;
    const struct mq_json *hex = mq_json_get(json, "record");
    struct mq_span text = hex == NULL ? mq_span(NULL, 0) : mq_json_string(hex);
    if (text.size == 2 * MQ_ID_SIZE) {
        good = true;
        for (size_t i = 0; i < text.size; i++) {
            uint8_t digit = text.data[i], value = (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
            record[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : record[i / 2] | value);
        }
    }
    mq_json_free(json);
    return good;
}

static enum mq_status emit(void *context, struct mq_span object, struct mq_error *error)
{
    struct mq_place_filter *filter = context;
    uint8_t record[MQ_ID_SIZE];
    bool yes = filter->asked.text.size == 0;
    enum mq_status status = MQ_OK;
    if (filter->left == 0)
        return MQ_OK;
    if (!yes && record_of(object, record, error))
        status = is_there(filter, record, REFERENCE_STEPS, &yes, error);
    if (status != MQ_OK || !yes)
        return status != MQ_OK ? status : error->status;
    filter->left -= filter->left > 0;
    return filter->next->emit(filter->next->context, object, error);
}

enum mq_status mq_place_filter_begin(struct mq_place_filter *filter, struct mq_replica *replica, struct mq_span place,
                                     int32_t day, int64_t limit, const struct mq_emitter *next, struct mq_error *error)
{
    *filter = (struct mq_place_filter){.replica = replica, .left = limit > 0 ? limit : -1, .next = next};
    return mq_place_ask(replica, place, day, &filter->asked, error);
}

enum mq_status mq_place_day(const char *text, int32_t *day, struct mq_error *error)
{
    *day = 0;
    if (text == NULL || (mq_date_parse(day, mq_span_text(text)) && *day > 0))
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("\"%s\" is no date; write it as 2026-11-05"), text);
}

struct mq_emitter mq_place_filter_emitter(struct mq_place_filter *filter)
{
    return (struct mq_emitter){.context = filter, .emit = emit};
}
