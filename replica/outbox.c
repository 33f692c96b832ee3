/* Frames that wait for the server, and whether the list of what is held here does. */
#include "replica/outbox.h"

#include <string.h>

#include "platform/hex.h"
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

/* ---- the list of what is held here ---- */

#define HAVE_SLOT "have_owed:"
#define HAVE_SLOT_SIZE (sizeof HAVE_SLOT + 2 * MQ_ID_SIZE)

static void have_slot(char out[HAVE_SLOT_SIZE], const uint8_t team[MQ_ID_SIZE])
{
    memcpy(out, HAVE_SLOT, sizeof HAVE_SLOT);
    mq_hex_write(out + sizeof HAVE_SLOT - 1, mq_span(team, MQ_ID_SIZE));
}

enum mq_status mq_have_list_owe(struct mq_replica *replica, struct mq_error *error)
{
    return mq_db_run(replica->db, error, "INSERT OR REPLACE INTO setting SELECT '" HAVE_SLOT "' || lower(hex(team)), ? FROM team",
                     "i", (int64_t)MQ_HAVE_OWED);
}

enum mq_status mq_have_list_owed(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], int64_t *owed, struct mq_error *error)
{
    char slot[HAVE_SLOT_SIZE];
    have_slot(slot, team);
    return mq_setting_number(replica, slot, owed, error);
}

enum mq_status mq_have_list_put(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], int64_t owed, struct mq_error *error)
{
    char slot[HAVE_SLOT_SIZE];
    have_slot(slot, team);
    return mq_setting_put_number(replica, slot, owed, error);
}

/* ---- numbers ---- */

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
