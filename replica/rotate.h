/* Epochs: the team's key and the others change, the past stays open (docs/protocol.md, section 1, grants). A reader who has
 * the newest key opens what is older by the keys that each grant hands on. */
#ifndef MQ_REPLICA_ROTATE_H
#define MQ_REPLICA_ROTATE_H

#include "protocol/grant.h"
#include "replica/replica.h"

struct mq_secret;

/* ---- at a county's desk; each within the caller's transaction ---- */

/* The next epoch of the team's own and of the sensitive compartment, for every member whose rights were not taken. */
MQ_MUST_USE enum mq_status mq_rotate(struct mq_replica *replica, const struct mq_team *team, struct mq_error *error);
/* The same after this member was revoked (mq_revoke, and his row says so), and of whatever else he could read: the
 * restricted compartments where he was named, else the case in which he was answered. `rights` are his, as in
 * replica/cases.h. */
MQ_MUST_USE enum mq_status mq_rotate_without(struct mq_replica *replica, const struct mq_team *team,
                                             const struct mq_certificate *member, unsigned rights,
                                             struct mq_error *error);
/* mq_rotate where the last one is MQ_EPOCH_DAYS old by this machine's clock. A clock that is set forward and back causes no
 * more than one epoch each time: what lies in the future counts as now. `*rotated` says whether. */
MQ_MUST_USE enum mq_status mq_rotate_due(struct mq_replica *replica, const struct mq_team *team, bool *rotated,
                                         struct mq_error *error);

/* ---- at whoever reads ---- */

/* A key that a verified grant commits to came to this replica: stored with it, and with every earlier one that can be
 * reached from it. What this replica sealed under them and could not read is read from now on. */
MQ_MUST_USE enum mq_status mq_key_take(struct mq_replica *replica, const struct mq_grant *grant,
                                       const struct mq_secret *key, struct mq_error *error);
/* A verified grant came, without a key: stored, with its key where a later grant that is here hands it on. */
MQ_MUST_USE enum mq_status mq_grant_take(struct mq_replica *replica, const struct mq_grant *grant,
                                         struct mq_error *error);

#endif
