/* Aim: the limits of a revocation are no weapon against what the revoked device's owner had brought. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replica/bundle.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/replica/lost.h"

/* A thief who makes more branches than a revocation can name, with greater numbers than the owner's, does not push what the
 * owner had brought out of it. */
static void a_thiefs_many_branches_push_nothing_out(void **state)
{
    (void)state;
    add(lost(), "owner's");
    village_sync_all(&village, 2);
    assert_int_equal(mq_streams_close(lost()->replica, &problem), MQ_OK);
    for (int i = 0; i < MQ_CUTS_MAX + 2; i++) {
        char id[32];
        snprintf(id, sizeof id, "thief's %d", i);
        add(lost(), id);
        assert_int_equal(mq_seal_all(lost()->replica, &problem), MQ_OK);
        assert_int_equal(mq_db_run(mq_replica_db(lost()->replica), &problem,
                                   "UPDATE stream SET next_seq = 1000 + next_seq, head_id = randomblob(32)"
                                   " WHERE mine = 1 AND closed = 0",
                                   ""),
                         MQ_OK); /* behind a hole that no one will fill */
    }
    carry(lost(), &village.desk);
    assert_true(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state = 1 AND mine = 0 AND seq > 1") >
                MQ_CUTS_MAX);
    village_revoke(&village, lost());
    assert_true(hostile_count(&village.desk, "SELECT count(*) FROM cut") <= MQ_CUTS_MAX);
    assert_true(knows(&village.desk, "owner's"));
    assert_true(waiting_for_a_person(&village.desk) > 0);
    sync_one(other());
    assert_true(knows(other(), "owner's"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_thiefs_many_branches_push_nothing_out, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
