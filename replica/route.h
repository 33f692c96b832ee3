/* Where a change belongs: the one place that finds it, by the tables of kinds and codes (protocol/record.h) and by where
 * the records are that it is about. */
#ifndef MQ_REPLICA_ROUTE_H
#define MQ_REPLICA_ROUTE_H

#include "protocol/record.h"
#include "replica/replica.h"

/* The compartment for an expanded change that is to be written here; `record` NULL: a create.
 *
 * - A create with a value that the tables mark as restricted goes to the restricted compartment. So does any further one
 *   of a kind that has such values (a need said again) where it points to a restricted record.
 * - Other creates that point to a restricted record (a step, what somebody was told) answer it: they go to its author's
 *   case, which a county desk makes where there is none; where that key is not here, to the restricted compartment.
 * - A change of a restricted record goes to that record's compartment; from its author, who cannot read it there, to his
 *   case, or into the restricted compartment as long as there is none.
 * - What is sensitive (class B) of a record that is the team's goes to the sensitive compartment, once the team has one:
 *   changes of such fields, and creates of kinds that cannot be without one. Creates of other kinds are written without
 *   those fields (mq_route_apart).
 * - Everything else is the team's.
 *
 * MQ_REFUSED: a value that would make an open record restricted, since the team has read it already; or that would point
 * from an open record to a restricted one. MQ_REFUSED too where the change is not of its type's shape. */
MQ_MUST_USE enum mq_status mq_route(struct mq_replica *replica, const struct mq_team *team, struct mq_span expanded,
                                    const uint8_t *record, uint32_t *compartment, struct mq_error *error);

/* Does this replica read what is written in the compartment from now on? Not who was named once and is no longer: what he
 * writes there himself is sealed like anybody's. */
MQ_MUST_USE enum mq_status mq_route_reads(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                          bool *reads, struct mq_error *error);
/* Has the team a compartment for what is sensitive, so that such fields are written apart from a create of this kind? */
MQ_MUST_USE enum mq_status mq_route_apart(struct mq_replica *replica, const struct mq_team *team,
                                          const struct mq_kind *kind, bool *apart, struct mq_error *error);

#endif
