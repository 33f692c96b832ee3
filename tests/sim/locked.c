/* A device that nobody opens for a while: what it sealed leaves it all the same, out of its spool and without any key, while
 * the others go on; then its owner comes back. */
#include "replica/outgoing.h"
#include "replica/spool.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/network.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

#define TRIES 3
#define TRY_MS (4 * 60 * 1000)

/* As the program does before it ends. */
static enum mq_status rest(struct sim_member *member)
{
    struct mq_error error = {0};
    enum mq_status status = mq_seal_all(member->replica, &error);
    if (status == MQ_OK)
        status = mq_spool_update(member->replica, &error);
    sim_tell(member->fleet->story, "%s is locked%s%s", member->name, status == MQ_OK ? "" : ": ", error.text);
    return status;
}

static enum mq_status send(struct sim_member *member)
{
    const struct mq_transport transport = sim_transport(member);
    struct mq_spool_sent result = {0};
    struct mq_error error = {0};
    int64_t deadline = member->platform->monotonic_ms(member->platform->self) + TRY_MS;
    enum mq_status status =
        mq_spool_send(member->platform, SIM_HOME, &transport, deadline, &result, &error);
    sim_tell(member->fleet->story, "%s, locked: sent %lld, %lld are left%s%s", member->name, (long long)result.sent,
             (long long)result.left, status == MQ_OK ? "" : ": ", error.text);
    return status;
}

void sim_lock(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_some_device(fleet);
    if (member == NULL || sim_merges(member)) /* a desk has no spool */
        return;
    sim_write(member);
    if (!sim_enter(member))
        return;
    enum mq_status status = rest(member);
    if (status == MQ_OK)
        sim_happened(fleet, SIM_LOCKED);
    for (uint32_t tries = status == MQ_OK ? 1 + sim_choose(fleet->choices, TRIES) : 0; tries > 0; tries--) {
        sim_close(member);
        status = send(member);
        if (status == MQ_FAULT || status == MQ_DAMAGED || sim_is_broken(fleet->story))
            break;
        fleet->story->depth++;
        sim_event(fleet);
        fleet->story->depth--;
    }
    sim_leave(member, status);
    if (member->replica == NULL && sim_open(member))
        sim_ghost_check_home(member);
}
