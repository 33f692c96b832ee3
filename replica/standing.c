/* What is noted of a need (need_note.c), and the telling that came last. */
#include "replica/standing.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

static void copy_text(char *out, size_t capacity, struct mq_span text)
{
    size_t size = text.size < capacity ? text.size : capacity - 1;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

/* `sentence` gets the step that has it. */
static enum mq_status read_note(struct mq_standing *out, struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                uint8_t sentence[MQ_ID_SIZE], bool *has_sentence, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT state, due, unit, sentence FROM need_state WHERE need = ?", "b",
                    mq_span(need, MQ_ID_SIZE));
    if (status != MQ_OK || !mq_db_next(&query, error))
        return status != MQ_OK ? status : error->status;
    out->state = mq_need_state_by_number((unsigned)mq_db_int(query, 0));
    MQ_ASSERT(out->state != NULL);
    out->due = (int32_t)mq_db_int(query, 1);
    copy_text(out->unit, sizeof out->unit, mq_db_text(query, 2));
    struct mq_span step = mq_db_blob(query, 3);
    *has_sentence = step.size == MQ_ID_SIZE;
    if (*has_sentence)
        memcpy(sentence, step.data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

static enum mq_status read_telling(struct mq_standing *out, struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE],
                                   struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, step, &state, error);
    if (status != MQ_OK || state.kind != MQ_KIND_TOLD || state.deleted)
        return status;
    int32_t day = (int32_t)mq_shown_number(&state, "date");
    if (day < out->told)
        return MQ_OK;
    out->told = day;
    out->reaction = mq_shown_number(&state, "reaction");
    return MQ_OK;
}

static enum mq_status read_tellings(struct mq_standing *out, struct mq_replica *replica,
                                    const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    uint8_t step[MQ_ID_SIZE];
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT record.canonical FROM need_step JOIN record ON record.record = need_step.step"
        " WHERE need_step.need IN (SELECT record FROM record WHERE canonical = ?)", "b", mq_span(need, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(step, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = read_telling(out, replica, step, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_standing_read(struct mq_standing *out, struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                struct mq_error *error)
{
    uint8_t sentence[MQ_ID_SIZE];
    bool has_sentence = false;
    out->state = mq_need_state_by_number(MQ_NEED_REGISTERED);
    out->due = out->told = 0;
    out->reaction = 0;
    out->unit[0] = '\0';
    enum mq_status status = read_note(out, replica, need, sentence, &has_sentence, error);
    struct mq_buffer text = mq_buffer(out->sentence, sizeof out->sentence - 1);
    if (status == MQ_OK && has_sentence)
        status = mq_need_step_text(replica, sentence, "text", &text, error);
    out->sentence[text.size] = '\0';
    return status == MQ_OK ? read_tellings(out, replica, need, error) : status;
}
