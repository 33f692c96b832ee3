/* The root's key in a file: sealed under a passphrase, to be kept where no network reaches (docs/protocol.md, section
 * 1). */
#ifndef MQ_SERVER_DESK_ROOT_KEYS_H
#define MQ_SERVER_DESK_ROOT_KEYS_H

#include "platform/platform.h"
#include "platform/secret_key.h"

#define MQ_FINGERPRINT_TEXT_SIZE 40

/* Fresh random key pairs. The caller wipes `root`. */
void mq_root_make(struct mq_identity *root, const struct mq_platform *platform);
/* Durable, mode 0600, sealed under a key from the passphrase. MQ_REFUSED: the file is there already. */
MQ_MUST_USE enum mq_status mq_root_write(const struct mq_platform *platform, const char *path,
                                         struct mq_span passphrase, struct mq_kdf_cost cost,
                                         const struct mq_identity *root, struct mq_error *error);
/* The caller wipes `root`, which is zeros on failure. MQ_NOT_FOUND, MQ_WRONG_KEY, MQ_DAMAGED. */
MQ_MUST_USE enum mq_status mq_root_read(const struct mq_platform *platform, const char *path, struct mq_span passphrase,
                                        struct mq_identity *root, struct mq_error *error);
/* What people compare: "1a2b 3c4d ...", eight groups of H_16("kname", root public), with a final NUL. */
void mq_root_fingerprint(char out[MQ_FINGERPRINT_TEXT_SIZE], const uint8_t root_public[MQ_PUBLIC_SIZE]);

#endif
