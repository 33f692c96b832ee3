/* Aim: the SQLite backend keeps the contract of server/relay/store.h, and says by name what only a file can suffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "protocol/keys.h"
#include "tests/server/directory.h"
#include "tests/server/store_acts.h"
#include "tests/server/store_contract.h"

static struct mq_store *open_store(bool fresh)
{
    struct mq_store *store;
    struct mq_error error = {0};

    if (fresh)
        directory_empty();
    if (mq_store_sqlite_open(&store, mq_platform_real(), store_path, &error) != MQ_OK)
        fail_msg("%s", error.text);
    return store;
}

static void append_some(struct mq_store *store)
{
    static const uint8_t mailbox[MQ_ID_SIZE] = {0xb0};
    struct mq_error error = {0};
    bool added;

    for (uint8_t i = 0; i < 5; i++) {
        struct mq_log_item item = {.frame = MQ_FRAME_WRAP, .bytes = mq_span(&i, 1)};
        mq_hash_one(item.id, sizeof item.id, MQ_DOMAIN_BODY, item.bytes);
        assert_int_equal(store->verbs->append(store, mailbox, &item, &added, &error), MQ_OK);
    }
}

/* Changes the closed store's file behind its back, opens it and checks it. */
static enum mq_status check_after(const char *sql)
{
    struct mq_store *store = open_store(true);
    struct mq_error error = {0};
    struct mq_db *db;

    append_some(store);
    store->verbs->close(store);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), store_path, &error), MQ_OK);
    assert_int_equal(mq_db_script(db, sql, &error), MQ_OK);
    mq_db_close(db);
    store = open_store(false);
    enum mq_status status = store->verbs->check(store, &error);
    store->verbs->close(store);
    return status;
}

/* A changed byte, a lost or renumbered row, a sum or an end that does not fit: each is found. */
static void check_finds_damage(void **state)
{
    (void)state;
    assert_int_equal(check_after("SELECT 1"), MQ_OK);
    assert_int_equal(check_after("UPDATE log SET bytes = x'ff' WHERE number = 2"), MQ_DAMAGED);
    assert_int_equal(check_after("DELETE FROM log WHERE number = 2"), MQ_DAMAGED);
    assert_int_equal(check_after("DELETE FROM log WHERE number = 5"), MQ_DAMAGED);
    assert_int_equal(check_after("DELETE FROM log"), MQ_DAMAGED);
    assert_int_equal(check_after("UPDATE log SET total = zeroblob(32) WHERE number = 3"), MQ_DAMAGED);
    assert_int_equal(check_after("UPDATE mailbox SET head = 4"), MQ_DAMAGED);
    assert_int_equal(check_after("UPDATE mailbox SET total = zeroblob(32)"), MQ_DAMAGED);
    assert_int_equal(check_after("DELETE FROM mailbox"), MQ_DAMAGED);
}

/* Where one write of a group does not succeed, commit says so and keeps nothing of it, not even what came after. */
static void failed_group(void **state)
{
    static const uint8_t mailbox[MQ_ID_SIZE] = {0xb1};
    struct mq_error error = {0};
    struct mq_log_position last;
    bool added;

    (void)state;
    assert_int_equal(check_after("CREATE TRIGGER refuse BEFORE INSERT ON log WHEN new.seq = 2"
                                 " BEGIN SELECT raise(FAIL, 'refused'); END"),
                     MQ_OK);
    struct mq_store *store = open_store(false);
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    for (uint32_t seq = 1; seq <= 3; seq++) {
        struct mq_log_item item = {.frame = MQ_FRAME_WRAP, .id = {(uint8_t)seq}, .seq = seq, .bytes = mq_span("x", 1)};
        enum mq_status status = store->verbs->append(store, mailbox, &item, &added, &error);
        assert_int_equal(status == MQ_OK, seq == 1);
    }
    assert_int_not_equal(store->verbs->commit(store, &error), MQ_OK);
    assert_int_equal(store->verbs->last(store, mailbox, &last, &error), MQ_OK);
    assert_int_equal(last.number, 0);
    store->verbs->close(store);
}

/* A column of another length is damage, not a crash. */
static void short_columns(void **state)
{
    struct mq_log_position position;
    struct mq_error error = {0};
    static const uint8_t mailbox[MQ_ID_SIZE] = {0xb0};

    (void)state;
    assert_int_equal(check_after("UPDATE mailbox SET total = x'00'"), MQ_DAMAGED);
    struct mq_store *store = open_store(false);
    assert_int_equal(store->verbs->last(store, mailbox, &position, &error), MQ_DAMAGED);
    store->verbs->close(store);
}

/* Opens a store with something of everything, changed behind its back. */
static enum mq_status open_changed(struct mq_store **out, const char *sql)
{
    struct mq_store *store = open_store(true);
    struct mq_error error = {0};
    struct mq_db *db;

    store_fill(store);
    store->verbs->close(store);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), store_path, &error), MQ_OK);
    assert_int_equal(mq_db_script(db, sql, &error), MQ_OK);
    mq_db_close(db);
    return mq_store_sqlite_open(out, mq_platform_real(), store_path, &error);
}

/* Whatever column of a row has a length that was never written, or a name that rotted, who reads it says that the store
 * is damaged. */
static void every_short_column(void **state)
{
    static const struct {
        const char *sql, *act;
    } cases[] = {
        {"UPDATE log SET id = x'00' WHERE number = 1", "list"},
        {"UPDATE log SET stream = x'00'", "list"},             {"UPDATE log SET previous = x'00'", "list"},
        {"UPDATE log SET name = x'00'", "list"},               {"UPDATE log SET total = x'00'", "position"},
        {"UPDATE log SET mailbox = x'00'", "announce"},        {"UPDATE log SET stream = zeroblob(15)", "streams_of"},
        {"UPDATE mailbox SET total = x'00'", "append"},        {"UPDATE stream SET head_id = x'00'", "head"},
        {"UPDATE stream SET total = x'00'", "held"},           {"UPDATE log SET id = x'00' WHERE seq = 3", "append_between"},
        {"UPDATE desk SET bytes = x'00'", "desks"},            {"UPDATE access SET team = x'00'", "access"},
        {"UPDATE access SET key_name = x'00'", "access"},
        {"ALTER TABLE log RENAME COLUMN name TO nbme", "list"},
    };
    struct mq_store *store;
    struct mq_error error;

    (void)state;
    assert_int_equal(open_changed(&store, "UPDATE life SET server_id = x'00'"), MQ_DAMAGED);
    assert_null(store);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(open_changed(&store, cases[i].sql), MQ_OK);
        for (size_t a = 0; a < STORE_ACTS; a++)
            if (strcmp(store_acts[a].name, cases[i].act) == 0 && act(&store_acts[a], store, &error) != MQ_DAMAGED)
                fail_msg("%s: %s", cases[i].sql, cases[i].act);
        store->verbs->close(store);
    }
}

/* What is called a segment and is none, or stands in a mailbox that cannot be, is found by the check. */
static void check_finds_what_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(check_after("UPDATE log SET frame = 1 WHERE number = 2"), MQ_DAMAGED);
    assert_int_equal(check_after("UPDATE log SET mailbox = x'b0'; UPDATE mailbox SET id = x'b0'"), MQ_DAMAGED);
}

/* What a desk says under a number, as far as the store looks: the issuer stands in the bytes. */
static bool put_said(struct mq_store *store, uint8_t kind, uint8_t issuer, uint64_t number)
{
    uint8_t bytes[MQ_CONTROL_HEAD_SIZE] = {MQ_CONTROL_VERSION, kind};
    struct mq_control control = {.kind = kind, .number = number, .bytes = MQ_SPAN(bytes)};
    struct mq_error error = {0};
    bool kept;

    memset(bytes + 2, issuer, sizeof control.issuer);
    memset(control.issuer, issuer, sizeof control.issuer);
    assert_int_equal(store->verbs->put_control(store, &control, &kept, &error), MQ_OK);
    return kept;
}

/* A store of a program that gave all desks one slot keeps what is in it, in the slot of who said it. */
static void slots_of_an_older_program(void **state)
{
    struct mq_store *store = open_store(true);
    struct mq_error error = {0};
    struct mq_db *db;

    (void)state;
    assert_true(put_said(store, MQ_CONTROL_RECEIPT, 1, 5));
    assert_true(put_said(store, MQ_CONTROL_ACCESS, 2, 5));
    store->verbs->close(store);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), store_path, &error), MQ_OK);
    assert_int_equal(mq_db_script(db,
                                  "CREATE TABLE old (team BLOB NOT NULL, kind INTEGER NOT NULL, subject BLOB NOT NULL,"
                                  "  number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (team, kind, subject)) STRICT;"
                                  "INSERT INTO old SELECT team, kind, subject, number, bytes FROM control;"
                                  "DROP TABLE control; ALTER TABLE old RENAME TO control; PRAGMA user_version = 2;",
                                  &error),
                     MQ_OK);
    mq_db_close(db);
    store = open_store(false);
    assert_false(put_said(store, MQ_CONTROL_RECEIPT, 1, 5));
    assert_true(put_said(store, MQ_CONTROL_RECEIPT, 2, 4));
    assert_true(put_said(store, MQ_CONTROL_RECEIPT, 1, 6));
    assert_false(put_said(store, MQ_CONTROL_ACCESS, 1, 4));
    assert_true(put_said(store, MQ_CONTROL_ACCESS, 1, 6));
    store->verbs->close(store);
}

/* A store that is none is closed by doing nothing. */
static void closing_nothing(void **state)
{
    struct mq_store *store = open_store(true);

    (void)state;
    store->verbs->close(NULL);
    store->verbs->close(store);
}

/* A second process is refused while the first has the file. */
static void one_process(void **state)
{
    struct mq_store *store = open_store(true), *second;
    struct mq_error error = {0};

    (void)state;
    assert_int_equal(mq_store_sqlite_open(&second, mq_platform_real(), store_path, &error), MQ_BUSY);
    assert_null(second);
    store->verbs->close(store);
}

/* A copy is a whole store, of the same life. */
static void copies(void **state)
{
    struct mq_store *store = open_store(true), *copy;
    struct mq_error error = {0};
    char path[400];
    uint8_t a[MQ_SERVER_ID_SIZE], b[MQ_SERVER_ID_SIZE];

    (void)state;
    append_some(store);
    snprintf(path, sizeof path, "%s.copy", store_path);
    assert_int_equal(store->verbs->copy(store, path, &error), MQ_OK);
    assert_int_equal(mq_store_sqlite_open(&copy, mq_platform_real(), path, &error), MQ_OK);
    assert_int_equal(copy->verbs->check(copy, &error), MQ_OK);
    assert_int_equal(store->verbs->server_id(store, a, &error), MQ_OK);
    assert_int_equal(copy->verbs->server_id(copy, b, &error), MQ_OK);
    assert_memory_equal(a, b, sizeof a);
    copy->verbs->close(copy);
    store->verbs->close(store);
    directory_empty();
}

int main(void)
{
    const struct store_backend backend = {.open = open_store};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_finds_damage),
        cmocka_unit_test(failed_group),
        cmocka_unit_test(short_columns),
        cmocka_unit_test(every_short_column),
        cmocka_unit_test(check_finds_what_cannot_be),
        cmocka_unit_test(slots_of_an_older_program),
        cmocka_unit_test(closing_nothing),
        cmocka_unit_test(one_process),
        cmocka_unit_test(copies),
    };

    if (mq_crypto_start() != MQ_OK || directory_make() != 0)
        return 1;
    int failed = store_contract(&backend) + cmocka_run_group_tests(tests, NULL, NULL);
    directory_remove();
    return failed;
}
