/* Aim: values, statements, transactions and schemas do what is promised; a wrong key, a second process, a newer schema,
 * a damaged page and a full disk are each told by name. Real files in a directory of its own under TMPDIR; as root also
 * a tiny file system. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/platform/db_fixture.h"

/* Values of each kind come back as they went in, empty and NULL ones told apart; columns by place. */
static void keeps_values(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(NULL);
    struct mq_span empty = {NULL, 0};
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO item VALUES(?1, ?2, ?3)", "ibz", INT64_MIN, empty, "水管坏"),
                     MQ_OK);
    assert_int_equal(mq_db_changes(db), 1);
    assert_int_equal(
        mq_db_run(db, &error, "INSERT INTO item VALUES(?1, ?2, ?3)", "int", (int64_t)7, mq_span_text("abc")), MQ_OK);

    struct mq_query *query;
    assert_int_equal(mq_db_query(db, &query, &error, "SELECT number, body, word FROM item ORDER BY number", ""), MQ_OK);
    assert_true(mq_db_next(&query, &error));
    assert_true(mq_db_int(query, 0) == INT64_MIN);
    assert_false(mq_db_is_null(query, 1));
    assert_int_equal(mq_db_blob(query, 1).size, 0);
    assert_true(mq_span_equal(mq_db_text(query, 2), mq_span_text("水管坏")));
    assert_true(mq_db_next(&query, &error));
    assert_true(mq_db_is_null(query, 1));
    assert_int_equal(mq_db_blob(query, 1).size, 0);
    assert_true(mq_span_equal(mq_db_text(query, 2), mq_span_text("abc")));
    assert_false(mq_db_next(&query, &error));
    assert_null(query);
    assert_int_equal(error.status, MQ_OK);

    int64_t number;
    assert_int_equal(mq_db_number(db, &number, &error, "SELECT number FROM item WHERE word = ?1", "z", "none"),
                     MQ_NOT_FOUND);
    mq_db_close(db);
}

static int64_t sum_down(struct mq_db *db, int64_t from)
{
    struct mq_error error = {0};
    struct mq_query *query;
    int64_t sum = 0;
    assert_int_equal(mq_db_query(db, &query, &error, "SELECT number FROM item WHERE number = ?1", "i", from), MQ_OK);
    while (mq_db_next(&query, &error))
        sum += mq_db_int(query, 0) + sum_down(db, from - 1);
    return sum;
}

/* The same constant may run inside itself, and a query left early frees its statement. */
static void recursion_and_early_end(void **state)
{
    (void)state;
    struct mq_db *db = open_with(NULL);
    for (int64_t number = 1; number <= 5; number++)
        add(db, number);
    assert_int_equal(sum_down(db, 5), 15);

    struct mq_error error = {0};
    struct mq_query *query;
    assert_int_equal(mq_db_query(db, &query, &error, "SELECT number FROM item", ""), MQ_OK);
    assert_true(mq_db_next(&query, &error));
    mq_db_done(&query);
    mq_db_done(&query);
    assert_int_equal(mq_db_script(db, "DROP TABLE item", &error), MQ_OK); /* refused while a query runs */
    mq_db_close(db);
}

/* More constants than the table holds: old ones make room, running ones are never thrown out. */
static void many_statements(void **state)
{
    (void)state;
    enum { MANY = 700, SIZE = 64 };
    struct mq_error error = {0};
    struct mq_db *db = open_with(NULL);
    add(db, 1);
    char(*texts)[SIZE] = calloc(MANY, SIZE);
    struct mq_query **queries = calloc(MANY, sizeof *queries);
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], SIZE, "SELECT number + %d FROM item", i);
        assert_int_equal(mq_db_query(db, &queries[i], &error, texts[i], ""), MQ_OK);
        assert_true(mq_db_next(&queries[i], &error));
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(mq_db_int(queries[i], 0), 1 + i);
        mq_db_done(&queries[i]);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++) {
            int64_t number;
            assert_int_equal(mq_db_number(db, &number, &error, texts[i], ""), MQ_OK);
            assert_int_equal(number, 1 + i);
        }
    mq_db_close(db);
    free(queries);
    free(texts);
}

/* A transaction is whole or not at all, and closing in the middle drops it. */
static void transactions(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    assert_int_equal(mq_db_begin(db, &error), MQ_OK);
    assert_true(mq_db_in_transaction(db));
    add(db, 1);
    mq_db_rollback(db);
    assert_false(mq_db_in_transaction(db));
    assert_int_equal(count(db), 0);
    assert_int_equal(mq_db_begin(db, &error), MQ_OK);
    add(db, 2);
    assert_int_equal(mq_db_commit(db, &error), MQ_OK);
    assert_int_equal(mq_db_begin(db, &error), MQ_OK);
    add(db, 3);
    mq_db_close(db);
    db = open_with(&key);
    assert_int_equal(count(db), 1);
    mq_db_close(db);
}

/* A statement whose names the file does not know is told as damage, as if a name had rotted; a script that is none with
 * SQLite's words, and a broken constraint as a refusal. */
static void refusals(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(NULL);
    add(db, 1);
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO item(number) VALUES(1)", ""), MQ_REFUSED);
    mq_error_clear(&error);
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO nowhere VALUES(1)", ""), MQ_DAMAGED);
    assert_non_null(strstr(error.text, "nowhere"));
    mq_error_clear(&error);
    assert_int_equal(mq_db_script(db, "SELECT; nonsense", &error), MQ_FAULT);
    add(db, 2);
    assert_int_equal(count(db), 2);
    mq_db_close(db);

    mq_error_clear(&error);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), "/nowhere/at/all.db", &error), MQ_REFUSED);
    assert_null(db);
}

/* No plaintext reaches the disk, and neither another key nor none opens the file; the right one still does. */
static void wrong_key(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO item(word) VALUES(?1)", "z", "plainly-visible"), MQ_OK);
    char command[4 * PATH_SIZE];
    snprintf(command, sizeof command, "grep -sq plainly-visible '%s' '%s-wal'", path, path);
    assert_int_not_equal(system(command), 0);
    mq_db_close(db);
    assert_int_not_equal(system(command), 0);

    struct mq_secret other = key;
    other.bytes[31] ^= 1;
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &other, &error), MQ_WRONG_KEY);
    assert_null(db);
    mq_error_clear(&error);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), path, &error), MQ_DAMAGED);
    db = open_with(&key);
    assert_int_equal(count(db), 1);
    mq_db_close(db);
}

static void hold_open(int ready, int done)
{
    struct mq_error error = {0};
    struct mq_db *db;
    char byte = mq_db_open(&db, mq_platform_real(), path, &error) == MQ_OK ? 'o' : 'x';
    (void)!write(ready, &byte, 1);
    (void)!read(done, &byte, 1);
    mq_db_close(db);
    _exit(0);
}

/* One process at a time: the second is told that it is busy, and may come in when the first is gone. */
static void two_processes(void **state)
{
    (void)state;
    int ready[2], done[2], ended;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0)
        hold_open(ready[1], done[0]);
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'o');

    struct mq_error error = {0};
    struct mq_db *db;
    assert_int_equal(mq_db_open(&db, mq_platform_real(), path, &error), MQ_BUSY);
    assert_null(db);
    assert_int_equal(write(done[1], "q", 1), 1);
    waitpid(child, &ended, 0);
    db = open_with(NULL);
    mq_db_close(db);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(done[i]);
    }
}

/* Steps run once each, from where the file stands; a failing step changes nothing; a newer file is left alone. */
static void migration(void **state)
{
    (void)state;
    static const char *const broken[] = {"CREATE TABLE a(x)", "CREATE TABLE b(x); CREATE TABLE a(x)"};
    struct mq_error error = {0};
    struct mq_db *db;
    int64_t number;
    assert_int_equal(mq_db_open(&db, mq_platform_real(), path, &error), MQ_OK);
    assert_int_not_equal(mq_db_migrate(db, broken, 2, &error), MQ_OK);
    mq_error_clear(&error);
    assert_int_equal(mq_db_number(db, &number, &error, "PRAGMA user_version", ""), MQ_OK);
    assert_int_equal(number, 1);
    assert_int_equal(mq_db_number(db, &number, &error, "SELECT count(*) FROM sqlite_schema", ""), MQ_OK);
    assert_int_equal(number, 1);

    assert_int_equal(mq_db_script(db, "PRAGMA user_version=3", &error), MQ_OK);
    assert_int_equal(mq_db_migrate(db, schema, 2, &error), MQ_REFUSED);
    assert_non_null(strstr(error.text, "newer"));
    mq_error_clear(&error);
    assert_int_equal(mq_db_number(db, &number, &error, "PRAGMA user_version", ""), MQ_OK);
    assert_int_equal(number, 3);
    mq_db_close(db);
}

/* A copy is whole, opens with the same key only, is ours alone, and never replaces a file. */
static void copies(void **state)
{
    (void)state;
    struct mq_error error = {0};
    char copy[PATH_SIZE + 8];
    snprintf(copy, sizeof copy, "%s.copy", path);
    struct mq_db *db = open_with(&key);
    for (int64_t number = 1; number <= 50; number++)
        add(db, number);
    assert_int_equal(mq_db_copy(db, copy, &error), MQ_OK);
    assert_int_equal(mq_db_copy(db, copy, &error), MQ_REFUSED);
    mq_error_clear(&error);
    assert_int_equal(mq_db_copy(db, "/nowhere/at/all.copy", &error), MQ_REFUSED);
    assert_non_null(strstr(error.text, "/nowhere/at/all.copy"));
    add(db, 51);
    mq_db_close(db);
    struct stat about;
    assert_int_equal(stat(copy, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);

    mq_error_clear(&error);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), copy, &error), MQ_DAMAGED);
    mq_error_clear(&error);
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), copy, &key, &error), MQ_OK);
    assert_int_equal(count(db), 50);
    mq_db_close(db);
}

/* A flipped byte in a page of the file is found by the check, and told as damage. */
static void damaged_page(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    for (int64_t number = 1; number <= 200; number++)
        add(db, number);
    mq_db_close(db);
    flip(path, 4096 * 5 + 77);
    assert_int_equal(mq_db_open_encrypted(&db, mq_platform_real(), path, &key, &error), MQ_OK);
    assert_int_equal(mq_db_check(db, &error), MQ_DAMAGED);
    mq_db_close(db);
}

/* A transaction that goes on until the file may not grow any more. */
static void begin_and_fill(struct mq_db *db)
{
    struct mq_error error = {0};
    enum mq_status status = MQ_OK;
    assert_int_equal(mq_db_script(db, "PRAGMA max_page_count=12", &error), MQ_OK);
    assert_int_equal(mq_db_begin(db, &error), MQ_OK);
    for (int64_t number = 2; number < 1000 && status == MQ_OK; number++)
        status = mq_db_run(db, &error, "INSERT INTO item(number, body) VALUES(?1, zeroblob(2000))", "i", number);
    assert_int_equal(status, MQ_NO_SPACE);
}

/* The file may not grow: told as no space, nothing of the transaction stays, and with room again it goes on. */
static void file_is_full(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    add(db, 1);
    begin_and_fill(db);
    assert_false(mq_db_in_transaction(db));
    mq_db_rollback(db);
    assert_int_equal(count(db), 1);
    mq_error_clear(&error);
    assert_int_equal(mq_db_script(db, "PRAGMA max_page_count=10000", &error), MQ_OK);
    add(db, 2);
    assert_int_equal(count(db), 2);
    mq_db_close(db);
}

/* What is written by somebody who has not noticed that a full disk ended his transaction does not stand alone: it is refused, and
 * so is the commit. */
static void nothing_stands_alone(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    add(db, 1);
    begin_and_fill(db);
    mq_error_clear(&error);
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO item(number) VALUES(5000)", ""), MQ_NO_SPACE);
    assert_int_equal(mq_db_script(db, "INSERT INTO item(number) VALUES(5001)", &error), MQ_NO_SPACE);
    assert_int_equal(mq_db_commit(db, &error), MQ_NO_SPACE);
    assert_int_equal(count(db), 1);
    add(db, 2);
    assert_int_equal(count(db), 2);
    mq_db_close(db);
}

#define NO_RIGHT 77

/* In a child with mounts of its own, which end with it. Gives 0, or the number of the step that was not as promised. */
static int on_a_tiny_disk(void)
{
    bool ready = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                 mount("none", directory, "tmpfs", 0, "size=512k") == 0;
    if (!ready)
        return NO_RIGHT;
    struct mq_error error = {0};
    struct mq_db *db = open_with(&key);
    enum mq_status status = MQ_OK;
    int64_t number = 0;
    while (status == MQ_OK && number < 10000)
        status = mq_db_run(db, &error, "INSERT INTO item(number, body) VALUES(?1, zeroblob(3000))", "i", ++number);
    if (status != MQ_NO_SPACE || count(db) != number - 1)
        return 1;
    mq_error_clear(&error);
    if (mq_db_run(db, &error, "INSERT INTO item(body) VALUES(zeroblob(60000))", "") != MQ_NO_SPACE)
        return 2;
    mq_error_clear(&error);
    if (mount("none", directory, "tmpfs", MS_REMOUNT, "size=8m") != 0)
        return 3;
    if (mq_db_run(db, &error, "INSERT INTO item(body) VALUES(zeroblob(60000))", "") != MQ_OK || count(db) != number)
        return 4;
    mq_db_close(db);
    db = open_with(&key);
    int64_t reopened = count(db);
    mq_db_close(db);
    return reopened == number ? 0 : 5;
}

/* A real disk that runs full: told as no space, nothing half-done, and with room again it goes on. Needs the right to
 * mount a tiny file system. */
static void disk_is_full(void **state)
{
    (void)state;
    int ended;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(on_a_tiny_disk());
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == NO_RIGHT) {
        print_message("no right to mount a file system: skipped\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(ended), 0);
}

static void write_over_the_limit(void)
{
    const struct rlimit tight = {.rlim_cur = 200000, .rlim_max = RLIM_INFINITY};
    const struct rlimit wide = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct mq_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    struct mq_db *db = open_with(&key);
    add(db, 1);
    setrlimit(RLIMIT_FSIZE, &tight);
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO item(body) VALUES(zeroblob(300000))", ""), MQ_FAULT);
    setrlimit(RLIMIT_FSIZE, &wide);

    mq_error_clear(&error);
    assert_int_equal(mq_db_run(db, &error, "INSERT INTO item(number) VALUES(2)", ""), MQ_FAULT);
    mq_error_clear(&error);
    assert_int_equal(mq_db_begin(db, &error), MQ_FAULT);
    mq_error_clear(&error);
    assert_int_equal(mq_db_script(db, "DELETE FROM item", &error), MQ_FAULT);
    mq_db_close(db);
}

/* After a failed write nothing more is written, though the disk would take it; opened anew, what was acknowledged is
 * there. */
static void disk_error_poisons(void **state)
{
    (void)state;
    in_dying_child(write_over_the_limit);
    struct mq_db *db = open_with(&key);
    assert_int_equal(count(db), 1);
    add(db, 2);
    mq_db_close(db);
}

/* Small statements in one transaction: an import lives on this. Printed, and only a gross slowness fails. */
static void is_fast(void **state)
{
    (void)state;
    enum { ROWS = 60000 };
    struct mq_error error = {0};
    struct timespec from, to;
    struct mq_db *db = open_with(&key);
    assert_int_equal(mq_db_begin(db, &error), MQ_OK);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int64_t number = 0; number < ROWS; number++)
        add(db, number);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(mq_db_commit(db, &error), MQ_OK);
    mq_db_close(db);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    print_message("%.0f statements a second\n", ROWS / seconds);
    assert_true(seconds < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recursion_and_early_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(transactions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(migration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_is_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_stands_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(disk_is_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(disk_error_poisons, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_fast, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("platform/db", tests, NULL, NULL);
}
