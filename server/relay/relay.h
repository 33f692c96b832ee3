/* The relay: stores and forwards sealed segments, and can open none. A service without sockets: request bytes in, reply
 * bytes out (docs/protocol.md, section 4). */
#ifndef MQ_SERVER_RELAY_RELAY_H
#define MQ_SERVER_RELAY_RELAY_H

#include "server/relay/store.h"

struct mq_relay {
    const struct mq_platform *platform;
    struct mq_store *store;              /* borrowed */
    uint8_t root_public[MQ_PUBLIC_SIZE]; /* pinned: whose desks count */
    bool news;                           /* set when something came that a desk will want; the caller clears it */
    int32_t expired_day;                 /* the relay's own: when it last dropped what waited too long; starts as 0 */
};

/* One exchange. `reply` must be empty and hold MQ_REPLY_MAX. MQ_REFUSED: the request is malformed (HTTP 400);
 * MQ_NO_SPACE: the disk is full (507); MQ_FAULT, MQ_DAMAGED (500). Only with MQ_OK is there a reply, and what it calls
 * stored is on disk. A segment that does not verify is not stored and does not stop the others; of a request cut at
 * any byte behind its head, or changed, every whole frame counts that verifies, and then it is MQ_REFUSED. */
MQ_MUST_USE enum mq_status mq_relay_exchange(struct mq_relay *relay, struct mq_span request, struct mq_buffer *reply,
                                             struct mq_error *error);
/* A device's enrolment request; asked again until the desk has answered. `reply` must hold MQ_ENROL_MAX. MQ_WAITING:
 * not yet (HTTP 202). MQ_REFUSED: too long or too short for a request (400). */
MQ_MUST_USE enum mq_status mq_relay_enrol(struct mq_relay *relay, struct mq_span request, struct mq_buffer *reply,
                                          struct mq_error *error);

#endif
