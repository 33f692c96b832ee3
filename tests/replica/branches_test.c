/* Aim: the limits of a revocation are no weapon against what the revoked device's owner had brought. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "replica/bundle.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/replica/lost.h"

/* Behind holes that no one will fill, each under a number far above the owner's. */
static void branch_off(struct village_member *thief, const char *name, int count)
{
    assert_int_equal(mq_streams_close(thief->replica, &problem), MQ_OK);
    for (int i = 0; i < count; i++) {
        char id[32];
        snprintf(id, sizeof id, "%s %d", name, i);
        add(thief, id);
        assert_int_equal(mq_seal_all(thief->replica, &problem), MQ_OK);
        assert_int_equal(mq_db_run(mq_replica_db(thief->replica), &problem,
                                   "UPDATE stream SET next_seq = 1000 + next_seq, head_id = randomblob(32)"
                                   " WHERE mine = 1 AND closed = 0",
                                   ""),
                         MQ_OK);
    }
}

static int64_t cuts_of(struct village_member *member)
{
    return hostile_count(member, "SELECT count(*) FROM cut");
}

/* A thief who makes more branches than a revocation can name, with greater numbers than the owner's, does not push what the
 * owner had brought out of it. */
static void a_thiefs_many_branches_push_nothing_out(void **state)
{
    (void)state;
    add(lost(), "owner's");
    village_sync_all(&village, 2);
    branch_off(lost(), "thief's", MQ_CUTS_MAX + 2);
    carry(lost(), &village.desk);
    assert_true(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state = 1 AND mine = 0 AND seq > 1") >
                MQ_CUTS_MAX);
    village_revoke(&village, lost());
    assert_true(cuts_of(&village.desk) <= MQ_CUTS_MAX);
    assert_true(knows(&village.desk, "owner's"));
    assert_true(waiting_for_a_person(&village.desk) > 0);
    sync_one(other());
    assert_true(knows(other(), "owner's"));
}

/* Nor do two revocations that each had room for all: the desk was set back between them, and hears of the first. */
static void two_lives_push_nothing_out(void **state)
{
    static uint8_t memory[MQ_CONTROL_HEAD_SIZE + MQ_CONTROL_BODY_MAX + MQ_SIGNATURE_SIZE];
    static struct village_member thief;
    struct mq_buffer word = mq_buffer(memory, sizeof memory);
    struct mq_query *query;
    (void)state;
    add(lost(), "owner's");
    village_sync_all(&village, 2);
    village_clone(&village, lost(), &thief);
    village_keep(&village, &village.desk, "backup");
    branch_off(lost(), "one", MQ_CUTS_MAX - 2);
    carry(lost(), &village.desk);
    village_revoke(&village, lost());
    assert_int_equal(cuts_of(&village.desk), MQ_CUTS_MAX - 1);
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem,
                                 "SELECT bytes FROM control WHERE kind = ?", "i", (int64_t)MQ_CONTROL_REVOCATION),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    mq_put_span(&word, mq_db_blob(query, 0));
    mq_db_done(&query);

    village_bring_back(&village, &village.desk, "backup");
    village_relay_empty(&village);
    branch_off(&thief, "two", MQ_CUTS_MAX - 2);
    carry(&thief, &village.desk);
    village_revoke(&village, lost());
    assert_int_equal(cuts_of(&village.desk), MQ_CUTS_MAX - 1);
    const struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&word)};
    assert_int_equal(village_hear(&village.desk, &frame), 0);
    sync_one(&village.desk);
    assert_int_equal(cuts_of(&village.desk), MQ_CUTS_MAX);
    assert_true(knows(&village.desk, "owner's"));
    village_close(&thief);
    mq_fake_free(thief.fake);
}

#define MANY 4000

/* Thousands of branches in one stream, which one member can make, cost those who wait for the desk no more than a moment. */
static void many_branches_hold_nobody_up(void **state)
{
    struct mq_db *db = mq_replica_db(village.desk.replica);
    (void)state;
    add(lost(), "owner's");
    village_sync_all(&village, 2);
    assert_int_equal(mq_db_run(db, &problem,
                               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                               " INSERT INTO segment(id, stream, seq, previous, mine, state, bytes)"
                               " SELECT randomblob(32), stream, 1000 + i, randomblob(32), 0, 1, zeroblob(425)"
                               " FROM n, (SELECT stream FROM segment WHERE mine = 0 LIMIT 1)",
                               "i", (int64_t)MANY),
                     MQ_OK);
    clock_t begun = clock();
    assert_int_equal(mq_receipts_make(village.desk.replica, &village.desk.team, &problem), MQ_OK);
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
    print_message("%d branches: %.2f s\n", MANY, seconds);
    assert_true(seconds < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_thiefs_many_branches_push_nothing_out, begin, end),
        cmocka_unit_test_setup_teardown(two_lives_push_nothing_out, begin, end),
        cmocka_unit_test_setup_teardown(many_branches_hold_nobody_up, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
