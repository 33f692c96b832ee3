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

/* A create may hold one element many times: one value, however often he who names it is answered. */
static void each_once(struct mq_merge_values *all)
{
    size_t kept = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct mq_merge_value *last = kept > 0 ? &all->items[kept - 1] : NULL;
        bool again = last != NULL && last->field == all->items[i].field && last->step == all->items[i].step &&
                     mq_span_equal(last->value, all->items[i].value);
        if (!again)
            all->items[kept++] = all->items[i];
    }
    all->count = kept;
}

/* Names to places. A million names may have to be found, so they are looked up once, as numbers that lie side by side. */

static uint64_t number_of(const uint8_t *name)
{
    uint64_t number = 0;

    for (size_t i = 0; i < MQ_NAME_SIZE; i++)
        number = number << 8 | name[i];
    return number;
}

/* The first of the rising numbers from `low` to `high` that is not below `wanted`. Without a branch that a machine could
 * guess wrong. */
static size_t first_from(const uint64_t *numbers, size_t low, size_t high, uint64_t wanted)
{
    size_t left = high - low;

    while (left > 1) {
        size_t half = left / 2;
        low += half * (numbers[low + half - 1] < wanted);
        left -= half;
    }
    return low + (left == 1 && numbers[low] < wanted);
}

/* Where the names of this step's change stand among the values of its field: one place each, unless eight bytes of two
 * hashes agree. */
static void places_put(struct mq_merge_step *step, const struct mq_merge_values *all, const uint64_t *fields,
                       const uint64_t *numbers)
{
    size_t low = first_from(fields, 0, all->count, step->change.field);
    size_t high = low;

    while (high < all->count && fields[high] == step->change.field) /* once; after the greatest number there is no next */
        high = first_from(fields, high + 1, all->count, step->change.field + 1);
    for (size_t i = 0; i < step->name_count; i++) {
        uint64_t wanted = number_of(step->names[i].name);
        size_t first = first_from(numbers, low, high, wanted), end = first;
        while (end < high && numbers[end] == wanted)
            end++;
        step->names[i].first = (uint32_t)first;
        step->names[i].count = (uint32_t)(end - first);
    }
}

static enum mq_status find_named(struct mq_merge_values *all, struct mq_arena *arena)
{
    uint64_t *fields = mq_merge_take(arena, all->count, sizeof(*fields));
    uint64_t *numbers = mq_merge_take(arena, all->count, sizeof(*numbers));

    if (fields == NULL || numbers == NULL)
        return MQ_NO_SPACE;
    for (size_t i = 0; i < all->count; i++) {
        fields[i] = all->items[i].field;
        numbers[i] = number_of(all->items[i].name);
    }
    for (size_t i = 0; i < all->step_count; i++)
        places_put(&all->steps[i], all, fields, numbers);
    return MQ_OK;
}

static bool lowers(const struct mq_merge_step *step, struct mq_span value)
{
    return mq_value_openness(step->change.value) > mq_value_openness(value);
}

/* May this change put its own value in the place of a more protective one? Where it may not, both stand. */
static bool may_replace(const struct mq_merge_step *step, enum mq_field_guard guard, struct mq_span value)
{
    switch (guard) {
    case MQ_GUARD_NONE:
    case MQ_GUARD_DESK: /* nobody else's change has come this far */
        return true;
    case MQ_GUARD_REASON:
        return step->change.note.size > 0 || !lowers(step, value);
    case MQ_GUARD_COUNTY:
        return step->fact->rank >= MQ_RANK_COUNTY || !lowers(step, value);
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
        for (size_t at = 0; at < all->steps[i].name_count; at++) {
            const union mq_merge_name *named = &all->steps[i].names[at];
            for (uint32_t k = 0; k < named->count; k++) {
                struct mq_merge_value *value = &all->items[named->first + k];
                value->dead |= may_replace(&all->steps[i], guard, value->value);
            }
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
    const struct mq_merge_step *step = value->step;

    for (; value->next < step->name_count; value->next++) {
        const union mq_merge_name *named = &step->names[value->next];
        struct mq_merge_value *items = &all->items[named->first];
        for (uint32_t i = 0; i < named->count; i++) {
            if (items[i].phase == MQ_DEPTH_UNKNOWN)
                return &items[i];
        }
        for (uint32_t i = 0; i < named->count; i++)
            rise(value, &items[i]);
    }
    return NULL;
}

/* Depth first, with the way back written into the values: thousands of edits must not become as deep a stack. */
static void measure(const struct mq_merge_values *all, struct mq_merge_value *value)
{
    while (value != NULL) {
        if (value->phase == MQ_DEPTH_UNKNOWN) {
            value->phase = MQ_DEPTH_OPEN;
            value->depth = value->step->name_count > 0 ? 1 : 0;
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

enum mq_status mq_merge_names(struct mq_merge_values *all, struct mq_arena *arena)
{
    mq_merge_sort(all->items, all->count, sizeof(*all->items), order_values);
    each_once(all);
    enum mq_status status = find_named(all, arena);
    if (status != MQ_OK)
        return status;
    kill_replaced(all);
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].phase == MQ_DEPTH_UNKNOWN)
            measure(all, &all->items[i]);
    }
    return MQ_OK;
}
