/* Bundles: the same frames in a file, carried by anyone; reading one twice, or in another order, changes nothing
 * (docs/protocol.md, section 4). */
#ifndef MQ_REPLICA_BUNDLE_H
#define MQ_REPLICA_BUNDLE_H

#include "replica/admit.h"

/* Seals, then writes, durably and at once, what another copy needs: desks' certificates, grants, announces, every own
 * segment without a receipt, what is carried for others, receipts. `*segments` gets how many segments. MQ_NO_SPACE: no
 * room there, or more than MQ_BUNDLE_MAX. */
MQ_MUST_USE enum mq_status mq_bundle_write(struct mq_replica *replica, const char *path, int64_t *segments,
                                           struct mq_error *error);
/* Takes a whole file in, in one transaction. MQ_REFUSED: no bundle; MQ_DAMAGED: cut or changed on the way, nothing was
 * taken. What it brings is carried on to the server at the next sync. */
MQ_MUST_USE enum mq_status mq_bundle_read(struct mq_replica *replica, const char *path, struct mq_admitted *result,
                                          struct mq_error *error);
/* The same of frames that were found whole (mq_bundle_open). mq_seal_all must have run. */
MQ_MUST_USE enum mq_status mq_bundle_take(struct mq_replica *replica, struct mq_span frames, struct mq_admitted *result,
                                          struct mq_error *error);

#endif
