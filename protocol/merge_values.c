/* What the facts of a group say: each once, taken apart into values with names (docs/protocol.md, section 6). */
#include "protocol/merge_values.h"

#include <string.h>

#include "protocol/assert.h"

/* Facts to steps. */

bool mq_merge_is_create(const struct mq_fact *fact)
{
    return memcmp(fact->id, fact->record, MQ_ID_SIZE) == 0;
}

/* By id. One id has one content, so what follows only decides whose word counts where a change was copied under another
 * writer: the highest rank's, which then stands last. */
static int order_facts(const void *left, const void *right)
{
    const struct mq_fact *a = *(const struct mq_fact *const *)left, *b = *(const struct mq_fact *const *)right;
    int order = memcmp(a->id, b->id, MQ_ID_SIZE);

    if (order == 0)
        order = (a->rank > b->rank) - (a->rank < b->rank);
    if (order == 0)
        order = memcmp(a->record, b->record, MQ_ID_SIZE);
    return order != 0 ? order : mq_span_order(a->expanded, b->expanded);
}

/* The facts by id, of equal ids only the last. */
static const struct mq_fact **distinct(const struct mq_fact *facts, size_t *count, struct mq_arena *arena)
{
    const struct mq_fact **sorted = mq_merge_take(arena, *count, sizeof(*sorted));
    size_t kept = 0;

    if (sorted == NULL)
        return NULL;
    for (size_t i = 0; i < *count; i++)
        sorted[i] = &facts[i];
    mq_merge_sort(sorted, *count, sizeof(*sorted), order_facts);
    for (size_t i = 0; i < *count; i++) {
        if (kept > 0 && memcmp(sorted[kept - 1]->id, sorted[i]->id, MQ_ID_SIZE) == 0)
            kept--;
        sorted[kept++] = sorted[i];
    }
    *count = kept;
    return sorted;
}

static bool known(uint64_t type)
{
    return type >= MQ_CHANGE_CREATE && type <= MQ_CHANGE_DECIDE;
}

/* Only a create is about its own id. Of an unknown change only the caller knows the record. */
static bool names_its_record(const struct mq_change *change, const struct mq_fact *fact)
{
    if (change->type == MQ_CHANGE_CREATE)
        return mq_merge_is_create(fact);
    if (!known(change->type))
        return true;
    return !mq_merge_is_create(fact) && memcmp(change->record, fact->record, MQ_ID_SIZE) == 0;
}

static enum mq_status read_step(struct mq_merge_step *step, const struct mq_fact *fact, struct mq_arena *arena)
{
    uint8_t room[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(room, sizeof(room));
    struct mq_change *change = &step->change;

    step->fact = fact;
    if (mq_change_decode(change, fact->expanded, &names) != MQ_OK)
        return MQ_REFUSED;
    if (!names_its_record(change, fact))
        return MQ_REFUSED;
    step->name_count = names.size / MQ_NAME_SIZE;
    step->names = mq_merge_take(arena, step->name_count, sizeof(*step->names));
    if (step->names == NULL)
        return MQ_NO_SPACE;
    if (names.size > 0)
        memcpy(step->names, room, names.size);
    change->replaced = mq_span(NULL, 0); /* it was in this frame */
    return MQ_OK;
}

/* Steps to values. */

/* The next value, or with `items` NULL only its place in the count. */
static void put_value(struct mq_merge_values *all, const struct mq_merge_step *step, uint64_t field,
                      struct mq_span value, enum mq_field_merge merge)
{
    if (all->items != NULL) {
        struct mq_merge_value *item = &all->items[all->count];
        item->field = field;
        item->value = value;
        item->step = step;
        if (merge == MQ_MERGE_REGISTER)
            memcpy(item->name, step->fact->id, MQ_NAME_SIZE);
        else
            mq_element_name(item->name, step->fact->id, value);
    }
    all->count++;
}

/* A create's sets come as arrays. One that is none is a mistake of its writer, but still his word: one element. */
static void put_elements(struct mq_merge_values *all, const struct mq_merge_step *step, uint64_t field,
                         struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    struct mq_cbor_item head = mq_cbor_next(&reader);

    if (head.type != MQ_CBOR_ARRAY) {
        put_value(all, step, field, value, MQ_MERGE_SET);
        return;
    }
    for (uint64_t i = 0; i < head.number; i++)
        put_value(all, step, field, mq_cbor_take(&reader), MQ_MERGE_SET);
    MQ_ASSERT(!reader.failed);
}

static void put_created(struct mq_merge_values *all, const struct mq_merge_step *step, const struct mq_kind *kind)
{
    struct mq_reader reader = mq_reader(step->change.fields);
    uint64_t pairs = mq_cbor_map(&reader, MQ_FIELDS_MAX);

    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t field = mq_cbor_uint(&reader);
        struct mq_span value = mq_cbor_take(&reader);
        enum mq_field_merge merge = mq_merge_rule(kind, field);
        MQ_ASSERT(!reader.failed);
        if (merge == MQ_MERGE_SET)
            put_elements(all, step, field, value);
        else
            put_value(all, step, field, value, merge);
    }
}

static void put_all(struct mq_merge_values *all)
{
    const struct mq_kind *kind = mq_kind_by_number(all->kind);

    all->count = 0;
    for (size_t i = 0; i < all->step_count; i++) {
        const struct mq_merge_step *step = &all->steps[i];
        const struct mq_change *change = &step->change;
        if (change->type == MQ_CHANGE_CREATE)
            put_created(all, step, kind);
        else if (known(change->type) && change->type != MQ_CHANGE_REMOVE)
            put_value(all, step, change->field, change->value, mq_merge_rule(kind, change->field));
    }
}

static bool is_for_desks(const struct mq_kind *kind, const struct mq_change *change)
{
    const struct mq_field *field = change->type == MQ_CHANGE_CREATE ? NULL : mq_field_by_number(kind, change->field);

    return kind->desk_only || (field != NULL && field->guard == MQ_GUARD_DESK);
}

/* Reference data, and some fields, are the desks' alone: what others say of them is kept and counted, and says nothing. */
static void void_steps(struct mq_merge_values *out, struct mq_merge_step *steps)
{
    const struct mq_kind *kind = mq_kind_by_number(out->kind);

    for (size_t i = 0; kind != NULL && i < out->step_count; i++) {
        struct mq_change *change = &steps[i].change;
        if (steps[i].fact->rank >= MQ_RANK_DESK || !known(change->type) || !is_for_desks(kind, change))
            continue;
        *change = (struct mq_change){.type = 0};
        steps[i].name_count = 0;
        out->unknown++;
    }
}

static enum mq_status read_steps(struct mq_merge_values *out, const struct mq_fact *facts, size_t count,
                                 struct mq_arena *arena)
{
    const struct mq_fact **sorted = distinct(facts, &count, arena);
    struct mq_merge_step *steps = mq_merge_take(arena, count, sizeof(*steps));
    bool created = false;

    if (sorted == NULL || steps == NULL)
        return MQ_NO_SPACE;
    for (size_t i = 0; i < count; i++) {
        enum mq_status status = read_step(&steps[i], sorted[i], arena);
        if (status != MQ_OK)
            return status;
        if (!known(steps[i].change.type))
            out->unknown++;
        if (steps[i].change.type == MQ_CHANGE_CREATE && !created)
            out->kind = steps[i].change.kind;
        created |= steps[i].change.type == MQ_CHANGE_CREATE;
    }
    out->steps = steps;
    out->step_count = count;
    void_steps(out, steps);
    /* Words are never replaced: a change on them names nothing. */
    const struct mq_kind *kind = mq_kind_by_number(out->kind);
    for (size_t i = 0; i < count; i++) {
        if (mq_merge_rule(kind, steps[i].change.field) == MQ_MERGE_WORDS)
            steps[i].name_count = 0;
    }
    return MQ_OK;
}

enum mq_status mq_merge_values_read(struct mq_merge_values *out, const struct mq_fact *facts, size_t count,
                                    struct mq_arena *arena)
{
    *out = (struct mq_merge_values){0};
    if (count > MQ_HISTORY_MAX)
        return MQ_REFUSED;
    enum mq_status status = read_steps(out, facts, count, arena);
    if (status != MQ_OK)
        return status;
    put_all(out);
    out->items = mq_merge_take(arena, out->count, sizeof(*out->items));
    if (out->items == NULL)
        return MQ_NO_SPACE;
    put_all(out);
    return mq_merge_names(out, arena);
}
