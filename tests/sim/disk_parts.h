/* What the parts of the simulated disk share, and nobody else includes: disk.c (power and faults), files.c (open files),
 * names.c (directories). */
#ifndef MQ_TESTS_SIM_DISK_PARTS_H
#define MQ_TESTS_SIM_DISK_PARTS_H

#include "tests/sim/files.h"

#define SECTOR 512 /* what a medium writes whole or not at all */

struct image {
    uint8_t *data;
    size_t size, room;
};

/* A change of a file's content that was not synced. `data` is NULL for a truncation to `at`. */
struct change {
    struct change *next;
    uint64_t order; /* over the whole disk */
    uint64_t at;
    size_t size;
    uint8_t data[];
};

struct inode {
    uint64_t number;
    bool directory;
    struct image shown, durable; /* what programs read; what stands on the platter */
    bool parted;                 /* they differ though nothing is waiting: a sync failed */
    struct change *first, **last;
    unsigned opens;
    const struct sim_file *reserved; /* by this handle, or by none */
    unsigned shared;
    bool exclusive, wanted; /* by whoever reserved it */
};

struct name {
    char *path;
    struct inode *inode;
};

/* Sorted by path, so that whoever walks through them sees the same order in every run. */
struct names {
    struct name *list;
    size_t count, room;
};

/* A change of names that was not synced: `to` now means `inode` and `from` nothing. Either may be NULL. */
struct renaming {
    uint64_t order;
    char *from, *to;
    struct inode *inode;
};

struct sim_disk {
    struct sim_choices *choices;
    struct inode **inodes;
    size_t inode_count, inode_room;
    uint64_t next_inode, order;
    struct names shown, durable;
    struct renaming *renamings;
    size_t renaming_count, renaming_room;

    uint32_t life; /* goes up when the power goes: handles of an older one are dead */
    bool off;
    int64_t operations, cut_before, faults_made;
    enum sim_survival survival;

    struct sim_disk_faults faults;
    int64_t fail_nth;
    enum mq_status fail_status;
    bool fail_for_good;
};

struct sim_file {
    struct sim_disk *disk;
    struct inode *inode;
    uint32_t life;
    enum sim_lock lock;
};

enum sort { SORT_READ, SORT_WRITE, SORT_SHORTEN, SORT_SYNC, SORT_NAME }; /* to make a file shorter needs no room */

/* 0, or the errno value with which this operation fails; counts it, and cuts the power before it where that was asked for. */
int sim_disk_begin(struct sim_disk *disk, enum sort sort);
/* A sync that answers success without doing anything: true. */
bool sim_disk_lies(struct sim_disk *disk);

void sim_image_resize(struct image *image, size_t size); /* new bytes are zeros */
void sim_image_copy(struct image *to, const struct image *from);
void sim_image_change(struct image *image, const struct change *change);

struct inode *sim_inode_new(struct sim_disk *disk, bool directory);
void sim_inode_drop_changes(struct inode *inode);
/* Frees what no name, no waiting change of names and no open file holds. */
void sim_inode_collect(struct sim_disk *disk);

struct inode *sim_names_find(const struct names *names, const char *path);
void sim_names_set(struct names *names, const char *path, struct inode *inode); /* NULL: the name goes */
void sim_names_free(struct names *names);
void sim_names_apply(struct names *names, const struct renaming *renaming);
/* A name that now means `inode` (SORT_NAME was begun). */
void sim_names_link(struct sim_disk *disk, const char *path, struct inode *inode);
void sim_renamings_forget(struct sim_disk *disk, size_t kept); /* those from `kept` on */
bool sim_names_parent(const char *path, char out[SIM_PATH_MAX]);

#endif
