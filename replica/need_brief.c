/* What one should know of a household before knocking: when somebody was there last, what is open, what was promised. */
#include <string.h>

#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/need_household.h"
#include "replica/needs.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* As the record format has it. */
static enum mq_status put_shown(struct mq_replica *replica, const struct mq_group_state *state, const char *key,
                                struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_span value = mq_shown_value(state, key);
    if (value.size == 0)
        return MQ_OK;
    mq_json_key(writer, key);
    return mq_print_value(replica, mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text(key)), value, writer,
                          error);
}

static enum mq_status put_keys(struct mq_replica *replica, const struct mq_group_state *state, const char *const *keys,
                               size_t count, struct mq_json_writer *writer, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = put_shown(replica, state, keys[i], writer, error);
    return status;
}

#define KEYS(keys) (keys), sizeof(keys) / sizeof *(keys)

/* ---- the last visit ---- */

/* Dates stand in the records, so each visit is looked at; a household has some tens. */
static enum mq_status find_last_visit(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                      uint8_t last[MQ_ID_SIZE], bool *found, struct mq_error *error)
{
    struct mq_query *query = NULL;
    char latest[16] = "";
    uint8_t visit[MQ_ID_SIZE], memory[16];
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT r.source FROM record AS h JOIN refers AS r ON r.target = h.record"
        " JOIN state AS s ON s.canonical = r.source AND s.kind = 3 AND NOT s.deleted"
        " WHERE h.canonical = ?1 AND r.field IN (?2, ?3) ORDER BY s.rowid",
        "bii", mq_span(household, MQ_ID_SIZE), (int64_t)mq_field_number(MQ_KIND_VISIT, "household"),
        (int64_t)mq_field_number(MQ_KIND_VISIT, "households"));
    *found = false;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_group_state state;
        struct mq_buffer date = mq_buffer(memory, sizeof memory - 1);
        memcpy(visit, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = mq_view_group(replica, visit, &state, error);
        if (status != MQ_OK)
            break;
        mq_put_shown(replica, &date, &state, "date", false);
        memory[date.size] = '\0';
        if (strcmp((const char *)memory, latest) < 0)
            continue;
        memcpy(latest, memory, date.size + 1);
        memcpy(last, visit, MQ_ID_SIZE);
        *found = true;
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status put_last_visit(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                     struct mq_json_writer *writer, struct mq_error *error)
{
    static const char *const keys[] = {"id", "date", "mode", "result", "notes", "next"};
    uint8_t visit[MQ_ID_SIZE];
    struct mq_group_state state;
    bool found;
    enum mq_status status = find_last_visit(replica, household, visit, &found, error);
    if (status != MQ_OK || !found)
        return status;
    status = mq_view_group(replica, visit, &state, error);
    if (status != MQ_OK)
        return status;
    mq_json_key(writer, "last_visit");
    mq_json_begin(writer, '{');
    status = put_keys(replica, &state, KEYS(keys), writer, error);
    mq_json_end(writer, '}');
    return status;
}

/* ---- what is open ---- */

/* One need: number, what it is about, how it stands, and the sentence that was given for the villager. */
static enum mq_status put_need(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                               const uint8_t *sentence, struct mq_json_writer *writer, struct mq_error *error)
{
    static const char *const keys[] = {"summary", "words", "category"};
    struct mq_group_state state;
    mq_json_begin(writer, '{');
    enum mq_status status = mq_need_put_names(replica, need, writer, error);
    if (status == MQ_OK)
        status = mq_view_group(replica, need, &state, error);
    if (status == MQ_OK)
        status = put_keys(replica, &state, KEYS(keys), writer, error);
    if (status == MQ_OK && sentence != NULL) {
        uint8_t *memory = mq_work_memory(MQ_LONG_TEXT_MAX);
        struct mq_buffer text = mq_buffer(memory, MQ_LONG_TEXT_MAX);
        status = mq_need_step_text(replica, sentence, "text", &text, error);
        if (text.size > 0) {
            mq_json_key(writer, "text");
            mq_json_string_value(writer, mq_written(&text));
        }
        mq_work_free(memory, text.size);
    }
    if (status == MQ_OK)
        status = mq_need_put_state(replica, need, writer, error);
    mq_json_end(writer, '}');
    return status;
}

/* What is open, what has to be told first. A need belongs to the household that it names, or that its visit names. */
static enum mq_status put_open(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                               struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_query *query = NULL;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT n.need, n.sentence FROM need_state AS n JOIN state AS s ON s.canonical = n.need AND s.kind = 4 AND NOT s.deleted"
        " WHERE n.state NOT IN (15, 16) AND n.need IN ("
        "  SELECT r.source FROM record AS h JOIN refers AS r ON r.target = h.record AND r.field = ?2 WHERE h.canonical = ?1"
        "  UNION SELECT r.source FROM record AS h JOIN refers AS v ON v.target = h.record AND v.field = ?4"
        "   JOIN record AS w ON w.canonical = v.source JOIN refers AS r ON r.target = w.record AND r.field = ?3"
        "   WHERE h.canonical = ?1 AND NOT EXISTS(SELECT 1 FROM refers AS o WHERE o.source = r.source AND o.field = ?2))"
        " ORDER BY n.state IN (4, 10) OR (n.state = 9 AND NOT n.told) DESC, n.due IS NULL, n.due, n.need",
        "biii", mq_span(household, MQ_ID_SIZE), (int64_t)mq_field_number(MQ_KIND_NEED, "household"),
        (int64_t)mq_field_number(MQ_KIND_NEED, "visit"), (int64_t)mq_field_number(MQ_KIND_VISIT, "household"));
    mq_json_key(writer, "open");
    mq_json_begin(writer, '[');
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t need[MQ_ID_SIZE], sentence[MQ_ID_SIZE];
        bool said = mq_db_blob(query, 1).size == MQ_ID_SIZE;
        memcpy(need, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        if (said)
            memcpy(sentence, mq_db_blob(query, 1).data, MQ_ID_SIZE);
        status = put_need(replica, need, said ? sentence : NULL, writer, error);
    }
    mq_json_end(writer, ']');
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

_Static_assert(MQ_NEED_CLOSED == 15 && MQ_NEED_WITHDRAWN == 16 && MQ_NEED_REDIRECTED == 4 && MQ_NEED_PARKED == 9 &&
                   MQ_NEED_ANSWERED == 10,
               "as the query above has them");

enum mq_status mq_needs_brief(struct mq_replica *replica, struct mq_span household, const struct mq_emitter *emitter,
                              struct mq_error *error)
{
    static const char *const keys[] = {"best_time", "dialect", "where"};
    uint8_t canonical[MQ_ID_SIZE], *memory = mq_work_memory(MQ_OBJECT_MAX);
    struct mq_buffer out = mq_buffer(memory, MQ_OBJECT_MAX);
    struct mq_json_writer writer = {.out = &out};
    struct mq_group_state state;
    enum mq_status status =
        mq_view_find(replica, mq_kind_by_number(MQ_KIND_HOUSEHOLD), household, canonical, error);
    mq_json_begin(&writer, '{');
    if (status == MQ_OK)
        status = mq_put_household(replica, canonical, &writer, error);
    if (status == MQ_OK)
        status = mq_view_group(replica, canonical, &state, error);
    if (status == MQ_OK)
        status = put_keys(replica, &state, KEYS(keys), &writer, error);
    if (status == MQ_OK)
        status = put_last_visit(replica, canonical, &writer, error);
    if (status == MQ_OK)
        status = put_open(replica, canonical, &writer, error);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out.failed)
        status = mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    if (status == MQ_OK)
        status = emitter->emit(emitter->context, mq_written(&out), error);
    mq_work_free(memory, out.size);
    return status;
}
