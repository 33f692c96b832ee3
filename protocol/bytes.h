/* Bytes borrowed, bytes written, bytes read: the three shapes in which the protocol passes data. Big-endian. */
#ifndef MQ_PROTOCOL_BYTES_H
#define MQ_PROTOCOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed, never kept beyond the call unless the header says so. Empty ones made here point at a byte, not at NULL. */
struct mq_span {
    const uint8_t *data;
    size_t size;
};

/* Output into the caller's memory. Once something did not fit, `failed` stays true and nothing more is written, so a
 * writer checks once, at the end. */
struct mq_buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
};

/* Input, read from the front. Reading past the end sets `failed` and yields zeros; a reader checks once, at the end. */
struct mq_reader {
    const uint8_t *data;
    size_t size, at;
    bool failed;
};

#define MQ_SPAN(array) ((struct mq_span){(array), sizeof(array)})

struct mq_span mq_span(const void *data, size_t size);
struct mq_span mq_span_text(const char *text); /* without the final NUL */
bool mq_span_equal(struct mq_span a, struct mq_span b);
/* < 0, 0, > 0: bytewise order, a prefix first. */
int mq_span_order(struct mq_span a, struct mq_span b);

struct mq_buffer mq_buffer(void *memory, size_t capacity);
struct mq_span mq_written(const struct mq_buffer *buffer);
void mq_put(struct mq_buffer *buffer, const void *data, size_t size);
void mq_put_span(struct mq_buffer *buffer, struct mq_span span);
void mq_put_text(struct mq_buffer *buffer, const char *text);
void mq_put_u8(struct mq_buffer *buffer, uint8_t value);
void mq_put_u16(struct mq_buffer *buffer, uint16_t value);
void mq_put_u24(struct mq_buffer *buffer, uint32_t value); /* value < 2^24 */
void mq_put_u32(struct mq_buffer *buffer, uint32_t value);
void mq_put_u64(struct mq_buffer *buffer, uint64_t value);
/* Room for `size` bytes that the caller fills in; NULL where it does not fit. */
uint8_t *mq_reserve(struct mq_buffer *buffer, size_t size);

struct mq_reader mq_reader(struct mq_span span);
size_t mq_left(const struct mq_reader *reader); /* 0 once failed, so that loops end */
struct mq_span mq_take(struct mq_reader *reader, size_t size); /* an empty span once failed */
void mq_get(struct mq_reader *reader, void *out, size_t size);
uint8_t mq_get_u8(struct mq_reader *reader);
uint16_t mq_get_u16(struct mq_reader *reader);
uint32_t mq_get_u24(struct mq_reader *reader);
uint32_t mq_get_u32(struct mq_reader *reader);
uint64_t mq_get_u64(struct mq_reader *reader);
/* True when everything was read, nothing is left over and nothing failed. */
bool mq_reader_done(const struct mq_reader *reader);

#endif
