/* Aim: what a place code or a name means holds through mergings: old names find what they found, new ones find the whole,
 * and by either reckoning nothing is lost or counted twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/place_filter.h"
#include "tests/replica/reference_words.h"

#define PLACE(id, name, code, rest) \
    "{\"kind\":\"place\",\"id\":\"" id "\",\"name\":\"" name "\",\"codes\":[{\"code\":\"" code "\"}]" rest "}"

static void say_places(struct village_member *desk)
{
    expect_ok(desk_says(desk, PLACE("t", "石桥镇", "990527103000", ",\"level\":\"镇\"")));
    expect_ok(desk_says(desk, PLACE("a", "杉坪村", "990527103204", ",\"parent\":\"t\",\"groups\":[\"一组\"]")));
    expect_ok(desk_says(
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
    expect_ok(desk_sets(&village.desk, "b", "into=a", "into_date=2026-12-01"));
    expect_ok(desk_sets(&village.desk, "a",
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
    assert_ptr_equal(mq_place_on(b, day_of("2026-11-30")), b);
    assert_ptr_equal(mq_place_on(b, day_of("2026-12-01")), a);
    assert_true(mq_place_code_on(a, day_of("2026-11-30")) == 990527103204 && mq_place_code_on(a, day_of("2026-12-01")) == 990527103206);
    assert_true(mq_place_within(b, a, day_of("2026-12-31")) && !mq_place_within(b, a, day_of("2026-11-01")));
    expect_ok(mq_catalogue_town(device->replica, 990527103299, &t, &problem));
    assert_string_equal(t->name, "石桥镇");
    assert_true(mq_place_within(b, t, day_of("2026-11-01")) && mq_place_within(b, t, day_of("2026-12-31")));
    assert_false(mq_place_within(t, a, day_of("2026-12-31")));
    assert_int_equal(a->group_count, 1);

    expect_refused(desk_says(&village.desk, PLACE("c", "新村", "990527103205", "")), "龙塘村");
    expect_refused(desk_sets(&village.desk, "a", "into=b", "into_date=2027-01-01"), "杉坪村");
    expect_refused(desk_sets(&village.desk, "t", "parent=a", NULL), "石桥镇");
    expect_refused(desk_sets(&village.desk, "t", "into=a", NULL), "into_date");
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
    expect_ok(mq_place_filter_begin(&filter, member->replica, mq_span_text(place), as_of[0] == '\0' ? 0 : day_of(as_of), 0,
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
        expect_ok(import_json(device, lines[i]));
    assert_int_equal(listed(device, "household", "龙塘村", ""), 2);
    expect_ok(desk_sets(&village.desk, "b", "into=a", "into_date=2023-11-01"));
    expect_ok(desk_sets(&village.desk, "a",
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
    expect_ok(desk_sets(&village.desk, "b", "letters=LTX", NULL));
    expect_refused(desk_sets(&village.desk, "b", "letters=龙", NULL), "letters");
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[0];
    expect_ok(import_json(device, "{\"kind\":\"household\",\"id\":\"H-1\",\"head\":\"杨顺华\",\"place\":\"990527103204\"}"));
    expect_ok(import_json(device, "{\"kind\":\"household\",\"id\":\"H-2\",\"head\":\"余世海\",\"place\":\"990527103205\"}"));
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
    expect_ok(desk_says(&village.desk, PLACE("z", "杉坪村", "990527104204", "")));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_merge),
        cmocka_unit_test(lists_by_place),
        cmocka_unit_test(letters_of_villages),
        cmocka_unit_test(unknown_places_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
