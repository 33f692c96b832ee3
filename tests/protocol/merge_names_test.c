/* Aim: however many names a member's changes list, finding what they mean takes no longer than reading them; and names on a
 * field with the greatest number mean that field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/merge.h"
#include "tests/protocol/chance.h"

#define NAMES 255
#define CHANGE_SIZE 2600
#define SECONDS_MAX 4 /* on a slow machine, with every check of the compiler; it was a minute */

static struct mq_fact facts[MQ_HISTORY_MAX];
static uint8_t changes[MQ_HISTORY_MAX][CHANGE_SIZE], memory[32 << 20];
static const uint8_t salt[MQ_SALT_SIZE];

static void put_fact(size_t at, const struct mq_buffer *change)
{
    assert_false(change->failed);
    mq_change_id(facts[at].id, salt, (uint32_t)at, mq_written(change));
    memcpy(facts[at].record, facts[0].id, MQ_ID_SIZE);
    facts[at].expanded = mq_written(change);
    facts[at].rank = 1;
}

static uint64_t field_of(const char *key)
{
    return mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(key))->number;
}

/* A need with one element as often as a set may have it. Gives the element's name. */
static void create(uint8_t element[MQ_NAME_SIZE])
{
    uint8_t pairs_memory[600], one[] = {1};
    struct mq_buffer pairs = mq_buffer(pairs_memory, sizeof pairs_memory), out = mq_buffer(changes[0], CHANGE_SIZE);
    mq_cbor_put_uint(&pairs, field_of("asks"));
    mq_cbor_put_array(&pairs, MQ_SET_MAX);
    for (size_t i = 0; i < MQ_SET_MAX; i++)
        mq_cbor_put_uint(&pairs, one[0]);
    mq_change_put_create(&out, MQ_KIND_NEED, 1, mq_written(&pairs));
    put_fact(0, &out);
    mq_element_name(element, facts[0].id, MQ_SPAN(one));
}

static void set(size_t at, uint64_t field, struct mq_span names)
{
    uint8_t value_memory[16];
    struct mq_buffer value = mq_buffer(value_memory, sizeof value_memory), out = mq_buffer(changes[at], CHANGE_SIZE);
    mq_cbor_put_uint(&value, at);
    mq_change_put_set(&out, facts[0].id, field, mq_written(&value), names, mq_span(NULL, 0));
    put_fact(at, &out);
}

static struct mq_group_state merged(size_t count)
{
    struct mq_arena arena = mq_arena(memory, sizeof memory);
    struct mq_group_state state;
    clock_t before = clock();
    assert_int_equal(mq_merge(&state, facts, count, &arena), MQ_OK);
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    print_message("%.3f s\n", seconds);
    assert_true(seconds < SECONDS_MAX);
    return state;
}

/* As many changes as a group may have, each with as many names as a change may have, of an element that its create holds as
 * often as it may; and of each other. */
static void a_million_names_are_read_in_time(void **state)
{
    struct chance chance = chance_start("names");
    uint8_t element[MQ_NAME_SIZE], names[NAMES * MQ_NAME_SIZE];
    (void)state;
    create(element);
    for (size_t i = 1; i < MQ_HISTORY_MAX; i++) {
        for (size_t k = 0; k < NAMES; k++)
            memcpy(names + k * MQ_NAME_SIZE, element, MQ_NAME_SIZE);
        set(i, field_of("asks"), MQ_SPAN(names));
    }
    struct mq_group_state all = merged(MQ_HISTORY_MAX);
    const struct mq_field_state *asks = mq_group_field(&all, field_of("asks"));
    assert_int_equal(asks->choice_count, MQ_HISTORY_MAX - 1); /* the one that was replaced is said again by change 1 */
    for (size_t i = 1; i < MQ_HISTORY_MAX; i++) {
        for (size_t k = 0; k < NAMES; k++)
            memcpy(names + k * MQ_NAME_SIZE, facts[chance_below(&chance, i)].id, MQ_NAME_SIZE);
        set(i, field_of("summary"), MQ_SPAN(names));
    }
    all = merged(MQ_HISTORY_MAX);
    assert_true(mq_group_field(&all, field_of("summary"))->choices[0].depth > 200);
}

/* Beyond the greatest number of a field there is no next one. */
static void names_on_the_greatest_field(void **state)
{
    uint8_t element[MQ_NAME_SIZE];
    (void)state;
    create(element);
    set(1, UINT64_MAX, mq_span(NULL, 0));
    set(2, UINT64_MAX, mq_span(NULL, 0));
    set(3, UINT64_MAX, mq_span(facts[1].id, MQ_NAME_SIZE));
    struct mq_group_state all = merged(4);
    const struct mq_field_state *greatest = mq_group_field(&all, UINT64_MAX);
    assert_int_equal(greatest->choice_count, 2);
    assert_memory_equal(greatest->choices[0].best->id, facts[3].id, MQ_ID_SIZE);
    assert_memory_equal(greatest->choices[1].best->id, facts[2].id, MQ_ID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_names_are_read_in_time),
        cmocka_unit_test(names_on_the_greatest_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
