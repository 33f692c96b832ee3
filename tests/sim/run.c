/* One run. */
#include "tests/sim/run.h"

#include "tests/sim/events.h"
#include "tests/sim/invariants.h"

#define EVENTS_LEAST 20
#define EVENTS_MORE 90
#define LONG_ONE_IN 30 /* runs is a long one: what only much history shows */
#define LONG_MORE 400

void sim_run(struct sim_choices *choices, uint64_t seed, FILE *out, struct sim_result *result)
{
    static struct sim_fleet fleet;
    struct sim_story story = {.out = out, .hash = 0xcbf29ce484222325u};
    sim_fleet_begin(&fleet, choices, &story, seed);
    sim_swarm_choose(&fleet);
    uint32_t events = EVENTS_LEAST + sim_choose(choices, EVENTS_MORE);
    if (sim_chance(choices, LONG_ONE_IN))
        events += sim_choose(choices, LONG_MORE);
    bool township = sim_has_township(&fleet);
    sim_tell(&story, "%zu devices%s, %u events", fleet.member_count - (township ? 2 : 1), township ? ", a township's desk" : "",
             events);
    for (uint32_t i = 0; i < events && !sim_is_broken(&story) && !sim_choices_ended(choices); i++)
        sim_event(&fleet);
    if (!sim_is_broken(&story))
        sim_heal(&fleet);
    sim_fleet_end(&fleet);
    *result = (struct sim_result){.tally = fleet.tally, .story = story};
    result->story.out = NULL;
}
