/* What is noted beside a group's state, so that questions across records are one query and no merge: derived, like the
 * state itself, and in the same transaction. One place for all such notes. */
#ifndef MQ_REPLICA_VIEW_INDEX_H
#define MQ_REPLICA_VIEW_INDEX_H

#include "protocol/merge.h"
#include "replica/replica.h"

/* Where a group's state stands. */
struct mq_view_row {
    const uint8_t *canonical;
    int64_t number; /* of the row in table state */
    int64_t before; /* the kind that the row had; -1: it is new */
};

/* A group's state was stored: notes its live references in `refers`, and what search reads. Of references those that are
 * heard: what a record says by pointing to another counts as a change of it would (protocol/compartment.h). Otherwise
 * anybody could move a matter that he cannot read by a step of his own. Deleted and unreadable groups (kind
 * MQ_KIND_UNREADABLE) leave none. */
MQ_MUST_USE enum mq_status mq_view_index(struct mq_replica *replica, const struct mq_view_row *row,
                                         const struct mq_group_state *state, struct mq_error *error);
/* A group is no more: `canonical` belongs to another one now. Its row goes next. */
MQ_MUST_USE enum mq_status mq_view_unindex(struct mq_replica *replica, const struct mq_view_row *row,
                                           struct mq_error *error);

#endif
