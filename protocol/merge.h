/* Merge: the state of a group of records as a pure function of the set of its changes, in whatever order they came
 * (docs/protocol.md, section 6). Which records form a group is worked out from mq_merge_links(); the caller keeps the
 * components. */
#ifndef MQ_PROTOCOL_MERGE_H
#define MQ_PROTOCOL_MERGE_H

#include "protocol/certificate.h"
#include "protocol/change.h"
#include "protocol/record.h"

/* One admitted change. */
struct mq_fact {
    uint8_t id[MQ_ID_SIZE];     /* change id */
    uint8_t record[MQ_ID_SIZE]; /* the record it is about (a create: its own id) */
    unsigned rank;              /* mq_role_rank of its writer */
    struct mq_span expanded;
};

/* Memory of the caller that merge works in and that results point into: a bump allocator without free. */
struct mq_arena {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
};
struct mq_arena mq_arena(void *memory, size_t capacity);
/* Aligned for any type, zeroed; NULL (and failed) where it does not fit. */
void *mq_arena_take(struct mq_arena *arena, size_t size);

/* A value left standing, with every change that says the same. */
struct mq_choice {
    struct mq_span value;   /* one CBOR item, borrowed from the facts */
    const struct mq_fact *best; /* greatest (depth, rank, id); of words: a create first, then the smallest id */
    uint32_t depth;
    const uint8_t *names;   /* name_count * 8 bytes: what a change that replaces this choice must list; sorted */
    size_t name_count;
};

struct mq_field_state {
    uint64_t number;
    enum mq_field_merge merge;
    /* Register: best first, so [0] is shown; of a guarded field the most protective that stands. Set: the elements,
     * sorted by value. Words: those of creates first, each part sorted by the id of `best`, so that [0] are the
     * canonical record's. */
    struct mq_choice *choices;
    size_t choice_count;
    bool conflict;              /* register with more than one choice (identity fields never) */
    bool review;                /* had values, none is live: the deepest is shown, a person should look */
};

struct mq_group_state {
    uint8_t canonical[MQ_ID_SIZE]; /* the smallest record id of the group */
    uint64_t kind;                 /* of the create with the smallest record id; 0 while none has come */
    const uint8_t *members;        /* member_count * 16 bytes, sorted */
    size_t member_count;
    struct mq_field_state *fields; /* by number, only those with a value; without life */
    size_t field_count;
    const uint8_t *life_names;     /* life_count * 8 bytes, sorted: what a deletion or its undoing must list */
    size_t life_count;
    bool deleted;                  /* there are creates, and the life of each is "deleted" and nothing else */
    bool review;                   /* deleted, but a value stands that no deletion names; or any field's review */
    size_t unknown;                /* changes that this program does not understand: kept, counted */
};

/* Two values of `life`: live is uint 0, deleted is [1, [name 8 ...]], the names of all values that were on the screen
 * when the person deleted (docs/decisions/0003-delete-names-what-was-seen.md). */

/* The state of one group from its facts, in any order; equal ids are one (that with the highest rank). MQ_NO_SPACE: the
 * arena is too small; 400 bytes for each fact and each value, and the size of the facts' bytes, are always enough.
 * MQ_REFUSED: a fact is not an expanded change of its record, or there are more than MQ_HISTORY_MAX. The result borrows
 * from facts and arena. */
MQ_MUST_USE enum mq_status mq_merge(struct mq_group_state *out, const struct mq_fact *facts, size_t count,
                                    struct mq_arena *arena);

/* What links one record to others, from its own facts alone (so that grouping never depends on grouping): its live
 * same_as targets, and its live `id` value where there is exactly one (else an empty span). `targets` gets 16 bytes
 * each, sorted. */
struct mq_links {
    uint64_t kind;          /* 0: no create among the facts */
    struct mq_span id;      /* CBOR value of field `id` */
    const uint8_t *targets;
    size_t target_count;
};
MQ_MUST_USE enum mq_status mq_merge_links(struct mq_links *out, const struct mq_fact *facts, size_t count,
                                          struct mq_arena *arena);

/* The state as deterministic CBOR: equal states are equal bytes on every replica (M1). */
MQ_MUST_USE enum mq_status mq_group_encode(struct mq_buffer *out, const struct mq_group_state *state);

const struct mq_field_state *mq_group_field(const struct mq_group_state *state, uint64_t number);

#endif
