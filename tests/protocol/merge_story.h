/* For the tests that tell small stories: a cadre and a desk write about needs, and one looks at what stands. */
#ifndef MQ_TESTS_PROTOCOL_MERGE_STORY_H
#define MQ_TESTS_PROTOCOL_MERGE_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/protocol/merge_kit.h"

enum { CADRE = 1, DESK = 2 };

static struct kit kit;
static uint64_t words, summary, category, asks;
static uint8_t room[4096];
static struct mq_buffer change;

static inline uint64_t field_number(const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(key));

    assert_non_null(field);
    return field->number;
}

static inline int start(void **state)
{
    (void)state;
    kit.count = kit.used = kit.salts = 0;
    words = field_number("words");
    summary = field_number("summary");
    category = field_number("category");
    asks = field_number("asks");
    return 0;
}

/* ---- Writing ---- */

static inline struct mq_buffer *fresh(void)
{
    change = mq_buffer(room, sizeof(room));
    return &change;
}

static inline const struct mq_fact *create(const char *said, const char *sum)
{
    struct kit_pair pairs[2] = {{words, kit_text(&kit, said)}, {summary, kit_text(&kit, sum)}};

    if (summary < words) {
        struct kit_pair kept = pairs[0];
        pairs[0] = pairs[1];
        pairs[1] = kept;
    }
    kit_put_create(fresh(), MQ_KIND_NEED, pairs, 2);
    return kit_add(&kit, CADRE, NULL, &change);
}

static inline const struct mq_fact *create_by(unsigned rank, uint64_t kind, uint64_t field, struct mq_span value)
{
    struct kit_pair pair = {field, value};

    kit_put_create(fresh(), kind, &pair, 1);
    return kit_add(&kit, rank, NULL, &change);
}

static inline const struct mq_fact *create_bare(uint64_t kind, uint64_t field, struct mq_span value)
{
    return create_by(CADRE, kind, field, value);
}

static inline struct mq_span no_names(void)
{
    return mq_span(NULL, 0);
}

/* What stood on the screen: all names of a choice. */
static inline struct mq_span names_of(const struct mq_group_state *state, uint64_t field, size_t choice)
{
    const struct mq_field_state *found = mq_group_field(state, field);

    assert_non_null(found);
    assert_true(choice < found->choice_count);
    return kit_keep(&kit, mq_span(found->choices[choice].names, found->choices[choice].name_count * MQ_NAME_SIZE));
}

static inline const struct mq_fact *set(unsigned rank, const uint8_t *record, uint64_t field, struct mq_span value,
                                 struct mq_span replaced)
{
    mq_change_put_set(fresh(), record, field, value, replaced, mq_span(NULL, 0));
    return kit_add(&kit, rank, record, &change);
}

/* A set that says why. */
static inline const struct mq_fact *set_because(unsigned rank, const uint8_t *record, uint64_t field,
                                                struct mq_span value, struct mq_span replaced)
{
    mq_change_put_set(fresh(), record, field, value, replaced, mq_span_text("镇里核过，可以等"));
    return kit_add(&kit, rank, record, &change);
}

static inline const struct mq_fact *add(const uint8_t *record, uint64_t field, struct mq_span value)
{
    mq_change_put_add(fresh(), record, field, value);
    return kit_add(&kit, CADRE, record, &change);
}

static inline const struct mq_fact *remove_names(const uint8_t *record, uint64_t field, struct mq_span replaced)
{
    mq_change_put_remove(fresh(), record, field, replaced);
    return kit_add(&kit, CADRE, record, &change);
}

static inline const struct mq_fact *decide(const uint8_t *record, uint64_t field, struct mq_span value,
                                           struct mq_span replaced)
{
    mq_change_put_decide(fresh(), record, field, value, replaced, mq_span_text("asked the household"));
    return kit_add(&kit, DESK, record, &change);
}

static inline const struct mq_fact *set_life(const uint8_t *record, struct mq_span life,
                                             const struct mq_group_state *seen)
{
    return set(CADRE, record, MQ_FIELD_LIFE, life,
               kit_keep(&kit, mq_span(seen->life_names, seen->life_count * MQ_NAME_SIZE)));
}

static inline const struct mq_fact *delete_all_of(const uint8_t *record, const struct mq_group_state *seen)
{
    return set_life(record, kit_deletion(&kit, seen), seen);
}

/* ---- Looking ---- */

static inline struct mq_group_state now(void)
{
    return kit_merge(kit.facts, kit.count);
}

static inline void shows(const struct mq_group_state *state, uint64_t field, size_t choice, const char *text)
{
    const struct mq_field_state *found = mq_group_field(state, field);

    assert_non_null(found);
    assert_true(choice < found->choice_count);
    struct mq_reader reader = mq_reader(found->choices[choice].value);
    assert_true(mq_span_equal(mq_cbor_text(&reader, 100), mq_span_text(text)));
}

static inline size_t choices(const struct mq_group_state *state, uint64_t field)
{
    const struct mq_field_state *found = mq_group_field(state, field);

    return found == NULL ? 0 : found->choice_count;
}

static inline bool conflict(const struct mq_group_state *state, uint64_t field)
{
    const struct mq_field_state *found = mq_group_field(state, field);

    return found != NULL && found->conflict;
}

/* Every story starts on an empty page. */
#define STORY(function) cmocka_unit_test_setup(function, start)

#endif
