/* Frames: type 1, length 3, payload. The same frames travel in requests, replies and bundles (docs/protocol.md,
 * section 4). */
#ifndef MQ_PROTOCOL_FRAME_H
#define MQ_PROTOCOL_FRAME_H

#include "protocol/hash.h"

enum mq_frame_type {
    MQ_FRAME_SEGMENT = 0x01,
    MQ_FRAME_SKELETON = 0x02,
    MQ_FRAME_ANNOUNCE = 0x03,
    MQ_FRAME_GRANT = 0x04,
    MQ_FRAME_WRAP = 0x05,        /* kid 8 of its grant, then the wrap 88 */
    MQ_FRAME_CONTROL = 0x06,     /* desk-signed, control.h */
    MQ_FRAME_CERTIFICATE = 0x08, /* of a desk */
    MQ_FRAME_WANT = 0x09,        /* stream 16 */
    MQ_FRAME_HAVE = 0x0A,        /* mailbox 16, then entries, exchange.h */
    MQ_FRAME_PART = 0x0B,        /* segment id 32, segment's size 3, offset 3, bytes */
    /* Segment id 32, offset 3: go on from there. Offset = size: I have it whole, pass over it in the log. */
    MQ_FRAME_WANT_PART = 0x0C,
    /* Compartment 4: its mailbox holds something for you that you did not ask for. */
    MQ_FRAME_ELSEWHERE = 0x0D,
    MQ_FRAME_ENROL = 0x10,       /* an enrolment request that waits for the desk */
    MQ_FRAME_ENROLLED = 0x11,    /* its id 16, then the sealed reply */
    MQ_FRAME_END = 0x7F          /* H("body", all bytes before this frame): in a bundle 32 bytes, in an exchange 8 */
};

struct mq_frame {
    uint8_t type; /* others than the above are skipped by length */
    struct mq_span payload;
};

#define MQ_WRAP_FRAME_SIZE (MQ_KID_SIZE + MQ_WRAP_SIZE)
#define MQ_PART_HEAD_SIZE (MQ_SEGMENT_ID_SIZE + 6)

/* Asserts payload.size <= MQ_FRAME_MAX; failure of the buffer is sticky as everywhere. */
void mq_frame_put(struct mq_buffer *out, enum mq_frame_type type, struct mq_span payload);
/* MQ_OK: a frame; MQ_NOT_FOUND: the input ends here, between frames; MQ_REFUSED: the input ends inside a frame (it was
 * cut), and the reader stays in front of it. */
MQ_MUST_USE enum mq_status mq_frame_next(struct mq_reader *reader, struct mq_frame *frame);

/* Bundles: 8 bytes "MINQING" and the version 1, frames, an end frame with the hash over everything before it. */
#define MQ_BUNDLE_HEAD_SIZE 8
#define MQ_BUNDLE_END_SIZE (MQ_FRAME_HEADER_SIZE + MQ_HASH_SIZE)
/* The buffer must be empty at the beginning and hold the whole bundle at the end. */
void mq_bundle_begin(struct mq_buffer *out);
void mq_bundle_end(struct mq_buffer *out);
/* Checks head, end and hash, then gives the frames between, borrowed from `file`. MQ_REFUSED: no bundle; MQ_DAMAGED:
 * cut or changed on the way. */
MQ_MUST_USE enum mq_status mq_bundle_open(struct mq_span *frames, struct mq_span file);

#endif
