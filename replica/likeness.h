/* Households that may be one: those that are here, made ready for comparing and looked up by what they are known by, so
 * that ten thousand of them are not compared each with each (docs/decisions/0018-duplicates.md). For a look before an import or
 * after a record was added, and for the list of a desk (replica/duplicates.h). */
#ifndef MQ_REPLICA_LIKENESS_H
#define MQ_REPLICA_LIKENESS_H

#include "protocol/likeness.h"
#include "protocol/record.h"
#include "replica/replica.h"

struct mq_likeness;

/* A household that another one may be. */
struct mq_like {
    uint8_t record[MQ_ID_SIZE];
    unsigned score;   /* MQ_LIKE_HOUSEHOLD to MQ_ALIKE_MOST */
    uint32_t reasons; /* 1 << enum mq_alike_reason, of each */
};
#define MQ_LIKE_HAS(reasons, reason) (((reasons) >> (reason)&1u) != 0)
/* Is it the name that speaks for it? */
bool mq_like_by_name(uint32_t reasons);

/* Learns all households that are here. The caller ends it with mq_likeness_end; NULL on failure. */
MQ_MUST_USE enum mq_status mq_likeness_begin(struct mq_likeness **out, struct mq_replica *replica,
                                             struct mq_error *error);
/* Others that the household `record` may be, the likeliest first, at most MQ_LIKE_MAX; then it is learnt too, unless it
 * was. Nothing for records of other kinds. Those that a desk has said are another household are left out. */
MQ_MUST_USE enum mq_status mq_likeness_take(struct mq_likeness *likeness, const uint8_t record[MQ_ID_SIZE],
                                            struct mq_like out[MQ_LIKE_MAX], size_t *count, struct mq_error *error);
/* All pairs of households that may be one, each once. `take` must not call the replica's reading functions. */
MQ_MUST_USE enum mq_status mq_likeness_pairs(struct mq_likeness *likeness,
                                             enum mq_status (*take)(void *context, const uint8_t a[MQ_ID_SIZE],
                                                                    const struct mq_like *b, struct mq_error *error),
                                             void *context, struct mq_error *error);
/* NULL is fine. */
void mq_likeness_end(struct mq_likeness *likeness);

/* A number for a `place` value: equal where one place is meant, or villages that are one today. 0: no value. Changes no
 * state that the replica has handed out. */
MQ_MUST_USE enum mq_status mq_likeness_place(const struct mq_likeness *likeness, struct mq_span value, uint64_t *number,
                                             struct mq_error *error);

#endif
