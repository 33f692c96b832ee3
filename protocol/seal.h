/* Sealing a payload into a segment and opening it again (docs/protocol.md, section 2):
 * compress with prose and links -> pad -> encrypt -> chain -> sign. */
#ifndef MQ_PROTOCOL_SEAL_H
#define MQ_PROTOCOL_SEAL_H

#include "protocol/keys.h"
#include "protocol/segment.h"

/* Everything that binds a segment to its place and its readers. Opening looks at key, grant_hash and certificate_hash
 * only: the place stands in the segment's own header, which the encryption covers. */
struct mq_seal_context {
    uint8_t flags;
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq;
    uint8_t kid[MQ_KID_SIZE];
    uint8_t previous[MQ_SEGMENT_ID_SIZE];
    uint8_t grant_hash[MQ_HASH_SIZE];
    uint8_t certificate_hash[MQ_HASH_SIZE]; /* the writer's */
    const struct mq_secret *key;            /* of the epoch; sealing write-only: unused */
    const uint8_t *commitment;              /* write-only, at the writer: the 32 bytes to seal S to; otherwise NULL */
    const struct mq_identity *writer;       /* sealing only */
    uint8_t seed[64];                       /* at the writer: 64 fresh random bytes; H_32("seed", seed, index u8) gives
                                               0 random32, 1 S, 2 the seed of the pair that seals S. Wipe after use */
};

/* What comes before a payload as zstd prefix. */
struct mq_prefix {
    uint8_t prose;       /* 0: none; 1: the first shipped prose */
    uint8_t links;       /* number of preceding payloads in `linked` */
    struct mq_span linked; /* the last MQ_LINK_WINDOW bytes at most of those payloads, oldest first */
};

/* Memory that sealing and opening work in; the caller owns it, one at a time, and wipes it after use. About 400 KiB. */
struct mq_seal_space;
size_t mq_seal_space_size(void);

/* Writes a whole segment (at most MQ_SEGMENT_MAX bytes). Asserts payload.size <= MQ_BATCH_MAX, links <= MQ_LINKS_MAX
 * (none in write-only segments) and a known prose. A payload that compression does not make shorter after padding is
 * stored, and then names neither prose nor links. MQ_NO_SPACE where `out` is too small; MQ_FAULT: no memory for
 * compression; MQ_REFUSED: nothing can be sealed to this commitment. */
MQ_MUST_USE enum mq_status mq_seal(struct mq_buffer *out, const struct mq_seal_context *context, struct mq_span payload,
                                   const struct mq_prefix *prefix, struct mq_seal_space *space);

/* First step of opening: decrypt and unpad, so that prose and links are known. `segment` is already verified.
 * For write-only segments `key` in the context is the compartment's epoch key, from which the box pair is derived; or,
 * where there is none (NULL), the writer reads back what he has just sealed, by the same seed, and sees that S in front
 * is sealed to his commitment.
 * MQ_BAD_SIGNATURE: does not decrypt under this key, grant and certificate; MQ_REFUSED: padding or head is not
 * canonical, or the body is gone. `opened` borrows from `space`; mq_inflate() leaves that in place. */
struct mq_opened {
    uint8_t compression, prose, links;
    uint32_t raw_size;
    struct mq_span packed;
};
MQ_MUST_USE enum mq_status mq_open(struct mq_opened *opened, const struct mq_segment *segment,
                                   const struct mq_seal_context *context, struct mq_seal_space *space);
/* Second step: inflate, with the same prefix as at sealing (of a stored payload it is not looked at). Appends exactly
 * raw_size bytes. MQ_REFUSED: prose unknown, prose or links not those of `opened`, wrong prefix, damaged or trailing
 * bytes; never writes wrong text (zstd's checksum is demanded). MQ_NO_SPACE; MQ_FAULT: no memory. */
MQ_MUST_USE enum mq_status mq_inflate(struct mq_buffer *payload, const struct mq_opened *opened,
                                      const struct mq_prefix *prefix, struct mq_seal_space *space);

#endif
