/* How a need stands, as keys of an object: whose turn it is, until when, and what led there. */
#include <string.h>

#include "protocol/preset.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"

static void put_day(struct mq_json_writer *writer, const char *key, int32_t day)
{
    char text[11];
    mq_date_print(text, day);
    mq_json_key(writer, key);
    mq_json_text_value(writer, text);
}

static void put_count(struct mq_json_writer *writer, const char *key, int64_t count)
{
    if (count == 0)
        return;
    mq_json_key(writer, key);
    mq_json_int_value(writer, count);
}

/* ---- names ---- */

enum mq_status mq_need_put_names(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    struct mq_query *query = NULL;
    enum mq_status status = mq_print_reference(replica, need, &id, error);
    mq_json_key(writer, "need");
    mq_json_string_value(writer, mq_written(&id));
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error,
                             "SELECT number FROM need_number WHERE need = ? ORDER BY number LIMIT 1", "b",
                             mq_span(need, MQ_ID_SIZE));
    if (status == MQ_OK && mq_db_next(&query, error)) {
        mq_json_key(writer, "no");
        mq_json_string_value(writer, mq_db_text(query, 0));
    }
    mq_db_done(&query);
    return error->status;
}

/* ---- state ---- */

static const char *holder_word(enum mq_need_holder holder)
{
    switch (holder) {
    case MQ_HOLDER_NOBODY: return "nobody";
    case MQ_HOLDER_CADRE: return "cadre";
    case MQ_HOLDER_DESK: return "desk";
    case MQ_HOLDER_UNIT: return "unit";
    case MQ_HOLDER_COUNTY: return "county";
    case MQ_HOLDER_TARGET: return "part_of";
    }
    return "";
}

bool mq_need_due(const struct mq_need_standing *standing, int32_t *due, int *calendar_missing)
{
    *calendar_missing = 0;
    *due = standing->due;
    if (standing->due != 0 || standing->state->number != MQ_NEED_REGISTERED)
        return standing->due != 0;
    const struct mq_preset *preset = mq_preset_usual(NULL, MQ_PRESET_ACCEPT, 0, 0, standing->day);
    if (preset != NULL)
        *due = mq_preset_due(preset, NULL, standing->day, calendar_missing);
    return preset != NULL;
}

static void put_due(struct mq_replica *replica, const struct mq_need_standing *standing, struct mq_span rule,
                    struct mq_json_writer *writer)
{
    int missing;
    int32_t due;
    if (!standing->state->open || !mq_need_due(standing, &due, &missing))
        return;
    put_day(writer, "due", due);
    if (rule.size > 0 || standing->due == 0) {
        mq_json_key(writer, "rule");
        mq_json_string_value(writer, rule.size > 0 ? rule : mq_span_text("accept"));
    }
    put_count(writer, "calendar_missing", missing);
    if (due < mq_today(replica)) {
        mq_json_key(writer, "late");
        mq_json_bool_value(writer, true);
    }
}

enum mq_status mq_need_put_state(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT state, day, due, rule, unit, told, disputes, unreached, late, out_of_turn FROM need_state WHERE need = ?",
        "b", mq_span(need, MQ_ID_SIZE));
    if (status != MQ_OK || !mq_db_next(&query, error))
        return error->status;
    struct mq_need_standing standing = {.state = mq_need_state_by_number((unsigned)mq_db_int(query, 0)),
                                        .day = (int32_t)mq_db_int(query, 1),
                                        .due = (int32_t)mq_db_int(query, 2)};
    mq_json_key(writer, "state");
    mq_json_text_value(writer, standing.state->key);
    mq_json_key(writer, "holder");
    if (standing.state->holder == MQ_HOLDER_UNIT)
        mq_json_string_value(writer, mq_db_text(query, 4));
    else
        mq_json_text_value(writer, holder_word(standing.state->holder));
    if (mq_db_text(query, 4).size > 0) {
        mq_json_key(writer, "unit");
        mq_json_string_value(writer, mq_db_text(query, 4));
    }
    put_day(writer, "since", standing.day);
    put_due(replica, &standing, mq_db_text(query, 3), writer);
    put_count(writer, "disputes", mq_db_int(query, 6));
    put_count(writer, "unreached", mq_db_int(query, 7));
    put_count(writer, "arrived_late", mq_db_int(query, 8));
    put_count(writer, "out_of_turn", mq_db_int(query, 9));
    mq_db_done(&query);
    return MQ_OK;
}

/* ---- the chain ---- */

/* By depth, then as they are sorted: whoever is named stands before. */
static int next_step(const struct mq_need_chain *chain, int last)
{
    int best = -1;
    for (int i = 0; i < (int)chain->count; i++) {
        const struct mq_need_step *step = &chain->steps[i], *before = last < 0 ? NULL : &chain->steps[last];
        bool later = before == NULL || step->depth > before->depth || (step->depth == before->depth && i > last);
        if (later && (best < 0 || step->depth < chain->steps[best].depth))
            best = i;
    }
    return best;
}

enum mq_status mq_need_put_steps(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_need_chain *chain = mq_work_memory(sizeof *chain);
    enum mq_status status = mq_need_chain_load(chain, replica, need, error);
    mq_json_key(writer, "steps");
    mq_json_begin(writer, '[');
    for (int at = next_step(chain, -1); status == MQ_OK && at >= 0; at = next_step(chain, at)) {
        const struct mq_need_step *step = &chain->steps[at];
        mq_json_begin(writer, '{');
        if (step->code == MQ_STEP_TOLD) {
            mq_json_key(writer, "step");
            mq_json_text_value(writer, "told");
        }
        status = mq_need_step_print(replica, step->record, writer, error);
        mq_json_key(writer, "state");
        mq_json_text_value(writer, mq_need_state_by_number(step->status.state)->key);
        if (!step->effective || step->late) {
            mq_json_key(writer, step->effective ? "late" : "out_of_turn");
            mq_json_bool_value(writer, true);
        }
        mq_json_end(writer, '}');
    }
    mq_json_end(writer, ']');
    mq_work_free(chain, sizeof *chain);
    return status;
}
