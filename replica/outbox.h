/* Frames other than segments that wait for the server: certificates, grants, wraps, control objects, enrolment replies.
 */
#ifndef MQ_REPLICA_OUTBOX_H
#define MQ_REPLICA_OUTBOX_H

#include "protocol/frame.h"
#include "replica/replica.h"

/* `slot` (empty: none) names what this frame replaces: one frame a slot, the newest. Everything is kept, and sent again
 * to a server that lost it. */
MQ_MUST_USE enum mq_status mq_outbox_put(struct mq_replica *replica, enum mq_frame_type type, struct mq_span slot,
                                         struct mq_span bytes, struct mq_error *error);
/* The next number for a control object: always greater than any before, also after a restore (it follows the clock
 * where that is ahead). */
MQ_MUST_USE enum mq_status mq_control_number(struct mq_replica *replica, uint64_t *out, struct mq_error *error);

#endif
