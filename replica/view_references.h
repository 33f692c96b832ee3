/* A part of view.c in a file of its own: values that point to one record by different ids. */
#ifndef MQ_REPLICA_VIEW_REFERENCES_H
#define MQ_REPLICA_VIEW_REFERENCES_H

#include "protocol/merge.h"
#include "replica/replica.h"

/* One file imported on two devices makes each record twice, and each visit points to its own device's household. These
 * are one by their `id`, so their references say the same: choices of a field that point to members of one group become
 * one choice, the best. `leans` gets the number of fields in which that was so, or may yet be: sets of references. */
MQ_MUST_USE enum mq_status mq_view_references(struct mq_replica *replica, struct mq_group_state *state,
                                              struct mq_arena *arena, int64_t *leans, struct mq_error *error);

#endif
