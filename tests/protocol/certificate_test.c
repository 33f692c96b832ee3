/* Aim: certificates and announces have one form, hold only under the right chain, and no changed bit passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/protocol/identities.h"

static struct people p;

static int start(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    return 0;
}

static enum mq_status verify_under_desk(const struct mq_certificate *certificate)
{
    return mq_certificate_verify(certificate, p.root.sign_public, &p.desk_certificate, 1);
}

/* Every field stands where docs/protocol.md, section 1, puts it, and decodes to what it was. */
static void certificate_layout(void **state)
{
    const struct mq_certificate *c = &p.cadre_certificate;
    uint8_t bytes[MQ_CERTIFICATE_SIZE], again[MQ_CERTIFICATE_SIZE], desk_name[MQ_KID_SIZE];
    struct mq_certificate decoded;

    (void)state;
    mq_certificate_encode(bytes, c);
    mq_key_name(desk_name, p.desk.sign_public);
    assert_int_equal(bytes[0], 1);
    assert_int_equal(bytes[1], 4);
    assert_memory_equal(bytes + 2, team_a, 16);
    assert_memory_equal(bytes + 18, p.cadre.sign_public, 32);
    assert_memory_equal(bytes + 50, p.cadre.box_public, 32);
    assert_memory_equal(bytes + 82, "\0\0\0\7\0\0\x4f\xe6\0\0\x51\x53", 12);
    assert_memory_equal(bytes + 94, desk_name, 8);
    assert_memory_equal(bytes + 102, c->signature, 64);
    assert_int_equal(mq_certificate_decode(&decoded, MQ_SPAN(bytes)), MQ_OK);
    mq_certificate_encode(again, &decoded);
    assert_memory_equal(bytes, again, sizeof bytes);
}

/* Another length, version or role is refused. */
static void certificate_decode_refuses(void **state)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE + 2] = {0};
    struct mq_certificate decoded;

    (void)state;
    mq_certificate_encode(bytes, &p.desk_certificate);
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(mq_certificate_decode(&decoded, mq_span(bytes, size)),
                         size == MQ_CERTIFICATE_SIZE ? MQ_OK : MQ_REFUSED);
    for (unsigned value = 0; value < 256; value++) {
        bytes[0] = (uint8_t)value;
        assert_int_equal(mq_certificate_decode(&decoded, mq_span(bytes, MQ_CERTIFICATE_SIZE)),
                         value == 1 ? MQ_OK : MQ_REFUSED);
        bytes[0] = 1;
        bytes[1] = (uint8_t)value;
        assert_int_equal(mq_certificate_decode(&decoded, mq_span(bytes, MQ_CERTIFICATE_SIZE)),
                         value >= 1 && value <= 5 ? MQ_OK : MQ_REFUSED);
        bytes[1] = 3;
    }
}

/* The root's signature carries desks and relays, a county desk's its own team's cadres. */
static void chains_hold(void **state)
{
    struct mq_certificate county = certificate_for(MQ_ROLE_COUNTY_DESK, &p.stranger, 2, team_b, &p.root);
    struct mq_certificate relay = certificate_for(MQ_ROLE_RELAY, &p.stranger, 3, team_b, &p.root);
    struct mq_certificate by_county = certificate_for(MQ_ROLE_CADRE, &p.cadre, 8, team_b, &p.stranger);
    struct mq_certificate desks[] = {relay, p.desk_certificate, county};

    (void)state;
    assert_int_equal(mq_certificate_verify(&p.desk_certificate, p.root.sign_public, NULL, 0), MQ_OK);
    assert_int_equal(mq_certificate_verify(&county, p.root.sign_public, NULL, 0), MQ_OK);
    assert_int_equal(mq_certificate_verify(&relay, p.root.sign_public, NULL, 0), MQ_OK);
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, desks, 3), MQ_OK);
    assert_int_equal(mq_certificate_verify(&by_county, p.root.sign_public, desks, 3), MQ_OK);
}

/* Every candidate with the hint is tried: the desk's earlier certificate, of another team, does not stop the search. */
static void every_match_is_tried(void **state)
{
    struct mq_certificate earlier = certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 9, team_b, &p.root);
    const struct mq_certificate before[] = {earlier, p.desk_certificate}, after[] = {p.desk_certificate, earlier};

    (void)state;
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, before, 2), MQ_OK);
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, after, 2), MQ_OK);
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, before, 1), MQ_REFUSED);
}

/* Without the desk's certificate a cadre's waits, and a forged one does not make it anything worse. */
static void unknown_issuers_wait(void **state)
{
    struct mq_certificate other = certificate_for(MQ_ROLE_COUNTY_DESK, &p.stranger, 2, team_a, &p.root);
    struct mq_certificate forged = certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 1, team_a, &p.stranger);

    (void)state;
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, NULL, 0), MQ_WAITING);
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, &other, 1), MQ_WAITING);
    assert_int_equal(mq_certificate_verify(&p.cadre_certificate, p.root.sign_public, &forged, 1), MQ_WAITING);
}

/* Whose hint says the root, but whom the root did not sign, waits like any other stranger's: no forged hint refuses. */
static void forged_hints_wait(void **state)
{
    struct mq_certificate forged = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.root);

    (void)state;
    forged.serial++;
    assert_int_equal(verify_under_desk(&forged), MQ_WAITING);
}

/* A bad signature stays bad however many certificates the desk has that could have made it. */
static void bad_under_every_certificate(void **state)
{
    const struct mq_certificate desks[] = {certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 9, team_a, &p.root),
                                           p.desk_certificate};
    struct mq_certificate cadre = p.cadre_certificate;

    (void)state;
    cadre.serial++;
    assert_int_equal(mq_certificate_verify(&cadre, p.root.sign_public, desks, 2), MQ_BAD_SIGNATURE);
}

/* A stranger's signature, under whatever hint, does not verify. */
static void foreign_signatures_are_bad(void **state)
{
    struct mq_certificate desk = certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 1, team_a, &p.stranger);
    struct mq_certificate cadre = p.cadre_certificate;

    (void)state;
    cadre.serial++;
    assert_int_equal(verify_under_desk(&cadre), MQ_BAD_SIGNATURE);
    assert_int_equal(verify_under_desk(&desk), MQ_BAD_SIGNATURE);
    assert_int_equal(mq_certificate_verify(&p.desk_certificate, p.stranger.sign_public, NULL, 0), MQ_BAD_SIGNATURE);
}

/* Good signatures by the wrong rank: another team's desk, a relay, the root for a cadre, a root certificate; and a
 * cadre cannot certify, however its certificate is offered. */
static void wrong_roles_are_refused(void **state)
{
    struct mq_certificate other_team = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_b, &p.desk);
    struct mq_certificate by_root = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.root);
    struct mq_certificate root = certificate_for(MQ_ROLE_ROOT, &p.root, 0, team_a, &p.root);
    struct mq_certificate relay = certificate_for(MQ_ROLE_RELAY, &p.stranger, 3, team_a, &p.root);
    struct mq_certificate by_relay = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.stranger);
    struct mq_certificate by_cadre = certificate_for(MQ_ROLE_CADRE, &p.stranger, 8, team_a, &p.cadre);
    const struct mq_certificate chain[] = {p.desk_certificate, p.cadre_certificate};

    (void)state;
    assert_int_equal(verify_under_desk(&other_team), MQ_REFUSED);
    assert_int_equal(verify_under_desk(&by_root), MQ_REFUSED);
    assert_int_equal(verify_under_desk(&root), MQ_REFUSED);
    assert_int_equal(mq_certificate_verify(&by_relay, p.root.sign_public, &relay, 1), MQ_REFUSED);
    assert_int_equal(mq_certificate_verify(&by_cadre, p.root.sign_public, chain, 2), MQ_WAITING);
}

/* A township's desk, which the root did sign for the team, cannot add a writer to it; and the certificate that the county
 * gave under the same key counts, in whatever order the two are offered. */
static void townships_certify_nobody(void **state)
{
    struct mq_certificate township = certificate_for(MQ_ROLE_DESK, &p.stranger, 2, team_a, &p.root);
    struct mq_certificate county = certificate_for(MQ_ROLE_COUNTY_DESK, &p.stranger, 3, team_a, &p.root);
    struct mq_certificate cadre = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.stranger);
    const struct mq_certificate below[] = {township, p.desk_certificate};
    const struct mq_certificate before[] = {county, township}, after[] = {township, county};

    (void)state;
    assert_int_equal(mq_certificate_verify(&township, p.root.sign_public, NULL, 0), MQ_OK);
    assert_int_equal(mq_certificate_verify(&cadre, p.root.sign_public, below, 2), MQ_REFUSED);
    assert_int_equal(mq_certificate_verify(&cadre, p.root.sign_public, before, 2), MQ_OK);
    assert_int_equal(mq_certificate_verify(&cadre, p.root.sign_public, after, 2), MQ_OK);
}

/* Any single changed bit of a certificate is refused in decoding or in verifying. */
static void certificate_bits_matter(void **state)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    struct mq_certificate decoded;

    (void)state;
    mq_certificate_encode(bytes, &p.cadre_certificate);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (mq_certificate_decode(&decoded, MQ_SPAN(bytes)) == MQ_OK)
            assert_int_not_equal(verify_under_desk(&decoded), MQ_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(mq_certificate_decode(&decoded, MQ_SPAN(bytes)), MQ_OK);
    assert_int_equal(verify_under_desk(&decoded), MQ_OK);
}

/* Ranks and desks are as section 6 has them. */
static void roles(void **state)
{
    static const unsigned ranks[] = {0, 0, 3, 2, 1, 0};

    (void)state;
    for (unsigned role = MQ_ROLE_ROOT; role <= MQ_ROLE_RELAY; role++) {
        assert_int_equal(mq_role_rank((enum mq_role)role), ranks[role]);
        assert_int_equal(mq_role_is_desk((enum mq_role)role), ranks[role] >= 2);
    }
}

/* Every field of an announce stands where section 1 puts it, and decodes to what it was. */
static void announce_layout(void **state)
{
    struct mq_announce announce = announce_for(&p.cadre_certificate, &p.cadre), decoded;
    uint8_t bytes[MQ_ANNOUNCE_SIZE], again[MQ_ANNOUNCE_SIZE], certificate[MQ_CERTIFICATE_SIZE];

    (void)state;
    mq_announce_encode(bytes, &announce);
    mq_certificate_encode(certificate, &p.cadre_certificate);
    assert_memory_equal(bytes, certificate, 166);
    assert_memory_equal(bytes + 166, announce.nonce, 16);
    assert_memory_equal(bytes + 182, "\0\0\0\3", 4);
    assert_memory_equal(bytes + 186, announce.previous_stream, 16);
    assert_memory_equal(bytes + 202, "\0\0\0\5", 4);
    assert_memory_equal(bytes + 206, announce.previous_id, 32);
    assert_memory_equal(bytes + 238, announce.signature, 64);
    assert_int_equal(mq_announce_decode(&decoded, MQ_SPAN(bytes)), MQ_OK);
    mq_announce_encode(again, &decoded);
    assert_memory_equal(bytes, again, sizeof bytes);
}

/* Another length is refused; so is any single changed bit, of the certificate within too. */
static void announce_bits_matter(void **state)
{
    struct mq_announce announce = announce_for(&p.cadre_certificate, &p.cadre), decoded;
    uint8_t bytes[MQ_ANNOUNCE_SIZE + 1] = {0};

    (void)state;
    mq_announce_encode(bytes, &announce);
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(mq_announce_decode(&decoded, mq_span(bytes, size)),
                         size == MQ_ANNOUNCE_SIZE ? MQ_OK : MQ_REFUSED);
    for (size_t bit = 0; bit < 8 * MQ_ANNOUNCE_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(mq_announce_decode(&decoded, mq_span(bytes, MQ_ANNOUNCE_SIZE)), MQ_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Only the certificate's own key announces; a key that verifies everything is refused. */
static void announces_of_others_are_bad(void **state)
{
    struct mq_announce announce = announce_for(&p.cadre_certificate, &p.cadre), decoded;
    uint8_t bytes[MQ_ANNOUNCE_SIZE], digest[MQ_HASH_SIZE];

    (void)state;
    mq_announce_hash(digest, &announce);
    mq_sign_digest(announce.signature, digest, &p.stranger.sign_seed);
    mq_announce_encode(bytes, &announce);
    assert_int_equal(mq_announce_decode(&decoded, MQ_SPAN(bytes)), MQ_BAD_SIGNATURE);

    memset(announce.certificate.sign_public, 0, MQ_PUBLIC_SIZE);
    memset(announce.signature, 0, MQ_SIGNATURE_SIZE);
    announce.certificate.sign_public[0] = announce.signature[0] = 1;
    mq_announce_encode(bytes, &announce);
    assert_int_equal(mq_announce_decode(&decoded, MQ_SPAN(bytes)), MQ_BAD_SIGNATURE);
}

/* A stream's name depends on certificate, nonce and compartment and nothing else; a mailbox on team and compartment. */
static void streams_and_mailboxes(void **state)
{
    struct mq_announce announce = announce_for(&p.cadre_certificate, &p.cadre);
    uint8_t stream[MQ_ID_SIZE], other[MQ_ID_SIZE];

    (void)state;
    mq_announce_stream(stream, &announce);
    announce.previous_seq++;
    memset(announce.signature, 0, sizeof announce.signature);
    mq_announce_stream(other, &announce);
    assert_memory_equal(stream, other, sizeof stream);
    announce.compartment++;
    mq_announce_stream(other, &announce);
    assert_memory_not_equal(stream, other, sizeof stream);
    announce.compartment--;
    announce.nonce[15] ^= 1;
    mq_announce_stream(other, &announce);
    assert_memory_not_equal(stream, other, sizeof stream);
    announce.nonce[15] ^= 1;
    announce.certificate.serial++;
    mq_announce_stream(other, &announce);
    assert_memory_not_equal(stream, other, sizeof stream);

    mq_mailbox(stream, team_a, 3);
    mq_mailbox(other, team_b, 3);
    assert_memory_not_equal(stream, other, sizeof stream);
    mq_mailbox(other, team_a, 4);
    assert_memory_not_equal(stream, other, sizeof stream);
}

/* The hashes leave out the signature and nothing but the signature. */
static void hashes_cover_the_object(void **state)
{
    struct mq_certificate certificate = p.cadre_certificate;
    uint8_t bytes[MQ_CERTIFICATE_SIZE], hash[MQ_HASH_SIZE], expected[MQ_HASH_SIZE];

    (void)state;
    mq_certificate_encode(bytes, &certificate);
    mq_hash_one(expected, sizeof expected, MQ_DOMAIN_CERTIFICATE, mq_span(bytes, 102));
    certificate.signature[0] ^= 1;
    mq_certificate_hash(hash, &certificate);
    assert_memory_equal(hash, expected, sizeof hash);
    assert_true(mq_verify_object(p.cadre_certificate.signature, MQ_DOMAIN_CERTIFICATE, mq_span(bytes, 102),
                                 p.desk.sign_public));
    assert_false(mq_verify_object(p.cadre_certificate.signature, MQ_DOMAIN_ANNOUNCE, mq_span(bytes, 102),
                                  p.desk.sign_public));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_layout),
        cmocka_unit_test(certificate_decode_refuses),
        cmocka_unit_test(chains_hold),
        cmocka_unit_test(every_match_is_tried),
        cmocka_unit_test(unknown_issuers_wait),
        cmocka_unit_test(forged_hints_wait),
        cmocka_unit_test(bad_under_every_certificate),
        cmocka_unit_test(foreign_signatures_are_bad),
        cmocka_unit_test(wrong_roles_are_refused),
        cmocka_unit_test(townships_certify_nobody),
        cmocka_unit_test(certificate_bits_matter),
        cmocka_unit_test(roles),
        cmocka_unit_test(announce_layout),
        cmocka_unit_test(announce_bits_matter),
        cmocka_unit_test(announces_of_others_are_bad),
        cmocka_unit_test(streams_and_mailboxes),
        cmocka_unit_test(hashes_cover_the_object),
    };

    return cmocka_run_group_tests_name("protocol/certificate", tests, start, NULL);
}
