/* An HTTP(S) listener that cannot be held up: absolute deadlines, limits that answer, strict heads (docs/contract.md,
 * "Listening"). One handler, called for one request at a time. */
#ifndef MQ_PLATFORM_HTTP_H
#define MQ_PLATFORM_HTTP_H

#include <pthread.h>

#include "platform/listen.h"
#include "platform/reaper.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"

struct mq_http_options {
    struct mq_address address;
    struct mq_span certificate_pem, key_pem; /* empty: no TLS. Copied; the copy of the key is wiped once it is loaded */
    bool plain;                   /* allows no TLS beyond loopback: a proxy in front ends it */
    size_t request_max;           /* bytes of a request's body */
    size_t reply_max;             /* bytes of a reply's body */
    size_t bodies_max;            /* bytes of all requests' bodies under way */
    size_t connections;           /* over these: 503 with Retry-After */
    size_t address_connections;   /* the same for one address; 0: no limit, for behind a proxy */
    unsigned threads;             /* 1..MQ_HTTP_THREADS_MAX; more help only TLS, the handler runs alone anyhow */
    struct mq_deadlines deadlines;
    pthread_mutex_t *lock;        /* held while the handler runs, so that listeners and a main loop can share what it
                                     works on; borrowed. NULL: one of its own */
};

/* All limits as protocol/limits.h has them, 127.0.0.1, any port, no TLS, one thread. */
struct mq_http_options mq_http_defaults(void);

/* Valid during the handler's call. Nothing here is decoded. */
struct mq_http_request {
    const char *method;       /* GET, HEAD or POST */
    const char *path;         /* starts with '/', printable ASCII */
    const char *query;        /* after '?'; "" where none */
    const char *content_type; /* "" where none */
    struct mq_span body;
    const void *head; /* for mq_http_header */
};
/* The first header of that name (case does not count); NULL where there is none. */
const char *mq_http_header(const struct mq_http_request *request, const char *name);

struct mq_http_header_line {
    const char *name, *value;
};
struct mq_http_reply {
    unsigned status;               /* 500 unless the handler says otherwise; 200..599 */
    const char *content_type;      /* NULL: none */
    struct mq_buffer *body;        /* reply_max bytes, empty; where it fails, 500 goes out */
    uint32_t retry_after_s;        /* 0: not said */
    struct mq_http_header_line extra[MQ_HTTP_EXTRA_MAX]; /* ends with a NULL name or the array; copied at once */
};

/* Runs in the listener's thread, under the lock. While it works, one thread serves nobody else: it should take well
 * under a second. */
typedef void mq_http_handler(void *context, const struct mq_http_request *request, struct mq_http_reply *reply);

struct mq_http;

/* Checks, binds and listens; no thread yet, so that the caller can lock itself up between this and mq_http_start.
 * MQ_REFUSED: no TLS beyond loopback without `plain`; key and certificate do not fit; the address is not free. `*out`
 * is NULL on failure; the caller ends it by mq_http_stop. */
MQ_MUST_USE enum mq_status mq_http_open(struct mq_http **out, const struct mq_http_options *options,
                                        struct mq_error *error);
/* Accepts connections from here on. All signals are blocked in the threads it starts. */
MQ_MUST_USE enum mq_status mq_http_start(struct mq_http *http, mq_http_handler *handler, void *context,
                                         struct mq_error *error);
/* Takes no new connections, gives requests under way MQ_HTTP_STOP_MS, closes everything, frees. The lock must not be
 * held by the caller. NULL is fine. */
void mq_http_stop(struct mq_http *http);

/* "https://127.0.0.1:8420", with the port that was bound. */
void mq_http_url(const struct mq_http *http, char out[MQ_URL_MAX]);

struct mq_http_counts {
    struct mq_reaper_counts connections;
    uint64_t requests, refused; /* given to the handler; sent away before */
};
struct mq_http_counts mq_http_counts(struct mq_http *http);

#endif
