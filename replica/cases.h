/* Granting keys at a desk, and cases: the compartments in which the authors of restricted matters are answered
 * (docs/protocol.md, section 1). */
#ifndef MQ_REPLICA_CASES_H
#define MQ_REPLICA_CASES_H

#include "protocol/compartment.h"
#include "replica/replica.h"

/* The compartment's next epoch, at a desk: a fresh key with its grant, here and in the
 * outbox; the first one where there is none. The key before is handed on under it, but for restricted compartments.
 * Within the caller's transaction. */
MQ_MUST_USE enum mq_status mq_grant_next(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                         struct mq_error *error);
/* Wraps the newest key of the compartment to a member's box key, into the outbox; unless `newest`, also every older one that is
 * here and to which no chain leads from those. Within the caller's transaction. MQ_REFUSED: nothing can be sealed to that key. */
MQ_MUST_USE enum mq_status mq_grant_wrap(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                         bool newest, const uint8_t box_public[MQ_PUBLIC_SIZE], struct mq_error *error);

/* Rights that a desk gives its members beside the team's (member.rights). */
#define MQ_RIGHT_NONE 0u
#define MQ_RIGHT_RESTRICTED 1u
#define MQ_RIGHT_SENSITIVE 2u
/* Wraps the newest key of a compartment to every member who has the right, with none to every member; not to those whose
 * rights were taken. Where keys are handed on, also every older one to which no chain leads: one that a desk made in a life before
 * it was set back. */
MQ_MUST_USE enum mq_status mq_grant_wrap_all(struct mq_replica *replica, const struct mq_team *team,
                                             uint32_t compartment, unsigned right, struct mq_error *error);

/* Can the author of a restricted record be answered in his case? Where the case has no key yet and this replica is a
 * county desk of the team, it is made, and wrapped to the author and the named persons. `*open` false: elsewhere; for a
 * record that a desk wrote, which reads the restricted compartment itself; and where two authors go by one number, so
 * that neither reads what is for the other. Within the caller's transaction. */
MQ_MUST_USE enum mq_status mq_case_open(struct mq_replica *replica, const struct mq_team *team,
                                        const uint8_t record[MQ_ID_SIZE], const struct mq_belongs *about, bool *open,
                                        struct mq_error *error);

/* A new epoch of the restricted compartment and of every case, for the persons who are named by now. */
MQ_MUST_USE enum mq_status mq_restricted_regrant(struct mq_replica *replica, const struct mq_team *team,
                                                 struct mq_error *error);

#endif
