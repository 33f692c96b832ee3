/* Aim: whatever a relay answers, the device takes what verifies and loses nothing of its own; nobody but the desk anchors
 * a record. Input: a mode, then a whole reply; changes (position u16, value u8) to a real one; or frames behind a real
 * head, each of a real reply by its number, cut or changed, or of any type with the bytes that follow;
 * with or without a right end. */
#include <string.h>

#include "protocol/assert.h"
#include "replica/outgoing.h"
#include "replica/sync_keys.h"
#include "tests/fuzz/store.h"

#define FRAMES_MAX 64

static struct village_member *device;
static struct mq_sync_state asked; /* after a request whose real answer is `real` */
static struct mq_sync_result result;
static uint8_t real[MQ_REPLY_MAX];
static size_t real_size, head_size;
static struct mq_frame frames[FRAMES_MAX];
static size_t frame_count;

struct counts {
    int64_t segments, mine, anchored, changes;
};
static struct counts before, honest; /* before each run; after the real reply */

static struct counts count_all(struct mq_replica *replica)
{
    struct mq_db *db = mq_replica_db(replica);
    struct mq_error error = {0};
    struct counts c;

    MQ_ASSERT(mq_db_number(db, &c.segments, &error, "SELECT count(*) FROM segment", "") == MQ_OK);
    MQ_ASSERT(mq_db_number(db, &c.mine, &error, "SELECT count(*) FROM segment WHERE mine = 1", "") == MQ_OK);
    MQ_ASSERT(mq_db_number(db, &c.anchored, &error, "SELECT count(*) FROM segment WHERE mine = 1 AND anchored > 0", "") ==
              MQ_OK);
    MQ_ASSERT(mq_db_number(db, &c.changes, &error, "SELECT count(*) FROM change", "") == MQ_OK);
    return c;
}

struct run {
    struct mq_span reply;
    bool honest;
};

static void take_in(struct mq_replica *replica, void *context)
{
    const struct run *run = context;
    static uint8_t noted[MQ_SYNC_NOTED_SIZE];
    struct mq_sync_state state = asked;
    struct mq_error why = {0};
    bool again;
    memset(noted, 0, sizeof noted);
    state.noted = noted;
    enum mq_status status = mq_sync_reply(&state, run->reply, &again, &why);

    MQ_ASSERT(status == why.status && (status == MQ_OK || why.text[0] != '\0'));
    MQ_ASSERT(status != MQ_FAULT && status != MQ_DAMAGED);
    struct counts after = count_all(replica);
    MQ_ASSERT(after.segments >= before.segments && after.changes >= before.changes && after.mine == before.mine);
    MQ_ASSERT(after.anchored >= before.anchored);
    if (run->honest)
        honest = after;
    else /* of others' and of the desk's there is only what the real reply brings */
        MQ_ASSERT(after.segments <= honest.segments && after.anchored <= honest.anchored);
}

static void ask(void)
{
    static uint8_t memory[MQ_REQUEST_MAX];
    struct mq_buffer request = mq_buffer(memory, sizeof memory), reply = mq_buffer(real, sizeof real);
    struct mq_error error = {0};
    struct mq_reply head;

    MQ_ASSERT(mq_seal_all(device->replica, &error) == MQ_OK);
    asked = (struct mq_sync_state){.replica = device->replica,
                                   .team = &device->team,
                                   .result = &result,
                                   .budget = MQ_BODY_START,
                                   .reply_budget = MQ_REPLY_FIRST};
    MQ_ASSERT(mq_sync_request(&asked, &request, &error) == MQ_OK);
    MQ_ASSERT(mq_relay_exchange(&village.relay, mq_written(&request), &reply, &error) == MQ_OK);
    real_size = reply.size;
    struct mq_reader reader = mq_reader(mq_written(&reply));
    MQ_ASSERT(mq_reply_get(&head, asked.mailbox_count, &reader) == MQ_OK);
    head_size = reader.at;
    while (frame_count < FRAMES_MAX && mq_frame_next(&reader, &frames[frame_count]) == MQ_OK)
        frame_count++;
    MQ_ASSERT(frame_count > 4);
}

void fuzz_start(void)
{
    struct run run = {.honest = true};

    fuzz_village();
    device = &village.devices[1];
    village_add(device, "{\"kind\":\"household\",\"id\":\"H-0\",\"place\":\"990527103204\",\"head\":\"吴国平\"}", NULL);
    village_add(&village.devices[0],
                "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"杨顺华\"}", NULL);
    village_sync_all(&village, 1);
    village_add(&village.devices[0],
                "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"水管冻裂\"}", NULL);
    village_add(&village.devices[2], "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"余世海\"}",
                NULL);
    MQ_ASSERT(village_sync(&village, &village.devices[0], NULL) == MQ_OK);
    MQ_ASSERT(village_sync(&village, &village.devices[2], NULL) == MQ_OK);
    MQ_ASSERT(village_sync(&village, &village.desk, NULL) == MQ_OK);
    village_add(device, "{\"kind\":\"household\",\"id\":\"H-9\",\"place\":\"990527103204\",\"head\":\"冉大珍\"}", NULL);
    ask();
    run.reply = mq_span(real, real_size);
    before = count_all(device->replica);
    fuzz_undone(device->replica, take_in, &run);
}

static void add_frame(struct mq_buffer *out, struct mq_reader *input)
{
    uint8_t which = mq_get_u8(input), how = mq_get_u8(input), at = mq_get_u8(input);
    size_t start = out->size + MQ_FRAME_HEADER_SIZE;

    if (which & 0x80) {
        mq_frame_put(out, (enum mq_frame_type)(which % 0x18), fuzz_take(input, at));
        return;
    }
    const struct mq_frame *frame = &frames[which % frame_count];
    struct mq_span payload = frame->payload;
    if (how & 1 && payload.size > at)
        payload.size -= at;
    mq_frame_put(out, (enum mq_frame_type)(how & 2 ? how >> 3 : frame->type), payload);
    if (how & 4 && payload.size > 0)
        out->data[start + at * payload.size / 256] ^= (uint8_t)(1 + how);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t memory[MQ_REPLY_MAX];
    struct mq_buffer reply = mq_buffer(memory, sizeof memory);
    struct mq_reader input = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&input);

    if (size == 0 || size > 16 * 1024)
        return;
    if (mode % 3 == 0) {
        mq_put_span(&reply, fuzz_rest(&input));
    } else if (mode % 3 == 1) {
        mq_put(&reply, real, real_size);
        fuzz_change(memory, real_size, &input);
    } else {
        mq_put(&reply, real, head_size);
        while (mq_left(&input) >= 3 && reply.size + MQ_SEGMENT_MAX + 300 < sizeof memory)
            add_frame(&reply, &input);
    }
    if (mode & 0x40)
        mq_exchange_end(&reply);
    struct run run = {.reply = mq_written(&reply)};
    fuzz_undone(device->replica, take_in, &run);
}
