/* Aim: what is sealed leaves a device whose passphrase nobody knows; the spool beside the store says nothing, is a copy, and
 * whatever becomes of it neither loses nor doubles anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/control_keys.h"
#include "protocol/exchange.h"
#include "protocol/frame.h"
#include "replica/outgoing.h"
#include "replica/spool.h"
#include "tests/replica/traces.h"

#define HOUSEHOLD "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"杨顺华\"}"
#define VISIT "{\"kind\":\"visit\",\"id\":\"V-%d\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"%s %d " MARK "\"}"

/* A device of a real home knows where its server is. */
static struct village_member *device_begin(struct village *village, uint64_t seed)
{
    static const uint8_t pin[MQ_HASH_SIZE];
    village_begin(village, seed);
    struct village_member *device = &village->devices[0];
    assert_int_equal(mq_setting_put(device->replica, "url", mq_span_text("https://desk.example"), &problem), MQ_OK);
    assert_int_equal(mq_setting_put(device->replica, "pin", MQ_SPAN(pin), &problem), MQ_OK);
    village_add(device, HOUSEHOLD, NULL);
    return device;
}

static void add_visit(struct village_member *device, int number)
{
    char json[512];
    snprintf(json, sizeof json, VISIT, number, "水管冻裂，已联系水利站。", number);
    village_add(device, json, NULL);
}

static void lock(struct village_member *device)
{
    mq_error_clear(&problem);
    assert_int_equal(mq_seal_all(device->replica, &problem), MQ_OK);
    assert_int_equal(mq_spool_update(device->replica, &problem), MQ_OK);
}

static enum mq_status send_locked(struct village *village, struct village_member *device, struct mq_spool_sent *sent)
{
    const struct mq_transport transport = village_transport(village);
    mq_error_clear(&problem);
    return mq_spool_send(device->platform, device->home, &transport,
                         device->platform->monotonic_ms(device->platform->self) + 20000, sent, &problem);
}

static bool spool_has(struct village_member *device, const char *mark)
{
    char path[400];
    snprintf(path, sizeof path, "%s/spool", device->home);
    return file_holds(path, mark);
}

static bool there(struct village_member *device, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", device->home, name);
    return access(path, F_OK) == 0;
}

static bool exports(struct village_member *member, const char *part)
{
    char *text = village_export(member);
    bool found = strstr(text, part) != NULL;
    free(text);
    return found;
}

/* The device is shut and stays shut: its records reach the desk, and its next sync with the passphrase finds them there
 * without sending them once more. */
static void sealed_records_leave(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    struct mq_sync_result result = {0};
    (void)state;
    struct village_member *device = device_begin(&village, 1);
    add_visit(device, 1);
    lock(device);
    assert_false(spool_has(device, MARK));
    assert_true(file_holds("tests/replica/traces.h", MARK)); /* the search finds where there is something */
    village_close(device);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.sent, 1);
    assert_int_equal(sent.left, 0);
    assert_int_equal(sent.requests, 1);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_true(exports(&village.desk, MARK));
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK); /* nothing is said twice */
    assert_int_equal(sent.requests, 0);
    village_open(device);
    assert_int_equal(mq_spool_recall(device->replica, &problem), MQ_OK);
    assert_int_equal(village_safety(device).saved, 2); /* nobody has told this store yet */
    assert_int_equal(village_sync(&village, device, &result), MQ_OK);
    assert_int_equal(result.sent, 0);
    assert_int_equal(village_safety(device).anchored, 2);
    assert_int_equal(mq_spool_update(device->replica, &problem), MQ_OK);
    assert_false(there(device, "spool") || there(device, "spool.to"));
    village_end(&village);
}

/* Whatever the network loses, all arrives once; what was taken is noted, and the rest goes with the next try. */
static void losses_lose_nothing(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    struct mq_spool_address address;
    (void)state;
    struct village_member *device = device_begin(&village, 2);
    for (int i = 1; i <= 40; i++) { /* each visit a segment of its own */
        add_visit(device, i);
        lock(device);
    }
    village_close(device);
    assert_int_equal(mq_spool_address_read(device->platform, device->home, &address, &problem), MQ_OK);
    address.body = MQ_BODY_SMALLEST;
    assert_int_equal(mq_spool_address_write(device->platform, device->home, &address, &problem), MQ_OK);
    village.drop_requests = 1;
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.sent, 40);
    village_open(device);
    add_visit(device, 41);
    lock(device);
    village.drop_replies = 1;
    village_close(device);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    village_open(device);
    add_visit(device, 42);
    lock(device);
    village_close(device);
    village.cut_reply_at = 40; /* behind the head: it is said once more */
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.left, 0);
    village_open(device);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 43);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment"), 42);
    village_end(&village);
}

static void read_spool(struct village_member *device, struct mq_buffer *out)
{
    char path[400];
    snprintf(path, sizeof path, "%s/spool", device->home);
    mq_error_clear(&problem);
    assert_int_equal(device->platform->read(device->platform->self, path, out, &problem), MQ_OK);
}

/* A spool that is made anew after a part of it was sent is cut between any two of its files: nothing of it is passed over. */
static void renewed_in_part_loses_nothing(void **state)
{
    static uint8_t memory[2][65536];
    (void)state;
    for (int nth = 1; nth <= 4; nth++) {
        struct village village;
        struct mq_spool_sent sent;
        struct mq_buffer before = mq_buffer(memory[0], sizeof memory[0]), after = mq_buffer(memory[1], sizeof memory[1]);
        struct village_member *device = device_begin(&village, 20 + (uint64_t)nth);
        for (int i = 1; i <= 3; i++) {
            add_visit(device, i);
            lock(device);
        }
        assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
        assert_int_equal(village_sync(&village, device, NULL), MQ_OK); /* those three are the server's now */
        for (int i = 4; i <= 6; i++) {
            add_visit(device, i);
            assert_int_equal(mq_seal_all(device->replica, &problem), MQ_OK);
        }
        read_spool(device, &before);
        mq_fake_fail_file(device->fake, nth, MQ_FAULT);
        bool renewed = mq_spool_update(device->replica, &problem) == MQ_OK;
        mq_fake_fail_file(device->fake, 0, MQ_OK);
        assert_true(renewed == (nth == 4));
        read_spool(device, &after);
        bool anew = !mq_span_equal(mq_written(&before), mq_written(&after)); /* then all of it leaves */
        assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment"), anew ? 6 : 3);
        village_end(&village);
    }
}

/* Nobody answers: the try ends as unreachable, and the spool is as it was. */
static void unreachable_changes_nothing(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    (void)state;
    struct village_member *device = device_begin(&village, 3);
    lock(device);
    village.drop_requests = 1000000;
    assert_int_equal(send_locked(&village, device, &sent), MQ_UNREACHABLE);
    assert_int_equal(sent.left, 1);
    village.drop_requests = 0;
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.left, 0);
    village_end(&village);
}

/* A segment that is larger than the link bears goes in parts. */
static void large_segments_go_in_parts(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    struct mq_spool_address address;
    char json[MQ_LINE_MAX], noise[16000];
    (void)state;
    struct village_member *device = device_begin(&village, 4);
    uint32_t chance = 7;
    for (int n = 0; n < 4; n++) { /* texts that do not compress */
        for (size_t i = 0; i < sizeof noise - 1; i++)
            noise[i] = (char)('!' + 1 + ((chance = chance * 1664525u + 1013904223u) >> 24) % 57);
        noise[sizeof noise - 1] = '\0';
        snprintf(json, sizeof json,
                 "{\"kind\":\"visit\",\"id\":\"L-%d\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"%s\"}", n, noise);
        for (char *at = strstr(json, "notes") + 8; *at != '\0' && at[1] != '\0'; at++)
            if (*at == '\\' || (*at == '"' && at[1] != '}'))
                *at = '.';
        village_add(device, json, NULL);
    }
    lock(device);
    village_close(device);
    assert_int_equal(mq_spool_address_read(device->platform, device->home, &address, &problem), MQ_OK);
    address.body = MQ_BODY_SMALLEST;
    assert_int_equal(mq_spool_address_write(device->platform, device->home, &address, &problem), MQ_OK);
    village.drop_replies = 3;
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_true(sent.requests >= 4);
    assert_int_equal(sent.left, 0);
    village_open(device);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 5);
    village_end(&village);
}

/* The store and its witness are set back and the spool is not: what only the spool holds comes back from it, and no second
 * segment of one number is ever sealed. */
static void spool_tells_of_a_store_set_back(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    char command[1200];
    (void)state;
    struct village_member *device = device_begin(&village, 5);
    lock(device);
    village_close(device);
    snprintf(command, sizeof command, "mkdir %s/old && cp %s/store.db* %s/witness %s/old/", village.directory, device->home,
             device->home, village.directory);
    assert_int_equal(system(command), 0);
    village_open(device);
    add_visit(device, 1);
    lock(device);
    village_close(device);
    snprintf(command, sizeof command, "rm -f %s/store.db-wal; for f in %s/old/*; do cat $f > %s/$(basename $f); done", device->home,
             village.directory, device->home); /* the same files, older content */
    assert_int_equal(system(command), 0);
    village_open(device);
    assert_false(exports(device, MARK));
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM stream WHERE mine = 1 AND closed = 0"), 1);
    add_visit(device, 2); /* a crash may have kept the recall from happening at once */
    mq_error_clear(&problem);
    assert_int_equal(mq_spool_recall(device->replica, &problem), MQ_OK);
    char *text = village_export(device);
    assert_non_null(strstr(text, "V-1"));
    assert_non_null(strstr(text, "V-2"));
    free(text);
    lock(device);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    village_sync_all(&village, 2);
    assert_true(exports(&village.desk, "V-1") && exports(&village.desk, "V-2"));
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM (SELECT 1 FROM segment GROUP BY stream, seq HAVING count(*) > 1)"),
                     0);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM segment WHERE carry = 1"), 0);
    village_end(&village);
}

/* An old spool comes back beside a newer store: it is sent, the server has it already, and the next update mends it. */
static void old_spool_is_harmless(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    char command[1200];
    (void)state;
    struct village_member *device = device_begin(&village, 6);
    lock(device);
    snprintf(command, sizeof command, "mkdir %s/old && cp %s/spool* %s/old/", village.directory, device->home, village.directory);
    assert_int_equal(system(command), 0);
    village_sync_all(&village, 2);
    add_visit(device, 1);
    lock(device);
    snprintf(command, sizeof command, "cp %s/old/* %s/", village.directory, device->home);
    assert_int_equal(system(command), 0);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.sent, 1);
    village_close(device);
    village_open(device);
    lock(device);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM stream WHERE mine = 1"), 1);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.sent, 1);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 2);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment"), 2);
    village_end(&village);
}

/* A spool or an address that was damaged is refused by name, and the next update makes it anew. */
static void damage_is_mended(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    char command[400];
    static const char *const files[] = {"spool", "spool.to"};
    (void)state;
    struct village_member *device = device_begin(&village, 7);
    for (int i = 0; i < 2; i++) {
        add_visit(device, i);
        lock(device);
        snprintf(command, sizeof command, "printf x | dd of=%s/%s bs=1 seek=60 conv=notrunc 2>/dev/null", device->home, files[i]);
        assert_int_equal(system(command), 0);
        assert_int_equal(send_locked(&village, device, &sent), MQ_DAMAGED);
        add_visit(device, 10 + i);
        lock(device);
        assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
        assert_int_equal(sent.left, 0);
    }
    village_end(&village);
}

/* The spool stands where anybody may write to it: what was put into it, more than a request can hold and what is no
 * segment, keeps nothing from leaving. */
static void what_was_put_in_is_harmless(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    struct mq_span frames;
    const uint8_t certificate[MQ_CERTIFICATE_SIZE] = {1}, grant[MQ_GRANT_SIZE] = {1};
    const size_t room = 4 * 1024 * 1024;
    char path[MQ_PATH_MAX];
    (void)state;
    struct village_member *device = device_begin(&village, 9);
    lock(device);
    uint8_t *before = malloc(room), *after = malloc(room);
    assert_true(before != NULL && after != NULL);
    struct mq_buffer spool = mq_buffer(before, room), changed = mq_buffer(after, room);
    mq_home_path(path, device->home, "spool");
    assert_int_equal(device->platform->read(device->platform->self, path, &spool, &problem), MQ_OK);
    assert_int_equal(mq_bundle_open(&frames, mq_written(&spool)), MQ_OK);
    mq_bundle_begin(&changed);
    for (int i = 0; i < 2 * MQ_REQUEST_MAX / MQ_CERTIFICATE_SIZE; i++)
        mq_frame_put(&changed, MQ_FRAME_CERTIFICATE, MQ_SPAN(certificate));
    for (int i = 0; i < 2 * MQ_REQUEST_MAX / MQ_GRANT_SIZE; i++)
        mq_frame_put(&changed, MQ_FRAME_GRANT, MQ_SPAN(grant));
    mq_frame_put(&changed, MQ_FRAME_CONTROL, mq_span_text("no control object"));
    mq_frame_put(&changed, MQ_FRAME_SEGMENT, mq_span_text("no segment"));
    mq_put_span(&changed, frames);
    mq_frame_put(&changed, MQ_FRAME_SEGMENT, mq_span_text("none either"));
    mq_bundle_end(&changed);
    assert_int_equal(device->platform->write(device->platform->self, path, mq_written(&changed), &problem), MQ_OK);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.sent, 1);
    assert_int_equal(sent.left, 0);
    assert_true(sent.requests < 5);
    free(before);
    free(after);
    village_end(&village);
}

struct overheard {
    struct village *village;
    unsigned revocations, grants, segments;
};

static enum mq_status overhear(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                               struct mq_post_answer *answer, struct mq_error *error)
{
    struct overheard *heard = context;
    const struct mq_transport onward = village_transport(heard->village);
    struct mq_reader reader = mq_reader(body);
    struct mq_request request;
    struct mq_frame frame;
    assert_int_equal(mq_request_get(&request, &reader), MQ_OK);
    while (mq_frame_next(&reader, &frame) == MQ_OK) {
        assert_true(frame.type != MQ_FRAME_CONTROL || heard->grants + heard->segments == 0);
        heard->revocations += frame.type == MQ_FRAME_CONTROL;
        heard->grants += frame.type == MQ_FRAME_GRANT;
        heard->segments += frame.type == MQ_FRAME_SEGMENT;
        assert_true(heard->segments == 0 || heard->grants > 0);
    }
    return onward.post(onward.context, path, body, reply, answer, error);
}

/* More revocations than a request of a thin link can hold are all said before the first grant, and the grant once, before what is
 * sealed under it. */
static void revocations_go_before_grants(void **state)
{
    struct village village;
    struct overheard heard = {.village = &village};
    struct mq_spool_sent sent;
    struct mq_spool_address address;
    static const uint8_t cuts[6000]; /* so long that a segment fits where the next revocation does not */
    const struct mq_control control = {.kind = MQ_CONTROL_REVOCATION, .body = MQ_SPAN(cuts)};
    uint8_t memory[sizeof cuts + 400];
    (void)state;
    struct village_member *device = device_begin(&village, 11);
    for (int i = 0; i < 20; i++) { /* whoever signed them: a spool is sent as it is */
        struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
        uint8_t subject[MQ_ID_SIZE] = {(uint8_t)i};
        assert_int_equal(mq_control_sign(&bytes, &control, mq_replica_identity(device->replica)), MQ_OK);
        assert_int_equal(mq_db_run(mq_replica_db(device->replica), &problem,
                                   "INSERT INTO control VALUES(?, 3, ?, zeroblob(8), 2, ?, ?)", "bbib",
                                   MQ_SPAN(device->team.team), MQ_SPAN(subject), (int64_t)i, mq_written(&bytes)),
                         MQ_OK);
    }
    for (int i = 1; i <= 40; i++) {
        add_visit(device, i);
        lock(device);
    }
    assert_int_equal(mq_spool_address_read(device->platform, device->home, &address, &problem), MQ_OK);
    address.body = MQ_BODY_SMALLEST;
    assert_int_equal(mq_spool_address_write(device->platform, device->home, &address, &problem), MQ_OK);
    const struct mq_transport transport = {.context = &heard, .post = overhear};
    assert_int_equal(mq_spool_send(device->platform, device->home, &transport, INT64_MAX, &sent, &problem), MQ_OK);
    assert_int_equal(sent.sent, 40);
    assert_true(sent.requests > 2);
    assert_int_equal(heard.revocations, 20);
    assert_int_equal(heard.grants, 1);
    village_end(&village);
}

/* A spool that is larger than any, or no file at all, is a damaged copy: the store opens and goes on. */
static void odd_spool_stops_nobody(void **state)
{
    struct village village;
    char path[MQ_PATH_MAX], address[MQ_PATH_MAX];
    (void)state;
    struct village_member *device = device_begin(&village, 10);
    mq_home_path(path, device->home, "spool");
    mq_home_path(address, device->home, "spool.to");
    lock(device);
    assert_int_equal(unlink(address), 0); /* so that only the spool could tell */
    assert_int_equal(truncate(path, MQ_BUNDLE_MAX + 1), 0);
    assert_int_equal(mq_spool_recall(device->replica, &problem), MQ_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_int_equal(mq_spool_recall(device->replica, &problem), MQ_OK);
    assert_int_equal(problem.status, MQ_OK);
    assert_int_equal(unlink(path), 0);
    lock(device);
    assert_true(there(device, "spool"));
    village_end(&village);
}

/* What this device may write and not read leaves too: a restricted matter, and something sensitive. */
static void sealed_for_others_leaves(void **state)
{
    struct village village;
    struct mq_spool_sent sent;
    (void)state;
    struct village_member *device = device_begin(&village, 8);
    village_blind(&village, device);
    village_add(device, MATTER, NULL);
    village_set(device, "H-1", "tags+=失能照护");
    lock(device);
    assert_false(spool_has(device, MARK));
    village_close(device);
    assert_int_equal(send_locked(&village, device, &sent), MQ_OK);
    assert_int_equal(sent.sent, 3);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_true(exports(&village.desk, "失能照护"));
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM record WHERE compartment = 1"), 1);
    village_open(device);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(device).anchored, 2);
    village_end(&village);
}

/* What was saved a good while ago is sealed by the next command; what is fresh waits for more. Clocks that were set back
 * count as a good while. */
static void aged_batches_are_sealed(void **state)
{
    struct village village;
    (void)state;
    struct village_member *device = device_begin(&village, 9);
    assert_int_equal(mq_seal_aged(device->replica, MQ_SEAL_AGE_S, &problem), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM batch WHERE count > 0"), 1);
    device->platform->sleep_ms(device->platform->self, MQ_SEAL_AGE_S * 1000 + 1000);
    assert_int_equal(mq_seal_aged(device->replica, MQ_SEAL_AGE_S, &problem), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM batch WHERE count > 0"), 0);
    add_visit(device, 1);
    village_close(device);
    mq_fake_reboot(device->fake);
    mq_fake_set_wall(device->fake, 1500000000);
    village_open(device);
    assert_int_equal(mq_seal_aged(device->replica, MQ_SEAL_AGE_S, &problem), MQ_OK);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM batch WHERE count > 0"), 0);
    village_end(&village);
}

/* A server that takes everything, and tells no heads. */
static enum mq_status take_all(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                               struct mq_post_answer *answer, struct mq_error *error)
{
    static const struct mq_reply fine = {.mailbox_count = 0};
    struct mq_reader reader = mq_reader(body);
    struct mq_request request;
    (void)context, (void)path, (void)error;
    assert_int_equal(mq_request_get(&request, &reader), MQ_OK);
    assert_int_equal(request.mailbox_count, 0); /* of a stream without an announce nothing is asked */
    answer->http_status = 200;
    mq_reply_put(reply, &fine);
    mq_exchange_end(reply);
    return MQ_OK;
}

/* The largest spool of the smallest segments goes in the time that reading it takes, not once more for each request. */
static void large_spools_are_read_once(void **state)
{
    enum { BODY = MQ_NONCE_SIZE + 256 + MQ_TAG_SIZE, SEGMENT = MQ_SEGMENT_HEADER_SIZE + BODY + MQ_SIGNATURE_SIZE };
    struct village village;
    struct mq_spool_address address = {.url = "https://desk.example"};
    struct mq_spool_sent sent;
    char path[400];
    uint8_t segment[SEGMENT] = {0xA7}, *memory = malloc(MQ_BUNDLE_MAX);
    struct mq_buffer out = mq_buffer(memory, MQ_BUNDLE_MAX);
    int64_t count = 0;
    (void)state;
    struct village_member *device = device_begin(&village, 10);
    village_close(device);
    mq_bundle_begin(&out);
    segment[MQ_SEGMENT_HEADER_SIZE - 2] = BODY >> 8, segment[MQ_SEGMENT_HEADER_SIZE - 1] = BODY & 0xff;
    for (; out.size + MQ_FRAME_HEADER_SIZE + SEGMENT + MQ_BUNDLE_END_SIZE <= out.capacity; count++) {
        for (size_t i = 0; i < 3; i++)
            segment[18 + 1 + i] = (uint8_t)((count + 1) >> (16 - 8 * i));
        mq_frame_put(&out, MQ_FRAME_SEGMENT, mq_span(segment, sizeof segment));
    }
    mq_bundle_end(&out);
    assert_false(out.failed);
    snprintf(path, sizeof path, "%s/spool", device->home);
    assert_int_equal(device->platform->write(device->platform->self, path, mq_written(&out), &problem), MQ_OK);
    assert_int_equal(mq_spool_address_write(device->platform, device->home, &address, &problem), MQ_OK);
    const struct mq_transport transport = {.post = take_all};
    clock_t before = clock();
    assert_int_equal(mq_spool_send(device->platform, device->home, &transport, INT64_MAX, &sent, &problem), MQ_OK);
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    print_message("%lld segments in %lld requests, %.1f s\n", (long long)sent.sent, (long long)sent.requests, seconds);
    assert_int_equal(sent.sent, count);
    assert_int_equal(sent.left, 0);
    assert_true(seconds < 20); /* with every check of the compiler; it was many minutes */
    free(memory);
    village_open(device);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_records_leave),       cmocka_unit_test(losses_lose_nothing),
        cmocka_unit_test(renewed_in_part_loses_nothing),
        cmocka_unit_test(unreachable_changes_nothing), cmocka_unit_test(large_segments_go_in_parts),
        cmocka_unit_test(spool_tells_of_a_store_set_back), cmocka_unit_test(old_spool_is_harmless),
        cmocka_unit_test(damage_is_mended),
        cmocka_unit_test(odd_spool_stops_nobody),
        cmocka_unit_test(revocations_go_before_grants),
        cmocka_unit_test(what_was_put_in_is_harmless), cmocka_unit_test(sealed_for_others_leaves),
        cmocka_unit_test(aged_batches_are_sealed), cmocka_unit_test(large_spools_are_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
