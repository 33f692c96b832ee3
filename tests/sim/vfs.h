/* The SQLite file system over a simulated disk. It syncs directories where SQLite's own for Linux does: with the first
 * sync of a new journal or log, and after a deletion where that is asked for. */
#ifndef MQ_TESTS_SIM_VFS_H
#define MQ_TESTS_SIM_VFS_H

#include "tests/sim/disk.h"

/* What SQLite asks of the machine beside its files. */
struct sim_vfs_owner {
    struct sim_disk *disk;
    void *self;
    void (*random)(void *self, void *out, size_t size);
    int64_t (*wall_ms)(void *self);
    void (*sleep_ms)(void *self, uint32_t milliseconds);
};

struct sim_vfs;

/* Registered under `name`, which is copied; sim_vfs_name tells the name of the encrypting one above it. */
struct sim_vfs *sim_vfs_new(const char *name, const struct sim_vfs_owner *owner);
void sim_vfs_free(struct sim_vfs *vfs); /* every database of it is closed */
const char *sim_vfs_name(const struct sim_vfs *vfs);
void sim_vfs_seed(uint32_t seed); /* SQLite's own chance: log salts and the like */

#endif
