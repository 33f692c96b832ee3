/* Aim: whoever speaks properly is served, nobody slips a second meaning past the listener or fills it, and it stops.
 * Real sockets on loopback. How it bears slow clients: http_slow_test.c. */
#include <sys/wait.h>

#include "tests/platform/http_kit.h"

/* A proper request reaches the handler in its parts, and its reply comes back. */
static void serves(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    start(&with);
    assert_int_equal(ask(TEXT("POST /v1/x%00?a=b%20c HTTP/1.1\r\nHost: t\r\nX-Probe: p q\r\nContent-Type: text/x\r\n"
                              "Content-Length: 5\r\nConnection: close\r\n\r\nhello")),
                     200);
    assert_string_equal(seen.method, "POST");
    assert_string_equal(seen.path, "/v1/x%00");
    assert_string_equal(seen.query, "a=b%20c");
    assert_string_equal(seen.type, "text/x");
    assert_string_equal(seen.probe, "p q");
    assert_string_equal(seen.body, "hello");
    assert_non_null(strstr(reply, "\r\nContent-Type: text/x\r\n"));
    assert_non_null(strstr(reply, "\r\nX-Extra: yes\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\n/v1/x%00"));
    assert_int_equal(ask(TEXT(GET CLOSE)), 200);
    assert_string_equal(seen.probe, "(none)");
    assert_string_equal(seen.type, "");
    assert_string_equal(seen.query, "");
    assert_int_equal(ask(TEXT("HEAD /a HTTP/1.1\r\nHost: t\r\n" CLOSE)), 200);
    assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(ask(TEXT("GET /a HTTP/1.1\r\nHost:t\r\nX-Probe:  two\t\r\n" CLOSE)), 200);
    assert_int_equal(ask(TEXT("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n" CLOSE)), 200);
    assert_string_equal(seen.body, "");
    assert_int_equal(mq_http_counts(http).requests, 5);
}

/* A large head that comes in small pieces is as good as any: the check for gaps does not depend on how bytes arrive. */
static void serves_heads_in_pieces(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    start(&with);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(GET)));
    for (int i = 0; i < 100; i++) {
        char line[128];
        int size = snprintf(line, sizeof line, "X-Line-%d:%*s%0*d\r\n", i, i % 3, "", 1 + i % 90, i);
        assert_true(kit_send(client, mq_span(line, (size_t)size / 2)));
        kit_sleep(2);
        assert_true(kit_send(client, mq_span(line + size / 2, (size_t)(size - size / 2))));
    }
    assert_true(kit_send(client, TEXT(CLOSE)));
    assert_true(kit_read(client, reply, sizeof reply, 3000));
    assert_int_equal(kit_status(reply), 200);
    close(client);
}

/* One connection carries several requests. */
static void keeps_connections(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    start(&with);
    int client = kit_connect(port, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(kit_send(client, TEXT(POST("5") "hello")));
        assert_false(kit_read(client, reply, sizeof reply, 150));
        assert_int_equal(kit_status(reply), 200);
        assert_null(strstr(reply, "close"));
    }
    close(client);
    assert_int_equal(seen.calls, 3);
    assert_int_equal(mq_http_counts(http).connections.accepted, 1);
}

/* Each of these could mean two things, or is more than we take; the body is never waited for. */
static void refuses_heads(void **state)
{
    (void)state;
    static const char long_target[] = "%s%01100d HTTP/1.1\r\nHost: t\r\n" CLOSE;
    struct {
        int status;
        struct mq_span bytes;
    } bad[] = {
        {413, TEXT(POST("1001"))},
        {413, TEXT(POST("18446744073709551615"))},
        {413, TEXT(POST("99999999999999999999999"))},
        {400, TEXT(POST("5\r\nContent-Length: 6") "hello!")},
        {400, TEXT(POST("5\r\nContent-Length: 5") "hello")},
        {400, TEXT(POST("5\r\ncontent-length: 5") "hello")},
        {400, TEXT(POST("+5") "hello")},
        {400, TEXT(POST("5, 5") "hello")},
        {400, TEXT(POST("0x5") "hello")},
        {400, TEXT(POST("") "hello")},
        {400, TEXT(POST("5\r\nTransfer-Encoding: chunked") "0\r\n\r\n")},
        {400, TEXT(POST("5\r\nTransfer-Encoding: identity") "hello")},
        {411, TEXT("POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {411, TEXT("GET /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {411, TEXT("POST /a HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET /a HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")},
        {400, TEXT("GET /a HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n")},
        {400, TEXT("GET /a HTTP/1.1\r\n\r\n")},
        {405, TEXT("PUT /a HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")},
        {405, TEXT("FETCH /a HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET a HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET /\x01 HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET /\xe6\xb0\x91 HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET  /a HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET /a\0b HTTP/1.1\r\nHost: t\r\n\r\n")},
        {400, TEXT(GET "X-Probe: a\0b\r\n\r\n")},
        {400, TEXT(GET "X-Probe: a\0\r\n\r\n")},
        {400, TEXT(GET "X-Probe: a\r\nX-Last: b\0c\r\n\r\n")},
        {400, TEXT(GET "X-Pro\0be: a\r\n\r\n")},
        {400, TEXT("GET /a HTTP/1.1\r\nHost: t\0\r\nX-Probe: a\n\r\n")}, /* the two cancel out in length */
        {400, TEXT("GET /a HTTP/1.1\r\r\nHost: t\r\n\r\n")},
        {400, TEXT("GET /a HTTP/1.1\r\nHost: t\0x\n\n")},
        {400, TEXT("GET /a HTTP/1.1\r\nHost: t\n\0x\n")}, /* a line that hides behind the end */
        {400, TEXT(GET "X-Probe: a\x01\r\n\r\n")},
        {400, TEXT(GET "X-Probe: a\x7f\r\n\r\n")},
        {400, TEXT(GET "X-Probe: a\r\n b\r\n\r\n")},
        {400, TEXT(GET "X-Probe: a\nX-Other: b\r\n\r\n")},
        {400, TEXT(GET "X-Probe : a\r\n\r\n")},
        {400, TEXT(GET ": a\r\n\r\n")},
        {400, TEXT(GET "X-Probe\r\n\r\n")},
        {400, TEXT("GET /a HTTP/1.1\nHost: t\n\n")},
    };
    struct mq_http_options with = options();
    start(&with);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int status = ask(bad[i].bytes);
        if (status != bad[i].status)
            fail_msg("answered %d, wanted %d:\n%.*s", status, bad[i].status, (int)bad[i].bytes.size,
                     (const char *)bad[i].bytes.data);
    }
    static char large[MQ_HTTP_HEAD_MAX + 1000];
    int size = snprintf(large, sizeof large, long_target, "GET /", 1);
    assert_int_equal(ask(mq_span(large, (size_t)size)), 414);
    size = snprintf(large, sizeof large, GET "X-Probe: %016384d\r\n\r\n", 1);
    assert_int_equal(ask(mq_span(large, (size_t)size)), 431);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(ask(TEXT(GET CLOSE)), 200);
}

/* What is too large is refused also while the client goes on sending. */
static void refuses_large_bodies_in_mid_flight(void **state)
{
    (void)state;
    static char large[300 * 1024];
    struct mq_http_options with = options();
    start(&with);
    int head = snprintf(large, sizeof large, POST("307000"));
    memset(large + head, 'x', sizeof large - (size_t)head);
    int client = kit_connect(port, 0);
    kit_send(client, mq_span(large, sizeof large));
    assert_true(kit_read(client, reply, sizeof reply, 3000));
    close(client);
    assert_int_equal(kit_status(reply), 413);
    assert_int_equal(seen.calls, 0);
}

/* Over a limit: 503 with Retry-After, and nobody waits; once others have gone there is room again. */
static void answers_over_the_limits(void **state)
{
    (void)state;
    for (int by_address = 0; by_address < 2; by_address++) {
        struct mq_http_options with = options();
        with.connections = by_address ? 100 : 3;
        with.address_connections = by_address ? 3 : 0;
        start(&with);
        int clients[3];
        for (int i = 0; i < 3; i++)
            clients[i] = kit_connect(port, 0);
        SOON(mq_http_counts(http).connections.now == 3);
        assert_int_equal(ask(TEXT(POST("5") "hello")), 503);
        assert_non_null(strstr(reply, "\r\nRetry-After: 30\r\n"));
        assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
        assert_int_equal(seen.calls, 0);
        assert_true(kit_send(clients[0], TEXT(GET CLOSE)));
        assert_true(kit_read(clients[0], reply, sizeof reply, 3000));
        assert_int_equal(kit_status(reply), 200);
        SOON(mq_http_counts(http).connections.now == 2);
        assert_int_equal(ask(TEXT(GET CLOSE)), 200);
        assert_int_equal(mq_http_counts(http).connections.over, 1);
        assert_int_equal(mq_http_counts(http).refused, 1);
        for (int i = 0; i < 3; i++)
            close(clients[i]);
        stop(NULL);
    }
}

/* Bodies under way have a limit together, and a finished one makes room. */
static void answers_when_bodies_are_too_many(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.bodies_max = 1500;
    start(&with);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(POST("1000"))));
    SOON(mq_http_counts(http).connections.busy == 1);
    assert_int_equal(ask(TEXT(POST("501"))), 503);
    assert_non_null(strstr(reply, "\r\nRetry-After: "));
    close(client);
    SOON(mq_http_counts(http).connections.now == 0);
    assert_int_equal(ask(TEXT("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n" CLOSE "abc")), 200);
}

/* A reply that does not fit its buffer becomes a 500 without a body. */
static void says_when_a_reply_does_not_fit(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.reply_max = 10;
    start(&with);
    reply_size = 11;
    assert_int_equal(ask(TEXT(GET CLOSE)), 500);
    assert_non_null(strstr(reply, "\r\nContent-Length: 0\r\n"));
    reply_size = 10;
    assert_int_equal(ask(TEXT(GET CLOSE)), 200);
}

/* Clients that vanish do no harm. */
static void bears_clients_that_leave(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    start(&with);
    for (int i = 0; i < 50; i++) {
        int client = kit_connect(port, 0);
        struct linger at_once = {.l_onoff = 1};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        kit_send(client, i % 2 == 0 ? TEXT(GET "\r\n") : TEXT(POST("500") "begun"));
        close(client);
    }
    SOON(mq_http_counts(http).connections.now == 0);
    assert_int_equal(ask(TEXT(GET CLOSE)), 200);
}

/* Who holds the lock keeps the handler out: a main loop can work on what the handler works on. */
static void waits_for_the_lock(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct mq_http_options with = options();
    with.lock = &lock;
    start(&with);
    pthread_mutex_lock(&lock);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(GET CLOSE)));
    assert_false(kit_read(client, reply, sizeof reply, 200));
    assert_int_equal(seen.calls, 0);
    pthread_mutex_unlock(&lock);
    assert_true(kit_read(client, reply, sizeof reply, 3000));
    assert_int_equal(kit_status(reply), 200);
    close(client);
    stop(NULL);
    pthread_mutex_destroy(&lock);
}

/* Stopping is quick when idle, and takes its second when a request hangs; nobody is served afterwards. */
static void stops(void **state)
{
    (void)state;
    for (int hanging = 0; hanging < 2; hanging++) {
        struct mq_http_options with = options();
        start(&with);
        int idle = kit_connect(port, 0), hung = kit_connect(port, 0);
        assert_true(kit_send(hung, hanging ? TEXT(POST("500") "begun") : TEXT(GET)));
        SOON(mq_http_counts(http).connections.now == 2);
        SOON(mq_http_counts(http).connections.busy == (size_t)hanging);
        int64_t begin = mq_clock_ms();
        stop(NULL);
        int64_t took = mq_clock_ms() - begin;
        assert_true(took < (hanging ? MQ_HTTP_STOP_MS + 700 : 700));
        assert_true(!hanging || took >= MQ_HTTP_STOP_MS - 50);
        assert_int_equal(kit_connect(port, 0), -1);
        assert_true(kit_read(hung, reply, sizeof reply, 100));
        close(idle);
        close(hung);
    }
}

/* A request under way when the listener stops is still answered. */
static void finishes_before_it_stops(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.reply_max = 16 * 1024 * 1024;
    start(&with);
    reply_size = 12 * 1024 * 1024;
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(GET "\r\n")));
    SOON(mq_http_counts(http).requests == 1);
    pid_t reader = fork(); /* reads while the parent stops */
    if (reader == 0) {
        size_t got = 0;
        for (ssize_t part; (part = recv(client, reply, sizeof reply, 0)) > 0;)
            got += (size_t)part;
        _exit(got > reply_size ? 0 : 1);
    }
    stop(NULL);
    int status = -1;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    close(client);
}

/* Plain HTTP stays on this machine unless it is asked for; what cannot be is refused with words. */
static void refuses_what_cannot_be(void **state)
{
    (void)state;
    struct mq_http *other = NULL;
    struct mq_http_options with = options();
    copy(with.address.host, sizeof with.address.host, "0.0.0.0");
    assert_int_equal(mq_http_open(&other, &with, &error), MQ_REFUSED);
    assert_null(other);
    assert_non_null(strstr(error.text, "0.0.0.0"));
    with.plain = true;
    mq_error_clear(&error);
    start(&with);
    assert_int_equal(ask(TEXT(GET CLOSE)), 200);

    with.address.port = port; /* taken */
    assert_int_equal(mq_http_open(&other, &with, &error), MQ_REFUSED);
    mq_error_clear(&error);
    with.key_pem = mq_span_text("not a key");
    with.certificate_pem = mq_span_text("not a certificate");
    assert_int_equal(mq_http_open(&other, &with, &error), MQ_REFUSED);
    assert_non_null(strstr(error.text, "BEGIN CERTIFICATE"));
    assert_null(other);
}

/* IPv6 is served, where this machine has it. */
static void serves_ipv6(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    copy(with.address.host, sizeof with.address.host, "::1");
    mq_error_clear(&error);
    if (mq_http_open(&http, &with, &error) != MQ_OK)
        skip();
    assert_int_equal(mq_http_start(http, handle, &seen, &error), MQ_OK);
    char url[MQ_URL_MAX];
    mq_http_url(http, url);
    assert_int_equal(strncmp(url, "http://[::1]:", 13), 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t)strtol(url + 13, NULL, 10)),
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int client = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    assert_true(kit_send(client, TEXT(GET CLOSE)));
    assert_true(kit_read(client, reply, sizeof reply, 3000));
    assert_int_equal(kit_status(reply), 200);
    close(client);
}

/* Addresses are read as people write them, and nothing else is. */
static void reads_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool loopback;
    } good[] = {{"127.0.0.1:8420", "127.0.0.1", 8420, true}, {"[::1]:0", "::1", 0, true},
                {"0.0.0.0:65535", "0.0.0.0", 65535, false},  {"127.9.9.9:1", "127.9.9.9", 1, true},
                {"[::]:80", "::", 80, false}};
    static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:", ":80", "::1:80", "[127.0.0.1]:80", "[::1]80",
                                      "localhost:80", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:1 ", "1.2.3:4",
                                      "[::1:80", "127.0.0.1:999999999999"};
    struct mq_address address;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(mq_address_parse(&address, good[i].text, &error), MQ_OK);
        assert_string_equal(address.host, good[i].host);
        assert_int_equal(address.port, good[i].port);
        assert_int_equal(mq_address_is_loopback(&address), good[i].loopback);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mq_error_clear(&error);
        if (mq_address_parse(&address, bad[i], &error) != MQ_REFUSED)
            fail_msg("taken: %s", bad[i]);
    }
    mq_error_clear(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(serves, stop),
        cmocka_unit_test_teardown(serves_heads_in_pieces, stop),
        cmocka_unit_test_teardown(keeps_connections, stop),
        cmocka_unit_test_teardown(refuses_heads, stop),
        cmocka_unit_test_teardown(refuses_large_bodies_in_mid_flight, stop),
        cmocka_unit_test_teardown(answers_over_the_limits, stop),
        cmocka_unit_test_teardown(answers_when_bodies_are_too_many, stop),
        cmocka_unit_test_teardown(says_when_a_reply_does_not_fit, stop),
        cmocka_unit_test_teardown(bears_clients_that_leave, stop),
        cmocka_unit_test_teardown(waits_for_the_lock, stop),
        cmocka_unit_test_teardown(stops, stop),
        cmocka_unit_test_teardown(finishes_before_it_stops, stop),
        cmocka_unit_test_teardown(refuses_what_cannot_be, stop),
        cmocka_unit_test_teardown(serves_ipv6, stop),
        cmocka_unit_test(reads_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
