/* Writing and reading bundles. */
#include "replica/bundle.h"

#include "protocol/control.h"
#include "replica/erase.h"
#include "replica/keyring_keys.h"
#include "replica/outgoing.h"

/* Frames in the order in which a reader needs them: each kind may be needed to verify the next. */
static const struct {
    enum mq_frame_type type;
    const char *sql;
} contents[] = {
    {MQ_FRAME_CERTIFICATE, "SELECT certificate FROM desk"},
    {MQ_FRAME_GRANT, "SELECT bytes FROM grants ORDER BY epoch"},
    {MQ_FRAME_ANNOUNCE,
     "SELECT announce FROM stream WHERE stream IN"
     " (SELECT stream FROM segment WHERE erased < 2 AND (carry = 1 OR (mine = 1 AND anchored = 0)))"},
    {MQ_FRAME_SEGMENT,
     "SELECT bytes FROM segment WHERE erased < 2 AND (carry = 1 OR (mine = 1 AND anchored = 0)) ORDER BY stream, seq"},
    {MQ_FRAME_CONTROL, "SELECT bytes FROM outbox WHERE frame = 6 ORDER BY number"},
    {MQ_FRAME_CONTROL, "SELECT bytes FROM control ORDER BY number"},
};

static enum mq_status put_all(struct mq_replica *replica, struct mq_buffer *out, int64_t *segments,
                              struct mq_error *error)
{
    *segments = 0;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct mq_query *query;
        enum mq_status status = mq_db_query(replica->db, &query, error, contents[i].sql, "");
        if (status != MQ_OK)
            return status;
        while (mq_db_next(&query, error)) {
            mq_frame_put(out, contents[i].type, mq_db_blob(query, 0));
            *segments += contents[i].type == MQ_FRAME_SEGMENT;
        }
        if (error->status != MQ_OK)
            return error->status;
    }
    return MQ_OK;
}

enum mq_status mq_bundle_write(struct mq_replica *replica, const char *path, int64_t *segments, struct mq_error *error)
{
    enum mq_status status = mq_seal_all(replica, error);
    if (status != MQ_OK)
        return status;
    uint8_t *memory = mq_work_memory(MQ_BUNDLE_MAX);
    struct mq_buffer out = mq_buffer(memory, MQ_BUNDLE_MAX);
    mq_bundle_begin(&out);
    status = put_all(replica, &out, segments, error);
    mq_bundle_end(&out);
    if (status == MQ_OK && out.failed)
        status = mq_fail(error, MQ_NO_SPACE,
                         _("there is more to carry than one file may hold (%d MiB); sync over the network first"),
                         MQ_BUNDLE_MAX >> 20);
    if (status == MQ_OK)
        status = replica->platform->write(replica->platform->self, path, mq_written(&out), error);
    mq_work_free(memory, out.size);
    return status;
}

struct read_work {
    struct mq_span frames;
    struct mq_admitted *result;
};

/* Said first, in whatever order it comes: a desk that was set back hands the keys that it finds in a bundle to all it knows of,
 * and has to have heard by then whom it revoked. */
static bool goes_first(const struct mq_frame *frame)
{
    struct mq_control control;
    return frame->type == MQ_FRAME_CERTIFICATE ||
           (frame->type == MQ_FRAME_CONTROL && mq_control_decode(&control, frame->payload) == MQ_OK &&
            control.kind == MQ_CONTROL_REVOCATION);
}

static enum mq_status read_some(struct mq_replica *replica, const struct read_work *work, bool first,
                                struct mq_error *error)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && mq_frame_next(&reader, &frame) == MQ_OK)
        if (goes_first(&frame) == first)
            status = mq_admit(replica, &frame, true, work->result, error);
    return status;
}

static enum mq_status read_frames(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct read_work *work = context;
    enum mq_status status = read_some(replica, work, true, error);
    if (status == MQ_OK)
        status = read_some(replica, work, false, error);
    if (status == MQ_OK)
        status = mq_admit_waiting(replica, work->result, error);
    return status == MQ_OK ? mq_erase_settle(replica, error) : status;
}

enum mq_status mq_bundle_take(struct mq_replica *replica, struct mq_span frames, struct mq_admitted *result,
                              struct mq_error *error)
{
    struct read_work work = {frames, result};
    enum mq_status status = mq_replica_transact(replica, read_frames, &work, error);
    if (status != MQ_OK)
        mq_chain_reset(&replica->chain);
    return status;
}

static enum mq_status read_file(struct mq_replica *replica, struct mq_span file, struct mq_admitted *result,
                                struct mq_error *error)
{
    struct mq_span frames;
    enum mq_status status = mq_bundle_open(&frames, file);
    if (status == MQ_REFUSED)
        return mq_fail(error, status, _("this file is no bundle; `bundle write FILE` makes one"));
    if (status != MQ_OK)
        return mq_fail(error, status,
                       _("this bundle was cut or changed on the way; nothing of it was taken. Copy it once more"));
    return mq_bundle_take(replica, frames, result, error);
}

enum mq_status mq_bundle_read(struct mq_replica *replica, const char *path, struct mq_admitted *result,
                              struct mq_error *error)
{
    *result = (struct mq_admitted){0};
    enum mq_status status =
        mq_seal_all(replica, error); /* what was written here was written without knowing what comes */
    if (status != MQ_OK)
        return status;
    uint8_t *memory = mq_work_memory(MQ_BUNDLE_MAX);
    struct mq_buffer file = mq_buffer(memory, MQ_BUNDLE_MAX);
    status = replica->platform->read(replica->platform->self, path, &file, error);
    if (status == MQ_OK)
        status = read_file(replica, mq_written(&file), result, error);
    mq_work_free(memory, file.size);
    return status;
}
