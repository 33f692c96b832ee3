/* Whom to visit: households drawn by lot, and those who have not been heard for long. So that a visit does not always go
 * where others point (docs/domain.md). Nothing here looks at who visited. */
#ifndef MQ_REPLICA_DRAW_H
#define MQ_REPLICA_DRAW_H

#include "replica/records.h"

struct mq_draw {
    struct mq_span place;    /* a code, a name or an earlier name (place_filter.h); empty: everywhere */
    struct mq_span group;    /* empty: all */
    uint64_t type;           /* a code of household types that the household must have; 0: any */
    int32_t today;           /* days since 1970-01-01 */
    int32_t unheard_days;    /* heard within so many days: left out; 0: nobody is */
    uint64_t seed;           /* the same seed draws the same households from the same records */
    int64_t count;           /* 0: all that fit, those unheard for longest first, without a lot */
};

/* Each household as {"household":…,"group":…,"head":…,"nickname":…,"last_heard":"2026-09-03" or null}, in the order
 * drawn. A household is heard when somebody of it was met (result 见到本人 or 见到家人, or none given); empty and dissolved
 * ones (状态 空户, 迁出, 合户, 销户) are left out. Never heard ones count four times, those unheard for a year twice, and
 * ordinary households (一般户) twice, so that the lot goes to them more often. MQ_REFUSED: fewer than `count` fit; those
 * that do were given. */
MQ_MUST_USE enum mq_status mq_draw_households(struct mq_replica *replica, const struct mq_draw *draw,
                                              const struct mq_emitter *emitter, struct mq_error *error);

#endif
