/* Lines of a file about what is here: compared, or edits. All changes of a record are made before the first is written,
 * so that a refused line leaves nothing. */
#include "replica/records_update.h"

#include <stddef.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/apart.h"
#include "replica/journal.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define CHANGES_MAX (4 * MQ_CHANGE_MAX)
#define LENGTH_SIZE 4

struct update {
    const uint8_t *record;
    const struct mq_group_state *state; /* NULL: it is new */
    unsigned rank; /* of the writer */
    struct mq_buffer changes; /* each behind its length */
    uint8_t memory[CHANGES_MAX];
};

static const struct mq_choice *choice_with(const struct mq_field_state *here, struct mq_span value)
{
    for (size_t i = 0; here != NULL && i < here->choice_count; i++)
        if (mq_span_equal(here->choices[i].value, value))
            return &here->choices[i];
    return NULL;
}

/* ---- comparing ---- */

/* `values` stand one after another. */
static bool all_here(const struct mq_field_state *here, struct mq_span values)
{
    struct mq_reader reader = mq_reader(values);
    while (mq_left(&reader) > 0)
        if (choice_with(here, mq_cbor_take(&reader)) == NULL)
            return false;
    return true;
}

static bool says_field(const struct mq_group_state *state, const struct mq_parsed_field *given)
{
    const struct mq_field_state *here = mq_group_field(state, given->field->number);
    if (given->field->merge != MQ_MERGE_SET)
        return choice_with(here, given->value) != NULL && all_here(here, given->later);
    struct mq_reader reader = mq_reader(given->value);
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    return (here == NULL ? 0 : here->choice_count) == count && all_here(here, mq_take(&reader, mq_left(&reader)));
}

/* The record as it is here; `hidden`: class B of it is not read here. */
static enum mq_status look(struct mq_replica *replica, const struct mq_team *team, const uint8_t canonical[MQ_ID_SIZE],
                           struct mq_group_state *state, bool *hidden, struct mq_error *error)
{
    enum mq_status status = mq_apart_hidden(replica, team, hidden, error);
    return status == MQ_OK ? mq_view_group(replica, canonical, state, error) : status;
}

enum mq_status mq_records_compare(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed,
                                  const uint8_t canonical[MQ_ID_SIZE], struct mq_saved *saved, struct mq_error *error)
{
    struct mq_group_state state;
    bool hidden;
    enum mq_status status = look(replica, team, canonical, &state, &hidden, error);
    if (status != MQ_OK)
        return status;
    bool same = state.kind == parsed->kind->number;
    for (size_t i = 0; i < parsed->count && same; i++)
        same = (hidden && (parsed->fields[i].field->flags & MQ_FIELD_CLASS_B)) || says_field(&state, &parsed->fields[i]);
    if (!same)
        return mq_fail(error, MQ_REFUSED,
                       _("the %s \"%s\" is here already with other values; change it with `set`, or import with --update"),
                       parsed->kind->key, saved->id);
    saved->known = true;
    memcpy(saved->record, state.canonical, MQ_ID_SIZE);
    return MQ_OK;
}

/* ---- editing ---- */

static struct mq_span names_of(const struct mq_choice *choice)
{
    return mq_span(choice->names, choice->name_count * MQ_NAME_SIZE);
}

/* What stands between these two is one change. */
static size_t change_begin(struct update *update)
{
    mq_put_u32(&update->changes, 0);
    return update->changes.size;
}

static void change_end(struct update *update, size_t start)
{
    if (update->changes.failed)
        return;
    struct mq_buffer length = mq_buffer(update->changes.data + start - LENGTH_SIZE, LENGTH_SIZE);
    mq_put_u32(&length, (uint32_t)(update->changes.size - start));
}

static void put_set(struct update *update, uint64_t field, struct mq_span value, struct mq_span replaced)
{
    size_t start = change_begin(update);
    mq_change_put_set(&update->changes, update->record, field, value, replaced, mq_span(NULL, 0));
    change_end(update, start);
}

static void put_add(struct update *update, uint64_t field, struct mq_span value)
{
    size_t start = change_begin(update);
    mq_change_put_add(&update->changes, update->record, field, value);
    change_end(update, start);
}

/* Of `values`, which stand one after another, those that are not here yet; how many these are. */
static size_t put_missing(struct update *update, uint64_t field, struct mq_span values, const struct mq_field_state *here)
{
    struct mq_reader reader = mq_reader(values);
    size_t count = 0;
    while (mq_left(&reader) > 0) {
        struct mq_span value = mq_cbor_take(&reader);
        if (choice_with(here, value) != NULL)
            continue;
        put_add(update, field, value);
        count++;
    }
    return count;
}

static bool array_has(struct mq_span array, struct mq_span value)
{
    struct mq_reader reader = mq_reader(array);
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    for (uint64_t i = 0; i < count; i++)
        if (mq_span_equal(mq_cbor_take(&reader), value))
            return true;
    return false;
}

static void compare_set(struct update *update, const struct mq_parsed_field *given, const struct mq_field_state *here)
{
    struct mq_reader reader = mq_reader(given->value);
    (void)mq_cbor_array(&reader, MQ_SET_MAX);
    (void)put_missing(update, given->field->number, mq_take(&reader, mq_left(&reader)), here);
    for (size_t i = 0; here != NULL && i < here->choice_count; i++) {
        if (array_has(given->value, here->choices[i].value))
            continue;
        size_t start = change_begin(update);
        mq_change_put_remove(&update->changes, update->record, given->field->number,
                             names_of(&here->choices[i]));
        change_end(update, start);
    }
}

/* No more than a line can bring back again. */
static enum mq_status compare_words(struct update *update, const struct mq_parsed_field *given,
                                    const struct mq_field_state *here, struct mq_error *error)
{
    size_t before = here == NULL ? 0 : here->choice_count;
    size_t added = put_missing(update, given->field->number, given->value, here) +
                   put_missing(update, given->field->number, given->later, here);
    char key[MQ_LATER_KEY_SIZE];
    if (added == 0 || before + added <= MQ_SET_MAX + 1)
        return MQ_OK;
    mq_later_key(key, given->field);
    return mq_fail(error, MQ_REFUSED, _("\"%s\" has %zu entries; at most %d are kept"), key, before + added - 1,
                   MQ_SET_MAX);
}

/* A register that shows the value is left alone, even where it stands in conflict: that is a person's to decide. */
static enum mq_status compare_register(struct update *update, const struct mq_parsed_field *given,
                                       const struct mq_field_state *here, struct mq_error *error)
{
    if (here == NULL || here->choice_count == 0) {
        put_set(update, given->field->number, given->value, mq_span(NULL, 0));
        return MQ_OK;
    }
    if (mq_span_equal(here->choices[0].value, given->value))
        return MQ_OK;
    put_set(update, given->field->number, given->value, names_of(&here->choices[0]));
    return mq_guard_check(given->field, here->choices[0].value, given->value, update->rank, mq_span(NULL, 0), error);
}

static enum mq_status compare_field(struct update *update, const struct mq_parsed_field *given, struct mq_error *error)
{
    const struct mq_field_state *here = mq_group_field(update->state, given->field->number);
    if (given->field->flags & (MQ_FIELD_MADE | MQ_FIELD_IDENTITY))
        return choice_with(here, given->value) != NULL
                   ? MQ_OK
                   : mq_fail(error, MQ_REFUSED, _("\"%s\" is given by the device and stays"), given->field->key);
    switch (given->field->merge) {
    case MQ_MERGE_SET: compare_set(update, given, here); return MQ_OK;
    case MQ_MERGE_WORDS: return compare_words(update, given, here, error);
    case MQ_MERGE_REGISTER: break;
    }
    return compare_register(update, given, here, error);
}

static enum mq_status compare_all(struct update *update, const struct mq_parsed *parsed, bool hidden,
                                  struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < parsed->count && status == MQ_OK; i++)
        if (!hidden || !(parsed->fields[i].field->flags & MQ_FIELD_CLASS_B)) /* what cannot be read is not changed */
            status = compare_field(update, &parsed->fields[i], error);
    if (status == MQ_OK && update->changes.failed)
        return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return status;
}

static struct update *update_begin(const uint8_t record[MQ_ID_SIZE])
{
    struct update *update = mq_work_memory(sizeof *update);
    update->record = record;
    update->state = NULL;
    update->rank = 0;
    update->changes = mq_buffer(update->memory, sizeof update->memory);
    return update;
}

static void update_free(struct update *update)
{
    mq_work_free(update, offsetof(struct update, memory) + update->changes.size);
}

enum mq_status mq_records_update(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed,
                                 const uint8_t canonical[MQ_ID_SIZE], struct mq_saved *saved, struct mq_error *error)
{
    struct mq_group_state state;
    bool hidden;
    enum mq_status status = look(replica, team, canonical, &state, &hidden, error);
    if (status != MQ_OK)
        return status;
    if (state.deleted)
        return mq_fail(error, MQ_REFUSED, _("the %s \"%s\" was deleted here; nothing of this line was saved"),
                       parsed->kind->key, saved->id);
    memcpy(saved->record, state.canonical, MQ_ID_SIZE);
    struct update *update = update_begin(saved->record);
    update->state = &state;
    update->rank = mq_role_rank(team->certificate.role);
    status = compare_all(update, parsed, hidden, error);
    saved->known = update->changes.size == 0;
    saved->updated = !saved->known;
    if (status == MQ_OK)
        status = mq_journal_add_all(replica, team, mq_written(&update->changes), saved->record, error);
    update_free(update);
    return status;
}

enum mq_status mq_records_add_later(struct mq_replica *replica, const struct mq_team *team,
                                    const struct mq_parsed *parsed, const uint8_t record[MQ_ID_SIZE],
                                    struct mq_error *error)
{
    size_t at = 0;
    while (at < parsed->count && parsed->fields[at].later.size == 0)
        at++;
    if (at == parsed->count)
        return MQ_OK;
    struct update *update = update_begin(record);
    for (; at < parsed->count; at++)
        (void)put_missing(update, parsed->fields[at].field->number, parsed->fields[at].later, NULL);
    MQ_ASSERT(!update->changes.failed); /* of one line */
    enum mq_status status = mq_journal_add_all(replica, team, mq_written(&update->changes), record, error);
    update_free(update);
    return status;
}
