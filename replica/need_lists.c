/* Lists of needs: in one state, what a cadre has to do today, what a desk has to do. Each is a query over what is noted
 * (need_note.c). Nothing here is ever grouped by who wrote it. */
#include <stdio.h>
#include <string.h>

#include "replica/catalogue.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/need_household.h"
#include "replica/needs.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* States stand in SQL as numbers. */
_Static_assert(MQ_NEED_REGISTERED == 1 && MQ_NEED_ACCEPTED == 2 && MQ_NEED_RETURNED == 3 && MQ_NEED_REDIRECTED == 4 &&
                   MQ_NEED_ASSIGNED == 5 && MQ_NEED_DISPUTED == 6 && MQ_NEED_WORKING == 7 && MQ_NEED_PARKED == 9 &&
                   MQ_NEED_ANSWERED == 10 && MQ_NEED_TOLD == 11 && MQ_NEED_UNSATISFIED == 12 &&
                   MQ_NEED_REOPENED == 13 && MQ_NEED_MERGED == 14 && MQ_NEED_CLOSED == 15 && MQ_KIND_NEED == 4,
               "as the queries below have them");
#define HERE " FROM need_state AS n JOIN state AS s ON s.canonical = n.need AND s.kind = 4 AND NOT s.deleted "
/* On a device also what was sealed there for others to read: its author is answered, and tells. */
#define MINE \
    " FROM need_state AS n LEFT JOIN state AS s ON s.canonical = n.need WHERE (s.kind = 4 AND NOT s.deleted" \
    " OR s.canonical IS NULL AND n.need IN (SELECT record FROM matter)) AND "
#define TO_TELL "(n.state IN (4, 10) OR (n.state = 9 AND NOT n.told))"
#define BY_DATE " ORDER BY n.due IS NULL, n.due, n.day, n.need"

#define SOON_DAYS 3
#define RECHECK_DAYS 7

struct list_work {
    struct mq_replica *replica;
    const struct mq_emitter *emitter;
    uint8_t *memory; /* MQ_OBJECT_MAX */
};

static enum mq_status emit(struct list_work *work, struct mq_buffer *out, struct mq_error *error)
{
    if (out->failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return work->emitter->emit(work->emitter->context, mq_written(out), error);
}

/* ---- in one state ---- */

static enum mq_status list_one(struct list_work *work, const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    struct mq_group_state state;
    enum mq_status status = mq_view_group(work->replica, need, &state, error);
    if (status == MQ_OK)
        status = mq_print_record(work->replica, &state, MQ_PRINT_LISTED, &out, error);
    return status == MQ_OK ? emit(work, &out, error) : status;
}

static enum mq_status no_such_state(struct mq_span text, struct mq_error *error)
{
    char names[MQ_ERROR_TEXT_SIZE / 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < mq_need_state_count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s %s", i > 0 ? "、" : "", mq_need_states[i].key,
                                 mq_need_states[i].label);
    return mq_fail(error, MQ_REFUSED, _("a need is never \"%.*s\"; the states are %s"), (int)text.size,
                   (const char *)text.data, names);
}

enum mq_status mq_needs_list(struct mq_replica *replica, struct mq_span text, int64_t limit,
                             const struct mq_emitter *emitter, struct mq_error *error)
{
    const struct mq_need_state *state = mq_need_state_by_text(text);
    if (state == NULL)
        return no_such_state(text, error);
    struct list_work work = {.replica = replica, .emitter = emitter, .memory = mq_work_memory(MQ_OBJECT_MAX)};
    struct mq_query *query = NULL;
    uint8_t need[MQ_ID_SIZE];
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT n.need" HERE "WHERE n.state = ?" BY_DATE " LIMIT ?", "ii",
                    (int64_t)state->number, limit > 0 ? limit : -1);
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(need, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = list_one(&work, need, error);
    }
    mq_db_done(&query);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status != MQ_OK ? status : error->status;
}

/* ---- one thing to do ---- */

/* What a step says to people: its text, else its reason, else its cause. */
static enum mq_status put_text(struct mq_replica *replica, struct mq_span step, struct mq_json_writer *writer,
                               struct mq_error *error)
{
    static const char *const keys[] = {"text", "reason", "cause"};
    uint8_t *memory = mq_work_memory(MQ_LONG_TEXT_MAX);
    struct mq_buffer text = mq_buffer(memory, MQ_LONG_TEXT_MAX);
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && text.size == 0 && status == MQ_OK; i++)
        status = mq_need_step_text(replica, step.data, keys[i], &text, error);
    if (status == MQ_OK && text.size > 0) {
        mq_json_key(writer, "text");
        mq_json_string_value(writer, mq_written(&text));
    }
    mq_work_free(memory, text.size);
    return status;
}

/* A row of a query: need, and the step whose words belong to it (may be empty). */
static enum mq_status emit_task(struct list_work *work, const char *what, struct mq_query *query, bool desk,
                                struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    struct mq_json_writer writer = {.out = &out};
    uint8_t need[MQ_ID_SIZE];
    memcpy(need, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "what");
    mq_json_text_value(&writer, what);
    enum mq_status status = mq_need_put_names(work->replica, need, &writer, error);
    if (status == MQ_OK)
        status = mq_put_need_household(work->replica, need, desk, &writer, error);
    if (status == MQ_OK && mq_db_blob(query, 1).size == MQ_ID_SIZE)
        status = put_text(work->replica, mq_db_blob(query, 1), &writer, error);
    if (status == MQ_OK)
        status = mq_need_put_state(work->replica, need, &writer, error);
    if (status == MQ_OK && desk)
        status = mq_need_put_missing(work->replica, need, &writer, error);
    mq_json_end(&writer, '}');
    return status == MQ_OK ? emit(work, &out, error) : status;
}

static enum mq_status emit_tasks(struct list_work *work, const char *what, struct mq_query **query,
                                 struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_db_next(query, error))
        status = emit_task(work, what, *query, false, error);
    mq_db_done(query);
    return status != MQ_OK ? status : error->status;
}

/* ---- a cadre's day ---- */

static enum mq_status today_needs(struct list_work *work, struct mq_error *error)
{
    struct mq_query *query = NULL;
    int64_t today = mq_catalogue_today(work->replica);
    enum mq_status status = mq_db_query(work->replica->db, &query, error,
                                        "SELECT n.need, n.sentence" MINE TO_TELL BY_DATE, "");
    if (status == MQ_OK)
        status = emit_tasks(work, "tell", &query, error);
    if (status == MQ_OK) /* one that is part of another: what is said of that one is said to its household too */
        status = mq_db_query(work->replica->db, &query, error,
                             "SELECT n.need, t.sentence" HERE
                             "JOIN refers AS r ON r.source = n.need AND r.field = ?1 JOIN record AS x ON x.record = r.target"
                             " JOIN need_state AS t ON t.need = x.canonical WHERE n.state = 14 AND length(t.sentence) > 0" BY_DATE,
                             "i", (int64_t)mq_field_number(MQ_KIND_NEED, "part_of"));
    if (status == MQ_OK)
        status = emit_tasks(work, "tell", &query, error);
    if (status == MQ_OK)
        status = mq_db_query(work->replica->db, &query, error,
                             "SELECT n.need, n.head" MINE "n.state = 3" BY_DATE, "");
    if (status == MQ_OK)
        status = emit_tasks(work, "supplement", &query, error);
    if (status == MQ_OK)
        status = mq_db_query(work->replica->db, &query, error,
                             "SELECT n.need, n.sentence" MINE "n.state = 9 AND n.due <= ?" BY_DATE, "i",
                             today);
    return status == MQ_OK ? emit_tasks(work, "recheck", &query, error) : status;
}

static enum mq_status emit_visit(struct list_work *work, const uint8_t plan[MQ_ID_SIZE],
                                 const uint8_t household[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    struct mq_json_writer writer = {.out = &out};
    struct mq_group_state state;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "what");
    mq_json_text_value(&writer, "visit");
    enum mq_status status = mq_put_household(work->replica, household, &writer, error);
    uint8_t id_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(id_memory, sizeof id_memory);
    if (status == MQ_OK)
        status = mq_print_reference(work->replica, plan, &id, error);
    mq_json_key(&writer, "plan");
    mq_json_string_value(&writer, mq_written(&id));
    if (status == MQ_OK)
        status = mq_view_group(work->replica, plan, &state, error);
    static const char *const keys[][2] = {{"purpose", "purpose"}, {"topic", "topic"}, {"to", "due"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && status == MQ_OK; i++) {
        uint8_t memory[MQ_SHORT_TEXT_MAX];
        struct mq_buffer text = mq_buffer(memory, sizeof memory);
        mq_put_shown(work->replica, &text, &state, keys[i][0], false);
        if (text.size == 0)
            continue;
        mq_json_key(&writer, keys[i][1]);
        mq_json_string_value(&writer, mq_written(&text));
    }
    mq_json_end(&writer, '}');
    return status == MQ_OK ? emit(work, &out, error) : status;
}

/* Households of a plan that no visit of this plan names yet. */
static enum mq_status plan_households(struct list_work *work, const uint8_t plan[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query = NULL;
    uint8_t household[MQ_ID_SIZE];
    enum mq_status status = mq_db_query(
        work->replica->db, &query, error,
        "SELECT DISTINCT h.canonical FROM refers AS p JOIN record AS h ON h.record = p.target"
        " JOIN state AS s ON s.canonical = h.canonical AND NOT s.deleted"
        " WHERE p.source = ?1 AND p.field = ?2 AND NOT EXISTS(SELECT 1 FROM record AS g JOIN refers AS v ON v.target = g.record"
        "   JOIN state AS vs ON vs.canonical = v.source AND vs.kind = 3"
        "   WHERE g.canonical = h.canonical AND v.field IN (?3, ?4) AND EXISTS(SELECT 1 FROM refers AS w JOIN record AS q"
        "     ON q.record = w.target WHERE w.source = v.source AND w.field = ?5 AND q.canonical = ?1)) ORDER BY s.rowid",
        "biiii", mq_span(plan, MQ_ID_SIZE), (int64_t)mq_field_number(MQ_KIND_PLAN, "households"),
        (int64_t)mq_field_number(MQ_KIND_VISIT, "household"), (int64_t)mq_field_number(MQ_KIND_VISIT, "households"),
        (int64_t)mq_field_number(MQ_KIND_VISIT, "plan"));
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(household, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = emit_visit(work, plan, household, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* A plan is under way within its window; one without any date has none. */
static enum mq_status plan_today(void *context, const uint8_t plan[MQ_ID_SIZE], struct mq_error *error)
{
    struct list_work *work = context;
    struct mq_group_state state;
    int32_t today = mq_catalogue_today(work->replica);
    enum mq_status status = mq_view_group(work->replica, plan, &state, error);
    if (status != MQ_OK)
        return status;
    int32_t from = (int32_t)mq_shown_number(&state, "from"), to = (int32_t)mq_shown_number(&state, "to");
    bool under_way = (from > 0 || to > 0) && today >= from && (to == 0 || today <= to);
    return under_way ? plan_households(work, plan, error) : MQ_OK;
}

enum mq_status mq_needs_today(struct mq_replica *replica, const struct mq_emitter *emitter, struct mq_error *error)
{
    struct list_work work = {.replica = replica, .emitter = emitter, .memory = mq_work_memory(MQ_OBJECT_MAX)};
    enum mq_status status = today_needs(&work, error);
    if (status == MQ_OK)
        status = mq_view_each(replica, MQ_KIND_PLAN, false, plan_today, &work, error);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status;
}

/* ---- a desk's day ---- */

enum mq_status mq_needs_desk_today(struct mq_replica *replica, struct mq_span unit, const struct mq_emitter *emitter,
                                   struct mq_error *error)
{
    static const char *const whats[] = {"tell",     "reopen", "overdue", "due_soon", "recheck",
                                        "returned", "accept", "assign",  "close",    "arrived_late"};
    struct list_work work = {.replica = replica, .emitter = emitter, .memory = mq_work_memory(MQ_OBJECT_MAX)};
    struct mq_query *query = NULL;
    int64_t today = mq_catalogue_today(replica);
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT need, step, what FROM (SELECT n.need, n.due, n.day,"
        "  CASE WHEN n.state = 3 OR length(n.sentence) = 0 THEN n.head ELSE n.sentence END AS step,"
        "  CASE WHEN n.state = 9 AND n.due <= ?1 THEN 4 WHEN " TO_TELL " THEN 0 WHEN n.state = 12 THEN 1"
        "   WHEN n.state = 9 THEN CASE WHEN n.due <= ?1 + ?3 THEN 4 END"
        "   WHEN n.state IN (2, 5, 6, 7, 8, 13) AND n.due < ?1 THEN 2 WHEN n.state IN (2, 5, 6, 7, 8, 13) AND n.due <= ?1 + ?2 THEN 3"
        "   WHEN n.state = 3 THEN 5 WHEN n.state = 1 THEN 6 WHEN n.state IN (2, 6, 13) THEN 7 WHEN n.state = 11 THEN 8"
        "   WHEN n.late > 0 THEN 9 END AS what" HERE
        "  WHERE length(?4) = 0 OR (n.unit = ?4 AND n.state IN (5, 7, 9)))"
        " WHERE what IS NOT NULL ORDER BY what, due IS NULL, due, day, need",
        "iiit", today, (int64_t)SOON_DAYS, (int64_t)RECHECK_DAYS, unit);
    while (status == MQ_OK && mq_db_next(&query, error))
        status = emit_task(&work, whats[mq_db_int(query, 2)], query, true, error);
    mq_db_done(&query);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status != MQ_OK ? status : error->status;
}

/* ---- closing ---- */

enum mq_status mq_needs_close_due(struct mq_replica *replica, int32_t days, const struct mq_emitter *emitter,
                                  struct mq_error *error)
{
    for (;;) { /* without a query open over the writing; each need leaves the list by its step */
        struct mq_query *query = NULL;
        uint8_t need[MQ_ID_SIZE], memory[2 * MQ_RECORD_ID_TEXT_MAX];
        struct mq_buffer id = mq_buffer(memory, sizeof memory);
        enum mq_status status =
            mq_db_query(replica->db, &query, error,
                        "SELECT n.need" HERE "WHERE n.state = 11 AND n.late = 0 AND n.day <= ?" BY_DATE " LIMIT 1", "i",
                        (int64_t)(mq_catalogue_today(replica) - days));
        if (status != MQ_OK || !mq_db_next(&query, error))
            return error->status;
        memcpy(need, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        mq_db_done(&query);
        status = mq_print_reference(replica, need, &id, error);
        if (status == MQ_OK)
            status = mq_needs_step(replica, mq_written(&id), "close", NULL, 0, emitter, error);
        if (status != MQ_OK)
            return status;
    }
}
