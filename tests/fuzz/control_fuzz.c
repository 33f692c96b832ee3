/* Aim: control objects, receipts, revocations and access lists from outside are refused or read without harm, and nothing
 * verifies but what the desk signed. Input: a mode, then bytes as they are, or changes (position u16, value u8) to a
 * good object: a receipt, a revocation or an access list. */
#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "protocol/revocation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/identities.h"

#define GOOD 3
#define GOOD_MAX 1024

static struct people p;
static uint8_t good[GOOD][GOOD_MAX];
static size_t good_size[GOOD];

static void sign(size_t which, uint8_t kind, const struct mq_buffer *body)
{
    struct mq_buffer out = mq_buffer(good[which], GOOD_MAX);
    struct mq_control control = {.kind = kind, .number = 1, .body = mq_written(body)};

    memcpy(control.team, team_a, sizeof control.team);
    if (kind == MQ_CONTROL_REVOCATION)
        mq_revocation_subject(control.subject, body->data);
    MQ_ASSERT(mq_control_sign(&out, &control, &p.desk) == MQ_OK);
    good_size[which] = out.size;
}

static void put_revocation(struct mq_buffer *out)
{
    uint8_t cuts_memory[2 * MQ_CUT_SIZE], adopted[2 * MQ_SEGMENT_ID_SIZE] = {0};
    struct mq_buffer cuts = mq_buffer(cuts_memory, sizeof cuts_memory);
    struct mq_revocation revocation = {.cut_count = 2, .adopted_count = 2};

    for (uint32_t i = 1; i <= 2; i++)
        mq_cut_put(&cuts, &(struct mq_cut){.stream = {(uint8_t)i}, .seq = i});
    adopted[sizeof adopted - 1] = 1;
    memcpy(revocation.certificate, team_a, sizeof team_a);
    revocation.cuts = mq_written(&cuts);
    revocation.adopted = MQ_SPAN(adopted);
    mq_revocation_put(out, &revocation);
}

void fuzz_start(void)
{
    static struct mq_receipt receipt = {.backup = 1, .head_seq = 2, .excepted_count = 3};
    uint8_t body[512];

    for (uint8_t i = 0; i < receipt.excepted_count; i++) { /* an id stands there once, and never without a reason */
        receipt.excepted[i].id[0] = i;
        receipt.excepted[i].reason = MQ_EXCEPTION_ROLE;
    }
    p = people();
    struct mq_buffer out = mq_buffer(body, sizeof body);
    mq_receipt_put(&out, &receipt);
    sign(0, MQ_CONTROL_RECEIPT, &out);
    out = mq_buffer(body, sizeof body);
    put_revocation(&out);
    sign(1, MQ_CONTROL_REVOCATION, &out);
    out = mq_buffer(body, sizeof body);
    mq_access_put(&out, &(struct mq_access){.token_hash = {1}});
    mq_access_put(&out, &(struct mq_access){.token_hash = {2}});
    sign(2, MQ_CONTROL_ACCESS, &out);
}

/* Is what the desk signed. */
static bool is_good(struct mq_span bytes)
{
    for (size_t i = 0; i < GOOD; i++)
        if (mq_span_equal(bytes, mq_span(good[i], good_size[i])))
            return true;
    return false;
}

static void try_bodies(struct mq_span body)
{
    static struct mq_receipt receipt;
    static uint8_t memory[64 * 1024];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_access access;

    if (mq_receipt_get(&receipt, body) == MQ_OK) {
        mq_receipt_put(&again, &receipt);
        MQ_ASSERT(mq_span_equal(mq_written(&again), body));
    }
    struct mq_reader reader = mq_reader(body);
    again = mq_buffer(memory, sizeof memory);
    while (mq_left(&reader) > 0 && mq_access_get(&access, &reader) == MQ_OK)
        if (again.capacity - again.size >= MQ_ACCESS_ENTRY_SIZE)
            mq_access_put(&again, &access);
    MQ_ASSERT(!again.failed && mq_span_equal(mq_written(&again), mq_span(body.data, again.size)));
}

/* Both lists rise, so that a revocation has one form. */
static void try_revocation(struct mq_control control)
{
    static uint8_t memory[MQ_CONTROL_BODY_MAX];
    struct mq_buffer again = mq_buffer(memory, sizeof memory);
    struct mq_revocation revocation;
    struct mq_cut cut, before = {.seq = 0};

    control.kind = MQ_CONTROL_REVOCATION;
    if (control.body.size >= MQ_HASH_SIZE)
        mq_revocation_subject(control.subject, control.body.data);
    if (mq_revocation_get(&revocation, &control) != MQ_OK)
        return;
    for (size_t i = 0; i < revocation.cut_count; i++, before = cut) {
        mq_cut_get(&cut, &revocation, i);
        MQ_ASSERT(i == 0 || memcmp(before.stream, cut.stream, sizeof cut.stream) <= 0);
    }
    mq_revocation_put(&again, &revocation);
    MQ_ASSERT(mq_span_equal(mq_written(&again), control.body));
}

static void try_control(struct mq_span bytes)
{
    struct mq_control control;

    if (mq_control_decode(&control, bytes) != MQ_OK)
        return;
    MQ_ASSERT(control.body.size + MQ_CONTROL_HEAD_SIZE + MQ_SIGNATURE_SIZE == bytes.size);
    if (mq_control_verify(&control, &p.desk_certificate) == MQ_OK)
        MQ_ASSERT(is_good(bytes));
    try_bodies(control.body);
    try_revocation(control);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_reader reader = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&reader), changed[GOOD_MAX];
    size_t which = (mode >> 1) % GOOD;

    if ((mode & 1) == 0) {
        struct mq_span rest = fuzz_rest(&reader);
        try_control(rest);
        try_bodies(rest);
        if (rest.size <= MQ_CONTROL_BODY_MAX)
            try_revocation((struct mq_control){.body = rest});
        return;
    }
    memcpy(changed, good[which], good_size[which]);
    fuzz_change(changed, good_size[which], &reader);
    try_control(mq_span(changed, good_size[which]));
}
