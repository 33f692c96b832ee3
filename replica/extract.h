/* The extract that a person may ask for: everything that is kept about his household, as a text to be printed, in Chinese,
 * because it is for him (docs/domain.md, section 6.2). */
#ifndef MQ_REPLICA_EXTRACT_H
#define MQ_REPLICA_EXTRACT_H

#include "platform/error.h"
#include "replica/replica.h"

/* Each line goes to `emit`, without its end. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_extract_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                                int32_t today,
                                                enum mq_status (*emit)(void *context, struct mq_span line,
                                                                       struct mq_error *error),
                                                void *context, struct mq_error *error);

#endif
