/* Who is who: certificates, and the announce that opens a stream. What anybody, a relay too, can read and verify; what
 * signs them is in identity_keys.h (docs/protocol.md, section 1). */
#ifndef MQ_PROTOCOL_CERTIFICATE_H
#define MQ_PROTOCOL_CERTIFICATE_H

#include "protocol/compartment.h"
#include "protocol/hash.h"

enum mq_role {
    MQ_ROLE_ROOT = 1,
    MQ_ROLE_COUNTY_DESK = 2,
    MQ_ROLE_DESK = 3,
    MQ_ROLE_CADRE = 4,
    MQ_ROLE_RELAY = 5
};

/* A day is the number of days since 1970-01-01 UTC. */
struct mq_certificate {
    enum mq_role role;
    uint8_t team[MQ_ID_SIZE];
    uint8_t sign_public[MQ_PUBLIC_SIZE], box_public[MQ_PUBLIC_SIZE];
    uint32_t serial, issued_day, expiry_day;
    uint8_t issuer[MQ_KID_SIZE]; /* mq_key_name of the issuer's sign_public: a hint, every match is tried */
    uint8_t signature[MQ_SIGNATURE_SIZE];
};

struct mq_announce {
    struct mq_certificate certificate;
    uint8_t nonce[MQ_ID_SIZE]; /* of the incarnation */
    uint32_t compartment;
    uint8_t previous_stream[MQ_ID_SIZE]; /* zeros: none */
    uint32_t previous_seq;               /* its last known seq and segment id; zeros: none */
    uint8_t previous_id[MQ_SEGMENT_ID_SIZE];
    uint8_t signature[MQ_SIGNATURE_SIZE];
};

/* 166 bytes. `certificate` must be complete. */
void mq_certificate_encode(uint8_t out[MQ_CERTIFICATE_SIZE], const struct mq_certificate *certificate);
/* MQ_REFUSED: wrong length, version, role. Signatures are looked at by the verify functions, not here. */
MQ_MUST_USE enum mq_status mq_certificate_decode(struct mq_certificate *out, struct mq_span bytes);
/* H_32("cert", certificate without signature). */
void mq_certificate_hash(uint8_t out[MQ_HASH_SIZE], const struct mq_certificate *certificate);
/* Is `certificate` signed by this key? */
bool mq_certificate_signed_by(const struct mq_certificate *certificate, const uint8_t sign_public[MQ_PUBLIC_SIZE]);
/* Does the chain hold: root signs desks and relays; the county desk of the same team signs cadres; depth at most 2? `desks` are
 * candidates in any order; one that root did not sign counts as absent. Dates are not looked at: expiry stops tokens,
 * it never quarantines a record. MQ_WAITING: a desk certificate with the issuer's hint is not among the candidates;
 * MQ_BAD_SIGNATURE: none verifies; MQ_REFUSED: roles or teams do not fit. */
MQ_MUST_USE enum mq_status mq_certificate_verify(const struct mq_certificate *certificate,
                                                 const uint8_t root_public[MQ_PUBLIC_SIZE],
                                                 const struct mq_certificate *desks, size_t count);
bool mq_role_is_desk(enum mq_role role);
/* Says this desk who belongs to a team, by certificates, invitations, access lists and grants? A township's desk, below a
 * county's, does not. */
bool mq_role_governs(enum mq_role role);
#define MQ_RANK_DESK 2u /* from here on a writer may decide and link */
#define MQ_RANK_COUNTY 3u
/* Rank in merge: county desk 3, desk 2, cadre 1, others 0. */
unsigned mq_role_rank(enum mq_role role);

void mq_announce_encode(uint8_t out[MQ_ANNOUNCE_SIZE], const struct mq_announce *announce);
/* Decodes, and verifies the announce's own signature under its certificate's key; the certificate's chain is the
 * caller's next step. MQ_REFUSED, MQ_BAD_SIGNATURE. */
MQ_MUST_USE enum mq_status mq_announce_decode(struct mq_announce *out, struct mq_span bytes);
/* H_32("annc", announce without signature): the `prev` of a stream's first segment. */
void mq_announce_hash(uint8_t out[MQ_HASH_SIZE], const struct mq_announce *announce);
/* stream = H_16("strm", certificate hash, nonce, compartment). */
void mq_announce_stream(uint8_t out[MQ_ID_SIZE], const struct mq_announce *announce);
/* mailbox = H_16("mbox", team, compartment): what a relay sorts by. */
void mq_mailbox(uint8_t out[MQ_ID_SIZE], const uint8_t team[MQ_ID_SIZE], uint32_t compartment);

#endif
