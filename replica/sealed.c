/* One change, one segment, sealed to a commitment. */
#include "replica/sealed.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "protocol/compress.h"
#include "replica/matter.h"
#include "replica/stream_keys.h"

struct sealed_work {
    uint8_t payload_memory[MQ_BATCH_MAX], again_memory[MQ_BATCH_MAX], segment_memory[MQ_SEGMENT_MAX];
    struct mq_buffer payload, segment_bytes;
    struct mq_payload_head head;
    struct mq_batch_change change;
    struct mq_own_stream stream;
    struct mq_grant grant;
    struct mq_segment segment;
};

/* A batch of one. Without a frontier: what this device has seen is nobody's business there. */
static void payload_make(struct mq_replica *replica, struct sealed_work *work, struct mq_span expanded)
{
    const struct mq_platform *platform = replica->platform;
    work->head.schema = MQ_SCHEMA;
    work->head.clock =
        (struct mq_clock){.boot = (uint32_t)platform->boot(platform->self),
                          .monotonic_seconds = (uint64_t)(platform->monotonic_ms(platform->self) / 1000),
                          .wall_seconds = mq_now(platform),
                          .offset_known = true,
                          .utc_offset = platform->utc_offset(platform->self)};
    mq_random(platform, work->head.salt, sizeof work->head.salt);
    work->change.expanded = expanded;
    mq_change_id(work->change.id, work->head.salt, 0, expanded);
    enum mq_status status = mq_payload_encode(&work->payload, &work->head, &work->change, 1);
    MQ_ASSERT(status == MQ_OK); /* a change is smaller than a batch may be */
}

/* As outgoing.c does; by the seed, since the key is not here. There is no other copy: what does not open must not
 * stand for the matter. */
static enum mq_status read_back(struct mq_replica *replica, struct sealed_work *work,
                                const struct mq_seal_context *context, struct mq_error *error)
{
    struct mq_opened opened;
    struct mq_buffer again = mq_buffer(work->again_memory, sizeof work->again_memory);
    enum mq_status status = mq_segment_decode(&work->segment, mq_written(&work->segment_bytes));
    if (status == MQ_OK)
        status = mq_segment_verify(&work->segment, &work->stream.announce);
    if (status == MQ_OK)
        status = mq_open(&opened, &work->segment, context, mq_work_space(replica));
    const struct mq_prefix prefix = {.prose = status == MQ_OK ? opened.prose : 0};
    if (status == MQ_OK)
        status = mq_inflate(&again, &opened, &prefix, mq_work_space(replica));
    if (status != MQ_OK || !mq_span_equal(mq_written(&again), mq_written(&work->payload)))
        return mq_fail(error, MQ_FAULT, _("sealing went wrong and was undone; nothing was saved, write it down again"));
    return MQ_OK;
}

static enum mq_status seal(struct mq_replica *replica, struct sealed_work *work, struct mq_error *error)
{
    struct mq_seal_context context;
    const struct mq_prefix prefix = {.prose = MQ_PROSE_WRITTEN};
    mq_own_context(replica, &work->stream, &work->grant, &context);
    context.flags = MQ_SEGMENT_FLAG_WRITE_ONLY;
    context.commitment = work->grant.commitment;
    enum mq_status status =
        mq_seal(&work->segment_bytes, &context, mq_written(&work->payload), &prefix, mq_work_space(replica));
    if (status == MQ_OK)
        status = read_back(replica, work, &context, error);
    else
        status = mq_fail(error, MQ_FAULT, _("sealing went wrong and was undone; nothing was saved, write it down again"));
    mq_wipe(&context, sizeof context);
    mq_wipe(mq_work_space(replica), mq_seal_space_size());
    return status;
}

static enum mq_status put(struct mq_replica *replica, const struct mq_team *team, struct sealed_work *work,
                          uint32_t compartment, const uint8_t *record, struct mq_error *error)
{
    struct mq_change change;
    uint8_t names_memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(names_memory, sizeof names_memory);
    int64_t number;
    if (record == NULL) /* a create: the record is its own */
        record = work->change.id;
    enum mq_status status = mq_change_decode(&change, work->change.expanded, &names);
    MQ_ASSERT(status == MQ_OK); /* mq_route has taken it apart */
    /* It travels as carried: of a mailbox that is not read, no head is asked for. */
    status = mq_own_segment_put(replica, &work->segment, 0, true, mq_written(&work->segment_bytes), &number, error);
    if (status == MQ_OK && mq_compartment_restricted(compartment))
        status = mq_matter_put(replica, team->team, mq_compartment_case(team->certificate.serial), number, record, &change,
                               error);
    else if (status == MQ_OK) /* of a sensitive field the record is here: a row, so that it is not called safer than this piece */
        status = mq_db_run(replica->db, error, "INSERT INTO piece VALUES(?, ?)", "ib", number, mq_span(record, MQ_ID_SIZE));
    /* Before the commit: a witness that is ahead costs a new stream, one that is behind would miss a store set back. */
    return status == MQ_OK ? mq_own_witness(replica, &work->stream, error) : status;
}

enum mq_status mq_seal_now(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                           struct mq_span expanded, const uint8_t *record, uint8_t id[MQ_ID_SIZE],
                           struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    MQ_ASSERT(mq_db_in_transaction(replica->db));
    struct sealed_work *work = mq_work_memory(sizeof *work);
    memset(work, 0, sizeof *work);
    work->payload = mq_buffer(work->payload_memory, sizeof work->payload_memory);
    work->segment_bytes = mq_buffer(work->segment_memory, sizeof work->segment_memory);
    mq_mailbox(mailbox, team->team, compartment);
    enum mq_status status = mq_grant_newest(replica, mailbox, &work->grant, error);
    if (status == MQ_NOT_FOUND)
        status = mq_fail(error, MQ_REFUSED,
                         _("this is only for the county to read, and this device does not know yet how to seal it. Nothing was "
                           "saved: sync once, then write it down again; what cannot wait, say by phone"));
    if (status == MQ_OK)
        status = mq_own_stream(replica, team, compartment, &work->stream, error);
    if (status == MQ_OK) {
        payload_make(replica, work, expanded);
        status = seal(replica, work, error);
    }
    if (status == MQ_OK)
        status = put(replica, team, work, compartment, record, error);
    if (status == MQ_OK)
        memcpy(id, work->change.id, MQ_ID_SIZE);
    mq_work_free(work, sizeof *work);
    return status;
}
