/* Signing certificates and announces (docs/protocol.md, section 1). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/identity_keys.h"

void mq_certificate_sign(struct mq_certificate *certificate, const struct mq_identity *issuer)
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_key_name(certificate->issuer, issuer->sign_public);
    mq_certificate_hash(digest, certificate);
    mq_sign_digest(certificate->signature, digest, &issuer->sign_seed);
}

void mq_announce_sign(struct mq_announce *announce, const struct mq_identity *device)
{
    uint8_t digest[MQ_HASH_SIZE];

    MQ_ASSERT(memcmp(announce->certificate.sign_public, device->sign_public, MQ_PUBLIC_SIZE) == 0);
    mq_announce_hash(digest, announce);
    mq_sign_digest(announce->signature, digest, &device->sign_seed);
}
