/* Aim: the simulated disk loses exactly what was not synced, names too; the machine's table keeps its word on it at every
 * cut; a store on it is found again, and is another on another medium. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db_key.h"
#include "tests/sim/files.h"
#include "tests/sim/machine.h"

static struct mq_error problem;

static const struct mq_secret key = {.bytes = {1, 2, 3}};

static struct sim_machine *machine_begin(struct sim_choices *choices, enum sim_survival survival)
{
    struct sim_machine *machine = sim_machine_new(choices, 0, 7);
    sim_disk_set_survival(sim_machine_disk(machine), survival);
    mq_error_clear(&problem);
    return machine;
}

static enum mq_status write_text(struct sim_machine *machine, const char *path, const char *text)
{
    const struct mq_platform *platform = sim_machine_platform(machine);
    mq_error_clear(&problem);
    return platform->write(platform->self, path, mq_span_text(text), &problem);
}

/* "" where the file is not there. */
static const char *read_text(struct sim_machine *machine, const char *path)
{
    static uint8_t memory[64];
    const struct mq_platform *platform = sim_machine_platform(machine);
    struct mq_buffer out = mq_buffer(memory, sizeof memory - 1);
    mq_error_clear(&problem);
    enum mq_status status = platform->read(platform->self, path, &out, &problem);
    assert_true(status == MQ_OK || status == MQ_NOT_FOUND);
    memory[out.size] = '\0';
    return (const char *)memory;
}

/* Aim: a write without sync, and a name without the sync of its directory, are gone after a cut that keeps nothing, and
 * there after one that keeps all. */
static void unsynced_is_lost(void **state)
{
    (void)state;
    static const enum sim_survival survivals[] = {SIM_NOTHING, SIM_ALL};
    for (int all = 0; all < 2; all++) {
        struct sim_choices *choices = sim_choices_explore(1);
        struct sim_machine *machine = machine_begin(choices, survivals[all]);
        struct sim_disk *disk = sim_machine_disk(machine);
        struct sim_file *file;
        bool directory;
        assert_int_equal(write_text(machine, "kept", "old"), MQ_OK);
        assert_int_equal(sim_file_open(disk, "kept", SIM_THERE, &file), 0);
        assert_int_equal(sim_file_write(file, "new", 3, 0), 0);
        assert_string_equal(read_text(machine, "kept"), "new");
        sim_file_close(file);
        assert_int_equal(sim_file_open(disk, "named", SIM_NEW, &file), 0);
        assert_int_equal(sim_file_write(file, "x", 1, 0), 0);
        assert_int_equal(sim_file_sync(file), 0);
        sim_file_close(file);
        sim_disk_cut(disk);
        assert_int_equal(write_text(machine, "kept", "dead"), MQ_FAULT);
        sim_machine_reboot(machine);
        assert_string_equal(read_text(machine, "kept"), all ? "new" : "old");
        assert_int_equal(sim_name_inode(disk, "named", &directory) != 0, all);
        sim_machine_free(machine);
        sim_choices_free(choices);
    }
}

/* Aim: a file that is removed and made again is another file: the old content comes back where the removal was lost. */
static void made_again_is_another(void **state)
{
    (void)state;
    struct sim_choices *choices = sim_choices_explore(1);
    struct sim_machine *machine = machine_begin(choices, SIM_NOTHING);
    struct sim_disk *disk = sim_machine_disk(machine);
    struct sim_file *file;
    assert_int_equal(write_text(machine, "a", "first"), MQ_OK);
    assert_int_equal(sim_name_remove(disk, "a"), 0);
    assert_int_equal(sim_file_open(disk, "a", SIM_NEW, &file), 0);
    assert_int_equal(sim_file_write(file, "second", 6, 0), 0);
    assert_int_equal(sim_file_sync(file), 0);
    assert_string_equal(read_text(machine, "a"), "second");
    sim_file_close(file);
    sim_machine_reboot(machine);
    assert_string_equal(read_text(machine, "a"), "first");
    sim_machine_free(machine);
    sim_choices_free(choices);
}

/* Aim: `write` is atomic and durable at every cut and whatever survives: the old content or the new one, the new one
 * once it was acknowledged. */
static void write_is_atomic(void **state)
{
    (void)state;
    int cuts = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct sim_choices *choices = sim_choices_explore(seed);
        struct sim_machine *machine = machine_begin(choices, SIM_BY_CHOICE);
        assert_int_equal(write_text(machine, "a", "old"), MQ_OK);
        sim_disk_cut_before(sim_machine_disk(machine), (int64_t)(seed % 6) + 1);
        enum mq_status status = write_text(machine, "a", "newer");
        cuts += sim_disk_is_off(sim_machine_disk(machine));
        sim_machine_reboot(machine);
        const char *found = read_text(machine, "a");
        assert_true(strcmp(found, "newer") == 0 || (status != MQ_OK && strcmp(found, "old") == 0));
        sim_machine_free(machine);
        sim_choices_free(choices);
    }
    assert_true(cuts > 300); /* five steps of six are cut: create, write, sync, rename, sync of the directory */
}

static int64_t count(struct mq_db *db)
{
    int64_t rows = -1;
    assert_int_equal(mq_db_number(db, &rows, &problem, "SELECT count(*) FROM t", ""), MQ_OK);
    return rows;
}

static struct mq_db *open_db(struct sim_machine *machine)
{
    struct mq_db *db;
    mq_error_clear(&problem);
    enum mq_status status =
        mq_db_open_encrypted(&db, sim_machine_platform(machine), "home/store.db", &key, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    return db;
}

/* Aim: an encrypted store on the simulated disk keeps what it acknowledged over a cut and over a clean close, its copy
 * opens, and nothing of it touches the real machine. */
static void store_is_kept(void **state)
{
    (void)state;
    struct sim_choices *choices = sim_choices_explore(3);
    struct sim_machine *machine = machine_begin(choices, SIM_NOTHING);
    const struct mq_platform *platform = sim_machine_platform(machine);
    assert_int_equal(platform->make_directory(platform->self, "home", &problem), MQ_OK);
    struct mq_db *db = open_db(machine);
    assert_int_equal(mq_db_script(db, "CREATE TABLE t(x)", &problem), MQ_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(mq_db_run(db, &problem, "INSERT INTO t VALUES(1)", ""), MQ_OK);
    sim_disk_cut(sim_machine_disk(machine));
    assert_int_equal(mq_db_run(db, &problem, "INSERT INTO t VALUES(1)", ""), MQ_FAULT);
    mq_db_close(db);
    sim_machine_reboot(machine);
    db = open_db(machine);
    assert_int_equal(count(db), 10);
    assert_int_equal(mq_db_copy(db, "home/copy.db", &problem), MQ_OK);
    mq_db_close(db);
    bool directory;
    assert_true(sim_name_inode(sim_machine_disk(machine), "home/copy.db", &directory) != 0);
    assert_int_equal(sim_name_inode(sim_machine_disk(machine), "home/store.db-wal", &directory), 0);
    sim_machine_free(machine);
    sim_choices_free(choices);
}

/* Aim: whichever operation fails while a store is closed, and its log goes into the file, everything is there at the next
 * opening: an error of reading is not taken for what was read (platform/sqlite/mend.sh). */
static void closing_may_fail(void **state)
{
    (void)state;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        bool met = true;
        for (int64_t nth = 1; met; nth++) {
            struct sim_choices *choices = sim_choices_explore(3);
            struct sim_machine *machine = machine_begin(choices, SIM_ALL);
            const struct mq_platform *platform = sim_machine_platform(machine);
            struct sim_disk *disk = sim_machine_disk(machine);
            struct mq_db *db;
            for (int round = 0; round < 2; round++) {
                enum mq_status status = encrypted ? mq_db_open_encrypted(&db, platform, "store.db", &key, &problem)
                                                  : mq_db_open(&db, platform, "store.db", &problem);
                if (status != MQ_OK)
                    print_message("operation %lld: %s\n", (long long)nth, problem.text);
                assert_int_equal(status, MQ_OK);
                if (round == 0) {
                    assert_int_equal(mq_db_script(db, "CREATE TABLE t(x); CREATE INDEX u ON t(x)", &problem), MQ_OK);
                    for (int i = 0; i < 5; i++)
                        assert_int_equal(mq_db_run(db, &problem, "INSERT INTO t VALUES(zeroblob(3000))", ""), MQ_OK);
                    sim_disk_fail_nth(disk, nth, MQ_FAULT, false);
                } else {
                    assert_int_equal(count(db), 5);
                    assert_int_equal(mq_db_check(db, &problem), MQ_OK);
                }
                mq_db_close(db);
                met = round == 0 ? sim_disk_faults_made(disk) > 0 : met;
                sim_disk_fail_nth(disk, 0, MQ_FAULT, false);
            }
            sim_machine_free(machine);
            sim_choices_free(choices);
        }
    }
}

/* Aim: a copied disk has the same files; on another medium they are others, brought back to their own they are the same. */
static void copies_are_told_apart(void **state)
{
    (void)state;
    struct sim_choices *choices = sim_choices_explore(3);
    struct sim_machine *machine = machine_begin(choices, SIM_ALL), *aside = sim_machine_new(choices, 1, 8);
    const struct mq_platform *platform = sim_machine_platform(machine);
    struct mq_file_identity before, after;
    assert_int_equal(write_text(machine, "a", "one"), MQ_OK);
    assert_int_equal(platform->identify(platform->self, "a", &before, &problem), MQ_OK);
    sim_machine_copy_disk(aside, machine, false);
    assert_string_equal(read_text(aside, "a"), "one");
    const struct mq_platform *other = sim_machine_platform(aside);
    assert_int_equal(other->identify(other->self, "a", &after, &problem), MQ_OK);
    assert_true(before.machine != after.machine && before.device != after.device);
    assert_int_equal(write_text(machine, "a", "two"), MQ_OK);
    sim_machine_copy_disk(machine, aside, true);
    assert_string_equal(read_text(machine, "a"), "one");
    assert_int_equal(platform->identify(platform->self, "a", &after, &problem), MQ_OK);
    assert_memory_equal(&before, &after, sizeof before);
    sim_machine_free(machine);
    sim_machine_free(aside);
    sim_choices_free(choices);
}

/* Aim: the n-th operation fails as asked, once or for good, with the room that is left used first; after a failed sync
 * the file counts as clean. */
static void faults_come_as_asked(void **state)
{
    (void)state;
    struct sim_choices *choices = sim_choices_replay((const uint32_t[]){1}, 1); /* nothing of the failed sync arrives */
    struct sim_machine *machine = machine_begin(choices, SIM_ALL);
    struct sim_disk *disk = sim_machine_disk(machine);
    struct sim_file *file;
    assert_int_equal(write_text(machine, "a", "0000"), MQ_OK);
    sim_disk_fail_nth(disk, 2, MQ_NO_SPACE, false);
    assert_int_equal(write_text(machine, "a", "1111"), MQ_NO_SPACE);
    assert_string_equal(read_text(machine, "a"), "0000");
    assert_int_equal(write_text(machine, "a", "1111"), MQ_OK);
    assert_int_equal(sim_file_open(disk, "a", SIM_THERE, &file), 0);
    assert_int_equal(sim_file_write(file, "2222", 4, 0), 0);
    sim_disk_fail_nth(disk, 1, MQ_FAULT, false);
    assert_int_not_equal(sim_file_sync(file), 0);
    assert_int_equal(sim_file_sync(file), 0);
    assert_string_equal(read_text(machine, "a"), "2222");
    sim_file_close(file);
    sim_machine_reboot(machine);
    assert_string_equal(read_text(machine, "a"), "1111");
    sim_disk_fail_nth(disk, 1, MQ_FAULT, true);
    for (int i = 0; i < 5; i++)
        assert_int_equal(write_text(machine, "a", "3333"), MQ_FAULT);
    sim_disk_fail_nth(disk, 0, MQ_FAULT, false);
    assert_int_equal(write_text(machine, "a", "3333"), MQ_OK);
    assert_int_equal(sim_disk_faults_made(disk), 8);
    sim_machine_free(machine);
    sim_choices_free(choices);
}

/* Aim: rot flips one bit of a file of that name, and says where there is none. */
static void rot_flips_one_bit(void **state)
{
    (void)state;
    struct sim_choices *choices = sim_choices_explore(11);
    struct sim_machine *machine = machine_begin(choices, SIM_ALL);
    assert_int_equal(write_text(machine, "a.db", "aaaaaaaa"), MQ_OK);
    assert_false(sim_disk_rot(sim_machine_disk(machine), ".log"));
    assert_true(sim_disk_rot(sim_machine_disk(machine), ".db"));
    const char *found = read_text(machine, "a.db");
    int bits = 0;
    for (int i = 0; i < 8; i++)
        bits += __builtin_popcount((unsigned)(found[i] ^ 'a') & 0xffu);
    assert_int_equal(bits, 1);
    sim_machine_free(machine);
    sim_choices_free(choices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsynced_is_lost),     cmocka_unit_test(made_again_is_another),
        cmocka_unit_test(write_is_atomic),      cmocka_unit_test(store_is_kept),
        cmocka_unit_test(closing_may_fail),
        cmocka_unit_test(copies_are_told_apart), cmocka_unit_test(faults_come_as_asked),
        cmocka_unit_test(rot_flips_one_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
