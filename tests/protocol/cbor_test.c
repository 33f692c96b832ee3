/* Aim: the CBOR subset has one encoding for a value, all of it is accepted, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cbor.h>
#include <cmocka.h>

#include "tests/protocol/cbor_model.h"
#include "tests/protocol/cbor_walk.h"
#include "tests/protocol/chance.h"
#include "tests/protocol/vectors.h"

#define RANDOM_ITEMS 20000
#define ITEM_SIZE_MAX 4096

/* Every line of the vectors is accepted or refused as it says; what is accepted reads and writes as itself. */
static void vectors_hold(void **state)
{
    FILE *file = vectors_open("cbor.txt");
    uint8_t memory[VECTOR_SIZE_MAX];
    struct vector vector;
    int got, accepted = 0, refused = 0;

    (void)state;
    assert_non_null(file);
    while ((got = vectors_next(file, &vector)) == 1) {
        bool accept = strcmp(vector.name, "accept") == 0;
        struct mq_span bytes = mq_span(vector.bytes, vector.size);
        if (mq_cbor_valid(bytes) != accept)
            fail_msg("%s: item %d of its kind", vector.name, accept ? accepted : refused);
        if (accept)
            assert_true(cbor_walks_to_itself(bytes, memory));
        *(accept ? &accepted : &refused) += 1;
    }
    fclose(file);
    assert_int_equal(got, 0);
    assert_true(accepted > 40 && refused > 40);
    assert_false(mq_cbor_valid(mq_span(NULL, 0)));
}

static void compare_with_model(const uint8_t *bytes, size_t size)
{
    bool valid = mq_cbor_valid(mq_span(bytes, size));
    uint8_t memory[ITEM_SIZE_MAX];

    if (valid != (model_item(bytes, size, MQ_CBOR_DEPTH_MAX) == size))
        fail_msg("%zu bytes beginning %02x %02x %02x: we say %d", size, bytes[0], size > 1 ? bytes[1] : 0u,
                 size > 2 ? bytes[2] : 0u, valid);
    if (valid && !cbor_walks_to_itself(mq_span(bytes, size), memory))
        fail_msg("%zu bytes beginning %02x do not walk to themselves", size, bytes[0]);
}

/* All inputs of one, two and three bytes: judged as the naive model does, and written again with equal bytes. */
static void short_inputs_exhaustively(void **state)
{
    (void)state;
    for (uint32_t size = 1; size <= 3; size++)
        for (uint32_t i = 0; i < (uint32_t)1 << 8 * size; i++) {
            const uint8_t bytes[3] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
            compare_with_model(bytes, size);
        }
}

static void put_random_text(struct mq_buffer *out, struct chance *chance)
{
    static const char *const words[] = {"", "a", "村", "民情", "\xf0\x9f\x8c\xbe", "99", "zz", "\xc3\xbc"};
    char text[64] = "";
    struct mq_buffer buffer = mq_buffer(text, sizeof text);

    for (size_t n = chance_below(chance, 6); n > 0; n--)
        mq_put_text(&buffer, words[chance_below(chance, sizeof words / sizeof *words)]);
    mq_cbor_put_text(out, mq_written(&buffer));
}

/* What may be a key: integers of every width, and strings. */
static void put_random_key(struct mq_buffer *out, struct chance *chance)
{
    uint64_t number = chance_u64(chance) >> chance_below(chance, 64);
    uint8_t bytes[40];

    switch (chance_below(chance, 4)) {
    case 0:
        mq_cbor_put_uint(out, number);
        break;
    case 1:
        mq_cbor_put_int(out, -1 - (int64_t)(number >> 1));
        break;
    case 2:
        chance_fill(chance, bytes, sizeof bytes);
        mq_cbor_put_bytes(out, mq_span(bytes, chance_below(chance, sizeof bytes)));
        break;
    default: /* tidy: not an enum */
        put_random_text(out, chance);
    }
}

static int order_of_keys(const void *a, const void *b)
{
    const struct mq_span *left = a, *right = b;

    return mq_span_order(*left, *right);
}

static void put_random(struct mq_buffer *out, struct chance *chance, int depth);

static void put_random_map(struct mq_buffer *out, struct chance *chance, int depth)
{
    struct mq_span keys[8];
    uint8_t memory[8][64];
    size_t drawn = chance_below(chance, 8), count = 0;

    for (size_t i = 0; i < drawn; i++) {
        struct mq_buffer key = mq_buffer(memory[i], sizeof memory[i]);
        put_random_key(&key, chance);
        keys[i] = mq_written(&key);
    }
    if (drawn > 0)
        qsort(keys, drawn, sizeof *keys, order_of_keys);
    for (size_t i = 0; i < drawn; i++)
        if (count == 0 || !mq_span_equal(keys[count - 1], keys[i]))
            keys[count++] = keys[i];
    mq_cbor_put_map(out, count);
    for (size_t i = 0; i < count; i++) {
        mq_put_span(out, keys[i]);
        put_random(out, chance, depth - 1);
    }
}

/* A random valid item with at most `depth` containers inside one another. */
static void put_random(struct mq_buffer *out, struct chance *chance, int depth)
{
    static const uint8_t id[MQ_ID_SIZE] = {0x99};
    size_t items;

    switch (chance_below(chance, depth > 0 ? 9 : 6)) {
    case 0:
    case 1:
    case 2:
        put_random_key(out, chance);
        break;
    case 3:
        mq_cbor_put_bool(out, chance_below(chance, 2) == 1);
        break;
    case 4:
        mq_cbor_put_null(out);
        break;
    case 5:
        mq_cbor_put_reference(out);
        if (chance_below(chance, 2) == 0)
            mq_cbor_put_uint(out, chance_below(chance, 5000));
        else
            mq_cbor_put_bytes(out, MQ_SPAN(id));
        break;
    case 6:
        put_random_map(out, chance, depth);
        break;
    default: /* tidy: not an enum */
        items = chance_below(chance, 5);
        mq_cbor_put_array(out, items);
        for (; items > 0; items--)
            put_random(out, chance, depth - 1);
    }
}

/* libcbor reads what we write, to the last byte, and writes the same bytes. It refuses tag 6 as unassigned, so it gets
 * tag 5 in those places. */
static void assert_libcbor_agrees(struct mq_span encoded)
{
    struct mq_reader reader = mq_reader(encoded);
    uint8_t copy[ITEM_SIZE_MAX];
    struct cbor_load_result result;
    unsigned char *again = NULL;
    size_t capacity = 0;

    memcpy(copy, encoded.data, encoded.size);
    while (mq_left(&reader) > 0) {
        size_t at = reader.at;
        if (mq_cbor_next(&reader).type == MQ_CBOR_REFERENCE)
            copy[at] = 0xc5;
    }
    cbor_item_t *item = cbor_load(copy, encoded.size, &result);
    assert_non_null(item);
    assert_int_equal(result.read, encoded.size);
    assert_int_equal(cbor_serialize_alloc(item, &again, &capacity), encoded.size);
    assert_memory_equal(again, copy, encoded.size);
    free(again);
    cbor_decref(&item);
}

/* Random valid items are accepted and mean the same to libcbor; with any one byte changed, or cut anywhere, we still
 * judge as the model does. */
static void random_items(void **state)
{
    struct chance chance = chance_start("random_items");
    uint8_t memory[ITEM_SIZE_MAX];

    (void)state;
    for (int i = 0; i < RANDOM_ITEMS; i++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        put_random(&out, &chance, (int)chance_below(&chance, MQ_CBOR_DEPTH_MAX + 1));
        if (out.failed)
            continue;
        assert_true(mq_cbor_valid(mq_written(&out)));
        assert_libcbor_agrees(mq_written(&out));
        compare_with_model(memory, out.size);
        for (int j = 0; j < 10; j++) {
            size_t at = chance_below(&chance, out.size);
            uint8_t was = memory[at];
            memory[at] = (uint8_t)chance_u64(&chance);
            compare_with_model(memory, out.size);
            memory[at] = was;
            compare_with_model(memory, 1 + chance_below(&chance, out.size));
        }
    }
}

/* The typed readers give the value where it fits, and otherwise fail the reader and give nothing. */
static void typed_readers(void **state)
{
    uint8_t memory[128];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    mq_cbor_put_array(&out, 7);
    mq_cbor_put_uint(&out, UINT64_MAX);
    mq_cbor_put_int(&out, INT64_MIN);
    mq_cbor_put_int(&out, INT64_MAX);
    mq_cbor_put_map(&out, 1);
    mq_cbor_put_text(&out, mq_span_text("k"));
    mq_cbor_put_bytes(&out, mq_span_text("value"));
    mq_cbor_put_bool(&out, true);
    mq_cbor_put_reference(&out);
    mq_cbor_put_uint(&out, 9);
    mq_cbor_put_null(&out);
    assert_true(mq_cbor_valid(mq_written(&out)));

    struct mq_reader reader = mq_reader(mq_written(&out));
    assert_int_equal(mq_cbor_array(&reader, 7), 7);
    assert_true(mq_cbor_uint(&reader) == UINT64_MAX);
    assert_true(mq_cbor_int(&reader) == INT64_MIN);
    assert_true(mq_cbor_int(&reader) == INT64_MAX);
    assert_int_equal(mq_cbor_map(&reader, 1), 1);
    assert_true(mq_span_equal(mq_cbor_text(&reader, 1), mq_span_text("k")));
    assert_true(mq_span_equal(mq_cbor_bytes(&reader, 5), mq_span_text("value")));
    assert_int_equal(mq_cbor_next(&reader).type, MQ_CBOR_TRUE);
    assert_int_equal(mq_cbor_next(&reader).type, MQ_CBOR_REFERENCE);
    assert_int_equal(mq_cbor_uint(&reader), 9);
    assert_int_equal(mq_cbor_take(&reader).size, 1);
    assert_true(mq_reader_done(&reader));
}

/* Each typed reader refuses every other type and whatever is over its limit. */
static void typed_readers_refuse(void **state)
{
    static const char *const others[] = {"\x38\x18", "\x42zz", "\x62zz", "\x82\xf6\xf6", "\xa2\x01\xf6\x02\xf6", "\xf6",
                                         "\xc6\x01"};
    static const uint8_t above_int64[] = {0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0}, below[] = {0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct mq_span item = mq_span_text(others[i]);
        struct mq_reader r[8];
        for (size_t j = 0; j < 8; j++)
            r[j] = mq_reader(item);
        (void)mq_cbor_uint(&r[0]);
        assert_true(r[0].failed);
        (void)mq_cbor_int(&r[1]);
        assert_int_equal(r[1].failed, i != 0);
        (void)mq_cbor_bytes(&r[2], 2);
        assert_int_equal(r[2].failed, i != 1);
        (void)mq_cbor_text(&r[3], 2);
        assert_int_equal(r[3].failed, i != 2);
        (void)mq_cbor_array(&r[4], 2);
        assert_int_equal(r[4].failed, i != 3);
        (void)mq_cbor_map(&r[5], 2);
        assert_int_equal(r[5].failed, i != 4);
        assert_int_equal(mq_cbor_bytes(&r[6], 1).size + mq_cbor_text(&r[6], 1).size, 0);
        assert_true(r[6].failed);
        assert_int_equal(mq_cbor_array(&r[7], 1) + mq_cbor_map(&r[7], 1), 0);
        assert_true(r[7].failed);
    }
    struct mq_reader above = mq_reader(MQ_SPAN(above_int64)), under = mq_reader(MQ_SPAN(below));
    assert_true(mq_cbor_int(&above) == 0 && above.failed);
    assert_true(mq_cbor_int(&under) == 0 && under.failed);
}

/* Taking a whole item stops at its end, needs no recursion however deep it is, and fails on what is cut. */
static void take_is_bounded(void **state)
{
    static uint8_t deep[1 << 20];
    struct mq_reader reader;

    (void)state;
    memset(deep, 0x81, sizeof deep);
    deep[sizeof deep - 1] = 0x00;
    reader = mq_reader(MQ_SPAN(deep));
    assert_int_equal(mq_cbor_take(&reader).size, sizeof deep);
    assert_true(mq_reader_done(&reader));
    assert_false(mq_cbor_valid(MQ_SPAN(deep)));
    reader = mq_reader(mq_span(deep, sizeof deep - 1));
    assert_int_equal(mq_cbor_take(&reader).size, 0);
    assert_true(reader.failed);
    reader = mq_reader(mq_span_text("\x82\x81\x01"));
    assert_int_equal(mq_cbor_take(&reader).size, 0);
    assert_true(reader.failed);
    reader = mq_reader(mq_span_text("\x82\x01\x02\x03"));
    assert_int_equal(mq_cbor_take(&reader).size, 3);
    assert_int_equal(mq_left(&reader), 1);
}

/* A count that the input cannot hold fails at the head, before anybody makes room for it. */
static void counts_are_bounded(void **state)
{
    struct mq_reader array = mq_reader(mq_span_text("\x83\x01\x02")), map = mq_reader(mq_span_text("\xa2\x01\x02\x03"));

    (void)state;
    assert_int_equal(mq_cbor_array(&array, 10), 0);
    assert_true(array.failed);
    assert_int_equal(mq_cbor_map(&map, 10), 0);
    assert_true(map.failed);
}

/* Judging takes time in proportion to the size, also for maps nested in maps with long keys. */
static void validity_is_linear(void **state)
{
    static uint8_t memory[1 << 20], key[60000];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    for (int depth = 0; depth < MQ_CBOR_DEPTH_MAX; depth++) {
        mq_cbor_put_map(&out, 2);
        mq_cbor_put_bytes(&out, MQ_SPAN(key));
        mq_cbor_put_null(&out);
        key[sizeof key - 1] = 1;
        mq_cbor_put_bytes(&out, MQ_SPAN(key));
        key[sizeof key - 1] = 0;
    }
    mq_cbor_put_null(&out);
    clock_t before = clock();
    assert_true(mq_cbor_valid(mq_written(&out)));
    assert_true(clock() - before < CLOCKS_PER_SEC / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),         cmocka_unit_test(short_inputs_exhaustively),
        cmocka_unit_test(random_items),         cmocka_unit_test(typed_readers),
        cmocka_unit_test(typed_readers_refuse), cmocka_unit_test(take_is_bounded),
        cmocka_unit_test(counts_are_bounded),
        cmocka_unit_test(validity_is_linear),
    };

    return cmocka_run_group_tests_name("protocol/cbor", tests, NULL, NULL);
}
