/* What every front end can do with the life of a need: move it along, tell, list what is to be done (docs/contract.md).
 * Objects go to `emit` as in replica/records.h. */
#ifndef MQ_REPLICA_NEEDS_H
#define MQ_REPLICA_NEEDS_H

#include "platform/options.h"
#include "protocol/need.h"
#include "replica/records.h"

/* ---- moving ---- */

/* A step (or a telling, where `step` is NULL) on a need, with the fields that were given; `date` is today where it is
 * not given, and a due date comes from the preset that fits. Answers
 * {"id":…,"need":…,"no":…,"step":…,"state":…,"holder":…,"unit":…,"due":…,"rule":…,"calendar_missing":…,"saved":true}.
 * MQ_REFUSED where the table does not allow it, saying what is possible, who may do it, or which field is missing. */
MQ_MUST_USE enum mq_status mq_needs_step(struct mq_replica *replica, struct mq_span need, const char *step,
                                         const struct mq_field_value *fields, size_t count,
                                         const struct mq_emitter *emitter, struct mq_error *error);

/* Closes, one by one, each need that the villager was told of `days` days ago or earlier and that he is not dissatisfied
 * with; a step for each, as above. A desk's. */
MQ_MUST_USE enum mq_status mq_needs_close_due(struct mq_replica *replica, int32_t days, const struct mq_emitter *emitter,
                                              struct mq_error *error);

/* ---- reading ---- */

/* Needs in a state (key or label), those due first; `limit` 0: no limit. MQ_REFUSED, naming the states there are. */
MQ_MUST_USE enum mq_status mq_needs_list(struct mq_replica *replica, struct mq_span state, int64_t limit,
                                         const struct mq_emitter *emitter, struct mq_error *error);
/* What a cadre has to do, one object a line: `what` is tell (an answer, with the sentence), supplement (a question), recheck,
 * or visit (of a plan that is under way; once visited, a household is left out). */
MQ_MUST_USE enum mq_status mq_needs_today(struct mq_replica *replica, const struct mq_emitter *emitter,
                                          struct mq_error *error);
/* What a desk has to do, one object a need, the most urgent kind first: tell (answered, and nobody told the villager),
 * reopen, overdue, due_soon, recheck, returned, accept, assign, close, arrived_late. `unit` empty: all; else only needs that
 * this unit holds. By need and unit, never by who wrote them. */
MQ_MUST_USE enum mq_status mq_needs_desk_today(struct mq_replica *replica, struct mq_span unit,
                                               const struct mq_emitter *emitter, struct mq_error *error);
/* What one should know before knocking: the last visit, what is open, what was promised. */
MQ_MUST_USE enum mq_status mq_needs_brief(struct mq_replica *replica, struct mq_span household,
                                          const struct mq_emitter *emitter, struct mq_error *error);

#endif
