/* Aim: payloads are read and written as the vectors say, so that another program can be checked against the same
 * file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "tests/protocol/vectors.h"

#define CHANGES 16

static struct mq_payload_head head;
static struct mq_batch_change changes[CHANGES];
static size_t count;
static uint8_t memory[VECTOR_SIZE_MAX * 10];

static enum mq_status decode(struct mq_span payload)
{
    struct mq_buffer space = mq_buffer(memory, sizeof memory);

    return mq_payload_decode(&head, changes, CHANGES, &count, payload, &space);
}

static void assert_encodes_to(struct mq_span payload)
{
    uint8_t again[VECTOR_SIZE_MAX];
    struct mq_buffer out = mq_buffer(again, sizeof again);

    assert_int_equal(mq_payload_encode(&out, &head, changes, count), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), payload));
}

/* Each line in turn: `accept`, then `expanded` and `id` for each of its changes; `refuse`. */
static void vectors_hold(void **state)
{
    FILE *file = vectors_open("payload.txt");
    struct vector vector;
    size_t expanded = 0, ids = 0, accepted = 0, refused = 0;
    int got;

    (void)state;
    assert_non_null(file);
    while ((got = vectors_next(file, &vector)) == 1) {
        struct mq_span bytes = mq_span(vector.bytes, vector.size);
        if (strcmp(vector.name, "accept") == 0) {
            assert_int_equal(expanded, count);
            assert_int_equal(decode(bytes), MQ_OK);
            assert_encodes_to(bytes);
            expanded = ids = 0;
            accepted++;
        } else if (strcmp(vector.name, "expanded") == 0) {
            assert_true(expanded < count && mq_span_equal(changes[expanded++].expanded, bytes));
        } else if (strcmp(vector.name, "id") == 0) {
            assert_true(ids < count && bytes.size == MQ_ID_SIZE);
            assert_memory_equal(changes[ids++].id, bytes.data, MQ_ID_SIZE);
        } else {
            assert_string_equal(vector.name, "refuse");
            assert_true(refused++ > 0 || (expanded == count && ids == count));
            if (decode(bytes) != MQ_REFUSED)
                fail_msg("refuse, number %zu", refused);
        }
    }
    fclose(file);
    assert_int_equal(got, 0);
    assert_true(accepted >= 6 && refused >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),
    };

    return cmocka_run_group_tests_name("protocol/vectors_payload", tests, NULL, NULL);
}
