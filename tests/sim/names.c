/* The directories of a simulated disk: what the names mean now, and what they mean on the platter. */
#include "tests/sim/disk_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

static char *copy_text(const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    MQ_ASSERT(text == NULL || copy != NULL);
    return copy;
}

bool sim_path(char out[SIM_PATH_MAX], const char *path)
{
    size_t size = 0;
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && *path == '.')) {
            if (size + length + 2 > SIM_PATH_MAX)
                return false;
            out[size++] = '/';
            memcpy(out + size, path, length);
            size += length;
        }
        path += length + (path[length] == '/' ? 1 : 0);
    }
    if (size == 0)
        out[size++] = '/';
    out[size] = '\0';
    return true;
}

bool sim_names_parent(const char *path, char out[SIM_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    MQ_ASSERT(slash != NULL);
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, path, length);
    out[length] = '\0';
    return strcmp(path, "/") != 0;
}

/* ---- a table of names ---- */

/* Where `path` stands, or belongs. */
static size_t find_place(const struct names *names, const char *path, bool *there)
{
    size_t low = 0, high = names->count;
    *there = false;
    while (low < high && !*there) {
        size_t middle = (low + high) / 2;
        int order = strcmp(names->list[middle].path, path);
        *there = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *there ? high : low;
}

struct inode *sim_names_find(const struct names *names, const char *path)
{
    bool there;
    size_t place = find_place(names, path, &there);
    return there ? names->list[place].inode : NULL;
}

void sim_names_set(struct names *names, const char *path, struct inode *inode)
{
    bool there;
    size_t place = find_place(names, path, &there);
    struct name *at;
    if (inode == NULL) {
        if (!there)
            return;
        at = names->list + place;
        free(at->path);
        memmove(at, at + 1, (--names->count - place) * sizeof *at);
        return;
    }
    if (!there) {
        if (names->count == names->room) {
            names->room = names->room == 0 ? 16 : names->room * 2;
            names->list = realloc(names->list, names->room * sizeof *names->list);
            MQ_ASSERT(names->list != NULL);
        }
        at = names->list + place;
        memmove(at + 1, at, (names->count++ - place) * sizeof *at);
        at->path = copy_text(path);
    }
    names->list[place].inode = inode;
}

void sim_names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i].path);
    free(names->list);
    *names = (struct names){0};
}

/* Every name under the directory `from` goes with it. */
static void move_below(struct names *names, const char *from, const char *to)
{
    size_t length = strlen(from);
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < names->count && !again; i++) {
            const char *path = names->list[i].path;
            if (strncmp(path, from, length) != 0 || path[length] != '/')
                continue;
            char moved[SIM_PATH_MAX];
            int size = snprintf(moved, sizeof moved, "%s%s", to, path + length);
            MQ_ASSERT(size > 0 && size < (int)sizeof moved);
            char *old = copy_text(path);
            sim_names_set(names, moved, names->list[i].inode);
            sim_names_set(names, old, NULL);
            free(old);
            again = true;
        }
    }
}

void sim_names_apply(struct names *names, const struct renaming *renaming)
{
    bool was = renaming->from != NULL && sim_names_find(names, renaming->from) == renaming->inode;
    if (was)
        sim_names_set(names, renaming->from, NULL);
    if (renaming->to != NULL)
        sim_names_set(names, renaming->to, renaming->inode);
    if (was && renaming->to != NULL && renaming->inode->directory)
        move_below(names, renaming->from, renaming->to);
}

/* ---- changes of names ---- */

static void change_name(struct sim_disk *disk, const char *from, const char *to, struct inode *inode)
{
    if (disk->renaming_count == disk->renaming_room) {
        disk->renaming_room = disk->renaming_room == 0 ? 16 : disk->renaming_room * 2;
        disk->renamings = realloc(disk->renamings, disk->renaming_room * sizeof *disk->renamings);
        MQ_ASSERT(disk->renamings != NULL);
    }
    struct renaming *renaming = disk->renamings + disk->renaming_count++;
    *renaming = (struct renaming){
        .order = ++disk->order, .from = copy_text(from), .to = copy_text(to), .inode = inode};
    sim_names_apply(&disk->shown, renaming);
}

static void renaming_free(struct renaming *renaming)
{
    free(renaming->from);
    free(renaming->to);
}

void sim_renamings_forget(struct sim_disk *disk, size_t kept)
{
    while (disk->renaming_count > kept)
        renaming_free(disk->renamings + --disk->renaming_count);
}

void sim_names_link(struct sim_disk *disk, const char *path, struct inode *inode)
{
    change_name(disk, NULL, path, inode);
}

/* The path as kept, and 0 where it can be named: its directory is there. */
static int resolve(const struct sim_disk *disk, const char *path, char out[SIM_PATH_MAX])
{
    char parent[SIM_PATH_MAX];
    if (!sim_path(out, path))
        return ENAMETOOLONG;
    if (!sim_names_parent(out, parent))
        return EEXIST;
    const struct inode *inode = sim_names_find(&disk->shown, parent);
    return inode == NULL ? ENOENT : inode->directory ? 0 : ENOTDIR;
}

int sim_name_remove(struct sim_disk *disk, const char *path)
{
    char name[SIM_PATH_MAX];
    int result = resolve(disk, path, name);
    struct inode *inode = result == 0 ? sim_names_find(&disk->shown, name) : NULL;
    if (result == 0 && inode == NULL)
        result = ENOENT;
    if (result == 0 && inode->directory)
        result = EISDIR;
    if (result == ENOENT && disk->off)
        result = EIO;
    if (result == 0)
        result = sim_disk_begin(disk, SORT_NAME);
    if (result == 0)
        change_name(disk, name, NULL, inode);
    return result;
}

int sim_name_rename(struct sim_disk *disk, const char *from, const char *to)
{
    char old_name[SIM_PATH_MAX], new_name[SIM_PATH_MAX];
    int result = resolve(disk, from, old_name);
    if (result == 0)
        result = resolve(disk, to, new_name);
    struct inode *inode = result == 0 ? sim_names_find(&disk->shown, old_name) : NULL;
    if (result == 0 && inode == NULL)
        result = ENOENT;
    if (result == 0)
        result = sim_disk_begin(disk, SORT_NAME);
    if (result == 0 && strcmp(old_name, new_name) != 0)
        change_name(disk, old_name, new_name, inode);
    return result;
}

int sim_name_make_directory(struct sim_disk *disk, const char *path)
{
    char name[SIM_PATH_MAX];
    int result = resolve(disk, path, name);
    if (result == 0 && sim_names_find(&disk->shown, name) != NULL)
        result = EEXIST;
    if (result == 0)
        result = sim_disk_begin(disk, SORT_NAME);
    if (result == 0)
        sim_names_link(disk, name, sim_inode_new(disk, true));
    return result;
}

static bool within(const char *path, const char *directory)
{
    char parent[SIM_PATH_MAX];
    return path != NULL && sim_names_parent(path, parent) && strcmp(parent, directory) == 0;
}

int sim_name_sync(struct sim_disk *disk, const char *path)
{
    char name[SIM_PATH_MAX], directory[SIM_PATH_MAX];
    if (!sim_path(name, path))
        return ENAMETOOLONG;
    sim_names_parent(name, directory);
    int result = sim_disk_begin(disk, SORT_SYNC);
    if (result != 0 || sim_disk_lies(disk))
        return result;
    size_t kept = 0;
    for (size_t i = 0; i < disk->renaming_count; i++) {
        struct renaming *renaming = disk->renamings + i;
        if (within(renaming->to, directory) || within(renaming->from, directory)) {
            sim_names_apply(&disk->durable, renaming);
            renaming_free(renaming);
        } else {
            disk->renamings[kept++] = *renaming;
        }
    }
    disk->renaming_count = kept;
    sim_inode_collect(disk);
    return 0;
}

uint64_t sim_name_inode(const struct sim_disk *disk, const char *path, bool *directory)
{
    char name[SIM_PATH_MAX];
    const struct inode *inode = disk->off || !sim_path(name, path) ? NULL : sim_names_find(&disk->shown, name);
    if (inode != NULL)
        *directory = inode->directory;
    return inode == NULL ? 0 : inode->number;
}

const char *sim_name_at(const struct sim_disk *disk, size_t nth)
{
    for (size_t i = 0; i < disk->shown.count; i++) {
        if (!disk->shown.list[i].inode->directory && nth-- == 0)
            return disk->shown.list[i].path;
    }
    return NULL;
}
