/* Sealing what waits in the journal: at sync, at export, at lock, before a backup, and always before anything received
 * is opened (docs/protocol.md, section 2). */
#ifndef MQ_REPLICA_OUTGOING_H
#define MQ_REPLICA_OUTGOING_H

#include "replica/replica.h"

/* Seals every open batch, each in a transaction of its own: the segment is stored, read back and compared before the
 * journal's rows go. Opens a new stream where there is none. Nothing to seal is fine. MQ_NOT_FOUND: no key of the team
 * is here. */
MQ_MUST_USE enum mq_status mq_seal_all(struct mq_replica *replica, struct mq_error *error);
/* The same where the oldest change that is not sealed has waited so many seconds, or nobody can say how long. */
MQ_MUST_USE enum mq_status mq_seal_aged(struct mq_replica *replica, int64_t seconds, struct mq_error *error);

/* Closes every own stream; the next segment opens new ones. For restored and cloned stores, and whenever in doubt. */
MQ_MUST_USE enum mq_status mq_streams_close(struct mq_replica *replica, struct mq_error *error);

#endif
