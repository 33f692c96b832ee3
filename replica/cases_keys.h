/* For those who hold a key: wrapping it back to the desk that made it (replica/cases.h). */
#ifndef MQ_REPLICA_CASES_KEYS_H
#define MQ_REPLICA_CASES_KEYS_H

#include "protocol/frame.h"
#include "protocol/grant_keys.h"
#include "replica/replica.h"

/* The key of a grant, wrapped to a county desk's box key: a frame. Whoever makes it makes the same bytes. With it a desk that
 * was set back reads again what it granted since. MQ_REFUSED: nothing can be sealed to that key. */
MQ_MUST_USE enum mq_status mq_grant_wrap_back(uint8_t out[MQ_WRAP_FRAME_SIZE], const struct mq_grant *grant,
                                              const struct mq_secret *key, const uint8_t box_public[MQ_PUBLIC_SIZE]);

/* At a county desk: a key of the team's own or the sensitive compartment came back to it. Wraps it to every member who has the right
 * and was not revoked; what it had given them may be lost with the server. Elsewhere nothing. */
MQ_MUST_USE enum mq_status mq_grant_share(struct mq_replica *replica, const struct mq_grant *grant,
                                          const struct mq_secret *key, struct mq_error *error);

#endif
