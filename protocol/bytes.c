/* Bytes borrowed, written and read; see bytes.h. */
#include "protocol/bytes.h"

#include <string.h>

#include "protocol/assert.h"

/* What an empty span points at, so that no reader has to fear NULL in memcpy or a database binding. */
static const uint8_t nothing[1];

struct mq_span mq_span(const void *data, size_t size)
{
    MQ_ASSERT(data != NULL || size == 0);
    return (struct mq_span){size == 0 ? nothing : data, size};
}

struct mq_span mq_span_text(const char *text)
{
    return mq_span(text, strlen(text));
}

bool mq_span_equal(struct mq_span a, struct mq_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int mq_span_order(struct mq_span a, struct mq_span b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

struct mq_buffer mq_buffer(void *memory, size_t capacity)
{
    MQ_ASSERT(memory != NULL || capacity == 0);
    return (struct mq_buffer){.data = memory, .capacity = capacity};
}

struct mq_span mq_written(const struct mq_buffer *buffer)
{
    return mq_span(buffer->data, buffer->size);
}

uint8_t *mq_reserve(struct mq_buffer *buffer, size_t size)
{
    if (buffer->failed || buffer->data == NULL || size > buffer->capacity - buffer->size) {
        buffer->failed = true;
        return NULL;
    }
    uint8_t *room = buffer->data + buffer->size;
    buffer->size += size;
    return room;
}

void mq_put(struct mq_buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    uint8_t *room = mq_reserve(buffer, size);
    if (room != NULL)
        memcpy(room, data, size);
}

void mq_put_span(struct mq_buffer *buffer, struct mq_span span)
{
    mq_put(buffer, span.data, span.size);
}

void mq_put_text(struct mq_buffer *buffer, const char *text)
{
    mq_put_span(buffer, mq_span_text(text));
}

/* The low `size` bytes of `value`, the highest first. */
static void put_number(struct mq_buffer *buffer, uint64_t value, size_t size)
{
    uint8_t *room = mq_reserve(buffer, size);

    for (size_t i = size; room != NULL && i > 0; i--) {
        room[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

void mq_put_u8(struct mq_buffer *buffer, uint8_t value)
{
    put_number(buffer, value, 1);
}

void mq_put_u16(struct mq_buffer *buffer, uint16_t value)
{
    put_number(buffer, value, 2);
}

void mq_put_u24(struct mq_buffer *buffer, uint32_t value)
{
    MQ_ASSERT(value <= 0xffffff);
    put_number(buffer, value, 3);
}

void mq_put_u32(struct mq_buffer *buffer, uint32_t value)
{
    put_number(buffer, value, 4);
}

void mq_put_u64(struct mq_buffer *buffer, uint64_t value)
{
    put_number(buffer, value, 8);
}

struct mq_reader mq_reader(struct mq_span span)
{
    return (struct mq_reader){.data = span.data, .size = span.size};
}

size_t mq_left(const struct mq_reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->at;
}

struct mq_span mq_take(struct mq_reader *reader, size_t size)
{
    if (reader->failed || size > reader->size - reader->at) {
        reader->failed = true;
        return mq_span(NULL, 0);
    }
    if (size == 0)
        return mq_span(NULL, 0);
    struct mq_span taken = mq_span(reader->data + reader->at, size);
    reader->at += size;
    return taken;
}

void mq_get(struct mq_reader *reader, void *out, size_t size)
{
    struct mq_span taken = mq_take(reader, size);

    if (size == 0)
        return;
    if (reader->failed)
        memset(out, 0, size);
    else
        memcpy(out, taken.data, size);
}

static uint64_t get_number(struct mq_reader *reader, size_t size)
{
    struct mq_span taken = mq_take(reader, size);
    uint64_t value = 0;

    for (size_t i = 0; i < taken.size; i++)
        value = value << 8 | taken.data[i];
    return value;
}

uint8_t mq_get_u8(struct mq_reader *reader)
{
    return (uint8_t)get_number(reader, 1);
}

uint16_t mq_get_u16(struct mq_reader *reader)
{
    return (uint16_t)get_number(reader, 2);
}

uint32_t mq_get_u24(struct mq_reader *reader)
{
    return (uint32_t)get_number(reader, 3);
}

uint32_t mq_get_u32(struct mq_reader *reader)
{
    return (uint32_t)get_number(reader, 4);
}

uint64_t mq_get_u64(struct mq_reader *reader)
{
    return get_number(reader, 8);
}

bool mq_reader_done(const struct mq_reader *reader)
{
    return !reader->failed && reader->at == reader->size;
}
