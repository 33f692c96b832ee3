/* Joining a team with an invitation: what a device and a township's desk have in common. How the request travels is the
 * caller's (docs/protocol.md, section 1). */
#ifndef MQ_REPLICA_JOIN_KEYS_H
#define MQ_REPLICA_JOIN_KEYS_H

#include "protocol/enrol_keys.h"
#include "replica/sync.h"

struct mq_joining {
    enum mq_role role; /* what the joiner is to become: a cadre's device, or a township's desk */
    struct mq_invitation invitation;
    uint8_t request_memory[MQ_ENROL_REQUEST_MAX], reply_memory[MQ_ENROL_MAX];
    struct mq_buffer request, reply; /* the caller may fill `reply` from a file */
    struct mq_enrol_reply answer;
};

/* Reads the invitation. MQ_REFUSED, in words. The caller gives `joining`, made by mq_work_memory, to mq_work_free: it
 * holds secrets. */
MQ_MUST_USE enum mq_status mq_join_begin(struct mq_joining *joining, enum mq_role role, struct mq_span invitation,
                                         struct mq_error *error);
/* The request, into `joining`, under the name that the centre shall see (may be ""). It is kept in the store: asked
 * again with the same invitation, it is the same; another invitation wants another, for the same keys. MQ_REFUSED: the
 * name is too long, or the store belongs to another organisation. */
MQ_MUST_USE enum mq_status mq_join_request(struct mq_joining *joining, struct mq_replica *replica, const char *name,
                                           struct mq_error *error);
/* Brings it and waits for the reply, until `deadline_ms` (monotonic). MQ_UNREACHABLE: nothing is lost, again later. */
MQ_MUST_USE enum mq_status mq_join_ask(struct mq_joining *joining, struct mq_replica *replica,
                                       const struct mq_transport *transport, int64_t deadline_ms,
                                       struct mq_error *error);
/* Reads the reply and stores everything that membership is, in one transaction: it has joined, or it has not. `name` is
 * what the team is called here; "" for none. MQ_REFUSED, in words. */
MQ_MUST_USE enum mq_status mq_join_finish(struct mq_joining *joining, struct mq_replica *replica, const char *name,
                                          struct mq_error *error);

/* The server's address as the newest invitation told it. MQ_NOT_FOUND: never joined. */
MQ_MUST_USE enum mq_status mq_join_address(struct mq_replica *replica, char url[MQ_INVITATION_URL_MAX + 1],
                                           uint8_t pin[MQ_HASH_SIZE], struct mq_error *error);

#endif
