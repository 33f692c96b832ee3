/* tidy: long, every case needs the same people and the same stage */
/* Aim: a relay is not moved by strangers, forgers, revoked members, other teams or people who play desk, and keys and
 * enrolments pass it only by the right hands. Really sealed segments, a real store. */
#include "protocol/grant_keys.h"
#include "tests/server/relay_stage.h"

/* ---- Who may ---- */

/* A stranger leaves nothing behind and hears nothing. */
static void strangers(void **state)
{
    struct kit_member doris = kit_member(0xd0, MQ_ROLE_CADRE, team_a, &w->desk.identity);

    (void)state;
    (void)kit_seal_next(w, &doris, mq_span_text("d"));
    bring(&doris);
    assert_int_equal(w->reply.status, MQ_REPLY_STRANGER);
    assert_int_equal(w->frame_count, 0);
    assert_head(0, NULL);
    kit_sync(w, &w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT) + kit_count(w, MQ_FRAME_ANNOUNCE), 0);
    kit_member_free(&doris);
}

/* But a good chain is enough for what somebody else carries. */
static void carried_for_others(void **state)
{
    struct kit_member doris = kit_member(0xd0, MQ_ROLE_CADRE, team_a, &w->desk.identity);

    (void)state;
    (void)kit_seal_next(w, &doris, mq_span_text("d"));
    seal_words(&w->carl, "of the other team");
    kit_say(w, &w->anna);
    kit_add_own(w, &doris);
    kit_add_own(w, &w->carl);
    kit_send(w, &w->anna);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_SEGMENT, 0), kit_bytes_of(&doris.segments[0])));
    kit_sync(w, &w->desk_b);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
    kit_member_free(&doris);
}

/* Another team's mailbox says nothing, and its segments are not given in parts either. */
static void other_teams_mailbox(void **state)
{
    struct mq_request head;
    uint8_t want[MQ_SEGMENT_ID_SIZE + 3] = {0};

    (void)state;
    seal_words(&w->carl, "c");
    bring(&w->carl);
    head = kit_head(w, &w->anna);
    memcpy(head.mailboxes[0].mailbox, w->carl.mailbox, MQ_ID_SIZE);
    memcpy(head.mailboxes[0].stream, w->carl.stream, MQ_ID_SIZE);
    kit_say_head(w, &head);
    memcpy(want, w->carl.segments[0].id, MQ_SEGMENT_ID_SIZE);
    kit_add(w, MQ_FRAME_WANT_PART, MQ_SPAN(want));
    assert_int_equal(kit_send_cut(w, w->request.size, 1), MQ_OK);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
    assert_int_equal(w->frame_count, 0);
    assert_int_equal(w->reply.mailboxes[0].cursor + w->reply.mailboxes[0].remaining, 0);
    assert_head(0, NULL);

    head = kit_head(w, &w->anna);
    memcpy(head.mailboxes[0].stream, w->carl.stream, MQ_ID_SIZE);
    kit_say_head(w, &head);
    kit_send(w, &w->anna);
    assert_head(0, NULL);
    assert_int_equal(kit_count(w, MQ_FRAME_SKELETON), 0);
}

static void set_access(uint64_t number, uint8_t annas_rights)
{
    uint8_t memory[100];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);

    kit_put_access(&list, &w->desk, MQ_ACCESS_MEMBER | MQ_ACCESS_DESK);
    kit_put_access(&list, &w->anna, annas_rights);
    kit_put_access(&list, &w->bert, MQ_ACCESS_MEMBER);
    kit_say(w, &w->desk);
    kit_add_control(w, &w->desk,
                    (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = number, .body = mq_written(&list)});
    kit_send(w, &w->desk);
}

/* A revoked member may still bring his own, is told that it is stored, and hears nothing else. */
static void revoked(void **state)
{
    (void)state;
    seal_words(&w->bert, "b");
    bring(&w->bert);
    set_access(2, MQ_ACCESS_MEMBER | MQ_ACCESS_REVOKED);
    seal_words(&w->anna, "last words");
    seal_words(&w->carl, "c");
    kit_say(w, &w->anna);
    kit_add_own(w, &w->anna);
    kit_add_own(w, &w->carl);
    kit_send(w, &w->anna);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
    assert_int_equal(w->frame_count, 0);
    assert_int_equal(w->reply.mailboxes[0].cursor, 0);
    assert_head(1, &w->anna.segments[0]);
    kit_sync(w, &w->desk);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_SEGMENT, 0), kit_bytes_of(&w->anna.segments[0])));
    kit_sync(w, &w->desk_b);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 0);
}

static void add_revocation(const struct kit_member *desk, uint64_t number)
{
    add_revocation_of(&w->anna, desk, number);
}

/* A township's desk has a slot for each stream of its team that lies here, and nothing else: no other kind, no receipt that
 * is none, none of a stream that nobody announced, or of another team's. The county may say what this program does not
 * know. A stream may come in the same request, behind what is said of it. */
static void township_has_few_slots(void **state)
{
    static const uint8_t nothing[MQ_ID_SIZE], large[MQ_CONTROL_BODY_MAX];
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);
    struct mq_control control = {.kind = MQ_CONTROL_REVOCATION + 1, .number = INT64_MAX, .body = MQ_SPAN(large)};

    (void)state;
    seal_words(&w->anna, "a");
    seal_words(&w->carl, "c");
    bring(&w->carl);
    kit_say(w, &w->anna);
    kit_add_certificate(w, &township);
    kit_add_control(w, &township, control);
    control.kind = MQ_CONTROL_RECEIPT;
    memcpy(control.subject, w->anna.stream, MQ_ID_SIZE);
    kit_add_control(w, &township, control);
    add_receipt_of(&township, nothing, INT64_MAX);
    add_receipt_of(&township, w->carl.stream, INT64_MAX);
    add_receipt(&township, 7);
    kit_add_own(w, &w->anna);
    kit_send(w, &w->anna);
    assert_told(1, (uint64_t[]){7});

    uint8_t memory[100];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);
    kit_put_access(&list, &w->anna, MQ_ACCESS_MEMBER);
    kit_put_access(&list, &township, MQ_ACCESS_MEMBER);
    kit_say(w, &w->desk);
    kit_add_control(w, &w->desk, (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 9, .body = mq_written(&list)});
    kit_add_control(w, &w->desk, (struct mq_control){.kind = MQ_CONTROL_REVOCATION + 1, .number = 1});
    kit_send(w, &w->desk);
    kit_sync(w, &w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 2);
    kit_sync(w, &township); /* what it said itself, and of the team's */
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 2);
    kit_member_free(&township);
}

/* The receipts that a desk is told of: these two numbers. */
static void assert_receipts_told(struct kit_member *desk, uint64_t first, uint64_t second)
{
    size_t receipts = 0;

    kit_sync(w, desk);
    for (size_t i = 0; i < kit_count(w, MQ_FRAME_CONTROL); i++) {
        struct mq_control told;
        assert_int_equal(mq_control_decode(&told, kit_frame(w, MQ_FRAME_CONTROL, i)), MQ_OK);
        receipts += told.kind == MQ_CONTROL_RECEIPT;
        assert_true(told.kind != MQ_CONTROL_RECEIPT || told.number == first || told.number == second);
        assert_true(told.kind != MQ_CONTROL_ACCESS || desk == &w->desk);
    }
    assert_int_equal(receipts, 2);
}

/* A desk, a township's too, is told what it said itself, so that it goes on from there after a restore, and what is said of
 * its own streams; not all that other desks of its team confirm. */
static void desks_hear_of_themselves(void **state)
{
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);
    uint8_t memory[100];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);

    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    seal_words(&w->desk, "d");
    bring(&w->desk);
    kit_say(w, &w->desk);
    kit_add_certificate(w, &township);
    add_receipt(&w->desk, 1);
    add_receipt(&township, 2);
    add_receipt_of(&township, w->desk.stream, 3);
    kit_send(w, &w->desk);
    kit_put_access(&list, &w->desk, MQ_ACCESS_MEMBER | MQ_ACCESS_DESK);
    kit_put_access(&list, &township, MQ_ACCESS_MEMBER);
    kit_say(w, &w->desk);
    kit_add_control(w, &w->desk,
                    (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 9, .body = mq_written(&list)});
    kit_send(w, &w->desk);
    assert_receipts_told(&w->desk, 1, 3);
    assert_receipts_told(&township, 2, 3);
    kit_member_free(&township);
}

/* A revocation reaches every member once, whoever brings it, and of several the newest alone, also one who comes later;
 * a township's reaches nobody. */
static void revocation_is_told_once(void **state)
{
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);
    struct mq_control told;

    (void)state;
    kit_say(w, &w->anna);
    kit_add_certificate(w, &township);
    add_revocation(&township, 9);
    add_revocation(&w->desk, 5);
    kit_send(w, &w->anna);
    for (int i = 0; i < 2; i++) {
        kit_sync(w, &w->bert);
        assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), i == 0);
    }
    kit_say(w, &w->desk);
    add_revocation(&w->desk, 7);
    add_revocation(&w->desk, 6);
    kit_send(w, &w->desk);
    struct kit_member *members[] = {&w->bert, &w->anna};
    for (size_t i = 0; i < 2; i++) {
        kit_sync(w, members[i]);
        assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 1);
        assert_int_equal(mq_control_decode(&told, kit_frame(w, MQ_FRAME_CONTROL, 0)), MQ_OK);
        assert_int_equal(told.kind, MQ_CONTROL_REVOCATION);
        assert_int_equal(told.number, 7);
    }
    kit_member_free(&township);
}

/* Who was revoked hears that he was, and what a desk says of his streams; nothing of anybody else. */
static void revoked_hears_of_himself(void **state)
{
    struct mq_control receipt = {.kind = MQ_CONTROL_RECEIPT, .number = 8, .body = mq_span_text("r")}, told;

    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    set_access(2, MQ_ACCESS_REVOKED);
    kit_say(w, &w->desk);
    add_revocation(&w->desk, 5);
    memcpy(receipt.subject, w->bert.stream, MQ_ID_SIZE);
    kit_add_control(w, &w->desk, receipt);
    memcpy(receipt.subject, w->anna.stream, MQ_ID_SIZE);
    kit_add_control(w, &w->desk, receipt);
    kit_send(w, &w->desk);
    kit_sync(w, &w->anna);
    assert_int_equal(w->frame_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mq_control_decode(&told, kit_frame(w, MQ_FRAME_CONTROL, i)), MQ_OK);
        assert_int_equal(told.kind, i == 0 ? MQ_CONTROL_REVOCATION : MQ_CONTROL_RECEIPT);
        if (i == 1)
            assert_memory_equal(told.subject, w->anna.stream, MQ_ID_SIZE);
    }
}

/* A township's desk that lost its rights in one team is told so there, whatever it wrote last, in another team, or in none. */
static void revoked_desk_of_two_teams_hears_of_each(void **state)
{
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);
    struct kit_member elsewhere = kit_member(0xd0, MQ_ROLE_DESK, team_b, &w->root);
    struct mq_control told;
    uint8_t memory[100];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);

    (void)state;
    kit_put_access(&list, &w->desk, MQ_ACCESS_MEMBER | MQ_ACCESS_DESK);
    kit_put_access(&list, &township, MQ_ACCESS_REVOKED);
    kit_say(w, &w->desk);
    kit_add_certificate(w, &township);
    kit_add_certificate(w, &elsewhere);
    kit_add_control(w, &w->desk,
                    (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 9, .body = mq_written(&list)});
    add_revocation_of(&township, &w->desk, 5);
    kit_send(w, &w->desk);
    for (int i = 0; i < 3; i++) {
        kit_sync(w, &township);
        assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 1);
        assert_int_equal(mq_control_decode(&told, kit_frame(w, MQ_FRAME_CONTROL, 0)), MQ_OK);
        assert_int_equal(told.kind, MQ_CONTROL_REVOCATION);
        struct kit_member *writes = i == 0 ? &township : &elsewhere;
        seal_words(writes, "d");
        kit_say(w, &w->anna);
        kit_add_own(w, writes);
        kit_send(w, &w->anna);
    }
    kit_member_free(&township);
    kit_member_free(&elsewhere);
}

/* His quota counts what his key has stored in all. */
static void revoked_quota(void **state)
{
    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    set_access(2, MQ_ACCESS_REVOKED);
    behind_its_back("UPDATE stream SET bytes = 5 * 1024 * 1024 - 302 - 600");
    seal_words(&w->anna, "still fits");
    seal_words(&w->anna, "one too many");
    bring(&w->anna);
    assert_head(2, &w->anna.segments[1]);
}

/* A stream that has reached its quota takes nothing more; other streams do. */
static void stream_quota(void **state)
{
    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    behind_its_back("UPDATE stream SET bytes = 512 * 1024 * 1024 - 10");
    seal_words(&w->anna, "too much");
    seal_words(&w->bert, "b");
    kit_say(w, &w->anna);
    kit_add_own(w, &w->anna);
    kit_add_own(w, &w->bert);
    kit_send(w, &w->anna);
    assert_head(1, &w->anna.segments[0]);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
}

/* An older access list does not come back, and one by another team's desk counts for that team only. */
static void old_access_list(void **state)
{
    (void)state;
    set_access(5, 0);
    kit_sync(w, &w->anna);
    assert_int_equal(w->reply.status, MQ_REPLY_STRANGER);
    set_access(4, MQ_ACCESS_MEMBER);
    kit_sync(w, &w->anna);
    assert_int_equal(w->reply.status, MQ_REPLY_STRANGER);
    kit_say(w, &w->desk);
    kit_add_control(w, &w->desk, (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 9, .body = mq_span("x", 1)});
    kit_send(w, &w->desk);
    set_access(6, MQ_ACCESS_MEMBER);
    kit_sync(w, &w->anna);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
}

/* A cadre who signs an access list, or anything else, as if he were a desk is not believed. */
static void cadre_plays_desk(void **state)
{
    uint8_t memory[100];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);

    (void)state;
    kit_put_access(&list, &w->anna, MQ_ACCESS_DESK);
    kit_say(w, &w->anna);
    kit_add_control(w, &w->anna,
                    (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 9, .body = mq_written(&list)});
    kit_send(w, &w->anna);
    kit_sync(w, &w->bert);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
}

/* A township's desk is known and may give receipts, but who may come, and under which key, is not its to say. */
static void township_plays_county(void **state)
{
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);
    uint8_t memory[100], grant_bytes[MQ_GRANT_SIZE];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);
    struct mq_secret key = secret_from(0x01);
    struct mq_grant grant = {.compartment = MQ_COMPARTMENT_TEAM};
    static const uint8_t nonce[MQ_NONCE_SIZE];
    struct mq_receipt receipt = {.head_seq = 1};
    uint8_t body_memory[100];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory);
    struct mq_control said = {.kind = MQ_CONTROL_RECEIPT, .number = 9};

    (void)state;
    memcpy(grant.team, team_a, sizeof grant.team);
    mq_grant_sign(&grant, &key, NULL, nonce, &township.identity);
    mq_grant_encode(grant_bytes, &grant);
    kit_put_access(&list, &township, MQ_ACCESS_DESK);
    mq_receipt_put(&body, &receipt);
    said.body = mq_written(&body);
    memcpy(said.subject, w->anna.stream, sizeof said.subject);
    seal_words(&w->anna, "a");
    bring(&w->anna);
    kit_say(w, &w->anna);
    kit_add_certificate(w, &township);
    kit_add_control(w, &township,
                    (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 9, .body = mq_written(&list)});
    kit_add_control(w, &township, said);
    kit_add(w, MQ_FRAME_GRANT, MQ_SPAN(grant_bytes));
    kit_send(w, &w->anna);
    kit_sync(w, &w->anna);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 1); /* the receipt */
    assert_int_equal(kit_count(w, MQ_FRAME_GRANT), 0);
    kit_member_free(&township);
}

/* ---- What does not verify ---- */

/* A forged segment is not stored and does not stop the good one behind it. */
static void forged_segment(void **state)
{
    uint8_t forged[MQ_SEGMENT_MAX];

    (void)state;
    seal_words(&w->anna, "a");
    seal_words(&w->anna, "b");
    const struct kit_segment *first = &w->anna.segments[0];
    memcpy(forged, first->bytes, first->size);
    forged[100] ^= 1;
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(w->anna.announce));
    kit_add(w, MQ_FRAME_SEGMENT, mq_span(forged, first->size));
    kit_add(w, MQ_FRAME_SEGMENT, mq_span(forged, 40));
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(first));
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[1]));
    kit_send(w, &w->anna);
    assert_head(2, &w->anna.segments[1]);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 2);
}

/* A segment without an announce, and an announce without a chain or beyond the compartments, are passed over. */
static void nothing_to_hold_on_to(void **state)
{
    struct kit_member forged = kit_member(0xd0, MQ_ROLE_CADRE, team_a, &w->carl.identity);
    struct mq_announce far = {.certificate = w->anna.certificate, .compartment = MQ_COMPARTMENTS_MAX};
    uint8_t bytes[MQ_ANNOUNCE_SIZE];

    (void)state;
    mq_announce_sign(&far, &w->anna.identity);
    mq_announce_encode(bytes, &far);
    (void)kit_seal_next(w, &forged, mq_span_text("d"));
    seal_words(&w->anna, "a");
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[0]));
    kit_add_own(w, &forged);
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(bytes));
    kit_send(w, &w->anna);
    assert_head(0, NULL);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT) + kit_count(w, MQ_FRAME_ANNOUNCE), 0);
    struct mq_buffer out = mq_buffer(bytes, sizeof bytes);
    uint8_t stream[MQ_ID_SIZE], mailbox[MQ_ID_SIZE];
    mq_announce_stream(stream, &far);
    assert_int_equal(w->store->verbs->announce(w->store, stream, mailbox, &out, &w->error), MQ_NOT_FOUND);
    kit_member_free(&forged);
}

/* ---- Keys and enrolments on their way ---- */

static struct mq_span a_wrap(const struct kit_member *desk, uint8_t *grant_bytes, uint8_t *frame)
{
    struct mq_secret key = secret_from(0x01), ephemeral = secret_from(0x02);
    struct mq_grant grant = {.compartment = MQ_COMPARTMENT_TEAM};
    static const uint8_t nonce[MQ_NONCE_SIZE];

    memcpy(grant.team, desk->certificate.team, sizeof grant.team);
    mq_grant_sign(&grant, &key, NULL, nonce, &desk->identity);
    mq_grant_encode(grant_bytes, &grant);
    mq_grant_kid(frame, &grant);
    assert_int_equal(mq_wrap_seal(frame + MQ_KID_SIZE, &key, w->anna.identity.box_public, &ephemeral), MQ_OK);
    return mq_span(frame, MQ_WRAP_FRAME_SIZE);
}

/* Grants reach their mailbox from anybody who carries them, wraps only from the team's own desk and only for a grant
 * that is there. */
static void grants_and_wraps(void **state)
{
    uint8_t grant_a[MQ_GRANT_SIZE], grant_b[MQ_GRANT_SIZE], frame_a[MQ_WRAP_FRAME_SIZE], frame_b[MQ_WRAP_FRAME_SIZE];
    struct mq_span wrap_a = a_wrap(&w->desk, grant_a, frame_a), wrap_b = a_wrap(&w->desk_b, grant_b, frame_b);

    (void)state;
    kit_say(w, &w->desk);
    kit_add(w, MQ_FRAME_WRAP, wrap_a);
    kit_send(w, &w->desk);
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_GRANT, MQ_SPAN(grant_a));
    kit_add(w, MQ_FRAME_GRANT, MQ_SPAN(grant_b));
    grant_a[50] ^= 1;
    kit_add(w, MQ_FRAME_GRANT, MQ_SPAN(grant_a));
    kit_add(w, MQ_FRAME_WRAP, wrap_a);
    kit_send(w, &w->anna);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_GRANT), 1);
    assert_int_equal(kit_count(w, MQ_FRAME_WRAP), 0);
    kit_say(w, &w->desk);
    kit_add(w, MQ_FRAME_WRAP, wrap_a);
    kit_add(w, MQ_FRAME_WRAP, wrap_b);
    kit_add(w, MQ_FRAME_WRAP, mq_span(frame_a, 10));
    kit_send(w, &w->desk);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_WRAP), 1);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_WRAP, 0), wrap_a));
    kit_sync(w, &w->carl);
    assert_int_equal(kit_count(w, MQ_FRAME_GRANT), 1);
    assert_int_equal(kit_count(w, MQ_FRAME_WRAP), 0);
}

static enum mq_status ask_enrol(const char *request, const char *expected)
{
    static uint8_t memory[MQ_ENROL_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    mq_error_clear(&w->error);
    enum mq_status status = mq_relay_enrol(&w->relay, mq_span_text(request), &out, &w->error);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text(expected)));
    return status;
}

static void answer_enrol(struct kit_member *who, const char *request, const char *reply)
{
    uint8_t memory[100], hash[MQ_HASH_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, mq_span_text(request));
    mq_put(&out, hash, MQ_ID_SIZE);
    mq_put_text(&out, reply);
    kit_say(w, who);
    kit_add(w, MQ_FRAME_ENROLLED, mq_written(&out));
    kit_send(w, who);
}

/* A request waits for a desk, only a desk is shown it, only a desk answers it, and the device fetches the answer. */
static void enrolment(void **state)
{
    static const char request[] = "a sealed enrolment request";

    (void)state;
    w->relay.news = false;
    assert_int_equal(ask_enrol(request, ""), MQ_WAITING);
    assert_true(w->relay.news);
    assert_int_equal(ask_enrol(request, ""), MQ_WAITING);
    kit_sync(w, &w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_ENROL), 0);
    kit_sync(w, &w->desk);
    assert_int_equal(kit_count(w, MQ_FRAME_ENROL), 1);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_ENROL, 0), mq_span_text(request)));
    answer_enrol(&w->anna, request, "by a cadre");
    assert_int_equal(ask_enrol(request, ""), MQ_WAITING);
    answer_enrol(&w->desk, "a request that nobody made", "reply");
    answer_enrol(&w->desk, request, "sealed reply");
    assert_int_equal(ask_enrol(request, "sealed reply"), MQ_OK);
    kit_sync(w, &w->desk);
    assert_int_equal(kit_count(w, MQ_FRAME_ENROL), 0);
}

/* What cannot be a request is refused. */
static void enrolment_refused(void **state)
{
    char long_request[MQ_ENROL_REQUEST_MAX + 2];

    (void)state;
    memset(long_request, 'x', sizeof long_request);
    long_request[MQ_ENROL_REQUEST_MAX + 1] = '\0';
    assert_int_equal(ask_enrol("", ""), MQ_REFUSED);
    assert_int_equal(ask_enrol(long_request, ""), MQ_REFUSED);
    assert_int_equal(ask_enrol(long_request + 1, ""), MQ_WAITING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(strangers),
        SCENE(carried_for_others),
        SCENE(other_teams_mailbox),
        SCENE(revoked),
        SCENE(revoked_desk_of_two_teams_hears_of_each),
        SCENE(revoked_quota),
        SCENE(revocation_is_told_once),
        SCENE(revoked_hears_of_himself),
        SCENE(township_has_few_slots),
        SCENE(desks_hear_of_themselves),
        SCENE(stream_quota),
        SCENE(old_access_list),
        SCENE(cadre_plays_desk),
        SCENE(township_plays_county),
        SCENE(forged_segment),
        SCENE(nothing_to_hold_on_to),
        SCENE(grants_and_wraps),
        SCENE(enrolment),
        SCENE(enrolment_refused),
    };

    if (directory_make() != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    directory_remove();
    return failed;
}
