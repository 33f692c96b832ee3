/* What has been kept long enough (protocol/retention.h): listed, handed over to an archive, taken out. */
#ifndef MQ_REPLICA_RETENTION_H
#define MQ_REPLICA_RETENTION_H

#include "replica/records.h"

struct mq_retention_run {
    int32_t today;
    bool dry;
    /* One object for each kind with something over its time: {"kind":…,"months":N,"records":N,"ids":[…]}. */
    const struct mq_emitter *lines;
    /* Unless dry: each of these records whole, in the record format, before anything goes; then `archived`, which must
     * answer MQ_OK only where they are safe. */
    const struct mq_emitter *archive;
    enum mq_status (*archived)(void *context, struct mq_error *error);
    void *context;
};
/* For the records of one team. `*records` gets how many there are. */
MQ_MUST_USE enum mq_status mq_retention_run(struct mq_replica *replica, const struct mq_team *team,
                                            const struct mq_retention_run *run, int64_t *records,
                                            struct mq_error *error);

#endif
