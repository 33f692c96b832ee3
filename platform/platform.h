/* The machine, as one table of functions: clock, chance, files, the database's file system. Everything above takes this
 * table as an argument, so that a simulated machine can stand in for the real one. */
#ifndef MQ_PLATFORM_PLATFORM_H
#define MQ_PLATFORM_PLATFORM_H

#include "platform/error.h"
#include "protocol/bytes.h"

/* Which file this is on which medium: equal for one file over its life, different for a copy. */
struct mq_file_identity {
    uint64_t device, inode, machine; /* machine: a hash of the installation's id, 0 where there is none */
};

struct mq_platform {
    void *self;

    int64_t (*wall_seconds)(void *self); /* since 1970; may be years wrong; shown, never decides */
    int64_t (*monotonic_ms)(void *self);
    uint32_t (*boot)(void *self); /* changes with every start of the machine */
    void (*sleep_ms)(void *self, uint32_t milliseconds);
    int32_t (*utc_offset)(void *self); /* seconds east of UTC of local time now */
    void (*random)(void *self, void *out, size_t size); /* cryptographic; ends the program where there is none */

    /* Small files, whole. All paths are absolute or relative to the working directory.
     *
     * read: MQ_NOT_FOUND; MQ_NO_SPACE where it is larger than the buffer; appends to what the buffer holds; never
     *     follows a symbolic link at the end, opens only regular files.
     * write: durable and atomic (temporary name, fsync, rename, fsync of the directory), mode 0600.
     * append: durable, creates where missing.
     * remove: fine where it is not there.
     * rename: durable, in both directories.
     * make_directory: 0700, parents too, fine where it is there.
     * identify: by name, without opening the file. */
    enum mq_status (*read)(void *self, const char *path, struct mq_buffer *out, struct mq_error *error);
    enum mq_status (*write)(void *self, const char *path, struct mq_span content, struct mq_error *error);
    enum mq_status (*append)(void *self, const char *path, struct mq_span content, struct mq_error *error);
    enum mq_status (*remove)(void *self, const char *path, struct mq_error *error);
    enum mq_status (*rename)(void *self, const char *from, const char *to, struct mq_error *error);
    enum mq_status (*make_directory)(void *self, const char *path, struct mq_error *error);
    enum mq_status (*identify)(void *self, const char *path, struct mq_file_identity *out, struct mq_error *error);

    /* One process at a time. take waits up to wait_ms, then MQ_BUSY with the holder's pid in the words. The lock ends
     * with the process. `*lock` is an opaque number for release. */
    enum mq_status (*lock_take)(void *self, const char *path, int wait_ms, int *lock, struct mq_error *error);
    void (*lock_release)(void *self, int lock);

    const char *vfs; /* name of the SQLite VFS, or NULL for the machine's own */
};

/* The real machine. Valid for the program's life. */
const struct mq_platform *mq_platform_real(void);

static inline int64_t mq_now(const struct mq_platform *platform)
{
    return platform->wall_seconds(platform->self);
}
static inline void mq_random(const struct mq_platform *platform, void *out, size_t size)
{
    platform->random(platform->self, out, size);
}

#endif
