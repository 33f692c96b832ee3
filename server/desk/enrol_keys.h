/* The desk's side of joining: invitations, requests, members, and whose tokens the relay takes (docs/protocol.md,
 * section 1). */
#ifndef MQ_SERVER_DESK_ENROL_KEYS_H
#define MQ_SERVER_DESK_ENROL_KEYS_H

#include "protocol/enrol_keys.h"
#include "server/desk/desk_keys.h"

#define MQ_CADRE_DAYS 1095 /* a certificate's life; expiry stops tokens, never records */
#define MQ_DESK_DAYS 3650

/* A fresh invitation to a team, for a cadre's device or a township's desk, stored before it is handed out. The caller
 * has set url, pin and expiry day; `rights`: what he may read beside the team's (replica/cases.h); root, desk certificate
 * and secret are filled in. MQ_REFUSED: the team is full, or there are too many desks. */
MQ_MUST_USE enum mq_status mq_invitation_make(struct mq_desk *desk, const struct mq_team *team, enum mq_role role,
                                              unsigned rights,
                                              struct mq_invitation *invitation, struct mq_error *error);
/* Voids every invitation that nobody has used: after a restore nobody knows which secrets are spent. */
MQ_MUST_USE enum mq_status mq_invitations_void(struct mq_desk *desk, struct mq_error *error);

/* A request that came through the relay: judged, and the answer laid into the outbox. A township's desk is certified by
 * the root: where that key is not in DIR its request waits here, unanswered, for mq_enrol_admit_waiting. Within a
 * transaction. An error is the machine's; a bad request gets a refusal. */
MQ_MUST_USE enum mq_status mq_enrol_take(struct mq_desk *desk, struct mq_span request, struct mq_error *error);
/* The same for one that came in a file: `reply` (MQ_ENROL_MAX) gets the sealed reply. `root` is the file of the root's
 * key, NULL: root.key in DIR; it is read only for a township's desk. MQ_REFUSED, in words; what mq_root_of says. */
MQ_MUST_USE enum mq_status mq_enrol_admit(struct mq_desk *desk, struct mq_span request, const char *root,
                                          struct mq_buffer *reply, struct mq_error *error);
/* Answers the desks whose requests wait for the root's key; `*count` is how many. Within a transaction. */
MQ_MUST_USE enum mq_status mq_enrol_admit_waiting(struct mq_desk *desk, const char *root, int64_t *count,
                                                  struct mq_error *error);
MQ_MUST_USE enum mq_status mq_enrol_waiting(struct mq_desk *desk, int64_t *count, struct mq_error *error);

/* May the root certify one more desk for a team? MQ_REFUSED: readers and relays take no more than MQ_DESKS_MAX. */
MQ_MUST_USE enum mq_status mq_desk_certificate_room(struct mq_desk *desk, struct mq_error *error);
/* A certificate for a desk, signed by the root: known here, and on its way to the relay and the team's devices. Within
 * a transaction. */
MQ_MUST_USE enum mq_status mq_desk_certify(struct mq_desk *desk, struct mq_certificate *certificate,
                                           const struct mq_identity *root, struct mq_error *error);

/* Signs the team's access list anew, from its members and the desk itself, into the outbox. Within a transaction. */
MQ_MUST_USE enum mq_status mq_access_update(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error);

#endif
