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

#define SCENE(function) cmocka_unit_test_setup_teardown(function, start, stop)

#endif
