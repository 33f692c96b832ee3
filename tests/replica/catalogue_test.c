/* Aim: what desks say of codes, units, calendars and presets is in force on every replica after a sync, nobody who was
 * away loses a word, and no number or word ever comes to mean something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/erase.h"
#include "replica/view.h"
#include "tests/replica/reference_words.h"

#define HOUSEHOLD(id, rest) "{\"kind\":\"household\",\"id\":\"" id "\",\"head\":\"杨顺华\",\"place\":\"杉坪村\"," rest "}"

/* ---- codes ---- */

/* A device whose list is older keeps a number that it does not know, shows it as that number, and as its word once the
 * record comes; the record itself is not touched by that. */
static void unknown_numbers_are_kept(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 1);
    struct village_member *old = &village.devices[0];
    expect_ok(import_json(old, HOUSEHOLD("H-1", "\"types\":[\"15\",\"低保户\"]")));
    expect_refused(import_json(old, HOUSEHOLD("H-2", "\"types\":[\"65536\"]")), "types");
    expect_line(old, "\"types\":[\"低保家庭\",\"15\"]");
    village_sync_all(&village, 2);
    expect_line(&village.devices[1], "\"types\":[\"低保家庭\",\"15\"]");

    char *before = village_export(&village.devices[1]);
    expect_ok(import_json(&village.devices[1], HOUSEHOLD("H-1", "\"types\":[\"15\",\"低保户\"]")));
    expect_ok(desk_says(&village.desk, "{\"kind\":\"code\",\"list\":\"household_type\",\"code\":15,"
                                           "\"label\":\"低收入家庭\",\"alias\":\"低收入 低收入户\"}"));
    village_sync_all(&village, 2);
    expect_line(&village.devices[1], "\"types\":[\"低保家庭\",\"低收入家庭\"]");
    expect_line(old, "\"types\":[\"低保家庭\",\"低收入家庭\"]");
    assert_int_equal(word_here(old, &mq_codes_household_type, "低收入户"), 15);
    expect_ok(import_json(old, HOUSEHOLD("H-1", "\"types\":[\"低收入户\",\"3\"]"))); /* the same record: known */
    assert_null(strstr(before, "低收入家庭"));
    free(before);
    assert_agree(&village);
    village_end(&village);
}

/* What a person types is another matter: a number that nobody knows is a slip. */
static void typed_numbers_are_known(void **state)
{
    struct village village;
    struct mq_saved saved;
    struct mq_json *object;
    (void)state;
    village_begin(&village, 2);
    struct village_member *device = &village.devices[0];
    mq_error_clear(&problem);
    assert_int_equal(mq_json_parse(&object, mq_span_text(HOUSEHOLD("H-1", "\"types\":[\"15\"]")), &problem), MQ_OK);
    expect_refused(mq_records_add(device->replica, NULL, object, &saved, &problem), "types");
    mq_json_free(object);
    village_add(device, HOUSEHOLD("H-1", "\"types\":[\"3\"]"), &saved);
    assert_string_equal(saved.remark, "");
    village_end(&village);
}

/* A code that is retired while a device is away is still written there, kept everywhere, and never offered again; who
 * types it later is told what took its place. */
static void retired_codes_lose_nothing(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 3);
    struct village_member *away = &village.devices[0];
    int32_t today = mq_catalogue_today(away->replica); /* 2023-11-14 */
    expect_ok(desk_says(&village.desk, "{\"kind\":\"code\",\"list\":\"household_type\",\"code\":15,"
                                           "\"label\":\"低收入家庭\",\"from\":\"2023-11-01\"}"));
    expect_ok(desk_sets(&village.desk, "household_type:3", "to=2023-11-10", "replaced_by=15"));
    village_add(away, HOUSEHOLD("H-1", "\"types\":[\"低保户\"]"), &saved);
    assert_string_equal(saved.remark, "");
    assert_true(mq_code_offered(code_here(away, &mq_codes_household_type, 3), today));
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        expect_line(&village.devices[i], "\"types\":[\"低保家庭\"]");
        assert_false(mq_code_offered(code_here(&village.devices[i], &mq_codes_household_type, 3), today));
        assert_int_equal(code_here(&village.devices[i], &mq_codes_household_type, 3)->replaced_by, 15);
    }
    village_add(away, HOUSEHOLD("H-2", "\"types\":[\"低保\"]"), &saved);
    assert_non_null(strstr(saved.remark, "低收入家庭"));
    expect_ok(import_json(away, HOUSEHOLD("H-3", "\"types\":[\"低保\"]")));
    village_sync_all(&village, 2);
    assert_agree(&village);
    village_end(&village);
}

/* A county's and a township's desk give one number two words while neither knows of the other: both words lead to it,
 * one is printed everywhere, and a person is asked. */
static void two_desks_one_number(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 4);
    village_township(&village);
    expect_ok(desk_says(&village.desk,
                            "{\"kind\":\"code\",\"list\":\"household_tag\",\"code\":13,\"label\":\"失独家庭\"}"));
    expect_ok(desk_says(&village.township,
                            "{\"kind\":\"code\",\"list\":\"household_tag\",\"code\":13,\"label\":\"失独\"}"));
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_OK);
    village_sync_all(&village, 2);
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_OK);
    const char *shown = code_here(&village.desk, &mq_codes_household_tag, 13)->label;
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_int_equal(word_here(&village.devices[i], &mq_codes_household_tag, "失独家庭"), 13);
        assert_int_equal(word_here(&village.devices[i], &mq_codes_household_tag, "失独"), 13);
        assert_string_equal(code_here(&village.devices[i], &mq_codes_household_tag, 13)->label, shown);
    }
    assert_agree(&village);
    village_end(&village);
}

/* A desk's word for two numbers at once cannot be told apart by reading: the second is printed as its number, and what is
 * printed leads back. */
static void two_desks_one_word(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 5);
    village_township(&village);
    expect_ok(desk_says(&village.desk, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":8,\"label\":\"法律\"}"));
    expect_ok(desk_says(&village.township, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":9,\"label\":\"法律\"}"));
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_OK);
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[0];
    expect_ok(import_json(device, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"想告状\",\"asks\":[\"法律\",\"9\"]}"));
    expect_line(device, "\"asks\":[\"法律\",\"9\"]");
    village_end(&village);
}

/* What is printed as a number is printed so for new codes too, restriction reaches the second level, and 0401 is 04. */
static void levels_and_restriction(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 6);
    expect_ok(desk_says(&village.desk, "{\"kind\":\"code\",\"list\":\"category\",\"code\":21,\"label\":\"移风易俗\","
                                           "\"restricted\":true,\"unit\":\"宣传部\"}"));
    expect_ok(desk_says(
        &village.desk, "{\"kind\":\"code\",\"list\":\"subcategory\",\"code\":2101,\"label\":\"移风易俗:红白事\"}"));
    expect_refused(desk_says(&village.desk,
                                 "{\"kind\":\"code\",\"list\":\"subcategory\",\"code\":2201,\"label\":\"没有:上级\"}"),
                   "22");
    village_sync_all(&village, 1);
    village_sync_all(&village, 1);
    struct village_member *device = &village.devices[0];
    assert_true(code_here(device, &mq_codes_subcategory, 2101)->flags & MQ_CODE_RESTRICTED);
    assert_true(code_here(device, &mq_codes_subcategory, 1801)->flags & MQ_CODE_RESTRICTED);
    assert_false(code_here(device, &mq_codes_subcategory, 401)->flags & MQ_CODE_RESTRICTED);
    village_add(device, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"办酒太贵\",\"subcategory\":\"移风易俗:红白事\"}", &saved);
    expect_line_anywhere(device, "N-1", "\"restricted\":true"); /* sealed here, as what a desk restricted is too */
    village_sync_all(&village, 1);
    expect_line_anywhere(&village.desk, "N-1", "\"category\":\"21\"");
    expect_refused(import_json(device, "{\"kind\":\"need\",\"id\":\"N-2\",\"words\":\"水浑\",\"category\":\"05\","
                                       "\"subcategory\":\"0402\"}"),
                   "0402");
    village_add(device, "{\"kind\":\"need\",\"id\":\"N-3\",\"words\":\"水浑\"}", &saved);
    village_set(device, "N-3", "subcategory=0402");
    expect_line(device, "\"category\":\"04\"");
    const char *const apart = "category=05", *const together[] = {"category=05", "subcategory=0503"};
    expect_refused(mq_records_set(device->replica, mq_span_text("N-3"), &apart, 1, mq_span(NULL, 0), &saved, &problem), "0402");
    mq_error_clear(&problem);
    expect_ok(mq_records_set(device->replica, mq_span_text("N-3"), together, 2, mq_span(NULL, 0), &saved, &problem));
    const char *unit;
    const struct mq_field *category = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("category"));
    bool restricts;
    expect_ok(mq_catalogue_restricts(device->replica, category, mq_span("\x15", 1), &restricts, &problem));
    assert_true(restricts); /* 21, by the desk's word */
    expect_ok(mq_catalogue_restricts(device->replica, category, mq_span("\x04", 1), &restricts, &problem));
    assert_false(restricts);
    expect_ok(mq_catalogue_unit_for(device->replica, 21, 0, &unit, &problem));
    assert_string_equal(unit, "宣传部");
    expect_ok(mq_catalogue_unit_for(device->replica, 4, 402, &unit, &problem));
    assert_string_equal(unit, "水利");
    village_end(&village);
}

/* What a desk may not say, each with words that name what is wrong; nothing of it stays in force. */
static void meanings_are_never_changed(void **state)
{
#define CODE(rest) "{\"kind\":\"code\",\"list\":\"household_type\"," rest "}"
    static const struct {
        const char *json, *part;
    } rows[] = {
        {CODE("\"code\":3,\"label\":\"高收入家庭\""), "低保家庭"},
        {CODE("\"code\":15,\"label\":\"低保户\""), "低保户"},
        {CODE("\"code\":15,\"label\":\"甲\",\"alias\":\"乙 一般农户\""), "一般农户"},
        {CODE("\"code\":15,\"label\":\"甲\",\"alias\":\"16\""), "16"},
        {CODE("\"code\":15"), "label"},
        {CODE("\"code\":15,\"label\":\"两 词\""), "label"},
        {CODE("\"code\":0,\"label\":\"甲\""), "1"},
        {CODE("\"code\":15,\"label\":\"甲\",\"replaced_by\":15"), "15"},
        {CODE("\"code\":15,\"label\":\"甲\",\"replaced_by\":77"), "77"},
        {CODE("\"code\":15,\"label\":\"甲\",\"from\":\"2026-02-01\",\"to\":\"2026-01-01\""), "to"},
        {CODE("\"code\":15,\"label\":\"甲\",\"id\":\"mine\""), "household_type:15"},
        {"{\"kind\":\"code\",\"list\":\"household_types\",\"code\":15,\"label\":\"甲\"}", "household_type"},
        {"{\"kind\":\"code\",\"list\":\"step\",\"code\":200,\"label\":\"跳过\"}", "step"},
        {"{\"kind\":\"household\",\"id\":\"H-1\"}", "place"},
    };
    struct village village;
    (void)state;
    village_begin(&village, 7);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum mq_status status = desk_says(&village.desk, rows[i].json);
        if (status != MQ_REFUSED)
            print_message("%s\n", rows[i].json);
        expect_refused(status, rows[i].part);
        assert_null(code_here(&village.desk, &mq_codes_household_type, 15));
        assert_string_equal(code_here(&village.desk, &mq_codes_household_type, 3)->label, "低保家庭");
    }
    char *text = village_export(&village.desk); /* nothing stayed */
    assert_string_equal(text, "");
    free(text);
    /* A new word for the same thing is one that keeps the old. */
    expect_ok(desk_says(&village.desk, CODE("\"code\":3,\"label\":\"最低生活保障家庭\",\"alias\":\"低保家庭 低保人家\"")));
    assert_int_equal(word_here(&village.desk, &mq_codes_household_type, "低保家庭"), 3);
    assert_int_equal(word_here(&village.desk, &mq_codes_household_type, "低保户"), 3);
    expect_refused(desk_sets(&village.desk, "household_type:3", "alias=低保对象", NULL), "低保人家");
    expect_refused(desk_sets(&village.desk, "household_type:3", "code=4", NULL), "code");
    expect_refused(desk_sets(&village.desk, "household_type:3", "life=1", NULL), "life");
    assert_int_equal(word_here(&village.desk, &mq_codes_household_type, "低保对象"), 0);
    village_end(&village);
#undef CODE
}

/* ---- units, calendars, presets ---- */

/* The card of numbers has the desk's first and always the country's; a unit goes before a list's hint; years and presets
 * come in the shape that the clocks take. */
static void units_and_clocks(void **state)
{
    struct village village;
    const struct mq_unit *card[MQ_EMERGENCY_MAX];
    size_t count;
    const char *unit;
    (void)state;
    village_begin(&village, 10);
    struct village_member *device = &village.devices[0];
    expect_ok(mq_catalogue_emergency(device->replica, card, &count, &problem));
    assert_int_equal(count, 2);
    assert_string_equal(card[0]->phones[0].number, "110");
    expect_ok(desk_says(&village.desk, "{\"kind\":\"unit\",\"id\":\"u-1\",\"name\":\"石桥派出所\",\"emergency\":true,"
                                           "\"phones\":[{\"number\":\"0990-0000110\",\"whose\":\"值班\"}]}"));
    expect_ok(desk_says(&village.desk, "{\"kind\":\"unit\",\"id\":\"u-2\",\"name\":\"镇水务站\",\"categories\":[\"饮水\"]}"));
    expect_ok(desk_says(&village.desk, "{\"kind\":\"unit\",\"id\":\"u-3\",\"name\":\"旧水务站\",\"categories\":[\"饮水\"],"
                                           "\"emergency\":true,\"to\":\"2020-01-01\",\"phones\":[{\"number\":\"1\"}]}"));
    expect_ok(desk_says(&village.desk, "{\"kind\":\"calendar\",\"year\":2027,\"holidays\":[\"2027-01-01\"],"
                                           "\"workdays\":[\"2027-01-02\"]}"));
    expect_ok(desk_says(&village.desk, "{\"kind\":\"preset\",\"id\":\"p-1\",\"name\":\"本镇受理\",\"clock\":\"受理\","
                                           "\"days\":2,\"working\":true,\"category\":\"饮水\"}"));
    village_sync_all(&village, 2);
    expect_ok(mq_catalogue_emergency(device->replica, card, &count, &problem));
    assert_int_equal(count, 3);
    assert_string_equal(card[0]->name, "石桥派出所");
    assert_string_equal(card[0]->phones[0].whose, "值班");
    expect_ok(mq_catalogue_unit_for(device->replica, 4, 0, &unit, &problem));
    assert_string_equal(unit, "镇水务站");
    expect_ok(mq_catalogue_unit_for(device->replica, 99, 0, &unit, &problem));
    assert_null(unit);

    struct mq_calendar calendar;
    struct mq_preset_list presets;
    int missing = 0;
    expect_ok(mq_catalogue_calendar(device->replica, &calendar, &problem));
    expect_ok(mq_catalogue_presets(device->replica, &presets, &problem));
    assert_false(mq_workday(&calendar, day_of("2027-01-01"), &missing)); /* a Friday */
    assert_true(mq_workday(&calendar, day_of("2027-01-02"), &missing));
    assert_int_equal(missing, 0);
    const struct mq_preset *preset = mq_preset_usual(&presets, MQ_PRESET_ACCEPT, 3, 4, day_of("2027-01-04"));
    assert_non_null(preset);
    assert_string_equal(preset->id, "p-1");
    assert_string_not_equal(mq_preset_usual(&presets, MQ_PRESET_ACCEPT, 3, 5, day_of("2027-01-04"))->id, "p-1");
    village_end(&village);
}

/* Neither an edit nor an erasure takes reference data away. */
static void nothing_is_deleted(void **state)
{
    struct village village;
    struct mq_erase_list list = {0};
    uint8_t record[MQ_ID_SIZE];
    (void)state;
    village_begin(&village, 15);
    expect_ok(desk_says(&village.desk, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":8,\"label\":\"法律\"}"));
    expect_ok(mq_view_find(village.desk.replica, NULL, mq_span_text("ask:8"), record, &problem));
    expect_refused(mq_erase_list_field(village.desk.replica, &list, record, MQ_ERASE_WHOLE, &problem), "");
    assert_int_equal(list.count, 0);
    mq_erase_list_free(&list);
    expect_refused(desk_sets(&village.desk, "ask:8", "life=1", NULL), "life");
    expect_refused(desk_sets(&village.desk, "ask:8", "id=ask:9", NULL), "id");
    assert_int_equal(word_here(&village.desk, &mq_codes_ask, "法律"), 8);
    village_end(&village);
}

/* A device may not write reference data. */
static void devices_only_read(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 11);
    expect_refused(desk_says(&village.devices[0],
                                 "{\"kind\":\"code\",\"list\":\"ask\",\"code\":8,\"label\":\"法律\"}"),
                   "code");
    assert_null(code_here(&village.devices[0], &mq_codes_ask, 8));
    village_end(&village);
}

/* Deriving everything anew, and closing and opening, give the same lists. */
static void rebuild_gives_the_same(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 12);
    expect_ok(desk_says(&village.desk, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":8,\"label\":\"法律\"}"));
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[0];
    assert_int_equal(word_here(device, &mq_codes_ask, "法律"), 8);
    mq_error_clear(&problem);
    expect_ok(mq_view_rebuild(device->replica, &problem));
    assert_int_equal(word_here(device, &mq_codes_ask, "法律"), 8);
    village_close(device);
    village_open(device);
    assert_int_equal(word_here(device, &mq_codes_ask, "法律"), 8);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_numbers_are_kept),
        cmocka_unit_test(typed_numbers_are_known),
        cmocka_unit_test(retired_codes_lose_nothing),
        cmocka_unit_test(two_desks_one_number),
        cmocka_unit_test(two_desks_one_word),
        cmocka_unit_test(levels_and_restriction),
        cmocka_unit_test(meanings_are_never_changed),
        cmocka_unit_test(units_and_clocks),
        cmocka_unit_test(nothing_is_deleted),
        cmocka_unit_test(devices_only_read),
        cmocka_unit_test(rebuild_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
