/* The stage of the relay's tests: a fresh world for each scene, and what scenes say often. */
#ifndef MQ_TESTS_SERVER_RELAY_STAGE_H
#define MQ_TESTS_SERVER_RELAY_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "protocol/revocation.h"
#include "tests/server/relay_kit.h"

static struct kit_world *w;

static inline int start(void **state)
{
    (void)state;
    w = kit_world();
    kit_admit_all(w);
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    kit_world_free(w);
    return 0;
}

static inline void seal_words(struct kit_member *member, const char *words)
{
    (void)kit_seal_next(w, member, mq_span_text(words));
}

/* The member brings all that he has sealed. */
static inline void bring(struct kit_member *member)
{
    kit_say(w, member);
    kit_add_own(w, member);
    kit_send(w, member);
}

static inline void assert_head(uint32_t seq, const struct kit_segment *segment)
{
    assert_int_equal(w->reply.mailboxes[0].head_seq, seq);
    if (segment != NULL)
        assert_memory_equal(w->reply.mailboxes[0].head_id, segment->id, MQ_ID_SIZE);
}

/* Changes the store's file while the relay is not looking. */
static inline void behind_its_back(const char *sql)
{
    struct mq_db *db;

    w->store->verbs->close(w->store);
    assert_int_equal(mq_db_open(&db, mq_platform_real(), store_path, &w->error), MQ_OK);
    assert_int_equal(mq_db_script(db, sql, &w->error), MQ_OK);
    mq_db_close(db);
    kit_store_open(w);
}

/* A member's revocation by this desk, under this number. */
static inline void add_revocation_of(const struct kit_member *member, const struct kit_member *desk, uint64_t number)
{
    uint8_t memory[100];
    struct mq_buffer body = mq_buffer(memory, sizeof memory);
    struct mq_revocation said = {.cut_count = 0};
    struct mq_control control = {.kind = MQ_CONTROL_REVOCATION, .number = number};

    mq_certificate_hash(said.certificate, &member->certificate);
    mq_revocation_subject(control.subject, said.certificate);
    mq_revocation_put(&body, &said);
    control.body = mq_written(&body);
    kit_add_control(w, desk, control);
}

/* A receipt that excepts nothing, for this stream. */
static inline void add_receipt_of(const struct kit_member *desk, const uint8_t stream[MQ_ID_SIZE], uint64_t number)
{
    uint8_t memory[100];
    struct mq_buffer body = mq_buffer(memory, sizeof memory);
    const struct mq_receipt receipt = {.head_seq = 1};
    struct mq_control said = {.kind = MQ_CONTROL_RECEIPT, .number = number};

    mq_receipt_put(&body, &receipt);
    said.body = mq_written(&body);
    memcpy(said.subject, stream, MQ_ID_SIZE);
    kit_add_control(w, desk, said);
}

/* A receipt for Anna's stream, laid into a request. */
static inline void add_receipt(const struct kit_member *desk, uint64_t number)
{
    add_receipt_of(desk, w->anna.stream, number);
}

/* Anna hears what desks say of her stream: the objects with these numbers, the greatest first, and no more. */
static inline void assert_told(size_t count, const uint64_t *numbers)
{
    struct mq_control told;

    kit_sync(w, &w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(mq_control_decode(&told, kit_frame(w, MQ_FRAME_CONTROL, i)), MQ_OK);
        assert_int_equal(told.kind, MQ_CONTROL_RECEIPT);
        assert_int_equal(told.number, numbers[i]);
    }
}

#define SCENE(function) cmocka_unit_test_setup_teardown(function, start, stop)

#endif
