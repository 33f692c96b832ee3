/* Signing certificates and announces: for those who hold the root's, a desk's or a device's key. */
#ifndef MQ_PROTOCOL_IDENTITY_KEYS_H
#define MQ_PROTOCOL_IDENTITY_KEYS_H

#include "protocol/certificate.h"
#include "protocol/keys.h"

/* Fills issuer hint and signature; every other field must be set. */
void mq_certificate_sign(struct mq_certificate *certificate, const struct mq_identity *issuer);
/* Fills the signature; every other field must be set and the certificate be the signer's own. */
void mq_announce_sign(struct mq_announce *announce, const struct mq_identity *device);

#endif
