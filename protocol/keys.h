/* Operations with secret keys: signing, sealing to a public key, authenticated encryption. Seeds are arguments. */
#ifndef MQ_PROTOCOL_KEYS_H
#define MQ_PROTOCOL_KEYS_H

#include "protocol/hash.h"

/* A secret of 32 bytes: a type of its own, so that it is never printed and always wiped with mq_secret_wipe(). */
struct mq_secret {
    uint8_t bytes[MQ_KEY_SIZE];
};

/* One identity's two key pairs, kept as seeds. Owner wipes with mq_identity_wipe(). */
struct mq_identity {
    struct mq_secret sign_seed, box_seed;
    uint8_t sign_public[MQ_PUBLIC_SIZE], box_public[MQ_PUBLIC_SIZE];
};

/* libsodium's own set-up; called once at program start, before threads. MQ_FAULT where it fails. */
MQ_MUST_USE enum mq_status mq_crypto_start(void);

void mq_wipe(void *memory, size_t size);
void mq_secret_wipe(struct mq_secret *secret);
void mq_identity_wipe(struct mq_identity *identity);
/* Both key pairs from their seeds, which stay in `identity`. */
void mq_identity_from_seeds(struct mq_identity *identity, const struct mq_secret *sign_seed,
                            const struct mq_secret *box_seed);

/* Ed25519 over domain("sign") and digest: 48 bytes, one-part. */
void mq_sign_digest(uint8_t signature[MQ_SIGNATURE_SIZE], const uint8_t digest[MQ_HASH_SIZE],
                    const struct mq_secret *sign_seed);
void mq_sign_object(uint8_t signature[MQ_SIGNATURE_SIZE], enum mq_domain type, struct mq_span object,
                    const struct mq_secret *sign_seed);

/* A subkey: K_32(key, domain, part). */
void mq_derive(struct mq_secret *out, const struct mq_secret *key, enum mq_domain domain, struct mq_span part);
/* The box public key of the pair that crypto_box_seed_keypair makes from `seed`. */
void mq_box_public(uint8_t public_key[MQ_PUBLIC_SIZE], const struct mq_secret *seed);

/* crypto_box_seal, byte for byte, with the ephemeral pair made from `ephemeral` (must be fresh random for each call).
 * Writes plain.size + 48 bytes; MQ_NO_SPACE where they do not fit, MQ_REFUSED where `public_key` is a point of small
 * order, to which nothing can be sealed (nothing is written then). */
MQ_MUST_USE enum mq_status mq_box_seal(struct mq_buffer *out, struct mq_span plain,
                                       const uint8_t public_key[MQ_PUBLIC_SIZE], const struct mq_secret *ephemeral);
/* Writes sealed.size - 48. MQ_WRONG_KEY where it does not open (nothing is written then); MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_box_open(struct mq_buffer *out, struct mq_span sealed, const struct mq_secret *box_seed);

/* XChaCha20-Poly1305-IETF. Writes plain.size + 16; MQ_NO_SPACE. `nonce` must never repeat under `key`. */
MQ_MUST_USE enum mq_status mq_aead_seal(struct mq_buffer *out, struct mq_span plain, struct mq_span aad,
                                        const uint8_t nonce[MQ_NONCE_SIZE], const struct mq_secret *key);
/* Writes sealed.size - 16. MQ_BAD_SIGNATURE where the tag does not verify (nothing is written then); MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_aead_open(struct mq_buffer *out, struct mq_span sealed, struct mq_span aad,
                                        const uint8_t nonce[MQ_NONCE_SIZE], const struct mq_secret *key);

#endif
