/* Aim: what is written on one device reaches the desk and every other device, whatever the network, a copied home or a
 * restored server does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "protocol/exchange.h"
#include "replica/bundle.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define HOUSEHOLD                                                                                                    \
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"杨顺华\"," \
    "\"phones\":[{\"number\":\"13900000001\",\"whose\":\"本人\"}]}"
#define VISIT \
    "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"水管冻裂，已联系水利站。\"}"
#define NEED \
    "{\"kind\":\"need\",\"household\":\"H-1\",\"words\":\"三组那口井九月起就浑，娃娃喝了拉肚子。\",\"category\":\"04\",\"urgency\":\"紧急\"}"

static struct mq_error problem;

static void assert_same_view(struct village_member *a, struct village_member *b)
{
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(a->replica, left, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(b->replica, right, &problem), MQ_OK);
    assert_memory_equal(left, right, sizeof left);
}

static void assert_all_same(struct village *village)
{
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        if (village->devices[i].replica != NULL)
            assert_same_view(&village->desk, &village->devices[i]);
}

/* A record is saved, then stored, then anchored by the desk's receipt, and the others have it to the letter. */
static void goes_the_whole_way(void **state)
{
    struct village village;
    struct mq_saved need;
    (void)state;
    village_begin(&village, 1);
    struct village_member *device = &village.devices[0];
    village_add(device, HOUSEHOLD, NULL);
    village_add(device, VISIT, NULL);
    village_add(device, NEED, &need);
    assert_string_equal(need.number, "204-2-0001");
    assert_int_equal(village_safety(device).saved, 3);
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    assert_int_equal(village_safety(device).stored, 3);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    assert_int_equal(village_safety(device).anchored, 3);
    assert_true(village_safety(device).last_receipt > 0);
    village_sync_all(&village, 1);
    assert_all_same(&village);
    char *exported = village_export(&village.desk);
    assert_non_null(strstr(exported, "三组那口井九月起就浑，娃娃喝了拉肚子。"));
    free(exported);
    village_end(&village);
}

/* Two devices change one field without knowing of each other: both values stand until a person at the desk decides,
 * then all agree. */
static void conflict_is_decided(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 2);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[0], "H-1", "phones=[{\"number\":\"13900000002\",\"whose\":\"女婿\"}]");
    village_set(&village.devices[1], "H-1", "phones=[{\"number\":\"13900000003\",\"whose\":\"邻居代接\"}]");
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.desk).conflicts, 1);
    assert_int_equal(village_safety(&village.devices[2]).conflicts, 1);
    assert_int_equal(mq_records_resolve(village.desk.replica, mq_span_text("H-1"), mq_span_text("phones"), 2, mq_span(NULL, 0), &problem),
                     MQ_OK);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        assert_int_equal(village_safety(&village.devices[i]).conflicts, 0);
    assert_all_same(&village);
    village_end(&village);
}

/* A file imported on two devices gives one record a line. */
static void equal_ids_are_one(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 3);
    for (int i = 0; i < 2; i++) {
        village_add(&village.devices[i], HOUSEHOLD, NULL);
        village_add(&village.devices[i], VISIT, NULL);
    }
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.desk).records, 2);
    assert_int_equal(village_safety(&village.desk).conflicts, 0);
    assert_all_same(&village);
    village_end(&village);
}

/* A request or a reply that is lost, or cut anywhere, loses nothing and doubles nothing. */
static void cuts_lose_nothing(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 4);
    for (int i = 0; i < 12; i++) {
        char json[256];
        snprintf(json, sizeof json,
                 "{\"kind\":\"household\",\"id\":\"C-%d\",\"place\":\"990527103204\",\"head\":\"第%d户\"}", i, i);
        village_add(&village.devices[i % 2], json, NULL);
        village.drop_requests = i % 3 == 0;
        village.drop_replies = i % 3 == 1;
        village.cut_reply_at = i % 3 == 2 ? 60 + (size_t)i * 37 : 0;
        assert_int_equal(village_sync(&village, &village.devices[i % 2], NULL), MQ_OK);
    }
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.desk).records, 12);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 6);
    assert_all_same(&village);
    village_end(&village);
}

/* A copied home goes on under a new stream, nothing that either copy wrote is lost, and both are anchored. */
static void clones_go_on(void **state)
{
    struct village village;
    struct village_member clone;
    (void)state;
    village_begin(&village, 5);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_sync_all(&village, 1);
    village_clone(&village, &village.devices[0], &clone);
    village_add(&village.devices[0], VISIT, NULL);
    village_add(&clone, NEED, NULL);
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &clone, NULL), MQ_OK);
    village_sync_all(&village, 2);
    assert_int_equal(village_sync(&village, &clone, NULL), MQ_OK);
    assert_int_equal(village_safety(&village.desk).records, 3);
    assert_int_equal(village_safety(&clone).saved, 0);
    assert_same_view(&village.desk, &clone);
    assert_all_same(&village);
    village_close(&clone);
    mq_fake_free(clone.fake);
    village_end(&village);
}

/* What a copy wrote under its original's stream was anchored, and the centre then set back to before it. The original is there first
 * with what it wrote under the same number; the copy brings its own all the same. */
static void anchored_branch_comes_back(void **state)
{
    struct village village;
    struct village_member copy;
    (void)state;
    village_begin(&village, 14);
    struct village_member *original = &village.devices[0], *desk = &village.desk;
    village_add(original, HOUSEHOLD, NULL);
    village_sync_all(&village, 2);
    village_keep(&village, desk, "backup");
    village_clone(&village, original, &copy);
    assert_int_equal(mq_db_run(mq_replica_db(copy.replica), &problem, "UPDATE stream SET closed = 0 WHERE mine = 1", ""),
                     MQ_OK);
    village_add(&copy, NEED, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(village_sync(&village, &copy, NULL), MQ_OK);
        assert_int_equal(village_sync(&village, desk, NULL), MQ_OK);
    }
    assert_int_equal(village_safety(&copy).anchored, 2);
    village_bring_back(&village, desk, "backup");
    village_relay_empty(&village);
    assert_int_equal(village_sync(&village, desk, NULL), MQ_OK);
    village_add(original, VISIT, NULL);
    assert_int_equal(village_sync(&village, original, NULL), MQ_OK);
    struct hostile_way thin = {.village = &village, .reply_most = 130}; /* it hears of another server, and no more */
    assert_int_equal(hostile_sync(&thin, &copy, NULL), MQ_UNREACHABLE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(village_sync(&village, &copy, NULL), MQ_OK);
        assert_int_equal(village_sync(&village, desk, NULL), MQ_OK);
    }
    assert_int_equal(village_safety(desk).records, 3);
    village_close(&copy);
    mq_fake_free(copy.fake);
    village_end(&village);
}

/* Where nothing on a copy tells that it is one, it writes on under the same stream. Its original, whose segment came first
 * and is the head, gets the copy's all the same. */
static void original_gets_what_its_copy_wrote(void **state)
{
    struct village village;
    struct village_member copy;
    (void)state;
    village_begin(&village, 13);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_sync_all(&village, 1);
    village_clone(&village, &village.devices[0], &copy);
    assert_int_equal(mq_db_run(mq_replica_db(copy.replica), &problem, "UPDATE stream SET closed = 0 WHERE mine = 1", ""),
                     MQ_OK);
    village_add(&village.devices[0], VISIT, NULL);
    village_add(&copy, NEED, NULL);
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &copy, NULL), MQ_OK);
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(&village.devices[0]).records, 3);
    assert_all_same(&village);
    village_close(&copy);
    mq_fake_free(copy.fake);
    village_end(&village);
}

/* A board finds the same randomness at every start, and its store goes to another medium each time: each incarnation has a
 * stream of its own all the same, and a sync comes to its end. */
static void chance_that_repeats_opens_new_streams(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 31);
    struct village_member *device = &village.devices[0];
    for (int i = 0; i < 3; i++) {
        char json[200];
        village_close(device);
        mq_fake_move(device->fake);
        mq_fake_set_chance(device->fake, 31);
        village_open(device);
        mq_fake_set_chance(device->fake, 31);
        snprintf(json, sizeof json, "{\"kind\":\"household\",\"id\":\"B-%d\",\"place\":\"990527103204\",\"head\":\"余世海\"}", i);
        village_add(device, json, NULL);
        mq_fake_set_chance(device->fake, 31);
        village_sync_all(&village, 1);
        assert_int_equal(hostile_count(device, "SELECT count(*) FROM stream WHERE mine = 1"), i + 1);
    }
    village_sync_all(&village, 1);
    assert_int_equal(village_safety(device).anchored, 3);
    village_end(&village);
}

/* A store set back in place (same file, older content, the witness too) is found out by the server's head and heals
 * without loss. */
static void restored_device_goes_on(void **state)
{
    struct village village;
    struct mq_sync_result result = {0};
    (void)state;
    village_begin(&village, 6);
    struct village_member *device = &village.devices[0];
    village_add(device, HOUSEHOLD, NULL);
    village_sync_all(&village, 1);
    village_keep(&village, device, "backup");
    village_add(device, VISIT, NULL);
    village_sync_all(&village, 1);
    village_bring_back(&village, device, "backup");
    village_add(device, NEED, NULL);
    assert_int_equal(village_sync(&village, device, &result), MQ_OK);
    assert_true(result.cloned);
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(&village.desk).records, 3);
    assert_int_equal(village_safety(device).records, 3);
    assert_int_equal(village_safety(device).saved + village_safety(device).stored, 0);
    assert_all_same(&village);
    village_end(&village);
}

/* What a store that was set back had already brought, and what it forgot again, are anchored for it too: the desk's receipt
 * names a later segment, which is its own and comes back to it from the server. */
static void restored_device_sees_its_receipts(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 12);
    struct village_member *device = &village.devices[0];
    village_add(device, HOUSEHOLD, NULL);
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    village_keep(&village, device, "backup");
    village_add(device, VISIT, NULL);
    village_sync_all(&village, 1);
    village_bring_back(&village, device, "backup");
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(device).records, 2);
    assert_int_equal(village_safety(device).saved + village_safety(device).stored, 0);
    assert_all_same(&village);
    village_end(&village);
}

/* A server that lost everything gets it back from the devices, others' records too. */
static void emptied_server_is_healed(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 7);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], VISIT, NULL);
    village_sync_all(&village, 2);
    village_relay_empty(&village);
    village_close(&village.devices[0]); /* its writer is away: the others must bring it */
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_sync_all(&village, 1);
    village_close(&village.devices[1]);
    struct mq_have have;
    uint64_t bytes;
    uint8_t stream[MQ_ID_SIZE];
    village_open(&village.devices[0]);
    struct mq_query *query;
    assert_int_equal(mq_db_query(mq_replica_db(village.devices[0].replica), &query, &problem,
                                 "SELECT stream FROM stream WHERE mine = 1", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(stream, mq_db_blob(query, 0).data, sizeof stream);
    mq_db_done(&query);
    assert_int_equal(village.store->verbs->held(village.store, stream, &have, &bytes, &problem), MQ_OK);
    assert_int_equal(have.count, 1);
    village_sync_all(&village, 1);
    assert_all_same(&village);
    village_end(&village);
}

/* A bundle read twice, or after the network brought the same, changes nothing; a flipped bit anywhere refuses it whole.
 */
static void bundles_are_idempotent(void **state)
{
    struct village village;
    struct mq_admitted taken;
    int64_t segments;
    char path[256];
    (void)state;
    village_begin(&village, 8);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    snprintf(path, sizeof path, "%s/stick", village.directory);
    assert_int_equal(mq_bundle_write(village.devices[0].replica, path, &segments, &problem), MQ_OK);
    assert_int_equal(segments, 1);
    assert_int_equal(mq_bundle_read(village.devices[1].replica, path, &taken, &problem), MQ_OK);
    assert_int_equal(taken.segments, 1);
    assert_int_equal(mq_bundle_read(village.devices[1].replica, path, &taken, &problem), MQ_OK);
    assert_int_equal(taken.segments, 0);
    assert_same_view(&village.devices[0], &village.devices[1]);
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK); /* carried on to the server */
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.desk).records, 1);
    assert_all_same(&village);

    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, 200, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, 200, SEEK_SET);
    fputc(byte ^ 4, file);
    fclose(file);
    mq_error_clear(&problem);
    assert_int_equal(mq_bundle_read(village.devices[2].replica, path, &taken, &problem), MQ_DAMAGED);
    mq_error_clear(&problem);
    village_end(&village);
}

/* The view made anew from journal and segments is the same view. */
static void rebuild_changes_nothing(void **state)
{
    struct village village;
    uint8_t before[MQ_HASH_SIZE], after[MQ_HASH_SIZE];
    (void)state;
    village_begin(&village, 9);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_sync_all(&village, 2);
    village_add(&village.devices[0], VISIT, NULL);
    village_set(&village.devices[0], "H-1", "nickname=老杨");
    village_set(&village.devices[0], "H-1", "tags+=独居老人");
    for (int i = 0; i < 2; i++) {
        struct mq_replica *replica = i == 0 ? village.devices[0].replica : village.desk.replica;
        assert_int_equal(mq_view_hash(replica, before, &problem), MQ_OK);
        assert_int_equal(mq_view_rebuild(replica, &problem), MQ_OK);
        assert_int_equal(mq_view_hash(replica, after, &problem), MQ_OK);
        assert_memory_equal(before, after, sizeof before);
    }
    village_end(&village);
}

/* Many small daily segments lean on each other, and a newcomer still reads all of them from the start. */
static void linked_segments_open_in_order(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 10);
    village_close(&village.devices[3]);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    for (int i = 0; i < 80; i++) {
        char json[700];
        snprintf(
            json, sizeof json,
            "{\"kind\":\"visit\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"第%d次来，看了看水管和灶台，说好月底前再来。老人讲合作"
            "医疗的单子还压在柜子里，问能不能补报；屋后的沟上回清过，这次又淤了半截，约了组长周六一起挖。娃娃的助学表填好了，差学校一个章。灶屋的烟道裂了缝，先拿黄泥糊上。\"}",
            i);
        village_add(&village.devices[0], json, NULL);
        assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
        if (i % 4 == 0)
            assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    }
    int64_t linked = 0;
    assert_int_equal(mq_db_number(mq_replica_db(village.devices[0].replica), &linked, &problem,
                                  "SELECT count(*) FROM segment WHERE links > 0", ""),
                     MQ_OK);
    assert_true(linked > 60);
    village_open(&village.devices[3]);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.devices[3]).records, 81);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 81);
    assert_all_same(&village);
    village_end(&village);
}

/* What the desk merges is one everywhere, both sides' values kept; undone, each has its own values back, on every
 * device. */
static void merge_is_undone(void **state)
{
    struct village village;
    uint8_t before[MQ_HASH_SIZE], after[MQ_HASH_SIZE];
    (void)state;
    village_begin(&village, 11);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[1],
                "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"杨老三\",\"people\":4}",
                NULL);
    village_sync_all(&village, 2);
    char *apart = village_export(&village.devices[2]);
    assert_int_equal(
        mq_records_merge(village.devices[0].replica, mq_span_text("H-1"), mq_span_text("H-2"), false, &problem),
        MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(mq_records_merge(village.desk.replica, mq_span_text("H-1"), mq_span_text("H-2"), false, &problem),
                     MQ_OK);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        assert_int_equal(village_safety(&village.devices[i]).records, 1);
    assert_int_equal(village_safety(&village.devices[2]).conflicts, 1); /* two heads: a person decides */
    assert_all_same(&village);
    assert_int_equal(mq_view_hash(village.desk.replica, before, &problem), MQ_OK);
    assert_int_equal(mq_records_merge(village.desk.replica, mq_span_text("H-1"), mq_span_text("H-1"), true, &problem),
                     MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(mq_view_hash(village.desk.replica, after, &problem), MQ_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(mq_records_merge(village.desk.replica, mq_span_text("H-2"), mq_span_text("H-1"), true, &problem),
                     MQ_OK);
    village_sync_all(&village, 2);
    char *again = village_export(&village.devices[2]);
    assert_string_equal(apart, again);
    assert_all_same(&village);
    free(apart);
    free(again);
    village_end(&village);
}

/* What a device wrote is accounted for as its own although a copy of it sealed the same changes, in whatever order the
 * segments go through the door when the view is made again. Both are asked, so that one has the copy's segment first. */
static void copies_account_for_their_own(void **state)
{
    struct village village;
    struct village_member clone;
    (void)state;
    village_begin(&village, 21);
    struct village_member *both[] = {&village.devices[0], &clone};
    village_add(both[0], "{\"kind\":\"suggestion\",\"id\":\"G-1\",\"text\":\"路灯\"}", NULL);
    village_clone(&village, both[0], &clone);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(village_sync(&village, &clone, NULL), MQ_OK);
        village_sync_all(&village, 1);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(village_safety(both[i]).anchored, 1);
        assert_int_equal(mq_view_rebuild(both[i]->replica, &problem), MQ_OK);
        assert_int_equal(village_safety(both[i]).anchored, 1);
    }
    village_close(&clone);
    mq_fake_free(clone.fake);
    village_end(&village);
}

/* A segment of the first device, whose announce is told, waits for it at the second. The server is emptied. */
static void unannounced_begin(struct village *village, uint64_t seed, uint8_t told[MQ_ANNOUNCE_SIZE])
{
    struct hostile_copy copy;
    struct mq_announce announce;
    village_begin(village, seed);
    village_sync_all(village, 1);
    village_add(&village->devices[0], HOUSEHOLD, NULL);
    hostile_copy(&village->devices[0], &copy);
    assert_int_equal(mq_announce_find(village->devices[0].replica, copy.segment.stream, &announce, &problem), MQ_OK);
    mq_announce_encode(told, &announce);
    const struct mq_frame frame = {MQ_FRAME_SEGMENT, mq_span(copy.bytes, copy.size)};
    assert_int_equal(village_hear(&village->devices[1], &frame), 0);
    village_relay_empty(village);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

/* The second device brings it in this sync; nobody ever finds the first one. */
static void unannounced_end(struct village *village)
{
    village_close(&village->devices[0]);
    assert_int_equal(village_sync(village, &village->devices[1], NULL), MQ_OK);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
    assert_int_equal(hostile_count(&village->desk, "SELECT count(*) FROM change"), 1);
    village_open(&village->devices[0]);
    village_end(village);
}

/* A segment that waits for its announce stands in no list of what a device has. When the announce comes at last, the server, which was
 * emptied meanwhile, learns of it, and gets what its writer lost. */
static void what_waited_for_its_announce_is_brought(void **state)
{
    struct village village;
    uint8_t announce[MQ_ANNOUNCE_SIZE];
    (void)state;
    unannounced_begin(&village, 31, announce);
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(village_hear(&village.devices[1], &(struct mq_frame){MQ_FRAME_ANNOUNCE, MQ_SPAN(announce)}), 0);
    unannounced_end(&village);
}

/* The same where the announce comes with the very answer to such a list: its writer's request broke off behind it. */
static void a_list_does_not_tell_of_what_its_answer_brings(void **state)
{
    static uint8_t asked[4096], answered[MQ_REPLY_MAX];
    struct village village;
    struct mq_buffer request = mq_buffer(asked, sizeof asked), reply = mq_buffer(answered, sizeof answered);
    struct mq_request head = {.budget = MQ_REPLY_BUDGET_MIN};
    struct mq_post_answer answer = {0};
    uint8_t announce[MQ_ANNOUNCE_SIZE];
    (void)state;
    unannounced_begin(&village, 32, announce);
    struct mq_transport transport = village_transport(&village);
    memcpy(head.token, village.devices[0].team.token, sizeof head.token);
    mq_request_put(&request, &head);
    mq_frame_put(&request, MQ_FRAME_ANNOUNCE, MQ_SPAN(announce));
    assert_int_equal(transport.post(transport.context, MQ_EXCHANGE_PATH, mq_written(&request), &reply, &answer, &problem), MQ_OK);
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(hostile_count(&village.devices[1], "SELECT count(*) FROM unverified"), 0);
    unannounced_end(&village);
}

/* A relay that asks for the same stream whatever it is given ends the sync soon: it costs a few rounds of somebody's line, and
 * not all that fit into its time. */
static void asking_for_ever_ends_soon(void **state)
{
    static struct hostile_copy copy;
    struct village village;
    (void)state;
    village_begin(&village, 27);
    struct village_member *device = &village.devices[0];
    village_add(&village.devices[1], HOUSEHOLD, NULL);
    hostile_copy(&village.devices[1], &copy);
    village_sync_all(&village, 2);
    village_add(device, VISIT, NULL);
    struct hostile_way way = {.village = &village, .wanted = MQ_SPAN(copy.segment.stream)};
    assert_int_equal(hostile_sync(&way, device, NULL), MQ_UNREACHABLE);
    assert_in_range(way.requests, 2, 20);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 1);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_the_whole_way),
        cmocka_unit_test(conflict_is_decided),
        cmocka_unit_test(equal_ids_are_one),
        cmocka_unit_test(cuts_lose_nothing),
        cmocka_unit_test(clones_go_on),
        cmocka_unit_test(original_gets_what_its_copy_wrote),
        cmocka_unit_test(anchored_branch_comes_back),
        cmocka_unit_test(chance_that_repeats_opens_new_streams),
        cmocka_unit_test(restored_device_goes_on),
        cmocka_unit_test(restored_device_sees_its_receipts),
        cmocka_unit_test(emptied_server_is_healed),
        cmocka_unit_test(bundles_are_idempotent),
        cmocka_unit_test(rebuild_changes_nothing),
        cmocka_unit_test(linked_segments_open_in_order),
        cmocka_unit_test(merge_is_undone),
        cmocka_unit_test(copies_account_for_their_own),
        cmocka_unit_test(what_waited_for_its_announce_is_brought),
        cmocka_unit_test(a_list_does_not_tell_of_what_its_answer_brings),
        cmocka_unit_test(asking_for_ever_ends_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
