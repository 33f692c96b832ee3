/* Steps of homes: first creation, migration, a new passphrase, an older home brought back. */
#include "tests/power/points_parts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "platform/db_key.h"
#include "replica/replica_keys.h"
#include "replica/vault.h"

#define NEW_PASSPHRASE "another horse entirely"
#define PASSPHRASE "correct horse battery staple"
#define NEW_HOME "/new"
#define OLD_HOME "/old"
#define OLD_STEPS 5 /* a store that so many steps of the schema have made */

static enum mq_status open_home(struct stage *stage, struct mq_replica **replica, const char *home,
                                const char *passphrase, struct mq_error *error)
{
    return mq_replica_open(replica, stage_device(stage)->platform, home, mq_span_text(passphrase), 0, error);
}

static enum mq_status act_create(struct stage *stage, struct mq_error *error)
{
    struct mq_replica *replica;
    enum mq_status status =
        mq_replica_create(&replica, stage_device(stage)->platform, NEW_HOME, mq_span_text(PASSPHRASE), 8, error);
    mq_replica_close(replica);
    return status;
}

/* A home that was begun and not finished is made anew; one that is finished opens and keeps what is written. */
static void judge_create(struct stage *stage, bool acknowledged)
{
    struct mq_replica *replica;
    struct mq_error error = {0};
    mq_error_clear(&point_problem);
    enum mq_status status = open_home(stage, &replica, NEW_HOME, PASSPHRASE, &error);
    assert_true(status == MQ_OK || (!acknowledged && status == MQ_NOT_FOUND));
    mq_replica_close(replica);
    if (status != MQ_OK)
        point_must(act_create(stage, &point_problem));
    point_must(open_home(stage, &replica, NEW_HOME, PASSPHRASE, &point_problem));
    point_must(mq_setting_put(replica, "mark", mq_span_text("here"), &point_problem));
    mq_replica_close(replica);
    point_must(open_home(stage, &replica, NEW_HOME, PASSPHRASE, &point_problem));
    uint8_t memory[16];
    struct mq_buffer mark = mq_buffer(memory, sizeof memory);
    point_must(mq_setting_get(replica, "mark", &mark, &point_problem));
    point_must(mq_db_check(mq_replica_db(replica), &point_problem));
    mq_replica_close(replica);
}

/* A store as an older program has made it: fewer steps of the schema, its keys, a vault. */
static void prepare_old(struct stage *stage)
{
    struct mq_db *db;
    struct mq_secret store_key = {.bytes = {5}};
    const uint8_t seed[MQ_KEY_SIZE] = {6};
    const struct mq_platform *platform = stage_device(stage)->platform;
    mq_error_clear(&point_problem);
    point_must(platform->make_directory(platform->self, OLD_HOME, &point_problem));
    point_must(mq_db_open_encrypted(&db, platform, OLD_HOME "/store.db", &store_key, &point_problem));
    point_must(mq_db_migrate(db, mq_schema_steps, OLD_STEPS, &point_problem));
    point_must(mq_db_run(db, &point_problem,
                         "INSERT INTO setting VALUES('sign_seed', ?1), ('box_seed', ?1), ('mark', 'here')", "b",
                         MQ_SPAN(seed)));
    mq_db_close(db);
    point_must(mq_vault_create(platform, OLD_HOME, mq_span_text(PASSPHRASE), (struct mq_kdf_cost){8, 1}, &store_key,
                               &point_problem));
}

static enum mq_status act_migrate(struct stage *stage, struct mq_error *error)
{
    struct mq_replica *replica;
    enum mq_status status = open_home(stage, &replica, OLD_HOME, PASSPHRASE, error);
    mq_replica_close(replica);
    return status;
}

static void judge_migrate(struct stage *stage, bool acknowledged)
{
    struct mq_replica *replica;
    int64_t version;
    uint8_t memory[16];
    struct mq_buffer mark = mq_buffer(memory, sizeof memory);
    (void)acknowledged;
    mq_error_clear(&point_problem);
    point_must(open_home(stage, &replica, OLD_HOME, PASSPHRASE, &point_problem));
    point_must(mq_db_number(mq_replica_db(replica), &version, &point_problem, "PRAGMA user_version", ""));
    assert_int_equal(version, mq_schema_count);
    point_must(mq_setting_get(replica, "mark", &mark, &point_problem));
    point_must(mq_db_check(mq_replica_db(replica), &point_problem));
    mq_replica_close(replica);
}

static enum mq_status act_passphrase(struct stage *stage, struct mq_error *error)
{
    return mq_replica_passphrase(stage_device(stage)->replica, mq_span_text(NEW_PASSPHRASE), 8, error);
}

/* One of the two opens it, the new one where that was promised. */
static void judge_passphrase(struct stage *stage, bool acknowledged)
{
    struct mq_replica *replica;
    struct mq_error error = {0};
    mq_error_clear(&point_problem);
    enum mq_status status = open_home(stage, &replica, stage_device(stage)->home, NEW_PASSPHRASE, &error);
    assert_true(status == MQ_OK || (!acknowledged && status == MQ_WRONG_KEY));
    if (status == MQ_OK) /* back, for the others */
        point_must(mq_replica_passphrase(replica, mq_span_text(PASSPHRASE), 8, &point_problem));
    mq_replica_close(replica);
    point_judge_plain(stage, acknowledged);
}

/* The device's whole home is an older one: what it sent since then it does not know. */
static void prepare_set_back(struct stage *stage)
{
    struct stage_image old = {{NULL}};
    point_prepare_three(stage);
    stage_keep(stage, &old);
    point_begin_all(stage);
    point_must(stage_sync(stage, STAGE_DEVICE, &point_problem));
    point_must(stage_add(stage_device(stage), NEW, &point_problem));
    stage_settle(stage);
    stage_close_all(stage);
    sim_disk_copy(stage_disk(stage, STAGE_DEVICE), old.disks[STAGE_DEVICE]);
    stage_image_free(&old);
}

static enum mq_status act_set_back(struct stage *stage, struct mq_error *error)
{
    enum mq_status status = stage_open(stage, STAGE_DEVICE, error);
    if (status == MQ_OK)
        status = stage_add(stage_device(stage), HOUSEHOLD("H-7", "后来", "1"), error);
    return status == MQ_OK ? stage_sync(stage, STAGE_DEVICE, error) : status;
}

static void judge_set_back(struct stage *stage, bool acknowledged)
{
    stage->forks = 2; /* what it seals before the server has told it, and once more where the power went before that was kept */
    point_judge_plain(stage, acknowledged);
    point_assert_shows(stage_device(stage), NEW);
    point_assert_shows(stage_desk(stage), NEW);
    assert_true(!acknowledged || point_shows(stage_desk(stage), HOUSEHOLD("H-7", "后来", "1")));
}

static const struct point_step steps[] = {
    {"first creation of a home", STAGE_DEVICE, true, NULL, NULL, act_create, judge_create},
    {"migrate", STAGE_DEVICE, false, prepare_old, NULL, act_migrate, judge_migrate},
    {"new passphrase", STAGE_DEVICE, false, point_prepare_three, point_begin_device, act_passphrase, judge_passphrase},
    {"an older home brought back", STAGE_DEVICE, false, prepare_set_back, point_begin_server, act_set_back,
     judge_set_back},
};
const struct point_steps point_homes = {steps, sizeof steps / sizeof *steps};
