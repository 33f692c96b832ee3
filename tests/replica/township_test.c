/* tidy: long, every case needs the same two desks and the same thief */
/* Aim: two desks of one team, a county's and a township's, work side by side: devices believe both, their receipts do not
 * chase each other, and nothing that one has merged is taken back by the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/control_keys.h"
#include "replica/outbox.h"
#include "replica/outgoing.h"
#include "tests/replica/two_desks.h"

/* The number of the last control object that this desk made. */
static int64_t last_number(struct village_member *desk)
{
    int64_t number;
    assert_int_equal(mq_setting_number(desk->replica, "control_number", &number, &problem), MQ_OK);
    return number;
}

/* A device that has never seen the township's desk takes its receipt and its decision, though the county stays away. */
static void devices_believe_a_township(void **state)
{
    (void)state;
    add("one");
    sync_one(device());
    sync_one(&village.township);
    village_set(device(), "one", "where=河边");
    village_set(&village.township, "one", "where=桥头");
    sync_one(device());
    sync_one(&village.township);
    assert_int_equal(village_safety(&village.township).conflicts, 1);
    assert_int_equal(mq_records_resolve(village.township.replica, mq_span_text("one"), mq_span_text("where"), 1,
                                        mq_span(NULL, 0), &problem),
                     MQ_OK);
    for (int i = 0; i < 2; i++) {
        sync_one(&village.township);
        sync_one(device());
    }
    assert_int_equal(village_safety(device()).conflicts, 0);
    assert_all_anchored(1);
    sync_one(&village.desk);
    char *here = village_export(device()), *town = village_export(&village.township);
    char *county = village_export(&village.desk);
    assert_string_equal(here, town);
    assert_string_equal(here, county);
    free(here);
    free(town);
    free(county);
}

/* Both give receipts for what is new, the device's and each other's; then both are silent, however often they sync. */
static void receipts_do_not_chase(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        add((const char *[]){"a", "b", "c"}[round]);
        sync_one(device());
        sync_one(round % 2 == 0 ? &village.desk : &village.township);
        sync_one(&village.township);
        village_set(&village.township, "a", (const char *[]){"where=一", "where=二", "where=三"}[round]);
        sync_one(&village.township);
        sync_one(&village.desk);
    }
    for (int i = 0; i < 3; i++) {
        sync_one(&village.township);
        sync_one(&village.desk);
    }
    int64_t town = last_number(&village.township), county = last_number(&village.desk);
    for (int i = 0; i < 5; i++) {
        sync_one(&village.desk);
        sync_one(&village.township);
        sync_one(device());
    }
    assert_int_equal(last_number(&village.township), town);
    assert_int_equal(last_number(&village.desk), county);
    assert_all_anchored(3);
}

/* A township that is behind gives a later receipt that covers less, and is gone: what the county confirmed is anchored all
 * the same, and the county need not say it again. */
static void a_lesser_receipt_hides_nothing(void **state)
{
    (void)state;
    add("a");
    sync_one(device());
    village.township.team.certificate.role = MQ_ROLE_CADRE; /* without its hooks: it merges, and gives no receipt yet */
    sync_one(&village.township);
    village.township.team.certificate.role = MQ_ROLE_DESK;
    add("b");
    sync_one(device());
    sync_one(&village.desk);
    mq_fake_set_wall(village.township.fake, 1700009000); /* its number is the greater */
    assert_int_equal(mq_receipts_make(village.township.replica, &village.township.team, &problem), MQ_OK);
    village.drop_replies = 1000;
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_UNREACHABLE);
    village.drop_replies = 0;
    sync_one(device());
    assert_all_anchored(2);
    int64_t before = last_number(&village.desk);
    sync_one(&village.desk);
    sync_one(&village.township);
    sync_one(&village.desk);
    assert_int_equal(last_number(&village.desk), before);
}

/* ---- what a device makes of receipts ---- */

/* A receipt that can be no receipt, signed by a township's desk with the greatest number there is, keeps no true one out. */
static void no_receipt_owns_a_slot(void **state)
{
    static uint8_t body[MQ_CONTROL_BODY_MAX], memory[MQ_CONTROL_BODY_MAX + 400];
    struct mq_buffer object = mq_buffer(memory, sizeof memory);
    struct mq_control control = {.kind = MQ_CONTROL_RECEIPT, .number = INT64_MAX, .body = MQ_SPAN(body)};
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    (void)state;
    three_segments();
    own_segment(3, id, control.subject);
    memcpy(control.team, village.township.team.team, MQ_ID_SIZE);
    assert_int_equal(mq_control_sign(&object, &control, mq_replica_identity(village.township.replica)), MQ_OK);
    struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&object)};
    assert_int_equal(village_hear(device(), &frame), 1);
    say_receipt(&village.desk, 3, 0);
    assert_all_anchored(3);
}

/* A record that one desk has merged stays anchored, though another says later that it cannot read it. */
static void merged_stays_merged(void **state)
{
    (void)state;
    three_segments();
    say_receipt(&village.desk, 3, 0);
    assert_all_anchored(3);
    say_receipt(&village.township, 2, 2);
    assert_all_anchored(3);
}

/* What one desk excepted is not shown as anchored by another's receipt that has not come so far; one that covers it and
 * does not name it clears it. */
static void exceptions_are_cleared_by_who_goes_as_far(void **state)
{
    (void)state;
    three_segments();
    say_receipt(&village.desk, 3, 3);
    assert_int_equal(village_safety(device()).quarantined, 1);
    say_receipt(&village.township, 2, 0);
    assert_int_equal(village_safety(device()).quarantined, 1);
    assert_int_equal(village_safety(device()).anchored, 2);
    say_receipt(&village.township, 3, 0);
    assert_all_anchored(3);
}

/* A desk's receipt that names an exception of its own a second time leaves it excepted. */
static void exceptions_stay_while_they_are_said(void **state)
{
    (void)state;
    three_segments();
    say_receipt(&village.desk, 2, 1);
    assert_int_equal(village_safety(device()).quarantined, 1);
    say_receipt(&village.desk, 3, 1);
    assert_int_equal(village_safety(device()).quarantined, 1);
    assert_int_equal(village_safety(device()).anchored, 2);
}

/* ---- a township's key is stolen ---- */

/* Whoever has it can say what he likes under the greatest number there is: what the county says of the same stream is
 * heard all the same, here and through the relay. */
static void a_thief_owns_no_slot(void **state)
{
    (void)state;
    three_segments();
    sync_one(&village.township);
    say(&village.township, &(struct saying){1, 3, MQ_EXCEPTION_REVOKED, INT64_MAX});
    assert_int_equal(village_safety(device()).quarantined, 1);
    sync_one(&village.desk);
    sync_one(device());
    assert_all_anchored(3);
}

/* Signs what he says to fill the relay, and lays it straight into its store, as an older program took it. */
static void lay(const struct mq_control *said)
{
    static uint8_t memory[MQ_CONTROL_BODY_MAX + 400];
    struct mq_buffer object = mq_buffer(memory, sizeof memory);
    struct mq_control control = *said;
    bool kept;
    memcpy(control.team, village.township.team.team, MQ_ID_SIZE);
    mq_key_name(control.issuer, mq_replica_identity(village.township.replica)->sign_public);
    assert_int_equal(mq_control_sign(&object, &control, mq_replica_identity(village.township.replica)), MQ_OK);
    control.bytes = mq_written(&object);
    assert_int_equal(village.store->verbs->put_control(village.store, &control, &kept, &problem), MQ_OK);
    assert_true(kept);
}

/* However much he lays before the relay, of kinds that nobody knows and of the device's own stream, what the county says
 * reaches the device; of the rest nothing stays there, and what comes to it by another way is passed over too. */
static void a_thief_fills_no_reply(void **state)
{
    static uint8_t fill[MQ_CONTROL_BODY_MAX];
    size_t size = sizeof fill;
    struct mq_control control = {.number = INT64_MAX};
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    (void)state;
    three_segments();
    for (uint8_t kind = MQ_CONTROL_REVOCATION + 1; kind < 36; kind++) {
        size = kind % 2 == 0 ? size / 2 : size;
        control.kind = kind;
        control.body = mq_span(fill, size);
        lay(&control);
    }
    control.kind = MQ_CONTROL_RECEIPT;
    control.body = MQ_SPAN(fill);
    own_segment(1, id, control.subject);
    lay(&control);
    for (int i = 0; i < 2; i++) {
        sync_one(&village.desk);
        sync_one(device());
    }
    assert_all_anchored(3);
    say(&village.township, &(struct saying){2, 0, 0, 5});
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM control WHERE kind = 1"), 2);

    uint8_t memory[400], body_memory[100];
    struct mq_buffer object = mq_buffer(memory, sizeof memory), body = mq_buffer(body_memory, sizeof body_memory);
    const struct mq_receipt receipt = {.head_seq = 1};
    mq_receipt_put(&body, &receipt);
    for (int i = 0; i < 2; i++) { /* of a stream that is not ours; of ours, but of a kind that only a county may add */
        object.size = 0;
        control.kind = i == 0 ? MQ_CONTROL_RECEIPT : MQ_CONTROL_REVOCATION + 1;
        control.body = mq_written(&body);
        control.subject[0] ^= 1;
        memcpy(control.team, village.township.team.team, MQ_ID_SIZE);
        assert_int_equal(mq_control_sign(&object, &control, mq_replica_identity(village.township.replica)), MQ_OK);
        struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&object)};
        assert_int_equal(village_hear(device(), &frame), 0);
    }
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM control WHERE kind NOT IN (2, 3)"), 2);
}

/* What only the thief said counts no more once his key is revoked, whichever came first: records are as safe as the
 * county says. */
static void what_a_thief_said_is_taken_back(void **state)
{
    (void)state;
    three_segments();
    village_revoke(&village, &village.township); /* this merges what the device has sent */
    add("d");
    assert_int_equal(mq_seal_all(device()->replica, &problem), MQ_OK);
    say(&village.township, &(struct saying){4, 1, MQ_EXCEPTION_ROLE, INT64_MAX});
    assert_int_equal(village_safety(device()).anchored, 3); /* d too, which never left the device */
    sync_one(device());
    struct mq_safety safety = village_safety(device());
    assert_int_equal(safety.anchored, 3);
    assert_int_equal(safety.stored, 1);
    assert_int_equal(safety.quarantined, 0);
    sync_one(&village.desk);
    sync_one(device());
    assert_all_anchored(4);
}

/* What only a thief confirmed of a stream that was closed since, so that no head tells of it, is brought once his key is
 * revoked: it reaches the county. */
static void what_a_thief_hid_is_brought(void **state)
{
    (void)state;
    three_segments();
    add("d");
    assert_int_equal(mq_seal_all(device()->replica, &problem), MQ_OK);
    say(&village.township, &(struct saying){4, 0, 0, INT64_MAX});
    assert_int_equal(mq_streams_close(device()->replica, &problem), MQ_OK);
    sync_one(device());
    assert_all_anchored(4);
    village_revoke(&village, &village.township);
    for (int i = 0; i < 3; i++) {
        sync_one(device());
        sync_one(&village.desk);
    }
    assert_all_anchored(4);
    char *here = village_export(device()), *county = village_export(&village.desk);
    assert_string_equal(here, county);
    free(here);
    free(county);
}

/* Whose rights the county took is told so, though a township that has not heard of it confirms what he wrote, before or
 * after. */
static void the_county_says_who_was_revoked(void **state)
{
    (void)state;
    three_segments();
    for (int late = 0; late < 2; late++) {
        say(&village.township, &(struct saying){3, 0, 0, UINT64_C(1800000000100) + (uint64_t)(10 * late)});
        say(&village.desk, &(struct saying){3, 3, MQ_EXCEPTION_REVOKED, UINT64_C(1800000000105)});
        assert_int_equal(village_safety(device()).quarantined, 1);
        assert_int_equal(village_safety(device()).anchored, 2);
    }
    say(&village.desk, &(struct saying){3, 0, 0, UINT64_C(1800000000106)}); /* a person let it in */
    assert_all_anchored(3);
}

/* The relay says that it was restored, and tells nothing that a desk said. */
static void false_reset(void)
{
    struct hostile_way way = {.village = &village, .withholds_words = true};
    assert_int_equal(village.store->verbs->renew(village.store, &problem), MQ_OK);
    assert_int_equal(hostile_sync(&way, device(), NULL), MQ_OK);
}

/* A relay that lies so gets no older word of a desk believed: what is excepted stays so, and what was let in too. */
static void a_false_reset_brings_no_old_word_back(void **state)
{
    static const uint64_t number = UINT64_C(1800000000100);
    (void)state;
    three_segments();
    say(&village.desk, &(struct saying){3, 3, MQ_EXCEPTION_REVOKED, number + 1});
    false_reset();
    say(&village.desk, &(struct saying){3, 0, 0, number});
    assert_int_equal(village_safety(device()).quarantined, 1);
    say(&village.desk, &(struct saying){3, 0, 0, number + 2});
    assert_all_anchored(3);
    false_reset();
    say(&village.desk, &(struct saying){3, 3, MQ_EXCEPTION_REVOKED, number + 1});
    assert_all_anchored(3);
}

/* A relay that was emptied takes a township's receipt only once the stream is there again: the township, which brings the
 * stream too, says it once more, so that its author hears it. */
static void a_township_says_it_of_what_it_brings(void **state)
{
    (void)state;
    three_segments();
    sync_one(&village.township);
    village_relay_empty(&village);
    sync_one(&village.desk); /* says who may come, and has nothing of the device's */
    sync_one(&village.township);
    assert_int_equal(village_safety(device()).anchored, 0);
    sync_one(device());
    assert_all_anchored(3);
}

/* The server and the desk are set back to before the device came, and the desk's clock is years late: what it confirms from
 * then on is taken all the same, since the device tells it which numbers it gave. */
static void a_late_desk_goes_on_above_its_numbers(void **state)
{
    (void)state;
    village_keep(&village, &village.desk, "kept");
    three_segments();
    sync_one(&village.desk);
    sync_one(device());
    assert_all_anchored(3);
    village_bring_back(&village, &village.desk, "kept");
    mq_fake_set_wall(village.desk.fake, 1500000000);
    village_relay_empty(&village);
    add("d");
    for (int i = 0; i < 3; i++) {
        sync_one(&village.desk);
        sync_one(device());
    }
    assert_all_anchored(4);
}

/* What a desk said under a greater number, before it was set back, comes from a device: what it says now is said once more,
 * though it covers less. */
static void what_a_desk_says_now_counts(void **state)
{
    (void)state;
    three_segments();
    village.desk.team.certificate.role = MQ_ROLE_CADRE; /* without its hooks: it merges, and gives no receipt yet */
    sync_one(&village.desk);
    village.desk.team.certificate.role = MQ_ROLE_COUNTY_DESK;
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem,
                               "UPDATE segment SET state = 2, reason = 'revoked' WHERE mine = 0 AND seq = 3", ""),
                     MQ_OK);
    sync_one(&village.desk);
    say(&village.desk, &(struct saying){3, 0, 0, UINT64_C(1900000000000)});
    assert_all_anchored(3);
    assert_int_equal(village.store->verbs->renew(village.store, &problem), MQ_OK);
    for (int i = 0; i < 2; i++) {
        sync_one(device());
        sync_one(&village.desk);
    }
    assert_int_equal(village_safety(device()).quarantined, 1);
    int64_t said = last_number(&village.desk);
    assert_true(said > INT64_C(1900000000000));
    sync_one(&village.desk);
    assert_int_equal(last_number(&village.desk), said);
}

/* On a stick comes what the county's desk said in a life that its server and it have forgotten, under a greater number, and it
 * covers less: the desk hears of it by the server, and says once more what counts. */
static void a_word_of_a_lost_life_is_overtaken(void **state)
{
    (void)state;
    three_segments();
    sync_one(&village.desk);
    sync_one(device());
    assert_all_anchored(3);
    say_by_stick(device(), &village.desk, &(struct saying){2, 0, 0, UINT64_C(1900000000000)});
    add("d");
    for (int i = 0; i < 2; i++) {
        sync_one(device());
        sync_one(&village.desk);
    }
    sync_one(device());
    assert_all_anchored(4);
}

/* A stick brings receipts of everybody; who reads it owes the server only those of his own. */
static void receipts_of_others_are_not_carried(void **state)
{
    (void)state;
    three_segments();
    say_by_stick(&village.devices[1], &village.desk, &(struct saying){3, 0, 0, UINT64_C(1900000000000)});
    say_by_stick(device(), &village.desk, &(struct saying){3, 0, 0, UINT64_C(1900000000000)});
    assert_int_equal(hostile_count(&village.devices[1], "SELECT count(*) FROM outbox WHERE frame = 6"), 0);
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM outbox WHERE frame = 6"), 1);
}

/* Two copies of one desk agree: neither says once more what the other has said under a greater number. */
static void copies_of_a_desk_do_not_chase(void **state)
{
    (void)state;
    three_segments();
    sync_one(&village.township);
    int64_t said = last_number(&village.township);
    assert_int_equal(say_to(&village.township, &village.township, &(struct saying){3, 0, 0, (uint64_t)said + 7}), 0);
    sync_one(&village.township);
    assert_int_equal(last_number(&village.township), said);
}

/* Two copies said different things under one number, and the other's came first: what this one says is said once more. */
static void a_number_that_two_said_is_passed(void **state)
{
    (void)state;
    three_segments();
    sync_one(&village.desk);
    uint64_t said = (uint64_t)hostile_count(&village.desk, "SELECT number FROM control WHERE kind = 1");
    say(&village.desk, &(struct saying){2, 0, 0, said});
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem, "DELETE FROM control WHERE kind = 1", ""), MQ_OK);
    assert_int_equal(say_to(&village.desk, &village.desk, &(struct saying){2, 0, 0, said}), 0);
    for (int i = 0; i < 3; i++) {
        sync_one(&village.desk);
        sync_one(device());
    }
    assert_all_anchored(3);
}

/* A device's home at the moment `from`, on which it goes on with one more record until the moment `to`. */
static void go_on(const char *from, const char *id, const char *to)
{
    village_bring_back(&village, device(), from);
    add(id);
    assert_int_equal(mq_seal_all(device()->replica, &problem), MQ_OK);
    village_keep(&village, device(), to);
}

static void township_sees(const char *moment)
{
    village_bring_back(&village, device(), moment);
    sync_one(device());
    sync_one(&village.township);
    village_keep(&village, device(), moment);
}

/* A stream has two branches, and two copies of a desk met them in different orders: they agree all the same, and fall silent. */
static void copies_agree_on_branches(void **state)
{
    static const char *const copies[] = {"early", "late"};
    int64_t last = 0;
    (void)state;
    add("a");
    sync_one(device());
    village_keep(&village, device(), "one");
    village_keep(&village, &village.township, "late");
    go_on("one", "b", "two");
    go_on("one", "c", "three");
    township_sees("two");
    township_sees("three");
    village_keep(&village, &village.township, "early");
    for (int i = 0; i < 10; i++) {
        village_bring_back(&village, &village.township, copies[i % 2]);
        sync_one(&village.township);
        int64_t said = last_number(&village.township);
        assert_true(i < 6 || said <= last);
        last = said > last ? said : last;
        village_keep(&village, &village.township, copies[i % 2]);
    }
}

/* A backup that was made in a life which is forgotten is no backup any more: the desk says once more what it says, and does not
 * name it. */
static void no_backup_of_a_lost_life_is_named(void **state)
{
    uint8_t memory[400];
    struct mq_buffer object = mq_buffer(memory, sizeof memory);
    (void)state;
    three_segments();
    sync_one(&village.township);
    int64_t said = last_number(&village.township);
    put_word(&object, &village.township, &(struct saying){3, 0, 0, (uint64_t)said + 7}, 9);
    struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&object)};
    assert_int_equal(village_hear(&village.township, &frame), 0);
    for (int i = 0; i < 3; i++)
        sync_one(&village.township);
    assert_int_equal(last_number(&village.township), said + 8);
}

/* However many segments of its own stream a device that was set back has from elsewhere in one reply, what a desk says of
 * them is applied once, and covers them all. */
static void what_comes_back_is_looked_at_once(void **state)
{
    (void)state;
    add("a");
    sync_one(device());
    village_keep(&village, device(), "kept");
    for (int i = 0; i < 8; i++) {
        add((const char *[]){"b", "c", "d", "e", "f", "g", "h", "i"}[i]);
        assert_int_equal(mq_seal_all(device()->replica, &problem), MQ_OK);
    }
    sync_one(device());
    sync_one(&village.desk);
    village_bring_back(&village, device(), "kept");
    say(&village.township, &(struct saying){1, 1, MQ_EXCEPTION_UNDECODABLE, 5});
    assert_int_equal(village_safety(device()).quarantined, 1);
    struct mq_db *db = mq_replica_db(device()->replica);
    assert_int_equal(mq_db_script(db,
                                  "CREATE TEMP TABLE applied(at); CREATE TEMP TRIGGER once AFTER UPDATE OF excepted ON segment"
                                  " WHEN NEW.excepted < 0 BEGIN INSERT INTO applied VALUES(NEW.number); END",
                                  &problem),
                     MQ_OK);
    sync_one(device());
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM segment WHERE mine = 0"), 8);
    assert_in_range(hostile_count(device(), "SELECT count(*) FROM applied"), 1, 4);
    assert_all_anchored(1);
}

/* ---- what a township's desk may not say ---- */

/* A grant by a township's desk is no key of the team: devices refuse it. */
static void township_grants_nothing(void **state)
{
    struct mq_grant grant = {.epoch = 2};
    struct mq_secret key = {{0x66}};
    uint8_t bytes[MQ_GRANT_SIZE];
    (void)state;
    add("a");
    sync_one(device()); /* learns the township's certificate */
    memcpy(grant.team, village.township.team.team, MQ_ID_SIZE);
    mq_grant_sign(&grant, &key, NULL, NULL, mq_replica_identity(village.township.replica));
    mq_grant_encode(bytes, &grant);
    struct mq_frame frame = {.type = MQ_FRAME_GRANT, .payload = MQ_SPAN(bytes)};
    assert_int_equal(village_hear(device(), &frame), 1);
}

/* Whoever stole a township's key may give a number almost as great as can be: the county goes on from its own, so that
 * everybody hears it after it was set back, too. */
static void a_thiefs_numbers_are_his_own(void **state)
{
    const struct saying thiefs = {1, 0, 0, MQ_CONTROL_NUMBER_SANE - 1};
    (void)state;
    three_segments();
    sync_one(&village.desk);
    assert_int_equal(say_to(&village.desk, &village.township, &thiefs), 0);
    add("d");
    sync_one(device());
    sync_one(&village.desk);
    assert_true(last_number(&village.desk) < MQ_CONTROL_NUMBER_SANE / 2);
    sync_one(device());
    assert_all_anchored(4);
}

/* A desk whose own key was stolen hears the thief's number, which it cannot pass, and its sync comes to an end all the same. */
static void who_cannot_pass_a_number_stops(void **state)
{
    (void)state;
    three_segments();
    sync_one(&village.township);
    say(&village.township, &(struct saying){3, 0, 0, INT64_MAX});
    assert_int_equal(village.store->verbs->renew(village.store, &problem), MQ_OK); /* so the device brings what it heard */
    sync_one(device());
    sync_one(&village.township);
    int64_t number = last_number(&village.township);
    sync_one(&village.township);
    assert_int_equal(last_number(&village.township), number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(devices_believe_a_township, begin, end),
        cmocka_unit_test_setup_teardown(receipts_do_not_chase, begin, end),
        cmocka_unit_test_setup_teardown(a_lesser_receipt_hides_nothing, begin, end),
        cmocka_unit_test_setup_teardown(no_receipt_owns_a_slot, begin, end),
        cmocka_unit_test_setup_teardown(merged_stays_merged, begin, end),
        cmocka_unit_test_setup_teardown(exceptions_are_cleared_by_who_goes_as_far, begin, end),
        cmocka_unit_test_setup_teardown(exceptions_stay_while_they_are_said, begin, end),
        cmocka_unit_test_setup_teardown(a_thief_owns_no_slot, begin, end),
        cmocka_unit_test_setup_teardown(a_thief_fills_no_reply, begin, end),
        cmocka_unit_test_setup_teardown(what_a_thief_said_is_taken_back, begin, end),
        cmocka_unit_test_setup_teardown(what_a_thief_hid_is_brought, begin, end),
        cmocka_unit_test_setup_teardown(the_county_says_who_was_revoked, begin, end),
        cmocka_unit_test_setup_teardown(a_false_reset_brings_no_old_word_back, begin, end),
        cmocka_unit_test_setup_teardown(a_township_says_it_of_what_it_brings, begin, end),
        cmocka_unit_test_setup_teardown(a_late_desk_goes_on_above_its_numbers, begin, end),
        cmocka_unit_test_setup_teardown(what_a_desk_says_now_counts, begin, end),
        cmocka_unit_test_setup_teardown(a_word_of_a_lost_life_is_overtaken, begin, end),
        cmocka_unit_test_setup_teardown(receipts_of_others_are_not_carried, begin, end),
        cmocka_unit_test_setup_teardown(copies_of_a_desk_do_not_chase, begin, end),
        cmocka_unit_test_setup_teardown(a_number_that_two_said_is_passed, begin, end),
        cmocka_unit_test_setup_teardown(copies_agree_on_branches, begin, end),
        cmocka_unit_test_setup_teardown(no_backup_of_a_lost_life_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_comes_back_is_looked_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_thiefs_numbers_are_his_own, begin, end),
        cmocka_unit_test_setup_teardown(who_cannot_pass_a_number_stops, begin, end),
        cmocka_unit_test_setup_teardown(township_grants_nothing, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
