/* Grants as anybody, a relay too, can read and verify them; what makes and opens the keys they stand for is in
 * grant_keys.h (docs/protocol.md, section 1). */
#ifndef MQ_PROTOCOL_GRANT_H
#define MQ_PROTOCOL_GRANT_H

#include "protocol/certificate.h"

struct mq_grant {
    uint8_t issuer[MQ_KID_SIZE];
    uint8_t team[MQ_ID_SIZE];
    uint32_t compartment, epoch;
    uint8_t previous_hash[MQ_HASH_SIZE]; /* of the grant before; zeros for the first */
    uint8_t roster_hash[MQ_HASH_SIZE];
    uint8_t commitment[MQ_PUBLIC_SIZE];
    uint8_t previous_key[MQ_NONCE_SIZE + MQ_KEY_SIZE + MQ_TAG_SIZE]; /* under this key; zeros where none is handed on */
    uint8_t desk_key[MQ_SEALED_BOX_SIZE]; /* this key, to the desk that made it: wherever the grant is, it finds its key again */
    uint8_t signature[MQ_SIGNATURE_SIZE];
};

void mq_grant_encode(uint8_t out[MQ_GRANT_SIZE], const struct mq_grant *grant);
/* MQ_REFUSED: wrong length or version. The signature is looked at by mq_grant_verify. */
MQ_MUST_USE enum mq_status mq_grant_decode(struct mq_grant *out, struct mq_span bytes);
/* Is it signed by this desk (certificate verified by the caller), for the desk's own team? MQ_BAD_SIGNATURE: not by its
 * key; MQ_REFUSED: not a county desk, another team, or the issuer's hint is not this desk's. */
MQ_MUST_USE enum mq_status mq_grant_verify(const struct mq_grant *grant, const struct mq_certificate *desk);
void mq_grant_hash(uint8_t out[MQ_HASH_SIZE], const struct mq_grant *grant);
/* kid = H_8("kid", grant hash): names the key in a segment's header. */
void mq_grant_kid(uint8_t out[MQ_KID_SIZE], const struct mq_grant *grant);

#endif
