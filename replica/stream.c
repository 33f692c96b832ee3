/* One's own streams: opening them, moving them on. */
#include "replica/stream_keys.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/identity_keys.h"
#include "replica/keyring_keys.h"

/* Where chance repeats itself, what came before and when tell incarnations apart: a stream that was closed must not be opened
 * once more under its old name (docs/protocol.md, section 1). */
static void nonce_make(struct mq_replica *replica, struct mq_announce *announce)
{
    const struct mq_platform *platform = replica->platform;
    uint8_t chance[MQ_KEY_SIZE], memory[2 * sizeof(uint64_t)];
    struct mq_buffer moment = mq_buffer(memory, sizeof memory);
    mq_random(platform, chance, sizeof chance);
    mq_put_u64(&moment, (uint64_t)mq_now(platform));
    mq_put_u64(&moment, platform->boot(platform->self));
    const struct mq_span parts[] = {MQ_SPAN(chance), MQ_SPAN(announce->previous_stream), MQ_SPAN(announce->previous_id),
                                    mq_written(&moment)};
    mq_hash(announce->nonce, sizeof announce->nonce, MQ_DOMAIN_SEED, parts, sizeof parts / sizeof *parts);
}

/* The last own stream of the mailbox, closed or not, goes into the announce of the next one. */
static enum mq_status stream_open(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                  struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, team->team, compartment);
    struct mq_announce announce = {.certificate = team->certificate, .compartment = compartment};
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT stream, next_seq - 1, head_id FROM stream WHERE mailbox = ? AND mine = 1 ORDER BY opened DESC LIMIT 1",
        "b", MQ_SPAN(mailbox));
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error)) {
        struct mq_span head = mq_db_blob(query, 2);
        memcpy(announce.previous_stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
        announce.previous_seq = (uint32_t)mq_db_int(query, 1);
        if (head.size == MQ_SEGMENT_ID_SIZE && announce.previous_seq > 0)
            memcpy(announce.previous_id, head.data, MQ_SEGMENT_ID_SIZE);
        mq_db_done(&query);
    }
    if (error->status != MQ_OK)
        return error->status;
    nonce_make(replica, &announce);
    mq_announce_sign(&announce, replica->identity);
    uint8_t stream[MQ_ID_SIZE];
    mq_announce_stream(stream, &announce);
    status = mq_stream_put(replica, &announce, true, error);
    if (status != MQ_OK)
        return status;
    return mq_db_run(replica->db, error,
                     "UPDATE stream SET opened = (SELECT 1 + max(opened) FROM stream) WHERE stream = ?", "b",
                     MQ_SPAN(stream));
}

static enum mq_status stream_read(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                  struct mq_own_stream *out, struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, team->team, compartment);
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT stream, next_seq, head_id, announce,"
        " (SELECT count(*) FROM segment WHERE segment.stream = stream.stream AND mine = 1 AND anchored = 0)"
        " FROM stream WHERE mailbox = ? AND mine = 1 AND closed = 0 LIMIT 1",
        "b", MQ_SPAN(mailbox));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memcpy(out->stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    out->seq = (uint32_t)mq_db_int(query, 1);
    struct mq_span head = mq_db_blob(query, 2);
    status = mq_announce_decode(&out->announce, mq_db_blob(query, 3));
    out->unanchored = mq_db_int(query, 4);
    if (out->seq == 1)
        mq_announce_hash(out->previous, &out->announce);
    else if (head.size == MQ_SEGMENT_ID_SIZE)
        memcpy(out->previous, head.data, MQ_SEGMENT_ID_SIZE);
    else
        status = MQ_DAMAGED;
    mq_db_done(&query);
    return status == MQ_OK ? MQ_OK
                           : mq_fail(error, MQ_DAMAGED, _("this store's own stream is damaged; `check` names what"));
}

enum mq_status mq_own_stream(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                             struct mq_own_stream *out, struct mq_error *error)
{
    enum mq_status status = stream_read(replica, team, compartment, out, error);
    if (status != MQ_NOT_FOUND)
        return status;
    status = stream_open(replica, team, compartment, error);
    return status == MQ_OK ? stream_read(replica, team, compartment, out, error) : status;
}

void mq_own_context(struct mq_replica *replica, const struct mq_own_stream *stream, const struct mq_grant *grant,
                    struct mq_seal_context *out)
{
    *out = (struct mq_seal_context){.seq = stream->seq, .writer = replica->identity};
    memcpy(out->stream, stream->stream, MQ_ID_SIZE);
    memcpy(out->previous, stream->previous, MQ_SEGMENT_ID_SIZE);
    mq_grant_kid(out->kid, grant);
    mq_grant_hash(out->grant_hash, grant);
    mq_certificate_hash(out->certificate_hash, &stream->announce.certificate);
    mq_random(replica->platform, out->seed, sizeof out->seed);
}

enum mq_status mq_own_segment_put(struct mq_replica *replica, const struct mq_segment *segment, uint8_t links,
                                  bool carry, struct mq_span bytes, int64_t *number, struct mq_error *error)
{
    enum mq_status status = mq_db_run(
        replica->db, error,
        "INSERT INTO segment(id, stream, seq, previous, mine, state, links, carry, bytes) VALUES(?, ?, ?, ?, 1, 1, ?, ?, ?)",
        "bbibiib", MQ_SPAN(segment->id), MQ_SPAN(segment->stream), (int64_t)segment->seq, MQ_SPAN(segment->previous),
        (int64_t)links, (int64_t)carry, bytes);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "UPDATE stream SET next_seq = ?, head_id = ? WHERE stream = ?", "ibb",
                           (int64_t)segment->seq + 1, MQ_SPAN(segment->id), MQ_SPAN(segment->stream));
    if (status == MQ_OK)
        status = mq_db_number(replica->db, number, error, "SELECT number FROM segment WHERE id = ?", "b",
                              MQ_SPAN(segment->id));
    return status;
}

enum mq_status mq_own_witness(struct mq_replica *replica, const struct mq_own_stream *stream, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[MQ_ID_SIZE + 4];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    mq_put(&content, stream->stream, MQ_ID_SIZE);
    mq_put_u32(&content, stream->seq);
    mq_home_path(path, replica->home, "witness");
    return replica->platform->write(replica->platform->self, path, mq_written(&content), error);
}
