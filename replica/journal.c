/* Open batches and their changes. */
#include "replica/journal.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/erase.h"
#include "replica/replica_keys.h"
#include "replica/route.h"
#include "replica/sealed.h"
#include "replica/view.h"

/* What a change may take in its payload at most: indexes for references are 2 bytes longer than in the expanded form, a
 * stamp takes up to 5; and the payload's head with a full frontier. Never too little, so that a closed batch always
 * fits. */
static int64_t payload_cost(struct mq_span expanded)
{
    return (int64_t)(expanded.size + expanded.size / 8 + 16);
}

struct open_batch {
    int64_t number, count, minute, wall;
    uint8_t salt[MQ_SALT_SIZE];
};

static enum mq_status batch_new(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], struct mq_error *error)
{
    const struct mq_platform *platform = replica->platform;
    uint8_t salt[MQ_SALT_SIZE];
    mq_random(platform, salt, sizeof salt);
    return mq_db_run(replica->db, error,
                     "INSERT INTO batch(mailbox, salt, boot, monotonic, wall, utc_offset) VALUES(?, ?, ?, ?, ?, ?)",
                     "bbiiii", mq_span(mailbox, MQ_ID_SIZE), MQ_SPAN(salt), (int64_t)platform->boot(platform->self),
                     platform->monotonic_ms(platform->self) / 1000, mq_now(platform),
                     (int64_t)platform->utc_offset(platform->self));
}

/* The newest batch of the mailbox, if a change of this cost still fits. */
static enum mq_status batch_find(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], int64_t cost,
                                 struct open_batch *out, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT number, count, minute, wall, salt, raw FROM batch WHERE mailbox = ? ORDER BY number DESC LIMIT 1", "b",
        mq_span(mailbox, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    *out = (struct open_batch){.number = mq_db_int(query, 0),
                               .count = mq_db_int(query, 1),
                               .minute = mq_db_int(query, 2),
                               .wall = mq_db_int(query, 3)};
    struct mq_span salt = mq_db_blob(query, 4);
    MQ_ASSERT(salt.size == sizeof out->salt);
    memcpy(out->salt, salt.data, salt.size);
    bool fits = mq_db_int(query, 5) + cost <= MQ_BATCH_MAX - MQ_PAYLOAD_HEAD_MAX && out->count < MQ_CHANGES_MAX;
    mq_db_done(&query);
    return fits ? MQ_OK : MQ_NOT_FOUND;
}

struct journal_work {
    const struct mq_team *team;
    struct mq_span expanded;
    const uint8_t *record;
    uint8_t *id;
    bool erases, returns; /* about no record: it goes into the compartment that is given */
    bool to_settle;       /* its record was touched */
    uint32_t compartment;
};

static enum mq_status journal_put(struct mq_replica *replica, struct journal_work *work, struct mq_error *error)
{
    struct open_batch batch;
    uint8_t mailbox[MQ_ID_SIZE];
    int64_t cost = payload_cost(work->expanded);
    mq_mailbox(mailbox, work->team->team, work->compartment);
    enum mq_status status = batch_find(replica, mailbox, cost, &batch, error);
    if (status == MQ_NOT_FOUND) {
        status = batch_new(replica, mailbox, error);
        if (status == MQ_OK)
            status = batch_find(replica, mailbox, cost, &batch, error);
    }
    if (status != MQ_OK)
        return status;

    int64_t now = mq_now(replica->platform), minute = (now - batch.wall) / 60;
    int64_t minutes = minute > batch.minute ? minute - batch.minute : 0; /* a clock set back adds nothing */
    if (minutes > MQ_STAMP_MINUTES_MAX)
        minutes = MQ_STAMP_MINUTES_MAX;
    mq_change_id(work->id, batch.salt, (uint32_t)batch.count, work->expanded);
    status = mq_db_run(replica->db, error,
                       "INSERT INTO journal(batch, idx, id, minutes, actor, expanded) VALUES(?, ?, ?, ?, 0, ?)",
                       "iibib", batch.number, batch.count, mq_span(work->id, MQ_ID_SIZE), minutes, work->expanded);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error,
                           "UPDATE batch SET count = count + 1, raw = raw + ?, minute = minute + ? WHERE number = ?",
                           "iii", cost, minutes, batch.number);
    if (status != MQ_OK || work->returns)
        return status;
    int64_t wall = batch.wall + (batch.minute + minutes) * 60;
    if (work->erases) {
        const struct mq_erase_scope scope = {work->team->team, work->compartment};
        return mq_erase_note(replica, &scope, wall, work->expanded, error);
    }
    struct mq_view_change change = {.id = work->id,
                                    .record = work->record != NULL ? work->record : work->id,
                                    .team = work->team->team,
                                    .rank = mq_role_rank(work->team->certificate.role),
                                    .serial = work->team->certificate.serial,
                                    .said = {.compartment = work->compartment},
                                    .segment = -batch.number,
                                    .wall = wall,
                                    .expanded = work->expanded};
    mq_key_name(change.said.writer, replica->identity->sign_public);
    work->to_settle = true;
    return mq_view_add(replica, &change, error);
}

static enum mq_status settle(struct mq_replica *replica, const struct journal_work *work, struct mq_error *error)
{
    if (!work->to_settle)
        return MQ_OK;
    enum mq_status status = mq_view_settle(replica, work->record != NULL ? work->record : work->id, error);
    return status == MQ_OK ? mq_view_settle_references(replica, error) : status;
}

static enum mq_status write_one(struct mq_replica *replica, struct journal_work *work, struct mq_error *error)
{
    bool readable = true;
    enum mq_status status = work->erases || work->returns ? MQ_OK
                                                          : mq_route(replica, work->team, work->expanded, work->record,
                                                                     &work->compartment, error);
    if (status == MQ_OK && work->compartment != MQ_COMPARTMENT_TEAM)
        status = mq_route_reads(replica, work->team, work->compartment, &readable, error);
    if (status != MQ_OK)
        return status;
    return readable ? journal_put(replica, work, error)
                    : mq_seal_now(replica, work->team, work->compartment, work->expanded, work->record, work->id, error);
}

static enum mq_status journal_write(struct mq_replica *replica, void *context, struct mq_error *error)
{
    enum mq_status status = write_one(replica, context, error);
    return status == MQ_OK ? settle(replica, context, error) : status;
}

/* Where a record belongs is said by its create, so that no change is in need of the others before it being settled. */
static enum mq_status journal_write_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct journal_work *work = context;
    struct mq_reader reader = mq_reader(work->expanded);
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_left(&reader) > 0) {
        work->expanded = mq_take(&reader, mq_get_u32(&reader));
        MQ_ASSERT(work->expanded.size > 0 && work->expanded.size <= MQ_CHANGE_MAX);
        work->compartment = MQ_COMPARTMENT_TEAM;
        status = write_one(replica, work, error);
    }
    return status == MQ_OK ? settle(replica, work, error) : status;
}

enum mq_status mq_journal_add_all(struct mq_replica *replica, const struct mq_team *team, struct mq_span changes,
                                  const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    uint8_t id[MQ_ID_SIZE];
    struct journal_work work = {.team = team, .expanded = changes, .record = record, .id = id};
    return mq_replica_transact(replica, journal_write_all, &work, error);
}

enum mq_status mq_journal_add(struct mq_replica *replica, const struct mq_team *team, struct mq_span expanded,
                              const uint8_t *record, uint8_t id[MQ_ID_SIZE], struct mq_error *error)
{
    if (expanded.size > MQ_CHANGE_MAX)
        return mq_fail(error, MQ_REFUSED, _("this is too long to save in one piece (%zu KiB, at most %d); split it"),
                       expanded.size / 1024, MQ_CHANGE_MAX / 1024);
    struct journal_work work = {.team = team, .expanded = expanded, .record = record, .id = id};
    return mq_replica_transact(replica, journal_write, &work, error);
}

enum mq_status mq_journal_erase(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                struct mq_span list, uint8_t id[MQ_ID_SIZE], struct mq_error *error)
{
    struct journal_work work = {.team = team, .expanded = list, .id = id, .erases = true, .compartment = compartment};
    MQ_ASSERT(list.size <= MQ_CHANGE_MAX);
    return mq_replica_transact(replica, journal_write, &work, error);
}

enum mq_status mq_journal_return(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                 struct mq_span returned, struct mq_error *error)
{
    uint8_t id[MQ_ID_SIZE];
    struct journal_work work = {.team = team, .expanded = returned, .id = id, .returns = true, .compartment = compartment};
    MQ_ASSERT(returned.size <= MQ_CHANGE_MAX);
    return mq_replica_transact(replica, journal_write, &work, error);
}
