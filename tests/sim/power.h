/* Opening, working with and losing the power of a member's machine. Every event that touches a member stands between
 * sim_enter and sim_leave. */
#ifndef MQ_TESTS_SIM_POWER_H
#define MQ_TESTS_SIM_POWER_H

#include "tests/sim/fleet.h"

#define SIM_HOME "/replica"
#define SIM_RELAY "/relay.db"
#define SIM_PASSPHRASE "correct horse battery staple"
#define SIM_KDF_MIB 8

/* Takes the member for one event: its machine is on and its program runs; its power may go in the middle. False: it is
 * working, sleeps, is lost, or cannot be opened just now. */
bool sim_enter(struct sim_member *member);
/* Gives it back. `status` is how the event's last call ended: after a fault of the machine the program is started anew,
 * after a power cut the machine, and what was acknowledged is looked for. */
void sim_leave(struct sim_member *member, enum mq_status status);
/* The same for the relay on the server's machine. *entered: nobody else was working there, so the leave has to give it
 * back. False: the server is down. */
bool sim_relay_enter(struct sim_fleet *fleet, bool *entered);
void sim_relay_leave(struct sim_fleet *fleet, bool entered, enum mq_status status);

/* The two passphrases that a person changes between. */
struct mq_span sim_phrase(unsigned number);

/* Starts the program: false where it could not be, for reasons that this world allows. */
bool sim_open(struct sim_member *member);
/* Ends it in good order, the relay with its desk. */
void sim_close(struct sim_member *member);
/* The power goes, now or as it did; then the machine starts, unless its power goes once more, and the program with it. */
void sim_reboot(struct sim_member *member);

#endif
