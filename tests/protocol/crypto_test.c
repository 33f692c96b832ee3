/* Aim: crypto.c is libsodium with our domains and nothing else: published vectors, and each operation compared with an
 * independent call of the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/keys.h"
#include "tests/protocol/chance.h"
#include "tests/protocol/vectors.h"

static void assert_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t expected[256];

    assert_int_equal(vector_hex(expected, sizeof expected, hex), size);
    assert_memory_equal(bytes, expected, size);
}

static struct mq_secret secret_of(const char *hex)
{
    struct mq_secret secret;

    assert_int_equal(vector_hex(secret.bytes, sizeof secret.bytes, hex), MQ_KEY_SIZE);
    return secret;
}

static int start(void **state)
{
    (void)state;
    return mq_crypto_start() == MQ_OK ? 0 : -1;
}

/* Domains are 16 bytes, begin alike, are padded with NUL, and no two are equal. */
static void domains_are_distinct(void **state)
{
    uint8_t all[MQ_DOMAIN_COUNT][MQ_DOMAIN_SIZE];

    (void)state;
    for (unsigned i = 0; i < MQ_DOMAIN_COUNT; i++) {
        mq_domain_bytes(all[i], (enum mq_domain)i);
        assert_memory_equal(all[i], "minqing/v1/", 11);
        assert_int_not_equal(all[i][11], 0);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(all[i], all[j], MQ_DOMAIN_SIZE);
    }
    assert_memory_equal(all[MQ_DOMAIN_IV], "minqing/v1/iv\0\0\0", MQ_DOMAIN_SIZE);
    assert_memory_equal(all[MQ_DOMAIN_GRANT], "minqing/v1/grant", MQ_DOMAIN_SIZE);
}

/* H_n is BLAKE2b-n over domain and parts as one message, for every length; values from another implementation. */
static void hashes_are_blake2b(void **state)
{
    const struct mq_span parts[] = {mq_span_text("ab"), mq_span(NULL, 0), mq_span_text("c")};
    uint8_t hash[MQ_HASH_MAX], expected[MQ_HASH_MAX];

    (void)state;
    for (size_t size = 1; size <= MQ_HASH_MAX; size++) {
        mq_hash(hash, size, MQ_DOMAIN_BODY, parts, 3);
        crypto_generichash_blake2b(expected, size, (const uint8_t *)"minqing/v1/body\0abc", 19, NULL, 0);
        assert_memory_equal(hash, expected, size);
        mq_hash_one(hash, size, MQ_DOMAIN_BODY, mq_span_text("abc"));
        assert_memory_equal(hash, expected, size);
    }
    mq_hash_one(hash, 8, MQ_DOMAIN_KID, mq_span_text("abc"));
    assert_hex(hash, 8, "0206178a1deaf931");
    mq_hash_one(hash, 32, MQ_DOMAIN_SEGMENT, mq_span(NULL, 0));
    assert_hex(hash, 32, "f008244b1012e58f3d308715038ce3a567eb50f257f6f57586bd90741729a20c");
}

/* K_n is keyed BLAKE2b; mq_derive is K_32. */
static void keyed_hashes_are_blake2b(void **state)
{
    struct mq_secret key = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), derived;
    struct mq_span part = mq_span_text("abc");
    uint8_t hash[MQ_HASH_SIZE];

    (void)state;
    mq_hash_keyed(hash, 24, key.bytes, MQ_DOMAIN_IV, &part, 1);
    assert_hex(hash, 24, "f17cc6214ac68b85d9c084737c960d5a36cf3e1a50228c39");
    mq_hash_keyed(hash, 32, key.bytes, MQ_DOMAIN_AEAD, &part, 1);
    mq_derive(&derived, &key, MQ_DOMAIN_AEAD, part);
    assert_memory_equal(hash, derived.bytes, 32);
    assert_hex(hash, 32, "07947abee581229284b6b5d9a53501ee9101a6ad5c675707b467f2989615eaf7");
}

/* Ed25519: the public key of RFC 8032, section 7.1, test 1; signatures are those of libsodium over 48 bytes. */
static void signatures_are_ed25519(void **state)
{
    struct mq_secret seed = secret_of("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    uint8_t message[48] = "minqing/v1/sign", public_key[32], secret_key[64], expected[64], signature[64];
    struct mq_identity identity;

    (void)state;
    mq_identity_from_seeds(&identity, &seed, &seed);
    assert_hex(identity.sign_public, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    memset(message + 16, 0x5a, 32);
    crypto_sign_seed_keypair(public_key, secret_key, seed.bytes);
    crypto_sign_detached(expected, NULL, message, sizeof message, secret_key);
    mq_sign_digest(signature, message + 16, &seed);
    assert_memory_equal(signature, expected, sizeof signature);
    assert_true(mq_verify_digest(signature, message + 16, identity.sign_public));
}

/* Any changed bit of signature or digest is refused, and so is S + L, the other form of the same signature. */
static void altered_signatures_are_refused(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2,
                                      0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    struct mq_secret seed = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    uint8_t digest[32] = {1}, signature[64];
    struct mq_identity identity;
    unsigned carry = 0;

    (void)state;
    mq_identity_from_seeds(&identity, &seed, &seed);
    mq_sign_digest(signature, digest, &seed);
    for (size_t bit = 0; bit < 8 * (sizeof digest + sizeof signature); bit++) {
        uint8_t *byte = bit < 256 ? &digest[bit / 8] : &signature[(bit - 256) / 8];
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_false(mq_verify_digest(signature, digest, identity.sign_public));
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(mq_verify_digest(signature, digest, identity.sign_public));
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(mq_verify_digest(signature, digest, identity.sign_public));
}

/* Under the neutral point as public key, R = neutral and S = 0 would sign everything: refused. */
static void small_order_keys_are_refused(void **state)
{
    uint8_t neutral[32] = {1}, signature[64] = {1}, digest[32] = {7};

    (void)state;
    assert_false(mq_verify_digest(signature, digest, neutral));
}

/* A signature over an object of one type does not pass for another type. */
static void object_types_are_separate(void **state)
{
    struct mq_secret seed = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    struct mq_span object = mq_span_text("the same bytes");
    struct mq_identity identity;
    uint8_t signature[64];

    (void)state;
    mq_identity_from_seeds(&identity, &seed, &seed);
    mq_sign_object(signature, MQ_DOMAIN_CONTROL, object, &seed);
    for (unsigned i = 0; i < MQ_DOMAIN_COUNT; i++)
        assert_int_equal(mq_verify_object(signature, (enum mq_domain)i, object, identity.sign_public),
                         i == MQ_DOMAIN_CONTROL);
}

/* The box key is that of crypto_box_seed_keypair. */
static void box_keys_are_libsodiums(void **state)
{
    struct mq_secret seed = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    uint8_t expected[32], secret_key[32], public_key[32];
    struct mq_identity identity;

    (void)state;
    crypto_box_seed_keypair(expected, secret_key, seed.bytes);
    mq_box_public(public_key, &seed);
    mq_identity_from_seeds(&identity, &seed, &seed);
    assert_memory_equal(public_key, expected, 32);
    assert_memory_equal(identity.box_public, expected, 32);
}

/* Our sealed boxes open with crypto_box_seal_open, and crypto_box_seal's open with ours, at every small size. */
static void sealed_boxes_are_libsodiums(void **state)
{
    struct mq_secret seed = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), ephemeral;
    struct chance chance = chance_start("sealed_boxes_are_libsodiums");
    uint8_t public_key[32], secret_key[32], plain[100], sealed[148], opened[100];

    (void)state;
    crypto_box_seed_keypair(public_key, secret_key, seed.bytes);
    for (size_t size = 0; size <= sizeof plain; size++) {
        chance_fill(&chance, plain, sizeof plain);
        chance_fill(&chance, ephemeral.bytes, sizeof ephemeral.bytes);
        struct mq_buffer out = mq_buffer(sealed, size + 48);
        assert_int_equal(mq_box_seal(&out, mq_span(plain, size), public_key, &ephemeral), MQ_OK);
        assert_int_equal(out.size, size + 48);
        assert_int_equal(crypto_box_seal_open(opened, sealed, size + 48, public_key, secret_key), 0);
        assert_memory_equal(opened, plain, size);

        crypto_box_seal(sealed, plain, size, public_key);
        struct mq_buffer back = mq_buffer(opened, sizeof opened);
        memset(opened, 0, sizeof opened);
        assert_int_equal(mq_box_open(&back, mq_span(sealed, size + 48), &seed), MQ_OK);
        assert_int_equal(back.size, size);
        assert_memory_equal(opened, plain, size);
    }
}

/* Another key, a changed bit, a short box, too little room: each refused by its own status, with nothing written. */
static void sealed_boxes_refuse(void **state)
{
    struct mq_secret seed = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    struct mq_secret other = secret_of("202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f");
    uint8_t public_key[32], sealed[52], opened[8];
    struct mq_buffer out = mq_buffer(sealed, sizeof sealed), back = mq_buffer(opened, sizeof opened);
    static const uint8_t zero_point[32];

    (void)state;
    mq_box_public(public_key, &seed);
    assert_int_equal(mq_box_seal(&out, mq_span_text("text"), zero_point, &other), MQ_REFUSED);
    assert_int_equal(out.size, 0);
    assert_int_equal(mq_box_seal(&out, mq_span_text("text"), public_key, &other), MQ_OK);
    assert_int_equal(mq_box_open(&back, MQ_SPAN(sealed), &other), MQ_WRONG_KEY);
    assert_int_equal(mq_box_open(&back, mq_span(sealed, 47), &seed), MQ_WRONG_KEY);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(mq_box_open(&back, MQ_SPAN(sealed), &seed), MQ_WRONG_KEY);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(back.size, 0);
    assert_int_equal(mq_box_open(&back, MQ_SPAN(sealed), &seed), MQ_OK);
    assert_memory_equal(opened, "text", 4);
    back = mq_buffer(opened, 3);
    assert_int_equal(mq_box_open(&back, MQ_SPAN(sealed), &seed), MQ_NO_SPACE);
    assert_int_equal(mq_box_seal(&out, mq_span_text("text"), public_key, &other), MQ_NO_SPACE);
}

/* XChaCha20-Poly1305: the vector of draft-irtf-cfrg-xchacha-03, section A.3.1, both ways. */
static void aead_is_xchacha20poly1305(void **state)
{
    const char *text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                       "sunscreen would be it.";
    struct mq_secret key = secret_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    uint8_t nonce[24], aad[12], sealed[130], opened[114];
    struct mq_buffer out = mq_buffer(sealed, sizeof sealed), back = mq_buffer(opened, sizeof opened);

    (void)state;
    assert_int_equal(vector_hex(nonce, 24, "404142434445464748494a4b4c4d4e4f5051525354555657"), 24);
    assert_int_equal(vector_hex(aad, 12, "50515253c0c1c2c3c4c5c6c7"), 12);
    assert_int_equal(mq_aead_seal(&out, mq_span_text(text), MQ_SPAN(aad), nonce, &key), MQ_OK);
    assert_int_equal(out.size, sizeof sealed);
    assert_hex(sealed, sizeof sealed,
               "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
               "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
               "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
    assert_int_equal(mq_aead_open(&back, MQ_SPAN(sealed), MQ_SPAN(aad), nonce, &key), MQ_OK);
    assert_true(mq_span_equal(mq_written(&back), mq_span_text(text)));
}

/* Any changed bit of ciphertext, AAD, nonce or key is refused and leaves the output as long as it was. */
static void aead_refuses(void **state)
{
    struct mq_secret key = secret_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    uint8_t nonce[24] = {1}, aad[4] = {2}, sealed[20], opened[4];
    struct mq_buffer out = mq_buffer(sealed, sizeof sealed), back = mq_buffer(opened, sizeof opened);
    const struct mq_span places[] = {MQ_SPAN(sealed), MQ_SPAN(aad), MQ_SPAN(nonce), MQ_SPAN(key.bytes)};

    (void)state;
    assert_int_equal(mq_aead_seal(&out, mq_span_text("text"), MQ_SPAN(aad), nonce, &key), MQ_OK);
    for (size_t place = 0; place < 4; place++)
        for (size_t bit = 0; bit < 8 * places[place].size; bit++) {
            uint8_t *byte = (uint8_t *)(uintptr_t)places[place].data + bit / 8;
            *byte ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(mq_aead_open(&back, MQ_SPAN(sealed), MQ_SPAN(aad), nonce, &key), MQ_BAD_SIGNATURE);
            *byte ^= (uint8_t)(1u << bit % 8);
        }
    assert_int_equal(mq_aead_open(&back, mq_span(sealed, 15), MQ_SPAN(aad), nonce, &key), MQ_BAD_SIGNATURE);
    assert_int_equal(back.size, 0);
    assert_int_equal(mq_aead_open(&back, MQ_SPAN(sealed), MQ_SPAN(aad), nonce, &key), MQ_OK);
    assert_int_equal(mq_aead_open(&back, MQ_SPAN(sealed), MQ_SPAN(aad), nonce, &key), MQ_NO_SPACE);
    assert_int_equal(mq_aead_seal(&out, mq_span_text("text"), MQ_SPAN(aad), nonce, &key), MQ_NO_SPACE);
}

/* Wiping leaves zeros; the constant-time comparison compares. */
static void secrets_are_wiped(void **state)
{
    static const struct mq_identity zeros;
    struct mq_secret seed = secret_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    struct mq_identity identity;

    (void)state;
    mq_identity_from_seeds(&identity, &seed, &seed);
    assert_true(mq_equal_secret(&identity.sign_seed, &seed, sizeof seed));
    mq_identity_wipe(&identity);
    assert_memory_equal(&identity, &zeros, sizeof identity);
    mq_secret_wipe(&seed);
    assert_true(mq_equal_secret(&seed, &zeros, sizeof seed));
    seed.bytes[31] = 1;
    assert_false(mq_equal_secret(&seed, &zeros, sizeof seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_distinct),
        cmocka_unit_test(hashes_are_blake2b),
        cmocka_unit_test(keyed_hashes_are_blake2b),
        cmocka_unit_test(signatures_are_ed25519),
        cmocka_unit_test(altered_signatures_are_refused),
        cmocka_unit_test(small_order_keys_are_refused),
        cmocka_unit_test(object_types_are_separate),
        cmocka_unit_test(box_keys_are_libsodiums),
        cmocka_unit_test(sealed_boxes_are_libsodiums),
        cmocka_unit_test(sealed_boxes_refuse),
        cmocka_unit_test(aead_is_xchacha20poly1305),
        cmocka_unit_test(aead_refuses),
        cmocka_unit_test(secrets_are_wiped),
    };

    return cmocka_run_group_tests_name("protocol/crypto", tests, start, NULL);
}
