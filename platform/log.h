/* What a service says of itself: one line an event on stderr, for people and for machines.
 *     2026-11-23T06:14:00Z info event=started address=127.0.0.1:8420 connections=512
 * Never contents of records, names of people, tokens or keys: numbers, ids of devices, addresses of our own. */
#ifndef MQ_PLATFORM_LOG_H
#define MQ_PLATFORM_LOG_H

#include "platform/platform.h"

enum mq_log_level { MQ_LOG_INFO, MQ_LOG_WARNING, MQ_LOG_ERROR };

/* One key=value; made by the three functions below. */
struct mq_log_field {
    const char *key; /* a word: a-z and '_' */
    const char *text; /* NULL: the number counts */
    int64_t number;
};
struct mq_log_field mq_log_text(const char *key, const char *text); /* borrowed until the line is written */
struct mq_log_field mq_log_number(const char *key, int64_t number);

/* From here on lines go to `descriptor`, with this machine's clock; before, and after NULL, nothing is written. Once,
 * before other threads. */
void mq_log_start(const struct mq_platform *platform, int descriptor);

/* `event` is a word: a-z and '_'. Values that are not plain words are quoted; control characters, quotes and what is
 * not UTF-8 are escaped (\n, \", \x1b), so that a line is one event whatever it holds. Cut at MQ_LOG_LINE_MAX bytes.
 * One write(), so that threads do not mix. */
void mq_log_line(enum mq_log_level level, const char *event, const struct mq_log_field *fields, size_t count);

/* mq_log(MQ_LOG_INFO, "started", mq_log_text("address", text), mq_log_number("connections", 512)); at least one
 * field. */
#define mq_log(level, event, ...)                                                                                      \
    mq_log_line((level), (event), (const struct mq_log_field[]){__VA_ARGS__},                                          \
                sizeof((const struct mq_log_field[]){__VA_ARGS__}) / sizeof(struct mq_log_field))

#endif
