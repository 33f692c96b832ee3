/* Aim: the properties of merge (docs/protocol.md, section 7) hold in random worlds of writers, clones and restored
 * backups. MQ_SEED repeats a run, MQ_RUNS says how many worlds each property sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/protocol/merge_model.h"
#include "tests/protocol/merge_world.h"

enum { WORLDS = 150, STEPS = 60, ORDERS = 6 };

static struct world world;
static struct world_runs runs;
static uint8_t one[KIT_STATE_MAX], two[KIT_STATE_MAX];
static struct mq_fact shuffled[2 * KIT_FACTS_MAX];

static void in_worlds(bool links, void (*property)(void))
{
    for (uint64_t i = 0; i < runs.count; i++) {
        world_start(&world, world_seed(&runs, i), 3, links);
        world_run(&world, STEPS);
        property();
    }
}

#define HOLDS(condition) WORLD_HOLDS(&runs, condition)

static size_t below(size_t limit)
{
    return world_below(&world, limit);
}

/* The replica of all facts of the world. */
static struct mq_buffer whole(void)
{
    struct mq_buffer out = mq_buffer(one, sizeof(one));

    kit_replica(&out, world.kit.facts, world.kit.count);
    return out;
}

static void shows_the_same(const struct mq_fact *facts, size_t count)
{
    struct mq_buffer expected = whole(), out = mq_buffer(two, sizeof(two));

    kit_replica(&out, facts, count);
    HOLDS(kit_same_bytes(&expected, &out));
}

/* The facts of the world's groups, one group after another. */
static void each_group(void (*look)(const struct mq_fact *facts, size_t count))
{
    static struct kit_groups groups;
    static struct mq_fact facts[KIT_FACTS_MAX];

    kit_group(&groups, world.kit.facts, world.kit.count);
    for (size_t i = 0; i < groups.count; i++) {
        if (groups.group[i] == i)
            look(facts, kit_pick(facts, world.kit.facts, world.kit.count, &groups, groups.records[i]));
    }
}

/* ---- M1, M2: order, repetition, batches ---- */

static void any_order(void)
{
    for (int i = 0; i < ORDERS; i++) {
        size_t count = world.kit.count;
        memcpy(shuffled, world.kit.facts, count * sizeof(*shuffled));
        for (size_t k = below(count); k > 0; k--)
            shuffled[count++] = world.kit.facts[below(world.kit.count)];
        world_shuffle(&world.chance, shuffled, count);
        shows_the_same(shuffled, count);
    }
}

/* M1: any order and any repetition of the changes gives the same bytes. */
static void order_and_repetition_do_not_matter(void **state)
{
    (void)state;
    in_worlds(true, any_order);
}

static void any_union(void)
{
    size_t count = 0;

    for (size_t i = 0; i < world.device_count; i++) {
        if (count + world.kit.count > 2 * KIT_FACTS_MAX)
            break;
        count += world_visible(&world, &world.devices[i], shuffled + count);
    }
    for (size_t i = 0; i < world.kit.count && count < 2 * KIT_FACTS_MAX; i++) {
        bool seen = false;
        for (size_t k = 0; k < world.device_count && !seen; k++)
            seen = world.devices[k].has[i];
        if (!seen)
            shuffled[count++] = world.kit.facts[i];
    }
    if (count >= world.kit.count)
        shows_the_same(shuffled, count);
}

/* M2: what several devices hold, put together as it comes, gives the state of the union. */
static void only_the_union_counts(void **state)
{
    (void)state;
    in_worlds(true, any_union);
}

/* ---- M5, M6, M11: forks, clocks and unknown changes, by way of payloads ---- */

/* A batch as a payload, with any clock and frontier, and back; appended to `shuffled`. */
static size_t through_payload(size_t count, const struct world_batch *batch)
{
    static uint8_t payload[MQ_PAYLOAD_MAX], space[1024 * 1024];
    static struct mq_batch_change in[WORLD_BATCH_MAX], out[WORLD_BATCH_MAX];
    static struct mq_payload_head head, read;
    struct mq_buffer encoded = mq_buffer(payload, sizeof(payload)), expanded = mq_buffer(space, sizeof(space));
    size_t decoded;

    head = (struct mq_payload_head){.schema = MQ_SCHEMA, .frontier_count = 1};
    head.clock = (struct mq_clock){.boot = (uint32_t)below(9),
                                   .monotonic_seconds = below(1000000),
                                   .wall_seconds = (int64_t)below(2000000000) - 1000000000};
    head.frontier[0].seq = (uint32_t)below(3);
    memcpy(head.salt, batch->salt, MQ_SALT_SIZE);
    for (size_t i = 0; i < batch->count; i++) {
        in[i] = (struct mq_batch_change){.expanded = world.kit.facts[batch->facts[i]].expanded,
                                         .stamp = {.minutes = (uint32_t)below(600)}};
        memcpy(in[i].id, world.kit.facts[batch->facts[i]].id, MQ_ID_SIZE);
    }
    HOLDS(mq_payload_encode(&encoded, &head, in, batch->count) == MQ_OK);
    HOLDS(mq_payload_decode(&read, out, WORLD_BATCH_MAX, &decoded, mq_written(&encoded), &expanded) == MQ_OK);
    HOLDS(decoded == batch->count);
    for (size_t i = 0; i < decoded; i++) {
        struct mq_fact *fact = &shuffled[count + i];
        *fact = world.kit.facts[batch->facts[i]];
        HOLDS(mq_span_equal(out[i].expanded, fact->expanded));
        memcpy(fact->id, out[i].id, MQ_ID_SIZE);
    }
    return count + decoded;
}

static void any_clock(void)
{
    size_t count = 0;

    for (size_t i = 0; i < world.batch_count && count + WORLD_BATCH_MAX <= 2 * KIT_FACTS_MAX; i++)
        count = through_payload(count, &world.batches[i]);
    world_shuffle(&world.chance, shuffled, count);
    shows_the_same(shuffled, count);
}

/* M5, M6, M11: whatever clocks, stamps and frontiers say, and though clones wrote different changes under one salt and
 * number, the changes come through byte for byte, unknown ones too, and the state is the same. */
static void clocks_and_forks_do_not_matter(void **state)
{
    (void)state;
    in_worlds(true, any_clock);
}

static void drop_unknown(void)
{
    size_t kept = 0, unknown = 0;

    for (size_t i = 0; i < world.kit.count; i++) {
        struct mq_reader reader = mq_reader(world.kit.facts[i].expanded);
        mq_cbor_array(&reader, UINT64_MAX);
        if (mq_cbor_uint(&reader) <= MQ_CHANGE_DECIDE)
            shuffled[kept++] = world.kit.facts[i];
    }
    struct mq_group_state with = kit_merge(world.kit.facts, world.kit.count), without = kit_merge(shuffled, kept);
    for (size_t i = 0; i < world.kit.count; i++) {
        bool repeated = false;
        for (size_t k = 0; k < i && !repeated; k++)
            repeated = memcmp(world.kit.facts[k].id, world.kit.facts[i].id, MQ_ID_SIZE) == 0;
        struct mq_reader reader = mq_reader(world.kit.facts[i].expanded);
        mq_cbor_array(&reader, UINT64_MAX);
        unknown += !repeated && mq_cbor_uint(&reader) > MQ_CHANGE_DECIDE;
    }
    HOLDS(with.unknown == unknown + without.unknown);
    with.unknown = without.unknown = 0;
    with.members = without.members;
    with.member_count = without.member_count;
    struct mq_buffer a = mq_buffer(one, sizeof(one)), b = mq_buffer(two, sizeof(two));
    HOLDS(mq_group_encode(&a, &with) == MQ_OK && mq_group_encode(&b, &without) == MQ_OK);
    HOLDS(kit_same_bytes(&a, &b));
}

/* M11: unknown changes are counted, each once, and change nothing else. */
static void unknown_changes_change_nothing(void **state)
{
    (void)state;
    in_worlds(false, drop_unknown);
}

/* ---- M3: no silent loss ---- */

/* Had the writer of fact `by` seen the change `id`? */
static bool had_seen(size_t by, const uint8_t *id)
{
    for (size_t i = 0; i < world.kit.count; i++) {
        if (world.seen[by][i] && memcmp(world.kit.facts[i].id, id, MQ_ID_SIZE) == 0)
            return true;
    }
    return false;
}

static bool stands(const struct mq_group_state *state, const struct model_value *value)
{
    const struct mq_field_state *field = mq_group_field(state, value->field);

    if (value->field == MQ_FIELD_LIFE) {
        for (size_t i = 0; i < state->life_count; i++) {
            if (memcmp(state->life_names + i * MQ_NAME_SIZE, value->name, MQ_NAME_SIZE) == 0)
                return true;
        }
        return false;
    }
    for (size_t i = 0; field != NULL && i < field->choice_count; i++) {
        const struct mq_choice *choice = &field->choices[i];
        for (size_t n = 0; n < choice->name_count && mq_span_equal(choice->value, value->value); n++) {
            if (memcmp(choice->names + n * MQ_NAME_SIZE, value->name, MQ_NAME_SIZE) == 0)
                return true;
        }
    }
    return false;
}

/* Named as replaced by a change whose writer had it before him. */
static bool replaced_knowingly(const struct mq_fact *facts, size_t count, const struct model_value *value)
{
    for (size_t i = 0; i < world.kit.count; i++) {
        const struct mq_fact *fact = &world.kit.facts[i];
        bool here = false;
        for (size_t k = 0; k < count && !here; k++)
            here = memcmp(facts[k].id, fact->id, MQ_ID_SIZE) == 0;
        if (here && model_named(fact, 1, value->field, value->name) && had_seen(i, value->fact->id))
            return true;
    }
    return false;
}

static void nothing_is_lost_in(const struct mq_fact *facts, size_t count)
{
    static struct model_value values[MODEL_VALUES_MAX];
    uint64_t kind;
    size_t used = model_values(values, &kind, facts, count);
    struct mq_group_state state = kit_merge(facts, count);

    for (size_t i = 0; i < used; i++) {
        bool words = mq_merge_rule(mq_kind_by_number(kind), values[i].field) == MQ_MERGE_WORDS;
        HOLDS(stands(&state, &values[i]) || (!words && replaced_knowingly(facts, count, &values[i])));
    }
}

static void nothing_is_lost(void)
{
    each_group(nothing_is_lost_in);
}

/* M3: every value of every change stands, or is named by a change whose writer had it on his screen; words stand. */
static void no_value_is_lost_silently(void **state)
{
    (void)state;
    in_worlds(true, nothing_is_lost);
}

/* ---- M4: locality ---- */

/* The state without field `number`, and without what a single field may move. */
static void put_others(struct mq_buffer *out, const struct mq_group_state *state, uint64_t number)
{
    struct mq_group_state rest = *state;
    struct mq_field_state fields[MQ_FIELDS_MAX];

    HOLDS(state->field_count <= MQ_FIELDS_MAX);
    rest.fields = fields;
    rest.field_count = 0;
    rest.review = false;
    for (size_t i = 0; i < state->field_count; i++) {
        if (state->fields[i].number != number)
            fields[rest.field_count++] = state->fields[i];
    }
    HOLDS(mq_group_encode(out, &rest) == MQ_OK);
}

/* One more change, with names from anywhere. */
static void one_more(const struct mq_fact *facts, size_t count)
{
    static struct model_value values[MODEL_VALUES_MAX];
    uint8_t names[4 * MQ_NAME_SIZE], room[1024];
    struct mq_buffer a = mq_buffer(one, sizeof(one)), b = mq_buffer(two, sizeof(two));
    struct mq_buffer change = mq_buffer(room, sizeof(room));
    uint64_t kind, field = MQ_FIELD_ID + 1 + below(12);
    size_t used = model_values(values, &kind, facts, count);
    const uint8_t *record = facts[below(count)].record;

    for (size_t i = 0; i < 4; i++) {
        chance_fill(&world.chance, names + i * MQ_NAME_SIZE, MQ_NAME_SIZE);
        if (used > 0)
            memcpy(names + i * MQ_NAME_SIZE, values[below(used)].name, MQ_NAME_SIZE);
    }
    if (below(3) == 0)
        mq_change_put_remove(&change, record, field, MQ_SPAN(names));
    else
        mq_change_put_set(&change, record, field, world_value(&world), MQ_SPAN(names), (struct mq_span){0});
    struct mq_group_state before = kit_merge(facts, count);
    memcpy(shuffled, facts, count * sizeof(*facts));
    shuffled[count] = *kit_add(&world.kit, MQ_RANK_COUNTY, record, &change);
    world.kit.count--;
    struct mq_group_state after = kit_merge(shuffled, count + 1);
    put_others(&a, &before, field);
    put_others(&b, &after, field);
    HOLDS(kit_same_bytes(&a, &b));
}

static void one_more_change(void)
{
    each_group(one_more);
}

/* M4: a change moves its own field only, whatever names it lists. */
static void a_change_is_local(void **state)
{
    (void)state;
    in_worlds(true, one_more_change);
}

/* ---- M8: a deletion never hides an edit ---- */

/* Did a writer of a deletion that still stands have this value before him? */
static bool seen_by_a_deleter(const struct model_value *values, size_t used, const struct model_value *value)
{
    for (size_t i = 0; i < used; i++) {
        if (values[i].field != MQ_FIELD_LIFE || values[i].dead)
            continue;
        for (size_t k = 0; k < world.kit.count; k++) {
            if (memcmp(world.kit.facts[k].id, values[i].fact->id, MQ_ID_SIZE) == 0 && had_seen(k, value->fact->id))
                return true;
        }
    }
    return false;
}

static void deletion_hides_nothing_in(const struct mq_fact *facts, size_t count)
{
    static struct model_value values[MODEL_VALUES_MAX];
    uint64_t kind;
    size_t used = model_values(values, &kind, facts, count);
    struct mq_group_state state = kit_merge(facts, count);

    for (size_t i = 0; i < used && state.deleted; i++) {
        if (values[i].field != MQ_FIELD_LIFE && !values[i].dead && !seen_by_a_deleter(values, used, &values[i]))
            HOLDS(state.review);
    }
}

static void deletion_hides_nothing(void)
{
    each_group(deletion_hides_nothing_in);
}

/* M8: a deleted record with a value that no deleter had seen waits for review. */
static void deletion_never_hides_an_edit(void **state)
{
    (void)state;
    in_worlds(false, deletion_hides_nothing);
    in_worlds(true, deletion_hides_nothing);
}

/* Is there a create that counts? Of reference data only a desk's does. */
static bool has_create(const struct mq_group_state *state, const struct mq_fact *facts, size_t count)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    bool desk_only = kind != NULL && kind->desk_only, found = false;

    for (size_t i = 0; i < count; i++) {
        bool create = memcmp(facts[i].id, facts[i].record, MQ_ID_SIZE) == 0;
        found |= create && (!desk_only || facts[i].rank >= MQ_RANK_DESK);
    }
    return found;
}

static void delete_everything(const struct mq_fact *facts, size_t count)
{
    struct mq_group_state state = kit_merge(facts, count);
    bool review = false, created = has_create(&state, facts, count);
    uint8_t room[8192];

    for (size_t i = 0; i < state.field_count; i++)
        review |= state.fields[i].review;
    memcpy(shuffled, facts, count * sizeof(*facts));
    for (size_t i = 0; i < state.member_count; i++) {
        struct mq_buffer change = mq_buffer(room, sizeof(room));
        const uint8_t *record = state.members + i * MQ_ID_SIZE;
        mq_change_put_set(&change, record, MQ_FIELD_LIFE, kit_deletion(&world.kit, &state),
                          mq_span(state.life_names, state.life_count * MQ_NAME_SIZE), mq_span(NULL, 0));
        shuffled[count + i] = *kit_add(&world.kit, MQ_RANK_DESK, record, &change);
        world.kit.count--;
    }
    count += state.member_count;
    state = kit_merge(shuffled, count);
    HOLDS(state.deleted == created);
    HOLDS(state.review == review);
}

static void deletion_is_final(void)
{
    each_group(delete_everything);
}

/* M8, the other way: who deletes with everything before him deletes it, and nothing waits without a reason. */
static void a_full_deletion_needs_no_review(void **state)
{
    (void)state;
    in_worlds(true, deletion_is_final);
}

/* ---- M13: equal values ---- */

static void say_the_same(const struct mq_fact *facts, size_t count)
{
    struct mq_group_state state = kit_merge(facts, count);
    struct mq_span value = world_value(&world);
    uint8_t room[8192];

    for (size_t f = 0; f < state.field_count; f++) {
        const struct mq_field_state *field = &state.fields[f];
        struct mq_span names = {0};
        for (size_t c = 0; c < field->choice_count; c++) {
            for (size_t k = 0; k < c; k++)
                HOLDS(!mq_span_equal(field->choices[c].value, field->choices[k].value));
        }
        if (field->merge != MQ_MERGE_REGISTER)
            continue;
        HOLDS(!field->conflict || field->choice_count > 1);
        size_t start = world.kit.used;
        for (size_t c = 0; c < field->choice_count; c++)
            kit_keep(&world.kit, mq_span(field->choices[c].names, field->choices[c].name_count * MQ_NAME_SIZE));
        names = mq_span(world.kit.memory + start, world.kit.used - start);
        memcpy(shuffled, facts, count * sizeof(*facts));
        for (unsigned i = 0; i < 2; i++) {
            struct mq_buffer change = mq_buffer(room, sizeof(room));
            mq_change_put_set(&change, state.canonical, field->number, value, names, mq_span_text("why"));
            shuffled[count + i] = *kit_add(&world.kit, MQ_RANK_COUNTY, state.canonical, &change);
            world.kit.count--;
        }
        struct mq_group_state after = kit_merge(shuffled, count + 2);
        const struct mq_field_state *agreed = mq_group_field(&after, field->number);
        HOLDS(agreed->choice_count == 1 && !agreed->conflict && !agreed->review);
        HOLDS(mq_span_equal(agreed->choices[0].value, value) && agreed->choices[0].name_count == 2);
        state = kit_merge(facts, count);
    }
}

static void equal_values(void)
{
    each_group(say_the_same);
}

/* M13: choices differ, and two writers who say the same over everything that was shown, and may, leave one value. */
static void equal_values_are_no_conflict(void **state)
{
    (void)state;
    in_worlds(true, equal_values);
}

/* ---- Memory ---- */

/* What merge.h promises to be always enough. */
static void is_frugal(const struct mq_fact *facts, size_t count)
{
    static struct model_value values[MODEL_VALUES_MAX];
    struct mq_arena arena = kit_arena();
    struct mq_group_state state;
    uint64_t kind;
    size_t promised = 400 * (count + model_values(values, &kind, facts, count));

    for (size_t i = 0; i < count; i++)
        promised += facts[i].expanded.size;
    HOLDS(mq_merge(&state, facts, count, &arena) == MQ_OK && arena.size <= promised);
}

static void as_promised(void)
{
    each_group(is_frugal);
}

/* Merge never needs more memory than its header says. */
static void memory_is_bounded(void **state)
{
    (void)state;
    in_worlds(true, as_promised);
}

/* ---- The model ---- */

static void as_the_model(void)
{
    struct mq_buffer expected = whole(), out = mq_buffer(two, sizeof(two));

    model_replica(&out, world.kit.facts, world.kit.count);
    HOLDS(kit_same_bytes(&expected, &out));
}

/* The naive model, which shares no code with merge, gives the same bytes. */
static void the_model_agrees(void **state)
{
    (void)state;
    in_worlds(false, as_the_model);
    in_worlds(true, as_the_model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_repetition_do_not_matter),
        cmocka_unit_test(only_the_union_counts),
        cmocka_unit_test(clocks_and_forks_do_not_matter),
        cmocka_unit_test(unknown_changes_change_nothing),
        cmocka_unit_test(no_value_is_lost_silently),
        cmocka_unit_test(a_change_is_local),
        cmocka_unit_test(deletion_never_hides_an_edit),
        cmocka_unit_test(a_full_deletion_needs_no_review),
        cmocka_unit_test(equal_values_are_no_conflict),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(the_model_agrees),
    };

    runs = world_runs("merge_property_test", WORLDS);
    return cmocka_run_group_tests_name("protocol/merge properties", tests, NULL, NULL);
}
