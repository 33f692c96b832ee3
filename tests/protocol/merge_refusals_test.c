/* Aim: what is no change of its record is refused, what does not fit the memory given is said and never half merged, and a
 * link or a life that no program writes says nothing. */
#include "tests/protocol/merge_story.h"

static _Alignas(16) uint8_t memory[256 * 1024];

static enum mq_status merged(struct mq_group_state *state, size_t size)
{
    struct mq_arena arena = mq_arena(memory, size);

    return mq_merge(state, kit.facts, kit.count, &arena);
}

static enum mq_status linked(struct mq_links *links, size_t size)
{
    struct mq_arena arena = mq_arena(memory, size);

    return mq_merge_links(links, kit.facts, kit.count, &arena);
}

/* ---- Refusals ---- */

/* A change filed under another record than it names, or under its own id as if it had created one, is refused, by merge
 * and by the links alike. */
static void changes_of_other_records(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    const uint8_t other[MQ_ID_SIZE] = {9};
    struct mq_group_state state;
    struct mq_links links;

    (void)test;
    set(CADRE, need->id, summary, kit_text(&kit, "水管"), no_names());
    struct mq_fact *edit = &kit.facts[kit.count - 1];
    assert_int_equal(merged(&state, sizeof memory), MQ_OK);

    memcpy(edit->record, other, MQ_ID_SIZE);
    assert_int_equal(merged(&state, sizeof memory), MQ_REFUSED);
    assert_int_equal(linked(&links, sizeof memory), MQ_REFUSED);
    assert_int_equal(links.target_count, 0);

    memcpy(edit->id, need->id, MQ_ID_SIZE);
    memcpy(edit->record, need->id, MQ_ID_SIZE);
    assert_int_equal(mq_merge(&state, edit, 1, &(struct mq_arena){.data = memory, .capacity = sizeof memory}), MQ_REFUSED);
}

/* ---- Room ---- */

/* A cadre's need with everything a group can have: an edit, a conflict, two elements, a link, a deletion that saw it all. */
static void write_all(void)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();
    struct mq_span names = names_of(&seen, summary, 0);

    set(CADRE, need->id, summary, kit_text(&kit, "水管"), names);
    set(DESK, need->id, summary, kit_text(&kit, "饮水"), names);
    add(need->id, asks, kit_number(&kit, 1));
    add(need->id, MQ_FIELD_SAME_AS, kit_reference(&kit, (const uint8_t[MQ_ID_SIZE]){9}));
    seen = now();
    delete_all_of(need->id, &seen);
}

/* In memory of every size that is too small merge answers so, and in the first that is enough it is whole. */
static void small_memory(void **test)
{
    struct mq_group_state state;
    struct mq_links links;
    size_t size = 0;

    (void)test;
    write_all();
    while (merged(&state, size) != MQ_OK) {
        assert_int_equal(merged(&state, size), MQ_NO_SPACE);
        assert_true(++size < sizeof memory);
    }
    assert_true(state.deleted);
    assert_int_equal(choices(&state, summary), 2);
    assert_true(size <= (400 + 400) * kit.count + kit.used);
    for (size = 0; linked(&links, size) != MQ_OK;) {
        assert_int_equal(linked(&links, size), MQ_NO_SPACE);
        assert_true(++size < sizeof memory);
    }
    assert_int_equal(links.target_count, 1);
}

/* A state is written whole or said not to fit. */
static void small_buffers(void **test)
{
    static uint8_t first[4096], second[4096];
    struct mq_buffer whole = mq_buffer(first, sizeof first);

    (void)test;
    write_all();
    struct mq_group_state state = now();
    assert_int_equal(mq_group_encode(&whole, &state), MQ_OK);
    for (size_t size = 0; size < whole.size; size++) {
        struct mq_buffer out = mq_buffer(second, size);
        assert_int_equal(mq_group_encode(&out, &state), MQ_NO_SPACE);
    }
}

/* ---- Strange values ---- */

/* A link that is no record's id joins nothing: a number, or a reference that only had a meaning inside its batch. */
static void strange_links_join_nothing(void **test)
{
    static const uint8_t by_index[] = {0xc6, 0x05};
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_links links;

    (void)test;
    add(need->id, MQ_FIELD_SAME_AS, kit_number(&kit, 7));
    add(need->id, MQ_FIELD_SAME_AS, kit_keep(&kit, MQ_SPAN(by_index)));
    assert_int_equal(linked(&links, sizeof memory), MQ_OK);
    assert_int_equal(links.target_count, 0);
    add(need->id, MQ_FIELD_SAME_AS, kit_reference(&kit, (const uint8_t[MQ_ID_SIZE]){9}));
    assert_int_equal(linked(&links, sizeof memory), MQ_OK);
    assert_int_equal(links.target_count, 1);
}

/* A life that only looks like a deletion deletes nothing: another number, no list, a short name, fewer items. */
static void strange_lives_delete_nothing(void **test)
{
    static const uint8_t lives[][12] = {
        {3, 0x82, 0x02, 0x80}, {3, 0x82, 0x01, 0x05}, {2, 0x81, 0x01}, {4, 0x82, 0x01, 0x81, 0x40},
        {6, 0x82, 0x01, 0x82, 0x41, 'a', 0x40},
    };

    (void)test;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        start(NULL);
        const struct mq_fact *need = create("水管裂了", "水");
        set(CADRE, need->id, MQ_FIELD_LIFE, kit_keep(&kit, mq_span(lives[i] + 1, lives[i][0])), no_names());
        struct mq_group_state state = now();
        assert_false(state.deleted);
        assert_int_equal(state.life_count, 1);
    }
}

/* A record whose creation has not come yet keeps no deleted group alive, whatever its life says; nothing of it is taken
 * for seen. */
static void absent_records_keep_nothing_alive(void **test)
{
    static const uint8_t absent[MQ_ID_SIZE] = {9};
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    delete_all_of(need->id, &seen);
    set(CADRE, absent, MQ_FIELD_LIFE, kit_number(&kit, 0), no_names());
    struct mq_group_state state = now();
    assert_true(state.deleted);
    assert_false(state.review);
    set(CADRE, absent, summary, kit_text(&kit, "水管"), no_names());
    state = now();
    assert_true(state.deleted && state.review);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(changes_of_other_records),
        STORY(small_memory),
        STORY(small_buffers),
        STORY(strange_links_join_nothing),
        STORY(strange_lives_delete_nothing),
        STORY(absent_records_keep_nothing_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
