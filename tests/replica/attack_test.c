/* Aim: whatever a relay, a link or a member does, no record is lost, none is shown safer than it is, and nobody else is
 * stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/cbor.h"
#include "protocol/change.h"
#include "protocol/control_keys.h"
#include "protocol/identity_keys.h"
#include "replica/bundle.h"
#include "replica/journal.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define LONG_VISITS 8
#define THIN_SEGMENTS 60
#define THIN_REPLY (40 * 1000)
#define THIN_REQUESTS 80 /* twice what the bytes need */

static struct mq_error problem;

/* ---- records ---- */

static void add_household(struct village_member *member, const char *id, struct mq_saved *saved)
{
    char json[300];
    snprintf(json, sizeof json, "{\"kind\":\"household\",\"id\":\"%s\",\"place\":\"990527103204\",\"head\":\"冯谷雨\"}",
             id);
    village_add(member, json, saved);
}

/* A visit whose notes hardly compress: about 9 kB on the way. */
static void add_long_visit(struct village_member *member, unsigned number)
{
    static char json[MQ_LONG_TEXT_MAX + 300];
    struct mq_buffer out = mq_buffer((uint8_t *)json, sizeof json - 1);
    char head[200];
    uint32_t chance = 12345u + number * 777u;
    snprintf(head, sizeof head,
             "{\"kind\":\"visit\",\"id\":\"V-%u\",\"place\":\"990527103204\",\"date\":\"2026-11-05\",\"notes\":\"",
             number);
    mq_put_text(&out, head);
    for (int i = 0; i < 5000; i++) {
        chance = chance * 1664525u + 1013904223u;
        uint32_t point = 0x4e00 + (chance >> 9) % 20000; /* a Han character in UTF-8 */
        mq_put_u8(&out, (uint8_t)(0xe0 | point >> 12));
        mq_put_u8(&out, (uint8_t)(0x80 | (point >> 6 & 63)));
        mq_put_u8(&out, (uint8_t)(0x80 | (point & 63)));
    }
    mq_put_text(&out, "\"}");
    assert_false(out.failed);
    json[out.size] = '\0';
    village_add(member, json, NULL);
}

/* A create as no check has seen it: id, head, and where `same_as` is given a link to that record. */
static void put_household(struct mq_buffer *out, const char *id, const char *head, const uint8_t *same_as)
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_HOUSEHOLD);
    uint8_t memory[256];
    struct mq_buffer pairs = mq_buffer(memory, sizeof memory);
    if (same_as != NULL) {
        mq_cbor_put_uint(&pairs, MQ_FIELD_SAME_AS);
        mq_cbor_put_array(&pairs, 1);
        mq_put_reference(&pairs, same_as);
    }
    mq_cbor_put_uint(&pairs, MQ_FIELD_ID);
    assert_int_equal(mq_value_from_text(mq_field_by_number(kind, MQ_FIELD_ID), mq_span_text(id), &pairs), MQ_OK);
    mq_cbor_put_uint(&pairs, mq_field_by_key(kind, mq_span_text("head"))->number);
    mq_cbor_put_text(&pairs, mq_span_text(head));
    mq_change_put_create(out, MQ_KIND_HOUSEHOLD, same_as != NULL ? 3 : 2, mq_written(&pairs));
    assert_false(out->failed);
}

static void assert_same_view(struct village_member *a, struct village_member *b)
{
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(a->replica, left, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(b->replica, right, &problem), MQ_OK);
    assert_memory_equal(left, right, sizeof left);
}

/* The world of one test, begun and ended. */
static void begin(struct village *village, uint64_t seed)
{
    mq_error_clear(&problem);
    village_begin(village, seed);
}

static void end(struct village *village)
{
    hostile_accounted(village);
    village_end(village);
}

/* ---- what was carried ---- */

/* Segments carried for another device do not count as said before they were sent: all nine records reach the desk. */
static void carried_for_others_arrives(void **state)
{
    struct village village;
    struct mq_admitted taken;
    char path[256];
    int64_t written;
    (void)state;
    begin(&village, 21);
    struct village_member *carrier = &village.devices[1];
    add_household(&village.devices[0], "H-1", NULL);
    snprintf(path, sizeof path, "%s/stick", village.directory);
    assert_int_equal(mq_bundle_write(village.devices[0].replica, path, &written, &problem), MQ_OK);
    assert_int_equal(mq_bundle_read(carrier->replica, path, &taken, &problem), MQ_OK);
    for (unsigned i = 0; i < LONG_VISITS; i++)
        add_long_visit(carrier, i);
    struct hostile_way way = {.village = &village, .drop_to = 4}; /* bodies become small, segments go in parts */
    assert_int_equal(hostile_sync(&way, carrier, NULL), MQ_OK);
    assert_int_equal(hostile_count(carrier, "SELECT count(*) FROM segment WHERE carry = 1"), 0);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_safety(&village.desk).records, LONG_VISITS + 1);
    village_sync_all(&village, 1);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 1);
    assert_int_equal(village_safety(carrier).anchored, LONG_VISITS);
    end(&village);
}

/* The same for one's own closed stream: nothing is shown stored that the desk does not get. */
static void carried_of_closed_stream_arrives(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 22);
    struct village_member *device = &village.devices[1];
    add_household(device, "H-1", NULL);
    assert_int_equal(mq_seal_all(device->replica, &problem), MQ_OK);
    assert_int_equal(mq_streams_close(device->replica, &problem), MQ_OK);
    for (unsigned i = 0; i < LONG_VISITS; i++)
        add_long_visit(device, i);
    struct hostile_way way = {.village = &village, .drop_to = 4};
    assert_int_equal(hostile_sync(&way, device, NULL), MQ_OK);
    struct mq_safety shown = village_safety(device);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_true(shown.stored <= village_safety(&village.desk).records);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.desk).records, LONG_VISITS + 1);
    assert_int_equal(village_safety(device).anchored, LONG_VISITS + 1);
    end(&village);
}

/* A link that breaks after 40 kB of every reply brings everything all the same, without asking for ever; and once more
 * where a device has to ask from the start for what it knows (after a reset, or as a copy). */
static void thin_link_brings_everything(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 23);
    for (unsigned i = 0; i < THIN_SEGMENTS; i++) {
        add_long_visit(&village.devices[0], i);
        assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    }
    assert_int_equal(hostile_count(&village.devices[0], "SELECT count(*) FROM segment"), THIN_SEGMENTS);
    assert_true(hostile_count(&village.devices[0], "SELECT min(length(bytes)) FROM segment") > 7000);
    struct hostile_way way = {.village = &village, .reply_most = THIN_REPLY};
    assert_int_equal(hostile_sync(&way, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(village_safety(&village.devices[1]).records, THIN_SEGMENTS);
    assert_true(way.requests <= THIN_REQUESTS);
    village_sync_all(&village, 1);
    assert_same_view(&village.desk, &village.devices[1]);

    assert_int_equal(mq_db_run(mq_replica_db(village.devices[1].replica), &problem,
                               "UPDATE mailbox SET cursor = 0, fingerprint = zeroblob(16)", ""),
                     MQ_OK);
    way.requests = 0;
    assert_int_equal(hostile_sync(&way, &village.devices[1], NULL), MQ_OK);
    assert_true(way.requests <= THIN_REQUESTS);
    end(&village);
}

/* ---- what a relay may try ---- */

/* A relay that withholds one segment from the desk gets nothing anchored behind the hole. */
static void withheld_segment_anchors_nothing(void **state)
{
    struct village village;
    char id[20];
    (void)state;
    begin(&village, 24);
    struct village_member *device = &village.devices[0];
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "H-%d", i);
        add_household(device, id, NULL);
        assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    }
    struct hostile_way way = {.village = &village, .withheld_seq = 5};
    assert_int_equal(hostile_sync(&way, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    struct mq_safety shown = village_safety(device);
    assert_int_equal(shown.anchored, 4);
    assert_int_equal(shown.stored, 16);
    assert_true(shown.anchored <= village_safety(&village.desk).records);
    end(&village);
}

/* A copy with a broken signature that comes first, from whomever, does not keep the good segment out. */
static void broken_copy_blocks_nothing(void **state)
{
    static struct hostile_copy copy;
    struct village village;
    struct mq_admitted taken = {0};
    (void)state;
    begin(&village, 25);
    struct mq_db *db = mq_replica_db(village.desk.replica);
    add_household(&village.devices[0], "H-1", NULL);
    hostile_copy(&village.devices[0], &copy);
    copy.bytes[copy.size - 1] ^= 1;
    const struct mq_frame broken = {.type = MQ_FRAME_SEGMENT, .payload = {copy.bytes, copy.size}};
    assert_int_equal(mq_db_begin(db, &problem), MQ_OK);
    assert_int_equal(mq_admit(village.desk.replica, &broken, true, &taken, &problem), MQ_OK);
    assert_int_equal(mq_db_commit(db, &problem), MQ_OK);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.desk).records, 1);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state <> 1"), 0);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM unverified"), 0);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 1);
    end(&village);
}

static int64_t own_streams(struct village_member *member)
{
    return hostile_count(member, "SELECT count(*) FROM stream WHERE mine = 1");
}

/* A claimed head opens a new stream only with a skeleton of that number under our key: not without one, not with an
 * old one of ours, not with somebody else's. */
static void claimed_head_opens_no_stream(void **state)
{
    static struct hostile_copy own, other;
    struct village village;
    (void)state;
    begin(&village, 26);
    struct village_member *device = &village.devices[0];
    add_household(device, "H-1", NULL);
    add_household(&village.devices[1], "H-2", NULL);
    village_sync_all(&village, 1);
    hostile_copy(device, &own);
    hostile_copy(&village.devices[1], &other);
    const struct {
        uint32_t seq;
        const struct mq_segment *said;
        struct mq_span skeleton;
    } claims[] = {{99, &own.segment, {0}},
                  {99, &own.segment, MQ_SPAN(own.skeleton)},
                  {1, &other.segment, MQ_SPAN(other.skeleton)}};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct hostile_way way = {
            .village = &village, .claimed_seq = claims[i].seq, .skeleton = claims[i].skeleton};
        struct mq_sync_result result = {0};
        memcpy(way.claimed_id, claims[i].said->id, MQ_ID_SIZE);
        enum mq_status status = hostile_sync(&way, device, &result);
        assert_true(status == MQ_OK || status == MQ_UNREACHABLE);
        assert_false(result.cloned);
        assert_int_equal(own_streams(device), 1);
    }
    village_set(device, "H-1", "nickname=谷雨");
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 1);
    assert_int_equal(own_streams(device), 1);
    end(&village);
}

/* A head claimed to a device that never wrote anything does nothing to it. */
static void claimed_head_without_stream(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 27);
    struct village_member *device = &village.devices[2];
    struct hostile_way way = {.village = &village, .claimed_seq = 3};
    assert_int_equal(hostile_sync(&way, device, NULL), MQ_OK);
    assert_int_equal(own_streams(device), 0);
    add_household(device, "H-1", NULL);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 1);
    end(&village);
}

static uint32_t held_by_relay(struct village *village, struct village_member *writer)
{
    static struct hostile_copy copy;
    struct mq_have have;
    uint64_t bytes;
    hostile_copy(writer, &copy);
    assert_int_equal(village->store->verbs->held(village->store, copy.segment.stream, &have, &bytes, &problem), MQ_OK);
    return have.count;
}

/* The have-list that is owed to an emptied server outlives a cut right after it asked, and the server is healed. */
static void have_list_survives_a_cut(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 28);
    add_household(&village.devices[0], "H-1", NULL);
    village_sync_all(&village, 2);
    village_relay_empty(&village);
    struct hostile_way way = {.village = &village, .drop_from = 2, .drop_to = 1000000}; /* stranger, reset, silence */
    assert_int_equal(hostile_sync(&way, &village.desk, NULL), MQ_UNREACHABLE);
    assert_int_equal(held_by_relay(&village, &village.devices[0]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(held_by_relay(&village, &village.devices[0]), 1);
    end(&village);
}

/* Segments that nobody can verify fill no disk: a bounded number is kept, the rest refused, and the sync goes on. */
static void unverifiable_is_bounded(void **state)
{
    static struct hostile_copy copy;
    const int many = 6000;
    struct village village;
    struct mq_admitted taken = {0};
    (void)state;
    begin(&village, 29);
    struct village_member *device = &village.devices[1];
    struct mq_db *db = mq_replica_db(device->replica);
    add_household(&village.devices[0], "H-1", NULL);
    hostile_copy(&village.devices[0], &copy);
    assert_int_equal(mq_db_begin(db, &problem), MQ_OK);
    for (int i = 0; i < many; i++) {
        copy.bytes[2] = (uint8_t)i; /* of the stream's name: of a writer whom nobody announced */
        copy.bytes[3] = (uint8_t)(i >> 8);
        const struct mq_frame frame = {.type = MQ_FRAME_SEGMENT, .payload = {copy.bytes, copy.size}};
        assert_int_equal(mq_admit(device->replica, &frame, false, &taken, &problem), MQ_OK);
    }
    assert_int_equal(mq_admit_waiting(device->replica, &taken, &problem), MQ_OK);
    assert_int_equal(mq_db_commit(db, &problem), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM unverified"), MQ_UNVERIFIED_MAX);
    assert_int_equal(taken.refused, many - MQ_UNVERIFIED_MAX);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).records, 1);
    end(&village);
}

/* ---- what a member may try ---- */

/* A hundred records of one id, written on two devices, are one to everybody, also when the view is made anew. */
static void hundred_records_of_one_id(void **state)
{
    struct village village;
    uint8_t memory[512], record[MQ_ID_SIZE];
    char head[32];
    (void)state;
    begin(&village, 30);
    for (int i = 0; i < 100; i++) {
        struct mq_buffer create = mq_buffer(memory, sizeof memory);
        struct village_member *device = &village.devices[i % 2];
        snprintf(head, sizeof head, "第%d户", i);
        put_household(&create, "H-1", head, NULL);
        assert_int_equal(
            mq_journal_add(device->replica, &device->team, mq_written(&create), NULL, record, &problem), MQ_OK);
    }
    village_sync_all(&village, 3);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        assert_same_view(&village.desk, &village.devices[i]);
    assert_int_equal(mq_view_rebuild(village.desk.replica, &problem), MQ_OK);
    assert_same_view(&village.desk, &village.devices[0]);
    assert_int_equal(village_safety(&village.desk).records, 1);
    end(&village);
}

/* A create with 49,000 elements, small on the way and large in memory, stops nobody: it is undecodable, and counted. */
static void huge_create_stops_nobody(void **state)
{
    static uint8_t memory[MQ_CHANGE_MAX];
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_HOUSEHOLD);
    const int64_t creates = 10;
    struct village village;
    (void)state;
    begin(&village, 31);
    struct mq_buffer pairs = mq_buffer(memory, sizeof memory);
    mq_cbor_put_uint(&pairs, mq_field_by_key(kind, mq_span_text("tags"))->number);
    mq_cbor_put_array(&pairs, 49000);
    for (int i = 0; i < 49000; i++)
        mq_cbor_put_uint(&pairs, 0);
    static uint8_t change_memory[MQ_CHANGE_MAX];
    struct mq_buffer create = mq_buffer(change_memory, sizeof change_memory);
    mq_change_put_create(&create, MQ_KIND_HOUSEHOLD, 1, mq_written(&pairs));
    assert_false(create.failed);
    for (int64_t i = 0; i < creates; i++)
        hostile_write(&village.devices[0], mq_written(&create));
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    add_household(&village.devices[1], "H-1", NULL);
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(village_safety(&village.devices[1]).anchored, 1);
    assert_int_equal(village_safety(&village.desk).records, 1);
    struct mq_partition parts;
    assert_int_equal(mq_partition(village.desk.replica, &parts, &problem), MQ_OK);
    assert_int_equal(parts.undecodable, creates);
    assert_int_equal(mq_partition(village.devices[1].replica, &parts, &problem), MQ_OK);
    assert_int_equal(parts.undecodable, creates);
    end(&village);
}

/* A record whose `id` is none, and what points to it, are shown by the record's own id; all else is shown as ever. */
static void an_id_that_is_none_hides_nothing(void **state)
{
    struct village village;
    uint8_t memory[256], pair[16], record[MQ_ID_SIZE], reference[32];
    struct mq_buffer create = mq_buffer(memory, sizeof memory), pairs = mq_buffer(pair, sizeof pair);
    (void)state;
    begin(&village, 17);
    add_household(&village.devices[1], "H-1", NULL);
    mq_cbor_put_uint(&pairs, MQ_FIELD_ID);
    mq_cbor_put_uint(&pairs, 7); /* a number is no id */
    mq_change_put_create(&create, MQ_KIND_HOUSEHOLD, 1, mq_written(&pairs));
    hostile_write(&village.devices[0], mq_written(&create));
    village_sync_all(&village, 2);
    struct mq_query *query;
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem,
                                 "SELECT record FROM record WHERE id = x'07'", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(record, mq_db_blob(query, 0).data, sizeof record);
    mq_db_done(&query);
    create = mq_buffer(memory, sizeof memory);
    struct mq_buffer visited = mq_buffer(reference, sizeof reference);
    mq_cbor_put_uint(&visited, mq_field_by_key(mq_kind_by_number(MQ_KIND_VISIT), mq_span_text("household"))->number);
    mq_put_reference(&visited, record);
    mq_change_put_create(&create, MQ_KIND_VISIT, 1, mq_written(&visited));
    hostile_write(&village.devices[0], mq_written(&create));
    village_sync_all(&village, 2);
    char *text = village_export(&village.devices[2]);
    assert_non_null(strstr(text, "\"H-1\""));
    assert_non_null(strstr(text, "\"visit\""));
    free(text);
    end(&village);
}

/* A cadre's link between records, written as set, as add or inside a create, is set aside for its role, is named in the
 * receipt, and groups nothing. */
static void cadres_link_nothing(void **state)
{
    struct village village;
    struct mq_saved a, b;
    uint8_t memory[256], reference_memory[32];
    (void)state;
    begin(&village, 32);
    add_household(&village.devices[3], "H-1", &a);
    add_household(&village.devices[3], "H-2", &b);
    village_sync_all(&village, 2);
    struct mq_buffer reference = mq_buffer(reference_memory, sizeof reference_memory);
    mq_put_reference(&reference, b.record);
    for (int i = 0; i < 3; i++) {
        struct mq_buffer change = mq_buffer(memory, sizeof memory);
        if (i == 0)
            mq_change_put_set(&change, a.record, MQ_FIELD_SAME_AS, mq_written(&reference), (struct mq_span){0},
                              (struct mq_span){0});
        else if (i == 1)
            mq_change_put_add(&change, a.record, MQ_FIELD_SAME_AS, mq_written(&reference));
        else
            put_household(&change, "H-3", "丙", a.record);
        assert_false(change.failed);
        hostile_write(&village.devices[i], mq_written(&change));
    }
    village_sync_all(&village, 2);
    assert_int_equal(
        hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state = 2 AND reason = 'role'"), 3);
    assert_int_equal(village_safety(&village.desk).records, 2);
    assert_same_view(&village.desk, &village.devices[3]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hostile_count(&village.devices[i], "SELECT excepted FROM segment WHERE mine = 1"),
                         MQ_EXCEPTION_ROLE);
    assert_int_equal(mq_records_merge(village.desk.replica, mq_span_text("H-1"), mq_span_text("H-2"), false, &problem),
                     MQ_OK);
    assert_int_equal(village_safety(&village.desk).records, 1); /* what the three were denied, a desk may */
    end(&village);
}

/* A receipt for the device's segment, signed by `desk` in the name of `team`, at the device's door. */
static void offer_receipt(struct village_member *device, const struct mq_identity *desk, const uint8_t team[MQ_ID_SIZE],
                          const struct mq_segment *segment)
{
    uint8_t body_memory[256], object_memory[512];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory);
    struct mq_buffer object = mq_buffer(object_memory, sizeof object_memory);
    static struct mq_receipt receipt;
    struct mq_admitted taken = {0};
    receipt.head_seq = segment->seq;
    memcpy(receipt.head_id, segment->id, sizeof receipt.head_id);
    mq_receipt_put(&body, &receipt);
    struct mq_control control = {.kind = MQ_CONTROL_RECEIPT, .number = 1, .body = mq_written(&body)};
    memcpy(control.team, team, MQ_ID_SIZE);
    memcpy(control.subject, segment->stream, MQ_ID_SIZE);
    assert_int_equal(mq_control_sign(&object, &control, desk), MQ_OK);
    const struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&object)};
    assert_int_equal(mq_db_begin(mq_replica_db(device->replica), &problem), MQ_OK);
    assert_int_equal(mq_admit(device->replica, &frame, false, &taken, &problem), MQ_OK);
    assert_int_equal(mq_db_commit(mq_replica_db(device->replica), &problem), MQ_OK);
}

/* A desk of another team, certified by the same root, anchors nothing here, in whosever name it speaks. */
static void foreign_desk_anchors_nothing(void **state)
{
    static struct hostile_copy copy;
    const struct mq_secret seeds[2] = {{{9}}, {{8}}};
    struct village village;
    struct mq_identity foreign;
    struct mq_certificate certificate = {
        .role = MQ_ROLE_COUNTY_DESK, .serial = 77, .issued_day = 20000, .expiry_day = 22000};
    (void)state;
    begin(&village, 33);
    struct village_member *device = &village.devices[0];
    mq_identity_from_seeds(&foreign, &seeds[0], &seeds[1]);
    memset(certificate.team, 0x55, MQ_ID_SIZE);
    memcpy(certificate.sign_public, foreign.sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate.box_public, foreign.box_public, MQ_PUBLIC_SIZE);
    mq_certificate_sign(&certificate, &village.root);
    assert_int_equal(mq_desk_put(device->replica, &certificate, &problem), MQ_OK);
    add_household(device, "H-1", NULL);
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    hostile_copy(device, &copy);
    offer_receipt(device, &foreign, certificate.team, &copy.segment);
    offer_receipt(device, &foreign, device->team.team, &copy.segment);
    assert_int_equal(village_safety(device).anchored, 0);
    offer_receipt(device, mq_replica_identity(village.desk.replica), device->team.team, &copy.segment);
    assert_int_equal(village_safety(device).anchored, 1);
    end(&village);
}

static enum mq_status flood(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct village_member *desk = context;
    uint8_t record[MQ_ID_SIZE], id[MQ_ID_SIZE] = {0}, value[] = {0x61, 'x'}, memory[200];
    assert_int_equal(mq_view_find(replica, NULL, mq_span_text("H-1"), record, error), MQ_OK);
    for (int i = 0; i <= MQ_HISTORY_MAX; i++) { /* their ids are the smallest */
        struct mq_buffer change = mq_buffer(memory, sizeof memory);
        id[14] = (uint8_t)(i >> 8);
        id[15] = (uint8_t)i;
        mq_change_put_set(&change, record, 200, MQ_SPAN(value), mq_span(NULL, 0), mq_span(NULL, 0));
        const struct mq_view_change row = {.id = id, .record = record, .team = desk->team.team, .rank = 1, .segment = 1,
                                           .expanded = mq_written(&change)};
        assert_int_equal(mq_view_add(replica, &row, error), MQ_OK);
    }
    return mq_view_settle(replica, record, error);
}

/* More changes than a record may have do not push out its create, nor what a desk said of it. */
static void flood_hides_no_record(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 1);
    village_add(&village.devices[0], "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"余世海\"}", NULL);
    village_sync_all(&village, 2);
    village_set(&village.desk, "H-1", "where=老井边");
    assert_int_equal(mq_replica_transact(village.desk.replica, flood, &village.desk, &problem), MQ_OK);
    char *shown = village_export(&village.desk);
    assert_non_null(strstr(shown, "余世海"));
    assert_non_null(strstr(shown, "老井边"));
    free(shown);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carried_for_others_arrives),
        cmocka_unit_test(carried_of_closed_stream_arrives),
        cmocka_unit_test(thin_link_brings_everything),
        cmocka_unit_test(withheld_segment_anchors_nothing),
        cmocka_unit_test(broken_copy_blocks_nothing),
        cmocka_unit_test(claimed_head_opens_no_stream),
        cmocka_unit_test(claimed_head_without_stream),
        cmocka_unit_test(have_list_survives_a_cut),
        cmocka_unit_test(unverifiable_is_bounded),
        cmocka_unit_test(hundred_records_of_one_id),
        cmocka_unit_test(huge_create_stops_nobody),
        cmocka_unit_test(an_id_that_is_none_hides_nothing),
        cmocka_unit_test(cadres_link_nothing),
        cmocka_unit_test(foreign_desk_anchors_nothing),
        cmocka_unit_test(flood_hides_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
