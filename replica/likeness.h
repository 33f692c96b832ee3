/* Households that a new one may be: the same name in the same group of the same place, or the same telephone number.
 * For a look before an import; what `desk duplicates` weighs is another, slower question. */
#ifndef MQ_REPLICA_LIKENESS_H
#define MQ_REPLICA_LIKENESS_H

#include "protocol/record.h"
#include "replica/replica.h"

struct mq_likeness;

enum mq_like_reason {
    MQ_LIKE_NAME,
    MQ_LIKE_PHONE
};

struct mq_like {
    uint8_t record[MQ_ID_SIZE];
    enum mq_like_reason reason;
};

/* Learns all households that are here. The caller ends it with mq_likeness_end; NULL on failure. */
MQ_MUST_USE enum mq_status mq_likeness_begin(struct mq_likeness **out, struct mq_replica *replica,
                                             struct mq_error *error);
/* Others that the household `record` may be, at most MQ_LIKE_MAX, each once; then it is learnt too. Nothing for records
 * of other kinds. */
MQ_MUST_USE enum mq_status mq_likeness_take(struct mq_likeness *likeness, const uint8_t record[MQ_ID_SIZE],
                                            struct mq_like out[MQ_LIKE_MAX], size_t *count, struct mq_error *error);
/* NULL is fine. */
void mq_likeness_end(struct mq_likeness *likeness);

#endif
