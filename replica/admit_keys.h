/* What admit.c and admit_frame.c share. */
#ifndef MQ_REPLICA_ADMIT_KEYS_H
#define MQ_REPLICA_ADMIT_KEYS_H

#include "protocol/control.h"
#include "replica/admit.h"
#include "replica/keyring_keys.h"

/* Stores a segment that came, once, and admits it as far as possible. */
MQ_MUST_USE enum mq_status mq_admit_segment(struct mq_replica *replica, struct mq_span bytes, bool carry,
                                            struct mq_admitted *result, struct mq_error *error);
/* Sets a frame aside that cannot be verified yet, as long as there is room; the oldest are not given up for newer ones.
 */
MQ_MUST_USE enum mq_status mq_unverified_put(struct mq_replica *replica, enum mq_frame_type type,
                                             const uint8_t stream[MQ_ID_SIZE], struct mq_span bytes, bool carry,
                                             struct mq_admitted *result, struct mq_error *error);
/* A control object that verified, into its slot. rank: of the desk that said it. *newer: it is the newest there, or
 * has another rank than what was kept under its number. */
MQ_MUST_USE enum mq_status mq_control_store(struct mq_replica *replica, const struct mq_control *control, unsigned rank,
                                            bool *newer, struct mq_error *error);
/* What all desks say of a stream marks what is covered of our own: one of them said something new, or segments came that
 * were not here, so that they may cover more. */
MQ_MUST_USE enum mq_status mq_receipts_apply(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE],
                                             struct mq_error *error);
/* A desk was revoked (by the name of its key): our records are as safe as the others say. */
MQ_MUST_USE enum mq_status mq_receipts_forget(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                                              const uint8_t desk[MQ_KID_SIZE], struct mq_error *error);

#endif
