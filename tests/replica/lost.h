/* What the tests of keys over time share: one village, a device that is lost, another one, and short words for what they do. */
#ifndef MQ_TESTS_REPLICA_LOST_H
#define MQ_TESTS_REPLICA_LOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "replica/bundle.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define HOUSEHOLD "{\"kind\":\"household\",\"id\":\"%s\",\"place\":\"990527103204\",\"head\":\"余世海\"}"

static struct village village;
static struct mq_error problem;

static inline int begin(void **state)
{
    (void)state;
    mq_error_clear(&problem);
    village_begin(&village, 1789);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    hostile_accounted(&village);
    village_end(&village);
    return 0;
}

static inline struct village_member *lost(void)
{
    return &village.devices[0];
}

static inline struct village_member *other(void)
{
    return &village.devices[1];
}

static inline void add(struct village_member *member, const char *id)
{
    char json[200];
    snprintf(json, sizeof json, HOUSEHOLD, id);
    village_add(member, json, NULL);
}

static inline void sync_one(struct village_member *member)
{
    assert_int_equal(village_sync(&village, member, NULL), MQ_OK);
}

static inline bool knows(struct village_member *member, const char *id)
{
    uint8_t record[MQ_ID_SIZE];
    struct mq_error unheard = {0};
    return mq_view_find(member->replica, NULL, mq_span_text(id), record, &unheard) == MQ_OK;
}

static inline int64_t waiting_for_a_person(struct village_member *member)
{
    return hostile_count(member, "SELECT count(*) FROM segment WHERE state = 2 AND reason = 'revoked'");
}

/* By a stick. */
static inline void carry(struct village_member *from, struct village_member *to)
{
    struct mq_admitted taken;
    char path[256];
    int64_t written;
    snprintf(path, sizeof path, "%s/stick", village.directory);
    assert_int_equal(mq_bundle_write(from->replica, path, &written, &problem), MQ_OK);
    assert_int_equal(mq_bundle_read(to->replica, path, &taken, &problem), MQ_OK);
}

#endif
