/* Records that may be one, for a person at the desk to look at side by side (docs/contract.md, `desk duplicates`). Nothing
 * is merged by this. Worked out anew each time, from what is shown of the records. */
#ifndef MQ_REPLICA_DUPLICATES_H
#define MQ_REPLICA_DUPLICATES_H

#include "replica/likeness.h"
#include "replica/records.h"

/* Pairs of households, of needs, or (`kind` NULL) of both, the likeliest first, at most `limit` (0: all):
 *   {"kind":…,"a":ID,"b":ID,"score":…,"reasons":[…],"words":…,"sides":[{…},{…}]}
 * `words` are the reasons in the person's language; `sides` has of both records what a person compares. MQ_REFUSED: a kind of which
 * no duplicates are looked for. */
MQ_MUST_USE enum mq_status mq_duplicates_list(struct mq_replica *replica, const struct mq_kind *kind, int64_t limit,
                                              const struct mq_emitter *emitter, struct mq_error *error);

/* A reason as it stands in JSON. */
const char *mq_alike_code(enum mq_alike_reason reason);
/* All of `reasons` in the person's language, one after another. */
void mq_alike_say(struct mq_buffer *out, uint32_t reasons);

#endif
