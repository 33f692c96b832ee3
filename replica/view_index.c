/* Notes beside a group's state. */
#include "replica/view_index.h"

#include <string.h>

#include "replica/matter.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/search_index.h"
#include "replica/view.h"

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

/* ---- who is heard ---- */

/* As its own create was said. A record without one says nothing that anybody should hear. */
static enum mq_status said_of(struct mq_replica *replica, const uint8_t source[MQ_ID_SIZE], struct mq_said *out,
                              struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT compartment, writer FROM change WHERE id = ?",
                                        "b", mq_span(source, MQ_ID_SIZE));
    *out = (struct mq_said){.compartment = MQ_COMPARTMENT_TEAM, .keyless = true};
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error)) {
        struct mq_span writer = mq_db_blob(query, 1);
        out->compartment = (uint32_t)mq_db_int(query, 0);
        out->keyless = writer.size == sizeof out->writer;
        if (out->keyless)
            memcpy(out->writer, writer.data, writer.size);
    }
    mq_db_done(&query);
    return error->status;
}

struct pair {
    uint8_t source[MQ_ID_SIZE], target[MQ_ID_SIZE];
};

static enum mq_status unhear(struct mq_replica *replica, const struct pair *pair, struct mq_error *error)
{
    struct mq_said said;
    struct mq_belongs about;
    enum mq_status status = mq_view_belongs(replica, pair->target, &about, error);
    if (status == MQ_OK)
        status = said_of(replica, pair->source, &said, error);
    if (status != MQ_OK || mq_said_counts(&said, &about))
        return status;
    return mq_db_run(replica->db, error, "DELETE FROM refers WHERE source = ? AND target = ?", "bb",
                     MQ_SPAN(pair->source), MQ_SPAN(pair->target));
}

/* The references from this group and to it that cross a compartment, one after another. Those to a record whose create
 * has not come wait for it: who wrote it is not known yet. Few stores have any. */
static enum mq_status next_crossing(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE], struct pair *at,
                                    struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "WITH f(source, target) AS (SELECT source, target FROM refers WHERE source = ?1 UNION"
        " SELECT source, target FROM record JOIN refers ON target = record WHERE canonical = ?1)"
        " SELECT f.source, f.target FROM f JOIN record AS s ON s.record = f.source"
        " LEFT JOIN record AS t ON t.record = f.target AND t.kind > 0"
        " LEFT JOIN matter AS m ON m.record = f.target AND m.kind > 0"
        " WHERE (t.compartment <> s.compartment OR t.home <> s.home OR m.record IS NOT NULL)"
        " AND (f.source, f.target) > (?2, ?3) ORDER BY f.source, f.target LIMIT 1",
        "bbb", mq_span(canonical, MQ_ID_SIZE), MQ_SPAN(at->source), MQ_SPAN(at->target));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(at->source, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    memcpy(at->target, mq_db_blob(query, 1).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

static enum mq_status hear(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct pair at = {{0}, {0}};
    int64_t several;
    enum mq_status status = mq_db_number(
        replica->db, &several, error,
        "SELECT EXISTS (SELECT 1 FROM record WHERE compartment <> 0) OR EXISTS (SELECT 1 FROM matter)", "");
    if (status != MQ_OK || several == 0) /* as almost everywhere: all is the team's */
        return status;
    status = next_crossing(replica, canonical, &at, error);
    while (status == MQ_OK) {
        status = unhear(replica, &at, error);
        if (status == MQ_OK)
            status = next_crossing(replica, canonical, &at, error);
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
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
    if (status == MQ_OK)
        status = hear(replica, row->canonical, error);
    if (status == MQ_OK) /* a step that was deleted has happened all the same */
        status = mq_need_note(replica, row->canonical, state, error);
    return status == MQ_OK ? mq_search_note(replica, row->number, row->before, state, error) : status;
}

enum mq_status mq_view_unindex(struct mq_replica *replica, const struct mq_view_row *row, struct mq_error *error)
{
    enum mq_status status = forget_notes(replica, row, error);
    return status == MQ_OK ? mq_search_forget(replica, row->number, row->before, error) : status;
}
