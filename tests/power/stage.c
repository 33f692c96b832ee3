/* The village on simulated machines. */
#include "tests/power/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/view.h"

#define PASSPHRASE "correct horse battery staple"
#define WALL_SECONDS 1700000000
#define RELAY_PATH "/relay.db"
#define SYNC_MS 20000

static const struct mq_platform *machine_of(void *context, unsigned number)
{
    struct stage *stage = context;
    assert_true(number < STAGE_MACHINES);
    return sim_machine_platform(stage->machines[number]);
}

void stage_begin(struct stage *stage)
{
    sim_world_keep_memory();
    memset(stage, 0, sizeof *stage);
    sim_world_seed(1);
    stage->choices = sim_choices_explore(1);
    for (unsigned i = 0; i < STAGE_MACHINES; i++) {
        stage->machines[i] = sim_machine_new(stage->choices, i, 100 + i);
        sim_machine_set_wall(stage->machines[i], WALL_SECONDS);
    }
    stage->ground = (struct village_ground){.context = stage, .machine = machine_of};
    village_begin_on(&stage->village, &stage->ground);
    assert_int_equal(village_sync(&stage->village, &stage->village.devices[0], NULL), MQ_OK);
    stage_close_all(stage);
}

void stage_end(struct stage *stage)
{
    stage_close_all(stage);
    for (unsigned i = 0; i < STAGE_MACHINES; i++)
        sim_machine_free(stage->machines[i]);
    sim_choices_free(stage->choices);
}

struct village_member *stage_member(struct stage *stage, enum stage_machine machine)
{
    assert_true(machine != STAGE_SERVER);
    return machine == STAGE_DESK ? &stage->village.desk : &stage->village.devices[machine - STAGE_DEVICE];
}

struct village_member *stage_device(struct stage *stage)
{
    return stage_member(stage, STAGE_DEVICE);
}

struct village_member *stage_desk(struct stage *stage)
{
    return stage_member(stage, STAGE_DESK);
}

struct sim_disk *stage_disk(struct stage *stage, enum stage_machine machine)
{
    return sim_machine_disk(stage->machines[machine]);
}

/* ---- images ---- */

void stage_keep(struct stage *stage, struct stage_image *image)
{
    stage_close_all(stage);
    for (unsigned i = 0; i < STAGE_AT_WORK; i++) {
        if (image->disks[i] == NULL)
            image->disks[i] = sim_disk_new(stage->choices);
        sim_disk_copy(image->disks[i], stage_disk(stage, i));
    }
}

void stage_image_free(struct stage_image *image)
{
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        sim_disk_free(image->disks[i]);
    *image = (struct stage_image){{NULL}};
}

void stage_bring(struct stage *stage, const struct stage_image *image, uint64_t seed)
{
    stage_close_all(stage);
    stage->forks = 0;
    sim_choices_again(stage->choices, seed);
    sim_world_seed(seed);
    for (unsigned i = 0; i < STAGE_AT_WORK; i++) {
        sim_machine_reboot(stage->machines[i]);
        sim_machine_set_chance(stage->machines[i], 500 + i);
        sim_machine_set_wall(stage->machines[i], WALL_SECONDS);
        sim_disk_copy(stage_disk(stage, i), image->disks[i]);
        sim_disk_set_survival(stage_disk(stage, i), SIM_BY_CHOICE);
        sim_disk_set_faults(stage_disk(stage, i), (struct sim_disk_faults){0});
        sim_disk_fail_nth(stage_disk(stage, i), 0, MQ_FAULT, false);
    }
}

/* ---- programs ---- */

static enum mq_status open_server(struct stage *stage, struct mq_error *error)
{
    struct village *village = &stage->village;
    enum mq_status status = mq_store_sqlite_open(&village->store, village->relay.platform, RELAY_PATH, error);
    village->relay.store = village->store;
    return status;
}

enum mq_status stage_open(struct stage *stage, enum stage_machine machine, struct mq_error *error)
{
    if (machine == STAGE_SERVER)
        return stage->village.store != NULL ? MQ_OK : open_server(stage, error);
    struct village_member *member = stage_member(stage, machine);
    return member->replica != NULL ? MQ_OK
                                   : mq_replica_open(&member->replica, member->platform, member->home,
                                                     mq_span_text(PASSPHRASE), 0, error);
}

void stage_must_open(struct stage *stage, enum stage_machine machine)
{
    struct mq_error error = {0};
    enum mq_status status = stage_open(stage, machine, &error);
    if (status != MQ_OK)
        print_message("machine %d does not start: %s\n", (int)machine, error.text);
    assert_int_equal(status, MQ_OK);
}

void stage_close(struct stage *stage, enum stage_machine machine)
{
    if (machine != STAGE_SERVER) {
        village_close(stage_member(stage, machine));
        return;
    }
    if (stage->village.store != NULL)
        stage->village.store->verbs->close(stage->village.store);
    stage->village.store = NULL;
    stage->village.relay.store = NULL;
}

void stage_close_all(struct stage *stage)
{
    for (unsigned i = 0; i < STAGE_MACHINES; i++)
        stage_close(stage, i);
}

void stage_reboot(struct stage *stage, enum stage_machine machine)
{
    sim_disk_cut(stage_disk(stage, machine));
    stage_close(stage, machine);
    sim_machine_reboot(stage->machines[machine]);
}

/* ---- syncing ---- */

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct stage *stage = context;
    struct mq_error trouble = {0};
    (void)path;
    if (stage->village.store == NULL || sim_disk_is_off(stage_disk(stage, STAGE_SERVER)))
        return mq_fail(error, MQ_UNREACHABLE, "the server is down");
    enum mq_status status = mq_relay_exchange(&stage->village.relay, body, reply, &trouble);
    if (sim_disk_is_off(stage_disk(stage, STAGE_SERVER)))
        return mq_fail(error, MQ_UNREACHABLE, "the server went down");
    answer->http_status = status == MQ_OK ? 200 : status == MQ_REFUSED ? 400 : 500;
    return MQ_OK;
}

static enum mq_status desk_between(void *context, const struct mq_team *team, struct mq_error *error)
{
    return mq_receipts_make(context, team, error);
}

enum mq_status stage_sync(struct stage *stage, enum stage_machine machine, struct mq_error *error)
{
    struct village_member *member = stage_member(stage, machine);
    const struct mq_transport transport = {.context = stage, .post = post};
    const struct mq_sync_hooks hooks = {.context = member->replica, .between = desk_between};
    struct mq_sync_result result = {0};
    int64_t deadline = member->platform->monotonic_ms(member->platform->self) + SYNC_MS;
    return mq_sync(member->replica, &member->team, &transport, machine == STAGE_DESK ? &hooks : NULL, deadline,
                   &result, error);
}

static void must_sync(struct stage *stage, enum stage_machine machine)
{
    struct mq_error error = {0};
    enum mq_status status = stage_sync(stage, machine, &error);
    if (status != MQ_OK)
        print_message("machine %d does not sync: %s\n", (int)machine, error.text);
    assert_int_equal(status, MQ_OK);
}

static enum mq_status tell(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context, (void)error;
    print_message("%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

/* For whoever looks for the cause. */
static void tell_segments(struct village_member *member, int machine)
{
    struct mq_query *query;
    struct mq_error error = {0};
    if (mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "SELECT substr(hex(stream), 1, 6) || ' ' || seq || ' id ' || substr(hex(id), 1, 6) || ' after ' ||"
                    " substr(hex(previous), 1, 6) || ' state ' || state || ' mine ' || mine || ' stored ' || stored"
                    " FROM segment ORDER BY stream, seq",
                    "") != MQ_OK)
        return;
    while (mq_db_next(&query, &error)) {
        struct mq_span text = mq_db_text(query, 0);
        print_message("machine %d has segment %.*s\n", machine, (int)text.size, (const char *)text.data);
    }
}

void stage_assert_sound(struct stage *stage, enum stage_machine machine)
{
    struct mq_error error = {0};
    if (machine == STAGE_SERVER) {
        enum mq_status status = stage->village.store->verbs->check(stage->village.store, &error);
        if (status != MQ_OK)
            print_message("%s\n", error.text);
        assert_int_equal(status, MQ_OK);
        return;
    }
    const struct mq_emitter emitter = {NULL, tell};
    struct mq_check_result result;
    enum mq_status status = mq_records_check(stage_member(stage, machine)->replica, false, &result, &emitter, &error);
    if (status != MQ_OK)
        print_message("machine %d: %s\n", (int)machine, error.text);
    assert_int_equal(status, MQ_OK);
    if (result.forks > stage->forks || result.undecodable + result.holes > 0)
        tell_segments(stage_member(stage, machine), (int)machine);
    assert_true(result.forks <= stage->forks);
    assert_int_equal(result.undecodable + result.holes, 0);
}

void stage_settle(struct stage *stage)
{
    struct mq_error error = {0};
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        stage_must_open(stage, i);
    for (int round = 0; round < 2; round++) {
        must_sync(stage, STAGE_DEVICE);
        must_sync(stage, STAGE_DESK);
    }
    must_sync(stage, STAGE_DEVICE);
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(stage_member(stage, STAGE_DEVICE)->replica, left, &error), MQ_OK);
    assert_int_equal(mq_view_hash(stage_member(stage, STAGE_DESK)->replica, right, &error), MQ_OK);
    assert_memory_equal(left, right, sizeof left);
    struct mq_safety safety = village_safety(stage_member(stage, STAGE_DEVICE));
    assert_int_equal(safety.saved + safety.stored + safety.quarantined, 0);
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        stage_assert_sound(stage, i);
}

enum mq_status stage_add(struct village_member *member, const char *json, struct mq_error *error)
{
    struct mq_json *object;
    struct mq_saved saved;
    enum mq_status status = mq_json_parse(&object, mq_span_text(json), error);
    assert_int_equal(status, MQ_OK);
    status = mq_records_add(member->replica, NULL, object, &saved, error);
    mq_json_free(object);
    return status;
}
