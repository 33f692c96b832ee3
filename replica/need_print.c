/* How a need stands, as keys of an object: whose turn it is, until when, and what led there. */
#include <string.h>

#include "protocol/preset.h"
#include "replica/catalogue.h"
#include "replica/ledger_value.h"
#include "replica/matter.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

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

/* The least of its numbers; of what was sealed here, the one that was kept. */
static enum mq_status put_number(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_matter matter;
    struct mq_query *query = NULL;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT number FROM need_number WHERE need = ? ORDER BY number LIMIT 1",
                    "b", mq_span(need, MQ_ID_SIZE));
    if (status == MQ_OK && mq_db_next(&query, error)) {
        mq_json_key(writer, "no");
        mq_json_string_value(writer, mq_db_text(query, 0));
        mq_db_done(&query);
        return MQ_OK;
    }
    if (error->status != MQ_OK)
        return error->status;
    status = mq_matter_find(replica, need, &matter, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    if (status == MQ_OK && matter.label[0] != '\0') {
        mq_json_key(writer, "no");
        mq_json_text_value(writer, matter.label);
    }
    return status;
}

enum mq_status mq_need_put_names(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_print_reference(replica, need, &id, error);
    mq_json_key(writer, "need");
    mq_json_string_value(writer, mq_written(&id));
    return status == MQ_OK ? put_number(replica, need, writer, error) : status;
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

/* Of a need that is only registered, the due date by the usual time for accepting it. */
static enum mq_status due_usual(struct mq_replica *replica, struct mq_need_standing *standing, int *calendar_missing,
                                struct mq_error *error)
{
    struct mq_preset_list own;
    struct mq_calendar calendar;
    *calendar_missing = 0;
    if (standing->due != 0 || standing->state->number != MQ_NEED_REGISTERED)
        return MQ_OK;
    enum mq_status status = mq_catalogue_presets(replica, &own, error);
    if (status == MQ_OK)
        status = mq_catalogue_calendar(replica, &calendar, error);
    const struct mq_preset *preset =
        status == MQ_OK ? mq_preset_usual(&own, MQ_PRESET_ACCEPT, 0, 0, standing->day) : NULL;
    if (preset != NULL) {
        standing->due = mq_preset_due(preset, &calendar, standing->day, calendar_missing);
        standing->rule = preset->id;
    }
    return status;
}

static enum mq_status put_due(struct mq_replica *replica, struct mq_need_standing *standing, struct mq_span rule,
                              struct mq_json_writer *writer, struct mq_error *error)
{
    int missing;
    enum mq_status status = due_usual(replica, standing, &missing, error);
    if (status != MQ_OK || !standing->state->open || standing->due == 0)
        return status;
    put_day(writer, "due", standing->due);
    if (rule.size > 0 || standing->rule != NULL) {
        mq_json_key(writer, "rule");
        mq_json_string_value(writer, rule.size > 0 ? rule : mq_span_text(standing->rule));
    }
    put_count(writer, "calendar_missing", missing);
    if (standing->due < mq_catalogue_today(replica)) {
        mq_json_key(writer, "late");
        mq_json_bool_value(writer, true);
    }
    return MQ_OK;
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
    status = put_due(replica, &standing, mq_db_text(query, 3), writer, error);
    put_count(writer, "disputes", mq_db_int(query, 6));
    put_count(writer, "unreached", mq_db_int(query, 7));
    put_count(writer, "arrived_late", mq_db_int(query, 8));
    put_count(writer, "out_of_turn", mq_db_int(query, 9));
    mq_db_done(&query);
    return status;
}

/* ---- what is not known yet ---- */

#define SINCE_ACCEPTED ((1u << MQ_NEED_ACCEPTED) | SINCE_ASSIGNED)
#define SINCE_ASSIGNED \
    ((1u << MQ_NEED_ASSIGNED) | (1u << MQ_NEED_DISPUTED) | (1u << MQ_NEED_WORKING) | (1u << MQ_NEED_ESCALATED) | \
     (1u << MQ_NEED_PARKED))

enum mq_status mq_need_put_missing(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                   struct mq_json_writer *writer, struct mq_error *error)
{
    static const struct {
        const char *key;
        uint32_t states;
    } wanted[] = {{"nature", SINCE_ACCEPTED}, {"category", SINCE_ASSIGNED}, {"summary", SINCE_ASSIGNED}};
    struct mq_group_state group;
    int64_t state;
    bool open = false;
    enum mq_status status = mq_db_number(replica->db, &state, error, "SELECT state FROM need_state WHERE need = ?", "b",
                                         mq_span(need, MQ_ID_SIZE));
    if (status == MQ_OK)
        status = mq_view_group(replica, need, &group, error);
    if (status == MQ_NOT_FOUND || (status == MQ_OK && group.kind != MQ_KIND_NEED))
        return MQ_OK; /* its steps are here, and it is not */
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == MQ_OK; i++) {
        if (!(wanted[i].states >> state & 1) || mq_shown_value(&group, wanted[i].key).size > 0)
            continue;
        if (!open) {
            mq_json_key(writer, "missing");
            mq_json_begin(writer, '[');
        }
        open = true;
        mq_json_text_value(writer, wanted[i].key);
    }
    if (open)
        mq_json_end(writer, ']');
    return status;
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
