/* base64url without padding (RFC 4648, section 5), for what people copy by hand or by QR code. */
#ifndef MQ_PROTOCOL_BASE64URL_H
#define MQ_PROTOCOL_BASE64URL_H

#include "protocol/bytes.h"
#include "protocol/status.h"

/* Appends the text, 4 characters for 3 bytes, without a final NUL. Failure is the buffer's, sticky. */
void mq_base64url_put(struct mq_buffer *out, struct mq_span bytes);
/* Appends the bytes. MQ_REFUSED: another character, a length that no encoder makes, or bits left over that are not
 * zero, so that every text has one meaning and every meaning one text; MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_base64url_get(struct mq_buffer *out, struct mq_span text);

#endif
