/* Aim: at whichever operation the disk fails or is full, once or for good, each verb of the relay's store says so; what it
 * said it did is there. On a full disk it has changed nothing; after a disk error, and where the machine dies instead of
 * going on, the store that is opened next has the act whole or not at all.
 *
 * The acts are those of tests/server/store_acts.h, the disk is the simulated one. */
#include <stdio.h>

#include "platform/db.h"
#include "tests/server/store_acts.h"
#include "tests/sim/machine.h"

#define PATH "relay.db"
#define LONG_COMMIT 50 /* operations, or more than it has */

static struct mq_error error;
static struct sim_choices *benign;
static struct sim_machine *full, *broken; /* with a whole store, closed; a copy of it, to break */
static uint64_t before;

static struct mq_store *open_store(struct sim_machine *machine)
{
    struct mq_store *store;

    mq_error_clear(&error);
    if (mq_store_sqlite_open(&store, sim_machine_platform(machine), PATH, &error) != MQ_OK)
        fail_msg("%s", error.text);
    return store;
}

static int make_full(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    benign = sim_choices_replay(NULL, 0);
    full = sim_machine_new(benign, 0, 7);
    broken = sim_machine_new(benign, 1, 8);
    struct mq_store *store = open_store(full);
    store_fill(store);
    store->verbs->close(store);
    before = store_digest(sim_machine_platform(full), PATH);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    sim_machine_free(broken);
    sim_machine_free(full);
    sim_choices_free(benign);
    return 0;
}

static uint64_t after_of(const struct store_act *what)
{
    sim_machine_copy_disk(broken, full, true);
    struct mq_store *store = open_store(broken);
    assert_int_equal(act(what, store, &error), what->answer);
    store->verbs->close(store);
    return store_digest(sim_machine_platform(broken), PATH);
}

struct cause {
    enum mq_status status;
    bool for_good, dies; /* dies: the power goes instead of the store being closed */
};

/* True: there was an n-th operation. */
static bool one_fails(const struct store_act *what, int64_t nth, struct cause cause, uint64_t after)
{
    struct sim_disk *disk = sim_machine_disk(broken);

    sim_machine_copy_disk(broken, full, true);
    struct mq_store *store = open_store(broken);
    int64_t faults = sim_disk_faults_made(disk);
    sim_disk_fail_nth(disk, nth, cause.status, cause.for_good);
    enum mq_status status = act(what, store, &error);
    bool failed = sim_disk_faults_made(disk) > faults;
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    if (cause.dies)
        sim_disk_cut(disk);
    store->verbs->close(store);
    if (cause.dies)
        sim_machine_reboot(broken);
    uint64_t now = store_digest(sim_machine_platform(broken), PATH);
    bool said = status == what->answer;
    bool good = said ? now == after : now == before || ((cause.dies || status == MQ_FAULT) && now == after);
    if (!good || (!failed && !said))
        fail_msg("%s, operation %lld: status %d, %s", what->name, (long long)nth, status,
                 now == before ? "as before" : now == after ? "as if done" : "neither");
    return failed;
}

/* Every act, every operation of the disk, every cause, and both ends. */
static void every_operation_fails(void **state)
{
    static const enum mq_status statuses[] = {MQ_FAULT, MQ_NO_SPACE};
    size_t operations = 0;

    (void)state;
    for (size_t a = 0; a < STORE_ACTS; a++) {
        uint64_t after = after_of(&store_acts[a]);
        for (unsigned c = 0; c < 8; c++) {
            struct cause cause = {statuses[c & 1], (c & 2) != 0, (c & 4) != 0};
            int64_t nth = 1;
            while (one_fails(&store_acts[a], nth, cause, after))
                nth++;
            operations += (size_t)nth - 1;
        }
    }
    printf("%zu operations failed\n", operations);
    assert_true(operations > 8 * STORE_ACTS);
}

/* A long commit, or a short one. */
static enum mq_status save(struct mq_db *db, int64_t size)
{
    return mq_db_run(db, &error, "INSERT INTO t VALUES(zeroblob(?))", "i", size);
}

/* The disk is full from the n-th operation of a long commit on: for that one only, and takes two short ones, or for a short one
 * behind it too. Then it fails at the m-th operation of the next, and the program is started anew. False: there was no m-th. */
static bool full_then_failing(int64_t nth, bool stays_full, int64_t mth)
{
    struct sim_disk *disk = sim_machine_disk(broken);
    struct mq_db *db;
    int64_t rows, acknowledged = stays_full ? 0 : 2;

    mq_error_clear(&error);
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    sim_machine_copy_disk(broken, full, true);
    assert_int_equal(mq_db_open(&db, sim_machine_platform(broken), "t.db", &error), MQ_OK);
    assert_int_equal(mq_db_script(db, "CREATE TABLE t(bytes BLOB)", &error), MQ_OK);
    sim_disk_fail_nth(disk, nth, MQ_NO_SPACE, stays_full);
    acknowledged += save(db, 60000) == MQ_OK;
    mq_error_clear(&error);
    acknowledged += save(db, 1) == MQ_OK;
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    mq_error_clear(&error);
    for (int i = 0; i < (stays_full ? 0 : 2); i++)
        assert_int_equal(save(db, 1), MQ_OK);
    int64_t faults = sim_disk_faults_made(disk);
    sim_disk_fail_nth(disk, mth, MQ_FAULT, false);
    acknowledged += save(db, 1) == MQ_OK;
    bool failed = sim_disk_faults_made(disk) > faults;
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    mq_db_close(db);
    mq_error_clear(&error);
    if (mq_db_open(&db, sim_machine_platform(broken), "t.db", &error) != MQ_OK)
        fail_msg("full at operation %lld%s, failing at %lld: %s", (long long)nth, stays_full ? " and on" : "", (long long)mth,
                 error.text);
    assert_int_equal(mq_db_number(db, &rows, &error, "SELECT count(*) FROM t", ""), MQ_OK);
    assert_in_range(rows, acknowledged, acknowledged + 1); /* the last one may be there though nobody said so */
    mq_db_close(db);
    return failed;
}

/* What a full disk left of a commit in the log is not taken for lost savings after the next failure. */
static void two_failures_are_no_damage(void **state)
{
    (void)state;
    for (int64_t nth = 1; nth <= LONG_COMMIT; nth++)
        for (unsigned stays_full = 0; stays_full < 2; stays_full++)
            for (int64_t mth = 1; full_then_failing(nth, stays_full == 1, mth); mth++)
                continue;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation_fails), cmocka_unit_test(two_failures_are_no_damage)};

    return cmocka_run_group_tests(tests, make_full, forget);
}
