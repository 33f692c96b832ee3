/* Aim: what a desk says holds only under that desk's key, for its own team, and unchanged; receipts and access lists
 * come back as they were written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/control_keys.h"
#include "protocol/revocation.h"
#include "tests/protocol/identities.h"

static struct people p;
static uint8_t memory[64 * 1024];

static int start(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    return 0;
}

static struct mq_control said(struct mq_span body)
{
    struct mq_control control = {.kind = MQ_CONTROL_RECEIPT, .number = 258, .wall_seconds = -2, .body = body};

    memcpy(control.team, team_a, sizeof control.team);
    count_up(control.subject, sizeof control.subject, 0x21);
    return control;
}

static struct mq_span sign(const struct mq_control *control, const struct mq_identity *desk)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    assert_int_equal(mq_control_sign(&out, control, desk), MQ_OK);
    return mq_written(&out);
}

/* Every field stands where control.c says, decodes to what it was, and verifies under its desk. */
static void control_round_trip(void **state)
{
    struct mq_control control = said(mq_span_text("body")), decoded;
    struct mq_span bytes = sign(&control, &p.desk);

    (void)state;
    assert_int_equal(bytes.size, 58 + 4 + 64);
    assert_memory_equal(bytes.data, "\1\1", 2);
    assert_memory_equal(bytes.data + 10, team_a, 16);
    assert_memory_equal(bytes.data + 26, control.subject, 16);
    assert_memory_equal(bytes.data + 42, "\0\0\0\0\0\0\1\2\xff\xff\xff\xff\xff\xff\xff\xfe"
                                         "body",
                        20);
    assert_int_equal(mq_control_decode(&decoded, bytes), MQ_OK);
    assert_int_equal(decoded.kind, MQ_CONTROL_RECEIPT);
    assert_memory_equal(decoded.issuer, p.cadre_certificate.issuer, sizeof decoded.issuer);
    assert_memory_equal(decoded.team, team_a, sizeof decoded.team);
    assert_memory_equal(decoded.subject, control.subject, sizeof decoded.subject);
    assert_int_equal(decoded.number, 258);
    assert_true(decoded.wall_seconds == -2);
    assert_true(mq_span_equal(decoded.body, mq_span_text("body")));
    assert_ptr_equal(decoded.bytes.data, bytes.data);
    assert_int_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_OK);
}

/* No single flipped bit passes both decoding and verifying. */
static void control_flipped(void **state)
{
    struct mq_control control = said(mq_span_text("body")), decoded;
    struct mq_span bytes = sign(&control, &p.desk);

    (void)state;
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (mq_control_decode(&decoded, bytes) == MQ_OK)
            assert_int_not_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_OK);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Cut at any byte it is refused or does not verify. */
static void control_cut(void **state)
{
    struct mq_control control = said(mq_span_text("body")), decoded;
    struct mq_span bytes = sign(&control, &p.desk);

    (void)state;
    for (size_t size = 0; size < bytes.size; size++) {
        enum mq_status status = mq_control_decode(&decoded, mq_span(bytes.data, size));
        assert_int_equal(status, size < 58 + 64 ? MQ_REFUSED : MQ_OK);
        if (status == MQ_OK)
            assert_int_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_BAD_SIGNATURE);
    }
}

/* Another desk, another team's desk with the same key, or a cadre cannot have said it. */
static void control_of_others(void **state)
{
    struct mq_control control = said(mq_span_text("")), decoded;
    struct mq_certificate other = certificate_for(MQ_ROLE_DESK, &p.stranger, 2, team_a, &p.root);
    struct mq_certificate elsewhere = certificate_for(MQ_ROLE_DESK, &p.desk, 3, team_b, &p.root);
    struct mq_certificate cadre = certificate_for(MQ_ROLE_CADRE, &p.desk, 4, team_a, &p.root);

    (void)state;
    assert_int_equal(mq_control_decode(&decoded, sign(&control, &p.desk)), MQ_OK);
    assert_int_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_OK);
    assert_int_equal(mq_control_verify(&decoded, &other), MQ_REFUSED);
    assert_int_equal(mq_control_verify(&decoded, &elsewhere), MQ_REFUSED);
    assert_int_equal(mq_control_verify(&decoded, &cadre), MQ_REFUSED);
    memcpy(control.team, team_b, sizeof control.team);
    assert_int_equal(mq_control_decode(&decoded, sign(&control, &p.desk)), MQ_OK);
    assert_int_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_REFUSED);
}

/* The longest body passes, one byte more is refused, and a small buffer is said to be small. */
static void control_limits(void **state)
{
    static uint8_t body[MQ_CONTROL_BODY_MAX];
    struct mq_control control = said(MQ_SPAN(body)), decoded;
    struct mq_span bytes = sign(&control, &p.desk);

    (void)state;
    assert_int_equal(mq_control_decode(&decoded, bytes), MQ_OK);
    assert_int_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_OK);
    assert_int_equal(mq_control_decode(&decoded, mq_span(memory, bytes.size + 1)), MQ_REFUSED);
    struct mq_buffer small = mq_buffer(memory, bytes.size - 1);
    assert_int_equal(mq_control_sign(&small, &control, &p.desk), MQ_NO_SPACE);
    memory[1] = 0;
    assert_int_equal(mq_control_decode(&decoded, bytes), MQ_REFUSED);
}

/* A receipt with any number of exceptions comes back; any other length is refused. */
static void receipt_round_trip(void **state)
{
    static struct mq_receipt receipt, decoded;

    (void)state;
    receipt.backup = 7;
    receipt.head_seq = 0x01020304;
    count_up(receipt.desk_stream, sizeof receipt.desk_stream, 1);
    count_up(receipt.head_id, sizeof receipt.head_id, 2);
    for (size_t count = 0; count <= MQ_EXCEPTED_MAX; count += 64) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);

        receipt.excepted_count = count;
        for (size_t i = 0; i < count; i++) {
            count_up(receipt.excepted[i].id, MQ_SEGMENT_ID_SIZE, (uint8_t)i);
            receipt.excepted[i].reason = MQ_EXCEPTION_ROLE;
        }
        mq_receipt_put(&out, &receipt);
        assert_int_equal(out.size, 58 + 33 * count);
        assert_int_equal(mq_receipt_get(&decoded, mq_written(&out)), MQ_OK);
        assert_int_equal(decoded.backup, 7);
        assert_int_equal(decoded.head_seq, 0x01020304);
        assert_memory_equal(decoded.desk_stream, receipt.desk_stream, sizeof receipt.desk_stream);
        assert_memory_equal(decoded.head_id, receipt.head_id, sizeof receipt.head_id);
        assert_int_equal(decoded.excepted_count, count);
        assert_memory_equal(decoded.excepted, receipt.excepted, count * sizeof receipt.excepted[0]);
        for (size_t size = 0; size < out.size; size++)
            assert_int_equal(mq_receipt_get(&decoded, mq_span(memory, size)), MQ_REFUSED);
        assert_int_equal(mq_receipt_get(&decoded, mq_span(memory, out.size + 1)), MQ_REFUSED);
    }
}

/* An exception without a reason would take another desk's exception back: it is refused. */
static void receipt_without_reason(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_receipt decoded, receipt = {.excepted_count = 2, .excepted[0].reason = MQ_EXCEPTION_ROLE};

    (void)state;
    mq_receipt_put(&out, &receipt);
    assert_int_equal(mq_receipt_get(&decoded, mq_written(&out)), MQ_REFUSED);
}

/* An id that is excepted twice, side by side or far apart, is refused, under one reason or two. */
static void receipt_names_one_twice(void **state)
{
    static struct mq_receipt receipt, decoded;

    (void)state;
    receipt.excepted_count = MQ_EXCEPTED_MAX;
    for (size_t i = 0; i < MQ_EXCEPTED_MAX; i++) {
        count_up(receipt.excepted[i].id, MQ_SEGMENT_ID_SIZE, (uint8_t)i);
        receipt.excepted[i].reason = MQ_EXCEPTION_ROLE;
    }
    for (size_t second = 1; second < MQ_EXCEPTED_MAX; second += 127) {
        struct mq_exception kept = receipt.excepted[second];
        struct mq_buffer out = mq_buffer(memory, sizeof memory);

        memcpy(receipt.excepted[second].id, receipt.excepted[0].id, MQ_SEGMENT_ID_SIZE);
        receipt.excepted[second].reason = second % 2 == 0 ? MQ_EXCEPTION_BRANCH : MQ_EXCEPTION_ROLE;
        mq_receipt_put(&out, &receipt);
        assert_int_equal(mq_receipt_get(&decoded, mq_written(&out)), MQ_REFUSED);
        receipt.excepted[second] = kept;
        out.size = 0;
        mq_receipt_put(&out, &receipt);
        assert_int_equal(mq_receipt_get(&decoded, mq_written(&out)), MQ_OK);
    }
}

/* More exceptions than allowed are refused even where the length fits. */
static void receipt_of_too_many(void **state)
{
    struct mq_receipt decoded;
    size_t count = MQ_EXCEPTED_MAX + 1;

    (void)state;
    memset(memory, 0, sizeof memory);
    memory[56] = (uint8_t)(count >> 8);
    memory[57] = (uint8_t)count;
    assert_int_equal(mq_receipt_get(&decoded, mq_span(memory, 58 + 33 * count)), MQ_REFUSED);
}

/* Whose word each kind is, and whether the team's log has it; of what is unknown, neither. */
static void kinds_and_their_ways(void **state)
{
    (void)state;
    assert_false(mq_control_is_countys(MQ_CONTROL_RECEIPT) || mq_control_is_logged(MQ_CONTROL_RECEIPT));
    assert_true(mq_control_is_countys(MQ_CONTROL_ACCESS) && !mq_control_is_logged(MQ_CONTROL_ACCESS));
    assert_true(mq_control_is_countys(MQ_CONTROL_REVOCATION) && mq_control_is_logged(MQ_CONTROL_REVOCATION));
    assert_false(mq_control_is_countys(200) || mq_control_is_logged(200));
}

/* A buffer that is too small by however much gets no control that looks whole. */
static void control_in_small_buffers(void **state)
{
    struct mq_control control = said(mq_span_text("body"));
    size_t needed = sign(&control, &p.desk).size;

    (void)state;
    for (size_t size = 0; size <= needed; size++) {
        struct mq_buffer out = mq_buffer(memory, size);
        assert_int_equal(mq_control_sign(&out, &control, &p.desk), size < needed ? MQ_NO_SPACE : MQ_OK);
    }
}

/* Entries of an access list come back in order; a cut one is refused. */
static void access_round_trip(void **state)
{
    struct mq_access access = {.rights = MQ_ACCESS_MEMBER | MQ_ACCESS_DESK}, decoded;
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    count_up(access.token_hash, sizeof access.token_hash, 1);
    count_up(access.key_name, sizeof access.key_name, 2);
    mq_access_put(&out, &access);
    assert_int_equal(out.size, MQ_ACCESS_ENTRY_SIZE);
    struct mq_reader reader = mq_reader(mq_written(&out));
    assert_int_equal(mq_access_get(&decoded, &reader), MQ_OK);
    assert_memory_equal(&decoded, &access, sizeof access);
    reader = mq_reader(mq_span(memory, out.size - 1));
    assert_int_equal(mq_access_get(&decoded, &reader), MQ_REFUSED);
}

/* Who belongs to a team is said by the county's desk alone: of a township's, access lists and revocations do not hold. */
static void control_of_a_township(void **state)
{
    static const uint8_t kinds[] = {MQ_CONTROL_ACCESS, MQ_CONTROL_REVOCATION};
    struct mq_certificate town = certificate_for(MQ_ROLE_DESK, &p.stranger, 2, team_a, &p.root);
    struct mq_control control = said(mq_span_text("")), decoded;

    (void)state;
    assert_int_equal(mq_control_decode(&decoded, sign(&control, &p.stranger)), MQ_OK);
    assert_int_equal(mq_control_verify(&decoded, &town), MQ_OK);
    for (size_t i = 0; i < sizeof kinds; i++) {
        control.kind = kinds[i];
        assert_int_equal(mq_control_decode(&decoded, sign(&control, &p.stranger)), MQ_OK);
        assert_int_equal(mq_control_verify(&decoded, &town), MQ_REFUSED);
        assert_int_equal(mq_control_decode(&decoded, sign(&control, &p.desk)), MQ_OK);
        assert_int_equal(mq_control_verify(&decoded, &p.desk_certificate), MQ_OK);
    }
}

/* A revocation of `cuts` cuts and `names` names, each greater than the one before. */
static struct mq_control revocation(size_t cuts, size_t names, struct mq_buffer *body)
{
    static uint8_t cut_memory[(MQ_CUTS_MAX + 1) * MQ_CUT_SIZE], name_memory[(MQ_ADOPTED_MAX + 1) * MQ_SEGMENT_ID_SIZE];
    struct mq_buffer cut_list = mq_buffer(cut_memory, sizeof cut_memory);
    struct mq_control control = {.kind = MQ_CONTROL_REVOCATION};
    uint8_t certificate[MQ_HASH_SIZE];

    count_up(certificate, sizeof certificate, 0x30);
    memset(name_memory, 0, sizeof name_memory);
    for (size_t i = 0; i < cuts; i++) {
        struct mq_cut cut = {.seq = (uint32_t)i};
        count_up(cut.id, sizeof cut.id, (uint8_t)i);
        mq_cut_put(&cut_list, &cut);
    }
    for (size_t i = 0; i < names; i++) {
        name_memory[i * MQ_SEGMENT_ID_SIZE] = (uint8_t)(i >> 8);
        name_memory[i * MQ_SEGMENT_ID_SIZE + 1] = (uint8_t)i;
    }
    mq_put(body, certificate, sizeof certificate); /* by hand: counts over the limits are assertions elsewhere */
    mq_put_u16(body, (uint16_t)cuts);
    mq_put_span(body, mq_written(&cut_list));
    mq_put_u16(body, (uint16_t)names);
    mq_put(body, name_memory, names * MQ_SEGMENT_ID_SIZE);
    mq_revocation_subject(control.subject, certificate);
    control.body = mq_written(body);
    return control;
}

/* A revocation comes back as it was written, up to the limits and no further. */
static void revocation_round_trip(void **state)
{
    static const size_t counts[][2] = {{0, 0}, {1, 0}, {0, 1}, {3, 5}, {MQ_CUTS_MAX, MQ_ADOPTED_MAX}};
    static uint8_t again_memory[MQ_CONTROL_BODY_MAX];
    struct mq_revocation decoded;
    struct mq_cut cut;

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct mq_buffer body = mq_buffer(memory, sizeof memory), again = mq_buffer(again_memory, sizeof again_memory);
        struct mq_control control = revocation(counts[i][0], counts[i][1], &body);
        assert_int_equal(mq_revocation_get(&decoded, &control), MQ_OK);
        assert_int_equal(decoded.cut_count, counts[i][0]);
        assert_int_equal(decoded.adopted_count, counts[i][1]);
        if (decoded.cut_count > 0) {
            mq_cut_get(&cut, &decoded, decoded.cut_count - 1);
            assert_int_equal(cut.seq, decoded.cut_count - 1);
            assert_int_equal(cut.id[1], (uint8_t)decoded.cut_count);
        }
        mq_revocation_put(&again, &decoded);
        assert_true(mq_span_equal(mq_written(&again), control.body));
    }
    for (size_t i = 0; i < 2; i++) {
        struct mq_buffer body = mq_buffer(memory, sizeof memory);
        struct mq_control control = revocation(i == 0 ? MQ_CUTS_MAX + 1 : 0, i == 1 ? MQ_ADOPTED_MAX + 1 : 0, &body);
        assert_int_equal(mq_revocation_get(&decoded, &control), MQ_REFUSED);
    }
}

/* Another kind, another subject, any other length, and lists that do not rise are refused. */
static void revocation_refused(void **state)
{
    struct mq_buffer body = mq_buffer(memory, sizeof memory);
    struct mq_control good = revocation(2, 2, &body), control = good;
    struct mq_revocation decoded;
    uint8_t *cuts = memory + MQ_HASH_SIZE + 2, *names = cuts + 2 * MQ_CUT_SIZE + 2;

    (void)state;
    for (size_t size = 0; size <= good.body.size + 1; size++) {
        control.body = mq_span(memory, size);
        assert_int_equal(mq_revocation_get(&decoded, &control), size == good.body.size ? MQ_OK : MQ_REFUSED);
    }
    control = good;
    control.kind = MQ_CONTROL_RECEIPT;
    assert_int_equal(mq_revocation_get(&decoded, &control), MQ_REFUSED);
    control = good;
    control.subject[15] ^= 1;
    assert_int_equal(mq_revocation_get(&decoded, &control), MQ_REFUSED);
    names[1] ^= 1; /* the first is the second now */
    assert_int_equal(mq_revocation_get(&decoded, &good), MQ_REFUSED);
    names[1] ^= 1;
    cuts[0] = 1; /* the first is greater now */
    assert_int_equal(mq_revocation_get(&decoded, &good), MQ_REFUSED);
    cuts[0] = 0;
    assert_int_equal(mq_revocation_get(&decoded, &good), MQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_round_trip), cmocka_unit_test(control_flipped),
        cmocka_unit_test(control_cut),        cmocka_unit_test(control_of_others),
        cmocka_unit_test(control_limits),     cmocka_unit_test(receipt_round_trip),
        cmocka_unit_test(receipt_without_reason), cmocka_unit_test(receipt_names_one_twice),
        cmocka_unit_test(receipt_of_too_many), cmocka_unit_test(control_in_small_buffers), cmocka_unit_test(kinds_and_their_ways),
        cmocka_unit_test(access_round_trip),
        cmocka_unit_test(control_of_a_township), cmocka_unit_test(revocation_round_trip),
        cmocka_unit_test(revocation_refused),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
