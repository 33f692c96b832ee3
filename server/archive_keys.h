/* A backup's file: named pieces in one stream, encrypted in chunks under a key from the passphrase. */
#ifndef MQ_SERVER_ARCHIVE_KEYS_H
#define MQ_SERVER_ARCHIVE_KEYS_H

#include "platform/platform.h"
#include "platform/secret_key.h"

/* Head, 49 bytes: "MQBACKUP", version 1, salt 16, memory MiB 4, passes 4, nonce front 16. Then chunks: last 1 (0 or 1),
 * size 4, ciphertext and tag; nonce = front ‖ chunk number 8; AAD = head, last, size. So no chunk can be cut off,
 * swapped or taken from another file. The plaintext is pieces: name length 1, name, size 8, bytes; name length 0 ends
 * it. */
#define MQ_ARCHIVE_NAME_SIZE 64

struct mq_archive;

/* ---- writing ---- */

/* A new file, mode 0600. The caller ends it by mq_archive_finish and mq_archive_close. */
MQ_MUST_USE enum mq_status mq_archive_create(struct mq_archive **out, const struct mq_platform *platform,
                                             const char *path, struct mq_span passphrase, struct mq_kdf_cost cost,
                                             struct mq_error *error);
/* The whole file at `path` as a piece. */
MQ_MUST_USE enum mq_status mq_archive_add(struct mq_archive *archive, const char *name, const char *path,
                                          struct mq_error *error);
/* Writes the end, syncs, then reads everything back from the disk and compares. */
MQ_MUST_USE enum mq_status mq_archive_finish(struct mq_archive *archive, struct mq_error *error);
/* NULL is fine. The file stays. */
void mq_archive_close(struct mq_archive *archive);

/* ---- reading ---- */

/* Does a regular file stand at `path` that begins as a backup does? Symbolic links are none. */
bool mq_archive_is(const char *path);
/* MQ_NOT_FOUND; MQ_REFUSED: no backup; MQ_WRONG_KEY: the passphrase does not open it, or its first chunk is damaged. */
MQ_MUST_USE enum mq_status mq_archive_open(struct mq_archive **out, const char *path, struct mq_span passphrase,
                                           struct mq_error *error);
/* The next piece. MQ_NOT_FOUND: that was all, to the very end. MQ_DAMAGED. */
MQ_MUST_USE enum mq_status mq_archive_next(struct mq_archive *archive, char name[MQ_ARCHIVE_NAME_SIZE],
                                           struct mq_error *error);
/* Its bytes into a new file, mode 0600, synced; NULL: nowhere, only verified. */
MQ_MUST_USE enum mq_status mq_archive_extract(struct mq_archive *archive, const char *path, struct mq_error *error);

#endif
