/* The files of a simulated disk, as the machine's table and the SQLite file system use them. Each call answers 0 or an
 * errno value, as Linux would: ENOENT, EEXIST, EIO, ENOSPC, ENOTDIR. Paths are taken from "/"; "a" is "/a". */
#ifndef MQ_TESTS_SIM_FILES_H
#define MQ_TESTS_SIM_FILES_H

#include "tests/sim/disk.h"

#define SIM_PATH_MAX 512

struct sim_file; /* open; of no use any more once the power went */

enum sim_open { SIM_THERE, SIM_MAKE, SIM_NEW }; /* must be there; is made where missing; must not be there */
enum sim_lock { SIM_UNLOCKED, SIM_SHARED, SIM_RESERVED, SIM_PENDING, SIM_EXCLUSIVE };

/* The path as the disk keeps it: absolute, no "." and no double slash. False where it is too long. */
bool sim_path(char out[SIM_PATH_MAX], const char *path);

int sim_file_open(struct sim_disk *disk, const char *path, enum sim_open how, struct sim_file **out);
void sim_file_close(struct sim_file *file);
int sim_file_read(struct sim_file *file, void *out, size_t size, uint64_t at, size_t *got);
int sim_file_write(struct sim_file *file, const void *data, size_t size, uint64_t at);
int sim_file_truncate(struct sim_file *file, uint64_t size);
int sim_file_sync(struct sim_file *file);
int sim_file_size(struct sim_file *file, uint64_t *out);

/* As SQLite's locks on a database: any number share, one reserves, one excludes; false: another handle is in the way. */
bool sim_file_lock(struct sim_file *file, enum sim_lock level);
void sim_file_unlock(struct sim_file *file, enum sim_lock level);
bool sim_file_reserved(const struct sim_file *file); /* by anybody */

/* Names: durable once the directory that holds them was synced. */
int sim_name_remove(struct sim_disk *disk, const char *path);
int sim_name_rename(struct sim_disk *disk, const char *from, const char *to);
int sim_name_make_directory(struct sim_disk *disk, const char *path); /* one level; EEXIST where it is there */
int sim_name_sync(struct sim_disk *disk, const char *path);           /* the directory that holds `path` */
/* 0: nothing of that name, or the power is off. */
uint64_t sim_name_inode(const struct sim_disk *disk, const char *path, bool *directory);
/* The n-th file that is there now, by name; NULL beyond the last. Borrowed until the next change. */
const char *sim_name_at(const struct sim_disk *disk, size_t nth);

/* `to` becomes what `from` shows, all of it durable, under the same inode numbers. */
void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from);

#endif
