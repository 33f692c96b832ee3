/* What the names in `replaced` do: which values are dead, and how deep each stands (docs/protocol.md, section 6). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge_values.h"

static int order_values(const void *left, const void *right)
{
    const struct mq_merge_value *a = left, *b = right;

    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    return memcmp(a->name, b->name, MQ_NAME_SIZE);
}

/* The first value of this field and name, and how many there are: one, unless eight bytes of two hashes agree. */
static struct mq_merge_value *find(const struct mq_merge_values *all, uint64_t field, const uint8_t *name,
                                   size_t *count)
{
    struct mq_merge_value wanted = {.field = field};
    size_t low = 0, high = all->count;

    memcpy(wanted.name, name, MQ_NAME_SIZE);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_values(&all->items[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < all->count && order_values(&all->items[low + *count], &wanted) == 0)
        ++*count;
    return all->items + low;
}

/* May this change put its own value in the place of a more protective one? Where it may not, both stand. */
static bool may_replace(const struct mq_merge_step *step, enum mq_field_guard guard, struct mq_span value)
{
    bool lowers = mq_value_openness(step->change.value) > mq_value_openness(value);

    switch (guard) {
    case MQ_GUARD_NONE:
    case MQ_GUARD_DESK: /* nobody else's change has come this far */
        return true;
    case MQ_GUARD_REASON:
        return !lowers || step->change.note.size > 0;
    case MQ_GUARD_COUNTY:
        return !lowers || step->fact->rank >= MQ_RANK_COUNTY;
    }
    MQ_NO_OTHER();
}

static void kill_replaced(const struct mq_merge_values *all)
{
    const struct mq_kind *kind = mq_kind_by_number(all->kind);

    for (size_t i = 0; i < all->step_count; i++) {
        const struct mq_change *change = &all->steps[i].change;
        const struct mq_field *field = mq_field_by_number(kind, change->field);
        enum mq_field_guard guard = field == NULL ? MQ_GUARD_NONE : field->guard;
        for (size_t at = 0; at < change->replaced.size; at += MQ_NAME_SIZE) {
            size_t count;
            struct mq_merge_value *named = find(all, change->field, change->replaced.data + at, &count);
            for (size_t k = 0; k < count; k++)
                named[k].dead |= may_replace(&all->steps[i], guard, named[k].value);
        }
    }
}

/* Depth: 0 for a value that replaces nothing, else one more than the deepest that it names. Names that are not here
 * count as 0, and so do names in a ring or above one (two values that name each other: eight bytes can be forged with
 * much work), so that the result does not depend on where one starts. */

static void rise(struct mq_merge_value *value, const struct mq_merge_value *named)
{
    if (named->ring || named->phase == MQ_DEPTH_OPEN)
        value->ring = true;
    else if (named->depth >= value->depth)
        value->depth = named->depth + 1;
}

/* Something that `value` names and that is not yet measured; NULL once all is, and then its depth stands. */
static struct mq_merge_value *unmeasured_below(const struct mq_merge_values *all, struct mq_merge_value *value)
{
    struct mq_span replaced = value->step->change.replaced;

    for (; value->next < replaced.size; value->next += MQ_NAME_SIZE) {
        size_t count;
        struct mq_merge_value *named = find(all, value->field, replaced.data + value->next, &count);
        for (size_t i = 0; i < count; i++) {
            if (named[i].phase == MQ_DEPTH_UNKNOWN)
                return &named[i];
        }
        for (size_t i = 0; i < count; i++)
            rise(value, &named[i]);
    }
    return NULL;
}

/* Depth first, with the way back written into the values: thousands of edits must not become as deep a stack. */
static void measure(const struct mq_merge_values *all, struct mq_merge_value *value)
{
    while (value != NULL) {
        if (value->phase == MQ_DEPTH_UNKNOWN) {
            value->phase = MQ_DEPTH_OPEN;
            value->depth = value->step->change.replaced.size > 0 ? 1 : 0;
        }
        struct mq_merge_value *below = unmeasured_below(all, value);
        if (below != NULL) {
            below->above = value;
            value = below;
        } else {
            value->phase = MQ_DEPTH_KNOWN;
            value = value->above;
        }
    }
}

void mq_merge_names(struct mq_merge_values *all)
{
    mq_merge_sort(all->items, all->count, sizeof(*all->items), order_values);
    kill_replaced(all);
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].phase == MQ_DEPTH_UNKNOWN)
            measure(all, &all->items[i]);
    }
}
