/* Aim: spans, buffers and readers keep their bounds, stay failed once failed, and write numbers big-endian. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/bytes.h"

/* Spans compare by content; a prefix comes first, and bytes are unsigned. */
static void spans_compare(void **state)
{
    (void)state;
    assert_true(mq_span_equal(mq_span_text("abc"), mq_span("abcd", 3)));
    assert_false(mq_span_equal(mq_span_text("abc"), mq_span_text("abd")));
    assert_false(mq_span_equal(mq_span_text("abc"), mq_span_text("ab")));
    assert_true(mq_span_equal(mq_span(NULL, 0), mq_span_text("")));
    assert_true(mq_span_order(mq_span_text("ab"), mq_span_text("abc")) < 0);
    assert_true(mq_span_order(mq_span_text("abc"), mq_span_text("ab")) > 0);
    assert_true(mq_span_order(mq_span(NULL, 0), mq_span_text("a")) < 0);
    assert_true(mq_span_order(mq_span_text("\x7f"), mq_span_text("\x80")) < 0);
    assert_int_equal(mq_span_order(mq_span_text("ab"), mq_span_text("ab")), 0);
    assert_non_null(mq_span(NULL, 0).data);
}

/* Every width is written big-endian and reads back as itself. */
static void numbers_are_big_endian(void **state)
{
    static const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                       0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 'o',  'k'};
    uint8_t memory[sizeof expected];
    struct mq_buffer buffer = mq_buffer(memory, sizeof memory);

    (void)state;
    mq_put_u8(&buffer, 0x01);
    mq_put_u16(&buffer, 0x0203);
    mq_put_u24(&buffer, 0x040506);
    mq_put_u32(&buffer, 0x0708090a);
    mq_put_u64(&buffer, UINT64_C(0xf0f1f2f3f4f5f6f7));
    mq_put_text(&buffer, "ok");
    assert_false(buffer.failed);
    assert_true(mq_span_equal(mq_written(&buffer), MQ_SPAN(expected)));

    struct mq_reader reader = mq_reader(mq_written(&buffer));
    uint8_t text[2];
    assert_int_equal(mq_get_u8(&reader), 0x01);
    assert_int_equal(mq_get_u16(&reader), 0x0203);
    assert_int_equal(mq_get_u24(&reader), 0x040506);
    assert_int_equal(mq_get_u32(&reader), 0x0708090a);
    assert_true(mq_get_u64(&reader) == UINT64_C(0xf0f1f2f3f4f5f6f7));
    assert_int_equal(mq_left(&reader), 2);
    assert_false(mq_reader_done(&reader));
    mq_get(&reader, text, sizeof text);
    assert_memory_equal(text, "ok", 2);
    assert_true(mq_reader_done(&reader));
}

/* What does not fit is not written in part, and nothing is written after it, even if it would fit. */
static void full_buffer_stays_failed(void **state)
{
    uint8_t memory[4] = {0xee, 0xee, 0xee, 0xee};
    struct mq_buffer buffer = mq_buffer(memory, 3);

    (void)state;
    mq_put_u16(&buffer, 0x0102);
    mq_put_u16(&buffer, 0x0304);
    mq_put_u8(&buffer, 0x05);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 2);
    assert_int_equal(memory[2], 0xee);
    assert_int_equal(memory[3], 0xee);
    assert_null(mq_reserve(&buffer, 1));
}

/* A request near SIZE_MAX cannot wrap around the bounds. */
static void huge_sizes_are_refused(void **state)
{
    uint8_t memory[8] = {0};
    struct mq_buffer buffer = mq_buffer(memory, sizeof memory);
    struct mq_reader reader = mq_reader(MQ_SPAN(memory));

    (void)state;
    mq_put_u32(&buffer, 1);
    assert_null(mq_reserve(&buffer, SIZE_MAX));
    assert_null(mq_reserve(&buffer, SIZE_MAX - 3));
    (void)mq_get_u32(&reader);
    assert_int_equal(mq_take(&reader, SIZE_MAX - 3).size, 0);
    assert_true(reader.failed);
}

/* A reserved room is the caller's, exactly as large as asked, down to nothing. */
static void reserve_gives_room(void **state)
{
    uint8_t memory[5];
    struct mq_buffer buffer = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_ptr_equal(mq_reserve(&buffer, 3), memory);
    assert_ptr_equal(mq_reserve(&buffer, 2), memory + 3);
    assert_ptr_equal(mq_reserve(&buffer, 0), memory + 5);
    assert_false(buffer.failed);
    assert_null(mq_reserve(&buffer, 1));
    assert_true(buffer.failed);
}

/* No memory at all is a full buffer and an empty input, not undefined behaviour. */
static void nothing_is_fine(void **state)
{
    struct mq_buffer buffer = mq_buffer(NULL, 0);
    struct mq_reader reader = mq_reader((struct mq_span){NULL, 0});

    (void)state;
    mq_put(&buffer, NULL, 0);
    mq_put_span(&buffer, (struct mq_span){NULL, 0});
    assert_false(buffer.failed);
    assert_int_equal(mq_written(&buffer).size, 0);
    assert_int_equal(mq_take(&reader, 0).size, 0);
    mq_get(&reader, NULL, 0);
    assert_true(mq_reader_done(&reader));
    mq_put_u8(&buffer, 1);
    assert_true(buffer.failed);
}

/* Reading past the end yields zeros, ends loops, and later reads yield zeros too, even of bytes that are there. */
static void short_input_stays_failed(void **state)
{
    static const uint8_t input[] = {1, 2, 3};
    struct mq_reader reader = mq_reader(MQ_SPAN(input));
    uint8_t out[2] = {9, 9};

    (void)state;
    assert_int_equal(mq_get_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(mq_left(&reader), 0);
    assert_int_equal(mq_get_u8(&reader), 0);
    mq_get(&reader, out, sizeof out);
    assert_int_equal(out[0] | out[1], 0);
    assert_int_equal(mq_take(&reader, 1).size, 0);
    assert_false(mq_reader_done(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare),        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(full_buffer_stays_failed), cmocka_unit_test(huge_sizes_are_refused),
        cmocka_unit_test(reserve_gives_room),   cmocka_unit_test(nothing_is_fine),
        cmocka_unit_test(short_input_stays_failed),
    };

    return cmocka_run_group_tests_name("protocol/bytes", tests, NULL, NULL);
}
