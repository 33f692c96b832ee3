/* Aim: whichever statement of whichever verb fails, for the disk or for want of room, the verb says so, gives nothing that
 * looks done and changes nothing; a group is then undone whole; and the store that is opened next is whole.
 *
 * SQLite's two calls are stood in for (the linker's --wrap), and the n-th of them answers an error. */
#include <sqlite3.h>

#include "tests/server/directory.h"
#include "tests/server/store_acts.h"

/* ---- The n-th call ---- */

static int64_t calls, failing; /* so far; the one that fails, 0: none */
static int failure;
static bool ends; /* the transaction, as SQLite does after some errors */

int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **out, const char **tail);
int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **out, const char **tail);

static int failed_in(sqlite3 *db)
{
    if (ends && sqlite3_get_autocommit(db) == 0)
        assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    return failure;
}

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    return ++calls == failing ? failed_in(sqlite3_db_handle(statement)) : __real_sqlite3_step(statement);
}

int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **out, const char **tail)
{
    return ++calls == failing ? failed_in(db) : __real_sqlite3_prepare_v3(db, sql, size, flags, out, tail);
}

struct cause {
    int code;
    bool ends;
};
static const struct cause disk = {SQLITE_IOERR, false}, causes[] = {{SQLITE_IOERR, false}, {SQLITE_IOERR, true}, {SQLITE_FULL, true}};
#define CAUSES (sizeof causes / sizeof *causes)

static void fail_nth(int64_t nth, struct cause cause)
{
    calls = 0;
    failing = nth;
    failure = cause.code;
    ends = cause.ends;
}

/* ---- The store ---- */

static struct mq_error error;
static uint8_t image[1024 * 1024]; /* of a full store's file, closed */
static size_t image_size;
static uint64_t before;

static struct mq_store *open_store(void)
{
    struct mq_store *store;

    if (mq_store_sqlite_open(&store, mq_platform_real(), store_path, &error) != MQ_OK)
        fail_msg("%s", error.text);
    return store;
}

static struct mq_store *open_full(void)
{
    directory_empty();
    FILE *file = fopen(store_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(image, 1, image_size, file), image_size);
    assert_int_equal(fclose(file), 0);
    return open_store();
}

static uint64_t digest(void)
{
    return store_digest(mq_platform_real(), store_path);
}

static int make_image(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK || directory_make() != 0)
        return -1;
    struct mq_store *store = open_store();
    store_fill(store);
    store->verbs->close(store);
    before = digest();
    FILE *file = fopen(store_path, "rb");
    assert_non_null(file);
    image_size = fread(image, 1, sizeof image, file);
    assert_int_equal(fclose(file), 0);
    assert_true(image_size > 0 && image_size < sizeof image);
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    directory_remove();
    return 0;
}

/* The act, alone: with its n-th call failing it says so and nothing has changed; true: there was an n-th call. */
static bool one_fails(const struct store_act *what, int64_t nth, struct cause cause, uint64_t after)
{
    struct mq_store *store = open_full();

    fail_nth(nth, cause);
    enum mq_status status = act(what, store, &error);
    bool failed = calls >= nth;
    fail_nth(0, disk);
    store->verbs->close(store);
    if (failed && (status != (cause.code == SQLITE_FULL ? MQ_NO_SPACE : MQ_FAULT) || digest() != before))
        fail_msg("%s: call %lld: status %d, or something changed", what->name, (long long)nth, status);
    if (!failed && (status != what->answer || digest() != after))
        fail_msg("%s: status %d", what->name, status);
    return failed;
}

/* Every act, every call of it, each cause. */
static void every_statement_fails(void **state)
{
    (void)state;
    for (size_t a = 0; a < STORE_ACTS; a++) {
        struct mq_store *store = open_full();
        assert_int_equal(act(&store_acts[a], store, &error), store_acts[a].answer);
        store->verbs->close(store);
        uint64_t after = digest();
        for (size_t c = 0; c < CAUSES; c++) {
            int64_t nth = 1;
            while (one_fails(&store_acts[a], nth, causes[c], after))
                nth++;
            assert_true(nth > 1);
        }
    }
}

/* In a group, between two writes of others: a commit that answers OK has kept everything, any other nothing. */
static bool group_fails(const struct store_act *what, int64_t nth, struct cause cause, uint64_t after)
{
    const struct mq_log_item first = a_item(MQ_FRAME_WRAP, 0xa1), second = a_item(MQ_FRAME_WRAP, 0xa2);
    struct mq_store *store = open_full();
    bool added;

    fail_nth(nth, cause);
    enum mq_status status = store->verbs->begin(store, &error);
    if (status == MQ_OK) {
        enum mq_status one = store->verbs->append(store, NAMED(0xb9), &first, &added, &error);
        enum mq_status middle = act(what, store, &error);
        enum mq_status two = store->verbs->append(store, NAMED(0xb9), &second, &added, &error);
        status = store->verbs->commit(store, &error);
        assert_true(status != MQ_OK || (one == MQ_OK && two == MQ_OK));
        assert_true(calls >= nth || middle == what->answer);
    }
    bool failed = calls >= nth;
    fail_nth(0, disk);
    store->verbs->close(store);
    uint64_t now = digest();
    if (now != (status == MQ_OK ? after : before) || (!failed && status != MQ_OK))
        fail_msg("%s in a group: call %lld: status %d", what->name, (long long)nth, status);
    return failed;
}

static void every_statement_of_a_group_fails(void **state)
{
    const struct mq_log_item first = a_item(MQ_FRAME_WRAP, 0xa1), second = a_item(MQ_FRAME_WRAP, 0xa2);
    bool added;

    (void)state;
    for (size_t a = 0; a < STORE_ACTS; a++) {
        struct mq_store *store = open_full();
        assert_int_equal(store->verbs->append(store, NAMED(0xb9), &first, &added, &error), MQ_OK);
        assert_int_equal(act(&store_acts[a], store, &error), store_acts[a].answer);
        assert_int_equal(store->verbs->append(store, NAMED(0xb9), &second, &added, &error), MQ_OK);
        store->verbs->close(store);
        uint64_t after = digest();
        for (size_t c = 0; c < CAUSES; c++)
            for (int64_t nth = 1; group_fails(&store_acts[a], nth, causes[c], after);)
                nth++;
    }
}

/* Opening and making a store: where anything fails there is none, and the next time it opens. */
static void opening_fails(void **state)
{
    (void)state;
    for (int fresh = 0; fresh < 2; fresh++)
        for (int64_t nth = 1;; nth++) {
            struct mq_store *store = open_full();
            store->verbs->close(store);
            if (fresh)
                directory_empty();
            fail_nth(nth, disk);
            enum mq_status status = mq_store_sqlite_open(&store, mq_platform_real(), store_path, &error);
            bool failed = calls >= nth;
            fail_nth(0, disk);
            if (!failed) {
                assert_int_equal(status, MQ_OK);
                store->verbs->close(store);
                break;
            }
            assert_int_not_equal(status, MQ_OK);
            assert_null(store);
            store = open_store();
            assert_int_equal(store->verbs->server_id(store, (uint8_t[MQ_SERVER_ID_SIZE]){0}, &error), MQ_OK);
            store->verbs->close(store);
            assert_true(fresh || digest() == before);
        }
}

/* The check that cannot be made is not passed. */
static void checking_fails(void **state)
{
    (void)state;
    for (int64_t nth = 1;; nth++) {
        directory_empty();
        struct mq_store *store = open_store();
        fail_nth(nth, disk);
        enum mq_status status = store->verbs->check(store, &error);
        bool failed = calls >= nth;
        fail_nth(0, disk);
        store->verbs->close(store);
        assert_int_equal(status == MQ_OK, !failed);
        if (!failed)
            break;
    }
}

/* After a disk error nothing more is written until the store is opened anew; reading goes on. */
static void nothing_is_written_after_an_error(void **state)
{
    struct mq_store *store = open_full();

    (void)state;
    fail_nth(1, disk);
    assert_int_equal(act(&store_acts[0], store, &error), MQ_FAULT);
    fail_nth(0, disk);
    for (size_t a = 0; a < STORE_ACTS; a++) {
        enum mq_status status = act(&store_acts[a], store, &error);
        assert_true(status == MQ_FAULT || status == store_acts[a].answer);
    }
    assert_int_equal(store->verbs->begin(store, &error), MQ_FAULT);
    store->verbs->close(store);
    assert_true(digest() == before);
    store = open_store();
    assert_int_equal(act(&store_acts[0], store, &error), MQ_OK);
    store->verbs->close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_fails), cmocka_unit_test(every_statement_of_a_group_fails),
        cmocka_unit_test(opening_fails),         cmocka_unit_test(checking_fails),
        cmocka_unit_test(nothing_is_written_after_an_error),
    };

    return cmocka_run_group_tests(tests, make_image, remove_all);
}
