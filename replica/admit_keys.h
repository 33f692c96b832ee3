/* What admit.c and admit_frame.c share. */
#ifndef MQ_REPLICA_ADMIT_KEYS_H
#define MQ_REPLICA_ADMIT_KEYS_H

#include "protocol/control.h"
#include "replica/admit.h"
#include "replica/keyring_keys.h"

/* Stores a segment that came, once, and admits it as far as possible. */
MQ_MUST_USE enum mq_status mq_admit_segment(struct mq_replica *replica, struct mq_span bytes, bool carry,
                                            struct mq_admitted *result, struct mq_error *error);
/* Tries to open and merge a stored segment; where something is missing it goes on waiting. */
MQ_MUST_USE enum mq_status mq_segment_try(struct mq_replica *replica, int64_t number, struct mq_span bytes,
                                          struct mq_admitted *result, struct mq_error *error);
/* Sets a frame aside that cannot be verified yet, as long as there is room; the oldest are not given up for newer ones.
 */
MQ_MUST_USE enum mq_status mq_unverified_put(struct mq_replica *replica, enum mq_frame_type type,
                                             const uint8_t stream[MQ_ID_SIZE], struct mq_span bytes, bool carry,
                                             struct mq_admitted *result, struct mq_error *error);
/* A receipt of a desk: marks what it covers of our own. */
MQ_MUST_USE enum mq_status mq_receipt_apply(struct mq_replica *replica, const struct mq_control *control,
                                            struct mq_error *error);
/* The same with the one that is here already: a segment of our own stream came that was not here, so it may cover more. */
MQ_MUST_USE enum mq_status mq_receipt_again(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE],
                                            struct mq_error *error);

#endif
