/* Records that were sealed here for others to read: how they are shown, and added to. A part of records_read.c and
 * records_write.c in a file of its own. */
#ifndef MQ_REPLICA_RECORDS_MATTER_H
#define MQ_REPLICA_RECORDS_MATTER_H

#include "replica/matter.h"
#include "replica/records.h"

/* The matter that `text` names, where no record that can be read here does; `found` is what mq_view_find answered, with
 * its error. MQ_OK: it is a matter; otherwise `found`, the error as it was. */
MQ_MUST_USE enum mq_status mq_matter_instead(struct mq_replica *replica, enum mq_status found, struct mq_span text,
                                             struct mq_matter *out, struct mq_error *error);

/* {"kind":…,"id":…,"no":…,"date":…,"restricted":true,"record":…,"safety":…}, and "words_more" where its author added
 * some in his case, which he reads. */
MQ_MUST_USE enum mq_status mq_matter_print(struct mq_replica *replica, const struct mq_matter *matter,
                                           struct mq_buffer *out, struct mq_error *error);
/* Every matter of a kind (0: all) that cannot be read here, at most `*left` of them (< 0: all), whose id or number
 * contains `search`. */
MQ_MUST_USE enum mq_status mq_matter_list(struct mq_replica *replica, uint64_t kind, struct mq_span search,
                                          int64_t *left, const struct mq_emitter *emitter, struct mq_error *error);

#endif
