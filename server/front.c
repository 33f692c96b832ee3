/* The front's process: what is asked over HTTP, and what the desk asks over its socket, one after another. */
#include "server/front.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/http.h"
#include "platform/log.h"
#include "protocol/assert.h"
#include "server/confine.h"
#include "server/data.h"
#include "server/link.h"

#define CONTENT_TYPE "application/x-minqing"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_TYPE "text/plain; charset=utf-8"

struct counts {
    uint64_t exchanges, segments, enrolments, refused, failed, bytes_in, bytes_out;
};

struct front {
    const struct mq_front_options *options;
    struct mq_store *store;
    struct mq_relay relay;
    struct mq_http *http;
    pthread_mutex_t lock; /* over relay, store and counts: the listener's thread and the desk's questions take turns */
    struct counts counts;
    int signals;
    uint8_t *question, *answer;
};

/* ---- HTTP ---- */

static void wake_desk(struct front *front)
{
    const uint64_t one = 1;

    if (!front->relay.news)
        return;
    front->relay.news = false;
    if (front->options->news >= 0)
        (void)!write(front->options->news, &one, sizeof one); /* full means that it knows already */
}

static unsigned http_status_of(enum mq_status status)
{
    switch (status) {
    case MQ_OK:
        return 200;
    case MQ_WAITING:
        return 202;
    case MQ_NO_SPACE:
        return 507;
    case MQ_BUSY:
    case MQ_UNREACHABLE:
        return 503;
    case MQ_REFUSED:
    case MQ_NOT_FOUND:
    case MQ_BAD_SIGNATURE:
    case MQ_WRONG_KEY:
        return 400;
    case MQ_DAMAGED:
    case MQ_FAULT:
        return 500;
    }
    return 500;
}

static void conclude(struct front *front, enum mq_status status, const struct mq_error *error,
                     struct mq_http_reply *reply)
{
    reply->status = http_status_of(status);
    reply->content_type = CONTENT_TYPE;
    if (reply->status >= 300)
        reply->body->size = 0;
    if (reply->status >= 500) {
        front->counts.failed++;
        mq_log(MQ_LOG_ERROR, "request_failed", mq_log_text("reason", error->text));
    } else if (reply->status >= 400)
        front->counts.refused++;
    front->counts.bytes_out += reply->body->size;
    wake_desk(front);
}

static uint64_t count_segments(struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    struct mq_request request;
    struct mq_frame frame;
    uint64_t count = 0;

    if (mq_request_get(&request, &reader) == MQ_OK)
        while (mq_frame_next(&reader, &frame) == MQ_OK)
            count += frame.type == MQ_FRAME_SEGMENT;
    return count;
}

static void do_exchange(struct front *front, const struct mq_http_request *request, struct mq_http_reply *reply)
{
    struct mq_error error = {0};

    front->counts.exchanges++;
    front->counts.segments += count_segments(request->body);
    front->counts.bytes_in += request->body.size;
    conclude(front, mq_relay_exchange(&front->relay, request->body, reply->body, &error), &error, reply);
}

static void do_enrol(struct front *front, const struct mq_http_request *request, struct mq_http_reply *reply)
{
    struct mq_error error = {0};

    front->counts.enrolments++;
    front->counts.bytes_in += request->body.size;
    conclude(front, mq_relay_enrol(&front->relay, request->body, reply->body, &error), &error, reply);
}

static void do_healthz(struct front *front, const struct mq_http_request *request, struct mq_http_reply *reply)
{
    (void)front;
    (void)request;
    reply->status = 200;
    reply->content_type = TEXT_TYPE;
    mq_put_text(reply->body, "ok\n");
}

static void put_metric(struct mq_buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    char text[400];

    snprintf(text, sizeof text, "# HELP minqing_%s %s\n# TYPE minqing_%s %s\nminqing_%s %llu\n", name, help, name, type,
             name, (unsigned long long)value);
    mq_put_text(out, text);
}

static void do_metrics(struct front *front, const struct mq_http_request *request, struct mq_http_reply *reply)
{
    struct mq_http_counts http = mq_http_counts(front->http);
    const struct counts *counts = &front->counts;
    struct mq_buffer *out = reply->body;

    (void)request;
    reply->status = 200;
    reply->content_type = METRICS_TYPE;
    put_metric(out, "connections", "gauge", "Connections open now.", http.connections.now);
    put_metric(out, "connections_accepted_total", "counter", "Connections accepted.", http.connections.accepted);
    put_metric(out, "connections_over_total", "counter", "Connections sent away over a limit.", http.connections.over);
    put_metric(out, "connections_cut_total", "counter", "Connections ended at a deadline.", http.connections.cut);
    put_metric(out, "requests_total", "counter", "Requests handled.", http.requests);
    put_metric(out, "requests_malformed_total", "counter", "Requests refused before they were handled.", http.refused);
    put_metric(out, "exchanges_total", "counter", "Exchanges asked for.", counts->exchanges);
    put_metric(out, "segments_received_total", "counter", "Segments brought, repeated ones included.",
               counts->segments);
    put_metric(out, "enrolments_total", "counter", "Enrolment requests, repeated ones included.", counts->enrolments);
    put_metric(out, "refused_total", "counter", "Exchanges and enrolments refused as malformed.", counts->refused);
    put_metric(out, "failed_total", "counter", "Exchanges and enrolments that the store could not serve.",
               counts->failed);
    put_metric(out, "received_bytes_total", "counter", "Bytes of bodies received.", counts->bytes_in);
    put_metric(out, "sent_bytes_total", "counter", "Bytes of bodies sent.", counts->bytes_out);
}

static const struct route {
    const char *path;
    bool post;
    void (*run)(struct front *, const struct mq_http_request *, struct mq_http_reply *);
} routes[] = {
    {"/v1/exchange", true, do_exchange},
    {"/v1/enrol", true, do_enrol},
    {"/healthz", false, do_healthz},
    {"/metrics", false, do_metrics},
};

static void handle(void *context, const struct mq_http_request *request, struct mq_http_reply *reply)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *route = &routes[i];
        if (strcmp(request->path, route->path) != 0)
            continue;
        bool post = strcmp(request->method, "POST") == 0;
        if (post != route->post)
            reply->status = 405;
        else if (post && strcmp(request->content_type, CONTENT_TYPE) != 0)
            reply->status = 415;
        else
            route->run(context, request, reply);
        return;
    }
    reply->status = 404;
}

/* ---- starting ---- */

static enum mq_status read_pem(const struct front *front, const char *path, struct mq_buffer *out,
                               struct mq_error *error)
{
    const struct mq_platform *platform = front->options->platform;

    return path == NULL ? MQ_OK : platform->read(platform->self, path, out, error);
}

static enum mq_status listen_on(struct front *front, struct mq_error *error)
{
    const struct mq_front_options *asked = front->options;
    struct mq_http_options options = mq_http_defaults();
    uint8_t certificate_memory[MQ_TLS_PEM_MAX], key_memory[MQ_TLS_PEM_MAX];
    struct mq_buffer certificate = mq_buffer(certificate_memory, sizeof certificate_memory);
    struct mq_buffer key = mq_buffer(key_memory, sizeof key_memory);
    enum mq_status status = read_pem(front, asked->certificate_path, &certificate, error);

    if (status == MQ_OK)
        status = read_pem(front, asked->key_path, &key, error);
    options.address = asked->address;
    options.certificate_pem = mq_written(&certificate);
    options.key_pem = mq_written(&key);
    options.plain = asked->plain;
    if (asked->plain)
        options.address_connections = 0; /* one proxy stands for everybody */
    options.lock = &front->lock;
    if (status == MQ_OK)
        status = mq_http_open(&front->http, &options, error);
    explicit_bzero(key_memory, sizeof key_memory);
    if (status == MQ_OK)
        mq_confine_front(asked->data);
    return status == MQ_OK ? mq_http_start(front->http, handle, front, error) : status;
}

static enum mq_status open_store(struct front *front, struct mq_error *error)
{
    const struct mq_platform *platform = front->options->platform;
    struct mq_data_path path;
    enum mq_status status = mq_data_path(&path, front->options->data, "relay", error);

    if (status == MQ_OK)
        status = platform->make_directory(platform->self, path.text, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, front->options->data, "relay/store.db", error);
    if (status == MQ_OK)
        status = mq_store_sqlite_open(&front->store, platform, path.text, error);
    front->relay = (struct mq_relay){.platform = platform, .store = front->store};
    memcpy(front->relay.root_public, front->options->root_public, MQ_PUBLIC_SIZE);
    return status;
}

static enum mq_status take_signals(struct front *front, struct mq_error *error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    front->signals = signalfd(-1, &set, SFD_CLOEXEC);
    return front->signals >= 0 ? MQ_OK : mq_fail(error, MQ_FAULT, _("cannot wait for signals: %s"), strerror(errno));
}

static enum mq_status say_ready(const struct front *front, struct mq_error *error)
{
    char url[MQ_URL_MAX];

    mq_http_url(front->http, url);
    if (write(front->options->ready, url, strlen(url)) != (ssize_t)strlen(url))
        return mq_fail(error, MQ_FAULT, _("the server's parent process has gone"));
    close(front->options->ready);
    return MQ_OK;
}

/* ---- working ---- */

static enum mq_status answer_desk(struct front *front, struct mq_error *error)
{
    struct mq_buffer question = mq_buffer(front->question, MQ_REQUEST_MAX + 1);
    struct mq_buffer answer = mq_buffer(front->answer, MQ_REPLY_MAX);
    enum mq_status status = mq_link_hear(front->options->link, &question, error);

    if (status != MQ_OK)
        return status;
    pthread_mutex_lock(&front->lock);
    status = mq_link_answer(front->options->link, &front->relay, mq_written(&question), &answer, error);
    front->relay.news = false; /* what the desk has just brought is no news to it */
    pthread_mutex_unlock(&front->lock);
    return status;
}

static enum mq_status work(struct front *front, struct mq_error *error)
{
    struct pollfd waits[] = {{.fd = front->signals, .events = POLLIN}, {.fd = front->options->link, .events = POLLIN}};
    enum mq_status status = MQ_OK;

    while (status == MQ_OK) {
        if (poll(waits, 2, -1) < 0) {
            if (errno == EINTR)
                continue; /* what poll would have said is not said */
            return mq_fail(error, MQ_FAULT, _("cannot wait for requests: %s"), strerror(errno));
        }
        if (waits[0].revents != 0)
            return MQ_OK;
        if (waits[1].revents != 0)
            status = answer_desk(front, error);
    }
    if (status != MQ_UNREACHABLE)
        return status;
    mq_error_clear(error); /* the desk has ended: the parent knows why */
    return MQ_OK;
}

int mq_front_run(const struct mq_front_options *options)
{
    struct front front = {.options = options, .lock = PTHREAD_MUTEX_INITIALIZER, .signals = -1};
    struct mq_error error = {0};

    front.question = malloc(MQ_REQUEST_MAX + 1);
    front.answer = malloc(MQ_REPLY_MAX);
    mq_enough(front.question);
    mq_enough(front.answer);
    enum mq_status status = take_signals(&front, &error);
    if (status == MQ_OK)
        status = open_store(&front, &error);
    if (status == MQ_OK)
        status = listen_on(&front, &error);
    if (status == MQ_OK)
        status = say_ready(&front, &error);
    if (status == MQ_OK)
        status = work(&front, &error);
    mq_http_stop(front.http);
    if (front.store != NULL)
        front.store->verbs->close(front.store);
    free(front.question);
    free(front.answer);
    if (status != MQ_OK)
        fprintf(stderr, "minqingd: %s\n", error.text);
    return mq_exit_code(status);
}
