/* Sensitive fields of a new record, written apart from it (replica/route.h). Inside of replica/records_*.c. */
#ifndef MQ_REPLICA_APART_H
#define MQ_REPLICA_APART_H

#include "replica/convert.h"
#include "replica/replica.h"

/* Are this record's sensitive fields written apart from its create? No where it has none. */
MQ_MUST_USE enum mq_status mq_apart(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed,
                                    bool *apart, struct mq_error *error);
/* They are written, each as a change of its own of `record`, which is there. Within a transaction of the caller. */
MQ_MUST_USE enum mq_status mq_apart_write(struct mq_replica *replica, const struct mq_team *team,
                                          const struct mq_parsed *parsed, const uint8_t record[MQ_ID_SIZE],
                                          struct mq_error *error);
/* Are there sensitive fields here that this replica may write and not read? Then they cannot be compared. */
MQ_MUST_USE enum mq_status mq_apart_hidden(struct mq_replica *replica, const struct mq_team *team, bool *hidden,
                                           struct mq_error *error);

#endif
