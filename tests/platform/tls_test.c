/* Aim: keys and certificates are fresh, belong together, and the pin is the public key's and only the public key's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "platform/tls_key.h"

/* Made by another tool (openssl: req -x509), and its pin too (x509 -pubkey, pkey -outform der, sha256sum). */
static const char foreign_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBejCCAR+gAwIBAgIUYsqqzzvq3JR/wiv+Yf/6+xeBy/UwCgYIKoZIzj0EAwIw\n"
    "EjEQMA4GA1UEAwwHZXhhbXBsZTAeFw0yNjExMjMwNjQ2MTRaFw0zNjExMjAwNjQ2\n"
    "MTRaMBIxEDAOBgNVBAMMB2V4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AASpr/mcIo3EG6h/idL3BhFr5Dm/hocxg8fUI+QAdezcvDJ2NMmORAWb6NHtFI2J\n"
    "d70WAUi+55KuutqjroJty0Suo1MwUTAdBgNVHQ4EFgQUcKL2QkafD4d/3uhNgMcv\n"
    "BTy2I04wHwYDVR0jBBgwFoAUcKL2QkafD4d/3uhNgMcvBTy2I04wDwYDVR0TAQH/\n"
    "BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAr0FeEJH+yMwB1br8yUAe8xEB1wtf\n"
    "YHmejRtLZ7CFSNICIQCbelqwZCrVD7YcmxI+zaezykN6dAE4F8GuzMx8dbWv0w==\n"
    "-----END CERTIFICATE-----\n";
static const uint8_t foreign_pin[MQ_HASH_SIZE] = {
    0xa2, 0x60, 0xcc, 0xe4, 0xc6, 0x7b, 0x02, 0x35, 0xc5, 0xcf, 0x98, 0x8d, 0x4f, 0xf6, 0xc6, 0xeb,
    0x2e, 0x11, 0x82, 0x92, 0x60, 0xc8, 0xc9, 0x42, 0xf4, 0x68, 0xa9, 0x21, 0xfd, 0x05, 0x33, 0xc5};

struct pair {
    uint8_t key_memory[MQ_TLS_PEM_MAX], certificate_memory[MQ_TLS_PEM_MAX];
    struct mq_buffer key, certificate;
    uint8_t pin[MQ_HASH_SIZE];
};
static struct pair a, b;
static struct mq_error error;

static void make(struct pair *pair)
{
    pair->key = mq_buffer(pair->key_memory, sizeof pair->key_memory);
    pair->certificate = mq_buffer(pair->certificate_memory, sizeof pair->certificate_memory);
    assert_int_equal(mq_tls_make(&pair->key, &pair->certificate, "minqing", &error), MQ_OK);
    assert_int_equal(mq_tls_pin(pair->pin, mq_written(&pair->certificate), &error), MQ_OK);
}

static int set_up(void **state)
{
    (void)state;
    mq_error_clear(&error);
    make(&a);
    make(&b);
    return 0;
}

static bool begins_with(const struct mq_buffer *buffer, const char *text)
{
    return buffer->size > strlen(text) && memcmp(buffer->data, text, strlen(text)) == 0;
}

/* Two servers have two keys, two pins, and small PEM files. */
static void makes_fresh_keys(void **state)
{
    (void)state;
    assert_true(begins_with(&a.key, "-----BEGIN EC PRIVATE KEY-----\n"));
    assert_true(begins_with(&a.certificate, "-----BEGIN CERTIFICATE-----\n"));
    assert_true(a.key.size < 1000 && a.certificate.size < 1000);
    assert_false(mq_span_equal(mq_written(&a.key), mq_written(&b.key)));
    assert_memory_not_equal(a.pin, b.pin, sizeof a.pin);
}

/* A key is accepted with its own certificate only. */
static void checks_that_they_belong_together(void **state)
{
    (void)state;
    assert_int_equal(mq_tls_check(mq_written(&a.certificate), mq_written(&a.key), &error), MQ_OK);
    assert_int_equal(mq_tls_check(mq_written(&b.certificate), mq_written(&b.key), &error), MQ_OK);
    assert_int_equal(mq_tls_check(mq_written(&a.certificate), mq_written(&b.key), &error), MQ_REFUSED);
}

/* The pin is SHA-256 of the SubjectPublicKeyInfo, as another tool computes it. */
static void pins_as_others_do(void **state)
{
    (void)state;
    uint8_t pin[MQ_HASH_SIZE];
    struct mq_span certificate = mq_span_text(foreign_certificate);

    assert_int_equal(mq_tls_pin(pin, certificate, &error), MQ_OK);
    assert_memory_equal(pin, foreign_pin, sizeof pin);
    assert_int_equal(mq_tls_check(certificate, mq_written(&a.key), &error), MQ_REFUSED);
}

/* What is not PEM of the right kind is refused, cut files too. */
static void refuses_what_it_cannot_read(void **state)
{
    (void)state;
    uint8_t pin[MQ_HASH_SIZE];
    static uint8_t huge[MQ_TLS_PEM_MAX + 1];
    const struct mq_span bad[] = {mq_span(NULL, 0), mq_span_text("-----BEGIN CERTIFICATE-----\n"), mq_written(&a.key),
                                  mq_span(a.certificate.data, a.certificate.size / 2), MQ_SPAN(huge)};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mq_error_clear(&error);
        assert_int_equal(mq_tls_pin(pin, bad[i], &error), MQ_REFUSED);
        assert_non_null(strstr(error.text, "BEGIN CERTIFICATE"));
    }
    const struct mq_span no_key[] = {mq_span(NULL, 0), mq_written(&a.certificate),
                                     mq_span(a.key.data, a.key.size / 2), MQ_SPAN(huge)};
    for (size_t i = 0; i < sizeof no_key / sizeof no_key[0]; i++) {
        mq_error_clear(&error);
        assert_int_equal(mq_tls_check(mq_written(&a.certificate), no_key[i], &error), MQ_REFUSED);
    }
}

/* Without room nothing is promised. */
static void says_when_there_is_no_room(void **state)
{
    (void)state;
    uint8_t small[100];
    struct mq_buffer key = mq_buffer(small, sizeof small);

    assert_int_equal(mq_tls_make(&key, &a.certificate, "minqing", &error), MQ_NO_SPACE);
    assert_true(key.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(makes_fresh_keys, set_up),
        cmocka_unit_test_setup(checks_that_they_belong_together, set_up),
        cmocka_unit_test_setup(pins_as_others_do, set_up),
        cmocka_unit_test_setup(refuses_what_it_cannot_read, set_up),
        cmocka_unit_test_setup(says_when_there_is_no_room, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
