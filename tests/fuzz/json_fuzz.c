/* Aim: whatever is called JSON is refused with words, or says the same again when it is written and read once more, and
 * holds nothing but UTF-8. Input: the text. */
#include <string.h>

#include "platform/json.h"
#include "protocol/assert.h"
#include "protocol/cbor.h"
#include "protocol/limits.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX (1 << 20)

static void write_object(struct mq_json_writer *writer, const struct mq_json *object);

/* Fractions have no reader: null stands for them. */
static void write_value(struct mq_json_writer *writer, const struct mq_json *value)
{
    switch (mq_json_type(value)) {
    case MQ_JSON_OBJECT:
        write_object(writer, value);
        break;
    case MQ_JSON_ARRAY:
        mq_json_begin(writer, '[');
        for (size_t i = 0; i < mq_json_size(value); i++)
            write_value(writer, mq_json_item(value, i));
        mq_json_end(writer, ']');
        break;
    case MQ_JSON_STRING:
        MQ_ASSERT(mq_utf8_valid(mq_json_string(value)));
        mq_json_string_value(writer, mq_json_string(value));
        break;
    case MQ_JSON_INTEGER:
        mq_json_int_value(writer, mq_json_integer(value));
        break;
    case MQ_JSON_BOOL:
        mq_json_bool_value(writer, mq_json_bool(value));
        break;
    case MQ_JSON_REAL:
    case MQ_JSON_NULL:
        mq_json_null_value(writer);
        break;
    }
}

static void write_object(struct mq_json_writer *writer, const struct mq_json *object)
{
    void *iterator = NULL;
    const char *key;
    const struct mq_json *value;
    size_t count = 0;

    mq_json_begin(writer, '{');
    while (mq_json_each(object, &iterator, &key, &value)) {
        MQ_ASSERT(mq_json_get(object, key) == value);
        mq_json_key(writer, key);
        write_value(writer, value);
        count++;
    }
    MQ_ASSERT(count == mq_json_size(object));
    mq_json_end(writer, '}');
}

static struct mq_span written(uint8_t *memory, struct mq_span text, enum mq_status *status)
{
    struct mq_buffer out = mq_buffer(memory, TEXT_MAX);
    struct mq_json_writer writer = {.out = &out};
    struct mq_error error = {0};
    struct mq_json *value;

    *status = mq_json_parse(&value, text, &error);
    MQ_ASSERT(*status == error.status && (*status == MQ_OK) == (value != NULL));
    MQ_ASSERT(*status == MQ_OK || (*status == MQ_REFUSED && error.text[0] != '\0'));
    if (*status == MQ_OK)
        write_value(&writer, value);
    mq_json_free(value);
    MQ_ASSERT(!out.failed);
    return mq_written(&out);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t one[TEXT_MAX], two[TEXT_MAX];
    enum mq_status status;

    if (size > MQ_LINE_MAX)
        return;
    struct mq_span first = written(one, mq_span(data, size), &status);
    if (status != MQ_OK)
        return;
    struct mq_span second = written(two, first, &status);
    MQ_ASSERT(status == MQ_OK && mq_span_equal(first, second));
}
