/* The links: one function call a request, and everything that a network, a proxy, a lying relay or somebody in between
 * makes of it. */
#ifndef MQ_TESTS_SIM_NETWORK_H
#define MQ_TESTS_SIM_NETWORK_H

#include "replica/sync.h"
#include "tests/sim/fleet.h"

/* One try of this member to sync. The member is working (power.h). */
enum mq_status sim_sync(struct sim_member *member);
/* The way from this member to the server, for as long as the member is working. */
struct mq_transport sim_transport(struct sim_member *member);

#endif
