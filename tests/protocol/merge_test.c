/* Aim: a record shows what section 6 of docs/protocol.md says it should: small stories of two phones and a desk. */
#include "tests/protocol/merge_story.h"

/* ---- Registers ---- */

/* A create alone is shown as it is: kind, members, canonical, every field at depth 0, nothing to look at. */
static void a_create_alone(void **test)
{
    const struct mq_fact *need = create("屋后的山石往下滚", "滚石");
    struct mq_group_state state = now();

    (void)test;
    assert_int_equal(state.kind, MQ_KIND_NEED);
    assert_int_equal(state.member_count, 1);
    assert_memory_equal(state.members, need->id, MQ_ID_SIZE);
    assert_memory_equal(state.canonical, need->id, MQ_ID_SIZE);
    assert_int_equal(state.field_count, 2);
    shows(&state, words, 0, "屋后的山石往下滚");
    shows(&state, summary, 0, "滚石");
    assert_int_equal(mq_group_field(&state, summary)->choices[0].depth, 0);
    assert_memory_equal(mq_group_field(&state, summary)->choices[0].names, need->id, MQ_NAME_SIZE);
    assert_false(conflict(&state, summary) || state.deleted || state.review);
    assert_int_equal(state.unknown, 0);
}

/* No facts: nobody, nothing. */
static void nothing_is_nothing(void **test)
{
    struct mq_group_state state = now();

    (void)test;
    assert_int_equal(state.kind + state.member_count + state.field_count, 0);
    assert_false(state.deleted || state.review);
}

/* A change that names what it replaces leaves one value, one deeper. */
static void a_named_value_is_replaced(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "水管"), names_of(&seen, summary, 0));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    shows(&state, summary, 0, "水管");
    assert_int_equal(mq_group_field(&state, summary)->choices[0].depth, 1);
}

/* Two phones that edit without having seen each other leave both values: a conflict, with nothing lost. */
static void two_phones_conflict(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();
    struct mq_span names = names_of(&seen, summary, 0);

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "水管"), names);
    set(CADRE, need->id, summary, kit_text(&kit, "饮水"), names);
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 2);
    assert_true(conflict(&state, summary));
    assert_false(conflict(&state, words));
}

/* Equal values are no conflict: one choice, which carries both names. */
static void equal_values_are_no_conflict(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();
    struct mq_span names = names_of(&seen, summary, 0);

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "饮水"), names);
    set(DESK, need->id, summary, kit_text(&kit, "饮水"), names);
    struct mq_group_state state = now();
    const struct mq_field_state *field = mq_group_field(&state, summary);
    assert_int_equal(field->choice_count, 1);
    assert_false(field->conflict);
    assert_int_equal(field->choices[0].name_count, 2);
    assert_true(memcmp(field->choices[0].names, field->choices[0].names + MQ_NAME_SIZE, MQ_NAME_SIZE) < 0);
    assert_int_equal(field->choices[0].best->rank, DESK);
}

/* Shown is the deepest; of equally deep ones the highest rank; then the greatest id. */
static void depth_then_rank_then_id(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();
    struct mq_span names = names_of(&seen, summary, 0);

    (void)test;
    const struct mq_fact *one = set(CADRE, need->id, summary, kit_text(&kit, "甲"), names);
    const struct mq_fact *two = set(CADRE, need->id, summary, kit_text(&kit, "乙"), names);
    struct mq_group_state state = now();
    shows(&state, summary, 0, memcmp(one->id, two->id, MQ_ID_SIZE) > 0 ? "甲" : "乙");
    set(DESK, need->id, summary, kit_text(&kit, "丙"), names);
    state = now();
    shows(&state, summary, 0, "丙");
    set(CADRE, need->id, summary, kit_text(&kit, "丁"), mq_span(one->id, MQ_NAME_SIZE));
    state = now();
    shows(&state, summary, 0, "丁");
    assert_int_equal(mq_group_field(&state, summary)->choices[0].depth, 2);
    assert_int_equal(choices(&state, summary), 3);
}

/* A name that is not here makes depth 1: somebody saw something that has not come yet. */
static void unknown_names_count_as_depth_zero(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    static const uint8_t elsewhere[MQ_NAME_SIZE] = {1, 2, 3};

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "水管"), MQ_SPAN(elsewhere));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 2);
    shows(&state, summary, 0, "水管");
    assert_int_equal(mq_group_field(&state, summary)->choices[0].depth, 1);
}

/* Names match only within their field: the same eight bytes on another field replace nothing. */
static void names_match_within_the_field_only(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");

    (void)test;
    set(CADRE, need->id, category, kit_number(&kit, 4), mq_span(need->id, MQ_NAME_SIZE));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    shows(&state, summary, 0, "水");
    assert_false(state.review);
}

/* A person who replaces only what was shown leaves the other choice standing. */
static void resolving_one_leaves_the_other(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    set(DESK, need->id, summary, kit_text(&kit, "甲"), names_of(&seen, summary, 0));
    set(CADRE, need->id, summary, kit_text(&kit, "乙"), names_of(&seen, summary, 0));
    seen = now();
    shows(&seen, summary, 0, "甲");
    set(CADRE, need->id, summary, kit_text(&kit, "丙"), names_of(&seen, summary, 0));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 2);
    shows(&state, summary, 0, "丙");
    shows(&state, summary, 1, "乙");
}

/* A desk's decision that names all choices ends the conflict, also where it keeps one of the values. */
static void decide_ends_a_conflict(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "甲"), names_of(&seen, summary, 0));
    set(CADRE, need->id, summary, kit_text(&kit, "乙"), names_of(&seen, summary, 0));
    seen = now();
    assert_true(conflict(&seen, summary));
    struct mq_span both[2] = {names_of(&seen, summary, 0), names_of(&seen, summary, 1)};
    uint8_t names[2 * MQ_NAME_SIZE];
    memcpy(names, both[0].data, MQ_NAME_SIZE);
    memcpy(names + MQ_NAME_SIZE, both[1].data, MQ_NAME_SIZE);
    decide(need->id, summary, mq_group_field(&seen, summary)->choices[1].value, MQ_SPAN(names));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    assert_false(conflict(&state, summary));
    assert_int_equal(mq_group_field(&state, summary)->choices[0].depth, 2);
}

/* A register whose every value was removed shows the deepest and asks for a look. */
static void nothing_live_shows_the_deepest(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "水管"), names_of(&seen, summary, 0));
    seen = now();
    remove_names(need->id, summary, names_of(&seen, summary, 0));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    shows(&state, summary, 0, "水管");
    assert_true(mq_group_field(&state, summary)->review);
    assert_true(state.review);
    assert_false(conflict(&state, summary));
}

/* Two values whose names stand in each other's lists give one result, not a loop: both dead, the greatest id shown. */
static void a_ring_of_names_ends(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_fact *ring[2];

    (void)test;
    for (size_t i = 0; i < 2; i++) {
        uint8_t other[MQ_NAME_SIZE] = {0xee, (uint8_t)(1 - i)};
        ring[i] = &kit.facts[kit.count];
        set(CADRE, need->id, category, kit_number(&kit, 4 + i), MQ_SPAN(other));
        memset(ring[i]->id, 0, MQ_ID_SIZE);
        ring[i]->id[0] = 0xee;
        ring[i]->id[1] = (uint8_t)i;
    }
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, category), 1);
    assert_true(mq_group_field(&state, category)->review);
    assert_int_equal(mq_group_field(&state, category)->choices[0].depth, 1);
    assert_ptr_equal(mq_group_field(&state, category)->choices[0].best, ring[1]);
}

/* A long chain of edits is measured to its end, without a deep stack. */
static void a_long_chain_is_measured(void **test)
{
    enum { EDITS = 400 };
    const struct mq_fact *last = create("水管裂了", "水");
    const uint8_t *record = last->id;

    (void)test;
    for (uint64_t i = 0; i < EDITS; i++)
        last = set(CADRE, record, summary, kit_number(&kit, i), mq_span(last->id, MQ_NAME_SIZE));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    assert_int_equal(mq_group_field(&state, summary)->choices[0].depth, EDITS);
}

/* One change that came under two writers counts once, with the higher rank. */
static void equal_ids_are_one(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_fact *copy = &kit.facts[kit.count++];

    (void)test;
    *copy = *need;
    copy->rank = DESK;
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    assert_int_equal(mq_group_field(&state, summary)->choices[0].best->rank, DESK);
    assert_int_equal(mq_group_field(&state, summary)->choices[0].name_count, 1);
}

/* ---- Sets and words ---- */

/* Adding wins: a removal takes away only what its writer had seen. */
static void an_unseen_add_wins(void **test)
{
    struct mq_span items[2] = {kit_number(&kit, 1), kit_number(&kit, 2)};
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, asks, kit_array(&kit, items, 2));
    struct mq_group_state seen = now();

    (void)test;
    assert_int_equal(choices(&seen, asks), 2);
    remove_names(need->id, asks, names_of(&seen, asks, 0));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, asks), 1);
    add(need->id, asks, items[0]);
    state = now();
    assert_int_equal(choices(&state, asks), 2);
    assert_false(conflict(&state, asks) || state.review);
}

/* A set whose elements are all gone is simply empty: no field, nothing to look at. */
static void an_emptied_set_is_gone(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");

    (void)test;
    add(need->id, asks, kit_number(&kit, 1));
    struct mq_group_state seen = now();
    remove_names(need->id, asks, names_of(&seen, asks, 0));
    struct mq_group_state state = now();
    assert_null(mq_group_field(&state, asks));
    assert_false(state.review);
}

/* An element that a create holds twice is one element with one name; a set that is no array is one element. */
static void odd_sets_lose_nothing(void **test)
{
    struct mq_span items[2] = {kit_number(&kit, 7), kit_number(&kit, 7)};

    (void)test;
    create_bare(MQ_KIND_NEED, asks, kit_array(&kit, items, 2));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, asks), 1);
    assert_int_equal(mq_group_field(&state, asks)->choices[0].name_count, 1);
    start(NULL);
    create_bare(MQ_KIND_NEED, asks, kit_number(&kit, 7));
    state = now();
    assert_int_equal(choices(&state, asks), 1);
}

/* Words never change: sets and removals that name them only add, and the create's stay first. */
static void words_never_change(void **test)
{
    const struct mq_fact *need = create("水管裂了三个月", "水");
    struct mq_group_state seen = now();

    (void)test;
    set(DESK, need->id, words, kit_text(&kit, "水管裂了"), names_of(&seen, words, 0));
    remove_names(need->id, words, names_of(&seen, words, 0));
    decide(need->id, words, kit_text(&kit, "没什么事"), names_of(&seen, words, 0));
    struct mq_group_state state = now();
    const struct mq_field_state *field = mq_group_field(&state, words);
    assert_int_equal(field->choice_count, 3);
    shows(&state, words, 0, "水管裂了三个月");
    assert_ptr_equal(field->choices[0].best, need);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(field->choices[i].depth, 0);
    assert_false(field->conflict || field->review);
}

/* Of two linked records the canonical one's words lead; an addition that repeats words does not take their place. */
static void canonical_words_lead(void **test)
{
    const struct mq_fact *one = create("路断了", "路");
    const struct mq_fact *two = create("桥断了", "桥");
    bool first = memcmp(one->id, two->id, MQ_ID_SIZE) < 0;

    (void)test;
    add(one->id, words, kit_text(&kit, first ? "路断了" : "桥断了"));
    add(one->id, words, kit_text(&kit, "都断了"));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, words), 3);
    shows(&state, words, 0, first ? "路断了" : "桥断了");
    shows(&state, words, 1, first ? "桥断了" : "路断了");
    shows(&state, words, 2, "都断了");
    assert_ptr_equal(mq_group_field(&state, words)->choices[0].best, first ? one : two);
    assert_int_equal(mq_group_field(&state, words)->choices[0].name_count, 2);
}

/* ---- What this program does not know ---- */

/* Unknown kinds of change are counted and touch nothing. */
static void unknown_changes_are_counted(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");

    (void)test;
    mq_cbor_put_array(fresh(), 3);
    mq_cbor_put_uint(&change, 77);
    mq_put_reference(&change, need->id);
    mq_cbor_put_text(&change, mq_span_text("from a later program"));
    kit_add(&kit, CADRE, need->id, &change);
    struct mq_group_state state = now();
    assert_int_equal(state.unknown, 1);
    assert_int_equal(state.field_count, 2);
    assert_int_equal(state.member_count, 1);
}

/* Unknown kinds and fields are kept, as registers. */
static void unknown_kinds_and_fields_are_kept(void **test)
{
    const struct mq_fact *thing = create_bare(201, 90, kit_text(&kit, "later"));

    (void)test;
    set(CADRE, thing->id, 91, kit_text(&kit, "more"), no_names());
    struct mq_group_state state = now();
    assert_int_equal(state.kind, 201);
    shows(&state, 90, 0, "later");
    shows(&state, 91, 0, "more");
    assert_int_equal(mq_group_field(&state, 90)->merge, MQ_MERGE_REGISTER);
}

/* ---- Limits ---- */

/* Too small an arena, at whatever step it runs out, is said and nothing is written outside it. */
static void a_small_arena_is_refused(void **test)
{
    static uint8_t memory[16384];
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state state = now(), again;
    size_t needed = 0;

    (void)test;
    delete_all_of(need->id, &state);
    for (size_t size = 0; needed == 0 && size < sizeof(memory); size++) {
        struct mq_arena arena = mq_arena(memory, size);
        memory[size] = 0xa5;
        enum mq_status status = mq_merge(&again, kit.facts, kit.count, &arena);
        assert_true(status == MQ_OK || status == MQ_NO_SPACE);
        assert_int_equal(memory[size], 0xa5);
        needed = status == MQ_OK ? size : 0;
    }
    assert_true(needed > 0);
}

/* What is no change, is a change of another record, or is too long a history, is refused. */
static void what_is_no_change_is_refused(void **test)
{
    static struct mq_fact many[MQ_HISTORY_MAX + 1];
    static uint8_t memory[8 * 1024 * 1024];
    struct mq_arena arena = mq_arena(memory, sizeof(memory));
    struct mq_group_state state;
    struct mq_fact *need = &kit.facts[0];

    (void)test;
    create("水管裂了", "水");
    for (size_t i = 0; i <= MQ_HISTORY_MAX; i++)
        many[i] = *need;
    assert_int_equal(mq_merge(&state, many, MQ_HISTORY_MAX, &arena), MQ_OK);
    assert_int_equal(mq_merge(&state, many, MQ_HISTORY_MAX + 1, &arena), MQ_REFUSED);
    need->record[0] ^= 1;
    assert_int_equal(mq_merge(&state, need, 1, &arena), MQ_REFUSED);
    need->record[0] ^= 1;
    need->expanded.size--;
    assert_int_equal(mq_merge(&state, need, 1, &arena), MQ_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_create_alone),
        STORY(nothing_is_nothing),
        STORY(a_named_value_is_replaced),
        STORY(two_phones_conflict),
        STORY(equal_values_are_no_conflict),
        STORY(depth_then_rank_then_id),
        STORY(unknown_names_count_as_depth_zero),
        STORY(names_match_within_the_field_only),
        STORY(resolving_one_leaves_the_other),
        STORY(decide_ends_a_conflict),
        STORY(nothing_live_shows_the_deepest),
        STORY(a_ring_of_names_ends),
        STORY(a_long_chain_is_measured),
        STORY(equal_ids_are_one),
        STORY(an_unseen_add_wins),
        STORY(an_emptied_set_is_gone),
        STORY(odd_sets_lose_nothing),
        STORY(words_never_change),
        STORY(canonical_words_lead),
        STORY(unknown_changes_are_counted),
        STORY(unknown_kinds_and_fields_are_kept),
        STORY(a_small_arena_is_refused),
        STORY(what_is_no_change_is_refused),
    };

    return cmocka_run_group_tests_name("protocol/merge", tests, NULL, NULL);
}
