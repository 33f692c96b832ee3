/* JSON at the edges: jansson's one door for reading; writing is our own, into bounded buffers. */
#include "platform/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/limits.h"

/* ---- reading ---- */

static const json_t *inner(const struct mq_json *value)
{
    return (const json_t *)value;
}

/* Brackets outside strings, counted before the parser recurses. */
static bool too_deep(struct mq_span text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (quoted && byte == '\\')
            i++;
        else if (byte == '"')
            quoted = !quoted;
        else if (!quoted && (byte == '{' || byte == '[') && ++depth > MQ_JSON_DEPTH_MAX)
            return true;
        else if (!quoted && (byte == '}' || byte == ']') && depth > 0)
            depth--;
    }
    return false;
}

enum mq_status mq_json_parse(struct mq_json **out, struct mq_span text, struct mq_error *error)
{
    *out = NULL;
    if (too_deep(text))
        return mq_fail(error, MQ_REFUSED, _("not usable JSON: more than %d brackets within each other"),
                       MQ_JSON_DEPTH_MAX);
    const char *front = text.size == 0 ? "" : (const char *)text.data;
    if (memchr(front, '\0', text.size) != NULL) /* jansson would take it for the end and not look behind it */
        return mq_fail(error, MQ_REFUSED, _("not usable JSON: it holds a zero byte"));
    json_error_t found;
    json_t *value = json_loadb(front, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &found);
    if (value == NULL && found.text[0] == '\0') /* jansson had no memory: nobody's line is to blame for that */
        mq_enough(NULL);
    if (value == NULL)
        return mq_fail(error, MQ_REFUSED, _("not usable JSON, line %d, character %d: %s"), found.line, found.column,
                       found.text);
    *out = (struct mq_json *)value;
    return MQ_OK;
}

void mq_json_free(struct mq_json *value)
{
    json_decref((json_t *)value);
}

enum mq_json_type mq_json_type(const struct mq_json *value)
{
    switch (json_typeof(inner(value))) {
    case JSON_OBJECT:
        return MQ_JSON_OBJECT;
    case JSON_ARRAY:
        return MQ_JSON_ARRAY;
    case JSON_STRING:
        return MQ_JSON_STRING;
    case JSON_INTEGER:
        return MQ_JSON_INTEGER;
    case JSON_REAL:
        return MQ_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return MQ_JSON_BOOL;
    case JSON_NULL:
        return MQ_JSON_NULL;
    }
    MQ_ASSERT(false);
    return MQ_JSON_NULL;
}

struct mq_span mq_json_string(const struct mq_json *value)
{
    MQ_ASSERT(json_is_string(inner(value)));
    return mq_span(json_string_value(inner(value)), json_string_length(inner(value)));
}

int64_t mq_json_integer(const struct mq_json *value)
{
    MQ_ASSERT(json_is_integer(inner(value)));
    return json_integer_value(inner(value));
}

bool mq_json_bool(const struct mq_json *value)
{
    MQ_ASSERT(json_is_boolean(inner(value)));
    return json_is_true(inner(value));
}

size_t mq_json_size(const struct mq_json *value)
{
    MQ_ASSERT(json_is_array(inner(value)) || json_is_object(inner(value)));
    return json_is_array(inner(value)) ? json_array_size(inner(value)) : json_object_size(inner(value));
}

const struct mq_json *mq_json_item(const struct mq_json *array, size_t index)
{
    MQ_ASSERT(json_is_array(inner(array)) && index < json_array_size(inner(array)));
    return (const struct mq_json *)json_array_get(inner(array), index);
}

const struct mq_json *mq_json_get(const struct mq_json *object, const char *key)
{
    MQ_ASSERT(json_is_object(inner(object)));
    return (const struct mq_json *)json_object_get(inner(object), key);
}

bool mq_json_each(const struct mq_json *object, void **iterator, const char **key, const struct mq_json **value)
{
    MQ_ASSERT(json_is_object(inner(object)));
    json_t *whole = (json_t *)object; /* jansson's iterators only look, but say otherwise */
    *iterator = *iterator == NULL ? json_object_iter(whole) : json_object_iter_next(whole, *iterator);
    if (*iterator == NULL)
        return false;
    *key = json_object_iter_key(*iterator);
    *value = (const struct mq_json *)json_object_iter_value(*iterator);
    return true;
}

/* ---- writing ---- */

static const char hex_digits[] = "0123456789abcdef";

static void put_escape(struct mq_buffer *out, uint8_t byte)
{
    switch (byte) {
    case '"':
        mq_put_text(out, "\\\"");
        return;
    case '\\':
        mq_put_text(out, "\\\\");
        return;
    case '\n':
        mq_put_text(out, "\\n");
        return;
    case '\r':
        mq_put_text(out, "\\r");
        return;
    case '\t':
        mq_put_text(out, "\\t");
        return;
    default: /* tidy: not an enum */
        mq_put_text(out, "\\u00");
        mq_put_u8(out, (uint8_t)hex_digits[byte >> 4]);
        mq_put_u8(out, (uint8_t)hex_digits[byte & 15]);
    }
}

void mq_json_put_string(struct mq_buffer *out, struct mq_span text)
{
    mq_put_u8(out, '"');
    size_t plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool c1 = byte == 0xc2 && i + 1 < text.size && text.data[i + 1] >= 0x80 && text.data[i + 1] < 0xa0;
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f && !c1)
            continue;
        mq_put(out, text.data + plain, i - plain);
        i += c1; /* its second byte is its number */
        put_escape(out, text.data[i]);
        plain = i + 1;
    }
    if (text.size > plain)
        mq_put(out, text.data + plain, text.size - plain);
    mq_put_u8(out, '"');
}

/* Every member and value but the first in its brackets, and the one after a key, has a comma before it. */
static void next(struct mq_json_writer *writer)
{
    if (writer->comma)
        mq_put_u8(writer->out, ',');
    writer->comma = true;
}

void mq_json_begin(struct mq_json_writer *writer, char bracket)
{
    next(writer);
    mq_put_u8(writer->out, (uint8_t)bracket);
    writer->comma = false;
}

void mq_json_end(struct mq_json_writer *writer, char bracket)
{
    mq_put_u8(writer->out, (uint8_t)bracket);
    writer->comma = true;
}

void mq_json_key(struct mq_json_writer *writer, const char *key)
{
    mq_json_text_value(writer, key);
    mq_put_u8(writer->out, ':');
    writer->comma = false;
}

void mq_json_string_value(struct mq_json_writer *writer, struct mq_span text)
{
    next(writer);
    mq_json_put_string(writer->out, text);
}

void mq_json_text_value(struct mq_json_writer *writer, const char *text)
{
    mq_json_string_value(writer, mq_span_text(text));
}

void mq_json_int_value(struct mq_json_writer *writer, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    next(writer);
    mq_put_text(writer->out, digits);
}

void mq_json_bool_value(struct mq_json_writer *writer, bool value)
{
    next(writer);
    mq_put_text(writer->out, value ? "true" : "false");
}

void mq_json_null_value(struct mq_json_writer *writer)
{
    next(writer);
    mq_put_text(writer->out, "null");
}

void mq_json_hex_value(struct mq_json_writer *writer, struct mq_span bytes)
{
    next(writer);
    mq_put_u8(writer->out, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        mq_put_u8(writer->out, (uint8_t)hex_digits[bytes.data[i] >> 4]);
        mq_put_u8(writer->out, (uint8_t)hex_digits[bytes.data[i] & 15]);
    }
    mq_put_u8(writer->out, '"');
}

void mq_json_text_pair(struct mq_json_writer *writer, const char *key, const char *text)
{
    if (text == NULL)
        return;
    mq_json_key(writer, key);
    mq_json_text_value(writer, text);
}

void mq_json_int_pair(struct mq_json_writer *writer, const char *key, int64_t number)
{
    mq_json_key(writer, key);
    mq_json_int_value(writer, number);
}

void mq_json_bool_pair(struct mq_json_writer *writer, const char *key, bool value)
{
    mq_json_key(writer, key);
    mq_json_bool_value(writer, value);
}
