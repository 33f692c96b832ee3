/* Aim: working days are those that were announced; a year without a table is counted plainly and named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/preset.h"
#include "protocol/record.h"

static int32_t day_of(const char *text)
{
    int32_t day;
    assert_true(mq_date_parse(&day, mq_span_text(text)));
    return day;
}

static void assert_day(int32_t day, const char *text)
{
    char shown[11];
    mq_date_print(shown, day);
    assert_string_equal(shown, text);
}

/* Every day of the built-in years, against the announcements written out a second time. */
static void announced_days(void **state)
{
    static const char *const free_days[] = {
        "2025-01-01", "2025-01-28", "2025-01-29", "2025-01-30", "2025-01-31", "2025-02-03", "2025-02-04",
        "2025-04-04", "2025-05-01", "2025-05-02", "2025-05-05", "2025-06-02", "2025-10-01", "2025-10-02",
        "2025-10-03", "2025-10-06", "2025-10-07", "2025-10-08", "2026-01-01", "2026-01-02", "2026-02-16",
        "2026-02-17", "2026-02-18", "2026-02-19", "2026-02-20", "2026-02-23", "2026-04-06", "2026-05-01",
        "2026-05-04", "2026-05-05", "2026-06-19", "2026-09-25", "2026-10-01", "2026-10-02", "2026-10-05",
        "2026-10-06", "2026-10-07",
    };
    static const char *const worked[] = {
        "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11", "2026-01-04",
        "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    };
    int missing = 0;
    (void)state;
    for (int32_t day = day_of("2025-01-01"); day <= day_of("2026-12-31"); day++) {
        bool expected = (day - day_of("2025-01-06")) % 7 < 5 && (day - day_of("2025-01-06")) % 7 >= 0;
        expected = expected || (day < day_of("2025-01-06") && day >= day_of("2025-01-01") && day <= day_of("2025-01-03"));
        for (size_t i = 0; i < sizeof free_days / sizeof *free_days; i++)
            expected = expected && day != day_of(free_days[i]);
        for (size_t i = 0; i < sizeof worked / sizeof *worked; i++)
            expected = expected || day == day_of(worked[i]);
        if (mq_workday(NULL, day, &missing) != expected) {
            char text[11];
            mq_date_print(text, day);
            fail_msg("%s: expected %s", text, expected ? "work" : "free");
        }
    }
    assert_int_equal(missing, 0);
}

/* Counting goes over holidays and make-up days, and does not count the day it starts from. */
static void counting(void **state)
{
    int missing = 0;
    (void)state;
    assert_day(mq_workdays_after(NULL, day_of("2026-02-13"), 1, &missing), "2026-02-14");
    assert_day(mq_workdays_after(NULL, day_of("2026-02-13"), 3, &missing), "2026-02-25");
    assert_day(mq_workdays_after(NULL, day_of("2026-09-30"), 3, &missing), "2026-10-10");
    assert_day(mq_workdays_after(NULL, day_of("2026-11-07"), 0, &missing), "2026-11-07");
    assert_int_equal(missing, 0);
}

/* A year without a table: Monday to Friday, and its number is kept, the first one only. */
static void years_without_a_table(void **state)
{
    int missing = 0;
    (void)state;
    assert_day(mq_workdays_after(NULL, day_of("2030-12-27"), 5, &missing), "2031-01-03");
    assert_int_equal(missing, 2030);
    missing = 0;
    assert_day(mq_workdays_after(NULL, day_of("2026-12-31"), 1, &missing), "2027-01-01");
    assert_int_equal(missing, 2027);
}

/* A desk's own table goes before what is built in, and fills years that are not. */
static void own_years_go_first(void **state)
{
    const struct mq_days holiday = {day_of("2027-01-01"), day_of("2027-01-03")};
    const struct mq_days worked = {day_of("2026-02-15"), day_of("2026-02-15")};
    const struct mq_calendar_year years[] = {
        {.year = 2027, .holidays = &holiday, .holiday_count = 1},
        {.year = 2026, .workdays = &worked, .workday_count = 1},
    };
    const struct mq_calendar own = {years, 2};
    int missing = 0;
    (void)state;
    assert_day(mq_workdays_after(&own, day_of("2026-12-31"), 1, &missing), "2027-01-04");
    assert_true(mq_workday(&own, day_of("2026-02-15"), &missing));
    assert_true(mq_workday(&own, day_of("2026-02-16"), &missing)); /* the desk's year has no holiday there */
    assert_false(mq_workday(&own, day_of("2025-10-01"), &missing)); /* a year that the desk left alone */
    assert_int_equal(missing, 0);
}

/* The usual preset is the one that says most about the need; a desk's goes before; dates count. */
static void presets_are_chosen(void **state)
{
    const struct mq_preset mine[] = {
        {.id = "p1", .clock = MQ_PRESET_ANSWER, .days = 10, .usual = true, .from = day_of("2026-07-01")},
        {.id = "p2", .clock = MQ_PRESET_ANSWER, .days = 2, .usual = true, .urgency = 2, .category = 4},
        {.id = "answer", .clock = MQ_PRESET_ANSWER, .days = 12},
        {.id = "p4", .clock = MQ_PRESET_TELL, .days = 3, .usual = true, .category = 4, .to = day_of("2026-06-30")},
        {.id = "p5", .clock = MQ_PRESET_TELL, .days = 4, .usual = true}, /* says less, and stands behind */
    };
    const struct mq_preset_list own = {mine, 5};
    int32_t june = day_of("2026-06-30"), july = day_of("2026-07-01");
    int missing = 0;
    (void)state;
    assert_int_equal(mq_preset_usual(NULL, MQ_PRESET_ANSWER, 3, 0, june)->days, 15);
    assert_int_equal(mq_preset_usual(NULL, MQ_PRESET_ANSWER, 2, 4, june)->days, 5);
    assert_int_equal(mq_preset_usual(&own, MQ_PRESET_ANSWER, 3, 4, june)->days, 15);
    assert_int_equal(mq_preset_usual(&own, MQ_PRESET_ANSWER, 3, 4, july)->days, 10);
    assert_int_equal(mq_preset_usual(&own, MQ_PRESET_ANSWER, 2, 4, july)->days, 2);
    assert_int_equal(mq_preset_usual(&own, MQ_PRESET_ANSWER, 2, 5, july)->days, 10); /* another category */
    assert_int_equal(mq_preset_usual(&own, MQ_PRESET_TELL, 3, 4, june)->days, 3);
    assert_int_equal(mq_preset_usual(&own, MQ_PRESET_TELL, 3, 4, july)->days, 4); /* p4 is over */
    assert_null(mq_preset_usual(NULL, MQ_PRESET_EXTEND, 3, 0, june)); /* nothing is usual there: a date is given */
    assert_int_equal(mq_preset_by_id(&own, mq_span_text("answer"))->days, 12);
    assert_int_equal(mq_preset_by_id(NULL, mq_span_text("answer"))->days, 15);
    assert_null(mq_preset_by_id(&own, mq_span_text("p3")));
    const struct mq_preset *accept = mq_preset_usual(NULL, MQ_PRESET_ACCEPT, 0, 0, june);
    assert_day(mq_preset_due(accept, NULL, day_of("2026-09-30"), &missing), "2026-10-10");
    assert_day(mq_preset_due(mq_preset_by_id(NULL, mq_span_text("recheck")), NULL, day_of("2026-11-01"), &missing),
               "2027-01-30");
    assert_int_equal(missing, 0);
}

/* What binds names its source, and nothing that binds another channel is used by itself. */
static void presets_name_their_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < mq_presets_built_in_count; i++) {
        const struct mq_preset *preset = &mq_presets_built_in[i];
        assert_non_null(preset->source);
        assert_false(preset->binding && preset->usual);
        assert_int_equal(mq_span_equal(mq_span_text(preset->source), mq_span_text("本地约定")), preset->usual);
        for (size_t j = 0; j < i; j++)
            assert_false(mq_span_equal(mq_span_text(preset->id), mq_span_text(mq_presets_built_in[j].id)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announced_days),      cmocka_unit_test(counting),
        cmocka_unit_test(years_without_a_table), cmocka_unit_test(own_years_go_first),
        cmocka_unit_test(presets_are_chosen),  cmocka_unit_test(presets_name_their_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
