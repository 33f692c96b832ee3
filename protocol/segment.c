/* Reading and verifying segments without any key: lengths, chain and signature (docs/protocol.md, section 2). */
#include "protocol/segment.h"

#include <string.h>

#include "protocol/assert.h"

#define KNOWN_FLAGS (MQ_SEGMENT_FLAG_CONTROL | MQ_SEGMENT_FLAG_WRITE_ONLY)

/* What a body adds to its padded plaintext. */
static size_t body_overhead(uint8_t flags)
{
    return MQ_NONCE_SIZE + MQ_TAG_SIZE + ((flags & MQ_SEGMENT_FLAG_WRITE_ONLY) ? MQ_SEALED_BOX_SIZE : 0);
}

/* A length that no honest writer makes would say something about what is inside, so it is refused even by a relay. */
static bool body_size_allowed(uint32_t body_size, uint8_t flags)
{
    size_t overhead = body_overhead(flags);

    return body_size <= MQ_BODY_MAX && body_size >= overhead && mq_padme(body_size - overhead) == body_size - overhead;
}

static enum mq_status decode_header(struct mq_segment *out, struct mq_reader *reader)
{
    struct mq_span header = mq_take(reader, MQ_SEGMENT_HEADER_SIZE);
    if (reader->failed) {
        return MQ_REFUSED;
    }
    memcpy(out->header, header.data, sizeof out->header);

    struct mq_reader fields = mq_reader(header);
    uint8_t magic = mq_get_u8(&fields);
    out->flags = mq_get_u8(&fields);
    mq_get(&fields, out->stream, sizeof out->stream);
    out->seq = mq_get_u32(&fields);
    mq_get(&fields, out->kid, sizeof out->kid);
    mq_get(&fields, out->previous, sizeof out->previous);
    out->body_size = mq_get_u24(&fields);
    MQ_ASSERT(mq_reader_done(&fields));

    bool good = magic == MQ_SEGMENT_MAGIC && (out->flags & ~KNOWN_FLAGS) == 0 && out->seq != 0 &&
                body_size_allowed(out->body_size, out->flags);
    return good ? MQ_OK : MQ_REFUSED;
}

static void name_segment(struct mq_segment *segment)
{
    const struct mq_span parts[] = {MQ_SPAN(segment->header), MQ_SPAN(segment->body_hash)};

    mq_hash(segment->id, sizeof segment->id, MQ_DOMAIN_SEGMENT, parts, 2);
}

enum mq_status mq_segment_decode(struct mq_segment *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);

    if (decode_header(out, &reader) != MQ_OK) {
        return MQ_REFUSED;
    }
    out->body = mq_take(&reader, out->body_size);
    mq_get(&reader, out->signature, sizeof out->signature);
    if (!mq_reader_done(&reader)) {
        return MQ_REFUSED;
    }
    mq_hash_one(out->body_hash, sizeof out->body_hash, MQ_DOMAIN_BODY, out->body);
    name_segment(out);
    return MQ_OK;
}

enum mq_status mq_skeleton_decode(struct mq_segment *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);

    if (decode_header(out, &reader) != MQ_OK) {
        return MQ_REFUSED;
    }
    out->body = mq_span(NULL, 0);
    mq_get(&reader, out->body_hash, sizeof out->body_hash);
    mq_get(&reader, out->signature, sizeof out->signature);
    if (!mq_reader_done(&reader)) {
        return MQ_REFUSED;
    }
    name_segment(out);
    return MQ_OK;
}

void mq_skeleton_encode(uint8_t out[MQ_SKELETON_SIZE], const struct mq_segment *segment)
{
    struct mq_buffer buffer = mq_buffer(out, MQ_SKELETON_SIZE);

    mq_put(&buffer, segment->header, sizeof segment->header);
    mq_put(&buffer, segment->body_hash, sizeof segment->body_hash);
    mq_put(&buffer, segment->signature, sizeof segment->signature);
    MQ_ASSERT(!buffer.failed && buffer.size == MQ_SKELETON_SIZE);
}

enum mq_status mq_segment_verify(const struct mq_segment *segment, const struct mq_announce *announce)
{
    uint8_t stream[MQ_ID_SIZE];
    mq_announce_stream(stream, announce);
    if (memcmp(segment->stream, stream, sizeof stream) != 0) {
        return MQ_REFUSED;
    }
    if (segment->seq == 1) {
        uint8_t hash[MQ_HASH_SIZE];
        mq_announce_hash(hash, announce);
        if (memcmp(segment->previous, hash, sizeof hash) != 0) {
            return MQ_REFUSED;
        }
    }
    bool good = mq_verify_digest(segment->signature, segment->id, announce->certificate.sign_public);
    return good ? MQ_OK : MQ_BAD_SIGNATURE;
}

void mq_segment_header_encode(uint8_t out[MQ_SEGMENT_HEADER_SIZE], uint8_t flags, const uint8_t stream[MQ_ID_SIZE],
                              uint32_t seq, const uint8_t kid[MQ_KID_SIZE], const uint8_t previous[MQ_SEGMENT_ID_SIZE],
                              uint32_t body_size)
{
    struct mq_buffer buffer = mq_buffer(out, MQ_SEGMENT_HEADER_SIZE);

    mq_put_u8(&buffer, MQ_SEGMENT_MAGIC);
    mq_put_u8(&buffer, flags);
    mq_put(&buffer, stream, MQ_ID_SIZE);
    mq_put_u32(&buffer, seq);
    mq_put(&buffer, kid, MQ_KID_SIZE);
    mq_put(&buffer, previous, MQ_SEGMENT_ID_SIZE);
    mq_put_u24(&buffer, body_size);
    MQ_ASSERT(!buffer.failed && buffer.size == MQ_SEGMENT_HEADER_SIZE);
}

static unsigned log2_floor(size_t n)
{
    unsigned log = 0;

    while (n > 1) {
        n >>= 1;
        log++;
    }
    return log;
}

/* Of a length with exponent e, only as many leading bits stay as it takes to write e: about log log n bits leak. */
size_t mq_padme(size_t n)
{
    MQ_ASSERT(n <= SIZE_MAX / 2);
    if (n <= MQ_PLAIN_MIN) {
        return MQ_PLAIN_MIN;
    }
    unsigned exponent = log2_floor(n);
    unsigned kept = log2_floor(exponent) + 1;
    size_t rest = ((size_t)1 << (exponent - kept)) - 1;
    return (n + rest) & ~rest;
}
