/* Power cuts by chance on the real store code: a device writes, seals, imports and syncs with a real relay and a desk until
 * the power of one of the three goes; then everything that was acknowledged is looked for. */
#ifndef MQ_TESTS_POWER_POWER_H
#define MQ_TESTS_POWER_POWER_H

#include "tests/power/stage.h"

struct power_tally {
    int64_t cuts;       /* power cuts with a recovery after them; `nested` of them in a recovery */
    int64_t nested;
    int64_t acknowledged; /* savings that were */
    int64_t lost;       /* savings that were acknowledged and are not there as they were written */
    int64_t torn;       /* something is there by half, or what nobody wrote */
    int64_t unopenable; /* the store does not open, or finds itself damaged */
    uint64_t worst;     /* the seed of the first episode with one of these three; 0: none */
    const char *name;   /* what power_tell calls it; NULL: it says nothing */
    int64_t told;       /* when it last spoke */
};

/* Episodes from `seed` on until there were `cuts` of them. Asserts nothing about the three: the caller looks. */
void power_run(struct stage *stage, const struct stage_image *image, uint64_t seed, int64_t cuts,
               struct power_tally *tally);

/* How far it is, on stderr, every half minute: a run that is stopped has told what it saw. `next` is the seed that follows. */
void power_tell(struct power_tally *tally, uint64_t next);

#endif
