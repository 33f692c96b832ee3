/* Revocations: which segments of a revoked certificate count (docs/protocol.md, section 3). The body of a control object
 * that a county's desk signs; its subject is the front of the certificate's hash. */
#ifndef MQ_PROTOCOL_REVOCATION_H
#define MQ_PROTOCOL_REVOCATION_H

#include "protocol/control.h"

/* This segment of the stream, and all that it follows, was merged when the certificate was revoked. A stream that was
 * written by two copies has several cuts, one that is not named has none: nothing of it counts. */
struct mq_cut {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq;
    uint8_t id[MQ_SEGMENT_ID_SIZE];
};
#define MQ_CUT_SIZE (MQ_ID_SIZE + 4 + MQ_SEGMENT_ID_SIZE)

struct mq_revocation {
    uint8_t certificate[MQ_HASH_SIZE];
    size_t cut_count, adopted_count;
    struct mq_span cuts;    /* MQ_CUT_SIZE each, rising; borrowed */
    struct mq_span adopted; /* ids of segments, rising; each counts, though no cut covers it; borrowed */
};

void mq_cut_put(struct mq_buffer *out, const struct mq_cut *cut);
/* The i-th of a revocation's cuts. */
void mq_cut_get(struct mq_cut *out, const struct mq_revocation *revocation, size_t i);
void mq_revocation_subject(uint8_t out[MQ_ID_SIZE], const uint8_t certificate[MQ_HASH_SIZE]);
/* Asserts the counts. */
void mq_revocation_put(struct mq_buffer *out, const struct mq_revocation *revocation);
/* From an object that mq_control_verify has let pass. MQ_REFUSED: another kind, a subject that is not the
 * certificate's, lengths, counts over the limits, or lists that do not rise. */
MQ_MUST_USE enum mq_status mq_revocation_get(struct mq_revocation *out, const struct mq_control *control);

#endif
