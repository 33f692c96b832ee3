/* Aim: nobody can hold the listener up: whatever drips, in whatever phase, is cut at a deadline that bytes do not move.
 * Real sockets on loopback; the deadlines are short, so that the test is. */
#include "platform/tls_key.h"
#include "tests/platform/http_kit.h"

static void assert_near(int64_t took_ms, int64_t wanted_ms)
{
    if (took_ms < wanted_ms - 50 || took_ms > wanted_ms + 600)
        fail_msg("cut after %d ms, wanted %d", (int)took_ms, (int)wanted_ms);
}

/* Bytes that drip do not move the head's deadline, whatever they are. */
static void cuts_slow_heads(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.deadlines.head_ms = 400;
    start(&with);
    const struct mq_span drips[] = {TEXT("x"), TEXT("X-Probe: a\r\n"), TEXT("")};
    for (size_t i = 0; i < 3; i++) {
        int client = kit_connect(port, 0);
        assert_true(kit_send(client, i < 2 ? TEXT(GET) : TEXT("")));
        assert_near(kit_drip(client, drips[i], 50, 3000), 400);
        close(client);
    }
    SOON(mq_http_counts(http).connections.now == 0);
    assert_int_equal(mq_http_counts(http).connections.cut, 3);
    assert_int_equal(seen.calls, 0);
}

/* The head of a kept connection's next request has its own deadline. */
static void cuts_slow_second_heads(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.deadlines.head_ms = 400;
    start(&with);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(GET "\r\n")));
    assert_false(kit_read(client, reply, sizeof reply, 600)); /* idle longer than head_ms: idle_ms counts */
    assert_int_equal(kit_status(reply), 200);
    assert_true(kit_send(client, TEXT(GET)));
    assert_near(kit_drip(client, TEXT("x"), 50, 3000), 400);
    close(client);
}

/* A body must come at the least rate; one that does may take longer than the first allowance, one that does not
 * is cut. */
static void cuts_slow_bodies(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.deadlines.body_ms = 400;
    start(&with);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(POST("900"))));
    assert_near(kit_drip(client, TEXT("x"), 50, 3000), 400);
    close(client);

    static char tenth[90];
    memset(tenth, 'y', sizeof tenth);
    client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(POST("900"))));
    for (int i = 0; i < 10; i++) {
        kit_sleep(70);
        assert_true(kit_send(client, mq_span(tenth, sizeof tenth)));
    }
    assert_false(kit_read(client, reply, sizeof reply, 200));
    close(client);
    assert_int_equal(kit_status(reply), 200);
    assert_int_equal(seen.calls, 1);
}

/* However well it comes, a request has an end. */
static void cuts_endless_requests(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.request_max = 1000 * 1000;
    with.deadlines.whole_ms = 500;
    start(&with);
    static char part[500];
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(POST("999999"))));
    assert_near(kit_drip(client, mq_span(part, sizeof part), 50, 3000), 500);
    close(client);
}

/* Whoever does not take the reply is cut. */
static void cuts_slow_readers(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.reply_max = 32 * 1024 * 1024;
    with.deadlines.reply_ms = 300;
    with.deadlines.rate = 100 * 1000 * 1000;
    start(&with);
    reply_size = 30 * 1024 * 1024;
    int client = kit_connect(port, 4096);
    assert_true(kit_send(client, TEXT(GET "\r\n")));
    SOON(mq_http_counts(http).connections.cut == 1);
    SOON(mq_http_counts(http).connections.now == 0);
    close(client);
}

/* A connection without a request is given back. */
static void cuts_idle_connections(void **state)
{
    (void)state;
    struct mq_http_options with = options();
    with.deadlines.idle_ms = 500;
    start(&with);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT(GET "\r\n")));
    assert_false(kit_read(client, reply, sizeof reply, 100));
    assert_int_equal(kit_status(reply), 200);
    assert_near(kit_drip(client, TEXT(""), 50, 3000) + 100, 500);
    close(client);
}

static void with_tls(struct mq_http_options *with, struct mq_buffer *key, struct mq_buffer *certificate)
{
    assert_int_equal(mq_tls_make(key, certificate, "minqing", &error), MQ_OK);
    with->certificate_pem = mq_written(certificate);
    with->key_pem = mq_written(key);
}

/* A TLS handshake that drips is cut like a head; plain text on a TLS port gets nowhere. */
static void cuts_slow_handshakes(void **state)
{
    (void)state;
    uint8_t key_memory[MQ_TLS_PEM_MAX], certificate_memory[MQ_TLS_PEM_MAX];
    struct mq_buffer key = mq_buffer(key_memory, sizeof key_memory);
    struct mq_buffer certificate = mq_buffer(certificate_memory, sizeof certificate_memory);
    struct mq_http_options with = options();
    with.deadlines.head_ms = 400;
    with_tls(&with, &key, &certificate);
    start(&with);
    int client = kit_connect(port, 0);
    assert_true(kit_send(client, TEXT("\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03")));
    assert_near(kit_drip(client, TEXT("x"), 50, 3000), 400);
    close(client);
    client = kit_connect(port, 0);
    assert_near(kit_drip(client, TEXT(""), 50, 3000), 400);
    close(client);
    assert_int_equal(ask(TEXT(GET "\r\n")), 0);
    assert_int_equal(seen.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(cuts_slow_heads, stop),
        cmocka_unit_test_teardown(cuts_slow_second_heads, stop),
        cmocka_unit_test_teardown(cuts_slow_bodies, stop),
        cmocka_unit_test_teardown(cuts_endless_requests, stop),
        cmocka_unit_test_teardown(cuts_slow_readers, stop),
        cmocka_unit_test_teardown(cuts_idle_connections, stop),
        cmocka_unit_test_teardown(cuts_slow_handshakes, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
