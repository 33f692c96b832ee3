/* A part of reference.c in a file of its own: is what was just written compatible with what was said before? */
#ifndef MQ_REPLICA_REFERENCE_CHECK_H
#define MQ_REPLICA_REFERENCE_CHECK_H

#include "protocol/record.h"
#include "replica/replica.h"

/* What must not be lost by a write. */
struct mq_reference_before {
    char label[MQ_NAME_TEXT_MAX + 1]; /* of the code; "" where it is new */
    char words[16 * MQ_SHORT_TEXT_MAX]; /* that led to it, with blanks between */
};
/* Of the record with this `id`, before it is written. */
MQ_MUST_USE enum mq_status mq_reference_before(struct mq_replica *replica, const struct mq_kind *kind,
                                               struct mq_span id, struct mq_reference_before *out,
                                               struct mq_error *error);
/* After it was written, in the same transaction: MQ_REFUSED with what would be right undoes it. */
MQ_MUST_USE enum mq_status mq_reference_check(struct mq_replica *replica, const struct mq_kind *kind,
                                              const struct mq_team *team, struct mq_span id,
                                              const struct mq_reference_before *before, struct mq_error *error);

#endif
