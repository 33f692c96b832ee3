/* zstd's one door: single frames, magic-less, with checksum, behind a raw prefix (docs/protocol.md, section 2). */
#ifndef MQ_PROTOCOL_COMPRESS_H
#define MQ_PROTOCOL_COMPRESS_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/status.h"

/* Appends the compressed frame to `out`. MQ_NO_SPACE: does not fit (the caller then stores it uncompressed);
 * MQ_FAULT: no memory. zstd allocates and frees its own working memory within the call (at most about 4 MiB). */
MQ_MUST_USE enum mq_status mq_compress(struct mq_buffer *out, struct mq_span raw, struct mq_span prefix);
/* Appends exactly `raw_size` bytes. MQ_REFUSED where the frame is not exactly that: another frame descriptor than ours
 * (a checksum, no content size, no dictionary id), window over MQ_ZSTD_WINDOW_LOG_MAX, other length or over
 * MQ_PAYLOAD_MAX, trailing bytes, wrong checksum (a wrong prefix). MQ_NO_SPACE; MQ_FAULT: no memory. */
MQ_MUST_USE enum mq_status mq_decompress(struct mq_buffer *out, size_t raw_size, struct mq_span packed,
                                         struct mq_span prefix);

/* Shipped prose number n: raw bytes inside the program; an empty span where unknown. A text once shipped never changes:
 * a test compares H_32("pt", text) with the hash below. */
struct mq_span mq_prose(uint8_t number);
#define MQ_PROSE_WRITTEN 1 /* the one that writers use */
#define MQ_PROSE_1_HASH "affa74bb6c284302d76c6ef02e81ab6144d6ca5dfcc07615f96cebb32681c572"

#endif
