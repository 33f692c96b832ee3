/* Promises that are checked while things go wrong, and after they were put right. */
#include "tests/sim/invariants.h"

#include <stdlib.h>
#include <string.h>

#include "platform/db.h"
#include "protocol/assert.h"
#include "replica/receipts.h"
#include "replica/records.h"
#include "replica/view.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/network.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

#define ROUNDS_MAX 14 /* until everything is everywhere: P11 promises "in the end", this is what we call the end */

/* ---- while things go wrong ---- */

/* Records that have something which this member wrote and must still have. */
static int64_t records_written(struct sim_member *member)
{
    struct sim_ghost *ghost = member->fleet->ghost;
    size_t count = sim_ghost_count(ghost);
    uint8_t *seen = calloc(count + 1, 1);
    int64_t records = 0;
    MQ_ASSERT(seen != NULL);
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_entry *entry = sim_ghost_entry(ghost, i);
        if (entry->author != member->number || !entry->home || seen[entry->record])
            continue;
        seen[entry->record] = 1;
        records++;
    }
    free(seen);
    return records;
}

/* Where pages are missing nothing can be counted until somebody brings a backup. Where bits flipped no count need be right: a log
 * that a power cut brings back, after it was emptied into the store, and whose end cannot be read puts older pages beside newer
 * ones. That is said, as damage. */
static void check_counts(struct sim_member *member)
{
    struct mq_safety safety;
    struct mq_error error = {0};
    if (member->damaged || member->rotten || mq_safety_count(member->replica, &safety, &error) != MQ_OK)
        return;
    int64_t sum = safety.saved + safety.stored + safety.anchored + safety.quarantined, written = records_written(member);
    if (sum < written)
        sim_broken(member->fleet->story, "I4", "%s wrote %lld records and accounts for %lld", member->name,
                   (long long)written, (long long)sum);
}

void sim_learnt_copy(struct sim_member *member)
{
    struct mq_query *query;
    struct mq_error error = {0};
    member->ended_count = 0;
    if (mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "SELECT stream, next_seq FROM stream WHERE mine = 1 AND next_seq > 1", "") != MQ_OK)
        return;
    while (mq_db_next(&query, &error) && member->ended_count < SIM_ENDED_MAX) {
        struct sim_ended *ended = &member->ended[member->ended_count++];
        memcpy(ended->stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        ended->next = mq_db_int(query, 1);
    }
    mq_db_done(&query);
}

static void check_ended(struct sim_member *member)
{
    for (size_t i = 0; i < member->ended_count; i++) {
        int64_t next = member->ended[i].next;
        struct mq_error error = {0};
        if (mq_db_number(mq_replica_db(member->replica), &next, &error, "SELECT next_seq FROM stream WHERE stream = ?",
                         "b", MQ_SPAN(member->ended[i].stream)) == MQ_OK &&
            next > member->ended[i].next)
            sim_broken(member->fleet->story, "P3", "%s knows that it is a copy, and writes on under its old stream",
                       member->name);
    }
}

void sim_check_member(struct sim_member *member)
{
    check_ended(member);
    sim_ghost_check_anchored(member);
    check_counts(member);
}

/* ---- putting right ---- */

static enum mq_status ignore(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context;
    (void)object;
    (void)error;
    return MQ_OK;
}

/* Whoever had rot is looked through; what cannot be trusted any more is replaced, as a person would do it. */
static void look_through(struct sim_member *member)
{
    struct mq_check_result result;
    struct mq_error error = {0};
    const struct mq_emitter emitter = {NULL, ignore};
    if (member->replica == NULL || !(member->rotten || member->lying))
        return;
    enum mq_status status = mq_records_check(member->replica, false, &result, &emitter, &error);
    sim_tell(member->fleet->story, "%s is checked%s%s", member->name, status == MQ_OK ? ": sound" : ": ", error.text);
    if (status == MQ_OK)
        return;
    member->ruined = true;
    sim_close(member);
}

static void put_right(struct sim_member *member)
{
    member->asleep = 0;
    sim_machine_set_wall(member->machine, member->fleet->wall);
    sim_disk_set_faults(sim_machine_disk(member->machine), (struct sim_disk_faults){0});
    if (member->gone)
        return;
    if (sim_disk_is_off(sim_machine_disk(member->machine)))
        sim_reboot(member);
    if (member->replica == NULL)
        (void)sim_open(member);
    look_through(member);
    if (sim_is_desk(member) && member->fleet->relay_rotten && !member->ruined) {
        sim_close(member);
        member->ruined = true;
    }
    if (member->ruined)
        sim_mend(member);
}

/* ---- agreeing ---- */

/* Everything that all members may read, and, where it matters, what it comes to. */
static bool digest(struct sim_member *member, bool view, uint8_t out[MQ_HASH_SIZE], int64_t *changes)
{
    struct mq_query *query;
    struct mq_error error = {0};
    uint64_t hash = 0xcbf29ce484222325u;
    *changes = 0;
    memset(out, 0, MQ_HASH_SIZE);
    enum mq_status status =
        mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "SELECT id, expanded FROM change WHERE compartment IN (0, 2) ORDER BY id", "");
    while (status == MQ_OK && mq_db_next(&query, &error)) {
        const struct mq_span parts[] = {mq_db_blob(query, 0), mq_db_blob(query, 1)};
        for (size_t p = 0; p < 2; p++)
            for (size_t i = 0; i < parts[p].size; i++)
                hash = (hash ^ parts[p].data[i]) * 0x100000001b3u;
        (*changes)++;
    }
    if (status == MQ_OK && error.status == MQ_OK && view && member->fleet->swarm.restricted == 0)
        status = mq_view_hash(member->replica, out, &error);
    for (size_t i = 0; i < sizeof hash; i++)
        out[i] ^= (uint8_t)(hash >> 8 * i);
    return status == MQ_OK && error.status == MQ_OK;
}

static bool all_agree(struct sim_fleet *fleet, bool say)
{
    uint8_t first[MQ_HASH_SIZE], other[MQ_HASH_SIZE];
    int64_t changes, others;
    if (!digest(sim_desk(fleet), say, first, &changes))
        return false;
    for (size_t i = 1; i < fleet->member_count; i++) {
        struct sim_member *member = &fleet->members[i];
        if (member->gone || member->revoked)
            continue;
        if (digest(member, say, other, &others) && memcmp(first, other, sizeof first) == 0)
            continue;
        if (say)
            sim_broken(fleet->story, "I9", "the desk has %lld changes and %s has %lld, and they do not agree",
                       (long long)changes, member->name, (long long)others);
        return false;
    }
    return true;
}

/* For whoever has to find out why: what of its own is not anchored. */
static void tell_unanchored(struct sim_member *member)
{
    struct mq_query *query;
    struct mq_error error = {0};
    enum mq_status status =
        mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "SELECT hex(g.stream), g.seq, g.stored, g.carry, g.excepted, s.closed, s.next_seq, s.server_seq"
                    " FROM segment AS g JOIN stream AS s USING(stream) WHERE g.mine = 1 AND g.anchored = 0", "");
    while (status == MQ_OK && mq_db_next(&query, &error))
        sim_tell(member->fleet->story, "%s: stream %.8s number %lld: stored %lld, carried %lld, excepted %lld;"
                 " closed %lld, next %lld, at the server up to %lld", member->name,
                 (const char *)mq_db_text(query, 0).data, (long long)mq_db_int(query, 1), (long long)mq_db_int(query, 2),
                 (long long)mq_db_int(query, 3), (long long)mq_db_int(query, 4), (long long)mq_db_int(query, 5),
                 (long long)mq_db_int(query, 6), (long long)mq_db_int(query, 7));
}

/* A copy that goes on with a stream that its writer cannot read (restricted) hides from the others how far the desk's
 * receipt goes, and so does what a device itself wrote there before it was set back: what stands before that stays "stored" for
 * them, on the safe side. */
static bool all_anchored(struct sim_fleet *fleet, bool say)
{
    if (fleet->swarm.restricted > 0 && fleet->copied)
        return true;
    for (size_t i = 1; i < fleet->member_count; i++) {
        struct sim_member *member = &fleet->members[i];
        struct mq_safety safety;
        struct mq_error error = {0};
        if (member->gone || member->revoked)
            continue;
        if (mq_safety_count(member->replica, &safety, &error) == MQ_OK && safety.saved == 0 && safety.stored == 0 &&
            safety.quarantined == 0)
            continue;
        if (say)
            tell_unanchored(member);
        if (say)
            sim_broken(fleet->story, "I10",
                       "%s: %lld records are only saved, %lld only stored, %lld quarantined, and nothing is in the way",
                       member->name, (long long)safety.saved, (long long)safety.stored, (long long)safety.quarantined);
        return false;
    }
    return true;
}

static bool sync_all(struct sim_fleet *fleet, bool say)
{
    bool good = true;
    for (size_t i = 0; i < fleet->member_count; i++) {
        struct sim_member *member = &fleet->members[(i + 1) % fleet->member_count]; /* the desk last */
        if (member->gone)
            continue;
        enum mq_status status = sim_enter(member) ? sim_sync(member) : MQ_UNREACHABLE;
        if (member->working)
            sim_leave(member, status);
        if (status != MQ_OK && say && !member->revoked)
            sim_broken(fleet->story, "I10", "%s cannot sync, and nothing is in the way", member->name);
        good = good && (status == MQ_OK || member->revoked);
    }
    sim_time_passes(fleet, 3600 * 1000);
    return good;
}

/* A revoked device may bring what it wrote itself, and nothing of others: what only such a one has stays with it,
 * and so does what cannot be opened without that. */
static bool only_revoked_has(struct sim_fleet *fleet, uint32_t number)
{
    for (size_t i = 1; i < fleet->member_count; i++)
        if (fleet->members[i].revoked && fleet->members[i].replica != NULL &&
            (sim_ghost_holds(&fleet->members[i], number) || sim_ghost_leans_on_revoked(fleet, number)))
            return true;
    return false;
}

static void check_texts(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_sight sight;
    (void)sim_ghost_see(member, &sight);
    for (uint32_t i = 0; i < sight.count; i++) {
        const struct sim_entry *entry = sim_ghost_entry(fleet->ghost, i);
        if (!entry->saved || entry->lost || sight.seen[i] || (entry->restricted && !sim_is_desk(member)) ||
            only_revoked_has(fleet, i))
            continue;
        sim_broken(fleet->story, sim_is_desk(member) ? "I1" : "I9", "%s never got text #%u, which %s saved",
                   member->name, i, fleet->members[entry->author].name);
    }
    sim_sight_free(&sight);
}

/* Dear: everything verified, the view made anew. One member, every second run. */
static void check_one(struct sim_member *member)
{
    struct mq_check_result result;
    struct mq_error error = {0};
    const struct mq_emitter emitter = {NULL, ignore};
    enum mq_status status = mq_records_check(member->replica, false, &result, &emitter, &error);
    if (status != MQ_OK)
        sim_broken(member->fleet->story, "I5", "%s does not pass its own check: %s", member->name, error.text);
}

/* A relay that lied is replaced by one with an id of its own: everybody asks from the beginning and says what he has. */
static void replace_liar(struct sim_fleet *fleet)
{
    struct mq_error error = {0};
    if (!fleet->lied || fleet->store == NULL)
        return;
    sim_tell(fleet->story, "another relay takes the place of the one that lied");
    if (fleet->store->verbs->renew(fleet->store, &error) != MQ_OK)
        sim_broken(fleet->story, "I10", "the relay cannot begin a new life: %s", error.text);
}

static void rounds(struct sim_fleet *fleet)
{
    for (int round = 0; round < ROUNDS_MAX && !sim_is_broken(fleet->story); round++)
        if (sync_all(fleet, false) && all_anchored(fleet, false) && all_agree(fleet, false))
            break;
}

/* Whoever was revoked wrote beyond; none of it may count until a person lets it in, and then all of it does. */
static void let_in(struct sim_fleet *fleet)
{
    bool revoked = false;
    for (size_t i = 0; i < fleet->member_count; i++)
        revoked = revoked || fleet->members[i].revoked;
    if (!revoked || sim_is_broken(fleet->story))
        return;
    sim_revoke_again(fleet);
    rounds(fleet);
    for (size_t i = 0; i < fleet->member_count; i++)
        if (!fleet->members[i].gone)
            sim_check_beyond(&fleet->members[i]);
    sim_adopt_all(fleet);
    rounds(fleet);
}

/* Each desk's numbers only grow: their sum tells whether any has said something. */
static uint64_t numbers_said(struct sim_fleet *fleet)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < fleet->member_count; i++) {
        struct mq_error error = {0};
        int64_t number;
        if (sim_merges(&fleet->members[i]) && fleet->members[i].replica != NULL &&
            mq_setting_number(fleet->members[i].replica, "control_number", &number, &error) == MQ_OK)
            sum += (uint64_t)number;
    }
    return sum;
}

/* Of several desks, of which two may be copies of one, none confirms anew because the other did. */
static void check_silence(struct sim_fleet *fleet)
{
    uint64_t said = numbers_said(fleet);
    if (sim_has_township(fleet) && sync_all(fleet, true) && numbers_said(fleet) != said)
        sim_broken(fleet->story, "I10", "the desks go on giving receipts, though nothing is new");
}

void sim_heal(struct sim_fleet *fleet)
{
    uint32_t checked = sim_choose(fleet->choices, 2 * (uint32_t)fleet->member_count);
    sim_choices_freeze(fleet->choices);
    fleet->healing = true;
    sim_tell(fleet->story, "from here on nothing goes wrong");
    for (size_t i = 0; i < fleet->member_count; i++)
        put_right(&fleet->members[i]);
    (void)sim_fleet_tell_access(fleet);
    if (fleet->rotated) /* whom a restored desk had forgotten is given keys again */
        sim_rotate(fleet);
    replace_liar(fleet);
    sim_revoke_stolen(fleet);
    rounds(fleet);
    let_in(fleet);
    if (sim_is_broken(fleet->story))
        return;
    for (size_t i = 0; i < fleet->member_count && !sim_is_broken(fleet->story); i++)
        if (!fleet->members[i].gone && !fleet->members[i].revoked)
            check_texts(&fleet->members[i]);
    bool good = sync_all(fleet, true) && all_anchored(fleet, true) && all_agree(fleet, true);
    if (good)
        check_silence(fleet);
    if (good && checked < fleet->member_count && !fleet->members[checked].gone)
        check_one(&fleet->members[checked]);
}
