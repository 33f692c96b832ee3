/* What happens in the world, one event at a time, drawn by weights. */
#ifndef MQ_TESTS_SIM_EVENTS_H
#define MQ_TESTS_SIM_EVENTS_H

#include "tests/sim/fleet.h"

/* Which faults this run has, and how often: the first choices of a run. */
void sim_swarm_choose(struct sim_fleet *fleet);

/* All clocks go on. */
void sim_time_passes(struct sim_fleet *fleet, int64_t milliseconds);
/* The next event. */
void sim_event(struct sim_fleet *fleet);
/* Somebody else does something while a request is on its way. */
void sim_events_between(struct sim_fleet *fleet);

/* A member that could do something now; NULL: none of those that were looked at. */
struct sim_member *sim_somebody(struct sim_fleet *fleet);
struct sim_member *sim_some_device(struct sim_fleet *fleet); /* or a township's desk: any machine but the server */
/* The county's, or a township's where there is one, if it could do something now. */
struct sim_member *sim_some_desk(struct sim_fleet *fleet);

/* ---- what people do: writing.c, carrying.c ---- */
void sim_write(struct sim_member *member);  /* a few records, one after another */
void sim_write_little(struct sim_member *member); /* one short record, and a sync */
void sim_import(struct sim_member *member); /* many lines in one transaction */
void sim_review(struct sim_fleet *fleet);   /* a desk decides, moves needs along, merges */
void sim_export(struct sim_member *member); /* a bundle onto a stick */
void sim_bring(struct sim_member *member);  /* some stick is read here: late, twice, cut */

/* ---- what happens to things: harm.c ---- */
void sim_clone(struct sim_fleet *fleet);
void sim_take_image(struct sim_fleet *fleet);
void sim_bring_image_back(struct sim_fleet *fleet);
void sim_rot(struct sim_fleet *fleet);
void sim_rot_server(struct sim_fleet *fleet);
void sim_lie(struct sim_fleet *fleet);
void sim_clock_jumps(struct sim_fleet *fleet);
void sim_sleep(struct sim_fleet *fleet);
void sim_plug(struct sim_fleet *fleet);
void sim_backup(struct sim_fleet *fleet);
void sim_restore(struct sim_fleet *fleet);
void sim_empty_relay(struct sim_fleet *fleet);
void sim_new_member(struct sim_fleet *fleet); /* a device; now and then a township's desk, the first or one more */
void sim_new_phrase(struct sim_fleet *fleet);
void sim_withhold(struct sim_fleet *fleet);
void sim_revoke(struct sim_fleet *fleet); /* revoking.c */
void sim_thief(struct sim_fleet *fleet);  /* thief.c */
void sim_lock(struct sim_fleet *fleet);   /* locked.c */
void sim_rotate(struct sim_fleet *fleet); /* epochs.c: new keys for all whose rights were not taken */
/* A member's row in the desk's list: who is given new keys. */
enum mq_status sim_enlist(struct mq_replica *desk, const struct mq_certificate *certificate, bool revoked,
                          struct mq_error *error);
/* A member whose store is beyond opening: its image comes back, or another device takes its place; the desk's server gets
 * its newest backup. */
void sim_mend(struct sim_member *member);

#endif
