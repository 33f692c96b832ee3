/* Revoked certificates (docs/protocol.md, section 3). Of what a revoked certificate wrote, segments count that a cut
 * covers, by `previous`, or that a person let in by name; the rest is kept in quarantine. The newest revocation decides,
 * whatever came first: segments that had been merged beyond a cut leave the view again. */
#ifndef MQ_REPLICA_REVOKE_H
#define MQ_REPLICA_REVOKE_H

#include "protocol/revocation.h"
#include "replica/admit.h"

/* Revokes a certificate of the team, at its county's desk: a cadre's, or a township desk's. The cuts are what this desk has
 * merged by now, and the signed revocation goes into the outbox. Everything open must be sealed (mq_seal_all) and what the
 * server has should have been merged. Within the caller's transaction. MQ_REFUSED, in words: it is revoked already, or
 * this replica may not say so. */
MQ_MUST_USE enum mq_status mq_revoke(struct mq_replica *replica, const struct mq_team *team,
                                     const struct mq_certificate *certificate, struct mq_error *error);
/* The same of a certificate that came to light after the rights of its key had been taken: nothing under it counts until a
 * person lets it in. */
MQ_MUST_USE enum mq_status mq_revoke_late(struct mq_replica *replica, const struct mq_team *team,
                                          const struct mq_certificate *certificate, struct mq_error *error);
/* Lets a segment in that waits beyond a cut, by its id: the same revocation, said again with one name more. At the county's
 * desk, within the caller's transaction; as for mq_revoke, everything open must be sealed. MQ_NOT_FOUND: no such segment;
 * MQ_REFUSED, in words: it does not wait for that. */
MQ_MUST_USE enum mq_status mq_adopt(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE],
                                    struct mq_error *error);

MQ_MUST_USE enum mq_status mq_revoked(struct mq_replica *replica, const struct mq_certificate *certificate,
                                      bool *revoked, struct mq_error *error);

/* For those who admit. */
enum mq_verdict {
    MQ_VERDICT_COUNTS,
    MQ_VERDICT_OPEN,  /* the chain from the cut down to it is not whole here: it waits */
    MQ_VERDICT_BEYOND
};
/* On a stored segment of the stream with this announce. What this replica wrote itself always counts here. */
MQ_MUST_USE enum mq_status mq_revoke_judge(struct mq_replica *replica, int64_t segment,
                                           const struct mq_announce *announce, enum mq_verdict *out,
                                           struct mq_error *error);
/* A verified object of the kind came: stored in its slot if it is newer, and applied. A county's desk that knows of more
 * cuts or names than the newest does says it again with all of them, so that none is lost in a restore. */
MQ_MUST_USE enum mq_status mq_revoke_take(struct mq_replica *replica, const struct mq_control *control,
                                          struct mq_admitted *result, struct mq_error *error);
/* The certificate of a desk came: where it was revoked before, what its key confirmed under another counts no longer. */
MQ_MUST_USE enum mq_status mq_revoke_meet(struct mq_replica *replica, const struct mq_certificate *desk,
                                          struct mq_error *error);
/* After an older program: drops what desks said that were revoked by now. Within the caller's transaction. */
MQ_MUST_USE enum mq_status mq_revoke_silence(struct mq_replica *replica, struct mq_error *error);
/* After a run of frames: makes the view anew where a revocation took something out of it. */
MQ_MUST_USE enum mq_status mq_revoke_settle(struct mq_replica *replica, struct mq_error *error);
/* Fills the derived tables from the stored objects. */
MQ_MUST_USE enum mq_status mq_revoke_reload(struct mq_replica *replica, struct mq_error *error);

#endif
