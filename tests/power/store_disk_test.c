/* Aim: at whichever operation the disk fails or is full, once or for good, each verb of the relay's store says so; what it
 * said it did is there. On a full disk it has changed nothing; after a disk error, and where the machine dies instead of
 * going on, the store that is opened next has the act whole or not at all.
 *
 * The acts are those of tests/server/store_acts.h, the disk is the simulated one. */
#include <stdio.h>

#include "platform/db_key.h"
#include "tests/server/store_acts.h"
#include "tests/sim/machine.h"

#define PATH "relay.db"
#define GOING 24       /* operations of emptying or cutting the log, or more than it has */
#define HEADERS 200    /* seeds */
#define LONG_COMMIT 50 /* operations, or more than it has */

static struct mq_error error;
static struct sim_choices *benign;
static struct sim_machine *full, *broken; /* with a whole store, closed; a copy of it, to break */
static uint64_t before;
static const struct mq_secret key = {.bytes = {9}};

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

/* A store with one row, acknowledged and in the log, on a disk with nothing else. */
static struct mq_db *one_row(struct sim_machine *machine)
{
    struct mq_db *db;

    mq_error_clear(&error);
    sim_machine_copy_disk(machine, full, true);
    assert_int_equal(mq_db_open_encrypted(&db, sim_machine_platform(machine), "t.db", &key, &error), MQ_OK);
    assert_int_equal(mq_db_script(db, "CREATE TABLE t(bytes BLOB)", &error), MQ_OK);
    assert_int_equal(save(db, 1), MQ_OK);
    return db;
}

/* The last frame of a commit finds no room; `first`: it is the first commit of the log. */
static void break_off(struct sim_machine *machine, struct mq_db *db, int64_t size, bool first)
{
    struct sim_disk *disk = sim_machine_disk(machine);
    int64_t start = sim_disk_operations(disk);

    assert_int_equal(save(db, size), MQ_OK); /* to see how many operations it takes, the last one a sync */
    int64_t writes = sim_disk_operations(disk) - start - 1;
    if (first)
        assert_int_equal(mq_db_empty_log(db, &error), MQ_OK);
    sim_disk_fail_nth(disk, writes + first, MQ_NO_SPACE, false); /* the log's header */
    assert_int_equal(save(db, size), MQ_NO_SPACE);
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    mq_error_clear(&error);
}

static void no_room(struct sim_machine *machine, bool none)
{
    sim_disk_set_faults(sim_machine_disk(machine), (struct sim_disk_faults){.full = none ? 1 : 0});
    mq_error_clear(&error);
}

/* Opens what the store is by now, and counts. */
static int64_t rows_now(struct sim_machine *machine, const char *what, int64_t nth, int64_t mth)
{
    struct mq_db *db;
    int64_t rows;

    mq_error_clear(&error);
    if (mq_db_open_encrypted(&db, sim_machine_platform(machine), "t.db", &key, &error) != MQ_OK)
        fail_msg("%s %lld, %lld: %s", what, (long long)nth, (long long)mth, error.text);
    assert_int_equal(mq_db_number(db, &rows, &error, "SELECT count(*) FROM t", ""), MQ_OK);
    mq_db_close(db);
    return rows;
}

/* What a full disk left is to go, and the disk, still full, fails at the n-th operation of that; with room again it fails at
 * the m-th of the next saving. What the first of the two answered. */
static enum mq_status going_fails(int64_t nth, int64_t mth)
{
    struct sim_disk *disk = sim_machine_disk(broken);
    struct mq_db *db = one_row(broken);

    break_off(broken, db, 60000, false);
    no_room(broken, true);
    sim_disk_fail_nth(disk, nth, MQ_FAULT, false);
    enum mq_status status = save(db, 1);
    assert_true(status == MQ_FAULT || status == MQ_NO_SPACE);
    no_room(broken, false);
    sim_disk_fail_nth(disk, mth, MQ_FAULT, false);
    enum mq_status next = save(db, 1);
    assert_true(next == MQ_FAULT || status == MQ_NO_SPACE);
    sim_disk_fail_nth(disk, 0, MQ_OK, false);
    mq_db_close(db);
    int64_t acknowledged = 2 + (next == MQ_OK), rows = rows_now(broken, "failing at", nth, mth);
    assert_in_range(rows, acknowledged, acknowledged + 1);
    return status;
}

/* A disk that fails while what a full one left goes away is told at once, and neither loses a saving nor makes one seem
 * lost. */
static void going_may_fail(void **state)
{
    int64_t told = 0;

    (void)state;
    while (going_fails(told + 1, 1) == MQ_FAULT)
        told++;
    assert_true(told > 0);
    for (int64_t nth = 1; nth <= GOING; nth++)
        for (int64_t mth = 1; mth <= GOING; mth++)
            assert_int_equal(going_fails(nth, mth), nth <= told ? MQ_FAULT : MQ_NO_SPACE);
}

/* The store was moved away under its program, and another is at its place: that one's log is left alone. */
static void moved_away(void **state)
{
    const struct mq_platform *platform = sim_machine_platform(broken);
    struct mq_db *moved = one_row(broken), *other;

    (void)state;
    break_off(broken, moved, 60000, false);
    assert_int_equal(platform->rename(platform->self, "t.db", "moved.db", &error), MQ_OK);
    assert_int_equal(platform->rename(platform->self, "t.db-wal", "moved.db-wal", &error), MQ_OK);
    assert_int_equal(mq_db_open_encrypted(&other, platform, "t.db", &key, &error), MQ_OK);
    assert_int_equal(mq_db_script(other, "CREATE TABLE t(bytes BLOB)", &error), MQ_OK);
    for (int i = 0; i < LONG_COMMIT; i++)
        assert_int_equal(save(other, 1), MQ_OK);
    no_room(broken, true);
    assert_int_equal(save(moved, 1), MQ_NO_SPACE);
    no_room(broken, false);
    sim_disk_cut(sim_machine_disk(broken));
    mq_db_close(other);
    mq_db_close(moved);
    sim_machine_reboot(broken);
    assert_int_equal(rows_now(broken, "moved away", 0, 0), LONG_COMMIT);
}

/* Half a header that found no room, in front of what the log should have lost: whatever of it a power cut leaves is no
 * lost saving. */
static void half_a_header(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HEADERS; seed++) {
        struct sim_choices *wild = sim_choices_explore(seed);
        struct sim_machine *machine = sim_machine_new(wild, 2, seed);
        struct mq_db *db = one_row(machine);
        break_off(machine, db, 9000, true);
        no_room(machine, true);
        assert_int_equal(save(db, 1), MQ_NO_SPACE);
        no_room(machine, false);
        sim_disk_set_survival(sim_machine_disk(machine), SIM_EACH);
        sim_disk_cut(sim_machine_disk(machine));
        mq_db_close(db);
        sim_machine_reboot(machine);
        assert_int_equal(rows_now(machine, "seed", (int64_t)seed, 0), 2);
        sim_machine_free(machine);
        sim_choices_free(wild);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation_fails), cmocka_unit_test(two_failures_are_no_damage),
                                       cmocka_unit_test(going_may_fail), cmocka_unit_test(moved_away),
                                       cmocka_unit_test(half_a_header)};

    return cmocka_run_group_tests(tests, make_full, forget);
}
