/* A village with a county's and a township's desk, and what either says of the device's stream, said to it at once. */
#ifndef MQ_TESTS_REPLICA_TWO_DESKS_H
#define MQ_TESTS_REPLICA_TWO_DESKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/control_keys.h"
#include "replica/bundle.h"
#include "replica/replica_keys.h"
#include "tests/replica/hostile.h"

#define HOUSEHOLD \
    "{\"kind\":\"household\",\"id\":\"%s\",\"place\":\"990527103204\",\"head\":\"杨顺华\",\"state\":\"在住\"}"

static struct village village;
static struct mq_error problem;

static inline int begin(void **state)
{
    (void)state;
    village_begin(&village, 4711);
    village_township(&village);
    mq_error_clear(&problem);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

static inline struct village_member *device(void)
{
    return &village.devices[0];
}

static inline void add(const char *id)
{
    char json[300];
    snprintf(json, sizeof json, HOUSEHOLD, id);
    village_add(device(), json, NULL);
}

static inline void sync_one(struct village_member *member)
{
    assert_int_equal(village_sync(&village, member, NULL), MQ_OK);
}

static inline void assert_all_anchored(int64_t records)
{
    struct mq_safety safety = village_safety(device());
    assert_int_equal(safety.anchored, records);
    assert_int_equal(safety.saved + safety.stored + safety.quarantined, 0);
}

/* The id of the device's own segment with this number. */
static inline void own_segment(int64_t seq, uint8_t id[MQ_SEGMENT_ID_SIZE], uint8_t stream[MQ_ID_SIZE])
{
    struct mq_query *query;
    assert_int_equal(mq_db_query(mq_replica_db(device()->replica), &query, &problem,
                                 "SELECT id, stream FROM segment WHERE mine = 1 AND seq = ?", "i", seq),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(id, mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
    memcpy(stream, mq_db_blob(query, 1).data, MQ_ID_SIZE);
    mq_db_done(&query);
}

/* What a desk says of the device's stream: merged up to `head`, but for `excepted` (0: nothing). */
struct saying {
    int64_t head, excepted;
    uint8_t reason;
    uint64_t number;
};

/* The signed object, which names this backup. `out` has room for 400 bytes. */
static inline void put_word(struct mq_buffer *out, const struct village_member *desk, const struct saying *saying,
                            uint32_t backup)
{
    uint8_t body_memory[200];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory);
    struct mq_receipt receipt = {
        .head_seq = (uint32_t)saying->head, .backup = backup, .excepted_count = saying->excepted > 0};
    struct mq_control control = {.kind = MQ_CONTROL_RECEIPT, .number = saying->number};
    own_segment(saying->head, receipt.head_id, control.subject);
    if (saying->excepted > 0)
        own_segment(saying->excepted, receipt.excepted[0].id, control.subject);
    receipt.excepted[0].reason = saying->reason;
    memcpy(control.team, desk->team.team, MQ_ID_SIZE);
    mq_receipt_put(&body, &receipt);
    control.body = mq_written(&body);
    assert_int_equal(mq_control_sign(out, &control, mq_replica_identity(desk->replica)), MQ_OK);
}

/* Gives how many objects the hearer refused: 0 or 1. */
static inline int64_t say_to(struct village_member *hearer, struct village_member *desk, const struct saying *saying)
{
    uint8_t memory[400];
    struct mq_buffer object = mq_buffer(memory, sizeof memory);
    put_word(&object, desk, saying, 0);
    struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&object)};
    return village_hear(hearer, &frame);
}

/* The same, which comes on a stick. */
static inline void say_by_stick(struct village_member *hearer, struct village_member *desk, const struct saying *saying)
{
    uint8_t object_memory[400], frames_memory[500];
    struct mq_buffer object = mq_buffer(object_memory, sizeof object_memory),
                     frames = mq_buffer(frames_memory, sizeof frames_memory);
    struct mq_admitted result = {0};
    put_word(&object, desk, saying, 0);
    mq_frame_put(&frames, MQ_FRAME_CONTROL, mq_written(&object));
    assert_int_equal(mq_bundle_take(hearer->replica, mq_written(&frames), &result, &problem), MQ_OK);
    assert_int_equal(result.refused, 0);
}

static inline void say(struct village_member *desk, const struct saying *saying)
{
    assert_int_equal(say_to(device(), desk, saying), 0);
}

static inline void say_receipt(struct village_member *desk, int64_t head, int64_t excepted)
{
    static uint64_t number = 1;
    say(desk, &(struct saying){head, excepted, MQ_EXCEPTION_UNDECODABLE, UINT64_C(1800000000000) + number++});
}

static inline void three_segments(void)
{
    for (int i = 0; i < 3; i++) {
        add((const char *[]){"a", "b", "c"}[i]);
        sync_one(device());
    }
}

#endif
