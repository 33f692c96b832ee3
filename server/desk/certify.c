/* Certificates of desks: the root signs them; relays and devices learn them from the outbox. */
#include "protocol/identity_keys.h"
#include "replica/outbox.h"
#include "server/desk/enrol_keys.h"

enum mq_status mq_desk_certificate_room(struct mq_desk *desk, struct mq_error *error)
{
    int64_t count;
    enum mq_status status =
        mq_db_number(mq_replica_db(desk->replica), &count, error, "SELECT count(*) FROM desk", "");

    if (status != MQ_OK || count < MQ_DESKS_MAX)
        return status;
    return mq_fail(error, MQ_REFUSED, _("this centre has certified %d desks already, one for each team, and takes no more"),
                   MQ_DESKS_MAX);
}

enum mq_status mq_desk_certify(struct mq_desk *desk, struct mq_certificate *certificate, const struct mq_identity *root,
                               struct mq_error *error)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];

    certificate->issued_day = mq_desk_today(desk);
    certificate->expiry_day = certificate->issued_day + MQ_DESK_DAYS;
    enum mq_status status = mq_desk_serial(desk, &certificate->serial, error);
    if (status != MQ_OK)
        return status;
    mq_certificate_sign(certificate, root);
    mq_certificate_encode(bytes, certificate);
    status = mq_desk_put(desk->replica, certificate, error);
    if (status == MQ_OK)
        status = mq_outbox_put(desk->replica, MQ_FRAME_CERTIFICATE, mq_span(NULL, 0), MQ_SPAN(bytes), error);
    return status;
}
