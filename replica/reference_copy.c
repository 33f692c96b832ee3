/* Reference data for a team that has none yet: what the desk's other teams have, record by record. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/journal.h"
#include "replica/reference.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

struct copied {
    uint8_t from[MQ_ID_SIZE], to[MQ_ID_SIZE]; /* groups; `to` zeros: it was there already */
};

struct copy_work {
    const struct mq_team *to;
    struct copied *records;
    size_t capacity, count;
    uint8_t *memory; /* 2 * MQ_CHANGE_MAX */
};

static enum mq_status note_one(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct copy_work *work = context;
    (void)error;
    if (work->count < work->capacity)
        memcpy(work->records[work->count++].from, canonical, MQ_ID_SIZE);
    return MQ_OK;
}

/* Where the same record is in the other team. MQ_NOT_FOUND. */
static enum mq_status twin(struct mq_replica *replica, const struct mq_team *to, const struct mq_group_state *state,
                           uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    const struct mq_field_state *id = mq_group_field(state, MQ_FIELD_ID);
    return id == NULL ? MQ_NOT_FOUND
                      : mq_view_by_id(replica, to->team, state->kind, id->choices[0].value, canonical, error);
}

/* The shown values, but references: what they point to may come later. */
static void put_create(const struct mq_group_state *state, struct mq_buffer *pairs, struct mq_buffer *change)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    uint64_t count = 0;
    for (size_t i = 0; i < state->field_count; i++) {
        const struct mq_field_state *here = &state->fields[i];
        const struct mq_field *field = mq_field_by_number(kind, here->number);
        if (field == NULL || here->number < MQ_FIELD_ID || field->type == MQ_TYPE_REFERENCE || here->choice_count == 0)
            continue;
        size_t values = field->merge == MQ_MERGE_SET ? here->choice_count : 1;
        mq_cbor_put_uint(pairs, here->number);
        if (field->merge == MQ_MERGE_SET)
            mq_cbor_put_array(pairs, values);
        for (size_t v = 0; v < values; v++)
            mq_put_span(pairs, here->choices[v].value);
        count++;
    }
    mq_change_put_create(change, state->kind, count, mq_written(pairs));
}

static enum mq_status copy_one(struct mq_replica *replica, struct copy_work *work, struct copied *record,
                               struct mq_error *error)
{
    struct mq_buffer pairs = mq_buffer(work->memory, MQ_CHANGE_MAX);
    struct mq_buffer change = mq_buffer(work->memory + MQ_CHANGE_MAX, MQ_CHANGE_MAX);
    struct mq_group_state state;
    uint8_t there[MQ_ID_SIZE];
    enum mq_status status = mq_view_group(replica, record->from, &state, error);
    if (status != MQ_OK)
        return status;
    status = twin(replica, work->to, &state, there, error);
    if (status != MQ_NOT_FOUND)
        return status;
    put_create(&state, &pairs, &change);
    if (pairs.failed || change.failed)
        return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return mq_journal_add(replica, work->to, mq_written(&change), NULL, record->to, error);
}

/* One reference of a copied record, to the twin of what it points to. */
static enum mq_status point_one(struct mq_replica *replica, struct copy_work *work, const struct copied *record,
                                const struct mq_field *field, struct mq_error *error)
{
    struct mq_buffer change = mq_buffer(work->memory, MQ_CHANGE_MAX), value = mq_buffer(work->memory + MQ_CHANGE_MAX, 64);
    struct mq_group_state state;
    uint8_t target[MQ_ID_SIZE], there[MQ_ID_SIZE], id[MQ_ID_SIZE];
    enum mq_status status = mq_view_group(replica, record->from, &state, error);
    const struct mq_field_state *here = status == MQ_OK ? mq_group_field(&state, field->number) : NULL;
    if (here == NULL || here->choice_count == 0)
        return status;
    struct mq_reader reader = mq_reader(here->choices[0].value);
    (void)mq_cbor_next(&reader);
    struct mq_span pointed = mq_cbor_bytes(&reader, MQ_ID_SIZE);
    if (pointed.size != MQ_ID_SIZE)
        return MQ_OK;
    memcpy(target, pointed.data, MQ_ID_SIZE);
    status = mq_view_group(replica, target, &state, error);
    if (status == MQ_OK)
        status = twin(replica, work->to, &state, there, error);
    if (status == MQ_NOT_FOUND) /* to a record that this desk has not itself */
        return MQ_OK;
    if (status != MQ_OK)
        return status;
    mq_put_reference(&value, there);
    mq_change_put_set(&change, record->to, field->number, mq_written(&value), mq_span(NULL, 0), mq_span(NULL, 0));
    MQ_ASSERT(!change.failed && !value.failed);
    return mq_journal_add(replica, work->to, mq_written(&change), record->to, id, error);
}

static enum mq_status point_all(struct mq_replica *replica, struct copy_work *work, const struct copied *record,
                                struct mq_error *error)
{
    static const uint8_t none[MQ_ID_SIZE];
    uint64_t number = 0;
    uint8_t team[MQ_ID_SIZE];
    if (memcmp(record->to, none, MQ_ID_SIZE) == 0)
        return MQ_OK;
    enum mq_status status = mq_view_kind(replica, record->to, &number, team, error);
    const struct mq_kind *kind = mq_kind_by_number(number);
    for (size_t i = MQ_FIELD_ID; status == MQ_OK && i < kind->field_count; i++)
        if (kind->fields[i].type == MQ_TYPE_REFERENCE && kind->fields[i].merge == MQ_MERGE_REGISTER)
            status = point_one(replica, work, record, &kind->fields[i], error);
    return status;
}

static enum mq_status copy(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct copy_work *work = context;
    enum mq_status status = MQ_OK;
    for (size_t k = 0; k < mq_kind_count && status == MQ_OK; k++)
        if (mq_reference_kind(&mq_kinds[k]))
            status = mq_view_each(replica, mq_kinds[k].number, false, note_one, work, error);
    for (size_t i = 0; i < work->count && status == MQ_OK; i++)
        status = copy_one(replica, work, &work->records[i], error);
    for (size_t i = 0; i < work->count && status == MQ_OK; i++)
        status = point_all(replica, work, &work->records[i], error);
    return status;
}

enum mq_status mq_reference_copy(struct mq_replica *replica, const struct mq_team *to, struct mq_error *error)
{
    struct copy_work work = {.to = to};
    int64_t count;
    enum mq_status status = mq_db_number(replica->db, &count, error, "SELECT count(*) FROM state WHERE kind BETWEEN ? AND ?",
                                         "ii", (int64_t)MQ_KIND_CODE, (int64_t)MQ_KIND_PRESET);
    if (status != MQ_OK || count == 0)
        return status;
    work.capacity = (size_t)count;
    size_t size = work.capacity * sizeof *work.records;
    work.records = mq_work_memory(size);
    memset(work.records, 0, size);
    work.memory = mq_work_memory((size_t)2 * MQ_CHANGE_MAX);
    status = mq_replica_transact(replica, copy, &work, error);
    mq_work_free(work.memory, (size_t)2 * MQ_CHANGE_MAX);
    mq_work_free(work.records, size);
    return status;
}
