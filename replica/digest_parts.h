/* What the parts of a digest share. Inside of replica/digest*.c. */
#ifndef MQ_REPLICA_DIGEST_PARTS_H
#define MQ_REPLICA_DIGEST_PARTS_H

#include "protocol/need.h"
#include "replica/digest.h"

/* Each text once; its number stands for it. */
struct digest_texts {
    char **items;
    size_t count, capacity;
};

/* One need, small enough that all of a county's stand in memory. */
struct digest_need {
    uint8_t record[MQ_ID_SIZE], household[MQ_ID_SIZE];
    int32_t day;
    uint16_t category, nature, village, unit, policy; /* texts by number */
    uint8_t state;
    bool tells;
    uint32_t obstacles, asks;
};

/* Which needs are looked at. */
struct digest_choice {
    const bool *villages; /* by number; NULL: all */
    uint32_t states;      /* bits; 0: all */
    uint16_t nature;      /* 0: all */
    int32_t from, to;     /* 0: open */
};

struct digest {
    struct mq_replica *replica;
    const struct mq_digest_sink *sink;
    struct mq_need_filter filter;
    int32_t today;
    struct digest_need *needs; /* by household */
    size_t count, capacity;
    struct digest_texts villages, units, policies;
    bool *quotable; /* MQ_DIGEST_VILLAGES_MAX rows of 128 categories: shown alone, so large enough to be quoted */
};

#define DIGEST_CATEGORIES 128

/* Reads what is to be counted. */
MQ_MUST_USE enum mq_status digest_load(struct digest *digest, struct mq_error *error);
void digest_end(struct digest *digest);
/* What people said, of the groups that are quotable. */
MQ_MUST_USE enum mq_status digest_quotes(struct digest *digest, struct mq_error *error);

#endif
