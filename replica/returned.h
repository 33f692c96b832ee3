/* Bodies that were erased here, and that a centre which was set back still needs for what stood beside (docs/protocol.md,
 * section 8). A device locks them for the county's desk before it drops them; it cannot open them any more. Where a server
 * turns out to have lost them, they come back as changes, and the desk puts the segments into the world again. */
#ifndef MQ_REPLICA_RETURNED_H
#define MQ_REPLICA_RETURNED_H

#include "protocol/returned.h"
#include "replica/admit.h"

/* ---- on a device; all but mq_returned_bring within a transaction of the caller ---- */

/* Before the body of a stored segment is dropped: locks it. At a county's desk nothing is kept: it could open it. */
MQ_MUST_USE enum mq_status mq_returned_lock(struct mq_replica *replica, int64_t segment, struct mq_error *error);
/* A server lacks something of this stream: what is locked of it is owed, unless this replica said it once; then it stands
 * in a segment of its own, which is brought like any other. */
MQ_MUST_USE enum mq_status mq_returned_owe(struct mq_replica *replica, struct mq_span stream, struct mq_error *error);
/* The server has this segment after all: somebody else was before us. That he says so is not enough: only the whole segment
 * proves that the desk could make use of it. */
MQ_MUST_USE enum mq_status mq_returned_seen(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE],
                                            struct mq_error *error);
/* Says what is owed to this team's centre, sealed and ready to be sent. `*any`: there was something. In a transaction of its
 * own. */
MQ_MUST_USE enum mq_status mq_returned_bring(struct mq_replica *replica, const struct mq_team *team, bool *any,
                                             struct mq_error *error);

/* ---- where it comes in, within a transaction of the caller ---- */

/* One piece, from the segment `carrier`; mq_returned_get has taken it. At a county's desk it is opened and waits for the
 * others of its segment; elsewhere it says nothing. */
MQ_MUST_USE enum mq_status mq_returned_take(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], int64_t carrier,
                                            struct mq_span expanded, struct mq_error *error);
/* After a run of frames: what is whole by now is admitted, and carried to the server for all others. */
MQ_MUST_USE enum mq_status mq_returned_settle(struct mq_replica *replica, struct mq_admitted *result,
                                              struct mq_error *error);

#endif
