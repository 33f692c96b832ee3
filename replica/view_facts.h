/* A part of view.c in a file of its own: the changes of records, and which of them count. */
#ifndef MQ_REPLICA_VIEW_FACTS_H
#define MQ_REPLICA_VIEW_FACTS_H

#include "protocol/merge.h"
#include "replica/replica.h"

/* The facts of one record, appended to `facts`: the changes of its own team that count for it. Their bytes are copied into
 * the arena. Where there are more than a group may have, its create wins, then the greatest ranks, then the smallest ids:
 * which ones does not depend on the order in which they came, and a flood hides neither a record nor what a desk said. */
MQ_MUST_USE enum mq_status mq_facts_load(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                         struct mq_arena *arena, struct mq_fact *facts, size_t *count,
                                         struct mq_error *error);
/* Room for the facts of all members of a group: as much as there are, never more than the limit. */
MQ_MUST_USE enum mq_status mq_facts_room(struct mq_replica *replica, const uint8_t (*members)[MQ_ID_SIZE], size_t count,
                                         struct mq_arena *arena, struct mq_fact **facts, struct mq_error *error);

#endif
