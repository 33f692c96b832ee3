/* The next event. */
#include "tests/sim/events.h"

#include "protocol/assert.h"
#include "tests/sim/invariants.h"
#include "tests/sim/network.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

/* ---- which faults this run has ---- */

/* Never, now and then, often, all the time. */
static uint32_t rate(struct sim_fleet *fleet, uint32_t often)
{
    switch (sim_choose(fleet->choices, 5)) { /* tidy: not an enum */
    case 2:
        return often * 6;
    case 3:
        return often * 2;
    case 4:
        return often;
    default:
        return 0;
    }
}

/* Half of all runs do without it. */
static uint32_t weight(struct sim_fleet *fleet, uint32_t usual)
{
    return sim_choose(fleet->choices, 2) * usual;
}

void sim_swarm_choose(struct sim_fleet *fleet)
{
    bool liar = sim_choose(fleet->choices, 3) == 2;
    fleet->swarm = (struct sim_swarm){
        .request_lost = rate(fleet, 6),
        .reply_lost = rate(fleet, 6),
        .request_cut = rate(fleet, 8),
        .reply_cut = rate(fleet, 8),
        .request_flip = liar ? rate(fleet, 12) : 0,
        .reply_flip = liar ? rate(fleet, 12) : 0,
        .twice = rate(fleet, 8),
        .slow = rate(fleet, 8),
        .old_request = rate(fleet, 10),
        .old_reply = liar ? rate(fleet, 10) : 0,
        .crossed = liar ? rate(fleet, 12) : 0,
        .busy = rate(fleet, 10),
        .portal = rate(fleet, 12),
        .nested = rate(fleet, 5),
        .power = rate(fleet, 10),
        .power_again = rate(fleet, 3),
        .disk_error = rate(fleet, 20),
        .disk_full = rate(fleet, 20),
        .same_chance = sim_choose(fleet->choices, 6) == 5,
        .clone = weight(fleet, 2),
        .image = weight(fleet, 3),
        .rot = weight(fleet, 1),
        .server_rot = sim_choose(fleet->choices, 4) == 3 ? 1 : 0,
        .lie = weight(fleet, 1),
        .clock = weight(fleet, 4),
        .sleeper = weight(fleet, 2),
        .backup = weight(fleet, 2),
        .restore = weight(fleet, 2),
        .emptied = weight(fleet, 1),
        .carry = weight(fleet, 14),
        .restricted = sim_choose(fleet->choices, 3) == 2 ? 8 : 0,
        .byzantine = liar ? weight(fleet, 2) : 0,
        .passphrase = sim_choose(fleet->choices, 4) == 3 ? 3 : 0,
        .locked = weight(fleet, 3),
        .large = rate(fleet, 6),
        .revoke = sim_choose(fleet->choices, 4) == 3 ? 1 : 0,
        .rotate = sim_choose(fleet->choices, 3) == 2 ? 2 : 0,
        .thief = sim_has_township(fleet) && sim_choose(fleet->choices, 4) == 3 ? 4 : 0,
    };
}

/* ---- who ---- */

struct sim_member *sim_somebody(struct sim_fleet *fleet)
{
    struct sim_member *member = &fleet->members[sim_choose(fleet->choices, (uint32_t)fleet->member_count)];
    return member->gone || member->working || member->asleep > 0 ? NULL : member;
}

struct sim_member *sim_some_device(struct sim_fleet *fleet)
{
    struct sim_member *member = &fleet->members[1 + sim_choose(fleet->choices, (uint32_t)fleet->member_count - 1)];
    return member->gone || member->working || member->asleep > 0 ? NULL : member;
}

struct sim_member *sim_some_desk(struct sim_fleet *fleet)
{
    struct sim_member *desks[SIM_MEMBERS_MAX];
    uint32_t count = 0;
    for (size_t i = 0; i < fleet->member_count; i++)
        if (sim_merges(&fleet->members[i]) && !fleet->members[i].gone)
            desks[count++] = &fleet->members[i];
    struct sim_member *desk = desks[sim_choose(fleet->choices, count)];
    return desk->asleep > 0 ? NULL : desk;
}

/* ---- time ---- */

void sim_time_passes(struct sim_fleet *fleet, int64_t milliseconds)
{
    fleet->wall += milliseconds / 1000;
    for (size_t i = 0; i < fleet->member_count; i++)
        sim_machine_advance(fleet->members[i].machine, milliseconds);
}

static void some_time_passes(struct sim_fleet *fleet)
{
    static const int64_t seconds[] = {1, 40, 600, 3600, 8 * 3600, 86400, 9 * 86400};
    sim_time_passes(fleet, 1000 * seconds[sim_choose(fleet->choices, sizeof seconds / sizeof *seconds)]);
    for (size_t i = 0; i < fleet->member_count; i++)
        fleet->members[i].asleep -= fleet->members[i].asleep > 0;
}

/* ---- what ---- */

static void sync_one(struct sim_member *member)
{
    if (member == NULL || !sim_enter(member))
        return;
    enum mq_status status = sim_sync(member);
    if (status == MQ_OK)
        sim_check_member(member);
    sim_leave(member, status);
}

static void do_write(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_somebody(fleet);
    if (member != NULL)
        sim_write(member);
}

static void do_import(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_somebody(fleet);
    if (member != NULL)
        sim_import(member);
}

static void do_sync(struct sim_fleet *fleet)
{
    sync_one(sim_somebody(fleet));
}

static void do_desk_sync(struct sim_fleet *fleet)
{
    sync_one(sim_some_desk(fleet));
}

static void do_export(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_somebody(fleet);
    if (member != NULL)
        sim_export(member);
}

static void do_bring(struct sim_fleet *fleet)
{
    struct sim_member *member = sim_somebody(fleet);
    if (member != NULL)
        sim_bring(member);
}

struct event {
    void (*happens)(struct sim_fleet *);
    uint32_t weight;
};

static struct event draw(struct sim_fleet *fleet, const struct event *events, size_t count)
{
    uint32_t sum = 0, drawn;
    for (size_t i = 0; i < count; i++)
        sum += events[i].weight;
    drawn = sim_choose(fleet->choices, sum);
    for (size_t i = 0;; i++) {
        MQ_ASSERT(i < count);
        if (drawn < events[i].weight)
            return events[i];
        drawn -= events[i].weight;
    }
}

void sim_event(struct sim_fleet *fleet)
{
    const struct sim_swarm *swarm = &fleet->swarm;
    const struct event events[] = {
        {do_write, 26},
        {do_sync, 30},
        {do_desk_sync, 10},
        {do_import, 18},
        {sim_review, 5},
        {do_export, swarm->carry / 2},
        {do_bring, swarm->carry},
        {sim_plug, swarm->power > 0 ? 3 : 0},
        {sim_clone, swarm->clone},
        {sim_take_image, swarm->image},
        {sim_bring_image_back, swarm->image / 2},
        {sim_rot, swarm->rot},
        {sim_rot_server, swarm->server_rot},
        {sim_lie, swarm->lie},
        {sim_clock_jumps, swarm->clock},
        {sim_sleep, swarm->sleeper},
        {sim_backup, swarm->backup},
        {sim_restore, swarm->restore},
        {sim_empty_relay, swarm->emptied},
        {sim_new_member, swarm->clone > 0 ? 1 : 0},
        {sim_new_phrase, swarm->passphrase},
        {sim_lock, swarm->locked},
        {sim_withhold, swarm->byzantine},
        {sim_revoke, swarm->revoke},
        {sim_rotate, swarm->rotate},
        {sim_thief, swarm->thief},
    };
    some_time_passes(fleet);
    draw(fleet, events, sizeof events / sizeof *events).happens(fleet);
    for (size_t i = 0; i < fleet->member_count; i++)
        if (fleet->members[i].ruined && !fleet->members[i].gone)
            sim_mend(&fleet->members[i]);
}

void sim_events_between(struct sim_fleet *fleet)
{
    static const struct event events[] = {{do_write, 6}, {do_sync, 5}, {do_desk_sync, 2}};
    if (fleet->depth > 1)
        return;
    fleet->story->depth++;
    draw(fleet, events, sizeof events / sizeof *events).happens(fleet);
    fleet->story->depth--;
}
