/* SQLite's file system over a simulated disk, one for each machine. */
#include "tests/sim/vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "tests/sim/files.h"

#define CIPHER_PREFIX "multipleciphers-"
#define NAME_SIZE 64
#define UNIX_EPOCH_MS INT64_C(210866760000000) /* 1970 in Julian milliseconds */

struct sim_vfs {
    sqlite3_vfs base;
    struct sim_vfs_owner owner;
    char cipher_name[NAME_SIZE]; /* ends in the base's name */
};

struct handle {
    sqlite3_file base;
    struct sim_vfs *vfs;
    struct sim_file *file;
    char *path;
    bool sync_directory, delete_on_close;
};

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)file;
}

static struct sim_disk *disk_of(sqlite3_vfs *vfs)
{
    return ((struct sim_vfs *)vfs)->owner.disk;
}

/* ---- a file ---- */

static int handle_close(sqlite3_file *file)
{
    struct handle *handle = handle_of(file);
    sim_file_close(handle->file);
    if (handle->delete_on_close)
        (void)sim_name_remove(handle->vfs->owner.disk, handle->path);
    free(handle->path);
    return SQLITE_OK;
}

static int handle_read(sqlite3_file *file, void *out, int size, sqlite3_int64 at)
{
    size_t got;
    if (sim_file_read(handle_of(file)->file, out, (size_t)size, (uint64_t)at, &got) != 0)
        return SQLITE_IOERR_READ;
    if (got == (size_t)size)
        return SQLITE_OK;
    memset((char *)out + got, 0, (size_t)size - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int handle_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    int result = sim_file_write(handle_of(file)->file, data, (size_t)size, (uint64_t)at);
    return result == 0 ? SQLITE_OK : result == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int handle_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return sim_file_truncate(handle_of(file)->file, (uint64_t)size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int handle_sync(sqlite3_file *file, int flags)
{
    struct handle *handle = handle_of(file);
    (void)flags;
    if (sim_file_sync(handle->file) != 0)
        return SQLITE_IOERR_FSYNC;
    if (handle->sync_directory && sim_name_sync(handle->vfs->owner.disk, handle->path) != 0)
        return SQLITE_IOERR_DIR_FSYNC;
    handle->sync_directory = false;
    return SQLITE_OK;
}

static int handle_size(sqlite3_file *file, sqlite3_int64 *size)
{
    uint64_t found = 0;
    int result = sim_file_size(handle_of(file)->file, &found);
    *size = (sqlite3_int64)found;
    return result == 0 ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

static int handle_lock(sqlite3_file *file, int level)
{
    return sim_file_lock(handle_of(file)->file, (enum sim_lock)level) ? SQLITE_OK : SQLITE_BUSY;
}

static int handle_unlock(sqlite3_file *file, int level)
{
    sim_file_unlock(handle_of(file)->file, (enum sim_lock)level);
    return SQLITE_OK;
}

static int handle_reserved(sqlite3_file *file, int *out)
{
    *out = sim_file_reserved(handle_of(file)->file);
    return SQLITE_OK;
}

static int handle_control(sqlite3_file *file, int operation, void *argument)
{
    (void)file, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

static int handle_sector_size(sqlite3_file *file)
{
    (void)file;
    return 4096; /* as SQLite's own for Linux says */
}

static int handle_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- the file system ---- */

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 1, /* no shared memory, no mapping */
        .xClose = handle_close,
        .xRead = handle_read,
        .xWrite = handle_write,
        .xTruncate = handle_truncate,
        .xSync = handle_sync,
        .xFileSize = handle_size,
        .xLock = handle_lock,
        .xUnlock = handle_unlock,
        .xCheckReservedLock = handle_reserved,
        .xFileControl = handle_control,
        .xSectorSize = handle_sector_size,
        .xDeviceCharacteristics = handle_characteristics,
    };
    static unsigned temporary_number;
    const int new_journal = SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    struct handle *handle = handle_of(file);
    char temporary[NAME_SIZE];
    *handle = (struct handle){.vfs = (struct sim_vfs *)base};
    if (path == NULL) {
        snprintf(temporary, sizeof temporary, "/temporary-%u", ++temporary_number);
        path = temporary;
    }
    bool create = (flags & SQLITE_OPEN_CREATE) != 0, exclusive = (flags & SQLITE_OPEN_EXCLUSIVE) != 0;
    enum sim_open how = !create ? SIM_THERE : exclusive ? SIM_NEW : SIM_MAKE;
    int result = sim_file_open(disk_of(base), path, how, &handle->file);
    if (result != 0)
        return result == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN;
    handle->path = strdup(path);
    MQ_ASSERT(handle->path != NULL);
    handle->sync_directory = create && (flags & new_journal) != 0;
    handle->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    handle->base.pMethods = &methods;
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    int result = sim_name_remove(disk_of(base), path);
    if (result != 0)
        return result == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    if ((sync_directory & 1) != 0 && sim_name_sync(disk_of(base), path) != 0)
        return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out)
{
    bool directory;
    (void)flags;
    if (sim_disk_is_off(disk_of(base)))
        return SQLITE_IOERR_ACCESS;
    *out = sim_name_inode(disk_of(base), path, &directory) != 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *base, const char *path, int size, char *out)
{
    char whole[SIM_PATH_MAX];
    (void)base;
    if (!sim_path(whole, path) || (int)strlen(whole) >= size)
        return SQLITE_CANTOPEN;
    snprintf(out, (size_t)size, "%s", whole);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int size, char *out)
{
    const struct sim_vfs_owner *owner = &((struct sim_vfs *)base)->owner;
    owner->random(owner->self, out, (size_t)size);
    return size;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
    const struct sim_vfs_owner *owner = &((struct sim_vfs *)base)->owner;
    owner->sleep_ms(owner->self, (uint32_t)(microseconds + 999) / 1000);
    return microseconds;
}

static int vfs_time_ms(sqlite3_vfs *base, sqlite3_int64 *out)
{
    const struct sim_vfs_owner *owner = &((struct sim_vfs *)base)->owner;
    *out = owner->wall_ms(owner->self) + UNIX_EPOCH_MS;
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *base, double *out)
{
    sqlite3_int64 milliseconds;
    vfs_time_ms(base, &milliseconds);
    *out = (double)milliseconds / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int size, char *out)
{
    (void)base, (void)size, (void)out;
    return 0;
}

struct sim_vfs *sim_vfs_new(const char *name, const struct sim_vfs_owner *owner)
{
    MQ_ASSERT(sqlite3_initialize() == SQLITE_OK);
    struct sim_vfs *vfs = calloc(1, sizeof *vfs);
    MQ_ASSERT(vfs != NULL && strlen(name) + sizeof CIPHER_PREFIX <= sizeof vfs->cipher_name);
    vfs->owner = *owner;
    snprintf(vfs->cipher_name, sizeof vfs->cipher_name, "%s%s", CIPHER_PREFIX, name);
    vfs->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct handle),
        .mxPathname = SIM_PATH_MAX - 1,
        .zName = vfs->cipher_name + strlen(CIPHER_PREFIX),
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_ms,
    };
    MQ_ASSERT(sqlite3_vfs_find(vfs->base.zName) == NULL && sqlite3_vfs_register(&vfs->base, 0) == SQLITE_OK);
    return vfs;
}

void sim_vfs_free(struct sim_vfs *vfs)
{
    sqlite3mc_vfs_destroy(vfs->cipher_name);
    sqlite3_vfs_unregister(&vfs->base);
    free(vfs);
}

const char *sim_vfs_name(const struct sim_vfs *vfs)
{
    return vfs->cipher_name;
}

void sim_vfs_seed(uint32_t seed)
{
    MQ_ASSERT(sqlite3_initialize() == SQLITE_OK);
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed == 0 ? 1 : seed), (sqlite3 *)NULL);
}
