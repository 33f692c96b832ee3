/* Aim: frames come out as they went in, a cut is seen wherever it falls, and a bundle is whole or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/frame.h"

static uint8_t memory[4096];

/* Three frames: one empty, one of one byte, one longer than 255. */
static void put_three(struct mq_buffer *out)
{
    uint8_t long_payload[300];

    memset(long_payload, 0x5a, sizeof long_payload);
    mq_frame_put(out, MQ_FRAME_ANNOUNCE, mq_span(NULL, 0));
    mq_frame_put(out, MQ_FRAME_SEGMENT, mq_span("x", 1));
    mq_frame_put(out, MQ_FRAME_WANT, MQ_SPAN(long_payload));
}

/* Type, length and payload stand where docs/protocol.md, section 4, puts them. */
static void frame_layout(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    put_three(&out);
    assert_false(out.failed);
    assert_int_equal(out.size, 4 + 5 + 304);
    assert_memory_equal(memory, "\x03\0\0\0\x01\0\0\x01x\x09\0\x01\x2c\x5a", 14);
}

/* What was put comes out again, in order, and then the input ends between frames. */
static void frames_round_trip(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_frame frame;

    (void)state;
    put_three(&out);
    struct mq_reader reader = mq_reader(mq_written(&out));
    assert_int_equal(mq_frame_next(&reader, &frame), MQ_OK);
    assert_int_equal(frame.type, MQ_FRAME_ANNOUNCE);
    assert_int_equal(frame.payload.size, 0);
    assert_int_equal(mq_frame_next(&reader, &frame), MQ_OK);
    assert_int_equal(frame.type, MQ_FRAME_SEGMENT);
    assert_memory_equal(frame.payload.data, "x", 1);
    assert_int_equal(mq_frame_next(&reader, &frame), MQ_OK);
    assert_int_equal(frame.type, MQ_FRAME_WANT);
    assert_int_equal(frame.payload.size, 300);
    assert_int_equal(mq_frame_next(&reader, &frame), MQ_NOT_FOUND);
    assert_true(mq_reader_done(&reader));
}

/* Cut at any byte, the whole frames before the cut come out, and the reader stays in front of the torn one. */
static void cut_is_seen(void **state)
{
    static const size_t ends[] = {0, 4, 9, 313};
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    put_three(&out);
    for (size_t size = 0; size <= out.size; size++) {
        struct mq_reader reader = mq_reader(mq_span(memory, size));
        struct mq_frame frame;
        enum mq_status status;
        size_t whole = 0, expected = 0;

        while ((status = mq_frame_next(&reader, &frame)) == MQ_OK)
            whole++;
        while (expected < 3 && ends[expected + 1] <= size)
            expected++;
        assert_int_equal(whole, expected);
        assert_int_equal(reader.at, ends[expected]);
        assert_int_equal(status, size == ends[expected] ? MQ_NOT_FOUND : MQ_REFUSED);
    }
}

/* A frame that does not fit writes nothing at all. */
static void full_buffer_keeps_whole_frames(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 313; capacity++) {
        struct mq_buffer out = mq_buffer(memory, capacity);
        put_three(&out);
        assert_true(out.failed);
        assert_int_equal(out.size, capacity < 4 ? 0 : capacity < 9 ? 4 : 9);
    }
}

static struct mq_span bundle(void)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    mq_bundle_begin(&out);
    put_three(&out);
    mq_bundle_end(&out);
    assert_false(out.failed);
    return mq_written(&out);
}

/* A bundle gives back exactly the frames put between its beginning and its end. */
static void bundle_round_trip(void **state)
{
    struct mq_span file = bundle(), frames;

    (void)state;
    assert_int_equal(file.size, 8 + 313 + 36);
    assert_memory_equal(file.data, "MINQING\1", 8);
    assert_int_equal(mq_bundle_open(&frames, file), MQ_OK);
    assert_int_equal(frames.size, 313);
    assert_ptr_equal(frames.data, file.data + 8);
}

/* A bundle without frames is one too. */
static void empty_bundle(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_span frames;

    (void)state;
    mq_bundle_begin(&out);
    mq_bundle_end(&out);
    assert_int_equal(mq_bundle_open(&frames, mq_written(&out)), MQ_OK);
    assert_int_equal(frames.size, 0);
}

/* Cut at any byte, or longer by one, a bundle is not opened. */
static void bundle_cut(void **state)
{
    struct mq_span file = bundle(), frames;

    (void)state;
    for (size_t size = 0; size < file.size; size++)
        assert_int_equal(mq_bundle_open(&frames, mq_span(file.data, size)), size < 8 ? MQ_REFUSED : MQ_DAMAGED);
    memory[file.size] = 0;
    assert_int_equal(mq_bundle_open(&frames, mq_span(file.data, file.size + 1)), MQ_DAMAGED);
}

/* No single flipped bit is overlooked. */
static void bundle_flipped(void **state)
{
    struct mq_span file = bundle(), frames;

    (void)state;
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(mq_bundle_open(&frames, file), bit < 64 ? MQ_REFUSED : MQ_DAMAGED);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Torn frames, or an end in the middle, are refused even where the hash fits. */
static void bundle_of_torn_frames(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_span frames;

    (void)state;
    mq_bundle_begin(&out);
    mq_put(&out, "\1\0\0\5wxyz", 8);
    mq_bundle_end(&out);
    assert_int_equal(mq_bundle_open(&frames, mq_written(&out)), MQ_DAMAGED);

    out = mq_buffer(memory, sizeof memory);
    mq_bundle_begin(&out);
    mq_frame_put(&out, MQ_FRAME_END, mq_span(NULL, 0));
    mq_bundle_end(&out);
    assert_int_equal(mq_bundle_open(&frames, mq_written(&out)), MQ_DAMAGED);
}

/* A reader that has failed before gives no frame, and what did not fit gets no end that would make it look whole. */
static void failure_goes_on(void **state)
{
    struct mq_span file = bundle();
    struct mq_reader reader = mq_reader(file);
    struct mq_buffer small = mq_buffer(memory, MQ_BUNDLE_HEAD_SIZE + 3);
    struct mq_frame frame;

    (void)state;
    (void)mq_take(&reader, file.size + 1);
    assert_int_equal(mq_frame_next(&reader, &frame), MQ_REFUSED);

    mq_bundle_begin(&small);
    mq_frame_put(&small, MQ_FRAME_SEGMENT, mq_span_text("wxyz"));
    assert_true(small.failed);
    mq_bundle_end(&small);
    assert_int_equal(small.size, MQ_BUNDLE_HEAD_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_layout),      cmocka_unit_test(frames_round_trip),
        cmocka_unit_test(cut_is_seen),       cmocka_unit_test(full_buffer_keeps_whole_frames),
        cmocka_unit_test(bundle_round_trip), cmocka_unit_test(empty_bundle),
        cmocka_unit_test(bundle_cut),        cmocka_unit_test(bundle_flipped),
        cmocka_unit_test(bundle_of_torn_frames), cmocka_unit_test(failure_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
