/* Notes beside a group's state. */
#include "replica/view_index.h"

#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/search_index.h"

/* Every reference within one live value, whatever its shape. */
static enum mq_status note_value(struct mq_replica *replica, const uint8_t source[MQ_ID_SIZE], uint64_t field,
                                 struct mq_span value, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_left(&reader) > 0 && !reader.failed) {
        if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
            continue;
        struct mq_span target = mq_cbor_bytes(&reader, MQ_ID_SIZE);
        if (target.size == MQ_ID_SIZE)
            status = mq_db_run(replica->db, error, "INSERT OR IGNORE INTO refers VALUES(?, ?, ?)", "bib",
                               mq_span(source, MQ_ID_SIZE), (int64_t)field, target);
    }
    return status;
}

static bool may_refer(const struct mq_kind *kind, uint64_t number)
{
    const struct mq_field *field = mq_field_by_number(kind, number);
    return field == NULL || field->type == MQ_TYPE_REFERENCE || field->type == MQ_TYPE_REFERENCES;
}

static enum mq_status note_references(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                      const struct mq_group_state *state, struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < state->field_count && status == MQ_OK; i++) {
        const struct mq_field_state *field = &state->fields[i];
        if (field->number < MQ_FIELD_ID || !may_refer(kind, field->number))
            continue;
        for (size_t c = 0; c < field->choice_count && status == MQ_OK; c++)
            status = note_value(replica, canonical, field->number, field->choices[c].value, error);
    }
    return status;
}

static enum mq_status forget_notes(struct mq_replica *replica, const struct mq_view_row *row, struct mq_error *error)
{
    enum mq_status status = mq_need_forget(replica, row->canonical, error);
    if (status != MQ_OK || row->before < 0)
        return status;
    return mq_db_run(replica->db, error, "DELETE FROM refers WHERE source = ?", "b",
                     mq_span(row->canonical, MQ_ID_SIZE));
}

enum mq_status mq_view_index(struct mq_replica *replica, const struct mq_view_row *row,
                             const struct mq_group_state *state, struct mq_error *error)
{
    enum mq_status status = forget_notes(replica, row, error);
    if (status == MQ_OK && !state->deleted)
        status = note_references(replica, row->canonical, state, error);
    if (status == MQ_OK) /* a step that was deleted has happened all the same */
        status = mq_need_note(replica, row->canonical, state, error);
    return status == MQ_OK ? mq_search_note(replica, row->number, row->before, state, error) : status;
}

enum mq_status mq_view_unindex(struct mq_replica *replica, const struct mq_view_row *row, struct mq_error *error)
{
    enum mq_status status = forget_notes(replica, row, error);
    return status == MQ_OK ? mq_search_forget(replica, row->number, row->before, error) : status;
}
