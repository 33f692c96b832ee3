/* Aim: merge keeps its word in random rounds whose outcome is known without it: adding wins, undoing a link restores,
 * and forged names lead to one result. MQ_SEED repeats a run, MQ_RUNS says how many rounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/protocol/merge_model.h"
#include "tests/protocol/merge_world.h"

enum { ROUNDS = 2000 };

static struct kit kit;
static struct chance chance;
static struct world_runs runs;
static uint8_t one[KIT_STATE_MAX], two[KIT_STATE_MAX], room[8192];

#define HOLDS(condition) WORLD_HOLDS(&runs, condition)

static size_t below(size_t limit)
{
    return chance_below(&chance, limit);
}

static void start_round(uint64_t run)
{
    chance = (struct chance){world_seed(&runs, run)};
    kit.count = kit.used = kit.salts = 0;
}

static uint64_t need_field(const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(key));

    assert_non_null(field);
    return field->number;
}

static const struct mq_fact *create(struct mq_span summary)
{
    struct kit_pair pair = {need_field("summary"), summary};
    struct mq_buffer change = mq_buffer(room, sizeof(room));

    kit_put_create(&change, MQ_KIND_NEED, &pair, 1);
    return kit_add(&kit, 1, NULL, &change);
}

static struct mq_span choice_names(const struct mq_choice *choice)
{
    return kit_keep(&kit, mq_span(choice->names, choice->name_count * MQ_NAME_SIZE));
}

/* ---- M7: adding wins ---- */

enum { ELEMENTS = 3, PEOPLE = 3, MOVES = 24 };

/* What the round itself knows of each fact: the element, who has it, and whether a removal reached it. */
struct move {
    size_t element;
    bool add, gone;
    bool has[PEOPLE];
};

/* `person` removes what he sees of an element: every add of it that he has. */
static bool remove_seen(struct move *moves, size_t person, size_t element, uint64_t asks)
{
    static struct mq_fact seen[MOVES + 1];
    struct mq_span value = kit_number(&kit, element);
    struct mq_buffer change = mq_buffer(room, sizeof(room));
    size_t count = 0;

    for (size_t i = 0; i < kit.count; i++) {
        if (moves[i].has[person])
            seen[count++] = kit.facts[i];
    }
    struct mq_group_state screen = kit_merge(seen, count);
    const struct mq_field_state *field = mq_group_field(&screen, asks);
    for (size_t c = 0; field != NULL && c < field->choice_count; c++) {
        if (!mq_span_equal(field->choices[c].value, value))
            continue;
        for (size_t i = 0; i < kit.count; i++)
            moves[i].gone |= moves[i].add && moves[i].element == element && moves[i].has[person];
        mq_change_put_remove(&change, kit.facts[0].id, asks, choice_names(&field->choices[c]));
        kit_add(&kit, 1, kit.facts[0].id, &change);
        return true;
    }
    return false;
}

static void add_and_remove(struct move *moves, uint64_t asks)
{
    size_t person = below(PEOPLE), element = below(ELEMENTS), at = kit.count;

    if (below(3) == 0) {
        for (size_t i = 0; i < kit.count; i++)
            moves[i].has[person] |= below(2) == 0;
        return;
    }
    if (below(2) == 0) {
        if (!remove_seen(moves, person, element, asks))
            return;
    } else {
        struct mq_buffer change = mq_buffer(room, sizeof(room));
        mq_change_put_add(&change, kit.facts[0].id, asks, kit_number(&kit, element));
        kit_add(&kit, 1, kit.facts[0].id, &change);
        moves[at].add = true;
        moves[at].element = element;
    }
    moves[at].has[person] = true;
}

/* M7: an element stands exactly when somebody added it whose add no remover had seen. */
static void an_add_wins(void **state)
{
    uint64_t asks = need_field("asks");

    (void)state;
    for (uint64_t run = 0; run < runs.count; run++) {
        struct move moves[MOVES + 1] = {0};
        start_round(run);
        create(kit_number(&kit, 1));
        for (size_t p = 0; p < PEOPLE; p++)
            moves[0].has[p] = true;
        for (int i = 0; i < MOVES; i++)
            add_and_remove(moves, asks);
        struct mq_group_state end = kit_merge(kit.facts, kit.count);
        const struct mq_field_state *field = mq_group_field(&end, asks);
        for (size_t element = 0; element < ELEMENTS; element++) {
            struct mq_span value = kit_number(&kit, element);
            bool expected = false, stands = false;
            for (size_t i = 0; i < kit.count; i++)
                expected |= moves[i].add && moves[i].element == element && !moves[i].gone;
            for (size_t c = 0; field != NULL && c < field->choice_count; c++)
                stands |= mq_span_equal(field->choices[c].value, value);
            HOLDS(stands == expected);
        }
    }
}

/* ---- M9: undoing a link ---- */

enum { RECORDS = 3 };

static void edit_some(const uint8_t *record, size_t edits)
{
    const char *const keys[] = {"summary", "category", "asks", "words"};

    while (edits-- > 0) {
        struct mq_buffer change = mq_buffer(room, sizeof(room));
        uint64_t field = need_field(keys[below(4)]);
        struct mq_span names = mq_span(kit.facts[below(kit.count)].id, below(2) * MQ_NAME_SIZE);
        if (below(5) == 0)
            mq_change_put_remove(&change, record, field, names);
        else
            mq_change_put_set(&change, record, field, kit_number(&kit, below(3)), names, (struct mq_span){0});
        kit_add(&kit, 1 + (unsigned)below(2), record, &change);
    }
}

static void link_some(uint8_t (*records)[MQ_ID_SIZE])
{
    for (size_t links = 1 + below(5); links > 0; links--) {
        struct mq_buffer change = mq_buffer(room, sizeof(room));
        const uint8_t *from = records[below(RECORDS)];
        mq_change_put_add(&change, from, MQ_FIELD_SAME_AS, kit_reference(&kit, records[below(RECORDS)]));
        kit_add(&kit, 2, from, &change);
    }
}

/* A desk decides a field of the linked records, over everything that it sees, and writes that into the first. */
static void decide_linked(const uint8_t *record, uint64_t field)
{
    struct mq_group_state screen = kit_merge(kit.facts, kit.count);
    const struct mq_field_state *seen = mq_group_field(&screen, field);
    struct mq_buffer change = mq_buffer(room, sizeof(room));
    size_t start = kit.used;

    for (size_t i = 0; seen != NULL && i < seen->choice_count; i++)
        choice_names(&seen->choices[i]);
    struct mq_span names = mq_span(kit.memory + start, kit.used - start);
    mq_change_put_decide(&change, record, field, kit_number(&kit, 7), names, mq_span_text("one household"));
    kit_add(&kit, 2, record, &change);
}

/* Takes back every live link, on the record that carries it. */
static void unlink_all(uint8_t (*records)[MQ_ID_SIZE])
{
    static struct mq_fact own[KIT_FACTS_MAX];

    for (size_t i = 0; i < RECORDS; i++) {
        struct mq_group_state state = kit_merge(own, kit_pick(own, kit.facts, kit.count, NULL, records[i]));
        const struct mq_field_state *links = mq_group_field(&state, MQ_FIELD_SAME_AS);
        for (size_t c = 0; links != NULL && c < links->choice_count; c++) {
            struct mq_buffer change = mq_buffer(room, sizeof(room));
            mq_change_put_remove(&change, records[i], MQ_FIELD_SAME_AS, choice_names(&links->choices[c]));
            kit_add(&kit, 2, records[i], &change);
        }
    }
}

/* M9: after linking, deciding and unlinking, in any order of arrival, every record is what its own edits and decisions
 * make it, and nothing of the links stays. */
static void undoing_a_link_restores(void **state)
{
    static struct mq_fact unlinked[KIT_FACTS_MAX];
    uint8_t records[RECORDS][MQ_ID_SIZE];

    (void)state;
    for (uint64_t run = 0; run < runs.count; run++) {
        struct mq_buffer expected = mq_buffer(one, sizeof(one)), out = mq_buffer(two, sizeof(two));
        start_round(run);
        for (size_t i = 0; i < RECORDS; i++)
            memcpy(records[i], create(kit_number(&kit, below(3)))->id, MQ_ID_SIZE);
        for (size_t i = 0; i < RECORDS; i++)
            edit_some(records[i], below(4));
        size_t before = kit.count, kept = before;
        link_some(records);
        size_t linked = kit.count;
        decide_linked(records[0], need_field("summary"));
        decide_linked(records[0], need_field("asks"));
        size_t decided = kit.count;
        unlink_all(records);
        memcpy(unlinked, kit.facts, before * sizeof(*unlinked));
        for (size_t i = linked; i < decided; i++)
            unlinked[kept++] = kit.facts[i];
        kit_replica(&expected, unlinked, kept);
        world_shuffle(&chance, kit.facts, kit.count);
        kit_replica(&out, kit.facts, kit.count);
        HOLDS(kit_same_bytes(&expected, &out));
    }
}

/* ---- Forged names ---- */

enum { FORGED = 8 };

/* Ids whose first eight bytes are few, so that names collide, and lists that name anything, so that rings arise. */
static void forge(uint8_t id[MQ_ID_SIZE], size_t i)
{
    memset(id, 0, MQ_ID_SIZE);
    id[0] = (uint8_t)(1 + below(FORGED));
    id[MQ_ID_SIZE - 1] = (uint8_t)i;
}

static struct mq_span forged_names(const struct mq_span *values)
{
    size_t start = kit.used;

    for (size_t count = below(4); count > 0; count--) {
        uint8_t name[MQ_NAME_SIZE] = {(uint8_t)(1 + below(FORGED))};
        if (kit.count > 0 && below(3) == 0)
            mq_element_name(name, kit.facts[below(kit.count)].id, values[below(3)]);
        kit_keep(&kit, MQ_SPAN(name));
    }
    return mq_span(kit.memory + start, kit.used - start);
}

static void forge_fact(const uint8_t *record, const struct mq_span *values)
{
    uint64_t fields[] = {MQ_FIELD_LIFE, need_field("asks"), need_field("summary"), need_field("words"), 99};
    struct mq_buffer change = mq_buffer(room, sizeof(room));
    uint64_t field = fields[below(5)];
    struct mq_span names = forged_names(values);
    size_t at = kit.count;

    if (below(4) == 0)
        mq_change_put_remove(&change, record, field, names);
    else
        mq_change_put_set(&change, record, field, values[below(3)], names, (struct mq_span){0});
    kit_add(&kit, (unsigned)below(3), record, &change);
    forge(kit.facts[at].id, at);
}

/* Collisions and rings of names end in one result, whatever the order, and it is the model's. */
static void forged_names_have_one_result(void **state)
{
    static const uint8_t listed[MQ_NAME_SIZE] = {3};

    (void)state;
    for (uint64_t run = 0; run < runs.count; run++) {
        struct mq_buffer expected = mq_buffer(one, sizeof(one)), out = mq_buffer(two, sizeof(two));
        struct mq_buffer deletion = mq_buffer(room, sizeof(room));
        start_round(run);
        mq_cbor_put_array(&deletion, 2);
        mq_cbor_put_uint(&deletion, 1);
        mq_cbor_put_array(&deletion, 1);
        mq_cbor_put_bytes(&deletion, MQ_SPAN(listed));
        struct mq_span values[3] = {kit_number(&kit, 0), kit_number(&kit, 1), kit_keep(&kit, mq_written(&deletion))};
        const uint8_t *record = kit_keep(&kit, mq_span(create(values[1])->id, MQ_ID_SIZE)).data;
        for (size_t facts = below(16); facts > 0; facts--)
            forge_fact(record, values);
        model_group(&expected, kit.facts, kit.count);
        for (int i = 0; i < 3; i++) {
            out.size = 0;
            struct mq_group_state merged = kit_merge(kit.facts, kit.count);
            HOLDS(mq_group_encode(&out, &merged) == MQ_OK);
            HOLDS(kit_same_bytes(&expected, &out));
            world_shuffle(&chance, kit.facts, kit.count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_add_wins),
        cmocka_unit_test(undoing_a_link_restores),
        cmocka_unit_test(forged_names_have_one_result),
    };

    runs = world_runs("merge_rounds_test", ROUNDS);
    return cmocka_run_group_tests_name("protocol/merge rounds", tests, NULL, NULL);
}
