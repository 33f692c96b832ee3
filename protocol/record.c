/* Finding kinds, fields and codes in the tables; dates (protocol/record.h). */
#include "protocol/record.h"

#include <string.h>

#include "protocol/assert.h"

static bool equals(const char *text, struct mq_span span)
{
    return strlen(text) == span.size && memcmp(text, span.data, span.size) == 0;
}

const struct mq_kind *mq_kind_by_number(uint64_t number)
{
    for (size_t i = 0; i < mq_kind_count; i++)
        if (mq_kinds[i].number == number)
            return &mq_kinds[i];
    return NULL;
}

const struct mq_kind *mq_kind_by_key(struct mq_span key)
{
    for (size_t i = 0; i < mq_kind_count; i++)
        if (equals(mq_kinds[i].key, key))
            return &mq_kinds[i];
    return NULL;
}

const struct mq_field *mq_field_by_number(const struct mq_kind *kind, uint64_t number)
{
    for (size_t i = 0; kind != NULL && i < kind->field_count; i++)
        if (kind->fields[i].number == number)
            return &kind->fields[i];
    return NULL;
}

const struct mq_field *mq_field_by_key(const struct mq_kind *kind, struct mq_span key)
{
    for (size_t i = 0; kind != NULL && i < kind->field_count; i++)
        if (equals(kind->fields[i].key, key))
            return &kind->fields[i];
    return NULL;
}

const struct mq_field *mq_field_first_level(const struct mq_kind *kind, const struct mq_field *field)
{
    if (field->codes == NULL || field->codes->parent == NULL)
        return NULL;
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].codes == field->codes->parent)
            return &kind->fields[i];
    return NULL;
}

bool mq_type_is_list(enum mq_field_type type)
{
    return type == MQ_TYPE_PHONES || type == MQ_TYPE_TEXTS || type == MQ_TYPE_DATES || type == MQ_TYPE_DATED_CODES ||
           type == MQ_TYPE_REFERENCES;
}

enum mq_field_merge mq_merge_rule(const struct mq_kind *kind, uint64_t field)
{
    const struct mq_field *known = mq_field_by_number(kind, field);

    if (known != NULL)
        return known->merge;
    return field == MQ_FIELD_SAME_AS ? MQ_MERGE_SET : MQ_MERGE_REGISTER;
}

const struct mq_code *mq_code_by_number(const struct mq_code_list *list, uint64_t code)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->codes[i].code == code)
            return &list->codes[i];
    return NULL;
}

/* Is `word` one of `words`, which have a blank between them? */
static bool among(const char *words, struct mq_span word)
{
    while (words != NULL) {
        const char *blank = strchr(words, ' ');
        size_t size = blank != NULL ? (size_t)(blank - words) : strlen(words);
        if (mq_span_equal(mq_span(words, size), word))
            return true;
        words = blank != NULL ? blank + 1 : NULL;
    }
    return false;
}

const struct mq_code *mq_code_by_text(const struct mq_code_list *list, struct mq_span text)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct mq_code *code = &list->codes[i];
        if (equals(code->label, text) || (code->text != NULL && equals(code->text, text)) || among(code->alias, text))
            return code;
    }
    return NULL;
}

bool mq_code_offered(const struct mq_code *code, int32_t day)
{
    return (code->from == 0 || day >= code->from) && (code->to == 0 || day <= code->to);
}

const struct mq_code_list *mq_code_list_by_name(struct mq_span name)
{
    for (size_t i = 0; i < mq_code_list_count; i++)
        if (equals(mq_code_lists[i]->name, name))
            return mq_code_lists[i];
    return NULL;
}

uint64_t mq_value_openness(struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    struct mq_cbor_item item = mq_cbor_next(&reader);

    if (item.type == MQ_CBOR_TRUE || item.type == MQ_CBOR_FALSE)
        return item.type == MQ_CBOR_FALSE;
    return item.type == MQ_CBOR_UINT ? item.number : UINT64_MAX;
}

bool mq_kind_restricts(const struct mq_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct mq_field *field = &kind->fields[i];
        if (field->flags & MQ_FIELD_RESTRICTED)
            return true;
        for (size_t c = 0; field->type == MQ_TYPE_CODE && c < field->codes->count; c++)
            if (field->codes->codes[c].flags & MQ_CODE_RESTRICTED)
                return true;
    }
    return false;
}

/* Dates. A year is counted from March here, so that the leap day is its last. */

enum { YEAR_FIRST = 1900, YEAR_LAST = 2199, DAYS_OF_400_YEARS = 146097, DAYS_TO_1970 = 719468 };

static int32_t days_of(int32_t year, int32_t month, int32_t day)
{
    int32_t from_march = (month + 9) % 12;

    year -= month <= 2;
    return year * 365 + year / 4 - year / 100 + year / 400 + (from_march * 153 + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static void date_of(int32_t days, int32_t *year, int32_t *month, int32_t *day)
{
    int32_t since = days + DAYS_TO_1970, century = since / DAYS_OF_400_YEARS, rest = since % DAYS_OF_400_YEARS;
    int32_t of_400 = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int32_t of_year = rest - (of_400 * 365 + of_400 / 4 - of_400 / 100);
    int32_t from_march = (of_year * 5 + 2) / 153;

    *day = of_year - (from_march * 153 + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = century * 400 + of_400 + (*month <= 2);
}

/* The number that `size` digits make; -1: something else stands there. */
static int32_t digits(const uint8_t *text, size_t size)
{
    int32_t number = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

bool mq_date_parse(int32_t *days, struct mq_span text)
{
    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-')
        return false;
    int32_t year = digits(text.data, 4), month = digits(text.data + 5, 2), day = digits(text.data + 8, 2);
    if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1)
        return false;
    /* A day that the month does not have comes back in a later month. */
    int32_t found = days_of(year, month, day), month_back;
    date_of(found, &year, &month_back, &day);
    if (month_back == month)
        *days = found;
    return month_back == month;
}

static void print_digits(char *out, int32_t number, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
}

void mq_date_print(char out[11], int32_t days)
{
    int32_t year, month, day;

    MQ_ASSERT(days >= days_of(YEAR_FIRST, 1, 1) && days <= days_of(YEAR_LAST, 12, 31));
    date_of(days, &year, &month, &day);
    print_digits(out, year, 4);
    out[4] = '-';
    print_digits(out + 5, month, 2);
    out[7] = '-';
    print_digits(out + 8, day, 2);
    out[10] = '\0';
}
