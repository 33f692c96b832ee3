/* Aim: whoever holds no key can tell a segment of a stream from everything else, whole or as a skeleton. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/protocol/segment_kit.h"

static struct kit_writer writer, stranger;
static struct kit_sealed sealed, other;

/* A small valid segment, made without seal.c. */
static void make(struct kit_sealed *out, const struct mq_seal_context *context, const char *words)
{
    uint8_t plain[512];

    kit_seal(out, context, kit_plain(plain, sizeof plain, 0, 0, 0, strlen(words), mq_span_text(words)));
}

static enum mq_status read_and_verify(struct mq_span bytes)
{
    struct mq_segment segment;
    enum mq_status status = mq_segment_decode(&segment, bytes);

    return status == MQ_OK ? mq_segment_verify(&segment, &writer.announce) : status;
}

/* Padded lengths are those of the paper, by hand. */
static void padme_gives_known_lengths(void **state)
{
    (void)state;
    static const size_t known[][2] = {{0, 256},         {1, 256},         {255, 256},       {256, 256},
                                      {257, 272},       {272, 272},       {273, 288},       {511, 512},
                                      {513, 544},       {61447, 63488},   {63489, 65536},   {65536, 65536},
                                      {65537, 67584}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(mq_padme(known[i][0]), known[i][1]);
    }
}

/* M15: every padded length is in the Padmé set, never shorter than the content, and at most 12 % longer. */
static void padded_lengths_are_padme(void **state)
{
    (void)state;
    for (size_t n = MQ_PLAIN_MIN; n <= MQ_PAYLOAD_MAX + 64; n++) {
        size_t padded = mq_padme(n);
        int exponent = 31 - __builtin_clz((unsigned)padded);
        int kept = 32 - __builtin_clz((unsigned)exponent);
        assert_true(__builtin_ctz((unsigned)padded) >= exponent - kept);
        assert_true(padded >= n && (padded - n) * 100 <= n * 12);
        assert_int_equal(mq_padme(padded), padded);
    }
}

/* The largest batch, even write-only, fits a body after padding. */
static void the_limits_fit_each_other(void **state)
{
    (void)state;
    size_t padded = mq_padme(MQ_PLAIN_HEADER_SIZE + MQ_BATCH_MAX + 1);

    assert_true(MQ_SEALED_BOX_SIZE + MQ_NONCE_SIZE + padded + MQ_TAG_SIZE <= MQ_BODY_MAX);
    assert_int_equal(MQ_SEGMENT_FIXED_SIZE,
                     MQ_SEGMENT_HEADER_SIZE + MQ_NONCE_SIZE + MQ_TAG_SIZE + MQ_SIGNATURE_SIZE);
    assert_int_equal(MQ_SKELETON_SIZE, MQ_SEGMENT_HEADER_SIZE + MQ_HASH_SIZE + MQ_SIGNATURE_SIZE);
}

/* What the second spelling of the format wrote is read back field by field, and verifies. */
static void a_segment_is_read_back(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags <= 3; flags++) {
        struct mq_seal_context context = kit_context(&writer, flags);
        struct mq_segment segment;
        uint8_t header[MQ_SEGMENT_HEADER_SIZE];
        make(&sealed, &context, "路灯坏了");
        assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_OK);
        assert_int_equal(segment.flags, flags);
        assert_int_equal(segment.seq, 1);
        assert_memory_equal(segment.stream, context.stream, MQ_ID_SIZE);
        assert_memory_equal(segment.kid, context.kid, MQ_KID_SIZE);
        assert_memory_equal(segment.previous, context.previous, MQ_SEGMENT_ID_SIZE);
        assert_memory_equal(segment.body_hash, sealed.body_hash, MQ_HASH_SIZE);
        assert_memory_equal(segment.id, sealed.id, MQ_SEGMENT_ID_SIZE);
        assert_int_equal(segment.body.size, sealed.body_size);
        mq_segment_header_encode(header, segment.flags, segment.stream, segment.seq, segment.kid, segment.previous,
                                 segment.body_size);
        assert_memory_equal(header, sealed.bytes, sizeof header);
        assert_int_equal(mq_segment_verify(&segment, &writer.announce), MQ_OK);
    }
}

/* M14: no bit of a whole segment can change. */
static void every_changed_bit_is_refused(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    make(&sealed, &context, "水管漏水");

    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        sealed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(read_and_verify(kit_bytes(&sealed)), MQ_OK);
        sealed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(read_and_verify(kit_bytes(&sealed)), MQ_OK);
}

/* No length but the right one is read, for segments and skeletons. */
static void other_lengths_are_refused(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_segment segment;
    uint8_t skeleton[MQ_SKELETON_SIZE + 1] = {0};
    make(&sealed, &context, "");

    for (size_t size = 0; size <= sealed.size + 1; size++) {
        enum mq_status expected = size == sealed.size ? MQ_OK : MQ_REFUSED;
        assert_int_equal(mq_segment_decode(&segment, mq_span(sealed.bytes, size)), expected);
    }
    assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_OK);
    mq_skeleton_encode(skeleton, &segment);
    for (size_t size = 0; size <= sizeof skeleton; size++) {
        enum mq_status expected = size == MQ_SKELETON_SIZE ? MQ_OK : MQ_REFUSED;
        assert_int_equal(mq_skeleton_decode(&segment, mq_span(skeleton, size)), expected);
    }
}

/* Even rightly signed, a header outside the format is refused: magic, unknown flags, seq 0. */
static void headers_outside_the_format_are_refused(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_segment segment;

    for (unsigned flag = 4; flag <= 128; flag *= 2) {
        context.flags = (uint8_t)flag;
        make(&sealed, &context, "x");
        assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_REFUSED);
    }
    context = kit_context(&writer, 0);
    context.seq = 0;
    make(&sealed, &context, "x");
    assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_REFUSED);
    context.seq = 1;
    make(&sealed, &context, "x");
    sealed.bytes[0] = 0xA8;
    kit_sign(&sealed, &context);
    assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_REFUSED);
}

/* Even rightly signed, a body is refused whose length is not Padmé, is under the least, or over the most. */
static void body_lengths_outside_the_format_are_refused(void **state)
{
    (void)state;
    static uint8_t plain[70000];
    static const struct {
        size_t plain_size;
        uint8_t flags;
        enum mq_status expected;
    } cases[] = {{0, 0, MQ_REFUSED},       {240, 0, MQ_REFUSED},     {255, 0, MQ_REFUSED},     {256, 0, MQ_OK},
                 {257, 0, MQ_REFUSED},     {272, 0, MQ_OK},          {65536, 0, MQ_OK},        {65536, 2, MQ_OK},
                 {65616, 0, MQ_REFUSED},   {67584, 0, MQ_REFUSED},   {67584, 2, MQ_REFUSED},   {176, 2, MQ_REFUSED}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mq_seal_context context = kit_context(&writer, cases[i].flags);
        struct mq_segment segment;
        kit_seal(&sealed, &context, mq_span(plain, cases[i].plain_size));
        assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), cases[i].expected);
    }
    struct mq_segment segment; /* too short for even nonce and tag */
    for (uint8_t body_size = 0; body_size < MQ_NONCE_SIZE + MQ_TAG_SIZE; body_size++) {
        sealed.bytes[62] = sealed.bytes[63] = 0;
        sealed.bytes[64] = body_size;
        struct mq_span bytes = mq_span(sealed.bytes, MQ_SEGMENT_HEADER_SIZE + body_size + MQ_SIGNATURE_SIZE);
        assert_int_equal(mq_segment_decode(&segment, bytes), MQ_REFUSED);
    }
}

/* A skeleton keeps identity and signature after the body is gone, and none of its bits can change either. */
static void a_skeleton_verifies(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_segment whole, bare;
    uint8_t skeleton[MQ_SKELETON_SIZE], again[MQ_SKELETON_SIZE];
    make(&sealed, &context, "老人独居");

    assert_int_equal(mq_segment_decode(&whole, kit_bytes(&sealed)), MQ_OK);
    mq_skeleton_encode(skeleton, &whole);
    assert_int_equal(mq_skeleton_decode(&bare, MQ_SPAN(skeleton)), MQ_OK);
    assert_memory_equal(bare.id, whole.id, sizeof bare.id);
    assert_int_equal(bare.body.size, 0);
    assert_int_equal(bare.body_size, whole.body_size);
    assert_int_equal(mq_segment_verify(&bare, &writer.announce), MQ_OK);
    mq_skeleton_encode(again, &bare);
    assert_memory_equal(again, skeleton, sizeof again);

    for (size_t bit = 0; bit < sizeof skeleton * 8; bit++) {
        skeleton[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum mq_status status = mq_skeleton_decode(&bare, MQ_SPAN(skeleton));
        assert_true(status != MQ_OK || mq_segment_verify(&bare, &writer.announce) != MQ_OK);
        skeleton[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A segment belongs to one announce: not to another stream, another key, or another beginning. */
static void a_segment_belongs_to_its_announce(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_segment segment;

    make(&sealed, &context, "x");
    assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_OK);
    assert_int_equal(mq_segment_verify(&segment, &stranger.announce), MQ_REFUSED);

    struct mq_announce newer = writer.announce; /* the same device, another incarnation: segments do not move there */
    newer.nonce[0] ^= 1;
    mq_announce_sign(&newer, &writer.identity);
    context.seq = 2;
    make(&sealed, &context, "x");
    assert_int_equal(mq_segment_decode(&segment, kit_bytes(&sealed)), MQ_OK);
    assert_int_equal(mq_segment_verify(&segment, &newer), MQ_REFUSED);
    assert_int_equal(mq_segment_verify(&segment, &writer.announce), MQ_OK);

    context = kit_context(&writer, 0);
    context.writer = &stranger.identity; /* in the right stream, by the wrong hand */
    make(&sealed, &context, "x");
    assert_int_equal(read_and_verify(kit_bytes(&sealed)), MQ_BAD_SIGNATURE);

    context = kit_context(&writer, 0); /* the first segment hangs on the announce, later ones on any id */
    context.previous[31] ^= 1;
    make(&sealed, &context, "x");
    assert_int_equal(read_and_verify(kit_bytes(&sealed)), MQ_REFUSED);
    context.seq = 2;
    make(&sealed, &context, "x");
    assert_int_equal(read_and_verify(kit_bytes(&sealed)), MQ_OK);
    context.seq = UINT32_MAX;
    make(&sealed, &context, "x");
    assert_int_equal(read_and_verify(kit_bytes(&sealed)), MQ_OK);
}

/* Header, body and signature of two good segments of one stream cannot be mixed. */
static void spliced_segments_are_refused(void **state)
{
    (void)state;
    static uint8_t spliced[1024];
    struct mq_seal_context context = kit_context(&writer, 0);
    make(&sealed, &context, "谢谢");
    context.seq = 2;
    make(&other, &context, "谢谢");
    assert_int_equal(sealed.size, other.size);

    for (unsigned mix = 0; mix < 8; mix++) {
        const uint8_t *header = (mix & 1) ? other.bytes : sealed.bytes;
        const uint8_t *body = (mix & 2) ? other.bytes : sealed.bytes;
        const uint8_t *signature = (mix & 4) ? other.bytes : sealed.bytes;
        size_t signature_at = 65 + sealed.body_size;
        memcpy(spliced, header, 65);
        memcpy(spliced + 65, body + 65, sealed.body_size);
        memcpy(spliced + signature_at, signature + signature_at, 64);
        enum mq_status expected = mix == 0 || mix == 7 ? MQ_OK : MQ_BAD_SIGNATURE;
        assert_int_equal(read_and_verify(mq_span(spliced, sealed.size)), expected);
    }
}

int main(void)
{
    MQ_ASSERT(mq_crypto_start() == MQ_OK);
    writer = kit_writer(0x80);
    stranger = kit_writer(0x20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padme_gives_known_lengths),
        cmocka_unit_test(padded_lengths_are_padme),
        cmocka_unit_test(the_limits_fit_each_other),
        cmocka_unit_test(a_segment_is_read_back),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(headers_outside_the_format_are_refused),
        cmocka_unit_test(body_lengths_outside_the_format_are_refused),
        cmocka_unit_test(a_skeleton_verifies),
        cmocka_unit_test(a_segment_belongs_to_its_announce),
        cmocka_unit_test(spliced_segments_are_refused),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
