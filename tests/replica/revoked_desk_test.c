/* Aim: a township's desk whose key was revoked is heard under no other certificate and after no upgrade; and a store that had
 * one slot for all desks loses nothing that the others said. */
#include "protocol/identity_keys.h"
#include "replica/outgoing.h"
#include "tests/replica/two_desks.h"

/* ---- a key that was certified twice ---- */

/* The root signed the township's key once more. */
static struct mq_certificate other_certificate(void)
{
    struct mq_certificate other = village.township.team.certificate;
    other.serial--;
    mq_certificate_sign(&other, &village.root);
    return other;
}

static void learn(const struct mq_certificate *certificate)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(bytes, certificate);
    struct mq_frame frame = {.type = MQ_FRAME_CERTIFICATE, .payload = MQ_SPAN(bytes)};
    assert_int_equal(village_hear(device(), &frame), 0);
}

static void forget(const struct mq_certificate *certificate)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(bytes, certificate);
    assert_int_equal(mq_db_run(mq_replica_db(device()->replica), &problem, "DELETE FROM desk WHERE certificate = ?", "b",
                               MQ_SPAN(bytes)),
                     MQ_OK);
}

/* It is one desk: revoked under either certificate it says nothing more, and what it said is taken back, whether receipt,
 * certificate or revocation came last. */
static void a_key_is_revoked_with_one_certificate(void **state)
{
    const struct mq_certificate other = other_certificate();
    const struct saying thiefs = {4, 0, 0, INT64_MAX};
    (void)state;
    three_segments();
    learn(&other);
    village_revoke(&village, &village.township); /* this merges what the device has sent */
    add("d");
    assert_int_equal(mq_seal_all(device()->replica, &problem), MQ_OK);
    say(&village.township, &thiefs);
    assert_all_anchored(4);
    sync_one(device());
    assert_int_equal(village_safety(device()).anchored, 3);
    assert_int_equal(say_to(device(), &village.township, &thiefs), 1);
    assert_int_equal(village_safety(device()).anchored, 3);
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM control WHERE kind = 1"), 1);
    forget(&village.township.team.certificate);
    say(&village.township, &thiefs);
    assert_all_anchored(4);
    learn(&village.township.team.certificate);
    assert_int_equal(village_safety(device()).anchored, 3);
}

/* ---- a store of a program that gave all desks one slot ---- */

#define OLD_SLOTS \
    "CREATE TABLE old(team BLOB, kind INTEGER, subject BLOB, number INTEGER NOT NULL, bytes BLOB NOT NULL," \
    " PRIMARY KEY(team, kind, subject)) WITHOUT ROWID;" \
    "INSERT INTO old SELECT team, kind, subject, number, bytes FROM control;" \
    "DROP TABLE control; ALTER TABLE old RENAME TO control"

/* The device has such a store, and this program opens it. */
static void upgrade(void)
{
    struct mq_db *db = mq_replica_db(device()->replica);
    int first = 0;
    assert_int_equal(mq_db_script(db, OLD_SLOTS, &problem), MQ_OK);
    while (first < mq_schema_count && strstr(mq_schema_steps[first], "owner BLOB") == NULL)
        first++;
    assert_in_range(first, 1, mq_schema_count - 1);
    for (int i = first; i < mq_schema_count; i++)
        assert_int_equal(mq_db_script(db, mq_schema_steps[i], &problem), MQ_OK);
    village_close(device());
    village_open(device());
}

/* It keeps what desks said, in the slots of those who said it. */
static void slots_of_an_older_program(void **state)
{
    (void)state;
    three_segments();
    say_receipt(&village.township, 2, 0);
    upgrade();
    say(&village.township, &(struct saying){3, 0, 0, 1}); /* older than what it said */
    assert_int_equal(village_safety(device()).anchored, 2);
    village_revoke(&village, &village.township);
    sync_one(device());
    assert_all_anchored(3); /* by the county, which merged it before it revoked */
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM control WHERE kind = 1"), 1);
}

/* It does not know which of them was the county's; what the county said counts as the county's once it comes again. */
static void the_county_is_heard_last_after_an_upgrade(void **state)
{
    const struct saying county = {3, 3, MQ_EXCEPTION_REVOKED, UINT64_C(1800000000105)};
    (void)state;
    three_segments();
    say(&village.desk, &county);
    upgrade();
    say(&village.township, &(struct saying){3, 0, 0, UINT64_C(1800000000110)});
    say(&village.desk, &county);
    assert_int_equal(village_safety(device()).quarantined, 1);
    assert_int_equal(village_safety(device()).anchored, 2);
}

/* An older program kept a receipt in its slot when the desk that gave it was revoked: it goes when this program opens the
 * store, and what the county says is heard. */
static void what_a_revoked_desk_left_goes(void **state)
{
    (void)state;
    three_segments();
    add("d");
    assert_int_equal(mq_seal_all(device()->replica, &problem), MQ_OK);
    say(&village.township, &(struct saying){4, 0, 0, INT64_MAX});
    struct mq_db *db = mq_replica_db(device()->replica);
    assert_int_equal(mq_db_script(db, "CREATE TEMP TABLE said AS SELECT * FROM control WHERE kind = 1", &problem), MQ_OK);
    village_revoke(&village, &village.township);
    sync_one(device());
    assert_int_equal(mq_db_script(db,
                                  "DELETE FROM control WHERE kind = 1; INSERT INTO control SELECT * FROM said;"
                                  "DROP TABLE said; UPDATE segment SET anchored = 1",
                                  &problem),
                     MQ_OK);
    assert_all_anchored(4);
    upgrade();
    assert_int_equal(village_safety(device()).anchored, 0);
    assert_int_equal(hostile_count(device(), "SELECT count(*) FROM control WHERE kind = 1"), 0);
    sync_one(&village.desk);
    sync_one(device());
    assert_all_anchored(4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_revoked_with_one_certificate, begin, end),
        cmocka_unit_test_setup_teardown(slots_of_an_older_program, begin, end),
        cmocka_unit_test_setup_teardown(the_county_is_heard_last_after_an_upgrade, begin, end),
        cmocka_unit_test_setup_teardown(what_a_revoked_desk_left_goes, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
