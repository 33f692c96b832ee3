/* What a record has around it. */
#include "replica/print_related.h"

#include <string.h>

#include "replica/replica_keys.h"

/* ---- of several records that became one ---- */

static const char *plural(const struct mq_field *field)
{
    return field->number == MQ_FIELD_ID ? "ids" : "numbers";
}

static enum mq_status put_identities(struct mq_replica *replica, const struct mq_field *field,
                                     const struct mq_field_state *here, struct mq_json_writer *writer,
                                     struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    mq_json_key(writer, plural(field));
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < here->choice_count && status == MQ_OK; i++)
        status = mq_print_value(replica, field, here->choices[i].value, writer, error);
    mq_json_end(writer, ']');
    return status;
}

/* Those of creates stand first (protocol/merge.h); what was added later to either is no original. */
static enum mq_status put_originals(struct mq_replica *replica, const struct mq_field *field,
                                    const struct mq_field_state *here, struct mq_json_writer *writer,
                                    struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    size_t count = 0;
    while (count < here->choice_count && memcmp(here->choices[count].best->id, here->choices[count].best->record, MQ_ID_SIZE) == 0)
        count++;
    if (count < 2)
        return MQ_OK;
    mq_json_key(writer, "originals");
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = mq_print_value(replica, field, here->choices[i].value, writer, error);
    mq_json_end(writer, ']');
    return status;
}

enum mq_status mq_print_merged(struct mq_replica *replica, const struct mq_kind *kind,
                               const struct mq_group_state *state, struct mq_json_writer *writer, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < state->field_count && status == MQ_OK; i++) {
        const struct mq_field_state *here = &state->fields[i];
        const struct mq_field *field = mq_field_by_number(kind, here->number);
        if (field == NULL || here->choice_count < 2)
            continue;
        if (field->merge == MQ_MERGE_REGISTER && field->flags & MQ_FIELD_IDENTITY)
            status = put_identities(replica, field, here, writer, error);
        else if (field->merge == MQ_MERGE_WORDS)
            status = put_originals(replica, field, here, writer, error);
    }
    return status;
}

/* ---- what points here, or does not ---- */

struct relation {
    const char *key;        /* as it is shown */
    uint8_t of, kind;       /* kind of the record that is shown, and of those that point to it */
    const char *fields[2];  /* of those */
};
static const struct relation relations[] = {
    {"visits", MQ_KIND_HOUSEHOLD, MQ_KIND_VISIT, {"household", "households"}},
    {"needs", MQ_KIND_HOUSEHOLD, MQ_KIND_NEED, {"household", NULL}},
    {"persons", MQ_KIND_HOUSEHOLD, MQ_KIND_PERSON, {"household", NULL}},
    {"split_into", MQ_KIND_HOUSEHOLD, MQ_KIND_HOUSEHOLD, {"split_from", NULL}},
};

static int64_t number_of(uint8_t kind, const char *key)
{
    return key == NULL ? 0 : mq_field_by_key(mq_kind_by_number(kind), mq_span_text(key))->number;
}

/* All ids that the query gives, as a list under `key`; nothing where it gives none. */
static enum mq_status put_ids(struct mq_replica *replica, const char *key, struct mq_query *query,
                              struct mq_json_writer *writer, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    size_t count = 0;
    while (status == MQ_OK && count < MQ_SET_MAX && mq_db_next(&query, error)) {
        uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
        struct mq_buffer id = mq_buffer(memory, sizeof memory);
        if (count++ == 0) {
            mq_json_key(writer, key);
            mq_json_begin(writer, '[');
        }
        status = mq_print_reference(replica, mq_db_blob(query, 0).data, &id, error);
        mq_json_string_value(writer, mq_written(&id));
    }
    mq_db_done(&query);
    if (count > 0)
        mq_json_end(writer, ']');
    return status != MQ_OK ? status : error->status;
}

static enum mq_status put_relation(struct mq_replica *replica, const struct relation *relation,
                                   const uint8_t canonical[MQ_ID_SIZE], struct mq_json_writer *writer,
                                   struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT source FROM refers JOIN state ON state.canonical = source WHERE target IN"
        " (SELECT record FROM record WHERE canonical = ?1) AND field IN (?2, ?3) AND state.kind = ?4 ORDER BY source",
        "biii", mq_span(canonical, MQ_ID_SIZE), number_of(relation->kind, relation->fields[0]),
        number_of(relation->kind, relation->fields[1]), (int64_t)relation->kind);
    return status == MQ_OK ? put_ids(replica, relation->key, query, writer, error) : status;
}

enum mq_status mq_print_related(struct mq_replica *replica, const struct mq_kind *kind,
                                const uint8_t canonical[MQ_ID_SIZE], struct mq_json_writer *writer,
                                struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    const struct mq_field *others = mq_field_by_key(kind, mq_span_text("not_same_as"));
    struct mq_query *query;
    if (others != NULL)
        status = mq_db_query(replica->db, &query, error,
                             "SELECT target FROM refers WHERE source = ? AND field = ? ORDER BY target", "bi",
                             mq_span(canonical, MQ_ID_SIZE), (int64_t)others->number);
    if (others != NULL && status == MQ_OK)
        status = put_ids(replica, others->key, query, writer, error);
    for (size_t i = 0; i < sizeof relations / sizeof *relations && status == MQ_OK; i++)
        if (relations[i].of == kind->number)
            status = put_relation(replica, &relations[i], canonical, writer, error);
    return status;
}
