/* A simulated machine: clock, chance and disk of its own behind `struct mq_platform`. Nothing of it touches the real
 * one. Its files, the SQLite ones too, lie on a sim_disk, and power can go at any operation of that disk. */
#ifndef MQ_TESTS_SIM_MACHINE_H
#define MQ_TESTS_SIM_MACHINE_H

#include "platform/platform.h"
#include "tests/sim/choices.h"
#include "tests/sim/disk.h"

#define SIM_MACHINES_MAX 256 /* each has a SQLite file system of its own, named by its number */

/* What no machine owns, libsodium's and SQLite's chance, comes from `seed` from now on: a run repeats itself as far as
 * bytes are drawn through them. (The nonces of encrypted pages are the cipher's own and differ; nothing follows from them.) */
void sim_world_seed(uint64_t seed);
/* What was given back stays with this process: a replica takes megabytes at each opening and each sync, and the kernel would clear
 * pages all day. */
void sim_world_keep_memory(void);

struct sim_machine;

/* A machine with an empty disk. `choices` decides its faults, `seed` its chance (keys, nonces); both are the caller's.
 * `number` tells machines apart, 0 to SIM_MACHINES_MAX - 1. */
struct sim_machine *sim_machine_new(struct sim_choices *choices, unsigned number, uint64_t seed);
void sim_machine_free(struct sim_machine *machine);
const struct mq_platform *sim_machine_platform(struct sim_machine *machine);
struct sim_disk *sim_machine_disk(struct sim_machine *machine);

/* Time. The wall clock can be anywhere and jump; the monotonic one only goes on, and starts again with each boot. */
void sim_machine_set_wall(struct sim_machine *machine, int64_t seconds);
void sim_machine_advance(struct sim_machine *machine, int64_t milliseconds);

/* After a power cut, or in place of one: whoever held files has let go of them (the caller closes what is open, which the
 * dead disk answers with errors), the disk decides what survived (sim_disk_power_on), locks are free, the boot number
 * is another. */
void sim_machine_reboot(struct sim_machine *machine);

/* The disk's content goes to this machine's disk, whole, as `dd` would copy it: `to` loses what it had. `same_medium` false: another
 * medium, as identify() tells; true: the same card with other content (an image was brought back). Both machines' replicas are closed. */
void sim_machine_copy_disk(struct sim_machine *to, const struct sim_machine *from, bool same_medium);

/* It tells the same installation's id as that one from now on: a copy of the whole system, not of a card. */
void sim_machine_pass_for(struct sim_machine *machine, const struct sim_machine *original);
/* Its chance begins here once more: a board that finds the same randomness at every start, a machine brought back with its memory. */
void sim_machine_set_chance(struct sim_machine *machine, uint64_t seed);

#endif
