/* Aim: the network process reaches the server whose key it was told and no other, tells every kind of trouble apart,
 * counts its bytes, and never outlives its caller. The real program (MQ_COURIER, or build/minqing-courier) against the
 * real listener with TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "platform/courier.h"
#include "platform/http.h"
#include "platform/tls_key.h"
#include "tests/platform/socket_kit.h"

#define OURS "application/x-minqing"
#define SLOW_MS 1500
#define LARGE (MQ_REPLY_MAX + 1)

/* For another name, and good for the first day of 2020 only. Made by another tool (openssl: req -x509 -days 1, under a clock
 * of that day). */
static const char expired_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBjDCCATOgAwIBAgIUb4lg8cCpMcm+YxGvKJ6RpYoQvX8wCgYIKoZIzj0EAwIw\n"
    "HDEaMBgGA1UEAwwRZWxzZXdoZXJlLmV4YW1wbGUwHhcNMjAwMTAxMDAwMDAwWhcN\n"
    "MjAwMTAyMDAwMDAwWjAcMRowGAYDVQQDDBFlbHNld2hlcmUuZXhhbXBsZTBZMBMG\n"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABDFckJrBEQMS+UPNcT5mb0lhqIQ5/i2VqUTT\n"
    "Ad0XIOg7Y8L/czUQ0rpcSfEYxnaxy64Pd1keG4lCbLpvCsdPntGjUzBRMB0GA1Ud\n"
    "DgQWBBR13BEpd2/fvpEzkQyf2vkg+Ha9BjAfBgNVHSMEGDAWgBR13BEpd2/fvpEz\n"
    "kQyf2vkg+Ha9BjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIBDM\n"
    "DmpdpccEuM7okN29lIgUkvICN+fjtQDoj/vEjJKvAiAR5nbXhcucXtqOeaOE4+w7\n"
    "h4ljh/tFoujlOTqoX0iuTQ==\n"
    "-----END CERTIFICATE-----\n";
static const char expired_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEILmYqzYoI8HnXeNS1vW+Bnoyk2/xe+nglfgnz+QayJN8oAoGCCqGSM49\n"
    "AwEHoUQDQgAEMVyQmsERAxL5Q81xPmZvSWGohDn+LZWpRNMB3Rcg6Dtjwv9zNRDS\n"
    "ulxJ8RjGdrHLrg93WR4biUJsum8Kx0+e0Q==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char *program;
static struct mq_http *server;
static char url[MQ_URL_MAX];
static uint8_t pin[MQ_HASH_SIZE];
static struct mq_error error;
static struct mq_courier *courier;
static struct mq_courier_answer answer;
static uint8_t reply_memory[MQ_REPLY_MAX];
static struct mq_buffer reply;

static void say(struct mq_http_reply *out, unsigned status, const char *type, const char *text)
{
    out->status = status;
    out->content_type = type;
    mq_put_text(out->body, text);
}

static void handle(void *context, const struct mq_http_request *request, struct mq_http_reply *out)
{
    const char *path = request->path;

    (void)context;
    if (strcmp(path, "/echo") == 0) {
        say(out, 200, OURS, "");
        mq_put_span(out->body, request->body);
    } else if (strcmp(path, "/headers") == 0) { /* what must not go out */
        bool clean = mq_http_header(request, "User-Agent") == NULL && mq_http_header(request, "Accept") == NULL &&
                     mq_http_header(request, "Expect") == NULL && strcmp(request->content_type, OURS) == 0;
        say(out, 200, OURS, clean ? "clean" : "chatty");
    } else if (strcmp(path, "/html") == 0) {
        say(out, 200, "text/html", "<p>log in</p>");
    } else if (strcmp(path, "/empty") == 0) {
        say(out, 202, NULL, "");
    } else if (strcmp(path, "/redirect") == 0) {
        say(out, 302, NULL, "");
        out->extra[0] = (struct mq_http_header_line){"Location", "/echo"};
    } else if (strcmp(path, "/busy") == 0) {
        say(out, 503, NULL, "");
        out->retry_after_s = 7;
    } else if (strcmp(path, "/bad") == 0) {
        say(out, 400, OURS, "why");
    } else if (strcmp(path, "/proxy") == 0) {
        say(out, 502, "text/html", "<p>bad gateway</p>");
    } else if (strcmp(path, "/large") == 0) {
        say(out, 200, OURS, "");
        mq_reserve(out->body, LARGE);
    } else if (strcmp(path, "/slow") == 0) {
        kit_sleep(SLOW_MS);
        say(out, 200, OURS, "late");
    } else {
        say(out, 404, NULL, "");
    }
}

static void start_server_as(struct mq_http_options options, struct mq_span certificate, struct mq_span key)
{
    assert_int_equal(mq_tls_pin(pin, certificate, &error), MQ_OK);
    options.certificate_pem = certificate;
    options.key_pem = key;
    options.reply_max = 2 * MQ_REPLY_MAX;
    assert_int_equal(mq_http_open(&server, &options, &error), MQ_OK);
    assert_int_equal(mq_http_start(server, handle, NULL, &error), MQ_OK);
    mq_http_url(server, url);
}

static void start_server(struct mq_http_options options)
{
    uint8_t key_memory[MQ_TLS_PEM_MAX], certificate_memory[MQ_TLS_PEM_MAX];
    struct mq_buffer key = mq_buffer(key_memory, sizeof key_memory);
    struct mq_buffer certificate = mq_buffer(certificate_memory, sizeof certificate_memory);

    assert_int_equal(mq_tls_make(&key, &certificate, "minqing", &error), MQ_OK);
    start_server_as(options, mq_written(&certificate), mq_written(&key));
}

static void start_plain(void)
{
    struct mq_http_options options = mq_http_defaults();

    mq_http_stop(server);
    mq_error_clear(&error);
    assert_int_equal(mq_http_open(&server, &options, &error), MQ_OK);
    assert_int_equal(mq_http_start(server, handle, NULL, &error), MQ_OK);
    mq_http_url(server, url);
}

static int set_up(void **state)
{
    (void)state;
    mq_error_clear(&error);
    start_server(mq_http_defaults());
    return 0;
}

/* Nothing is left: no server, no child, no zombie. */
static int tear_down(void **state)
{
    (void)state;
    mq_courier_stop(courier);
    courier = NULL;
    mq_http_stop(server);
    server = NULL;
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

static void go(const char *to, struct mq_span pins)
{
    mq_courier_stop(courier);
    mq_error_clear(&error);
    assert_int_equal(mq_courier_start(&courier, program, to, pins, &error), MQ_OK);
}

static enum mq_status post_within(const char *path, struct mq_span body, int64_t timeout_ms)
{
    struct mq_courier_request request = {.path = path, .body = body, .timeout_ms = timeout_ms};

    mq_error_clear(&error);
    reply = mq_buffer(reply_memory, sizeof reply_memory);
    enum mq_status status = mq_courier_post(courier, &request, &reply, &answer, &error);
    assert_int_equal(status, error.status);
    return status;
}

static enum mq_status post(const char *path, struct mq_span body)
{
    return post_within(path, body, 20000);
}

static void assert_reply(const char *text)
{
    assert_true(mq_span_equal(mq_written(&reply), mq_span_text(text)));
}

/* The server with the right key answers, over one connection, bodies of any size up to the limit. */
static void exchanges(void **state)
{
    (void)state;
    static uint8_t body[MQ_REQUEST_MAX];
    static const size_t sizes[] = {0, 1, 16384, 65537, sizeof body};

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7 + i / 251);
    go(url, MQ_SPAN(pin));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(post("/echo", mq_span(body, sizes[i])), MQ_OK);
        assert_int_equal(answer.outcome, MQ_COURIER_ANSWERED);
        assert_int_equal(answer.http_status, 200);
        assert_true(mq_span_equal(mq_written(&reply), mq_span(body, sizes[i])));
        assert_in_range(answer.bytes_up - sizes[i], 90, 120);
        assert_in_range(answer.bytes_down - sizes[i], 60, 120);
    }
    assert_int_equal(post("/headers", mq_span_text("x")), MQ_OK);
    assert_reply("clean");
    assert_int_equal(mq_http_counts(server).connections.accepted, 1);
}

/* Another key is never spoken to, not even once; either of two pins will do. */
static void knows_the_server_by_its_key(void **state)
{
    (void)state;
    uint8_t wrong[MQ_HASH_SIZE], two[2 * MQ_HASH_SIZE];

    memcpy(wrong, pin, sizeof wrong);
    wrong[31] ^= 1;
    go(url, MQ_SPAN(wrong));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post("/echo", mq_span_text("secret")), MQ_REFUSED);
        assert_int_equal(answer.outcome, MQ_COURIER_STRANGER);
        assert_int_equal(answer.http_status, 0);
        assert_int_equal(reply.size, 0);
    }
    assert_int_equal(mq_http_counts(server).requests, 0);
    memcpy(two, wrong, sizeof wrong);
    memcpy(two + MQ_HASH_SIZE, pin, sizeof pin);
    go(url, MQ_SPAN(two));
    assert_int_equal(post("/echo", mq_span_text("a")), MQ_OK);
    assert_reply("a");
}

/* The pinned key alone counts: that its certificate expired years ago, and names somebody else, stops nobody; without the
 * right pin it is a stranger's as any other. */
static void dates_and_names_do_not_count(void **state)
{
    (void)state;
    uint8_t wrong[MQ_HASH_SIZE];

    mq_http_stop(server);
    start_server_as(mq_http_defaults(), mq_span_text(expired_certificate), mq_span_text(expired_key));
    go(url, MQ_SPAN(pin));
    assert_int_equal(post("/echo", mq_span_text("a")), MQ_OK);
    assert_int_equal(answer.outcome, MQ_COURIER_ANSWERED);
    assert_reply("a");
    memcpy(wrong, pin, sizeof wrong);
    wrong[0] ^= 1;
    go(url, MQ_SPAN(wrong));
    assert_int_equal(post("/echo", mq_span_text("secret")), MQ_REFUSED);
    assert_int_equal(answer.outcome, MQ_COURIER_STRANGER);
    assert_int_equal(mq_http_counts(server).requests, 1);
}

/* Each kind of reply that is not a plain success is told apart; what is not ours is never handed on. */
static void tells_replies_apart(void **state)
{
    (void)state;
    go(url, MQ_SPAN(pin));
    assert_int_equal(post("/html", mq_span_text("x")), MQ_UNREACHABLE);
    assert_int_equal(answer.outcome, MQ_COURIER_NOT_OURS);
    assert_int_equal(reply.size, 0);
    assert_int_equal(post("/redirect", mq_span_text("x")), MQ_UNREACHABLE);
    assert_int_equal(answer.outcome, MQ_COURIER_NOT_OURS);
    assert_int_equal(answer.http_status, 302);
    assert_int_equal(post("/busy", mq_span_text("x")), MQ_OK);
    assert_int_equal(answer.http_status, 503);
    assert_int_equal(answer.retry_after_s, 7);
    assert_int_equal(post("/empty", mq_span_text("x")), MQ_OK);
    assert_int_equal(answer.http_status, 202);
    assert_int_equal(answer.retry_after_s, 0);
    assert_int_equal(post("/bad", mq_span_text("x")), MQ_OK);
    assert_int_equal(answer.http_status, 400);
    assert_reply("why");
    assert_int_equal(post("/proxy", mq_span_text("x")), MQ_OK);
    assert_int_equal(answer.http_status, 502);
    assert_int_equal(reply.size, 0);
    assert_int_equal(post("/large", mq_span_text("x")), MQ_REFUSED);
    assert_int_equal(answer.outcome, MQ_COURIER_TOO_LARGE);
    assert_int_equal(post("/echo", mq_span_text("and still here")), MQ_OK);
    assert_reply("and still here");
}

/* A reply larger than the caller's own buffer is dropped whole, and the next one is found. */
static void bears_small_buffers(void **state)
{
    (void)state;
    struct mq_courier_request request = {.path = "/echo", .body = mq_span_text("twelve bytes"), .timeout_ms = 20000};
    uint8_t memory[11];
    struct mq_buffer small = mq_buffer(memory, sizeof memory);

    go(url, MQ_SPAN(pin));
    assert_int_equal(mq_courier_post(courier, &request, &small, &answer, &error), MQ_REFUSED);
    assert_int_equal(answer.outcome, MQ_COURIER_TOO_LARGE);
    assert_int_equal(small.size, 0);
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_OK);
    assert_reply("x");
}

/* Nobody there, or somebody who speaks no TLS: unreachable, and the same child tries anew next time. */
static void says_unreachable(void **state)
{
    (void)state;
    struct mq_address address = {.host = "127.0.0.1"};
    int descriptor = -1;
    char to[MQ_URL_MAX + 8];

    assert_int_equal(mq_listen(&descriptor, &address, &error), MQ_OK);
    snprintf(to, sizeof to, "https://127.0.0.1:%u", (unsigned)address.port);
    close(descriptor);
    go(to, MQ_SPAN(pin));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post("/echo", mq_span_text("x")), MQ_UNREACHABLE);
        assert_int_equal(answer.outcome, MQ_COURIER_UNREACHABLE);
        assert_int_equal(answer.bytes_up, 0);
    }
    start_plain();
    snprintf(to, sizeof to, "https%s", url + strlen("http"));
    go(to, MQ_SPAN(pin));
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_UNREACHABLE);
    assert_int_equal(answer.outcome, MQ_COURIER_UNREACHABLE);
    assert_int_equal(mq_http_counts(server).requests, 0);
    go(url, mq_span(NULL, 0)); /* as behind a proxy on this machine */
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_OK);
}

/* The server closed the kept connection meanwhile: a new one is made, nothing is said. */
static void connects_again(void **state)
{
    (void)state;
    struct mq_http_options options = mq_http_defaults();

    mq_http_stop(server);
    options.deadlines.idle_ms = 200;
    start_server(options);
    go(url, MQ_SPAN(pin));
    assert_int_equal(post("/echo", mq_span_text("a")), MQ_OK);
    kit_sleep(600);
    assert_int_equal(post("/echo", mq_span_text("b")), MQ_OK);
    assert_reply("b");
    assert_int_equal(mq_http_counts(server).connections.accepted, 2);
}

/* The time for a post is absolute: a server that thinks too long is left, with its child. */
static void gives_up_in_time(void **state)
{
    (void)state;
    go(url, MQ_SPAN(pin));
    int64_t begin = mq_clock_ms();
    assert_int_equal(post_within("/slow", mq_span_text("x"), 300), MQ_UNREACHABLE);
    assert_int_equal(answer.outcome, MQ_COURIER_CUT);
    assert_true(mq_clock_ms() - begin >= 300 && mq_clock_ms() - begin < SLOW_MS - 200);
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_UNREACHABLE);
    go(url, MQ_SPAN(pin));
    assert_int_equal(post_within("/slow", mq_span_text("x"), 3 * SLOW_MS), MQ_OK);
    assert_reply("late");
}

/* Answers one plain request with these bytes, whatever it says, and closes; the exit code is 0 where the request had
 * `request_bytes` bytes. */
static pid_t answer_once(const char *bytes, uint16_t *port, size_t body_size)
{
    struct mq_address address = {.host = "127.0.0.1"};
    int listener = -1, pipes[2];

    assert_int_equal(mq_listen(&listener, &address, &error), MQ_OK);
    assert_int_equal(pipe(pipes), 0);
    *port = address.port;
    pid_t child = fork();
    if (child != 0) {
        close(listener);
        close(pipes[0]);
        close(pipes[1]);
        return child;
    }
    struct pollfd one = {.fd = listener, .events = POLLIN};
    poll(&one, 1, 5000);
    int client = accept(listener, NULL, NULL);
    char request[4096];
    size_t size = 0;
    while (size < sizeof request - 1) {
        ssize_t got = recv(client, request + size, sizeof request - 1 - size, 0);
        if (got <= 0)
            _exit(255);
        size += (size_t)got;
        request[size] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        if (end != NULL && size == (size_t)(end - request) + 4 + body_size)
            break;
    }
    kit_send(client, mq_span_text(bytes));
    _exit(size > 254 ? 255 : (int)size);
}

/* What goes over the wire is what is counted, and a cut reply's front is handed on. */
static void counts_and_cuts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum mq_courier_outcome outcome;
        const char *body;
    } replies[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: " OURS "\r\nContent-Length: 4\r\n\r\nbody", MQ_COURIER_ANSWERED, "body"},
        {"HTTP/1.1 200 OK\r\nContent-Type: " OURS "\r\nContent-Length: 9\r\n\r\nbody", MQ_COURIER_CUT, "body"},
        {"HTTP/1.1 200 OK\r\nContent-Type: " OURS, MQ_COURIER_CUT, ""},
        {"", MQ_COURIER_CUT, ""},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/x-minqingling\r\nContent-Length: 4\r\n\r\nbody",
         MQ_COURIER_NOT_OURS, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", MQ_COURIER_NOT_OURS, ""},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", MQ_COURIER_NOT_OURS, ""},
        {"nonsense", MQ_COURIER_CUT, ""},
    };
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        uint16_t port = 0;
        char to[MQ_URL_MAX];
        int status = -1;
        mq_error_clear(&error);
        pid_t child = answer_once(replies[i].bytes, &port, 5);
        snprintf(to, sizeof to, "http://127.0.0.1:%u/base/", (unsigned)port);
        go(to, mq_span(NULL, 0));
        post("/v1/x", mq_span_text("hello"));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (answer.outcome != replies[i].outcome)
            fail_msg("outcome %d for: %s", (int)answer.outcome, replies[i].bytes);
        assert_int_equal(answer.bytes_up, WEXITSTATUS(status));
        assert_reply(replies[i].body);
        if (i == 0)
            assert_int_equal(answer.bytes_down, strlen(replies[i].bytes));
    }
}

/* Runs the program by hand: what it prints is dropped; its exit code. */
static int run_by_hand(struct mq_span input, const char *argument)
{
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(pipes[0], STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        close(pipes[1]);
        setenv("http_proxy", "http://127.0.0.1:1", 1);
        execl(program, "minqing-courier", argument, (char *)NULL);
        _exit(99);
    }
    close(pipes[0]);
    assert_int_equal(write(pipes[1], input.data, input.size), input.size);
    close(pipes[1]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* It runs for nobody whom it cannot pin, and refuses what it does not understand. */
static void refuses_to_run(void **state)
{
    (void)state;
#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PIN "PIN sha256//" A43 "=\n\n"
#define TEXT(text) mq_span(text, sizeof text - 1)
    static const char *const refused[] = {
        "POST-BASE https://127.0.0.1:1\n\n", "POST-BASE https://127.0.0.1:1\nPIN \n\n",
        "POST-BASE https://127.0.0.1:1\nPIN sha256//\n\n", "POST-BASE https://127.0.0.1:1\nPIN sha256//" A43 "\n\n",
        "POST-BASE https://127.0.0.1:1\nPIN sha256//" A43 "==\n\n",
        "POST-BASE https://127.0.0.1:1\nPIN sha256//" A43 "A\n\n",
        "POST-BASE https://127.0.0.1:1\nPIN sha256//" A43 "=;\n\n", "POST-BASE https://127.0.0.1:1\nPIN /etc/hosts\n\n",
        "POST-BASE http://192.0.2.1:1\n\n", "POST-BASE http://192.0.2.1:1\n" PIN, "POST-BASE http://localhost:1\n\n",
        "POST-BASE http://127.0.0.1.example.org:1\n\n", "POST-BASE http://127.0.0.1@192.0.2.1:1\n\n",
        "POST-BASE http://[::2]:1\n\n", "POST-BASE http://127.0.0.1:1\n" PIN, "POST-BASE ftp://127.0.0.1:1\n\n",
        "POST-BASE file:///etc/hosts\n\n", "POST-BASE https://a:b@127.0.0.1:1\n" PIN,
        "POST-BASE https://127.0.0.1:1?q\n" PIN,
        "POST-BASE https://127.0.0.1:1#f\n" PIN, "POST-BASE https://\n" PIN, "POST-BASE 127.0.0.1:1\n" PIN,
        "POST-BASE \n" PIN,
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        int code = run_by_hand(mq_span_text(refused[i]), NULL);
        if (code != 1)
            fail_msg("ended with %d: %s", code, refused[i]);
    }
    assert_int_equal(run_by_hand(TEXT(""), NULL), 2);
    assert_int_equal(run_by_hand(TEXT("GET /\n\n"), NULL), 2);
    assert_int_equal(run_by_hand(TEXT("POST-BASE https://127.0.0.1:1\nPINS x\n\n"), NULL), 2);
    assert_int_equal(run_by_hand(TEXT("POST-BASE https://127.0.0.1:1\n" "PIN sha256//" A43 "=\nmore\n"), NULL), 2);
    assert_int_equal(run_by_hand(TEXT("POST-BASE https://127.0.0.1:1\n" PIN), "--help"), 2);
    assert_int_equal(run_by_hand(TEXT("POST-BASE https://127.0.0.1:1\n" PIN), NULL), 0);
    assert_int_equal(run_by_hand(TEXT("POST-BASE http://127.0.0.1:1/\n\n" "\2/a\0\0\0\0"), NULL), 0);
    assert_int_equal(run_by_hand(TEXT("POST-BASE http://[::1]:1/\n\n"), NULL), 0);
    assert_int_equal(run_by_hand(TEXT("POST-BASE http://127.0.0.1:1\n\n" "\2a/\0\0\0\0"), NULL), 2);
    assert_int_equal(run_by_hand(TEXT("POST-BASE http://127.0.0.1:1\n\n" "\2/a\0\0\0\2x"), NULL), 2);
    assert_int_equal(run_by_hand(TEXT("POST-BASE http://127.0.0.1:1\n\n" "\2/a\1\0\0\0"), NULL), 2);
}

/* A caller hears in words why its child did not work. */
static void says_why_it_does_not_start(void **state)
{
    (void)state;
    uint8_t short_pin[31] = {0};
    struct mq_courier *none = NULL;

    assert_int_equal(mq_courier_start(&none, "/nowhere/minqing-courier", url, MQ_SPAN(pin), &error), MQ_FAULT);
    assert_null(none);
    assert_non_null(strstr(error.text, "/nowhere/minqing-courier"));
    mq_error_clear(&error);
    assert_int_equal(mq_courier_start(&none, program, url, MQ_SPAN(short_pin), &error), MQ_REFUSED);
    mq_error_clear(&error);
    assert_int_equal(mq_courier_start(&none, program, "https://a\nPIN sha256//", MQ_SPAN(pin), &error), MQ_REFUSED);
    assert_null(none);

    go("http://192.0.2.1", mq_span(NULL, 0));
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_REFUSED);
    assert_non_null(strstr(error.text, "https://"));

    const char *real = program;
    program = "/bin/cat"; /* says back what it hears */
    go(url, MQ_SPAN(pin));
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_FAULT);
    program = "/bin/true";
    go(url, MQ_SPAN(pin));
    assert_int_equal(post("/echo", mq_span_text("x")), MQ_FAULT);
    program = real;
}

/* A caller that is killed in mid-request takes the child along, though the server stays silent for ever. */
static void does_not_outlive_its_caller(void **state)
{
    (void)state;
    struct mq_address address = {.host = "127.0.0.1"};
    int silent = -1, status = -1;
    char to[MQ_URL_MAX];

    assert_int_equal(mq_listen(&silent, &address, &error), MQ_OK); /* connected by the system, never accepted */
    snprintf(to, sizeof to, "http://127.0.0.1:%u", (unsigned)address.port);
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    pid_t caller = fork();
    if (caller == 0) {
        go(to, mq_span(NULL, 0));
        post_within("/", mq_span_text("x"), 60000);
        _exit(1);
    }
    kit_sleep(500);
    kill(caller, SIGKILL);
    assert_int_equal(waitpid(caller, &status, 0), caller);
    assert_true(WIFSIGNALED(status));
    pid_t orphan = 0;
    for (int i = 0; i < 500 && orphan == 0; i++) {
        kit_sleep(10);
        orphan = waitpid(-1, &status, WNOHANG);
    }
    assert_true(orphan > 0);
    assert_true(WIFEXITED(status));
    close(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exchanges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_the_server_by_its_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dates_and_names_do_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_replies_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bears_small_buffers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_unreachable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connects_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_up_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_and_cuts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_to_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_why_it_does_not_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_not_outlive_its_caller, set_up, tear_down),
    };
    program = getenv("MQ_COURIER") != NULL ? getenv("MQ_COURIER") : "build/minqing-courier";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
