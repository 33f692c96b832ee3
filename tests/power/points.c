/* The steps whose every moment is tried. */
#include "tests/power/points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db_key.h"
#include "replica/bundle.h"
#include "replica/erase.h"
#include "replica/forget.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"
#include "replica/vault.h"
#include "replica/view.h"

#define HOUSEHOLD(id, head, people) \
    "{\"kind\":\"household\",\"id\":\"" id "\",\"place\":\"990527103204\",\"head\":\"" head "\",\"people\":" people "}"
#define FIRST HOUSEHOLD("H-1", "杨顺华", "3")
#define SECOND HOUSEHOLD("H-2", "余世海", "4")
#define THIRD HOUSEHOLD("H-3", "冉大珍", "5")
#define NEW HOUSEHOLD("H-9", "吴国平", "2")
#define FIRST_CHANGED HOUSEHOLD("H-1", "杨顺华", "6")
#define NEW_PASSPHRASE "another horse entirely"
#define PASSPHRASE "correct horse battery staple"
#define NEW_HOME "/new"
#define OLD_HOME "/old"
#define NEW_RELAY "/new-relay.db"
#define COPY "/copy.db"
#define BUNDLE "/stick.mq"
#define OLD_STEPS 5 /* a store that so many steps of the schema have made */

static struct mq_error problem;

static void must(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

static struct village_member *device(struct stage *stage)
{
    return stage_member(stage, STAGE_DEVICE);
}

static struct village_member *desk(struct stage *stage)
{
    return stage_member(stage, STAGE_DESK);
}

static bool shows(struct village_member *member, const char *line)
{
    char *text = village_export(member);
    bool there = strstr(text, line) != NULL;
    free(text);
    return there;
}

static void assert_shows(struct village_member *member, const char *line)
{
    if (!shows(member, line))
        print_message("missing: %s\n", line);
    assert_true(shows(member, line));
}

/* ---- beginnings ---- */

/* Two have come to everybody, the third only waits on the device. */
static void prepare_three(struct stage *stage)
{
    mq_error_clear(&problem);
    stage_settle(stage);
    must(stage_add(device(stage), FIRST, &problem));
    must(stage_add(device(stage), SECOND, &problem));
    stage_settle(stage);
    must(stage_add(device(stage), THIRD, &problem));
}

static void begin_device(struct stage *stage)
{
    stage_must_open(stage, STAGE_DEVICE);
}

static void begin_all(struct stage *stage)
{
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        stage_must_open(stage, i);
}

/* What was there before is there, on the device now and at the desk in the end; the store takes a new record. */
static void judge_three(struct stage *stage)
{
    mq_error_clear(&problem);
    stage_must_open(stage, STAGE_DEVICE);
    stage_assert_sound(stage, STAGE_DEVICE);
    assert_shows(device(stage), SECOND);
    assert_shows(device(stage), THIRD);
    assert_true(shows(device(stage), FIRST) || shows(device(stage), FIRST_CHANGED));
    must(stage_add(device(stage), HOUSEHOLD("H-8", "布买日穆", "1"), &problem));
    stage_settle(stage);
    assert_shows(desk(stage), SECOND);
    assert_shows(desk(stage), THIRD);
    assert_shows(desk(stage), HOUSEHOLD("H-8", "布买日穆", "1"));
}

static void judge_plain(struct stage *stage, bool acknowledged)
{
    (void)acknowledged;
    judge_three(stage);
    assert_shows(desk(stage), FIRST);
}

/* ---- saving ---- */

static enum mq_status act_save(struct stage *stage, struct mq_error *error)
{
    return stage_add(device(stage), NEW, error);
}

/* A record whose id is there is there to the letter, and its number of lines is one. */
static void judge_save(struct stage *stage, bool acknowledged)
{
    stage_must_open(stage, STAGE_DEVICE);
    char *text = village_export(device(stage));
    bool any = strstr(text, "H-9") != NULL, whole = strstr(text, NEW) != NULL;
    free(text);
    assert_true(whole || (!acknowledged && !any));
    judge_plain(stage, acknowledged);
    assert_int_equal(shows(desk(stage), NEW), whole);
}

static enum mq_status act_change(struct stage *stage, struct mq_error *error)
{
    const char *assignments[] = {"people=6"};
    struct mq_saved saved;
    return mq_records_set(device(stage)->replica, mq_span_text("H-1"), assignments, 1, mq_span_text(""), &saved, error);
}

static void judge_change(struct stage *stage, bool acknowledged)
{
    stage_must_open(stage, STAGE_DEVICE);
    bool changed = shows(device(stage), FIRST_CHANGED);
    assert_true(changed || (!acknowledged && shows(device(stage), FIRST)));
    judge_three(stage);
    assert_shows(desk(stage), changed ? FIRST_CHANGED : FIRST);
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
    return mq_replica_transact(device(stage)->replica, import_all, &device(stage)->team, error);
}

static void judge_import(struct stage *stage, bool acknowledged)
{
    size_t there = 0;
    stage_must_open(stage, STAGE_DEVICE);
    for (size_t i = 0; i < IMPORTED; i++)
        there += shows(device(stage), import_texts[i]);
    assert_true(there == IMPORTED || (!acknowledged && there == 0));
    judge_plain(stage, acknowledged);
}

/* ---- sealing and sending ---- */

static enum mq_status act_seal(struct stage *stage, struct mq_error *error)
{
    return mq_seal_all(device(stage)->replica, error);
}
static enum mq_status act_sync_device(struct stage *stage, struct mq_error *error)
{
    return stage_sync(stage, STAGE_DEVICE, error);
}

/* The device has sent; the desk opens, merges, writes receipts and sends them. */
static void prepare_sent(struct stage *stage)
{
    prepare_three(stage);
    must(stage_sync(stage, STAGE_DEVICE, &problem));
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
    must(mq_db_query(mq_replica_db(device(stage)->replica), &query, &problem,
                     "SELECT id FROM segment WHERE mine = 1 AND stored = 1", ""));
    while (mq_db_next(&query, &problem)) {
        struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
        must(store->verbs->segment(store, mq_db_blob(query, 0).data, &bytes, &problem));
    }
    judge_plain(stage, acknowledged);
}

/* ---- bundles ---- */

static enum mq_status act_bundle_write(struct stage *stage, struct mq_error *error)
{
    int64_t segments;
    return mq_bundle_write(device(stage)->replica, BUNDLE, &segments, error);
}

/* From one machine to the other, by hand. MQ_NOT_FOUND: there is none. */
static enum mq_status carry(struct stage *stage)
{
    static uint8_t memory[1 << 20];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    const struct mq_platform *from = device(stage)->platform, *to = desk(stage)->platform;
    struct mq_error error = {0};
    enum mq_status status = from->read(from->self, BUNDLE, &content, &error);
    return status == MQ_OK ? to->write(to->self, BUNDLE, mq_written(&content), &error) : status;
}

static void judge_bundle_write(struct stage *stage, bool acknowledged)
{
    struct mq_admitted admitted;
    mq_error_clear(&problem);
    enum mq_status status = carry(stage);
    assert_true(status == MQ_OK || (!acknowledged && status == MQ_NOT_FOUND));
    stage_must_open(stage, STAGE_DESK);
    if (status == MQ_OK) {
        must(mq_bundle_read(desk(stage)->replica, BUNDLE, &admitted, &problem));
        assert_shows(desk(stage), THIRD);
    }
    judge_plain(stage, acknowledged);
}

static void prepare_bundle(struct stage *stage)
{
    prepare_three(stage);
    must(act_bundle_write(stage, &problem));
    must(carry(stage));
}

static void begin_desk(struct stage *stage)
{
    stage_must_open(stage, STAGE_DESK);
}

static enum mq_status act_bundle_read(struct stage *stage, struct mq_error *error)
{
    struct mq_admitted admitted;
    return mq_bundle_read(desk(stage)->replica, BUNDLE, &admitted, error);
}

static void judge_bundle_read(struct stage *stage, bool acknowledged)
{
    stage_must_open(stage, STAGE_DESK);
    stage_assert_sound(stage, STAGE_DESK);
    assert_true(!acknowledged || shows(desk(stage), THIRD));
    judge_plain(stage, acknowledged);
}

/* ---- homes ---- */

static enum mq_status open_home(struct stage *stage, struct mq_replica **replica, const char *home,
                                const char *passphrase, struct mq_error *error)
{
    return mq_replica_open(replica, device(stage)->platform, home, mq_span_text(passphrase), 0, error);
}

static enum mq_status act_create(struct stage *stage, struct mq_error *error)
{
    struct mq_replica *replica;
    enum mq_status status =
        mq_replica_create(&replica, device(stage)->platform, NEW_HOME, mq_span_text(PASSPHRASE), 8, error);
    mq_replica_close(replica);
    return status;
}

/* A home that was begun and not finished is made anew; one that is finished opens and keeps what is written. */
static void judge_create(struct stage *stage, bool acknowledged)
{
    struct mq_replica *replica;
    struct mq_error error = {0};
    mq_error_clear(&problem);
    enum mq_status status = open_home(stage, &replica, NEW_HOME, PASSPHRASE, &error);
    assert_true(status == MQ_OK || (!acknowledged && status == MQ_NOT_FOUND));
    mq_replica_close(replica);
    if (status != MQ_OK)
        must(act_create(stage, &problem));
    must(open_home(stage, &replica, NEW_HOME, PASSPHRASE, &problem));
    must(mq_setting_put(replica, "mark", mq_span_text("here"), &problem));
    mq_replica_close(replica);
    must(open_home(stage, &replica, NEW_HOME, PASSPHRASE, &problem));
    uint8_t memory[16];
    struct mq_buffer mark = mq_buffer(memory, sizeof memory);
    must(mq_setting_get(replica, "mark", &mark, &problem));
    must(mq_db_check(mq_replica_db(replica), &problem));
    mq_replica_close(replica);
}

/* A store as an older program has made it: fewer steps of the schema, its keys, a vault. */
static void prepare_old(struct stage *stage)
{
    struct mq_db *db;
    struct mq_secret store_key = {.bytes = {5}};
    const uint8_t seed[MQ_KEY_SIZE] = {6};
    const struct mq_platform *platform = device(stage)->platform;
    mq_error_clear(&problem);
    must(platform->make_directory(platform->self, OLD_HOME, &problem));
    must(mq_db_open_encrypted(&db, platform, OLD_HOME "/store.db", &store_key, &problem));
    must(mq_db_migrate(db, mq_schema_steps, OLD_STEPS, &problem));
    must(mq_db_run(db, &problem, "INSERT INTO setting VALUES('sign_seed', ?1), ('box_seed', ?1), ('mark', 'here')", "b",
                   MQ_SPAN(seed)));
    mq_db_close(db);
    must(mq_vault_create(platform, OLD_HOME, mq_span_text(PASSPHRASE), (struct mq_kdf_cost){8, 1}, &store_key, &problem));
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
    mq_error_clear(&problem);
    must(open_home(stage, &replica, OLD_HOME, PASSPHRASE, &problem));
    must(mq_db_number(mq_replica_db(replica), &version, &problem, "PRAGMA user_version", ""));
    assert_int_equal(version, mq_schema_count);
    must(mq_setting_get(replica, "mark", &mark, &problem));
    must(mq_db_check(mq_replica_db(replica), &problem));
    mq_replica_close(replica);
}

static enum mq_status act_passphrase(struct stage *stage, struct mq_error *error)
{
    return mq_replica_passphrase(device(stage)->replica, mq_span_text(NEW_PASSPHRASE), 8, error);
}

/* One of the two opens it, the new one where that was promised. */
static void judge_passphrase(struct stage *stage, bool acknowledged)
{
    struct mq_replica *replica;
    struct mq_error error = {0};
    mq_error_clear(&problem);
    enum mq_status status = open_home(stage, &replica, device(stage)->home, NEW_PASSPHRASE, &error);
    assert_true(status == MQ_OK || (!acknowledged && status == MQ_WRONG_KEY));
    if (status == MQ_OK)
        must(mq_replica_passphrase(replica, mq_span_text(PASSPHRASE), 8, &problem)); /* back, for the others */
    mq_replica_close(replica);
    judge_plain(stage, acknowledged);
}

/* The device's whole home is an older one: what it sent since then it does not know. */
static void prepare_set_back(struct stage *stage)
{
    struct stage_image old = {{NULL}};
    prepare_three(stage);
    stage_keep(stage, &old);
    begin_all(stage);
    must(stage_sync(stage, STAGE_DEVICE, &problem));
    must(stage_add(device(stage), NEW, &problem));
    stage_settle(stage);
    stage_close_all(stage);
    sim_disk_copy(stage_disk(stage, STAGE_DEVICE), old.disks[STAGE_DEVICE]);
    stage_image_free(&old);
}

static enum mq_status act_set_back(struct stage *stage, struct mq_error *error)
{
    enum mq_status status = stage_open(stage, STAGE_DEVICE, error);
    if (status == MQ_OK)
        status = stage_add(device(stage), HOUSEHOLD("H-7", "后来", "1"), error);
    return status == MQ_OK ? stage_sync(stage, STAGE_DEVICE, error) : status;
}

static void begin_server(struct stage *stage)
{
    stage_must_open(stage, STAGE_SERVER);
}

static void judge_set_back(struct stage *stage, bool acknowledged)
{
    stage->forks = 2; /* what it seals before the server has told it, and once more where the power went before that was kept */
    judge_plain(stage, acknowledged);
    assert_shows(device(stage), NEW);
    assert_shows(desk(stage), NEW);
    assert_true(!acknowledged || shows(desk(stage), HOUSEHOLD("H-7", "后来", "1")));
}

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
    mq_error_clear(&problem);
    (void)acknowledged;
    for (int round = 0; round < 2; round++) {
        struct mq_store *store;
        must(mq_store_sqlite_open(&store, stage->village.relay.platform, NEW_RELAY, &problem));
        must(store->verbs->server_id(store, round == 0 ? first : second, &problem));
        must(store->verbs->check(store, &problem));
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
    mq_error_clear(&problem);
    assert_true(there || !acknowledged);
    if (there) {
        struct mq_store *store;
        struct mq_log_position position;
        must(mq_store_sqlite_open(&store, stage->village.relay.platform, COPY, &problem));
        must(store->verbs->check(store, &problem));
        must(store->verbs->last(store, desk(stage)->team.mailbox, &position, &problem));
        assert_true(position.number > 0);
        store->verbs->close(store);
    } else {
        stage_must_open(stage, STAGE_SERVER);
        must(act_relay_copy(stage, &problem));
    }
    judge_plain(stage, acknowledged);
}

/* The server's disk is an older one, and is given a new life; the devices heal it. */
static void prepare_server_back(struct stage *stage)
{
    struct stage_image old = {{NULL}};
    prepare_three(stage);
    stage_keep(stage, &old);
    begin_all(stage);
    must(stage_add(device(stage), NEW, &problem));
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
    mq_error_clear(&problem);
    if (!acknowledged) /* whoever restores begins again */
        must(act_server_back(stage, &problem));
    judge_plain(stage, acknowledged);
    assert_shows(desk(stage), NEW);
    stage_close_all(stage); /* the server has it, not only those who had it before */
    begin_all(stage);
    struct mq_log_position position;
    must(stage->village.store->verbs->last(stage->village.store, desk(stage)->team.mailbox, &position, &problem));
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
    enum mq_status status = mq_view_find(desk(stage)->replica, NULL, mq_span_text("H-1"), record, error);
    if (status == MQ_OK)
        status = mq_erase_list_field(desk(stage)->replica, &list, record, MQ_ERASE_WHOLE, error);
    if (status == MQ_OK)
        status = mq_erase(desk(stage)->replica, &desk(stage)->team, NULL, &list, error);
    mq_erase_list_free(&list);
    return status;
}

static void judge_erase(struct stage *stage, bool acknowledged)
{
    int64_t stale;
    mq_error_clear(&problem);
    stage_must_open(stage, STAGE_DESK);
    must(mq_setting_number(desk(stage)->replica, "log_stale", &stale, &problem));
    assert_int_equal(stale, 0); /* nothing that was erased stands in the log */
    bool gone = !shows(desk(stage), "杨顺华");
    assert_true(gone || (!acknowledged && shows(desk(stage), FIRST)));
    if (!gone) /* who asked for it asks again */
        must(act_erase(stage, &problem));
    must(stage_add(desk(stage), HOUSEHOLD("H-6", "桌上", "1"), &problem));
    stage_settle(stage);
    stage_settle(stage);
    assert_false(shows(desk(stage), "杨顺华"));
    assert_false(shows(device(stage), "杨顺华"));
    assert_shows(device(stage), SECOND);
    assert_shows(desk(stage), THIRD);
    assert_shows(device(stage), HOUSEHOLD("H-6", "桌上", "1"));
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
        status = mq_view_find(desk(stage)->replica, NULL, mq_span_text("H-1"), record, error);
    return status == MQ_OK
               ? mq_forget_household(desk(stage)->replica, record, &what, NULL, false, &result, &emitter, error)
               : status;
}

/* Broken off, it can be asked for once more; then nothing of the family is left, no empty household either. */
static void judge_forget(struct stage *stage, bool acknowledged)
{
    mq_error_clear(&problem);
    stage_must_open(stage, STAGE_DESK);
    if (!acknowledged) {
        struct mq_error error = {0};
        enum mq_status status = act_forget(stage, &error);
        assert_true(status == MQ_OK || status == MQ_NOT_FOUND);
    }
    stage_settle(stage);
    stage_settle(stage);
    for (int i = 0; i < 2; i++) {
        assert_false(shows(i == 0 ? desk(stage) : device(stage), "杨顺华"));
        assert_false(shows(i == 0 ? desk(stage) : device(stage), "\"H-1\""));
        assert_shows(i == 0 ? desk(stage) : device(stage), SECOND);
    }
}

const struct point_step point_steps[] = {
    {"save", STAGE_DEVICE, true, prepare_three, begin_device, act_save, judge_save},
    {"first creation of a home", STAGE_DEVICE, true, NULL, NULL, act_create, judge_create},
    {"first creation of a relay", STAGE_SERVER, true, NULL, NULL, act_relay_create, judge_relay_create},
    {"change", STAGE_DEVICE, false, prepare_three, begin_device, act_change, judge_change},
    {"import", STAGE_DEVICE, false, prepare_three, begin_device, act_import, judge_import},
    {"seal", STAGE_DEVICE, false, prepare_three, begin_device, act_seal, judge_plain},
    {"sync, the device's disk", STAGE_DEVICE, false, prepare_three, begin_all, act_sync_device, judge_plain},
    {"sync, the server's disk", STAGE_SERVER, false, prepare_three, begin_all, act_sync_device, judge_server},
    {"sync of the desk", STAGE_DESK, false, prepare_sent, begin_all, act_sync_desk, judge_plain},
    {"sync of the desk, the server's disk", STAGE_SERVER, false, prepare_sent, begin_all, act_sync_desk, judge_server},
    {"bundle out", STAGE_DEVICE, false, prepare_three, begin_device, act_bundle_write, judge_bundle_write},
    {"bundle in", STAGE_DESK, false, prepare_bundle, begin_desk, act_bundle_read, judge_bundle_read},
    {"migrate", STAGE_DEVICE, false, prepare_old, NULL, act_migrate, judge_migrate},
    {"new passphrase", STAGE_DEVICE, false, prepare_three, begin_device, act_passphrase, judge_passphrase},
    {"an older home brought back", STAGE_DEVICE, false, prepare_set_back, begin_server, act_set_back, judge_set_back},
    {"backup of the relay's store", STAGE_SERVER, false, prepare_sent, begin_server, act_relay_copy, judge_relay_copy},
    {"restore of the relay's store", STAGE_SERVER, false, prepare_server_back, NULL, act_server_back, judge_server_back},
    {"erase", STAGE_DESK, false, prepare_sent, begin_all, act_erase, judge_erase},
    {"forget a family", STAGE_DESK, false, prepare_sent, begin_all, act_forget, judge_forget},
};
const size_t point_step_count = sizeof point_steps / sizeof *point_steps;
