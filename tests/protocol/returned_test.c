/* Aim: pieces of a segment that comes back open for the county's desk alone, and a change that does not fit a segment is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/returned.h"
#include "tests/protocol/identities.h"

static struct people p;
static uint8_t segment[MQ_SEGMENT_MAX];

static int start(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    for (size_t i = 0; i < sizeof segment; i++)
        segment[i] = (uint8_t)(i * 7 + i / 251);
    return 0;
}

static struct mq_buffer room(uint8_t which)
{
    static uint8_t memory[2][MQ_CHANGE_MAX];
    return mq_buffer(memory[which], MQ_CHANGE_MAX);
}

/* The largest segment goes in two changes; the desk puts it together again, and its cadre opens none of it. */
static void pieces_make_the_whole(void **state)
{
    static uint8_t whole[MQ_SEGMENT_MAX], opened_by_others[MQ_SEGMENT_MAX];
    struct mq_buffer out = mq_buffer(whole, sizeof whole), none = mq_buffer(opened_by_others, sizeof opened_by_others);
    uint32_t pieces = 0;
    (void)state;
    for (uint32_t offset = 0, size = sizeof segment; offset < size; pieces++) {
        struct mq_buffer sealed = room(0), change = room(1);
        struct mq_returned said = {.size = size, .offset = offset}, got;
        memset(said.id, 0xab, sizeof said.id);
        uint32_t piece = mq_returned_piece(size, offset);
        assert_int_equal(mq_returned_seal(&sealed, MQ_SPAN(segment), offset, piece, p.desk.box_public), MQ_OK);
        said.sealed = mq_written(&sealed);
        mq_returned_put(&change, &said);
        assert_false(change.failed);
        assert_true(mq_cbor_valid(mq_written(&change)));
        assert_int_equal(mq_returned_get(&got, mq_written(&change)), MQ_OK);
        assert_memory_equal(got.id, said.id, sizeof got.id);
        assert_int_equal(got.size, size);
        assert_int_equal(got.offset, offset);
        assert_int_equal(mq_box_open(&none, got.sealed, &p.cadre.box_seed), MQ_WRONG_KEY);
        assert_int_equal(mq_box_open(&out, got.sealed, &p.desk.box_seed), MQ_OK);
        offset += piece;
    }
    assert_int_equal(pieces, 2);
    assert_int_equal(out.size, sizeof segment);
    assert_memory_equal(whole, segment, sizeof segment);
}

/* No ephemeral key serves twice: one piece is always the same bytes, and another segment, place or desk has another. */
static void no_key_serves_twice(void **state)
{
    struct mq_buffer one = room(0), other = room(1);
    (void)state;
    assert_int_equal(mq_returned_seal(&one, mq_span(segment, 600), 0, 600, p.desk.box_public), MQ_OK);
    assert_int_equal(mq_returned_seal(&other, mq_span(segment, 600), 0, 600, p.desk.box_public), MQ_OK);
    assert_true(mq_span_equal(mq_written(&one), mq_written(&other)));
    other.size = 0;
    assert_int_equal(mq_returned_seal(&other, mq_span(segment, 601), 0, 600, p.desk.box_public), MQ_OK);
    assert_false(mq_span_equal(mq_written(&one), mq_written(&other)));
    other.size = 0;
    assert_int_equal(mq_returned_seal(&other, mq_span(segment, 600), 0, 600, p.root.box_public), MQ_OK);
    assert_false(mq_span_equal(mq_written(&one), mq_written(&other)));
    one.size = other.size = 0;
    assert_int_equal(mq_returned_seal(&one, mq_span(segment, 600), 0, 1, p.desk.box_public), MQ_OK);
    assert_int_equal(mq_returned_seal(&other, mq_span(segment, 600), 300, 1, p.desk.box_public), MQ_OK);
    assert_memory_not_equal(one.data, other.data, MQ_PUBLIC_SIZE);
}

/* To a point of small order nothing is locked. */
static void no_key_of_small_order(void **state)
{
    static const uint8_t zeros[MQ_PUBLIC_SIZE];
    struct mq_buffer out = room(0);
    (void)state;
    assert_int_equal(mq_returned_seal(&out, mq_span(segment, 600), 0, 600, zeros), MQ_REFUSED);
    assert_int_equal(out.size, 0);
}

struct odd {
    const char *what;
    uint64_t items, type, size, offset;
    size_t id, sealed;
};

/* What is of another type or shape, larger or smaller than a segment, beside it, cut elsewhere, or not as long as the piece there. */
static void odd_ones_are_refused(void **state)
{
    static const struct odd good = {"", 5, MQ_CHANGE_RETURN, 1000, 0, MQ_SEGMENT_ID_SIZE, 1048};
    static const struct odd odd[] = {
        {"few items", 4, MQ_CHANGE_RETURN, 1000, 0, MQ_SEGMENT_ID_SIZE, 1048},
        {"type", 5, MQ_CHANGE_ERASE, 1000, 0, MQ_SEGMENT_ID_SIZE, 1048},
        {"id", 5, MQ_CHANGE_RETURN, 1000, 0, MQ_SEGMENT_ID_SIZE - 1, 1048},
        {"size", 5, MQ_CHANGE_RETURN, MQ_SEGMENT_MAX + 1, 0, MQ_SEGMENT_ID_SIZE, MQ_RETURNED_PIECE_MAX + 48},
        {"size of none", 5, MQ_CHANGE_RETURN, MQ_SEGMENT_FIXED_SIZE - 1, 0, MQ_SEGMENT_ID_SIZE, MQ_SEGMENT_FIXED_SIZE + 47},
        {"offset", 5, MQ_CHANGE_RETURN, 1000, 1000, MQ_SEGMENT_ID_SIZE, 1048},
        {"cut", 5, MQ_CHANGE_RETURN, 1000, 1, MQ_SEGMENT_ID_SIZE, 1047},
        {"short", 5, MQ_CHANGE_RETURN, 1000, 0, MQ_SEGMENT_ID_SIZE, 1047},
        {"long", 5, MQ_CHANGE_RETURN, 1000, 0, MQ_SEGMENT_ID_SIZE, 1049},
        {"too long", 5, MQ_CHANGE_RETURN, MQ_SEGMENT_MAX, 0, MQ_SEGMENT_ID_SIZE, MQ_RETURNED_PIECE_MAX + 49},
    };
    (void)state;
    for (size_t i = 0; i <= sizeof odd / sizeof *odd; i++) {
        const struct odd *one = i == 0 ? &good : &odd[i - 1];
        struct mq_buffer out = room(0);
        struct mq_returned got;
        mq_cbor_put_array(&out, one->items);
        mq_cbor_put_uint(&out, one->type);
        mq_cbor_put_bytes(&out, mq_span(segment, one->id));
        mq_cbor_put_uint(&out, one->size);
        mq_cbor_put_uint(&out, one->offset);
        mq_cbor_put_bytes(&out, mq_span(segment, one->sealed));
        assert_false(out.failed);
        print_message("%s\n", one->what);
        assert_int_equal(mq_returned_get(&got, mq_written(&out)), i == 0 ? MQ_OK : MQ_REFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(no_key_serves_twice),
        cmocka_unit_test(no_key_of_small_order),
        cmocka_unit_test(odd_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
