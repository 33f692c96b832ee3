/* Aim: nobody softens what a person said by the way. Urgency goes down only with a reason, "straight to the county" and
 * secrecy only by the county; reference data is the desks'. What tries otherwise is kept, shown as a conflict, and does
 * not win (docs/protocol.md, section 6). */
#include "tests/protocol/merge_story.h"

enum { COUNTY = 3, URGENT = 2, ORDINARY = 3 };

static uint64_t urgency, county_eyes;

static int begin(void **state)
{
    start(state);
    urgency = field_number("urgency");
    county_eyes = field_number("county_eyes");
    return 0;
}

static struct mq_span boolean(bool value)
{
    uint8_t byte = value ? 0xf5 : 0xf4;

    return kit_keep(&kit, mq_span(&byte, 1));
}

/* The value that is shown, and how many stand. */
static void stands(uint64_t field, struct mq_span value, size_t count)
{
    struct mq_group_state state = now();
    const struct mq_field_state *found = mq_group_field(&state, field);

    assert_non_null(found);
    assert_true(mq_span_equal(found->choices[0].value, value));
    assert_int_equal(found->choice_count, count);
    assert_int_equal(found->conflict, count > 1);
}

/* Who lowers the urgency without saying why replaces nothing, whatever his rank; who says why does. */
static void urgency_goes_down_with_a_reason(void **test)
{
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, urgency, kit_number(&kit, URGENT));
    struct mq_group_state seen = now();
    struct mq_span names = names_of(&seen, urgency, 0);

    (void)test;
    set(COUNTY, need->id, urgency, kit_number(&kit, ORDINARY), names);
    stands(urgency, kit_number(&kit, URGENT), 2);
    seen = now();
    struct mq_span other = names_of(&seen, urgency, 1);
    const uint8_t *all = kit_keep(&kit, names).data;
    kit_keep(&kit, other);
    set_because(CADRE, need->id, urgency, kit_number(&kit, ORDINARY), mq_span(all, 2 * MQ_NAME_SIZE));
    stands(urgency, kit_number(&kit, ORDINARY), 1);
}

/* Raising it needs no reason. */
static void urgency_goes_up_freely(void **test)
{
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, urgency, kit_number(&kit, ORDINARY));
    struct mq_group_state seen = now();

    (void)test;
    set(CADRE, need->id, urgency, kit_number(&kit, URGENT), names_of(&seen, urgency, 0));
    stands(urgency, kit_number(&kit, URGENT), 1);
}

/* "Straight to the county" survives a township, with and without a reason, and taking the value out; the county may
 * take it back, and anybody may set it again. */
static void only_the_county_lowers_its_eyes(void **test)
{
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, county_eyes, boolean(true));
    struct mq_group_state seen = now();
    struct mq_span names = names_of(&seen, county_eyes, 0);

    (void)test;
    remove_names(need->id, county_eyes, names);
    stands(county_eyes, boolean(true), 1);
    set_because(DESK, need->id, county_eyes, boolean(false), names);
    stands(county_eyes, boolean(true), 2);
    seen = now();
    struct mq_span other = names_of(&seen, county_eyes, 1);
    const uint8_t *all = kit_keep(&kit, names).data;
    kit_keep(&kit, other);
    set(COUNTY, need->id, county_eyes, boolean(false), mq_span(all, 2 * MQ_NAME_SIZE));
    stands(county_eyes, boolean(false), 1);
    seen = now();
    set(CADRE, need->id, county_eyes, boolean(true), names_of(&seen, county_eyes, 0));
    stands(county_eyes, boolean(true), 1);
}

/* Of reference data a desk's word counts; a cadre's create or edit is counted as not understood and changes nothing. */
static void reference_data_is_the_desks(void **test)
{
    const uint64_t name = 3;

    (void)test;
    create_by(CADRE, MQ_KIND_UNIT, name, kit_text(&kit, "假单位"));
    struct mq_group_state state = now();
    assert_int_equal(state.field_count, 0);
    assert_int_equal(state.unknown, 1);
    assert_false(state.deleted);
    begin(NULL);
    const struct mq_fact *unit = create_by(DESK, MQ_KIND_UNIT, name, kit_text(&kit, "镇农业服务站"));
    state = now();
    struct mq_span names = names_of(&state, name, 0);
    set(CADRE, unit->id, name, kit_text(&kit, "别处"), names);
    state = now();
    assert_int_equal(mq_group_field(&state, name)->choice_count, 1);
    assert_true(mq_span_equal(mq_group_field(&state, name)->choices[0].value, kit_text(&kit, "镇农业服务站")));
    assert_int_equal(state.unknown, 1);
    set(DESK, unit->id, name, kit_text(&kit, "镇农技站"), names);
    state = now();
    assert_true(mq_span_equal(mq_group_field(&state, name)->choices[0].value, kit_text(&kit, "镇农技站")));
}

/* That two which look alike are not one is a desk's word; a cadre neither says it nor takes it back. */
static void not_the_same_is_the_desks_word(void **test)
{
    const uint64_t other = field_number("not_same_as");
    const uint8_t somebody[MQ_ID_SIZE] = {7};
    const struct mq_fact *need = create_bare(MQ_KIND_NEED, urgency, kit_number(&kit, URGENT));

    (void)test;
    mq_change_put_add(fresh(), need->id, other, kit_reference(&kit, somebody));
    kit_add(&kit, CADRE, need->id, &change);
    struct mq_group_state state = now();
    assert_null(mq_group_field(&state, other));
    assert_int_equal(state.unknown, 1);
    mq_change_put_add(fresh(), need->id, other, kit_reference(&kit, somebody));
    kit_add(&kit, DESK, need->id, &change);
    state = now();
    struct mq_span names = names_of(&state, other, 0);
    mq_change_put_remove(fresh(), need->id, other, names);
    kit_add(&kit, CADRE, need->id, &change);
    state = now();
    assert_int_equal(mq_group_field(&state, other)->choice_count, 1);
    mq_change_put_remove(fresh(), need->id, other, names);
    kit_add(&kit, DESK, need->id, &change);
    state = now();
    assert_null(mq_group_field(&state, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(urgency_goes_down_with_a_reason, begin),
        cmocka_unit_test_setup(urgency_goes_up_freely, begin),
        cmocka_unit_test_setup(only_the_county_lowers_its_eyes, begin),
        cmocka_unit_test_setup(reference_data_is_the_desks, begin),
        cmocka_unit_test_setup(not_the_same_is_the_desks_word, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
