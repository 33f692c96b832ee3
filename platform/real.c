/* The real machine: Linux clocks, chance and files. Everything here ignores `self`, so that a pretended machine can
 * borrow it. */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SMALL_FILE_SIZE 128 /* boot id, machine id, a lock's pid */
#define LOCK_RETRY_MS 20

/* ---- clock and chance ---- */

static int64_t wall_seconds(void *self)
{
    (void)self;
    return (int64_t)time(NULL);
}

static int64_t monotonic_ms(void *self)
{
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(void *self, uint32_t milliseconds)
{
    (void)self;
    struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000L};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static int32_t utc_offset(void *self)
{
    (void)self;
    time_t now = time(NULL);
    struct tm local;
    return localtime_r(&now, &local) == NULL ? 0 : (int32_t)local.tm_gmtoff;
}

static void random_bytes(void *self, void *out, size_t size)
{
    (void)self;
    uint8_t *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort(); /* keys made without chance would be worse than no program */
        at += got;
        size -= (size_t)got;
    }
}

/* FNV-1a: spreads an installation's id over 64 bits; no secret, no adversary. */
static uint64_t mix(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* First line of a system file; empty where it cannot be read. */
static void read_line(const char *path, char line[SMALL_FILE_SIZE])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? 0 : read(file, line, SMALL_FILE_SIZE - 1);
    if (file >= 0)
        close(file);
    line[size < 0 ? 0 : size] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

static uint32_t boot(void *self)
{
    (void)self;
    char line[SMALL_FILE_SIZE];
    read_line("/proc/sys/kernel/random/boot_id", line);
    uint64_t hash = mix(line);
    return (uint32_t)(hash ^ hash >> 32);
}

/* ---- files ---- */

/* `doing` is a whole sentence's start: "cannot write". */
static enum mq_status file_trouble(struct mq_error *error, const char *doing, const char *path)
{
    int reason = errno;
    enum mq_status status = MQ_FAULT;
    if (reason == ENOENT)
        status = MQ_NOT_FOUND;
    else if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG)
        status = MQ_NO_SPACE;
    else if (reason == EACCES || reason == EPERM || reason == EROFS || reason == ENOTDIR || reason == EISDIR ||
             reason == ELOOP || reason == ENAMETOOLONG)
        status = MQ_REFUSED;
    return mq_fail(error, status, "%s %s: %s", doing, path, strerror(reason));
}

/* The directory that holds `path`. */
static void parent_of(const char *path, char parent[PATH_MAX])
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0 || length >= PATH_MAX) {
        memcpy(parent, ".", 2);
        return;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
}

/* A name is durable only once its directory is. */
static enum mq_status sync_parent(const char *path, struct mq_error *error)
{
    char parent[PATH_MAX];
    parent_of(path, parent);
    int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return file_trouble(error, _("cannot open the directory"), parent);
    enum mq_status status = MQ_OK;
    if (fsync(directory) != 0 && errno != EINVAL) /* EINVAL: this file system has nothing to sync for a directory */
        status = file_trouble(error, _("cannot write the directory"), parent);
    close(directory);
    return status;
}

static bool write_all(int file, struct mq_span content)
{
    while (content.size > 0) {
        ssize_t wrote = write(file, content.data, content.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        content.data += wrote;
        content.size -= (size_t)wrote;
    }
    return true;
}

/* From an open file behind what `out` holds; what does not fit leaves `out` as it was. */
static enum mq_status read_open(int file, const char *path, struct mq_buffer *out, struct mq_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return file_trouble(error, _("cannot read"), path);
    if (!S_ISREG(about.st_mode))
        return mq_fail(error, MQ_REFUSED, _("cannot read %s: it is not an ordinary file"), path);

    size_t at = out->size;
    for (;;) {
        uint8_t beyond; /* where the buffer is full, one byte more tells whether the file is over */
        bool full = at == out->capacity;
        ssize_t got = full ? read(file, &beyond, 1) : read(file, out->data + at, out->capacity - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_trouble(error, _("cannot read"), path);
        if (got == 0)
            break;
        if (full)
            return mq_fail(error, MQ_NO_SPACE, _("%s is larger than the %zu bytes that are expected"), path,
                           out->capacity - out->size);
        at += (size_t)got;
    }
    out->size = at;
    return MQ_OK;
}

static enum mq_status file_read(void *self, const char *path, struct mq_buffer *out, struct mq_error *error)
{
    (void)self;
    /* O_NONBLOCK: opening a pipe by mistake must not hang */
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        return file_trouble(error, _("cannot open"), path);
    enum mq_status status = read_open(file, path, out, error);
    close(file);
    return status;
}

static enum mq_status file_write(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    char temporary[PATH_MAX];
    uint32_t number;
    random_bytes(self, &number, sizeof number);
    int length = snprintf(temporary, sizeof temporary, "%s.%08x.new", path, number);
    if (length < 0 || length >= (int)sizeof temporary)
        return mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), path);

    int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return file_trouble(error, _("cannot write"), path);
    bool whole = write_all(file, content) && fsync(file) == 0 && rename(temporary, path) == 0;
    enum mq_status status = whole ? MQ_OK : file_trouble(error, _("cannot write"), path);
    close(file);
    if (!whole) {
        unlink(temporary);
        return status;
    }
    return sync_parent(path, error);
}

static enum mq_status file_append(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    (void)self;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return file_trouble(error, _("cannot write"), path);
    struct stat before;
    bool whole = fstat(file, &before) == 0;
    if (whole && !write_all(file, content)) {
        int reason = errno;
        whole = false;
        if (ftruncate(file, before.st_size) != 0) /* half a line is worse than none, but the first trouble is told */
            reason = EIO;
        errno = reason;
    }
    whole = whole && fsync(file) == 0;
    enum mq_status status = whole ? MQ_OK : file_trouble(error, _("cannot write"), path);
    close(file);
    return whole && before.st_size == 0 ? sync_parent(path, error) : status;
}

static enum mq_status file_remove(void *self, const char *path, struct mq_error *error)
{
    (void)self;
    if (unlink(path) != 0)
        return errno == ENOENT ? MQ_OK : file_trouble(error, _("cannot remove"), path);
    return sync_parent(path, error);
}

static enum mq_status file_rename(void *self, const char *from, const char *to, struct mq_error *error)
{
    (void)self;
    if (rename(from, to) != 0)
        return file_trouble(error, _("cannot rename"), from);
    char old_parent[PATH_MAX], new_parent[PATH_MAX];
    parent_of(from, old_parent);
    parent_of(to, new_parent);
    enum mq_status status = sync_parent(to, error);
    if (status == MQ_OK && strcmp(old_parent, new_parent) != 0)
        status = sync_parent(from, error);
    return status;
}

/* One level; a directory that is there already is fine. */
static enum mq_status make_level(const char *path, struct mq_error *error)
{
    struct stat about;
    if (mkdir(path, 0700) == 0)
        return sync_parent(path, error);
    if (errno != EEXIST)
        return file_trouble(error, _("cannot make the directory"), path);
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return mq_fail(error, MQ_REFUSED, _("cannot make the directory %s: a file of that name stands there"), path);
    return MQ_OK;
}

static enum mq_status make_directory(void *self, const char *path, struct mq_error *error)
{
    (void)self;
    char level[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof level)
        return mq_fail(error, MQ_REFUSED, _("not a path that can be made: \"%s\""), path);
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(level, path, end);
        level[end] = '\0';
        enum mq_status status = make_level(level, error);
        if (status != MQ_OK)
            return status;
    }
    return MQ_OK;
}

static enum mq_status identify(void *self, const char *path, struct mq_file_identity *out, struct mq_error *error)
{
    (void)self;
    /* By name, never by opening: closing any descriptor of a database would drop SQLite's POSIX locks on it. */
    struct stat about;
    if (stat(path, &about) != 0)
        return file_trouble(error, _("cannot look at"), path);
    char machine[SMALL_FILE_SIZE];
    read_line("/etc/machine-id", machine);
    *out = (struct mq_file_identity){
        .device = about.st_dev, .inode = about.st_ino, .machine = machine[0] == '\0' ? 0 : mix(machine)};
    return MQ_OK;
}

/* ---- one process at a time ---- */

static enum mq_status lock_busy(const char *path, struct mq_error *error)
{
    char holder[SMALL_FILE_SIZE];
    read_line(path, holder);
    long pid = strtol(holder, NULL, 10);
    return mq_fail(error, MQ_BUSY,
                   _("another program (pid %ld) is using this store; wait until it is done, or stop it"), pid);
}

static enum mq_status lock_take(void *self, const char *path, int wait_ms, int *lock, struct mq_error *error)
{
    int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return file_trouble(error, _("cannot lock"), path);
    int64_t deadline = monotonic_ms(self) + wait_ms;
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        bool held = errno == EWOULDBLOCK;
        if (errno == EINTR || (held && monotonic_ms(self) < deadline)) {
            sleep_ms(self, LOCK_RETRY_MS);
            continue;
        }
        enum mq_status status = held ? lock_busy(path, error) : file_trouble(error, _("cannot lock"), path);
        close(file);
        return status;
    }
    /* The pid is for people only; the lock holds without it, on a full disk too. */
    if (ftruncate(file, 0) == 0)
        (void)!dprintf(file, "%ld\n", (long)getpid());
    *lock = file;
    return MQ_OK;
}

static void lock_release(void *self, int lock)
{
    (void)self;
    close(lock);
}

const struct mq_platform *mq_platform_real(void)
{
    static const struct mq_platform real = {
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
        .lock_release = lock_release,
    };
    return &real;
}
