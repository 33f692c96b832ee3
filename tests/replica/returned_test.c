/* Aim: what stood beside something erased in one segment comes back to a centre that lost the segment, from devices that
 * cannot read it themselves; once, in whatever size, whatever a hostile member says; and what was erased stays away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "replica/erase.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"
#include "replica/returned.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define MARKER "胆囊结石住院的事"
#define VISIT "{\"kind\":\"visit\",\"id\":\"%s\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"%s\"}"

static struct village village;
static struct mq_error problem;

static int end(void **state)
{
    (void)state;
    hostile_accounted(&village);
    village_end(&village);
    return 0;
}

static void visit(struct village_member *member, const char *id, const char *notes)
{
    static char json[20000];
    snprintf(json, sizeof json, VISIT, id, notes);
    village_add(member, json, NULL);
}

static void erase_notes(const char *id)
{
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE];
    uint8_t field = mq_field_by_key(mq_kind_by_number(MQ_KIND_VISIT), mq_span_text("notes"))->number;
    mq_error_clear(&problem);
    assert_int_equal(mq_view_find(village.desk.replica, NULL, mq_span_text(id), record, &problem), MQ_OK);
    assert_int_equal(mq_erase_list_field(village.desk.replica, &list, record, field, &problem), MQ_OK);
    assert_int_equal(mq_erase(village.desk.replica, &village.desk.team, NULL, &list, &problem), MQ_OK);
    mq_erase_list_free(&list);
}

static void copy_relay(const char *from, const char *to)
{
    char command[700];
    village.store->verbs->close(village.store);
    snprintf(command, sizeof command, "cd %s && rm -f %s* && cp %s %s", village.directory, to, from, to);
    assert_int_equal(system(command), 0);
    village_relay_open(&village, "relay.db");
}

static void back_up(void)
{
    village_keep(&village, &village.desk, "desk-before");
    copy_relay("relay.db", "relay-before.db");
}

static enum mq_status close_streams(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    return mq_streams_close(replica, error);
}

static void restore(void)
{
    village_bring_back(&village, &village.desk, "desk-before");
    mq_error_clear(&problem);
    assert_int_equal(mq_replica_transact(village.desk.replica, close_streams, NULL, &problem), MQ_OK);
    copy_relay("relay-before.db", "relay.db");
    assert_int_equal(village.store->verbs->renew(village.store, &problem), MQ_OK);
}

/* A village whose desk and server know one household, and nothing that comes after. */
static int begin(void **state)
{
    (void)state;
    mq_error_clear(&problem);
    village_begin(&village, 31);
    village_add(&village.devices[0], "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"吴国平\"}", NULL);
    village_sync_all(&village, 2);
    back_up();
    return 0;
}

static bool shows(struct village_member *member, const char *text)
{
    char *exported = village_export(member);
    bool found = strstr(exported, text) != NULL;
    free(exported);
    return found;
}

/* Everybody has everything but what was erased, and keeps nothing of it in a form that he opens. */
static void assert_healed(const char *text)
{
    uint8_t view[MQ_HASH_SIZE], other[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(village.desk.replica, view, &problem), MQ_OK);
    for (int i = -1; i < VILLAGE_DEVICES; i++) {
        struct village_member *member = i < 0 ? &village.desk : &village.devices[i];
        assert_int_equal(mq_view_hash(member->replica, other, &problem), MQ_OK);
        assert_memory_equal(view, other, sizeof view);
        assert_true(shows(member, text));
        assert_false(shows(member, MARKER));
        assert_int_equal(hostile_count(member, "SELECT count(*) FROM segment WHERE state <> 1"), 0);
        assert_int_equal(hostile_count(member, "SELECT count(*) FROM segment WHERE erased = 1"), 0);
        assert_int_equal(hostile_count(member, "SELECT count(*) FROM returned WHERE bytes IS NOT NULL"), 0);
        assert_int_equal(mq_view_rebuild(member->replica, &problem), MQ_OK);
        assert_int_equal(mq_view_hash(member->replica, other, &problem), MQ_OK);
        assert_memory_equal(view, other, sizeof view);
    }
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE erased = 1"), 0); /* nor by the rebuild */
    struct mq_safety safety = village_safety(&village.devices[0]);
    assert_int_equal(safety.saved + safety.stored, 0);
}

static uint8_t stolen[MQ_SEGMENT_MAX];
static size_t stolen_size;

/* The member's largest segment as its author signed it, or with one bit of the signature changed. */
static void steal(struct village_member *member, bool broken)
{
    struct mq_query *query;
    assert_int_equal(mq_db_query(mq_replica_db(member->replica), &query, &problem,
                                 "SELECT bytes FROM segment WHERE mine = 1 ORDER BY length(bytes) DESC, number DESC LIMIT 1", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    stolen_size = mq_db_blob(query, 0).size;
    memcpy(stolen, mq_db_blob(query, 0).data, stolen_size);
    mq_db_done(&query);
    stolen[stolen_size - 1] ^= broken;
}

/* A visit that goes and one that stays, in one segment, which is stolen with a broken signature. */
static void write_and_erase(struct village_member *member)
{
    visit(member, "V-1", MARKER);
    visit(member, "V-2", "水管冻裂");
    village_sync_all(&village, 2);
    steal(member, true);
    erase_notes("V-1");
    village_sync_all(&village, 2);
}

/* The devices keep the body locked: not one of them opens it, and the desk keeps none. */
static void only_the_desk_opens(void **state)
{
    struct mq_query *query;
    int pieces = 0;
    (void)state;
    write_and_erase(&village.devices[0]);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM locked"), 0);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        struct mq_replica *replica = village.devices[i].replica;
        assert_int_equal(mq_db_query(mq_replica_db(replica), &query, &problem, "SELECT sealed FROM locked", ""), MQ_OK);
        for (; mq_db_next(&query, &problem); pieces++) {
            static uint8_t memory[MQ_SEGMENT_MAX];
            struct mq_buffer out = mq_buffer(memory, sizeof memory);
            assert_int_equal(mq_box_open(&out, mq_db_blob(query, 0), &mq_replica_identity(replica)->box_seed), MQ_WRONG_KEY);
            assert_int_equal(mq_box_open(&out, mq_db_blob(query, 0), &mq_replica_identity(village.desk.replica)->box_seed), MQ_OK);
        }
    }
    assert_int_equal(pieces, VILLAGE_DEVICES);
}

/* The first device to come says it; who comes after the desk finds it at the server and says nothing. Set back once more, the
 * centre has it from the segment that says so. */
static void said_once(void **state)
{
    (void)state;
    write_and_erase(&village.devices[0]);
    for (int times = 0; times < 2; times++) {
        restore();
        assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        village_sync_all(&village, 3);
        assert_healed("水管冻裂");
        assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM returned"), 1);
        assert_int_equal(hostile_count(&village.devices[0], "SELECT count(*) FROM locked WHERE said OR owed"), 0);
    }
}

/* A server that came up empty, below a desk that forgot nothing, gets it for those who come new. */
static void new_members_get_it(void **state)
{
    (void)state;
    village_keep(&village, &village.devices[3], "new");
    write_and_erase(&village.devices[0]);
    village_relay_empty(&village);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK); /* says who may come */
    for (int i = 0; i < 3; i++)
        assert_int_equal(village_sync(&village, &village.devices[i], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_bring_back(&village, &village.devices[3], "new");
    village_sync_all(&village, 3);
    assert_healed("水管冻裂");
}

/* Text that nothing makes shorter. */
static const char *noise(unsigned seed)
{
    static char text[4001];
    uint32_t x = seed * 2654435761U + 1;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        text[i] = (char)('#' + x % ('~' - '#'));
        if (text[i] == '\\')
            text[i] = ' ';
    }
    return text;
}

/* A segment that is larger than a change can be comes in pieces. */
static void large_ones_come_in_pieces(void **state)
{
    char id[8];
    (void)state;
    visit(&village.devices[1], "V-1", MARKER);
    for (unsigned i = 2; i < 16; i++) {
        snprintf(id, sizeof id, "V-%u", i);
        visit(&village.devices[1], id, noise(i));
    }
    village_sync_all(&village, 2);
    visit(&village.devices[1], "V-16", "水管冻裂");
    village_sync_all(&village, 2);
    erase_notes("V-1");
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.devices[0], "SELECT count(*) FROM locked WHERE offset > 0"), 1);
    restore();
    village_sync_all(&village, 3);
    assert_healed("水管冻裂");
}

static void lie(struct village_member *member, const struct mq_returned *said)
{
    static uint8_t memory[MQ_CHANGE_MAX];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    mq_returned_put(&change, said);
    hostile_write(member, mq_written(&change));
}

/* Whatever a member says first, of the right segment: noise, another body, half of it: the true one comes all the same. */
static void lies_keep_nothing_away(void **state)
{
    static uint8_t memory[MQ_CHANGE_MAX], body[1000];
    struct mq_buffer sealed = mq_buffer(memory, sizeof memory);
    struct mq_returned said = {.size = 0};
    struct mq_query *query;
    (void)state;
    write_and_erase(&village.devices[0]);
    struct mq_db *db = mq_replica_db(village.devices[2].replica);
    assert_int_equal(mq_db_query(db, &query, &problem, "SELECT id, size, sealed FROM locked", ""), MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(said.id, mq_db_blob(query, 0).data, sizeof said.id);
    said.size = (uint32_t)mq_db_int(query, 1);
    assert_true(said.size <= sizeof body);
    memcpy(body, mq_db_blob(query, 2).data, said.size);
    mq_db_done(&query);
    restore();
    said.sealed = mq_span(memory, said.size + 48); /* noise */
    lie(&village.devices[2], &said);
    const uint8_t *desk = mq_replica_identity(village.desk.replica)->box_public;
    assert_int_equal(mq_returned_seal(&sealed, mq_span(body, said.size), 0, said.size, desk), MQ_OK);
    said.sealed = mq_written(&sealed); /* another body */
    lie(&village.devices[2], &said);
    said.size = MQ_SEGMENT_MAX; /* half of something */
    said.sealed = mq_span(memory, MQ_RETURNED_PIECE_MAX + 48);
    lie(&village.devices[2], &said);
    assert_int_equal(village_sync(&village, &village.devices[2], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_sync_all(&village, 3);
    assert_healed("水管冻裂");
}

/* A change of this type that is no piece makes its segment undecodable, and nobody asserts anything. */
static void no_piece_is_undecodable(void **state)
{
    static uint8_t memory[64];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    (void)state;
    mq_cbor_put_array(&change, 2);
    mq_cbor_put_uint(&change, MQ_CHANGE_RETURN);
    mq_cbor_put_uint(&change, 1);
    hostile_write(&village.devices[0], mq_written(&change));
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state = 3"), 1);
    assert_int_equal(hostile_count(&village.devices[1], "SELECT count(*) FROM segment WHERE state = 3"), 1);
}

/* A piece for a team that this store does not belong to is nothing, and leaves no words of a refusal behind. */
static void foreign_piece_is_passed_over(void **state)
{
    static const uint8_t foreign[MQ_ID_SIZE] = {1}, noise[MQ_SEGMENT_FIXED_SIZE + MQ_SEALED_BOX_SIZE - MQ_KEY_SIZE];
    struct mq_returned said = {.size = MQ_SEGMENT_FIXED_SIZE, .sealed = MQ_SPAN(noise)};
    uint8_t memory[sizeof noise + MQ_SEGMENT_ID_SIZE + 32];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    struct mq_error words = {0};
    (void)state;
    mq_returned_put(&change, &said);
    assert_int_equal(mq_returned_take(village.desk.replica, foreign, 1, mq_written(&change), &words), MQ_OK);
    assert_int_equal(words.status, MQ_OK);
}

/* ---- what a hostile member, or a large loss, may do to it ---- */

/* What was stolen, or what it was made to, as a change. */
static void say_stolen(struct mq_buffer *out, uint32_t offset)
{
    static uint8_t memory[MQ_CHANGE_MAX];
    struct mq_buffer sealed = mq_buffer(memory, sizeof memory);
    struct mq_segment segment;
    uint32_t size = (uint32_t)stolen_size;
    struct mq_returned said = {.size = size, .offset = offset};
    assert_int_equal(mq_segment_decode(&segment, mq_span(stolen, stolen_size)), MQ_OK);
    memcpy(said.id, segment.id, sizeof said.id);
    assert_int_equal(mq_returned_seal(&sealed, mq_span(stolen, stolen_size), offset, mq_returned_piece(size, offset),
                                      mq_replica_identity(village.desk.replica)->box_public),
                     MQ_OK);
    said.sealed = mq_written(&sealed);
    mq_returned_put(out, &said);
    assert_false(out->failed);
}

static void lie_stolen(struct village_member *member, uint32_t offset)
{
    static uint8_t memory[MQ_CHANGE_MAX];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    say_stolen(&change, offset);
    hostile_write(member, mq_written(&change));
}

enum { MANY = 200, MANY_SIZE = 1024, UNKNOWN = 60 };
static uint8_t many_memory[MANY][MANY_SIZE];
static struct mq_span many[MANY];

/* Many changes in one segment of the member. */
static void write_many(struct village_member *member, size_t count)
{
    struct mq_db *db = mq_replica_db(member->replica);
    uint8_t salt[MQ_SALT_SIZE], id[MQ_ID_SIZE];
    mq_random(member->platform, salt, sizeof salt);
    assert_int_equal(mq_db_begin(db, &problem), MQ_OK);
    assert_int_equal(mq_db_run(db, &problem,
                               "INSERT INTO batch(mailbox, salt, boot, monotonic, wall, utc_offset, count)"
                               " VALUES(?, ?, 1, 1, 1700000000, 0, ?)",
                               "bbi", MQ_SPAN(member->team.mailbox), MQ_SPAN(salt), (int64_t)count),
                     MQ_OK);
    for (size_t i = 0; i < count; i++) {
        mq_change_id(id, salt, (uint32_t)i, many[i]);
        assert_int_equal(mq_db_run(db, &problem,
                                   "INSERT INTO journal(batch, idx, id, minutes, actor, expanded)"
                                   " VALUES((SELECT max(number) FROM batch), ?, ?, 0, 0, ?)",
                                   "ibb", (int64_t)i, MQ_SPAN(id), many[i]),
                         MQ_OK);
    }
    assert_int_equal(mq_db_commit(db, &problem), MQ_OK);
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK);
}

/* A stream of which every segment was erased comes back, though nobody brings its announce with a segment. */
static void whole_stream_comes_back(void **state)
{
    (void)state;
    write_and_erase(&village.devices[3]);
    restore();
    village_sync_all(&village, 3);
    assert_healed("水管冻裂");
    for (int i = 0; i < VILLAGE_DEVICES; i++) /* said once, not at every sync */
        assert_true(hostile_count(&village.devices[i],
                                  "SELECT count(*) FROM outbox WHERE slot = (SELECT CAST('announce:' || stream AS BLOB)"
                                  " FROM segment WHERE erased = 2)") <= 1);
}

/* What comes before its stream's announce, as on a stick, waits for it and is not given up. */
static void pieces_wait_for_the_announce(void **state)
{
    (void)state;
    write_and_erase(&village.devices[3]);
    stolen[stolen_size - 1] ^= 1; /* the true one again */
    restore();
    assert_int_equal(mq_db_run(mq_replica_db(village.devices[2].replica), &problem, "DELETE FROM locked", ""), MQ_OK);
    lie_stolen(&village.devices[2], 0);
    assert_int_equal(village_sync(&village, &village.devices[2], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM returned WHERE bytes IS NOT NULL"), 1);
    assert_false(shows(&village.desk, "水管冻裂"));
    assert_int_equal(mq_db_run(mq_replica_db(village.devices[0].replica), &problem,
                               "UPDATE locked SET sealed = zeroblob(length(sealed))", ""),
                     MQ_OK); /* so only the announce is of use */
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_true(shows(&village.desk, "水管冻裂"));
    village_sync_all(&village, 3);
    assert_healed("水管冻裂");
}

/* The id does not cover the signature: a body with another one, said before the true one comes, keeps it from nobody. */
static void broken_signature_spoils_nothing(void **state)
{
    (void)state;
    write_and_erase(&village.devices[0]);
    restore();
    lie_stolen(&village.devices[2], 0);
    for (int i = VILLAGE_DEVICES - 1; i >= 0; i--)
        assert_int_equal(village_sync(&village, &village.devices[i], NULL), MQ_OK);
    village_sync_all(&village, 3);
    assert_healed("水管冻裂");
}

/* Nor does it come in the place of a good skeleton. */
static void broken_signature_replaces_no_skeleton(void **state)
{
    struct mq_query *query;
    struct mq_segment skeleton;
    struct mq_announce announce;
    (void)state;
    write_and_erase(&village.devices[0]);
    lie_stolen(&village.devices[2], 0);
    village_sync_all(&village, 3);
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem,
                                 "SELECT bytes, announce FROM segment JOIN stream USING(stream) WHERE segment.erased > 0", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    assert_int_equal(mq_skeleton_decode(&skeleton, mq_db_blob(query, 0)), MQ_OK);
    assert_int_equal(mq_announce_decode(&announce, mq_db_blob(query, 1)), MQ_OK);
    assert_int_equal(mq_segment_verify(&skeleton, &announce), MQ_OK);
    mq_db_done(&query);
    assert_healed("水管冻裂");
}

/* Segments of streams that nobody knows take no place from what others wait for, and few of them are kept. */
static void unknown_streams_fill_nothing(void **state)
{
    (void)state;
    write_and_erase(&village.devices[0]);
    restore();
    for (size_t segments = 0; UNKNOWN * segments < 2 * MQ_RETURNED_WAITING_MAX; segments++) {
        for (size_t i = 0; i < UNKNOWN; i++) {
            struct mq_buffer change = mq_buffer(many_memory[i], MANY_SIZE);
            stolen[2] = (uint8_t)segments, stolen[3] = (uint8_t)i; /* the stream */
            say_stolen(&change, 0);
            many[i] = mq_written(&change);
        }
        write_many(&village.devices[2], UNKNOWN);
    }
    for (int i = VILLAGE_DEVICES - 1; i >= 0; i--)
        assert_int_equal(village_sync(&village, &village.devices[i], NULL), MQ_OK);
    village_sync_all(&village, 3);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM unverified"), 0);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM returned WHERE bytes IS NOT NULL"),
                     MQ_RETURNED_WAITING_MAX);
    assert_true(shows(&village.desk, "水管冻裂"));
    assert_false(shows(&village.desk, MARKER));
}

/* Thousands of pieces that wait, or that are nothing, keep the desk from its work for no time that anybody notices. */
static void many_pieces_are_settled_in_time(void **state)
{
    enum { SEGMENTS = 32, SIZE = MQ_SEGMENT_FIXED_SIZE };
    static const uint8_t noise_bytes[SIZE];
    uint8_t memory[SIZE + MQ_SEALED_BOX_SIZE];
    struct mq_buffer sealed = mq_buffer(memory, sizeof memory);
    (void)state;
    assert_int_equal(mq_returned_seal(&sealed, MQ_SPAN(noise_bytes), 0, SIZE,
                                      mq_replica_identity(village.desk.replica)->box_public),
                     MQ_OK);
    for (size_t s = 0; s < SEGMENTS; s++) {
        for (size_t i = 0; i < MANY; i++) {
            struct mq_returned said = {.id = {(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)s}, .size = SIZE};
            struct mq_buffer change = mq_buffer(many_memory[i], MANY_SIZE);
            said.sealed = mq_written(&sealed);
            mq_returned_put(&change, &said);
            many[i] = mq_written(&change);
        }
        write_many(&village.devices[2], MANY);
    }
    assert_int_equal(village_sync(&village, &village.devices[2], NULL), MQ_OK);
    clock_t before = clock();
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    print_message("%d pieces, %.1f s\n", SEGMENTS * MANY, seconds);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM returned"), SEGMENTS * MANY);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM returned WHERE bytes IS NOT NULL"), 0);
    assert_true(seconds < 10); /* with every check of the compiler; it was half a minute */
}

/* What stays out because of a revocation gives up its body to the desk only for the way to a server. */
static void beyond_a_cut_no_body_stays(void **state)
{
    (void)state;
    write_and_erase(&village.devices[0]);
    /* As if the county had revoked at an earlier moment. */
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem,
                               "UPDATE segment SET state = 2, reason = 'revoked' WHERE erased = 2 AND mine = 0", ""),
                     MQ_OK);
    village_relay_empty(&village);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_sync_all(&village, 4);
    assert_true(hostile_count(&village.desk, "SELECT count(*) FROM returned") > 0);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE erased = 1"), 0);
}

/* The same piece twice is no whole: the other one is waited for, and then all is there. */
static void same_piece_twice_is_no_whole(void **state)
{
    static const uint32_t offsets[] = {0, 0, MQ_RETURNED_PIECE_MAX};
    char id[8];
    (void)state;
    for (unsigned i = 1; i < 16; i++) {
        snprintf(id, sizeof id, "V-%u", i);
        visit(&village.devices[1], id, i == 1 ? "水管冻裂" : noise(i));
    }
    village_sync_all(&village, 2);
    steal(&village.devices[1], false);
    assert_true(stolen_size > MQ_RETURNED_PIECE_MAX && stolen_size < (size_t)2 * MQ_RETURNED_PIECE_MAX);
    restore();
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        lie_stolen(&village.devices[2], offsets[i]);
        assert_int_equal(village_sync(&village, &village.devices[2], NULL), MQ_OK);
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM returned WHERE bytes IS NOT NULL"), i < 2 ? i + 1 : 0);
    }
    assert_true(shows(&village.desk, "水管冻裂"));
    village_sync_all(&village, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_desk_opens, begin, end),
        cmocka_unit_test_setup_teardown(said_once, begin, end),
        cmocka_unit_test_setup_teardown(new_members_get_it, begin, end),
        cmocka_unit_test_setup_teardown(large_ones_come_in_pieces, begin, end),
        cmocka_unit_test_setup_teardown(lies_keep_nothing_away, begin, end),
        cmocka_unit_test_setup_teardown(no_piece_is_undecodable, begin, end),
        cmocka_unit_test_setup_teardown(foreign_piece_is_passed_over, begin, end),
        cmocka_unit_test_setup_teardown(whole_stream_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(pieces_wait_for_the_announce, begin, end),
        cmocka_unit_test_setup_teardown(broken_signature_spoils_nothing, begin, end),
        cmocka_unit_test_setup_teardown(broken_signature_replaces_no_skeleton, begin, end),
        cmocka_unit_test_setup_teardown(unknown_streams_fill_nothing, begin, end),
        cmocka_unit_test_setup_teardown(many_pieces_are_settled_in_time, begin, end),
        cmocka_unit_test_setup_teardown(beyond_a_cut_no_body_stays, begin, end),
        cmocka_unit_test_setup_teardown(same_piece_twice_is_no_whole, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
