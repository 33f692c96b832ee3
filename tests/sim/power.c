/* Machines that are switched on, work, fail and lose their power. */
#include "tests/sim/power.h"

#include "platform/db.h"
#include "protocol/assert.h"
#include "replica/spool.h"
#include "tests/sim/ghost.h"
#include "tests/sim/story.h"
#include "tests/sim/wire.h"

#define CUT_WITHIN 60 /* operations of its disk: about as many as a save and a sync have */
#define BOOTS_MAX 4   /* that are cut short in a row */

static const char *const phrases[] = {SIM_PASSPHRASE, "another battery of horses"};

struct mq_span sim_phrase(unsigned number)
{
    return mq_span_text(phrases[number % 2]);
}

static struct sim_disk *disk_of(const struct sim_member *member)
{
    return sim_machine_disk(member->machine);
}

/* ---- the program ---- */

void sim_close(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    mq_replica_close(member->replica);
    member->replica = NULL;
    if (!sim_is_desk(member) || fleet->store == NULL)
        return;
    fleet->store->verbs->close(fleet->store);
    fleet->store = NULL;
}

static enum mq_status open_programs(struct sim_member *member, struct mq_error *error)
{
    struct sim_fleet *fleet = member->fleet;
    enum mq_status status = mq_replica_open(&member->replica, member->platform, SIM_HOME, sim_phrase(member->phrase), 0, error);
    if (status == MQ_WRONG_KEY && member->phrase_unsure) { /* the power went while it was changed: one of the two opens */
        mq_error_clear(error);
        member->phrase++;
        status = mq_replica_open(&member->replica, member->platform, SIM_HOME, sim_phrase(member->phrase), 0, error);
    }
    if (status == MQ_OK && sim_is_desk(member)) {
        fleet->relay.platform = member->platform;
        fleet->relay.expired_day = 0;
        status = mq_store_sqlite_open(&fleet->store, member->platform, SIM_RELAY, error);
        fleet->relay.store = fleet->store;
    }
    if (status == MQ_OK && !sim_merges(member)) /* a desk has none */
        status = mq_spool_recall(member->replica, error);
    if (status == MQ_OK)
        member->phrase_unsure = false;
    else
        sim_close(member);
    return status;
}

/* Damage must have a cause in this world, and be said. */
static void damaged(struct sim_member *member, const struct mq_error *error)
{
    struct sim_story *story = member->fleet->story;
    sim_tell(story, "%s says: %s", member->name, error->text);
    if (!member->rotten && !member->lying)
        sim_broken(story, "I1", "%s finds damage, and its disk has none: %s", member->name, error->text);
}

bool sim_open(struct sim_member *member)
{
    struct mq_error error = {0};
    if (member->gone || member->ruined)
        return false;
    enum mq_status status = open_programs(member, &error);
    if (sim_disk_is_off(disk_of(member))) {
        sim_close(member);
        return false;
    }
    if (status == MQ_DAMAGED) { /* a damaged log is put aside, and the next opening goes on with what is whole */
        damaged(member, &error);
        mq_error_clear(&error);
        status = open_programs(member, &error);
        if (sim_disk_is_off(disk_of(member))) { /* the power went once more, while it did */
            sim_close(member);
            return false;
        }
        member->ruined = status == MQ_DAMAGED || (status == MQ_WRONG_KEY && (member->rotten || member->lying));
        if (status == MQ_OK) { /* the keys that were given to it may have stood in that log, and that it is a copy */
            sim_ghost_survey(member->fleet);
            member->fleet->rotated = true;
            member->ended_count = 0;
        }
    }
    if (status == MQ_OK)
        return true;
    bool lost = status == MQ_WRONG_KEY || status == MQ_NOT_FOUND ||
                (status == MQ_FAULT && !member->failing); /* a name in the schema rotted */
    if (lost && (member->rotten || member->lying))
        member->ruined = true;
    if (!member->ruined && !member->failing)
        sim_broken(member->fleet->story, "I1", "%s cannot be opened any more (%d): %s", member->name, (int)status, error.text);
    return false;
}

/* ---- the machine ---- */

static void count_cut(struct sim_member *member, enum sim_kind kind)
{
    struct sim_fleet *fleet = member->fleet;
    sim_happened(fleet, kind);
    sim_tell(fleet->story, "the power of %s goes, at its %lldth disk operation since", member->name,
             (long long)(sim_disk_operations(disk_of(member)) - member->operations));
}

/* A board without a store of chance finds at every start what it found at the last. */
static void begin_chance_anew(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    if (fleet->healing || !fleet->swarm.same_chance || sim_is_desk(member))
        return;
    sim_machine_set_chance(member->machine, member->number);
    sim_happened(fleet, SIM_SAME_CHANCE);
    sim_tell(fleet->story, "%s finds the randomness of its last start", member->name);
}

static bool boot(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_disk *disk = disk_of(member);
    sim_machine_reboot(member->machine);
    begin_chance_anew(member);
    member->operations = sim_disk_operations(disk);
    if (!fleet->healing && sim_chance(fleet->choices, fleet->swarm.power_again))
        sim_disk_cut_before(disk, 1 + sim_choose(fleet->choices, CUT_WITHIN));
    bool open = sim_open(member);
    sim_disk_cut_before(disk, 0);
    if (!sim_disk_is_off(disk))
        return open;
    sim_close(member);
    return false;
}

/* After a disk that lied lost pages, the store may hang together no more, and nobody knows before a check looks. */
static bool is_sound(struct sim_member *member)
{
    struct mq_query *query;
    struct mq_error error = {0};
    if (mq_db_query(mq_replica_db(member->replica), &query, &error, "PRAGMA integrity_check(1)", "") != MQ_OK)
        return false;
    bool sound = mq_db_next(&query, &error) && mq_span_equal(mq_db_text(query, 0), mq_span_text("ok"));
    mq_db_done(&query);
    return sound;
}

void sim_reboot(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_disk *disk = disk_of(member);
    bool open = false;
    MQ_ASSERT(!member->working);
    sim_disk_cut_before(disk, 0);
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    member->failing = false;
    for (int i = 0; i < BOOTS_MAX && (i == 0 || sim_disk_is_off(disk)); i++) {
        sim_disk_cut(disk);
        count_cut(member, i == 0 ? SIM_POWER_CUT : SIM_POWER_CUT_STARTING);
        sim_close(member);
        open = boot(member);
    }
    if (!open)
        return;
    if (member->lying) {
        sim_ghost_note_segments(member);
        sim_ghost_survey(fleet);
        member->damaged = member->damaged || !is_sound(member);
        member->ended_count = 0; /* it may have forgotten that it is a copy */
    }
    sim_ghost_check_home(member);
    if (sim_is_desk(member) && !member->lying && !member->rotten)
        sim_wire_check_promises(fleet);
}

/* ---- one event ---- */

static void arm(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_disk *disk = disk_of(member);
    if (fleet->healing)
        return;
    member->operations = sim_disk_operations(disk);
    if (sim_chance(fleet->choices, fleet->swarm.power))
        sim_disk_cut_before(disk, 1 + sim_choose(fleet->choices, CUT_WITHIN));
    bool full = sim_chance(fleet->choices, fleet->swarm.disk_full);
    if (!full && !sim_chance(fleet->choices, fleet->swarm.disk_error))
        return;
    sim_disk_fail_nth(disk, 1 + sim_choose(fleet->choices, CUT_WITHIN), full ? MQ_NO_SPACE : MQ_FAULT,
                      sim_choose(fleet->choices, 2) == 1);
    member->failing = true;
    member->failures = sim_disk_faults_made(disk);
}

/* Did the disk fail? */
static bool disarm(struct sim_member *member)
{
    struct sim_disk *disk = disk_of(member);
    sim_disk_cut_before(disk, 0);
    if (!member->failing)
        return false;
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    member->failing = false;
    if (sim_disk_faults_made(disk) == member->failures || sim_disk_is_off(disk))
        return false;
    sim_happened(member->fleet, SIM_DISK_FAILED);
    sim_tell(member->fleet->story, "the disk of %s failed", member->name);
    return true;
}

static bool is_up(struct sim_member *member)
{
    if (sim_disk_is_off(disk_of(member)))
        sim_reboot(member);
    return member->replica != NULL || sim_open(member);
}

bool sim_enter(struct sim_member *member)
{
    if (member->working || member->gone || member->ruined || sim_is_broken(member->fleet->story) || !is_up(member))
        return false;
    member->working = true;
    arm(member);
    return true;
}

/* The program ends and is started anew, as a service does after a fault of the machine. */
static void restart(struct sim_member *member)
{
    sim_tell(member->fleet->story, "%s is started anew", member->name);
    sim_close(member);
    if (sim_open(member))
        sim_ghost_check_home(member);
}

static void settle(struct sim_member *member, enum mq_status status)
{
    if (sim_disk_is_off(disk_of(member)))
        sim_reboot(member);
    else if (status == MQ_FAULT || status == MQ_DAMAGED || (sim_is_desk(member) && member->fleet->relay_failed))
        restart(member);
    if (sim_is_desk(member))
        member->fleet->relay_failed = false;
}

void sim_leave(struct sim_member *member, enum mq_status status)
{
    bool failed = disarm(member);
    member->working = false;
    if (status == MQ_DAMAGED && (member->rotten || member->lying))
        member->damaged = true;
    else if (status == MQ_DAMAGED && !failed && !sim_disk_is_off(disk_of(member)))
        sim_broken(member->fleet->story, "I1", "%s found damage where there is none", member->name);
    settle(member, status);
}

bool sim_relay_enter(struct sim_fleet *fleet, bool *entered)
{
    struct sim_member *server = sim_desk(fleet);
    *entered = false;
    if (!server->working) /* else its desk is in the middle of something, on the same machine */
        *entered = sim_enter(server);
    return server->working && fleet->store != NULL && !sim_disk_is_off(disk_of(server));
}

void sim_relay_leave(struct sim_fleet *fleet, bool entered, enum mq_status status)
{
    struct sim_member *server = sim_desk(fleet);
    fleet->relay_failed = fleet->relay_failed || status == MQ_FAULT || status == MQ_DAMAGED;
    if (entered)
        sim_leave(server, MQ_OK);
}
