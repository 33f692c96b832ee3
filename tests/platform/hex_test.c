/* Aim: bytes come back from their digits, in capitals too, and what is not exactly so many digits is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/hex.h"

/* Every byte there and back, written in lower case. */
static void every_byte_comes_back(void **state)
{
    uint8_t bytes[256], again[256];
    char text[2 * sizeof bytes + 1];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    mq_hex_write(text, MQ_SPAN(bytes));
    assert_true(mq_hex_read(again, sizeof again, mq_span_text(text)));
    assert_memory_equal(again, bytes, sizeof bytes);
    mq_hex_write(text, mq_span(bytes + 0xab, 1));
    assert_string_equal(text, "ab");
    mq_hex_write(text, mq_span(bytes, 0));
    assert_string_equal(text, "");
}

/* Capitals and one line's end are fine; a digit more or less, or what is none, is not. */
static void what_is_no_hex_is_refused(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {{"00ff", true}, {"00FF", true},  {"00ff\n", true}, {"00ff\n\n", false}, {"00f", false}, {"00ff0", false},
                 {"00fg", false}, {"0 ff", false}, {"00f/", false},  {"00f:", false},     {"00f@", false}, {"", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[2];
        print_message("\"%s\"\n", cases[i].text);
        assert_int_equal(mq_hex_read(out, sizeof out, mq_span_text(cases[i].text)), cases[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(what_is_no_hex_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
