/* What is kept about one household. */
#include <string.h>

#include "protocol/assert.h"
#include "replica/forget.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

struct walk {
    struct mq_replica *replica;
    enum mq_status (*take)(void *, const struct mq_about *, struct mq_error *);
    void *context;
};

static enum mq_status take_one(const struct walk *walk, struct mq_span record, int64_t kind, uint32_t category,
                               struct mq_error *error)
{
    struct mq_about about = {.kind = (uint8_t)kind, .category = category};
    MQ_ASSERT(record.size == MQ_ID_SIZE);
    memcpy(about.record, record.data, MQ_ID_SIZE);
    return walk->take(walk->context, &about, error);
}

/* The category of a need; where only the finer one was said, what it belongs to. */
static enum mq_status category_of(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE], uint32_t *category,
                                  struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, need, &state, error);
    if (status != MQ_OK)
        return status;
    *category = (uint32_t)mq_shown_number(&state, "category");
    if (*category == 0)
        *category = (uint32_t)mq_shown_number(&state, "subcategory") / 100;
    return MQ_OK;
}

/* What points to the household itself. A visit to several households is not about this one alone. */
static const char direct[] =
    "SELECT DISTINCT f.source, s.kind FROM record AS h JOIN refers AS f ON f.target = h.record"
    " JOIN state AS s ON s.canonical = f.source WHERE h.canonical = ?1 AND s.kind IN (8, 9, 10, 11, 3)"
    " AND NOT (s.kind = 3 AND EXISTS (SELECT 1 FROM refers AS o JOIN record AS r ON r.record = o.target"
    " WHERE o.source = f.source AND r.kind = 1 AND r.canonical <> ?1)) ORDER BY s.kind, f.source";
/* Needs of the household, and needs from such visits that name no household. */
static const char needs[] =
    "WITH mine(record) AS (SELECT record FROM record WHERE canonical = ?1),"
    " visit(record) AS (SELECT v.record FROM mine JOIN refers AS f ON f.target = mine.record"
    "  JOIN record AS v ON v.canonical = f.source WHERE v.kind = 3 AND NOT EXISTS"
    "  (SELECT 1 FROM refers AS o JOIN record AS r ON r.record = o.target"
    "   WHERE o.source = f.source AND r.kind = 1 AND r.canonical <> ?1))"
    " SELECT DISTINCT source FROM (SELECT f.source FROM mine JOIN refers AS f ON f.target = mine.record AND f.field = 5"
    "  UNION SELECT f.source FROM visit JOIN refers AS f ON f.target = visit.record AND f.field = 4"
    "  WHERE NOT EXISTS (SELECT 1 FROM refers AS o WHERE o.source = f.source AND o.field = 5))"
    " JOIN state ON canonical = source WHERE kind = 4 ORDER BY source";
static const char steps[] =
    "SELECT DISTINCT f.source, s.kind FROM record AS n JOIN refers AS f ON f.target = n.record AND f.field = 3"
    " JOIN state AS s ON s.canonical = f.source WHERE n.canonical = ? AND s.kind IN (5, 6) ORDER BY f.source";

static enum mq_status walk_need(const struct walk *walk, const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    uint32_t category;
    enum mq_status status = category_of(walk->replica, need, &category, error);
    if (status == MQ_OK)
        status = take_one(walk, mq_span(need, MQ_ID_SIZE), MQ_KIND_NEED, category, error);
    if (status == MQ_OK)
        status = mq_db_query(walk->replica->db, &query, error, steps, "b", mq_span(need, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = take_one(walk, mq_db_blob(query, 0), mq_db_int(query, 1), category, error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_about_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                  enum mq_status (*take)(void *, const struct mq_about *, struct mq_error *),
                                  void *context, struct mq_error *error)
{
    const struct walk walk = {replica, take, context};
    struct mq_span own = mq_span(household, MQ_ID_SIZE);
    struct mq_query *query;
    enum mq_status status = take_one(&walk, own, MQ_KIND_HOUSEHOLD, 0, error);
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error, direct, "b", own);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = take_one(&walk, mq_db_blob(query, 0), mq_db_int(query, 1), 0, error);
    mq_db_done(&query);
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error, needs, "b", own);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t need[MQ_ID_SIZE];
        memcpy(need, mq_db_blob(query, 0).data, sizeof need);
        status = walk_need(&walk, need, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* Does a value mean a record of this household's group? */
static enum mq_status means(struct mq_replica *replica, struct mq_span value, const uint8_t household[MQ_ID_SIZE],
                            bool *names, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    int64_t found = 0;
    if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
        return MQ_OK;
    enum mq_status status = mq_db_number(replica->db, &found, error,
                                         "SELECT EXISTS (SELECT 1 FROM record AS a JOIN record AS b USING(canonical)"
                                         " WHERE a.record = ? AND b.record = ?)",
                                         "bb", mq_cbor_bytes(&reader, MQ_ID_SIZE), mq_span(household, MQ_ID_SIZE));
    *names = *names || found != 0;
    return status;
}

static enum mq_status names_household(struct mq_replica *replica, const uint8_t matter[MQ_ID_SIZE],
                                      const uint8_t household[MQ_ID_SIZE], bool *names, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("household"));
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, matter, &state, error);
    const struct mq_field_state *here = status == MQ_OK ? mq_group_field(&state, field->number) : NULL;
    *names = false;
    for (size_t i = 0; here != NULL && i < here->choice_count && status == MQ_OK; i++)
        status = means(replica, here->choices[i].value, household, names, error);
    return status;
}

enum mq_status mq_about_matter(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                               const uint8_t matter[MQ_ID_SIZE],
                               enum mq_status (*take)(void *, const struct mq_about *, struct mq_error *), void *context,
                               struct mq_error *error)
{
    const struct walk walk = {replica, take, context};
    bool restricted, names = false;
    enum mq_status status = mq_view_restricted(replica, matter, &restricted, error);
    if (status == MQ_OK && restricted)
        status = names_household(replica, matter, household, &names, error);
    if (status == MQ_OK && !names)
        return mq_fail(error, MQ_REFUSED, _("this is no restricted matter of that household"));
    return status == MQ_OK ? walk_need(&walk, matter, error) : status;
}
