/* The vault: a replica's home on disk and the key of its store, wrapped under a passphrase (docs/protocol.md, section
 * 1; docs/architecture.md).
 *
 * A home holds `vault` (the wrapped key), `store.db` (everything else, encrypted), `witness` (what was sealed last,
 * outside the store, so that a restored store is noticed) and `lock`. */
#ifndef MQ_REPLICA_VAULT_H
#define MQ_REPLICA_VAULT_H

#include "platform/platform.h"
#include "platform/secret_key.h"

/* Wraps a new store's key under `passphrase` (1 to 1024 bytes) at the given cost. It is the last step in making a home:
 * without it nothing of the store can be opened, with it the store is whole. MQ_REFUSED: there is a vault already, or
 * the passphrase is empty. */
MQ_MUST_USE enum mq_status mq_vault_create(const struct mq_platform *platform, const char *home,
                                           struct mq_span passphrase, struct mq_kdf_cost cost,
                                           const struct mq_secret *store_key, struct mq_error *error);
/* MQ_NOT_FOUND: no vault here. MQ_WRONG_KEY: wrong passphrase; each one after the third makes the next try wait longer
 * (up to 30 s). MQ_DAMAGED: the file is not what was written. */
MQ_MUST_USE enum mq_status mq_vault_open(const struct mq_platform *platform, const char *home,
                                         struct mq_span passphrase, struct mq_secret *store_key,
                                         struct mq_error *error);
/* Wraps the same store key under a new passphrase, durably, in place of the old file. */
MQ_MUST_USE enum mq_status mq_vault_rewrap(const struct mq_platform *platform, const char *home,
                                           const struct mq_secret *store_key, struct mq_span passphrase,
                                           struct mq_kdf_cost cost, struct mq_error *error);
bool mq_vault_exists(const struct mq_platform *platform, const char *home);

/* home + "/" + name into `out`; asserts that it fits. */
void mq_home_path(char out[MQ_PATH_MAX], const char *home, const char *name);

#endif
