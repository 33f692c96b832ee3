/* Aim: what was acknowledged is there after a kill at any moment; damage to the write-ahead log, on which SQLite is
 * silent, is told and the log kept; a torn last commit and older frames are not taken for damage. */
#include "tests/platform/db_fixture.h"

static void commit_twenty(void)
{
    struct mq_db *db = open_with(&key);
    for (int64_t number = 1; number <= 20; number++)
        add(db, number);
}

/* A wrong key while a log is waiting must not touch the log. */
static void wrong_key_keeps_log(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db;
    struct mq_secret other = {.bytes = {9}};
    in_dying_child(commit_twenty);
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &other, &error), MQ_WRONG_KEY);
    db = open_with(&key);
    assert_int_equal(count(db), 20);
    mq_db_close(db);
}

/* Killed between commits: every acknowledged row is there, encrypted or not, and a clean close leaves no log. */
static void survives_kill(void **state)
{
    (void)state;
    in_dying_child(commit_twenty);
    assert_true(file_size(path) > 0);
    struct mq_db *db = open_with(&key);
    assert_int_equal(count(db), 20);
    struct mq_error error = {0};
    assert_int_equal(mq_db_check(db, &error), MQ_OK);
    mq_db_close(db);
    assert_int_equal(files_like("-wal"), 0);
    assert_int_equal(files_like("-shm"), 0);
    assert_int_equal(files_like("damaged"), 0);
}

/* Frames are 24 bytes and a page, behind a header of 32; one flip anywhere in one of them. */
static void expect_damage(long at)
{
    struct mq_error error = {0};
    struct mq_db *db;
    char log[PATH_SIZE + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    in_dying_child(commit_twenty);
    long size = file_size(log);
    assert_true(size > 32 + 15 * (24 + 4096));
    flip(log, at);
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &key, &error), MQ_DAMAGED);
    assert_null(db);
    assert_non_null(strstr(error.text, "damaged-"));
    assert_int_equal(files_like("-wal.damaged-"), 1);
    char kept[2 * PATH_SIZE];
    snprintf(kept, sizeof kept, "test $(stat -c %%s '%s'-wal.damaged-*) = %ld", path, size);
    assert_int_equal(system(kept), 0);

    db = open_with(&key); /* said once, kept aside: the rest opens */
    assert_true(count(db) < 19);
    mq_db_close(db);
    assert_int_equal(tear_down(NULL), 0);
    assert_int_equal(set_up(NULL), 0);
}

/* One flipped byte in the middle of the log is damage, not the log's end: in a page, and in each part of a frame's
 * header. */
static void flip_in_log(void **state)
{
    (void)state;
    const long eighth = 32 + 7 * (24 + 4096);
    expect_damage(eighth + 24 + 1000);
    expect_damage(eighth + 1);  /* page number */
    expect_damage(eighth + 4);  /* commit mark */
    expect_damage(eighth + 8);  /* salts: must not hide the frames behind it */
    expect_damage(eighth + 20); /* checksum */
}

/* The log's own header damaged: SQLite would throw the whole log away. */
static void flip_in_log_header(void **state)
{
    (void)state;
    expect_damage(3);  /* magic */
    expect_damage(10); /* page size */
    expect_damage(17); /* salts */
    expect_damage(30); /* checksum */
}

/* The database file cut to nothing while its log waits: SQLite would delete the log. */
static void empty_file_with_log(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db;
    in_dying_child(commit_twenty);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &key, &error), MQ_DAMAGED);
    assert_int_equal(files_like("-wal.damaged-"), 1);
}

/* The last commit cut short, as by a power cut: no damage, and all before it is there. */
static void torn_last_commit(void **state)
{
    (void)state;
    in_dying_child(commit_twenty);
    char log[PATH_SIZE + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(truncate(log, file_size(log) - 100), 0);
    struct mq_db *db = open_with(&key);
    assert_int_equal(count(db), 19);
    mq_db_close(db);
    assert_int_equal(files_like("damaged"), 0);
}

static void grow_and_restart_log(void)
{
    struct mq_db *db = open_with(&key);
    for (int64_t number = 1; number <= 2600; number++) /* over SQLite's checkpoint at 1000 pages: the log begins anew */
        add(db, number);
    add(db, 2601);
}

/* A log that was begun anew has older frames behind it: they are not taken for lost commits. */
static void restarted_log(void **state)
{
    (void)state;
    in_dying_child(grow_and_restart_log);
    struct mq_db *db = open_with(&key);
    assert_int_equal(count(db), 2601);
    mq_db_close(db);
    assert_int_equal(files_like("damaged"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_key_keeps_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flip_in_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flip_in_log_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_file_with_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(torn_last_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restarted_log, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("platform/db_wal", tests, NULL, NULL);
}
