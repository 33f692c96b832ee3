/* One exchange while it is worked on: what relay.c, relay_take.c and relay_reply.c hand to each other. */
#ifndef MQ_SERVER_RELAY_RELAY_WORK_H
#define MQ_SERVER_RELAY_RELAY_WORK_H

#include "server/relay/relay.h"

struct mq_want_part {
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    uint32_t offset;
};

struct mq_relay_work {
    struct mq_relay *relay;
    struct mq_error *error;
    int32_t day;
    bool news;

    struct mq_request request;
    struct mq_span frames; /* what follows the head; the last may be cut */
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t desk_count;
    size_t certificates_tried, lists_tried, controls_tried; /* signatures verified so far, for whoever asks */

    bool stranger;
    struct mq_access access; /* what the token may do */
    uint8_t team[MQ_ID_SIZE];
    uint8_t mailboxes[MQ_COMPARTMENTS_MAX][MQ_ID_SIZE]; /* of that team: the only ones that are read from */
    uint64_t revoked_bytes;                             /* what a revoked token's key has stored already */

    uint8_t streams[MQ_STREAMS_MAX][MQ_ID_SIZE]; /* of the token's key, the newest first */
    size_t stream_count;
    uint8_t wants[MQ_STREAMS_MAX][MQ_ID_SIZE]; /* what the reply asks for */
    size_t want_count;
    struct mq_want_part want_parts[MQ_WANT_PARTS_MAX]; /* what the request asks for */
    size_t want_part_count;

    uint8_t segment[MQ_SEGMENT_MAX]; /* scratch */
};

static inline bool mq_work_may(const struct mq_relay_work *work, uint8_t right)
{
    return (work->access.rights & right) != 0;
}
bool mq_work_own_mailbox(const struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE]);
/* Signed by a desk that this relay knows, for the desk's own team? */
bool mq_work_control_good(const struct mq_relay_work *work, const struct mq_control *control);

/* relay_take.c: whatever a member may bring. A bad frame is passed over; an answer other than MQ_OK is the store's. */
MQ_MUST_USE enum mq_status mq_work_take_frames(struct mq_relay_work *work);
/* relay_reply.c: everything stored by now; frames within the budget. */
MQ_MUST_USE enum mq_status mq_work_answer(struct mq_relay_work *work, struct mq_buffer *reply);

#endif
