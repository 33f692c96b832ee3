/* How each need stands, noted whenever a step, a telling or a need is stored, so that lists by state, by unit and by date
 * are one query. Derived: made anew from the creates of steps by `check --rebuild`. */
#include <string.h>

#include "protocol/assert.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* ---- the note of one need ---- */

struct note {
    uint8_t unit_memory[MQ_SHORT_TEXT_MAX], rule_memory[MQ_NAME_TEXT_MAX];
    struct mq_buffer unit, rule;
    int32_t day;
};

static enum mq_status step_text(struct mq_replica *replica, const struct mq_need_chain *chain, int at, const char *key,
                                struct mq_buffer *out, struct mq_error *error)
{
    return at < 0 ? MQ_OK : mq_need_step_text(replica, chain->steps[at].record, key, out, error);
}

static enum mq_status read_note(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                const struct mq_need_chain *chain, struct note *note, struct mq_error *error)
{
    const struct mq_need *stands = &chain->need;
    note->unit = mq_buffer(note->unit_memory, sizeof note->unit_memory);
    note->rule = mq_buffer(note->rule_memory, sizeof note->rule_memory);
    enum mq_status status = step_text(replica, chain, stands->status.unit, "unit", &note->unit, error);
    if (status == MQ_OK)
        status = step_text(replica, chain, stands->status.dated, "rule", &note->rule, error);
    if (status == MQ_OK)
        status = mq_need_made_on(replica, stands->head < 0 ? need : chain->steps[stands->head].record, &note->day, error);
    return status;
}

static struct mq_span step_record(const struct mq_need_chain *chain, int at)
{
    return at < 0 ? mq_span(NULL, 0) : MQ_SPAN(chain->steps[at].record);
}

static enum mq_status write_note(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 const struct mq_need_chain *chain, const struct note *note, struct mq_error *error)
{
    const struct mq_need *stands = &chain->need;
    const struct mq_need_status *status = &stands->status;
    return mq_db_run(replica->db, error,
                     "INSERT OR REPLACE INTO need_state VALUES(?, ?, ?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "biiittbbiiiii", mq_span(need, MQ_ID_SIZE), (int64_t)status->state, (int64_t)note->day,
                     (int64_t)(status->dated < 0 ? 0 : status->due), mq_written(&note->rule), mq_written(&note->unit),
                     step_record(chain, status->sentence), step_record(chain, stands->head), (int64_t)status->told,
                     (int64_t)status->disputes, (int64_t)status->unreached, (int64_t)stands->late,
                     (int64_t)stands->out_of_turn);
}

/* Is this a need, or may it still turn out to be one? A record of another kind that a step names has no state. */
static enum mq_status may_be_need(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE], bool *may,
                                  struct mq_error *error)
{
    int64_t others;
    enum mq_status status =
        mq_db_number(replica->db, &others, error, "SELECT count(*) FROM state WHERE canonical = ? AND kind NOT IN (?, ?)",
                     "bii", mq_span(need, MQ_ID_SIZE), (int64_t)MQ_KIND_NEED, (int64_t)MQ_KIND_UNREADABLE);
    *may = others == 0;
    return status;
}

static enum mq_status settle(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    bool may;
    enum mq_status known = may_be_need(replica, need, &may, error);
    if (known != MQ_OK || !may)
        return known;
    struct mq_need_chain *chain = mq_work_memory(sizeof *chain);
    struct note *note = mq_work_memory(sizeof *note);
    enum mq_status status = mq_need_chain_load(chain, replica, need, error);
    if (status == MQ_OK)
        status = read_note(replica, need, chain, note, error);
    if (status == MQ_OK)
        status = write_note(replica, need, chain, note, error);
    mq_work_free(note, sizeof *note);
    mq_work_free(chain, sizeof *chain);
    return status;
}

enum mq_status mq_need_settle(struct mq_replica *replica, struct mq_error *error)
{
    for (;;) { /* without a query open over the writing */
        struct mq_query *query;
        uint8_t touched[MQ_ID_SIZE], need[MQ_ID_SIZE];
        enum mq_status status =
            mq_db_query(replica->db, &query, error, "SELECT need FROM need_touched LIMIT 1", "");
        if (status != MQ_OK || !mq_db_next(&query, error))
            return error->status;
        memcpy(touched, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        mq_db_done(&query);
        status = mq_need_canonical(replica, MQ_SPAN(touched), need, error); /* it may have become part of another */
        if (status == MQ_OK)
            status = settle(replica, need, error);
        if (status == MQ_OK)
            status = mq_db_run(replica->db, error, "DELETE FROM need_touched WHERE need = ?", "b", MQ_SPAN(touched));
        if (status != MQ_OK)
            return status;
    }
}

/* ---- when something was stored ---- */

static enum mq_status touch(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    return mq_db_run(replica->db, error, "INSERT OR IGNORE INTO need_touched VALUES(?)", "b", mq_span(need, MQ_ID_SIZE));
}

/* All values of fields that name a record besides `id`: a need's number. */
static enum mq_status note_numbers(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                   const struct mq_group_state *state, struct mq_error *error)
{
    const struct mq_field *number = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("no"));
    const struct mq_field_state *field = mq_group_field(state, number->number);
    enum mq_status status = MQ_OK;
    for (size_t i = 0; field != NULL && i < field->choice_count && status == MQ_OK; i++) {
        struct mq_reader reader = mq_reader(field->choices[i].value);
        struct mq_span text = mq_cbor_text(&reader, MQ_RECORD_ID_TEXT_MAX);
        if (!reader.failed && !state->deleted)
            status = mq_db_run(replica->db, error, "INSERT OR IGNORE INTO need_number VALUES(?, ?)", "tb", text,
                               mq_span(need, MQ_ID_SIZE));
    }
    return status;
}

/* Whatever the group turned out to be: steps that name it may have come before, and what they made goes with it. */
static enum mq_status note_named(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                 const struct mq_group_state *state, struct mq_error *error)
{
    /* Others of its group may have been known by their steps alone. */
    enum mq_status status = mq_db_run(
        replica->db, error,
        "DELETE FROM need_state WHERE need IN (SELECT record FROM record WHERE canonical = ?1 AND record <> ?1)", "b",
        mq_span(canonical, MQ_ID_SIZE));
    if (status == MQ_OK && state->kind == MQ_KIND_NEED)
        status = note_numbers(replica, canonical, state, error);
    if (status != MQ_OK || state->kind == MQ_KIND_NEED)
        return status == MQ_OK ? touch(replica, canonical, error) : status;
    return mq_db_run(replica->db, error,
                     "INSERT OR IGNORE INTO need_touched SELECT ?1 WHERE EXISTS"
                     " (SELECT 1 FROM need_step JOIN record ON record.record = need_step.need WHERE canonical = ?1)",
                     "b", mq_span(canonical, MQ_ID_SIZE));
}

/* A step that was about a need and says so no longer, because that was erased. */
static enum mq_status forget_step(struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE], uint8_t need[MQ_ID_SIZE],
                                  struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT need FROM need_step WHERE step = ?", "b",
                                        mq_span(step, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(need, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return mq_db_run(replica->db, error, "DELETE FROM need_step WHERE step = ?", "b", mq_span(step, MQ_ID_SIZE));
}

static enum mq_status note_step(struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE], struct mq_error *error)
{
    uint8_t need[MQ_ID_SIZE];
    enum mq_status status = mq_need_of_step(replica, step, need, error);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "INSERT OR REPLACE INTO need_step VALUES(?, ?)", "bb",
                           mq_span(step, MQ_ID_SIZE), MQ_SPAN(need));
    else if (status == MQ_NOT_FOUND)
        status = forget_step(replica, step, need, error);
    if (status == MQ_NOT_FOUND) /* no create yet, or one that never named a need */
        return MQ_OK;
    if (status == MQ_OK)
        status = mq_need_canonical(replica, MQ_SPAN(need), need, error);
    return status == MQ_OK ? touch(replica, need, error) : status;
}

/* The steps and tellings of a group one after another, whatever its kind: it may not be readable, or be linked to something
 * else, and what a step says of a need was said all the same. Kind 0: this record's own facts cannot be merged. */
static enum mq_status next_step(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                uint8_t member[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT record FROM record WHERE canonical = ? AND record > ? AND kind IN (0, ?, ?) ORDER BY record LIMIT 1",
        "bbii", mq_span(canonical, MQ_ID_SIZE), mq_span(member, MQ_ID_SIZE), (int64_t)MQ_KIND_STEP,
        (int64_t)MQ_KIND_TOLD);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(member, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

enum mq_status mq_need_note(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                            const struct mq_group_state *state, struct mq_error *error)
{
    uint8_t member[MQ_ID_SIZE] = {0};
    enum mq_status status = note_named(replica, canonical, state, error);
    if (status == MQ_OK)
        status = next_step(replica, canonical, member, error);
    while (status == MQ_OK) {
        status = note_step(replica, member, error);
        if (status == MQ_OK)
            status = next_step(replica, canonical, member, error);
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_need_forget(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    enum mq_status status = mq_db_run(replica->db, error, "DELETE FROM need_state WHERE need = ?", "b",
                                      mq_span(canonical, MQ_ID_SIZE));
    return status == MQ_OK ? mq_db_run(replica->db, error, "DELETE FROM need_number WHERE need = ?", "b",
                                       mq_span(canonical, MQ_ID_SIZE))
                           : status;
}

/* Without the day, which depends on where this machine stands. */
enum mq_status mq_need_hash(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    memset(out, 0, MQ_HASH_SIZE);
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT need, sentence, head, unit, rule, state * 2 + told, ifnull(due, 0),"
                                        " (disputes << 32) + (late << 16) + out_of_turn FROM need_state ORDER BY need",
                                        "");
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t numbers[24];
        struct mq_buffer buffer = mq_buffer(numbers, sizeof numbers);
        for (int i = 5; i < 8; i++)
            mq_put_u64(&buffer, (uint64_t)mq_db_int(query, i));
        const struct mq_span parts[] = {mq_span(out, MQ_HASH_SIZE), mq_db_blob(query, 0), mq_db_blob(query, 1),
                                        mq_db_blob(query, 2),       mq_db_text(query, 3), mq_db_text(query, 4),
                                        MQ_SPAN(numbers)};
        mq_hash(out, MQ_HASH_SIZE, MQ_DOMAIN_BODY, parts, sizeof parts / sizeof *parts);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}
