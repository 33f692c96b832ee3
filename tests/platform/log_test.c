/* Aim: one event is one line whatever its values hold, and the values come back from it unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "platform/log.h"
#include "protocol/limits.h"

static int64_t at_some_time(void *self)
{
    (void)self;
    return 1795414440; /* 2026-11-23T06:14:00Z */
}

static const struct mq_platform machine = {.wall_seconds = at_some_time};
static int pipes[2];
static char line[2 * MQ_LOG_LINE_MAX];

static int set_up(void **state)
{
    (void)state;
    if (pipe2(pipes, O_NONBLOCK) != 0)
        return -1;
    mq_log_start(&machine, pipes[1]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mq_log_start(NULL, -1);
    return close(pipes[0]) | close(pipes[1]);
}

static const char *written(void)
{
    ssize_t got = read(pipes[0], line, sizeof line - 1);

    line[got > 0 ? got : 0] = '\0';
    return line;
}

/* The line has time, level, event and fields in their order. */
static void writes_a_line(void **state)
{
    (void)state;
    mq_log(MQ_LOG_INFO, "started", mq_log_text("address", "127.0.0.1:8420"), mq_log_number("connections", -512));
    assert_string_equal(written(),
                        "2026-11-23T06:14:00Z info event=started address=127.0.0.1:8420 connections=-512\n");
    mq_log_line(MQ_LOG_ERROR, "stopped", NULL, 0);
    assert_string_equal(written(), "2026-11-23T06:14:00Z error event=stopped\n");
    mq_log(MQ_LOG_WARNING, "odd", mq_log_text("a", NULL), mq_log_text("b", ""));
    assert_string_equal(written(), "2026-11-23T06:14:00Z warning event=odd a=\"\" b=\"\"\n");
}

/* No value can end the line, end its own quotes, move a cursor or be taken for another field. */
static void escapes(void **state)
{
    (void)state;
    static const struct {
        const char *value, *wanted;
    } cases[] = {
        {"a b", "\"a b\""},
        {"a\nlevel=x", "\"a\\nlevel=x\""},
        {"a=b", "\"a=b\""},
        {"say \"no\" \\", "\"say \\\"no\\\" \\\\\""},
        {"\x1b[2J\r\t\x7f", "\"\\x1b[2J\\x0d\\x09\\x7f\""},
        {"磁盘满了", "\"磁盘满了\""},
        {"\xf0\xa0\xae\xb7", "\"\xf0\xa0\xae\xb7\""},
        {"\xc2\x9b" "2J", "\"\\xc2\\x9b2J\""},
        {"\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\""},
        {"\xff\xe6\xb0", "\"\\xff\\xe6\\xb0\""},
        {"\xc0\x8a \xed\xa0\x80 \xf4\x90\x80\x80 \xe0\x8a\x8a",
         "\"\\xc0\\x8a \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe0\\x8a\\x8a\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mq_log(MQ_LOG_INFO, "x", mq_log_text("v", cases[i].value));
        const char *at = strstr(written(), " v=");
        assert_non_null(at);
        assert_int_equal(at[3 + strlen(cases[i].wanted)], '\n');
        assert_memory_equal(at + 3, cases[i].wanted, strlen(cases[i].wanted));
    }
}

/* A line that would be too long is cut and is still one line. */
static void cuts_long_lines(void **state)
{
    (void)state;
    static char value[2 * MQ_LOG_LINE_MAX];

    memset(value, ' ', sizeof value - 1);
    mq_log(MQ_LOG_INFO, "x", mq_log_text("v", value), mq_log_number("n", 1));
    assert_int_equal(strlen(written()), MQ_LOG_LINE_MAX);
    assert_ptr_equal(strchr(line, '\n'), line + MQ_LOG_LINE_MAX - 1);
}

/* Before the start and after the end nothing is written. */
static void is_silent_unless_started(void **state)
{
    (void)state;
    mq_log_start(NULL, pipes[1]);
    mq_log(MQ_LOG_INFO, "x", mq_log_number("n", 1));
    assert_string_equal(written(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_silent_unless_started, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
