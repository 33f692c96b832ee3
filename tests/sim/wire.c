/* What is seen on links and sticks. */
#include "tests/sim/wire.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "protocol/segment.h"
#include "replica/replica_keys.h"
#include "tests/sim/ghost.h"
#include "tests/sim/story.h"

/* A stream's own key of an epoch is worked out from both; in a write-only segment the key stands sealed in front. */
struct sealing {
    uint8_t stream[MQ_ID_SIZE], kid[MQ_KID_SIZE], nonce[MQ_NONCE_SIZE], segment[MQ_SEGMENT_ID_SIZE];
};

struct promise {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq;
};

struct sim_wire {
    struct sealing *sealings; /* open addressing by nonce; an empty place has seq 0 in `used` */
    uint8_t *used;
    size_t room, count;
    struct promise *promises;
    size_t promise_count, promise_room;
};

struct sim_wire *sim_wire_new(void)
{
    struct sim_wire *wire = calloc(1, sizeof *wire);
    MQ_ASSERT(wire != NULL);
    return wire;
}

void sim_wire_free(struct sim_wire *wire)
{
    free(wire->sealings);
    free(wire->used);
    free(wire->promises);
    free(wire);
}

static size_t place_of(const struct sim_wire *wire, const struct sealing *sealing)
{
    uint64_t hash;
    memcpy(&hash, sealing->nonce, sizeof hash);
    size_t place = hash % wire->room;
    while (wire->used[place] && (memcmp(wire->sealings[place].nonce, sealing->nonce, MQ_NONCE_SIZE) != 0 ||
                                 memcmp(wire->sealings[place].stream, sealing->stream, MQ_ID_SIZE) != 0 ||
                                 memcmp(wire->sealings[place].kid, sealing->kid, MQ_KID_SIZE) != 0))
        place = (place + 1) % wire->room;
    return place;
}

static void grow(struct sim_wire *wire)
{
    struct sim_wire before = *wire;
    wire->room = before.room == 0 ? 1024 : before.room * 2;
    wire->sealings = calloc(wire->room, sizeof *wire->sealings);
    wire->used = calloc(wire->room, 1);
    MQ_ASSERT(wire->sealings != NULL && wire->used != NULL);
    for (size_t i = 0; i < before.room; i++)
        if (before.used[i]) {
            size_t place = place_of(wire, &before.sealings[i]);
            wire->sealings[place] = before.sealings[i];
            wire->used[place] = 1;
        }
    free(before.sealings);
    free(before.used);
}

/* Did its writer sign it? What a bad medium made of it on the way is no sealing. */
static bool is_signed(struct sim_fleet *fleet, const struct mq_segment *segment)
{
    struct mq_announce announce;
    struct mq_error error = {0};
    bool good = false;
    for (size_t i = 0; i < fleet->member_count && !good; i++)
        good = fleet->members[i].replica != NULL &&
               mq_announce_find(fleet->members[i].replica, segment->stream, &announce, &error) == MQ_OK &&
               mq_segment_verify(segment, &announce) == MQ_OK;
    return good;
}

static void see_segment(struct sim_fleet *fleet, struct mq_span bytes)
{
    struct sim_wire *wire = fleet->wire;
    struct mq_segment segment;
    struct sealing sealing;
    if (mq_segment_decode(&segment, bytes) != MQ_OK)
        return;
    size_t skip = segment.flags & MQ_SEGMENT_FLAG_WRITE_ONLY ? MQ_SEALED_BOX_SIZE : 0;
    memcpy(sealing.stream, segment.stream, MQ_ID_SIZE);
    memcpy(sealing.kid, segment.kid, MQ_KID_SIZE);
    memcpy(sealing.nonce, segment.body.data + skip, MQ_NONCE_SIZE);
    memcpy(sealing.segment, segment.id, MQ_SEGMENT_ID_SIZE);
    if (wire->count * 2 >= wire->room)
        grow(wire);
    size_t place = place_of(wire, &sealing);
    if (!wire->used[place]) {
        wire->used[place] = 1;
        wire->sealings[place] = sealing;
        wire->count++;
    } else if (memcmp(wire->sealings[place].segment, sealing.segment, MQ_SEGMENT_ID_SIZE) != 0 && is_signed(fleet, &segment))
        sim_broken(fleet->story, "I8", "two different segments were sealed with one key and one nonce");
}

void sim_wire_sees(struct sim_fleet *fleet, struct mq_span bytes, size_t head)
{
    struct mq_reader reader = mq_reader(bytes);
    struct mq_frame frame;
    if (memmem(bytes.data, bytes.size, SIM_MARK, sizeof SIM_MARK - 1) != NULL)
        sim_broken(fleet->story, "I7", "something that a person wrote left a machine in plain text");
    if (bytes.size < head)
        return;
    (void)mq_take(&reader, head);
    while (mq_frame_next(&reader, &frame) == MQ_OK)
        if (frame.type == MQ_FRAME_SEGMENT)
            see_segment(fleet, frame.payload);
}

/* ---- promises ---- */

static void promise(struct sim_wire *wire, const uint8_t stream[MQ_ID_SIZE], uint32_t seq)
{
    size_t i = 0;
    while (i < wire->promise_count && memcmp(wire->promises[i].stream, stream, MQ_ID_SIZE) != 0)
        i++;
    if (i == wire->promise_room) {
        wire->promise_room = i == 0 ? 64 : i * 2;
        wire->promises = realloc(wire->promises, wire->promise_room * sizeof *wire->promises);
        MQ_ASSERT(wire->promises != NULL);
    }
    if (i == wire->promise_count) {
        memcpy(wire->promises[i].stream, stream, MQ_ID_SIZE);
        wire->promises[i].seq = 0;
        wire->promise_count++;
    }
    if (seq > wire->promises[i].seq)
        wire->promises[i].seq = seq;
}

void sim_wire_promised(struct sim_fleet *fleet, struct mq_span request, struct mq_span reply)
{
    static const uint8_t none[MQ_ID_SIZE];
    struct mq_request asked;
    struct mq_reply said;
    struct mq_reader question = mq_reader(request), answer = mq_reader(reply);
    if (mq_request_get(&asked, &question) != MQ_OK || mq_reply_get(&said, asked.mailbox_count, &answer) != MQ_OK)
        return;
    for (size_t i = 0; i < said.mailbox_count; i++)
        if (said.status == MQ_REPLY_OK && memcmp(asked.mailboxes[i].stream, none, sizeof none) != 0)
            promise(fleet->wire, asked.mailboxes[i].stream, said.mailboxes[i].head_seq);
}

void sim_wire_check_promises(struct sim_fleet *fleet)
{
    struct sim_wire *wire = fleet->wire;
    for (size_t i = 0; i < wire->promise_count && fleet->store != NULL; i++) {
        struct mq_stream_head head = {0};
        struct mq_error error = {0};
        if (fleet->store->verbs->head(fleet->store, wire->promises[i].stream, &head, &error) == MQ_OK &&
            head.seq < wire->promises[i].seq)
            sim_broken(fleet->story, "I2", "the server said that it stores %u segments of a stream, and has %u",
                       wire->promises[i].seq, head.seq);
    }
}

void sim_wire_void_promises(struct sim_fleet *fleet)
{
    fleet->wire->promise_count = 0;
}

bool sim_wire_some_stream(struct sim_fleet *fleet, uint8_t stream[MQ_ID_SIZE])
{
    const struct sim_wire *wire = fleet->wire;
    size_t from = sim_choose(fleet->choices, wire->room > 0 ? (uint32_t)wire->room : 1);
    for (size_t i = from; i < wire->room; i++)
        if (wire->used[i]) {
            memcpy(stream, wire->sealings[i].stream, MQ_ID_SIZE);
            return true;
        }
    return false;
}
