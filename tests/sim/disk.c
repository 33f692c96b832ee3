/* Power and faults of a simulated disk. */
#include "tests/sim/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "tests/sim/disk_parts.h"

struct sim_disk *sim_disk_new(struct sim_choices *choices)
{
    struct sim_disk *disk = calloc(1, sizeof *disk);
    MQ_ASSERT(disk != NULL);
    disk->choices = choices;
    struct inode *root = sim_inode_new(disk, true);
    sim_names_set(&disk->shown, "/", root);
    sim_names_set(&disk->durable, "/", root);
    return disk;
}

/* No name, no file is left. */
static void empty(struct sim_disk *disk)
{
    sim_names_free(&disk->shown);
    sim_names_free(&disk->durable);
    sim_renamings_forget(disk, 0);
    for (size_t i = 0; i < disk->inode_count; i++)
        disk->inodes[i]->opens = 0;
    sim_inode_collect(disk);
}

void sim_disk_free(struct sim_disk *disk)
{
    if (disk == NULL)
        return;
    empty(disk);
    free(disk->inodes);
    free(disk->renamings);
    free(disk);
}

/* ---- what fails ---- */

void sim_disk_cut_before(struct sim_disk *disk, int64_t nth)
{
    MQ_ASSERT(nth >= 0);
    disk->cut_before = nth == 0 ? 0 : disk->operations + nth;
}

void sim_disk_cut(struct sim_disk *disk)
{
    if (disk->off)
        return;
    disk->off = true;
    disk->life++;
    disk->cut_before = 0;
    disk->faults_made++;
}

bool sim_disk_is_off(const struct sim_disk *disk)
{
    return disk->off;
}

int64_t sim_disk_operations(const struct sim_disk *disk)
{
    return disk->operations;
}

int64_t sim_disk_faults_made(const struct sim_disk *disk)
{
    return disk->faults_made;
}

void sim_disk_set_faults(struct sim_disk *disk, struct sim_disk_faults faults)
{
    disk->faults = faults;
}

void sim_disk_set_survival(struct sim_disk *disk, enum sim_survival survival)
{
    disk->survival = survival;
}

void sim_disk_fail_nth(struct sim_disk *disk, int64_t nth, enum mq_status status, bool for_good)
{
    MQ_ASSERT(nth >= 0 && (nth == 0 || status == MQ_FAULT || status == MQ_NO_SPACE));
    disk->fail_nth = nth;
    disk->fail_status = status;
    disk->fail_for_good = for_good;
}

static bool needs_room(enum sort sort)
{
    return sort == SORT_WRITE;
}

/* Whether this is the operation that was chosen to fail, or one after it. */
static int planned(struct sim_disk *disk, enum sort sort)
{
    bool counted = disk->fail_status == MQ_FAULT || needs_room(sort);
    if (disk->fail_nth == 0 || !counted || --disk->fail_nth > 0)
        return 0;
    disk->fail_nth = disk->fail_for_good ? 1 : 0;
    return disk->fail_status == MQ_FAULT ? EIO : ENOSPC;
}

static int by_chance(struct sim_disk *disk, enum sort sort)
{
    const struct sim_disk_faults *faults = &disk->faults;
    uint32_t one_in = sort == SORT_READ ? faults->read_error
                      : sort == SORT_SYNC ? faults->sync_error
                                          : faults->write_error;
    if (one_in > 0 && sim_chance(disk->choices, one_in))
        return EIO;
    return needs_room(sort) && (faults->full == 1 || sim_chance(disk->choices, faults->full)) ? ENOSPC : 0;
}

int sim_disk_begin(struct sim_disk *disk, enum sort sort)
{
    if (!disk->off && sort != SORT_READ && ++disk->operations == disk->cut_before)
        sim_disk_cut(disk);
    if (disk->off)
        return EIO;
    int result = planned(disk, sort);
    if (result == 0)
        result = by_chance(disk, sort);
    if (result != 0)
        disk->faults_made++;
    return result;
}

bool sim_disk_lies(struct sim_disk *disk)
{
    bool lies = disk->faults.lying_sync > 0 &&
                (disk->faults.lying_sync == 1 || sim_chance(disk->choices, disk->faults.lying_sync));
    disk->faults_made += lies;
    return lies;
}

/* ---- what survives ---- */

static const uint8_t scribble = 0xa5;

/* Only a part of the sectors that the write touches has reached the medium; the others hold what they held, or, where
 * `scribbled`, nonsense. */
static void tear(struct sim_disk *disk, struct image *image, const struct change *change, bool scribbled)
{
    uint64_t first = change->at / SECTOR, last = (change->at + change->size - 1) / SECTOR;
    uint32_t kind = sim_choose(disk->choices, 3); /* a front, an end, or every second one */
    uint64_t limit = first + sim_choose(disk->choices, (uint32_t)(last - first + 2));
    if (change->at + change->size > image->size)
        sim_image_resize(image, (size_t)change->at + change->size);
    for (uint64_t sector = first; sector <= last; sector++) {
        bool there = kind == 0 ? sector < limit : kind == 1 ? sector >= limit : (sector + limit) % 2 == 0;
        uint64_t from = sector * SECTOR < change->at ? change->at : sector * SECTOR;
        uint64_t to = change->at + change->size;
        to = to < (sector + 1) * SECTOR ? to : (sector + 1) * SECTOR;
        if (there)
            memcpy(image->data + from, change->data + (from - change->at), (size_t)(to - from));
        else if (scribbled)
            memset(image->data + from, scribble, (size_t)(to - from));
    }
}

static void survive_each(struct sim_disk *disk, struct image *image, const struct change *change)
{
    uint32_t fate = sim_choose(disk->choices, 8);
    if (fate <= 3 || (fate >= 6 && change->size == 0))
        sim_image_change(image, change);
    else if (fate >= 6)
        tear(disk, image, change, fate == 7);
}

/* The waiting changes up to `limit` in the order of the whole disk are kept; with SIM_EACH each has its own fate. */
static void settle_content(struct sim_disk *disk, enum sim_survival survival, uint64_t limit)
{
    for (size_t i = 0; i < disk->inode_count; i++) {
        struct inode *inode = disk->inodes[i];
        inode->opens = 0;
        inode->reserved = NULL;
        inode->shared = 0;
        inode->exclusive = inode->wanted = false;
        if (inode->first == NULL && !inode->parted)
            continue;
        for (const struct change *at = inode->first; at != NULL; at = at->next) {
            if (survival == SIM_EACH)
                survive_each(disk, &inode->durable, at);
            else if (at->order <= limit)
                sim_image_change(&inode->durable, at);
        }
        sim_inode_drop_changes(inode);
        inode->parted = false;
        sim_image_copy(&inode->shown, &inode->durable);
    }
}

/* A file in a directory that did not survive is out of reach. */
static void drop_orphans(struct names *names)
{
    for (size_t i = 0; i < names->count;) {
        char parent[SIM_PATH_MAX];
        const char *path = names->list[i].path;
        const struct inode *directory = sim_names_parent(path, parent) ? sim_names_find(names, parent) : NULL;
        bool orphan = strcmp(path, "/") != 0 && (directory == NULL || !directory->directory);
        if (!orphan) {
            i++;
            continue;
        }
        char gone[SIM_PATH_MAX];
        snprintf(gone, sizeof gone, "%s", path);
        sim_names_set(names, gone, NULL); /* the list is sorted: a directory is met before what it holds */
    }
}

static void settle_names(struct sim_disk *disk, enum sim_survival survival, uint64_t limit)
{
    for (size_t i = 0; i < disk->renaming_count; i++) {
        const struct renaming *renaming = disk->renamings + i;
        bool kept = survival == SIM_EACH ? sim_choose(disk->choices, 2) == 0 : renaming->order <= limit;
        if (kept)
            sim_names_apply(&disk->durable, renaming);
    }
    sim_renamings_forget(disk, 0);
    drop_orphans(&disk->durable);
    sim_names_free(&disk->shown);
    for (size_t i = 0; i < disk->durable.count; i++)
        sim_names_set(&disk->shown, disk->durable.list[i].path, disk->durable.list[i].inode);
    sim_inode_collect(disk);
}

/* The order of the first change that is still waiting. */
static uint64_t first_waiting(const struct sim_disk *disk)
{
    uint64_t first = disk->renaming_count > 0 ? disk->renamings[0].order : disk->order + 1;
    for (size_t i = 0; i < disk->inode_count; i++) {
        const struct change *change = disk->inodes[i]->first;
        if (change != NULL && change->order < first)
            first = change->order;
    }
    return first;
}

void sim_disk_power_on(struct sim_disk *disk)
{
    sim_disk_cut(disk);
    enum sim_survival survival = disk->survival;
    if (survival == SIM_BY_CHOICE)
        survival = (enum sim_survival)(SIM_ALL + sim_choose(disk->choices, 4));
    uint64_t limit = disk->order, first = first_waiting(disk);
    if (survival == SIM_NOTHING)
        limit = 0;
    else if (survival == SIM_PREFIX)
        limit -= sim_choose(disk->choices, (uint32_t)(disk->order + 2 - first));
    settle_content(disk, survival, limit);
    settle_names(disk, survival, limit);
    disk->off = false;
}

/* ---- at rest ---- */

bool sim_disk_rot(struct sim_disk *disk, const char *suffix)
{
    uint64_t total = 0, place = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t seen = 0;
        for (size_t i = 0; i < disk->shown.count; i++) {
            const struct name *name = disk->shown.list + i;
            size_t length = strlen(name->path), tail = strlen(suffix);
            if (name->inode->directory || length < tail || strcmp(name->path + length - tail, suffix) != 0)
                continue;
            struct image *durable = &name->inode->durable, *shown = &name->inode->shown;
            if (pass == 1 && place < seen + durable->size) {
                size_t at = (size_t)(place - seen);
                uint8_t bit = (uint8_t)(1u << sim_choose(disk->choices, 8));
                durable->data[at] ^= bit;
                if (at < shown->size)
                    shown->data[at] ^= bit;
                disk->faults_made++;
                return true;
            }
            seen += durable->size;
        }
        total = seen;
        if (total == 0)
            return false;
        if (pass == 0)
            place = sim_choose(disk->choices, (uint32_t)total);
    }
    return false;
}

void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from)
{
    MQ_ASSERT(to != from);
    empty(to);
    to->life++;
    to->off = false;
    to->cut_before = 0;
    to->next_inode = from->next_inode;
    for (size_t i = 0; i < from->shown.count; i++) {
        const struct name *name = from->shown.list + i;
        struct inode *copy = sim_inode_new(to, name->inode->directory);
        copy->number = name->inode->number;
        sim_image_copy(&copy->shown, &name->inode->shown);
        sim_image_copy(&copy->durable, &name->inode->shown);
        sim_names_set(&to->shown, name->path, copy);
        sim_names_set(&to->durable, name->path, copy);
    }
    to->next_inode = from->next_inode;
}
