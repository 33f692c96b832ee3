/* Whoever stole a township's key speaks beside its desk: he confirms what that never had, or says of something good that it cannot
 * be read, under numbers that nobody passes. Devices believe him until they hear that the county took the township's rights;
 * then nothing may stand that only he confirmed, and everything comes to the county after all. */
#include <string.h>

#include "platform/db.h"
#include "protocol/control_keys.h"
#include "replica/outbox.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"
#include "tests/sim/events.h"
#include "tests/sim/network.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

struct saying {
    uint8_t stream[MQ_ID_SIZE];
    struct mq_receipt receipt;
};

/* Of one of the device's streams: everything is merged, perhaps but for the first. */
static bool make_up(struct sim_member *device, struct saying *out)
{
    struct mq_query *query;
    struct mq_error error = {0};
    bool found = false;
    if (mq_seal_all(device->replica, &error) != MQ_OK ||
        mq_db_query(mq_replica_db(device->replica), &query, &error,
                    "SELECT last.stream, last.seq, last.id, first.id FROM segment AS last JOIN segment AS first USING(stream)"
                    " WHERE last.mine = 1 AND first.mine = 1 AND first.seq = 1 ORDER BY last.number DESC LIMIT 1 OFFSET ?",
                    "i", (int64_t)sim_choose(device->fleet->choices, 4)) != MQ_OK)
        return false;
    if (mq_db_next(&query, &error)) {
        found = true;
        *out = (struct saying){.receipt = {.head_seq = (uint32_t)mq_db_int(query, 1)}};
        memcpy(out->stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        memcpy(out->receipt.head_id, mq_db_blob(query, 2).data, MQ_SEGMENT_ID_SIZE);
        memcpy(out->receipt.excepted[0].id, mq_db_blob(query, 3).data, MQ_SEGMENT_ID_SIZE);
        out->receipt.excepted[0].reason = MQ_EXCEPTION_UNDECODABLE;
        out->receipt.excepted_count = sim_choose(device->fleet->choices, 3) == 2;
    }
    mq_db_done(&query);
    return found;
}

/* Through the township's own connection, which he has too. */
static enum mq_status say(struct sim_member *township, const struct saying *saying, struct mq_error *error)
{
    uint8_t body_memory[200], object_memory[400];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory),
                     object = mq_buffer(object_memory, sizeof object_memory);
    struct mq_control control = {.kind = MQ_CONTROL_RECEIPT};
    uint32_t great = sim_choose(township->fleet->choices, 3);
    memcpy(control.team, township->team.team, MQ_ID_SIZE);
    memcpy(control.subject, saying->stream, MQ_ID_SIZE);
    mq_receipt_put(&body, &saying->receipt);
    control.body = mq_written(&body);
    enum mq_status status = mq_control_number(township->replica, &control.number, error);
    if (great > 0)
        control.number = great == 1 ? MQ_CONTROL_NUMBER_SANE - 1 : INT64_MAX;
    if (status == MQ_OK)
        status = mq_control_sign(&object, &control, mq_replica_identity(township->replica));
    return status == MQ_OK
               ? mq_outbox_put(township->replica, MQ_FRAME_CONTROL, mq_span_text("thief"), mq_written(&object), error)
               : status;
}

void sim_thief(struct sim_fleet *fleet)
{
    struct sim_member *township = sim_some_desk(fleet), *device = sim_some_device(fleet);
    struct saying saying;
    struct mq_error error = {0};
    if (township == NULL || !sim_is_township(township) || township->revoked || device == NULL || device == township || !sim_enter(device))
        return;
    bool found = make_up(device, &saying);
    sim_leave(device, MQ_OK);
    if (!found || !sim_enter(township))
        return;
    township->stolen = true;
    sim_happened(fleet, SIM_THIEF);
    enum mq_status status = say(township, &saying, &error);
    sim_tell(fleet->story, "whoever stole the key of %s confirms a stream of %s up to number %u%s%s%s", township->name,
             device->name, saying.receipt.head_seq, saying.receipt.excepted_count > 0 ? ", but for the first" : "",
             status == MQ_OK ? "" : ": ", error.text);
    if (status == MQ_OK)
        status = sim_sync(township);
    sim_leave(township, status);
}
