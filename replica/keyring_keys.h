/* The keys and certificates that a replica holds: for those who enrol it, grant to it, or open what it received. */
#ifndef MQ_REPLICA_KEYRING_KEYS_H
#define MQ_REPLICA_KEYRING_KEYS_H

#include "replica/replica_keys.h"

/* This replica's own key pairs; borrowed. */
const struct mq_identity *mq_replica_identity(const struct mq_replica *replica);
/* The pinned root; asserts that there is one. */
const uint8_t *mq_replica_root(const struct mq_replica *replica);
MQ_MUST_USE enum mq_status mq_root_put(struct mq_replica *replica, const uint8_t root_public[MQ_PUBLIC_SIZE],
                                       struct mq_error *error);

/* Adds or replaces a team (certificate and name) and makes its mailbox. */
MQ_MUST_USE enum mq_status mq_team_put(struct mq_replica *replica, const struct mq_team *team, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_team_each(struct mq_replica *replica,
                                        enum mq_status (*take)(void *context, const struct mq_team *team,
                                                               struct mq_error *error),
                                        void *context, struct mq_error *error);

/* Desk certificates; the caller has verified that they chain to the root. */
MQ_MUST_USE enum mq_status mq_desk_put(struct mq_replica *replica, const struct mq_certificate *desk,
                                       struct mq_error *error);
MQ_MUST_USE enum mq_status mq_desks(struct mq_replica *replica, struct mq_certificate *out, size_t most, size_t *count,
                                    struct mq_error *error);
/* The newest certificate of a team's county desk. MQ_NOT_FOUND: none is known here yet. */
MQ_MUST_USE enum mq_status mq_county_desk(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                                          struct mq_certificate *out, struct mq_error *error);
/* Is this replica the team's county desk? Of a team that it does not belong to it is not. */
MQ_MUST_USE enum mq_status mq_governs_team(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], bool *governs,
                                           struct mq_error *error);
/* mq_certificate_verify against our root and the desks known here. */
MQ_MUST_USE enum mq_status mq_certificate_trust(struct mq_replica *replica, const struct mq_certificate *certificate,
                                                struct mq_error *error);

/* Stores a verified grant, with its key where we have it (NULL: not yet). Idempotent. */
MQ_MUST_USE enum mq_status mq_grant_put(struct mq_replica *replica, const struct mq_grant *grant,
                                        const struct mq_secret *key, struct mq_error *error);
/* The newest key of a mailbox's compartment, then each older one to which no chain of handed-on keys leads from those, at most
 * `most`: who is given these has all. Newest first; a desk that was set back makes branches. */
MQ_MUST_USE enum mq_status mq_key_ends(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], size_t most,
                                       enum mq_status (*take)(void *context, const struct mq_grant *grant,
                                                              const struct mq_secret *key, struct mq_error *error),
                                       void *context, struct mq_error *error);
/* From now on this replica asks the server for the compartment's records; the team's own it always asks for. `*news`: it
 * did not before. */
MQ_MUST_USE enum mq_status mq_mailbox_ask(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                                          uint32_t compartment, bool *news, struct mq_error *error);
/* Stores a verified announce. Idempotent. */
MQ_MUST_USE enum mq_status mq_stream_put(struct mq_replica *replica, const struct mq_announce *announce, bool mine,
                                         struct mq_error *error);

#endif
