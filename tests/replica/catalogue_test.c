/* Aim: what desks say of codes, places, units, calendars and presets is in force on every replica after a sync, nobody
 * who was away loses a word, and no number, word or place code ever comes to mean something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"
#include "replica/catalogue.h"
#include "replica/place_filter.h"
#include "replica/reference.h"
#include "replica/view.h"
#include "tests/replica/village.h"

static struct mq_error problem;

/* ---- words of this test ---- */

static enum mq_status reference_add(struct village_member *desk, const char *json)
{
    const struct mq_reference_teams teams = {.teams = &desk->team, .count = 1};
    struct mq_json *object;
    struct mq_saved saved;
    mq_error_clear(&problem);
    assert_int_equal(mq_json_parse(&object, mq_span_text(json), &problem), MQ_OK);
    enum mq_status status = mq_reference_add(desk->replica, &teams, object, &saved, &problem);
    mq_json_free(object);
    return status;
}

static enum mq_status reference_set(struct village_member *desk, const char *id, const char *one, const char *two)
{
    const struct mq_reference_teams teams = {.teams = &desk->team, .count = 1};
    const char *const assignments[] = {one, two};
    struct mq_saved saved;
    mq_error_clear(&problem);
    return mq_reference_set(desk->replica, &teams, mq_span_text(id), assignments, two == NULL ? 1 : 2, &saved, &problem);
}

static void expect_ok(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

/* Refused, and the words name `part`. */
static void expect_refused(enum mq_status status, const char *part)
{
    if (status != MQ_REFUSED || strstr(problem.text, part) == NULL)
        print_message("status %d, \"%s\" should name %s\n", (int)status, problem.text, part);
    assert_int_equal(status, MQ_REFUSED);
    assert_non_null(strstr(problem.text, part));
    mq_error_clear(&problem);
}

static enum mq_status import_line(struct village_member *member, const char *json)
{
    struct mq_saved saved;
    mq_error_clear(&problem);
    return mq_records_import_line(member->replica, &member->team, mq_span_text(json), false, &saved, &problem);
}

static void expect_line(struct village_member *member, const char *part)
{
    char *text = village_export(member);
    if (strstr(text, part) == NULL)
        print_message("%s is not in %s", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}

static const struct mq_code *code_here(struct village_member *member, const struct mq_code_list *own, uint64_t number)
{
    const struct mq_code_list *list;
    expect_ok(mq_catalogue_codes(member->replica, own, &list, &problem));
    return mq_code_by_number(list, number);
}

static uint64_t word_here(struct village_member *member, const struct mq_code_list *own, const char *word)
{
    const struct mq_code_list *list;
    expect_ok(mq_catalogue_codes(member->replica, own, &list, &problem));
    const struct mq_code *code = mq_code_by_text(list, mq_span_text(word));
    return code == NULL ? 0 : code->code;
}

static const struct mq_place *place_here(struct village_member *member, const char *text)
{
    const struct mq_place *place = NULL;
    expect_ok(mq_catalogue_place_named(member->replica, mq_span_text(text), &place, &problem));
    return place;
}

static int32_t day(const char *text)
{
    int32_t days = 0;
    assert_true(mq_date_parse(&days, mq_span_text(text)));
    return days;
}

static void assert_agree(struct village *village)
{
    uint8_t first[MQ_HASH_SIZE], other[MQ_HASH_SIZE];
    expect_ok(mq_view_hash(village->desk.replica, first, &problem));
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        expect_ok(mq_view_hash(village->devices[i].replica, other, &problem));
        assert_memory_equal(first, other, sizeof first);
    }
}

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
    expect_ok(import_line(old, HOUSEHOLD("H-1", "\"types\":[\"15\",\"低保户\"]")));
    expect_refused(import_line(old, HOUSEHOLD("H-2", "\"types\":[\"65536\"]")), "types");
    expect_line(old, "\"types\":[\"低保家庭\",\"15\"]");
    village_sync_all(&village, 2);
    expect_line(&village.devices[1], "\"types\":[\"低保家庭\",\"15\"]");

    char *before = village_export(&village.devices[1]);
    expect_ok(import_line(&village.devices[1], HOUSEHOLD("H-1", "\"types\":[\"15\",\"低保户\"]")));
    expect_ok(reference_add(&village.desk, "{\"kind\":\"code\",\"list\":\"household_type\",\"code\":15,"
                                           "\"label\":\"低收入家庭\",\"alias\":\"低收入 低收入户\"}"));
    village_sync_all(&village, 2);
    expect_line(&village.devices[1], "\"types\":[\"低保家庭\",\"低收入家庭\"]");
    expect_line(old, "\"types\":[\"低保家庭\",\"低收入家庭\"]");
    assert_int_equal(word_here(old, &mq_codes_household_type, "低收入户"), 15);
    expect_ok(import_line(old, HOUSEHOLD("H-1", "\"types\":[\"低收入户\",\"3\"]"))); /* the same record: known */
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
    expect_ok(reference_add(&village.desk, "{\"kind\":\"code\",\"list\":\"household_type\",\"code\":15,"
                                           "\"label\":\"低收入家庭\",\"from\":\"2023-11-01\"}"));
    expect_ok(reference_set(&village.desk, "household_type:3", "to=2023-11-10", "replaced_by=15"));
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
    expect_ok(import_line(away, HOUSEHOLD("H-3", "\"types\":[\"低保\"]")));
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
    expect_ok(reference_add(&village.desk,
                            "{\"kind\":\"code\",\"list\":\"household_tag\",\"code\":13,\"label\":\"失独家庭\"}"));
    expect_ok(reference_add(&village.township,
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
    expect_ok(reference_add(&village.desk, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":8,\"label\":\"法律\"}"));
    expect_ok(reference_add(&village.township, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":9,\"label\":\"法律\"}"));
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_OK);
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[0];
    expect_ok(import_line(device, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"想告状\",\"asks\":[\"法律\",\"9\"]}"));
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
    expect_ok(reference_add(&village.desk, "{\"kind\":\"code\",\"list\":\"category\",\"code\":21,\"label\":\"移风易俗\","
                                           "\"restricted\":true,\"unit\":\"宣传部\"}"));
    expect_ok(reference_add(
        &village.desk, "{\"kind\":\"code\",\"list\":\"subcategory\",\"code\":2101,\"label\":\"移风易俗:红白事\"}"));
    expect_refused(reference_add(&village.desk,
                                 "{\"kind\":\"code\",\"list\":\"subcategory\",\"code\":2201,\"label\":\"没有:上级\"}"),
                   "22");
    village_sync_all(&village, 1);
    village_sync_all(&village, 1);
    struct village_member *device = &village.devices[0];
    assert_true(code_here(device, &mq_codes_subcategory, 2101)->flags & MQ_CODE_RESTRICTED);
    assert_true(code_here(device, &mq_codes_subcategory, 1801)->flags & MQ_CODE_RESTRICTED);
    assert_false(code_here(device, &mq_codes_subcategory, 401)->flags & MQ_CODE_RESTRICTED);
    village_add(device, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"办酒太贵\",\"subcategory\":\"移风易俗:红白事\"}", &saved);
    expect_line(device, "\"category\":\"21\"");
    expect_refused(import_line(device, "{\"kind\":\"need\",\"id\":\"N-2\",\"words\":\"水浑\",\"category\":\"05\","
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
        enum mq_status status = reference_add(&village.desk, rows[i].json);
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
    expect_ok(reference_add(&village.desk, CODE("\"code\":3,\"label\":\"最低生活保障家庭\",\"alias\":\"低保家庭 低保人家\"")));
    assert_int_equal(word_here(&village.desk, &mq_codes_household_type, "低保家庭"), 3);
    assert_int_equal(word_here(&village.desk, &mq_codes_household_type, "低保户"), 3);
    expect_refused(reference_set(&village.desk, "household_type:3", "alias=低保对象", NULL), "低保人家");
    expect_refused(reference_set(&village.desk, "household_type:3", "code=4", NULL), "code");
    expect_refused(reference_set(&village.desk, "household_type:3", "life=1", NULL), "life");
    assert_int_equal(word_here(&village.desk, &mq_codes_household_type, "低保对象"), 0);
    village_end(&village);
#undef CODE
}

/* ---- places ---- */

#define PLACE(id, name, code, rest) \
    "{\"kind\":\"place\",\"id\":\"" id "\",\"name\":\"" name "\",\"codes\":[{\"code\":\"" code "\"}]" rest "}"

static void say_places(struct village_member *desk)
{
    expect_ok(reference_add(desk, PLACE("t", "石桥镇", "990527103000", ",\"level\":\"镇\"")));
    expect_ok(reference_add(desk, PLACE("a", "杉坪村", "990527103204", ",\"parent\":\"t\",\"groups\":[\"一组\"]")));
    expect_ok(reference_add(
        desk, PLACE("b", "龙塘村", "990527103205", ",\"parent\":\"t\",\"earlier_names\":[\"龙塘大队\"]")));
}

/* After a merging, old codes and names lead to the village that ended, and from there to where it belongs, by the day
 * that is asked about; nothing leads nowhere, and a code stays its own place's. */
static void places_merge(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 8);
    say_places(&village.desk);
    expect_ok(reference_set(&village.desk, "b", "into=a", "into_date=2026-12-01"));
    expect_ok(reference_set(&village.desk, "a",
                            "codes=[{\"code\":\"990527103204\",\"to\":\"2026-11-30\"},"
                            "{\"code\":\"990527103206\",\"from\":\"2026-12-01\"}]",
                            NULL));
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[0];
    const struct mq_place *a = place_here(device, "杉坪村"), *b = place_here(device, "龙塘村"), *t;
    assert_ptr_equal(place_here(device, "990527103204"), a);
    assert_ptr_equal(place_here(device, "990527103206"), a);
    assert_ptr_equal(place_here(device, "990527103205"), b);
    assert_ptr_equal(place_here(device, "龙塘大队"), b);
    assert_ptr_equal(mq_place_on(b, day("2026-11-30")), b);
    assert_ptr_equal(mq_place_on(b, day("2026-12-01")), a);
    assert_true(mq_place_code_on(a, day("2026-11-30")) == 990527103204 && mq_place_code_on(a, day("2026-12-01")) == 990527103206);
    assert_true(mq_place_within(b, a, day("2026-12-31")) && !mq_place_within(b, a, day("2026-11-01")));
    expect_ok(mq_catalogue_town(device->replica, 990527103299, &t, &problem));
    assert_string_equal(t->name, "石桥镇");
    assert_true(mq_place_within(b, t, day("2026-11-01")) && mq_place_within(b, t, day("2026-12-31")));
    assert_false(mq_place_within(t, a, day("2026-12-31")));
    assert_int_equal(a->group_count, 1);

    expect_refused(reference_add(&village.desk, PLACE("c", "新村", "990527103205", "")), "龙塘村");
    expect_refused(reference_set(&village.desk, "a", "into=b", "into_date=2027-01-01"), "杉坪村");
    expect_refused(reference_set(&village.desk, "t", "parent=a", NULL), "石桥镇");
    expect_refused(reference_set(&village.desk, "t", "into=a", NULL), "into_date");
    village_end(&village);
}

static enum mq_status count_one(void *context, struct mq_span object, struct mq_error *error)
{
    (void)object;
    (void)error;
    ++*(size_t *)context;
    return MQ_OK;
}

/* How many records of a kind are listed for a place, as of a day ("": any). */
static size_t listed(struct village_member *member, const char *kind, const char *place, const char *as_of)
{
    size_t count = 0;
    const struct mq_emitter counter = {&count, count_one};
    struct mq_place_filter filter;
    mq_error_clear(&problem);
    expect_ok(mq_place_filter_begin(&filter, member->replica, mq_span_text(place), as_of[0] == '\0' ? 0 : day(as_of), 0,
                                    &counter, &problem));
    const struct mq_emitter emitter = mq_place_filter_emitter(&filter);
    expect_ok(mq_records_list(member->replica, mq_kind_by_key(mq_span_text(kind)), mq_span(NULL, 0), 0, &emitter, &problem));
    return count;
}

/* Story: 龙塘村 goes up in 杉坪村. Old visits are found by the old name, everything by the new one, and by either
 * reckoning each household is counted in one village. */
static void lists_by_place(void **state)
{
    static const char *const lines[] = {
        "{\"kind\":\"household\",\"id\":\"H-1\",\"head\":\"杨顺华\",\"place\":\"990527103204\"}",
        "{\"kind\":\"household\",\"id\":\"H-2\",\"head\":\"余世海\",\"place\":\"990527103205\"}",
        "{\"kind\":\"household\",\"id\":\"H-3\",\"head\":\"冉大珍\",\"place\":\"龙塘大队\"}",
        "{\"kind\":\"household\",\"id\":\"H-4\",\"head\":\"吴国平\",\"place\":\"990527103299\"}",
        "{\"kind\":\"household\",\"id\":\"H-5\",\"head\":\"任谷秋\",\"place\":\"990527104204\"}",
        "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-2\",\"date\":\"2023-09-03\"}",
        "{\"kind\":\"visit\",\"id\":\"V-2\",\"households\":[\"H-1\",\"H-3\"],\"date\":\"2023-09-04\"}",
        "{\"kind\":\"need\",\"id\":\"N-1\",\"visit\":\"V-1\",\"words\":\"水浑\"}",
        "{\"kind\":\"told\",\"id\":\"T-1\",\"need\":\"N-1\",\"date\":\"2023-09-05\"}",
    };
    static const struct {
        const char *kind, *place, *as_of;
        size_t count;
    } rows[] = {
        {"household", "龙塘村", "", 2},           {"household", "990527103205", "", 2}, {"household", "龙塘大队", "", 2},
        {"household", "杉坪村", "", 3},           {"household", "990527103206", "", 3},
        {"household", "杉坪村", "2023-10-31", 1}, {"household", "龙塘村", "2023-10-31", 2},
        {"household", "杉坪村", "2023-11-01", 3}, {"household", "龙塘村", "2023-11-01", 0},
        {"household", "石桥镇", "", 4},           {"household", "石桥镇", "2023-11-01", 4}, {"household", "990527103", "", 4},
        {"household", "990527104204", "", 1},     {"household", "没有村", "", 0},
        {"visit", "龙塘村", "", 2},               {"visit", "杉坪村", "2023-10-31", 1}, {"need", "龙塘村", "", 1},
        {"told", "龙塘村", "", 1},                {"told", "990527104204", "", 0},
    };
    struct village village;
    (void)state;
    village_begin(&village, 13);
    struct village_member *device = &village.devices[0];
    say_places(&village.desk);
    village_sync_all(&village, 2);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_ok(import_line(device, lines[i]));
    assert_int_equal(listed(device, "household", "龙塘村", ""), 2);
    expect_ok(reference_set(&village.desk, "b", "into=a", "into_date=2023-11-01"));
    expect_ok(reference_set(&village.desk, "a",
                            "codes=[{\"code\":\"990527103204\",\"to\":\"2023-10-31\"},"
                            "{\"code\":\"990527103206\",\"from\":\"2023-11-01\"}]",
                            NULL));
    village_sync_all(&village, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = listed(device, rows[i].kind, rows[i].place, rows[i].as_of);
        if (count != rows[i].count)
            print_message("%s of %s as of \"%s\": %zu\n", rows[i].kind, rows[i].place, rows[i].as_of, count);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(listed(&village.desk, rows[i].kind, rows[i].place, rows[i].as_of), count);
    }
    village_end(&village);
}

/* The number of a need begins with the letters that a desk gave the village, or the initials of its name, whatever code
 * the household has. */
static void letters_of_villages(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 14);
    say_places(&village.desk);
    expect_ok(reference_set(&village.desk, "b", "letters=LTX", NULL));
    expect_refused(reference_set(&village.desk, "b", "letters=龙", NULL), "letters");
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[0];
    expect_ok(import_line(device, "{\"kind\":\"household\",\"id\":\"H-1\",\"head\":\"杨顺华\",\"place\":\"990527103204\"}"));
    expect_ok(import_line(device, "{\"kind\":\"household\",\"id\":\"H-2\",\"head\":\"余世海\",\"place\":\"990527103205\"}"));
    village_add(device, "{\"kind\":\"need\",\"household\":\"H-1\",\"words\":\"水浑\"}", &saved);
    assert_memory_equal(saved.number, "SP", 2);
    village_add(device, "{\"kind\":\"need\",\"household\":\"H-2\",\"words\":\"水浑\"}", &saved);
    assert_memory_equal(saved.number, "LTX-", 4);
    village_end(&village);
}

/* A place that is in no list is kept, and said to be so: a code always, a name where there is a list of names. Two places
 * of one name are told apart by code only. */
static void unknown_places_are_kept(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 9);
    struct village_member *device = &village.devices[0];
#define AT(id, place) "{\"kind\":\"household\",\"id\":\"" id "\",\"head\":\"冉大珍\",\"place\":\"" place "\"}"
    village_add(device, AT("H-1", "990527103204"), &saved);
    assert_int_equal(saved.unknown_places, 1);
    assert_non_null(strstr(saved.remark, "990527103204"));
    village_add(device, AT("H-2", "杉坪村"), &saved);
    assert_int_equal(saved.unknown_places, 0);
    say_places(&village.desk);
    expect_ok(reference_add(&village.desk, PLACE("z", "杉坪村", "990527104204", "")));
    village_sync_all(&village, 2);
    village_add(device, AT("H-3", "990527103204"), &saved);
    assert_int_equal(saved.unknown_places, 0);
    village_add(device, AT("H-4", "没有村"), &saved);
    assert_int_equal(saved.unknown_places, 1);
    village_add(device, AT("H-5", "龙塘村"), &saved);
    assert_int_equal(saved.unknown_places, 0);
    const struct mq_place *place;
    mq_error_clear(&problem);
    expect_refused(mq_catalogue_place_named(device->replica, mq_span_text("杉坪村"), &place, &problem), "杉坪村");
    expect_line(device, "\"id\":\"H-4\",\"place\":\"没有村\"");
#undef AT
    village_end(&village);
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
    expect_ok(reference_add(&village.desk, "{\"kind\":\"unit\",\"id\":\"u-1\",\"name\":\"石桥派出所\",\"emergency\":true,"
                                           "\"phones\":[{\"number\":\"0990-0000110\",\"whose\":\"值班\"}]}"));
    expect_ok(reference_add(&village.desk, "{\"kind\":\"unit\",\"id\":\"u-2\",\"name\":\"镇水务站\",\"categories\":[\"饮水\"]}"));
    expect_ok(reference_add(&village.desk, "{\"kind\":\"unit\",\"id\":\"u-3\",\"name\":\"旧水务站\",\"categories\":[\"饮水\"],"
                                           "\"emergency\":true,\"to\":\"2020-01-01\",\"phones\":[{\"number\":\"1\"}]}"));
    expect_ok(reference_add(&village.desk, "{\"kind\":\"calendar\",\"year\":2027,\"holidays\":[\"2027-01-01\"],"
                                           "\"workdays\":[\"2027-01-02\"]}"));
    expect_ok(reference_add(&village.desk, "{\"kind\":\"preset\",\"id\":\"p-1\",\"name\":\"本镇受理\",\"clock\":\"受理\","
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
    assert_false(mq_workday(&calendar, day("2027-01-01"), &missing)); /* a Friday */
    assert_true(mq_workday(&calendar, day("2027-01-02"), &missing));
    assert_int_equal(missing, 0);
    const struct mq_preset *preset = mq_preset_usual(&presets, MQ_PRESET_ACCEPT, 3, 4, day("2027-01-04"));
    assert_non_null(preset);
    assert_string_equal(preset->id, "p-1");
    assert_string_not_equal(mq_preset_usual(&presets, MQ_PRESET_ACCEPT, 3, 5, day("2027-01-04"))->id, "p-1");
    village_end(&village);
}

/* A device may not write reference data, and what it writes all the same (a changed program) counts for nothing. */
static void devices_only_read(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 11);
    expect_refused(reference_add(&village.devices[0],
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
    expect_ok(reference_add(&village.desk, "{\"kind\":\"code\",\"list\":\"ask\",\"code\":8,\"label\":\"法律\"}"));
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
        cmocka_unit_test(unknown_numbers_are_kept),  cmocka_unit_test(typed_numbers_are_known),
        cmocka_unit_test(retired_codes_lose_nothing), cmocka_unit_test(two_desks_one_number),
        cmocka_unit_test(two_desks_one_word),        cmocka_unit_test(levels_and_restriction),
        cmocka_unit_test(meanings_are_never_changed), cmocka_unit_test(places_merge),
        cmocka_unit_test(unknown_places_are_kept),   cmocka_unit_test(units_and_clocks),
        cmocka_unit_test(lists_by_place),            cmocka_unit_test(letters_of_villages),
        cmocka_unit_test(devices_only_read),         cmocka_unit_test(rebuild_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
