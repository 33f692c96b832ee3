/* Aim: a store that had one slot for all desks loses nothing that any of them said. */
#include "tests/replica/two_desks.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slots_of_an_older_program, begin, end),
        cmocka_unit_test_setup_teardown(the_county_is_heard_last_after_an_upgrade, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
