/* A second merge to compare the first with: written from docs/protocol.md, section 6, alone, quadratic and plain. It
 * shares no code with protocol/merge*.c; of merge.h it knows only what a fact is. */
#ifndef MQ_TESTS_PROTOCOL_MERGE_MODEL_H
#define MQ_TESTS_PROTOCOL_MERGE_MODEL_H

#include "protocol/merge.h"

#define MODEL_VALUES_MAX 4096

/* One value that one change gave one field. */
struct model_value {
    const struct mq_fact *fact;
    uint64_t field;
    uint8_t name[MQ_NAME_SIZE];
    struct mq_span value;
    bool created; /* by a create */
    bool dead, settled;
    uint32_t depth;
};

/* Every value of a group's facts, with its depth and whether it is dead; the group's kind into *kind. Ends the program
 * where there are more than MODEL_VALUES_MAX, or a fact is not of known shape. */
size_t model_values(struct model_value values[MODEL_VALUES_MAX], uint64_t *kind, const struct mq_fact *facts,
                    size_t count);
/* Does any set, remove or decide on `field` among the facts list `name` as replaced? */
bool model_named(const struct mq_fact *facts, size_t count, uint64_t field, const uint8_t name[MQ_NAME_SIZE]);

/* The bytes that mq_group_encode() should give for one group. */
void model_group(struct mq_buffer *out, const struct mq_fact *facts, size_t count);
/* The same for all groups of a replica, in the order of their smallest record ids. */
void model_replica(struct mq_buffer *out, const struct mq_fact *facts, size_t count);

#endif
