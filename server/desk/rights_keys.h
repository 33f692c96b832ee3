/* What members may read beside the team's records: the keys of the other compartments, and who gets them
 * (docs/protocol.md, section 1). */
#ifndef MQ_SERVER_DESK_RIGHTS_KEYS_H
#define MQ_SERVER_DESK_RIGHTS_KEYS_H

#include "protocol/enrol_keys.h"
#include "replica/cases.h"
#include "server/desk/desk_keys.h"
#include "server/desk/member_keys.h"

/* Makes what a team lacks: grants of the team, of restricted matters and of sensitive fields. A team made by an older
 * program has members already; those who have the right get the key of the sensitive fields. Within a transaction. */
MQ_MUST_USE enum mq_status mq_rights_complete(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error);
/* The same for every team of this desk. */
MQ_MUST_USE enum mq_status mq_rights_complete_all(struct mq_desk *desk, struct mq_error *error);

/* The grants for a new member, each with its wrap to his box key; of compartments that he may write to and not read, the
 * newest without one. MQ_REFUSED, without words: nothing can be sealed to that key. */
MQ_MUST_USE enum mq_status mq_rights_enrol(struct mq_desk *desk, const struct mq_team *team, unsigned rights,
                                           struct mq_enrol_reply *reply, struct mq_error *error);

/* The rights that a member has or once had, by all that this desk still knows: a device keeps what a right had brought,
 * after it was taken too. */
MQ_MUST_USE enum mq_status mq_rights_ever(struct mq_desk *desk, const struct mq_member *member, unsigned *rights,
                                          struct mq_error *error);

/* The bits of an access list for member.rights. */
uint8_t mq_rights_access(unsigned rights);
/* A right by its name, "restricted" or "sensitive". MQ_REFUSED, in words. */
MQ_MUST_USE enum mq_status mq_rights_named(const char *name, unsigned *right, struct mq_error *error);

#endif
