/* Working days. The tables say what the General Office of the State Council announced for the year; whoever adds a year
 * names the announcement. */
#include "protocol/workday.h"

#include "protocol/record.h"

/* Days before a month, in a year that is no leap year. */
enum { JAN = 0, FEB = 31, APR = 90, MAY = 120, JUN = 151, SEP = 243, OCT = 273 };
enum { Y2025 = 20089, Y2026 = 20454 }; /* January 1 */
#define ON(year, month, day) {(year) + (month) + (day) - 1, (year) + (month) + (day) - 1}
#define FROM(year, month, day, to_month, to_day) {(year) + (month) + (day) - 1, (year) + (to_month) + (to_day) - 1}

static const struct mq_days holidays_2025[] = {
    ON(Y2025, JAN, 1),             FROM(Y2025, JAN, 28, FEB, 4), FROM(Y2025, APR, 4, APR, 6),
    FROM(Y2025, MAY, 1, MAY, 5), FROM(Y2025, MAY, 31, JUN, 2), FROM(Y2025, OCT, 1, OCT, 8),
};
static const struct mq_days workdays_2025[] = {
    ON(Y2025, JAN, 26), ON(Y2025, FEB, 8), ON(Y2025, APR, 27), ON(Y2025, SEP, 28), ON(Y2025, OCT, 11),
};

static const struct mq_days holidays_2026[] = {
    FROM(Y2026, JAN, 1, JAN, 3),   FROM(Y2026, FEB, 15, FEB, 23), FROM(Y2026, APR, 4, APR, 6),
    FROM(Y2026, MAY, 1, MAY, 5),   FROM(Y2026, JUN, 19, JUN, 21), FROM(Y2026, SEP, 25, SEP, 27),
    FROM(Y2026, OCT, 1, OCT, 7),
};
static const struct mq_days workdays_2026[] = {
    ON(Y2026, JAN, 4),  ON(Y2026, FEB, 14), ON(Y2026, FEB, 28),
    ON(Y2026, MAY, 9),  ON(Y2026, SEP, 20), ON(Y2026, OCT, 10),
};

#define YEAR(number, announced) \
    {.year = number, .holidays = holidays_##number, .holiday_count = sizeof holidays_##number / sizeof *holidays_##number, \
     .workdays = workdays_##number, .workday_count = sizeof workdays_##number / sizeof *workdays_##number, \
     .source = announced}

const struct mq_calendar_year mq_calendar_built_in[] = {
    YEAR(2025, "国务院办公厅关于2025年部分节假日安排的通知 (2024-11-12)"),
    YEAR(2026, "国务院办公厅关于2026年部分节假日安排的通知 (2025-11-04)"),
};
const size_t mq_calendar_built_in_count = sizeof mq_calendar_built_in / sizeof *mq_calendar_built_in;

static int year_of(int32_t day)
{
    char text[11];
    int year = 0;

    mq_date_print(text, day);
    for (int i = 0; i < 4; i++)
        year = year * 10 + (text[i] - '0');
    return year;
}

static const struct mq_calendar_year *find_year(const struct mq_calendar *own, int year)
{
    for (size_t i = 0; own != NULL && i < own->count; i++)
        if (own->years[i].year == year)
            return &own->years[i];
    for (size_t i = 0; i < mq_calendar_built_in_count; i++)
        if (mq_calendar_built_in[i].year == year)
            return &mq_calendar_built_in[i];
    return NULL;
}

static bool among(const struct mq_days *days, size_t count, int32_t day)
{
    for (size_t i = 0; i < count; i++)
        if (day >= days[i].first && day <= days[i].last)
            return true;
    return false;
}

bool mq_workday(const struct mq_calendar *own, int32_t day, int *missing)
{
    bool weekend = ((day + 3) % 7 + 7) % 7 >= 5; /* 1970-01-01 was a Thursday */
    int number = year_of(day);
    const struct mq_calendar_year *year = find_year(own, number);

    if (year == NULL) {
        if (*missing == 0)
            *missing = number;
        return !weekend;
    }
    return weekend ? among(year->workdays, year->workday_count, day)
                   : !among(year->holidays, year->holiday_count, day);
}

int32_t mq_workdays_after(const struct mq_calendar *own, int32_t day, unsigned count, int *missing)
{
    while (count > 0)
        count -= mq_workday(own, ++day, missing);
    return day;
}
