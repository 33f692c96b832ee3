/* Aim: a batch comes back from its payload as it was, has no other payload, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/protocol/payload_kit.h"

#define RANDOM_BATCHES 2000

static struct mq_batch_change decoded[MQ_CHANGES_MAX + 1];
static uint8_t expanded_memory[MQ_EXPANDED_MAX];

static enum mq_status decode(struct mq_payload_head *head, size_t *count, struct mq_span payload)
{
    struct mq_buffer space = mq_buffer(expanded_memory, sizeof expanded_memory);

    return mq_payload_decode(head, decoded, MQ_CHANGES_MAX, count, payload, &space);
}

static bool refused(struct mq_span payload)
{
    struct mq_payload_head head;
    size_t count;

    return decode(&head, &count, payload) == MQ_REFUSED;
}

/* Accepted, and then the encoder makes the same bytes of what the decoder said? */
static bool comes_back(struct mq_span payload)
{
    static uint8_t memory[MQ_PAYLOAD_MAX];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_payload_head head;
    size_t count;

    return decode(&head, &count, payload) == MQ_OK && mq_payload_encode(&again, &head, decoded, count) == MQ_OK &&
           mq_span_equal(mq_written(&again), payload);
}

static void assert_heads_equal(const struct mq_payload_head *a, const struct mq_payload_head *b)
{
    assert_int_equal(a->schema, b->schema);
    assert_memory_equal(a->salt, b->salt, sizeof a->salt);
    assert_int_equal(a->clock.boot, b->clock.boot);
    assert_true(a->clock.monotonic_seconds == b->clock.monotonic_seconds);
    assert_true(a->clock.wall_seconds == b->clock.wall_seconds);
    assert_int_equal(a->clock.offset_known, b->clock.offset_known);
    assert_int_equal(a->clock.utc_offset, b->clock.utc_offset);
    assert_int_equal(a->frontier_count, b->frontier_count);
    for (size_t i = 0; i < a->frontier_count; i++) {
        assert_memory_equal(a->frontier[i].stream, b->frontier[i].stream, MQ_ID_SIZE);
        assert_int_equal(a->frontier[i].seq, b->frontier[i].seq);
        assert_memory_equal(a->frontier[i].id_prefix, b->frontier[i].id_prefix, MQ_NAME_SIZE);
    }
}

/* decode(encode(batch)) = batch, ids included, and the bytes come back too (M11: unknown types, kinds and extras). */
static void random_batches_come_back(void **state)
{
    struct chance chance = chance_start("random batches");
    static struct kit_batch batch;
    static uint8_t memory[KIT_PAYLOAD];

    (void)state;
    for (int round = 0; round < RANDOM_BATCHES; round++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_payload_head head;
        size_t count;
        kit_random_batch(&batch, &chance);
        assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, batch.count), MQ_OK);
        assert_int_equal(decode(&head, &count, mq_written(&out)), MQ_OK);
        assert_heads_equal(&head, &batch.head);
        assert_int_equal(count, batch.count);
        for (size_t i = 0; i < count; i++) {
            assert_true(mq_span_equal(decoded[i].expanded, batch.changes[i].expanded));
            assert_memory_equal(decoded[i].id, batch.changes[i].id, MQ_ID_SIZE);
            assert_int_equal(decoded[i].stamp.minutes, batch.changes[i].stamp.minutes);
            assert_int_equal(decoded[i].stamp.actor, batch.changes[i].stamp.actor);
        }
        assert_true(comes_back(mq_written(&out)));
    }
}

/* A payload that was cut anywhere, or has a byte more, is refused. */
static void cut_is_refused(void **state)
{
    struct chance chance = chance_start("cut payloads");
    static struct kit_batch batch;
    static uint8_t memory[KIT_PAYLOAD];

    (void)state;
    for (int round = 0; round < 10; round++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        kit_random_batch(&batch, &chance);
        assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, batch.count), MQ_OK);
        memory[out.size] = 0;
        for (size_t size = 0; size <= out.size + 1; size++)
            if (size != out.size)
                assert_true(refused(mq_span(memory, size)));
    }
}

/* Whatever is done to a payload: it is refused, or it has one form (M14). */
static void mutations_have_one_form(void **state)
{
    struct chance chance = chance_start("payload mutations");
    static struct kit_batch batch;
    static uint8_t memory[KIT_PAYLOAD], changed[KIT_PAYLOAD];
    size_t accepted = 0;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        kit_random_batch(&batch, &chance);
        assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, batch.count), MQ_OK);
        for (int mutation = 0; mutation < 100; mutation++) {
            memcpy(changed, memory, out.size);
            for (size_t n = 1 + chance_below(&chance, 3); n > 0; n--)
                changed[chance_below(&chance, out.size)] = (uint8_t)chance_u64(&chance);
            struct mq_span payload = mq_span(changed, out.size);
            if (refused(payload))
                continue;
            accepted++;
            assert_true(comes_back(payload));
        }
    }
    assert_true(accepted > 100);
}

/* Payloads by hand, in hexadecimal: A and B are two records, N is a name. */
static struct mq_span spell(struct mq_buffer *out, const char *shape)
{
    size_t start = out->size;
    uint8_t id[MQ_ID_SIZE];
    unsigned byte;

    for (; *shape != '\0'; shape++) {
        if (*shape == 'A' || *shape == 'B') {
            kit_record(id, (uint8_t)*shape);
            mq_put(out, id, sizeof id);
        } else if (*shape == 'N') {
            mq_cbor_put_bytes(out, mq_span("12345678", 8));
        } else if (*shape != ' ') {
            assert_int_equal(sscanf(shape++, "%2x", &byte), 1);
            mq_put_u8(out, (uint8_t)byte);
        }
    }
    assert_false(out->failed);
    return mq_span(out->data + start, out->size - start);
}

struct row {
    bool accept;
    const char *refs, *changes, *stamps; /* stamps may be followed by extras */
    uint64_t extras;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t memory[1024], parts_memory[1024];
        struct mq_buffer out = mq_buffer(memory, sizeof memory), parts = mq_buffer(parts_memory, sizeof parts_memory);
        struct mq_span refs = spell(&parts, rows[i].refs), changes = spell(&parts, rows[i].changes);
        struct mq_span stamps = spell(&parts, rows[i].stamps);
        struct mq_span payload = kit_payload(&out, refs, changes, stamps, rows[i].extras);
        if (rows[i].accept ? !comes_back(payload) : !refused(payload))
            fail_msg("refs %s, changes %s, stamps %s", rows[i].refs, rows[i].changes, rows[i].stamps);
    }
}

/* References: in the order of their first mention, each once, only what is used, nothing from the future. */
static void references(void **state)
{
    static const struct row rows[] = {
        {true, "", "80", "80", 0},
        {true, "A", "81 84 03 c600 01 00", "81 00", 0},
        {true, "A B", "82 84 03 c600 01 00  84 03 c601 01 00", "82 00 00", 0},
        {true, "A B", "81 84 03 c600 01 82 c600 c601", "81 00", 0},
        {true, "A", "81 82 07 c600", "81 00", 0},                                      /* in an unknown change */
        {true, "A", "81 85 03 c600 01 00 c600", "81 00", 0},                           /* in an extra */
        {false, "A B", "82 84 03 c601 01 00  84 03 c600 01 00", "82 00 00", 0},        /* B is mentioned first */
        {false, "A B", "81 84 03 c600 01 00", "81 00", 0},                             /* B is not used */
        {false, "A A", "82 84 03 c600 01 00  84 03 c601 01 00", "82 00 00", 0},        /* A twice */
        {false, "A 00", "81 84 03 c600 01 00", "81 00", 0},                            /* 17 bytes */
        {false, "A", "81 84 03 c601 01 00", "81 00", 0},                               /* itself, no create */
        {false, "", "81 84 03 c600 01 00", "81 00", 0},                                /* the same without refs */
        {true, "", "82 83 01 01 a0  84 03 c600 01 00", "82 00 00", 0},                 /* its batch's create */
        {false, "", "81 83 01 01 a1 03 c600", "81 00", 0},                             /* a create of itself */
        {true, "A", "82 83 01 01 a1 03 c600  84 03 c601 01 00", "82 00 00", 0},
        {false, "A", "82 83 01 01 a1 03 c600  84 03 c602 01 00", "82 00 00", 0},       /* itself */
        {false, "A", "82 83 01 01 a1 03 c600  84 03 c603 01 00", "82 00 00", 0},       /* beyond the batch */
        {false, "A", "82 84 03 c602 01 00  83 01 01 a1 03 c600", "82 00 00", 0},       /* a later create */
        {false, "A", "82 84 03 c600 01 00  84 03 c601 01 00", "82 00 00", 0},          /* no create */
        {false, "", "82 81 07  84 03 c600 01 00", "82 00 00", 0},                      /* an unknown change */
        {false, "", "81 84 03 c61bffffffffffffffff 01 00", "81 00", 0},
        {false, "A", "82 84 03 c600 01 00  84 03 c650 A 01 00", "82 00 00", 0},        /* written out */
    };

    (void)state;
    assert_rows(rows, sizeof rows / sizeof *rows);
}

/* What this batch creates has a number: no place in refs. */
static void own_create_in_refs(void **state)
{
    static const uint8_t salt[MQ_SALT_SIZE] = {0x5a};
    static const uint8_t create[] = {0x83, 0x01, 0x01, 0xa0};
    uint8_t id[MQ_ID_SIZE], memory[1024], parts_memory[512];

    (void)state;
    mq_change_id(id, salt, 0, MQ_SPAN(create));
    for (int own = 0; own <= 1; own++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory), parts = mq_buffer(parts_memory, sizeof parts_memory);
        struct mq_span changes = spell(&parts, "82 83 01 01 a0  84 03 c600 01 00"), stamps = spell(&parts, "82 00 00");
        id[0] ^= !own;
        assert_int_equal(refused(kit_payload(&out, MQ_SPAN(id), changes, stamps, 0)), own);
        id[0] ^= !own;
    }
}

/* Known changes in another shape are refused with the whole payload; stamps are as many as changes; extras are kept. */
static void shapes(void **state)
{
    static const struct row rows[] = {
        {true, "A", "81 85 02 c600 01 00 81 N", "81 00", 0},
        {false, "A", "81 84 02 c600 01 00", "81 00", 0},          /* a set without names */
        {false, "A", "81 85 02 c600 01 00 81 43 010203", "81 00", 0},
        {false, "", "81 83 01 01 80", "81 00", 0},                /* a create without map */
        {false, "", "81 80", "81 00", 0},
        {false, "", "81 01", "81 00", 0},
        {true, "", "82 81 07  81 1863", "82 1864 00", 0},         /* unknown types */
        {false, "", "81 81 07", "80", 0},
        {false, "", "81 81 07", "82 00 00", 0},
        {false, "", "80", "81 00", 0},
        {false, "", "81 81 07", "81 20", 0},
        {false, "", "81 81 07", "81 60", 0},
        {true, "", "81 81 07", "81 1b0000000fffffffff", 0},       /* the longest pause, the last actor */
        {false, "", "81 81 07", "81 1b0000001000000000", 0},
        {true, "", "80", "80 00", 1},
        {true, "", "80", "80 82 01 02 a1 00 f6", 2},
        {false, "A", "80", "80 c600", 1},                         /* a reference in an extra */
        {false, "A", "81 84 03 c600 01 00", "81 00 82 01 c600", 1},
        {false, "", "80", "80", 1},
        {false, "", "80", "80 00", 0},
    };

    (void)state;
    assert_rows(rows, sizeof rows / sizeof *rows);
}

/* Writes a payload without changes whose head has one thing replaced. */
static struct mq_span with_head(struct mq_buffer *out, const char *schema, const char *salt, const char *clock,
                                const char *frontier)
{
    mq_cbor_put_array(out, 7);
    spell(out, schema);
    spell(out, salt);
    spell(out, clock);
    spell(out, frontier);
    spell(out, "40 80 80");
    return mq_written(out);
}

/* The head's parts: their types and ranges, to the last number. */
static void heads(void **state)
{
    static const struct {
        bool accept;
        const char *schema, *salt, *clock, *frontier;
    } rows[] = {
        {true, "01", "50 A", "84 00 00 00 f6", "80"},
        {true, "1bffffffffffffffff", "50 A", "84 00 00 00 f6", "80"},
        {false, "20", "50 A", "84 00 00 00 f6", "80"},
        {false, "01", "50 A 00", "84 00 00 00 f6", "80"},
        {false, "01", "4f 00112233445566778899001122334455", "84 00 00 00 f6", "80"},
        {true, "01", "50 A", "84 1affffffff 1bffffffffffffffff 1b7fffffffffffffff 1a7fffffff", "80"},
        {true, "01", "50 A", "84 00 00 3b7fffffffffffffff 3a7fffffff", "80"},
        {false, "01", "50 A", "84 1b0000000100000000 00 00 f6", "80"},
        {false, "01", "50 A", "84 00 20 00 f6", "80"},
        {false, "01", "50 A", "84 00 00 1b8000000000000000 f6", "80"},
        {false, "01", "50 A", "84 00 00 00 1a80000000", "80"},
        {false, "01", "50 A", "84 00 00 00 3a80000000", "80"},
        {false, "01", "50 A", "84 00 00 00 f4", "80"},
        {false, "01", "50 A", "83 00 00 00", "80"},
        {false, "01", "50 A", "85 00 00 00 f6 00", "80"},
        {true, "01", "50 A", "84 00 00 00 f6", "81 83 50 A 01 N"},
        {true, "01", "50 A", "84 00 00 00 f6", "82 83 50 A 01 N 83 50 B 1affffffff N"},
        {false, "01", "50 A", "84 00 00 00 f6", "81 83 50 A 1b0000000100000000 N"},
        {false, "01", "50 A", "84 00 00 00 f6", "81 82 50 A 01"},
        {false, "01", "50 A", "84 00 00 00 f6", "81 84 50 A 01 N 00"},
        {false, "01", "50 A", "84 00 00 00 f6", "81 83 N 01 N"},
        {false, "01", "50 A", "84 00 00 00 f6", "81 83 50 A 01 50 A"},
        {false, "01", "50 A", "84 00 00 00 f6", "00"},
    };
    uint8_t memory[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_span payload = with_head(&out, rows[i].schema, rows[i].salt, rows[i].clock, rows[i].frontier);
        if (rows[i].accept ? !comes_back(payload) : !refused(payload))
            fail_msg("%s %s %s %s", rows[i].schema, rows[i].salt, rows[i].clock, rows[i].frontier);
    }
}

/* Counts stop exactly at their limits: changes, refs, frontier. */
static void counts(void **state)
{
    static uint8_t memory[MQ_PAYLOAD_MAX], parts_memory[MQ_PAYLOAD_MAX];

    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory), parts = mq_buffer(parts_memory, sizeof parts_memory);
        size_t changes = MQ_CHANGES_MAX + over, refs = MQ_REFS_MAX + over, entries = MQ_FRONTIER_MAX + over;

        mq_cbor_put_array(&parts, changes);
        for (size_t i = 0; i < changes; i++)
            spell(&parts, "81 07");
        struct mq_span first = mq_written(&parts);
        mq_cbor_put_array(&parts, changes);
        for (size_t i = 0; i < changes; i++)
            spell(&parts, "00");
        struct mq_span stamps = mq_span(first.data + first.size, parts.size - first.size);
        assert_int_equal(comes_back(kit_payload(&out, mq_span(NULL, 0), first, stamps, 0)), !over);

        static uint8_t ids[MQ_REFS_MAX + 1][MQ_ID_SIZE];
        out = mq_buffer(memory, sizeof memory);
        parts = mq_buffer(parts_memory, sizeof parts_memory);
        spell(&parts, "82");
        for (size_t half = 0; half < 2; half++) { /* in two changes, for one would be over its own limit */
            size_t begin = half * 2000, end = half == 0 ? 2000 : refs;
            spell(&parts, "82 07");
            mq_cbor_put_array(&parts, end - begin);
            for (size_t i = begin; i < end; i++) {
                ids[i][0] = (uint8_t)(i >> 8);
                ids[i][1] = (uint8_t)i;
                mq_cbor_put_reference(&parts);
                mq_cbor_put_uint(&parts, i);
            }
        }
        struct mq_span bytes = mq_span(ids, refs * MQ_ID_SIZE);
        uint8_t two[] = {0x82, 0, 0};
        assert_int_equal(comes_back(kit_payload(&out, bytes, mq_written(&parts), MQ_SPAN(two), 0)), !over);

        out = mq_buffer(memory, sizeof memory);
        mq_cbor_put_array(&out, 7);
        spell(&out, "01 50 A 84 00 00 00 f6");
        mq_cbor_put_array(&out, entries);
        for (size_t i = 0; i < entries; i++)
            spell(&out, "83 50 A 01 N");
        spell(&out, "40 80 80");
        assert_int_equal(comes_back(mq_written(&out)), !over);
    }
}

/* A batch that mentions more records than refs may hold has no payload. */
static void too_many_refs_to_encode(void **state)
{
    static struct kit_batch batch;
    static uint8_t memory[MQ_PAYLOAD_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    kit_start(&batch);
    for (size_t change = 0; change < 3; change++) {
        size_t start = batch.space.size;
        mq_cbor_put_array(&batch.space, 1 + 1366);
        mq_cbor_put_uint(&batch.space, 7);
        for (size_t i = 0; i < 1366; i++) {
            uint8_t id[MQ_ID_SIZE] = {(uint8_t)change, (uint8_t)(i >> 8), (uint8_t)i};
            mq_put_reference(&batch.space, id);
        }
        kit_change(&batch, start);
    }
    assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, 3), MQ_NO_SPACE);
    assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, 2), MQ_OK);
}

/* A payload of nothing but references grows ninefold: refused at MQ_EXPANDED_MAX, on every device alike. */
static void expansion_is_bounded(void **state)
{
    static uint8_t memory[MQ_PAYLOAD_MAX], parts_memory[MQ_PAYLOAD_MAX];
    const size_t each = 2500; /* references in a change: 45 KB expanded */

    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory), parts = mq_buffer(parts_memory, sizeof parts_memory);
        size_t count = MQ_EXPANDED_MAX / (each * 18 + 5) + over;
        mq_cbor_put_array(&parts, count);
        for (size_t i = 0; i < count; i++) {
            spell(&parts, "82 07");
            mq_cbor_put_array(&parts, each);
            for (size_t j = 0; j < each; j++)
                spell(&parts, "c600");
        }
        struct mq_span changes = mq_written(&parts);
        mq_cbor_put_array(&parts, count);
        for (size_t i = 0; i < count; i++)
            spell(&parts, "00");
        struct mq_span stamps = mq_span(changes.data + changes.size, parts.size - changes.size);
        uint8_t id[MQ_ID_SIZE] = {1};
        struct mq_span payload = kit_payload(&out, MQ_SPAN(id), changes, stamps, 0);
        assert_int_equal(refused(payload), over);
        assert_int_equal(comes_back(payload), !over);
    }
}

/* Too little room is not the payload's fault: another status than refusal, for every size that is too small. */
static void small_space_is_not_refusal(void **state)
{
    static struct kit_batch batch;
    static uint8_t memory[KIT_PAYLOAD];
    struct chance chance = chance_start("small space");
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_payload_head head;
    size_t count, needed;

    (void)state;
    do
        kit_random_batch(&batch, &chance);
    while (batch.count < 5);
    needed = batch.space.size;
    assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, batch.count), MQ_OK);
    for (size_t size = 0; size <= needed; size++) {
        struct mq_buffer space = mq_buffer(expanded_memory, size);
        assert_int_equal(mq_payload_decode(&head, decoded, MQ_CHANGES_MAX, &count, mq_written(&out), &space),
                         size < needed ? MQ_NO_SPACE : MQ_OK);
    }
    for (size_t most = 0; most <= batch.count; most++) {
        struct mq_buffer space = mq_buffer(expanded_memory, sizeof expanded_memory);
        assert_int_equal(mq_payload_decode(&head, decoded, most, &count, mq_written(&out), &space),
                         most < batch.count ? MQ_NO_SPACE : MQ_OK);
    }
    for (size_t size = 0; size <= out.size; size++) {
        static uint8_t again_memory[KIT_PAYLOAD];
        struct mq_buffer again = mq_buffer(again_memory, size);
        assert_int_equal(mq_payload_encode(&again, &batch.head, batch.changes, batch.count),
                         size < out.size ? MQ_NO_SPACE : MQ_OK);
    }
}

/* A space that something else has overfilled takes no change; a payload over its size is refused without being read. */
static void full_space_and_payload(void **state)
{
    static struct kit_batch batch;
    static uint8_t memory[MQ_PAYLOAD_MAX + 1];
    struct chance chance = chance_start("full space");
    struct mq_buffer out = mq_buffer(memory, sizeof memory), space = mq_buffer(expanded_memory, sizeof expanded_memory);
    struct mq_payload_head head;
    size_t count;

    (void)state;
    do
        kit_random_batch(&batch, &chance);
    while (batch.count == 0);
    assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, batch.count), MQ_OK);
    space.failed = true;
    assert_int_equal(mq_payload_decode(&head, decoded, MQ_CHANGES_MAX, &count, mq_written(&out), &space), MQ_NO_SPACE);
    assert_int_equal(space.size, 0);

    struct mq_buffer large = mq_buffer(memory, sizeof memory);
    mq_cbor_put_bytes(&large, mq_span(expanded_memory, MQ_PAYLOAD_MAX + 1 - 5));
    assert_int_equal(large.size, MQ_PAYLOAD_MAX + 1);
    assert_true(mq_cbor_valid(mq_written(&large)) && refused(mq_written(&large)));
}

/* A reference costs two bytes, however often it is repeated, and the record's 16 once. */
static void references_are_small(void **state)
{
    static struct kit_batch batch;
    static uint8_t memory[KIT_PAYLOAD];
    size_t sizes[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        uint8_t id[MQ_ID_SIZE], zero = 0;
        kit_record(id, 7);
        kit_start(&batch);
        for (size_t n = 0; n < 10 + i; n++) {
            size_t start = batch.space.size;
            mq_change_put_add(&batch.space, id, 1, mq_span(&zero, 1));
            kit_change(&batch, start);
        }
        assert_int_equal(mq_payload_encode(&out, &batch.head, batch.changes, batch.count), MQ_OK);
        sizes[i] = out.size;
    }
    assert_int_equal(sizes[1] - sizes[0], 6 + 1); /* [3, ref, 1, 0] and its stamp */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_batches_come_back), cmocka_unit_test(cut_is_refused),
        cmocka_unit_test(mutations_have_one_form),  cmocka_unit_test(references),
        cmocka_unit_test(own_create_in_refs),       cmocka_unit_test(shapes),
        cmocka_unit_test(heads),                    cmocka_unit_test(counts),
        cmocka_unit_test(expansion_is_bounded),     cmocka_unit_test(small_space_is_not_refusal),
        cmocka_unit_test(references_are_small),     cmocka_unit_test(full_space_and_payload),
        cmocka_unit_test(too_many_refs_to_encode),
    };

    return cmocka_run_group_tests_name("protocol/payload", tests, NULL, NULL);
}
