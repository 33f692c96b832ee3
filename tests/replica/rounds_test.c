/* Aim: a sync goes on for as long as its rounds move anything, however thin the line, and ends soon when they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/compartment.h"
#include "protocol/exchange.h"
#include "replica/bundle.h"
#include "replica/outgoing.h"
#include "tests/replica/hostile.h"

#define THIN (20 * 1000)     /* bytes that get through: bodies of 16 KiB, and no larger ones */
#define LARGE_VISITS 12      /* in four segments */
#define SENSITIVE_RECORDS 400 /* of 600 bytes: in four segments or more */
#define WORDY_STREAMS 70     /* receipts that fill their share of such a reply, in every round */
#define LISTED_STREAMS 520   /* of 40 bytes each in the list */
#define INVENTED_CASES 20000
#define ENDS_SOON 20         /* requests */
#define HAVE_OF_TEAMS 17     /* a step of the schema */

static struct mq_error problem;
static struct village village;

static int begin(void **state)
{
    (void)state;
    mq_error_clear(&problem);
    village_begin(&village, 71);
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

/* Text that hardly compresses and needs no escape in JSON. */
static void put_noise(struct mq_buffer *out, unsigned seed, unsigned size)
{
    uint32_t chance = 4711u + seed * 777u;
    for (unsigned i = 0; i < size; i++) {
        chance = chance * 1664525u + 1013904223u;
        uint32_t sign = '#' + (chance >> 9) % ('~' - '#');
        mq_put_u8(out, (uint8_t)(sign < '\\' ? sign : sign + 1));
    }
}

static void add_noisy(struct village_member *member, const char *head, unsigned number, unsigned size)
{
    static char json[MQ_LONG_TEXT_MAX + 300];
    struct mq_buffer out = mq_buffer((uint8_t *)json, sizeof json - 1);
    mq_put_text(&out, head);
    put_noise(&out, number, size);
    mq_put_text(&out, "\"}");
    assert_false(out.failed);
    json[out.size] = '\0';
    village_add(member, json, NULL);
}

/* Three fill a segment, which has about 40 kB then. */
static void add_large_visit(struct village_member *member, unsigned number)
{
    add_noisy(member, "{\"kind\":\"visit\",\"place\":\"990527103204\",\"date\":\"2026-11-05\",\"notes\":\"", number, 16300);
}

static void add_household(struct village_member *member, unsigned number)
{
    char json[200];
    snprintf(json, sizeof json, "{\"kind\":\"household\",\"id\":\"H-%u\",\"place\":\"990527103204\",\"head\":\"冯谷雨\"}", number);
    village_add(member, json, NULL);
}

/* Segments that are each larger than a body can be on this line go up in one sync, in many pieces: here what is sensitive, on
 * a stick, of one who has to do without a line, by one who may not read it, so that no cursor tells how far it came. */
static void large_segments_go_up_on_a_thin_line(void **state)
{
    struct village_member *writer = &village.devices[0], *carrier = &village.devices[3];
    struct mq_admitted taken;
    char path[256];
    int64_t written;
    (void)state;
    village_blind(&village, carrier);
    village_add(writer, "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"冯谷雨\"}", NULL);
    for (unsigned i = 0; i < SENSITIVE_RECORDS; i++)
        add_noisy(writer, "{\"kind\":\"standing\",\"household\":\"H-1\",\"type\":\"低保家庭\",\"basis\":\"证件\",\"note\":\"", i, 590);
    snprintf(path, sizeof path, "%s/stick", village.directory);
    assert_int_equal(mq_bundle_write(writer->replica, path, &written, &problem), MQ_OK);
    assert_int_equal(mq_bundle_read(carrier->replica, path, &taken, &problem), MQ_OK);
    assert_in_range(hostile_count(carrier, "SELECT count(*) FROM segment WHERE length(bytes) > 32768"), 4, 10);
    struct hostile_way way = {.village = &village, .request_most = THIN, .reply_most = THIN};
    assert_int_equal(hostile_sync(&way, carrier, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_safety(&village.desk).records, SENSITIVE_RECORDS + 1);
}

/* The same down, where what the desk has to say takes most of every reply. */
static void large_segments_come_down_on_a_thin_line(void **state)
{
    struct village_member *writer = &village.devices[0], *reader = &village.devices[1];
    (void)state;
    for (unsigned i = 0; i < WORDY_STREAMS; i++) {
        assert_int_equal(mq_streams_close(reader->replica, &problem), MQ_OK);
        add_household(reader, i);
        assert_int_equal(village_sync(&village, reader, NULL), MQ_OK);
    }
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    for (unsigned i = 0; i < LARGE_VISITS; i++)
        add_large_visit(writer, i);
    assert_int_equal(village_sync(&village, writer, NULL), MQ_OK);
    struct hostile_way way = {.village = &village, .request_most = THIN, .reply_most = THIN};
    assert_int_equal(hostile_sync(&way, reader, NULL), MQ_OK);
    assert_true(hostile_count(reader, "SELECT max(length(bytes)) FROM segment") > 9 * MQ_BODY_SMALLEST / 4); /* ten pieces */
    assert_int_equal(village_safety(reader).records, WORDY_STREAMS + LARGE_VISITS);
}

/* A relay that asks for one stream, then for another, then for the first again, whatever it is given, costs no more rounds
 * than one that always asks for the same. */
static void asking_in_turn_ends_soon(void **state)
{
    static struct hostile_copy copies[2];
    struct village_member *device = &village.devices[0];
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        add_household(&village.devices[i + 1], i);
        hostile_copy(&village.devices[i + 1], &copies[i]);
    }
    village_sync_all(&village, 2);
    add_household(device, 9);
    struct hostile_way way = {.village = &village,
                              .wanted = MQ_SPAN(copies[0].segment.stream),
                              .wanted_in_turn = MQ_SPAN(copies[1].segment.stream)};
    assert_int_equal(hostile_sync(&way, device, NULL), MQ_UNREACHABLE);
    assert_in_range(way.requests, 2, ENDS_SOON);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 1);
}

/* A relay that takes a large segment's pieces and never keeps it ends the sync soon. */
static void pieces_for_nothing_end_soon(void **state)
{
    struct village_member *device = &village.devices[0];
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        add_large_visit(device, i);
    struct hostile_way way = {.village = &village, .request_most = THIN, .keeps_nothing = true};
    assert_int_equal(hostile_sync(&way, device, NULL), MQ_UNREACHABLE);
    assert_in_range(way.requests, 2, 4 * ENDS_SOON);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 3);
}

/* After the centre was emptied, a list of what is held that is larger than a body can be on this line is said in pieces. */
static void a_long_list_goes_on_a_thin_line(void **state)
{
    struct village_member *device = &village.devices[0];
    (void)state;
    for (unsigned i = 0; i < LISTED_STREAMS; i++) {
        assert_int_equal(mq_streams_close(device->replica, &problem), MQ_OK);
        add_household(device, i);
        assert_int_equal(mq_seal_all(device->replica, &problem), MQ_OK);
    }
    village_sync_all(&village, 2);
    village_relay_empty(&village);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    struct hostile_way way = {.village = &village, .request_most = THIN, .reply_most = THIN};
    assert_int_equal(hostile_sync(&way, device, NULL), MQ_OK);
    assert_int_equal(hostile_sync(&way, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT value FROM setting WHERE name LIKE 'have_owed:%'"), 0);
}

/* A store of a program that owed one list for all teams owes each team its own. */
static void an_old_debt_is_kept(void **state)
{
    struct village_member *device = &village.devices[0];
    struct mq_db *db = mq_replica_db(device->replica);
    (void)state;
    assert_int_equal(mq_db_script(db, "DELETE FROM setting WHERE name LIKE 'have_owed:%'; INSERT INTO setting VALUES('have_owed', 1)",
                                  &problem),
                     MQ_OK);
    assert_int_equal(mq_db_script(db, mq_schema_steps[HAVE_OF_TEAMS], &problem), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM setting WHERE name = 'have_owed'"), 0);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM setting WHERE name LIKE 'have_owed:%' AND value = 1"), 1);
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT value FROM setting WHERE name LIKE 'have_owed:%'"), 0);
}

/* A relay that answers as it should, and adds that something lies in thousands of cases. */
static enum mq_status post_inventing(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                                     struct mq_post_answer *answer, struct mq_error *error)
{
    const struct mq_transport honest = village_transport(context);
    enum mq_status status = honest.post(honest.context, path, body, reply, answer, error);
    reply->size -= MQ_FRAME_HEADER_SIZE + MQ_EXCHANGE_SUM_SIZE;
    for (uint32_t i = 0; i < INVENTED_CASES; i++) {
        uint8_t memory[12];
        struct mq_buffer claim = mq_buffer(memory, sizeof memory);
        mq_put_u32(&claim, MQ_COMPARTMENT_CASE_FIRST + 5000 + i);
        mq_put_u64(&claim, 1);
        mq_frame_put(reply, MQ_FRAME_ELSEWHERE, mq_written(&claim));
    }
    mq_exchange_end(reply);
    assert_false(reply->failed);
    return status;
}

/* Cases that a relay invents cost who reads restricted matters no more than the syncs with that relay, and one more. */
static void invented_cases_are_forgotten(void **state)
{
    struct village_member *named = &village.devices[1];
    const struct mq_transport inventing = {&village, post_inventing};
    struct mq_sync_result lied_to = {0}, result = {0};
    (void)state;
    village_name(&village, named, true);
    village_sync_all(&village, 2);
    (void)!mq_sync(named->replica, &named->team, &inventing, NULL,
                   named->platform->monotonic_ms(named->platform->self) + 20000, &lied_to, &problem);
    for (int i = 0; i < 2; i++) {
        result = (struct mq_sync_result){0};
        assert_int_equal(village_sync(&village, named, &result), MQ_OK);
    }
    assert_in_range(result.requests, 1, ENDS_SOON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(large_segments_go_up_on_a_thin_line, begin, end),
        cmocka_unit_test_setup_teardown(large_segments_come_down_on_a_thin_line, begin, end),
        cmocka_unit_test_setup_teardown(a_long_list_goes_on_a_thin_line, begin, end),
        cmocka_unit_test_setup_teardown(an_old_debt_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(asking_in_turn_ends_soon, begin, end),
        cmocka_unit_test_setup_teardown(pieces_for_nothing_end_soon, begin, end),
        cmocka_unit_test_setup_teardown(invented_cases_are_forgotten, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
