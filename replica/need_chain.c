/* Steps from their creates. What others changed of a step's record later is shown with the record, and moves nothing
 * (docs/protocol.md, section 6). */
#include "replica/need_chain.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define DAY_SECONDS 86400

/* ---- creates ---- */

struct create {
    const struct mq_kind *kind;
    struct mq_span fields; /* CBOR map, borrowed */
};

static bool read_create(struct create *out, struct mq_span expanded)
{
    uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(memory, sizeof memory);
    struct mq_change change;

    if (mq_change_decode(&change, expanded, &names) != MQ_OK || change.type != MQ_CHANGE_CREATE)
        return false;
    *out = (struct create){.kind = mq_kind_by_number(change.kind), .fields = change.fields};
    return out->kind != NULL;
}

/* The value of one field; false where the create does not give it, or gives what is no such value. Of a set: the array. */
static bool create_value(const struct create *create, const char *key, struct mq_span *value)
{
    const struct mq_field *field = mq_field_by_key(create->kind, mq_span_text(key));
    struct mq_reader reader = mq_reader(create->fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);

    for (uint64_t i = 0; field != NULL && i < count && !reader.failed; i++) {
        uint64_t number = mq_cbor_uint(&reader);
        *value = mq_cbor_take(&reader);
        if (!reader.failed && number == field->number)
            return field->merge == MQ_MERGE_SET || mq_value_valid(field, *value);
    }
    return false;
}

/* A code or a day; 0: not said. */
static int32_t create_number(const struct create *create, const char *key)
{
    struct mq_span value;
    if (!create_value(create, key, &value))
        return 0;
    struct mq_reader reader = mq_reader(value);
    uint64_t number = mq_cbor_uint(&reader);
    return number <= INT32_MAX ? (int32_t)number : 0;
}

/* The representative of a step that is here several times (one file, imported on two devices): the create of the
 * greatest rank, then of the smallest id. Borrowed until the query is done; MQ_NOT_FOUND. */
static enum mq_status find_create(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                  struct mq_query **query, struct create *out, struct mq_error *error)
{
    enum mq_status status = mq_db_query(
        replica->db, query, error,
        "SELECT c.expanded, c.rank, c.wall, c.id FROM record AS r JOIN change AS c ON c.id = r.record WHERE r.canonical = ?"
        " ORDER BY c.rank DESC, c.id",
        "b", mq_span(canonical, MQ_ID_SIZE));
    while (status == MQ_OK && mq_db_next(query, error))
        if (read_create(out, mq_db_blob(*query, 0)))
            return MQ_OK;
    return status != MQ_OK ? status : error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
}

/* ---- one step ---- */

enum mq_status mq_need_canonical(struct mq_replica *replica, struct mq_span record, uint8_t out[MQ_ID_SIZE],
                                 struct mq_error *error)
{
    struct mq_query *query = NULL;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT canonical FROM record WHERE record = ?", "b", record);
    if (status == MQ_OK && mq_db_next(&query, error))
        record = mq_db_blob(query, 0);
    memmove(out, record.data, MQ_ID_SIZE);
    mq_db_done(&query);
    return error->status;
}

static bool read_reference(struct mq_span value, struct mq_span *record)
{
    struct mq_reader reader = mq_reader(value);
    if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
        return false;
    *record = mq_cbor_bytes(&reader, MQ_ID_SIZE);
    return record->size == MQ_ID_SIZE;
}

static enum mq_status read_after(struct mq_replica *replica, const struct create *create, struct mq_need_step *step,
                                 uint8_t (*names)[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_span value;
    enum mq_status status = MQ_OK;
    step->after = names[0];
    if (!create_value(create, "after", &value))
        return MQ_OK;
    struct mq_reader reader = mq_reader(value);
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    for (uint64_t i = 0; i < count && step->after_count < MQ_NEED_AFTER_MAX && status == MQ_OK; i++) {
        struct mq_span record;
        if (read_reference(mq_cbor_take(&reader), &record))
            status = mq_need_canonical(replica, record, names[step->after_count++], error);
    }
    return status;
}

static const struct {
    const char *key;
    uint8_t bit;
} said[] = {{"unit", MQ_SAYS_UNIT},     {"text", MQ_SAYS_TEXT},     {"due", MQ_SAYS_DUE},
            {"reason", MQ_SAYS_REASON}, {"result", MQ_SAYS_RESULT}, {"cause", MQ_SAYS_CAUSE}};

static void read_says(const struct create *create, struct mq_need_step *step)
{
    struct mq_span value;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (create_value(create, said[i].key, &value))
            step->says |= said[i].bit;
    step->code = create->kind->number == MQ_KIND_TOLD ? MQ_STEP_TOLD : (uint8_t)create_number(create, "step");
    step->reaction = (uint8_t)create_number(create, "reaction");
    step->result = (uint8_t)create_number(create, "result");
    step->cause = (uint8_t)create_number(create, "cause");
    step->due = create_number(create, "due");
}

/* What was erased of a step (docs/protocol.md, section 8) was said all the same: an answer does not become undone
 * because its words are gone. */
static enum mq_status read_erased(struct mq_replica *replica, const struct create *create, const uint8_t id[MQ_ID_SIZE],
                                  struct mq_need_step *step, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT field FROM erased WHERE name = ? AND team = (SELECT team FROM change WHERE id = ?)", "bb",
        mq_span(id, MQ_NAME_SIZE), mq_span(id, MQ_ID_SIZE));
    while (status == MQ_OK && mq_db_next(&query, error)) {
        const struct mq_field *field = mq_field_by_number(create->kind, (uint64_t)mq_db_int(query, 0));
        for (size_t i = 0; field != NULL && i < sizeof said / sizeof *said; i++)
            if (strcmp(said[i].key, field->key) == 0)
                step->says |= said[i].bit;
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* A step without a create that can be read counts for nothing, and neither does one that says no step. */
static enum mq_status add_step(struct mq_need_chain *chain, struct mq_replica *replica,
                               const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_need_step *step = &chain->steps[chain->count];
    struct mq_query *query = NULL;
    struct create create;
    enum mq_status status = find_create(replica, canonical, &query, &create, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    if (status != MQ_OK)
        return status;
    *step = (struct mq_need_step){.rank = (unsigned)mq_db_int(query, 1)};
    memcpy(step->record, canonical, MQ_ID_SIZE);
    read_says(&create, step);
    status = read_after(replica, &create, step, chain->names[chain->count], error);
    if (status == MQ_OK)
        status = read_erased(replica, &create, mq_db_blob(query, 3).data, step, error);
    chain->count += create.kind->number == MQ_KIND_TOLD || step->code != MQ_STEP_TOLD;
    mq_db_done(&query);
    return status;
}

/* ---- all steps of a need ---- */

/* Is the step of this row heard about the need? As a change of the need would be (protocol/compartment.h). */
static bool heard(struct mq_query *query, const struct mq_belongs *about)
{
    struct mq_said origin = {.compartment = (uint32_t)mq_db_int(query, 1)};
    struct mq_span writer = mq_db_blob(query, 2);
    origin.keyless = writer.size == sizeof origin.writer;
    if (origin.keyless)
        memcpy(origin.writer, writer.data, writer.size);
    return mq_said_counts(&origin, about);
}

/* Of the highest ranks first, so that a flood of a cadre's keeps no desk's out; one more than count, so that the
 * derivation sees that there are too many. Steps of another team are not this need's, nor those of whoever is not heard
 * about it; of a step that is here several times its representative is asked, as in find_create. Of a need that has not
 * come nobody knows where it belongs: every step is its. */
static enum mq_status find_steps(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                 uint8_t (*out)[MQ_ID_SIZE], size_t *count, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_belongs about;
    enum mq_status status = mq_view_belongs(replica, need, &about, error);
    bool known = status == MQ_OK;
    *count = 0;
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    status = mq_db_query(
        replica->db, &query, error,
        "SELECT canonical, compartment, writer FROM"
        " (SELECT r.canonical, c.compartment, c.writer, c.rank,"
        " row_number() OVER (PARTITION BY r.canonical ORDER BY c.rank DESC, c.id) AS place FROM need_step AS s"
        " JOIN record AS r ON r.record = s.step JOIN change AS c ON c.id = s.step"
        " WHERE s.need IN (SELECT ?1 UNION SELECT record FROM record WHERE canonical = ?1)"
        " AND r.team = ifnull((SELECT team FROM record WHERE record = ?1), r.team))"
        " WHERE place = 1 ORDER BY rank DESC, canonical",
        "b", mq_span(need, MQ_ID_SIZE));
    while (status == MQ_OK && *count <= MQ_NEED_STEPS_MAX && mq_db_next(&query, error))
        if (!known || heard(query, &about))
            memcpy(out[(*count)++], mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_need_chain_load(struct mq_need_chain *chain, struct mq_replica *replica,
                                  const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    uint8_t found[MQ_NEED_STEPS_MAX + 1][MQ_ID_SIZE];
    size_t count;
    enum mq_status status = find_steps(replica, need, found, &count, error);
    chain->count = 0;
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = add_step(chain, replica, found[i], error);
    if (status == MQ_OK)
        chain->count = mq_need_derive(&chain->need, chain->steps, chain->count);
    return status;
}

/* ---- single values ---- */

enum mq_status mq_need_of_step(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], uint8_t need[MQ_ID_SIZE],
                               struct mq_error *error)
{
    struct mq_query *query = NULL;
    struct create create;
    struct mq_span value, named;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT expanded FROM change WHERE id = ?", "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    bool found = mq_db_next(&query, error) && read_create(&create, mq_db_blob(query, 0)) &&
                 (create.kind->number == MQ_KIND_STEP || create.kind->number == MQ_KIND_TOLD) &&
                 create_value(&create, "need", &value) && read_reference(value, &named);
    if (found)
        memcpy(need, named.data, MQ_ID_SIZE);
    mq_db_done(&query);
    return error->status != MQ_OK ? error->status : found ? MQ_OK : MQ_NOT_FOUND;
}

enum mq_status mq_need_step_text(struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE], const char *key,
                                 struct mq_buffer *out, struct mq_error *error)
{
    struct mq_query *query = NULL;
    struct create create;
    struct mq_span value;
    enum mq_status status = find_create(replica, step, &query, &create, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    /* What a newer or hostile writer put there, and is no such value, says nothing here. */
    if (status == MQ_OK && create_value(&create, key, &value) &&
        mq_value_valid(mq_field_by_key(create.kind, mq_span_text(key)), value))
        status = mq_value_to_text(mq_field_by_key(create.kind, mq_span_text(key)), value, out);
    mq_db_done(&query);
    return status;
}

enum mq_status mq_need_step_print(struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE],
                                  struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_query *query = NULL;
    struct create create;
    struct mq_span value;
    enum mq_status status = find_create(replica, step, &query, &create, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    for (size_t i = 0; status == MQ_OK && i < create.kind->field_count; i++) {
        const struct mq_field *field = &create.kind->fields[i];
        if (field->number < MQ_FIELD_ID || field->merge == MQ_MERGE_SET || field->type == MQ_TYPE_REFERENCE ||
            !create_value(&create, field->key, &value))
            continue;
        mq_json_key(writer, field->key);
        status = mq_print_value(replica, field, value, writer, error);
    }
    if (status == MQ_OK)
        status = mq_print_origin(replica, mq_db_blob(query, 3).data, writer, error);
    mq_db_done(&query);
    return status;
}

static int32_t local_day(const struct mq_replica *replica, int64_t wall)
{
    int64_t local = wall + replica->platform->utc_offset(replica->platform->self);
    int64_t day = local / DAY_SECONDS - (local % DAY_SECONDS < 0);
    return day < 0 ? 0 : day > MQ_DAY_MAX ? MQ_DAY_MAX : (int32_t)day;
}

enum mq_status mq_need_made_on(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], int32_t *day,
                               struct mq_error *error)
{
    struct mq_query *query = NULL;
    struct create create;
    enum mq_status status = find_create(replica, record, &query, &create, error);
    *day = 0;
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    if (status == MQ_OK)
        *day = create_number(&create, "date");
    if (status == MQ_OK && *day == 0)
        *day = local_day(replica, mq_db_int(query, 2));
    mq_db_done(&query);
    return status;
}
