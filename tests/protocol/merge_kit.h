/* For the tests of merge: facts as devices write them, and whole replicas (many records, grouped by their links) as
 * bytes. */
#ifndef MQ_TESTS_PROTOCOL_MERGE_KIT_H
#define MQ_TESTS_PROTOCOL_MERGE_KIT_H

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge.h"

#define KIT_FACTS_MAX 512
#define KIT_STATE_MAX (1024 * 1024)

/* Facts in the order written, with the bytes that they borrow. */
struct kit {
    struct mq_fact facts[KIT_FACTS_MAX];
    size_t count;
    uint32_t salts; /* how many kit_add() has used up */
    uint8_t memory[512 * 1024];
    size_t used;
};

static inline struct mq_span kit_keep(struct kit *kit, struct mq_span bytes)
{
    uint8_t *room = kit->memory + kit->used;

    MQ_ASSERT(bytes.size <= sizeof(kit->memory) - kit->used);
    if (bytes.size > 0)
        memcpy(room, bytes.data, bytes.size);
    kit->used += bytes.size;
    return mq_span(room, bytes.size);
}

/* ---- Values, as CBOR kept in the kit ---- */

static inline struct mq_span kit_number(struct kit *kit, uint64_t number)
{
    uint8_t room[16];
    struct mq_buffer out = mq_buffer(room, sizeof(room));

    mq_cbor_put_uint(&out, number);
    return kit_keep(kit, mq_written(&out));
}

static inline struct mq_span kit_text(struct kit *kit, const char *text)
{
    uint8_t room[256];
    struct mq_buffer out = mq_buffer(room, sizeof(room));

    mq_cbor_put_text(&out, mq_span_text(text));
    return kit_keep(kit, mq_written(&out));
}

static inline struct mq_span kit_reference(struct kit *kit, const uint8_t record[MQ_ID_SIZE])
{
    uint8_t room[32];
    struct mq_buffer out = mq_buffer(room, sizeof(room));

    mq_put_reference(&out, record);
    return kit_keep(kit, mq_written(&out));
}

/* A create's set. */
static inline struct mq_span kit_array(struct kit *kit, const struct mq_span *items, size_t count)
{
    uint8_t room[1024];
    struct mq_buffer out = mq_buffer(room, sizeof(room));

    mq_cbor_put_array(&out, count);
    for (size_t i = 0; i < count; i++)
        mq_put_span(&out, items[i]);
    MQ_ASSERT(!out.failed);
    return kit_keep(kit, mq_written(&out));
}

/* A life that says "deleted", listing every name of the state: what a person does who sees all of it. */
static inline struct mq_span kit_deletion(struct kit *kit, const struct mq_group_state *state)
{
    uint8_t room[8192];
    struct mq_buffer out = mq_buffer(room, sizeof(room));
    size_t names = 0;

    for (int counted = 0; counted < 2; counted++) {
        if (counted == 1) {
            mq_cbor_put_array(&out, 2);
            mq_cbor_put_uint(&out, 1);
            mq_cbor_put_array(&out, names);
        }
        for (size_t f = 0; f < state->field_count; f++) {
            for (size_t c = 0; c < state->fields[f].choice_count; c++) {
                const struct mq_choice *choice = &state->fields[f].choices[c];
                for (size_t n = 0; n < choice->name_count; n++, names++) {
                    if (counted == 1)
                        mq_cbor_put_bytes(&out, mq_span(choice->names + n * MQ_NAME_SIZE, MQ_NAME_SIZE));
                }
            }
        }
    }
    MQ_ASSERT(!out.failed);
    return kit_keep(kit, mq_written(&out));
}

/* ---- Facts ---- */

/* `record` NULL: a create, whose record is its own id. */
static inline struct mq_fact *kit_add_salted(struct kit *kit, unsigned rank, const uint8_t *record,
                                             struct mq_span expanded, const uint8_t salt[MQ_SALT_SIZE], uint32_t index)
{
    struct mq_fact *fact = &kit->facts[kit->count];

    MQ_ASSERT(kit->count < KIT_FACTS_MAX);
    kit->count++;
    fact->expanded = kit_keep(kit, expanded);
    fact->rank = rank;
    mq_change_id(fact->id, salt, index, fact->expanded);
    memcpy(fact->record, record == NULL ? fact->id : record, MQ_ID_SIZE);
    return fact;
}

/* Each in a batch of its own. */
static inline struct mq_fact *kit_add(struct kit *kit, unsigned rank, const uint8_t *record,
                                      const struct mq_buffer *written)
{
    uint8_t salt[MQ_SALT_SIZE] = {0x99};

    MQ_ASSERT(!written->failed);
    kit->salts++;
    memcpy(salt + 1, &kit->salts, sizeof(kit->salts));
    return kit_add_salted(kit, rank, record, mq_written(written), salt, 0);
}

struct kit_pair {
    uint64_t field;
    struct mq_span value;
};

static inline void kit_put_create(struct mq_buffer *out, uint64_t kind, const struct kit_pair *pairs, size_t count)
{
    uint8_t room[4096];
    struct mq_buffer map = mq_buffer(room, sizeof(room));

    for (size_t i = 0; i < count; i++) {
        mq_cbor_put_uint(&map, pairs[i].field);
        mq_put_span(&map, pairs[i].value);
    }
    MQ_ASSERT(!map.failed);
    mq_change_put_create(out, kind, count, mq_written(&map));
}

/* ---- States ---- */

/* Reused by every kit_merge(): a state lives until the second next one. */
static inline struct mq_arena kit_arena(void)
{
    static _Alignas(16) uint8_t memory[2][2 * 1024 * 1024];
    static unsigned turn;

    return mq_arena(memory[turn++ % 2], sizeof(memory[0]));
}

static inline struct mq_group_state kit_merge(const struct mq_fact *facts, size_t count)
{
    struct mq_arena arena = kit_arena();
    struct mq_group_state state;

    MQ_ASSERT(mq_merge(&state, facts, count, &arena) == MQ_OK);
    return state;
}

static inline bool kit_same_bytes(const struct mq_buffer *a, const struct mq_buffer *b)
{
    return !a->failed && !b->failed && mq_span_equal(mq_written(a), mq_written(b));
}

/* Which records belong together. */
struct kit_groups {
    uint8_t records[KIT_FACTS_MAX][MQ_ID_SIZE]; /* sorted; also those that are only pointed to */
    size_t group[KIT_FACTS_MAX];                /* the group's first record, by index */
    size_t count;
};

static inline int kit_order_ids(const void *a, const void *b)
{
    return memcmp(a, b, MQ_ID_SIZE);
}

/* KIT_FACTS_MAX: none of the records. */
static inline size_t kit_record(const struct kit_groups *groups, const uint8_t *record)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (memcmp(groups->records[i], record, MQ_ID_SIZE) == 0)
            return i;
    }
    return KIT_FACTS_MAX;
}

static inline void kit_join(struct kit_groups *groups, size_t a, size_t b)
{
    size_t one = groups->group[a], other = groups->group[b];

    for (size_t i = 0; i < groups->count; i++) {
        if (groups->group[i] == one || groups->group[i] == other)
            groups->group[i] = one < other ? one : other;
    }
}

/* The facts of one record (`groups` NULL) or of one group, in the order in which they stand. */
static inline size_t kit_pick(struct mq_fact *out, const struct mq_fact *facts, size_t count,
                              const struct kit_groups *groups, const uint8_t *record)
{
    size_t kept = 0, group = groups == NULL ? 0 : groups->group[kit_record(groups, record)];

    for (size_t i = 0; i < count; i++) {
        bool belongs = groups == NULL ? memcmp(facts[i].record, record, MQ_ID_SIZE) == 0
                                      : groups->group[kit_record(groups, facts[i].record)] == group;
        if (belongs)
            out[kept++] = facts[i];
    }
    return kept;
}

static inline void kit_know(struct kit_groups *groups, const uint8_t *record)
{
    if (kit_record(groups, record) == KIT_FACTS_MAX) {
        MQ_ASSERT(groups->count < KIT_FACTS_MAX);
        memcpy(groups->records[groups->count++], record, MQ_ID_SIZE);
    }
}

/* What every record that has facts says of its links. */
static inline size_t kit_links(struct mq_links *links, uint8_t (*records)[MQ_ID_SIZE], struct kit_groups *groups,
                               const struct mq_fact *facts, size_t count)
{
    static _Alignas(16) uint8_t memory[4 * 1024 * 1024];
    static struct mq_fact own[2 * KIT_FACTS_MAX];
    struct mq_arena arena = mq_arena(memory, sizeof(memory));
    size_t known;

    groups->count = 0;
    for (size_t i = 0; i < count; i++)
        kit_know(groups, facts[i].record);
    known = groups->count;
    memcpy(records, groups->records, known * MQ_ID_SIZE);
    for (size_t i = 0; i < known; i++) {
        size_t kept = kit_pick(own, facts, count, NULL, records[i]);
        MQ_ASSERT(mq_merge_links(&links[i], own, kept, &arena) == MQ_OK);
        for (size_t t = 0; t < links[i].target_count; t++)
            kit_know(groups, links[i].targets + t * MQ_ID_SIZE);
    }
    return known;
}

/* The connected components over same_as links and equal ids of one kind. */
static inline void kit_group(struct kit_groups *groups, const struct mq_fact *facts, size_t count)
{
    static struct mq_links links[KIT_FACTS_MAX];
    static uint8_t records[KIT_FACTS_MAX][MQ_ID_SIZE];
    size_t known = kit_links(links, records, groups, facts, count);

    qsort(groups->records, groups->count, MQ_ID_SIZE, kit_order_ids);
    for (size_t i = 0; i < groups->count; i++)
        groups->group[i] = i;
    for (size_t i = 0; i < known; i++) {
        size_t at = kit_record(groups, records[i]);
        for (size_t t = 0; t < links[i].target_count; t++)
            kit_join(groups, at, kit_record(groups, links[i].targets + t * MQ_ID_SIZE));
        for (size_t k = 0; k < i; k++) {
            if (links[i].id.size > 0 && links[i].kind == links[k].kind && mq_span_equal(links[i].id, links[k].id))
                kit_join(groups, at, kit_record(groups, records[k]));
        }
    }
}

/* The whole replica: the state of every group, in the order of their canonical ids. At most 2 * KIT_FACTS_MAX facts. */
static inline void kit_replica(struct mq_buffer *out, const struct mq_fact *facts, size_t count)
{
    static struct kit_groups groups;
    static struct mq_fact members[2 * KIT_FACTS_MAX];

    MQ_ASSERT(count <= 2 * KIT_FACTS_MAX);
    kit_group(&groups, facts, count);
    for (size_t i = 0; i < groups.count; i++) {
        if (groups.group[i] != i)
            continue;
        struct mq_group_state state = kit_merge(members, kit_pick(members, facts, count, &groups, groups.records[i]));
        MQ_ASSERT(mq_group_encode(out, &state) == MQ_OK);
    }
}

#endif
