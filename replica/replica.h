/* A replica: one copy of the truth on one machine, a device's or a desk's (docs/architecture.md). One process holds it
 * at a time. */
#ifndef MQ_REPLICA_REPLICA_H
#define MQ_REPLICA_REPLICA_H

#include "platform/platform.h"
#include "protocol/certificate.h"
#include "protocol/limits.h"

struct mq_replica;

/* Opens the store of a home with the passphrase; waits up to `wait_ms` for another process that holds it. A store that
 * was copied or restored goes on under new streams by itself. MQ_NOT_FOUND, MQ_WRONG_KEY, MQ_BUSY, MQ_DAMAGED. *replica
 * is NULL on failure. */
MQ_MUST_USE enum mq_status mq_replica_open(struct mq_replica **replica, const struct mq_platform *platform,
                                           const char *home, struct mq_span passphrase, int wait_ms,
                                           struct mq_error *error);
/* Makes home, vault and an empty store with fresh keys of its own. `kdf_memory_mib` 0: chosen from the memory there is.
 */
MQ_MUST_USE enum mq_status mq_replica_create(struct mq_replica **replica, const struct mq_platform *platform,
                                             const char *home, struct mq_span passphrase, uint32_t kdf_memory_mib,
                                             struct mq_error *error);
/* NULL is fine. */
void mq_replica_close(struct mq_replica *replica);

/* The same store under a new passphrase. */
MQ_MUST_USE enum mq_status mq_replica_passphrase(struct mq_replica *replica, struct mq_span passphrase,
                                                 uint32_t kdf_memory_mib, struct mq_error *error);

/* Small named values of the store: texts and bytes. get: MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_setting_get(struct mq_replica *replica, const char *name, struct mq_buffer *out,
                                          struct mq_error *error);
MQ_MUST_USE enum mq_status mq_setting_put(struct mq_replica *replica, const char *name, struct mq_span value,
                                          struct mq_error *error);
MQ_MUST_USE enum mq_status mq_setting_number(struct mq_replica *replica, const char *name, int64_t *out,
                                             struct mq_error *error); /* 0 where missing */
MQ_MUST_USE enum mq_status mq_setting_put_number(struct mq_replica *replica, const char *name, int64_t value,
                                                 struct mq_error *error);

/* A team that this replica belongs to, with the certificate that it writes under. */
struct mq_team {
    uint8_t team[MQ_ID_SIZE];
    uint8_t mailbox[MQ_ID_SIZE]; /* of the team's own compartment, 0 */
    struct mq_certificate certificate;
    char name[MQ_NAME_TEXT_MAX + 1];
    uint8_t token[MQ_TOKEN_SIZE]; /* moves sealed bytes of this team, opens nothing */
};
/* A device has one; a desk one for each team. By id; or, with team NULL, the only one. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_team_find(struct mq_replica *replica, const uint8_t *team, struct mq_team *out,
                                        struct mq_error *error);

struct mq_db;
struct mq_db *mq_replica_db(struct mq_replica *replica);

/* Runs `work` in one transaction (or in the one that is open): commits where it answers MQ_OK, else rolls back. */
MQ_MUST_USE enum mq_status mq_replica_transact(struct mq_replica *replica,
                                               enum mq_status (*work)(struct mq_replica *, void *, struct mq_error *),
                                               void *context, struct mq_error *error);
/* The same, and where a transaction is open already, what failed work has written is taken back and the transaction goes on;
 * unless a disk error has ended it (mq_db_in_transaction). */
MQ_MUST_USE enum mq_status mq_replica_attempt(struct mq_replica *replica,
                                              enum mq_status (*work)(struct mq_replica *, void *, struct mq_error *),
                                              void *context, struct mq_error *error);

#endif
