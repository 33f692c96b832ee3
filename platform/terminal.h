/* The person at the terminal: asking a passphrase without showing it, and a line that says how far long work is. */
#ifndef MQ_PLATFORM_TERMINAL_H
#define MQ_PLATFORM_TERMINAL_H

#include <stdio.h>

#include "platform/platform.h"

/* Asks on /dev/tty without echo, appends what was typed (1 to MQ_PASSPHRASE_MAX bytes, without the line's end) to
 * `out`; the caller wipes `out`. MQ_REFUSED: there is no terminal, nothing or too much was typed, or the person broke
 * off. */
MQ_MUST_USE enum mq_status mq_passphrase_ask(struct mq_buffer *out, const char *prompt, struct mq_error *error);
/* Appends the file's first line, without its end (1 to MQ_PASSPHRASE_MAX bytes), to `out`; the caller wipes `out`. A
 * file that others may read is only warned of, on stderr. MQ_REFUSED: empty or too long a line, or a file that cannot
 * be read; MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_passphrase_read(struct mq_buffer *out, const char *path, struct mq_error *error);

/* Appends an argument that is a secret to `out`, and writes '-' over it where it stands, since everybody on this machine
 * may read command lines. "-": the first line of standard input instead. The caller wipes `out`. MQ_REFUSED: it does not
 * fit, or there is no line. */
MQ_MUST_USE enum mq_status mq_secret_argument(struct mq_buffer *out, char *argument, struct mq_error *error);

/* Is this descriptor a terminal? */
bool mq_is_terminal(int descriptor);

/* What others wrote must not steer this person's terminal: control characters (C0 but line feed and tab, DEL, C1 as UTF-8
 * writes it) become '?', one each; the rest is printed as it is. */
void mq_print_text(FILE *out, struct mq_span text);
/* As fprintf, and all of it so: for words for people with a name or text in them that came from others. */
void mq_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line on stderr, written over ten times a second at most; nothing at all where stderr is not a terminal. */
struct mq_progress {
    const struct mq_platform *platform;
    const char *doing; /* "import"; kept */
    int64_t shown_ms;  /* when last; 0: never */
    bool visible;
};
struct mq_progress mq_progress_start(const struct mq_platform *platform, const char *doing);
/* `total` 0: not known. */
void mq_progress_show(struct mq_progress *progress, int64_t done, int64_t total);
/* Clears the line, so that what is said next stands alone. */
void mq_progress_end(struct mq_progress *progress);

#endif
