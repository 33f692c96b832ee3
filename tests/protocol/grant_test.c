/* Aim: a key is believed only if a grant of the team's desk commits to it; grants chain, and no changed bit passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tests/protocol/identities.h"

static struct people p;
static struct mq_secret key, previous, ephemeral;

static int start(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    key = secret_from(0xc8);
    previous = secret_from(0xe8);
    ephemeral = secret_from(0x18);
    return 0;
}

static void assert_zeros(const struct mq_secret *secret)
{
    static const struct mq_secret zeros;

    assert_memory_equal(secret, &zeros, sizeof zeros);
}

/* Signs whatever the grant says, as a desk that does not keep the rules would. */
static void sign_again(struct mq_grant *grant)
{
    uint8_t digest[MQ_HASH_SIZE];

    mq_grant_hash(digest, grant);
    mq_sign_digest(grant->signature, digest, &p.desk.sign_seed);
}

/* Every field stands where docs/protocol.md, section 1, puts it, and decodes to what it was. */
static void grant_layout(void **state)
{
    struct mq_grant grant = grant_for(&key, &previous, &p.desk), decoded;
    uint8_t bytes[MQ_GRANT_SIZE], again[MQ_GRANT_SIZE], nonce[MQ_NONCE_SIZE];

    (void)state;
    mq_grant_encode(bytes, &grant);
    count_up(nonce, sizeof nonce, 0xb0);
    assert_int_equal(bytes[0], 1);
    assert_memory_equal(bytes + 1, p.cadre_certificate.issuer, 8);
    assert_memory_equal(bytes + 9, team_a, 16);
    assert_memory_equal(bytes + 25, "\0\0\0\3\0\0\0\2", 8);
    assert_memory_equal(bytes + 33, grant.previous_hash, 32);
    assert_memory_equal(bytes + 65, grant.roster_hash, 32);
    assert_memory_equal(bytes + 97, grant.commitment, 32);
    assert_memory_equal(bytes + 129, nonce, 24);
    assert_memory_equal(bytes + 129, grant.previous_key, 72);
    assert_memory_equal(bytes + 201, grant.desk_key, 80);
    assert_memory_equal(bytes + 281, grant.signature, 64);
    assert_int_equal(mq_grant_decode(&decoded, MQ_SPAN(bytes)), MQ_OK);
    mq_grant_encode(again, &decoded);
    assert_memory_equal(bytes, again, sizeof bytes);
}

/* Another length or version is refused. */
static void grant_decode_refuses(void **state)
{
    struct mq_grant grant = grant_for(&key, &previous, &p.desk), decoded;
    uint8_t bytes[MQ_GRANT_SIZE + 1] = {0};

    (void)state;
    mq_grant_encode(bytes, &grant);
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(mq_grant_decode(&decoded, mq_span(bytes, size)), size == MQ_GRANT_SIZE ? MQ_OK : MQ_REFUSED);
    bytes[0] = 2;
    assert_int_equal(mq_grant_decode(&decoded, mq_span(bytes, MQ_GRANT_SIZE)), MQ_REFUSED);
}

/* Only a county desk grants, only for its own team, and only under its own name; a township's key gives nobody a key. */
static void grants_are_the_desks(void **state)
{
    struct mq_grant grant = grant_for(&key, NULL, &p.desk), by_cadre = grant_for(&key, NULL, &p.cadre);
    struct mq_certificate other_desk = certificate_for(MQ_ROLE_COUNTY_DESK, &p.stranger, 2, team_a, &p.root);
    struct mq_certificate township = certificate_for(MQ_ROLE_DESK, &p.stranger, 3, team_a, &p.root);
    struct mq_grant by_township = grant_for(&key, NULL, &p.stranger);

    (void)state;
    assert_int_equal(mq_grant_verify(&grant, &p.desk_certificate), MQ_OK);
    assert_int_equal(mq_grant_verify(&grant, &other_desk), MQ_BAD_SIGNATURE);
    assert_int_equal(mq_grant_verify(&by_township, &other_desk), MQ_OK);
    assert_int_equal(mq_grant_verify(&by_township, &township), MQ_REFUSED);
    assert_int_equal(mq_grant_verify(&by_cadre, &p.cadre_certificate), MQ_REFUSED);
    assert_int_equal(mq_grant_verify(&by_cadre, &p.desk_certificate), MQ_BAD_SIGNATURE);
    grant.issuer[0] ^= 1;
    sign_again(&grant);
    assert_int_equal(mq_grant_verify(&grant, &p.desk_certificate), MQ_REFUSED);
    grant.issuer[0] ^= 1;
    memcpy(grant.team, team_b, sizeof team_b);
    sign_again(&grant);
    assert_int_equal(mq_grant_verify(&grant, &p.desk_certificate), MQ_REFUSED);
}

/* Any single changed bit of a grant is refused in decoding or in verifying. */
static void grant_bits_matter(void **state)
{
    struct mq_grant grant = grant_for(&key, &previous, &p.desk), decoded;
    uint8_t bytes[MQ_GRANT_SIZE];

    (void)state;
    mq_grant_encode(bytes, &grant);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (mq_grant_decode(&decoded, MQ_SPAN(bytes)) == MQ_OK)
            assert_int_equal(mq_grant_verify(&decoded, &p.desk_certificate), MQ_BAD_SIGNATURE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* The commitment is the box key of K_32(key, "wbox"), computed here by the library alone. */
static void commitment_is_a_box_key(void **state)
{
    uint8_t seed[32], expected[32], secret_key[32], commitment[32];

    (void)state;
    crypto_generichash(seed, 32, (const uint8_t *)"minqing/v1/wbox", 16, key.bytes, 32);
    crypto_box_seed_keypair(expected, secret_key, seed);
    mq_commitment(commitment, &key);
    assert_memory_equal(commitment, expected, 32);
}

/* The previous key is XChaCha20-Poly1305 under K_32(key, "prev"), bound to both epochs, opened by the library alone. */
static void previous_key_format(void **state)
{
    struct mq_grant grant = grant_for(&key, &previous, &p.desk);
    uint8_t aad[24] = "minqing/v1/prev\0\0\0\0\1\0\0\0\2", under[32], opened[32];

    (void)state;
    crypto_generichash(under, 32, aad, 16, key.bytes, 32);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(opened, NULL, NULL, grant.previous_key + 24, 48, aad, 24,
                                                        grant.previous_key, under);
    assert_int_equal(rc, 0);
    assert_memory_equal(opened, previous.bytes, 32);
}

/* From today's key one walks back through the epochs, each key being the one that its own grant commits to. */
static void epochs_chain(void **state)
{
    struct mq_secret keys[4], walking;
    struct mq_grant grants[4];
    uint8_t nonce[MQ_NONCE_SIZE], commitment[MQ_PUBLIC_SIZE], hash[MQ_HASH_SIZE];

    (void)state;
    for (uint8_t i = 0; i < 4; i++) {
        keys[i] = secret_from((uint8_t)(0x51 * i));
        grants[i] = (struct mq_grant){.compartment = 3, .epoch = i + 1u};
        memcpy(grants[i].team, team_a, sizeof team_a);
        if (i > 0)
            mq_grant_hash(grants[i].previous_hash, &grants[i - 1]);
        count_up(nonce, sizeof nonce, i);
        mq_grant_sign(&grants[i], &keys[i], i > 0 ? &keys[i - 1] : NULL, nonce, &p.desk);
    }
    walking = keys[3];
    for (size_t i = 3; i > 0; i--) {
        assert_int_equal(mq_grant_previous_key(&walking, &grants[i], &walking), MQ_OK);
        assert_memory_equal(&walking, &keys[i - 1], sizeof walking);
        mq_commitment(commitment, &walking);
        assert_memory_equal(commitment, grants[i - 1].commitment, sizeof commitment);
        mq_grant_hash(hash, &grants[i - 1]);
        assert_memory_equal(hash, grants[i].previous_hash, sizeof hash);
    }
    assert_int_equal(mq_grant_previous_key(&walking, &grants[0], &walking), MQ_NOT_FOUND);
    assert_zeros(&walking);
}

/* No previous key from a wrong key, from altered bytes, or from a sealing meant for another epoch. */
static void previous_key_refuses(void **state)
{
    struct mq_grant grant = grant_for(&key, &previous, &p.desk);
    struct mq_secret out = previous;

    (void)state;
    assert_int_equal(mq_grant_previous_key(&out, &grant, &previous), MQ_WRONG_KEY);
    assert_zeros(&out);
    for (size_t bit = 0; bit < 8 * sizeof grant.previous_key; bit++) {
        grant.previous_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        out = previous;
        assert_int_equal(mq_grant_previous_key(&out, &grant, &key), MQ_BAD_SIGNATURE);
        assert_zeros(&out);
        grant.previous_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    grant.epoch++;
    assert_int_equal(mq_grant_previous_key(&out, &grant, &key), MQ_BAD_SIGNATURE);
}

/* A grant gives its key to the desk that made it and to nobody else, as the library's sealed box, in the same bytes each time;
 * not where a bit of it was changed, nor where the desk sealed another key than it commits to. */
static void desk_finds_its_key(void **state)
{
    struct mq_grant grant = grant_for(&key, NULL, &p.desk), again = grant_for(&key, NULL, &p.desk);
    uint8_t public_key[32], secret_key[32], opened[32];
    struct mq_secret got;

    (void)state;
    assert_memory_equal(grant.desk_key, again.desk_key, sizeof grant.desk_key);
    assert_int_equal(mq_grant_desk_key(&got, &grant, &p.desk), MQ_OK);
    assert_memory_equal(&got, &key, sizeof key);
    crypto_box_seed_keypair(public_key, secret_key, p.desk.box_seed.bytes);
    assert_int_equal(crypto_box_seal_open(opened, grant.desk_key, 80, public_key, secret_key), 0);
    assert_memory_equal(opened, key.bytes, 32);

    assert_int_equal(mq_grant_desk_key(&got, &grant, &p.stranger), MQ_NOT_FOUND);
    assert_zeros(&got);
    for (size_t bit = 0; bit < 8 * sizeof grant.desk_key; bit++) {
        grant.desk_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        got = key;
        assert_int_equal(mq_grant_desk_key(&got, &grant, &p.desk), MQ_WRONG_KEY);
        assert_zeros(&got);
        grant.desk_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    mq_commitment(grant.commitment, &previous);
    assert_int_equal(mq_grant_desk_key(&got, &grant, &p.desk), MQ_WRONG_KEY);
    assert_zeros(&got);
}

/* The kid names a grant, not only a key: two grants of one key differ, and the signature has no part in it. */
static void kid_names_the_grant(void **state)
{
    struct mq_grant grant = grant_for(&key, NULL, &p.desk);
    uint8_t kid[MQ_KID_SIZE], other[MQ_KID_SIZE];

    (void)state;
    mq_grant_kid(kid, &grant);
    grant.signature[0] ^= 1;
    mq_grant_kid(other, &grant);
    assert_memory_equal(kid, other, sizeof kid);
    grant.roster_hash[0] ^= 1;
    mq_grant_kid(other, &grant);
    assert_memory_not_equal(kid, other, sizeof kid);
}

/* A wrap gives the member the key, and nobody else anything; its sealed part is the library's sealed box. */
static void wraps_reach_the_member(void **state)
{
    struct mq_grant grant = grant_for(&key, NULL, &p.desk);
    uint8_t wrap[MQ_WRAP_SIZE], public_key[32], secret_key[32], opened[32];
    struct mq_secret got;

    (void)state;
    assert_int_equal(mq_wrap_seal(wrap, &key, p.cadre.box_public, &ephemeral), MQ_OK);
    assert_int_equal(mq_wrap_open(&got, MQ_SPAN(wrap), &grant, &p.cadre), MQ_OK);
    assert_memory_equal(&got, &key, sizeof key);
    assert_int_equal(mq_wrap_open(&got, MQ_SPAN(wrap), &grant, &p.stranger), MQ_NOT_FOUND);
    assert_zeros(&got);
    crypto_box_seed_keypair(public_key, secret_key, p.cadre.box_seed.bytes);
    assert_int_equal(crypto_box_seal_open(opened, wrap + 8, 80, public_key, secret_key), 0);
    assert_memory_equal(opened, key.bytes, 32);
}

/* A key that the grant does not commit to is not believed, although the wrap opens; nothing can be sealed to a point of
 * small order. */
static void only_committed_keys(void **state)
{
    static const uint8_t zero_point[MQ_PUBLIC_SIZE];
    struct mq_grant grant = grant_for(&key, NULL, &p.desk);
    uint8_t wrap[MQ_WRAP_SIZE];
    struct mq_secret got;

    (void)state;
    assert_int_equal(mq_wrap_seal(wrap, &previous, p.cadre.box_public, &ephemeral), MQ_OK);
    assert_int_equal(mq_wrap_open(&got, MQ_SPAN(wrap), &grant, &p.cadre), MQ_WRONG_KEY);
    assert_zeros(&got);
    assert_int_equal(mq_wrap_seal(wrap, &key, zero_point, &ephemeral), MQ_REFUSED);
}

/* Another length, and any single changed bit of a wrap, gives no key. */
static void wrap_bits_matter(void **state)
{
    struct mq_grant grant = grant_for(&key, NULL, &p.desk);
    uint8_t wrap[MQ_WRAP_SIZE + 1] = {0};
    struct mq_secret got;

    (void)state;
    assert_int_equal(mq_wrap_seal(wrap, &key, p.cadre.box_public, &ephemeral), MQ_OK);
    for (size_t size = 0; size <= sizeof wrap; size++)
        assert_int_equal(mq_wrap_open(&got, mq_span(wrap, size), &grant, &p.cadre),
                         size == MQ_WRAP_SIZE ? MQ_OK : MQ_REFUSED);
    for (size_t bit = 0; bit < 8 * MQ_WRAP_SIZE; bit++) {
        wrap[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(mq_wrap_open(&got, mq_span(wrap, MQ_WRAP_SIZE), &grant, &p.cadre),
                         bit < 8 * MQ_KID_SIZE ? MQ_NOT_FOUND : MQ_WRONG_KEY);
        assert_zeros(&got);
        wrap[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grant_layout),         cmocka_unit_test(grant_decode_refuses),
        cmocka_unit_test(grants_are_the_desks), cmocka_unit_test(grant_bits_matter),
        cmocka_unit_test(commitment_is_a_box_key), cmocka_unit_test(previous_key_format),
        cmocka_unit_test(epochs_chain),         cmocka_unit_test(previous_key_refuses),
         cmocka_unit_test(desk_finds_its_key),
        cmocka_unit_test(kid_names_the_grant),  cmocka_unit_test(wraps_reach_the_member),
        cmocka_unit_test(only_committed_keys),  cmocka_unit_test(wrap_bits_matter),
    };

    return cmocka_run_group_tests_name("protocol/grant", tests, start, NULL);
}
