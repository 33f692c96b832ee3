/* What went wrong, in words for a tired person: filled once, where the trouble is first seen. */
#ifndef MQ_PLATFORM_ERROR_H
#define MQ_PLATFORM_ERROR_H

#include <libintl.h>

#include "protocol/status.h"

/* Texts for people go through the message catalogue (po/). N_() marks one that is translated later. */
#define _(text) gettext(text)
#define N_(text) text

#define MQ_ERROR_TEXT_SIZE 600

/* Starts as zeros: no error. */
struct mq_error {
    enum mq_status status;
    char text[MQ_ERROR_TEXT_SIZE];
};

/* Writes status and text (cut, never overflowing; control characters from outside become '?') and returns status, so
 * that a function can end with `return mq_fail(error, MQ_REFUSED, _("..."), ...)`. A second call keeps the first. */
enum mq_status mq_fail(struct mq_error *error, enum mq_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts words in front: "line 12: " + what was there. */
void mq_error_prefix(struct mq_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mq_error_clear(struct mq_error *error);
/* Of what was just asked of the heap: ends the program with words and 70 where it is NULL. Nothing is lost by that: what was
 * acknowledged is on disk, and what was under way was not. */
void mq_enough(void *memory);
/* 0 done, 1 refused, 3 unreachable, 4 damaged, 70 our fault (docs/contract.md). */
int mq_exit_code(enum mq_status status);

#endif
