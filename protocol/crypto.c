/* The protocol's only door to libsodium: hashes with a domain, signatures, sealed boxes, authenticated encryption
 * (docs/protocol.md, section 0). Pure: every seed and nonce is an argument. */
#include <sodium.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/keys.h"

_Static_assert(MQ_HASH_MAX == crypto_generichash_BYTES_MAX, "BLAKE2b digest");
_Static_assert(MQ_KEY_SIZE == crypto_generichash_KEYBYTES, "BLAKE2b key");
_Static_assert(MQ_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert(MQ_PUBLIC_SIZE == crypto_box_PUBLICKEYBYTES, "X25519 public key");
_Static_assert(MQ_KEY_SIZE == crypto_sign_SEEDBYTES && MQ_KEY_SIZE == crypto_box_SEEDBYTES, "seeds");
_Static_assert(MQ_SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(MQ_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "AEAD key");
_Static_assert(MQ_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "AEAD nonce");
_Static_assert(MQ_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "AEAD tag");
_Static_assert(MQ_BOX_OVERHEAD == crypto_box_SEALBYTES, "sealed box");

/* Each padded with NUL to 16 bytes: the array's type does it. */
static const char domains[MQ_DOMAIN_COUNT][MQ_DOMAIN_SIZE + 1] = {
    [MQ_DOMAIN_CERTIFICATE] = "minqing/v1/cert",
    [MQ_DOMAIN_STREAM] = "minqing/v1/strm",
    [MQ_DOMAIN_ANNOUNCE] = "minqing/v1/annc",
    [MQ_DOMAIN_GRANT] = "minqing/v1/grant",
    [MQ_DOMAIN_KID] = "minqing/v1/kid",
    [MQ_DOMAIN_WRAP_BOX] = "minqing/v1/wbox",
    [MQ_DOMAIN_PREVIOUS] = "minqing/v1/prev",
    [MQ_DOMAIN_CONTROL] = "minqing/v1/ctrl",
    [MQ_DOMAIN_BODY] = "minqing/v1/body",
    [MQ_DOMAIN_SEGMENT] = "minqing/v1/segid",
    [MQ_DOMAIN_SIGN] = "minqing/v1/sign",
    [MQ_DOMAIN_AAD] = "minqing/v1/aad",
    [MQ_DOMAIN_AEAD] = "minqing/v1/aead",
    [MQ_DOMAIN_NONCE] = "minqing/v1/nonce",
    [MQ_DOMAIN_IV] = "minqing/v1/iv",
    [MQ_DOMAIN_PLAIN] = "minqing/v1/pt",
    [MQ_DOMAIN_CHANGE] = "minqing/v1/chgid",
    [MQ_DOMAIN_ELEMENT] = "minqing/v1/elem",
    [MQ_DOMAIN_MAILBOX] = "minqing/v1/mbox",
    [MQ_DOMAIN_FINGERPRINT] = "minqing/v1/fp",
    [MQ_DOMAIN_INVITATION] = "minqing/v1/invit",
    [MQ_DOMAIN_ENROL] = "minqing/v1/enrol",
    [MQ_DOMAIN_TOKEN] = "minqing/v1/token",
    [MQ_DOMAIN_KEY_NAME] = "minqing/v1/kname",
    [MQ_DOMAIN_ROSTER] = "minqing/v1/rostr",
    [MQ_DOMAIN_SEED] = "minqing/v1/seed",
    [MQ_DOMAIN_ROW] = "minqing/v1/row",
    [MQ_DOMAIN_DRAW] = "minqing/v1/draw",
    [MQ_DOMAIN_RECOVERY] = "minqing/v1/recov",
};

enum mq_status mq_crypto_start(void)
{
    return sodium_init() < 0 ? MQ_FAULT : MQ_OK;
}

void mq_wipe(void *memory, size_t size)
{
    sodium_memzero(memory, size);
}

void mq_secret_wipe(struct mq_secret *secret)
{
    mq_wipe(secret, sizeof *secret);
}

void mq_identity_wipe(struct mq_identity *identity)
{
    mq_wipe(identity, sizeof *identity);
}

bool mq_equal_secret(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

/* Hashes. */

void mq_domain_bytes(uint8_t out[MQ_DOMAIN_SIZE], enum mq_domain domain)
{
    MQ_ASSERT((unsigned)domain < MQ_DOMAIN_COUNT);
    memcpy(out, domains[domain], MQ_DOMAIN_SIZE);
}

static void hash(uint8_t *out, size_t size, const uint8_t *key, enum mq_domain domain, const struct mq_span *parts,
                 size_t count)
{
    crypto_generichash_state state;
    uint8_t prefix[MQ_DOMAIN_SIZE];

    MQ_ASSERT(size >= 1 && size <= MQ_HASH_MAX);
    MQ_ASSERT(crypto_generichash_init(&state, key, key == NULL ? 0 : MQ_KEY_SIZE, size) == 0);
    mq_domain_bytes(prefix, domain);
    crypto_generichash_update(&state, prefix, sizeof prefix);
    for (size_t i = 0; i < count; i++)
        if (parts[i].size > 0)
            crypto_generichash_update(&state, parts[i].data, parts[i].size);
    MQ_ASSERT(crypto_generichash_final(&state, out, size) == 0);
    if (key != NULL)
        mq_wipe(&state, sizeof state);
}

void mq_hash(uint8_t *out, size_t size, enum mq_domain domain, const struct mq_span *parts, size_t count)
{
    hash(out, size, NULL, domain, parts, count);
}

void mq_hash_keyed(uint8_t *out, size_t size, const uint8_t key[MQ_KEY_SIZE], enum mq_domain domain,
                   const struct mq_span *parts, size_t count)
{
    MQ_ASSERT(key != NULL);
    hash(out, size, key, domain, parts, count);
}

void mq_hash_one(uint8_t *out, size_t size, enum mq_domain domain, struct mq_span part)
{
    mq_hash(out, size, domain, &part, 1);
}

void mq_key_name(uint8_t out[MQ_KID_SIZE], const uint8_t public_key[MQ_PUBLIC_SIZE])
{
    mq_hash_one(out, MQ_KID_SIZE, MQ_DOMAIN_KEY_NAME, mq_span(public_key, MQ_PUBLIC_SIZE));
}

void mq_derive(struct mq_secret *out, const struct mq_secret *key, enum mq_domain domain, struct mq_span part)
{
    mq_hash_keyed(out->bytes, MQ_KEY_SIZE, key->bytes, domain, &part, 1);
}

/* Signatures. */

#define MESSAGE_SIZE (MQ_DOMAIN_SIZE + MQ_HASH_SIZE)

static void signed_message(uint8_t message[MESSAGE_SIZE], const uint8_t digest[MQ_HASH_SIZE])
{
    mq_domain_bytes(message, MQ_DOMAIN_SIGN);
    memcpy(message + MQ_DOMAIN_SIZE, digest, MQ_HASH_SIZE);
}

/* libsodium refuses public keys of small order or not in their shortest form, and the second form of S. */
bool mq_verify_digest(const uint8_t signature[MQ_SIGNATURE_SIZE], const uint8_t digest[MQ_HASH_SIZE],
                      const uint8_t public_key[MQ_PUBLIC_SIZE])
{
    uint8_t message[MESSAGE_SIZE];

    signed_message(message, digest);
    return crypto_sign_verify_detached(signature, message, sizeof message, public_key) == 0;
}

bool mq_verify_object(const uint8_t signature[MQ_SIGNATURE_SIZE], enum mq_domain type, struct mq_span object,
                      const uint8_t public_key[MQ_PUBLIC_SIZE])
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_hash_one(digest, sizeof digest, type, object);
    return mq_verify_digest(signature, digest, public_key);
}

void mq_sign_digest(uint8_t signature[MQ_SIGNATURE_SIZE], const uint8_t digest[MQ_HASH_SIZE],
                    const struct mq_secret *sign_seed)
{
    uint8_t message[MESSAGE_SIZE], public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];

    signed_message(message, digest);
    MQ_ASSERT(crypto_sign_seed_keypair(public_key, secret_key, sign_seed->bytes) == 0);
    MQ_ASSERT(crypto_sign_detached(signature, NULL, message, sizeof message, secret_key) == 0);
    mq_wipe(secret_key, sizeof secret_key);
}

void mq_sign_object(uint8_t signature[MQ_SIGNATURE_SIZE], enum mq_domain type, struct mq_span object,
                    const struct mq_secret *sign_seed)
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_hash_one(digest, sizeof digest, type, object);
    mq_sign_digest(signature, digest, sign_seed);
}

/* Key pairs. */

void mq_box_public(uint8_t public_key[MQ_PUBLIC_SIZE], const struct mq_secret *seed)
{
    uint8_t secret_key[crypto_box_SECRETKEYBYTES];

    MQ_ASSERT(crypto_box_seed_keypair(public_key, secret_key, seed->bytes) == 0);
    mq_wipe(secret_key, sizeof secret_key);
}

void mq_identity_from_seeds(struct mq_identity *identity, const struct mq_secret *sign_seed,
                            const struct mq_secret *box_seed)
{
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];

    identity->sign_seed = *sign_seed;
    identity->box_seed = *box_seed;
    MQ_ASSERT(crypto_sign_seed_keypair(identity->sign_public, secret_key, identity->sign_seed.bytes) == 0);
    mq_wipe(secret_key, sizeof secret_key);
    mq_box_public(identity->box_public, &identity->box_seed);
}

/* Sealed boxes. */

/* The nonce that crypto_box_seal uses: without a domain, because its bytes are libsodium's, not ours. */
static void seal_nonce(uint8_t nonce[crypto_box_NONCEBYTES], const uint8_t ephemeral_public[MQ_PUBLIC_SIZE],
                       const uint8_t public_key[MQ_PUBLIC_SIZE])
{
    uint8_t both[2 * MQ_PUBLIC_SIZE];

    memcpy(both, ephemeral_public, MQ_PUBLIC_SIZE);
    memcpy(both + MQ_PUBLIC_SIZE, public_key, MQ_PUBLIC_SIZE);
    MQ_ASSERT(crypto_generichash(nonce, crypto_box_NONCEBYTES, both, sizeof both, NULL, 0) == 0);
}

enum mq_status mq_box_seal(struct mq_buffer *out, struct mq_span plain, const uint8_t public_key[MQ_PUBLIC_SIZE],
                           const struct mq_secret *ephemeral)
{
    uint8_t secret_key[crypto_box_SECRETKEYBYTES], nonce[crypto_box_NONCEBYTES];
    size_t before = out->size;
    uint8_t *sealed = mq_reserve(out, plain.size + crypto_box_SEALBYTES);

    if (sealed == NULL)
        return MQ_NO_SPACE;
    MQ_ASSERT(crypto_box_seed_keypair(sealed, secret_key, ephemeral->bytes) == 0);
    seal_nonce(nonce, sealed, public_key);
    int rc = crypto_box_easy(sealed + MQ_PUBLIC_SIZE, plain.data, plain.size, nonce, public_key, secret_key);
    mq_wipe(secret_key, sizeof secret_key);
    if (rc != 0) {
        out->size = before;
        return MQ_REFUSED;
    }
    return MQ_OK;
}

enum mq_status mq_box_open(struct mq_buffer *out, struct mq_span sealed, const struct mq_secret *box_seed)
{
    uint8_t public_key[crypto_box_PUBLICKEYBYTES], secret_key[crypto_box_SECRETKEYBYTES];
    size_t before = out->size;

    if (sealed.size < crypto_box_SEALBYTES)
        return MQ_WRONG_KEY;
    uint8_t *plain = mq_reserve(out, sealed.size - crypto_box_SEALBYTES);
    if (plain == NULL)
        return MQ_NO_SPACE;
    MQ_ASSERT(crypto_box_seed_keypair(public_key, secret_key, box_seed->bytes) == 0);
    int rc = crypto_box_seal_open(plain, sealed.data, sealed.size, public_key, secret_key);
    mq_wipe(secret_key, sizeof secret_key);
    if (rc != 0) {
        out->size = before;
        return MQ_WRONG_KEY;
    }
    return MQ_OK;
}

/* Authenticated encryption. */

enum mq_status mq_aead_seal(struct mq_buffer *out, struct mq_span plain, struct mq_span aad,
                            const uint8_t nonce[MQ_NONCE_SIZE], const struct mq_secret *key)
{
    uint8_t *sealed = mq_reserve(out, plain.size + MQ_TAG_SIZE);

    if (sealed == NULL)
        return MQ_NO_SPACE;
    MQ_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, plain.data, plain.size, aad.data, aad.size, NULL,
                                                         nonce, key->bytes) == 0);
    return MQ_OK;
}

enum mq_status mq_aead_open(struct mq_buffer *out, struct mq_span sealed, struct mq_span aad,
                            const uint8_t nonce[MQ_NONCE_SIZE], const struct mq_secret *key)
{
    size_t before = out->size;

    if (sealed.size < MQ_TAG_SIZE)
        return MQ_BAD_SIGNATURE;
    uint8_t *plain = mq_reserve(out, sealed.size - MQ_TAG_SIZE);
    if (plain == NULL)
        return MQ_NO_SPACE;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.data, sealed.size, aad.data, aad.size,
                                                   nonce, key->bytes) != 0) {
        out->size = before;
        return MQ_BAD_SIGNATURE;
    }
    return MQ_OK;
}
