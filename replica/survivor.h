/* What is kept of segments that can be opened no more, because their body was dropped or leans on one that was
 * (docs/protocol.md, section 8). */
#ifndef MQ_REPLICA_SURVIVOR_H
#define MQ_REPLICA_SURVIVOR_H

#include "replica/admit.h"

/* Writes the segment's changes down, as they stand in the view. From then on they are its truth. */
MQ_MUST_USE enum mq_status mq_survivors_keep(struct mq_replica *replica, int64_t segment, struct mq_error *error);
/* The same for it and everything here that leans on it, however many steps away. */
MQ_MUST_USE enum mq_status mq_survivors_keep_all(struct mq_replica *replica, int64_t segment, struct mq_error *error);
/* Merges what was kept of a segment. MQ_NOT_FOUND: nothing was, it is whole. */
MQ_MUST_USE enum mq_status mq_survivors_merge(struct mq_replica *replica, int64_t segment, struct mq_admitted *result,
                                              struct mq_error *error);

#endif
