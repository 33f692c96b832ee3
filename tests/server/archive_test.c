/* Aim: a backup's file gives back exactly what was put in, and says so when a byte of it is wrong, missing or from
 * elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/fake.h"
#include "server/archive_keys.h"
#include "tests/server/directory.h"

#define PASSPHRASE "one grey heron by the weir"
#define LARGE (150 * 1024) /* three chunks */
#define COST ((struct mq_kdf_cost){8, 1})

static struct mq_fake *fake;
static const struct mq_platform *machine;
static char backup_path[400], large_path[400], small_path[400], out_path[400];
static uint8_t large[LARGE];
static const uint8_t small[] = "a key";
static struct mq_error problem;

static int setup(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK || directory_make() != 0)
        return -1;
    fake = mq_fake_new(11);
    machine = mq_fake_platform(fake);
    mq_error_clear(&problem);
    snprintf(backup_path, sizeof backup_path, "%s/backup", directory);
    snprintf(large_path, sizeof large_path, "%s/large", directory);
    snprintf(small_path, sizeof small_path, "%s/small", directory);
    snprintf(out_path, sizeof out_path, "%s/out", directory);
    mq_random(machine, large, sizeof large);
    if (machine->write(machine->self, large_path, MQ_SPAN(large), &problem) != MQ_OK)
        return -1;
    return machine->write(machine->self, small_path, MQ_SPAN(small), &problem) == MQ_OK ? 0 : -1;
}

static int teardown(void **state)
{
    char command[400];

    (void)state;
    mq_fake_free(fake);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static void write_backup(void)
{
    struct mq_archive *archive;

    assert_int_equal(mq_archive_create(&archive, machine, backup_path, mq_span_text(PASSPHRASE), COST, &problem),
                     MQ_OK);
    assert_int_equal(mq_archive_add(archive, "large", large_path, &problem), MQ_OK);
    assert_int_equal(mq_archive_add(archive, "small", small_path, &problem), MQ_OK);
    assert_int_equal(mq_archive_finish(archive, &problem), MQ_OK);
    mq_archive_close(archive);
}

static void assert_out(struct mq_span expected)
{
    static uint8_t memory[LARGE + 1];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);

    assert_int_equal(machine->read(machine->self, out_path, &content, &problem), MQ_OK);
    assert_true(mq_span_equal(mq_written(&content), expected));
    unlink(out_path);
}

/* Reads everything, keeps nothing: MQ_OK where the file is whole. */
static enum mq_status read_through(void)
{
    struct mq_archive *archive;
    char name[MQ_ARCHIVE_NAME_SIZE];

    mq_error_clear(&problem);
    enum mq_status status = mq_archive_open(&archive, backup_path, mq_span_text(PASSPHRASE), &problem);
    while (status == MQ_OK) {
        status = mq_archive_next(archive, name, &problem);
        if (status == MQ_OK)
            status = mq_archive_extract(archive, NULL, &problem);
    }
    mq_archive_close(archive);
    return status == MQ_NOT_FOUND && problem.status == MQ_OK ? MQ_OK : status;
}

/* What was put in comes out, by name and in order. */
static void test_round(void **state)
{
    struct mq_archive *archive;
    char name[MQ_ARCHIVE_NAME_SIZE];

    (void)state;
    write_backup();
    assert_int_equal(mq_archive_open(&archive, backup_path, mq_span_text(PASSPHRASE), &problem), MQ_OK);
    assert_int_equal(mq_archive_next(archive, name, &problem), MQ_OK);
    assert_string_equal(name, "large");
    assert_int_equal(mq_archive_extract(archive, out_path, &problem), MQ_OK);
    assert_out(MQ_SPAN(large));
    assert_int_equal(mq_archive_next(archive, name, &problem), MQ_OK);
    assert_string_equal(name, "small");
    assert_int_equal(mq_archive_extract(archive, out_path, &problem), MQ_OK);
    assert_out(MQ_SPAN(small));
    assert_int_equal(mq_archive_next(archive, name, &problem), MQ_NOT_FOUND);
    assert_int_equal(problem.status, MQ_OK);
    mq_archive_close(archive);
}

/* An existing file is never written over; another passphrase does not open; something else is no backup. */
static void test_refusals(void **state)
{
    struct mq_archive *archive;

    (void)state;
    write_backup();
    assert_int_equal(mq_archive_create(&archive, machine, backup_path, mq_span_text(PASSPHRASE), COST, &problem),
                     MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(mq_archive_open(&archive, backup_path, mq_span_text("another"), &problem), MQ_WRONG_KEY);
    mq_error_clear(&problem);
    assert_int_equal(mq_archive_open(&archive, large_path, mq_span_text(PASSPHRASE), &problem), MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(mq_archive_open(&archive, out_path, mq_span_text(PASSPHRASE), &problem), MQ_NOT_FOUND);
}

/* One changed bit anywhere behind the cost of the passphrase, or a cut at any place, is noticed. */
static void test_damage(void **state)
{
    static uint8_t memory[LARGE + 4096];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);

    (void)state;
    write_backup();
    assert_int_equal(machine->read(machine->self, backup_path, &content, &problem), MQ_OK);
    size_t whole = content.size;
    for (size_t at = 33; at < whole; at += at < 70 ? 3 : 9973) { /* 33: behind salt and cost */
        memory[at] ^= 0x10;
        assert_int_equal(machine->write(machine->self, backup_path, mq_span(memory, whole), &problem), MQ_OK);
        assert_int_not_equal(read_through(), MQ_OK);
        memory[at] ^= 0x10;
        mq_error_clear(&problem);
    }
    for (size_t size = 0; size < whole; size += 12289) {
        assert_int_equal(machine->write(machine->self, backup_path, mq_span(memory, size), &problem), MQ_OK);
        assert_int_not_equal(read_through(), MQ_OK);
        mq_error_clear(&problem);
    }
    assert_int_equal(machine->write(machine->self, backup_path, mq_span(memory, whole), &problem), MQ_OK);
    assert_int_equal(read_through(), MQ_OK);
}

/* Where the end of the pieces fills a chunk, or begins one, the backup is as whole as any. */
static void test_ends_of_chunks(void **state)
{
    const size_t chunk = 64 * 1024, around = 1 + strlen("large") + 8 + 1; /* name, size, and the end of all */
    struct mq_archive *archive;

    (void)state;
    for (size_t size = chunk - around - 2; size <= chunk - around + 2; size++) {
        assert_int_equal(machine->write(machine->self, large_path, mq_span(large, size), &problem), MQ_OK);
        unlink(backup_path);
        assert_int_equal(mq_archive_create(&archive, machine, backup_path, mq_span_text(PASSPHRASE), COST, &problem),
                         MQ_OK);
        assert_int_equal(mq_archive_add(archive, "large", large_path, &problem), MQ_OK);
        assert_int_equal(mq_archive_finish(archive, &problem), MQ_OK);
        mq_archive_close(archive);
        assert_int_equal(read_through(), MQ_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends_of_chunks, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
