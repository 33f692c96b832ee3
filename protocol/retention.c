/* What goes, by kind: on request, and with time. Each number is a field's in kinds.c; a test compares the names. */
#include "protocol/retention.h"

#include "protocol/assert.h"

#define F(n) (UINT64_C(1) << (n))

/* What somebody wrote in his own words about a need, and what says whose it is. */
#define NEED_CONTENT (F(6) | F(9) | F(10) | F(16) | F(20) | F(21) | F(28))
#define NEED_WHOSE (F(4) | F(5))
#define STEP_CONTENT (F(6) | F(8))
#define TOLD_CONTENT F(6)
#define VISIT_CHECKS (F(13) | F(14) | F(15) | F(16) | F(17) | F(18) | F(19))
#define VISIT_CONTENT (F(11) | F(12) | F(20) | F(21))
#define VISIT_ILLNESS F(15)
#define HOUSEHOLD_TYPES F(11)
#define HOUSEHOLD_TAGS F(12)
#define PERSON_TAGS F(9)
#define REQUEST_WORDS F(6)

const struct mq_forget_row mq_forget_rows[] = {
    {MQ_KIND_HOUSEHOLD, {HOUSEHOLD_TAGS, HOUSEHOLD_TYPES | HOUSEHOLD_TAGS, MQ_FORGET_WHOLE}},
    {MQ_KIND_PERSON, {PERSON_TAGS, PERSON_TAGS, MQ_FORGET_WHOLE}},
    {MQ_KIND_STANDING, {0, MQ_FORGET_WHOLE, MQ_FORGET_WHOLE}},
    {MQ_KIND_NOTICE, {0, 0, F(4) | F(10)}},
    {MQ_KIND_REQUEST, {REQUEST_WORDS, REQUEST_WORDS, F(4) | REQUEST_WORDS | F(9)}},
    {MQ_KIND_VISIT, {VISIT_ILLNESS, VISIT_CHECKS, VISIT_CONTENT | VISIT_CHECKS}},
    /* Of needs about health only, unless the whole household goes (replica/forget.c). */
    {MQ_KIND_NEED, {NEED_CONTENT, NEED_CONTENT, NEED_CONTENT | NEED_WHOSE}},
    {MQ_KIND_STEP, {STEP_CONTENT, STEP_CONTENT, STEP_CONTENT}},
    {MQ_KIND_TOLD, {TOLD_CONTENT, TOLD_CONTENT, TOLD_CONTENT}},
};
const size_t mq_forget_row_count = sizeof mq_forget_rows / sizeof *mq_forget_rows;

const struct mq_retention mq_retentions[] = {
    {MQ_KIND_VISIT, MQ_SINCE_LAST_VISIT, 0, 24, VISIT_CONTENT | VISIT_CHECKS},
    {MQ_KIND_HOUSEHOLD, MQ_SINCE_LAST_VISIT, 0, 24, HOUSEHOLD_TAGS | F(13)},
    {MQ_KIND_PERSON, MQ_SINCE_LAST_VISIT, 0, 24, MQ_FORGET_WHOLE},
    {MQ_KIND_STANDING, MQ_SINCE_LAST_VISIT, 0, 24, F(8)},
    {MQ_KIND_NEED, MQ_SINCE_OVER, 0, 36, NEED_CONTENT | NEED_WHOSE},
    {MQ_KIND_STEP, MQ_SINCE_OVER, 0, 36, STEP_CONTENT},
    {MQ_KIND_TOLD, MQ_SINCE_OVER, 0, 36, TOLD_CONTENT},
    {MQ_KIND_NOTICE, MQ_SINCE_FIELD, 9, 36, F(4) | F(10)},
    {MQ_KIND_REQUEST, MQ_SINCE_FIELD, 10, 36, F(4) | F(6) | F(9)},
    {MQ_KIND_EXPORTED, MQ_SINCE_FIELD, 3, 36, F(10) | F(11)},
    {MQ_KIND_PLAN, MQ_SINCE_FIELD, 8, 24, F(4) | F(9) | F(10)},
};
const size_t mq_retention_count = sizeof mq_retentions / sizeof *mq_retentions;

/* ---- months ---- */

static unsigned number_at(const char *text, size_t digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    return value;
}

static void put_number(char *out, unsigned value, size_t digits)
{
    while (digits > 0) {
        out[--digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

int32_t mq_months_before(int32_t day, unsigned months)
{
    char text[11];
    int32_t out = 0;

    mq_date_print(text, day);
    unsigned count = number_at(text, 4) * 12 + number_at(text + 5, 2) - 1, of_month = number_at(text + 8, 2);
    count = count > months ? count - months : 0;
    put_number(text, count / 12, 4);
    put_number(text + 5, count % 12 + 1, 2);
    for (; of_month > 0; of_month--) { /* 31 March, a month before: 28 or 29 February */
        put_number(text + 8, of_month, 2);
        if (mq_date_parse(&out, mq_span_text(text)))
            return out;
    }
    MQ_ASSERT(mq_date_parse(&out, mq_span_text(MQ_DATE_FIRST)));
    return out;
}
