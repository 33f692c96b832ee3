/* Aim: deleting, restoring, linking and unlinking records does what section 6 of docs/protocol.md says. */
#include "tests/protocol/merge_story.h"

/* ---- Life ---- */

/* Who deletes what he sees deletes it; nothing waits for review. */
static void a_seen_record_is_deleted(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    delete_all_of(need->id, &seen);
    struct mq_group_state state = now();
    assert_true(state.deleted);
    assert_false(state.review);
    assert_null(mq_group_field(&state, MQ_FIELD_LIFE));
    assert_int_equal(state.life_count, 1);
}

/* An edit that the deleter had not seen brings the record to review, whichever way it came. */
static void an_unseen_edit_goes_to_review(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    delete_all_of(need->id, &seen);
    set(CADRE, need->id, summary, kit_text(&kit, "水管"), names_of(&seen, summary, 0));
    struct mq_group_state state = now();
    assert_true(state.deleted);
    assert_true(state.review);
    shows(&state, summary, 0, "水管");
}

/* Restoring names the deletion; a restore that did not see a second deletion still keeps the record. */
static void a_restored_record_lives(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");
    struct mq_group_state seen = now();

    (void)test;
    delete_all_of(need->id, &seen);
    seen = now();
    set_life(need->id, kit_number(&kit, 0), &seen);
    struct mq_group_state state = now();
    assert_false(state.deleted || state.review);
    delete_all_of(need->id, &seen);
    state = now();
    assert_false(state.deleted);
    assert_int_equal(state.life_count, 2);
    delete_all_of(need->id, &state);
    state = now();
    assert_true(state.deleted);
}

/* A life that is neither live nor a deletion does not delete. */
static void a_strange_life_does_not_delete(void **test)
{
    const struct mq_fact *need = create("水管裂了", "水");

    (void)test;
    set(CADRE, need->id, MQ_FIELD_LIFE, kit_number(&kit, 1), no_names());
    struct mq_group_state state = now();
    assert_false(state.deleted);
    assert_int_equal(state.life_count, 1);
}

/* A group is deleted only when each of its records is; edits to a record whose create has not come do not count. */
static void a_group_is_deleted_with_all_its_records(void **test)
{
    const struct mq_fact *one = create("路断了", "路");
    const struct mq_fact *two = create("桥断了", "桥");
    uint8_t absent[MQ_ID_SIZE] = {9};
    struct mq_group_state seen = now();

    (void)test;
    delete_all_of(one->id, &seen);
    struct mq_group_state state = now();
    assert_false(state.deleted);
    set_life(two->id, kit_deletion(&kit, &seen), &seen);
    state = now();
    assert_true(state.deleted);
    assert_false(state.review);
    set(CADRE, absent, summary, kit_text(&kit, "没来的"), no_names());
    state = now();
    assert_true(state.deleted);
    assert_true(state.review);
    assert_int_equal(state.member_count, 3);
}

/* ---- Links ---- */

static struct mq_links links_of(const uint8_t *record)
{
    static struct mq_fact own[KIT_FACTS_MAX];
    struct mq_arena arena = kit_arena();
    struct mq_links links;

    assert_int_equal(mq_merge_links(&links, own, kit_pick(own, kit.facts, kit.count, NULL, record), &arena), MQ_OK);
    return links;
}

/* A record's links are its live same_as targets, sorted, and its id where there is one. */
static void links_say_what_is_live(void **test)
{
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, MQ_FIELD_ID, kit_text(&kit, "b-17"));
    uint8_t high[MQ_ID_SIZE] = {9}, low[MQ_ID_SIZE] = {2};

    (void)test;
    struct mq_links links = links_of(need->id);
    assert_int_equal(links.target_count, 0);
    assert_int_equal(links.kind, MQ_KIND_NEED);
    assert_true(mq_span_equal(links.id, kit_text(&kit, "b-17")));
    add(need->id, MQ_FIELD_SAME_AS, kit_reference(&kit, high));
    add(need->id, MQ_FIELD_SAME_AS, kit_reference(&kit, low));
    links = links_of(need->id);
    assert_int_equal(links.target_count, 2);
    assert_memory_equal(links.targets, low, MQ_ID_SIZE);
    assert_memory_equal(links.targets + MQ_ID_SIZE, high, MQ_ID_SIZE);
    struct mq_group_state seen = now();
    remove_names(need->id, MQ_FIELD_SAME_AS, names_of(&seen, MQ_FIELD_SAME_AS, 0));
    set(CADRE, need->id, MQ_FIELD_ID, kit_text(&kit, "b-18"), no_names());
    links = links_of(need->id);
    assert_int_equal(links.target_count, 1);
    assert_memory_equal(links.targets, high, MQ_ID_SIZE);
    assert_int_equal(links.id.size, 0);
}

/* An id that was taken away links nothing, though it is still shown. */
static void a_removed_id_links_nothing(void **test)
{
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, MQ_FIELD_ID, kit_text(&kit, "b-17"));

    (void)test;
    remove_names(need->id, MQ_FIELD_ID, mq_span(need->id, MQ_NAME_SIZE));
    assert_int_equal(links_of(need->id).id.size, 0);
    struct mq_group_state state = now();
    shows(&state, MQ_FIELD_ID, 0, "b-17");
}

/* Undoing a link gives each record its own values back, though a desk had decided between them meanwhile. */
static void unmerge_restores(void **test)
{
    const struct mq_fact *one = create("路断了", "路");
    const struct mq_fact *two = create("桥断了", "桥");
    static struct mq_fact picked[KIT_FACTS_MAX];
    static struct kit_groups groups;

    (void)test;
    add(one->id, MQ_FIELD_SAME_AS, kit_reference(&kit, two->id));
    kit_group(&groups, kit.facts, kit.count);
    assert_int_equal(groups.group[0], groups.group[1]);
    struct mq_group_state seen = now();
    assert_true(conflict(&seen, summary));
    uint8_t names[2 * MQ_NAME_SIZE];
    memcpy(names, one->id, MQ_NAME_SIZE);
    memcpy(names + MQ_NAME_SIZE, two->id, MQ_NAME_SIZE);
    decide(one->id, summary, kit_text(&kit, "路和桥"), MQ_SPAN(names));
    struct mq_group_state state = now();
    assert_int_equal(choices(&state, summary), 1);
    remove_names(one->id, MQ_FIELD_SAME_AS, names_of(&seen, MQ_FIELD_SAME_AS, 0));
    kit_group(&groups, kit.facts, kit.count);
    assert_int_not_equal(groups.group[0], groups.group[1]);
    state = kit_merge(picked, kit_pick(picked, kit.facts, kit.count, &groups, two->id));
    shows(&state, summary, 0, "桥");
    assert_null(mq_group_field(&state, MQ_FIELD_SAME_AS));
    state = kit_merge(picked, kit_pick(picked, kit.facts, kit.count, &groups, one->id));
    shows(&state, summary, 0, "路和桥");
}

/* A field that tells one record from another may differ within a group: all kept, no conflict. */
static void identity_fields_do_not_conflict(void **test)
{
    (void)test;
    for (size_t k = 0; k < mq_kind_count; k++) {
        for (size_t f = 0; f < mq_kinds[k].field_count; f++) {
            const struct mq_field *field = &mq_kinds[k].fields[f];
            if (field->merge != MQ_MERGE_REGISTER || field->number == MQ_FIELD_LIFE)
                continue;
            start(NULL);
            create_by(DESK, mq_kinds[k].number, field->number, kit_text(&kit, "SP-3-0017"));
            create_by(DESK, mq_kinds[k].number, field->number, kit_text(&kit, "SP-4-0002"));
            struct mq_group_state state = now();
            assert_int_equal(choices(&state, field->number), 2);
            assert_int_equal(conflict(&state, field->number), (field->flags & MQ_FIELD_IDENTITY) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_seen_record_is_deleted),
        STORY(an_unseen_edit_goes_to_review),
        STORY(a_restored_record_lives),
        STORY(a_strange_life_does_not_delete),
        STORY(a_group_is_deleted_with_all_its_records),
        STORY(links_say_what_is_live),
        STORY(a_removed_id_links_nothing),
        STORY(unmerge_restores),
        STORY(identity_fields_do_not_conflict),
    };

    return cmocka_run_group_tests_name("protocol/merge_group", tests, NULL, NULL);
}
