/* Facts and filters. */
#include "replica/need_facts.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/standing.h"
#include "replica/view.h"

/* ---- filters ---- */

static enum mq_status split(struct mq_filter_texts *out, const char *text, const char *option, struct mq_error *error)
{
    for (const char *at = text; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, ",");
        if (out->count == MQ_FILTER_VALUES_MAX)
            return mq_fail(error, MQ_REFUSED, _("--%s has more than %d values"), option, MQ_FILTER_VALUES_MAX);
        out->items[out->count++] = size == 1 && *at == '-' ? mq_span(at, 0) : mq_span(at, size);
        at += size + (at[size] == ',');
    }
    return MQ_OK;
}

static enum mq_status unknown_value(const char *option, struct mq_span value, struct mq_error *error)
{
    return mq_fail(error, MQ_REFUSED, _("--%s: \"%.*s\" is not in the list"), option, (int)value.size,
                   (const char *)value.data);
}

static enum mq_status read_codes(struct mq_replica *replica, struct mq_filter_numbers *out, const char *text,
                                 const char *option, const char *key, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(key));
    const struct mq_code_list *list;
    struct mq_filter_texts texts = {.count = 0};
    enum mq_status status = split(&texts, text, option, error);
    if (status == MQ_OK)
        status = mq_catalogue_codes(replica, field->codes, &list, error);
    for (size_t i = 0; i < texts.count && status == MQ_OK; i++) {
        const struct mq_code *code = mq_code_by_text(list, texts.items[i]);
        if (code == NULL && texts.items[i].size > 0)
            return unknown_value(option, texts.items[i], error);
        out->items[out->count++] = code == NULL ? 0 : code->code;
    }
    return status;
}

static enum mq_status read_states(struct mq_need_filter *out, const char *text, struct mq_error *error)
{
    struct mq_filter_texts texts = {.count = 0};
    enum mq_status status = split(&texts, text, "state", error);
    for (size_t i = 0; i < texts.count && status == MQ_OK; i++) {
        const struct mq_need_state *state = mq_need_state_by_text(texts.items[i]);
        if (mq_span_equal(texts.items[i], mq_span_text("open")))
            out->open = true;
        else if (state == NULL)
            return unknown_value("state", texts.items[i], error);
        else
            out->states.items[out->states.count++] = state->number;
    }
    return status;
}

static enum mq_status read_day(int32_t *day, const char *text, const char *option, struct mq_error *error)
{
    if (text == NULL || mq_date_parse(day, mq_span_text(text)))
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("--%s: \"%s\" is no date; write it as 2026-11-05"), option, text);
}

enum mq_status mq_need_filter_read(struct mq_need_filter *out, struct mq_replica *replica,
                                   const struct mq_need_filter_text *text, struct mq_error *error)
{
    *out = (struct mq_need_filter){.topic = mq_span_text(text->topic == NULL ? "" : text->topic),
                                   .counted = text->counted != NULL};
    enum mq_status status = split(&out->villages, text->village, "village", error);
    for (size_t i = 0; i < out->villages.count; i++)
        out->villages.items[i] = mq_place_called(replica, out->villages.items[i]);
    if (status == MQ_OK)
        status = split(&out->units, text->unit, "unit", error);
    if (status == MQ_OK)
        status = split(&out->policies, text->policy, "policy", error);
    if (status == MQ_OK)
        status = read_codes(replica, &out->categories, text->category, "category", "category", error);
    if (status == MQ_OK)
        status = read_codes(replica, &out->natures, text->nature, "nature", "nature", error);
    if (status == MQ_OK)
        status = read_codes(replica, &out->obstacles, text->obstacle, "obstacle", "obstacles", error);
    if (status == MQ_OK)
        status = read_codes(replica, &out->asks, text->ask, "ask", "asks", error);
    if (status == MQ_OK)
        status = read_states(out, text->state, error);
    if (status == MQ_OK)
        status = read_day(&out->from, text->from, "from", error);
    return status == MQ_OK ? read_day(&out->to, text->to, "to", error) : status;
}

static bool has_text(const struct mq_filter_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (mq_span_equal(texts->items[i], mq_span_text(text)))
            return true;
    return texts->count == 0;
}

static bool has_number(const struct mq_filter_numbers *numbers, unsigned number)
{
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->items[i] == number)
            return true;
    return numbers->count == 0;
}

static bool has_bit(const struct mq_filter_numbers *numbers, uint32_t bits)
{
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->items[i] == 0 ? bits == 0 : numbers->items[i] < 32 && (bits >> numbers->items[i] & 1) != 0)
            return true;
    return numbers->count == 0;
}

bool mq_need_matches(const struct mq_need_filter *filter, const struct mq_need_facts *facts)
{
    const struct mq_need_state *state = mq_need_state_by_number(facts->state);
    bool topic = filter->topic.size == 0 || mq_span_equal(filter->topic, mq_span_text(facts->topic)) ||
                 mq_span_equal(filter->topic, mq_span_text(facts->policy));
    return topic && (!filter->counted || !facts->for_few) && (!filter->open || state->open) &&
           has_text(&filter->villages, facts->village) && has_text(&filter->units, facts->unit) &&
           has_text(&filter->policies, facts->policy) && has_number(&filter->categories, facts->category) &&
           has_number(&filter->natures, facts->nature) && has_number(&filter->states, facts->state) &&
           has_bit(&filter->obstacles, facts->obstacles) && has_bit(&filter->asks, facts->asks) &&
           (filter->from == 0 || facts->day >= filter->from) && (filter->to == 0 || facts->day <= filter->to);
}

/* ---- facts ---- */

static void copy_text(char *out, size_t capacity, struct mq_span text)
{
    size_t size = text.size < capacity ? text.size : capacity - 1;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

static void put_place(struct mq_replica *replica, struct mq_need_facts *out, const struct mq_group_state *state)
{
    struct mq_buffer place = mq_buffer(out->village, sizeof out->village - 1);
    mq_put_shown(replica, &place, state, "place", false);
    out->village[place.failed ? 0 : place.size] = '\0';
}

static uint32_t bits_of(const struct mq_group_state *state, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text(key));
    const struct mq_field_state *here = mq_group_field(state, field->number);
    uint32_t bits = 0;
    for (size_t i = 0; here != NULL && i < here->choice_count; i++) {
        struct mq_reader reader = mq_reader(here->choices[i].value);
        struct mq_cbor_item item = mq_cbor_next(&reader);
        if (item.type == MQ_CBOR_UINT && item.number < 32)
            bits |= 1u << item.number;
    }
    return bits;
}

struct links {
    uint8_t household[MQ_ID_SIZE], visit[MQ_ID_SIZE], plan[MQ_ID_SIZE];
    bool has_household, has_visit, has_plan;
};

static void read_own(struct mq_need_facts *out, struct mq_replica *replica, const struct mq_group_state *state,
                     struct links *links)
{
    *out = (struct mq_need_facts){.day = (int32_t)mq_shown_number(state, "date"),
                                  .category = (uint16_t)mq_shown_number(state, "category"),
                                  .nature = (uint16_t)mq_shown_number(state, "nature"),
                                  .for_few = mq_is_for_few(replica, state),
                                  .tells = mq_tells(state),
                                  .obstacles = bits_of(state, "obstacles"),
                                  .asks = bits_of(state, "asks")};
    memcpy(out->record, state->canonical, MQ_ID_SIZE);
    memcpy(out->household, state->canonical, MQ_ID_SIZE);
    put_place(replica, out, state);
    copy_text(out->policy, sizeof out->policy, mq_shown_text(state, "policy"));
    links->has_household = mq_shown_reference(state, "household", links->household);
    links->has_visit = mq_shown_reference(state, "visit", links->visit);
    links->has_plan = false;
}

/* What a need points to may not have come, or be there no more: that is no fault. */
static enum mq_status view_linked(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                  struct mq_group_state *state, struct mq_error *error)
{
    enum mq_status status = mq_view_group(replica, record, state, error);
    if (status == MQ_NOT_FOUND || status == MQ_NO_SPACE || status == MQ_REFUSED) {
        mq_error_clear(error);
        return MQ_NOT_FOUND;
    }
    return status == MQ_OK && (state->deleted || state->kind == 0) ? MQ_NOT_FOUND : status;
}

static enum mq_status read_links(struct mq_need_facts *out, struct mq_replica *replica, struct links *links,
                                 struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = links->has_household ? view_linked(replica, links->household, &state, error) : MQ_NOT_FOUND;
    if (status == MQ_OK) {
        memcpy(out->household, state.canonical, MQ_ID_SIZE);
        put_place(replica, out, &state);
    } else if (status != MQ_NOT_FOUND)
        return status;
    status = links->has_visit ? view_linked(replica, links->visit, &state, error) : MQ_NOT_FOUND;
    if (status == MQ_OK) {
        out->day = out->day != 0 ? out->day : (int32_t)mq_shown_number(&state, "date");
        links->has_plan = mq_shown_reference(&state, "plan", links->plan);
    } else if (status != MQ_NOT_FOUND)
        return status;
    status = links->has_plan ? view_linked(replica, links->plan, &state, error) : MQ_NOT_FOUND;
    if (status == MQ_OK)
        copy_text(out->topic, sizeof out->topic, mq_shown_text(&state, "topic"));
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_need_facts_read(struct mq_need_facts *out, struct mq_replica *replica,
                                  const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_group_state state;
    struct links links;
    enum mq_status status = view_linked(replica, canonical, &state, error);
    if (status != MQ_OK || state.kind != MQ_KIND_NEED)
        return status != MQ_OK ? status : MQ_NOT_FOUND;
    read_own(out, replica, &state, &links);
    status = read_links(out, replica, &links, error);
    if (status == MQ_OK && out->day == 0)
        status = mq_need_made_on(replica, out->record, &out->day, error);
    if (status != MQ_OK)
        return status;
    struct mq_standing *standing = mq_work_memory(sizeof *standing);
    status = mq_standing_read(standing, replica, out->record, error);
    if (status == MQ_OK) {
        out->state = standing->state->number;
        copy_text(out->unit, sizeof out->unit, mq_span_text(standing->unit));
    }
    mq_work_free(standing, sizeof *standing);
    return status;
}
