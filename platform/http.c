/* The HTTP(S) listener; the only door to libmicrohttpd. See http.h.
 *
 * The library runs in poll mode: its epoll mode spins while one TLS client is in mid-handshake. Its time-out and its
 * connection limits are only the outer fence; those that count are the reaper's and are answered here. */
#include "platform/http.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "platform/http_head.h"
#include "platform/tls_key.h"
#include "protocol/assert.h"

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define LIBRARY_TIMEOUT_S 60 /* of silence */

struct mq_http {
    struct mq_http_options options; /* without the PEM spans */
    char *certificate, *key;        /* NUL-terminated copies; NULL: no TLS */
    int listener;
    struct mq_reaper *reaper;
    struct MHD_Daemon *daemon;
    pthread_mutex_t own_lock, *lock;
    mq_http_handler *handler;
    void *context;
    uint8_t *reply;
    atomic_size_t bodies; /* bytes promised to bodies under way */
    atomic_bool stopping;
    atomic_ullong requests, refused;
};

/* One request, from its first line until its reply is gone. */
struct exchange {
    struct mq_http *http;
    struct mq_guest *guest;
    bool looked_at;
    const char *target_at; /* where the library keeps it: see http_head.h */
    size_t target_size;
    char target[MQ_HTTP_TARGET_MAX + 1];
    uint8_t *body;
    size_t expected, received;
};

struct mq_http_options mq_http_defaults(void)
{
    return (struct mq_http_options){
        .address = {.host = "127.0.0.1"},
        .request_max = MQ_REQUEST_MAX,
        .reply_max = MQ_REPLY_MAX,
        .bodies_max = MQ_HTTP_BODIES_MAX,
        .connections = MQ_HTTP_CONNECTIONS,
        .address_connections = MQ_HTTP_ADDRESS_CONNECTIONS,
        .threads = 1,
        .deadlines = {.head_ms = MQ_HTTP_HEAD_MS,
                      .body_ms = MQ_HTTP_BODY_MS,
                      .reply_ms = MQ_HTTP_REPLY_MS,
                      .idle_ms = MQ_HTTP_IDLE_MS,
                      .whole_ms = MQ_HTTP_WHOLE_MS,
                      .rate = MQ_HTTP_RATE},
    };
}

const char *mq_http_header(const struct mq_http_request *request, const char *name)
{
    /* The library's lookup only reads, but asks for a connection it could write to. */
    union {
        const void *given;
        struct MHD_Connection *wanted;
    } connection = {.given = request->head};
    return MHD_lookup_connection_value(connection.wanted, MHD_HEADER_KIND, name);
}

/* ---- The first look: everything that can be refused before a byte of the body is read ---- */

static enum MHD_Result look_at_line(void *self, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                    const char *value, size_t value_size)
{
    (void)kind;
    mq_http_head_line(self, name, name_size, value, value_size);
    return MHD_YES;
}

/* Versions 0.x are lenient without a word, so that a proxy in front may have read another request than we do; but they
 * cut the head in place, which gives them away. Versions 1.x are strict by themselves. */
static bool reads_leniently(void)
{
    return strncmp(MHD_get_version(), "0.", 2) == 0;
}

static bool read_head(struct mq_http_head *head, struct MHD_Connection *connection, const struct exchange *exchange,
                      const char *method, const char *version)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (info == NULL || exchange->target_at == NULL)
        return false;
    if (reads_leniently())
        mq_http_head_in_place(head, method, exchange->target_at, exchange->target_size, version, info->header_size);
    else
        *head = (struct mq_http_head){0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at_line, head);
    return mq_http_head_is_good(head) && mq_http_target_is_good(exchange->target, exchange->target_size);
}

static unsigned make_room(struct exchange *exchange)
{
    struct mq_http *http = exchange->http;

    if (exchange->expected == 0)
        return 0;
    size_t before = atomic_fetch_add(&http->bodies, exchange->expected);
    if (before + exchange->expected <= http->options.bodies_max)
        exchange->body = malloc(exchange->expected);
    if (exchange->body != NULL)
        return 0;
    atomic_fetch_sub(&http->bodies, exchange->expected);
    return MHD_HTTP_SERVICE_UNAVAILABLE;
}

/* 0, or the status to refuse with. */
static unsigned first_look(struct exchange *exchange, struct MHD_Connection *connection, const char *method,
                           const char *version)
{
    struct mq_http_head head;
    bool is_post = strcmp(method, "POST") == 0;

    if (mq_guest_is_over(exchange->guest) || atomic_load(&exchange->http->stopping))
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    if (exchange->target_size > MQ_HTTP_TARGET_MAX)
        return MHD_HTTP_URI_TOO_LONG;
    if (!read_head(&head, connection, exchange, method, version))
        return MHD_HTTP_BAD_REQUEST;
    if (!is_post && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    unsigned refusal = mq_http_head_body(&head, is_post, exchange->http->options.request_max, &exchange->expected);
    return refusal != 0 ? refusal : make_room(exchange);
}

/* ---- Replies ---- */

static bool add_headers(struct MHD_Response *response, const struct mq_http_reply *reply, bool close_after)
{
    char seconds[16];
    bool fine = true;

    if (reply->content_type != NULL)
        fine = MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES;
    if (reply->retry_after_s != 0) {
        snprintf(seconds, sizeof seconds, "%u", (unsigned)reply->retry_after_s);
        fine = fine && MHD_add_response_header(response, "Retry-After", seconds) == MHD_YES;
    }
    for (size_t i = 0; i < MQ_HTTP_EXTRA_MAX && reply->extra[i].name != NULL; i++)
        fine = fine && MHD_add_response_header(response, reply->extra[i].name, reply->extra[i].value) == MHD_YES;
    if (close_after)
        fine = fine && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    return fine;
}

/* MHD_NO drops the connection. */
static enum MHD_Result send_reply(const struct exchange *exchange, struct MHD_Connection *connection,
                                  const struct mq_http_reply *reply, struct mq_span body, bool close_after)
{
    /* The library copies; its type for the bytes has no const. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(response, reply, close_after)) {
        mq_guest_enter(exchange->http->reaper, exchange->guest, MQ_PHASE_REPLY, body.size);
        result = MHD_queue_response(connection, reply->status, response);
    }
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(const struct exchange *exchange, struct MHD_Connection *connection, unsigned status)
{
    struct mq_http_reply reply = {.status = status};

    atomic_fetch_add(&exchange->http->refused, 1);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        reply.retry_after_s = MQ_HTTP_RETRY_AFTER_S;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        reply.extra[0] = (struct mq_http_header_line){"Allow", "GET, HEAD, POST"};
    return send_reply(exchange, connection, &reply, mq_span(NULL, 0), true);
}

static enum MHD_Result answer(struct exchange *exchange, struct MHD_Connection *connection, const char *method)
{
    struct mq_http *http = exchange->http;
    char *query = strchr(exchange->target, '?');
    if (query != NULL)
        *query++ = '\0';
    const char *content_type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    struct mq_http_request request = {.method = method,
                                      .path = exchange->target,
                                      .query = query != NULL ? query : "",
                                      .content_type = content_type != NULL ? content_type : "",
                                      .body = mq_span(exchange->body, exchange->received),
                                      .head = connection};

    atomic_fetch_add(&http->requests, 1);
    mq_guest_enter(http->reaper, exchange->guest, MQ_PHASE_REPLY, 0);
    pthread_mutex_lock(http->lock);
    struct mq_buffer body = mq_buffer(http->reply, http->options.reply_max);
    struct mq_http_reply reply = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR, .body = &body};
    http->handler(http->context, &request, &reply);
    if (body.failed) {
        reply = (struct mq_http_reply){.status = MHD_HTTP_INTERNAL_SERVER_ERROR};
        body.size = 0;
    }
    MQ_ASSERT(reply.status >= 200 && reply.status <= 599);
    enum MHD_Result result =
        send_reply(exchange, connection, &reply, mq_span(body.data, body.size), atomic_load(&http->stopping));
    pthread_mutex_unlock(http->lock);
    return result;
}

/* ---- What the library calls ---- */

static void on_connection(void *self, struct MHD_Connection *connection, void **guest,
                          enum MHD_ConnectionNotificationCode code)
{
    struct mq_http *http = self;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) { /* said before the library closes the descriptor */
        mq_reaper_leave(http->reaper, *guest);
        *guest = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int descriptor = info->connect_fd;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *guest = mq_reaper_admit(http->reaper, descriptor, info->client_addr);
}

/* The first line of a request is here; what we return comes back as `state` in the calls below. */
static void *on_target(void *self, const char *target, struct MHD_Connection *connection)
{
    struct mq_http *http = self;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (exchange == NULL)
        return NULL;
    exchange->http = http;
    exchange->guest = info->socket_context;
    exchange->target_at = target;
    exchange->target_size = target == NULL ? 0 : strlen(target);
    if (exchange->target_size <= MQ_HTTP_TARGET_MAX && target != NULL)
        memcpy(exchange->target, target, exchange->target_size);
    mq_guest_next_request(http->reaper, exchange->guest);
    return exchange;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct exchange *exchange = *state;

    (void)self;
    (void)url; /* decoded, so that it may hide things: the target as it came is in `exchange` */
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->looked_at) {
        exchange->looked_at = true;
        unsigned refusal = first_look(exchange, connection, method, version);
        if (refusal != 0)
            return refuse(exchange, connection, refusal);
        mq_guest_enter(exchange->http->reaper, exchange->guest, MQ_PHASE_BODY, 0);
        return MHD_YES;
    }
    if (*upload_size == 0)
        return exchange->received == exchange->expected ? answer(exchange, connection, method) : MHD_NO;
    if (*upload_size > exchange->expected - exchange->received)
        return MHD_NO;
    memcpy(exchange->body + exchange->received, upload, *upload_size);
    exchange->received += *upload_size;
    mq_guest_received(exchange->http->reaper, exchange->guest, *upload_size);
    *upload_size = 0;
    return MHD_YES;
}

static void on_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct mq_http *http = self;
    struct exchange *exchange = *state;

    (void)connection;
    (void)code;
    if (exchange == NULL)
        return;
    mq_guest_enter(http->reaper, exchange->guest, MQ_PHASE_IDLE, 0);
    if (exchange->body != NULL)
        atomic_fetch_sub(&http->bodies, exchange->expected);
    free(exchange->body);
    free(exchange);
    *state = NULL;
}

/* What it would say of single clients is nobody's business. */
static void on_message(void *self, const char *format, va_list arguments)
{
    (void)self;
    (void)format;
    (void)arguments;
}

/* ---- Open, start, stop ---- */

static char *copy_text(struct mq_span text)
{
    char *copy = malloc(text.size + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static void forget_key(struct mq_http *http)
{
    if (http->key != NULL)
        explicit_bzero(http->key, strlen(http->key));
    free(http->key);
    http->key = NULL;
}

static enum mq_status take_tls(struct mq_http *http, const struct mq_http_options *options, struct mq_error *error)
{
    if (options->certificate_pem.size == 0 && options->key_pem.size == 0) {
        if (options->plain || mq_address_is_loopback(&options->address))
            return MQ_OK;
        return mq_fail(error, MQ_REFUSED,
                       _("%s can be reached from outside: give a TLS certificate and key, or --plain behind a proxy "
                         "that ends TLS"),
                       options->address.host);
    }
    enum mq_status status = mq_tls_check(options->certificate_pem, options->key_pem, error);
    if (status != MQ_OK)
        return status;
    http->certificate = copy_text(options->certificate_pem);
    http->key = copy_text(options->key_pem);
    return http->certificate != NULL && http->key != NULL ? MQ_OK : mq_fail(error, MQ_FAULT, _("not enough memory"));
}

enum mq_status mq_http_open(struct mq_http **out, const struct mq_http_options *options, struct mq_error *error)
{
    MQ_ASSERT(options->threads >= 1 && options->threads <= MQ_HTTP_THREADS_MAX && options->connections >= 1);
    *out = NULL;
    struct mq_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    http->listener = -1;
    http->options = *options;
    http->options.certificate_pem = http->options.key_pem = mq_span(NULL, 0);
    pthread_mutex_init(&http->own_lock, NULL);
    http->lock = options->lock != NULL ? options->lock : &http->own_lock;

    enum mq_status status = take_tls(http, options, error);
    if (status == MQ_OK && (http->reply = malloc(options->reply_max)) == NULL)
        status = mq_fail(error, MQ_FAULT, _("not enough memory"));
    if (status == MQ_OK)
        status = mq_listen(&http->listener, &http->options.address, error);
    if (status != MQ_OK)
        mq_http_stop(http);
    else
        *out = http;
    return status;
}

static struct MHD_Daemon *start_library(struct mq_http *http)
{
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ERROR_LOG;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, http->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, http->certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, http->options.threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (http->key != NULL)
        flags |= MHD_USE_TLS;
    /* Twice ours: there clients hang or are dropped without a word. */
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http,
                            MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL, /* first, so that it hears of the others */
                            MHD_OPTION_LISTEN_SOCKET, http->listener,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)(2 * http->options.connections),
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)(2 * http->options.address_connections),
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIBRARY_TIMEOUT_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MQ_HTTP_HEAD_MAX,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
                            MHD_OPTION_ARRAY, http->key != NULL ? tls : none,
                            MHD_OPTION_ARRAY, http->options.threads > 1 ? pool : none,
                            MHD_OPTION_END);
}

enum mq_status mq_http_start(struct mq_http *http, mq_http_handler *handler, void *context, struct mq_error *error)
{
    sigset_t all, before;

    MQ_ASSERT(http->daemon == NULL && http->reaper == NULL);
    http->handler = handler;
    http->context = context;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum mq_status status = mq_reaper_start(&http->reaper, &http->options.deadlines, http->options.connections,
                                            http->options.address_connections, error);
    if (status == MQ_OK)
        http->daemon = start_library(http);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    forget_key(http);
    if (status == MQ_OK && http->daemon == NULL)
        status = mq_fail(error, MQ_FAULT, _("the HTTP library would not start"));
    return status;
}

static void wait_for_requests(struct mq_http *http)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000000L};

    for (int waited_ms = 0; waited_ms < MQ_HTTP_STOP_MS; waited_ms += 10) {
        if (mq_reaper_counts(http->reaper).busy == 0)
            return;
        nanosleep(&moment, NULL);
    }
}

void mq_http_stop(struct mq_http *http)
{
    if (http == NULL)
        return;
    atomic_store(&http->stopping, true);
    if (http->daemon != NULL) {
        MHD_quiesce_daemon(http->daemon);
        wait_for_requests(http);
        MHD_stop_daemon(http->daemon);
    }
    mq_reaper_stop(http->reaper);
    if (http->listener >= 0)
        close(http->listener);
    forget_key(http);
    pthread_mutex_destroy(&http->own_lock);
    free(http->certificate);
    free(http->reply);
    free(http);
}

void mq_http_url(const struct mq_http *http, char out[MQ_URL_MAX])
{
    const struct mq_address *address = &http->options.address;
    bool six = strchr(address->host, ':') != NULL;

    snprintf(out, MQ_URL_MAX, "%s://%s%s%s:%u", http->certificate != NULL ? "https" : "http", six ? "[" : "",
             address->host, six ? "]" : "", (unsigned)address->port);
}

struct mq_http_counts mq_http_counts(struct mq_http *http)
{
    return (struct mq_http_counts){
        .connections = http->reaper != NULL ? mq_reaper_counts(http->reaper) : (struct mq_reaper_counts){0},
        .requests = atomic_load(&http->requests),
        .refused = atomic_load(&http->refused),
    };
}
