/* Opening an encrypted database: for those who hold its key. */
#ifndef MQ_PLATFORM_DB_KEY_H
#define MQ_PLATFORM_DB_KEY_H

#include "platform/db.h"
#include "protocol/keys.h"

/* As mq_db_open, every page encrypted and authenticated (ChaCha20-Poly1305) under `key`. MQ_WRONG_KEY: the key does not
 * open the file, or its first page is damaged; the caller knows which, because an AEAD has unwrapped the key before. */
MQ_MUST_USE enum mq_status mq_db_open_encrypted(struct mq_db **db, const struct mq_platform *platform, const char *path,
                                                const struct mq_secret *key, struct mq_error *error);

#endif
