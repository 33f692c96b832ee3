/* Aim: masking stays in its bounds, changes nothing but digits into asterisks, and leaves no resident ID that stands by
 * itself; a naive finder, which knows only ASCII digits in a row, judges. */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/cbor.h"
#include "protocol/mask.h"
#include "tests/fuzz/fuzz.h"

static bool digit_at(const uint8_t *text, size_t size, size_t at)
{
    return (at < size && text[at] >= '0' && text[at] <= '9') ||
           (at + 2 < size && memcmp(text + at, "\xef\xbc", 2) == 0 && text[at + 2] >= 0x90 && text[at + 2] <= 0x99);
}

/* 17 digits and a right check character at `at`, no digit on either side, born on the 1st to 28th of a month from 1900 to
 * 2199. */
static bool naive_id(const uint8_t *text, size_t size, size_t at)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0, date = 0;

    if (size - at < 18 || (at >= 1 && digit_at(text, size, at - 1)) || (at >= 3 && digit_at(text, size, at - 3)))
        return false;
    for (size_t i = 0; i < 17; i++) {
        if (text[at + i] < '0' || text[at + i] > '9')
            return false;
        sum += (text[at + i] - '0') * weights[i];
        if (i >= 6 && i < 14)
            date = date * 10 + (text[at + i] - '0');
    }
    char check = "10X98765432"[sum % 11];
    int month = date / 100 % 100, day = date % 100;
    bool right = text[at + 17] == check || (check == 'X' && text[at + 17] == 'x');
    bool born = date >= 19000000 && date < 22000000 && month >= 1 && month <= 12 && day >= 1 && day <= 28;

    return right && born && !digit_at(text, size, at + 18);
}

/* The last byte of an asterisk in place of that of a digit or X. */
static bool masks(uint8_t now, uint8_t before)
{
    bool narrow = (before >= '0' && before <= '9') || before == 'X' || before == 'x';
    bool wide = (before >= 0x90 && before <= 0x99) || before == 0xb8; /* 0x98 is ｘ too */

    return now == '*' ? narrow : now == 0x8a && wide;
}

/* ｘ, ef bd 98, differs from ＊, ef bc 8a, in two bytes. */
static bool half_a_wide_x(const uint8_t *now, const uint8_t *before, size_t i)
{
    return i > 0 && now[i - 1] == 0xef && now[i] == 0xbc && before[i] == 0xbd;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    bool cards = size > 0 && (data[0] & 1) != 0;
    uint8_t *text = malloc(size + 1);
    size_t asterisks = 0;

    MQ_ASSERT(text != NULL);
    memcpy(text, data, size);
    size_t found = mq_mask(text, size, cards);
    for (size_t i = 0; i < size; i++)
        if (text[i] != data[i] && !half_a_wide_x(text, data, i)) {
            MQ_ASSERT(masks(text[i], data[i]));
            asterisks++;
        }
    MQ_ASSERT(asterisks >= 8 * found && asterisks <= 12 * found);
    MQ_ASSERT(mq_utf8_valid(mq_span(data, size)) == mq_utf8_valid(mq_span(text, size)));
    for (size_t i = 0; i < size; i++)
        MQ_ASSERT(!naive_id(text, size, i));
    (void)mq_is_resident_id(mq_span(data, size));
    free(text);
}
