/* The person at the terminal. */
#include "platform/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/keys.h"
#include "protocol/limits.h"

#define PROGRESS_EVERY_MS 100
#define LINE_SIZE (MQ_PASSPHRASE_MAX + 3) /* one byte more than allowed, "\r\n" */

/* ---- passphrases ---- */

/* The line's end and what is behind it go; then the length decides. */
static enum mq_status put_line(struct mq_buffer *out, const char *line, size_t size, struct mq_error *error)
{
    const char *end = memchr(line, '\n', size);
    if (end != NULL)
        size = (size_t)(end - line);
    if (size > 0 && line[size - 1] == '\r')
        size--;
    if (size == 0)
        return mq_fail(error, MQ_REFUSED, _("the passphrase is empty; it needs at least one character"));
    if (size > MQ_PASSPHRASE_MAX)
        return mq_fail(error, MQ_REFUSED, _("the passphrase is too long; it may have %d bytes"), MQ_PASSPHRASE_MAX);
    if (memchr(line, '\0', size) != NULL)
        return mq_fail(error, MQ_REFUSED, _("the passphrase holds a zero byte; is this a text file?"));
    mq_put(out, line, size);
    return out->failed ? mq_fail(error, MQ_NO_SPACE, _("the passphrase is too long")) : MQ_OK;
}

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

/* Reads one line of a quiet terminal. The signals are blocked outside ppoll, so none can slip in between. */
static ssize_t read_quietly(int terminal, char line[LINE_SIZE], const sigset_t *open_mask)
{
    size_t size = 0;
    while (size < LINE_SIZE && memchr(line, '\n', size) == NULL) {
        struct pollfd input = {.fd = terminal, .events = POLLIN};
        if (ppoll(&input, 1, NULL, open_mask) < 0) {
            if (caught != 0 || errno != EINTR)
                return -1;
            continue;
        }
        ssize_t got = read(terminal, line + size, LINE_SIZE - size);
        if (got <= 0)
            return got < 0 ? -1 : (ssize_t)size;
        size += (size_t)got;
    }
    return (ssize_t)size;
}

/* Echo off, one line, echo on again, whatever happens in between. */
static enum mq_status ask_quietly(struct mq_buffer *out, int terminal, const char *prompt, struct mq_error *error)
{
    struct termios before;
    if (tcgetattr(terminal, &before) != 0)
        return mq_fail(error, MQ_REFUSED, _("this terminal cannot hide a passphrase; use --passphrase-file"));
    struct sigaction old[ENDING_SIGNALS], note = {.sa_handler = note_signal};
    sigset_t blocked, mask;
    sigemptyset(&blocked);
    caught = 0;
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&blocked, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &blocked, &mask);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaction(ending_signals[i], &note, &old[i]);

    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    quiet.c_lflag |= ECHONL | ICANON;
    quiet.c_cc[VSUSP] = _POSIX_VDISABLE; /* stopped here, the shell would inherit a terminal without echo */
    char line[LINE_SIZE];
    ssize_t size = -1;
    if (tcsetattr(terminal, TCSAFLUSH, &quiet) == 0) {
        dprintf(terminal, "%s ", prompt);
        size = read_quietly(terminal, line, &mask);
        tcsetattr(terminal, TCSAFLUSH, &before);
    }
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaction(ending_signals[i], &old[i], NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);

    enum mq_status status;
    if (size < 0)
        status = mq_fail(error, MQ_REFUSED, _("no passphrase was given"));
    else
        status = put_line(out, line, (size_t)size, error);
    mq_wipe(line, sizeof line);
    if (caught != 0)
        raise(caught); /* now with the program's own answer to it, which mostly is to end */
    return status;
}

enum mq_status mq_passphrase_ask(struct mq_buffer *out, const char *prompt, struct mq_error *error)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return mq_fail(error, MQ_REFUSED,
                       _("there is no terminal to ask for the passphrase; use --passphrase-file FILE"));
    enum mq_status status = ask_quietly(out, terminal, prompt, error);
    close(terminal);
    return status;
}

/* A pipe or a terminal will do too, so what stands behind the first line is simply not read on. */
static ssize_t read_first_line(int file, char line[LINE_SIZE])
{
    size_t size = 0;
    while (size < LINE_SIZE && memchr(line, '\n', size) == NULL) {
        ssize_t got = read(file, line + size, LINE_SIZE - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    return (ssize_t)size;
}

enum mq_status mq_passphrase_read(struct mq_buffer *out, const char *path, struct mq_error *error)
{
    int file = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        return mq_fail(error, errno == ENOENT ? MQ_NOT_FOUND : MQ_REFUSED, _("cannot read the passphrase from %s: %s"),
                       path, strerror(errno));
    struct stat about;
    if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & (S_IRGRP | S_IROTH)) != 0)
        fprintf(stderr, _("warning: others can read the passphrase in %s; chmod 600 makes it yours alone\n"), path);
    char line[LINE_SIZE];
    ssize_t size = read_first_line(file, line);
    enum mq_status status;
    if (size < 0)
        status = mq_fail(error, MQ_REFUSED, _("cannot read the passphrase from %s: %s"), path, strerror(errno));
    else
        status = put_line(out, line, (size_t)size, error);
    mq_wipe(line, sizeof line);
    close(file);
    return status;
}

enum mq_status mq_secret_argument(struct mq_buffer *out, char *argument, struct mq_error *error)
{
    size_t size = 0, length = strlen(argument);
    char byte;

    if (strcmp(argument, "-") != 0) {
        mq_put(out, argument, length);
        memset(argument, '-', length);
        return out->failed ? mq_fail(error, MQ_REFUSED, _("that is longer than anything that was ever given out")) : MQ_OK;
    }
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n') {
        mq_put_u8(out, (uint8_t)byte);
        size++;
    }
    if (out->failed || size == 0)
        return mq_fail(error, MQ_REFUSED, _("\"-\" stands for the first line of standard input, and there is none that fits"));
    return MQ_OK;
}

/* ---- what others wrote ---- */

void mq_print_text(FILE *out, struct mq_span text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        uint8_t next = i + 1 < text.size ? text.data[i + 1] : 0;
        bool c1 = byte == 0xc2 && next < 0xa0; /* its front alone too, which no UTF-8 ends with */
        bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f || c1;
        fputc(control ? '?' : byte, out);
        i += c1 && next >= 0x80;
    }
}

void mq_say(FILE *out, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    mq_enough(size < 0 ? NULL : text);
    mq_print_text(out, mq_span(text, (size_t)size));
    free(text);
}

/* ---- progress ---- */

bool mq_is_terminal(int descriptor)
{
    return isatty(descriptor) == 1;
}

struct mq_progress mq_progress_start(const struct mq_platform *platform, const char *doing)
{
    return (struct mq_progress){.platform = platform, .doing = doing, .visible = mq_is_terminal(STDERR_FILENO)};
}

void mq_progress_show(struct mq_progress *progress, int64_t done, int64_t total)
{
    if (!progress->visible)
        return;
    int64_t now = progress->platform->monotonic_ms(progress->platform->self);
    if (progress->shown_ms != 0 && now - progress->shown_ms < PROGRESS_EVERY_MS)
        return;
    progress->shown_ms = now;
    if (total > 0)
        fprintf(stderr, "\r%s: %" PRId64 " / %" PRId64 "\033[K", progress->doing, done, total);
    else
        fprintf(stderr, "\r%s: %" PRId64 "\033[K", progress->doing, done);
    fflush(stderr);
}

void mq_progress_end(struct mq_progress *progress)
{
    if (progress->visible && progress->shown_ms != 0)
        fputs("\r\033[K", stderr);
    progress->shown_ms = 0;
}
