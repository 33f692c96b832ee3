/* The recovery of what a forgotten passphrase would lock away: opt-in, through the county's desk (docs/protocol.md, section
 * 1; docs/decisions/0028-recovery.md). On the device's side; what passes between is protocol/recovery_keys.h's. */
#ifndef MQ_REPLICA_RECOVERY_H
#define MQ_REPLICA_RECOVERY_H

#include "replica/replica.h"

/* Writes `recovery` beside the vault, for the team's county desk and the certificate that this device has now; or removes it.
 * Neither changes the store key. MQ_NOT_FOUND: no county desk is known here. */
MQ_MUST_USE enum mq_status mq_recovery_on(struct mq_replica *replica, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_recovery_off(struct mq_replica *replica, struct mq_error *error);
bool mq_recovery_is_on(const struct mq_platform *platform, const char *home);

/* The passphrase is forgotten: makes a request for the desk, and keeps what opens its answer in `recover.key`. `code` gets
 * what the desk will ask for over the phone, MQ_RECOVER_CODE_SIZE bytes. The caller holds the home's lock. MQ_REFUSED, in
 * words: recovery was never turned on. */
MQ_MUST_USE enum mq_status mq_recovery_request(const struct mq_platform *platform, const char *home, struct mq_buffer *out,
                                               char *code, struct mq_error *error);
/* Takes the desk's answer: if its key opens this store, the store has a new passphrase from then on. MQ_REFUSED, in words:
 * anything else; then nothing was changed. `kdf_memory_mib` as in mq_replica_create. The caller holds the home's lock. */
MQ_MUST_USE enum mq_status mq_recovery_finish(const struct mq_platform *platform, const char *home, struct mq_span grant,
                                              struct mq_span passphrase, uint32_t kdf_memory_mib,
                                              struct mq_error *error);

#endif
