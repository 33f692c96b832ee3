/* Edits from a file. All changes of a record are made before the first is written, so that a refused line leaves
 * nothing. */
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
    const struct mq_group_state *state;
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
    mq_change_put_set(&update->changes, update->state->canonical, field, value, replaced, mq_span(NULL, 0));
    change_end(update, start);
}

static void put_add(struct update *update, uint64_t field, struct mq_span value)
{
    size_t start = change_begin(update);
    mq_change_put_add(&update->changes, update->state->canonical, field, value);
    change_end(update, start);
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
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    for (uint64_t i = 0; i < count; i++) {
        struct mq_span element = mq_cbor_take(&reader);
        if (choice_with(here, element) == NULL)
            put_add(update, given->field->number, element);
    }
    for (size_t i = 0; here != NULL && i < here->choice_count; i++) {
        if (array_has(given->value, here->choices[i].value))
            continue;
        size_t start = change_begin(update);
        mq_change_put_remove(&update->changes, update->state->canonical, given->field->number,
                             names_of(&here->choices[i]));
        change_end(update, start);
    }
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
    case MQ_MERGE_WORDS:
        if (choice_with(here, given->value) == NULL)
            put_add(update, given->field->number, given->value);
        return MQ_OK;
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

static enum mq_status write_all(struct mq_replica *replica, const struct mq_team *team, const struct update *update,
                                const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_reader reader = mq_reader(mq_written(&update->changes));
    uint8_t id[MQ_ID_SIZE];
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_left(&reader) > 0) {
        struct mq_span change = mq_take(&reader, mq_get_u32(&reader));
        MQ_ASSERT(change.size > 0 && change.size <= MQ_CHANGE_MAX);
        status = mq_journal_add(replica, team, change, record, id, error);
    }
    return status;
}

enum mq_status mq_records_update(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed,
                                 const uint8_t canonical[MQ_ID_SIZE], struct mq_saved *saved, struct mq_error *error)
{
    struct mq_group_state state;
    bool hidden;
    enum mq_status status = mq_apart_hidden(replica, team, &hidden, error);
    if (status == MQ_OK)
        status = mq_view_group(replica, canonical, &state, error);
    if (status != MQ_OK)
        return status;
    if (state.deleted)
        return mq_fail(error, MQ_REFUSED, _("the %s \"%s\" was deleted here; nothing of this line was saved"),
                       parsed->kind->key, saved->id);
    memcpy(saved->record, state.canonical, MQ_ID_SIZE);
    struct update *update = mq_work_memory(sizeof *update);
    update->state = &state;
    update->rank = mq_role_rank(team->certificate.role);
    update->changes = mq_buffer(update->memory, sizeof update->memory);
    status = compare_all(update, parsed, hidden, error);
    saved->known = update->changes.size == 0;
    saved->updated = !saved->known;
    if (status == MQ_OK)
        status = write_all(replica, team, update, saved->record, error);
    mq_work_free(update, offsetof(struct update, memory) + update->changes.size);
    return status;
}
