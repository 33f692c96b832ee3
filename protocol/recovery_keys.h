/* A forgotten passphrase: how a device's store key comes back through the county's desk, where the device's owner wanted
 * that to be possible (docs/protocol.md, section 1; docs/decisions/0028-recovery.md). */
#ifndef MQ_PROTOCOL_RECOVERY_KEYS_H
#define MQ_PROTOCOL_RECOVERY_KEYS_H

#include "protocol/certificate.h"
#include "protocol/keys.h"

/* ---- the file beside the vault ---- */

struct mq_recovery {
    struct mq_certificate device;
    uint8_t desk[MQ_KID_SIZE]; /* mq_key_name of the desk's box public key */
    uint8_t sealed[MQ_RECOVERY_SEALED_SIZE];
};
/* Version 1, certificate 166, key name of the desk's box key 8, sealed box to that key over (store key 32, certificate hash
 * 32), signature 64 by the device, type "recov". The certificate's hash in the box ties the key to this device: nobody can
 * hand in another's box as his own. `device` must be the certificate's key pair (asserted). `ephemeral` fresh random.
 * MQ_REFUSED: the desk's box key is of small order; MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_recovery_seal(struct mq_buffer *out, const struct mq_certificate *certificate,
                                            const struct mq_secret *store_key,
                                            const uint8_t desk_box_public[MQ_PUBLIC_SIZE],
                                            const struct mq_identity *device, const struct mq_secret *ephemeral);
/* MQ_REFUSED: no such file; MQ_BAD_SIGNATURE: not signed by the key that it names. The certificate's chain is the caller's
 * next step. */
MQ_MUST_USE enum mq_status mq_recovery_decode(struct mq_recovery *out, struct mq_span bytes);
/* At the desk. MQ_WRONG_KEY: sealed to another desk, or tied to another device. The caller wipes `store_key`. */
MQ_MUST_USE enum mq_status mq_recovery_open(struct mq_secret *store_key, const struct mq_recovery *recovery,
                                            const struct mq_identity *desk);

/* ---- the request ---- */

struct mq_recover_request {
    struct mq_recovery recovery;
    uint8_t reply_to[MQ_PUBLIC_SIZE]; /* box key, made for this request */
};
/* Version 1, the file 351, box public key 32. It is signed by nobody, since who asks cannot open his keys: that it is he
 * who asks is told by the code, over the phone. */
void mq_recover_request_put(struct mq_buffer *out, struct mq_span recovery_file, const uint8_t reply_to[MQ_PUBLIC_SIZE]);
/* As mq_recovery_decode. */
MQ_MUST_USE enum mq_status mq_recover_request_get(struct mq_recover_request *out, struct mq_span bytes);
/* 20 digits in groups of four, with a NUL: of H_10("recov", request) each two bytes modulo 10000. */
#define MQ_RECOVER_CODE_SIZE 25
void mq_recover_code(char out[MQ_RECOVER_CODE_SIZE], struct mq_span request);
/* Is this what a person read or typed for the code? Blanks and hyphens do not count. */
bool mq_recover_code_is(const char *typed, const char code[MQ_RECOVER_CODE_SIZE]);

/* ---- the answer ---- */

/* Version 1, H_32("recov", request), sealed box to the request's box key over (store key 32, the same hash 32). It needs no
 * signature: the store key is the one that opens the store. MQ_REFUSED: the box key is of small order; MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_recover_grant_seal(struct mq_buffer *out, struct mq_span request,
                                                 const struct mq_secret *store_key, const struct mq_secret *ephemeral);
void mq_recover_request_hash(uint8_t out[MQ_HASH_SIZE], struct mq_span request);
/* MQ_REFUSED: no answer, or to another request; MQ_WRONG_KEY: it does not open. The caller wipes `store_key`. */
MQ_MUST_USE enum mq_status mq_recover_grant_open(struct mq_secret *store_key, struct mq_span grant,
                                                 const uint8_t request_hash[MQ_HASH_SIZE],
                                                 const struct mq_secret *reply_seed);

#endif
