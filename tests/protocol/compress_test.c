/* Aim: what was compressed comes back exactly, behind the same prefix only, and nothing that is not such a frame costs
 * memory or yields a single byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "protocol/compress.h"
#include "tests/protocol/segment_kit.h"

#define BOMB_BLOCKS 8192
#define BLOCK_SIZE (128 * 1024)
#define MEMORY_BOUND_KIB (8 * 1024)

static struct chance chance;
static uint8_t raw[MQ_PAYLOAD_MAX + 16], packed_memory[MQ_PAYLOAD_MAX + 65536], unpacked[MQ_PAYLOAD_MAX + 16];
static uint8_t prefix[MQ_PROSE_MAX + MQ_LINK_WINDOW];

static struct mq_span pack(struct mq_span text, struct mq_span before)
{
    struct mq_buffer out = mq_buffer(packed_memory, sizeof packed_memory);

    assert_int_equal(mq_compress(&out, text, before), MQ_OK);
    return mq_written(&out);
}

/* Unpacks behind one byte that must survive, and demands that a refusal writes nothing. */
static enum mq_status unpack(size_t raw_size, struct mq_span frame, struct mq_span before)
{
    struct mq_buffer out = mq_buffer(unpacked, sizeof unpacked);

    mq_put_u8(&out, 0x5a);
    enum mq_status status = mq_decompress(&out, raw_size, frame, before);
    assert_int_equal(unpacked[0], 0x5a);
    assert_int_equal(out.size, status == MQ_OK ? raw_size + 1 : 1);
    return status;
}

static void assert_round_trip(struct mq_span text, struct mq_span before)
{
    assert_int_equal(unpack(text.size, pack(text, before), before), MQ_OK);
    assert_memory_equal(unpacked + 1, text.data, text.size);
}

/* Text and noise of every kind of size come back, with prefixes from nothing to the longest. */
static void everything_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,     2,            7,      8,      9,             100, 255, 256,
                                   4095, 27000, MQ_BATCH_MAX, 131072, 131073, MQ_PAYLOAD_MAX};
    static const size_t prefix_sizes[] = {0, 1, 7, 8, 9, 1000, MQ_PROSE_MAX, sizeof prefix};

    kit_fill_text(&chance, prefix, sizeof prefix);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof prefix_sizes / sizeof prefix_sizes[0]; j++) {
            if (sizes[i] > MQ_BATCH_MAX && j > 0 && prefix_sizes[j] < sizeof prefix) {
                continue; /* large texts: without and with all of the prefix */
            }
            kit_fill_text(&chance, raw, sizes[i]);
            assert_round_trip(mq_span(raw, sizes[i]), mq_span(prefix, prefix_sizes[j]));
            if (sizes[i] <= MQ_BATCH_MAX) {
                chance_fill(&chance, raw, sizes[i]);
                assert_round_trip(mq_span(raw, sizes[i]), mq_span(prefix, prefix_sizes[j]));
            }
        }
    }
}

/* A prefix of the same kind of text must pay: that is what it is for. */
static void a_prefix_makes_it_smaller(void **state)
{
    (void)state;
    kit_fill_text(&chance, prefix, sizeof prefix);
    kit_fill_text(&chance, raw, 4000);
    size_t alone = pack(mq_span(raw, 4000), mq_span(NULL, 0)).size;
    size_t behind = pack(mq_span(raw, 4000), MQ_SPAN(prefix)).size;
    assert_true(behind < alone);

    memcpy(raw, prefix, 4000); /* the oldest bytes of the prefix are in reach, at the end of the longest batch too */
    assert_true(pack(mq_span(raw, 4000), MQ_SPAN(prefix)).size < 100);
    chance_fill(&chance, raw, MQ_BATCH_MAX);
    size_t noise = pack(mq_span(raw, MQ_BATCH_MAX - 4000), MQ_SPAN(prefix)).size;
    memcpy(raw + MQ_BATCH_MAX - 4000, prefix, 4000);
    assert_true(pack(mq_span(raw, MQ_BATCH_MAX), MQ_SPAN(prefix)).size < noise + 100);
}

/* A text longer than the usual window is one window, so its end still refers to its beginning. */
static void a_long_text_is_one_window(void **state)
{
    (void)state;
    static const size_t sizes[] = {140000, 200000, 250000}; /* no further than the match finder's tables reach */

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        chance_fill(&chance, raw, sizes[i]);
        memcpy(raw + sizes[i] - 8000, raw, 8000);
        assert_in_range(pack(mq_span(raw, sizes[i]), mq_span(NULL, 0)).size, sizes[i] - 8000, sizes[i] - 4000);
    }
}

/* The frame depends on the bytes alone, not on where they stand: right behind the prefix or far from it. */
static void neighbours_in_memory_change_nothing(void **state)
{
    (void)state;
    static uint8_t together[sizeof prefix + 4000], frame[5000];
    chance_fill(&chance, prefix, sizeof prefix);
    memcpy(raw, prefix, 4000);
    memcpy(together, prefix, sizeof prefix);
    memcpy(together + sizeof prefix, prefix, 4000);

    struct mq_span apart = pack(mq_span(raw, 4000), MQ_SPAN(prefix));
    size_t size = apart.size;
    assert_in_range(size, 1, 100);
    memcpy(frame, apart.data, size);
    struct mq_span behind = pack(mq_span(together + sizeof prefix, 4000), mq_span(together, sizeof prefix));
    assert_int_equal(behind.size, size);
    assert_memory_equal(behind.data, frame, size);
}

/* Where the caller's memory ends, nothing is written beyond it and the status says so. */
static void too_little_room_is_said(void **state)
{
    (void)state;
    chance_fill(&chance, raw, 1000);
    for (size_t capacity = 0; capacity < 1000; capacity += 37) {
        struct mq_buffer out = mq_buffer(packed_memory, capacity);
        packed_memory[capacity] = 0x5a;
        assert_int_equal(mq_compress(&out, mq_span(raw, 1000), mq_span(NULL, 0)), MQ_NO_SPACE);
        assert_int_equal(packed_memory[capacity], 0x5a);
        assert_int_equal(out.size, 0);
    }
    struct mq_span frame = pack(mq_span(raw, 1000), mq_span(NULL, 0));
    struct mq_buffer out = mq_buffer(unpacked, 999);
    assert_int_equal(mq_decompress(&out, 1000, frame, mq_span(NULL, 0)), MQ_NO_SPACE);
    assert_int_equal(out.size, 0);
}

/* A wrong prefix is always refused: here the text repeats nearly all of it and is nothing else, so every bit counts but
 * those near both ends, where the first bytes of a match may stand as literals. */
static void a_wrong_prefix_is_refused(void **state)
{
    (void)state;
    const size_t size = 8192, margin = 64;
    const struct mq_span right = mq_span(prefix, size);
    chance_fill(&chance, prefix, size);
    memcpy(raw, prefix, size);
    struct mq_span frame = pack(mq_span(raw, size), right);
    assert_true(frame.size < 100);

    for (size_t i = 0; i < 4000; i++) {
        size_t bit = margin * 8 + chance_below(&chance, (size - 2 * margin) * 8);
        prefix[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(unpack(size, frame, right), MQ_REFUSED);
        prefix[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t shorter = 0; shorter < size - margin; shorter++) { /* cut in front: every offset reaches too far */
        assert_int_equal(unpack(size, frame, mq_span(prefix + size - shorter, shorter)), MQ_REFUSED);
    }
    for (size_t shorter = 0; shorter < size; shorter++) { /* cut behind: every offset reaches the wrong bytes */
        assert_int_equal(unpack(size, frame, mq_span(prefix, shorter)), MQ_REFUSED);
    }
    assert_int_equal(unpack(size, frame, right), MQ_OK);
}

/* In real text some bytes of the prefix are not referred to; then a wrong one gives the right words or none. */
static void a_wrong_prefix_never_gives_wrong_words(void **state)
{
    (void)state;
    kit_fill_text(&chance, prefix, 20000);
    kit_fill_text(&chance, raw, 5000);
    const struct mq_span before = mq_span(prefix, 20000);
    struct mq_span frame = pack(mq_span(raw, 5000), before);
    unsigned refused = 0;

    for (unsigned i = 0; i < 4000; i++) {
        size_t bit = chance_below(&chance, 20000 * 8);
        prefix[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (unpack(5000, frame, before) == MQ_OK) {
            assert_memory_equal(unpacked + 1, raw, 5000);
        } else {
            refused++;
        }
        prefix[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(refused > 0);
}

/* No bit of a frame can change without a refusal or the same words. */
static void a_damaged_frame_never_gives_wrong_words(void **state)
{
    (void)state;
    kit_fill_text(&chance, prefix, 1000);
    kit_fill_text(&chance, raw, 700);
    struct mq_span frame = pack(mq_span(raw, 700), mq_span(prefix, 1000));

    for (size_t bit = 0; bit < frame.size * 8; bit++) {
        packed_memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (unpack(700, frame, mq_span(prefix, 1000)) == MQ_OK) {
            assert_memory_equal(unpacked + 1, raw, 700);
        }
        packed_memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Another declared length, a cut anywhere, and anything after the frame are refused. */
static void the_length_must_be_exact(void **state)
{
    (void)state;
    const struct mq_span none = mq_span(NULL, 0);
    kit_fill_text(&chance, raw, 3000);
    struct mq_span frame = pack(mq_span(raw, 3000), none);

    for (size_t raw_size = 0; raw_size < 6000; raw_size++) {
        assert_int_equal(unpack(raw_size, frame, none), raw_size == 3000 ? MQ_OK : MQ_REFUSED);
    }
    for (size_t size = 0; size < frame.size; size++) {
        assert_int_equal(unpack(3000, mq_span(packed_memory, size), none), MQ_REFUSED);
    }
    packed_memory[frame.size] = 0;
    assert_int_equal(unpack(3000, mq_span(packed_memory, frame.size + 1), none), MQ_REFUSED);
    memcpy(packed_memory + frame.size, packed_memory, frame.size); /* two frames */
    assert_int_equal(unpack(6000, mq_span(packed_memory, 2 * frame.size), none), MQ_REFUSED);
    assert_int_equal(unpack(3000, mq_span(packed_memory, 2 * frame.size), none), MQ_REFUSED);
    assert_int_equal(unpack(MQ_PAYLOAD_MAX + 1, frame, none), MQ_REFUSED);
    assert_int_equal(unpack(SIZE_MAX / 2, frame, none), MQ_REFUSED); /* before room is asked for */
}

/* One raw block, spelled by hand: with its checksum taken away the frame is whole for zstd, but not for us. */
static void a_frame_without_checksum_is_refused(void **state)
{
    (void)state;
    const struct mq_span none = mq_span(NULL, 0);
    chance_fill(&chance, raw, 50);
    struct mq_span frame = pack(mq_span(raw, 50), none);
    assert_int_equal(frame.size, 2 + 3 + 50 + 4); /* header, block header, noise as it is, checksum */
    assert_int_equal(packed_memory[0], 0x04);

    assert_int_equal(unpack(50, frame, none), MQ_OK);
    packed_memory[frame.size - 1] ^= 1;
    assert_int_equal(unpack(50, frame, none), MQ_REFUSED);
    packed_memory[0] = 0x00;
    assert_int_equal(unpack(50, mq_span(packed_memory, frame.size - 4), none), MQ_REFUSED);
}

/* Of all frame descriptors one is accepted: no content size, dictionary id or single segment slips in. */
static void other_frame_descriptors_are_refused(void **state)
{
    (void)state;
    const struct mq_span none = mq_span(NULL, 0);
    kit_fill_text(&chance, raw, 300);
    struct mq_span frame = pack(mq_span(raw, 300), none);

    for (unsigned descriptor = 0; descriptor < 256; descriptor++) {
        packed_memory[0] = (uint8_t)descriptor;
        assert_int_equal(unpack(300, frame, none), descriptor == 0x04 ? MQ_OK : MQ_REFUSED);
    }
}

/* Windows up to the limit are read, larger ones refused. */
static void large_windows_are_refused(void **state)
{
    (void)state;
    const struct mq_span none = mq_span(NULL, 0);
    kit_fill_text(&chance, raw, 300);
    struct mq_span frame = pack(mq_span(raw, 300), none);

    for (unsigned log = 10; log <= 41; log++) {
        packed_memory[1] = (uint8_t)((log - 10) << 3);
        assert_int_equal(unpack(300, frame, none), log <= MQ_ZSTD_WINDOW_LOG_MAX ? MQ_OK : MQ_REFUSED);
    }
    packed_memory[1] = (uint8_t)((MQ_ZSTD_WINDOW_LOG_MAX - 10) << 3 | 1); /* an eighth more */
    assert_int_equal(unpack(300, frame, none), MQ_REFUSED);
}

/* 32 KiB that would become 1 GiB end at the declared length, and memory stays within a bound. */
static void a_bomb_stays_small(void **state)
{
    (void)state;
    struct rusage before, after;
    struct mq_buffer bomb = mq_buffer(packed_memory, sizeof packed_memory);
    mq_put_u8(&bomb, 0x04);
    mq_put_u8(&bomb, (MQ_ZSTD_WINDOW_LOG_MAX - 10) << 3);
    for (unsigned block = 0; block < BOMB_BLOCKS; block++) { /* header: last, type 1 = one byte repeated, size */
        uint32_t head = (block + 1 == BOMB_BLOCKS) | 1u << 1 | (uint32_t)BLOCK_SIZE << 3;
        const uint8_t bytes[] = {(uint8_t)head, (uint8_t)(head >> 8), (uint8_t)(head >> 16), 0};
        mq_put(&bomb, bytes, sizeof bytes);
    }
    mq_put_u32(&bomb, 0); /* in the checksum's place */

    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_int_equal(unpack(MQ_PAYLOAD_MAX, mq_written(&bomb), mq_span(NULL, 0)), MQ_REFUSED);
    packed_memory[1] = (27 - 10) << 3;
    assert_int_equal(unpack(MQ_PAYLOAD_MAX, mq_written(&bomb), mq_span(NULL, 0)), MQ_REFUSED);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < MEMORY_BOUND_KIB);
}

/* Noise is no frame, with the right descriptor in front or not. */
static void noise_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = 1 + chance_below(&chance, 200);
        chance_fill(&chance, packed_memory, size);
        packed_memory[0] = chance_below(&chance, 4) == 0 ? packed_memory[0] : 0x04;
        size_t raw_size = chance_below(&chance, 3000);
        assert_int_equal(unpack(raw_size, mq_span(packed_memory, size), mq_span(prefix, 1000)), MQ_REFUSED);
    }
}

int main(void)
{
    chance = chance_start("compress_test");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(a_prefix_makes_it_smaller),
        cmocka_unit_test(a_long_text_is_one_window),
        cmocka_unit_test(neighbours_in_memory_change_nothing),
        cmocka_unit_test(too_little_room_is_said),
        cmocka_unit_test(a_wrong_prefix_is_refused),
        cmocka_unit_test(a_wrong_prefix_never_gives_wrong_words),
        cmocka_unit_test(a_damaged_frame_never_gives_wrong_words),
        cmocka_unit_test(the_length_must_be_exact),
        cmocka_unit_test(a_frame_without_checksum_is_refused),
        cmocka_unit_test(other_frame_descriptors_are_refused),
        cmocka_unit_test(large_windows_are_refused),
        cmocka_unit_test(a_bomb_stays_small),
        cmocka_unit_test(noise_is_refused),
    };
    return cmocka_run_group_tests_name("compress", tests, NULL, NULL);
}
