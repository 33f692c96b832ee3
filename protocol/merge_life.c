/* Who is in a group, and whether it is deleted: per record, because a link between records may be undone
 * (docs/protocol.md, section 6). */
#include <string.h>

#include "protocol/merge_values.h"

/* One record of the group. */
struct member {
    uint8_t id[MQ_ID_SIZE];
    bool created; /* its create is here */
    bool lives;   /* a live value of its life says something else than "deleted" */
    bool dies;    /* one says "deleted" */
};

static int order_members(const void *a, const void *b)
{
    return memcmp(((const struct member *)a)->id, ((const struct member *)b)->id, MQ_ID_SIZE);
}

static int order_names(const void *a, const void *b)
{
    return memcmp(a, b, MQ_NAME_SIZE);
}

/* Sorted, each once. */
static struct member *put_members(struct mq_group_state *out, const struct mq_merge_values *all, struct mq_arena *arena)
{
    struct member *members = mq_merge_take(arena, all->step_count, sizeof(*members));
    uint8_t *ids = mq_merge_take(arena, all->step_count, MQ_ID_SIZE);

    if (members == NULL || ids == NULL)
        return NULL;
    for (size_t i = 0; i < all->step_count; i++) {
        memcpy(members[i].id, all->steps[i].fact->record, MQ_ID_SIZE);
        members[i].created = all->steps[i].change.type == MQ_CHANGE_CREATE;
    }
    mq_merge_sort(members, all->step_count, sizeof(*members), order_members);
    for (size_t i = 0; i < all->step_count; i++) {
        if (out->member_count > 0 && order_members(&members[out->member_count - 1], &members[i]) == 0) {
            members[out->member_count - 1].created |= members[i].created;
            continue;
        }
        memcpy(ids + out->member_count * MQ_ID_SIZE, members[i].id, MQ_ID_SIZE);
        members[out->member_count++] = members[i];
    }
    out->members = ids;
    memcpy(out->canonical, ids, out->member_count > 0 ? MQ_ID_SIZE : 0);
    return members;
}

static struct member *find_member(struct member *members, size_t count, const uint8_t *id)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (memcmp(members[middle].id, id, MQ_ID_SIZE) < 0)
            low = middle + 1;
        else
            count = middle;
    }
    return &members[low];
}

/* Is `life` a deletion, [1, [name ...]]? Then `names` stands before the first of `count` names. */
static bool read_deletion(struct mq_span life, struct mq_reader *names, uint64_t *count)
{
    *names = mq_reader(life);
    if (mq_cbor_array(names, UINT64_MAX) < 2 || mq_cbor_uint(names) != 1)
        return false;
    *count = mq_cbor_array(names, UINT64_MAX);
    struct mq_reader ahead = *names;
    for (uint64_t i = 0; i < *count; i++) {
        if (mq_cbor_bytes(&ahead, MQ_NAME_SIZE).size != MQ_NAME_SIZE)
            return false;
    }
    return !ahead.failed;
}

/* Live values of life stand first among the values: field 0. */
static size_t life_count(const struct mq_merge_values *all)
{
    size_t count = 0;

    while (count < all->count && all->items[count].field == MQ_FIELD_LIFE)
        count++;
    return count;
}

/* Every name that a live deletion lists: what somebody saw and deleted. Sorted. */
static const uint8_t *put_seen(const struct mq_merge_values *all, size_t *seen_count, struct mq_arena *arena)
{
    struct mq_reader reader;
    uint64_t names;
    size_t total = 0, lives = life_count(all);

    for (size_t i = 0; i < lives; i++) {
        if (!all->items[i].dead && read_deletion(all->items[i].value, &reader, &names))
            total += (size_t)names;
    }
    uint8_t *seen = mq_merge_take(arena, total, MQ_NAME_SIZE);
    *seen_count = 0;
    for (size_t i = 0; seen != NULL && i < lives; i++) {
        if (all->items[i].dead || !read_deletion(all->items[i].value, &reader, &names))
            continue;
        for (uint64_t k = 0; k < names; k++)
            memcpy(seen + (*seen_count)++ * MQ_NAME_SIZE, mq_cbor_bytes(&reader, MQ_NAME_SIZE).data, MQ_NAME_SIZE);
    }
    if (seen != NULL)
        mq_merge_sort(seen, total, MQ_NAME_SIZE, order_names);
    return seen;
}

static bool is_seen(const uint8_t *seen, size_t count, const uint8_t *name)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = memcmp(seen + middle * MQ_NAME_SIZE, name, MQ_NAME_SIZE);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            count = middle;
    }
    return false;
}

/* Deleted: every record of the group that is here, and there is one. */
static bool all_die(const struct member *members, size_t count)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (members[i].created && (members[i].lives || !members[i].dies))
            return false;
        any |= members[i].created;
    }
    return any;
}

enum mq_status mq_merge_life(struct mq_group_state *out, const struct mq_merge_values *all, struct mq_arena *arena)
{
    size_t lives = life_count(all), seen_count;
    struct member *members = put_members(out, all, arena);
    uint8_t *names = mq_merge_take(arena, lives, MQ_NAME_SIZE);

    if (members == NULL || names == NULL)
        return MQ_NO_SPACE;
    out->life_names = names;
    for (size_t i = 0; i < lives; i++) {
        const struct mq_merge_value *life = &all->items[i];
        struct mq_reader reader;
        uint64_t count;
        if (life->dead)
            continue;
        struct member *member = find_member(members, out->member_count, life->step->fact->record);
        if (read_deletion(life->value, &reader, &count))
            member->dies = true;
        else
            member->lives = true;
        if (out->life_count == 0 || memcmp(names + (out->life_count - 1) * MQ_NAME_SIZE, life->name, MQ_NAME_SIZE) != 0)
            memcpy(names + out->life_count++ * MQ_NAME_SIZE, life->name, MQ_NAME_SIZE);
    }
    out->deleted = all_die(members, out->member_count);
    if (!out->deleted)
        return MQ_OK;
    const uint8_t *seen = put_seen(all, &seen_count, arena);
    if (seen == NULL)
        return MQ_NO_SPACE;
    for (size_t i = lives; i < all->count && !out->review; i++)
        out->review = !all->items[i].dead && !is_seen(seen, seen_count, all->items[i].name);
    return MQ_OK;
}
