/* Aim: a store key comes back only to the device that it was sealed for, through the desk that it was sealed to, in answer
 * to the request that was made last; and tests/vectors/recovery.txt is what this code computes. `recovery_test print` writes
 * the file anew, for a new version of the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/recovery_keys.h"
#include "tests/protocol/identities.h"
#include "tests/protocol/vectors.h"

static struct people p;
static struct mq_secret store_key, reply_seed, first_ephemeral, second_ephemeral;
static uint8_t file[MQ_RECOVERY_SIZE], request[MQ_RECOVER_REQUEST_SIZE], grant[MQ_RECOVER_GRANT_SIZE];
static uint8_t request_hash[MQ_HASH_SIZE], reply_to[MQ_PUBLIC_SIZE];
static char code[MQ_RECOVER_CODE_SIZE];

static int compute(void **state)
{
    struct mq_buffer out;

    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    store_key = secret_from(0xa0);
    reply_seed = secret_from(0xb0);
    first_ephemeral = secret_from(0xc0);
    second_ephemeral = secret_from(0xd0);
    mq_box_public(reply_to, &reply_seed);
    out = mq_buffer(file, sizeof file);
    if (mq_recovery_seal(&out, &p.cadre_certificate, &store_key, p.desk.box_public, &p.cadre, &first_ephemeral) != MQ_OK)
        return -1;
    out = mq_buffer(request, sizeof request);
    mq_recover_request_put(&out, MQ_SPAN(file), reply_to);
    mq_recover_request_hash(request_hash, MQ_SPAN(request));
    mq_recover_code(code, MQ_SPAN(request));
    out = mq_buffer(grant, sizeof grant);
    return mq_recover_grant_seal(&out, MQ_SPAN(request), &store_key, &second_ephemeral) == MQ_OK ? 0 : -1;
}

static const struct {
    const char *name;
    const void *bytes;
    size_t size;
} lines[] = {
    {"store_key", &store_key, MQ_KEY_SIZE},        {"file_ephemeral", &first_ephemeral, MQ_KEY_SIZE},
    {"file", file, sizeof file},                   {"reply_seed", &reply_seed, MQ_KEY_SIZE},
    {"request", request, sizeof request},          {"request_hash", request_hash, sizeof request_hash},
    {"code", code, MQ_RECOVER_CODE_SIZE - 1},      {"grant_ephemeral", &second_ephemeral, MQ_KEY_SIZE},
    {"grant", grant, sizeof grant},
};

static int print(void)
{
    if (compute(NULL) != 0)
        return 1;
    puts("# Forgotten passphrases (docs/protocol.md, section 1). The people are those of identity.txt; the file is made for the cadre\n"
         "# and sealed to the desk; the code is text.");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        printf("%s = ", lines[i].name);
        for (size_t at = 0; at < lines[i].size; at++)
            printf("%02x", ((const uint8_t *)lines[i].bytes)[at]);
        putchar('\n');
    }
    return 0;
}

/* Every line of the file is what is computed, and none is missing. */
static void vectors_agree(void **state)
{
    static struct vector vector;
    FILE *vectors = vectors_open("recovery.txt");
    size_t count = 0;
    int more;

    (void)state;
    assert_non_null(vectors);
    while ((more = vectors_next(vectors, &vector)) == 1) {
        assert_true(count < sizeof lines / sizeof *lines);
        assert_string_equal(vector.name, lines[count].name);
        assert_int_equal(vector.size, lines[count].size);
        assert_memory_equal(vector.bytes, lines[count].bytes, vector.size);
        count++;
    }
    fclose(vectors);
    assert_int_equal(more, 0);
    assert_int_equal(count, sizeof lines / sizeof *lines);
}

/* The whole way: the desk opens what the device sealed, the device opens what the desk answers. */
static void key_comes_back(void **state)
{
    struct mq_recover_request got;
    struct mq_secret at_desk, back;

    (void)state;
    assert_int_equal(mq_recover_request_get(&got, MQ_SPAN(request)), MQ_OK);
    assert_memory_equal(got.reply_to, reply_to, sizeof reply_to);
    assert_int_equal(mq_recovery_open(&at_desk, &got.recovery, &p.desk), MQ_OK);
    assert_memory_equal(at_desk.bytes, store_key.bytes, MQ_KEY_SIZE);
    assert_int_equal(mq_recover_grant_open(&back, MQ_SPAN(grant), request_hash, &reply_seed), MQ_OK);
    assert_memory_equal(back.bytes, store_key.bytes, MQ_KEY_SIZE);
}

/* No changed bit and no other length passes, of file, request or answer. */
static void changes_are_refused(void **state)
{
    struct mq_recovery recovery;
    struct mq_recover_request got;
    struct mq_secret key;
    uint8_t copy[MQ_RECOVER_REQUEST_SIZE];
    char other[MQ_RECOVER_CODE_SIZE];

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof file; bit++) {
        memcpy(copy, file, sizeof file);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(mq_recovery_decode(&recovery, mq_span(copy, sizeof file)), MQ_OK);
    }
    for (size_t bit = 0; bit < 8 * sizeof request; bit++) { /* of the box key nobody can tell but by the code */
        memcpy(copy, request, sizeof request);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        mq_recover_code(other, MQ_SPAN(copy));
        assert_false(mq_recover_code_is(other, code));
        if (bit / 8 < sizeof request - MQ_PUBLIC_SIZE)
            assert_int_not_equal(mq_recover_request_get(&got, MQ_SPAN(copy)), MQ_OK);
    }
    for (size_t bit = 0; bit < 8 * sizeof grant; bit++) {
        memcpy(copy, grant, sizeof grant);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(mq_recover_grant_open(&key, mq_span(copy, sizeof grant), request_hash, &reply_seed), MQ_OK);
    }
    for (size_t size = 0; size < sizeof request; size++) {
        if (size != sizeof file)
            assert_int_equal(mq_recovery_decode(&recovery, mq_span(request, size)), MQ_REFUSED);
        assert_int_equal(mq_recover_request_get(&got, mq_span(request, size)), MQ_REFUSED);
        if (size < sizeof grant)
            assert_int_equal(mq_recover_grant_open(&key, mq_span(grant, size), request_hash, &reply_seed), MQ_REFUSED);
    }
}

/* Another member who hands in this device's box under his own certificate and signature gets nothing opened; nor does a
 * desk that it was not sealed to. */
static void boxes_are_tied(void **state)
{
    struct mq_certificate other = certificate_for(MQ_ROLE_CADRE, &p.stranger, 8, team_a, &p.desk);
    uint8_t memory[MQ_RECOVERY_SIZE], encoded[MQ_CERTIFICATE_SIZE], signature[MQ_SIGNATURE_SIZE];
    struct mq_recovery recovery;
    struct mq_secret key;

    (void)state;
    memcpy(memory, file, sizeof memory);
    mq_certificate_encode(encoded, &other);
    memcpy(memory + 1, encoded, sizeof encoded);
    mq_sign_object(signature, MQ_DOMAIN_RECOVERY, mq_span(memory, sizeof memory - MQ_SIGNATURE_SIZE), &p.stranger.sign_seed);
    memcpy(memory + sizeof memory - MQ_SIGNATURE_SIZE, signature, sizeof signature);
    assert_int_equal(mq_recovery_decode(&recovery, MQ_SPAN(memory)), MQ_OK);
    assert_int_equal(mq_recovery_open(&key, &recovery, &p.desk), MQ_WRONG_KEY);
    assert_int_equal(mq_recovery_decode(&recovery, MQ_SPAN(file)), MQ_OK);
    assert_int_equal(mq_recovery_open(&key, &recovery, &p.stranger), MQ_WRONG_KEY);
}

/* An answer to another request, or opened with another seed, is none. */
static void answers_are_tied(void **state)
{
    struct mq_secret key, other_seed = secret_from(0x77);
    uint8_t other_hash[MQ_HASH_SIZE];

    (void)state;
    memcpy(other_hash, request_hash, sizeof other_hash);
    other_hash[31] ^= 1;
    assert_int_equal(mq_recover_grant_open(&key, MQ_SPAN(grant), other_hash, &reply_seed), MQ_REFUSED);
    assert_int_equal(mq_recover_grant_open(&key, MQ_SPAN(grant), request_hash, &other_seed), MQ_WRONG_KEY);
}

/* A code is what a person reads and types, with or without blanks; a digit more, fewer or other is another code. */
static void codes_as_typed(void **state)
{
    char typed[2 * MQ_RECOVER_CODE_SIZE];

    (void)state;
    assert_int_equal(strlen(code), MQ_RECOVER_CODE_SIZE - 1);
    assert_int_equal(strspn(code, "0123456789 "), strlen(code));
    assert_true(mq_recover_code_is(code, code));
    snprintf(typed, sizeof typed, " %.4s-%.4s%.4s %s ", code, code + 5, code + 10, code + 15);
    assert_true(mq_recover_code_is(typed, code));
    typed[strlen(typed) - 2] = '\0';
    assert_false(mq_recover_code_is(typed, code));
    snprintf(typed, sizeof typed, "%s0", code);
    assert_false(mq_recover_code_is(typed, code));
    snprintf(typed, sizeof typed, "%s", code);
    typed[0] = typed[0] == '9' ? '0' : (char)(typed[0] + 1);
    assert_false(mq_recover_code_is(typed, code));
    assert_false(mq_recover_code_is("", code));
}

/* Nothing is sealed to a point of small order, and a small buffer is said to be small. */
static void seals_only_what_it_can(void **state)
{
    static const uint8_t small_order[MQ_PUBLIC_SIZE];
    uint8_t memory[MQ_RECOVERY_SIZE], bad[MQ_RECOVER_REQUEST_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_int_equal(mq_recovery_seal(&out, &p.cadre_certificate, &store_key, small_order, &p.cadre, &first_ephemeral),
                     MQ_REFUSED);
    out = mq_buffer(memory, sizeof memory - 1);
    assert_int_equal(mq_recovery_seal(&out, &p.cadre_certificate, &store_key, p.desk.box_public, &p.cadre, &first_ephemeral),
                     MQ_NO_SPACE);
    memcpy(bad, request, sizeof bad);
    memset(bad + sizeof bad - MQ_PUBLIC_SIZE, 0, MQ_PUBLIC_SIZE);
    out = mq_buffer(memory, sizeof memory);
    assert_int_equal(mq_recover_grant_seal(&out, MQ_SPAN(bad), &store_key, &second_ephemeral), MQ_REFUSED);
    out = mq_buffer(memory, MQ_RECOVER_GRANT_SIZE - 1);
    assert_int_equal(mq_recover_grant_seal(&out, MQ_SPAN(request), &store_key, &second_ephemeral), MQ_NO_SPACE);
    out = mq_buffer(memory, 8);
    assert_int_equal(mq_recover_grant_seal(&out, MQ_SPAN(request), &store_key, &second_ephemeral), MQ_NO_SPACE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_agree),   cmocka_unit_test(key_comes_back),   cmocka_unit_test(changes_are_refused),
        cmocka_unit_test(boxes_are_tied),  cmocka_unit_test(answers_are_tied), cmocka_unit_test(codes_as_typed),
        cmocka_unit_test(seals_only_what_it_can),
    };
    if (argc > 1 && strcmp(argv[1], "print") == 0)
        return print();
    return cmocka_run_group_tests(tests, compute, NULL);
}
