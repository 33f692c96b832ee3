/* The team's keys change: an epoch ends, or somebody's rights do; the past stays open to who has the newest key. Who is given it
 * stands in the desk's list, as server/desk/ keeps it. */
#include "platform/db.h"
#include "replica/cases.h"
#include "replica/rotate.h"
#include "tests/sim/events.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

#define REVOKED 1 /* a row's state, as in server/desk/member_end.c */

enum mq_status sim_enlist(struct mq_replica *desk, const struct mq_certificate *certificate, bool revoked,
                          struct mq_error *error)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(bytes, certificate);
    return mq_db_run(mq_replica_db(desk), error,
                     "INSERT INTO member(sign_public, team, name, serial, certificate, token_hash, state, joined, reply, rights)"
                     " VALUES(?1, ?2, 'named', ?3, ?4, x'', ?5, 0, x'', ?6) ON CONFLICT(sign_public, team) DO UPDATE SET state = ?5",
                     "bbibii", MQ_SPAN(certificate->sign_public), MQ_SPAN(certificate->team), (int64_t)certificate->serial,
                     MQ_SPAN(bytes), (int64_t)(revoked ? REVOKED : 0), (int64_t)MQ_RIGHT_SENSITIVE);
}

static enum mq_status rotate(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_rotate(replica, context, error);
}

void sim_rotate(struct sim_fleet *fleet)
{
    struct sim_member *desk = sim_desk(fleet);
    struct mq_error error = {0};
    if (!sim_enter(desk))
        return;
    enum mq_status status = mq_replica_transact(desk->replica, rotate, &desk->team, &error);
    if (status == MQ_OK)
        sim_happened(fleet, SIM_ROTATED);
    fleet->rotated = true; /* perhaps, where it failed */
    sim_tell(fleet->story, "the desk makes new keys%s%s", status == MQ_OK ? "" : ": ", error.text);
    sim_leave(desk, status);
}
