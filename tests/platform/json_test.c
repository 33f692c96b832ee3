/* Aim: what JSON is taken and what is refused at the edge, and that what we write reads back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/json.h"

static struct mq_json *parse(const char *text)
{
    struct mq_error error = {0};
    struct mq_json *value;
    if (mq_json_parse(&value, mq_span_text(text), &error) != MQ_OK)
        fail_msg("%s: %s", text, error.text);
    return value;
}

static void refuse_span(struct mq_span text)
{
    struct mq_error error = {0};
    struct mq_json *value = NULL;
    if (mq_json_parse(&value, text, &error) != MQ_REFUSED)
        fail_msg("taken: %.*s", (int)text.size, (const char *)text.data);
    assert_null(value);
    assert_int_equal(error.status, MQ_REFUSED);
    assert_true(strlen(error.text) > 10);
}

/* Every type is read, keys come in the order of the text, missing ones are NULL. */
static void reads_every_type(void **state)
{
    (void)state;
    struct mq_json *whole = parse("{\"z\":\"水\\u7ba1\\n\",\"a\":-9223372036854775808,\"m\":[true,false,null,1.5],"
                                  "\"b\":{}}");
    assert_int_equal(mq_json_type(whole), MQ_JSON_OBJECT);
    assert_int_equal(mq_json_size(whole), 4);
    assert_true(mq_span_equal(mq_json_string(mq_json_get(whole, "z")), mq_span_text("水管\n")));
    assert_true(mq_json_integer(mq_json_get(whole, "a")) == INT64_MIN);
    const struct mq_json *list = mq_json_get(whole, "m");
    assert_int_equal(mq_json_type(list), MQ_JSON_ARRAY);
    assert_int_equal(mq_json_size(list), 4);
    assert_true(mq_json_bool(mq_json_item(list, 0)));
    assert_false(mq_json_bool(mq_json_item(list, 1)));
    assert_int_equal(mq_json_type(mq_json_item(list, 2)), MQ_JSON_NULL);
    assert_int_equal(mq_json_type(mq_json_item(list, 3)), MQ_JSON_REAL);
    assert_null(mq_json_get(whole, "none"));

    char order[8] = "";
    void *iterator = NULL;
    const char *key;
    const struct mq_json *value;
    while (mq_json_each(whole, &iterator, &key, &value)) {
        assert_ptr_equal(value, mq_json_get(whole, key));
        memcpy(order + strlen(order), key, 2);
    }
    assert_string_equal(order, "zamb");
    mq_json_free(whole);
    mq_json_free(NULL);
}

/* Cut, malformed, doubled, too deep, too big, badly coded input, or more than one value, is refused with words. */
static void refuses_the_rest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "{\"a\":1",
        "[1,",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "01",
        "1.",
        "+1",
        "\"ab",
        "\"a\nb\"",
        "1 2",
        "{} {}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "\"\\ud800\"",
        "\"\\x\"",
        "9223372036854775808",
        "-9223372036854775809",
        "1e999",
        "NaN",
        "Infinity",
        "// x\n1",
        "\xef\xbb\xbf{}",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe6\xb0\"",
        "\"\x80\"",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse_span(mq_span_text(bad[i]));
    refuse_span(mq_span("\"a\0b\"", 5));
    refuse_span(mq_span("1\0", 2));
    refuse_span(mq_span("{}\0{", 4));
}

/* Sixteen levels are taken, seventeen and a hundred thousand are not; brackets in strings do not count. */
static void depth_is_bounded(void **state)
{
    (void)state;
    mq_json_free(parse("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"));
    mq_json_free(parse("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\"]"));
    refuse_span(mq_span_text("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"));
    enum { MANY = 100000 };
    char *deep = malloc(MANY);
    memset(deep, '[', MANY);
    refuse_span(mq_span(deep, MANY));
    free(deep);
}

/* Objects and lists with commas in the right places. */
static void writes_structure(void **state)
{
    (void)state;
    uint8_t memory[400];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    const uint8_t bytes[] = {0x00, 0xab, 0xff};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "n");
    mq_json_int_value(&writer, INT64_MIN);
    mq_json_key(&writer, "list");
    mq_json_begin(&writer, '[');
    mq_json_bool_value(&writer, true);
    mq_json_null_value(&writer);
    mq_json_begin(&writer, '{');
    mq_json_end(&writer, '}');
    mq_json_hex_value(&writer, MQ_SPAN(bytes));
    mq_json_end(&writer, ']');
    mq_json_key(&writer, "t");
    mq_json_text_value(&writer, "路灯 <b>");
    mq_json_end(&writer, '}');
    assert_false(out.failed);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("{\"n\":-9223372036854775808,\"list\":[true,null,{},"
                                                             "\"00abff\"],"
                                                             "\"t\":\"路灯 <b>\"}")));
}

/* Any text of valid characters comes back byte for byte, and what does not fit is told. */
static void strings_come_back(void **state)
{
    (void)state;
    const char *wish = getenv("MQ_SEED");
    unsigned seed = wish == NULL ? 20261123u : (unsigned)strtoul(wish, NULL, 10);
    print_message("MQ_SEED=%u\n", seed);
    srandom(seed);
    static const char *const parts[] = {
        "a", "\"", "\\", "\n", "\t", "\r", "\b", "\001", "\037", "\177", "\xc2\x9b", "\xc2\xa0", "水", "\xf0\x9f\x9a\xb0", "\xe2\x80\xa8",
        "/", "<",  "é"};
    for (int round = 0; round < 2000; round++) {
        char text[256] = "";
        for (long left = random() % 40; left > 0; left--) {
            const char *part = parts[(size_t)random() % (sizeof parts / sizeof parts[0])];
            memcpy(text + strlen(text), part, strlen(part) + 1);
        }
        uint8_t memory[1600];
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        mq_json_put_string(&out, mq_span_text(text));
        assert_false(out.failed);
        struct mq_error error = {0};
        struct mq_json *value;
        if (mq_json_parse(&value, mq_written(&out), &error) != MQ_OK)
            fail_msg("%s", error.text);
        assert_true(mq_span_equal(mq_json_string(value), mq_span_text(text)));
        mq_json_free(value);
        struct mq_buffer small = mq_buffer(memory, out.size - 1);
        mq_json_put_string(&small, mq_span_text(text));
        assert_true(small.failed);
    }
}

/* What would steer a terminal is written as an escape: C0, DEL and C1; the next character after C1 stands as it is. */
static void controls_are_escaped(void **state)
{
    (void)state;
    uint8_t memory[100];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    mq_json_put_string(&out, mq_span_text("\033[2J\177\xc2\x80\xc2\x9b"
                                          "2J\xc2\x9f\xc2\xa0\xc3\x9b水"));
    assert_true(mq_span_equal(mq_written(&out),
                              mq_span_text("\"\\u001b[2J\\u007f\\u0080\\u009b2J\\u009f\xc2\xa0\xc3\x9b水\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type), cmocka_unit_test(refuses_the_rest),  cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(writes_structure), cmocka_unit_test(strings_come_back),
        cmocka_unit_test(controls_are_escaped),
    };
    return cmocka_run_group_tests_name("platform/json", tests, NULL, NULL);
}
