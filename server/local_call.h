/* A command on its way to the running server's desk and back, as bytes: what a caller says at the Unix socket, and the
 * answer. A large result is fetched piece by piece. */
#ifndef MQ_SERVER_LOCAL_CALL_H
#define MQ_SERVER_LOCAL_CALL_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/status.h"

#define MQ_CALL_PIECE (4u * 1024 * 1024) /* of a result */

/* A command, or (with `handle`) a call for the next piece of its result. Spans borrow from what was decoded. */
struct mq_call_request {
    uint64_t handle; /* 0: a command */
    uint64_t offset;
    struct mq_span directory, input;
    struct mq_span arguments[MQ_CALL_ARGUMENTS_MAX]; /* argv, the program's name included */
    size_t argument_count;
};
void mq_call_request_put(struct mq_buffer *out, const struct mq_call_request *request);
MQ_MUST_USE enum mq_status mq_call_request_get(struct mq_call_request *out, struct mq_span bytes);

struct mq_call_reply {
    uint64_t exit_code;
    uint64_t handle, total; /* of the result; handle 0: `piece` is all of it */
    struct mq_span talk, piece;
};
void mq_call_reply_put(struct mq_buffer *out, const struct mq_call_reply *reply);
MQ_MUST_USE enum mq_status mq_call_reply_get(struct mq_call_reply *out, struct mq_span bytes);

#endif
