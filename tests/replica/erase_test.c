/* tidy: long, every case needs the same looking at every page of every store */
/* Aim: what a desk erases is gone from every page of every replica at its next sync, in whatever order things come, and
 * never returns; everything beside it stays, is merged, and is anchored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/assert.h"
#include "replica/bundle.h"
#include "replica/erase.h"
#include "replica/forget.h"
#include "replica/journal.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define MARKER "胆囊结石住院的事"
#define HOUSEHOLD \
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"吴国平\"}"
#define VISIT \
    "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"" MARKER "，家里人都知道。\"}"
#define BESIDE \
    "{\"kind\":\"visit\",\"id\":\"V-2\",\"household\":\"H-1\",\"date\":\"2026-11-06\",\"notes\":\"水管冻裂，已联系水利站。\"}"

/* Long enough that leaning on the same words in the segment before pays. */
#define LONG(id, date) \
    "{\"kind\":\"visit\",\"id\":\"" id "\",\"household\":\"H-1\",\"date\":\"" date "\",\"notes\":\"" \
    "老井边的抽水房漏雨，电线裸露；去年修的蓄水池裂了两道缝，下游四户接不到水。村里找过施工队，说保修期已过。" \
    "三组组长愿意出工，缺水泥两吨、防水砂浆六袋，另要一台小型振动棒，用完归还。等天晴就能动工，最多五天。" \
    "娃娃上学要绕过垮塌的田坎，请先拉警戒绳；夜里放映队来过，四十七人看到十点。\"}"

#define MATTER(id, household, words) \
    "{\"kind\":\"need\",\"id\":\"" id "\",\"household\":\"" household "\",\"words\":\"" words "\",\"category\":\"18\"}"

static struct mq_error problem;

/* ---- looking ---- */

/* Every page of the member's store in clear, free ones and slack included. */
static bool store_holds(struct village *village, struct village_member *member, const char *text)
{
    struct village_member copy = *member;
    char path[512], command[1200];
    village_close(member);
    snprintf(copy.home, sizeof copy.home, "%s/looked-at", village->directory);
    snprintf(command, sizeof command, "rm -rf %s && cp -r %s %s", copy.home, member->home, copy.home);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/store.db-wal", member->home);
    assert_int_not_equal(access(path, F_OK), 0); /* closed, so all is in the file */
    village_open(member);
    village_open(&copy);
    struct mq_db *db = mq_replica_db(copy.replica);
    assert_int_equal(mq_db_script(db, "PRAGMA journal_mode=DELETE; PRAGMA rekey=''", &problem), MQ_OK);
    village_close(&copy);
    snprintf(path, sizeof path, "%s/store.db", copy.home);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static char pages[8 << 20];
    size_t size = fread(pages, 1, sizeof pages, file);
    fclose(file);
    assert_true(size > 8192 && size < sizeof pages);
    assert_memory_equal(pages, "SQLite format 3", 16); /* it is in clear, so what is not found is not there */
    return memmem(pages, size, text, strlen(text)) != NULL;
}

static void assert_gone(struct village *village, struct village_member *member)
{
    assert_false(store_holds(village, member, MARKER));
    char *exported = village_export(member);
    assert_null(strstr(exported, MARKER));
    free(exported);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM segment WHERE erased = 1"), 0);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM segment WHERE erased = 2 AND length(bytes) <> 161"), 0);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM lent"), 0);
}

static enum mq_status ignore(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context;
    (void)error;
    print_message("%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

/* The store is sound, and what it derives is what its truth says. */
static int64_t check(struct village_member *member)
{
    const struct mq_emitter emitter = {NULL, ignore};
    struct mq_check_result result;
    uint8_t before[MQ_HASH_SIZE], after[MQ_HASH_SIZE];
    mq_error_clear(&problem);
    enum mq_status status = mq_records_check(member->replica, false, &result, &emitter, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    assert_int_equal(mq_view_hash(member->replica, before, &problem), MQ_OK);
    assert_int_equal(mq_view_rebuild(member->replica, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(member->replica, after, &problem), MQ_OK);
    assert_memory_equal(before, after, sizeof before);
    return result.erased;
}

static void assert_all_same(struct village *village)
{
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(village->desk.replica, left, &problem), MQ_OK);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        if (village->devices[i].replica == NULL)
            continue;
        assert_int_equal(mq_view_hash(village->devices[i].replica, right, &problem), MQ_OK);
        assert_memory_equal(left, right, sizeof left);
    }
}

static void assert_shows(struct village_member *member, const char *text)
{
    char *exported = village_export(member);
    if (strstr(exported, text) == NULL)
        print_message("%s\n", exported);
    assert_non_null(strstr(exported, text));
    free(exported);
}

/* What is for named persons only is in no export, but they list it. */
struct search {
    const char *text;
    bool found;
};

static enum mq_status look(void *context, struct mq_span object, struct mq_error *error)
{
    struct search *search = context;
    (void)error;
    search->found = search->found || memmem(object.data, object.size, search->text, strlen(search->text)) != NULL;
    return MQ_OK;
}

static bool lists(struct village_member *member, const char *text)
{
    struct search search = {text, false};
    const struct mq_emitter emitter = {&search, look};
    assert_int_equal(mq_records_list(member->replica, NULL, mq_span(NULL, 0), 0, &emitter, &problem), MQ_OK);
    return search.found;
}

/* ---- doing ---- */

static void erase(struct village_member *desk, const char *id, const char *key)
{
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE], team[MQ_ID_SIZE];
    uint64_t kind;
    mq_error_clear(&problem);
    assert_int_equal(mq_view_find(desk->replica, NULL, mq_span_text(id), record, &problem), MQ_OK);
    assert_int_equal(mq_view_kind(desk->replica, record, &kind, team, &problem), MQ_OK);
    uint8_t field = key == NULL ? MQ_ERASE_WHOLE
                                : mq_field_by_key(mq_kind_by_number(kind), mq_span_text(key))->number;
    assert_int_equal(mq_erase_list_field(desk->replica, &list, record, field, &problem), MQ_OK);
    assert_true(list.count > 0);
    enum mq_status status = mq_erase(desk->replica, &desk->team, NULL, &list, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    mq_erase_list_free(&list);
}

static void sync_one(struct village *village, struct village_member *member)
{
    assert_int_equal(village_sync(village, member, NULL), MQ_OK);
}

/* ---- tests ---- */

/* What is erased at the desk is in no page of any replica after its next sync; what stood beside it in the same segment
 * stays, and nothing of it loses its receipt. */
static void erased_everywhere(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 1);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_add(&village.devices[0], BESIDE, NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[1], "V-1", "notes=" MARKER "，又说了一次");
    village_sync_all(&village, 2);
    assert_true(store_holds(&village, &village.devices[3], MARKER));
    erase(&village.desk, "V-1", "notes");
    assert_shows(&village.desk, "水管冻裂");
    village_sync_all(&village, 2);
    assert_gone(&village, &village.desk);
    assert_int_equal(check(&village.desk), 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_gone(&village, &village.devices[i]);
        assert_int_equal(check(&village.devices[i]), 2);
        assert_shows(&village.devices[i], "水管冻裂");
        assert_shows(&village.devices[i], "\"V-1\"");
    }
    assert_int_equal(village_safety(&village.devices[0]).anchored, 3);
    assert_all_same(&village);
    hostile_accounted(&village);
    village_end(&village);
}

/* A whole record goes, and stays in its place without anything but its id. */
static void whole_record_goes(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 2);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    erase(&village.desk, "H-1", NULL);
    erase(&village.desk, "V-1", NULL);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_gone(&village, &village.devices[i]);
        assert_false(store_holds(&village, &village.devices[i], "吴国平"));
        check(&village.devices[i]);
    }
    assert_shows(&village.desk, "{\"kind\":\"household\",\"id\":\"H-1\"}");
    assert_all_same(&village);
    village_end(&village);
}

/* A segment that was written before its writer knew of the erasure, and leans on a body that is gone by then, is opened
 * all the same. */
static void late_follower_is_opened(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 3);
    struct village_member *late = &village.devices[0];
    village_add(late, HOUSEHOLD, NULL);
    village_add(late, VISIT, NULL);
    village_add(late, LONG("V-3", "2026-11-06"), NULL);
    village_sync_all(&village, 2);
    village_add(late, LONG("V-4", "2026-11-07"), NULL); /* not sent yet; leans on the one before */
    village_add(late, BESIDE, NULL);
    erase(&village.desk, "V-1", "notes");
    sync_one(&village, &village.desk);
    sync_one(&village, &village.devices[1]);
    assert_gone(&village, &village.desk);
    sync_one(&village, late);
    assert_int_equal(hostile_count(late, "SELECT links FROM segment WHERE mine = 1 AND seq = 2"), 1);
    village_sync_all(&village, 2);
    village_add(late, "{\"kind\":\"suggestion\",\"id\":\"S-1\",\"text\":\"录音按钮太小\"}", NULL);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_gone(&village, &village.devices[i]);
        check(&village.devices[i]);
        assert_shows(&village.devices[i], "水管冻裂");
        assert_shows(&village.devices[i], "录音按钮太小");
    }
    assert_gone(&village, &village.desk);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state <> 1"), 0);
    assert_int_equal(village_safety(late).anchored, 6);
    assert_all_same(&village);
    village_end(&village);
}

/* A server that came up empty gets everything but the erased, and the exchange with it comes to an end. */
static void emptied_server_is_filled(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 4);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    village_add(&village.devices[0], BESIDE, NULL);
    village_sync_all(&village, 2);
    erase(&village.desk, "V-1", "notes");
    village_sync_all(&village, 2);
    village_relay_empty(&village);
    sync_one(&village, &village.desk);
    village_add(&village.devices[0], "{\"kind\":\"suggestion\",\"id\":\"S-1\",\"text\":\"录音按钮太小\"}", NULL);
    village_add(&village.desk, "{\"kind\":\"suggestion\",\"id\":\"S-2\",\"text\":\"镇上也这么说\"}", NULL);
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 4);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_gone(&village, &village.devices[i]);
        check(&village.devices[i]);
        assert_shows(&village.devices[i], "录音按钮太小");
        assert_shows(&village.devices[i], "镇上也这么说");
    }
    assert_all_same(&village);
    village_end(&village);
}

/* A bundle that was written before brings nothing back: neither where the content was erased already, nor where the
 * list came first and the content was never seen. */
static void old_bundle_brings_nothing_back(void **state)
{
    struct village village;
    struct mq_admitted admitted;
    char path[256];
    int64_t segments;
    (void)state;
    village_begin(&village, 5);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    snprintf(path, sizeof path, "%s/old.bundle", village.directory);
    assert_int_equal(mq_bundle_write(village.devices[0].replica, path, &segments, &problem), MQ_OK);
    sync_one(&village, &village.devices[0]);
    sync_one(&village, &village.desk);
    erase(&village.desk, "V-1", "notes");
    sync_one(&village, &village.desk);
    struct hostile_way way = {.village = &village, .withheld_seq = 1};
    erase(&village.desk, "H-1", "group"); /* a second list, whose segment has another number than the withheld one */
    sync_one(&village, &village.desk);
    sync_one(&village, &village.devices[1]);
    assert_int_equal(hostile_sync(&way, &village.devices[2], NULL), MQ_OK);
    struct village_member *readers[] = {&village.devices[1], &village.devices[2], &village.devices[3], &village.desk};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(mq_bundle_read(readers[i]->replica, path, &admitted, &problem), MQ_OK);
        assert_int_equal(mq_bundle_read(readers[i]->replica, path, &admitted, &problem), MQ_OK);
    }
    assert_true(store_holds(&village, &village.devices[3], MARKER)); /* it knows of no list yet */
    assert_false(store_holds(&village, &village.devices[2], "三组")); /* the second list came first, the content after */
    village_sync_all(&village, 3);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_false(store_holds(&village, &village.devices[i], "三组"));
        if (i == 2)
            continue; /* of the first list it has not heard: that was kept back from it */
        assert_gone(&village, &village.devices[i]);
        check(&village.devices[i]);
    }
    assert_gone(&village, &village.desk);
    village_end(&village);
}

/* A desk and a device that were set back to before the erasure lose the content again with their next sync. */
static void restored_replicas_erase_again(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 6);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    village_keep(&village, &village.desk, "desk-before");
    village_keep(&village, &village.devices[0], "device-before");
    erase(&village.desk, "V-1", "notes");
    village_sync_all(&village, 2);
    village_bring_back(&village, &village.desk, "desk-before");
    village_bring_back(&village, &village.devices[0], "device-before");
    assert_true(store_holds(&village, &village.desk, MARKER));
    village_add(&village.devices[0], BESIDE, NULL);
    village_sync_all(&village, 3);
    assert_gone(&village, &village.desk);
    assert_gone(&village, &village.devices[0]);
    assert_shows(&village.desk, "水管冻裂");
    assert_int_equal(village_safety(&village.devices[0]).anchored, 3);
    check(&village.desk);
    check(&village.devices[0]);
    assert_all_same(&village);
    village_end(&village);
}

/* A value that the erased one had replaced, and that only its writer still has, does not stand up in its place; what else
 * he wrote with it reaches the desk. */
static void replaced_values_go_too(void **state)
{
    struct village village;
    struct mq_admitted admitted;
    char path[256];
    int64_t segments;
    (void)state;
    village_begin(&village, 7);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[0], "H-1", "where=" MARKER "，一");
    village_add(&village.devices[0], BESIDE, NULL);
    snprintf(path, sizeof path, "%s/by-hand.bundle", village.directory);
    assert_int_equal(mq_bundle_write(village.devices[0].replica, path, &segments, &problem), MQ_OK);
    assert_int_equal(mq_bundle_read(village.devices[1].replica, path, &admitted, &problem), MQ_OK);
    village_set(&village.devices[1], "H-1", "where=" MARKER "，二");
    /* Only the second reaches the desk: the carried ones are held back. */
    assert_int_equal(mq_db_script(mq_replica_db(village.devices[1].replica), "UPDATE segment SET carry = 0", &problem),
                     MQ_OK);
    sync_one(&village, &village.devices[1]);
    sync_one(&village, &village.desk);
    erase(&village.desk, "H-1", "where");
    sync_one(&village, &village.desk);
    village_sync_all(&village, 3);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_gone(&village, &village.devices[i]);
        assert_shows(&village.devices[i], "水管冻裂");
        check(&village.devices[i]);
    }
    assert_gone(&village, &village.desk);
    assert_int_equal(village_safety(&village.desk).conflicts, 0);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 2);
    assert_all_same(&village);
    village_end(&village);
}

/* What somebody writes without knowing of the erasure stands: it is new, and nobody decided about it. */
static void later_words_stand(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 8);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[1], "V-1", "notes=改约下周再来");
    erase(&village.desk, "V-1", "notes");
    village_sync_all(&village, 3);
    assert_shows(&village.desk, "改约下周再来");
    assert_gone(&village, &village.desk);
    assert_gone(&village, &village.devices[1]);
    assert_all_same(&village);
    village_end(&village);
}

/* A list of a device counts for nothing: its segment is set aside for a person to look at, and nothing is erased. */
static void devices_erase_nothing(void **state)
{
    struct village village;
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE], memory[1024];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    (void)state;
    village_begin(&village, 9);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    struct village_member *device = &village.devices[1];
    assert_int_equal(mq_view_find(device->replica, NULL, mq_span_text("V-1"), record, &problem), MQ_OK);
    assert_int_equal(mq_erase_list_field(device->replica, &list, record, 12, &problem), MQ_OK);
    struct mq_erase_entry entries[8];
    assert_true(list.count <= 8);
    for (size_t i = 0; i < list.count; i++)
        entries[i] = list.items[i].entry;
    mq_erasure_put(&change, NULL, entries, list.count);
    hostile_write(device, mq_written(&change));
    mq_erase_list_free(&list);
    village_sync_all(&village, 2);
    assert_shows(&village.desk, MARKER);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state = 2 AND reason = 'role'"), 1);
    hostile_accounted(&village);
    village_end(&village);
}

/* A copied writer sealed one change twice: it goes out of both segments. */
static void both_copies_lose_it(void **state)
{
    struct village village;
    struct village_member clone;
    (void)state;
    village_begin(&village, 10);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_clone(&village, &village.devices[0], &clone);
    sync_one(&village, &village.devices[0]);
    sync_one(&village, &clone);
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE stream NOT IN"
                                                  " (SELECT stream FROM stream WHERE mine = 1)"),
                     2);
    erase(&village.desk, "V-1", "notes");
    village_sync_all(&village, 2);
    sync_one(&village, &clone);
    sync_one(&village, &clone);
    assert_int_equal(check(&village.desk), 2);
    assert_int_equal(check(&village.devices[1]), 2);
    assert_gone(&village, &village.devices[0]);
    assert_gone(&village, &clone);
    village_close(&clone);
    mq_fake_free(clone.fake);
    village_end(&village);
}

/* A restricted matter goes where it is read, through a list in its own compartment: others do not even hear that there is
 * one. What stands beside it there stays there. */
static void restricted_goes_unheard(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 12);
    struct village_member *named = &village.devices[2];
    village_name(&village, named, true);
    village_sync_all(&village, 1);
    village_add(&village.devices[0], "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"" MARKER "，组长压着不报。\",\"category\":\"18\"}", NULL);
    village_sync_all(&village, 2);
    village_add(&village.desk, "{\"kind\":\"need\",\"id\":\"M-2\",\"words\":\"账目没有公开。\",\"category\":\"18\"}", NULL);
    village_set(&village.desk, "M-1", "summary=" MARKER);
    village_sync_all(&village, 2);
    assert_true(lists(named, MARKER));
    erase(&village.desk, "M-1", "words");
    erase(&village.desk, "M-1", "summary");
    village_sync_all(&village, 2);
    assert_gone(&village, &village.desk);
    assert_gone(&village, named);
    assert_true(lists(named, "账目没有公开"));
    assert_true(lists(named, "\"M-1\""));
    check(&village.desk);
    check(named);
    assert_true(lists(named, "账目没有公开"));
    assert_int_equal(hostile_count(named, "SELECT count(*) FROM record WHERE compartment <> 1 AND kind = 4"), 0);
    assert_int_equal(hostile_count(&village.devices[1], "SELECT count(*) FROM erased"), 0);
    assert_false(store_holds(&village, &village.devices[0], MARKER));
    village_end(&village);
}

/* How many records lost something. */
static int64_t forget(struct village *village, const char *household, const char *matter, enum mq_status expected)
{
    const struct mq_emitter emitter = {NULL, ignore};
    struct mq_replica *replica = village->desk.replica;
    struct mq_forget what;
    struct mq_forgotten result;
    uint8_t record[MQ_ID_SIZE], named[MQ_ID_SIZE];
    mq_error_clear(&problem);
    assert_int_equal(mq_forget_parse(&what, mq_span_text("household"), &problem), MQ_OK);
    assert_int_equal(mq_view_find(replica, NULL, mq_span_text(household), record, &problem), MQ_OK);
    if (matter != NULL)
        assert_int_equal(mq_view_find(replica, NULL, mq_span_text(matter), named, &problem), MQ_OK);
    what.matter = matter != NULL ? named : NULL;
    assert_int_equal(mq_forget_household(replica, record, &what, NULL, false, &result, &emitter, &problem), expected);
    return result.records;
}

/* When a household's data goes, a restricted matter that names it stays, unless a person at the county's desk says that it
 * goes too; then it is gone wherever it could be read. A matter of somebody else does not go along. */
static void a_matter_goes_when_a_person_says_so(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 24);
    struct village_member *named = &village.devices[2];
    village_name(&village, named, true);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"冉大珍\"}", NULL);
    village_sync_all(&village, 2);
    village_add(&village.devices[0], MATTER("M-1", "H-1", MARKER), NULL);
    village_add(&village.devices[0], MATTER("M-2", "H-2", "账目没有公开。"), NULL);
    village_sync_all(&village, 2);
    assert_true(lists(named, MARKER));
    assert_int_equal(forget(&village, "H-1", "M-2", MQ_REFUSED), 0);
    assert_int_equal(forget(&village, "H-1", NULL, MQ_OK), 1);
    village_sync_all(&village, 2);
    assert_true(lists(named, MARKER));
    assert_true(lists(&village.desk, MARKER));
    assert_false(lists(named, "吴国平"));
    village_end(&village);
    village_begin(&village, 25);
    named = &village.devices[2];
    village_name(&village, named, true);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_sync_all(&village, 2);
    village_add(&village.devices[0], MATTER("M-1", "H-1", MARKER), NULL);
    village_sync_all(&village, 2);
    assert_int_equal(forget(&village, "H-1", "M-1", MQ_OK), 2);
    village_sync_all(&village, 2);
    assert_gone(&village, &village.desk);
    assert_gone(&village, named);
    assert_true(lists(named, "\"M-1\""));
    assert_true(lists(named, "原话已按规定删去"));
    for (int i = 0; i < 2; i++) {
        assert_false(store_holds(&village, &village.devices[i], MARKER));
        assert_false(lists(&village.devices[1], "原话已按规定删去"));
    }
    check(&village.desk);
    check(named);
    village_end(&village);
}

/* Where the program ends between the erasure and the emptying of the log, the next opening empties it. */
static void log_is_emptied_later(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 11);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    erase(&village.desk, "V-1", "notes");
    assert_int_equal(hostile_count(&village.desk, "SELECT value FROM setting WHERE name = 'log_stale'"), 0);
    assert_int_equal(mq_setting_put_number(village.desk.replica, "log_stale", 1, &problem), MQ_OK);
    village_close(&village.desk);
    village_open(&village.desk);
    assert_int_equal(hostile_count(&village.desk, "SELECT value FROM setting WHERE name = 'log_stale'"), 0);
    village_end(&village);
}

/* The value of a text field, written past the program: it replaces whatever names the writer likes. */
static void set_past_program(struct village_member *member, const char *id, uint64_t field, const char *text,
                             struct mq_span replaced)
{
    uint8_t record[MQ_ID_SIZE], value_memory[512], change_memory[1024];
    struct mq_buffer value = mq_buffer(value_memory, sizeof value_memory);
    struct mq_buffer change = mq_buffer(change_memory, sizeof change_memory);
    mq_error_clear(&problem);
    assert_int_equal(mq_view_find(member->replica, NULL, mq_span_text(id), record, &problem), MQ_OK);
    mq_cbor_put_text(&value, mq_span_text(text));
    mq_change_put_set(&change, record, field, mq_written(&value), replaced, mq_span(NULL, 0));
    hostile_write(member, mq_written(&change));
}

/* A member whose change claims to replace what stands in another record takes nothing along when a desk erases his. */
static void forged_names_take_nothing_along(void **state)
{
    struct village village;
    uint8_t other[MQ_ID_SIZE];
    (void)state;
    village_begin(&village, 12);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_add(&village.devices[0], BESIDE, NULL);
    village_sync_all(&village, 2);
    assert_int_equal(mq_view_find(village.devices[1].replica, NULL, mq_span_text("V-2"), other, &problem), MQ_OK);
    uint8_t notes = (uint8_t)mq_field_by_key(mq_kind_by_key(mq_span_text("visit")), mq_span_text("notes"))->number;
    set_past_program(&village.devices[1], "V-1", notes, MARKER "，三", mq_span(other, MQ_NAME_SIZE));
    village_sync_all(&village, 2);
    erase(&village.desk, "V-1", "notes");
    village_sync_all(&village, 2);
    assert_gone(&village, &village.desk);
    assert_shows(&village.desk, "水管冻裂");
    assert_shows(&village.devices[2], "水管冻裂");
    assert_all_same(&village);
    village_end(&village);
}

/* What a newer program wrote into a field whose number no list can name goes with the whole record. */
static void great_field_numbers_go_too(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 13);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    set_past_program(&village.devices[1], "V-1", 300, MARKER "，又一", mq_span(NULL, 0));
    village_sync_all(&village, 2);
    erase(&village.desk, "V-1", NULL);
    village_sync_all(&village, 2);
    assert_gone(&village, &village.desk);
    assert_gone(&village, &village.devices[2]);
    assert_all_same(&village);
    village_end(&village);
}

/* A township's desk keeps the body of its own segment until the county's desk has it: a server that has it may be lost. */
static void township_waits_for_the_county(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 14);
    village_township(&village);
    village_add(&village.township, HOUSEHOLD, NULL);
    village_add(&village.township, VISIT, NULL);
    sync_one(&village, &village.township);
    erase(&village.township, "V-1", "notes");
    sync_one(&village, &village.township);
    village_relay_empty(&village);
    sync_one(&village, &village.desk);
    for (int i = 0; i < 3; i++) {
        sync_one(&village, &village.township);
        sync_one(&village, &village.desk);
    }
    assert_shows(&village.desk, "吴国平");
    assert_gone(&village, &village.township);
    assert_gone(&village, &village.desk);
    village_end(&village);
}

/* What waits beyond a revocation's cut, and was written down because it leans on a body that went, loses what is erased too,
 * and does not bring it back when a person lets it in. It takes a desk that was set back: what was merged stands before a cut. */
static void what_waits_beyond_a_cut_is_erased(void **state)
{
    struct village village;
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    struct mq_query *query;
    (void)state;
    village_begin(&village, 23);
    struct village_member *writer = &village.devices[0], *reader = &village.devices[1];
    village_add(writer, HOUSEHOLD, NULL);
    village_add(writer, BESIDE, NULL);
    village_add(writer, LONG("V-3", "2026-11-06"), NULL);
    village_sync_all(&village, 2);
    village_keep(&village, &village.desk, "before");
    village_set(writer, "H-1", "where=" MARKER);
    village_add(writer, LONG("V-4", "2026-11-07"), NULL);
    sync_one(&village, writer);
    sync_one(&village, reader);
    village_set(reader, "H-1", "where=桥头");
    sync_one(&village, reader);
    sync_one(&village, &village.desk);
    erase(&village.desk, "V-2", "notes");
    sync_one(&village, &village.desk);
    sync_one(&village, reader);
    village_bring_back(&village, &village.desk, "before");
    village_revoke(&village, writer);
    sync_one(&village, reader);
    assert_int_equal(hostile_count(reader, "SELECT count(*) FROM segment WHERE kept = 1 AND state = 2"), 1);
    assert_int_equal(mq_db_query(mq_replica_db(reader->replica), &query, &problem,
                                 "SELECT id FROM segment WHERE kept = 1 AND state = 2", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(id, mq_db_blob(query, 0).data, sizeof id);
    mq_db_done(&query);
    erase(&village.desk, "H-1", "where");
    sync_one(&village, &village.desk);
    sync_one(&village, reader);
    assert_false(store_holds(&village, reader, MARKER));
    village_adopt(&village, id);
    village_close(writer);
    village_sync_all(&village, 2);
    for (int i = 1; i < VILLAGE_DEVICES; i++) {
        assert_gone(&village, &village.devices[i]);
        check(&village.devices[i]);
        assert_shows(&village.devices[i], "V-4");
    }
    assert_gone(&village, &village.desk);
    assert_all_same(&village);
    village_end(&village);
}

/* Of two late followers, one leans on a body that the relay has lost: it waits, the other is opened whichever it is, and
 * no borrowed body stays. */
static void lost_body_stops_no_other(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct village village;
        struct hostile_copy first;
        village_begin(&village, 15);
        struct village_member *late = village.devices;
        village_add(&late[0], HOUSEHOLD, NULL);
        village_add(&late[0], VISIT, NULL);
        village_add(&late[0], LONG("V-3", "2026-11-06"), NULL);
        sync_one(&village, &late[0]);
        sync_one(&village, &late[1]);
        village_add(&late[1], "{\"kind\":\"visit\",\"id\":\"V-5\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"" MARKER
                              "。\"}", NULL);
        village_add(&late[1], LONG("V-6", "2026-11-06"), NULL);
        village_sync_all(&village, 2);
        for (int i = 0; i < 2; i++) { /* not sent yet; each leans on its writer's first */
            village_add(&late[i], LONG("V-7", "2026-11-07"), NULL);
            village_set(&late[i], "V-7", i == 0 ? "paper_no=甲" : "paper_no=乙");
            assert_int_equal(mq_seal_all(late[i].replica, &problem), MQ_OK);
            assert_int_equal(hostile_count(&late[i], "SELECT links FROM segment WHERE mine = 1 AND seq = 2"), 1);
        }
        hostile_copy(&late[lost], &first);
        erase(&village.desk, "V-1", "notes");
        erase(&village.desk, "V-5", "notes");
        sync_one(&village, &village.desk);
        sync_one(&village, &village.devices[3]);
        assert_gone(&village, &village.devices[3]);
        sync_one(&village, &late[0]);
        sync_one(&village, &late[1]);
        struct hostile_way way = {.village = &village};
        memcpy(way.lost_id, first.segment.id, sizeof way.lost_id);
        assert_int_equal(hostile_sync(&way, &village.devices[3], NULL), MQ_OK);
        assert_int_equal(hostile_count(&village.devices[3], "SELECT count(*) FROM segment WHERE state = 0"), 1);
        assert_shows(&village.devices[3], lost == 0 ? "乙" : "甲");
        /* What waits in one team is no matter of another's exchange. */
        struct mq_db *db = mq_replica_db(village.devices[3].replica);
        assert_int_equal(mq_db_script(db, "UPDATE stream SET mailbox = zeroblob(16) WHERE stream ="
                                          " (SELECT stream FROM segment WHERE state = 0)", &problem), MQ_OK);
        assert_int_equal(hostile_sync(&way, &village.devices[3], NULL), MQ_OK);
        assert_int_equal(mq_db_script(db, "UPDATE stream SET mailbox = (SELECT mailbox FROM mailbox) WHERE mailbox ="
                                          " zeroblob(16)", &problem), MQ_OK);
        assert_gone(&village, &village.devices[3]);
        village_sync_all(&village, 2);
        assert_int_equal(hostile_count(&village.devices[3], "SELECT count(*) FROM segment WHERE state = 0"), 0);
        assert_gone(&village, &village.devices[3]);
        assert_all_same(&village);
        village_end(&village);
    }
}

/* A late follower may lean on as many erased bodies as a writer links: all are borrowed within one sync. */
static void long_runs_are_borrowed(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 16);
    struct village_member *late = &village.devices[0];
    village_add(late, HOUSEHOLD, NULL);
    for (int i = 0; i < 12; i++) {
        char json[1200];
        snprintf(json, sizeof json, LONG("W-%d", "2026-11-06"), i);
        village_add(late, json, NULL);
        sync_one(&village, late);
    }
    village_sync_all(&village, 2);
    village_add(late, LONG("V-9", "2026-11-07"), NULL); /* not sent yet */
    village_add(late, BESIDE, NULL);
    assert_int_equal(mq_seal_all(late->replica, &problem), MQ_OK);
    assert_true(hostile_count(late, "SELECT links FROM segment WHERE mine = 1 ORDER BY seq DESC LIMIT 1") > 10);
    for (int i = 0; i < 12; i++) {
        char id[16];
        snprintf(id, sizeof id, "W-%d", i);
        erase(&village.desk, id, "notes");
    }
    sync_one(&village, &village.desk);
    sync_one(&village, &village.devices[3]);
    assert_int_equal(hostile_count(&village.devices[3], "SELECT count(*) FROM segment WHERE erased = 2"), 12);
    sync_one(&village, late);
    sync_one(&village, &village.devices[3]);
    assert_shows(&village.devices[3], "水管冻裂");
    assert_gone(&village, &village.devices[3]);
    village_end(&village);
}

/* A change of a type that nobody knows yet may be named by whoever writes its name; a desk that erases that name leaves it as it
 * is, and lives. */
static void unknown_changes_stay(void **state)
{
    struct village village;
    static uint8_t memory[4096];
    uint8_t id[MQ_ID_SIZE];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    struct mq_query *query;
    (void)state;
    village_begin(&village, 29);
    struct village_member *writer = &village.devices[0];
    village_add(writer, HOUSEHOLD, NULL);
    village_add(writer, VISIT, NULL);
    village_add(writer, BESIDE, NULL);
    village_add(writer, LONG("V-3", "2026-11-06"), NULL);
    village_sync_all(&village, 2);
    mq_cbor_put_array(&change, 2);
    mq_cbor_put_uint(&change, 7);
    mq_cbor_put_text(&change, mq_span_text(LONG("V-3", "2026-11-06"))); /* so that its segment leans on an earlier one */
    hostile_write(writer, mq_written(&change));
    village_sync_all(&village, 2);
    erase(&village.desk, "V-1", "notes");
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM survivor JOIN other USING(id)"), 1);
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem, "SELECT id FROM other", ""), MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(id, mq_db_blob(query, 0).data, sizeof id);
    mq_db_done(&query);
    uint8_t notes = (uint8_t)mq_field_by_key(mq_kind_by_key(mq_span_text("visit")), mq_span_text("notes"))->number;
    set_past_program(writer, "V-2", notes, "x", mq_span(id, MQ_NAME_SIZE));
    village_sync_all(&village, 2);
    erase(&village.desk, "V-2", "notes");
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM other"), 1);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erased_everywhere),
        cmocka_unit_test(whole_record_goes),
        cmocka_unit_test(late_follower_is_opened),
        cmocka_unit_test(emptied_server_is_filled),
        cmocka_unit_test(old_bundle_brings_nothing_back),
        cmocka_unit_test(restored_replicas_erase_again),
        cmocka_unit_test(replaced_values_go_too),
        cmocka_unit_test(later_words_stand),
        cmocka_unit_test(devices_erase_nothing),
        cmocka_unit_test(both_copies_lose_it),
        cmocka_unit_test(restricted_goes_unheard),
        cmocka_unit_test(a_matter_goes_when_a_person_says_so),
        cmocka_unit_test(log_is_emptied_later),
        cmocka_unit_test(forged_names_take_nothing_along),
        cmocka_unit_test(great_field_numbers_go_too),
        cmocka_unit_test(township_waits_for_the_county),
        cmocka_unit_test(what_waits_beyond_a_cut_is_erased),
        cmocka_unit_test(lost_body_stops_no_other),
        cmocka_unit_test(long_runs_are_borrowed),
        cmocka_unit_test(unknown_changes_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
