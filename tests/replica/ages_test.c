/* Aim: a centre that comes back from a backup of any age, twice, and even beside the one it replaces, has in the end all that
 * devices hold: every record that was saved, every decision of the desk that had reached anybody, and nothing of what the
 * desk had erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/erase.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/protocol/chance.h"
#include "tests/replica/hostile.h"

#define AGES 5
#define VISITS_MAX 512

static struct mq_error problem;

/* What happened, told outside of all replicas. */
struct world {
    struct village village;
    struct chance chance;
    int visits;               /* V-0 … were saved, by whomever */
    bool erased[VISITS_MAX];  /* the desk took their notes out, and somebody had heard of it */
    bool erases;
    int decided;              /* N-1 was given this group by the desk last */
};

/* ---- days ---- */

static void write_visit(struct world *world, struct village_member *member)
{
    char json[512];
    assert_true(world->visits < VISITS_MAX);
    snprintf(json, sizeof json,
             "{\"kind\":\"visit\",\"id\":\"V-%d\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"记事%d完。\"}", world->visits,
             world->visits);
    world->visits++;
    village_add(member, json, NULL);
}

/* A decision of the desk, over whatever stands there. */
static void decide(struct world *world, struct village_member *desk)
{
    char assignment[64];
    snprintf(assignment, sizeof assignment, "nickname=定%d", ++world->decided);
    village_set(desk, "H-1", assignment);
}

static void take_out(struct world *world, struct village_member *desk, int visit)
{
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE];
    char id[16];
    snprintf(id, sizeof id, "V-%d", visit);
    mq_error_clear(&problem);
    enum mq_status status = mq_view_find(desk->replica, NULL, mq_span_text(id), record, &problem);
    if (status == MQ_NOT_FOUND)
        return; /* it has not come yet */
    assert_int_equal(status, MQ_OK);
    uint8_t field = mq_field_by_key(mq_kind_by_number(MQ_KIND_VISIT), mq_span_text("notes"))->number;
    assert_int_equal(mq_erase_list_field(desk->replica, &list, record, field, &problem), MQ_OK);
    if (list.count > 0)
        assert_int_equal(mq_erase(desk->replica, &desk->team, NULL, &list, &problem), MQ_OK);
    mq_erase_list_free(&list);
    world->erased[visit] = true;
}

static void sync_one(struct world *world, struct village_member *member)
{
    assert_int_equal(village_sync(&world->village, member, NULL), MQ_OK);
}

/* Some devices write and disagree, the desk decides and erases; by the evening somebody has heard of it. */
static void day(struct world *world, struct village_member *desk)
{
    struct village *village = &world->village;
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        if (chance_below(&world->chance, 2) == 0)
            write_visit(world, &village->devices[i]);
    village_set(&village->devices[chance_below(&world->chance, 2)], "H-1", "nickname=老杨");
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        if (chance_below(&world->chance, 3) > 0)
            sync_one(world, &village->devices[i]);
    sync_one(world, desk);
    decide(world, desk);
    write_visit(world, desk);
    /* Of any visit: what came with it in one segment, after a backup, comes back all the same. */
    if (world->erases && chance_below(&world->chance, 2) == 0)
        take_out(world, desk, (int)chance_below(&world->chance, (uint64_t)world->visits));
    sync_one(world, desk);
    sync_one(world, &village->devices[chance_below(&world->chance, VILLAGE_DEVICES)]);
}

/* ---- backups of the whole centre ---- */

static void copy_relay(struct world *world, const char *from, const char *to)
{
    struct village *village = &world->village;
    char command[700];
    village->store->verbs->close(village->store);
    snprintf(command, sizeof command, "cp %s/%s %s/%s", village->directory, from, village->directory, to);
    assert_int_equal(system(command), 0);
    village_relay_open(village, "relay.db");
}

static void back_up(struct world *world, int age)
{
    char name[24], relay[32];
    snprintf(name, sizeof name, "age%d", age);
    snprintf(relay, sizeof relay, "relay-age%d.db", age);
    village_keep(&world->village, &world->village.desk, name);
    copy_relay(world, "relay.db", relay);
}

static enum mq_status close_streams(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    return mq_streams_close(replica, error);
}

/* As server/restore.c does. Says what was rolled back. */
static void restore(struct world *world, int age)
{
    struct village *village = &world->village;
    char name[24], relay[32];
    int64_t before = hostile_count(&village->desk, "SELECT count(*) FROM change");
    snprintf(name, sizeof name, "age%d", age);
    snprintf(relay, sizeof relay, "relay-age%d.db", age);
    village_bring_back(village, &village->desk, name);
    mq_error_clear(&problem);
    assert_int_equal(mq_replica_transact(village->desk.replica, close_streams, NULL, &problem), MQ_OK);
    copy_relay(world, relay, "relay.db");
    assert_int_equal(village->store->verbs->renew(village->store, &problem), MQ_OK);
    print_message("restored from age %d: %lld changes rolled back\n", age,
                  (long long)(before - hostile_count(&village->desk, "SELECT count(*) FROM change")));
}

/* ---- what must be true in the end ---- */

static enum mq_status say(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context, (void)error;
    print_message("%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

static void judge_member(struct world *world, struct village_member *member, const uint8_t view[MQ_HASH_SIZE])
{
    struct mq_check_result result;
    const struct mq_emitter emitter = {NULL, say};
    uint8_t own[MQ_HASH_SIZE];
    char part[48];
    assert_int_equal(mq_view_hash(member->replica, own, &problem), MQ_OK);
    assert_memory_equal(own, view, sizeof own);
    assert_int_equal(mq_records_check(member->replica, false, &result, &emitter, &problem), MQ_OK);
    if (result.waiting + result.undecodable + result.quarantined > 0)
        print_message("%s: %lld waiting, %lld undecodable, %lld quarantined\n", member->home, (long long)result.waiting,
                      (long long)result.undecodable, (long long)result.quarantined);
    assert_int_equal(result.waiting + result.undecodable + result.quarantined, 0);
    char *text = village_export(member);
    for (int i = 0; i < world->visits; i++) {
        snprintf(part, sizeof part, "\"id\":\"V-%d\"", i);
        if (strstr(text, part) == NULL)
            print_message("V-%d is lost\n", i);
        assert_non_null(strstr(text, part));
        snprintf(part, sizeof part, "记事%d完", i);
        assert_int_equal(strstr(text, part) == NULL, world->erased[i]);
    }
    free(text);
}

static void judge(struct world *world)
{
    struct village *village = &world->village;
    uint8_t view[MQ_HASH_SIZE];
    village_sync_all(village, 5);
    mq_error_clear(&problem);
    assert_int_equal(mq_view_hash(village->desk.replica, view, &problem), MQ_OK);
    judge_member(world, &village->desk, view);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        judge_member(world, &village->devices[i], view);
        assert_int_equal(village_safety(&village->devices[i]).saved + village_safety(&village->devices[i]).stored, 0);
    }
    assert_int_equal(hostile_count(&village->devices[0], "SELECT count(*) FROM (SELECT 1 FROM segment GROUP BY stream, seq"
                                                         " HAVING count(*) > 1)"),
                     0); /* no number was used twice */
}

/* The desk's last word that anybody had heard stands in the history of the household, at the desk that forgot it. */
static void judge_decisions(struct world *world)
{
    assert_int_equal(hostile_count(&world->village.desk, "SELECT count(*) FROM change WHERE instr(expanded, CAST('定' AS BLOB)) > 0"),
                     world->decided);
}

static void begin(struct world *world, uint64_t seed, bool erases)
{
    memset(world, 0, sizeof *world);
    world->erases = erases;
    world->chance = (struct chance){seed};
    village_begin(&world->village, seed);
    village_add(&world->village.devices[0], "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"杨顺华\"}", NULL);
    write_visit(world, &world->village.devices[0]);
    village_sync_all(&world->village, 2);
    for (int age = 0; age < AGES; age++) {
        back_up(world, age);
        day(world, &world->village.desk);
    }
}

/* ---- tests ---- */

/* From each age, the youngest and the oldest too, twice in a row: all that devices hold comes back. */
static void every_age_heals(void **state)
{
    (void)state;
    struct chance chance = chance_start("ages");
    for (int age = 0; age < AGES; age++) {
        struct world *world = calloc(1, sizeof *world);
        assert_non_null(world);
        begin(world, chance_u64(&chance), true);
        restore(world, age);
        day(world, &world->village.desk); /* work goes on while it heals */
        restore(world, (int)chance_below(&world->chance, AGES));
        judge(world);
        judge_decisions(world);
        village_end(&world->village);
        free(world);
    }
}

/* The old centre's desk lives on beside the restored one, both decide, and the relay was set back as well: the union stands. */
static void old_and_new_both_alive(void **state)
{
    (void)state;
    struct chance chance = chance_start("forked");
    for (int run = 0; run < 2; run++) {
        struct world *world = calloc(1, sizeof *world);
        struct village_member old;
        assert_non_null(world);
        begin(world, chance_u64(&chance), true);
        village_clone(&world->village, &world->village.desk, &old);
        restore(world, (int)chance_below(&world->chance, AGES));
        for (int i = 0; i < 2; i++) {
            day(world, &old);
            day(world, &world->village.desk);
        }
        sync_one(world, &old);
        village_close(&old);
        mq_fake_free(old.fake);
        judge(world);
        judge_decisions(world);
        village_end(&world->village);
        free(world);
    }
}

/* The server was lost with all it had, and the desk came back from a backup: the devices fill both. */
static void desk_alone_comes_back(void **state)
{
    (void)state;
    struct chance chance = chance_start("alone");
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    begin(world, chance_u64(&chance), true);
    restore(world, 1);
    village_relay_empty(&world->village);
    sync_one(world, &world->village.desk); /* says who may come */
    judge(world);
    judge_decisions(world);
    village_end(&world->village);
    free(world);
}

/* What stood beside something erased in one segment, and what leans on it, comes to a centre that is restored from before
 * either, from devices that erased; what was erased does not. */
static void beside_the_erased(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    begin(world, 8, false);
    struct village *village = &world->village;
    back_up(world, 0);
    int first = world->visits;
    write_visit(world, &village->devices[0]);
    write_visit(world, &village->devices[0]);
    sync_one(world, &village->devices[0]);
    write_visit(world, &village->devices[0]);
    village_sync_all(village, 2);
    take_out(world, &village->desk, first);
    assert_true(world->erased[first]);
    village_sync_all(village, 2);
    restore(world, 0);
    judge(world);
    village_end(village);
    free(world);
}

static int64_t newest_receipt(struct village_member *member)
{
    return hostile_count(member, "SELECT max(number) FROM control WHERE kind = 1");
}

/* The desk's clock was years fast, and right again after a restore: it hears from the devices which numbers it gave, and what
 * it confirms now counts, since it goes on above them; no number goes back. */
static void receipts_go_on_above(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    begin(world, 9, false);
    struct village *village = &world->village;
    struct mq_fake *clock = village->desk.fake;
    village_sync_all(village, 2);
    back_up(world, 0);
    int64_t now = mq_now(village->desk.platform);
    mq_fake_set_wall(clock, now + 5 * INT64_C(31536000));
    write_visit(world, &village->devices[0]);
    village_sync_all(village, 2);
    assert_int_equal(village_safety(&village->devices[0]).saved + village_safety(&village->devices[0]).stored, 0);
    int64_t given = newest_receipt(&village->devices[0]);
    mq_fake_set_wall(clock, now + 86400);
    restore(world, 0);
    assert_true(newest_receipt(&village->desk) < given); /* it has forgotten them */
    write_visit(world, &village->devices[0]);
    judge(world);
    assert_true(newest_receipt(&village->devices[0]) > given);
    village_end(village);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_the_erased),
        cmocka_unit_test(receipts_go_on_above),
        cmocka_unit_test(every_age_heals),
        cmocka_unit_test(old_and_new_both_alive),
        cmocka_unit_test(desk_alone_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
