/* What is noted beside a group's state, so that questions across records are one query and no merge: derived, like the
 * state itself, and in the same transaction. One place for all such notes. */
#ifndef MQ_REPLICA_VIEW_INDEX_H
#define MQ_REPLICA_VIEW_INDEX_H

#include "protocol/merge.h"
#include "replica/replica.h"

/* A group's state was stored: notes its live references in `refers`. Deleted and unreadable groups (kind
 * MQ_KIND_UNREADABLE) leave none. */
MQ_MUST_USE enum mq_status mq_view_index(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                         const struct mq_group_state *state, struct mq_error *error);
/* A group is no more: `canonical` belongs to another one now. */
MQ_MUST_USE enum mq_status mq_view_unindex(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                           struct mq_error *error);

#endif
