/* How a need stands, as ledgers and digests say it. Inside of replica/ledger*.c and digest*.c. */
#ifndef MQ_REPLICA_STANDING_H
#define MQ_REPLICA_STANDING_H

#include "protocol/need.h"
#include "replica/replica.h"

struct mq_standing {
    const struct mq_need_state *state;
    int32_t due;       /* 0: none */
    int32_t told;      /* the last telling's day; 0: nobody was told yet */
    uint64_t reaction; /* to that; 0: not said */
    char unit[MQ_SHORT_TEXT_MAX + 1];
    char sentence[MQ_LONG_TEXT_MAX + 1]; /* for the villager */
};

/* `need`: the canonical record. Large: from mq_work_memory. */
MQ_MUST_USE enum mq_status mq_standing_read(struct mq_standing *out, struct mq_replica *replica,
                                            const uint8_t need[MQ_ID_SIZE], struct mq_error *error);

#endif
