/* A disk in memory that tells what reached the platter from what only the cache has. Whatever was written and not synced
 * when the power goes is kept, lost or torn at a sector, each operation by a choice of its own; names are durable once their directory was
 * synced. It also fails, fills up, lies about syncing and rots.
 *
 * The model is held to known-good and known-bad settings of SQLite by tests/sim/calibration_test.c: a disk that loses too little
 * proves nothing, one that loses too much accuses the innocent. */
#ifndef MQ_TESTS_SIM_DISK_H
#define MQ_TESTS_SIM_DISK_H

#include "platform/error.h"
#include "protocol/bytes.h"
#include "tests/sim/choices.h"

struct sim_disk;

/* `choices` decides what survives and what fails; the caller's. */
struct sim_disk *sim_disk_new(struct sim_choices *choices);
void sim_disk_free(struct sim_disk *disk);

/* The power goes just before the n-th operation from now that changes something (write, truncate, sync, create, delete, rename); 1: the
 * next one. From then on everything answers an error until sim_disk_power_on. 0: never. */
void sim_disk_cut_before(struct sim_disk *disk, int64_t nth);
/* Now. */
void sim_disk_cut(struct sim_disk *disk);
bool sim_disk_is_off(const struct sim_disk *disk);
/* What is left of what was not synced when the power goes. By choice: all of it (0, the benign one), nothing, the first
 * so many operations, or each on its own kept, lost, torn at a sector or scribbled over. */
enum sim_survival { SIM_BY_CHOICE, SIM_ALL, SIM_NOTHING, SIM_PREFIX, SIM_EACH };
void sim_disk_set_survival(struct sim_disk *disk, enum sim_survival survival); /* SIM_BY_CHOICE at first */
/* Decides what survived of what was not synced; then everything on the disk is durable and the disk works. */
void sim_disk_power_on(struct sim_disk *disk);
/* Operations that changed something, since the disk was made. */
int64_t sim_disk_operations(const struct sim_disk *disk);

/* Each: once in so many operations of its sort; 0: never. */
struct sim_disk_faults {
    uint32_t read_error, write_error, sync_error; /* EIO; after a failed sync the pages count as clean, as Linux does it */
    uint32_t full;                                /* ENOSPC, a short write before it */
    uint32_t lying_sync;                          /* answers success and syncs nothing */
};
void sim_disk_set_faults(struct sim_disk *disk, struct sim_disk_faults faults);
/* The n-th reading, writing or syncing operation from now fails with `status` (MQ_FAULT: EIO, MQ_NO_SPACE), and those
 * after it too where `for_good`. 0: none. */
void sim_disk_fail_nth(struct sim_disk *disk, int64_t nth, enum mq_status status, bool for_good);
/* At rest: one bit flips somewhere in a file whose name ends in `suffix`; the place is a choice. False: there is no such byte. */
bool sim_disk_rot(struct sim_disk *disk, const char *suffix);
int64_t sim_disk_faults_made(const struct sim_disk *disk); /* of all sorts, power cuts included */

#endif
