/* Aim: a change is read back as it was built, whatever is not of its shape is refused, and ids cover every bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/protocol/payload_kit.h"

static const uint8_t record[MQ_ID_SIZE] = {0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t replaced[2 * MQ_NAME_SIZE] = {1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2};
static const uint8_t value[] = {0x63, 'a', 'b', 'c'};
static const uint8_t pairs[] = {0x02, 0x61, 'x', 0x05, 0x63, 'a', 'b', 'c'};

/* The five builders, by number; true: there is such a one. */
static bool build(struct mq_buffer *out, enum mq_change_type type)
{
    switch (type) {
    case MQ_CHANGE_CREATE:
        mq_change_put_create(out, 3, 2, MQ_SPAN(pairs));
        return true;
    case MQ_CHANGE_SET:
        mq_change_put_set(out, record, 12, MQ_SPAN(value), MQ_SPAN(replaced), mq_span(NULL, 0));
        return true;
    case MQ_CHANGE_ADD:
        mq_change_put_add(out, record, 12, MQ_SPAN(value));
        return true;
    case MQ_CHANGE_REMOVE:
        mq_change_put_remove(out, record, 12, MQ_SPAN(replaced));
        return true;
    case MQ_CHANGE_DECIDE:
        mq_change_put_decide(out, record, 12, MQ_SPAN(value), MQ_SPAN(replaced), mq_span_text("问过本人"));
        return true;
    case MQ_CHANGE_ATTACH:
    case MQ_CHANGE_ERASE: /* built in protocol/erase.c */
    case MQ_CHANGE_RETURN: /* and in protocol/returned.c */
        break;
    }
    return false;
}

static enum mq_status decode(struct mq_change *change, struct mq_span bytes)
{
    static uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(memory, sizeof memory);

    return mq_change_decode(change, bytes, &names);
}

/* Every field that was put in comes out, and the others are empty. */
static void built_is_read(void **state)
{
    (void)state;
    for (enum mq_change_type type = MQ_CHANGE_CREATE; type <= MQ_CHANGE_DECIDE; type++) {
        uint8_t memory[256];
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_change change;
        if (!build(&out, type))
            continue;
        assert_true(mq_cbor_valid(mq_written(&out)));
        assert_int_equal(decode(&change, mq_written(&out)), MQ_OK);
        assert_int_equal(change.type, type);
        bool create = type == MQ_CHANGE_CREATE, remove = type == MQ_CHANGE_REMOVE, add = type == MQ_CHANGE_ADD;
        assert_int_equal(change.kind, create ? 3 : 0);
        assert_int_equal(change.fields.size, create ? 1 + sizeof pairs : 0);
        assert_int_equal(change.field, create ? 0 : 12);
        assert_int_equal(change.value.size, create || remove ? 0 : sizeof value);
        assert_int_equal(change.replaced.size, create || add ? 0 : sizeof replaced);
        if (!create)
            assert_memory_equal(change.record, record, sizeof record);
        if (change.value.size > 0)
            assert_memory_equal(change.value.data, value, sizeof value);
        if (change.replaced.size > 0)
            assert_memory_equal(change.replaced.data, replaced, sizeof replaced);
        assert_true(mq_span_equal(change.note, mq_span_text(type == MQ_CHANGE_DECIDE ? "问过本人" : "")));
    }
}

/* A change that was cut anywhere, or has a byte more, is refused. */
static void cut_is_refused(void **state)
{
    (void)state;
    for (enum mq_change_type type = MQ_CHANGE_CREATE; type <= MQ_CHANGE_DECIDE; type++) {
        uint8_t memory[256] = {0};
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_change change;
        if (!build(&out, type))
            continue;
        for (size_t size = 0; size <= out.size + 1; size++)
            assert_int_equal(decode(&change, mq_span(memory, size)), size == out.size ? MQ_OK : MQ_REFUSED);
    }
}

/* Names are copied behind what is there already, and a buffer that is too small says so. */
static void names_are_appended(void **state)
{
    uint8_t memory[256], names_memory[3 * MQ_NAME_SIZE] = {7};
    struct mq_buffer out = mq_buffer(memory, sizeof memory), names = mq_buffer(names_memory, sizeof names_memory);
    struct mq_change change;

    (void)state;
    build(&out, MQ_CHANGE_REMOVE);
    mq_put(&names, record, MQ_NAME_SIZE);
    assert_int_equal(mq_change_decode(&change, mq_written(&out), &names), MQ_OK);
    assert_ptr_equal(change.replaced.data, names_memory + MQ_NAME_SIZE);
    assert_true(mq_span_equal(change.replaced, MQ_SPAN(replaced)));
    assert_memory_equal(names_memory, record, MQ_NAME_SIZE);
    assert_int_equal(mq_change_decode(&change, mq_written(&out), &names), MQ_NO_SPACE);
}

/* Shapes by hand, in hexadecimal; R stands for a reference to a record, N for a name. */
static struct mq_span spell(uint8_t *memory, size_t capacity, const char *shape)
{
    struct mq_buffer out = mq_buffer(memory, capacity);

    for (; *shape != '\0'; shape++) {
        unsigned byte;
        if (*shape == 'R') {
            mq_put_reference(&out, record);
        } else if (*shape == 'N') {
            mq_cbor_put_bytes(&out, mq_span(replaced, MQ_NAME_SIZE));
        } else if (*shape != ' ') {
            assert_int_equal(sscanf(shape++, "%2x", &byte), 1);
            mq_put_u8(&out, (uint8_t)byte);
        }
    }
    assert_false(out.failed);
    return mq_written(&out);
}

/* Known types must have their shape; extras at the end and unknown types may be anything. */
static void shapes(void **state)
{
    static const struct {
        bool accept;
        const char *shape;
    } rows[] = {
        {true, "83 01 01 a0"},              /* a create without fields */
        {true, "84 01 01 a0 80"},           /* with an extra */
        {true, "83 01 1903e8 a1 18ff f6"},  /* unknown kind and field */
        {false, "82 01 01"},                /* no fields */
        {false, "83 01 20 a0"},             /* kind -1 */
        {false, "83 01 01 80"},             /* an array as fields */
        {false, "83 01 01 a1 61 78 00"},    /* a text as field number */
        {false, "83 01 01 a2 03 00 02 00"}, /* fields not in order */
        {false, "83 01 01 a2 03 00 03 00"}, /* a field twice */
        {true, "85 02 R 03 00 80"},         /* a set */
        {true, "85 02 R 03 82 R 81 R 81 N"},
        {true, "87 02 R 03 00 80 f6 R"},
        {false, "84 02 R 03 00"},
        {false, "84 02 R 03 00 80"},        /* the names stand behind the change */
        {false, "85 02 03 03 00 80"},                                            /* a number as record */
        {false, "85 02 c6 00 03 00 80"},                                         /* not expanded */
        {false, "85 02 50 00112233445566778899aabbccddeeff 03 00 80"},           /* bytes without the tag */
        {false, "85 02 R 20 00 80"},                                             /* field -1 */
        {false, "85 02 R 03 00 N"},                                              /* a name, not a list */
        {false, "85 02 R 03 00 81 47 01020304050607"},                           /* a short name */
        {false, "85 02 R 03 00 81 49 010203040506070809"},                       /* a long name */
        {true, "84 03 R 0b 01"},                                                 /* add */
        {false, "83 03 R 0b"},
        {true, "84 04 R 0b 82 N N"},                                             /* remove */
        {false, "84 04 R 0b 00"},
        {true, "84 05 R 0b a1 00 00"},                                           /* attach */
        {false, "83 05 R 0b"},
        {true, "86 06 R 0b 01 81 N 60"},                                         /* decide */
        {false, "85 06 R 0b 01 81 N"},
        {false, "86 06 R 0b 01 81 N 40"},                                        /* bytes as note */
        {true, "81 00"},                                                         /* unknown types */
        {true, "81 07"},
        {true, "84 1bffffffffffffffff R 81 R f5"},
        {false, "80"},
        {false, "00"},
        {false, "a1 01 01"},
        {false, "81 20"},                                                        /* a negative type */
        {false, "81 61 78"},
        {false, "81 1807"},                                                      /* type 7 in two bytes */
    };
    uint8_t memory[512];
    struct mq_change change;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((decode(&change, spell(memory, sizeof memory, rows[i].shape)) == MQ_OK) != rows[i].accept)
            fail_msg("%s", rows[i].shape);
}

/* Of an unknown type, only the type is told. */
static void unknown_tells_its_type(void **state)
{
    uint8_t memory[128];
    struct mq_change change;

    (void)state;
    assert_int_equal(decode(&change, spell(memory, sizeof memory, "84 10 R 03 00")), MQ_OK);
    assert_int_equal(change.type, 16);
    assert_true(change.field == 0 && change.value.size == 0 && change.fields.size == 0);
}

/* The limits hold exactly: size, names, fields. */
static void limits(void **state)
{
    static uint8_t memory[MQ_CHANGE_MAX + 64], text[MQ_CHANGE_MAX], names[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_change change;

    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        mq_cbor_put_array(&out, 2);
        mq_cbor_put_uint(&out, 7);
        mq_cbor_put_bytes(&out, mq_span(text, MQ_CHANGE_MAX - 5 + over));
        assert_int_equal(out.size, MQ_CHANGE_MAX + over);
        assert_int_equal(decode(&change, mq_written(&out)), over ? MQ_REFUSED : MQ_OK);

        out = mq_buffer(memory, sizeof memory);
        mq_cbor_put_array(&out, 3);
        mq_cbor_put_uint(&out, MQ_CHANGE_CREATE);
        mq_cbor_put_uint(&out, 1);
        mq_cbor_put_map(&out, MQ_FIELDS_MAX + over);
        for (size_t i = 0; i < MQ_FIELDS_MAX + over; i++) {
            mq_cbor_put_uint(&out, i);
            mq_cbor_put_null(&out);
        }
        assert_int_equal(decode(&change, mq_written(&out)), over ? MQ_REFUSED : MQ_OK);

        out = mq_buffer(memory, sizeof memory);
        mq_cbor_put_array(&out, 4);
        mq_cbor_put_uint(&out, MQ_CHANGE_REMOVE);
        mq_put_reference(&out, record);
        mq_cbor_put_uint(&out, 1);
        mq_cbor_put_array(&out, MQ_REPLACED_MAX + over);
        for (size_t i = 0; i < MQ_REPLACED_MAX + over; i++)
            mq_cbor_put_bytes(&out, mq_span(text, MQ_NAME_SIZE));
        assert_int_equal(decode(&change, mq_written(&out)), over ? MQ_REFUSED : MQ_OK);
    }
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    mq_change_put_remove(&out, record, 1, MQ_SPAN(names));
    assert_int_equal(decode(&change, mq_written(&out)), MQ_OK);
    assert_int_equal(change.replaced.size, sizeof names);
}

/* A reason longer than a text may be is none of ours: the change is taken, for a newer program may allow it, without it. */
static void longest_reason(void **state)
{
    static uint8_t memory[MQ_CHANGE_MAX], text[MQ_LONG_TEXT_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t over = 0; over <= 1; over++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_change change;

        mq_cbor_put_array(&out, 6);
        mq_cbor_put_uint(&out, MQ_CHANGE_SET);
        mq_put_reference(&out, record);
        mq_cbor_put_uint(&out, 12);
        mq_put_span(&out, MQ_SPAN(value));
        mq_cbor_put_array(&out, 0);
        mq_cbor_put_text(&out, mq_span(text, MQ_LONG_TEXT_MAX + over));
        assert_int_equal(decode(&change, mq_written(&out)), MQ_OK);
        assert_int_equal(change.note.size, over ? 0 : MQ_LONG_TEXT_MAX);
    }
}

/* Random bytes, and good changes with bytes changed, are taken or refused without harm. */
static void mutations(void **state)
{
    struct chance chance = chance_start("change mutations");
    uint8_t memory[256];
    size_t accepted = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_change change;
        while (!build(&out, (enum mq_change_type)(1 + chance_below(&chance, 6))))
            continue;
        for (size_t n = 1 + chance_below(&chance, 3); n > 0; n--)
            memory[chance_below(&chance, out.size)] = (uint8_t)chance_u64(&chance);
        accepted += decode(&change, mq_written(&out)) == MQ_OK;
    }
    assert_true(accepted > 1000 && accepted < 199000);
}

/* An id depends on salt, place and every bit of the change; a name on the change and the element. */
static void ids_cover_everything(void **state)
{
    uint8_t memory[256], salt[MQ_SALT_SIZE] = {1}, id[MQ_ID_SIZE], other[MQ_ID_SIZE];
    uint8_t name[MQ_NAME_SIZE], other_name[MQ_NAME_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    build(&out, MQ_CHANGE_SET);
    mq_change_id(id, salt, 5, mq_written(&out));
    mq_change_id(other, salt, 5, mq_written(&out));
    assert_memory_equal(id, other, sizeof id);
    mq_change_id(other, salt, 5u << 8, mq_written(&out));
    assert_memory_not_equal(id, other, sizeof id);
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        memory[bit / 8] ^= (uint8_t)(1 << bit % 8);
        mq_change_id(other, salt, 5, mq_written(&out));
        assert_memory_not_equal(id, other, sizeof id);
        memory[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    salt[15] = 1;
    mq_change_id(other, salt, 5, mq_written(&out));
    assert_memory_not_equal(id, other, sizeof id);
    mq_element_name(name, id, MQ_SPAN(value));
    mq_element_name(other_name, other, MQ_SPAN(value));
    assert_memory_not_equal(name, other_name, sizeof name);
    mq_element_name(other_name, id, mq_span(value, 1));
    assert_memory_not_equal(name, other_name, sizeof name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_is_read), cmocka_unit_test(cut_is_refused),         cmocka_unit_test(names_are_appended),
        cmocka_unit_test(shapes),        cmocka_unit_test(unknown_tells_its_type), cmocka_unit_test(limits),
        cmocka_unit_test(longest_reason), cmocka_unit_test(mutations),     cmocka_unit_test(ids_cover_everything),
    };

    return cmocka_run_group_tests_name("protocol/change", tests, NULL, NULL);
}
