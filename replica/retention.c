/* Which records are over their time: by the newest of what a date says and when they were written down, so that a clock
 * that was wrong keeps something longer rather than shorter. */
#include "replica/retention.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/convert.h"
#include "replica/forget.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/standing.h"
#include "replica/view.h"

#define DAY_SECONDS 86400
#define NEVER INT32_MAX

/* When somebody was last at a household. */
struct last_visit {
    uint8_t household[MQ_ID_SIZE];
    int32_t day;
};

struct over_record {
    struct mq_about about;
    uint64_t fields;
    int row; /* of mq_retentions */
};

struct retention_work {
    struct mq_replica *replica;
    const struct mq_team *team;
    const struct mq_retention_run *run;
    struct last_visit *visits;
    size_t visit_count, visit_room;
    struct over_record *over;
    size_t over_count, over_room;
    int row;
};

static void *grown(void *memory, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return memory;
    *room = *room == 0 ? 256 : 2 * *room;
    memory = realloc(memory, *room * size);
    mq_enough(memory);
    return memory;
}

/* ---- days ---- */

/* When the newest change of the record was written, by its writer's clock. */
static enum mq_status written_day(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], int32_t *day,
                                  struct mq_error *error)
{
    int64_t seconds = 0;
    enum mq_status status = mq_db_number(
        replica->db, &seconds, error,
        "SELECT coalesce(max(wall), 0) FROM change WHERE record IN (SELECT record FROM record WHERE canonical = ?)", "b",
        mq_span(record, MQ_ID_SIZE));
    *day = (int32_t)(seconds / DAY_SECONDS);
    return status;
}

static void later(int32_t *day, int32_t other)
{
    if (other > *day)
        *day = other;
}

/* The households that a record names, by their groups. */
static enum mq_status each_household(struct retention_work *work, const uint8_t record[MQ_ID_SIZE], int32_t day,
                                     enum mq_status (*take)(struct retention_work *, struct mq_span, int32_t *),
                                     int32_t *found, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        work->replica->db, &query, error,
        "SELECT DISTINCT r.canonical FROM refers AS f JOIN record AS r ON r.record = f.target WHERE f.source = ? AND r.kind = 1",
        "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        int32_t one = day;
        status = take(work, mq_db_blob(query, 0), &one);
        later(found, one);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status visit_put(struct retention_work *work, struct mq_span household, int32_t *day)
{
    work->visits = grown(work->visits, work->visit_count, &work->visit_room, sizeof *work->visits);
    memcpy(work->visits[work->visit_count].household, household.data, MQ_ID_SIZE);
    work->visits[work->visit_count++].day = *day;
    return MQ_OK;
}

static enum mq_status note_visit(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct retention_work *work = context;
    struct mq_group_state state;
    int32_t day = 0, unneeded = 0;
    enum mq_status status = mq_view_group(work->replica, canonical, &state, error);
    if (status != MQ_OK)
        return status;
    day = (int32_t)mq_shown_number(&state, "date");
    return each_household(work, canonical, day, visit_put, &unneeded, error);
}

/* By household; of one household the latest first. */
static int visit_order(const void *a, const void *b)
{
    const struct last_visit *left = a, *right = b;
    int order = memcmp(left->household, right->household, MQ_ID_SIZE);
    return order != 0 ? order : (left->day < right->day) - (left->day > right->day);
}

static void visits_sort(struct retention_work *work)
{
    size_t kept = 0;
    if (work->visit_count > 0)
        qsort(work->visits, work->visit_count, sizeof *work->visits, visit_order);
    for (size_t i = 0; i < work->visit_count; i++)
        if (kept == 0 || memcmp(work->visits[kept - 1].household, work->visits[i].household, MQ_ID_SIZE) != 0)
            work->visits[kept++] = work->visits[i];
    work->visit_count = kept;
}

static int household_order(const void *key, const void *item)
{
    return memcmp(key, ((const struct last_visit *)item)->household, MQ_ID_SIZE);
}

static enum mq_status visit_find(struct retention_work *work, struct mq_span household, int32_t *day)
{
    const struct last_visit *found = work->visit_count == 0 ? NULL
                                                            : bsearch(household.data, work->visits, work->visit_count,
                                                                      sizeof *work->visits, household_order);
    *day = found != NULL ? found->day : 0;
    return MQ_OK;
}

static enum mq_status last_visit_day(struct retention_work *work, const uint8_t record[MQ_ID_SIZE], int32_t *day,
                                     struct mq_error *error)
{
    int32_t own = 0, found = 0;
    enum mq_status status = written_day(work->replica, record, day, error);
    if (status == MQ_OK)
        status = visit_find(work, mq_span(record, MQ_ID_SIZE), &own); /* where it is a household itself */
    if (status == MQ_OK)
        status = each_household(work, record, 0, visit_find, &found, error);
    later(day, own);
    later(day, found);
    return status;
}

static enum mq_status field_day(struct retention_work *work, const struct mq_retention *rule,
                                const uint8_t record[MQ_ID_SIZE], int32_t *day, struct mq_error *error)
{
    struct mq_group_state state;
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(rule->kind), rule->date);
    enum mq_status status = mq_view_group(work->replica, record, &state, error);
    if (status != MQ_OK)
        return status;
    *day = (int32_t)mq_shown_number(&state, field->key);
    if (*day == 0)
        *day = NEVER;
    return MQ_OK;
}

/* ---- what is over ---- */

static void over_put(struct retention_work *work, const uint8_t record[MQ_ID_SIZE], uint8_t kind, int row)
{
    work->over = grown(work->over, work->over_count, &work->over_room, sizeof *work->over);
    struct over_record *over = &work->over[work->over_count++];
    *over = (struct over_record){.about = {.kind = kind}, .fields = mq_retentions[row].fields, .row = row};
    memcpy(over->about.record, record, MQ_ID_SIZE);
}

static int row_of(uint8_t kind)
{
    for (size_t i = 0; i < mq_retention_count; i++)
        if (mq_retentions[i].kind == kind)
            return (int)i;
    return -1;
}

/* The newest of what was done about a need; and, with `put`, each step and telling of it as over its time. */
static enum mq_status need_steps(struct retention_work *work, const uint8_t need[MQ_ID_SIZE], bool put, int32_t *day,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        work->replica->db, &query, error,
        "SELECT DISTINCT f.source, s.kind FROM record AS n JOIN refers AS f ON f.target = n.record AND f.field = 3"
        " JOIN state AS s ON s.canonical = f.source WHERE n.canonical = ? AND s.kind IN (5, 6) ORDER BY f.source",
        "b", mq_span(need, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t record[MQ_ID_SIZE], kind = (uint8_t)mq_db_int(query, 1);
        struct mq_group_state state;
        int32_t written;
        memcpy(record, mq_db_blob(query, 0).data, sizeof record);
        if (put && row_of(kind) >= 0)
            over_put(work, record, kind, row_of(kind));
        status = written_day(work->replica, record, &written, error);
        if (status == MQ_OK)
            status = mq_view_group(work->replica, record, &state, error);
        if (status == MQ_OK)
            later(day, (int32_t)mq_shown_number(&state, "date"));
        later(day, written);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status over_day(struct retention_work *work, const uint8_t need[MQ_ID_SIZE], int32_t *day,
                               struct mq_error *error)
{
    struct mq_standing *standing = mq_work_memory(sizeof *standing);
    enum mq_status status = mq_standing_read(standing, work->replica, need, error);
    bool over = status == MQ_OK && standing->state->holder == MQ_HOLDER_NOBODY;
    mq_work_free(standing, sizeof *standing);
    if (status == MQ_OK)
        status = written_day(work->replica, need, day, error);
    if (status == MQ_OK)
        status = need_steps(work, need, false, day, error);
    if (!over)
        *day = NEVER;
    return status;
}

static enum mq_status take_record(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct retention_work *work = context;
    const struct mq_retention *rule = &mq_retentions[work->row];
    uint8_t team[MQ_ID_SIZE];
    uint64_t kind;
    int32_t day = NEVER, limit = mq_months_before(work->run->today, rule->months);
    enum mq_status status = mq_view_kind(work->replica, canonical, &kind, team, error);
    if (status != MQ_OK || memcmp(team, work->team->team, MQ_ID_SIZE) != 0)
        return status;
    switch (rule->since) {
    case MQ_SINCE_LAST_VISIT: status = last_visit_day(work, canonical, &day, error); break;
    case MQ_SINCE_OVER: status = over_day(work, canonical, &day, error); break;
    case MQ_SINCE_FIELD: status = field_day(work, rule, canonical, &day, error); break;
    }
    if (status != MQ_OK || day >= limit)
        return status;
    over_put(work, canonical, rule->kind, work->row);
    return rule->kind == MQ_KIND_NEED ? need_steps(work, canonical, true, &day, error) : MQ_OK;
}

static enum mq_status find_over(struct retention_work *work, struct mq_error *error)
{
    enum mq_status status = mq_view_each(work->replica, MQ_KIND_VISIT, false, note_visit, work, error);
    visits_sort(work);
    for (size_t i = 0; i < mq_retention_count && status == MQ_OK; i++) {
        work->row = (int)i;
        if (mq_retentions[i].kind != MQ_KIND_STEP && mq_retentions[i].kind != MQ_KIND_TOLD)
            status = mq_view_each(work->replica, mq_retentions[i].kind, false, take_record, work, error);
    }
    return status;
}

/* ---- what goes of it ---- */

static enum mq_status ignore_line(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context;
    (void)object;
    (void)error;
    return MQ_OK;
}

static enum mq_status print_row(struct retention_work *work, const struct mq_forgetting *forgetting, size_t from, int row,
                                struct mq_error *error)
{
    size_t count = forgetting->count - from, size = 256 + count * (2 * MQ_RECORD_ID_TEXT_MAX + 8);
    uint8_t *memory = mq_work_memory(size), id_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer out = mq_buffer(memory, size);
    struct mq_json_writer writer = {.out = &out};
    enum mq_status status = MQ_OK;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, mq_kind_by_number(mq_retentions[row].kind)->key);
    mq_json_key(&writer, "months");
    mq_json_int_value(&writer, mq_retentions[row].months);
    mq_json_key(&writer, "records");
    mq_json_int_value(&writer, (int64_t)count);
    mq_json_key(&writer, "ids");
    mq_json_begin(&writer, '[');
    for (size_t i = from; i < forgetting->count && status == MQ_OK; i++) {
        struct mq_buffer id = mq_buffer(id_memory, sizeof id_memory);
        status = mq_print_reference(work->replica, forgetting->items[i].about.record, &id, error);
        mq_json_string_value(&writer, mq_written(&id));
    }
    mq_json_end(&writer, ']');
    mq_json_end(&writer, '}');
    MQ_ASSERT(!out.failed);
    if (status == MQ_OK)
        status = work->run->lines->emit(work->run->lines->context, mq_written(&out), error);
    mq_work_free(memory, size);
    return status;
}

static enum mq_status list_over(struct retention_work *work, struct mq_forgetting *forgetting, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (int row = 0; row < (int)mq_retention_count && status == MQ_OK; row++) {
        size_t from = forgetting->count;
        for (size_t i = 0; i < work->over_count && status == MQ_OK; i++)
            if (work->over[i].row == row)
                status = mq_forgetting_take(forgetting, &work->over[i].about, work->over[i].fields, error);
        if (status == MQ_OK && forgetting->count > from)
            status = print_row(work, forgetting, from, row, error);
    }
    return status;
}

static enum mq_status hand_over(struct retention_work *work, const struct mq_forgetting *forgetting, struct mq_error *error)
{
    uint8_t *memory = mq_work_memory(MQ_OBJECT_MAX);
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < forgetting->count && status == MQ_OK; i++) {
        struct mq_buffer out = mq_buffer(memory, MQ_OBJECT_MAX);
        struct mq_group_state state;
        status = mq_view_group(work->replica, forgetting->items[i].about.record, &state, error);
        if (status == MQ_OK)
            status = mq_print_record(work->replica, &state, false, &out, error);
        if (status == MQ_OK)
            status = work->run->archive->emit(work->run->archive->context, mq_written(&out), error);
    }
    mq_work_free(memory, MQ_OBJECT_MAX);
    return status == MQ_OK ? work->run->archived(work->run->context, error) : status;
}

enum mq_status mq_retention_run(struct mq_replica *replica, const struct mq_team *team,
                                const struct mq_retention_run *run, int64_t *records, struct mq_error *error)
{
    const struct mq_emitter quiet = {NULL, ignore_line};
    struct retention_work work = {.replica = replica, .team = team, .run = run};
    struct mq_forgetting forgetting = {.replica = replica, .emitter = &quiet};
    enum mq_status status = find_over(&work, error);
    if (status == MQ_OK)
        status = list_over(&work, &forgetting, error);
    *records = (int64_t)forgetting.count;
    if (status == MQ_OK && !run->dry && forgetting.count > 0)
        status = hand_over(&work, &forgetting, error);
    if (status == MQ_OK && !run->dry)
        status = mq_forgetting_now(&forgetting, team, NULL, error);
    mq_forgetting_free(&forgetting);
    free(work.visits);
    free(work.over);
    return status;
}
