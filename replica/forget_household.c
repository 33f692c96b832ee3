/* What of a household goes. */
#include <string.h>

#include "platform/db.h"
#include "replica/convert.h"
#include "replica/forget.h"
#include "replica/keyring_keys.h"
#include "replica/view.h"

#define DAY_SECONDS 86400

/* ---- what was asked for ---- */

static const struct {
    const char *name;
    enum mq_forget_scope scope;
} scopes[] = {
    {"health", MQ_FORGET_HEALTH}, {"sensitive", MQ_FORGET_SENSITIVE}, {"household", MQ_FORGET_HOUSEHOLD}};

static void scope_add(struct mq_forget *out, enum mq_forget_scope scope)
{
    bool needs_before = out->fields[MQ_KIND_NEED] != 0;
    for (size_t i = 0; i < mq_forget_row_count; i++)
        out->fields[mq_forget_rows[i].kind] |= mq_forget_rows[i].fields[scope];
    if (!needs_before) { /* else somebody asked for more already */
        out->needs_of_health = scope == MQ_FORGET_HEALTH;
        out->needs_of_class_b = scope == MQ_FORGET_SENSITIVE;
        out->other_tags_stay = scope == MQ_FORGET_HEALTH;
    }
    if (scope == MQ_FORGET_HOUSEHOLD)
        out->needs_of_health = out->needs_of_class_b = out->other_tags_stay = false;
}

static bool field_add(struct mq_forget *out, struct mq_span word)
{
    const uint8_t *dot = memchr(word.data, '.', word.size);
    if (dot == NULL)
        return false;
    const struct mq_kind *kind = mq_kind_by_key(mq_span(word.data, (size_t)(dot - word.data)));
    const struct mq_field *field =
        kind == NULL ? NULL : mq_field_by_key(kind, mq_span(dot + 1, word.size - (size_t)(dot + 1 - word.data)));
    if (field == NULL || field->number <= MQ_FIELD_ID || (field->flags & MQ_FIELD_MADE) || kind->desk_only)
        return false;
    out->fields[kind->number] |= UINT64_C(1) << field->number;
    if (kind->number >= MQ_KIND_NEED && kind->number <= MQ_KIND_TOLD)
        out->needs_of_health = out->needs_of_class_b = false;
    return true;
}

enum mq_status mq_forget_parse(struct mq_forget *out, struct mq_span what, struct mq_error *error)
{
    *out = (struct mq_forget){.other_tags_stay = false};
    while (what.size > 0) {
        const uint8_t *comma = memchr(what.data, ',', what.size);
        struct mq_span word = mq_span(what.data, comma == NULL ? what.size : (size_t)(comma - what.data));
        size_t used = word.size + (comma != NULL), i = 0;
        what = mq_span(what.data + used, what.size - used);
        while (i < sizeof scopes / sizeof *scopes && !mq_span_equal(word, mq_span_text(scopes[i].name)))
            i++;
        if (i < sizeof scopes / sizeof *scopes)
            scope_add(out, scopes[i].scope);
        else if (!field_add(out, word))
            return mq_fail(error, MQ_REFUSED,
                           _("\"%.*s\" cannot be taken out; say health, sensitive, household, or fields such as visit.notes"),
                           (int)word.size, (const char *)word.data);
    }
    return MQ_OK;
}

/* ---- and goes ---- */

struct household_work {
    struct mq_forgetting forgetting;
    const struct mq_forget *forget;
};

static bool concerned(const struct mq_forget *forget, const struct mq_about *about)
{
    unsigned flag = forget->needs_of_health    ? MQ_CODE_HEALTH
                    : forget->needs_of_class_b ? MQ_CODE_SENSITIVE
                                               : 0;
    if (flag == 0 || (about->kind != MQ_KIND_NEED && about->kind != MQ_KIND_STEP && about->kind != MQ_KIND_TOLD))
        return true;
    const struct mq_code *code = mq_code_by_number(
        mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("category"))->codes, about->category);
    return code != NULL && (code->flags & flag) != 0;
}

static enum mq_status take(void *context, const struct mq_about *about, struct mq_error *error)
{
    struct household_work *work = context;
    uint64_t fields = work->forget->fields[about->kind];
    if (fields == 0 || !concerned(work->forget, about))
        return MQ_OK;
    return mq_forgetting_take(&work->forgetting, about, fields, error);
}

enum mq_status mq_forget_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                   const struct mq_forget *forget, const uint8_t *request, bool dry,
                                   struct mq_forgotten *result, const struct mq_emitter *emitter, struct mq_error *error)
{
    struct household_work work = {
        .forgetting = {.replica = replica, .emitter = emitter, .other_tags_stay = forget->other_tags_stay},
        .forget = forget};
    uint8_t team_id[MQ_ID_SIZE];
    uint64_t kind;
    struct mq_team team;
    enum mq_status status = mq_view_kind(replica, household, &kind, team_id, error);
    if (status == MQ_OK)
        status = mq_team_find(replica, team_id, &team, error);
    if (status == MQ_OK && forget->matter != NULL)
        status = mq_about_matter(replica, household, forget->matter, take, &work, error);
    if (status == MQ_OK)
        status = mq_about_household(replica, household, take, &work, error);
    if (status == MQ_OK && !dry)
        status = mq_forgetting_now(&work.forgetting, &team, request, error);
    *result = work.forgetting.result;
    mq_forgetting_free(&work.forgetting);
    return status;
}

/* ---- what was erased ---- */

struct list_walk {
    struct mq_replica *replica;
    const struct mq_emitter *emitter;
    uint8_t record[MQ_ID_SIZE]; /* the one whose line is being written */
    int64_t kind, wall;
    uint8_t memory[4096];
    struct mq_buffer keys;
    struct mq_json_writer writer;
};

static enum mq_status line_end(struct list_walk *walk, struct mq_error *error)
{
    uint8_t memory[8192], id_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory), id = mq_buffer(id_memory, sizeof id_memory);
    struct mq_json_writer writer = {.out = &out};
    char day[11];
    if (walk->keys.size == 0)
        return MQ_OK;
    enum mq_status status = mq_print_reference(walk->replica, walk->record, &id, error);
    if (status != MQ_OK)
        return status;
    mq_date_print(day, (int32_t)(walk->wall / DAY_SECONDS));
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, mq_kind_by_number((uint64_t)walk->kind)->key);
    mq_json_key(&writer, "id");
    mq_json_string_value(&writer, mq_written(&id));
    mq_json_key(&writer, "fields");
    mq_json_begin(&writer, '[');
    mq_put_span(&out, mq_written(&walk->keys));
    mq_json_end(&writer, ']');
    mq_json_key(&writer, "day");
    mq_json_text_value(&writer, day);
    mq_json_end(&writer, '}');
    walk->keys.size = 0;
    return walk->emitter->emit(walk->emitter->context, mq_written(&out), error);
}

static enum mq_status line_field(struct list_walk *walk, struct mq_query *query, struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number((uint64_t)mq_db_int(query, 1));
    const struct mq_field *field = kind == NULL ? NULL : mq_field_by_number(kind, (uint64_t)mq_db_int(query, 2));
    enum mq_status status = MQ_OK;
    if (field == NULL)
        return MQ_OK;
    if (memcmp(walk->record, mq_db_blob(query, 0).data, MQ_ID_SIZE) != 0)
        status = line_end(walk, error);
    memcpy(walk->record, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    walk->kind = mq_db_int(query, 1);
    walk->wall = mq_db_int(query, 3);
    if (walk->keys.size > 0)
        mq_put_text(&walk->keys, ",");
    mq_json_put_string(&walk->keys, mq_span_text(field->key));
    return status;
}

enum mq_status mq_forget_list(struct mq_replica *replica, const uint8_t *because, const struct mq_emitter *emitter,
                              struct mq_error *error)
{
    struct list_walk walk = {.replica = replica, .emitter = emitter};
    struct mq_query *query;
    walk.keys = mq_buffer(walk.memory, sizeof walk.memory);
    enum mq_status status = mq_db_query(
        mq_replica_db(replica), &query, error,
        "SELECT r.canonical, s.kind, e.field, max(e.wall) FROM change AS c JOIN erased AS e ON e.team = c.team"
        " AND e.name = substr(c.id, 1, 8) JOIN record AS r ON r.record = c.record JOIN state AS s ON s.canonical = r.canonical"
        " WHERE ?1 IS NULL OR e.because IN (SELECT record FROM record WHERE canonical ="
        " (SELECT canonical FROM record WHERE record = ?1)) GROUP BY r.canonical, e.field ORDER BY r.canonical, e.field",
        because != NULL ? "b" : "n", mq_span(because, because != NULL ? MQ_ID_SIZE : 0));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = line_field(&walk, query, error);
    mq_db_done(&query);
    if (status == MQ_OK)
        status = error->status;
    return status == MQ_OK ? line_end(&walk, error) : status;
}
