/* From a payload to a signed segment and back (docs/protocol.md, section 2).
 *
 * What is encrypted: compression u8, prose u8, links u8, raw length u24, the packed payload, 0x80, zeros up to a Padmé
 * length. A stored payload has one encoding only: prose and links 0, packed as long as raw. */
#include "protocol/seal.h"

#include "protocol/assert.h"
#include "protocol/compress.h"

#define PAD_MARK 0x80 /* ISO 7816-4: this, then zeros */
#define AAD_SIZE (MQ_DOMAIN_SIZE + MQ_SEGMENT_HEADER_SIZE + MQ_HASH_SIZE + MQ_HASH_SIZE)

enum {
    STORED = 0,
    ZSTD = 1
};

/* The random values of one segment, each H_32("seed", context->seed, index u8). */
enum draw_index {
    DRAW_NONCE = 0,     /* random32, hashed into the nonce */
    DRAW_KEY = 1,       /* S of a write-only segment */
    DRAW_EPHEMERAL = 2  /* seed of the key pair that seals S */
};

struct mq_seal_space {
    uint8_t plain[MQ_PLAIN_MAX];
    uint8_t prefix[MQ_PROSE_MAX + MQ_LINK_WINDOW];
};

size_t mq_seal_space_size(void)
{
    return sizeof(struct mq_seal_space);
}

/* ---- The parts that both directions need ---- */

/* Prose, then links: a copy only where there are both, since zstd wants one piece. */
static struct mq_span join_prefix(const struct mq_prefix *prefix, struct mq_seal_space *space)
{
    struct mq_span prose = mq_prose(prefix->prose);

    MQ_ASSERT(prefix->linked.size <= MQ_LINK_WINDOW && (prefix->links > 0 || prefix->linked.size == 0));
    if (prefix->linked.size == 0) {
        return prose;
    }
    struct mq_buffer joined = mq_buffer(space->prefix, sizeof space->prefix);
    mq_put_span(&joined, prose);
    mq_put_span(&joined, prefix->linked);
    MQ_ASSERT(!joined.failed);
    return mq_written(&joined);
}

static void make_aad(uint8_t aad[AAD_SIZE], struct mq_span header, const struct mq_seal_context *context)
{
    uint8_t domain[MQ_DOMAIN_SIZE];
    struct mq_buffer buffer = mq_buffer(aad, AAD_SIZE);

    mq_domain_bytes(domain, MQ_DOMAIN_AAD);
    mq_put(&buffer, domain, sizeof domain);
    mq_put_span(&buffer, header);
    mq_put(&buffer, context->grant_hash, sizeof context->grant_hash);
    mq_put(&buffer, context->certificate_hash, sizeof context->certificate_hash);
    MQ_ASSERT(!buffer.failed && buffer.size == AAD_SIZE);
}

/* ---- Sealing ---- */

static void put_plain_head(struct mq_buffer *plain, uint8_t compression, uint8_t prose, uint8_t links, size_t raw_size)
{
    mq_put_u8(plain, compression);
    mq_put_u8(plain, prose);
    mq_put_u8(plain, links);
    mq_put_u24(plain, (uint32_t)raw_size);
}

static size_t padded_size(size_t content_size)
{
    return mq_padme(content_size + 1);
}

/* Head, payload and padding. Compressed only where that shortens the padded length: otherwise it would save nothing on
 * the way and make this segment depend on its predecessors. */
static enum mq_status pack(struct mq_span *packed, struct mq_span payload, const struct mq_prefix *prefix,
                           struct mq_seal_space *space)
{
    struct mq_buffer plain = mq_buffer(space->plain, sizeof space->plain);
    size_t stored_size = padded_size(MQ_PLAIN_HEADER_SIZE + payload.size);
    enum mq_status status = MQ_NO_SPACE;

    if (stored_size > MQ_PLAIN_MIN) {
        put_plain_head(&plain, ZSTD, prefix->prose, prefix->links, payload.size);
        status = mq_compress(&plain, payload, join_prefix(prefix, space));
        if (status != MQ_OK) { /* not for want of room: a batch that does not compress fits too */
            return status;
        }
    }
    if (status != MQ_OK || padded_size(plain.size) >= stored_size) {
        plain = mq_buffer(space->plain, sizeof space->plain);
        put_plain_head(&plain, STORED, 0, 0, payload.size);
        mq_put_span(&plain, payload);
    }
    size_t padded = padded_size(plain.size);
    mq_put_u8(&plain, PAD_MARK);
    MQ_ASSERT(!plain.failed && padded <= sizeof space->plain);
    while (plain.size < padded) {
        mq_put_u8(&plain, 0);
    }
    *packed = mq_written(&plain);
    return MQ_OK;
}

static void draw(struct mq_secret *out, const struct mq_seal_context *context, enum draw_index index)
{
    const uint8_t index_byte = (uint8_t)index;
    const struct mq_span parts[] = {MQ_SPAN(context->seed), mq_span(&index_byte, 1)};

    mq_hash(out->bytes, sizeof out->bytes, MQ_DOMAIN_SEED, parts, 2);
}

/* The nonce hangs on a secret key, chance, the place in the chain and the whole text. So it differs between branches of
 * a restored or cloned device even where the random source repeats itself. */
static void make_nonce(uint8_t nonce[MQ_NONCE_SIZE], const struct mq_secret *base,
                       const struct mq_seal_context *context, struct mq_span header, struct mq_span plain)
{
    uint8_t plain_hash[MQ_HASH_SIZE];
    struct mq_secret key, random;

    mq_hash_one(plain_hash, sizeof plain_hash, MQ_DOMAIN_PLAIN, plain);
    mq_derive(&key, base, MQ_DOMAIN_NONCE, MQ_SPAN(context->stream));
    draw(&random, context, DRAW_NONCE);
    const struct mq_span parts[] = {MQ_SPAN(random.bytes), header, MQ_SPAN(plain_hash)};
    mq_hash_keyed(nonce, MQ_NONCE_SIZE, key.bytes, MQ_DOMAIN_IV, parts, 3);
    mq_wipe(plain_hash, sizeof plain_hash);
    mq_secret_wipe(&random);
    mq_secret_wipe(&key);
}

/* What stands for the epoch key. Write-only it is S, which is put in front, sealed, and kept nowhere. */
static enum mq_status put_base_key(struct mq_secret *base, struct mq_buffer *body,
                                   const struct mq_seal_context *context)
{
    if (!(context->flags & MQ_SEGMENT_FLAG_WRITE_ONLY)) {
        *base = *context->key;
        return MQ_OK;
    }
    struct mq_secret ephemeral;
    draw(base, context, DRAW_KEY);
    draw(&ephemeral, context, DRAW_EPHEMERAL);
    enum mq_status status = mq_box_seal(body, MQ_SPAN(base->bytes), context->commitment, &ephemeral);
    mq_secret_wipe(&ephemeral);
    return status;
}

static enum mq_status put_body(struct mq_buffer *body, const struct mq_seal_context *context, struct mq_span header,
                               struct mq_span plain)
{
    uint8_t nonce[MQ_NONCE_SIZE], aad[AAD_SIZE];
    struct mq_secret base, key;

    enum mq_status status = put_base_key(&base, body, context);
    if (status == MQ_OK) {
        make_nonce(nonce, &base, context, header, plain);
        mq_put(body, nonce, sizeof nonce);
        make_aad(aad, header, context);
        mq_derive(&key, &base, MQ_DOMAIN_AEAD, MQ_SPAN(context->stream));
        status = mq_aead_seal(body, plain, MQ_SPAN(aad), nonce, &key);
        mq_secret_wipe(&key);
    }
    mq_secret_wipe(&base);
    return status;
}

/* Signs what a reader will compute, by reading it: a segment that its own writer could not decode never leaves. */
static void sign(uint8_t *memory, size_t size, const struct mq_identity *writer)
{
    struct mq_segment segment;

    enum mq_status status = mq_segment_decode(&segment, mq_span(memory, size));
    MQ_ASSERT(status == MQ_OK);
    mq_sign_digest(memory + size - MQ_SIGNATURE_SIZE, segment.id, &writer->sign_seed);
}

static void assert_sealable(const struct mq_seal_context *context, struct mq_span payload,
                            const struct mq_prefix *prefix)
{
    MQ_ASSERT(payload.size <= MQ_BATCH_MAX);
    MQ_ASSERT(prefix->links <= MQ_LINKS_MAX);
    MQ_ASSERT(prefix->prose == 0 || mq_prose(prefix->prose).size > 0);
    MQ_ASSERT(context->writer != NULL);
    if (context->flags & MQ_SEGMENT_FLAG_WRITE_ONLY) {
        MQ_ASSERT(context->commitment != NULL && prefix->links == 0);
    } else {
        MQ_ASSERT(context->key != NULL);
    }
}

enum mq_status mq_seal(struct mq_buffer *out, const struct mq_seal_context *context, struct mq_span payload,
                       const struct mq_prefix *prefix, struct mq_seal_space *space)
{
    struct mq_span plain;

    assert_sealable(context, payload, prefix);
    enum mq_status status = pack(&plain, payload, prefix, space);
    if (status != MQ_OK) {
        return status;
    }
    size_t sealed_key_size = (context->flags & MQ_SEGMENT_FLAG_WRITE_ONLY) ? MQ_SEALED_BOX_SIZE : 0;
    size_t body_size = sealed_key_size + MQ_NONCE_SIZE + plain.size + MQ_TAG_SIZE;
    size_t size = MQ_SEGMENT_HEADER_SIZE + body_size + MQ_SIGNATURE_SIZE;
    uint8_t *memory = mq_reserve(out, size);
    if (memory == NULL) {
        return MQ_NO_SPACE;
    }
    mq_segment_header_encode(memory, context->flags, context->stream, context->seq, context->kid, context->previous,
                             (uint32_t)body_size);
    struct mq_buffer body = mq_buffer(memory + MQ_SEGMENT_HEADER_SIZE, body_size);
    status = put_body(&body, context, mq_span(memory, MQ_SEGMENT_HEADER_SIZE), plain);
    if (status != MQ_OK) {
        out->size -= size;
        return status;
    }
    MQ_ASSERT(!body.failed && body.size == body_size);
    sign(memory, size, context->writer);
    return MQ_OK;
}

/* ---- Opening ---- */

/* `plain` is authentic, but whoever holds the key may have written anything into it. */
static enum mq_status unpack(struct mq_opened *opened, struct mq_span plain, uint8_t flags)
{
    size_t end = plain.size;
    while (end > 0 && plain.data[end - 1] == 0) {
        end--;
    }
    if (end <= MQ_PLAIN_HEADER_SIZE || plain.data[end - 1] != PAD_MARK || plain.size != mq_padme(end)) {
        return MQ_REFUSED;
    }
    struct mq_reader reader = mq_reader(mq_span(plain.data, end - 1));
    opened->compression = mq_get_u8(&reader);
    opened->prose = mq_get_u8(&reader);
    opened->links = mq_get_u8(&reader);
    opened->raw_size = mq_get_u24(&reader);
    opened->packed = mq_take(&reader, mq_left(&reader));
    MQ_ASSERT(mq_reader_done(&reader));

    if (opened->raw_size > MQ_PAYLOAD_MAX || opened->links > MQ_LINKS_MAX ||
        ((flags & MQ_SEGMENT_FLAG_WRITE_ONLY) && opened->links > 0)) {
        return MQ_REFUSED;
    }
    if (opened->compression == STORED) {
        bool good = opened->prose == 0 && opened->links == 0 && opened->packed.size == opened->raw_size;
        return good ? MQ_OK : MQ_REFUSED;
    }
    return opened->compression == ZSTD ? MQ_OK : MQ_REFUSED;
}

/* The writer's own S: what stands in front must be what sealing it again gives. */
static enum mq_status reopen_base_key(struct mq_secret *base, struct mq_span sealed_key,
                                      const struct mq_seal_context *context)
{
    uint8_t memory[MQ_SEALED_BOX_SIZE];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    enum mq_status status = put_base_key(base, &again, context);

    return status == MQ_OK && mq_span_equal(mq_written(&again), sealed_key) ? MQ_OK : MQ_BAD_SIGNATURE;
}

/* The epoch key, or the S that was sealed to the commitment it makes. */
static enum mq_status open_base_key(struct mq_secret *base, struct mq_span sealed_key,
                                    const struct mq_seal_context *context)
{
    const struct mq_secret *key = context->key;

    if (sealed_key.size == 0) {
        *base = *key;
        return MQ_OK;
    }
    if (key == NULL)
        return reopen_base_key(base, sealed_key, context);
    struct mq_secret box_seed;
    struct mq_buffer out = mq_buffer(base->bytes, sizeof base->bytes);
    mq_derive(&box_seed, key, MQ_DOMAIN_WRAP_BOX, mq_span(NULL, 0));
    enum mq_status status = mq_box_open(&out, sealed_key, &box_seed);
    mq_secret_wipe(&box_seed);
    MQ_ASSERT(status != MQ_OK || out.size == sizeof base->bytes);
    return status == MQ_OK ? MQ_OK : MQ_BAD_SIGNATURE;
}

enum mq_status mq_open(struct mq_opened *opened, const struct mq_segment *segment,
                       const struct mq_seal_context *context, struct mq_seal_space *space)
{
    struct mq_reader body = mq_reader(segment->body);
    struct mq_span sealed_key = mq_span(NULL, 0);
    uint8_t nonce[MQ_NONCE_SIZE], aad[AAD_SIZE];

    MQ_ASSERT(context->key != NULL || (context->commitment != NULL && (context->flags & MQ_SEGMENT_FLAG_WRITE_ONLY)));
    if (segment->flags & MQ_SEGMENT_FLAG_WRITE_ONLY) {
        sealed_key = mq_take(&body, MQ_SEALED_BOX_SIZE);
    }
    mq_get(&body, nonce, sizeof nonce);
    struct mq_span sealed = mq_take(&body, mq_left(&body));
    if (body.failed) { /* a skeleton */
        return MQ_REFUSED;
    }
    MQ_ASSERT(sealed.size >= MQ_TAG_SIZE && sealed.size <= sizeof space->plain + MQ_TAG_SIZE); /* of a decoded segment */
    struct mq_buffer plain = mq_buffer(space->plain, sizeof space->plain);
    struct mq_secret base, key;
    enum mq_status status = open_base_key(&base, sealed_key, context);
    if (status == MQ_OK) {
        make_aad(aad, MQ_SPAN(segment->header), context);
        mq_derive(&key, &base, MQ_DOMAIN_AEAD, MQ_SPAN(segment->stream));
        status = mq_aead_open(&plain, sealed, MQ_SPAN(aad), nonce, &key);
        mq_secret_wipe(&key);
    }
    mq_secret_wipe(&base);
    return status == MQ_OK ? unpack(opened, mq_written(&plain), segment->flags) : status;
}

enum mq_status mq_inflate(struct mq_buffer *payload, const struct mq_opened *opened, const struct mq_prefix *prefix,
                          struct mq_seal_space *space)
{
    if (opened->compression == STORED) {
        mq_put_span(payload, opened->packed);
        return payload->failed ? MQ_NO_SPACE : MQ_OK;
    }
    if (prefix->prose != opened->prose || prefix->links != opened->links) {
        return MQ_REFUSED;
    }
    if (prefix->prose != 0 && mq_prose(prefix->prose).size == 0) {
        return MQ_REFUSED;
    }
    return mq_decompress(payload, opened->raw_size, opened->packed, join_prefix(prefix, space));
}
