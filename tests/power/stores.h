/* Power cuts by chance one floor lower, where a thousand of them cost a second: on the relay's real store and on the door to
 * an encrypted database as a replica uses it. Same tally as power.h. */
#ifndef MQ_TESTS_POWER_STORES_H
#define MQ_TESTS_POWER_STORES_H

#include "tests/power/power.h"

void power_relay_run(uint64_t seed, int64_t cuts, struct power_tally *tally);
void power_database_run(uint64_t seed, int64_t cuts, struct power_tally *tally);

#endif
