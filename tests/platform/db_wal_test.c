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

/* Twenty commits, then `byte` in all places from `at` on in the log. */
static void overwrite(int byte, long at, size_t size)
{
    static char junk[32 + 2 * (24 + 4096)];
    char log[PATH_SIZE + 8];
    in_dying_child(commit_twenty);
    snprintf(log, sizeof log, "%s-wal", path);
    assert_in_range(size, 1, sizeof junk);
    memset(junk, byte, size);
    FILE *file = fopen(log, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(junk, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void scribble(long at, size_t size)
{
    overwrite(0xa5, at, size);
}

/* The log's own header damaged: SQLite would throw the whole log away. It is put back, and nothing is missing. */
static void log_header_comes_back(void **state)
{
    static const struct {
        long at;
        size_t size;
    } damages[] = {{0, 32}, {3, 1}, {6, 1}, {10, 1}, {13, 1}, {17, 1}, {23, 1}, {26, 1}, {30, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        scribble(damages[i].at, damages[i].size);
        struct mq_db *db = open_with(&key);
        assert_int_equal(count(db), 20);
        mq_db_close(db);
        assert_int_equal(files_like("damaged"), 0);
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(set_up(NULL), 0);
    }
}

/* The log's header and the frame that tells what it was are damaged both: it is told. */
static void log_header_and_frame(void **state)
{
    struct mq_error error = {0};
    struct mq_db *db;
    (void)state;
    scribble(20, 60);
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &key, &error), MQ_DAMAGED);
    assert_int_equal(files_like("-wal.damaged-"), 1);
}

/* The log begins with a hole, header and two frames long: two frames of zeros agree on no salts, and the loss is told. */
static void log_begins_with_a_hole(void **state)
{
    struct mq_error error = {0};
    struct mq_db *db;
    (void)state;
    overwrite(0, 0, 32 + 2 * (24 + 4096));
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &key, &error), MQ_DAMAGED);
    assert_int_equal(files_like("-wal.damaged-"), 1);
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

static void five_and_a_long_one(void)
{
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    for (int64_t number = 1; number <= 5; number++)
        add(db, number);
    assert_int_equal(mq_db_begin(db, &error), MQ_OK);
    for (int64_t number = 6; number <= 100; number++)
        add(db, number);
    assert_int_equal(mq_db_commit(db, &error), MQ_OK);
}

static void two_more(void)
{
    struct mq_db *db = open_with(&key);
    assert_int_equal(count(db), 5);
    add(db, 6);
    add(db, 7);
}

/* Damages the page in the first frame of the log's n-th commit, or of its last one where there are fewer. */
static void tear_commit(int nth)
{
    char log[PATH_SIZE + 8];
    unsigned char header[24];
    long at = 32, start = 32, torn = 32;
    int commits = 0;
    snprintf(log, sizeof log, "%s-wal", path);
    FILE *file = fopen(log, "rb");
    assert_non_null(file);
    for (; commits < nth && fseek(file, at, SEEK_SET) == 0 && fread(header, sizeof header, 1, file) == 1;
         at += 24 + 4096) {
        if ((header[4] | header[5] | header[6] | header[7]) == 0)
            continue;
        commits++;
        torn = start;
        start = at + 24 + 4096;
    }
    fclose(file);
    assert_true(commits > 0);
    flip(log, torn + 24 + 1000);
}

/* Twice the power goes in the middle of a commit: what is left of the first, farther out in the log, is not counted with what
 * is torn the second time. */
static void torn_twice(void **state)
{
    (void)state;
    in_dying_child(five_and_a_long_one);
    tear_commit(8); /* the two of the schema, five, and the long one */
    in_dying_child(two_more);
    tear_commit(9); /* the second of the two, wherever they stand */
    struct mq_db *db = open_with(&key);
    assert_int_equal(count(db), 6);
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
        cmocka_unit_test_setup_teardown(log_header_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(log_header_and_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(log_begins_with_a_hole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_file_with_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(torn_last_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(torn_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restarted_log, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("platform/db_wal", tests, NULL, NULL);
}
