/* Open files of a simulated disk: every change goes to what programs read at once, and waits for a sync. */
#include "tests/sim/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "tests/sim/disk_parts.h"

/* ---- content ---- */

static void make_room(struct image *image, size_t size)
{
    if (size <= image->room)
        return;
    size_t room = image->room == 0 ? 8192 : image->room;
    while (room < size)
        room *= 2;
    image->data = realloc(image->data, room);
    MQ_ASSERT(image->data != NULL);
    image->room = room;
}

void sim_image_resize(struct image *image, size_t size)
{
    make_room(image, size);
    if (size > image->size)
        memset(image->data + image->size, 0, size - image->size);
    image->size = size;
}

void sim_image_copy(struct image *to, const struct image *from)
{
    sim_image_resize(to, from->size);
    if (from->size > 0)
        memcpy(to->data, from->data, from->size);
}

void sim_image_change(struct image *image, const struct change *change)
{
    if (change->size == 0) {
        sim_image_resize(image, (size_t)change->at);
        return;
    }
    size_t end = (size_t)change->at + change->size;
    if (change->at > image->size)
        sim_image_resize(image, (size_t)change->at);
    if (end > image->size) { /* no zeros where something is written at once */
        make_room(image, end);
        image->size = end;
    }
    memcpy(image->data + change->at, change->data, change->size);
}

struct inode *sim_inode_new(struct sim_disk *disk, bool directory)
{
    struct inode *inode = calloc(1, sizeof *inode);
    MQ_ASSERT(inode != NULL);
    inode->number = ++disk->next_inode;
    inode->directory = directory;
    inode->last = &inode->first;
    if (disk->inode_count == disk->inode_room) {
        disk->inode_room = disk->inode_room == 0 ? 16 : disk->inode_room * 2;
        disk->inodes = realloc(disk->inodes, disk->inode_room * sizeof(struct inode *));
        MQ_ASSERT(disk->inodes != NULL);
    }
    return disk->inodes[disk->inode_count++] = inode;
}

void sim_inode_drop_changes(struct inode *inode)
{
    while (inode->first != NULL) {
        struct change *change = inode->first;
        inode->first = change->next;
        free(change);
    }
    inode->last = &inode->first;
}

static bool inode_held(const struct sim_disk *disk, const struct inode *inode)
{
    if (inode->opens > 0)
        return true;
    for (size_t i = 0; i < disk->shown.count; i++) {
        if (disk->shown.list[i].inode == inode)
            return true;
    }
    for (size_t i = 0; i < disk->durable.count; i++) {
        if (disk->durable.list[i].inode == inode)
            return true;
    }
    for (size_t i = 0; i < disk->renaming_count; i++) {
        if (disk->renamings[i].inode == inode)
            return true;
    }
    return false;
}

void sim_inode_collect(struct sim_disk *disk)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->inode_count; i++) {
        struct inode *inode = disk->inodes[i];
        if (inode_held(disk, inode)) {
            disk->inodes[kept++] = inode;
            continue;
        }
        sim_inode_drop_changes(inode);
        free(inode->shown.data);
        free(inode->durable.data);
        free(inode);
    }
    disk->inode_count = kept;
}

/* `data` NULL and `size` 0: a truncation. */
static void change(struct sim_disk *disk, struct inode *inode, uint64_t at, const void *data, size_t size)
{
    struct change *made = malloc(sizeof *made + size);
    MQ_ASSERT(made != NULL);
    *made = (struct change){.order = ++disk->order, .at = at, .size = size};
    if (size > 0)
        memcpy(made->data, data, size);
    *inode->last = made;
    inode->last = &made->next;
    sim_image_change(&inode->shown, made);
}

/* ---- open files ---- */

static bool alive(const struct sim_file *file)
{
    return file->life == file->disk->life && !file->disk->off;
}

/* The file of that name, or a new one. */
static int find_or_make(struct sim_disk *disk, const char *name, enum sim_open how, struct inode **out)
{
    char parent[SIM_PATH_MAX];
    *out = sim_names_find(&disk->shown, name);
    if (*out != NULL)
        return how == SIM_NEW ? EEXIST : (*out)->directory ? EISDIR : 0;
    sim_names_parent(name, parent);
    const struct inode *directory = sim_names_find(&disk->shown, parent);
    if (directory == NULL || how == SIM_THERE)
        return ENOENT;
    if (!directory->directory)
        return ENOTDIR;
    int result = sim_disk_begin(disk, SORT_WRITE);
    if (result != 0)
        return result;
    *out = sim_inode_new(disk, false);
    sim_names_link(disk, name, *out);
    return 0;
}

int sim_file_open(struct sim_disk *disk, const char *path, enum sim_open how, struct sim_file **out)
{
    char name[SIM_PATH_MAX];
    struct inode *inode;
    *out = NULL;
    if (disk->off)
        return EIO;
    if (!sim_path(name, path))
        return ENAMETOOLONG;
    int result = find_or_make(disk, name, how, &inode);
    if (result != 0)
        return result;
    struct sim_file *file = malloc(sizeof *file);
    MQ_ASSERT(file != NULL);
    *file = (struct sim_file){.disk = disk, .inode = inode, .life = disk->life};
    inode->opens++;
    *out = file;
    return 0;
}

void sim_file_close(struct sim_file *file)
{
    if (file->life == file->disk->life) {
        sim_file_unlock(file, SIM_UNLOCKED);
        file->inode->opens--;
    }
    free(file);
}

int sim_file_read(struct sim_file *file, void *out, size_t size, uint64_t at, size_t *got)
{
    *got = 0;
    if (!alive(file))
        return EIO;
    int result = sim_disk_begin(file->disk, SORT_READ);
    if (result != 0)
        return result;
    const struct image *image = &file->inode->shown;
    if (at < image->size) {
        *got = image->size - (size_t)at < size ? image->size - (size_t)at : size;
        memcpy(out, image->data + at, *got);
    }
    return 0;
}

int sim_file_write(struct sim_file *file, const void *data, size_t size, uint64_t at)
{
    if (!alive(file))
        return EIO;
    if (size == 0)
        return 0;
    int result = sim_disk_begin(file->disk, SORT_WRITE);
    if (result == ENOSPC && size > 1) /* what still found room is written */
        change(file->disk, file->inode, at, data, size / 2);
    if (result == 0)
        change(file->disk, file->inode, at, data, size);
    return result;
}

int sim_file_truncate(struct sim_file *file, uint64_t size)
{
    if (!alive(file))
        return EIO;
    int result = sim_disk_begin(file->disk, size <= file->inode->shown.size ? SORT_SHORTEN : SORT_WRITE);
    if (result == 0)
        change(file->disk, file->inode, size, NULL, 0);
    return result;
}

/* As Linux does it: the pages count as clean, whatever of them reached the medium. */
static void sync_failed(struct sim_disk *disk, struct inode *inode)
{
    for (const struct change *at = inode->first; at != NULL; at = at->next) {
        if (sim_choose(disk->choices, 2) == 0)
            sim_image_change(&inode->durable, at);
    }
    sim_inode_drop_changes(inode);
    inode->parted = true;
}

int sim_file_sync(struct sim_file *file)
{
    if (!alive(file))
        return EIO;
    int result = sim_disk_begin(file->disk, SORT_SYNC);
    if (file->disk->off)
        return EIO;
    if (result == 0 && sim_disk_lies(file->disk))
        return 0;
    if (result != 0) {
        sync_failed(file->disk, file->inode);
        return result;
    }
    for (const struct change *at = file->inode->first; at != NULL; at = at->next)
        sim_image_change(&file->inode->durable, at);
    sim_inode_drop_changes(file->inode);
    return 0;
}

int sim_file_size(struct sim_file *file, uint64_t *out)
{
    if (!alive(file))
        return EIO;
    *out = file->inode->shown.size;
    return 0;
}

/* ---- locks ---- */

bool sim_file_lock(struct sim_file *file, enum sim_lock level)
{
    struct inode *inode = file->inode;
    if (!alive(file) || level <= file->lock)
        return alive(file);
    bool others_reserved = inode->reserved != NULL && inode->reserved != file;
    if (file->lock == SIM_UNLOCKED) {
        if (others_reserved && (inode->exclusive || inode->wanted))
            return false;
        inode->shared++;
        file->lock = SIM_SHARED;
    }
    if (level >= SIM_RESERVED) {
        if (others_reserved)
            return false;
        inode->reserved = file;
        file->lock = SIM_RESERVED;
    }
    if (level == SIM_EXCLUSIVE) {
        inode->wanted = true;
        if (inode->shared > 1)
            return false;
        inode->exclusive = true;
        file->lock = SIM_EXCLUSIVE;
    }
    return true;
}

void sim_file_unlock(struct sim_file *file, enum sim_lock level)
{
    struct inode *inode = file->inode;
    if (file->life != file->disk->life || level >= file->lock)
        return;
    if (inode->reserved == file) {
        inode->reserved = NULL;
        inode->exclusive = inode->wanted = false;
    }
    if (level == SIM_UNLOCKED)
        inode->shared--;
    file->lock = level;
}

bool sim_file_reserved(const struct sim_file *file)
{
    return file->life == file->disk->life && file->inode->reserved != NULL;
}
