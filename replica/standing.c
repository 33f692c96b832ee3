/* The steps and tellings that point to a need, and what they make of it by the table (protocol/need.h). */
#include "replica/standing.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define AFTER_SIZE (MQ_NEED_STEPS_MAX * MQ_ID_SIZE) /* what one step knew, on the average four others */
#define DAY_SECONDS 86400

struct chain {
    struct mq_need need;
    struct mq_need_step steps[MQ_NEED_STEPS_MAX];
    size_t count;
    uint8_t after_memory[4 * AFTER_SIZE];
    struct mq_buffer after;
};

static void put_after(struct chain *chain, struct mq_need_step *step, const struct mq_group_state *state)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text("after"));
    const struct mq_field_state *here = mq_group_field(state, field->number);
    step->after = chain->after.data + chain->after.size;
    for (size_t i = 0; here != NULL && i < here->choice_count; i++) {
        struct mq_reader reader = mq_reader(here->choices[i].value);
        (void)mq_cbor_next(&reader);
        struct mq_span record = mq_cbor_bytes(&reader, MQ_ID_SIZE);
        if (record.size != MQ_ID_SIZE || chain->after.capacity - chain->after.size < MQ_ID_SIZE)
            continue;
        mq_put_span(&chain->after, record);
        step->after_count++;
    }
}

static uint8_t says(const struct mq_group_state *state)
{
    static const struct {
        const char *key;
        uint8_t bit;
    } bits[] = {{"unit", MQ_SAYS_UNIT},     {"text", MQ_SAYS_TEXT},     {"due", MQ_SAYS_DUE},
                {"reason", MQ_SAYS_REASON}, {"result", MQ_SAYS_RESULT}, {"cause", MQ_SAYS_CAUSE}};
    unsigned out = 0;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        out |= mq_shown_value(state, bits[i].key).size > 0 ? bits[i].bit : 0u;
    return (uint8_t)out;
}

static void take_step(struct chain *chain, struct mq_standing *out, const struct mq_group_state *state)
{
    const struct mq_field *need = mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text("need"));
    const struct mq_field_state *here = need == NULL ? NULL : mq_group_field(state, need->number);
    if ((state->kind != MQ_KIND_STEP && state->kind != MQ_KIND_TOLD) || state->deleted || here == NULL ||
        chain->count == MQ_NEED_STEPS_MAX)
        return;
    struct mq_need_step *step = &chain->steps[chain->count++];
    *step = (struct mq_need_step){.rank = here->choices[0].best->rank,
                                  .code = (uint8_t)mq_shown_number(state, "step"),
                                  .reaction = (uint8_t)mq_shown_number(state, "reaction"),
                                  .result = (uint8_t)mq_shown_number(state, "result"),
                                  .cause = (uint8_t)mq_shown_number(state, "cause"),
                                  .says = says(state),
                                  .due = (int32_t)mq_shown_number(state, "due")};
    memcpy(step->record, state->canonical, MQ_ID_SIZE);
    put_after(chain, step, state);
    int32_t day = (int32_t)mq_shown_number(state, "date");
    if (state->kind == MQ_KIND_TOLD && day >= out->told) {
        out->told = day;
        out->reaction = step->reaction;
    }
}

static enum mq_status load(struct chain *chain, struct mq_standing *out, struct mq_replica *replica,
                           const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    uint8_t source[MQ_ID_SIZE];
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT source FROM refers WHERE target IN (SELECT record FROM record WHERE canonical = ?) ORDER BY source",
        "b", mq_span(need, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_group_state state;
        memcpy(source, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = mq_view_group(replica, source, &state, error);
        if (status == MQ_OK)
            take_step(chain, out, &state);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* A text of the step at this place, whole or cut. */
static enum mq_status step_text(struct mq_replica *replica, const struct chain *chain, int at, const char *key,
                                char *out, size_t capacity, struct mq_error *error)
{
    struct mq_group_state state;
    if (at < 0)
        return MQ_OK;
    enum mq_status status = mq_view_group(replica, chain->steps[at].record, &state, error);
    struct mq_span text = status == MQ_OK ? mq_shown_text(&state, key) : mq_span(NULL, 0);
    size_t size = text.size < capacity ? text.size : capacity - 1;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
    return status;
}

enum mq_status mq_standing_read(struct mq_standing *out, struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                struct mq_error *error)
{
    struct chain *chain = mq_work_memory(sizeof *chain);
    chain->count = 0;
    chain->after = mq_buffer(chain->after_memory, sizeof chain->after_memory);
    out->due = out->told = 0;
    out->reaction = 0;
    out->unit[0] = out->sentence[0] = '\0';
    enum mq_status status = load(chain, out, replica, need, error);
    if (status == MQ_OK)
        (void)mq_need_derive(&chain->need, chain->steps, chain->count);
    const struct mq_need_status *stands = &chain->need.status;
    if (status == MQ_OK) {
        out->state = mq_need_state_by_number(stands->state);
        MQ_ASSERT(out->state != NULL);
        out->due = stands->has_due ? stands->due : 0;
        status = step_text(replica, chain, stands->unit, "unit", out->unit, sizeof out->unit, error);
    }
    if (status == MQ_OK)
        status = step_text(replica, chain, stands->sentence, "text", out->sentence, sizeof out->sentence, error);
    mq_work_free(chain, sizeof *chain);
    return status;
}

enum mq_status mq_standing_day(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], int32_t *day,
                               struct mq_error *error)
{
    const struct mq_platform *platform = replica->platform;
    int64_t seconds = 0;
    enum mq_status status = mq_db_number(
        replica->db, &seconds, error,
        "SELECT coalesce(min(wall), 0) FROM change WHERE record IN (SELECT record FROM record WHERE canonical = ?)", "b",
        mq_span(record, MQ_ID_SIZE));
    *day = seconds > 0 ? (int32_t)((seconds + platform->utc_offset(platform->self)) / DAY_SECONDS) : 0;
    return status;
}
