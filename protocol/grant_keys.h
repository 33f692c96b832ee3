/* Grants and wraps: how a compartment's key of an epoch reaches its members, and why a device may believe in it
 * (docs/protocol.md, section 1). A key is used only if a desk-signed grant commits to it. */
#ifndef MQ_PROTOCOL_GRANT_KEYS_H
#define MQ_PROTOCOL_GRANT_KEYS_H

#include "protocol/grant.h"
#include "protocol/keys.h"

/* The commitment to `key`: public key of the box pair made from K_32(key, "wbox"). */
void mq_commitment(uint8_t out[MQ_PUBLIC_SIZE], const struct mq_secret *key);

/* Fills issuer, commitment, previous_key, desk_key and signature; the other fields must be set. `previous` may be NULL (no
 * earlier key is handed on; `nonce` is then unused); otherwise epoch >= 1 and `nonce` fresh random. */
void mq_grant_sign(struct mq_grant *grant, const struct mq_secret *key, const struct mq_secret *previous,
                   const uint8_t nonce[MQ_NONCE_SIZE], const struct mq_identity *desk);
/* The key of the epoch before, from the one of this epoch; the caller compares its commitment with the grant before.
 * MQ_NOT_FOUND: none is handed on. MQ_WRONG_KEY: `key` is not the committed one. MQ_BAD_SIGNATURE: it does not decrypt.
 * `out` may be `key`; it is all zeros unless MQ_OK comes back. */
MQ_MUST_USE enum mq_status mq_grant_previous_key(struct mq_secret *out, const struct mq_grant *grant,
                                                 const struct mq_secret *key);

/* The key of its own grant, for a desk that was set back and has it no more. MQ_NOT_FOUND: somebody else made the grant.
 * MQ_WRONG_KEY: it does not open, or is not the committed key. `out` is all zeros unless MQ_OK comes back. */
MQ_MUST_USE enum mq_status mq_grant_desk_key(struct mq_secret *out, const struct mq_grant *grant,
                                             const struct mq_identity *desk);

/* The ephemeral seed with which a key is sealed to a county desk: K_32(key, "seed", box public key), so that whoever does it
 * makes the same bytes. */
void mq_desk_ephemeral(struct mq_secret *out, const struct mq_secret *key, const uint8_t box_public[MQ_PUBLIC_SIZE]);
/* A wrap: key name of the member's box key 8, sealed key 80. `ephemeral` must be fresh random, or the above. MQ_REFUSED:
 * `box_public`, which came from the member's device, is a point of small order. */
MQ_MUST_USE enum mq_status mq_wrap_seal(uint8_t out[MQ_WRAP_SIZE], const struct mq_secret *key,
                                        const uint8_t box_public[MQ_PUBLIC_SIZE], const struct mq_secret *ephemeral);
/* Opens a wrap that is for `member`, and accepts the key only if it is the one `grant` commits to.
 * MQ_REFUSED: wrong length. MQ_NOT_FOUND: for somebody else. MQ_WRONG_KEY: does not open, or is not the committed key.
 * `key` is all zeros unless MQ_OK comes back. */
MQ_MUST_USE enum mq_status mq_wrap_open(struct mq_secret *key, struct mq_span wrap, const struct mq_grant *grant,
                                        const struct mq_identity *member);

#endif
