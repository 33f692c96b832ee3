/* For tests of the listener: one that says what it saw, and a client that sends bytes as they stand. */
#ifndef MQ_TESTS_PLATFORM_HTTP_KIT_H
#define MQ_TESTS_PLATFORM_HTTP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/http.h"
#include "tests/platform/socket_kit.h"

#define GET "GET /a HTTP/1.1\r\nHost: t\r\n"
#define POST(length) "POST /v1/x?q=1 HTTP/1.1\r\nHost: t\r\nContent-Type: text/x\r\nContent-Length: " length "\r\n\r\n"
#define TEXT(text) mq_span("" text, sizeof text - 1)
#define CLOSE "Connection: close\r\n\r\n"

static struct mq_http *http;
static struct mq_error error;
static uint16_t port;
static char reply[64 * 1024];

/* What the handler saw. */
static struct {
    int calls;
    char method[8], path[64], query[64], type[64], probe[64], body[256];
} seen;
static size_t reply_size; /* 0: what it saw, else so many bytes */

static inline void copy(char *out, size_t capacity, const char *text)
{
    snprintf(out, capacity, "%s", text);
}

static inline void handle(void *context, const struct mq_http_request *request, struct mq_http_reply *out)
{
    assert_ptr_equal(context, &seen);
    seen.calls++;
    copy(seen.method, sizeof seen.method, request->method);
    copy(seen.path, sizeof seen.path, request->path);
    copy(seen.query, sizeof seen.query, request->query);
    copy(seen.type, sizeof seen.type, request->content_type);
    const char *probe = mq_http_header(request, "x-probe");
    copy(seen.probe, sizeof seen.probe, probe != NULL ? probe : "(none)");
    size_t kept = request->body.size < sizeof seen.body - 1 ? request->body.size : sizeof seen.body - 1;
    memcpy(seen.body, request->body.data, kept);
    seen.body[kept] = '\0';
    out->status = 200;
    out->content_type = "text/x";
    out->extra[0] = (struct mq_http_header_line){"X-Extra", "yes"};
    if (reply_size == 0)
        mq_put_text(out->body, request->path);
    else
        mq_reserve(out->body, reply_size);
}

/* Long enough for a loaded machine, short enough for a test; each test shortens what it is about. */
static inline struct mq_http_options options(void)
{
    struct mq_http_options made = mq_http_defaults();
    made.deadlines = (struct mq_deadlines){
        .head_ms = 4000, .body_ms = 4000, .reply_ms = 4000, .idle_ms = 4000, .whole_ms = 8000, .rate = 1000};
    made.request_max = 1000;
    return made;
}

static inline void start(const struct mq_http_options *with)
{
    char url[MQ_URL_MAX];

    memset(&seen, 0, sizeof seen);
    reply_size = 0;
    mq_error_clear(&error);
    assert_int_equal(mq_http_open(&http, with, &error), MQ_OK);
    assert_int_equal(mq_http_start(http, handle, &seen, &error), MQ_OK);
    mq_http_url(http, url);
    port = (uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10);
}

static inline int stop(void **state)
{
    (void)state;
    mq_http_stop(http);
    http = NULL;
    return 0;
}

/* One connection, these bytes, everything that comes back; the status. */
static inline int ask(struct mq_span bytes)
{
    int client = kit_connect(port, 0);

    assert_true(client >= 0);
    kit_send(client, bytes);
    assert_true(kit_read(client, reply, sizeof reply, 3000));
    close(client);
    return kit_status(reply);
}

/* Waits for what another thread does soon. */
#define SOON(condition)                                                                                                \
    do {                                                                                                               \
        for (int tries = 0; tries < 300 && !(condition); tries++)                                                      \
            kit_sleep(10);                                                                                             \
        assert_true(condition);                                                                                        \
    } while (0)

#endif
