/* Steps of writing and sending: saving, changing, importing, sealing, syncing, bundles. */
#include "tests/power/points_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/bundle.h"
#include "replica/outgoing.h"

#define BUNDLE "/stick.mq"

/* ---- saving ---- */

static enum mq_status act_save(struct stage *stage, struct mq_error *error)
{
    return stage_add(stage_device(stage), NEW, error);
}

/* A record whose id is there is there to the letter, and its number of lines is one. */
static void judge_save(struct stage *stage, bool acknowledged)
{
    stage_must_open(stage, STAGE_DEVICE);
    char *text = village_export(stage_device(stage));
    bool any = strstr(text, "H-9") != NULL, whole = strstr(text, NEW) != NULL;
    free(text);
    assert_true(whole || (!acknowledged && !any));
    point_judge_plain(stage, acknowledged);
    assert_int_equal(point_shows(stage_desk(stage), NEW), whole);
}

static enum mq_status act_change(struct stage *stage, struct mq_error *error)
{
    const char *assignments[] = {"people=6"};
    struct mq_saved saved;
    return mq_records_set(stage_device(stage)->replica, mq_span_text("H-1"), assignments, 1, mq_span_text(""), &saved,
                          error);
}

static void judge_change(struct stage *stage, bool acknowledged)
{
    stage_must_open(stage, STAGE_DEVICE);
    bool changed = point_shows(stage_device(stage), FIRST_CHANGED);
    assert_true(changed || (!acknowledged && point_shows(stage_device(stage), FIRST)));
    point_judge_three(stage);
    point_assert_shows(stage_desk(stage), changed ? FIRST_CHANGED : FIRST);
}

static const char *const import_texts[] = {HOUSEHOLD("I-1", "甲", "1"), HOUSEHOLD("I-2", "乙", "2"),
                                           HOUSEHOLD("I-3", "丙", "3"), HOUSEHOLD("I-4", "丁", "4")};
#define IMPORTED (sizeof import_texts / sizeof *import_texts)

static enum mq_status import_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    struct mq_saved saved;
    for (size_t i = 0; i < IMPORTED && status == MQ_OK; i++)
        status = mq_records_import_line(replica, context, mq_span_text(import_texts[i]), false, &saved, error);
    return status;
}

static enum mq_status act_import(struct stage *stage, struct mq_error *error)
{
    return mq_replica_transact(stage_device(stage)->replica, import_all, &stage_device(stage)->team, error);
}

static void judge_import(struct stage *stage, bool acknowledged)
{
    size_t there = 0;
    stage_must_open(stage, STAGE_DEVICE);
    for (size_t i = 0; i < IMPORTED; i++)
        there += point_shows(stage_device(stage), import_texts[i]);
    assert_true(there == IMPORTED || (!acknowledged && there == 0));
    point_judge_plain(stage, acknowledged);
}

/* ---- sealing and sending ---- */

static enum mq_status act_seal(struct stage *stage, struct mq_error *error)
{
    return mq_seal_all(stage_device(stage)->replica, error);
}
static enum mq_status act_sync_device(struct stage *stage, struct mq_error *error)
{
    return stage_sync(stage, STAGE_DEVICE, error);
}

static enum mq_status act_sync_desk(struct stage *stage, struct mq_error *error)
{
    return stage_sync(stage, STAGE_DESK, error);
}

/* What the server told the device that it has is there. */
static void judge_server(struct stage *stage, bool acknowledged)
{
    static uint8_t memory[MQ_SEGMENT_MAX];
    struct mq_query *query;
    stage_must_open(stage, STAGE_SERVER);
    stage_must_open(stage, STAGE_DEVICE);
    struct mq_store *store = stage->village.store;
    point_must(mq_db_query(mq_replica_db(stage_device(stage)->replica), &query, &point_problem,
                           "SELECT id FROM segment WHERE mine = 1 AND stored = 1", ""));
    while (mq_db_next(&query, &point_problem)) {
        struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
        point_must(store->verbs->segment(store, mq_db_blob(query, 0).data, &bytes, &point_problem));
    }
    point_judge_plain(stage, acknowledged);
}

/* ---- bundles ---- */

static enum mq_status act_bundle_write(struct stage *stage, struct mq_error *error)
{
    int64_t segments;
    return mq_bundle_write(stage_device(stage)->replica, BUNDLE, &segments, error);
}

/* From one machine to the other, by hand. MQ_NOT_FOUND: there is none. */
static enum mq_status carry(struct stage *stage)
{
    static uint8_t memory[1 << 20];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    const struct mq_platform *from = stage_device(stage)->platform, *to = stage_desk(stage)->platform;
    struct mq_error error = {0};
    enum mq_status status = from->read(from->self, BUNDLE, &content, &error);
    return status == MQ_OK ? to->write(to->self, BUNDLE, mq_written(&content), &error) : status;
}

static void judge_bundle_write(struct stage *stage, bool acknowledged)
{
    struct mq_admitted admitted;
    mq_error_clear(&point_problem);
    enum mq_status status = carry(stage);
    assert_true(status == MQ_OK || (!acknowledged && status == MQ_NOT_FOUND));
    stage_must_open(stage, STAGE_DESK);
    if (status == MQ_OK) {
        point_must(mq_bundle_read(stage_desk(stage)->replica, BUNDLE, &admitted, &point_problem));
        point_assert_shows(stage_desk(stage), THIRD);
    }
    point_judge_plain(stage, acknowledged);
}

static void prepare_bundle(struct stage *stage)
{
    point_prepare_three(stage);
    point_must(act_bundle_write(stage, &point_problem));
    point_must(carry(stage));
}

static enum mq_status act_bundle_read(struct stage *stage, struct mq_error *error)
{
    struct mq_admitted admitted;
    return mq_bundle_read(stage_desk(stage)->replica, BUNDLE, &admitted, error);
}

static void judge_bundle_read(struct stage *stage, bool acknowledged)
{
    stage_must_open(stage, STAGE_DESK);
    stage_assert_sound(stage, STAGE_DESK);
    assert_true(!acknowledged || point_shows(stage_desk(stage), THIRD));
    point_judge_plain(stage, acknowledged);
}

static const struct point_step steps[] = {
    {"save", STAGE_DEVICE, true, point_prepare_three, point_begin_device, act_save, judge_save},
    {"change", STAGE_DEVICE, false, point_prepare_three, point_begin_device, act_change, judge_change},
    {"import", STAGE_DEVICE, false, point_prepare_three, point_begin_device, act_import, judge_import},
    {"seal", STAGE_DEVICE, false, point_prepare_three, point_begin_device, act_seal, point_judge_plain},
    {"sync, the device's disk", STAGE_DEVICE, false, point_prepare_three, point_begin_all, act_sync_device,
     point_judge_plain},
    {"sync, the server's disk", STAGE_SERVER, false, point_prepare_three, point_begin_all, act_sync_device,
     judge_server},
    {"sync of the desk", STAGE_DESK, false, point_prepare_sent, point_begin_all, act_sync_desk, point_judge_plain},
    {"sync of the desk, the server's disk", STAGE_SERVER, false, point_prepare_sent, point_begin_all, act_sync_desk,
     judge_server},
    {"bundle out", STAGE_DEVICE, false, point_prepare_three, point_begin_device, act_bundle_write, judge_bundle_write},
    {"bundle in", STAGE_DESK, false, prepare_bundle, point_begin_desk, act_bundle_read, judge_bundle_read},
};
const struct point_steps point_writing = {steps, sizeof steps / sizeof *steps};
const struct point_step *const point_saving = steps;
