/* Taking in what came: certificates, grants, announces, segments, control objects, from a server or a bundle, all by
 * one door (docs/protocol.md, sections 3 and 4). What cannot be used yet waits; what a person must look at is kept and
 * counted. */
#ifndef MQ_REPLICA_ADMIT_H
#define MQ_REPLICA_ADMIT_H

#include "protocol/frame.h"
#include "replica/replica.h"

struct mq_admitted {
    int64_t segments; /* new segments stored */
    int64_t changes;  /* changes that reached the view */
    int64_t refused;  /* frames that do not verify: not stored */
    int64_t first;    /* row number of the first new segment whose stream's receipts were not looked at again; 0: none */
};

/* One frame, within a transaction of the caller. `carry`: it came by bundle and is to be brought to the server too.
 * Before the first frame mq_seal_all must have run: whatever the person wrote was written without knowledge of what
 * comes. Other types are passed over. An error is the machine's (disk, memory); what is wrong with the frame only
 * counts. */
MQ_MUST_USE enum mq_status mq_admit(struct mq_replica *replica, const struct mq_frame *frame, bool carry,
                                    struct mq_admitted *result, struct mq_error *error);
/* After a run of frames: applies the receipts of own streams that segments came of, and tries everything that waits once
 * more. */
MQ_MUST_USE enum mq_status mq_admit_waiting(struct mq_replica *replica, struct mq_admitted *result,
                                            struct mq_error *error);

/* admitted + waiting + quarantined + undecodable = all */
struct mq_partition {
    int64_t admitted, waiting, quarantined, undecodable;
};
MQ_MUST_USE enum mq_status mq_partition(struct mq_replica *replica, struct mq_partition *out, struct mq_error *error);

#endif
