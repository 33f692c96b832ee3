/* Segments whose body was erased on devices, on their way back to a county's desk that lost them (docs/protocol.md,
 * section 8). Before a device drops a body it locks the segment for the county's desk, in pieces, each a sealed box that
 * nobody else opens, the device itself least of all. A piece travels as a change of type MQ_CHANGE_RETURN,
 * [17, segment id, the segment's size, offset, sealed piece]. */
#ifndef MQ_PROTOCOL_RETURNED_H
#define MQ_PROTOCOL_RETURNED_H

#include "protocol/change.h"

struct mq_returned {
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    uint32_t size, offset;  /* of the whole segment; of this piece in it */
    struct mq_span sealed;  /* borrowed */
};

/* Locks `piece` bytes of a segment, from `offset` on. The ephemeral key comes from the segment, so no
 * fresh chance is needed, and whoever has the segment no more can neither make nor open them. MQ_REFUSED: nothing can be sealed to
 * `box_public`. */
MQ_MUST_USE enum mq_status mq_returned_seal(struct mq_buffer *out, struct mq_span segment, uint32_t offset, uint32_t piece,
                                            const uint8_t box_public[MQ_PUBLIC_SIZE]);
/* How much of the segment's rest is in the piece at `offset`. */
uint32_t mq_returned_piece(uint32_t size, uint32_t offset);

/* The change, expanded. It always fits into one. */
void mq_returned_put(struct mq_buffer *out, const struct mq_returned *returned);
/* MQ_REFUSED: no such change, no size that a segment can have, or no piece of it as they are cut. */
MQ_MUST_USE enum mq_status mq_returned_get(struct mq_returned *out, struct mq_span expanded);

#endif
