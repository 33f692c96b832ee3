/* Finding and masking resident ID and bank card numbers (protocol/mask.h). */
#include "protocol/mask.h"

#include <string.h>

#include "protocol/record.h"

enum {
    RESIDENT_DIGITS = 18,
    CHECK_X = 10,
    CARD_LEAST = 16,
    CARD_MOST = 19,
    NUMBER_MOST = 22, /* a disability card that was issued again */
    HASH_LEAST = 32,
    KEPT_END = 4
};

/* One digit of the text, or the X of a resident ID. */
struct digit {
    size_t at;
    uint8_t width; /* bytes: 1, full-width 3 */
    uint8_t value; /* 0 to 9, CHECK_X */
    bool ends;     /* last of its group */
};

/* Digits from the beginning of a group on, across single separators: one more than any number of ours has, so that
 * `ends` is true of all but the last. */
struct number {
    struct digit digits[NUMBER_MOST + 1];
    size_t count;
};

/* What stands at `at`: its bytes, or 0. Full-width forms are ef bc 90 to 99, Ｘ ef bc b8, ｘ ef bd 98. */
static size_t read_digit(struct mq_span text, size_t at, uint8_t *value)
{
    const uint8_t *bytes = text.data + at;

    if (at < text.size && bytes[0] >= '0' && bytes[0] <= '9') {
        *value = (uint8_t)(bytes[0] - '0');
        return 1;
    }
    if (text.size - at >= 3 && bytes[0] == 0xef && bytes[1] == 0xbc && bytes[2] >= 0x90 && bytes[2] <= 0x99) {
        *value = (uint8_t)(bytes[2] - 0x90);
        return 3;
    }
    return 0;
}

static bool follows(struct mq_span text, size_t at, const char *what)
{
    return text.size - at >= strlen(what) && memcmp(text.data + at, what, strlen(what)) == 0;
}

static size_t read_x(struct mq_span text, size_t at)
{
    if (follows(text, at, "X") || follows(text, at, "x"))
        return 1;
    return follows(text, at, "Ｘ") || follows(text, at, "ｘ") ? 3 : 0;
}

static size_t read_separator(struct mq_span text, size_t at)
{
    if (follows(text, at, " ") || follows(text, at, "-"))
        return 1;
    return follows(text, at, "\u3000") || follows(text, at, "－") ? 3 : 0;
}

/* `at` stands before a digit. */
static void read_number(struct number *number, struct mq_span text, size_t at)
{
    uint8_t value;

    number->count = 0;
    while (number->count <= NUMBER_MOST) {
        size_t width = read_digit(text, at, &value);
        if (width == 0 && number->count == RESIDENT_DIGITS - 1) {
            value = CHECK_X;
            width = read_x(text, at);
        }
        if (width > 0) {
            number->digits[number->count++] = (struct digit){.at = at, .width = (uint8_t)width, .value = value};
            at += width;
            continue;
        }
        number->digits[number->count - 1].ends = true;
        size_t separator = read_separator(text, at);
        if (separator == 0 || read_digit(text, at + separator, &value) == 0)
            return;
        at += separator;
    }
}

/* Resident IDs. */

/* Digits 7 to 14 as YYYYMMDD. */
static bool is_birth_date(const struct digit *digits)
{
    char text[] = "YYYY-MM-DD";
    int32_t days;

    for (size_t i = 0, at = 0; i < 8; i++, at++) {
        at += text[at] == '-';
        text[at] = (char)('0' + digits[6 + i].value);
    }
    return mq_date_parse(&days, mq_span_text(text));
}

/* GB 11643: the weighted sum of the first 17, modulo 11, chooses the last. */
static bool is_checked(const struct digit *digits)
{
    static const uint8_t weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    static const uint8_t checks[] = {1, 0, CHECK_X, 9, 8, 7, 6, 5, 4, 3, 2};
    unsigned sum = 0;

    for (size_t i = 0; i < sizeof weights; i++)
        sum += (unsigned)weights[i] * digits[i].value;
    return checks[sum % sizeof checks] == digits[RESIDENT_DIGITS - 1].value;
}

/* Digits of the resident ID or disability card that stands here; 0: none. */
static size_t resident_size(const struct number *number)
{
    if (number->count < RESIDENT_DIGITS || !is_checked(number->digits) || !is_birth_date(number->digits))
        return 0;
    for (size_t size = RESIDENT_DIGITS; size <= NUMBER_MOST && size <= number->count; size += 2)
        if (number->digits[size - 1].ends)
            return size;
    return 0;
}

/* Bank cards. */

/* Every second digit, from the last but one, counts twice; a product's digits are added (ISO/IEC 7812-1). */
static bool is_luhn(const struct digit *digits, size_t size)
{
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned value = digits[i].value;
        if (value == CHECK_X)
            return false;
        if ((size - i) % 2 == 0)
            value = value * 2 - (value > 4 ? 9 : 0);
        sum += value;
    }
    return sum % 10 == 0;
}

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool within_hash(struct mq_span text, size_t at)
{
    size_t start = at, end = at;

    while (start > 0 && is_hex(text.data[start - 1]))
        start--;
    while (end < text.size && is_hex(text.data[end]))
        end++;
    return end - start >= HASH_LEAST;
}

/* How many of the digits from `from` on are one group; 0 where its end is not in sight. */
static size_t group_size(const struct number *number, size_t from)
{
    for (size_t i = from; i < number->count; i++)
        if (number->digits[i].ends)
            return i + 1 - from;
    return 0;
}

/* Digits of the card number that stands here, going by its groups; 0: none. */
static size_t card_size(const struct number *number, struct mq_span text)
{
    const struct digit *digits = number->digits;
    size_t first = group_size(number, 0), size = 0;

    if (digits[0].value < 3 || digits[0].value == 7 || digits[0].value == 8)
        return 0;
    if (first >= CARD_LEAST && first <= CARD_MOST)
        return is_luhn(digits, first) && !within_hash(text, digits[0].at) ? first : 0;
    while (size < CARD_LEAST && group_size(number, size) == 4)
        size += 4;
    if (size < CARD_LEAST)
        return 0;
    size_t rest = group_size(number, CARD_LEAST);
    if (rest > 0 && rest < 4 && is_luhn(digits, CARD_LEAST + rest))
        return CARD_LEAST + rest;
    return is_luhn(digits, CARD_LEAST) ? CARD_LEAST : 0;
}

/* Masking. */

static void mask_digits(uint8_t *text, const struct digit *digits, size_t size, size_t kept_front)
{
    for (size_t i = kept_front; i < size - KEPT_END; i++)
        memcpy(text + digits[i].at, digits[i].width == 1 ? "*" : "＊", digits[i].width);
}

/* Masks the number that begins at `at`, if it is one of ours, and gives where to go on; 0: it is none. */
static size_t mask_one(uint8_t *text, struct mq_span whole, size_t at, bool cards)
{
    struct number number;
    size_t size, kept_front = 6;

    read_number(&number, whole, at);
    size = resident_size(&number);
    if (size == 0 && cards) {
        size = card_size(&number, whole);
        kept_front = 4;
    }
    if (size == 0)
        return 0;
    mask_digits(text, number.digits, size, kept_front);
    return number.digits[size - 1].at + number.digits[size - 1].width;
}

size_t mq_mask(uint8_t *text, size_t size, bool cards)
{
    struct mq_span whole = mq_span(text, size);
    size_t at = 0, width, masked = 0;
    uint8_t value;

    while (at < size) {
        if (read_digit(whole, at, &value) == 0) {
            at++;
            continue;
        }
        size_t next = mask_one(text, whole, at, cards);
        masked += next > 0;
        if (next > 0)
            at = next;
        while ((width = read_digit(whole, at, &value)) > 0)
            at += width;
    }
    return masked;
}

bool mq_is_resident_id(struct mq_span text)
{
    struct number number;
    uint8_t value;

    if (read_digit(text, 0, &value) == 0)
        return false;
    read_number(&number, text, 0);
    size_t size = resident_size(&number);
    return size > 0 && number.digits[size - 1].at + number.digits[size - 1].width == text.size;
}
