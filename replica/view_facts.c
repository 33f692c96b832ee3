/* Changes as they came, and where records belong by them. */
#include "replica/view_facts.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/matter.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* What is known of a record so far. MQ_NOT_FOUND. */
static enum mq_status about_read(struct mq_replica *replica, struct mq_span record, struct mq_belongs *out,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT compartment, home, author FROM record WHERE record = ?", "b", record);
    *out = (struct mq_belongs){.compartment = MQ_COMPARTMENT_TEAM};
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    out->compartment = (uint32_t)mq_db_int(query, 0);
    out->home = (uint32_t)mq_db_int(query, 1);
    struct mq_span author = mq_db_blob(query, 2);
    if (author.size == sizeof out->author)
        memcpy(out->author, author.data, author.size);
    mq_db_done(&query);
    return MQ_OK;
}

static struct mq_span writer_of(const struct mq_said *said)
{
    return said->keyless ? MQ_SPAN(said->writer) : (struct mq_span){0};
}

/* The same change in two segments (a writer that was copied) is one; the higher rank and the stricter compartment count,
 * in whatever order they came. `said` becomes what is kept. */
static enum mq_status change_again(struct mq_replica *replica, const struct mq_view_change *change, struct mq_said *said,
                                   struct mq_error *error)
{
    struct mq_query *query;
    struct mq_span id = mq_span(change->id, MQ_ID_SIZE);
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT compartment, writer FROM change WHERE id = ?", "b", id);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : mq_fail(error, MQ_FAULT, "a change that was here is gone");
    struct mq_span writer = mq_db_blob(query, 1);
    said->compartment = mq_compartment_stricter((uint32_t)mq_db_int(query, 0), said->compartment);
    said->keyless = said->keyless && writer.size == sizeof said->writer;
    if (said->keyless && memcmp(writer.data, said->writer, writer.size) < 0)
        memcpy(said->writer, writer.data, writer.size);
    mq_db_done(&query);
    status = mq_db_run(replica->db, error,
                       "UPDATE change SET rank = max(rank, ?), compartment = ?, writer = ? WHERE id = ?", "iibb",
                       (int64_t)change->rank, (int64_t)said->compartment, writer_of(said), id);
    if (status != MQ_OK || change->segment < 0)
        return status;
    return mq_db_run(replica->db, error,
                     "INSERT OR IGNORE INTO twice SELECT id, ?2 FROM change WHERE id = ?1 AND segment <> ?2", "bi", id,
                     change->segment);
}

/* A record belongs to the team and the compartment of its creator, whoever's change came first: what others say of it
 * counts as mq_said_counts says, other teams' changes for nothing. */
static enum mq_status record_put(struct mq_replica *replica, const struct mq_view_change *change,
                                 const struct mq_said *said, bool again, struct mq_error *error)
{
    struct mq_span record = mq_span(change->record, MQ_ID_SIZE), team = mq_span(change->team, MQ_ID_SIZE);
    bool create = memcmp(change->id, change->record, MQ_ID_SIZE) == 0;
    bool restricted = mq_compartment_restricted(said->compartment);
    struct mq_belongs before;
    uint32_t home = !restricted                                  ? 0
                    : mq_compartment_is_case(said->compartment) ? said->compartment
                                                                : mq_compartment_case(change->serial);
    enum mq_status status = about_read(replica, record, &before, error);
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    bool known = status == MQ_OK;
    if (known && (!create || (again && before.compartment == said->compartment &&
                              (!restricted || memcmp(said->writer, before.author, sizeof before.author) >= 0))))
        return MQ_OK;
    return mq_db_run(replica->db, error,
                     "INSERT INTO record(record, team, kind, id, canonical, compartment, home, author)"
                     " VALUES(?1, ?2, 0, NULL, ?1, ?3, ?4, ?5) ON CONFLICT(record)"
                     " DO UPDATE SET team = ?2, compartment = ?3, home = ?4, author = ?5",
                     "bbiib", record, team, (int64_t)said->compartment, (int64_t)home,
                     restricted ? MQ_SPAN(said->writer) : (struct mq_span){0});
}

enum mq_status mq_view_add(struct mq_replica *replica, const struct mq_view_change *change, struct mq_error *error)
{
    struct mq_said said = change->said;
    enum mq_status status = mq_db_run(
        replica->db, error,
        "INSERT OR IGNORE INTO change(id, record, team, rank, segment, wall, expanded, compartment, writer)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "bbbiiibib", mq_span(change->id, MQ_ID_SIZE), mq_span(change->record, MQ_ID_SIZE),
        mq_span(change->team, MQ_ID_SIZE), (int64_t)change->rank, change->segment, change->wall, change->expanded,
        (int64_t)said.compartment, writer_of(&said));
    bool again = status == MQ_OK && mq_db_changes(replica->db) == 0;
    if (again)
        status = change_again(replica, change, &said, error);
    return status == MQ_OK ? record_put(replica, change, &said, again, error) : status;
}

/* Does the change of this row count for the record that stands beside it? Most are the team's own. */
static bool row_counts(struct mq_query *query)
{
    struct mq_said said = {.compartment = (uint32_t)mq_db_int(query, 3)};
    struct mq_belongs about = {.compartment = (uint32_t)mq_db_int(query, 5), .home = (uint32_t)mq_db_int(query, 6)};
    if (said.compartment == MQ_COMPARTMENT_TEAM && about.compartment == MQ_COMPARTMENT_TEAM)
        return true;
    struct mq_span writer = mq_db_blob(query, 4), author = mq_db_blob(query, 7);
    said.keyless = writer.size == sizeof said.writer;
    if (said.keyless)
        memcpy(said.writer, writer.data, writer.size);
    if (author.size == sizeof about.author)
        memcpy(about.author, author.data, author.size);
    return mq_said_counts(&said, &about);
}

enum mq_status mq_facts_load(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_arena *arena,
                             struct mq_fact *facts, size_t *count, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT c.id, c.rank, c.expanded, c.compartment, c.writer, r.compartment, r.home, r.author FROM change AS c"
        " JOIN record AS r ON r.record = c.record AND r.team = c.team WHERE c.record = ?"
        " ORDER BY c.id = c.record DESC, c.rank DESC, c.id",
        "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (*count < MQ_HISTORY_MAX && mq_db_next(&query, error)) {
        if (!row_counts(query))
            continue;
        struct mq_fact *fact = &facts[*count];
        struct mq_span id = mq_db_blob(query, 0), expanded = mq_db_blob(query, 2);
        if (arena->size + expanded.size > MQ_FACTS_SIZE)
            break;
        uint8_t *copy = mq_arena_take(arena, expanded.size);
        MQ_ASSERT(copy != NULL && id.size == MQ_ID_SIZE && expanded.size > 0);
        memcpy(copy, expanded.data, expanded.size);
        memcpy(fact->id, id.data, MQ_ID_SIZE);
        memcpy(fact->record, record, MQ_ID_SIZE);
        fact->rank = (unsigned)mq_db_int(query, 1);
        fact->expanded = mq_span(copy, expanded.size);
        ++*count;
    }
    mq_db_done(&query);
    return error->status;
}

enum mq_status mq_facts_room(struct mq_replica *replica, const uint8_t (*members)[MQ_ID_SIZE], size_t count,
                             struct mq_arena *arena, struct mq_fact **facts, struct mq_error *error)
{
    int64_t total = 0, own;
    for (size_t i = 0; i < count; i++) {
        enum mq_status status = mq_db_number(replica->db, &own, error, "SELECT count(*) FROM change WHERE record = ?",
                                             "b", mq_span(members[i], MQ_ID_SIZE));
        if (status != MQ_OK)
            return status;
        total += own;
    }
    *facts = mq_arena_take(arena, (size_t)(total < MQ_HISTORY_MAX ? total + 1 : MQ_HISTORY_MAX) * sizeof **facts);
    MQ_ASSERT(*facts != NULL);
    return MQ_OK;
}

enum mq_status mq_view_belongs(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_belongs *out,
                             struct mq_error *error)
{
    struct mq_matter matter;
    /* Of a matter its author knows, whatever others may have said of it here. */
    enum mq_status status = mq_matter_find(replica, record, &matter, error);
    if (status != MQ_NOT_FOUND) {
        *out = matter.about;
        return status;
    }
    return about_read(replica, mq_span(record, MQ_ID_SIZE), out, error);
}

enum mq_status mq_view_restricted(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], bool *restricted,
                                  struct mq_error *error)
{
    struct mq_belongs about;
    enum mq_status status = mq_view_belongs(replica, record, &about, error);
    *restricted = status == MQ_OK && mq_compartment_restricted(about.compartment);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}
