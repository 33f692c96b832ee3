/* What a replica brings to a server that was emptied or set back, and to the first that it meets, besides segments: what its
 * desks have said. So a desk that was set back with it learns again whom it revoked and what it let in (docs/protocol.md,
 * section 4). */
#ifndef MQ_REPLICA_HEAL_H
#define MQ_REPLICA_HEAL_H

#include "protocol/control.h"
#include "protocol/grant.h"
#include "replica/replica.h"

/* Lays desks' certificates, revocations, then grants, receipts, and the keys that are here,
 * wrapped to the county's desk, into the outbox, each once, as they stand now. Within the caller's transaction. */
MQ_MUST_USE enum mq_status mq_heal_owe(struct mq_replica *replica, struct mq_error *error);
/* The same of one grant, which came by a bundle with what was sealed under it: a centre that was set back may lack both. */
MQ_MUST_USE enum mq_status mq_heal_owe_grant(struct mq_replica *replica, const struct mq_grant *grant, struct mq_error *error);
/* The same of a revocation, or a receipt of an own stream, which came by a bundle and is new here: said in a life that a centre has
 * forgotten, it may keep what the desk says now from being heard, until the desk learns of it. */
MQ_MUST_USE enum mq_status mq_heal_owe_word(struct mq_replica *replica, const struct mq_control *control,
                                            struct mq_error *error);

#endif
