/* The promises (I1 to I15, P2, P4): which of them are looked at where.
 *
 * | | Promise | Looked at |
 * | I1 | what was called saved is in its author's store | power.c after each start; at the end everywhere |
 * | I2 | what the relay calls stored is on its disk | wire.c, after each of its power cuts |
 * | I3 | what a replica shows is what was written, to the byte, by somebody, and not refused | ghost.c, at each look |
 * | I4 | saved + stored + anchored + quarantined = what was written here, on a sound disk | sim_check_member, after each sync |
 * | I5 | own chains have no holes | the check of every replica at the end |
 * | I6 | each record takes effect once | ghost.c, at each look |
 * | I7 | no plaintext on a link or stick, nothing restricted in anybody's store but the county's | wire.c, every byte; ghost.c |
 * | I8 | no key and nonce twice | wire.c, every segment |
 * | I9 | all replicas agree in the end, whatever the order | sim_heal |
 * | I10 | everything is anchored in the end, in a few rounds; no sync asks for ever | sim_heal; network.c |
 * | | and receipts come to an end, where two desks give them | sim_heal |
 * | I11 | a restored server misses nothing that a copy has | sim_heal |
 * | I13 | a changed or cut stick changes nothing | carrying.c |
 * | I14 | beyond a revocation nothing counts that nobody let in, everything before does, everything in the end | revoking.c |
 * | P3 | who learnt that he is a copy writes under new streams | sim_learnt_copy, then sim_check_member |
 * | M6 | who changed something is shown it, whatever the clocks say | writing.c, after each change |
 * | P4 | anchored only what a desk has had, the county's or a township's that one does not know as revoked | sim_check_member |
 *
 * I12 (memory) is the sanitizers' and protocol/limits.h's; I15 is I2 and I11. */
#ifndef MQ_TESTS_SIM_INVARIANTS_H
#define MQ_TESTS_SIM_INVARIANTS_H

#include "tests/sim/fleet.h"

/* A member's sync told it that it is a copy, or was set back. */
void sim_learnt_copy(struct sim_member *member);
/* After a sync: cheap. */
void sim_check_member(struct sim_member *member);
/* The faults end, everybody syncs a few times, and everything must be everywhere. */
void sim_heal(struct sim_fleet *fleet);

/* revoking.c: the steps of healing that are about revocation. */
void sim_revoke_stolen(struct sim_fleet *fleet);
void sim_revoke_again(struct sim_fleet *fleet);
void sim_adopt_all(struct sim_fleet *fleet);
void sim_check_beyond(struct sim_member *member);

#endif
