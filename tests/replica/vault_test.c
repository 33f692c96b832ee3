/* Aim: a home opens with its passphrase and in no other way, is never half-made, and goes on under new streams wherever
 * it may be an older self. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replica/replica_keys.h"
#include "replica/vault.h"
#include "tests/platform/guarded.h"
#include "tests/replica/hostile.h"

#define RIGHT "correct horse battery staple"
#define WRONG "correct horse battery stable"
#define KDF_MIB 8
#define WITNESS_SIZE (MQ_ID_SIZE + 4)

static struct mq_error problem;

/* ---- one home on one machine ---- */

struct house {
    char directory[64], home[100];
    struct mq_fake *fake;
    const struct mq_platform *platform;
    struct mq_replica *replica;
};

static void shut(struct house *house)
{
    mq_replica_close(house->replica);
    house->replica = NULL;
}

static enum mq_status make(struct house *house)
{
    mq_error_clear(&problem);
    return mq_replica_create(&house->replica, house->platform, house->home, mq_span_text(RIGHT), KDF_MIB, &problem);
}

static enum mq_status enter(struct house *house, const char *passphrase)
{
    mq_error_clear(&problem);
    return mq_replica_open(&house->replica, house->platform, house->home, mq_span_text(passphrase), 0, &problem);
}

static void begin(struct house *house, uint64_t seed)
{
    *house = (struct house){.directory = "/tmp/minqing-vault-XXXXXX", .fake = mq_fake_new(seed)};
    house->platform = mq_fake_platform(house->fake);
    assert_int_equal(mq_crypto_start(), MQ_OK);
    assert_non_null(mkdtemp(house->directory));
    snprintf(house->home, sizeof house->home, "%s/home", house->directory);
    assert_int_equal(make(house), MQ_OK);
    assert_int_equal(mq_setting_put_number(house->replica, "kept", 42, &problem), MQ_OK);
    shut(house);
}

static void remove_home(const struct house *house)
{
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", house->home);
    assert_int_equal(system(command), 0);
}

static void end(struct house *house)
{
    shut(house);
    mq_fake_free(house->fake);
    remove_home(house);
    assert_int_equal(rmdir(house->directory), 0);
}

/* Opens with the right passphrase, and what was kept is there. */
static void assert_whole(struct house *house)
{
    int64_t kept = 0;
    assert_int_equal(enter(house, RIGHT), MQ_OK);
    assert_int_equal(mq_setting_number(house->replica, "kept", &kept, &problem), MQ_OK);
    assert_int_equal(kept, 42);
    shut(house);
}

static int64_t milliseconds(const struct house *house)
{
    return house->platform->monotonic_ms(house->platform->self);
}

/* ---- passphrases ---- */

/* A wrong passphrase opens nothing; after the third in a row each costs more and more time; the right one ends that. */
static void wrong_passphrase_is_slowed(void **state)
{
    struct house house;
    (void)state;
    begin(&house, 1);
    int64_t start = milliseconds(&house);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(enter(&house, WRONG), MQ_WRONG_KEY);
        assert_null(house.replica);
    }
    assert_int_equal(milliseconds(&house), start);
    int64_t before = 0;
    for (int i = 0; i < 12; i++) {
        start = milliseconds(&house);
        assert_int_equal(enter(&house, WRONG), MQ_WRONG_KEY);
        int64_t waited = milliseconds(&house) - start;
        assert_true(waited >= 500 && waited <= 30000);
        assert_true(waited >= before);
        before = waited;
    }
    assert_true(before > 10000);
    assert_whole(&house);
    start = milliseconds(&house);
    assert_int_equal(enter(&house, WRONG), MQ_WRONG_KEY);
    assert_whole(&house);
    assert_int_equal(milliseconds(&house), start);
    end(&house);
}

/* A new passphrase keeps what is there, and the old one opens nothing more; an empty one is refused. */
static void passphrase_can_change(void **state)
{
    struct house house;
    int64_t kept = 0;
    (void)state;
    begin(&house, 2);
    assert_int_equal(enter(&house, RIGHT), MQ_OK);
    assert_int_equal(mq_replica_passphrase(house.replica, mq_span_text(""), KDF_MIB, &problem), MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(mq_replica_passphrase(house.replica, mq_span_text(WRONG), KDF_MIB, &problem), MQ_OK);
    shut(&house);
    assert_int_equal(enter(&house, RIGHT), MQ_WRONG_KEY);
    assert_int_equal(enter(&house, WRONG), MQ_OK);
    assert_int_equal(mq_setting_number(house.replica, "kept", &kept, &problem), MQ_OK);
    assert_int_equal(kept, 42);
    end(&house);
}

/* A change of passphrase that the disk refuses leaves the old one. */
static void failed_change_keeps_the_old(void **state)
{
    struct house house;
    (void)state;
    begin(&house, 3);
    assert_int_equal(enter(&house, RIGHT), MQ_OK);
    mq_fake_fail_file(house.fake, 1, MQ_NO_SPACE);
    assert_int_equal(mq_replica_passphrase(house.replica, mq_span_text(WRONG), KDF_MIB, &problem), MQ_NO_SPACE);
    shut(&house);
    assert_whole(&house);
    end(&house);
}

/* ---- files that are not what was written ---- */

/* Every byte of the vault file matters: with one bent, or missing, it opens nothing, and the right file opens again. */
static void every_byte_of_the_vault_matters(void **state)
{
    struct house house;
    char path[MQ_PATH_MAX], tries[MQ_PATH_MAX];
    uint8_t memory[512], bent[512];
    struct mq_buffer good = mq_buffer(memory, sizeof memory);
    (void)state;
    begin(&house, 4);
    mq_home_path(path, house.home, "vault");
    mq_home_path(tries, house.home, "tries");
    void *self = house.platform->self;
    assert_int_equal(house.platform->read(self, path, &good, &problem), MQ_OK);
    for (size_t at = 0; at < good.size; at++) {
        memcpy(bent, good.data, good.size);
        bent[at] ^= (uint8_t)(1u << at % 8);
        assert_int_equal(house.platform->write(self, path, mq_span(bent, good.size), &problem), MQ_OK);
        enum mq_status status = enter(&house, RIGHT);
        if (status != MQ_DAMAGED && status != MQ_WRONG_KEY)
            print_message("byte %zu of %zu: status %d: %s\n", at, good.size, (int)status, problem.text);
        assert_true(status == MQ_DAMAGED || status == MQ_WRONG_KEY);
        assert_null(house.replica);
        mq_error_clear(&problem);
        assert_int_equal(house.platform->remove(self, tries, &problem), MQ_OK);
    }
    assert_int_equal(house.platform->write(self, path, mq_span(good.data, good.size - 1), &problem), MQ_OK);
    assert_int_equal(enter(&house, RIGHT), MQ_DAMAGED);
    mq_error_clear(&problem);
    assert_int_equal(truncate(path, 5000), 0); /* longer than any vault */
    assert_int_equal(enter(&house, RIGHT), MQ_DAMAGED);
    mq_error_clear(&problem);
    assert_int_equal(house.platform->write(self, path, mq_written(&good), &problem), MQ_OK);
    assert_whole(&house);
    end(&house);
}

/* A home whose store is missing (its card is not in place) is refused, and no fresh store is made in its stead. */
static void missing_store_is_not_made_anew(void **state)
{
    struct house house;
    char path[MQ_PATH_MAX], aside[MQ_PATH_MAX];
    (void)state;
    begin(&house, 5);
    mq_home_path(path, house.home, "store.db");
    mq_home_path(aside, house.home, "aside");
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(enter(&house, RIGHT), MQ_DAMAGED);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(make(&house), MQ_REFUSED);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rename(aside, path), 0);
    assert_whole(&house);
    end(&house);
}

/* Where there is a store, making one is refused and changes nothing; where there is none, opening is refused. */
static void nothing_is_made_twice(void **state)
{
    struct house house;
    (void)state;
    begin(&house, 6);
    assert_int_equal(make(&house), MQ_REFUSED);
    assert_whole(&house);
    remove_home(&house);
    assert_int_equal(enter(&house, RIGHT), MQ_NOT_FOUND);
    end(&house);
}

/* A creation that fails at any of its file operations can simply be repeated. */
static void cut_creation_can_be_repeated(void **state)
{
    struct house house;
    enum mq_status status = MQ_FAULT;
    int nth = 0;
    (void)state;
    begin(&house, 7);
    while (status != MQ_OK) {
        remove_home(&house);
        mq_fake_fail_file(house.fake, ++nth, MQ_FAULT);
        status = make(&house);
        mq_fake_fail_file(house.fake, 0, MQ_OK);
        if (status == MQ_OK)
            break; /* there are fewer operations than that */
        assert_int_equal(status, MQ_FAULT);
        assert_null(house.replica);
        assert_int_equal(make(&house), MQ_OK);
        shut(&house);
        assert_int_equal(enter(&house, RIGHT), MQ_OK);
        shut(&house);
    }
    assert_true(nth > 1);
    end(&house);
}

/* While one holds the home, another is told so, and does not wait longer than it wants to. */
static void one_holds_the_home(void **state)
{
    struct house house;
    struct mq_replica *second;
    (void)state;
    begin(&house, 8);
    assert_int_equal(enter(&house, RIGHT), MQ_OK);
    assert_int_equal(mq_replica_open(&second, house.platform, house.home, mq_span_text(RIGHT), 0, &problem), MQ_BUSY);
    assert_null(second);
    shut(&house);
    assert_whole(&house);
    end(&house);
}

/* ---- older selves ---- */

static int64_t open_streams(struct village_member *member)
{
    return hostile_count(member, "SELECT count(*) FROM stream WHERE mine = 1 AND closed = 0");
}

static void add_household(struct village_member *member, const char *id)
{
    char json[300];
    snprintf(json, sizeof json, "{\"kind\":\"household\",\"id\":\"%s\",\"place\":\"990527103204\",\"head\":\"冯谷雨\"}",
             id);
    village_add(member, json, NULL);
}

/* A device that has synced once, with one open stream. */
static void begin_village(struct village *village, uint64_t seed)
{
    mq_error_clear(&problem);
    village_begin(village, seed);
    add_household(&village->devices[0], "H-1");
    village_sync_all(village, 2);
    assert_int_equal(open_streams(&village->devices[0]), 1);
}

/* Whatever was closed: what is written from now on goes the whole way. */
static void end_village(struct village *village)
{
    village_sync_all(village, 1);
    int64_t records = village_safety(&village->desk).records;
    add_household(&village->devices[0], "H-last");
    village_sync_all(village, 2);
    assert_int_equal(open_streams(&village->devices[0]), 1);
    assert_int_equal(village_safety(&village->desk).records, records + 1);
    assert_int_equal(village_safety(&village->devices[0]).saved, 0);
    assert_int_equal(village_safety(&village->devices[0]).stored, 0);
    hostile_accounted(village);
    village_end(village);
}

static void copy_store(const struct village_member *member, const char *from, const char *to)
{
    char command[800];
    snprintf(command, sizeof command, "cp %s/%s %s/%s", member->home, from, member->home, to);
    assert_int_equal(system(command), 0);
}

/* A store that was set back beside a newer witness closes its streams before anything is written. */
static void witness_tells_of_a_store_set_back(void **state)
{
    struct village village;
    (void)state;
    begin_village(&village, 9);
    struct village_member *device = &village.devices[0];
    village_close(device);
    copy_store(device, "store.db", "store.old");
    village_open(device);
    assert_int_equal(open_streams(device), 1); /* closing and opening alone closes no stream */
    add_household(device, "H-2");
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    village_close(device);
    copy_store(device, "store.old", "store.db"); /* the same file as before, with what it held before */
    village_open(device);
    assert_int_equal(open_streams(device), 0);
    end_village(&village);
}

/* A witness that is not whole is no reason to go on under the old streams. */
static void broken_witness_closes_streams(void **state)
{
    struct village village;
    char path[MQ_PATH_MAX];
    (void)state;
    begin_village(&village, 10);
    struct village_member *device = &village.devices[0];
    mq_home_path(path, device->home, "witness");
    static const off_t sizes[] = {0, WITNESS_SIZE - 1, WITNESS_SIZE + 1, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char id[] = "H-2";
        id[2] = (char)('2' + i);
        village_close(device);
        assert_int_equal(truncate(path, sizes[i]), 0);
        village_open(device);
        assert_int_equal(open_streams(device), 0);
        add_household(device, id);
        village_sync_all(&village, 1);
        assert_int_equal(open_streams(device), 1);
    }
    end_village(&village);
}

/* A store that stands on another medium than before closes its streams when it is opened. */
static void moved_store_closes_streams(void **state)
{
    struct village village;
    (void)state;
    begin_village(&village, 11);
    struct village_member *device = &village.devices[0];
    village_close(device);
    mq_fake_move(device->fake);
    village_open(device);
    assert_int_equal(open_streams(device), 0);
    end_village(&village);
}

/* Pages from `from` to `to` of the store as it was before stand in the store as it is. */
static void mix_pages(const char *old, const char *now, long from, long to)
{
    uint8_t page[4096];
    FILE *source = fopen(old, "rb"), *target = fopen(now, "r+b");
    assert_true(source != NULL && target != NULL);
    for (long number = from; number < to; number++) {
        assert_int_equal(fseek(source, number * 4096, SEEK_SET), 0);
        assert_int_equal(fread(page, 1, sizeof page, source), sizeof page);
        assert_int_equal(fseek(target, number * 4096, SEEK_SET), 0);
        assert_int_equal(fwrite(page, 1, sizeof page, target), sizeof page);
    }
    fclose(source);
    assert_int_equal(fclose(target), 0);
}

/* A copy that was taken while its home was written, some pages of it older than the others, is refused with words where it
 * first stands, though each page by itself is good. */
static void torn_copy_is_refused(void **state)
{
    struct village village;
    struct mq_error error = {0};
    char old[400], now[400];
    (void)state;
    begin_village(&village, 12);
    struct village_member *device = &village.devices[0];
    for (int i = 0; i < 60; i++) {
        char json[200];
        snprintf(json, sizeof json, "{\"kind\":\"household\",\"id\":\"T-%d\",\"place\":\"990527103204\",\"head\":\"第%d户\"}", i, i);
        village_add(device, json, NULL);
        if (i == 20)
            village_keep(&village, device, "old");
    }
    village_close(device);
    snprintf(old, sizeof old, "%s/old/store.db", village.directory);
    snprintf(now, sizeof now, "%s/store.db", device->home);
    mix_pages(old, now, 30, 60);
    mq_fake_move(device->fake);
    assert_int_equal(mq_replica_open(&device->replica, device->platform, device->home,
                                     mq_span_text("correct horse battery staple"), 0, &error),
                     MQ_DAMAGED);
    assert_non_null(strstr(error.text, "copy"));
    assert_null(device->replica);
    village_end(&village);
}

/* While a home is open, its store key and the device's own keys stand in memory that is neither swapped nor dumped. */
static void open_keys_are_guarded(void **state)
{
    (void)state;
    struct house house;
    begin(&house, 77);
    assert_int_equal(enter(&house, RIGHT), MQ_OK);
    assert_non_null(unguarded(&house));
    assert_null(unguarded(house.replica->store_key));
    assert_null(unguarded(house.replica->identity));
    end(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_passphrase_is_slowed),
        cmocka_unit_test(passphrase_can_change),
        cmocka_unit_test(failed_change_keeps_the_old),
        cmocka_unit_test(every_byte_of_the_vault_matters),
        cmocka_unit_test(missing_store_is_not_made_anew),
        cmocka_unit_test(nothing_is_made_twice),
        cmocka_unit_test(cut_creation_can_be_repeated),
        cmocka_unit_test(one_holds_the_home),
        cmocka_unit_test(witness_tells_of_a_store_set_back),
        cmocka_unit_test(broken_witness_closes_streams),
        cmocka_unit_test(moved_store_closes_streams),
        cmocka_unit_test(torn_copy_is_refused),
        cmocka_unit_test(open_keys_are_guarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
