/* Inside of duplicates*.c: pairs while they are gathered. */
#ifndef MQ_REPLICA_DUPLICATES_PARTS_H
#define MQ_REPLICA_DUPLICATES_PARTS_H

#include "replica/duplicates.h"

struct mq_duplicate {
    uint8_t a[MQ_ID_SIZE], b[MQ_ID_SIZE]; /* canonical; the smaller one is `a` */
    unsigned score;
    uint32_t reasons;
    const struct mq_kind *kind;
};

struct mq_duplicates {
    struct mq_duplicate *items;
    size_t count, room;
};
void mq_duplicates_put(struct mq_duplicates *list, const struct mq_kind *kind, const uint8_t a[MQ_ID_SIZE],
                       const uint8_t b[MQ_ID_SIZE], unsigned score, uint32_t reasons);

/* Pairs of needs, into `out`; `households` are the likely pairs of households, sorted by `a`, then `b`. */
MQ_MUST_USE enum mq_status mq_duplicate_needs(struct mq_replica *replica, const struct mq_likeness *likeness,
                                              const struct mq_duplicates *households, struct mq_duplicates *out,
                                              struct mq_error *error);

#endif
