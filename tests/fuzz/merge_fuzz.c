/* Aim: whatever changes arrive, merge ends without harm, gives the same bytes in any order and with repetitions, and
 * agrees with the naive model. Input: facts one after another, each a byte for its form and then its parts, or its raw
 * bytes; ids share their first bytes and lists name anything, so that names collide and stand in rings. */
#include <string.h>

#include "protocol/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/merge_model.h"

enum { FACTS = 24, STATE_MAX = 1024 * 1024 };

static struct mq_fact facts[2 * FACTS];
static size_t count;
static uint8_t memory[256 * 1024];
static struct mq_buffer change;

/* A short name: of a register's value, or of an element of a fact that came before. */
static void take_name(struct mq_buffer *names, struct mq_reader *input)
{
    uint8_t name[MQ_NAME_SIZE] = {(uint8_t)(mq_get_u8(input) % 8)}, element = mq_get_u8(input);

    if (element % 2 == 1 && count > 0)
        mq_element_name(name, facts[element % count].id, MQ_SPAN(((const uint8_t[]){(uint8_t)(name[0] % 3)})));
    mq_put(names, name, sizeof(name));
}

/* A number, a short text, a reference, a deletion, or whatever the input says if it is an item. */
static struct mq_span take_value(struct mq_reader *input)
{
    static uint8_t room[4096];
    struct mq_buffer out = mq_buffer(room, sizeof(room));
    uint8_t form = mq_get_u8(input), record[MQ_ID_SIZE] = {(uint8_t)(form / 8)}, name[MQ_NAME_SIZE] = {form % 8};
    struct mq_span raw;

    switch (form % 5) {
    case 0:
        mq_put_reference(&out, record);
        break;
    case 1:
        mq_cbor_put_array(&out, 2);
        mq_cbor_put_uint(&out, 1);
        mq_cbor_put_array(&out, 1);
        mq_cbor_put_bytes(&out, MQ_SPAN(name));
        break;
    case 2:
        raw = mq_take(input, form / 8 < mq_left(input) ? form / 8 : 0);
        if (mq_cbor_valid(raw))
            mq_put_span(&out, raw);
        else
            mq_cbor_put_uint(&out, form % 3);
        break;
    default: /* tidy: not an enum */
        mq_cbor_put_uint(&out, form % 3);
    }
    return mq_written(&out);
}

static void put_create(struct mq_reader *input)
{
    static uint8_t room[8192];
    struct mq_buffer pairs = mq_buffer(room, sizeof(room));
    uint64_t kind = mq_get_u8(input) % 8, field = 0, fields = mq_get_u8(input) % 8;

    for (uint64_t i = 0; i < fields; i++) {
        field += 1 + mq_get_u8(input) % 3u;
        mq_cbor_put_uint(&pairs, i == 0 ? field - 1 : field);
        mq_put_span(&pairs, take_value(input));
    }
    MQ_ASSERT(!pairs.failed);
    mq_change_put_create(&change, kind, fields, mq_written(&pairs));
}

/* Puts one change into `change`; the record it is about comes back, all zeros for a create. */
static void put_change(uint8_t record[MQ_ID_SIZE], uint8_t form, struct mq_reader *input)
{
    uint8_t room[4 * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(room, sizeof(room));
    uint64_t field;

    memset(record, 0, MQ_ID_SIZE);
    if (form % 8 == MQ_CHANGE_CREATE) {
        put_create(input);
        return;
    }
    record[0] = 1 + mq_get_u8(input) % 8;
    record[MQ_ID_SIZE - 1] = (uint8_t)(count > 0 ? form / 8u % count : 0);
    field = mq_get_u8(input) % 20;
    for (size_t i = mq_get_u8(input) % 5; i > 0; i--)
        take_name(&names, input);
    switch (form % 8) {
    case MQ_CHANGE_SET:
        mq_change_put_set(&change, record, field, take_value(input), mq_written(&names), (struct mq_span){0});
        break;
    case MQ_CHANGE_ADD:
        mq_change_put_add(&change, record, field, take_value(input));
        break;
    case MQ_CHANGE_REMOVE:
        mq_change_put_remove(&change, record, field, mq_written(&names));
        break;
    case MQ_CHANGE_DECIDE:
        mq_change_put_decide(&change, record, field, take_value(input), mq_written(&names), mq_span(NULL, 0));
        break;
    default: /* tidy: not an enum */ /* raw: perhaps an attach, an unknown change, or no change at all */
        mq_put_span(&change, fuzz_take(input, (size_t)field * 4));
    }
}

static void put_fact(struct mq_reader *input)
{
    static const uint8_t none[MQ_ID_SIZE];
    struct mq_fact *fact = &facts[count];
    uint8_t form = mq_get_u8(input);
    size_t start = change.size;

    *fact = (struct mq_fact){.rank = form / 64};
    fact->id[0] = 1 + mq_get_u8(input) % 8;
    fact->id[MQ_ID_SIZE - 1] = (uint8_t)count;
    put_change(fact->record, form, input);
    if (memcmp(fact->record, none, MQ_ID_SIZE) == 0)
        memcpy(fact->record, fact->id, MQ_ID_SIZE);
    fact->expanded = mq_span(memory + start, change.size - start);
    count++;
}

/* The state's bytes; none where the facts are refused. */
static struct mq_span merge(uint8_t *room, enum mq_status *status, size_t facts_count)
{
    static _Alignas(16) uint8_t space[1024 * 1024];
    struct mq_arena arena = mq_arena(space, sizeof(space));
    struct mq_buffer out = mq_buffer(room, STATE_MAX);
    struct mq_group_state state;
    struct mq_links links;

    *status = mq_merge(&state, facts, facts_count, &arena);
    if (*status != MQ_OK)
        return mq_span(NULL, 0);
    MQ_ASSERT(mq_group_encode(&out, &state) == MQ_OK);
    arena = mq_arena(space, sizeof(space));
    MQ_ASSERT(mq_merge_links(&links, facts, facts_count, &arena) == MQ_OK);
    return mq_written(&out);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t one[STATE_MAX], two[STATE_MAX];
    struct mq_reader input = mq_reader((struct mq_span){data, size});
    struct mq_buffer model = mq_buffer(two, sizeof(two));
    enum mq_status status, again;
    size_t turn = mq_get_u8(&input);

    change = mq_buffer(memory, sizeof(memory));
    count = 0;
    while (mq_left(&input) > 0 && count < FACTS)
        put_fact(&input);
    MQ_ASSERT(!change.failed);
    struct mq_span state = merge(one, &status, count);
    MQ_ASSERT(status == MQ_OK || status == MQ_REFUSED);
    if (status == MQ_OK) {
        model_group(&model, facts, count);
        MQ_ASSERT(mq_span_equal(state, mq_written(&model)));
    }
    /* Turned round, and some twice. */
    for (size_t i = 0; i < count; i++) {
        struct mq_fact *other = &facts[(i * 7 + turn) % count], kept = *other;
        *other = facts[i];
        facts[i] = kept;
    }
    size_t twice = count == 0 ? 0 : turn % count;
    memcpy(facts + count, facts, twice * sizeof(*facts));
    struct mq_span turned = merge(two, &again, count + twice);
    MQ_ASSERT(status == again && mq_span_equal(state, turned));
}
