/* Aim: the shipped prose is the text that every other device has, byte for byte: one changed letter would make segments
 * unreadable that were sealed behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/cbor.h"
#include "protocol/compress.h"
#include "protocol/hash.h"

/* The text has the hash that compress.h promises. */
static void prose_1_is_the_promised_text(void **state)
{
    (void)state;
    uint8_t hash[MQ_HASH_SIZE];
    char text[2 * MQ_HASH_SIZE + 1];

    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_PLAIN, mq_prose(1));
    for (size_t i = 0; i < sizeof hash; i++) {
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    }
    if (strcmp(text, MQ_PROSE_1_HASH) != 0) {
        print_error("protocol/prose/1.txt is not the text whose hash stands in protocol/compress.h.\n"
                    "Once a version was released: put the text back, and ship a better one as number 2.\n"
                    "Before the first release:\n"
                    "sed -i 's/^\\(#define MQ_PROSE_1_HASH\\).*/\\1 \"%s\"/' protocol/compress.h\n", text);
    }
    assert_string_equal(text, MQ_PROSE_1_HASH);
}

/* It is text, and fits the room that seal.c has for it. */
static void prose_1_is_text_and_fits(void **state)
{
    (void)state;
    assert_in_range(mq_prose(1).size, 1, MQ_PROSE_MAX);
    assert_true(mq_utf8_valid(mq_prose(1)));
}

/* There is no other prose, and number 0 means none. */
static void other_numbers_are_empty(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 256; number++) {
        assert_true((mq_prose((uint8_t)number).size > 0) == (number == 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose_1_is_the_promised_text),
        cmocka_unit_test(prose_1_is_text_and_fits),
        cmocka_unit_test(other_numbers_are_empty),
    };
    return cmocka_run_group_tests_name("prose", tests, NULL, NULL);
}
