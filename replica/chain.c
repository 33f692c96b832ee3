/* Linked compression needs the payloads that came before: found by walking `prev` back to a segment without links, then
 * inflating forward. The last chain is kept, so that segments opened in order cost one step each (docs/protocol.md,
 * section 2). */
#include "replica/replica_keys.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

void mq_chain_reset(struct mq_chain *chain)
{
    chain->loaded = chain->borrowed = false;
    chain->run = 0;
    chain->count = 0;
    chain->size = 0;
}

void mq_chain_forget(struct mq_chain *chain)
{
    if (chain->bytes != NULL)
        mq_wipe(chain->bytes, MQ_LINK_WINDOW);
    mq_chain_reset(chain);
}

struct mq_span mq_chain_linked(const struct mq_chain *chain, uint8_t links)
{
    MQ_ASSERT(links <= chain->count);
    size_t wanted = 0;
    for (size_t i = chain->count - links; i < chain->count; i++)
        wanted += chain->sizes[i];
    if (wanted > chain->size)
        wanted = chain->size;
    return wanted == 0 ? (struct mq_span){0} : mq_span(chain->bytes + chain->size - wanted, wanted);
}

void mq_chain_push(struct mq_chain *chain, const uint8_t id[MQ_SEGMENT_ID_SIZE], uint8_t links, struct mq_span payload)
{
    if (chain->bytes == NULL) {
        chain->bytes = malloc(MQ_LINK_WINDOW);
        mq_enough(chain->bytes);
    }
    if (links == 0)
        mq_chain_reset(chain);
    if (chain->count == MQ_LINKS_MAX) {
        memmove(chain->sizes, chain->sizes + 1, (MQ_LINKS_MAX - 1) * sizeof *chain->sizes);
        chain->count--;
    }
    chain->sizes[chain->count++] = payload.size;

    struct mq_span tail = payload;
    if (tail.size > MQ_LINK_WINDOW)
        tail = mq_span(payload.data + payload.size - MQ_LINK_WINDOW, MQ_LINK_WINDOW);
    size_t keep = MQ_LINK_WINDOW - tail.size < chain->size ? MQ_LINK_WINDOW - tail.size : chain->size;
    memmove(chain->bytes, chain->bytes + chain->size - keep, keep);
    if (tail.size > 0)
        memcpy(chain->bytes + keep, tail.data, tail.size);
    chain->size = keep + tail.size;
    chain->run++;
    chain->loaded = true;
    memcpy(chain->last, id, MQ_SEGMENT_ID_SIZE);
}

/* Decrypts, and inflates where the chain stands right. */
static enum mq_status open_with_key(struct mq_replica *replica, const struct mq_segment *segment,
                                    const struct mq_grant *grant, const struct mq_secret *key,
                                    struct mq_buffer *payload, uint8_t *links, struct mq_error *error)
{
    struct mq_announce announce;
    enum mq_status status = mq_announce_find(replica, segment->stream, &announce, error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_WAITING : status;

    if (memcmp(grant->team, announce.certificate.team, MQ_ID_SIZE) != 0 || grant->compartment != announce.compartment)
        return MQ_REFUSED; /* a key of another compartment says nothing here */
    struct mq_seal_context context = {.key = key};
    mq_grant_hash(context.grant_hash, grant);
    mq_certificate_hash(context.certificate_hash, &announce.certificate);
    struct mq_opened opened;
    status = mq_open(&opened, segment, &context, mq_work_space(replica));
    if (status != MQ_OK)
        return status;
    *links = opened.links;
    if (opened.links > 0) {
        bool here = replica->chain.loaded && memcmp(replica->chain.last, segment->previous, MQ_SEGMENT_ID_SIZE) == 0;
        if (!here || replica->chain.count < opened.links)
            return here ? MQ_REFUSED : MQ_WAITING;
    }
    struct mq_prefix prefix = {.prose = opened.prose,
                               .links = opened.links,
                               .linked = opened.links > 0 ? mq_chain_linked(&replica->chain, opened.links)
                                                          : (struct mq_span){0}};
    return mq_inflate(payload, &opened, &prefix, mq_work_space(replica));
}

static enum mq_status open_here(struct mq_replica *replica, const struct mq_segment *segment, struct mq_buffer *payload,
                                uint8_t *links, struct mq_error *error)
{
    struct mq_grant grant;
    struct mq_secret key;
    enum mq_status status = mq_key_find(replica, segment->kid, &grant, &key, error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_WAITING : status;
    status = open_with_key(replica, segment, &grant, &key, payload, links, error);
    mq_secret_wipe(&key);
    return status;
}

/* The stored segments from the last one without links up to `id`, newest first. */
static enum mq_status collect_run(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE], int64_t *numbers,
                                  size_t most, size_t *count, struct mq_error *error)
{
    uint8_t at[MQ_SEGMENT_ID_SIZE];
    memcpy(at, id, sizeof at);
    for (*count = 0; *count < most;) {
        struct mq_query *query;
        enum mq_status status =
            mq_db_query(replica->db, &query, error, "SELECT number, previous, links, state FROM segment WHERE id = ?",
                        "b", MQ_SPAN(at));
        if (status != MQ_OK)
            return status;
        if (!mq_db_next(&query, error))
            return error->status != MQ_OK ? error->status : MQ_WAITING;
        int64_t links = mq_db_int(query, 2), state = mq_db_int(query, 3);
        numbers[(*count)++] = mq_db_int(query, 0);
        struct mq_span previous = mq_db_blob(query, 1);
        MQ_ASSERT(previous.size == sizeof at);
        memcpy(at, previous.data, previous.size);
        mq_db_done(&query);
        if (state == MQ_SEGMENT_WAITING)
            return MQ_WAITING;
        if (state == MQ_SEGMENT_UNDECODABLE)
            return MQ_REFUSED;
        if (links == 0)
            return MQ_OK;
    }
    return MQ_REFUSED; /* a run longer than the limit: the writer broke the rule */
}

static enum mq_status reopen(struct mq_replica *replica, int64_t number, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT CASE WHEN erased = 2 THEN (SELECT l.bytes FROM lent AS l WHERE l.id = segment.id) ELSE bytes END, erased"
        " FROM segment WHERE number = ?",
        "i", number);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_FAULT;
    bool borrowed = mq_db_int(query, 1) == 2;
    if (mq_db_is_null(query, 0)) {
        mq_db_done(&query);
        replica->chain.lacking = true;
        return MQ_WAITING;
    }
    struct mq_segment segment;
    struct mq_buffer payload = mq_work_payload(replica);
    uint8_t links;
    status = mq_segment_decode(&segment, mq_db_blob(query, 0));
    if (status == MQ_OK)
        status = open_here(replica, &segment, &payload, &links, error);
    if (status == MQ_OK)
        mq_chain_push(&replica->chain, segment.id, links, mq_written(&payload));
    replica->chain.borrowed = replica->chain.borrowed || (status == MQ_OK && borrowed);
    mq_db_done(&query);
    return status;
}

enum mq_status mq_chain_load(struct mq_replica *replica, uint32_t seq, const uint8_t previous[MQ_SEGMENT_ID_SIZE],
                             struct mq_error *error)
{
    struct mq_chain *chain = &replica->chain;
    chain->lacking = false;
    if (seq > 1 && chain->loaded && memcmp(chain->last, previous, MQ_SEGMENT_ID_SIZE) == 0)
        return MQ_OK;
    mq_chain_reset(chain);
    if (seq <= 1)
        return MQ_OK;
    int64_t numbers[MQ_LINK_RUN_MAX];
    size_t count;
    enum mq_status status = collect_run(replica, previous, numbers, MQ_LINK_RUN_MAX, &count, error);
    while (status == MQ_OK && count > 0)
        status = reopen(replica, numbers[--count], error);
    if (status != MQ_OK)
        mq_chain_reset(chain);
    return status;
}

enum mq_status mq_segment_open(struct mq_replica *replica, const struct mq_segment *segment, struct mq_buffer *payload,
                               uint8_t *links, struct mq_error *error)
{
    size_t before = payload->size;
    *links = 0;
    enum mq_status status = open_here(replica, segment, payload, links, error);
    if (status == MQ_WAITING && *links > 0) { /* it leans on what came before */
        if (segment->seq == 1)
            return MQ_REFUSED; /* nothing can have come before */
        status = mq_chain_load(replica, segment->seq, segment->previous, error);
        if (status != MQ_OK)
            return status;
        payload->size = before;
        status = open_here(replica, segment, payload, links, error);
    }
    if (status == MQ_OK)
        mq_chain_push(&replica->chain, segment->id, *links, mq_span(payload->data + before, payload->size - before));
    return status;
}
