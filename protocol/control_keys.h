/* Signing control objects: for desks. */
#ifndef MQ_PROTOCOL_CONTROL_KEYS_H
#define MQ_PROTOCOL_CONTROL_KEYS_H

#include "protocol/control.h"
#include "protocol/keys.h"

/* Writes head, body and signature; `control` gives everything but issuer, signature and bytes. Asserts kind > 0 and the
 * body's limit. MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_control_sign(struct mq_buffer *out, const struct mq_control *control,
                                           const struct mq_identity *desk);

#endif
