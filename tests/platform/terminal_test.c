/* Aim: a passphrase typed at a terminal is not shown and the terminal is as it was afterwards, also after Ctrl-C; one
 * from a file is its first line; progress stays off what is not a terminal; and what others wrote
 * steers none. Uses a pseudo terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/fake.h"
#include "platform/terminal.h"
#include "protocol/limits.h"

static char path[] = "/tmp/mq-terminal-XXXXXX";

static enum mq_status read_file(const char *content, size_t size, struct mq_buffer *out, struct mq_error *error)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return mq_passphrase_read(out, path, error);
}

static void expect_line(const char *content, const char *line)
{
    struct mq_error error = {0};
    uint8_t memory[MQ_PASSPHRASE_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    if (read_file(content, strlen(content), &out, &error) != MQ_OK)
        fail_msg("%s", error.text);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text(line)));
}

static void refuse_file(const char *content, size_t size)
{
    struct mq_error error = {0};
    uint8_t memory[MQ_PASSPHRASE_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    assert_int_equal(read_file(content, size, &out, &error), MQ_REFUSED);
    assert_int_equal(out.size, 0);
}

/* The first line without its end, blanks kept; exactly the longest one; empty, longer and binary ones refused. */
static void from_a_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    expect_line("two words \n", "two words ");
    expect_line("no end", "no end");
    expect_line("民情\r\nsecond\n", "民情");
    char longest[MQ_PASSPHRASE_MAX + 3];
    memset(longest, 'x', sizeof longest);
    longest[MQ_PASSPHRASE_MAX] = '\0';
    char expected[MQ_PASSPHRASE_MAX + 1];
    memcpy(expected, longest, sizeof expected);
    expect_line(longest, expected);
    memcpy(longest + MQ_PASSPHRASE_MAX, "\r\n", 3);
    expect_line(longest, expected);
    memcpy(longest + MQ_PASSPHRASE_MAX, "x\n", 3);
    refuse_file(longest, strlen(longest));
    refuse_file("", 0);
    refuse_file("\nsecond", 7);
    refuse_file("\r\n", 2);
    refuse_file("a\0b\n", 4);
    unlink(path);

    struct mq_error error = {0};
    uint8_t memory[8];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    assert_int_equal(mq_passphrase_read(&out, path, &error), MQ_NOT_FOUND);
}

/* A passphrase file that others may read is used, with a warning on stderr; one's own gives none. */
static void warns_of_readers(void **state)
{
    (void)state;
    char mine[] = "/tmp/mq-terminal-XXXXXX", said[] = "/tmp/mq-terminal-XXXXXX", words[400] = "";
    int file = mkstemp(mine), talk = mkstemp(said), kept = dup(STDERR_FILENO);
    assert_int_equal(write(file, "abc\n", 4), 4);
    struct mq_error error = {0};
    uint8_t memory[16];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    dup2(talk, STDERR_FILENO);
    enum mq_status private = mq_passphrase_read(&out, mine, &error);
    off_t quiet = lseek(talk, 0, SEEK_END);
    fchmod(file, 0644);
    enum mq_status open_to_all = mq_passphrase_read(&out, mine, &error);
    dup2(kept, STDERR_FILENO);
    assert_int_equal(private, MQ_OK);
    assert_int_equal(open_to_all, MQ_OK);
    assert_int_equal(quiet, 0);
    assert_true(pread(talk, words, sizeof words - 1, 0) > 0);
    assert_non_null(strstr(words, mine));
    assert_memory_equal(memory, "abcabc", 6);
    close(file);
    close(talk);
    close(kept);
    unlink(mine);
    unlink(said);
}

/* In the child, at its own terminal: 0 where the passphrase came, 1 where it was refused, 9 where echo stayed off. */
static void ask(void)
{
    struct mq_error error = {0};
    uint8_t memory[64];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct termios before, after;
    tcgetattr(STDIN_FILENO, &before);
    signal(SIGINT, SIG_IGN); /* to see the terminal after Ctrl-C instead of ending */
    enum mq_status status = mq_passphrase_ask(&out, "Passphrase:", &error);
    tcgetattr(STDIN_FILENO, &after);
    if (before.c_lflag != after.c_lflag || memcmp(before.c_cc, after.c_cc, sizeof before.c_cc) != 0)
        _exit(9);
    _exit(status == MQ_OK && mq_span_equal(mq_written(&out), mq_span_text("geheim 密")) ? 0 : 1);
}

/* Types `keys` once the prompt is there; gives all that the terminal showed, and how the child ended. */
static int at_a_terminal(const char *keys, char *shown, size_t size)
{
    int terminal, ended = -1;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(child >= 0);
    if (child == 0)
        ask();
    size_t filled = 0;
    bool typed = false;
    shown[0] = '\0';
    struct pollfd output = {.fd = terminal, .events = POLLIN};
    while (filled + 1 < size && poll(&output, 1, 20000) > 0) {
        ssize_t got = read(terminal, shown + filled, size - 1 - filled);
        if (got <= 0)
            break;
        filled += (size_t)got;
        shown[filled] = '\0';
        if (!typed && strstr(shown, "Passphrase: ") != NULL) {
            assert_int_equal(write(terminal, keys, strlen(keys)), strlen(keys));
            typed = true;
        }
    }
    waitpid(child, &ended, 0);
    close(terminal);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

/* What is typed is read, not shown, and the terminal shows again afterwards. */
static void typed_and_not_shown(void **state)
{
    (void)state;
    char shown[500];
    assert_int_equal(at_a_terminal("geheim 密\n", shown, sizeof shown), 0);
    assert_null(strstr(shown, "geheim"));
    assert_int_equal(at_a_terminal("\n", shown, sizeof shown), 1);
}

/* Ctrl-C and Ctrl-D break off, with the terminal as it was. */
static void breaking_off(void **state)
{
    (void)state;
    char shown[500];
    assert_int_equal(at_a_terminal("gehe\003", shown, sizeof shown), 1);
    assert_int_equal(at_a_terminal("\004", shown, sizeof shown), 1);
}

/* Without a terminal there is a refusal that names the other way. */
static void without_a_terminal(void **state)
{
    (void)state;
    int ended;
    pid_t child = fork();
    if (child == 0) {
        struct mq_error error = {0};
        uint8_t memory[64];
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        setsid();
        bool refused = mq_passphrase_ask(&out, "Passphrase:", &error) == MQ_REFUSED;
        _exit(refused && strstr(error.text, "--passphrase-file") != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

/* Progress is written to a terminal, ten times a second at most, and not at all elsewhere. */
static void progress(void **state)
{
    (void)state;
    int master, slave, nothing[2], kept = dup(STDERR_FILENO);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(pipe2(nothing, O_NONBLOCK), 0);
    struct mq_fake *fake = mq_fake_new(1);
    mq_fake_advance(fake, 10);
    dup2(slave, STDERR_FILENO);
    struct mq_progress bar = mq_progress_start(mq_fake_platform(fake), "import");
    for (int64_t done = 1; done <= 100; done++)
        mq_progress_show(&bar, done, 200);
    mq_fake_advance(fake, 1);
    mq_progress_show(&bar, 150, 200);
    mq_progress_end(&bar);
    dup2(nothing[1], STDERR_FILENO);
    bar = mq_progress_start(mq_fake_platform(fake), "import");
    mq_progress_show(&bar, 1, 0);
    mq_progress_end(&bar);
    dup2(kept, STDERR_FILENO);

    char shown[500] = "", byte;
    size_t filled = 0;
    struct pollfd output = {.fd = master, .events = POLLIN};
    while (strstr(shown, "150") == NULL && poll(&output, 1, 20000) > 0) { /* it comes through in pieces */
        ssize_t got = read(master, shown + filled, sizeof shown - 1 - filled);
        assert_true(got > 0);
        filled += (size_t)got;
    }
    assert_non_null(strstr(shown, "import: 1 / 200"));
    assert_null(strstr(shown, "import: 2 / 200"));
    assert_non_null(strstr(shown, "import: 150 / 200"));
    assert_int_equal(read(nothing[0], &byte, 1), -1);
    mq_fake_free(fake);
    close(master);
    close(slave);
    close(nothing[0]);
    close(nothing[1]);
    close(kept);
}

/* What mq_secret_argument() makes of "-", where standard input holds `content`. */
static enum mq_status from_stdin(const char *content, struct mq_buffer *out)
{
    char argument[] = "-";
    struct mq_error error = {0};
    int ends[2], before = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], content, strlen(content)), strlen(content));
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    enum mq_status status = mq_secret_argument(out, argument, &error);
    dup2(before, STDIN_FILENO);
    close(before);
    close(ends[0]);
    assert_string_equal(argument, "-");
    return status;
}

/* A secret argument is taken and written over; "-" takes the first line of standard input; what does not fit is refused. */
static void secret_arguments(void **state)
{
    (void)state;
    char argument[] = "minqing:abc";
    struct mq_error error = {0};
    uint8_t memory[16];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    assert_int_equal(mq_secret_argument(&out, argument, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("minqing:abc")));
    assert_string_equal(argument, "-----------");

    char longer[] = "minqing:abcdefghi";
    out = mq_buffer(memory, sizeof memory);
    assert_int_equal(mq_secret_argument(&out, longer, &error), MQ_REFUSED);
    assert_string_equal(longer, "-----------------");

    out = mq_buffer(memory, sizeof memory);
    assert_int_equal(from_stdin("minqing:def\nmore\n", &out), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("minqing:def")));
    out = mq_buffer(memory, sizeof memory);
    assert_int_equal(from_stdin("", &out), MQ_REFUSED);
    out = mq_buffer(memory, sizeof memory);
    assert_int_equal(from_stdin("\n", &out), MQ_REFUSED);
    out = mq_buffer(memory, sizeof memory);
    assert_int_equal(from_stdin("minqing:abcdefghi\n", &out), MQ_REFUSED);
}

/* ---- what others wrote ---- */

/* No byte that steers a terminal gets there, C1 in UTF-8 neither, also where a text was cut; lines, tabs and Chinese stay. */
static void others_words_steer_nothing(void **state)
{
    static const char *const pairs[][2] = {
        {"杨顺华\n\t完", "杨顺华\n\t完"}, {"\033[2J", "?[2J"}, {"a\r\b\177", "a???"},
        {"x\xc2\x9b[2Jx", "x?[2Jx"}, {"\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0"}, {"x\xc2", "x?"}, {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *printed;
        size_t size;
        FILE *out = open_memstream(&printed, &size);
        assert_non_null(out);
        mq_print_text(out, mq_span_text(pairs[i][0]));
        mq_say(out, "|%d %s|", 7, pairs[i][0]);
        assert_int_equal(fclose(out), 0);
        char wanted[100];
        snprintf(wanted, sizeof wanted, "%s|7 %s|", pairs[i][1], pairs[i][1]);
        assert_string_equal(printed, wanted);
        free(printed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_file),  cmocka_unit_test(warns_of_readers),   cmocka_unit_test(typed_and_not_shown),
        cmocka_unit_test(breaking_off), cmocka_unit_test(without_a_terminal), cmocka_unit_test(progress),
        cmocka_unit_test(secret_arguments), cmocka_unit_test(others_words_steer_nothing),
    };
    return cmocka_run_group_tests_name("platform/terminal", tests, NULL, NULL);
}
