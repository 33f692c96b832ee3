/* The invented people of the identity tests: a root, the county desk of a team, a cadre of it, made from counted-up seeds. */
#ifndef MQ_TESTS_PROTOCOL_IDENTITIES_H
#define MQ_TESTS_PROTOCOL_IDENTITIES_H

#include <string.h>

#include "protocol/grant_keys.h"
#include "protocol/identity_keys.h"

#define ISSUED_DAY 20454 /* 2026-01-01 */
#define EXPIRY_DAY 20819 /* 2027-01-01 */

static const uint8_t team_a[MQ_ID_SIZE] = {0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t team_b[MQ_ID_SIZE] = {0x99, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};

/* `first`, `first` + 1, ... */
static inline void count_up(uint8_t *out, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(first + i);
}

static inline struct mq_secret secret_from(uint8_t first)
{
    struct mq_secret secret;

    count_up(secret.bytes, sizeof secret.bytes, first);
    return secret;
}

/* Sign seed from `first`, box seed from `first` + 0x20. */
static inline struct mq_identity identity_from(uint8_t first)
{
    struct mq_secret sign_seed = secret_from(first), box_seed = secret_from((uint8_t)(first + 0x20));
    struct mq_identity identity;

    mq_identity_from_seeds(&identity, &sign_seed, &box_seed);
    return identity;
}

static inline struct mq_certificate certificate_for(enum mq_role role, const struct mq_identity *holder,
                                                    uint32_t serial, const uint8_t team[MQ_ID_SIZE],
                                                    const struct mq_identity *issuer)
{
    struct mq_certificate certificate = {
        .role = role, .serial = serial, .issued_day = ISSUED_DAY, .expiry_day = EXPIRY_DAY};

    memcpy(certificate.team, team, MQ_ID_SIZE);
    memcpy(certificate.sign_public, holder->sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate.box_public, holder->box_public, MQ_PUBLIC_SIZE);
    mq_certificate_sign(&certificate, issuer);
    return certificate;
}

/* The usual cast. */
struct people {
    struct mq_identity root, desk, cadre, stranger;
    struct mq_certificate desk_certificate, cadre_certificate;
};

static inline struct people people(void)
{
    struct people p = {.root = identity_from(0x00),
                       .desk = identity_from(0x40),
                       .cadre = identity_from(0x80),
                       .stranger = identity_from(0xc0)};

    p.desk_certificate = certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 1, team_a, &p.root);
    p.cadre_certificate = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.desk);
    return p;
}

static inline struct mq_announce announce_for(const struct mq_certificate *certificate,
                                              const struct mq_identity *device)
{
    struct mq_announce announce = {.certificate = *certificate, .compartment = 3, .previous_seq = 5};

    count_up(announce.nonce, sizeof announce.nonce, 0x10);
    count_up(announce.previous_stream, sizeof announce.previous_stream, 0x30);
    count_up(announce.previous_id, sizeof announce.previous_id, 0x50);
    mq_announce_sign(&announce, device);
    return announce;
}

/* Epoch 2 of compartment 3, handing on `previous` unless that is NULL. */
static inline struct mq_grant grant_for(const struct mq_secret *key, const struct mq_secret *previous,
                                        const struct mq_identity *desk)
{
    struct mq_grant grant = {.compartment = 3, .epoch = 2};
    uint8_t nonce[MQ_NONCE_SIZE];

    memcpy(grant.team, team_a, MQ_ID_SIZE);
    count_up(grant.previous_hash, sizeof grant.previous_hash, 0x70);
    count_up(grant.roster_hash, sizeof grant.roster_hash, 0x90);
    count_up(nonce, sizeof nonce, 0xb0);
    mq_grant_sign(&grant, key, previous, nonce, desk);
    return grant;
}

#endif
