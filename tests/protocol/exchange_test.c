/* Aim: heads of requests and replies have one form and refuse others; running sums tell sets apart, not orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/exchange.h"
#include "tests/protocol/chance.h"

static uint8_t memory[4096];

static struct mq_request a_request(struct chance *chance, size_t mailboxes)
{
    struct mq_request request;

    chance_fill(chance, (uint8_t *)&request, sizeof request);
    request.mailbox_count = mailboxes;
    return request;
}

static void assert_same_request(const struct mq_request *a, const struct mq_request *b)
{
    assert_memory_equal(a->server_id, b->server_id, sizeof a->server_id);
    assert_int_equal(a->budget, b->budget);
    assert_memory_equal(a->token, b->token, sizeof a->token);
    assert_int_equal(a->mailbox_count, b->mailbox_count);
    for (size_t i = 0; i < a->mailbox_count; i++) {
        const struct mq_mailbox_request *x = &a->mailboxes[i], *y = &b->mailboxes[i];

        assert_memory_equal(x->mailbox, y->mailbox, sizeof x->mailbox);
        assert_true(x->cursor == y->cursor);
        assert_memory_equal(x->fingerprint, y->fingerprint, sizeof x->fingerprint);
        assert_memory_equal(x->stream, y->stream, sizeof x->stream);
        assert_int_equal(x->head_seq, y->head_seq);
        assert_memory_equal(x->head_id, y->head_id, sizeof x->head_id);
    }
}

/* A request's head decodes to what it was, from no mailbox to the most there may be, and never from a part of it. */
static void request_round_trip(void **state)
{
    struct chance chance = chance_start("request_round_trip");

    (void)state;
    for (size_t mailboxes = 0; mailboxes <= MQ_MAILBOXES_MAX; mailboxes++) {
        struct mq_request request = a_request(&chance, mailboxes), decoded;
        struct mq_buffer out = mq_buffer(memory, sizeof memory);

        mq_request_put(&out, &request);
        assert_int_equal(out.size, 46 + 76 * mailboxes);
        struct mq_reader reader = mq_reader(mq_written(&out));
        assert_int_equal(mq_request_get(&decoded, &reader), MQ_OK);
        assert_true(mq_reader_done(&reader));
        assert_same_request(&request, &decoded);
        for (size_t size = 0; size < out.size; size++) {
            reader = mq_reader(mq_span(memory, size));
            assert_int_equal(mq_request_get(&decoded, &reader), MQ_REFUSED);
        }
    }
}

/* Another version, or more mailboxes than allowed, is refused. */
static void request_refused(void **state)
{
    struct mq_request decoded;

    (void)state;
    memset(memory, 0, sizeof memory);
    memory[0] = MQ_EXCHANGE_VERSION + 1;
    struct mq_reader reader = mq_reader(MQ_SPAN(memory));
    assert_int_equal(mq_request_get(&decoded, &reader), MQ_REFUSED);
    memory[0] = MQ_EXCHANGE_VERSION;
    memory[1] = MQ_MAILBOXES_MAX + 1;
    reader = mq_reader(MQ_SPAN(memory));
    assert_int_equal(mq_request_get(&decoded, &reader), MQ_REFUSED);
    memory[1] = MQ_MAILBOXES_MAX;
    reader = mq_reader(MQ_SPAN(memory));
    assert_int_equal(mq_request_get(&decoded, &reader), MQ_OK);
}

/* A reply's head decodes to what it was, and never from a part of it. */
static void reply_round_trip(void **state)
{
    struct chance chance = chance_start("reply_round_trip");

    (void)state;
    for (size_t mailboxes = 0; mailboxes <= MQ_MAILBOXES_MAX; mailboxes++) {
        struct mq_reply reply, decoded;
        struct mq_buffer out = mq_buffer(memory, sizeof memory);

        chance_fill(&chance, (uint8_t *)&reply, sizeof reply);
        reply.status = MQ_REPLY_RESET;
        reply.mailbox_count = mailboxes;
        mq_reply_put(&out, &reply);
        assert_int_equal(out.size, 10 + 48 * mailboxes);
        struct mq_reader reader = mq_reader(mq_written(&out));
        assert_int_equal(mq_reply_get(&decoded, mailboxes, &reader), MQ_OK);
        assert_true(mq_reader_done(&reader));
        assert_int_equal(decoded.status, MQ_REPLY_RESET);
        assert_int_equal(decoded.mailbox_count, mailboxes);
        assert_memory_equal(decoded.server_id, reply.server_id, sizeof reply.server_id);
        for (size_t i = 0; i < mailboxes; i++) {
            const struct mq_mailbox_reply *x = &reply.mailboxes[i], *y = &decoded.mailboxes[i];

            assert_true(x->cursor == y->cursor);
            assert_memory_equal(x->fingerprint, y->fingerprint, sizeof x->fingerprint);
            assert_int_equal(x->head_seq, y->head_seq);
            assert_memory_equal(x->head_id, y->head_id, sizeof x->head_id);
            assert_int_equal(x->remaining, y->remaining);
        }
        for (size_t size = 0; size < out.size; size++) {
            reader = mq_reader(mq_span(memory, size));
            assert_int_equal(mq_reply_get(&decoded, mailboxes, &reader), MQ_REFUSED);
        }
    }
}

/* Another version or an unknown status is refused. */
static void reply_refused(void **state)
{
    struct mq_reply decoded;

    (void)state;
    memset(memory, 0, sizeof memory);
    memory[0] = MQ_EXCHANGE_VERSION;
    memory[1] = MQ_REPLY_STRANGER + 1;
    struct mq_reader reader = mq_reader(MQ_SPAN(memory));
    assert_int_equal(mq_reply_get(&decoded, 0, &reader), MQ_REFUSED);
    memory[0] = MQ_EXCHANGE_VERSION + 1;
    memory[1] = MQ_REPLY_OK;
    reader = mq_reader(MQ_SPAN(memory));
    assert_int_equal(mq_reply_get(&decoded, 0, &reader), MQ_REFUSED);
}

/* An entry of a have-list decodes to what it was; a cut one fails the reader. */
static void have_round_trip(void **state)
{
    struct chance chance = chance_start("have_round_trip");
    struct mq_have have, decoded;
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    chance_fill(&chance, (uint8_t *)&have, sizeof have);
    mq_have_put(&out, &have);
    assert_int_equal(out.size, MQ_HAVE_ENTRY_SIZE);
    struct mq_reader reader = mq_reader(mq_written(&out));
    mq_have_get(&decoded, &reader);
    assert_true(mq_reader_done(&reader));
    assert_memory_equal(&have, &decoded, sizeof have);
    for (size_t size = 0; size < out.size; size++) {
        reader = mq_reader(mq_span(memory, size));
        mq_have_get(&decoded, &reader);
        assert_true(reader.failed);
    }
}

/* The sum carries over all 32 bytes and wraps around at 2^256. */
static void sum_carries(void **state)
{
    uint8_t ones[MQ_HASH_SIZE], one[MQ_HASH_SIZE] = {0}, zeros[MQ_HASH_SIZE] = {0};
    struct mq_sum sum = {{0}, 0};

    (void)state;
    memset(ones, 0xff, sizeof ones);
    one[MQ_HASH_SIZE - 1] = 1;
    mq_sum_add(&sum, ones);
    assert_memory_equal(sum.total, ones, sizeof ones);
    mq_sum_add(&sum, one);
    assert_memory_equal(sum.total, zeros, sizeof zeros);
    assert_int_equal(sum.count, 2);
}

/* Equal sets have equal fingerprints in any order; one id less, twice the same, or nothing at all is told apart. */
static void fingerprint_of_sets(void **state)
{
    struct chance chance = chance_start("fingerprint_of_sets");
    uint8_t ids[20][MQ_HASH_SIZE], zeros[MQ_FINGERPRINT_SIZE] = {0};
    uint8_t forward[MQ_FINGERPRINT_SIZE], backward[MQ_FINGERPRINT_SIZE], other[MQ_FINGERPRINT_SIZE];
    struct mq_sum a = {{0}, 0}, b = {{0}, 0};

    (void)state;
    mq_sum_fingerprint(other, &a);
    assert_memory_equal(other, zeros, sizeof zeros);
    chance_fill(&chance, ids[0], sizeof ids);
    for (size_t i = 0; i < 20; i++) {
        mq_sum_fingerprint(other, &a);
        mq_sum_add(&a, ids[i]);
        mq_sum_add(&b, ids[19 - i]);
    }
    mq_sum_fingerprint(forward, &a);
    mq_sum_fingerprint(backward, &b);
    assert_memory_equal(forward, backward, sizeof forward);
    assert_memory_not_equal(forward, other, sizeof forward);
    a.count++;
    mq_sum_fingerprint(other, &a);
    assert_memory_not_equal(forward, other, sizeof forward);
}

/* Two tokens that differ in one bit are known by different hashes. */
static void token_hashes(void **state)
{
    uint8_t token[MQ_TOKEN_SIZE] = {0}, a[MQ_ID_SIZE], b[MQ_ID_SIZE];

    (void)state;
    mq_token_hash(a, token);
    token[31] = 1;
    mq_token_hash(b, token);
    assert_memory_not_equal(a, b, sizeof a);
}

/* A message is whole only with every bit of it as it was, to its last byte and not beyond. */
static void whole_or_not(void **state)
{
    struct mq_buffer out = mq_buffer(memory, 400);
    const struct mq_request request = {.budget = 5000};

    (void)state;
    mq_request_put(&out, &request);
    size_t head = out.size;
    mq_frame_put(&out, MQ_FRAME_SEGMENT, mq_span_text("some bytes"));
    mq_frame_put(&out, MQ_FRAME_WANT, mq_span_text(""));
    mq_exchange_end(&out);
    assert_true(mq_exchange_whole(mq_written(&out), mq_span(memory + head, out.size - head)));
    for (size_t size = head; size < out.size; size++)
        assert_false(mq_exchange_whole(mq_span(memory, size), mq_span(memory + head, size - head)));
    memory[out.size] = 0;
    assert_false(mq_exchange_whole(mq_span(memory, out.size + 1), mq_span(memory + head, out.size + 1 - head)));
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(mq_exchange_whole(mq_written(&out), mq_span(memory + head, out.size - head)));
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A message of nothing but its end is whole as well, and the end alone, of a message without a head. */
static void whole_without_frames(void **state)
{
    const struct mq_request request = {.budget = 5000};

    (void)state;
    for (int with_head = 0; with_head < 2; with_head++) {
        struct mq_buffer out = mq_buffer(memory, 400);
        if (with_head)
            mq_request_put(&out, &request);
        size_t head = out.size;
        mq_exchange_end(&out);
        assert_true(mq_exchange_whole(mq_written(&out), mq_span(memory + head, out.size - head)));
        memory[out.size - 1] ^= 1;
        assert_false(mq_exchange_whole(mq_written(&out), mq_span(memory + head, out.size - head)));
    }
}

/* A message that did not fit gets no end: it must not look whole. */
static void too_long_gets_no_end(void **state)
{
    struct mq_buffer out = mq_buffer(memory, MQ_REQUEST_HEAD_SIZE + 3);
    const struct mq_request request = {.budget = 5000};

    (void)state;
    mq_request_put(&out, &request);
    mq_frame_put(&out, MQ_FRAME_SEGMENT, mq_span_text("some bytes"));
    assert_true(out.failed);
    size_t size = out.size;
    mq_exchange_end(&out);
    assert_int_equal(out.size, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_or_not),
        cmocka_unit_test(request_round_trip), cmocka_unit_test(request_refused),     cmocka_unit_test(reply_round_trip),
        cmocka_unit_test(reply_refused),      cmocka_unit_test(have_round_trip),     cmocka_unit_test(sum_carries),
        cmocka_unit_test(token_hashes),       cmocka_unit_test(fingerprint_of_sets),
        cmocka_unit_test(too_long_gets_no_end), cmocka_unit_test(whole_without_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
