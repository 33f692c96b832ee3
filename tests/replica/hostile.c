/* The ways and members of hostile.h. */
#include "tests/replica/hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "replica/outgoing.h"
#include "replica/sealed.h"

static struct mq_error problem;

/* ---- the way ---- */

static bool lost(const struct hostile_way *way, const struct mq_frame *frame)
{
    static const uint8_t none[MQ_SEGMENT_ID_SIZE];
    struct mq_segment segment;
    if (memcmp(way->lost_id, none, sizeof none) == 0)
        return false;
    if (frame->type == MQ_FRAME_PART)
        return memcmp(frame->payload.data, way->lost_id, sizeof way->lost_id) == 0;
    return frame->type == MQ_FRAME_SEGMENT && mq_segment_decode(&segment, frame->payload) == MQ_OK &&
           memcmp(segment.id, way->lost_id, sizeof way->lost_id) == 0;
}

static bool withheld(const struct hostile_way *way, const struct mq_frame *frame)
{
    struct mq_segment segment;
    if (lost(way, frame))
        return true;
    if (way->claimed_seq > 0 && frame->type == MQ_FRAME_SKELETON)
        return true; /* the true one */
    if (way->withholds_words && frame->type == MQ_FRAME_CONTROL)
        return true;
    return way->withheld_seq > 0 && frame->type == MQ_FRAME_SEGMENT &&
           mq_segment_decode(&segment, frame->payload) == MQ_OK && segment.seq == way->withheld_seq;
}

/* The relay's reply as the member gets to see it. */
static void reply_pass(const struct hostile_way *way, struct mq_span request, struct mq_span honest,
                       struct mq_buffer *reply)
{
    struct mq_reader reader = mq_reader(honest);
    struct mq_reply head;
    struct mq_frame frame;
    assert_int_equal(mq_reply_get(&head, request.data[1], &reader), MQ_OK); /* as many mailboxes as were asked for */
    if (way->claimed_seq > 0) {
        head.mailboxes[0].head_seq = way->claimed_seq;
        memcpy(head.mailboxes[0].head_id, way->claimed_id, MQ_ID_SIZE);
    }
    mq_reply_put(reply, &head);
    if (way->claimed_seq > 0 && way->skeleton.size > 0)
        mq_frame_put(reply, MQ_FRAME_SKELETON, way->skeleton);
    if (way->wanted.size > 0) {
        bool turn = way->wanted_in_turn.size > 0 && way->requests % 2 == 0;
        mq_frame_put(reply, MQ_FRAME_WANT, turn ? way->wanted_in_turn : way->wanted);
    }
    while (mq_frame_next(&reader, &frame) == MQ_OK)
        if (frame.type != MQ_FRAME_END && !withheld(way, &frame))
            mq_frame_put(reply, (enum mq_frame_type)frame.type, frame.payload);
    mq_exchange_end(reply);
}

/* The request without its frames. */
static struct mq_span head_only(struct mq_span body, struct mq_buffer *out)
{
    struct mq_reader reader = mq_reader(body);
    struct mq_request head;
    assert_int_equal(mq_request_get(&head, &reader), MQ_OK);
    mq_request_put(out, &head);
    mq_exchange_end(out);
    return mq_written(out);
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct hostile_way *way = context;
    int number = way->requests++;
    (void)path;
    if ((number >= way->drop_from && number < way->drop_to) || (way->request_most > 0 && body.size > way->request_most))
        return mq_fail(error, MQ_UNREACHABLE, "the request was lost");
    uint8_t *memory = malloc(MQ_REPLY_MAX), head_memory[2048];
    assert_non_null(memory);
    struct mq_buffer head = mq_buffer(head_memory, sizeof head_memory);
    struct mq_buffer honest = mq_buffer(memory, MQ_REPLY_MAX);
    enum mq_status status =
        mq_relay_exchange(&way->village->relay, way->keeps_nothing ? head_only(body, &head) : body, &honest, error);
    assert_int_equal(status, MQ_OK);
    answer->http_status = 200;
    reply_pass(way, body, mq_written(&honest), reply);
    free(memory);
    if (way->reply_most == 0 || reply->size <= way->reply_most)
        return MQ_OK;
    reply->size = way->reply_most;
    return mq_fail(error, MQ_UNREACHABLE, "the reply was cut");
}

static enum mq_status desk_between(void *context, const struct mq_team *team, struct mq_error *error)
{
    struct village_member *desk = context;
    return mq_receipts_make(desk->replica, team, error);
}

enum mq_status hostile_sync(struct hostile_way *way, struct village_member *member, struct mq_sync_result *result)
{
    const struct mq_transport transport = {.context = way, .post = post};
    const struct mq_sync_hooks hooks = {.context = member, .between = desk_between};
    struct mq_sync_result ignored = {0};
    int64_t deadline = member->platform->monotonic_ms(member->platform->self) + 20000;
    mq_error_clear(&problem);
    return mq_sync(member->replica, &member->team, &transport, member == &way->village->desk ? &hooks : NULL, deadline,
                   result != NULL ? result : &ignored, &problem);
}

/* ---- the member ---- */

void hostile_write(struct village_member *member, struct mq_span expanded)
{
    struct mq_db *db = mq_replica_db(member->replica);
    uint8_t salt[MQ_SALT_SIZE], id[MQ_ID_SIZE];
    assert_true(expanded.size <= MQ_CHANGE_MAX);
    mq_error_clear(&problem);
    mq_random(member->platform, salt, sizeof salt);
    mq_change_id(id, salt, 0, expanded);
    assert_int_equal(mq_db_run(db, &problem,
                               "INSERT INTO batch(mailbox, salt, boot, monotonic, wall, utc_offset, count)"
                               " VALUES(?, ?, 1, 1, 1700000000, 0, 1)",
                               "bb", MQ_SPAN(member->team.mailbox), MQ_SPAN(salt)),
                     MQ_OK);
    assert_int_equal(mq_db_run(db, &problem,
                               "INSERT INTO journal(batch, idx, id, minutes, actor, expanded)"
                               " VALUES((SELECT max(number) FROM batch), 0, ?, 0, 0, ?)",
                               "bb", MQ_SPAN(id), expanded),
                     MQ_OK);
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK);
}

static enum mq_status seal_now(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct hostile_sealing *sealing = context;
    return mq_seal_now(replica, &sealing->member->team, sealing->compartment, sealing->expanded, sealing->record,
                       sealing->id, error);
}

void hostile_seal(struct hostile_sealing *sealing)
{
    mq_error_clear(&problem);
    assert_int_equal(mq_replica_transact(sealing->member->replica, seal_now, sealing, &problem), MQ_OK);
}

void hostile_copy(struct village_member *member, struct hostile_copy *out)
{
    struct mq_query *query;
    mq_error_clear(&problem);
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK);
    assert_int_equal(mq_db_query(mq_replica_db(member->replica), &query, &problem,
                                 "SELECT bytes FROM segment WHERE mine = 1 ORDER BY number LIMIT 1", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    out->size = mq_db_blob(query, 0).size;
    memcpy(out->bytes, mq_db_blob(query, 0).data, out->size);
    mq_db_done(&query);
    assert_int_equal(mq_segment_decode(&out->segment, mq_span(out->bytes, out->size)), MQ_OK);
    mq_skeleton_encode(out->skeleton, &out->segment);
}

/* ---- looking ---- */

int64_t hostile_count(struct village_member *member, const char *sql)
{
    int64_t number = 0;
    mq_error_clear(&problem);
    assert_int_equal(mq_db_number(mq_replica_db(member->replica), &number, &problem, sql, ""), MQ_OK);
    return number;
}

void hostile_accounted(struct village *village)
{
    for (int i = 0; i <= VILLAGE_DEVICES; i++) {
        struct village_member *member = i < VILLAGE_DEVICES ? &village->devices[i] : &village->desk;
        struct mq_partition parts;
        if (member->replica == NULL)
            continue;
        mq_error_clear(&problem);
        assert_int_equal(mq_partition(member->replica, &parts, &problem), MQ_OK);
        assert_int_equal(parts.admitted + parts.waiting + parts.quarantined + parts.undecodable,
                         hostile_count(member, "SELECT (SELECT count(*) FROM segment)"
                                               " + (SELECT count(*) FROM unverified WHERE frame = 1)"));
    }
}
