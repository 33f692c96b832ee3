/* A segment from outside: what everybody, a relay too, can read of it and verify (docs/protocol.md, section 2). */
#ifndef MQ_PROTOCOL_SEGMENT_H
#define MQ_PROTOCOL_SEGMENT_H

#include "protocol/certificate.h"

#define MQ_SEGMENT_MAGIC 0xA7
#define MQ_SEGMENT_FLAG_CONTROL 1u  /* bit 0: a desk's control stream */
#define MQ_SEGMENT_FLAG_WRITE_ONLY 2u /* bit 1: sealed to a compartment's commitment; body begins with the sealed S */

/* The clear header, and where the rest stands. Spans borrow from the segment's bytes. */
struct mq_segment {
    uint8_t flags;
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq; /* from 1 */
    uint8_t kid[MQ_KID_SIZE];
    uint8_t previous[MQ_SEGMENT_ID_SIZE]; /* id of seq - 1; for seq 1 the hash of the announce */
    uint32_t body_size;
    uint8_t header[MQ_SEGMENT_HEADER_SIZE]; /* as it stood */
    uint8_t body_hash[MQ_HASH_SIZE];
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    struct mq_span body; /* empty in a skeleton */
    uint8_t signature[MQ_SIGNATURE_SIZE];
};

/* Header, body, signature. MQ_REFUSED: magic, unknown flags, seq 0, lengths (the padded part must be Padmé, M15). */
MQ_MUST_USE enum mq_status mq_segment_decode(struct mq_segment *out, struct mq_span bytes);
/* Header, body hash, signature: 161 bytes, what stays of a segment whose body was erased. */
MQ_MUST_USE enum mq_status mq_skeleton_decode(struct mq_segment *out, struct mq_span bytes);
void mq_skeleton_encode(uint8_t out[MQ_SKELETON_SIZE], const struct mq_segment *segment);
/* Signature under the key of the announce's certificate, stream equal to the announce's, and for seq 1 `previous` equal
 * to the announce's hash. MQ_BAD_SIGNATURE, MQ_REFUSED. */
MQ_MUST_USE enum mq_status mq_segment_verify(const struct mq_segment *segment, const struct mq_announce *announce);
/* The header's 65 bytes; used by seal.c and by tests. */
void mq_segment_header_encode(uint8_t out[MQ_SEGMENT_HEADER_SIZE], uint8_t flags, const uint8_t stream[MQ_ID_SIZE],
                              uint32_t seq, const uint8_t kid[MQ_KID_SIZE], const uint8_t previous[MQ_SEGMENT_ID_SIZE],
                              uint32_t body_size);

/* The Padmé length of n bytes, at least MQ_PLAIN_MIN (Nikitin et al., PETS 2019). */
size_t mq_padme(size_t n);

#endif
