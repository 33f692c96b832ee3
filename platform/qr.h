/* A text as a QR code that a terminal or a text file can show. */
#ifndef MQ_PLATFORM_QR_H
#define MQ_PLATFORM_QR_H

#include "platform/error.h"
#include "protocol/bytes.h"

enum mq_qr_ground {
    MQ_QR_ON_DARK, /* blocks are the light squares: a terminal with light writing on dark */
    MQ_QR_ON_LIGHT /* blocks are the dark squares: paper */
};

/* Writes UTF-8 half blocks, two rows of squares a line, a quiet zone of four around them, '\n' after each line.
 * MQ_QR_ROOM is enough for MQ_QR_TEXT_MAX bytes. Error correction M. MQ_REFUSED: empty, or longer than that;
 * MQ_NO_SPACE: the buffer. */
MQ_MUST_USE enum mq_status mq_qr_put(struct mq_buffer *out, struct mq_span text, enum mq_qr_ground ground,
                                     struct mq_error *error);

#endif
