/* Local commands to a running program, through a Unix socket in its directory: the file's permission is the right.
 * Both ways one frame: length 4, big-endian, bytes. */
#ifndef MQ_PLATFORM_LOCAL_H
#define MQ_PLATFORM_LOCAL_H

#include "platform/error.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"

struct mq_local; /* the listening side */

/* Binds `path` with mode 0600, whatever its length. A socket file that nobody listens on is removed first; the caller
 * holds the directory's lock, so that two programs never do this at once. MQ_BUSY: somebody listens there. MQ_REFUSED:
 * something else than a socket stands there, or there is no such directory. `*out` is NULL on failure; the caller calls
 * mq_local_close. */
MQ_MUST_USE enum mq_status mq_local_open(struct mq_local **out, const char *path, struct mq_error *error);
/* Removes the socket file. NULL is fine. */
void mq_local_close(struct mq_local *local);
/* For poll(POLLIN) in a main loop that waits for several things. */
int mq_local_descriptor(const struct mq_local *local);

/* Takes one waiting caller and its whole request: MQ_LOCAL_READ_MS at most, and no more than `request` has room for or
 * MQ_LOCAL_REQUEST_MAX. `*call` is then answered, by exactly one mq_local_answer; -1 on failure. MQ_NOT_FOUND: nobody
 * waits. MQ_REFUSED: not the same user or root. MQ_UNREACHABLE: gone, too slow or too large; in both cases the caller
 * is already sent away. */
MQ_MUST_USE enum mq_status mq_local_accept(struct mq_local *local, int *call, struct mq_buffer *request,
                                           struct mq_error *error);
/* Up to MQ_LOCAL_REPLY_MAX bytes. Always ends the call. MQ_UNREACHABLE: the caller has gone or does not read
 * (MQ_LOCAL_WRITE_MS). */
enum mq_status mq_local_answer(int call, struct mq_span reply, struct mq_error *error);

/* The calling side: one request, one reply. MQ_NOT_FOUND: nobody listens at `path`. MQ_UNREACHABLE: no whole reply
 * within `timeout_ms`, or sent away. MQ_NO_SPACE: the reply has no room in `reply`. */
MQ_MUST_USE enum mq_status mq_local_call(const char *path, struct mq_span request, struct mq_buffer *reply,
                                         int64_t timeout_ms, struct mq_error *error);

#endif
