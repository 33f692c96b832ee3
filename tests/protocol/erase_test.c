/* Aim: a list of what is to be erased comes back as it was written and in one form, everything else is refused, and a
 * change loses exactly what is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/erase.h"
#include "protocol/record.h"

static uint8_t memory[2 * MQ_CHANGE_MAX], other_memory[2 * MQ_CHANGE_MAX];

static bool holds(struct mq_span bytes, struct mq_span part)
{
    return memmem(bytes.data, bytes.size, part.data, part.size) != NULL;
}

static struct mq_erase_entry entry(uint8_t field, uint8_t name)
{
    struct mq_erase_entry out = {.field = field};
    memset(out.name, name, sizeof out.name);
    return out;
}

/* Entries come back sorted and each once, whatever order they were given in. */
static void lists_come_back(void **state)
{
    struct mq_erase_entry entries[] = {entry(12, 7), entry(5, 9), entry(12, 3), entry(255, 1), entry(12, 7)}, got;
    static const uint8_t because[MQ_ID_SIZE] = {1, 2, 3}, expected[][2] = {{5, 9}, {12, 3}, {12, 7}, {255, 1}};
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_erasure list;
    (void)state;
    mq_erasure_put(&out, because, entries, 5);
    assert_int_equal(mq_erasure_get(&list, mq_written(&out)), MQ_OK);
    assert_true(list.because_known);
    assert_memory_equal(list.because, because, sizeof because);
    struct mq_erasure_walk walk = mq_erasure_walk(&list);
    for (size_t i = 0; i < 4; i++) {
        assert_true(mq_erasure_next(&walk, &got));
        assert_int_equal(got.field, expected[i][0]);
        assert_int_equal(got.name[0], expected[i][1]);
    }
    assert_false(mq_erasure_next(&walk, &got));
    assert_true(mq_cbor_valid(mq_written(&out)));
}

/* The largest list fits into a change, and a reader takes it. */
static void largest_list_fits(void **state)
{
    static struct mq_erase_entry entries[MQ_ERASE_ENTRIES_MAX];
    struct mq_buffer out = mq_buffer(memory, MQ_CHANGE_MAX);
    struct mq_erasure list;
    (void)state;
    for (size_t i = 0; i < MQ_ERASE_ENTRIES_MAX; i++) {
        entries[i].field = (uint8_t)(3 + i % 250);
        entries[i].name[0] = (uint8_t)(i >> 8);
        entries[i].name[1] = (uint8_t)i;
    }
    mq_erasure_put(&out, NULL, entries, MQ_ERASE_ENTRIES_MAX);
    assert_false(out.failed);
    assert_int_equal(mq_erasure_get(&list, mq_written(&out)), MQ_OK);
    assert_false(list.because_known);
}

/* Lists that name fields which always stay, or are not of the shape, are refused. */
static void bad_lists_are_refused(void **state)
{
#define BAD(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
    static const struct mq_span bad[] = {
        BAD(""),
        BAD("\x82\x10\xf6"),                                 /* no map */
        BAD("\x83\x11\xf6\xa1\x05\x81\x48yyyyyyyy"),         /* another type */
        BAD("\x83\x10"),                                     /* cut behind the type */
        BAD("\x83\x10\x01\xa1\x05\x81\x48yyyyyyyy"),         /* because: a number */
        BAD("\x83\x10\xc6\x05\xa1\x05\x81\x48yyyyyyyy"),     /* because: a reference by index */
        BAD("\x83\x10\xf6\x05"),                             /* a number for the map */
        BAD("\x83\x10\xf6\xa1\x02\x81\x48yyyyyyyy"),         /* `id` stays */
        BAD("\x83\x10\xf6\xa1\x19\x01\x00\x81\x48yyyyyyyy"), /* field 256 */
        BAD("\x83\x10\xf6\xa1\x05\x80"),                     /* nothing named */
        BAD("\x83\x10\xf6\xa0"),                             /* no field either */
        BAD("\x83\x10\xf6\xa1\x05\x81\x47yyyyyyy"),          /* a short name */
        BAD("\x83\x10\xf6\xa1\x05\x82\x48yyyyyyyy\x48xxxxxxxx"), /* not sorted */
        BAD("\x83\x10\xf6\xa1\x05\x82\x48yyyyyyyy\x48yyyyyyyy"), /* one name twice */
        BAD("\x83\x10\xf6\xa2\x02\x81\x48yyyyyyyy\x05\x81\x48yyyyyyyy"), /* the first field is wrong, the second not */
        BAD("\x83\x10\xf6\xa1\x05\x82\x47yyyyyyy\x48yyyyyyyy"), /* the first name is wrong, the second not */
    };
#undef BAD
    struct mq_erasure list;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(mq_erasure_get(&list, bad[i]), MQ_REFUSED);
    assert_int_equal(mq_erasure_get(&list, mq_span_text("\x83\x10\xf6\xa1\x05\x81\x48yyyyyyyy")), MQ_OK);
}

/* One entry more than is allowed is refused, also where no single field has too many. */
static void too_many_entries_are_refused(void **state)
{
    struct mq_erasure list;
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        mq_cbor_put_array(&out, 3);
        mq_cbor_put_uint(&out, MQ_CHANGE_ERASE);
        mq_cbor_put_null(&out);
        mq_cbor_put_map(&out, 2);
        for (uint64_t field = 5; field <= 6; field++) {
            size_t count = MQ_ERASE_ENTRIES_MAX / 2 + (field == 6 ? over : 0);
            mq_cbor_put_uint(&out, field);
            mq_cbor_put_array(&out, count);
            for (size_t i = 0; i < count; i++) {
                const uint8_t name[MQ_NAME_SIZE] = {(uint8_t)(i >> 8), (uint8_t)i};
                mq_cbor_put_bytes(&out, MQ_SPAN(name));
            }
        }
        assert_int_equal(mq_erasure_get(&list, mq_written(&out)), over ? MQ_REFUSED : MQ_OK);
    }
}

static struct mq_span create(struct mq_buffer *out)
{
    uint8_t pairs_memory[256];
    struct mq_buffer pairs = mq_buffer(pairs_memory, sizeof pairs_memory);
    mq_cbor_put_uint(&pairs, MQ_FIELD_ID);
    mq_cbor_put_text(&pairs, mq_span_text("H-1"));
    mq_cbor_put_uint(&pairs, 5);
    mq_cbor_put_text(&pairs, mq_span_text("杨顺华"));
    mq_cbor_put_uint(&pairs, 12);
    mq_cbor_put_array(&pairs, 1);
    mq_cbor_put_uint(&pairs, 6);
    mq_change_put_create(out, MQ_KIND_HOUSEHOLD, 3, mq_written(&pairs));
    return mq_written(out);
}

/* A create loses the named fields and nothing else; `id` stays even where the whole change is named. */
static void creates_lose_fields(void **state)
{
    static const uint8_t tags[] = {12}, whole[] = {MQ_ERASE_WHOLE}, none[] = {7};
    uint8_t room[64];
    struct mq_buffer in = mq_buffer(memory, sizeof memory), out = mq_buffer(other_memory, sizeof other_memory);
    struct mq_buffer names = mq_buffer(room, sizeof room);
    struct mq_span before = create(&in);
    struct mq_change change;
    (void)state;
    assert_int_equal(mq_change_void(&out, before, none, 1), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), before));
    out.size = 0;
    assert_int_equal(mq_change_void(&out, before, tags, 1), MQ_OK);
    assert_int_equal(mq_change_decode(&change, mq_written(&out), &names), MQ_OK);
    assert_true(holds(change.fields, mq_span_text("杨顺华")));
    assert_int_equal(change.fields.data[0], 0xa2);
    out.size = 0;
    assert_int_equal(mq_change_void(&out, before, whole, 1), MQ_OK);
    assert_int_equal(mq_change_decode(&change, mq_written(&out), &names), MQ_OK);
    assert_int_equal(change.kind, MQ_KIND_HOUSEHOLD);
    assert_int_equal(change.fields.data[0], 0xa1);
    assert_true(holds(change.fields, mq_span_text("H-1")));
    assert_false(mq_change_is_void(&change));
}

/* Any other change of a named field is left without value, reason and names; of another field it stays as it is. */
static void edits_become_void(void **state)
{
    static const uint8_t head[] = {5}, id[] = {MQ_FIELD_ID}, record[MQ_ID_SIZE] = {9};
    uint8_t room[64], names_memory[MQ_NAME_SIZE] = {1}, value_memory[64];
    struct mq_buffer value = mq_buffer(value_memory, sizeof value_memory);
    mq_cbor_put_text(&value, mq_span_text("余世海"));
    struct mq_change change;
    (void)state;
    for (uint64_t field = 4; field <= 5; field++) {
        struct mq_buffer in = mq_buffer(memory, sizeof memory), out = mq_buffer(other_memory, sizeof other_memory);
        struct mq_buffer names = mq_buffer(room, sizeof room);
        mq_change_put_set(&in, record, field, mq_written(&value), MQ_SPAN(names_memory), mq_span_text("写错了"));
        assert_int_equal(mq_change_void(&out, mq_written(&in), id, 1), MQ_OK);
        out.size = 0;
        assert_int_equal(mq_change_void(&out, mq_written(&in), head, 1), MQ_OK);
        assert_int_equal(mq_change_decode(&change, mq_written(&out), &names), MQ_OK);
        assert_int_equal(mq_change_is_void(&change), field == 5);
        assert_int_equal(holds(mq_written(&out), mq_span_text("余世海")), field == 4);
        assert_int_equal(change.field, field);
        assert_memory_equal(change.record, record, sizeof record);
    }
    assert_int_equal(mq_change_void(&(struct mq_buffer){.data = other_memory, .capacity = 64},
                                    mq_span_text("\x82\x18\x20\x01"), head, 1),
                     MQ_REFUSED);
}

/* What is no change, or of no type that has fields, is refused; a removal of names stays as it is; a full buffer is said. */
static void nothing_else_is_voided(void **state)
{
    static const uint8_t whole[] = {MQ_ERASE_WHOLE}, record[MQ_ID_SIZE] = {9}, name[MQ_NAME_SIZE] = {1};
    struct mq_buffer in = mq_buffer(memory, sizeof memory), out = mq_buffer(other_memory, sizeof other_memory);
    uint8_t room[64];
    struct mq_buffer names = mq_buffer(room, sizeof room);
    struct mq_change change;
    (void)state;
    assert_int_equal(mq_change_void(&out, mq_span_text("\x80"), whole, 1), MQ_REFUSED);
    assert_int_equal(mq_change_void(&out, mq_span((const uint8_t *)"\x81\x00", 2), whole, 1), MQ_REFUSED);
    assert_int_equal(out.size, 0);

    mq_change_put_remove(&in, record, 12, MQ_SPAN(name));
    assert_int_equal(mq_change_void(&out, mq_written(&in), whole, 1), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_written(&in)));
    assert_int_equal(mq_change_decode(&change, mq_written(&out), &names), MQ_OK);
    assert_false(mq_change_is_void(&change));

    struct mq_buffer small = mq_buffer(other_memory, in.size - 1);
    assert_int_equal(mq_change_void(&small, mq_written(&in), whole, 1), MQ_NO_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_back),    cmocka_unit_test(largest_list_fits), cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(creates_lose_fields), cmocka_unit_test(edits_become_void),
        cmocka_unit_test(too_many_entries_are_refused), cmocka_unit_test(nothing_else_is_voided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
