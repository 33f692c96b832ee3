/* Changes by record, groups of records, and each group's state (docs/protocol.md, section 6). */
#include "replica/view.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/view_facts.h"
#include "replica/view_index.h"
#include "replica/view_references.h"

/* ---- groups ---- */

struct group {
    uint8_t members[MQ_GROUP_MAX][MQ_ID_SIZE];
    size_t count;
};

static bool group_has(const struct group *group, const uint8_t record[MQ_ID_SIZE])
{
    for (size_t i = 0; i < group->count; i++)
        if (memcmp(group->members[i], record, MQ_ID_SIZE) == 0)
            return true;
    return false;
}

static void group_put(struct group *group, struct mq_span record)
{
    MQ_ASSERT(record.size == MQ_ID_SIZE);
    if (group->count < MQ_GROUP_MAX && !group_has(group, record.data))
        memcpy(group->members[group->count++], record.data, MQ_ID_SIZE);
}

static enum mq_status collect(struct mq_query *query, struct group *group, struct mq_error *error)
{
    while (mq_db_next(&query, error))
        group_put(group, mq_db_blob(query, 0));
    return error->status;
}

/* Records that are linked to this one by hand, either way, or by an equal `id` of the same kind in the same team. Only
 * within one compartment, restricted ones only of one author: nobody ties his own to a matter that he cannot read. */
static enum mq_status neighbours(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct group *group,
                                 struct mq_error *error)
{
    struct mq_query *query;
    struct mq_span one = mq_span(record, MQ_ID_SIZE);
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT other.record FROM record AS mine JOIN record AS other"
        " ON other.compartment = mine.compartment AND other.home = mine.home WHERE mine.record = ?1 AND other.record IN"
        " (SELECT b FROM link WHERE a = ?1 UNION SELECT a FROM link WHERE b = ?1)",
        "b", one);
    if (status == MQ_OK)
        status = collect(query, group, error);
    if (status == MQ_OK)
        status = mq_db_query(
            replica->db, &query, error,
            "SELECT other.record FROM record AS mine JOIN record AS other ON other.kind = mine.kind AND other.id = mine.id"
            " AND other.team = mine.team AND other.compartment = mine.compartment AND other.home = mine.home"
            " WHERE mine.record = ? AND mine.id IS NOT NULL AND mine.kind > 0 ORDER BY other.record",
            "b", one);
    return status == MQ_OK ? collect(query, group, error) : status;
}

static int member_order(const void *a, const void *b)
{
    return memcmp(a, b, MQ_ID_SIZE);
}

/* All records that hang together with `record`. */
static enum mq_status component(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct group *group,
                                struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    group->count = 0;
    group_put(group, mq_span(record, MQ_ID_SIZE));
    for (size_t i = 0; i < group->count && status == MQ_OK; i++)
        status = neighbours(replica, group->members[i], group, error);
    qsort(group->members, group->count, MQ_ID_SIZE, member_order); /* as members_of gives them */
    return status;
}

static const uint8_t *smallest(const struct group *group)
{
    const uint8_t *least = group->members[0];
    for (size_t i = 1; i < group->count; i++)
        if (memcmp(group->members[i], least, MQ_ID_SIZE) < 0)
            least = group->members[i];
    return least;
}

static enum mq_status members_of(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE], struct group *group,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT record FROM record WHERE canonical = ? ORDER BY record", "b",
                    mq_span(canonical, MQ_ID_SIZE));
    return status == MQ_OK ? collect(query, group, error) : status;
}

/* ---- settling ---- */

static enum mq_status links_store(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                  const struct mq_links *links, struct mq_error *error)
{
    struct mq_span one = mq_span(record, MQ_ID_SIZE);
    enum mq_status status =
        links->id.size > 0 ? mq_db_run(replica->db, error, "UPDATE record SET kind = ?, id = ? WHERE record = ?", "ibb",
                                       (int64_t)links->kind, links->id, one)
                           : mq_db_run(replica->db, error, "UPDATE record SET kind = ?, id = NULL WHERE record = ?",
                                       "ib", (int64_t)links->kind, one);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "DELETE FROM link WHERE a = ?", "b", one);
    for (size_t i = 0; status == MQ_OK && i < links->target_count; i++)
        status = mq_db_run(replica->db, error, "INSERT OR IGNORE INTO link VALUES(?, ?)", "bb", one,
                           mq_span(links->targets + i * MQ_ID_SIZE, MQ_ID_SIZE));
    return status;
}

static enum mq_status group_load(struct mq_replica *replica, const struct group *group, struct mq_arena *arena,
                                 struct mq_group_state *state, int64_t *leans, struct mq_error *error)
{
    struct mq_fact *facts;
    size_t count = 0;
    enum mq_status status =
        mq_facts_room(replica, (const uint8_t(*)[MQ_ID_SIZE])group->members, group->count, arena, &facts, error);
    for (size_t i = 0; i < group->count && status == MQ_OK; i++)
        status = mq_facts_load(replica, group->members[i], arena, facts, &count, error);
    if (status != MQ_OK)
        return status;
    status = mq_merge(state, facts, count, arena);
    if (status == MQ_OK)
        status = mq_view_references(replica, state, arena, leans, error);
    mq_work_arena_used(replica, arena);
    if (status == MQ_OK || error->status != MQ_OK)
        return status;
    return mq_fail(error, status, _("a record's history is too long or damaged; `check` names it"));
}

static int64_t conflict_count(const struct mq_group_state *state)
{
    int64_t conflicts = 0;
    for (size_t i = 0; i < state->field_count; i++)
        conflicts += state->fields[i].conflict || state->fields[i].review;
    return conflicts;
}

/* The row that a group's state has; number 0 where it has none yet. */
static enum mq_status row_of(struct mq_replica *replica, const uint8_t *canonical, struct mq_view_row *row,
                             struct mq_error *error)
{
    struct mq_query *query;
    *row = (struct mq_view_row){.canonical = canonical, .before = -1};
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT number, kind FROM state WHERE canonical = ?",
                                        "b", mq_span(canonical, MQ_ID_SIZE));
    if (status != MQ_OK || !mq_db_next(&query, error))
        return status != MQ_OK ? status : error->status;
    row->number = mq_db_int(query, 0);
    row->before = mq_db_int(query, 1);
    mq_db_done(&query);
    return MQ_OK;
}

/* The state of a record that is no group of its own any more. */
static enum mq_status state_drop(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_view_row row;
    enum mq_status status = row_of(replica, record, &row, error);
    if (status != MQ_OK || row.number == 0)
        return status;
    status = mq_view_unindex(replica, &row, error);
    return status == MQ_OK ? mq_db_run(replica->db, error, "DELETE FROM state WHERE number = ?", "i", row.number)
                           : status;
}

static enum mq_status state_put(struct mq_replica *replica, const uint8_t *canonical,
                                const struct mq_group_state *state, int64_t leans, struct mq_error *error)
{
    struct mq_view_row row;
    enum mq_status status = row_of(replica, canonical, &row, error);
    if (status == MQ_OK)
        status = mq_db_run(
            replica->db, error,
            "INSERT INTO state(canonical, kind, deleted, review, conflicts, leans) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT(canonical) DO UPDATE SET kind = ?2, deleted = ?3, review = ?4, conflicts = ?5, leans = ?6",
            "biiiii", mq_span(canonical, MQ_ID_SIZE), (int64_t)state->kind, (int64_t)state->deleted,
            (int64_t)state->review, conflict_count(state), leans);
    if (status == MQ_OK && row.number == 0)
        status = mq_db_number(replica->db, &row.number, error, "SELECT last_insert_rowid()", "");
    return status == MQ_OK ? mq_view_index(replica, &row, state, error) : status;
}

static enum mq_status state_store(struct mq_replica *replica, const struct group *group, struct mq_error *error)
{
    const uint8_t *canonical = smallest(group);
    enum mq_status status = MQ_OK;
    int64_t leans;
    for (size_t i = 0; i < group->count && status == MQ_OK; i++) {
        status = mq_db_run(replica->db, error, "UPDATE record SET canonical = ?1 WHERE record = ?2 AND canonical <> ?1",
                           "bb", mq_span(canonical, MQ_ID_SIZE), MQ_SPAN(group->members[i]));
        replica->regrouped = replica->regrouped || (status == MQ_OK && mq_db_changes(replica->db) > 0);
    }
    for (size_t i = 0; i < group->count && status == MQ_OK; i++)
        if (group->members[i] != canonical)
            status = state_drop(replica, group->members[i], error);
    struct mq_arena arena = mq_work_arena(replica);
    struct mq_group_state state;
    if (status == MQ_OK)
        status = group_load(replica, group, &arena, &state, &leans, error);
    if (status == MQ_NO_SPACE ||
        status == MQ_REFUSED) { /* more than any device can merge: one group must not stop the others */
        mq_error_clear(error);
        status = MQ_OK;
        state = (struct mq_group_state){.kind = MQ_KIND_UNREADABLE, .review = true};
        leans = 0;
    }
    if (status != MQ_OK)
        return status;
    state.review = state.review || group->count == MQ_GROUP_MAX;
    mq_catalogue_touch(replica, state.kind);
    return state_put(replica, canonical, &state, leans, error);
}

enum mq_status mq_view_settle(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    /* What it belonged to before, then what its own facts link it to now. */
    struct group concerned = {.count = 0};
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT record FROM record WHERE canonical = (SELECT canonical FROM record WHERE record = ?) ORDER BY record",
        "b", mq_span(record, MQ_ID_SIZE));
    if (status == MQ_OK)
        status = collect(query, &concerned, error);
    struct mq_arena arena = mq_work_arena(replica);
    struct mq_fact *facts = NULL;
    size_t count = 0;
    struct mq_links links;
    if (status == MQ_OK)
        status = mq_facts_room(replica, (const uint8_t(*)[MQ_ID_SIZE])record, 1, &arena, &facts, error);
    if (status == MQ_OK)
        status = mq_facts_load(replica, record, &arena, facts, &count, error);
    if (status == MQ_OK && mq_merge_links(&links, facts, count, &arena) != MQ_OK)
        links = (struct mq_links){.kind = 0}; /* unreadable: alone, for review */
    mq_work_arena_used(replica, &arena);
    if (status == MQ_OK)
        status = links_store(replica, record, &links, error);
    group_put(&concerned, mq_span(record, MQ_ID_SIZE));

    struct group done = {.count = 0}, group;
    for (size_t i = 0; i < concerned.count && status == MQ_OK; i++) {
        if (group_has(&done, concerned.members[i]))
            continue;
        status = component(replica, concerned.members[i], &group, error);
        if (status == MQ_OK)
            status = state_store(replica, &group, error);
        for (size_t j = 0; j < group.count; j++)
            group_put(&done, MQ_SPAN(group.members[j]));
    }
    return status;
}

static enum mq_status settle_references(struct mq_replica *replica, struct mq_error *error)
{
    if (!replica->regrouped)
        return MQ_OK;
    replica->regrouped = false;
    uint8_t at[MQ_ID_SIZE] = {0};
    struct group group;
    for (;;) { /* by ascending id, without holding a query open over the work */
        struct mq_query *query;
        enum mq_status status = mq_db_query(
            replica->db, &query, error,
            "SELECT canonical FROM state WHERE (conflicts > 0 OR leans > 0) AND canonical > ? ORDER BY canonical LIMIT 1",
            "b", MQ_SPAN(at));
        if (status != MQ_OK)
            return status;
        if (!mq_db_next(&query, error))
            return error->status;
        memcpy(at, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        mq_db_done(&query);
        group.count = 0;
        status = members_of(replica, at, &group, error);
        if (status == MQ_OK)
            status = state_store(replica, &group, error);
        if (status != MQ_OK)
            return status;
    }
}

enum mq_status mq_view_settle_references(struct mq_replica *replica, struct mq_error *error)
{
    enum mq_status status = settle_references(replica, error);
    return status == MQ_OK ? mq_need_settle(replica, error) : status;
}

/* ---- reading ---- */

static enum mq_status canonical_of(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                   uint8_t out[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT canonical FROM record WHERE record = ?",
                                        "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(out, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

enum mq_status mq_view_group_in(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_arena *arena,
                                struct mq_group_state *out, struct mq_error *error)
{
    uint8_t canonical[MQ_ID_SIZE];
    struct group group = {.count = 0};
    int64_t leans;
    enum mq_status status = canonical_of(replica, record, canonical, error);
    if (status == MQ_OK)
        status = members_of(replica, canonical, &group, error);
    return status == MQ_OK ? group_load(replica, &group, arena, out, &leans, error) : status;
}

enum mq_status mq_view_group(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_group_state *out,
                             struct mq_error *error)
{
    struct mq_arena arena = mq_work_arena(replica);
    return mq_view_group_in(replica, record, &arena, out, error);
}

enum mq_status mq_view_by_id(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint64_t kind,
                             struct mq_span id, uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT canonical FROM record WHERE kind = ? AND id = ? AND team = ? LIMIT 1",
                                        "ibb", (int64_t)kind, id, mq_span(team, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(canonical, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

enum mq_status mq_view_kind(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], uint64_t *kind,
                            uint8_t team[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT kind, team FROM record WHERE record = ?",
                                        "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    *kind = (uint64_t)mq_db_int(query, 0);
    memcpy(team, mq_db_blob(query, 1).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return MQ_OK;
}

enum mq_status mq_view_listed(struct mq_replica *replica, int64_t number, const struct mq_kind *kind,
                              uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    bool shown = true;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT canonical, kind FROM state WHERE number = ?1 AND (?2 = 0 OR kind = ?2) AND " MQ_VIEW_LISTED, "ii", number,
        kind == NULL ? (int64_t)0 : (int64_t)kind->number);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(canonical, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    const struct mq_kind *own = mq_kind_by_number((uint64_t)mq_db_int(query, 1));
    mq_db_done(&query);
    if (own != NULL && own->desk_only)
        status = mq_view_shown(replica, canonical, &shown, error);
    return status == MQ_OK && !shown ? MQ_NOT_FOUND : status;
}

enum mq_status mq_view_each(struct mq_replica *replica, uint64_t kind, bool conflicts_only,
                            enum mq_status (*take)(void *context, const uint8_t canonical[MQ_ID_SIZE],
                                                   struct mq_error *error),
                            void *context, struct mq_error *error)
{
    struct mq_query *query;
    /* By the order in which groups appeared here; conflicts and reviews first need no order of their own. */
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT canonical FROM state WHERE (?1 = 0 OR kind = ?1) AND kind > 0 AND"
                    " CASE WHEN ?2 THEN conflicts > 0 OR review ELSE " MQ_VIEW_LISTED " END ORDER BY number",
                    "ii", (int64_t)kind, (int64_t)conflicts_only);
    if (status != MQ_OK)
        return status;
    uint8_t canonical[MQ_ID_SIZE];
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(canonical, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = take(context, canonical, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

struct hash_walk {
    struct mq_replica *replica;
    uint8_t *out;
    struct mq_buffer encoded;
};

static enum mq_status hash_one(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct hash_walk *walk = context;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(walk->replica, canonical, &state, error);
    walk->encoded.size = 0;
    walk->encoded.failed = false;
    if (status == MQ_OK)
        status = mq_group_encode(&walk->encoded, &state);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable on every replica alike: its name stands for it */
        mq_error_clear(error);
        walk->encoded.size = 0;
        walk->encoded.failed = false;
        mq_put(&walk->encoded, canonical, MQ_ID_SIZE);
        status = MQ_OK;
    }
    if (status != MQ_OK)
        return status;
    const struct mq_span parts[] = {mq_span(walk->out, MQ_HASH_SIZE), mq_written(&walk->encoded)};
    mq_hash(walk->out, MQ_HASH_SIZE, MQ_DOMAIN_BODY, parts, 2);
    return MQ_OK;
}

enum mq_status mq_view_hash(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error)
{
    struct hash_walk walk = {.replica = replica, .out = out, .encoded = mq_work_expanded(replica)};
    memset(out, 0, MQ_HASH_SIZE);
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT canonical FROM state ORDER BY canonical", "");
    if (status != MQ_OK)
        return status;
    uint8_t canonical[MQ_ID_SIZE];
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(canonical, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        status = hash_one(&walk, canonical, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}
