/* One structured line an event; see log.h. */
#include "platform/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/limits.h"

static const struct mq_platform *log_platform;
static int log_descriptor;

struct mq_log_field mq_log_text(const char *key, const char *text)
{
    return (struct mq_log_field){.key = key, .text = text != NULL ? text : ""};
}

struct mq_log_field mq_log_number(const char *key, int64_t number)
{
    return (struct mq_log_field){.key = key, .number = number};
}

void mq_log_start(const struct mq_platform *platform, int descriptor)
{
    log_platform = platform;
    log_descriptor = descriptor;
}

static const char *level_word(enum mq_log_level level)
{
    switch (level) {
    case MQ_LOG_INFO:
        return "info";
    case MQ_LOG_WARNING:
        return "warning";
    case MQ_LOG_ERROR:
        return "error";
    }
    return "error";
}

/* Bytes of the printable character at `at`; 0: a control character, or no UTF-8. */
static size_t printable(const unsigned char *at)
{
    if (at[0] < 0x80)
        return at[0] >= 0x20 && at[0] != 0x7f;
    size_t size = at[0] >= 0xf0 && at[0] <= 0xf4 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 0;
    if (at[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if (size == 2 && at[0] == 0xc2 && at[1] < 0xa0) /* C1: control characters too */
        return 0;
    if (size == 3 && ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f)))
        return 0;
    if (size == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9)) /* U+2028, U+2029 end lines */
        return 0;
    if (size == 4 && ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)))
        return 0;
    return size;
}

static bool is_word(const char *text)
{
    return text[0] != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                           "._:/+-@,[]%") == strlen(text);
}

static void put_quoted(struct mq_buffer *out, const char *text)
{
    char escape[8];

    mq_put_text(out, "\"");
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t size = printable(at);
        if (size > 1 || (size == 1 && *at != '"' && *at != '\\')) {
            mq_put(out, at, size);
            at += size;
            continue;
        }
        if (*at == '\n')
            mq_put_text(out, "\\n");
        else {
            snprintf(escape, sizeof escape, size == 1 ? "\\%c" : "\\x%02x", *at);
            mq_put_text(out, escape);
        }
        at++;
    }
    mq_put_text(out, "\"");
}

static void put_field(struct mq_buffer *out, const struct mq_log_field *field)
{
    char number[24];

    mq_put_text(out, " ");
    mq_put_text(out, field->key);
    mq_put_text(out, "=");
    if (field->text == NULL) {
        snprintf(number, sizeof number, "%lld", (long long)field->number);
        mq_put_text(out, number);
    } else if (is_word(field->text)) {
        mq_put_text(out, field->text);
    } else {
        put_quoted(out, field->text);
    }
}

static void put_time(struct mq_buffer *out, int64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm parts;
    char text[32];

    if (gmtime_r(&time, &parts) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        text[0] = '\0';
    mq_put_text(out, text);
}

void mq_log_line(enum mq_log_level level, const char *event, const struct mq_log_field *fields, size_t count)
{
    uint8_t memory[MQ_LOG_LINE_MAX];
    struct mq_buffer line = mq_buffer(memory, sizeof memory - 1); /* the line's end always fits */

    if (log_platform == NULL)
        return;
    put_time(&line, mq_now(log_platform));
    mq_put_text(&line, " ");
    mq_put_text(&line, level_word(level));
    mq_put_text(&line, " event=");
    mq_put_text(&line, event);
    for (size_t i = 0; i < count; i++)
        put_field(&line, &fields[i]);
    memory[line.size++] = '\n';
    /* Nobody could be told of a log that cannot be written. */
    if (write(log_descriptor, memory, line.size) < 0)
        return;
}
