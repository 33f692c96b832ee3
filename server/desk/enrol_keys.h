/* The desk's side of joining: invitations, requests, members, and whose tokens the relay takes (docs/protocol.md,
 * section 1). */
#ifndef MQ_SERVER_DESK_ENROL_KEYS_H
#define MQ_SERVER_DESK_ENROL_KEYS_H

#include "protocol/enrol_keys.h"
#include "server/desk/desk_keys.h"

#define MQ_CADRE_DAYS 1095 /* a certificate's life; expiry stops tokens, never records */

/* A fresh invitation to a team, stored before it is handed out. The caller has set url, pin and expiry day; root, desk
 * certificate and secret are filled in. MQ_REFUSED: the team is full. */
MQ_MUST_USE enum mq_status mq_invitation_make(struct mq_desk *desk, const struct mq_team *team,
                                              struct mq_invitation *invitation, struct mq_error *error);
/* Voids every invitation that nobody has used: after a restore nobody knows which secrets are spent. */
MQ_MUST_USE enum mq_status mq_invitations_void(struct mq_desk *desk, struct mq_error *error);

/* A request that came through the relay: judged, and the answer laid into the outbox. Within a transaction. An error is
 * the machine's; a bad request gets a refusal. */
MQ_MUST_USE enum mq_status mq_enrol_take(struct mq_desk *desk, struct mq_span request, struct mq_error *error);
/* The same for one that came in a file: `reply` (MQ_ENROL_MAX) gets the sealed reply. MQ_REFUSED, in words. */
MQ_MUST_USE enum mq_status mq_enrol_admit(struct mq_desk *desk, struct mq_span request, struct mq_buffer *reply,
                                          struct mq_error *error);

/* Signs the team's access list anew, from its members and the desk itself, into the outbox. Within a transaction. */
MQ_MUST_USE enum mq_status mq_access_update(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error);

#endif
