/* Grants and wraps: keys of epochs and how they reach members (docs/protocol.md, section 1). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/compartment.h"
#include "protocol/grant_keys.h"

#define VERSION 1
#define PREVIOUS_KEY_SIZE (MQ_NONCE_SIZE + MQ_KEY_SIZE + MQ_TAG_SIZE)

void mq_commitment(uint8_t out[MQ_PUBLIC_SIZE], const struct mq_secret *key)
{
    struct mq_secret seed;

    mq_derive(&seed, key, MQ_DOMAIN_WRAP_BOX, mq_span(NULL, 0));
    mq_box_public(out, &seed);
    mq_secret_wipe(&seed);
}

static bool committed(const struct mq_grant *grant, const struct mq_secret *key)
{
    uint8_t commitment[MQ_PUBLIC_SIZE];

    mq_commitment(commitment, key);
    return mq_equal_secret(commitment, grant->commitment, sizeof commitment);
}

/* Handing on the previous epoch's key: nonce 24, then XChaCha20-Poly1305 of the key under K_32(this key, "prev") with
 * AAD = dom("prev"), epoch - 1, epoch (16 + 4 + 4 bytes). */

#define PREVIOUS_AAD_SIZE (MQ_DOMAIN_SIZE + 4 + 4)

static void previous_aad(uint8_t aad[PREVIOUS_AAD_SIZE], uint32_t epoch)
{
    struct mq_buffer buffer = mq_buffer(aad, PREVIOUS_AAD_SIZE);

    mq_domain_bytes(mq_reserve(&buffer, MQ_DOMAIN_SIZE), MQ_DOMAIN_PREVIOUS);
    mq_put_u32(&buffer, epoch - 1);
    mq_put_u32(&buffer, epoch);
}

static void seal_previous(struct mq_grant *grant, const struct mq_secret *key, const struct mq_secret *previous,
                          const uint8_t nonce[MQ_NONCE_SIZE])
{
    struct mq_buffer out = mq_buffer(grant->previous_key, PREVIOUS_KEY_SIZE);
    uint8_t aad[PREVIOUS_AAD_SIZE];
    struct mq_secret under;

    MQ_ASSERT(grant->epoch > 0);
    previous_aad(aad, grant->epoch);
    mq_derive(&under, key, MQ_DOMAIN_PREVIOUS, mq_span(NULL, 0));
    mq_put(&out, nonce, MQ_NONCE_SIZE);
    MQ_ASSERT(mq_aead_seal(&out, MQ_SPAN(previous->bytes), MQ_SPAN(aad), nonce, &under) == MQ_OK);
    mq_secret_wipe(&under);
}

static enum mq_status open_previous(struct mq_secret *previous, const struct mq_grant *grant,
                                    const struct mq_secret *key)
{
    const uint8_t *nonce = grant->previous_key;
    struct mq_span sealed = mq_span(nonce + MQ_NONCE_SIZE, MQ_KEY_SIZE + MQ_TAG_SIZE);
    struct mq_buffer plain = mq_buffer(previous->bytes, sizeof previous->bytes);
    uint8_t aad[PREVIOUS_AAD_SIZE];
    struct mq_secret under;

    previous_aad(aad, grant->epoch);
    mq_derive(&under, key, MQ_DOMAIN_PREVIOUS, mq_span(NULL, 0));
    enum mq_status status = mq_aead_open(&plain, sealed, MQ_SPAN(aad), nonce, &under);
    mq_secret_wipe(&under);
    return status;
}

enum mq_status mq_grant_previous_key(struct mq_secret *out, const struct mq_grant *grant, const struct mq_secret *key)
{
    static const uint8_t none[PREVIOUS_KEY_SIZE];
    struct mq_secret previous = {{0}};
    enum mq_status status;

    if (memcmp(grant->previous_key, none, sizeof none) == 0)
        status = MQ_NOT_FOUND;
    else if (!committed(grant, key))
        status = MQ_WRONG_KEY;
    else
        status = open_previous(&previous, grant, key);
    if (status != MQ_OK)
        mq_secret_wipe(&previous);
    *out = previous;
    mq_secret_wipe(&previous);
    return status;
}

/* The key back to the desk. */

void mq_desk_ephemeral(struct mq_secret *out, const struct mq_secret *key, const uint8_t box_public[MQ_PUBLIC_SIZE])
{
    mq_derive(out, key, MQ_DOMAIN_SEED, mq_span(box_public, MQ_PUBLIC_SIZE));
}

static void seal_to_desk(struct mq_grant *grant, const struct mq_secret *key, const struct mq_identity *desk)
{
    struct mq_buffer out = mq_buffer(grant->desk_key, sizeof grant->desk_key);
    struct mq_secret ephemeral;

    mq_desk_ephemeral(&ephemeral, key, desk->box_public);
    enum mq_status status = mq_box_seal(&out, MQ_SPAN(key->bytes), desk->box_public, &ephemeral);
    mq_secret_wipe(&ephemeral);
    MQ_ASSERT(status == MQ_OK && out.size == sizeof grant->desk_key); /* its own key is a good one */
}

/* Opened where the grant commits to what is in it. */
static enum mq_status open_sealed(struct mq_secret *key, const struct mq_grant *grant, struct mq_span sealed,
                                  const struct mq_identity *reader)
{
    struct mq_buffer plain = mq_buffer(key->bytes, sizeof key->bytes);
    enum mq_status status = mq_box_open(&plain, sealed, &reader->box_seed);

    if (status == MQ_OK && !committed(grant, key))
        status = MQ_WRONG_KEY;
    if (status != MQ_OK)
        mq_secret_wipe(key);
    return status;
}

enum mq_status mq_grant_desk_key(struct mq_secret *out, const struct mq_grant *grant, const struct mq_identity *desk)
{
    uint8_t name[MQ_KID_SIZE];

    memset(out, 0, sizeof *out);
    mq_key_name(name, desk->sign_public);
    if (memcmp(grant->issuer, name, sizeof name) != 0)
        return MQ_NOT_FOUND;
    return open_sealed(out, grant, MQ_SPAN(grant->desk_key), desk);
}

/* Grants. */

void mq_grant_sign(struct mq_grant *grant, const struct mq_secret *key, const struct mq_secret *previous,
                   const uint8_t nonce[MQ_NONCE_SIZE], const struct mq_identity *desk)
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_key_name(grant->issuer, desk->sign_public);
    mq_commitment(grant->commitment, key);
    memset(grant->previous_key, 0, sizeof grant->previous_key);
    if (previous != NULL)
        seal_previous(grant, key, previous, nonce);
    seal_to_desk(grant, key, desk);
    mq_grant_hash(digest, grant);
    mq_sign_digest(grant->signature, digest, &desk->sign_seed);
}

void mq_grant_encode(uint8_t out[MQ_GRANT_SIZE], const struct mq_grant *grant)
{
    struct mq_buffer buffer = mq_buffer(out, MQ_GRANT_SIZE);

    mq_put_u8(&buffer, VERSION);
    mq_put(&buffer, grant->issuer, sizeof grant->issuer);
    mq_put(&buffer, grant->team, sizeof grant->team);
    mq_put_u32(&buffer, grant->compartment);
    mq_put_u32(&buffer, grant->epoch);
    mq_put(&buffer, grant->previous_hash, sizeof grant->previous_hash);
    mq_put(&buffer, grant->roster_hash, sizeof grant->roster_hash);
    mq_put(&buffer, grant->commitment, sizeof grant->commitment);
    mq_put(&buffer, grant->previous_key, sizeof grant->previous_key);
    mq_put(&buffer, grant->desk_key, sizeof grant->desk_key);
    mq_put(&buffer, grant->signature, sizeof grant->signature);
    MQ_ASSERT(!buffer.failed && buffer.size == MQ_GRANT_SIZE);
}

enum mq_status mq_grant_decode(struct mq_grant *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);

    if (mq_get_u8(&reader) != VERSION)
        return MQ_REFUSED;
    mq_get(&reader, out->issuer, sizeof out->issuer);
    mq_get(&reader, out->team, sizeof out->team);
    out->compartment = mq_get_u32(&reader);
    out->epoch = mq_get_u32(&reader);
    mq_get(&reader, out->previous_hash, sizeof out->previous_hash);
    mq_get(&reader, out->roster_hash, sizeof out->roster_hash);
    mq_get(&reader, out->commitment, sizeof out->commitment);
    mq_get(&reader, out->previous_key, sizeof out->previous_key);
    mq_get(&reader, out->desk_key, sizeof out->desk_key);
    mq_get(&reader, out->signature, sizeof out->signature);
    return mq_reader_done(&reader) ? MQ_OK : MQ_REFUSED;
}

void mq_grant_hash(uint8_t out[MQ_HASH_SIZE], const struct mq_grant *grant)
{
    uint8_t encoded[MQ_GRANT_SIZE];

    mq_grant_encode(encoded, grant);
    mq_hash_one(out, MQ_HASH_SIZE, MQ_DOMAIN_GRANT, mq_span(encoded, sizeof encoded - MQ_SIGNATURE_SIZE));
}

enum mq_status mq_grant_verify(const struct mq_grant *grant, const struct mq_certificate *desk)
{
    uint8_t digest[MQ_HASH_SIZE], issuer[MQ_KID_SIZE];

    if (!mq_role_governs(desk->role))
        return MQ_REFUSED;
    mq_grant_hash(digest, grant);
    if (!mq_verify_digest(grant->signature, digest, desk->sign_public))
        return MQ_BAD_SIGNATURE;
    mq_key_name(issuer, desk->sign_public);
    if (memcmp(grant->issuer, issuer, sizeof issuer) != 0 || memcmp(grant->team, desk->team, MQ_ID_SIZE) != 0)
        return MQ_REFUSED;
    return MQ_OK;
}

void mq_grant_kid(uint8_t out[MQ_KID_SIZE], const struct mq_grant *grant)
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_grant_hash(digest, grant);
    mq_hash_one(out, MQ_KID_SIZE, MQ_DOMAIN_KID, MQ_SPAN(digest));
}

/* Wraps. */

enum mq_status mq_wrap_seal(uint8_t out[MQ_WRAP_SIZE], const struct mq_secret *key,
                            const uint8_t box_public[MQ_PUBLIC_SIZE], const struct mq_secret *ephemeral)
{
    struct mq_buffer buffer = mq_buffer(out, MQ_WRAP_SIZE);

    mq_key_name(mq_reserve(&buffer, MQ_KID_SIZE), box_public);
    return mq_box_seal(&buffer, MQ_SPAN(key->bytes), box_public, ephemeral);
}

enum mq_status mq_wrap_open(struct mq_secret *key, struct mq_span wrap, const struct mq_grant *grant,
                            const struct mq_identity *member)
{
    struct mq_reader reader = mq_reader(wrap);
    uint8_t name[MQ_KID_SIZE];

    memset(key, 0, sizeof *key);
    if (wrap.size != MQ_WRAP_SIZE)
        return MQ_REFUSED;
    mq_key_name(name, member->box_public);
    if (!mq_span_equal(mq_take(&reader, MQ_KID_SIZE), MQ_SPAN(name)))
        return MQ_NOT_FOUND;
    return open_sealed(key, grant, mq_take(&reader, MQ_SEALED_BOX_SIZE), member);
}
