/* Sealing at once what this replica may write and not read (docs/protocol.md, section 2, write-only segments). */
#ifndef MQ_REPLICA_SEALED_H
#define MQ_REPLICA_SEALED_H

#include "replica/replica.h"

/* Seals one expanded change into a segment of its own, in this replica's stream of the compartment, to the newest
 * grant's commitment; reads it back; stores it with what replica/matter.h keeps. Within the caller's transaction: with
 * its commit the change is durable and sealed, without it nothing of it was ever on disk. The plaintext is in `expanded`
 * and in wiped working memory only. `record` NULL: a create; `id` gets the change's id. MQ_REFUSED: no grant of the
 * compartment is here. */
MQ_MUST_USE enum mq_status mq_seal_now(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                       struct mq_span expanded, const uint8_t *record, uint8_t id[MQ_ID_SIZE],
                                       struct mq_error *error);

#endif
