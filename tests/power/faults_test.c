/* Aim: whichever reading, writing or syncing fails, once or from then on, with EIO or for want of room, nothing that was
 * acknowledged is lost, what was called failed is there whole or not at all, and with the disk well again all goes on; after a
 * failed sync nothing more is written in that run. Saving here; POINTS=all: every step; the name of a step means that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/replica_keys.h"
#include "tests/power/points_parts.h"

static const struct trouble {
    enum mq_status status;
    bool for_good, power; /* and then the power goes: what the failed sync left behind is gone */
} troubles[] = {{MQ_FAULT, false, false}, {MQ_FAULT, false, true},     {MQ_FAULT, true, true},
                {MQ_NO_SPACE, false, false}, {MQ_NO_SPACE, true, true}};
#define TROUBLES (sizeof troubles / sizeof *troubles)

/* False: the step is done before its n-th operation. */
static bool fail_one(struct point *point, int64_t nth, const struct trouble *trouble)
{
    const struct point_step *step = point->step;
    struct mq_error error = {0};
    struct sim_disk *disk = stage_disk(point->stage, step->machine);
    point_begin(point, (uint64_t)nth);
    int64_t before = sim_disk_faults_made(disk);
    sim_disk_fail_nth(disk, nth, trouble->status, trouble->for_good);
    enum mq_status status = step->act(point->stage, &error);
    bool met = sim_disk_faults_made(disk) > before;
    assert_true(met || status == MQ_OK);
    assert_true(status == MQ_OK || error.text[0] != '\0');
    if (trouble->power)
        sim_disk_cut(disk);
    stage_close_all(point->stage);
    sim_disk_fail_nth(disk, 0, MQ_FAULT, false);
    sim_disk_set_survival(disk, SIM_NOTHING);
    if (trouble->power)
        stage_reboot(point->stage, step->machine);
    if (getenv("MQ_TRACE") != NULL)
        print_message("%s: operation %lld fails with %d%s%s: %s\n", step->name, (long long)nth, (int)trouble->status,
                      trouble->for_good ? " for good" : "", trouble->power ? ", then the power goes" : "", error.text);
    step->judge(point->stage, status == MQ_OK);
    return met;
}

static void fail_everywhere(struct point *point)
{
    int64_t tested = 0;
    for (size_t i = 0; i < TROUBLES; i++)
        for (int64_t nth = 1; fail_one(point, nth, &troubles[i]); nth++)
            tested++;
    print_message("%s: failures=%lld\n", point->step->name, (long long)tested);
    assert_true(tested > 10);
}

static void every_failure(void **state)
{
    (void)state;
    point_each(fail_everywhere);
}

/* After a sync that failed nothing is written any more in this run, whatever is asked; what was read stays readable. */
static void read_only_after_failed_sync(void **state)
{
    struct point point;
    (void)state;
    point_make(&point, point_saving);
    point_begin(&point, 1);
    struct stage *stage = point.stage;
    struct sim_disk *disk = stage_disk(stage, STAGE_DEVICE);
    sim_disk_set_faults(disk, (struct sim_disk_faults){.sync_error = 2});
    enum mq_status status = MQ_OK;
    struct mq_error error = {0};
    for (int i = 0; i < 40 && status == MQ_OK; i++) {
        char line[160];
        snprintf(line, sizeof line,
                 "{\"kind\":\"household\",\"id\":\"S-%d\",\"place\":\"990527103204\",\"head\":\"甲\",\"people\":1}", i);
        status = stage_add(stage_device(stage), line, &error);
    }
    assert_int_equal(status, MQ_FAULT);
    sim_disk_set_faults(disk, (struct sim_disk_faults){0});
    int64_t operations = sim_disk_operations(disk);
    for (int i = 0; i < 3; i++) {
        mq_error_clear(&error);
        assert_int_equal(point.step->act(stage, &error), MQ_FAULT);
    }
    char *text = village_export(stage_device(stage));
    assert_non_null(strstr(text, "杨顺华"));
    free(text);
    stage_close(stage, STAGE_DEVICE);
    assert_int_equal(sim_disk_operations(disk), operations);
    stage_reboot(stage, STAGE_DEVICE);
    point.step->judge(stage, false);
    point_free(&point);
}

/* A saving that is committed is called saved, though the log, which still held something erased, could not be emptied behind
 * it; that is made good at the next opening. */
static void saved_though_log_is_full(void **state)
{
    struct point point;
    (void)state;
    point_make(&point, point_saving);
    struct stage *stage = point.stage;
    struct sim_disk *disk = stage_disk(stage, STAGE_DEVICE);
    bool met = true;
    int behind = 0; /* failures after the commit */
    for (int64_t nth = 1; met; nth++) {
        struct mq_error error = {0};
        int64_t stale;
        point_begin(&point, (uint64_t)nth);
        struct mq_replica *replica = stage_device(stage)->replica;
        assert_int_equal(mq_setting_put_number(replica, "log_stale", 1, &error), MQ_OK);
        replica->log_stale = true;
        int64_t before = sim_disk_faults_made(disk);
        sim_disk_fail_nth(disk, nth, MQ_FAULT, true);
        enum mq_status status = point.step->act(stage, &error);
        met = sim_disk_faults_made(disk) > before;
        stage_close_all(stage);
        sim_disk_fail_nth(disk, 0, MQ_FAULT, false);
        stage_must_open(stage, STAGE_DEVICE);
        char *text = village_export(stage_device(stage));
        bool there = strstr(text, "吴国平") != NULL;
        free(text);
        assert_true(there || status != MQ_OK);
        behind += met && status == MQ_OK;
        replica = stage_device(stage)->replica;
        assert_int_equal(mq_setting_number(replica, "log_stale", &stale, &error), MQ_OK);
        assert_int_equal(stale, 0);
    }
    assert_true(behind > 0);
    point_free(&point);
}

/* ---- pages that leave memory early ---- */

#define LINES 12
#define NARROW "PRAGMA cache_size=5" /* pages: then any query may write, within a transaction, to make room for what it reads */

static void prepare_many(struct stage *stage)
{
    struct mq_error error = {0};
    point_begin_server(stage);
    stage_must_open(stage, STAGE_DESK);
    for (int i = 0; i < LINES; i++) {
        char line[160];
        snprintf(line, sizeof line,
                 "{\"kind\":\"household\",\"id\":\"M-%d\",\"place\":\"990527103204\",\"head\":\"甲\",\"people\":1}", i);
        point_must(stage_add(stage_desk(stage), line, &error));
    }
    point_must(stage_sync(stage, STAGE_DESK, &error));
}

static void begin_narrow(struct stage *stage)
{
    struct mq_error error = {0};
    point_begin_server(stage);
    stage_must_open(stage, STAGE_DEVICE);
    point_must(mq_db_script(mq_replica_db(stage_device(stage)->replica), NARROW, &error));
}

static enum mq_status act_receive(struct stage *stage, struct mq_error *error)
{
    return stage_sync(stage, STAGE_DEVICE, error);
}

static void judge_received(struct stage *stage, bool acknowledged)
{
    (void)acknowledged;
    stage_must_open(stage, STAGE_DEVICE);
    stage_assert_sound(stage, STAGE_DEVICE);
    stage_settle(stage);
}

/* Where a full disk is met by a query in the midst of what a sync brings, that says so, nothing of it stays, and all of it comes once
 * there is room. */
static void full_while_pages_leave(void **state)
{
    static const struct point_step receive = {.name = "receive",
                                              .machine = STAGE_DEVICE,
                                              .prepare = prepare_many,
                                              .begin = begin_narrow,
                                              .act = act_receive,
                                              .judge = judge_received};
    static const struct trouble full = {MQ_NO_SPACE, false, false};
    struct point point;
    int64_t tested = 0;
    (void)state;
    point_make(&point, &receive);
    for (int64_t nth = 1; fail_one(&point, nth, &full); nth++)
        tested++;
    print_message("%s: failures=%lld\n", receive.name, (long long)tested);
    assert_true(tested > 10);
    point_free(&point);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure),
        cmocka_unit_test(read_only_after_failed_sync),
        cmocka_unit_test(saved_though_log_is_full),
        cmocka_unit_test(full_while_pages_leave),
    };
    return cmocka_run_group_tests(tests, point_stage_begin, point_stage_end);
}
