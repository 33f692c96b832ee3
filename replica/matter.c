/* Table `matter`. */
#include "replica/matter.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/replica_keys.h"

#define DAY_SECONDS 86400
#define PREFIX_MIN 6 /* hexadecimal digits of a record's own id, as mq_view_find takes them */
#define COLUMNS "SELECT record, team, home, kind, id, label, day FROM matter"

static void row_read(const struct mq_replica *replica, struct mq_query *query, struct mq_matter *out)
{
    struct mq_span id = mq_db_blob(query, 4), label = mq_db_blob(query, 5);
    *out = (struct mq_matter){.about = {.compartment = MQ_COMPARTMENT_RESTRICTED, .home = (uint32_t)mq_db_int(query, 2)},
                              .kind = (uint64_t)mq_db_int(query, 3),
                              .day = (int32_t)mq_db_int(query, 6)};
    memcpy(out->record, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    memcpy(out->team, mq_db_blob(query, 1).data, MQ_ID_SIZE);
    mq_key_name(out->about.author, replica->identity->sign_public);
    MQ_ASSERT(id.size <= sizeof out->id && label.size < sizeof out->label);
    memcpy(out->id, id.data, id.size);
    out->id_size = id.size;
    memcpy(out->label, label.data, label.size);
}

static enum mq_status first(struct mq_replica *replica, struct mq_query *query, struct mq_matter *out,
                            struct mq_error *error)
{
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    row_read(replica, query, out);
    mq_db_done(&query);
    return MQ_OK;
}

enum mq_status mq_matter_find(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_matter *out,
                              struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, COLUMNS " WHERE record = ? AND kind > 0 LIMIT 1", "b",
                                        mq_span(record, MQ_ID_SIZE));
    *out = (struct mq_matter){.kind = 0};
    return status == MQ_OK ? first(replica, query, out, error) : status;
}

enum mq_status mq_matter_by_id(struct mq_replica *replica, uint64_t kind, struct mq_span id, struct mq_matter *out,
                               struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, COLUMNS " WHERE kind = ? AND id = ? LIMIT 1", "ib",
                                        (int64_t)kind, id);
    return status == MQ_OK ? first(replica, query, out, error) : status;
}

enum mq_status mq_matter_named(struct mq_replica *replica, uint64_t kind, struct mq_span text, struct mq_matter *out,
                               struct mq_error *error)
{
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(MQ_KIND_NEED), MQ_FIELD_ID);
    struct mq_query *query;
    if (mq_value_from_text(field, text, &id) != MQ_OK)
        id.size = 0;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        COLUMNS " WHERE kind > 0 AND (?1 = 0 OR kind = ?1) AND (id = ?2 OR label = ?3"
                                                " OR (length(?3) >= ?4 AND substr(lower(hex(record)), 1, length(?3)) = CAST(?3 AS TEXT)))"
                                                " ORDER BY number LIMIT 1",
                                        "ibbi", (int64_t)kind, mq_written(&id), text, (int64_t)PREFIX_MIN);
    return status == MQ_OK ? first(replica, query, out, error) : status;
}

enum mq_status mq_matter_other(struct mq_replica *replica, uint64_t kind, struct mq_span id,
                               const uint8_t canonical[MQ_ID_SIZE], bool *other, struct mq_error *error)
{
    int64_t found = 0;
    enum mq_status status = mq_db_number(replica->db, &found, error,
                                         "SELECT EXISTS (SELECT 1 FROM matter AS m WHERE m.kind = ? AND m.id = ? AND NOT"
                                         " EXISTS (SELECT 1 FROM record AS r WHERE r.record = m.record AND r.canonical = ?))",
                                         "ibb", (int64_t)kind, id, mq_span(canonical, MQ_ID_SIZE));
    *other = status == MQ_OK && found != 0;
    return status;
}

enum mq_status mq_matter_twice(struct mq_replica *replica, uint64_t kind, struct mq_span id,
                               const uint8_t canonical[MQ_ID_SIZE], bool *twice, struct mq_error *error)
{
    int64_t found = 0;
    enum mq_status status = mq_matter_other(replica, kind, id, canonical, twice, error);
    if (status != MQ_OK || *twice)
        return status;
    status = mq_db_number(replica->db, &found, error,
                          "SELECT EXISTS (SELECT 1 FROM record AS a JOIN record AS b ON b.kind = a.kind AND b.id = a.id AND"
                          " b.team = a.team AND b.canonical <> a.canonical WHERE a.kind = ?1 AND a.id = ?2 AND"
                          " a.canonical = ?3 AND (a.compartment <> b.compartment OR a.home <> b.home))",
                          "ibb", (int64_t)kind, id, mq_span(canonical, MQ_ID_SIZE));
    *twice = status == MQ_OK && found != 0;
    return status;
}

enum mq_status mq_matter_each(struct mq_replica *replica, uint64_t kind,
                              enum mq_status (*take)(void *, const struct mq_matter *, struct mq_error *), void *context,
                              struct mq_error *error)
{
    struct mq_query *query;
    struct mq_matter matter;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        COLUMNS " WHERE kind > 0 AND (?1 = 0 OR kind = ?1) ORDER BY number", "i",
                                        (int64_t)kind);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        row_read(replica, query, &matter);
        status = take(context, &matter, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* ---- writing ---- */

struct left {
    struct mq_span id, label;
    int64_t day;
};

/* By the tables: `id`, the other identity field, and the record's own date. */
static void left_of_create(const struct mq_change *change, struct left *left)
{
    const struct mq_kind *kind = mq_kind_by_number(change->kind);
    struct mq_reader reader = mq_reader(change->fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    for (uint64_t i = 0; kind != NULL && i < count; i++) {
        const struct mq_field *field = mq_field_by_number(kind, mq_cbor_uint(&reader));
        struct mq_span value = mq_cbor_take(&reader);
        struct mq_reader inside = mq_reader(value);
        if (field == NULL || !mq_value_valid(field, value))
            continue;
        if (field->number == MQ_FIELD_ID)
            left->id = value;
        else if (field->flags & MQ_FIELD_IDENTITY && field->merge == MQ_MERGE_REGISTER)
            left->label = mq_cbor_text(&inside, MQ_RECORD_ID_TEXT_MAX);
        else if (field->type == MQ_TYPE_DATE && strcmp(field->key, "date") == 0)
            left->day = (int64_t)mq_cbor_uint(&inside);
    }
}

enum mq_status mq_matter_put(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint32_t home, int64_t number,
                             const uint8_t record[MQ_ID_SIZE], const struct mq_change *change, struct mq_error *error)
{
    const struct mq_platform *platform = replica->platform;
    int64_t now = mq_now(platform);
    struct left left = {.day = (now + platform->utc_offset(platform->self)) / DAY_SECONDS};
    bool create = change->type == MQ_CHANGE_CREATE;
    if (create)
        left_of_create(change, &left);
    return mq_db_run(replica->db, error,
                     "INSERT INTO matter(segment, team, record, home, kind, id, label, day, wall)"
                     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "ibbiibbii", number, mq_span(team, MQ_ID_SIZE), mq_span(record, MQ_ID_SIZE), (int64_t)home,
                     create ? (int64_t)change->kind : 0, left.id, left.label, left.day, now);
}
