/* Hashes with a domain, and the check of signatures: all that a keyless relay needs (docs/protocol.md, section 0).
 * H_n(domain, x...) is BLAKE2b-n over the domain's 16 bytes and the parts, one after another. */
#ifndef MQ_PROTOCOL_HASH_H
#define MQ_PROTOCOL_HASH_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/status.h"

/* The complete list of domains; crypto.c spells each as "minqing/v1/" and a word of at most five letters. */
enum mq_domain {
    MQ_DOMAIN_CERTIFICATE, /* cert */
    MQ_DOMAIN_STREAM,      /* strm */
    MQ_DOMAIN_ANNOUNCE,    /* annc */
    MQ_DOMAIN_GRANT,       /* grant */
    MQ_DOMAIN_KID,         /* kid */
    MQ_DOMAIN_WRAP_BOX,    /* wbox: the key pair that a compartment's key commits to */
    MQ_DOMAIN_PREVIOUS,    /* prev: the previous epoch's key under this one */
    MQ_DOMAIN_CONTROL,     /* ctrl */
    MQ_DOMAIN_BODY,        /* body */
    MQ_DOMAIN_SEGMENT,     /* segid */
    MQ_DOMAIN_SIGN,        /* sign */
    MQ_DOMAIN_AAD,         /* aad */
    MQ_DOMAIN_AEAD,        /* aead */
    MQ_DOMAIN_NONCE,       /* nonce */
    MQ_DOMAIN_IV,          /* iv */
    MQ_DOMAIN_PLAIN,       /* pt */
    MQ_DOMAIN_CHANGE,      /* chgid */
    MQ_DOMAIN_ELEMENT,     /* elem */
    MQ_DOMAIN_MAILBOX,     /* mbox */
    MQ_DOMAIN_FINGERPRINT, /* fp */
    MQ_DOMAIN_INVITATION,  /* invit: check value of an invitation */
    MQ_DOMAIN_ENROL,       /* enrol: MAC under the one-time secret */
    MQ_DOMAIN_TOKEN,       /* token */
    MQ_DOMAIN_KEY_NAME,    /* kname: 8-byte names of public keys */
    MQ_DOMAIN_ROSTER,      /* rostr */
    MQ_DOMAIN_SEED,        /* seed: one random seed drawn out into several */
    MQ_DOMAIN_ROW,         /* row: `id` of a record that a row of a ledger became */
    MQ_DOMAIN_DRAW,        /* draw: a household's lot */
    MQ_DOMAIN_RECOVERY,    /* recov: a store key that the county's desk can open, and who asks for it */
    MQ_DOMAIN_COUNT
};

/* H_n: writes `size` bytes, 1 to MQ_HASH_MAX. The length is a parameter of BLAKE2b, so H_8 is not the front of H_16. */
void mq_hash(uint8_t *out, size_t size, enum mq_domain domain, const struct mq_span *parts, size_t count);
/* K_n: the same, keyed. */
void mq_hash_keyed(uint8_t *out, size_t size, const uint8_t key[MQ_KEY_SIZE], enum mq_domain domain,
                   const struct mq_span *parts, size_t count);
/* H_n of one part. */
void mq_hash_one(uint8_t *out, size_t size, enum mq_domain domain, struct mq_span part);
/* The domain's 16 bytes, for AAD and signed messages. */
void mq_domain_bytes(uint8_t out[MQ_DOMAIN_SIZE], enum mq_domain domain);

/* Does `signature` under `public_key` cover the 48 bytes domain("sign") and `digest`? */
bool mq_verify_digest(const uint8_t signature[MQ_SIGNATURE_SIZE], const uint8_t digest[MQ_HASH_SIZE],
                      const uint8_t public_key[MQ_PUBLIC_SIZE]);
/* The same for an object: digest = H_32(type, object without its signature), so no object passes for another. */
bool mq_verify_object(const uint8_t signature[MQ_SIGNATURE_SIZE], enum mq_domain type, struct mq_span object,
                      const uint8_t public_key[MQ_PUBLIC_SIZE]);
/* Equal, in constant time. */
bool mq_equal_secret(const void *a, const void *b, size_t size);
/* The 8-byte hint for a public key. */
void mq_key_name(uint8_t out[MQ_KID_SIZE], const uint8_t public_key[MQ_PUBLIC_SIZE]);

#endif
