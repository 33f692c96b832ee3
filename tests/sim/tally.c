/* Counts by kind. */
#include "tests/sim/tally.h"

#include <inttypes.h>
#include <stddef.h>

#define YEAR_RECORDS 2500.0
#define YEAR_SYNCS 500.0
#define YEAR_FAULTS 50.0

#define FAULTS SIM_CHANGED /* they come first */

static const char *const names[SIM_KINDS] = {
    [SIM_REQUEST_LOST] = "request lost",
    [SIM_REPLY_LOST] = "reply lost",
    [SIM_REQUEST_CUT] = "request cut",
    [SIM_REPLY_CUT] = "reply cut",
    [SIM_REQUEST_FLIPPED] = "request flipped",
    [SIM_REPLY_FLIPPED] = "reply flipped",
    [SIM_REQUEST_TWICE] = "request twice",
    [SIM_SLOW] = "slow",
    [SIM_REQUEST_OLD] = "old request",
    [SIM_REPLY_OLD] = "old reply",
    [SIM_REPLY_CROSSED] = "reply crossed",
    [SIM_BUSY] = "busy",
    [SIM_PORTAL] = "portal",
    [SIM_STICK_SPOILT] = "stick spoilt",
    [SIM_POWER_CUT] = "power cut",
    [SIM_POWER_CUT_STARTING] = "power cut while starting",
    [SIM_DISK_FAILED] = "disk failed",
    [SIM_DISK_LIES] = "disk lies",
    [SIM_SAME_CHANCE] = "chance repeated",
    [SIM_ROT] = "rot",
    [SIM_SERVER_ROT] = "rot on the server",
    [SIM_CLOCK_JUMPED] = "clock jumped",
    [SIM_COPIED] = "device copied",
    [SIM_IMAGE_BACK] = "device set back",
    [SIM_LOST_DEVICE] = "device lost",
    [SIM_RESTORED] = "server restored",
    [SIM_EMPTIED] = "relay emptied",
    [SIM_WITHHELD] = "stream withheld",
    [SIM_THIEF] = "thief's receipts",
    [SIM_CHANGED] = "changes",
    [SIM_IMPORTED] = "imports",
    [SIM_DECIDED] = "decisions",
    [SIM_JOINED_HOUSES] = "households joined",
    [SIM_STICK_WRITTEN] = "sticks written",
    [SIM_STICK_READ] = "sticks read",
    [SIM_SLEPT] = "devices asleep",
    [SIM_BACKED_UP] = "backups",
    [SIM_NEW_DEVICE] = "new devices",
    [SIM_TOWNSHIP] = "townships' desks",
    [SIM_NEW_PHRASE] = "new passphrases",
    [SIM_LOCKED] = "devices locked",
    [SIM_REVOKED] = "revocations",
    [SIM_ROTATED] = "new keys",
};

int64_t sim_tally_faults(const struct sim_tally *tally)
{
    int64_t sum = 0;
    for (size_t i = 0; i < FAULTS; i++)
        sum += tally->kinds[i];
    return sum;
}

int64_t sim_tally_power_cuts(const struct sim_tally *tally)
{
    return tally->kinds[SIM_POWER_CUT] + tally->kinds[SIM_POWER_CUT_STARTING];
}

double sim_tally_years(const struct sim_tally *tally)
{
    double years = (double)tally->records / YEAR_RECORDS, of_syncs = (double)tally->syncs / YEAR_SYNCS,
           of_faults = (double)sim_tally_faults(tally) / YEAR_FAULTS;
    years = years < of_syncs ? years : of_syncs;
    return years < of_faults ? years : of_faults;
}

void sim_tally_add(struct sim_tally *sum, const struct sim_tally *more)
{
    sum->records += more->records;
    sum->syncs += more->syncs;
    for (size_t i = 0; i < SIM_KINDS; i++)
        sum->kinds[i] += more->kinds[i];
}

void sim_tally_print(const struct sim_tally *tally, FILE *out)
{
    for (size_t i = 0; i < SIM_KINDS; i++)
        fprintf(out, "%s%s %" PRId64 "%s", i == 0 ? "faults: " : i == FAULTS ? "people: " : "", names[i],
                tally->kinds[i], i + 1 == FAULTS || i + 1 == SIM_KINDS ? "\n" : ", ");
}

const char *sim_tally_missing(const struct sim_tally *tally)
{
    for (size_t i = 0; i < SIM_KINDS; i++)
        if (tally->kinds[i] == 0)
            return names[i];
    return NULL;
}
