/* The three messages by which a store key comes back (protocol/recovery_keys.h). */
#include "protocol/recovery_keys.h"

#include <string.h>

#include "protocol/assert.h"

#define VERSION 1
#define BOUND_SIZE (MQ_KEY_SIZE + MQ_HASH_SIZE) /* a key, and what it is tied to */
#define GROUPS 5
#define GROUP_MODULUS 10000u

/* A key goes into a box only together with the hash of what it is for. */
static enum mq_status put_bound(struct mq_buffer *out, const struct mq_secret *key, const uint8_t hash[MQ_HASH_SIZE],
                                const uint8_t box_public[MQ_PUBLIC_SIZE], const struct mq_secret *ephemeral)
{
    uint8_t memory[BOUND_SIZE];
    memcpy(memory, key->bytes, MQ_KEY_SIZE);
    memcpy(memory + MQ_KEY_SIZE, hash, MQ_HASH_SIZE);
    enum mq_status status = mq_box_seal(out, MQ_SPAN(memory), box_public, ephemeral);
    mq_wipe(memory, sizeof memory);
    return status;
}

static enum mq_status get_bound(struct mq_secret *key, struct mq_span sealed, const uint8_t hash[MQ_HASH_SIZE],
                                const struct mq_secret *box_seed)
{
    uint8_t memory[BOUND_SIZE];
    struct mq_buffer plain = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_box_open(&plain, sealed, box_seed);
    MQ_ASSERT(status != MQ_OK || plain.size == BOUND_SIZE); /* what is sealed has one size */
    bool fits = status == MQ_OK && mq_equal_secret(memory + MQ_KEY_SIZE, hash, MQ_HASH_SIZE);
    if (fits)
        memcpy(key->bytes, memory, MQ_KEY_SIZE);
    mq_wipe(memory, sizeof memory);
    return fits ? MQ_OK : MQ_WRONG_KEY;
}

/* ---- the file beside the vault ---- */

enum mq_status mq_recovery_seal(struct mq_buffer *out, const struct mq_certificate *certificate,
                                const struct mq_secret *store_key, const uint8_t desk_box_public[MQ_PUBLIC_SIZE],
                                const struct mq_identity *device, const struct mq_secret *ephemeral)
{
    uint8_t memory[MQ_RECOVERY_SIZE], encoded[MQ_CERTIFICATE_SIZE], hash[MQ_HASH_SIZE], desk[MQ_KID_SIZE];
    uint8_t signature[MQ_SIGNATURE_SIZE];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    MQ_ASSERT(memcmp(certificate->sign_public, device->sign_public, MQ_PUBLIC_SIZE) == 0);
    mq_certificate_encode(encoded, certificate);
    mq_certificate_hash(hash, certificate);
    mq_key_name(desk, desk_box_public);
    mq_put_u8(&file, VERSION);
    mq_put(&file, encoded, sizeof encoded);
    mq_put(&file, desk, sizeof desk);
    enum mq_status status = put_bound(&file, store_key, hash, desk_box_public, ephemeral);
    if (status != MQ_OK)
        return status;
    mq_sign_object(signature, MQ_DOMAIN_RECOVERY, mq_written(&file), &device->sign_seed);
    mq_put(&file, signature, sizeof signature);
    MQ_ASSERT(file.size == MQ_RECOVERY_SIZE);
    mq_put_span(out, mq_written(&file));
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}

enum mq_status mq_recovery_decode(struct mq_recovery *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    memset(out, 0, sizeof *out);
    if (bytes.size != MQ_RECOVERY_SIZE || mq_get_u8(&reader) != VERSION ||
        mq_certificate_decode(&out->device, mq_take(&reader, MQ_CERTIFICATE_SIZE)) != MQ_OK)
        return MQ_REFUSED;
    mq_get(&reader, out->desk, sizeof out->desk);
    mq_get(&reader, out->sealed, sizeof out->sealed);
    struct mq_span object = mq_span(bytes.data, bytes.size - MQ_SIGNATURE_SIZE);
    return mq_verify_object(bytes.data + object.size, MQ_DOMAIN_RECOVERY, object, out->device.sign_public)
               ? MQ_OK
               : MQ_BAD_SIGNATURE;
}

enum mq_status mq_recovery_open(struct mq_secret *store_key, const struct mq_recovery *recovery,
                                const struct mq_identity *desk)
{
    uint8_t hash[MQ_HASH_SIZE];
    mq_certificate_hash(hash, &recovery->device);
    return get_bound(store_key, MQ_SPAN(recovery->sealed), hash, &desk->box_seed);
}

/* ---- the request ---- */

void mq_recover_request_put(struct mq_buffer *out, struct mq_span recovery_file, const uint8_t reply_to[MQ_PUBLIC_SIZE])
{
    MQ_ASSERT(recovery_file.size == MQ_RECOVERY_SIZE);
    mq_put_u8(out, VERSION);
    mq_put_span(out, recovery_file);
    mq_put(out, reply_to, MQ_PUBLIC_SIZE);
}

enum mq_status mq_recover_request_get(struct mq_recover_request *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    memset(out, 0, sizeof *out);
    if (bytes.size != MQ_RECOVER_REQUEST_SIZE || mq_get_u8(&reader) != VERSION)
        return MQ_REFUSED;
    enum mq_status status = mq_recovery_decode(&out->recovery, mq_take(&reader, MQ_RECOVERY_SIZE));
    mq_get(&reader, out->reply_to, sizeof out->reply_to);
    return status;
}

void mq_recover_code(char out[MQ_RECOVER_CODE_SIZE], struct mq_span request)
{
    uint8_t hash[2 * GROUPS];
    char *at = out;
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_RECOVERY, request);
    for (size_t i = 0; i < GROUPS; i++) {
        unsigned group = ((unsigned)hash[2 * i] << 8 | hash[2 * i + 1]) % GROUP_MODULUS;
        for (unsigned unit = GROUP_MODULUS / 10; unit > 0; unit /= 10)
            *at++ = (char)('0' + group / unit % 10);
        *at++ = i + 1 < GROUPS ? ' ' : '\0';
    }
}

bool mq_recover_code_is(const char *typed, const char code[MQ_RECOVER_CODE_SIZE])
{
    for (;; typed++, code++) {
        while (*typed == ' ' || *typed == '-')
            typed++;
        while (*code == ' ')
            code++;
        if (*typed != *code || *code == '\0')
            return *typed == *code;
    }
}

/* ---- the answer ---- */

void mq_recover_request_hash(uint8_t out[MQ_HASH_SIZE], struct mq_span request)
{
    mq_hash_one(out, MQ_HASH_SIZE, MQ_DOMAIN_RECOVERY, request);
}

enum mq_status mq_recover_grant_seal(struct mq_buffer *out, struct mq_span request, const struct mq_secret *store_key,
                                     const struct mq_secret *ephemeral)
{
    uint8_t hash[MQ_HASH_SIZE];
    MQ_ASSERT(request.size == MQ_RECOVER_REQUEST_SIZE);
    mq_recover_request_hash(hash, request);
    mq_put_u8(out, VERSION);
    mq_put(out, hash, sizeof hash);
    return out->failed ? MQ_NO_SPACE
                       : put_bound(out, store_key, hash, request.data + request.size - MQ_PUBLIC_SIZE, ephemeral);
}

enum mq_status mq_recover_grant_open(struct mq_secret *store_key, struct mq_span grant,
                                     const uint8_t request_hash[MQ_HASH_SIZE], const struct mq_secret *reply_seed)
{
    struct mq_reader reader = mq_reader(grant);
    if (grant.size != MQ_RECOVER_GRANT_SIZE || mq_get_u8(&reader) != VERSION ||
        !mq_span_equal(mq_take(&reader, MQ_HASH_SIZE), mq_span(request_hash, MQ_HASH_SIZE)))
        return MQ_REFUSED;
    return get_bound(store_key, mq_take(&reader, mq_left(&reader)), request_hash, reply_seed);
}
