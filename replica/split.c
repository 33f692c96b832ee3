/* A household parts in two. */
#include "replica/split.h"

#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/convert.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define MOVES "moves"

struct split_work {
    const struct mq_split *split;
    struct mq_saved saved; /* the new one */
    struct mq_team team;
    uint8_t old[MQ_ID_SIZE];
};

/* ---- the new one, as one would write it in a file ---- */

static bool given(const struct mq_split *split, const char *key)
{
    for (size_t i = 0; i < split->field_count; i++)
        if (strcmp(split->fields[i].name, key) == 0)
            return true;
    return false;
}

static enum mq_status put_value(const struct mq_field *field, const char *text, struct mq_json_writer *writer,
                                struct mq_error *error)
{
    if (!mq_utf8_valid(mq_span_text(text)))
        return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), field->key);
    if (mq_type_is_list(field->type)) {
        mq_put_text(writer->out, text);
        writer->comma = true;
    } else {
        mq_json_string_value(writer, mq_span_text(text));
    }
    return MQ_OK;
}

/* A field's values in the order given; a set's option may stand several times. */
static enum mq_status put_field(const struct mq_split *split, size_t at, struct mq_json_writer *writer,
                                struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_HOUSEHOLD);
    const char *name = split->fields[at].name;
    const struct mq_field *field = mq_field_by_key(kind, mq_span_text(name));
    enum mq_status status = MQ_OK;
    if (field == NULL || field->number < MQ_FIELD_ID || field->flags & MQ_FIELD_MADE)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is no key of a %s; nothing of this record was saved"), name, kind->key);
    for (size_t i = 0; i < at; i++)
        if (field->merge == MQ_MERGE_SET && strcmp(split->fields[i].name, name) == 0)
            return MQ_OK; /* with the first one */
    mq_json_key(writer, name);
    if (field->merge != MQ_MERGE_SET)
        return put_value(field, split->fields[at].value, writer, error);
    mq_json_begin(writer, '[');
    for (size_t i = at; i < split->field_count && status == MQ_OK; i++)
        if (strcmp(split->fields[i].name, name) == 0)
            status = put_value(field, split->fields[i].value, writer, error);
    mq_json_end(writer, ']');
    return status;
}

/* What both have in common as long as nobody says otherwise. */
static enum mq_status put_kept(struct mq_replica *replica, const struct split_work *work, struct mq_json_writer *writer,
                               struct mq_error *error)
{
    static const char *const kept[] = {"place", "group", "dialect"};
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, work->old, &state, error);
    for (size_t i = 0; i < sizeof kept / sizeof *kept && status == MQ_OK; i++) {
        const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text(kept[i]));
        const struct mq_field_state *here = mq_group_field(&state, field->number);
        if (here == NULL || here->choice_count == 0 || given(work->split, kept[i]))
            continue;
        mq_json_key(writer, kept[i]);
        status = mq_print_value(replica, field, here->choices[0].value, writer, error);
    }
    return status;
}

static enum mq_status put_object(struct mq_replica *replica, const struct split_work *work, struct mq_buffer *out,
                                 struct mq_error *error)
{
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer old = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, "household");
    enum mq_status status = put_kept(replica, work, &writer, error);
    for (size_t i = 0; i < work->split->field_count && status == MQ_OK; i++)
        if (strcmp(work->split->fields[i].name, MOVES) != 0)
            status = put_field(work->split, i, &writer, error);
    if (status == MQ_OK)
        status = mq_print_reference(replica, work->old, &old, error);
    mq_json_key(&writer, "split_from");
    mq_json_string_value(&writer, mq_written(&old));
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out->failed)
        return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return status;
}

static enum mq_status add_new(struct mq_replica *replica, struct split_work *work, struct mq_error *error)
{
    uint8_t *memory = mq_work_memory(MQ_OBJECT_MAX);
    struct mq_buffer text = mq_buffer(memory, MQ_OBJECT_MAX);
    struct mq_json *object = NULL;
    enum mq_status status = put_object(replica, work, &text, error);
    if (status == MQ_OK)
        status = mq_json_parse(&object, mq_written(&text), error);
    if (status == MQ_OK)
        status = mq_records_add(replica, &work->team, object, &work->saved, error);
    mq_json_free(object);
    mq_work_free(memory, text.size);
    return status;
}

/* ---- what goes with it, and what stays ---- */

/* Is `record` a need or a person of the old household? */
static enum mq_status belongs(struct mq_replica *replica, const struct split_work *work, const char *name,
                              struct mq_error *error)
{
    uint8_t record[MQ_ID_SIZE], team[MQ_ID_SIZE];
    uint64_t kind;
    int64_t found = 0;
    enum mq_status status = mq_view_find(replica, NULL, mq_span_text(name), record, error);
    if (status == MQ_OK)
        status = mq_view_kind(replica, record, &kind, team, error);
    if (status != MQ_OK)
        return status;
    if (kind == MQ_KIND_VISIT)
        return mq_fail(error, MQ_REFUSED, _("visits stay with the household that was visited; move needs and persons"));
    if (kind != MQ_KIND_NEED && kind != MQ_KIND_PERSON)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is no need and no person; only those move along"), name);
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(kind), mq_span_text("household"));
    status = mq_db_number(replica->db, &found, error,
                          "SELECT count(*) FROM refers JOIN record ON record.record = target WHERE source = ? AND field = ?"
                          " AND record.canonical = ?",
                          "bib", MQ_SPAN(record), (int64_t)field->number, MQ_SPAN(work->old));
    return status == MQ_OK && found == 0
               ? mq_fail(error, MQ_REFUSED, _("\"%s\" does not belong to this household"), name)
               : status;
}

static enum mq_status move(struct mq_replica *replica, const struct split_work *work, const char *name,
                           struct mq_error *error)
{
    char assignment[MQ_RECORD_ID_TEXT_MAX + 16];
    const char *const assignments[] = {assignment};
    struct mq_saved saved;
    snprintf(assignment, sizeof assignment, "household=%s", work->saved.id);
    enum mq_status status = belongs(replica, work, name, error);
    return status == MQ_OK ? mq_records_set(replica, mq_span_text(name), assignments, 1, mq_span(NULL, 0), &saved, error) : status;
}

static enum mq_status move_all(struct mq_replica *replica, const struct split_work *work, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < work->split->field_count && status == MQ_OK; i++)
        if (strcmp(work->split->fields[i].name, MOVES) == 0)
            status = move(replica, work, work->split->fields[i].value, error);
    return status;
}

static enum mq_status change_old(struct mq_replica *replica, const struct split_work *work, struct mq_error *error)
{
    char people[64], residents[64];
    const char *assignments[3];
    size_t count = 0;
    struct mq_saved saved;
    if (work->split->left_people != NULL) {
        snprintf(people, sizeof people, "people=%s", work->split->left_people);
        assignments[count++] = people;
    }
    if (work->split->left_residents != NULL) {
        snprintf(residents, sizeof residents, "residents=%s", work->split->left_residents);
        assignments[count++] = residents;
    }
    if (work->split->mark)
        assignments[count++] = "state=分户";
    return count == 0 ? MQ_OK : mq_records_set(replica, work->split->household, assignments, count, mq_span(NULL, 0), &saved, error);
}

static enum mq_status split(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct split_work *work = context;
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = mq_view_find(replica, NULL, work->split->household, work->old, error);
    if (status == MQ_OK)
        status = mq_view_kind(replica, work->old, &kind, team, error);
    if (status == MQ_OK && kind != MQ_KIND_HOUSEHOLD)
        status = mq_fail(error, MQ_REFUSED, _("only a household is split"));
    if (status == MQ_OK && !given(work->split, "head"))
        status = mq_fail(error, MQ_REFUSED, _("say who heads the new household: --head NAME"));
    if (status == MQ_OK)
        status = mq_team_find(replica, team, &work->team, error);
    if (status == MQ_OK)
        status = add_new(replica, work, error);
    if (status == MQ_OK)
        status = move_all(replica, work, error);
    return status == MQ_OK ? change_old(replica, work, error) : status;
}

static enum mq_status answer(struct mq_replica *replica, const struct split_work *work, const struct mq_emitter *emitter,
                             struct mq_error *error)
{
    uint8_t memory[MQ_ARGUMENTS_MAX * 2 * MQ_RECORD_ID_TEXT_MAX], old_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory), old = mq_buffer(old_memory, sizeof old_memory);
    struct mq_json_writer writer = {.out = &out};
    enum mq_status status = mq_print_reference(replica, work->old, &old, error);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_text_value(&writer, work->saved.id);
    mq_json_key(&writer, "split_from");
    mq_json_string_value(&writer, mq_written(&old));
    mq_json_key(&writer, "moved");
    mq_json_begin(&writer, '[');
    for (size_t i = 0; i < work->split->field_count; i++)
        if (strcmp(work->split->fields[i].name, MOVES) == 0)
            mq_json_text_value(&writer, work->split->fields[i].value);
    mq_json_end(&writer, ']');
    if (work->saved.masked > 0) {
        mq_json_key(&writer, "masked");
        mq_json_int_value(&writer, (int64_t)work->saved.masked);
    }
    mq_json_key(&writer, "saved");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    return status == MQ_OK ? emitter->emit(emitter->context, mq_written(&out), error) : status;
}

enum mq_status mq_records_split(struct mq_replica *replica, const struct mq_split *wanted,
                                const struct mq_emitter *emitter, struct mq_error *error)
{
    struct split_work work = {.split = wanted};
    enum mq_status status = mq_replica_transact(replica, split, &work, error);
    return status == MQ_OK ? answer(replica, &work, emitter, error) : status;
}
