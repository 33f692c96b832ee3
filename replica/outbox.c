/* Frames that wait for the server. */
#include "replica/outbox.h"

#include "replica/replica_keys.h"

enum mq_status mq_outbox_put(struct mq_replica *replica, enum mq_frame_type type, struct mq_span slot,
                             struct mq_span bytes, struct mq_error *error)
{
    if (slot.size > 0) {
        enum mq_status status = mq_db_run(replica->db, error, "DELETE FROM outbox WHERE slot = ?", "b", slot);
        if (status != MQ_OK)
            return status;
        return mq_db_run(replica->db, error, "INSERT INTO outbox(frame, slot, bytes) VALUES(?, ?, ?)", "ibb",
                         (int64_t)type, slot, bytes);
    }
    return mq_db_run(replica->db, error, "INSERT INTO outbox(frame, bytes) VALUES(?, ?)", "ib", (int64_t)type, bytes);
}

enum mq_status mq_control_number(struct mq_replica *replica, uint64_t *out, struct mq_error *error)
{
    int64_t last, stored;
    uint8_t self[MQ_KID_SIZE];
    mq_key_name(self, replica->identity->sign_public);
    enum mq_status status = mq_setting_number(replica, "control_number", &last, error);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &stored, error,
                              "SELECT coalesce(max(number), 0) FROM control WHERE owner = zeroblob(8)"
                              " OR (owner = ? AND number < ?)", "bi", MQ_SPAN(self), MQ_CONTROL_NUMBER_SANE);
    if (status != MQ_OK)
        return status;
    if (last == INT64_MAX || stored == INT64_MAX)
        return mq_fail(error, MQ_REFUSED, _("somebody else speaks with this desk's key; the root must begin a new desk"));
    int64_t next = mq_now(replica->platform) * 1000;
    if (next <= last)
        next = last + 1;
    if (next <= stored)
        next = stored + 1;
    *out = (uint64_t)next;
    return mq_setting_put_number(replica, "control_number", next, error);
}
