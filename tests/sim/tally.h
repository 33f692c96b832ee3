/* What happened in runs, counted by kind: a device-year has so many records, syncs and faults, and a kind of fault that does not
 * happen any more has to be noticed. */
#ifndef MQ_TESTS_SIM_TALLY_H
#define MQ_TESTS_SIM_TALLY_H

#include <stdint.h>
#include <stdio.h>

enum sim_kind {
    /* faults */
    SIM_REQUEST_LOST,
    SIM_REPLY_LOST,
    SIM_REQUEST_CUT,
    SIM_REPLY_CUT,
    SIM_REQUEST_FLIPPED,
    SIM_REPLY_FLIPPED,
    SIM_REQUEST_TWICE,
    SIM_SLOW,
    SIM_REQUEST_OLD,
    SIM_REPLY_OLD,
    SIM_REPLY_CROSSED,
    SIM_BUSY,
    SIM_PORTAL,
    SIM_STICK_SPOILT,
    SIM_POWER_CUT,
    SIM_POWER_CUT_STARTING,
    SIM_DISK_FAILED,
    SIM_DISK_LIES,
    SIM_SAME_CHANCE,
    SIM_ROT,
    SIM_SERVER_ROT,
    SIM_CLOCK_JUMPED,
    SIM_COPIED,
    SIM_IMAGE_BACK,
    SIM_LOST_DEVICE,
    SIM_RESTORED,
    SIM_EMPTIED,
    SIM_WITHHELD,
    SIM_THIEF,
    /* what people do */
    SIM_CHANGED,
    SIM_IMPORTED,
    SIM_DECIDED,
    SIM_JOINED_HOUSES,
    SIM_STICK_WRITTEN,
    SIM_STICK_READ,
    SIM_SLEPT,
    SIM_BACKED_UP,
    SIM_NEW_DEVICE,
    SIM_TOWNSHIP,
    SIM_NEW_PHRASE,
    SIM_LOCKED,
    SIM_REVOKED,
    SIM_ROTATED,
    SIM_KINDS
};

struct sim_tally {
    int64_t records; /* saved and acknowledged */
    int64_t syncs;   /* tried */
    int64_t kinds[SIM_KINDS];
};

int64_t sim_tally_faults(const struct sim_tally *tally); /* of every kind, power cuts included */
int64_t sim_tally_power_cuts(const struct sim_tally *tally);
/* The smallest of what records, syncs and faults come to. */
double sim_tally_years(const struct sim_tally *tally);
void sim_tally_add(struct sim_tally *sum, const struct sim_tally *more);
/* Two lines: the faults and the deeds, each kind with its count. */
void sim_tally_print(const struct sim_tally *tally, FILE *out);
/* The name of a kind that never happened; NULL: each did. */
const char *sim_tally_missing(const struct sim_tally *tally);

#endif
