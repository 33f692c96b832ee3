/* What happens to things: copies of devices, old copies that come back, rot, wrong clocks, servers that are set back. */
#include <string.h>

#include "protocol/assert.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"
#include "tests/sim/wire.h"

#define YEAR (365 * 86400)
#define SERIALS_SKIPPED 100 /* as server/restore.c does */

static uint32_t choose(struct sim_fleet *fleet, uint32_t bound)
{
    return sim_choose(fleet->choices, bound);
}

/* A device, or a township's desk, whose machine can be taken apart now: it stands still and is closed in good order. NULL: none
 * was found. */
static struct sim_member *closed_device(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    if (member == NULL || !sim_enter(member))
        return NULL;
    sim_leave(member, MQ_OK);
    if (member->replica == NULL)
        return NULL;
    sim_close(member);
    return member;
}

static bool closed_server(struct sim_fleet *fleet)
{
    struct sim_member *desk = sim_desk(fleet);
    if (!sim_enter(desk))
        return false;
    sim_leave(desk, MQ_OK);
    if (desk->replica == NULL)
        return false;
    sim_ghost_note_segments(desk);
    sim_ghost_note_desk(desk);
    sim_close(desk);
    return true;
}

static struct sim_machine *spare_machine(struct sim_fleet *fleet)
{
    return sim_machine_new(fleet->choices, fleet->next_machine++, sim_fleet_seed(fleet));
}

/* ---- devices ---- */

void sim_clone(struct sim_fleet *fleet)
{
    struct sim_member *member = closed_device(fleet);
    char name[16];
    if (member == NULL)
        return;
    snprintf(name, sizeof name, "%s %zu", sim_is_township(member) ? "township" : "device", fleet->member_count);
    struct sim_member *copy = sim_fleet_place(fleet, name);
    if (copy != NULL) {
        bool same = choose(fleet, 2) == 1;
        sim_machine_copy_disk(copy->machine, member->machine, same);
        if (same)
            sim_machine_pass_for(copy->machine, member->machine);
        fleet->copied = true;
        copy->team = member->team;
        copy->phrase = member->phrase;
        copy->revoked = member->revoked;
        copy->stolen = member->stolen;
        copy->rotten = member->rotten;
        copy->damaged = member->damaged;
        memcpy(copy->ended, member->ended, sizeof copy->ended);
        copy->ended_count = member->ended_count;
        copy->lying = member->lying;
        sim_happened(fleet, SIM_COPIED);
        sim_tell(fleet->story, "%s is a copy of %s%s", copy->name, member->name,
                 same ? ", which nothing on it tells" : "");
        (void)sim_open(copy);
    }
    (void)sim_open(member);
    if (copy != NULL && choose(fleet, 2) == 1) { /* both are used at once */
        sim_write_little(member);
        sim_write_little(copy);
    }
}

void sim_take_image(struct sim_fleet *fleet)
{
    struct sim_member *member = closed_device(fleet);
    if (member == NULL)
        return;
    if (!member->rotten && !member->lying) {
        if (member->image == NULL)
            member->image = spare_machine(fleet);
        sim_machine_copy_disk(member->image, member->machine, true);
        member->image_phrase = member->phrase;
        sim_tell(fleet->story, "an image of %s is put aside", member->name);
    }
    (void)sim_open(member);
}

static enum mq_status renew_desk(struct mq_replica *replica, void *context, struct mq_error *error)
{
    int64_t serial;
    (void)context;
    enum mq_status status = mq_streams_close(replica, error);
    if (status == MQ_OK)
        status = mq_setting_number(replica, "serial", &serial, error);
    return status == MQ_OK ? mq_setting_put_number(replica, "serial", serial + SERIALS_SKIPPED, error) : status;
}

/* Its image was a backup, and comes back as server/restore.c does it. */
static void restore_township(struct sim_member *township)
{
    struct mq_error error = {0};
    (void)township->platform->remove(township->platform->self, SIM_HOME "/witness", &error);
    mq_error_clear(&error);
    if (sim_open(township) && mq_replica_transact(township->replica, renew_desk, NULL, &error) != MQ_OK)
        sim_broken(township->fleet->story, "I11", "a restored township's desk cannot begin a new life: %s", error.text);
}

/* Whatever it held since is gone from here. */
static void image_back(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    sim_machine_copy_disk(member->machine, member->image, choose(fleet, 4) != 3);
    sim_disk_set_faults(sim_machine_disk(member->machine), (struct sim_disk_faults){0}); /* a disk that lied was replaced */
    member->phrase = member->image_phrase;
    member->rotten = member->lying = member->damaged = member->ruined = false;
    member->ended_count = 0;
    fleet->copied = true;
    sim_happened(fleet, SIM_IMAGE_BACK);
    sim_tell(fleet->story, "the image of %s comes back", member->name);
    if (sim_is_township(member) && choose(fleet, 2) == 1)
        restore_township(member);
    else
        (void)sim_open(member);
    sim_ghost_survey(fleet);
}

void sim_bring_image_back(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    if (member == NULL || member->image == NULL || !sim_enter(member))
        return;
    sim_leave(member, MQ_OK);
    if (member->replica == NULL)
        return;
    sim_ghost_note_segments(member);
    sim_close(member);
    image_back(member);
}

static void new_member(struct sim_fleet *fleet, enum mq_role role)
{
    struct sim_member *desk = sim_desk(fleet);
    if (desk->rotten || !sim_enter(desk)) /* what cannot be read lets nobody in */
        return;
    sim_leave(desk, MQ_OK);
    if (desk->replica == NULL)
        return;
    struct sim_member *member = sim_fleet_enrol(fleet, role);
    if (member == NULL)
        return;
    sim_happened(fleet, role == MQ_ROLE_DESK ? SIM_TOWNSHIP : SIM_NEW_DEVICE);
    sim_tell(fleet->story, "%s joins", member->name);
    (void)sim_fleet_tell_access(fleet);
}

void sim_new_member(struct sim_fleet *fleet)
{
    new_member(fleet, choose(fleet, 5) == 4 ? MQ_ROLE_DESK : MQ_ROLE_CADRE);
}

void sim_new_phrase(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    struct mq_error error = {0};
    if (member == NULL || !sim_enter(member))
        return;
    member->phrase_unsure = true;
    enum mq_status status =
        mq_replica_passphrase(member->replica, sim_phrase(member->phrase + 1), SIM_KDF_MIB, &error);
    if (status == MQ_OK) {
        member->phrase++;
        sim_happened(fleet, SIM_NEW_PHRASE);
    }
    sim_tell(fleet->story, "%s gets another passphrase%s%s", member->name, status == MQ_OK ? "" : ": ",
             status == MQ_OK ? "" : error.text);
    if (choose(fleet, 2) == 1)
        sim_disk_cut(sim_machine_disk(member->machine));
    sim_leave(member, status);
}

void sim_plug(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_somebody(fleet);
    if (member == NULL || !sim_enter(member))
        return;
    sim_disk_cut(sim_machine_disk(member->machine));
    sim_leave(member, MQ_OK);
}

/* ---- disks ---- */

void sim_rot(struct sim_fleet *fleet)
{
    static const char *const files[] = {SIM_HOME "/store.db", SIM_HOME "/store.db-wal", SIM_HOME "/witness",
                                        SIM_HOME "/vault"};
    struct sim_member *member = sim_some_device(fleet);
    struct mq_error error = {0};
    if (member == NULL || !sim_enter(member))
        return;
    if (mq_seal_all(member->replica, &error) != MQ_OK) /* so that the ghost knows which segments are elsewhere */
        mq_error_clear(&error);
    sim_leave(member, MQ_OK);
    if (member->replica == NULL)
        return;
    sim_ghost_note_segments(member);
    sim_disk_cut(sim_machine_disk(member->machine)); /* a log is left only by those who do not close */
    sim_close(member);
    sim_machine_reboot(member->machine);
    const char *file = files[choose(fleet, sizeof files / sizeof *files)];
    if (sim_disk_rot(sim_machine_disk(member->machine), file)) {
        member->rotten = fleet->copied = true; /* a log may lose its end: the device is set back */
        sim_happened(fleet, SIM_ROT);
        sim_tell(fleet->story, "a bit of %s flips on the disk of %s", file, member->name);
    }
    if (!sim_open(member))
        return;
    if (member->lying) /* the cut took what it had only said to be synced */
        sim_ghost_survey(fleet);
    if (strcmp(file, SIM_HOME "/store.db-wal") == 0)
        sim_ghost_check_log(member);
    else
        sim_ghost_check_home(member);
}

/* The same on the server. Its relay's pages have no tag of their own: what it says from then on is not what an honest
 * one says, and in the end a person restores it. */
void sim_rot_server(struct sim_fleet *fleet)
{
    static const char *const files[] = {SIM_HOME "/store.db", SIM_RELAY};
    struct sim_member *desk = sim_desk(fleet);
    if (!closed_server(fleet))
        return;
    const char *file = files[choose(fleet, sizeof files / sizeof *files)];
    if (sim_disk_rot(sim_machine_disk(desk->machine), file)) {
        desk->rotten = true;
        fleet->lied = fleet->lied || strcmp(file, SIM_RELAY) == 0;
        fleet->relay_rotten = fleet->relay_rotten || strcmp(file, SIM_RELAY) == 0;
        sim_happened(fleet, SIM_SERVER_ROT);
        sim_tell(fleet->story, "a bit of %s flips on the disk of the server", file);
    }
    (void)sim_open(desk);
}

void sim_lie(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    if (member == NULL || member->ruined)
        return;
    sim_happened(fleet, SIM_DISK_LIES);
    sim_tell(fleet->story, "the disk of %s begins to lie about what it has synced", member->name);
    member->lying = fleet->copied = true; /* what it forgets sets the device back */
    sim_disk_set_faults(sim_machine_disk(member->machine), (struct sim_disk_faults){.lying_sync = 3});
}

void sim_mend(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    if (sim_is_desk(member)) {
        sim_restore(fleet);
        return;
    }
    if (member->image != NULL) {
        image_back(member);
        return;
    }
    member->gone = true;
    sim_happened(fleet, SIM_LOST_DEVICE);
    sim_tell(fleet->story, "%s is lost", member->name);
    sim_ghost_survey(fleet);
    new_member(fleet, member->team.certificate.role);
}

/* ---- people ---- */

void sim_clock_jumps(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_somebody(fleet);
    if (member == NULL)
        return;
    int64_t years = (int64_t)choose(fleet, 41) - 20;
    sim_happened(fleet, SIM_CLOCK_JUMPED);
    sim_tell(fleet->story, "the clock of %s jumps by %lld years", member->name, (long long)years);
    sim_machine_set_wall(member->machine, fleet->wall + years * YEAR);
}

void sim_sleep(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    if (member == NULL)
        return;
    sim_happened(fleet, SIM_SLEPT);
    member->asleep = 10 + choose(fleet, 80);
    sim_tell(fleet->story, "%s stays in a drawer for months", member->name);
    sim_time_passes(fleet, INT64_C(30) * 86400 * 1000);
}

/* The relay keeps somebody's stream to itself from now on; or is honest again. */
void sim_withhold(struct sim_fleet *fleet)
{
    sim_happened(fleet, SIM_WITHHELD);
    memset(fleet->withheld, 0, sizeof fleet->withheld);
    if (choose(fleet, 3) > 0 && sim_wire_some_stream(fleet, fleet->withheld))
        sim_tell(fleet->story, "the relay withholds a stream");
    else
        sim_tell(fleet->story, "the relay is honest");
}

/* ---- the server ---- */

void sim_backup(struct sim_fleet *fleet)
{
    if (sim_desk(fleet)->rotten || !closed_server(fleet)) /* whose every copy is rotten can be helped by nobody */
        return;
    size_t place = 1 + choose(fleet, SIM_BACKUPS - 1);
    if (place >= fleet->backup_count) {
        place = fleet->backup_count++;
        fleet->backups[place] = spare_machine(fleet);
    }
    sim_machine_copy_disk(fleet->backups[place], sim_desk(fleet)->machine, true);
    sim_happened(fleet, SIM_BACKED_UP);
    sim_tell(fleet->story, "the server is copied into backup %zu", place);
    (void)sim_open(sim_desk(fleet));
}

/* What server/restore.c does with a centre that it has unpacked. */
void sim_restore(struct sim_fleet *fleet)
{
    struct sim_member *desk = sim_desk(fleet);
    struct mq_error error = {0};
    size_t place = choose(fleet, (uint32_t)fleet->backup_count);
    if (desk->ruined)
        sim_ghost_note_desk(desk);
    else if (!closed_server(fleet))
        return;
    sim_machine_copy_disk(desk->machine, fleet->backups[place], true);
    (void)desk->platform->remove(desk->platform->self, SIM_HOME "/witness", &error); /* it is in no backup */
    desk->ruined = desk->rotten = desk->lying = desk->damaged = fleet->relay_rotten = false;
    desk->ended_count = 0;
    sim_happened(fleet, SIM_RESTORED);
    sim_tell(fleet->story, "the server is restored from backup %zu", place);
    bool open = sim_open(desk);
    MQ_ASSERT(open || sim_is_broken(fleet->story));
    if (!open)
        return;
    mq_error_clear(&error);
    enum mq_status status = fleet->store->verbs->renew(fleet->store, &error);
    if (status == MQ_OK)
        status = mq_replica_transact(desk->replica, renew_desk, NULL, &error);
    if (status != MQ_OK)
        sim_broken(fleet->story, "I11", "a restored server cannot begin a new life: %s", error.text);
    sim_wire_void_promises(fleet);
    sim_ghost_survey(fleet);
}

void sim_empty_relay(struct sim_fleet *fleet)
{
    struct sim_member *desk = sim_desk(fleet);
    struct mq_error error = {0};
    if (!closed_server(fleet))
        return;
    (void)desk->platform->remove(desk->platform->self, SIM_RELAY, &error);
    (void)desk->platform->remove(desk->platform->self, SIM_RELAY "-wal", &error);
    sim_happened(fleet, SIM_EMPTIED);
    sim_tell(fleet->story, "somebody empties the relay's store");
    sim_wire_void_promises(fleet);
    if (sim_open(desk))
        sim_ghost_survey(fleet);
}
