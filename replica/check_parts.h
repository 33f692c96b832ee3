/* What the parts of `check` share: records_check.c (the whole, segments, the view) and check_truth.c (everything else that
 * is kept for good). */
#ifndef MQ_REPLICA_CHECK_PARTS_H
#define MQ_REPLICA_CHECK_PARTS_H

#include "replica/records.h"

struct mq_check_work {
    struct mq_replica *replica;
    struct mq_check_result *result;
    const struct mq_emitter *emitter;
    bool damaged, rebuild;
};

/* Names what is not as it should be; the check goes on. */
MQ_MUST_USE enum mq_status mq_check_finding(struct mq_check_work *work, const char *what, struct mq_span id,
                                            struct mq_error *error);

/* Certificates up to the root, announces, grants with their keys, signed objects, own chains, the journal. */
MQ_MUST_USE enum mq_status mq_check_truth(struct mq_check_work *work, struct mq_error *error);
/* One hash over the derived tables that nothing else of the view's hashes covers: which records are one, what refers to
 * what, how groups stand. */
MQ_MUST_USE enum mq_status mq_check_derived(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error);

#endif
