/* JSON at the edges: reading lines of the import format, writing objects for --json and export. */
#ifndef MQ_PLATFORM_JSON_H
#define MQ_PLATFORM_JSON_H

#include "platform/error.h"
#include "protocol/bytes.h"

struct mq_json; /* a parsed value; parts are borrowed from the whole */

enum mq_json_type {
    MQ_JSON_OBJECT,
    MQ_JSON_ARRAY,
    MQ_JSON_STRING,
    MQ_JSON_INTEGER,
    MQ_JSON_REAL,
    MQ_JSON_BOOL,
    MQ_JSON_NULL
};

/* Parses exactly one value. MQ_REFUSED with words and the place for: cut or malformed input, invalid UTF-8, duplicate
 * keys, NUL in a string, depth over 16, numbers that do not fit. The caller frees `*out` with mq_json_free; NULL on
 * failure. */
MQ_MUST_USE enum mq_status mq_json_parse(struct mq_json **out, struct mq_span text, struct mq_error *error);
void mq_json_free(struct mq_json *value);

enum mq_json_type mq_json_type(const struct mq_json *value);
struct mq_span mq_json_string(const struct mq_json *value); /* of a STRING */
int64_t mq_json_integer(const struct mq_json *value);       /* of an INTEGER */
bool mq_json_bool(const struct mq_json *value);             /* of a BOOL */
size_t mq_json_size(const struct mq_json *value);           /* items of an ARRAY, keys of an OBJECT */
const struct mq_json *mq_json_item(const struct mq_json *array, size_t index);
const struct mq_json *mq_json_get(const struct mq_json *object, const char *key); /* NULL where missing */

/* Walks an object in the order of its text: start with *iterator = NULL; false at the end. */
bool mq_json_each(const struct mq_json *object, void **iterator, const char **key, const struct mq_json **value);

/* Writing into a bounded buffer: a string with quotes and escapes (input must be UTF-8; '<', U+2028 and U+2029 stand as
 * they are), a key with its colon. Commas and braces are the caller's; struct mq_json_writer keeps count of them. */
struct mq_json_writer {
    struct mq_buffer *out;
    bool comma; /* the next member needs one */
};
void mq_json_put_string(struct mq_buffer *out, struct mq_span text);
void mq_json_begin(struct mq_json_writer *writer, char bracket);  /* '{' or '[' as the next member or value */
void mq_json_end(struct mq_json_writer *writer, char bracket);    /* '}' or ']' */
void mq_json_key(struct mq_json_writer *writer, const char *key); /* then exactly one value or begin */
void mq_json_string_value(struct mq_json_writer *writer, struct mq_span text);
void mq_json_text_value(struct mq_json_writer *writer, const char *text);
void mq_json_int_value(struct mq_json_writer *writer, int64_t number);
void mq_json_bool_value(struct mq_json_writer *writer, bool value);
void mq_json_null_value(struct mq_json_writer *writer);
void mq_json_hex_value(struct mq_json_writer *writer, struct mq_span bytes);
/* A key and its value; `text` NULL: neither. */
void mq_json_text_pair(struct mq_json_writer *writer, const char *key, const char *text);
void mq_json_int_pair(struct mq_json_writer *writer, const char *key, int64_t number);
void mq_json_bool_pair(struct mq_json_writer *writer, const char *key, bool value);

#endif
