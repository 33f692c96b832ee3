/* The centre's directory: what stands where.
 *
 *     desk/           the desk's replica: vault, encrypted store
 *     relay/store.db  the relay's store: sealed bytes
 *     tls.pem tls_key.pem   the server's own certificate and key
 *     root.pub        the root's public key, in hexadecimal
 *     root.key        the root's key, sealed, until it is moved elsewhere
 *     url             where devices reach the server that listened last
 *     before-MOMENT/  what stood here before a restore
 *     restore.tmp/    of a restore that is under way, or was broken off
 *     restore.old/    what is left of that once it is done; no meaning
 *     desk.sock lock  of the server that runs */
#ifndef MQ_SERVER_DATA_H
#define MQ_SERVER_DATA_H

#include "platform/platform.h"
#include "protocol/limits.h"

#define MQ_DATA_PATH_SIZE 1024
struct mq_data_path {
    char text[MQ_DATA_PATH_SIZE];
};

/* DATA/NAME. MQ_REFUSED: too long. */
MQ_MUST_USE enum mq_status mq_data_path(struct mq_data_path *out, const char *data, const char *name,
                                        struct mq_error *error);
bool mq_data_has(const struct mq_platform *platform, const char *data, const char *name);

/* One program at a time works in the directory; waits up to `wait_ms`, then MQ_BUSY with the holder's pid. Held until
 * the process ends. */
MQ_MUST_USE enum mq_status mq_data_lock(const struct mq_platform *platform, const char *data, int wait_ms,
                                        struct mq_error *error);

#define MQ_RESTORE_SCRATCH "restore.tmp"
#define MQ_RESTORE_DONE "restore.old"
/* MQ_REFUSED, with words, where a restore was broken off: what stands in DATA may be half of one centre and half of
 * another. Whoever works in the directory asks before anything else; only `restore` itself need not. */
MQ_MUST_USE enum mq_status mq_data_whole(const struct mq_platform *platform, const char *data, struct mq_error *error);
/* Removes a directory of our own with all that is in it, as far as that can be done; fine where it is not there. */
void mq_data_clear(const char *path);
/* The same, but that the directory itself stays. */
void mq_data_empty(const char *path);

/* A key and a certificate for TLS where there is none yet. */
MQ_MUST_USE enum mq_status mq_data_tls(const struct mq_platform *platform, const char *data, struct mq_error *error);

/* A root's public key from a file of 64 hexadecimal digits. */
MQ_MUST_USE enum mq_status mq_data_root_read(const struct mq_platform *platform, const char *path,
                                             uint8_t root_public[MQ_PUBLIC_SIZE], struct mq_error *error);
MQ_MUST_USE enum mq_status mq_data_root_write(const struct mq_platform *platform, const char *path,
                                              const uint8_t root_public[MQ_PUBLIC_SIZE], struct mq_error *error);

#endif
