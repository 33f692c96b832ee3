/* Aim: an exchange that is cut at any byte, changed in any byte, repeated or answered with something old has its effect
 * exactly once: nothing is lost, nothing comes twice, nothing counts before it came whole, and the next honest sync
 * makes both sides equal. One pair of replicas goes through all of it. MQ_LONG=1: every bit and every byte of large
 * messages too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replica/bundle.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"
#include "tests/replica/wire.h"

static struct mq_error problem;
static struct wire wire;

static bool thorough(void)
{
    return getenv("MQ_LONG") != NULL;
}

/* ---- a village whose devices and desk can be compared ---- */

static void write_one(struct village_member *member, const char *prefix, int number)
{
    char json[300];
    snprintf(json, sizeof json,
             "{\"kind\":\"household\",\"id\":\"%s-%d\",\"place\":\"990527103204\",\"head\":\"第%d户\"}", prefix, number,
             number);
    village_add(member, json, NULL);
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK); /* a segment of its own */
}

static void assert_same_view(struct village_member *a, struct village_member *b)
{
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(a->replica, left, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(b->replica, right, &problem), MQ_OK);
    assert_memory_equal(left, right, sizeof left);
}

/* After honest syncs everybody has every record once, and whoever wrote it knows that the desk has it. */
static void assert_healed(struct village *village, int64_t records)
{
    village_sync_all(village, 2);
    assert_int_equal(village_safety(&village->desk).records, records);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        struct village_member *device = &village->devices[i];
        if (device->replica == NULL)
            continue;
        assert_same_view(&village->desk, device);
        struct mq_safety safety = village_safety(device);
        assert_int_equal(safety.saved + safety.stored + safety.quarantined, 0);
        assert_int_equal(wire_held(village, device), hostile_count(device, "SELECT count(*) FROM segment WHERE mine = 1"));
    }
    hostile_accounted(village);
}

/* Two devices and the desk are enough; the others sleep. */
static void begin(struct village *village, uint64_t seed)
{
    village_begin(village, seed);
    village_close(&village->devices[2]);
    village_close(&village->devices[3]);
    village_sync_all(village, 2);
}

/* ---- cuts ---- */

static void assert_position(const struct wire_position *a, const struct wire_position *b)
{
    assert_int_equal(a->cursors, b->cursors);
    assert_int_equal(a->fingerprints, b->fingerprints);
    assert_int_equal(a->server_seq, b->server_seq);
    assert_int_equal(a->stored, b->stored);
    assert_int_equal(a->outbox_sent, b->outbox_sent);
    assert_int_equal(a->segments, b->segments);
    assert_int_equal(a->anchored, b->anchored);
}

struct cutting {
    struct village *village;
    struct village_member *member;
    struct wire_position before;
    int64_t held, most; /* segments of his that the relay had before; the most that ever came whole */
};

/* He believes nothing of what he sent, and the relay has exactly the segments that came whole. */
static void judge_cut_request(struct cutting *cutting)
{
    struct wire_position after;
    wire_position(cutting->member, &after);
    assert_position(&cutting->before, &after);
    assert_int_equal(wire_held(cutting->village, cutting->member), cutting->held + wire.segments);
}

/* The cursor stays where it is, and what was taken in is what came whole. */
static void judge_cut_reply(struct cutting *cutting)
{
    struct wire_position after;
    const struct wire_position *before = &cutting->before;
    wire_position(cutting->member, &after);
    assert_int_equal(after.cursors, before->cursors);
    assert_int_equal(after.fingerprints, before->fingerprints);
    cutting->most = wire.segments > cutting->most ? wire.segments : cutting->most;
    assert_int_equal(after.segments, before->segments + cutting->most);
    assert_true(after.anchored >= before->anchored);
    if (wire.at < MQ_REPLY_HEAD_SIZE)
        assert_position(before, &after);
}

/* The first message of the member's next sync, cut at each byte; then it goes through. Gives its size. */
static size_t cut_every(struct village *village, struct village_member *member, enum wire_harm harm,
                        void (*judge)(struct cutting *cutting))
{
    struct cutting cutting = {.village = village, .member = member, .held = wire_held(village, member)};
    wire_mend(&wire, village);
    wire_position(member, &cutting.before);
    for (size_t at = 0;; at++) {
        wire.harm = harm;
        wire.at = at;
        enum mq_status status = wire_sync(&wire, member, false);
        assert_int_equal(status, wire.harmed ? MQ_UNREACHABLE : MQ_OK);
        if (!wire.harmed)
            return at;
        judge(&cutting);
    }
}

static size_t cut_every_request(struct village *village, struct village_member *member)
{
    return cut_every(village, member, WIRE_CUT_UP, judge_cut_request);
}

static size_t cut_every_reply(struct village *village, struct village_member *member)
{
    return cut_every(village, member, WIRE_CUT_DOWN, judge_cut_reply);
}

/* Segments up, segments down, receipts up, receipts down: each message of the way there and back is cut at every byte. */
static void every_cut_of_an_exchange(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 101);
    struct village_member *writer = &village.devices[0], *reader = &village.devices[1], *desk = &village.desk;
    for (int i = 0; i < 3; i++)
        write_one(writer, "C", i);
    size_t up = cut_every_request(&village, writer);
    assert_int_equal(village_safety(writer).stored, 3);
    size_t down = cut_every_reply(&village, desk); /* and the desk's receipts go up behind it */
    write_one(writer, "C", 3);
    assert_int_equal(village_sync(&village, writer, NULL), MQ_OK); /* with the first receipt */
    size_t other = cut_every_reply(&village, reader);
    assert_int_equal(village_sync(&village, desk, NULL), MQ_OK);
    assert_int_equal(village_safety(writer).anchored, 3);
    size_t receipt = cut_every_reply(&village, writer);
    assert_int_equal(village_safety(writer).anchored, 4);
    print_message("cut at every byte: %zu up, %zu and %zu down, %zu with a receipt\n", up, down, other, receipt);
    assert_healed(&village, 4);
    village_end(&village);
}

/* What the desk says (receipts, an access list) is cut at every byte on its way up, and comes whole in the end. */
static void every_cut_of_what_a_desk_says(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 102);
    write_one(&village.devices[0], "D", 0);
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    wire_mend(&wire, &village);
    wire.harm = WIRE_CUT_UP; /* the desk has taken it in, and its receipt waits */
    wire.message = 1;
    assert_int_equal(wire_sync(&wire, &village.desk, false), MQ_UNREACHABLE);
    size_t size = cut_every_request(&village, &village.desk);
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 1);
    print_message("cut at every byte: %zu\n", size);
    assert_healed(&village, 1);
    village_end(&village);
}

/* ---- flips ---- */

/* Of every other byte one bit, another one from byte to byte; with MQ_LONG every bit. */
static size_t next_bit(size_t bit)
{
    if (thorough())
        return bit + 1;
    size_t byte = bit / 8 + 2;
    return byte * 8 + byte * 5 % 8;
}

struct flips {
    struct village *village;
    struct village_member *writer, *member; /* who writes a record for each flip; whose message is changed */
    enum wire_harm harm;
    int message;   /* which of a sync, from 0 */
    bool receipts; /* the desk confirms each before the member asks */
    int records;   /* written in all */
};

static void assert_has_all(const struct flips *flips)
{
    assert_int_equal(village_safety(flips->member).records, flips->records);
    if (flips->member == &flips->village->desk) { /* nobody waits for a receipt that the desk believes to have sent */
        assert_int_equal(village_sync(flips->village, flips->writer, NULL), MQ_OK);
        assert_int_equal(village_safety(flips->writer).anchored, flips->records);
    }
    if (flips->writer != flips->member)
        return;
    assert_int_equal(village_safety(flips->member).saved, 0);
    assert_int_equal(wire_held(flips->village, flips->member), flips->records);
    if (flips->receipts)
        assert_int_equal(village_safety(flips->member).anchored, flips->records);
}

/* For every bit a new record, a sync with that bit changed, and an honest one, after which nothing is missing. */
static size_t flip_every(struct flips *flips)
{
    struct village *village = flips->village;
    wire_mend(&wire, village);
    for (size_t bit = 0;; bit = next_bit(bit)) {
        write_one(flips->writer, "F", flips->records++);
        if (flips->writer != flips->member || flips->receipts)
            assert_int_equal(village_sync(village, flips->writer, NULL), MQ_OK);
        if (flips->receipts)
            assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
        wire.harm = flips->harm;
        wire.message = flips->message;
        wire.at = bit;
        enum mq_status status = wire_sync(&wire, flips->member, true);
        assert_true(status == MQ_OK || status == MQ_UNREACHABLE || status == MQ_REFUSED);
        if (!wire.harmed)
            return bit / 8;
        assert_int_equal(village_sync(village, flips->member, NULL), MQ_OK);
        assert_has_all(flips);
    }
}

#define DESK (-1)

static void flip_one_way(uint64_t seed, int member, struct flips flips)
{
    struct village village;
    begin(&village, seed);
    flips.village = &village;
    flips.writer = &village.devices[0];
    flips.member = member == DESK ? &village.desk : &village.devices[member];
    size_t size = flip_every(&flips);
    print_message("changed in a message of %zu bytes\n", size);
    assert_healed(&village, flips.records);
    village_end(&village);
}

/* Segments going up, changed anywhere: the relay stores nothing false, and the true ones in the end. */
static void every_flip_of_a_request(void **state)
{
    (void)state;
    flip_one_way(103, 0, (struct flips){.harm = WIRE_FLIP_UP});
}

/* Segments coming down, changed anywhere: the reader has the true ones after the next sync. */
static void every_flip_of_a_reply(void **state)
{
    (void)state;
    flip_one_way(104, 1, (struct flips){.harm = WIRE_FLIP_DOWN});
}

/* Receipts coming down, changed anywhere: nothing counts as anchored but what the desk confirmed, and that does. */
static void every_flip_of_a_receipt(void **state)
{
    (void)state;
    flip_one_way(105, 0, (struct flips){.harm = WIRE_FLIP_DOWN, .receipts = true});
}

/* What the desk says, changed anywhere on its way up: the relay has all of it after the next sync. Its first request fetches, the
 * second brings the receipt. */
static void every_flip_of_what_a_desk_says(void **state)
{
    (void)state;
    flip_one_way(110, DESK, (struct flips){.harm = WIRE_FLIP_UP, .message = 1});
}

/* ---- parts ---- */

/* Characters by lot: they do not compress. */
static void put_noise(struct mq_buffer *out, struct village_member *member, int characters)
{
    for (int i = 0; i < characters; i++) {
        uint8_t chance[2];
        mq_random(member->platform, chance, sizeof chance);
        unsigned point = 0x4e00 + (chance[0] * 256u + chance[1]) % 0x5000;
        mq_put_u8(out, (uint8_t)(0xe0 | point >> 12));
        mq_put_u8(out, (uint8_t)(0x80 | (point >> 6 & 63)));
        mq_put_u8(out, (uint8_t)(0x80 | (point & 63)));
    }
}

/* Four visits in one segment that is larger than two of the smallest bodies. */
static void write_large(struct village_member *member, int number)
{
    static uint8_t memory[MQ_LONG_TEXT_MAX + 300];
    for (int i = 0; i < 4; i++) {
        struct mq_buffer json = mq_buffer(memory, sizeof memory);
        char start[200];
        snprintf(start, sizeof start,
                 "{\"kind\":\"visit\",\"id\":\"L-%d-%d\",\"place\":\"990527103204\",\"date\":\"2026-11-05\",\"notes\":\"",
                 number, i);
        mq_put_text(&json, start);
        put_noise(&json, member, MQ_LONG_TEXT_MAX / 3 - 100);
        mq_put_text(&json, "\"}");
        mq_put_u8(&json, '\0');
        assert_false(json.failed);
        village_add(member, (const char *)memory, NULL);
    }
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK);
}

/* One large segment for each try, harmed in `place` of `places` of its `message`; whole at the reader's in the end. */
static void harm_parts(struct village *village, enum wire_harm harm, int message, int *records)
{
    bool up = harm == WIRE_CUT_UP || harm == WIRE_FLIP_UP, cut = harm == WIRE_CUT_UP || harm == WIRE_CUT_DOWN;
    struct village_member *writer = &village->devices[0], *reader = &village->devices[1];
    size_t places = thorough() ? 300 : 5, size = 1;
    for (size_t place = 0; place < places; place++) {
        write_large(writer, (*records)++);
        if (!up)
            assert_int_equal(village_sync(village, writer, NULL), MQ_OK);
        wire.harm = harm;
        wire.message = message;
        wire.at = (size - size / 8) * place / places; /* the next message may be a little smaller */
        wire.at = cut ? wire.at : wire.at * 8 + wire.at % 8;
        wire.thin = true;
        enum mq_status status = wire_sync(&wire, up ? writer : reader, true);
        assert_true(status == MQ_OK || status == MQ_UNREACHABLE);
        size = up ? wire.up_size : wire.down_size;
        assert_true(wire.harmed && size > MQ_BODY_SMALLEST / 2); /* it is a part that was harmed */
        if (up)
            assert_int_equal(village_sync(village, writer, NULL), MQ_OK);
        assert_int_equal(village_sync(village, reader, NULL), MQ_OK);
        assert_int_equal(village_safety(reader).records, *records * 4);
    }
}

/* A segment that travels in parts comes whole, whichever part is cut or changed, up or down. */
static void parts_come_whole(void **state)
{
    static const enum wire_harm harms[] = {WIRE_CUT_UP, WIRE_FLIP_UP, WIRE_CUT_DOWN, WIRE_FLIP_DOWN};
    struct village village;
    int records = 0;
    (void)state;
    begin(&village, 106);
    wire_mend(&wire, &village);
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++)
        for (int message = 0; message < 2; message++)
            harm_parts(&village, harms[i], message, &records);
    assert_healed(&village, records * 4);
    village_end(&village);
}

/* ---- bundles ---- */

static void put_file(struct village *village, const char *path, struct mq_span content)
{
    const struct mq_platform *platform = mq_fake_platform(village->fake);
    assert_int_equal(platform->write(platform->self, path, content, &problem), MQ_OK);
}

static void assert_not_taken(struct village *village, const char *path, struct mq_span content)
{
    struct village_member *reader = &village->devices[1];
    struct mq_admitted taken;
    int64_t before = hostile_count(reader, "SELECT count(*) FROM segment");
    put_file(village, path, content);
    enum mq_status status = mq_bundle_read(reader->replica, path, &taken, &problem);
    assert_true(status == MQ_DAMAGED || status == MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(hostile_count(reader, "SELECT count(*) FROM segment"), before);
}

/* A bundle cut or changed anywhere is refused whole; the true one is then taken, once. */
static void bundle_whole_or_not(void **state)
{
    struct village village;
    static uint8_t memory[65536];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    struct mq_admitted taken;
    int64_t segments;
    char path[300];
    (void)state;
    begin(&village, 107);
    const struct mq_platform *platform = mq_fake_platform(village.fake);
    struct village_member *writer = &village.devices[0], *reader = &village.devices[1];
    for (int i = 0; i < 2; i++)
        write_one(writer, "B", i);
    snprintf(path, sizeof path, "%s/stick", village.directory);
    assert_int_equal(mq_bundle_write(writer->replica, path, &segments, &problem), MQ_OK);
    assert_int_equal(platform->read(platform->self, path, &file, &problem), MQ_OK);
    size_t step = thorough() ? 1 : 29; /* of the parser every byte is in frame_test */
    for (size_t size = 0; size < file.size; size += step)
        assert_not_taken(&village, path, mq_span(memory, size));
    for (size_t bit = 0; bit < file.size * 8; bit += thorough() ? 1 : 293) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_not_taken(&village, path, mq_written(&file));
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    put_file(&village, path, mq_written(&file));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mq_bundle_read(reader->replica, path, &taken, &problem), MQ_OK);
        assert_int_equal(taken.segments, i == 0 ? 2 : 0);
    }
    print_message("a bundle of %zu bytes\n", file.size);
    assert_healed(&village, 2);
    village_end(&village);
}

/* ---- once more, and from before ---- */

#define REPLIES 8
static uint8_t kept_memory[REPLIES][8192];
static struct mq_span kept[REPLIES];

static void keep_reply(size_t at)
{
    assert_true(wire.last_size <= sizeof kept_memory[at]);
    memcpy(kept_memory[at], wire.last, wire.last_size);
    kept[at] = mq_span(kept_memory[at], wire.last_size);
}

/* Two devices and the desk work and sync in turn; what the relay answered each time is kept. */
static void live_and_keep(struct village *village, size_t from)
{
    struct village_member *const members[] = {&village->devices[0], &village->devices[1], &village->desk,
                                              &village->devices[0]};
    wire_mend(&wire, village);
    for (size_t i = 0; i < 4; i++) {
        if (i < 2)
            write_one(members[i], i == 0 ? "S" : "T", (int)from);
        wire.message = 0;
        assert_int_equal(wire_sync(&wire, members[i], true), MQ_OK);
        keep_reply(from + i);
    }
}

/* Requests that come twice change nothing; replies from before, for another device or of another organisation take back
 * nothing that the desk has confirmed, and do not keep what is new from coming. */
static void repetition_and_old_replies(void **state)
{
    struct village village, other;
    (void)state;
    begin(&other, 109);
    live_and_keep(&other, 4);
    village_end(&other);
    begin(&village, 108);
    live_and_keep(&village, 0);
    for (int i = 0; i < REPLIES * 3; i++) {
        struct village_member *member = i % 3 < 2 ? &village.devices[i % 3] : &village.desk;
        int64_t anchored = village_safety(member).anchored;
        write_one(&village.devices[i % 2], "R", i);
        wire_mend(&wire, &village);
        wire.harm = WIRE_STALE;
        wire.stale = kept[i / 3];
        (void)wire_sync(&wire, member, true); /* what it says of it does not matter */
        assert_true(wire.harmed && village_safety(member).anchored >= anchored);
        wire.harm = WIRE_TWICE;
        assert_int_equal(wire_sync(&wire, member, true), MQ_OK);
    }
    assert_healed(&village, 2 + REPLIES * 3);
    village_end(&village);
}

int main(void)
{
    if (access("/dev/shm", W_OK) == 0) /* thousands of commits, of which none is about the disk */
        setenv("TMPDIR", "/dev/shm", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_come_whole),
        cmocka_unit_test(bundle_whole_or_not),
        cmocka_unit_test(repetition_and_old_replies),
        cmocka_unit_test(every_flip_of_a_request),
        cmocka_unit_test(every_flip_of_a_reply),
        cmocka_unit_test(every_flip_of_a_receipt),
        cmocka_unit_test(every_flip_of_what_a_desk_says),
        cmocka_unit_test(every_cut_of_an_exchange),
        cmocka_unit_test(every_cut_of_what_a_desk_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
