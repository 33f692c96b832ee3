/* Steps of the centre: the relay's store is made, backed up, restored; something is erased, a family forgotten. */
#include "tests/power/points_parts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "replica/erase.h"
#include "replica/forget.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define NEW_RELAY "/new-relay.db"
#define COPY "/copy.db"

/* ---- the server ---- */

static enum mq_status act_relay_create(struct stage *stage, struct mq_error *error)
{
    struct mq_store *store;
    enum mq_status status = mq_store_sqlite_open(&store, stage->village.relay.platform, NEW_RELAY, error);
    if (status == MQ_OK)
        store->verbs->close(store);
    return status;
}

static void judge_relay_create(struct stage *stage, bool acknowledged)
{
    uint8_t first[MQ_SERVER_ID_SIZE], second[MQ_SERVER_ID_SIZE];
    mq_error_clear(&point_problem);
    (void)acknowledged;
    for (int round = 0; round < 2; round++) {
        struct mq_store *store;
        point_must(mq_store_sqlite_open(&store, stage->village.relay.platform, NEW_RELAY, &point_problem));
        point_must(store->verbs->server_id(store, round == 0 ? first : second, &point_problem));
        point_must(store->verbs->check(store, &point_problem));
        store->verbs->close(store);
    }
    assert_memory_equal(first, second, sizeof first);
}

static enum mq_status act_relay_copy(struct stage *stage, struct mq_error *error)
{
    return stage->village.store->verbs->copy(stage->village.store, COPY, error);
}

/* Under its name the copy is whole, or it is not there. */
static void judge_relay_copy(struct stage *stage, bool acknowledged)
{
    bool directory;
    bool there = sim_name_inode(stage_disk(stage, STAGE_SERVER), COPY, &directory) != 0;
    mq_error_clear(&point_problem);
    assert_true(there || !acknowledged);
    if (there) {
        struct mq_store *store;
        struct mq_log_position position;
        point_must(mq_store_sqlite_open(&store, stage->village.relay.platform, COPY, &point_problem));
        point_must(store->verbs->check(store, &point_problem));
        point_must(store->verbs->last(store, stage_desk(stage)->team.mailbox, &position, &point_problem));
        assert_true(position.number > 0);
        store->verbs->close(store);
    } else {
        stage_must_open(stage, STAGE_SERVER);
        point_must(act_relay_copy(stage, &point_problem));
    }
    point_judge_plain(stage, acknowledged);
}

/* The server's disk is an older one, and is given a new life; the devices heal it. */
static void prepare_server_back(struct stage *stage)
{
    struct stage_image old = {{NULL}};
    point_prepare_three(stage);
    stage_keep(stage, &old);
    point_begin_all(stage);
    point_must(stage_add(stage_device(stage), NEW, &point_problem));
    stage_settle(stage);
    stage_close_all(stage);
    sim_disk_copy(stage_disk(stage, STAGE_SERVER), old.disks[STAGE_SERVER]);
    stage_image_free(&old);
}

static enum mq_status act_server_back(struct stage *stage, struct mq_error *error)
{
    enum mq_status status = stage_open(stage, STAGE_SERVER, error);
    return status == MQ_OK ? stage->village.store->verbs->renew(stage->village.store, error) : status;
}

static void judge_server_back(struct stage *stage, bool acknowledged)
{
    mq_error_clear(&point_problem);
    if (!acknowledged) /* whoever restores begins again */
        point_must(act_server_back(stage, &point_problem));
    point_judge_plain(stage, acknowledged);
    point_assert_shows(stage_desk(stage), NEW);
    stage_close_all(stage); /* the server has it, not only those who had it before */
    point_begin_all(stage);
    struct mq_log_position position;
    point_must(stage->village.store->verbs->last(stage->village.store, stage_desk(stage)->team.mailbox, &position,
                                                  &point_problem));
    assert_true(position.number >= 4);
}

/* ---- erasing ---- */

static enum mq_status say_nothing(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context, (void)object, (void)error;
    return MQ_OK;
}

static enum mq_status act_erase(struct stage *stage, struct mq_error *error)
{
    struct mq_erase_list list = {.items = NULL};
    uint8_t record[MQ_ID_SIZE];
    enum mq_status status = mq_view_find(stage_desk(stage)->replica, NULL, mq_span_text("H-1"), record, error);
    if (status == MQ_OK)
        status = mq_erase_list_field(stage_desk(stage)->replica, &list, record, MQ_ERASE_WHOLE, error);
    if (status == MQ_OK)
        status = mq_erase(stage_desk(stage)->replica, &stage_desk(stage)->team, NULL, &list, error);
    mq_erase_list_free(&list);
    return status;
}

static void judge_erase(struct stage *stage, bool acknowledged)
{
    int64_t stale;
    mq_error_clear(&point_problem);
    stage_must_open(stage, STAGE_DESK);
    point_must(mq_setting_number(stage_desk(stage)->replica, "log_stale", &stale, &point_problem));
    assert_int_equal(stale, 0); /* nothing that was erased stands in the log */
    bool gone = !point_shows(stage_desk(stage), "杨顺华");
    assert_true(gone || (!acknowledged && point_shows(stage_desk(stage), FIRST)));
    if (!gone) /* who asked for it asks again */
        point_must(act_erase(stage, &point_problem));
    point_must(stage_add(stage_desk(stage), HOUSEHOLD("H-6", "桌上", "1"), &point_problem));
    stage_settle(stage);
    stage_settle(stage);
    assert_false(point_shows(stage_desk(stage), "杨顺华"));
    assert_false(point_shows(stage_device(stage), "杨顺华"));
    point_assert_shows(stage_device(stage), SECOND);
    point_assert_shows(stage_desk(stage), THIRD);
    point_assert_shows(stage_device(stage), HOUSEHOLD("H-6", "桌上", "1"));
}

/* A family asks that all of it goes. */
static enum mq_status act_forget(struct stage *stage, struct mq_error *error)
{
    const struct mq_emitter emitter = {NULL, say_nothing};
    struct mq_forget what;
    struct mq_forgotten result;
    uint8_t record[MQ_ID_SIZE];
    enum mq_status status = mq_forget_parse(&what, mq_span_text("household"), error);
    if (status == MQ_OK)
        status = mq_view_find(stage_desk(stage)->replica, NULL, mq_span_text("H-1"), record, error);
    return status == MQ_OK
               ? mq_forget_household(stage_desk(stage)->replica, record, &what, NULL, false, &result, &emitter, error)
               : status;
}

/* Broken off, it can be asked for once more; then nothing of the family is left, no empty household either. */
static void judge_forget(struct stage *stage, bool acknowledged)
{
    mq_error_clear(&point_problem);
    stage_must_open(stage, STAGE_DESK);
    if (!acknowledged) {
        struct mq_error error = {0};
        enum mq_status status = act_forget(stage, &error);
        assert_true(status == MQ_OK || status == MQ_NOT_FOUND);
    }
    stage_settle(stage);
    stage_settle(stage);
    for (int i = 0; i < 2; i++) {
        assert_false(point_shows(i == 0 ? stage_desk(stage) : stage_device(stage), "杨顺华"));
        assert_false(point_shows(i == 0 ? stage_desk(stage) : stage_device(stage), "\"H-1\""));
        point_assert_shows(i == 0 ? stage_desk(stage) : stage_device(stage), SECOND);
    }
}

static const struct point_step steps[] = {
    {"first creation of a relay", STAGE_SERVER, true, NULL, NULL, act_relay_create, judge_relay_create},
    {"backup of the relay's store", STAGE_SERVER, false, point_prepare_sent, point_begin_server, act_relay_copy,
     judge_relay_copy},
    {"restore of the relay's store", STAGE_SERVER, false, prepare_server_back, NULL, act_server_back,
     judge_server_back},
    {"erase", STAGE_DESK, false, point_prepare_sent, point_begin_all, act_erase, judge_erase},
    {"forget a family", STAGE_DESK, false, point_prepare_sent, point_begin_all, act_forget, judge_forget},
};
const struct point_steps point_centre = {steps, sizeof steps / sizeof *steps};
