/* Aim: keys change and nothing is closed by it: who has the newest key reads the past, what was sealed under an old key is
 * still taken, who was revoked reads nothing new, and a desk that was set back reads again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/bundle.h"
#include "replica/cases.h"
#include "replica/heal.h"
#include "replica/outgoing.h"
#include "replica/rotate.h"
#include "replica/spool.h"
#include "replica/view.h"
#include "tests/replica/lost.h"

/* Keys of the team's own compartment that a member has, and the newest epoch of those. */
#define TEAM_KEYS "FROM grants JOIN mailbox USING(mailbox) WHERE compartment = 0 AND key IS NOT NULL"
static int64_t keys(struct village_member *member)
{
    return hostile_count(member, "SELECT count(*) " TEAM_KEYS);
}

static int64_t epoch(struct village_member *member)
{
    return hostile_count(member, "SELECT max(epoch) " TEAM_KEYS);
}

/* A member who was given the newest key only, as a new one is, opens what was sealed under all of them, whether the older
 * grants come before or after. */
static void newest_key_opens_the_past(void **state)
{
    struct village_member *new = &village.devices[3];
    struct mq_grant grant;
    struct mq_secret key;
    (void)state;
    for (int i = 0; i < 4; i++) {
        add(&village.devices[0], (const char *[]){"one", "two", "three", "four"}[i]);
        sync_one(&village.devices[0]);
        village_rotate(&village);
        sync_one(&village.devices[0]);
    }
    assert_int_equal(mq_db_run(mq_replica_db(new->replica), &problem, "DELETE FROM grants", ""), MQ_OK);
    assert_int_equal(mq_key_newest(village.desk.replica, village.desk.team.mailbox, &grant, &key, &problem), MQ_OK);
    assert_int_equal(grant.epoch, 5);
    assert_int_equal(mq_key_take(new->replica, &grant, &key, &problem), MQ_OK);
    assert_int_equal(keys(new), 1);
    sync_one(new);
    assert_int_equal(keys(new), 5);
    assert_true(knows(new, "one") && knows(new, "four"));
    assert_int_equal(mq_db_run(mq_replica_db(new->replica), &problem, "UPDATE grants SET key = NULL", ""), MQ_OK);
    assert_int_equal(mq_key_take(new->replica, &grant, &key, &problem), MQ_OK); /* now they are all here */
    assert_int_equal(keys(new), 5);
}

/* Who has not heard of a new key seals under the one he has, and it is taken; then he hears, and seals under the new. */
static void old_epochs_are_taken(void **state)
{
    struct village_member *late = &village.devices[1];
    (void)state;
    add(late, "first");
    village_sync_all(&village, 1);
    village_rotate(&village);
    village_rotate(&village);
    add(late, "under the old key");
    assert_int_equal(mq_seal_all(late->replica, &problem), MQ_OK);
    assert_int_equal(epoch(late), 1);
    village_sync_all(&village, 2);
    assert_int_equal(epoch(late), 3);
    assert_true(knows(&village.devices[2], "under the old key"));
    assert_int_equal(village_safety(late).anchored, 2);
    add(late, "under the new key");
    village_sync_all(&village, 2);
    assert_true(knows(&village.devices[2], "under the new key"));
    assert_int_equal(village_safety(late).anchored, 3);
}

/* Who was revoked is not given the new key, though his device asks, and cannot read what is written then; the others do. */
static void revoked_gets_no_key(void **state)
{
    struct village_member *lost = &village.devices[0];
    (void)state;
    add(lost, "before");
    village_sync_all(&village, 2);
    village_revoke(&village, lost);
    village_sync_all(&village, 1);
    add(&village.devices[1], "after");
    village_sync_all(&village, 2);
    assert_int_equal(epoch(&village.devices[1]), 2);
    assert_int_equal(epoch(lost), 1);
    lost->revoked = false; /* even if a relay gave him everything */
    struct mq_query *query;
    struct mq_admitted taken = {0};
    assert_int_equal(mq_db_begin(mq_replica_db(lost->replica), &problem), MQ_OK);
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem,
                                 "SELECT frame, bytes FROM outbox UNION ALL SELECT 3, announce FROM stream"
                                 " UNION ALL SELECT 1, bytes FROM segment",
                                 ""),
                     MQ_OK);
    while (mq_db_next(&query, &problem)) {
        const struct mq_frame frame = {.type = (uint8_t)mq_db_int(query, 0), .payload = mq_db_blob(query, 1)};
        assert_int_equal(mq_admit(lost->replica, &frame, false, &taken, &problem), MQ_OK);
    }
    assert_int_equal(mq_admit_waiting(lost->replica, &taken, &problem), MQ_OK);
    assert_int_equal(mq_db_commit(mq_replica_db(lost->replica), &problem), MQ_OK);
    assert_int_equal(epoch(lost), 1);
    assert_false(knows(lost, "after"));
    assert_true(knows(lost, "before"));
    lost->revoked = true;
}

static enum mq_status owe_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    return mq_heal_owe(replica, error);
}

/* Whoever brings a centre back what it lost says whom it revoked before he brings grants: with these comes its key, which the desk
 * hands to all whom it does not know to be revoked. */
static void revocations_are_brought_before_keys(void **state)
{
    struct village_member *member = &village.devices[1];
    (void)state;
    village_sync_all(&village, 1);
    village_revoke(&village, &village.devices[0]);
    village_sync_all(&village, 2);
    assert_int_equal(mq_replica_transact(member->replica, owe_all, NULL, &problem), MQ_OK);
    assert_true(hostile_count(member, "SELECT count(*) FROM outbox WHERE sent = 0 AND frame = 4") > 1);
    assert_int_equal(hostile_count(member, "SELECT (SELECT min(number) FROM outbox WHERE sent = 0 AND frame = 6) <"
                                           " (SELECT min(number) FROM outbox WHERE sent = 0 AND frame = 4)"),
                     1);
}

/* A key that a grant hands on, and to which no grant commits, is no key: nothing is opened by it and nothing sealed (P7). */
static void handed_on_key_must_fit(void **state)
{
    struct village_member *device = &village.devices[2];
    const struct mq_identity *desk = mq_replica_identity(village.desk.replica);
    struct mq_secret key[2] = {{{11}}, {{12}}}, wrong = {{13}};
    struct mq_grant grant[2] = {{.epoch = 8}, {.epoch = 9}};
    uint8_t nonce[MQ_NONCE_SIZE] = {1};
    (void)state;
    for (int i = 0; i < 2; i++)
        memcpy(grant[i].team, village.desk.team.team, MQ_ID_SIZE);
    mq_grant_sign(&grant[0], &key[0], NULL, nonce, desk);
    mq_grant_hash(grant[1].previous_hash, &grant[0]);
    mq_grant_sign(&grant[1], &key[1], &wrong, nonce, desk);
    int64_t before = keys(device);
    assert_int_equal(mq_key_take(device->replica, &grant[1], &key[1], &problem), MQ_OK);
    assert_int_equal(mq_grant_take(device->replica, &grant[0], &problem), MQ_OK);
    assert_int_equal(mq_key_take(device->replica, &grant[1], &key[1], &problem), MQ_OK);
    assert_int_equal(keys(device), before + 1);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM grants WHERE epoch = 8 AND key IS NULL"), 1);
    mq_grant_sign(&grant[1], &key[1], &key[0], nonce, desk); /* the right one goes through */
    assert_int_equal(mq_key_take(device->replica, &grant[1], &key[1], &problem), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM grants WHERE epoch = 8 AND key IS NULL"), 0);
}

static bool due(void)
{
    bool rotated = false;
    assert_int_equal(mq_rotate_due(village.desk.replica, &village.desk.team, &rotated, &problem), MQ_OK);
    return rotated;
}

/* A month by the desk's clock, and the key changes by itself; a clock that was years ahead for a while costs one change
 * and stops none, one that goes back none. */
static void a_month_changes_the_key(void **state)
{
    const int64_t day = 86400, start = 1700000000;
    (void)state;
    assert_int_equal(mq_db_begin(mq_replica_db(village.desk.replica), &problem), MQ_OK);
    mq_fake_set_wall(village.desk.fake, start);
    assert_false(due());
    mq_fake_set_wall(village.desk.fake, start + 29 * day);
    assert_false(due());
    mq_fake_set_wall(village.desk.fake, start + 31 * day);
    assert_true(due());
    assert_false(due());
    mq_fake_set_wall(village.desk.fake, start + 3000 * day); /* the battery was empty */
    assert_true(due());
    mq_fake_set_wall(village.desk.fake, start + 40 * day);
    assert_false(due());
    mq_fake_set_wall(village.desk.fake, start + 69 * day);
    assert_false(due());
    mq_fake_set_wall(village.desk.fake, start + 71 * day);
    assert_true(due());
    assert_int_equal(mq_db_commit(mq_replica_db(village.desk.replica), &problem), MQ_OK);
    assert_int_equal(epoch(&village.desk), 4);
}

/* Whoever was let in with a key that the centre lost before he reached any server brings it with what he wrote under it: nobody
 * else has it. */
static void who_never_met_a_server_brings_his_key(void **state)
{
    struct village_member *desk = &village.desk, *new = &village.devices[1];
    struct mq_grant grant;
    struct mq_secret key;
    (void)state;
    village_keep(&village, desk, "backup");
    village_rotate(&village);
    assert_int_equal(mq_key_newest(desk->replica, desk->team.mailbox, &grant, &key, &problem), MQ_OK);
    assert_int_equal(mq_key_take(new->replica, &grant, &key, &problem), MQ_OK); /* as an answer to `join` gives it */
    add(new, "under the lost key");
    assert_int_equal(mq_seal_all(new->replica, &problem), MQ_OK);
    village_bring_back(&village, desk, "backup");
    village_relay_empty(&village);
    assert_int_equal(hostile_count(new, "SELECT count(*) FROM setting WHERE name = 'server_id'"), 0);
    sync_one(desk);
    village_sync_all(&village, 3);
    assert_true(knows(desk, "under the lost key"));
    assert_true(knows(&village.devices[2], "under the lost key"));
    assert_int_equal(village_safety(new).anchored, 1);
}

/* The desk is brought back from before two changes of the key, with its relay as it is or with an empty one: it reads what
 * was sealed since, and its next key has a number that nobody had. */
static void a_desk_set_back_reads_again(void **state)
{
    (void)state;
    for (int emptied = 0; emptied < 2; emptied++) {
        int64_t before = epoch(&village.desk);
        village_sync_all(&village, 1);
        village_keep(&village, &village.desk, emptied ? "backup1" : "backup0");
        village_rotate(&village);
        village_rotate(&village);
        village_sync_all(&village, 1);
        add(&village.devices[0], emptied ? "second" : "first");
        village_sync_all(&village, 2);
        assert_int_equal(epoch(&village.desk), before + 2);
        village_bring_back(&village, &village.desk, emptied ? "backup1" : "backup0");
        assert_int_equal(epoch(&village.desk), before);
        assert_false(knows(&village.desk, emptied ? "second" : "first"));
        if (emptied) {
            village_relay_empty(&village);
            sync_one(&village.desk);
        }
        village_sync_all(&village, 3);
        assert_true(knows(&village.desk, emptied ? "second" : "first"));
        assert_int_equal(epoch(&village.desk), before + 2);
        village_rotate(&village);
        village_sync_all(&village, 2);
        assert_int_equal(epoch(&village.devices[1]), before + 3);
        assert_int_equal(keys(&village.devices[1]), keys(&village.desk));
    }
}

/* A key that the desk made and forgot with its backup comes back from whoever has it, and reaches those who never heard of it:
 * what was given to them was lost with the relay. */
static void a_key_of_a_lost_life_reaches_all(void **state)
{
    (void)state;
    village_sync_all(&village, 1);
    village_keep(&village, &village.desk, "backup");
    village_rotate(&village);
    sync_one(&village.devices[0]);
    add(&village.devices[0], "under the lost key");
    assert_int_equal(mq_seal_all(village.devices[0].replica, &problem), MQ_OK);
    village_bring_back(&village, &village.desk, "backup");
    village_rotate(&village);
    village_relay_empty(&village);
    sync_one(&village.desk);
    village_sync_all(&village, 4);
    assert_true(knows(&village.desk, "under the lost key"));
    assert_true(knows(&village.devices[1], "under the lost key"));
}

/* Is this member in the list of the county's desk? One that was set back may not know of him for a while. */
static void listed(struct village_member *member, bool is)
{
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem,
                               "UPDATE member SET state = ? WHERE sign_public = ?", "ib", (int64_t)!is,
                               MQ_SPAN(member->team.certificate.sign_public)),
                     MQ_OK);
}

static enum mq_status rotate_alone(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_rotate(replica, context, error);
}

/* Keys of two lives of the desk, neither of which leads to the other: at the next change both reach a member whom the desk
 * did not know of when they were handed out, and so does what was sealed under them. */
static void keys_of_all_lives_are_handed_on(void **state)
{
    struct village_member *desk = &village.desk, *unknown = &village.devices[1];
    (void)state;
    village_sync_all(&village, 1);
    listed(unknown, false);
    village_keep(&village, desk, "backup");
    village_rotate(&village);
    sync_one(&village.devices[0]);
    add(&village.devices[0], "first life");
    assert_int_equal(mq_seal_all(village.devices[0].replica, &problem), MQ_OK);
    village_bring_back(&village, desk, "backup");
    assert_int_equal(mq_replica_transact(desk->replica, rotate_alone, &desk->team, &problem), MQ_OK);
    add(desk, "second life");
    assert_int_equal(mq_seal_all(desk->replica, &problem), MQ_OK);
    village_sync_all(&village, 3);
    assert_int_equal(keys(desk), 3);
    assert_true(knows(&village.devices[2], "first life") && knows(&village.devices[2], "second life"));
    assert_false(knows(unknown, "first life") || knows(unknown, "second life"));
    listed(unknown, true);
    village_rotate(&village);
    village_sync_all(&village, 2);
    assert_int_equal(keys(unknown), 4);
    assert_true(knows(unknown, "first life") && knows(unknown, "second life"));
}

#define STANDING \
    "{\"kind\":\"standing\",\"id\":\"T-1\",\"household\":\"H-1\",\"type\":\"低保家庭\",\"basis\":\"证件\"}"

/* Who heard of a new key of what is sensitive before he was given it writes sealed, and the same line twice if he brings it
 * twice; when the key comes, he has it and sees one record, as all do. */
static void sealed_before_the_key_came_is_seen_with_it(void **state)
{
    struct village_member *early = &village.devices[1], *desk = &village.desk;
    struct mq_grant grant;
    struct mq_saved saved;
    uint8_t mailbox[MQ_ID_SIZE];
    (void)state;
    add(early, "H-1");
    village_sync_all(&village, 2);
    assert_int_equal(mq_replica_transact(desk->replica, rotate_alone, &desk->team, &problem), MQ_OK);
    mq_mailbox(mailbox, early->team.team, MQ_COMPARTMENT_SENSITIVE);
    assert_int_equal(mq_grant_newest(desk->replica, mailbox, &grant, &problem), MQ_OK);
    assert_int_equal(mq_grant_take(early->replica, &grant, &problem), MQ_OK); /* as by a stick */
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            mq_records_import_line(early->replica, &early->team, mq_span_text(STANDING), false, &saved, &problem), MQ_OK);
    assert_false(knows(early, "T-1"));
    village_sync_all(&village, 3);
    struct village_member *readers[] = {early, desk, &village.devices[2]};
    for (int i = 0; i < 3; i++) {
        char *lines = village_export(readers[i]);
        const char *first = strstr(lines, "\"T-1\"");
        assert_non_null(first);
        assert_null(strstr(first + 1, "\"T-1\""));
        free(lines);
    }
}

/* Seals to a key that nobody but the desk has, which is then set back to before it, and the relay with it. */
static void seal_to_a_key_that_is_lost(struct village_member *writer)
{
    struct village_member *desk = &village.desk;
    struct mq_grant grant;
    struct mq_saved saved;
    uint8_t mailbox[MQ_ID_SIZE];
    add(writer, "H-1");
    village_sync_all(&village, 2);
    village_keep(&village, desk, "backup");
    assert_int_equal(mq_replica_transact(desk->replica, rotate_alone, &desk->team, &problem), MQ_OK);
    mq_mailbox(mailbox, writer->team.team, MQ_COMPARTMENT_SENSITIVE);
    assert_int_equal(mq_grant_newest(desk->replica, mailbox, &grant, &problem), MQ_OK);
    assert_int_equal(mq_grant_take(writer->replica, &grant, &problem), MQ_OK); /* as one without the right hears of it */
    assert_int_equal(mq_records_import_line(writer->replica, &writer->team, mq_span_text(STANDING), false, &saved, &problem),
                     MQ_OK);
    village_bring_back(&village, desk, "backup");
    village_relay_empty(&village);
    sync_one(desk);
}

/* What was sealed to a key that nobody but the desk ever had is read although desk and relay are set back to before it: the
 * grant, which whoever seals to it has, brings the key back to the desk that made it. */
static void a_key_that_only_the_desk_had_comes_back(void **state)
{
    struct village_member *writer = &village.devices[1];
    (void)state;
    seal_to_a_key_that_is_lost(writer);
    village_sync_all(&village, 4);
    assert_true(knows(&village.desk, "T-1"));
    assert_true(knows(&village.devices[2], "T-1"));
    assert_int_equal(village_safety(writer).stored, 0);
}

/* The same where the writer's device is lost too, and a colleague brings what it had written onto a stick. */
static void a_stick_brings_the_grant_too(void **state)
{
    struct village_member *writer = &village.devices[1], *carrier = &village.devices[2];
    (void)state;
    seal_to_a_key_that_is_lost(writer);
    sync_one(carrier);
    carry(writer, carrier);
    for (int i = 0; i < 3; i++) {
        sync_one(carrier);
        sync_one(&village.desk);
    }
    assert_true(knows(&village.desk, "T-1"));
}

/* The device is locked now, sends what is sealed without its key, and is never opened again. */
static void send_locked(struct village_member *member)
{
    static const uint8_t pin[MQ_HASH_SIZE];
    const struct mq_transport transport = village_transport(&village);
    struct mq_spool_sent sent;
    assert_int_equal(mq_setting_put(member->replica, "url", mq_span_text("https://desk.example"), &problem), MQ_OK);
    assert_int_equal(mq_setting_put(member->replica, "pin", MQ_SPAN(pin), &problem), MQ_OK);
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK);
    assert_int_equal(mq_spool_update(member->replica, &problem), MQ_OK);
    assert_int_equal(mq_spool_send(member->platform, member->home, &transport, INT64_MAX, &sent, &problem), MQ_OK);
    assert_true(sent.sent > 0);
    assert_int_equal(sent.left, 0);
}

/* The same where the writer's device is locked, sends its spool, and is lost before anybody opens it. */
static void a_locked_device_brings_the_grant_too(void **state)
{
    struct village_member *writer = &village.devices[1];
    (void)state;
    seal_to_a_key_that_is_lost(writer);
    send_locked(writer);
    sync_one(&village.desk);
    assert_true(knows(&village.desk, "T-1"));
}

/* A locked device says whom the centre revoked too: the key that comes back with its grants, and was made without him, is not
 * handed to him. */
static void a_locked_device_says_who_was_revoked(void **state)
{
    struct village_member *revoked = &village.devices[0], *writer = &village.devices[1], *desk = &village.desk;
    (void)state;
    village_sync_all(&village, 1);
    village_keep(&village, desk, "backup");
    village_revoke(&village, revoked);
    sync_one(desk);
    sync_one(writer);
    assert_int_equal(epoch(writer), 2);
    add(writer, "written without him");
    village_bring_back(&village, desk, "backup");
    village_relay_empty(&village);
    sync_one(desk);
    send_locked(writer);
    for (int i = 0; i < 2; i++) {
        sync_one(desk);
        (void)village_sync(&village, revoked, NULL); /* whatever he is told */
    }
    assert_true(knows(desk, "written without him"));
    assert_int_equal(epoch(revoked), 1);
    assert_false(knows(revoked, "written without him"));
}

/* A stick of today, on which grants may stand before revocations, as its writer likes. */
static void read_stick(struct village_member *writer, struct village_member *reader)
{
    struct mq_admitted taken;
    int64_t segments;
    char path[256];
    snprintf(path, sizeof path, "%s/stick", village.directory);
    assert_int_equal(mq_bundle_write(writer->replica, path, &segments, &problem), MQ_OK);
    assert_int_equal(mq_bundle_read(reader->replica, path, &taken, &problem), MQ_OK);
}

/* The desk was set back to before a revocation, and a colleague's stick brings it that and the newer keys: whoever was revoked gets
 * none of them. */
static void a_stick_gives_no_key_to_who_was_revoked(void **state)
{
    struct village_member *revoked = &village.devices[0], *member = &village.devices[1], *desk = &village.desk;
    (void)state;
    village_sync_all(&village, 1);
    village_keep(&village, desk, "backup");
    village_revoke(&village, revoked);
    sync_one(member);
    village_bring_back(&village, desk, "backup");
    village_relay_empty(&village);
    read_stick(member, desk);
    sync_one(desk);
    add(member, "written without him");
    sync_one(member);
    sync_one(desk);
    (void)village_sync(&village, revoked, NULL); /* whatever he is told */
    assert_true(knows(desk, "written without him"));
    assert_int_equal(epoch(revoked), 1);
    assert_false(knows(revoked, "written without him"));
}

/* Who reads such a stick brings the server the revocation before the keys, too. */
static void a_stick_is_carried_on_in_order(void **state)
{
    struct village_member *late = &village.devices[2];
    (void)state;
    village_sync_all(&village, 1);
    village_revoke(&village, &village.devices[0]);
    sync_one(&village.devices[1]);
    read_stick(&village.devices[1], late);
    assert_int_equal(hostile_count(late, "SELECT (SELECT min(number) FROM outbox WHERE sent = 0 AND frame = 6) <"
                                         " (SELECT min(number) FROM outbox WHERE sent = 0 AND frame = 4)"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(newest_key_opens_the_past, begin, end),
        cmocka_unit_test_setup_teardown(old_epochs_are_taken, begin, end),
        cmocka_unit_test_setup_teardown(revoked_gets_no_key, begin, end),
        cmocka_unit_test_setup_teardown(revocations_are_brought_before_keys, begin, end),
        cmocka_unit_test_setup_teardown(handed_on_key_must_fit, begin, end),
        cmocka_unit_test_setup_teardown(a_month_changes_the_key, begin, end),
        cmocka_unit_test_setup_teardown(who_never_met_a_server_brings_his_key, begin, end),
        cmocka_unit_test_setup_teardown(a_desk_set_back_reads_again, begin, end),
        cmocka_unit_test_setup_teardown(a_key_of_a_lost_life_reaches_all, begin, end),
        cmocka_unit_test_setup_teardown(keys_of_all_lives_are_handed_on, begin, end),
        cmocka_unit_test_setup_teardown(sealed_before_the_key_came_is_seen_with_it, begin, end),
        cmocka_unit_test_setup_teardown(a_key_that_only_the_desk_had_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(a_stick_brings_the_grant_too, begin, end),
        cmocka_unit_test_setup_teardown(a_stick_gives_no_key_to_who_was_revoked, begin, end),
        cmocka_unit_test_setup_teardown(a_stick_is_carried_on_in_order, begin, end),
        cmocka_unit_test_setup_teardown(a_locked_device_brings_the_grant_too, begin, end),
        cmocka_unit_test_setup_teardown(a_locked_device_says_who_was_revoked, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
