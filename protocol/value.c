/* One value of a field: is it good, how it comes from text and goes back (protocol/record.h). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/record.h"

#define PLACE_DIGITS 12
#define PLACE_MAX 999999999999
#define UUID_TEXT_SIZE 36
#define DECIMAL_MAX 20 /* digits of a uint64_t */

/* Texts. */

/* `text` is UTF-8 already. */
static bool text_fits(const struct mq_field *field, struct mq_span text)
{
    if (text.size > field->most || (text.size == 0 && (field->flags & MQ_FIELD_REQUIRED) != 0))
        return false;
    return !mq_utf8_controls(text, field->type == MQ_TYPE_LONG_TEXT);
}

static bool line_fits(struct mq_span text, size_t most)
{
    return text.size <= most && !mq_utf8_controls(text, false);
}

/* Ids and places. */

static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

/* A UUID as everybody prints it, in lower case: the only text that travels as 16 bytes. */
static bool is_uuid(struct mq_span text)
{
    if (text.size != UUID_TEXT_SIZE)
        return false;
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        uint8_t byte = text.data[i];
        bool hex = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
        if (is_hyphen_place(i) ? byte != '-' : !hex)
            return false;
    }
    return true;
}

static uint8_t hex_value(uint8_t digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void put_uuid(struct mq_buffer *out, struct mq_span text)
{
    uint8_t bytes[MQ_ID_SIZE];
    size_t size = 0;

    for (size_t i = 0; i < UUID_TEXT_SIZE; i += 2) {
        i += is_hyphen_place(i);
        bytes[size++] = (uint8_t)(hex_value(text.data[i]) << 4 | hex_value(text.data[i + 1]));
    }
    mq_cbor_put_bytes(out, MQ_SPAN(bytes));
}

static void print_uuid(struct mq_buffer *out, struct mq_span bytes)
{
    static const char hex[] = "0123456789abcdef";
    char text[UUID_TEXT_SIZE];
    size_t at = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        if (is_hyphen_place(at))
            text[at++] = '-';
        text[at++] = hex[bytes.data[i] >> 4];
        text[at++] = hex[bytes.data[i] & 15];
    }
    mq_put(out, text, at);
}

static bool id_fits(const struct mq_field *field, struct mq_span text)
{
    return text.size > 0 && line_fits(text, field->most) && !is_uuid(text);
}

/* All of `text` is digits, and none needless at the front unless `fixed`; at most DECIMAL_MAX - 1, so nothing wraps. */
static bool parse_decimal(uint64_t *number, struct mq_span text, bool fixed)
{
    if (text.size == 0 || text.size >= DECIMAL_MAX || (!fixed && text.size > 1 && text.data[0] == '0'))
        return false;
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    return true;
}

/* With zeros in front up to `least` digits. */
static void print_decimal(struct mq_buffer *out, uint64_t number, size_t least)
{
    char text[DECIMAL_MAX];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || sizeof text - at < least);
    mq_put(out, text + at, sizeof text - at);
}

static bool parse_place_code(uint64_t *code, struct mq_span text)
{
    return text.size == PLACE_DIGITS && parse_decimal(code, text, true);
}

static bool place_name_fits(const struct mq_field *field, struct mq_span text)
{
    uint64_t code;

    return text.size > 0 && line_fits(text, field->most) && !parse_place_code(&code, text);
}

/* Any number that a list may have, now or later (MQ_TYPE_CODE). */
static bool code_fits(uint64_t number)
{
    return number > 0 && number <= MQ_CODE_NUMBER_MAX;
}

/* Values from outside: each looks at the next item, or items. */

static bool life_fits(struct mq_reader *reader)
{
    struct mq_cbor_item item = mq_cbor_next(reader);

    if (item.type == MQ_CBOR_UINT)
        return item.number == 0;
    if (item.type != MQ_CBOR_ARRAY || item.number != 2 || mq_cbor_uint(reader) != 1)
        return false;
    uint64_t names = mq_cbor_array(reader, UINT64_MAX);
    for (uint64_t i = 0; i < names; i++)
        if (mq_cbor_bytes(reader, MQ_NAME_SIZE).size != MQ_NAME_SIZE)
            return false;
    return true;
}

static bool reference_fits(struct mq_reader *reader)
{
    return mq_cbor_next(reader).type == MQ_CBOR_REFERENCE && mq_cbor_bytes(reader, MQ_ID_SIZE).size == MQ_ID_SIZE;
}

static bool phone_fits(struct mq_reader *reader)
{
    if (mq_cbor_array(reader, 2) != 2)
        return false;
    struct mq_span number = mq_cbor_text(reader, MQ_NAME_TEXT_MAX);
    struct mq_cbor_item whose = mq_cbor_next(reader);
    bool named = whose.type == MQ_CBOR_TEXT && line_fits(whose.bytes, MQ_NAME_TEXT_MAX);

    return number.size > 0 && line_fits(number, MQ_NAME_TEXT_MAX) && (named || whose.type == MQ_CBOR_NULL);
}

/* A day, or null for an open end. */
static bool day_fits(struct mq_reader *reader, bool open)
{
    struct mq_cbor_item item = mq_cbor_next(reader);

    return (open && item.type == MQ_CBOR_NULL) || (item.type == MQ_CBOR_UINT && item.number <= MQ_DAY_MAX);
}

static bool dated_code_fits(struct mq_reader *reader)
{
    return mq_cbor_array(reader, 3) == 3 && mq_cbor_uint(reader) <= PLACE_MAX && day_fits(reader, true) &&
           day_fits(reader, true);
}

static bool list_fits(const struct mq_field *field, struct mq_reader *reader)
{
    uint64_t count = mq_cbor_array(reader, field->most);
    bool fits = true;

    for (uint64_t i = 0; i < count && fits && !reader->failed; i++) {
        if (field->type == MQ_TYPE_PHONES)
            fits = phone_fits(reader);
        else if (field->type == MQ_TYPE_TEXTS)
            fits = line_fits(mq_cbor_text(reader, MQ_SHORT_TEXT_MAX), MQ_SHORT_TEXT_MAX);
        else if (field->type == MQ_TYPE_DATES)
            fits = day_fits(reader, false);
        else if (field->type == MQ_TYPE_DATED_CODES)
            fits = dated_code_fits(reader);
        else
            fits = reference_fits(reader);
    }
    return fits;
}

static bool value_fits(const struct mq_field *field, struct mq_reader *reader)
{
    struct mq_reader start = *reader;
    struct mq_cbor_item item = mq_cbor_next(reader);
    bool text = item.type == MQ_CBOR_TEXT, uint = item.type == MQ_CBOR_UINT;

    switch (field->type) {
    case MQ_TYPE_ID:
        return text ? id_fits(field, item.bytes) : item.type == MQ_CBOR_BYTES && item.bytes.size == MQ_ID_SIZE;
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
        return text && text_fits(field, item.bytes);
    case MQ_TYPE_DATE:
        return uint && item.number <= MQ_DAY_MAX;
    case MQ_TYPE_COUNT:
        return uint && item.number <= field->most;
    case MQ_TYPE_BOOL:
        return item.type == MQ_CBOR_FALSE || item.type == MQ_CBOR_TRUE;
    case MQ_TYPE_CODE:
        return uint && code_fits(item.number);
    case MQ_TYPE_PLACE:
        return uint ? item.number <= PLACE_MAX : text && place_name_fits(field, item.bytes);
    case MQ_TYPE_LIFE:
        *reader = start;
        return life_fits(reader);
    case MQ_TYPE_REFERENCE:
        *reader = start;
        return reference_fits(reader);
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES:
        *reader = start;
        return list_fits(field, reader);
    }
    MQ_NO_OTHER();
}

bool mq_value_valid(const struct mq_field *field, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);

    return value_fits(field, &reader) && mq_reader_done(&reader);
}

/* From text: each puts the value where the text is one, and says whether it is. */

static bool put_id(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    if (is_uuid(text))
        put_uuid(out, text);
    else if (id_fits(field, text))
        mq_cbor_put_text(out, text);
    else
        return false;
    return true;
}

static bool put_text(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    bool fits = text_fits(field, text);

    if (fits)
        mq_cbor_put_text(out, text);
    return fits;
}

static bool put_date(struct mq_span text, struct mq_buffer *out)
{
    int32_t days;
    bool fits = mq_date_parse(&days, text) && days >= 0;

    if (fits)
        mq_cbor_put_uint(out, (uint64_t)days);
    return fits;
}

static bool put_count(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    uint64_t number;
    bool fits = parse_decimal(&number, text, false) && number <= field->most;

    if (fits)
        mq_cbor_put_uint(out, number);
    return fits;
}

static bool put_bool(struct mq_span text, struct mq_buffer *out)
{
    bool yes = mq_span_equal(text, mq_span_text("true"));
    bool fits = yes || mq_span_equal(text, mq_span_text("false"));

    if (fits)
        mq_cbor_put_bool(out, yes);
    return fits;
}

static bool put_code(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    const struct mq_code *code = mq_code_by_text(field->codes, text);
    uint64_t number = 0;
    bool fits = code != NULL || (parse_decimal(&number, text, false) && code_fits(number));

    if (fits)
        mq_cbor_put_uint(out, code != NULL ? code->code : number);
    return fits;
}

static bool put_place(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    uint64_t code;

    if (parse_place_code(&code, text))
        mq_cbor_put_uint(out, code);
    else if (place_name_fits(field, text))
        mq_cbor_put_text(out, text);
    else
        return false;
    return true;
}

static bool put_value(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    switch (field->type) {
    case MQ_TYPE_ID:
        return put_id(field, text, out);
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
        return put_text(field, text, out);
    case MQ_TYPE_DATE:
        return put_date(text, out);
    case MQ_TYPE_COUNT:
        return put_count(field, text, out);
    case MQ_TYPE_BOOL:
        return put_bool(text, out);
    case MQ_TYPE_CODE:
        return put_code(field, text, out);
    case MQ_TYPE_PLACE:
        return put_place(field, text, out);
    case MQ_TYPE_LIFE:
    case MQ_TYPE_REFERENCE:
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES:
        return false;
    }
    MQ_NO_OTHER();
}

enum mq_status mq_value_from_text(const struct mq_field *field, struct mq_span text, struct mq_buffer *out)
{
    if (!mq_utf8_valid(text) || !put_value(field, text, out))
        return MQ_REFUSED;
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}

/* To text. */

static void print_date(struct mq_buffer *out, uint64_t days)
{
    char text[11];

    mq_date_print(text, (int32_t)days);
    mq_put_text(out, text);
}

static void print_code(struct mq_buffer *out, const struct mq_code_list *list, uint64_t number)
{
    const struct mq_code *code = mq_code_by_number(list, number);

    if (code == NULL) /* of a list that was extended elsewhere */
        print_decimal(out, number, 1);
    else
        mq_put_text(out, code->text != NULL ? code->text : code->label);
}

/* `item` is a valid value's only one. */
static bool print_value(const struct mq_field *field, const struct mq_cbor_item *item, struct mq_buffer *out)
{
    switch (field->type) {
    case MQ_TYPE_ID:
        if (item->type == MQ_CBOR_BYTES)
            print_uuid(out, item->bytes);
        else
            mq_put_span(out, item->bytes);
        return true;
    case MQ_TYPE_TEXT:
    case MQ_TYPE_LONG_TEXT:
        mq_put_span(out, item->bytes);
        return true;
    case MQ_TYPE_DATE:
        print_date(out, item->number);
        return true;
    case MQ_TYPE_COUNT:
        print_decimal(out, item->number, 1);
        return true;
    case MQ_TYPE_BOOL:
        mq_put_text(out, item->type == MQ_CBOR_TRUE ? "true" : "false");
        return true;
    case MQ_TYPE_CODE:
        print_code(out, field->codes, item->number);
        return true;
    case MQ_TYPE_PLACE:
        if (item->type == MQ_CBOR_UINT)
            print_decimal(out, item->number, PLACE_DIGITS);
        else
            mq_put_span(out, item->bytes);
        return true;
    case MQ_TYPE_LIFE:
    case MQ_TYPE_REFERENCE:
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES:
        return false;
    }
    MQ_NO_OTHER();
}

enum mq_status mq_value_to_text(const struct mq_field *field, struct mq_span value, struct mq_buffer *out)
{
    struct mq_reader reader = mq_reader(value);

    if (!mq_value_valid(field, value))
        return MQ_REFUSED;
    struct mq_cbor_item item = mq_cbor_next(&reader);
    if (!print_value(field, &item, out))
        return MQ_REFUSED;
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}
