/* The state of a group from the values of its changes: fields and their choices (docs/protocol.md, section 6). */
#include "protocol/merge.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge_values.h"

/* What the steps below pass on to each other. */
struct merge {
    struct mq_merge_values all;
    const struct mq_kind *kind; /* NULL: unknown */
    struct mq_arena *arena;
    struct mq_merge_value **standing; /* of the field at work; room for all values */
};

/* Which of two choices of one field comes first. */

/* The greatest (depth, rank, id). */
static int order_best(const void *left, const void *right)
{
    const struct mq_choice *a = left, *b = right;

    if (a->depth != b->depth)
        return a->depth > b->depth ? -1 : 1;
    if (a->best->rank != b->best->rank)
        return a->best->rank > b->best->rank ? -1 : 1;
    return memcmp(b->best->id, a->best->id, MQ_ID_SIZE);
}

/* Of a guarded field: the most protective of what stands. */
static int order_guarded(const void *left, const void *right)
{
    uint64_t a = mq_value_openness(((const struct mq_choice *)left)->value);
    uint64_t b = mq_value_openness(((const struct mq_choice *)right)->value);

    if (a != b)
        return a < b ? -1 : 1;
    return order_best(left, right);
}

/* Words: those of creates, then what was added; the smallest id first, so that the canonical record's words lead. */
static int order_words(const void *left, const void *right)
{
    const struct mq_choice *a = left, *b = right;
    bool a_created = mq_merge_is_create(a->best), b_created = mq_merge_is_create(b->best);

    if (a_created != b_created)
        return a_created ? -1 : 1;
    return memcmp(a->best->id, b->best->id, MQ_ID_SIZE);
}

static struct mq_choice choice_of(const struct mq_merge_value *value)
{
    return (struct mq_choice){.value = value->value, .best = value->step->fact, .depth = value->depth};
}

/* Fields. */

static int order_standing(const void *left, const void *right)
{
    const struct mq_merge_value *a = *(const struct mq_merge_value *const *)left;
    const struct mq_merge_value *b = *(const struct mq_merge_value *const *)right;
    int order = mq_span_order(a->value, b->value);

    return order != 0 ? order : memcmp(a->name, b->name, MQ_NAME_SIZE);
}

/* The deepest value of a register that has none left, with all that say the same. */
static size_t deepest(struct mq_merge_value **standing, struct mq_merge_value *values, size_t count)
{
    struct mq_choice best = choice_of(&values[0]);
    size_t kept = 0;

    for (size_t i = 1; i < count; i++) {
        struct mq_choice other = choice_of(&values[i]);
        if (order_best(&other, &best) < 0)
            best = other;
    }
    for (size_t i = 0; i < count; i++) {
        if (mq_span_equal(values[i].value, best.value))
            standing[kept++] = &values[i];
    }
    return kept;
}

static size_t live(struct mq_merge_value **standing, struct mq_merge_value *values, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (!values[i].dead)
            standing[kept++] = &values[i];
    }
    return kept;
}

/* The values that say the same as the first of `standing` become one choice; returns how many they were. */
static size_t join(struct mq_choice *choice, struct mq_merge_value *const *standing, size_t count, uint8_t *names,
                   int (*order)(const void *, const void *))
{
    size_t i;

    *choice = choice_of(standing[0]);
    choice->names = names;
    for (i = 0; i < count && mq_span_equal(standing[i]->value, choice->value); i++) {
        struct mq_choice other = choice_of(standing[i]);
        if (order(&other, choice) < 0) {
            choice->best = other.best;
            choice->depth = other.depth;
        }
        /* A create may hold one element twice, under one name. */
        if (i > 0 && memcmp(standing[i]->name, standing[i - 1]->name, MQ_NAME_SIZE) == 0)
            continue;
        memcpy(names + choice->name_count++ * MQ_NAME_SIZE, standing[i]->name, MQ_NAME_SIZE);
    }
    return i;
}

static int (*order_of(const struct merge *merge, const struct mq_field_state *state))(const void *, const void *)
{
    const struct mq_field *field = mq_field_by_number(merge->kind, state->number);

    if (state->merge == MQ_MERGE_WORDS)
        return order_words;
    return field != NULL && field->guard != MQ_GUARD_NONE ? order_guarded : order_best;
}

static enum mq_status put_choices(struct merge *merge, struct mq_field_state *field, size_t count)
{
    int (*order)(const void *, const void *) = order_of(merge, field);
    struct mq_choice *choices = mq_merge_take(merge->arena, count, sizeof(*choices));
    uint8_t *names = mq_merge_take(merge->arena, count, MQ_NAME_SIZE);

    if (choices == NULL || names == NULL)
        return MQ_NO_SPACE;
    mq_merge_sort(merge->standing, count, sizeof(struct mq_merge_value *), order_standing);
    for (size_t i = 0; i < count; field->choice_count++)
        i += join(&choices[field->choice_count], merge->standing + i, count - i, names + i * MQ_NAME_SIZE, order);
    if (field->merge != MQ_MERGE_SET)
        mq_merge_sort(choices, field->choice_count, sizeof(*choices), order);
    field->choices = choices;
    return MQ_OK;
}

static bool may_differ(const struct merge *merge, uint64_t number)
{
    const struct mq_field *field = merge->kind == NULL ? NULL : mq_field_by_number(merge->kind, number);

    return field != NULL && (field->flags & MQ_FIELD_IDENTITY) != 0;
}

/* The values of one field. A set whose elements are all gone is no field any more. */
static enum mq_status put_field(struct merge *merge, struct mq_group_state *out, struct mq_merge_value *values,
                                size_t count)
{
    struct mq_field_state *field = &out->fields[out->field_count];
    size_t standing = live(merge->standing, values, count);

    field->number = values[0].field;
    field->merge = mq_merge_rule(merge->kind, field->number);
    if (standing == 0 && field->merge != MQ_MERGE_REGISTER)
        return MQ_OK;
    if (standing == 0) {
        standing = deepest(merge->standing, values, count);
        field->review = true;
        out->review = true;
    }
    out->field_count++;
    enum mq_status status = put_choices(merge, field, standing);
    field->conflict = field->merge == MQ_MERGE_REGISTER && field->choice_count > 1 && !may_differ(merge, field->number);
    return status;
}

/* How many of the first values belong to one field. */
static size_t of_one_field(const struct mq_merge_value *values, size_t count)
{
    size_t i = 0;

    while (i < count && values[i].field == values[0].field)
        i++;
    return i;
}

static enum mq_status put_fields(struct merge *merge, struct mq_group_state *out)
{
    struct mq_merge_value *items = merge->all.items;
    size_t count = merge->all.count, fields = 0;

    for (size_t i = 0; i < count; i += of_one_field(items + i, count - i))
        fields++;
    out->fields = mq_merge_take(merge->arena, fields, sizeof(*out->fields));
    merge->standing = mq_merge_take(merge->arena, count, sizeof(*merge->standing));
    if (out->fields == NULL || merge->standing == NULL)
        return MQ_NO_SPACE;
    for (size_t i = 0, run; i < count; i += run) {
        run = of_one_field(items + i, count - i);
        if (items[i].field == MQ_FIELD_LIFE)
            continue;
        enum mq_status status = put_field(merge, out, items + i, run);
        if (status != MQ_OK)
            return status;
    }
    return MQ_OK;
}

/* The whole. */

enum mq_status mq_merge(struct mq_group_state *out, const struct mq_fact *facts, size_t count, struct mq_arena *arena)
{
    struct merge merge = {.arena = arena};
    enum mq_status status = mq_merge_values_read(&merge.all, facts, count, arena);

    *out = (struct mq_group_state){.kind = merge.all.kind, .unknown = merge.all.unknown};
    merge.kind = mq_kind_by_number(out->kind);
    if (status == MQ_OK)
        status = mq_merge_life(out, &merge.all, arena);
    if (status == MQ_OK)
        status = put_fields(&merge, out);
    return status;
}

/* A record's own state says what it points to; grouping needs no more. */
enum mq_status mq_merge_links(struct mq_links *out, const struct mq_fact *facts, size_t count, struct mq_arena *arena)
{
    struct mq_group_state state;
    enum mq_status status = mq_merge(&state, facts, count, arena);

    *out = (struct mq_links){.id = mq_span(NULL, 0)};
    if (status != MQ_OK)
        return status;
    const struct mq_field_state *id = mq_group_field(&state, MQ_FIELD_ID);
    const struct mq_field_state *same = mq_group_field(&state, MQ_FIELD_SAME_AS);
    uint8_t *targets = mq_merge_take(arena, same == NULL ? 0 : same->choice_count, MQ_ID_SIZE);
    if (targets == NULL)
        return MQ_NO_SPACE;
    out->kind = state.kind;
    if (id != NULL && id->choice_count == 1 && !id->review)
        out->id = id->choices[0].value;
    out->targets = targets;
    for (size_t i = 0; same != NULL && i < same->choice_count; i++) {
        struct mq_reader reader = mq_reader(same->choices[i].value);
        if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
            continue;
        struct mq_span target = mq_cbor_bytes(&reader, MQ_ID_SIZE);
        if (target.size == MQ_ID_SIZE)
            memcpy(targets + out->target_count++ * MQ_ID_SIZE, target.data, MQ_ID_SIZE);
    }
    return MQ_OK;
}

const struct mq_field_state *mq_group_field(const struct mq_group_state *state, uint64_t number)
{
    for (size_t i = 0; i < state->field_count && state->fields[i].number <= number; i++) {
        if (state->fields[i].number == number)
            return &state->fields[i];
    }
    return NULL;
}
