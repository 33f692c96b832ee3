/* The stream that this replica writes to in a compartment: one open at a time in each mailbox (docs/protocol.md,
 * section 1). */
#ifndef MQ_REPLICA_STREAM_KEYS_H
#define MQ_REPLICA_STREAM_KEYS_H

#include "replica/replica_keys.h"

struct mq_own_stream {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq;                         /* the next */
    uint8_t previous[MQ_SEGMENT_ID_SIZE]; /* what it follows */
    int64_t unanchored;                   /* segments since the last receipt */
    struct mq_announce announce;
};
/* The open one; a new one where there is none. MQ_DAMAGED. */
MQ_MUST_USE enum mq_status mq_own_stream(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                         struct mq_own_stream *out, struct mq_error *error);

/* Stores a segment that was just sealed, and moves the stream on, within the caller's transaction; `number` gets its
 * row's. */
MQ_MUST_USE enum mq_status mq_own_segment_put(struct mq_replica *replica, const struct mq_segment *segment,
                                              uint8_t links, bool carry, struct mq_span bytes, int64_t *number,
                                              struct mq_error *error);
/* Outside the store, so that a store set back to before this segment is noticed. */
MQ_MUST_USE enum mq_status mq_own_witness(struct mq_replica *replica, const struct mq_own_stream *stream,
                                          struct mq_error *error);

/* What a segment of this stream is sealed with, but for key or commitment and flags. The caller wipes the seed. */
void mq_own_context(struct mq_replica *replica, const struct mq_own_stream *stream, const struct mq_grant *grant,
                    struct mq_seal_context *out);

#endif
