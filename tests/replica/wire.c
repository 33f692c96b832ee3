/* The bad line of wire.h. */
#include "tests/replica/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/replica/hostile.h"

static struct mq_error problem;

void wire_mend(struct wire *wire, struct village *village)
{
    wire->village = village;
    wire->harm = WIRE_NONE;
    wire->message = 0;
    wire->at = 0;
    wire->thin = false;
}

/* ---- one message ---- */

static int64_t count_segments(struct mq_span message, bool reply, size_t mailboxes)
{
    struct mq_reader reader = mq_reader(message);
    struct mq_request request;
    struct mq_reply head;
    struct mq_frame frame;
    int64_t count = 0;
    enum mq_status status =
        reply ? mq_reply_get(&head, mailboxes, &reader) : mq_request_get(&request, &reader);
    while (status == MQ_OK && mq_frame_next(&reader, &frame) == MQ_OK && frame.type != MQ_FRAME_END)
        count += frame.type == MQ_FRAME_SEGMENT;
    return count;
}

/* What the relay gets of the request: a copy with an end of its own, so that a sanitizer sees who reads past it. */
static uint8_t *damaged(struct wire *wire, struct mq_span whole, bool cut, size_t *size)
{
    *size = cut ? wire->at : whole.size;
    uint8_t *copy = malloc(*size + (*size == 0));
    assert_non_null(copy);
    memcpy(copy, whole.data, *size);
    if (!cut)
        copy[wire->at / 8] ^= (uint8_t)(1u << wire->at % 8);
    return copy;
}

static bool reaches(const struct wire *wire, bool cut, size_t size)
{
    return cut ? wire->at < size : wire->at / 8 < size;
}

static enum mq_status ask_relay(struct wire *wire, struct mq_span request, struct mq_buffer *reply,
                                struct mq_post_answer *answer)
{
    struct mq_error trouble = {0};
    enum mq_status status = mq_relay_exchange(&wire->village->relay, request, reply, &trouble);
    assert_true(status == MQ_OK || status == MQ_REFUSED); /* whatever comes: never a fault of ours */
    answer->http_status = status == MQ_OK ? 200 : 400;
    return status;
}

static enum mq_status pass_up(struct wire *wire, struct mq_span body, struct mq_buffer *reply,
                              struct mq_post_answer *answer, struct mq_error *error)
{
    bool cut = wire->harm == WIRE_CUT_UP, harm = cut || wire->harm == WIRE_FLIP_UP;
    if (!harm || !reaches(wire, cut, body.size)) {
        (void)ask_relay(wire, body, reply, answer);
        return MQ_OK;
    }
    size_t size;
    uint8_t *request = damaged(wire, body, cut, &size);
    wire->harmed = true;
    wire->segments = count_segments(mq_span(request, size), false, 0);
    (void)ask_relay(wire, mq_span(request, size), reply, answer);
    free(request);
    if (!cut)
        return MQ_OK;
    reply->size = 0;
    answer->http_status = 0;
    return mq_fail(error, MQ_UNREACHABLE, "the request was cut");
}

static enum mq_status pass_down(struct wire *wire, struct mq_span request, struct mq_buffer *reply,
                                struct mq_error *error)
{
    bool cut = wire->harm == WIRE_CUT_DOWN;
    if ((!cut && wire->harm != WIRE_FLIP_DOWN) || !reaches(wire, cut, reply->size))
        return MQ_OK;
    wire->harmed = true;
    if (!cut) {
        reply->data[wire->at / 8] ^= (uint8_t)(1u << wire->at % 8);
        return MQ_OK;
    }
    reply->size = wire->at;
    wire->segments = count_segments(mq_written(reply), true, request.data[1]);
    return mq_fail(error, MQ_UNREACHABLE, "the reply was cut");
}

static void pass_twice(struct wire *wire, struct mq_span body)
{
    struct mq_post_answer ignored = {0};
    uint8_t *memory = malloc(MQ_REPLY_MAX);
    assert_non_null(memory);
    struct mq_buffer reply = mq_buffer(memory, MQ_REPLY_MAX);
    wire->harmed = true;
    (void)ask_relay(wire, body, &reply, &ignored);
    free(memory);
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct wire *wire = context;
    bool now = wire->messages++ == wire->message;
    (void)path;
    if (!now) {
        (void)ask_relay(wire, body, reply, answer);
        return MQ_OK;
    }
    wire->up_size = body.size;
    enum mq_status status = pass_up(wire, body, reply, answer, error);
    if (status != MQ_OK)
        return status;
    wire->down_size = wire->last_size = reply->size;
    memcpy(wire->last, reply->data, reply->size);
    if (wire->harm == WIRE_TWICE)
        pass_twice(wire, body);
    if (wire->harm == WIRE_STALE) {
        wire->harmed = true;
        reply->size = 0;
        mq_put_span(reply, wire->stale);
    }
    return pass_down(wire, body, reply, error);
}

/* ---- one sync ---- */

static enum mq_status desk_between(void *context, const struct mq_team *team, struct mq_error *error)
{
    struct village_member *desk = context;
    return mq_receipts_make(desk->replica, team, error);
}

/* What an earlier failure left of the budgets would change the messages from byte to byte. */
static void set_bodies(struct village_member *member, bool thin)
{
    int64_t up = thin ? MQ_BODY_SMALLEST : MQ_BODY_START, down = thin ? MQ_BODY_SMALLEST : MQ_REPLY_FIRST;
    assert_int_equal(mq_setting_put_number(member->replica, "body_up", up, &problem), MQ_OK);
    assert_int_equal(mq_setting_put_number(member->replica, "body_down", down, &problem), MQ_OK);
}

enum mq_status wire_sync(struct wire *wire, struct village_member *member, bool patient)
{
    const struct mq_transport transport = {.context = wire, .post = post};
    const struct mq_sync_hooks hooks = {.context = member, .between = desk_between};
    struct mq_sync_result result = {0};
    int64_t deadline = member->platform->monotonic_ms(member->platform->self) + (patient ? 20000 : 0);
    mq_error_clear(&problem);
    set_bodies(member, wire->thin);
    wire->messages = 0;
    wire->harmed = false;
    wire->segments = 0;
    wire->up_size = wire->down_size = 0;
    return mq_sync(member->replica, &member->team, &transport, member == &wire->village->desk ? &hooks : NULL,
                   deadline, &result, &problem);
}

void wire_position(struct village_member *member, struct wire_position *out)
{
    struct mq_safety safety = village_safety(member);
    *out = (struct wire_position){
        .cursors = hostile_count(member, "SELECT total(cursor) FROM mailbox"),
        .fingerprints = hostile_count(member, "SELECT count(*) FROM mailbox WHERE fingerprint <> zeroblob(16)"),
        .server_seq = hostile_count(member, "SELECT total(server_seq) FROM stream WHERE mine = 1"),
        .stored = hostile_count(member, "SELECT count(*) FROM segment WHERE mine = 1 AND stored = 1"),
        .outbox_sent = hostile_count(member, "SELECT count(*) FROM outbox WHERE sent = 1"),
        .segments = hostile_count(member, "SELECT count(*) FROM segment"),
        .anchored = safety.anchored,
    };
}

struct streams {
    uint8_t ids[MQ_STREAMS_MAX][MQ_ID_SIZE];
    size_t count;
};

static bool collect(void *context, const uint8_t stream[MQ_ID_SIZE])
{
    struct streams *streams = context;
    memcpy(streams->ids[streams->count++], stream, MQ_ID_SIZE);
    return streams->count < MQ_STREAMS_MAX;
}

int64_t wire_held(struct village *village, struct village_member *member)
{
    static struct streams streams;
    struct mq_store *store = village->store;
    uint8_t name[MQ_KID_SIZE];
    int64_t count = 0;
    streams.count = 0;
    mq_key_name(name, member->team.certificate.sign_public);
    assert_int_equal(store->verbs->streams_of(store, name, collect, &streams, &problem), MQ_OK);
    for (size_t i = 0; i < streams.count; i++) {
        struct mq_have have;
        uint64_t bytes;
        assert_int_equal(store->verbs->held(store, streams.ids[i], &have, &bytes, &problem), MQ_OK);
        count += have.count;
    }
    return count;
}
