/* Aim: whatever arrives as a segment or skeleton is refused or read without harm, and nothing verifies but what the
 * writer signed. Input: a mode, then bytes as they are, or changes (position u16, value u8) to a good segment. */
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/segment_kit.h"

static struct kit_writer writer;
static struct kit_sealed good;

void fuzz_start(void)
{
    uint8_t plain[MQ_PLAIN_MIN];

    writer = kit_writer(0x80);
    struct mq_seal_context context = kit_context(&writer, 0);
    kit_seal(&good, &context, kit_plain(plain, sizeof plain, 0, 0, 0, 3, mq_span_text("abc")));
}

/* Only the good segment, or its skeleton, may pass for the writer's. */
static void try_verify(const struct mq_segment *segment)
{
    if (mq_segment_verify(segment, &writer.announce) == MQ_OK) {
        MQ_ASSERT(memcmp(segment->id, good.id, sizeof good.id) == 0);
        MQ_ASSERT(memcmp(segment->signature, good.bytes + good.size - MQ_SIGNATURE_SIZE, MQ_SIGNATURE_SIZE) == 0);
    }
}

static void try_segment(struct mq_span bytes)
{
    struct mq_segment segment, bare;
    uint8_t header[MQ_SEGMENT_HEADER_SIZE], skeleton[MQ_SKELETON_SIZE];

    if (mq_segment_decode(&segment, bytes) != MQ_OK) {
        return;
    }
    mq_segment_header_encode(header, segment.flags, segment.stream, segment.seq, segment.kid, segment.previous,
                             segment.body_size);
    MQ_ASSERT(memcmp(header, bytes.data, sizeof header) == 0);
    MQ_ASSERT(bytes.size <= MQ_SEGMENT_MAX && segment.body.data == bytes.data + MQ_SEGMENT_HEADER_SIZE &&
              segment.body.size + MQ_SEGMENT_HEADER_SIZE + MQ_SIGNATURE_SIZE == bytes.size);
    mq_skeleton_encode(skeleton, &segment);
    MQ_ASSERT(mq_skeleton_decode(&bare, MQ_SPAN(skeleton)) == MQ_OK);
    MQ_ASSERT(memcmp(bare.id, segment.id, sizeof bare.id) == 0); /* of which its signature is */
    MQ_ASSERT(memcmp(bare.signature, segment.signature, sizeof bare.signature) == 0);
    try_verify(&segment);
}

static void try_skeleton(struct mq_span bytes)
{
    struct mq_segment segment;
    uint8_t again[MQ_SKELETON_SIZE];

    if (mq_skeleton_decode(&segment, bytes) != MQ_OK) {
        return;
    }
    mq_skeleton_encode(again, &segment);
    MQ_ASSERT(bytes.size == sizeof again && memcmp(again, bytes.data, sizeof again) == 0);
    try_verify(&segment);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t changed[sizeof good.bytes];
    struct mq_reader reader = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&reader);

    if (!(mode & 1)) {
        struct mq_span rest = fuzz_rest(&reader);
        try_segment(rest);
        try_skeleton(rest);
        return;
    }
    memcpy(changed, good.bytes, good.size);
    fuzz_change(changed, good.size, &reader);
    try_segment(mq_span(changed, good.size));
}
