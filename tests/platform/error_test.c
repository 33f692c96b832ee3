/* Aim: words for errors are never overflowing, never unprintable, never overwritten, and exit codes are those of the
 * contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/error.h"

/* The first trouble is kept, a later one does not cover it, and the status asked for comes back. */
static void first_text_stays(void **state)
{
    (void)state;
    struct mq_error error = {0};
    assert_int_equal(mq_fail(&error, MQ_DAMAGED, "page %d", 7), MQ_DAMAGED);
    assert_int_equal(mq_fail(&error, MQ_BUSY, "other"), MQ_BUSY);
    assert_int_equal(error.status, MQ_DAMAGED);
    assert_string_equal(error.text, "page 7");
    mq_error_prefix(&error, "line %d: ", 12);
    assert_string_equal(error.text, "line 12: page 7");
    mq_error_clear(&error);
    assert_int_equal(error.status, MQ_OK);
    assert_string_equal(error.text, "");
}

/* Control characters from outside, C1 ones in UTF-8 too, become question marks; Chinese stays. */
static void controls_become_marks(void **state)
{
    (void)state;
    struct mq_error error = {0};
    (void)mq_fail(&error, MQ_REFUSED, "%s",
                  "a\033[2Jb\nc\177d\xc2\x9b"
                  "e路灯");
    assert_string_equal(error.text, "a?[2Jb?c?d??e路灯");
    mq_error_prefix(&error, "%s", "\r");
    assert_string_equal(error.text, "?a?[2Jb?c?d??e路灯");
}

/* Too long a text is cut between characters, at every alignment, also when a prefix pushes it over the end. */
static void cut_between_characters(void **state)
{
    (void)state;
    char text[2 * MQ_ERROR_TEXT_SIZE];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "灯", 4);
        struct mq_error error = {0};
        (void)mq_fail(&error, MQ_REFUSED, "%s", text);
        assert_int_equal((strlen(error.text) - shift) % 3, 0);
        assert_true(strlen(error.text) >= MQ_ERROR_TEXT_SIZE - 3);
        mq_error_prefix(&error, "abcd");
        assert_int_equal((strlen(error.text) - shift - 4) % 3, 0);
        assert_true(strlen(error.text) < MQ_ERROR_TEXT_SIZE);
    }
}

/* The contract's exit codes. */
static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(mq_exit_code(MQ_OK), 0);
    assert_int_equal(mq_exit_code(MQ_REFUSED), 1);
    assert_int_equal(mq_exit_code(MQ_WRONG_KEY), 1);
    assert_int_equal(mq_exit_code(MQ_BUSY), 1);
    assert_int_equal(mq_exit_code(MQ_UNREACHABLE), 3);
    assert_int_equal(mq_exit_code(MQ_DAMAGED), 4);
    assert_int_equal(mq_exit_code(MQ_FAULT), 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_text_stays),
        cmocka_unit_test(controls_become_marks),
        cmocka_unit_test(cut_between_characters),
        cmocka_unit_test(exit_codes),
    };
    return cmocka_run_group_tests_name("platform/error", tests, NULL, NULL);
}
