/* What revoke.c (everywhere) and revoke_desk.c (at the county's desk) share: the tables `cut` and `adopted`, which the stored
 * revocations fill. A certificate is named by its hash, MQ_HASH_SIZE bytes. Within the caller's transaction. */
#ifndef MQ_REPLICA_REVOKE_KEYS_H
#define MQ_REPLICA_REVOKE_KEYS_H

#include "replica/revoke.h"

/* The certificate's next stream behind `at`, which becomes it; zeros: the first. MQ_NOT_FOUND: there are no more. */
MQ_MUST_USE enum mq_status mq_revoked_stream(struct mq_replica *replica, const uint8_t certificate[MQ_HASH_SIZE],
                                             uint8_t at[MQ_ID_SIZE], struct mq_error *error);
/* Forgets its cuts and names. */
MQ_MUST_USE enum mq_status mq_revoked_rows_drop(struct mq_replica *replica, const uint8_t certificate[MQ_HASH_SIZE],
                                                struct mq_error *error);
MQ_MUST_USE enum mq_status mq_revoked_rows_count(struct mq_replica *replica, const uint8_t certificate[MQ_HASH_SIZE],
                                                 size_t *cuts, size_t *names, struct mq_error *error);
/* No more of them than a revocation can name. */
MQ_MUST_USE enum mq_status mq_revoked_rows_trim(struct mq_replica *replica, const uint8_t certificate[MQ_HASH_SIZE],
                                                struct mq_error *error);
/* Brings what is stored in line with them. */
MQ_MUST_USE enum mq_status mq_revoke_apply(struct mq_replica *replica, const uint8_t certificate[MQ_HASH_SIZE],
                                           struct mq_error *error);
/* At the county's desk: says the revocation anew, with all cuts and names that stand in the tables, and applies it. */
MQ_MUST_USE enum mq_status mq_revoke_say(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                                         const uint8_t certificate[MQ_HASH_SIZE], struct mq_error *error);

#endif
