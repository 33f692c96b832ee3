/* Working days of the mainland's calendar: weekends, public holidays, and the weekend days that are worked instead
 * (调休). The State Council publishes them year by year, so years are data: those built in, and those that a desk adds or
 * replaces by records of kind `calendar`. A year without a table counts Monday to Friday, and the answer says so. */
#ifndef MQ_PROTOCOL_WORKDAY_H
#define MQ_PROTOCOL_WORKDAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Days since 1970-01-01, both included. */
struct mq_days {
    int32_t first, last;
};

struct mq_calendar_year {
    int year;
    const struct mq_days *holidays; /* not worked, weekends among them or not */
    size_t holiday_count;
    const struct mq_days *workdays; /* weekend days that are worked */
    size_t workday_count;
    const char *source;
};
extern const struct mq_calendar_year mq_calendar_built_in[];
extern const size_t mq_calendar_built_in_count;

/* Years that go before the built-in ones; NULL where there are none. */
struct mq_calendar {
    const struct mq_calendar_year *years;
    size_t count;
};

/* `missing` keeps the first year that was looked at and has no table; the caller sets it to 0. */
bool mq_workday(const struct mq_calendar *own, int32_t day, int *missing);
/* The `count`-th working day after `day`, which itself does not count; `day` itself for 0. */
int32_t mq_workdays_after(const struct mq_calendar *own, int32_t day, unsigned count, int *missing);

#endif
