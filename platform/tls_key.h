/* The server's TLS key and certificate: made here, known to devices by the hash of the public key (docs/contract.md,
 * "Listening"). Name and expiry do not count: addresses change and device clocks die. */
#ifndef MQ_PLATFORM_TLS_KEY_H
#define MQ_PLATFORM_TLS_KEY_H

#include "platform/error.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"

/* A fresh ECDSA P-256 key and a certificate signed by itself, as PEM; `name` (ASCII) is what a browser shows.
 * MQ_TLS_PEM_MAX is room enough for each. The caller wipes `key_pem`. MQ_NO_SPACE; MQ_FAULT. */
MQ_MUST_USE enum mq_status mq_tls_make(struct mq_buffer *key_pem, struct mq_buffer *certificate_pem, const char *name,
                                       struct mq_error *error);
/* SHA-256 of the (first) certificate's SubjectPublicKeyInfo: what invitations carry and devices pin. It stays when a
 * certificate is renewed with the same key. MQ_REFUSED: not a PEM certificate. */
MQ_MUST_USE enum mq_status mq_tls_pin(uint8_t pin[MQ_HASH_SIZE], struct mq_span certificate_pem,
                                      struct mq_error *error);
/* Does this key belong to this (first) certificate? MQ_REFUSED, with words, where not or where one cannot be read. */
MQ_MUST_USE enum mq_status mq_tls_check(struct mq_span certificate_pem, struct mq_span key_pem, struct mq_error *error);

#endif
