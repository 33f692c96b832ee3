/* One exchange while it is worked on: what relay.c, relay_take.c and relay_reply.c hand to each other. */
#ifndef MQ_SERVER_RELAY_RELAY_WORK_H
#define MQ_SERVER_RELAY_RELAY_WORK_H

#include "protocol/grant.h"
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
    bool whole;            /* all of it came, as it was sent */
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t desk_count, desks_known; /* behind the count those who are silenced */
    struct mq_silenced {
        uint8_t team[MQ_ID_SIZE], key_name[MQ_KID_SIZE];
    } silenced[MQ_DESKS_MAX]; /* keys of desks that were revoked */
    size_t silenced_count;
    size_t certificates_tried, lists_tried, controls_tried; /* signatures verified so far, for whoever asks */

    bool stranger;
    struct mq_access access; /* what the token may do */
    uint8_t team[MQ_ID_SIZE];
    uint8_t mailboxes[MQ_COMPARTMENTS_MAX][MQ_ID_SIZE]; /* of that team's common compartments */
    uint32_t cases[MQ_OWN_CASES_MAX];                   /* of the token's own key */
    size_t case_count;
    uint64_t revoked_bytes;                             /* what a revoked token's key has stored already */

    uint8_t streams[MQ_STREAMS_MAX][MQ_ID_SIZE]; /* of the token's key, the newest first */
    size_t stream_count;
    uint8_t wants[MQ_STREAMS_MAX][MQ_ID_SIZE]; /* what the reply asks for */
    size_t want_count;
    struct mq_want_part want_parts[MQ_WANT_PARTS_MAX]; /* what the request asks for */
    size_t want_part_count;

    struct mq_elsewhere {
        uint32_t compartment;
        uint64_t last; /* number of its log's newest item */
    } elsewhere[MQ_CASES_MAX]; /* what holds something for the token and was not asked for */
    size_t elsewhere_count;
    struct mq_logged {
        uint8_t kind, subject[MQ_ID_SIZE];
        uint64_t number;
    } logged[MQ_LOGGED_MAX]; /* the newest of the control objects that lie in the team's log */
    size_t logged_count;
    bool forked[MQ_MAILBOXES_MAX]; /* of the request's streams: not everything up to its head is the asker's */

    uint8_t segment[MQ_SEGMENT_MAX]; /* scratch */
};

static inline bool mq_work_may(const struct mq_relay_work *work, uint8_t right)
{
    return (work->access.rights & right) != 0;
}
/* relay_rights.c: which compartment of the token's team a mailbox is. MQ_REFUSED: another team's; MQ_NOT_FOUND: nothing
 * lies there, so it is nobody's yet. Whoever is of the team may write there, and be told how far his own streams have
 * come. */
MQ_MUST_USE enum mq_status mq_work_place(struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE],
                                         uint32_t *compartment);
/* May the token have what lies there? */
bool mq_work_reads(const struct mq_relay_work *work, uint32_t compartment);
/* Both at once; *reads is false for mailboxes of others. */
MQ_MUST_USE enum mq_status mq_work_reads_mailbox(struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE],
                                                 bool *reads);
/* Finds the cases of the token's key, once its streams are known. */
MQ_MUST_USE enum mq_status mq_work_own_cases(struct mq_relay_work *work);
/* Fills work->elsewhere. */
MQ_MUST_USE enum mq_status mq_work_elsewhere(struct mq_relay_work *work);
/* Is it the key of a desk of this team that was revoked? What it says is told to nobody. */
bool mq_work_silenced(const struct mq_relay_work *work, const uint8_t team[MQ_ID_SIZE], const uint8_t key_name[MQ_KID_SIZE]);
/* Does it name a county desk of its team as the one who said it? A township's desk may say receipts only. */
bool mq_work_is_countys_word(const struct mq_relay_work *work, const struct mq_control *control);
/* Is the token a desk's, a county's or a township's? */
bool mq_work_is_desk(const struct mq_relay_work *work);
/* A desk is told what a member is, and the receipts that it signed itself, so that one which was set back sees how far it
 * had come; the county's all but the receipts of others. */
bool mq_work_desk_hears(const struct mq_relay_work *work, const struct mq_control *control);
/* A grant lies where those look who need it: of the common compartments with the whole team, since anybody may write
 * there; of a case with the case. Its wraps lie in the compartment itself. */
void mq_work_grant_mailbox(uint8_t out[MQ_ID_SIZE], const struct mq_grant *grant);
/* Signed by a desk that this relay knows, for the desk's own team? */
bool mq_work_control_good(const struct mq_relay_work *work, const struct mq_control *control);

/* relay_take.c: whatever a member may bring. A bad frame is passed over; an answer other than MQ_OK is the store's. */
MQ_MUST_USE enum mq_status mq_work_take_frames(struct mq_relay_work *work);
/* relay_reply.c: everything stored by now; frames within the budget. */
MQ_MUST_USE enum mq_status mq_work_answer(struct mq_relay_work *work, struct mq_buffer *reply);

#endif
