/* Receipts: what the desk has opened and merged, signed; and what a device makes of them (docs/protocol.md, section 5).
 */
#ifndef MQ_REPLICA_RECEIPTS_H
#define MQ_REPLICA_RECEIPTS_H

#include "replica/replica.h"

/* At a desk: for each stream of the team that moved on since its last receipt, a new signed one into the outbox. In one
 * transaction. */
MQ_MUST_USE enum mq_status mq_receipts_make(struct mq_replica *replica, const struct mq_team *team,
                                            struct mq_error *error);

/* A record's safety is that of its least safe change. The four add up to the records written here. */
struct mq_safety {
    int64_t saved, stored, anchored, quarantined;
    int64_t records;      /* all in the view */
    int64_t conflicts;    /* groups that wait for a person */
    bool revoked;         /* this device's rights were taken: what it sends waits at the centre for a person */
    int64_t last_receipt; /* desk's clock at the newest receipt for us, seconds since 1970; 0: none yet */
};
MQ_MUST_USE enum mq_status mq_safety_count(struct mq_replica *replica, struct mq_safety *out, struct mq_error *error);

#endif
