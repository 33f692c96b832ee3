/* Inside of print.c: what a record that is shown has around it, which are no fields of its own. */
#ifndef MQ_REPLICA_PRINT_RELATED_H
#define MQ_REPLICA_PRINT_RELATED_H

#include "replica/convert.h"

/* Of records that a desk has found to be one: `ids`, `numbers` (all that people may know it by), and `originals`, the words
 * of each creator, to the letter: all of them 原话. Keys only where there is more than one. */
MQ_MUST_USE enum mq_status mq_print_merged(struct mq_replica *replica, const struct mq_kind *kind,
                                           const struct mq_group_state *state, struct mq_json_writer *writer,
                                           struct mq_error *error);
/* `not_same_as`; of a household `visits`, `needs`, `persons` and `split_into`: the ids of the records that point to it, of
 * whichever of the records that became one. At most MQ_SET_MAX of each. */
MQ_MUST_USE enum mq_status mq_print_related(struct mq_replica *replica, const struct mq_kind *kind,
                                            const uint8_t canonical[MQ_ID_SIZE], struct mq_json_writer *writer,
                                            struct mq_error *error);

#endif
