/* One sync: everything that waits here goes to the server, everything that waits there comes (docs/protocol.md, section
 * 4). How bytes travel is the caller's: the courier on a device, a pipe to the keyless front at a centre, a function
 * call in the simulator. */
#ifndef MQ_REPLICA_SYNC_H
#define MQ_REPLICA_SYNC_H

#include "replica/admit.h"

struct mq_post_answer {
    unsigned http_status;
    uint32_t retry_after;          /* seconds, with 503; 0: not said */
    uint32_t bytes_up, bytes_down; /* HTTP heads and bodies */
};

struct mq_transport {
    void *context;
    /* One POST. MQ_OK: `reply` holds the body, the answer its status. MQ_UNREACHABLE: nobody answered, or the
     * connection was cut. MQ_BAD_SIGNATURE: somebody else answered (pin). MQ_REFUSED: what answered is not such a
     * server. */
    enum mq_status (*post)(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error);
};

#define MQ_EXCHANGE_PATH "/v1/exchange"
/* Before another try: a random while, longer with each `attempt` (from 0), or as long as the server asked; not beyond the
 * deadline. */
void mq_transport_wait(const struct mq_platform *platform, unsigned attempt, uint32_t retry_after, int64_t deadline_ms);
/* What an answer's HTTP status means: MQ_OK, or MQ_UNREACHABLE in words. */
MQ_MUST_USE enum mq_status mq_transport_status(const struct mq_post_answer *answer, struct mq_error *error);

struct mq_sync_hooks {
    void *context;
    /* At a desk: a device asks to join. */
    enum mq_status (*enrol)(void *context, const struct mq_team *team, struct mq_span request, struct mq_error *error);
    /* At a desk: after each answer was taken in; may put something into the outbox. */
    enum mq_status (*between)(void *context, const struct mq_team *team, struct mq_error *error);
};

struct mq_sync_result {
    int64_t sent, received; /* segments */
    int64_t bytes_up, bytes_down, requests;
    int64_t changes; /* of others, that reached the view */
    int64_t refused; /* frames that did not verify */
    bool cloned;     /* this store was copied or set back; it goes on under a new stream */
};

/* Syncs one team until nothing is left to say, or `deadline_ms` (monotonic) has passed. `hooks` may be NULL. What was
 * taken in before a failure counts. MQ_UNREACHABLE, MQ_BAD_SIGNATURE, MQ_REFUSED (a stranger to the server),
 * MQ_NO_SPACE. Results are added to what stands in `result`. */
MQ_MUST_USE enum mq_status mq_sync(struct mq_replica *replica, const struct mq_team *team,
                                   const struct mq_transport *transport, const struct mq_sync_hooks *hooks,
                                   int64_t deadline_ms, struct mq_sync_result *result, struct mq_error *error);

#endif
