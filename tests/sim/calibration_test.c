/* Aim: the simulated disk is neither too kind nor too cruel. Plain SQLite on it loses nothing under the settings that are
 * known to be safe, and loses or tears what is known to be lost or torn under the others: a disk that loses too little would
 * prove nothing, one that loses too much would accuse the innocent. The table is printed; the seed is the number of the
 * row. CUTS=n asks for more than the few hundred of a usual run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "protocol/assert.h"
#include "tests/sim/machine.h"

#define CUTS_USUAL 400
#define CUTS_A_MACHINE 20
#define STEPS_MAX 80 /* a cut comes at the latest before this operation */

enum verdict { SAFE, LOSES, BREAKS }; /* nothing is lost; whole commits are; some are half there, or the file is broken */

struct setting {
    const char *locking, *journal, *synchronous;
    bool lying;
    enum verdict verdict;
};

static const struct setting settings[] = {
    {"EXCLUSIVE", "WAL", "FULL", false, SAFE},    {"NORMAL", "DELETE", "EXTRA", false, SAFE},
    {"NORMAL", "TRUNCATE", "FULL", false, SAFE},  {"NORMAL", "PERSIST", "FULL", false, SAFE},
    {"NORMAL", "DELETE", "FULL", false, LOSES},   {"EXCLUSIVE", "WAL", "NORMAL", false, LOSES},
    {"NORMAL", "TRUNCATE", "OFF", false, BREAKS}, {"NORMAL", "TRUNCATE", "NORMAL", false, BREAKS},
    {"EXCLUSIVE", "WAL", "FULL", true, BREAKS},
};

struct tally {
    int cuts, commits, lost, torn, broken;
};

static bool run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* -1 on trouble. */
static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t found = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        found = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return found;
}

/* NULL where the file does not open. */
static sqlite3 *open_plain(const struct mq_platform *platform, const struct setting *setting)
{
    sqlite3 *db = NULL;
    char sql[160];
    snprintf(sql, sizeof sql, "PRAGMA locking_mode=%s; PRAGMA synchronous=%s; PRAGMA journal_mode=%s",
             setting->locking, setting->synchronous, setting->journal);
    bool well = sqlite3_open_v2("t.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, platform->vfs) == SQLITE_OK;
    if (well && run(db, sql) && run(db, "PRAGMA wal_autocheckpoint=12; CREATE TABLE IF NOT EXISTS t(n, half, filling)"))
        return db;
    sqlite3_close(db);
    return NULL;
}

/* Commits of two rows until the power goes; the number of the last one that was acknowledged. */
static int64_t work_until_cut(sqlite3 *db, int64_t last)
{
    for (;;) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "BEGIN; INSERT INTO t VALUES(%lld, 1, zeroblob(900)); INSERT INTO t VALUES(%lld, 2, zeroblob(900)); "
                 "DELETE FROM t WHERE n < %lld; COMMIT",
                 (long long)last + 1, (long long)last + 1, (long long)last - 20);
        if (!run(db, sql))
            return last;
        last++;
    }
}

/* What is there against what was acknowledged; the number of the last commit that is there, or -1 where that is bad. */
static int64_t judge(sqlite3 *db, int64_t acknowledged, struct tally *tally)
{
    int64_t well = db == NULL ? -1 : number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'");
    int64_t last = well == 1 ? number(db, "SELECT coalesce(max(n), 0) FROM t") : -1;
    int64_t halves = number(db, "SELECT count(*) FROM (SELECT n FROM t GROUP BY n HAVING count(*) <> 2)");
    int64_t gaps = number(db, "SELECT coalesce(max(n) - min(n) + 1 - count(DISTINCT n), 0) FROM t");
    if (last < 0)
        tally->broken++;
    else if (halves != 0 || gaps != 0)
        tally->torn++;
    else if (last < acknowledged)
        tally->lost++;
    else
        return last;
    return -1;
}

/* One machine until something bad happens, at most so many cuts. */
static void live(const struct setting *setting, uint64_t seed, struct tally *tally)
{
    struct sim_choices *choices = sim_choices_explore(seed);
    struct sim_machine *machine = sim_machine_new(choices, 0, seed);
    struct sim_disk *disk = sim_machine_disk(machine);
    const struct mq_platform *platform = sim_machine_platform(machine);
    sqlite3 *db = open_plain(platform, setting);
    MQ_ASSERT(db != NULL);
    MQ_ASSERT(run(db, "BEGIN; COMMIT"));
    if (setting->lying)
        sim_disk_set_faults(disk, (struct sim_disk_faults){.lying_sync = 1});
    int64_t last = 0;
    for (int cut = 0; cut < CUTS_A_MACHINE && last >= 0; cut++) {
        sim_disk_cut_before(disk, 1 + sim_choose(choices, STEPS_MAX));
        int64_t before = last;
        last = db == NULL ? last : work_until_cut(db, last);
        sqlite3_close(db);
        sim_disk_cut(disk);
        sim_machine_reboot(machine);
        if (sim_choose(choices, 4) == 1) { /* once more, while recovering */
            sim_disk_cut_before(disk, 1 + sim_choose(choices, 12));
            sqlite3_close(open_plain(platform, setting));
            sim_disk_cut(disk);
            sim_machine_reboot(machine);
            tally->cuts++;
        }
        tally->cuts++;
        tally->commits += (int)(last - before);
        db = open_plain(platform, setting);
        last = judge(db, last, tally);
    }
    sqlite3_close(db);
    sim_machine_free(machine);
    sim_choices_free(choices);
}

static void settings_do_as_known(void **state)
{
    (void)state;
    const char *asked = getenv("CUTS");
    int cuts = asked == NULL ? CUTS_USUAL : (int)strtol(asked, NULL, 10);
    print_message("%-10s %-9s %-7s %8s %8s %6s %6s %6s\n", "locking", "journal", "sync", "cuts", "commits", "lost",
                  "torn", "broken");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *setting = settings + i;
        struct tally tally = {0};
        sim_world_seed(i);
        for (uint64_t seed = i << 32; tally.cuts < cuts; seed++)
            live(setting, seed, &tally);
        print_message("%-10s %-9s %-7s %8d %8d %6d %6d %6d%s\n", setting->locking, setting->journal,
                      setting->synchronous, tally.cuts, tally.commits, tally.lost, tally.torn, tally.broken,
                      setting->lying ? " a disk that lies" : "");
        if (setting->verdict != BREAKS)
            assert_int_equal(tally.torn + tally.broken, 0);
        assert_int_equal(tally.lost > 0, setting->verdict != SAFE);
        assert_int_equal(tally.torn + tally.broken > 0, setting->verdict == BREAKS);
        assert_true(tally.commits > tally.cuts / 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(settings_do_as_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
