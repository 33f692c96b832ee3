/* Certificates and announces: encoding, decoding, verifying (docs/protocol.md, section 1). */
#include "protocol/certificate.h"

#include <string.h>

#include "protocol/assert.h"

#define VERSION 1

bool mq_role_is_desk(enum mq_role role)
{
    return role == MQ_ROLE_COUNTY_DESK || role == MQ_ROLE_DESK;
}

bool mq_role_governs(enum mq_role role)
{
    return role == MQ_ROLE_COUNTY_DESK;
}

unsigned mq_role_rank(enum mq_role role)
{
    switch (role) {
    case MQ_ROLE_COUNTY_DESK:
        return 3;
    case MQ_ROLE_DESK:
        return 2;
    case MQ_ROLE_CADRE:
        return 1;
    case MQ_ROLE_ROOT:
    case MQ_ROLE_RELAY:
        return 0;
    }
    MQ_NO_OTHER();
}

/* Certificates. */

void mq_certificate_encode(uint8_t out[MQ_CERTIFICATE_SIZE], const struct mq_certificate *certificate)
{
    struct mq_buffer buffer = mq_buffer(out, MQ_CERTIFICATE_SIZE);

    MQ_ASSERT(certificate->role >= MQ_ROLE_ROOT && certificate->role <= MQ_ROLE_RELAY);
    mq_put_u8(&buffer, VERSION);
    mq_put_u8(&buffer, (uint8_t)certificate->role);
    mq_put(&buffer, certificate->team, sizeof certificate->team);
    mq_put(&buffer, certificate->sign_public, sizeof certificate->sign_public);
    mq_put(&buffer, certificate->box_public, sizeof certificate->box_public);
    mq_put_u32(&buffer, certificate->serial);
    mq_put_u32(&buffer, certificate->issued_day);
    mq_put_u32(&buffer, certificate->expiry_day);
    mq_put(&buffer, certificate->issuer, sizeof certificate->issuer);
    mq_put(&buffer, certificate->signature, sizeof certificate->signature);
    MQ_ASSERT(!buffer.failed && buffer.size == MQ_CERTIFICATE_SIZE);
}

enum mq_status mq_certificate_decode(struct mq_certificate *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    uint8_t version = mq_get_u8(&reader);
    uint8_t role = mq_get_u8(&reader);

    if (version != VERSION || role < MQ_ROLE_ROOT || role > MQ_ROLE_RELAY)
        return MQ_REFUSED;
    out->role = (enum mq_role)role;
    mq_get(&reader, out->team, sizeof out->team);
    mq_get(&reader, out->sign_public, sizeof out->sign_public);
    mq_get(&reader, out->box_public, sizeof out->box_public);
    out->serial = mq_get_u32(&reader);
    out->issued_day = mq_get_u32(&reader);
    out->expiry_day = mq_get_u32(&reader);
    mq_get(&reader, out->issuer, sizeof out->issuer);
    mq_get(&reader, out->signature, sizeof out->signature);
    return mq_reader_done(&reader) ? MQ_OK : MQ_REFUSED;
}

void mq_certificate_hash(uint8_t out[MQ_HASH_SIZE], const struct mq_certificate *certificate)
{
    uint8_t encoded[MQ_CERTIFICATE_SIZE];

    mq_certificate_encode(encoded, certificate);
    mq_hash_one(out, MQ_HASH_SIZE, MQ_DOMAIN_CERTIFICATE, mq_span(encoded, sizeof encoded - MQ_SIGNATURE_SIZE));
}

bool mq_certificate_signed_by(const struct mq_certificate *certificate, const uint8_t sign_public[MQ_PUBLIC_SIZE])
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_certificate_hash(digest, certificate);
    return mq_verify_digest(certificate->signature, digest, sign_public);
}

static bool names_key(const uint8_t hint[MQ_KID_SIZE], const uint8_t sign_public[MQ_PUBLIC_SIZE])
{
    uint8_t name[MQ_KID_SIZE];

    mq_key_name(name, sign_public);
    return memcmp(hint, name, sizeof name) == 0;
}

/* A cadre's: by the county desk of the same team; a township's says nothing about who belongs to it. A candidate that
 * the root did not sign counts as absent: whoever sends a forged desk certificate must not turn what is waiting into
 * something bad. */
static enum mq_status verify_cadre(const struct mq_certificate *certificate, const uint8_t root_public[MQ_PUBLIC_SIZE],
                                   const struct mq_certificate *desks, size_t count)
{
    enum mq_status status = MQ_WAITING;

    /* By the root itself: no desk will ever come that fits, so it must not wait for one. */
    if (names_key(certificate->issuer, root_public) && mq_certificate_signed_by(certificate, root_public))
        return MQ_REFUSED;
    for (size_t i = 0; i < count; i++) {
        const struct mq_certificate *desk = &desks[i];

        if (!names_key(certificate->issuer, desk->sign_public) || !mq_certificate_signed_by(desk, root_public))
            continue;
        if (!mq_certificate_signed_by(certificate, desk->sign_public)) {
            if (status == MQ_WAITING)
                status = MQ_BAD_SIGNATURE;
            continue;
        }
        if (mq_role_governs(desk->role) && memcmp(desk->team, certificate->team, MQ_ID_SIZE) == 0)
            return MQ_OK;
        status = MQ_REFUSED;
    }
    return status;
}

enum mq_status mq_certificate_verify(const struct mq_certificate *certificate,
                                     const uint8_t root_public[MQ_PUBLIC_SIZE], const struct mq_certificate *desks,
                                     size_t count)
{
    switch (certificate->role) {
    case MQ_ROLE_COUNTY_DESK:
    case MQ_ROLE_DESK:
    case MQ_ROLE_RELAY:
        return mq_certificate_signed_by(certificate, root_public) ? MQ_OK : MQ_BAD_SIGNATURE;
    case MQ_ROLE_CADRE:
        return verify_cadre(certificate, root_public, desks, count);
    case MQ_ROLE_ROOT: /* the root is pinned, not certified */
        return MQ_REFUSED;
    }
    MQ_NO_OTHER();
}

/* Announces. */

void mq_announce_encode(uint8_t out[MQ_ANNOUNCE_SIZE], const struct mq_announce *announce)
{
    struct mq_buffer buffer = mq_buffer(out, MQ_ANNOUNCE_SIZE);
    uint8_t *certificate = mq_reserve(&buffer, MQ_CERTIFICATE_SIZE);

    mq_certificate_encode(certificate, &announce->certificate);
    mq_put(&buffer, announce->nonce, sizeof announce->nonce);
    mq_put_u32(&buffer, announce->compartment);
    mq_put(&buffer, announce->previous_stream, sizeof announce->previous_stream);
    mq_put_u32(&buffer, announce->previous_seq);
    mq_put(&buffer, announce->previous_id, sizeof announce->previous_id);
    mq_put(&buffer, announce->signature, sizeof announce->signature);
    MQ_ASSERT(!buffer.failed && buffer.size == MQ_ANNOUNCE_SIZE);
}

enum mq_status mq_announce_decode(struct mq_announce *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    enum mq_status status = mq_certificate_decode(&out->certificate, mq_take(&reader, MQ_CERTIFICATE_SIZE));
    uint8_t digest[MQ_HASH_SIZE];

    if (status != MQ_OK)
        return status;
    mq_get(&reader, out->nonce, sizeof out->nonce);
    out->compartment = mq_get_u32(&reader);
    mq_get(&reader, out->previous_stream, sizeof out->previous_stream);
    out->previous_seq = mq_get_u32(&reader);
    mq_get(&reader, out->previous_id, sizeof out->previous_id);
    mq_get(&reader, out->signature, sizeof out->signature);
    if (!mq_reader_done(&reader))
        return MQ_REFUSED;
    mq_announce_hash(digest, out);
    return mq_verify_digest(out->signature, digest, out->certificate.sign_public) ? MQ_OK : MQ_BAD_SIGNATURE;
}

void mq_announce_hash(uint8_t out[MQ_HASH_SIZE], const struct mq_announce *announce)
{
    uint8_t encoded[MQ_ANNOUNCE_SIZE];

    mq_announce_encode(encoded, announce);
    mq_hash_one(out, MQ_HASH_SIZE, MQ_DOMAIN_ANNOUNCE, mq_span(encoded, sizeof encoded - MQ_SIGNATURE_SIZE));
}

static void hash_with_compartment(uint8_t out[MQ_ID_SIZE], enum mq_domain domain, struct mq_span first,
                                  struct mq_span second, uint32_t compartment)
{
    uint8_t memory[sizeof compartment];
    struct mq_buffer number = mq_buffer(memory, sizeof memory);

    mq_put_u32(&number, compartment);
    mq_hash(out, MQ_ID_SIZE, domain, (struct mq_span[]){first, second, mq_written(&number)}, 3);
}

void mq_announce_stream(uint8_t out[MQ_ID_SIZE], const struct mq_announce *announce)
{
    uint8_t certificate[MQ_HASH_SIZE];

    mq_certificate_hash(certificate, &announce->certificate);
    hash_with_compartment(out, MQ_DOMAIN_STREAM, MQ_SPAN(certificate), MQ_SPAN(announce->nonce),
                          announce->compartment);
}

void mq_mailbox(uint8_t out[MQ_ID_SIZE], const uint8_t team[MQ_ID_SIZE], uint32_t compartment)
{
    hash_with_compartment(out, MQ_DOMAIN_MAILBOX, mq_span(team, MQ_ID_SIZE), mq_span(NULL, 0), compartment);
}
