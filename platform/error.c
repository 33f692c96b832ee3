/* Words for what went wrong, kept short and printable. */
#include "platform/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Text from outside may hold terminal sequences: C0, DEL and, as UTF-8, C1. */
static void make_printable(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7f)
            *at = '?';
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
            at[0] = at[1] = '?';
    }
}

/* A cut may have split a character of several bytes: its front goes too. */
static void drop_half_character(char *text)
{
    size_t length = strlen(text), tail = 0;
    while (tail < length && tail < 4 && ((unsigned char)text[length - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == length)
        return;
    unsigned char first = (unsigned char)text[length - 1 - tail];
    size_t wanted = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (tail < wanted)
        text[length - 1 - tail] = '\0';
}

static void write_text(char text[MQ_ERROR_TEXT_SIZE], const char *format, va_list arguments)
{
    int length = vsnprintf(text, MQ_ERROR_TEXT_SIZE, format, arguments);
    if (length < 0)
        text[0] = '\0';
    if (length >= MQ_ERROR_TEXT_SIZE)
        drop_half_character(text);
    make_printable(text);
}

enum mq_status mq_fail(struct mq_error *error, enum mq_status status, const char *format, ...)
{
    if (error->status != MQ_OK)
        return status;
    va_list arguments;
    va_start(arguments, format);
    write_text(error->text, format, arguments);
    va_end(arguments);
    error->status = status;
    return status;
}

void mq_error_prefix(struct mq_error *error, const char *format, ...)
{
    char front[MQ_ERROR_TEXT_SIZE], rest[MQ_ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    write_text(front, format, arguments);
    va_end(arguments);

    memcpy(rest, error->text, sizeof rest);
    int length = snprintf(error->text, sizeof error->text, "%s%s", front, rest);
    if (length >= MQ_ERROR_TEXT_SIZE)
        drop_half_character(error->text);
}

void mq_error_clear(struct mq_error *error)
{
    error->status = MQ_OK;
    error->text[0] = '\0';
}

int mq_exit_code(enum mq_status status)
{
    switch (status) {
    case MQ_OK:
        return 0;
    case MQ_REFUSED:
    case MQ_NOT_FOUND:
    case MQ_NO_SPACE:
    case MQ_BAD_SIGNATURE:
    case MQ_WRONG_KEY:
    case MQ_WAITING:
    case MQ_BUSY:
        return 1;
    case MQ_UNREACHABLE:
        return 3;
    case MQ_DAMAGED:
        return 4;
    case MQ_FAULT:
        return 70;
    }
    return 70;
}

void mq_enough(void *memory)
{
    if (memory != NULL)
        return;
    const char *text = _("not enough memory; nothing that was saved is lost. Close other programs, then try again\n");
    (void)!write(STDERR_FILENO, text, strlen(text)); /* without a buffer that would have to be made */
    _exit(mq_exit_code(MQ_FAULT));
}
