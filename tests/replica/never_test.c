/* Aim: there is no place in which a number about a person could be kept: no table, column or index of a device, a desk or a
 * relay counts, ranks or times what one person does (docs/domain.md, section 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "tests/replica/village.h"

static struct mq_error problem;

/* Nothing has such a word in its name. */
static const char *const denied[] = {
    "score",  "point", "medal", "streak", "visits",   "logins", "last_login", "attend", "checkin", "online", "duration",
    "latitu", "longit", "gps",  "track",  "distance", "quota",  "target_",    "bonus",  "grade",   "level_", "likes",
};

/* A table about persons has these columns and no others: names, keys, rights. A new one has to be defended here. */
static const struct {
    const char *table, *columns;
} persons[] = {
    {"member", "|sign_public|team|name|serial|certificate|token_hash|state|joined|reply|role|rights|"},
    {"invitation", "|name|team|secret|expiry_day|used_by|role|request|rights|"},
    {"team", "|team|name|certificate|token|"},
    {"desk", "|certificate|id|bytes|"},
};

/* What names a person or his device may stand in these tables only. */
static const char *const names_of_persons[] = {"sign_public", "serial", "writer", "author", "member", "certificate",
                                               "user",        "key_name"};
static const char *const may_name[] = {"member", "invitation", "team", "desk", "access"};
/* Single columns besides: whose word counts about a restricted record (protocol/compartment.h); whose rights were taken, and
 * where what counts of his ends (replica/revoke.h). */
static const char *const may_also[] = {"change.writer", "record.author", "revoked.certificate", "cut.certificate",
                                       "adopted.certificate"};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

/* Why a column may not be there; NULL: it may. */
static const char *complaint(const char *table, const char *column)
{
    char framed[128];
    snprintf(framed, sizeof framed, "|%s|", column);
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        if (strstr(column, denied[i]) != NULL || strstr(table, denied[i]) != NULL)
            return denied[i];
    for (size_t i = 0; i < sizeof persons / sizeof *persons; i++)
        if (strcmp(table, persons[i].table) == 0 && strstr(persons[i].columns, framed) == NULL)
            return "a table about persons";
    snprintf(framed, sizeof framed, "%s.%s", table, column);
    if (is_one_of(framed, may_also, sizeof may_also / sizeof *may_also))
        return NULL;
    if (is_one_of(column, names_of_persons, sizeof names_of_persons / sizeof *names_of_persons) &&
        !is_one_of(table, may_name, sizeof may_name / sizeof *may_name))
        return "names a person";
    return NULL;
}

static int complaints(struct mq_db *db)
{
    struct mq_query *query;
    int found = 0, columns = 0;
    assert_int_equal(mq_db_query(db, &query, &problem,
                                 "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
                                 " WHERE t.type IN ('table', 'view') ORDER BY t.name, c.cid",
                                 ""),
                     MQ_OK);
    while (mq_db_next(&query, &problem)) {
        char table[64], column[64];
        struct mq_span t = mq_db_text(query, 0), c = mq_db_text(query, 1);
        snprintf(table, sizeof table, "%.*s", (int)t.size, (const char *)t.data);
        snprintf(column, sizeof column, "%.*s", (int)c.size, (const char *)c.data);
        columns++;
        if (complaint(table, column) == NULL)
            continue;
        print_message("%s.%s: %s\n", table, column, complaint(table, column));
        found++;
    }
    assert_int_equal(problem.status, MQ_OK);
    assert_true(columns > 20);
    return found;
}

/* The stores as they are have no such place; with one more column in the list of members they would. */
static void stores_count_nobody(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 1);
    struct mq_db *db = mq_replica_db(village.desk.replica);
    assert_int_equal(complaints(db), 0);
    assert_int_equal(complaints(mq_replica_db(village.devices[0].replica)), 0);
    assert_int_equal(mq_db_script(db, "ALTER TABLE member ADD COLUMN records INTEGER", &problem), MQ_OK);
    assert_int_equal(complaints(db), 1);
    assert_int_equal(mq_db_script(db, "CREATE TABLE tally(serial INTEGER, needs INTEGER)", &problem), MQ_OK);
    assert_int_equal(complaints(db), 2);
    assert_int_equal(mq_db_script(db, "ALTER TABLE state ADD COLUMN score INTEGER", &problem), MQ_OK);
    assert_int_equal(complaints(db), 3);
    village_end(&village);
}

/* The relay's store neither. */
static void relay_counts_nobody(void **state)
{
    struct village village;
    struct mq_db *db;
    char path[256];
    (void)state;
    village_begin(&village, 2);
    struct mq_store *store = village.store;
    store->verbs->close(store);
    snprintf(path, sizeof path, "%s/relay.db", village.directory);
    assert_int_equal(mq_db_open(&db, mq_fake_platform(village.fake), path, &problem), MQ_OK);
    assert_int_equal(complaints(db), 0);
    mq_db_close(db);
    assert_int_equal(mq_store_sqlite_open(&village.store, mq_fake_platform(village.fake), path, &problem), MQ_OK);
    village_end(&village);
}

/* No kind of record has a field of the sort, and none says who wrote it: that is known of a change, and shown with it. */
static void records_rank_nobody(void **state)
{
    (void)state;
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t f = 0; f < mq_kinds[k].field_count; f++) {
            const char *key = mq_kinds[k].fields[f].key;
            for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
                assert_null(strstr(key, denied[i]));
            assert_false(is_one_of(key, names_of_persons, sizeof names_of_persons / sizeof *names_of_persons));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_count_nobody),
        cmocka_unit_test(relay_counts_nobody),
        cmocka_unit_test(records_rank_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
