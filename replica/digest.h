/* The digest for those who decide: counts by place, matter and state, what lacks means, what stands in the way of a
 * policy, and what people said, with nobody to be recognised in it. Each number says by which options of
 * `desk list need` it is counted again. Nothing is counted by person, and nothing is a percentage. */
#ifndef MQ_REPLICA_DIGEST_H
#define MQ_REPLICA_DIGEST_H

#include "replica/need_facts.h"

enum mq_digest_part {
    MQ_DIGEST_TOTAL,
    MQ_DIGEST_CATEGORY, /* by village and category */
    MQ_DIGEST_STATE,
    MQ_DIGEST_AGE,      /* of open needs, in days */
    MQ_DIGEST_UNTOLD,   /* answered, and nobody told the villager yet */
    MQ_DIGEST_MEANS,    /* parked for want of means, by unit */
    MQ_DIGEST_ASK,      /* of the parked: what they ask for */
    MQ_DIGEST_POLICY,   /* of what is said about policies: which one */
    MQ_DIGEST_OBSTACLE, /* of the same: what stands in the way */
    MQ_DIGEST_QUOTE
};
const char *mq_digest_part_key(enum mq_digest_part part); /* in --json */

struct mq_digest_line {
    enum mq_digest_part part;
    const char *village; /* as records have it; NULL: all, or not by village */
    const char *label;   /* what is counted: 饮水, 挂账, 8-30, a unit's name. NULL: all */
    bool others;         /* the groups that are too small to stand alone, together */
    bool too_few;        /* there is something, in fewer than MQ_DIGEST_GROUP_LEAST households: no numbers */
    int64_t needs, households;
    const char *filter;  /* options of `desk list need` that list these */
    const char *quote;   /* of QUOTE: what was said, scrubbed */
};
struct mq_digest_sink {
    void *context;
    enum mq_status (*take)(void *context, const struct mq_digest_line *line, struct mq_error *error);
};

/* Groups of fewer than MQ_DIGEST_GROUP_LEAST households are put together with the next larger ones until they are not;
 * where all together are too few, only that is said. `today` is what ages are counted from. MQ_REFUSED: `text` is no
 * filter. */
MQ_MUST_USE enum mq_status mq_digest_write(struct mq_replica *replica, const struct mq_need_filter_text *text,
                                           int32_t today, const struct mq_digest_sink *sink, struct mq_error *error);

#endif
