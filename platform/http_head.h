/* The head of a request, judged before a byte of its body is read: what could mean two things to two programs is
 * refused. Pure; for platform/http.c. */
#ifndef MQ_PLATFORM_HTTP_HEAD_H
#define MQ_PLATFORM_HTTP_HEAD_H

#include "protocol/bytes.h"

/* Starts as zeros, or by mq_http_head_in_place. */
struct mq_http_head {
    unsigned hosts, lengths, encodings;
    struct mq_span length; /* the last Content-Length */
    const char *next;      /* where the next line must start; NULL: not known */
    const char *end;       /* just behind the head */
    bool strange;
};

/* For a library that cuts the received head in place and, without a word, drops what follows a NUL in a line, joins
 * folded lines and takes a bare LF for a line's end: method, target, version and all lines must then lie side by side
 * and cover all `size` bytes from `method` on. The three are NUL-terminated where they stood; `target_size` is from
 * before any decoding; the version is HTTP/1 and a digit. Once cut, nobody can tell which two of CR, LF and NUL ended a
 * line: that alone is let pass. */
void mq_http_head_in_place(struct mq_http_head *head, const char *method, const char *target, size_t target_size,
                           const char *version, size_t size);
/* Each header line, in their order. `value` may be NULL. */
void mq_http_head_line(struct mq_http_head *head, const char *name, size_t name_size, const char *value,
                       size_t value_size);
/* After the last line: names are names, values hold no control characters, no two Hosts, no gaps. */
bool mq_http_head_is_good(const struct mq_http_head *head);
/* Path and query as they came: '/' first, printable ASCII. */
bool mq_http_target_is_good(const char *target, size_t size);

/* 0 and the body's length, or the status to refuse with: 400 contradictory or malformed, or a body where none belongs;
 * 411 no length; 413 more than `max`. */
unsigned mq_http_head_body(const struct mq_http_head *head, bool is_post, size_t max, size_t *length);

#endif
