/* For the tests of segments: one invented writer, and section 2 of docs/protocol.md spelled a second time, with plain
 * offsets, so that what seal.c writes is compared with something that is not seal.c. */
#ifndef MQ_TESTS_PROTOCOL_SEGMENT_KIT_H
#define MQ_TESTS_PROTOCOL_SEGMENT_KIT_H

#include "protocol/assert.h"
#include "protocol/seal.h"
#include "tests/protocol/chance.h"
#include "tests/protocol/identities.h"

/* Text much as people write it: a few phrases over and over, with numbers between. */
static inline void kit_fill_text(struct chance *chance, uint8_t *out, size_t size)
{
    static const char *const phrases[] = {"路灯坏了", "水管漏水", "老人独居", "希望尽快修好", "已经说过两次", "没有人来",
                                          "低保申请", "孩子上学太远", "村口的桥", "下雨就淹", "谢谢", "，", "。", "99"};
    size_t at = 0;

    while (at < size) {
        const char *phrase = phrases[chance_below(chance, sizeof phrases / sizeof phrases[0])];
        size_t length = strlen(phrase);
        length = length < size - at ? length : size - at;
        memcpy(out + at, phrase, length);
        at += length;
        if (at < size && chance_below(chance, 4) == 0) {
            out[at++] = (uint8_t)('0' + chance_below(chance, 10));
        }
    }
}

/* ---- The writer ---- */

struct kit_writer {
    struct mq_identity identity;
    struct mq_announce announce;
    struct mq_secret key; /* of the epoch */
    uint8_t stream[MQ_ID_SIZE], certificate_hash[MQ_HASH_SIZE];
    uint8_t commitment[MQ_PUBLIC_SIZE], grant_hash[MQ_HASH_SIZE], kid[MQ_KID_SIZE];
};

/* A cadre of team A; another `first` makes another person with another stream and another key. */
static inline struct kit_writer kit_writer(uint8_t first)
{
    struct people p = people();
    struct kit_writer writer = {.identity = identity_from(first), .key = secret_from((uint8_t)(first + 0x07))};
    struct mq_certificate certificate = certificate_for(MQ_ROLE_CADRE, &writer.identity, first, team_a, &p.desk);
    struct mq_grant grant = grant_for(&writer.key, NULL, &p.desk);

    writer.announce = announce_for(&certificate, &writer.identity);
    mq_announce_stream(writer.stream, &writer.announce);
    mq_certificate_hash(writer.certificate_hash, &certificate);
    mq_commitment(writer.commitment, &writer.key);
    mq_grant_hash(writer.grant_hash, &grant);
    mq_grant_kid(writer.kid, &grant);
    return writer;
}

/* Segment 1 of this writer, ready to seal or open; tests change what they are about. */
static inline struct mq_seal_context kit_context(const struct kit_writer *writer, uint8_t flags)
{
    struct mq_seal_context context = {
        .flags = flags, .seq = 1, .key = &writer->key, .commitment = writer->commitment, .writer = &writer->identity};

    memcpy(context.stream, writer->stream, sizeof context.stream);
    memcpy(context.certificate_hash, writer->certificate_hash, sizeof context.certificate_hash);
    mq_announce_hash(context.previous, &writer->announce);
    memcpy(context.kid, writer->kid, sizeof context.kid);
    memcpy(context.grant_hash, writer->grant_hash, sizeof context.grant_hash);
    count_up(context.seed, sizeof context.seed, 0);
    return context;
}

/* ---- Section 2 once more ---- */

#define KIT_AAD_SIZE 145
#define KIT_PLAIN_MAX (1 << 18) /* more than allowed, so that what is too long can be made */

struct kit_sealed {
    struct mq_secret random, key, ephemeral, aead_key, nonce_key; /* key: of the epoch, or S */
    uint8_t sealed_key[MQ_SEALED_BOX_SIZE], plain_hash[32], nonce[24], aad[KIT_AAD_SIZE];
    uint8_t body_hash[32], id[32];
    size_t body_at, body_size, size;
    uint8_t bytes[KIT_PLAIN_MAX + 512]; /* the segment */
};

static inline void kit_draw(struct mq_secret *out, const struct mq_seal_context *context, uint8_t index)
{
    uint8_t input[65];

    memcpy(input, context->seed, 64);
    input[64] = index;
    mq_hash_one(out->bytes, 32, MQ_DOMAIN_SEED, mq_span(input, 65));
}

static inline void kit_header(uint8_t out[65], const struct mq_seal_context *context, size_t body_size)
{
    const uint8_t seq[4] = {(uint8_t)(context->seq >> 24), (uint8_t)(context->seq >> 16), (uint8_t)(context->seq >> 8),
                            (uint8_t)context->seq};
    const uint8_t size[3] = {(uint8_t)(body_size >> 16), (uint8_t)(body_size >> 8), (uint8_t)body_size};

    out[0] = 0xA7;
    out[1] = context->flags;
    memcpy(out + 2, context->stream, 16);
    memcpy(out + 18, seq, 4);
    memcpy(out + 22, context->kid, 8);
    memcpy(out + 30, context->previous, 32);
    memcpy(out + 62, size, 3);
}

static inline void kit_keys_and_nonce(struct kit_sealed *s, const struct mq_seal_context *context, struct mq_span plain)
{
    uint8_t input[32 + 65 + 32];

    kit_draw(&s->random, context, 0);
    kit_draw(&s->key, context, 1);
    kit_draw(&s->ephemeral, context, 2);
    if ((context->flags & 2) == 0) {
        s->key = *context->key;
    }
    mq_derive(&s->aead_key, &s->key, MQ_DOMAIN_AEAD, mq_span(context->stream, 16));
    mq_derive(&s->nonce_key, &s->key, MQ_DOMAIN_NONCE, mq_span(context->stream, 16));
    mq_hash_one(s->plain_hash, 32, MQ_DOMAIN_PLAIN, plain);
    memcpy(input, s->random.bytes, 32);
    memcpy(input + 32, s->bytes, 65);
    memcpy(input + 97, s->plain_hash, 32);
    const struct mq_span part = mq_span(input, sizeof input);
    mq_hash_keyed(s->nonce, 24, s->nonce_key.bytes, MQ_DOMAIN_IV, &part, 1);
    memcpy(s->aad, "minqing/v1/aad\0", 16);
    memcpy(s->aad + 16, s->bytes, 65);
    memcpy(s->aad + 81, context->grant_hash, 32);
    memcpy(s->aad + 113, context->certificate_hash, 32);
}

/* Signs whatever stands in header and body, as a writer who breaks the rules could. */
static inline void kit_sign(struct kit_sealed *s, const struct mq_seal_context *context)
{
    uint8_t input[65 + 32];

    mq_hash_one(s->body_hash, 32, MQ_DOMAIN_BODY, mq_span(s->bytes + 65, s->body_size));
    memcpy(input, s->bytes, 65);
    memcpy(input + 65, s->body_hash, 32);
    mq_hash_one(s->id, 32, MQ_DOMAIN_SEGMENT, mq_span(input, sizeof input));
    mq_sign_digest(s->bytes + 65 + s->body_size, s->id, &context->writer->sign_seed);
    s->size = 65 + s->body_size + 64;
}

/* Encrypts a plaintext that is already padded, or is anything else: nothing about it is checked. Whatever stood in the
 * signature's place stays: opening does not ask for it. */
static inline void kit_encrypt(struct kit_sealed *s, const struct mq_seal_context *context, struct mq_span plain)
{
    size_t sealed_key_size = (context->flags & 2) != 0 ? 80 : 0;

    MQ_ASSERT(plain.size <= KIT_PLAIN_MAX);
    s->body_size = sealed_key_size + 24 + plain.size + 16;
    kit_header(s->bytes, context, s->body_size);
    kit_keys_and_nonce(s, context, plain);
    struct mq_buffer body = mq_buffer(s->bytes + 65, s->body_size);
    if (sealed_key_size > 0) {
        struct mq_buffer box = mq_buffer(s->sealed_key, sizeof s->sealed_key);
        MQ_ASSERT(mq_box_seal(&box, MQ_SPAN(s->key.bytes), context->commitment, &s->ephemeral) == MQ_OK);
        mq_put(&body, s->sealed_key, sizeof s->sealed_key);
    }
    mq_put(&body, s->nonce, sizeof s->nonce);
    MQ_ASSERT(mq_aead_seal(&body, plain, MQ_SPAN(s->aad), s->nonce, &s->aead_key) == MQ_OK);
    MQ_ASSERT(body.size == s->body_size);
    s->size = 65 + s->body_size + 64;
}

/* The same, signed. */
static inline void kit_seal(struct kit_sealed *s, const struct mq_seal_context *context, struct mq_span plain)
{
    kit_encrypt(s, context, plain);
    kit_sign(s, context);
}

/* A canonical plaintext from its parts. */
static inline struct mq_span kit_plain(uint8_t *memory, size_t capacity, uint8_t compression, uint8_t prose,
                                       uint8_t links, size_t raw_size, struct mq_span packed)
{
    const uint8_t size[3] = {(uint8_t)(raw_size >> 16), (uint8_t)(raw_size >> 8), (uint8_t)raw_size};
    const uint8_t head[6] = {compression, prose, links, size[0], size[1], size[2]};
    size_t padded = mq_padme(6 + packed.size + 1);

    MQ_ASSERT(padded <= capacity);
    memset(memory, 0, padded);
    memcpy(memory, head, 6);
    memcpy(memory + 6, packed.data, packed.size);
    memory[6 + packed.size] = 0x80;
    return mq_span(memory, padded);
}

static inline struct mq_span kit_bytes(const struct kit_sealed *s)
{
    return mq_span(s->bytes, s->size);
}

static inline const struct mq_prefix *kit_no_prefix(void)
{
    static const struct mq_prefix none;

    return &none;
}

#endif
