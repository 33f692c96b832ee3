/* The journal: a change becomes a durable row, appended and never altered; later it moves into the segment that carries
 * it (docs/protocol.md, section 2). A change and its effect on the view commit in one transaction. */
#ifndef MQ_REPLICA_JOURNAL_H
#define MQ_REPLICA_JOURNAL_H

#include "protocol/change.h"
#include "replica/replica.h"

/* Saves an expanded change (at most MQ_CHANGE_MAX) in the compartment where it belongs, which replica/route.h finds by
 * the tables: the one door for everything that is written here. Where this replica holds the compartment's key, it goes
 * to the open batch there and the view is brought up to date. Where it does not, the change is sealed at once, in the
 * same transaction, and nothing of it stays but a row of replica/matter.h. `record` is the record it is about, NULL for
 * a create; `id` gets the change's id, which for a create is the new record's. Within a transaction of the caller, or in
 * one of its own. MQ_REFUSED: larger than a change may be, or what route.h refuses, or what it is to be sealed to is not
 * known here yet. */
MQ_MUST_USE enum mq_status mq_journal_add(struct mq_replica *replica, const struct mq_team *team,
                                          struct mq_span expanded, const uint8_t *record, uint8_t id[MQ_ID_SIZE],
                                          struct mq_error *error);
/* The same for several changes of one record that is here, all or none; what they come to is worked out once, after the
 * last. Each stands in `changes` behind its size, 4 bytes. */
MQ_MUST_USE enum mq_status mq_journal_add_all(struct mq_replica *replica, const struct mq_team *team,
                                              struct mq_span changes, const uint8_t record[MQ_ID_SIZE],
                                              struct mq_error *error);
/* A desk's list of what is to be erased (protocol/erase.h), in the compartment of what it names. As above; the caller
 * settles it (replica/erase.h). */
MQ_MUST_USE enum mq_status mq_journal_erase(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                            struct mq_span list, uint8_t id[MQ_ID_SIZE], struct mq_error *error);
/* A piece of a segment for the county's desk (protocol/returned.h), in a compartment that this replica reads. */
MQ_MUST_USE enum mq_status mq_journal_return(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                             struct mq_span returned, struct mq_error *error);

#endif
