/* Aim: pages of encrypted stores have the bytes that ChaCha20 and Poly1305 give by RFC 8439, at the counter's end too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/hex.h"
#include "platform/page_cipher.h"
#include "protocol/keys.h"

#define BLOCK 64
#define LAST_BLOCK UINT32_MAX

static void from_hex(uint8_t *out, size_t size, const char *hex)
{
    assert_true(mq_hex_read(out, size, mq_span_text(hex)));
}

static void count_up(uint8_t key[32])
{
    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
}

/* The example of RFC 8439, section 2.4.2. */
static void xor_is_chacha20(void **state)
{
    static const char plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                                "sunscreen would be it.";
    static const char *const expected =
        "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624e65152ab"
        "8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42"
        "874d";
    uint8_t key[32], nonce[12] = {[7] = 0x4a}, bytes[sizeof plain - 1], wanted[sizeof plain - 1];
    (void)state;
    count_up(key);
    memcpy(bytes, plain, sizeof bytes);
    from_hex(wanted, sizeof wanted, expected);
    mq_page_xor(bytes, sizeof bytes, key, nonce, 1);
    assert_memory_equal(bytes, wanted, sizeof bytes);
}

/* A page whose counter begins shortly before its end goes on with block 0, as the library's own code does. */
static void counter_begins_anew(void **state)
{
    uint8_t key[32], nonce[12] = {1}, whole[5 * BLOCK + 7] = {0}, pieces[sizeof whole] = {0};
    (void)state;
    count_up(key);
    mq_page_xor(whole, sizeof whole, key, nonce, LAST_BLOCK - 1);
    mq_page_xor(pieces, BLOCK, key, nonce, LAST_BLOCK - 1);
    mq_page_xor(pieces + BLOCK, BLOCK, key, nonce, LAST_BLOCK);
    mq_page_xor(pieces + 2 * BLOCK, sizeof pieces - 2 * BLOCK, key, nonce, 0);
    assert_memory_equal(whole, pieces, sizeof whole);
    uint8_t again[BLOCK] = {0};
    mq_page_xor(again, BLOCK, key, nonce, 0);
    assert_memory_equal(whole + 2 * BLOCK, again, BLOCK);
}

/* The example of RFC 8439, section 2.5.2, with the tag right behind the message as in a page. */
static void tag_is_poly1305(void **state)
{
    static const char message[] = "Cryptographic Forum Research Group";
    uint8_t key[32], wanted[16], page[sizeof message - 1 + 16];
    (void)state;
    from_hex(key, sizeof key, "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
    from_hex(wanted, sizeof wanted, "a8061dc1305136c6c22b8baf0c0127a9");
    memcpy(page, message, sizeof message - 1);
    mq_page_tag(page, sizeof message - 1, key, page + sizeof message - 1);
    assert_memory_equal(page + sizeof message - 1, wanted, sizeof wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xor_is_chacha20),
        cmocka_unit_test(counter_begins_anew),
        cmocka_unit_test(tag_is_poly1305),
    };
    return mq_crypto_start() == MQ_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
