/* A simulated machine: the platform's table over a simulated disk, step by step as platform/real.c does it, so that the
 * power can go between any two steps. */
#include "tests/sim/machine.h"

#include <errno.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "tests/sim/files.h"
#include "tests/sim/vfs.h"

#define FIRST_WALL_SECONDS INT64_C(1780000000) /* a day in May 2026 */
#define UTC_OFFSET_SECONDS (8 * 3600)
#define LOCKS_MAX 16
#define BLOCK_SIZE 4096 /* a write goes to the disk in such pieces */
#define MEMORY_KEPT (32 * 1024 * 1024) /* the most that glibc takes */

struct sim_machine {
    struct mq_platform table;
    struct sim_choices *choices;
    struct sim_disk *disk;
    struct sim_vfs *vfs;
    unsigned number, passes_for; /* whose installation's id it tells */
    int64_t wall_ms, monotonic_ms;
    uint32_t boots, media;
    uint64_t chance, medium; /* the generator's state; which medium is in the machine */
    char locks[LOCKS_MAX][SIM_PATH_MAX]; /* "": free */
};

/* ---- clock and chance ---- */

static int64_t wall_ms(void *self)
{
    return ((struct sim_machine *)self)->wall_ms;
}

static int64_t wall_seconds(void *self)
{
    return wall_ms(self) / 1000;
}

static int64_t monotonic_ms(void *self)
{
    return ((struct sim_machine *)self)->monotonic_ms;
}

static uint32_t boot(void *self)
{
    return ((struct sim_machine *)self)->boots;
}

static void sleep_ms(void *self, uint32_t milliseconds)
{
    sim_machine_advance(self, milliseconds);
}

static int32_t utc_offset(void *self)
{
    (void)self;
    return UTC_OFFSET_SECONDS;
}

static void random_bytes(void *self, void *out, size_t size)
{
    sim_chance_bytes(&((struct sim_machine *)self)->chance, out, size);
}

/* libsodium's and SQLite's chance, which no machine owns. */
static uint64_t world_chance;

static const char *world_name(void)
{
    return "simulated";
}

static uint32_t world_random(void)
{
    uint32_t number;
    sim_chance_bytes(&world_chance, &number, sizeof number);
    return number;
}

static void world_random_bytes(void *const out, const size_t size)
{
    sim_chance_bytes(&world_chance, out, size);
}

void sim_world_seed(uint64_t seed)
{
    static struct randombytes_implementation world = {
        .implementation_name = world_name, .random = world_random, .buf = world_random_bytes};
    world_chance = seed;
    MQ_ASSERT(randombytes_set_implementation(&world) == 0 && sodium_init() >= 0);
    sim_vfs_seed((uint32_t)(seed ^ seed >> 32));
}

void sim_world_keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT);
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
}

/* ---- files ---- */

static struct sim_disk *disk_of(void *self)
{
    return ((struct sim_machine *)self)->disk;
}

static enum mq_status trouble(struct mq_error *error, int reason, const char *path)
{
    enum mq_status status = reason == ENOENT                                        ? MQ_NOT_FOUND
                            : reason == ENOSPC                                      ? MQ_NO_SPACE
                            : reason == ENOTDIR || reason == EISDIR || reason == ENAMETOOLONG ? MQ_REFUSED
                                                                                    : MQ_FAULT;
    return mq_fail(error, status, "%s: %s", path, strerror(reason));
}

static enum mq_status result_of(struct mq_error *error, int reason, const char *path)
{
    return reason == 0 ? MQ_OK : trouble(error, reason, path);
}

static enum mq_status file_read(void *self, const char *path, struct mq_buffer *out, struct mq_error *error)
{
    struct sim_file *file;
    int result = sim_file_open(disk_of(self), path, SIM_THERE, &file);
    if (result != 0)
        return trouble(error, result, path);
    uint64_t size = 0;
    size_t got = 0;
    result = sim_file_size(file, &size);
    bool fits = size <= out->capacity - out->size;
    if (result == 0 && fits)
        result = sim_file_read(file, out->data + out->size, (size_t)size, 0, &got);
    sim_file_close(file);
    if (result != 0)
        return trouble(error, result, path);
    if (!fits)
        return mq_fail(error, MQ_NO_SPACE, "%s is larger than the %zu bytes that are expected", path,
                       out->capacity - out->size);
    out->size += got;
    return MQ_OK;
}

static int write_blocks(struct sim_file *file, struct mq_span content, uint64_t at)
{
    int result = 0;
    while (content.size > 0 && result == 0) {
        size_t part = content.size < BLOCK_SIZE ? content.size : BLOCK_SIZE;
        result = sim_file_write(file, content.data, part, at);
        content.data += part;
        content.size -= part;
        at += part;
    }
    return result;
}

static enum mq_status file_write(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    char temporary[SIM_PATH_MAX];
    uint32_t number;
    random_bytes(self, &number, sizeof number);
    int length = snprintf(temporary, sizeof temporary, "%s.%08x.new", path, number);
    if (length < 0 || length >= (int)sizeof temporary)
        return trouble(error, ENAMETOOLONG, path);
    struct sim_file *file;
    int result = sim_file_open(disk_of(self), temporary, SIM_NEW, &file);
    if (result != 0)
        return trouble(error, result, path);
    result = write_blocks(file, content, 0);
    if (result == 0)
        result = sim_file_sync(file);
    sim_file_close(file);
    if (result == 0)
        result = sim_name_rename(disk_of(self), temporary, path);
    if (result != 0)
        (void)sim_name_remove(disk_of(self), temporary);
    else
        result = sim_name_sync(disk_of(self), path);
    return result_of(error, result, path);
}

static enum mq_status file_append(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    struct sim_file *file;
    int result = sim_file_open(disk_of(self), path, SIM_MAKE, &file);
    if (result != 0)
        return trouble(error, result, path);
    uint64_t before = 0;
    result = sim_file_size(file, &before);
    if (result == 0) {
        result = write_blocks(file, content, before);
        if (result != 0)
            (void)sim_file_truncate(file, before);
    }
    if (result == 0)
        result = sim_file_sync(file);
    sim_file_close(file);
    if (result == 0 && before == 0)
        result = sim_name_sync(disk_of(self), path);
    return result_of(error, result, path);
}

static enum mq_status file_remove(void *self, const char *path, struct mq_error *error)
{
    int result = sim_name_remove(disk_of(self), path);
    if (result == ENOENT)
        return MQ_OK;
    if (result == 0)
        result = sim_name_sync(disk_of(self), path);
    return result_of(error, result, path);
}

static enum mq_status file_rename(void *self, const char *from, const char *to, struct mq_error *error)
{
    int result = sim_name_rename(disk_of(self), from, to);
    if (result == 0)
        result = sim_name_sync(disk_of(self), to);
    if (result == 0)
        result = sim_name_sync(disk_of(self), from); /* where it is the same directory, nothing is left to do */
    return result_of(error, result, from);
}

static enum mq_status make_directory(void *self, const char *path, struct mq_error *error)
{
    char level[SIM_PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof level)
        return trouble(error, ENAMETOOLONG, path);
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(level, path, end);
        level[end] = '\0';
        bool directory = true;
        int result = sim_name_make_directory(disk_of(self), level);
        if (result == 0)
            result = sim_name_sync(disk_of(self), level);
        else if (result == EEXIST)
            result = sim_name_inode(disk_of(self), level, &directory) == 0 ? EIO : directory ? 0 : ENOTDIR;
        if (result != 0)
            return trouble(error, result, level);
    }
    return MQ_OK;
}

static enum mq_status identify(void *self, const char *path, struct mq_file_identity *out, struct mq_error *error)
{
    struct sim_machine *machine = self;
    bool directory;
    uint64_t inode = sim_name_inode(machine->disk, path, &directory);
    if (inode == 0)
        return trouble(error, sim_disk_is_off(machine->disk) ? EIO : ENOENT, path);
    *out = (struct mq_file_identity){.device = machine->medium, .inode = inode, .machine = machine->passes_for + 1};
    return MQ_OK;
}

/* ---- one process at a time ---- */

static enum mq_status lock_take(void *self, const char *path, int wait_ms, int *lock, struct mq_error *error)
{
    struct sim_machine *machine = self;
    char name[SIM_PATH_MAX];
    struct sim_file *file;
    if (!sim_path(name, path))
        return trouble(error, ENAMETOOLONG, path);
    int result = sim_file_open(machine->disk, name, SIM_MAKE, &file);
    if (result != 0)
        return trouble(error, result, path);
    int place = -1;
    for (int i = 0; i < LOCKS_MAX; i++) {
        if (strcmp(machine->locks[i], name) == 0) {
            sim_file_close(file);
            sleep_ms(self, wait_ms > 0 ? (uint32_t)wait_ms : 0);
            return mq_fail(error, MQ_BUSY, "another program is using %s", path);
        }
        if (machine->locks[i][0] == '\0')
            place = i;
    }
    MQ_ASSERT(place >= 0);
    if (sim_file_truncate(file, 0) == 0)
        (void)sim_file_write(file, "1\n", 2, 0); /* the pid, for people only */
    sim_file_close(file);
    memcpy(machine->locks[place], name, sizeof name);
    *lock = place;
    return MQ_OK;
}

static void lock_release(void *self, int lock)
{
    struct sim_machine *machine = self;
    MQ_ASSERT(lock >= 0 && lock < LOCKS_MAX);
    machine->locks[lock][0] = '\0';
}

/* ---- the machine ---- */

struct sim_machine *sim_machine_new(struct sim_choices *choices, unsigned number, uint64_t seed)
{
    struct sim_machine *machine = calloc(1, sizeof *machine);
    MQ_ASSERT(machine != NULL && number < SIM_MACHINES_MAX);
    *machine = (struct sim_machine){
        .table = {.self = machine,
                  .wall_seconds = wall_seconds,
                  .monotonic_ms = monotonic_ms,
                  .boot = boot,
                  .sleep_ms = sleep_ms,
                  .utc_offset = utc_offset,
                  .random = random_bytes,
                  .read = file_read,
                  .write = file_write,
                  .append = file_append,
                  .remove = file_remove,
                  .rename = file_rename,
                  .make_directory = make_directory,
                  .identify = identify,
                  .lock_take = lock_take,
                  .lock_release = lock_release},
        .choices = choices,
        .disk = sim_disk_new(choices),
        .number = number,
        .passes_for = number,
        .wall_ms = FIRST_WALL_SECONDS * 1000,
        .boots = 1,
        .chance = seed,
        .medium = (uint64_t)(number + 1) << 32,
    };
    char name[32];
    snprintf(name, sizeof name, "machine-%u", number);
    machine->vfs = sim_vfs_new(name, &(struct sim_vfs_owner){.disk = machine->disk,
                                                             .self = machine,
                                                             .random = random_bytes,
                                                             .wall_ms = wall_ms,
                                                             .sleep_ms = sleep_ms});
    machine->table.vfs = sim_vfs_name(machine->vfs);
    return machine;
}

void sim_machine_free(struct sim_machine *machine)
{
    if (machine == NULL)
        return;
    sim_vfs_free(machine->vfs);
    sim_disk_free(machine->disk);
    free(machine);
}

const struct mq_platform *sim_machine_platform(struct sim_machine *machine)
{
    return &machine->table;
}

struct sim_disk *sim_machine_disk(struct sim_machine *machine)
{
    return machine->disk;
}

void sim_machine_set_wall(struct sim_machine *machine, int64_t seconds)
{
    machine->wall_ms = seconds * 1000;
}

void sim_machine_advance(struct sim_machine *machine, int64_t milliseconds)
{
    machine->wall_ms += milliseconds;
    machine->monotonic_ms += milliseconds;
}

void sim_machine_reboot(struct sim_machine *machine)
{
    sim_disk_power_on(machine->disk);
    memset(machine->locks, 0, sizeof machine->locks);
    machine->boots++;
    machine->monotonic_ms = 0;
}

void sim_machine_copy_disk(struct sim_machine *to, const struct sim_machine *from, bool same_medium)
{
    sim_disk_copy(to->disk, from->disk);
    if (!same_medium)
        to->medium += ++to->media;
}

void sim_machine_pass_for(struct sim_machine *machine, const struct sim_machine *original)
{
    machine->passes_for = original->passes_for;
}

void sim_machine_set_chance(struct sim_machine *machine, uint64_t seed)
{
    machine->chance = seed;
}
