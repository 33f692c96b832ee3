/* Inside of merge: what the facts of one group say, value by value, before it becomes fields and choices
 * (docs/protocol.md, section 6). For merge*.c only; everybody else includes merge.h. */
#ifndef MQ_PROTOCOL_MERGE_VALUES_H
#define MQ_PROTOCOL_MERGE_VALUES_H

#include "protocol/merge.h"

/* A name that a change lists; once the values are sorted, in its room, where those stand that have it. */
union mq_merge_name {
    uint8_t name[MQ_NAME_SIZE];
    struct {
        uint32_t first, count; /* in the items; count 0: not here */
    };
};

/* A fact taken apart. */
struct mq_merge_step {
    const struct mq_fact *fact;
    struct mq_change change; /* without `replaced` */
    union mq_merge_name *names; /* what stood there; none where this change names nothing */
    size_t name_count;
};

enum mq_depth_phase {
    MQ_DEPTH_UNKNOWN,
    MQ_DEPTH_OPEN, /* waiting for what it names */
    MQ_DEPTH_KNOWN
};

/* One value that one change gave one field; one element, where the field is a set. */
struct mq_merge_value {
    uint64_t field;
    uint8_t name[MQ_NAME_SIZE];
    struct mq_span value;
    const struct mq_merge_step *step;
    uint32_t depth;
    bool dead; /* named as replaced */
    /* While depths are measured: */
    enum mq_depth_phase phase;
    bool ring;                    /* stands in a ring of names, or above one */
    size_t next;                  /* the next of the step's names to look at */
    struct mq_merge_value *above; /* who asked */
};

struct mq_merge_values {
    struct mq_merge_step *steps; /* by change id, each once */
    size_t step_count;
    uint64_t kind;                /* of the create with the smallest id; 0: none */
    struct mq_merge_value *items; /* by field, then name */
    size_t count;
    size_t unknown;
};

MQ_MUST_USE enum mq_status mq_merge_values_read(struct mq_merge_values *out, const struct mq_fact *facts, size_t count,
                                                struct mq_arena *arena);
/* Sorts the values, each once, and says which are dead and how deep each stands. MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_merge_names(struct mq_merge_values *all, struct mq_arena *arena);
/* Members, canonical, life and deleted; review as far as it comes from a deletion. `out` is otherwise untouched. */
MQ_MUST_USE enum mq_status mq_merge_life(struct mq_group_state *out, const struct mq_merge_values *all,
                                         struct mq_arena *arena);

/* Only a create is about its own id. */
bool mq_merge_is_create(const struct mq_fact *fact);

/* Zeroed room for `count` things of `size` bytes; NULL where it does not fit. */
void *mq_merge_take(struct mq_arena *arena, size_t count, size_t size);
/* A heap sort: in place, no memory, n log n at worst, nothing to do where the order already holds. Not stable: whoever
 * uses it must not care how equals stand. */
void mq_merge_sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *));

#endif
