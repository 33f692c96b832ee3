/* A device that fell into wrong hands: the desk takes its rights, and what it wrote beyond that counts only once a person
 * let it in by name. The device and all its copies hear nothing more, and still bring what they have. */
#include <string.h>

#include "platform/db.h"
#include "protocol/assert.h"
#include "protocol/control.h"
#include "replica/cases.h"
#include "replica/outgoing.h"
#include "replica/revoke.h"
#include "replica/rotate.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/invariants.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

#define HELD_MAX 4096 /* segments that a person looks at, at most */

static bool same_writer(const struct sim_member *a, const struct sim_member *b)
{
    return a->team.certificate.serial == b->team.certificate.serial;
}

struct revoking {
    struct sim_member *desk;
    const struct mq_certificate *certificate;
};

static enum mq_status revoke(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct revoking *work = context;
    enum mq_status status = mq_revoke(replica, &work->desk->team, work->certificate, error);
    if (status == MQ_OK)
        status = sim_enlist(replica, work->certificate, true, error);
    if (status == MQ_OK && work->desk->fleet->rotated)
        status = mq_rotate_without(replica, &work->desk->team, work->certificate, MQ_RIGHT_SENSITIVE, error);
    return status;
}

/* The last of each branch that the desk has merged of him. A cut that it did not merge is not noted: nothing may count by it. */
static void note_ends(struct sim_fleet *fleet, const struct sim_member *revoked)
{
    uint8_t hash[MQ_HASH_SIZE];
    struct mq_query *query;
    struct mq_error error = {0};
    size_t kept = 0;
    for (size_t i = 0; i < fleet->end_count; i++)
        if (fleet->ends[i].serial != revoked->team.certificate.serial)
            fleet->ends[kept++] = fleet->ends[i];
    fleet->end_count = kept;
    mq_certificate_hash(hash, &revoked->team.certificate);
    enum mq_status status = mq_db_query(mq_replica_db(sim_desk(fleet)->replica), &query, &error,
                                        "SELECT id FROM cut JOIN segment USING(id) WHERE certificate = ? AND state = 1", "b",
                                        MQ_SPAN(hash));
    while (status == MQ_OK && mq_db_next(&query, &error)) {
        MQ_ASSERT(fleet->end_count < SIM_ENDS_MAX);
        struct sim_end *end = &fleet->ends[fleet->end_count++];
        end->serial = revoked->team.certificate.serial;
        memcpy(end->id, mq_db_blob(query, 0).data, sizeof end->id);
    }
}

/* What lies on the chain before such an end counts too, whenever it comes: a relay may have withheld it until now. */
static bool before_an_end(struct sim_member *member, const struct sim_entry *entry)
{
    struct sim_fleet *fleet = member->fleet;
    uint32_t serial = fleet->members[entry->author].team.certificate.serial;
    int64_t reached = 0;
    for (size_t i = 0; i < fleet->end_count && reached == 0; i++) {
        struct mq_error error = {0};
        if (fleet->ends[i].serial == serial &&
            mq_db_number(mq_replica_db(member->replica), &reached, &error,
                         "WITH RECURSIVE past(id) AS (SELECT ?1"
                         " UNION SELECT previous FROM past JOIN segment USING(id)) SELECT count(*) FROM past WHERE id = ?2",
                         "bb", MQ_SPAN(fleet->ends[i].id), MQ_SPAN(entry->segment)) != MQ_OK)
            reached = 0;
    }
    return reached != 0;
}

/* What the desk has of him now stays; what it has not, and what he writes from now on, is beyond. Of a store that cannot be read to
 * its end nobody can say what it has. */
static void note_beyond(struct sim_fleet *fleet, const struct sim_member *revoked)
{
    struct sim_sight sight;
    bool whole = sim_ghost_see(sim_desk(fleet), &sight);
    for (uint32_t i = 0; i < sight.count; i++) {
        struct sim_entry *entry = sim_ghost_entry(fleet->ghost, i);
        if (same_writer(&fleet->members[entry->author], revoked))
            entry->beyond = whole && !sight.seen[i];
    }
    sim_sight_free(&sight);
}

static bool revoke_now(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_member *desk = sim_desk(fleet);
    struct mq_error error = {0};
    struct revoking work = {desk, &member->team.certificate};
    enum mq_status status = mq_seal_all(desk->replica, &error);
    if (status == MQ_OK)
        status = mq_replica_transact(desk->replica, revoke, &work, &error);
    sim_tell(fleet->story, "the desk takes the rights of %s%s%s", member->name, status == MQ_OK ? "" : ": ",
             status == MQ_OK ? "" : error.text);
    return status == MQ_OK;
}

/* Whatever was said of it: were his rights taken? The machine may have failed behind the commit. False: nobody can look. */
static bool look_whether(struct sim_member *member, bool *revoked)
{
    struct sim_member *desk = sim_desk(member->fleet);
    struct mq_error error = {0};
    return (desk->replica != NULL || sim_open(desk)) &&
           mq_revoked(desk->replica, &member->team.certificate, revoked, &error) == MQ_OK;
}

static void note_revoked(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    sim_happened(fleet, SIM_REVOKED);
    for (size_t i = 0; i < fleet->member_count; i++)
        if (same_writer(&fleet->members[i], member))
            fleet->members[i].revoked = true;
    note_ends(fleet, member);
    note_beyond(fleet, member);
}

static void take_rights(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_member *desk = sim_desk(fleet);
    if (!sim_enter(desk))
        return;
    fleet->rotated = fleet->rotated || fleet->swarm.rotate > 0; /* where keys change in this run, they do so with him */
    bool done = revoke_now(member), revoked = false;
    sim_leave(desk, done ? MQ_OK : MQ_FAULT); /* where it is not sure what was written, the program is started anew */
    if (!look_whether(member, &revoked) || !revoked)
        return;
    note_revoked(member);
    (void)sim_fleet_tell_access(fleet); /* in the end it is told once more */
}

void sim_revoke(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    size_t good = 0;
    for (size_t i = 1; i < fleet->member_count; i++)
        good += !fleet->members[i].revoked && !fleet->members[i].gone;
    if (member != NULL && !member->revoked && good >= 2)
        take_rights(member);
}

/* ---- in the end ---- */

/* Whose key was stolen is found out, at the latest now, whether his machine is still there or not. */
void sim_revoke_stolen(struct sim_fleet *fleet)
{
    for (size_t i = 1; i < fleet->member_count; i++)
        if (fleet->members[i].stolen && !fleet->members[i].revoked)
            take_rights(&fleet->members[i]);
}

/* Was a revocation lost with everything that had heard of it? Then the person does it once more. */
void sim_revoke_again(struct sim_fleet *fleet)
{
    struct sim_member *desk = sim_desk(fleet);
    for (size_t i = 1; i < fleet->member_count && !sim_is_broken(fleet->story); i++) {
        struct sim_member *member = &fleet->members[i];
        struct mq_error error = {0};
        bool revoked = true;
        if (member->revoked && mq_revoked(desk->replica, &member->team.certificate, &revoked, &error) == MQ_OK && !revoked &&
            revoke_now(member))
            note_revoked(member);
    }
}

static enum mq_status adopt(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_adopt(replica, context, error);
}

/* Beyond a cut, or behind a hole that nobody can fill any more. */
static size_t list_held(struct sim_member *desk, uint8_t (*ids)[MQ_SEGMENT_ID_SIZE])
{
    struct mq_query *query;
    struct mq_error error = {0};
    size_t count = 0;
    if (mq_db_query(mq_replica_db(desk->replica), &query, &error,
                    "SELECT id FROM segment WHERE state <> 1 AND reason IN ('revoked', 'cut') ORDER BY number", "") != MQ_OK)
        return 0;
    while (mq_db_next(&query, &error) && count < HELD_MAX)
        memcpy(ids[count++], mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
    mq_db_done(&query);
    return count;
}

void sim_adopt_all(struct sim_fleet *fleet)
{
    static uint8_t ids[HELD_MAX][MQ_SEGMENT_ID_SIZE];
    struct sim_member *desk = sim_desk(fleet);
    struct mq_error error = {0};
    size_t count = list_held(desk, ids);
    enum mq_status status = mq_seal_all(desk->replica, &error);
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        status = mq_replica_transact(desk->replica, adopt, ids[i], &error);
        if (status == MQ_REFUSED || status == MQ_NOT_FOUND) { /* it came in with another */
            mq_error_clear(&error);
            status = MQ_OK;
        }
    }
    sim_tell(fleet->story, "a person lets %zu segments in by name%s%s", count, status == MQ_OK ? "" : ": ", error.text);
    for (uint32_t i = 0; i < sim_ghost_count(fleet->ghost); i++)
        sim_ghost_entry(fleet->ghost, i)->beyond = false;
}

void sim_check_beyond(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_sight sight;
    (void)sim_ghost_see(member, &sight);
    sim_ghost_note_segments(member);
    for (uint32_t i = 0; i < sight.count; i++) {
        const struct sim_entry *entry = sim_ghost_entry(fleet->ghost, i);
        if (entry->beyond && sight.seen[i] && !member->revoked && !before_an_end(member, entry))
            sim_broken(fleet->story, "I14", "%s counts text #%u, which %s wrote beyond its revocation", member->name, i,
                       fleet->members[entry->author].name);
    }
    sim_sight_free(&sight);
}
