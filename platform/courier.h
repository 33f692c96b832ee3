/* The caller's side of the network process: a child that holds no keys, moves sealed bytes and can open none of them
 * (docs/protocol.md, section 4). One child, one connection, any number of requests. */
#ifndef MQ_PLATFORM_COURIER_H
#define MQ_PLATFORM_COURIER_H

#include "platform/error.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"

struct mq_courier;

/* Starts `program` (a path; no shell, no environment) for a server: `url` is https://HOST[:PORT][/BASE] and `pins` one
 * or two hashes of public keys, MQ_HASH_SIZE bytes each; or http:// to a loopback address and no pins. Nothing is
 * connected yet, and the child judges url and pins itself: a refusal shows at the first post. `*out` is NULL on
 * failure; the caller calls mq_courier_stop. MQ_FAULT: the program cannot be started; MQ_REFUSED: pins or url of
 * impossible size. */
MQ_MUST_USE enum mq_status mq_courier_start(struct mq_courier **out, const char *program, const char *url,
                                            struct mq_span pins, struct mq_error *error);
/* Closes the connection and waits for the child to be gone; kills it where it does not go by itself. NULL is fine. */
void mq_courier_stop(struct mq_courier *courier);

/* As the child says it, one byte. */
enum mq_courier_outcome {
    MQ_COURIER_ANSWERED = 0,    /* a whole reply from the server, whatever its status */
    MQ_COURIER_UNREACHABLE = 1, /* the request did not get there */
    MQ_COURIER_STRANGER = 2,    /* somebody answered who does not have the pinned key */
    MQ_COURIER_CUT = 3,         /* the request may have got there; the reply has what came of it */
    MQ_COURIER_TOO_LARGE = 4,   /* the reply is larger than MQ_REPLY_MAX or the caller's buffer */
    MQ_COURIER_NOT_OURS = 5     /* a web page or a redirect: a log-in page of the network, or a wrong address */
};

struct mq_courier_request {
    const char *path;     /* starts with '/', printable ASCII, up to MQ_COURIER_PATH_MAX bytes */
    struct mq_span body;  /* up to MQ_REQUEST_MAX */
    int64_t timeout_ms;   /* for all of it, from now */
};
struct mq_courier_answer {
    enum mq_courier_outcome outcome;
    uint16_t http_status;           /* 0: none came */
    uint32_t retry_after_s;         /* 0: not said */
    uint32_t bytes_up, bytes_down;  /* HTTP heads and bodies, without TLS and TCP */
};

/* One POST. `reply` gets the body: of a 2xx reply, or of another status where it is ours (application/x-minqing).
 * `answer` and `reply` are filled also where the outcome is not ANSWERED. MQ_OK: ANSWERED. MQ_UNREACHABLE: UNREACHABLE,
 * CUT, NOT_OURS, or the time is over (outcome CUT; the child is killed then, and later posts fail). MQ_REFUSED:
 * STRANGER, TOO_LARGE, or the child refused url or pins. MQ_FAULT: the child broke. */
MQ_MUST_USE enum mq_status mq_courier_post(struct mq_courier *courier, const struct mq_courier_request *request,
                                           struct mq_buffer *reply, struct mq_courier_answer *answer,
                                           struct mq_error *error);

#endif
