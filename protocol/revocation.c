/* A revocation's body: certificate hash 32; count 2, cuts of stream 16, seq 4, segment id 32; count 2, segment ids 32
 * (docs/protocol.md, section 1). Lists rise strictly, so that one set has one body. */
#include "protocol/revocation.h"

#include <string.h>

#include "protocol/assert.h"

_Static_assert(MQ_HASH_SIZE + 2 + MQ_CUTS_MAX * MQ_CUT_SIZE + 2 + MQ_ADOPTED_MAX * MQ_SEGMENT_ID_SIZE <= MQ_CONTROL_BODY_MAX,
               "a revocation fits a control object");

void mq_cut_put(struct mq_buffer *out, const struct mq_cut *cut)
{
    mq_put(out, cut->stream, sizeof cut->stream);
    mq_put_u32(out, cut->seq);
    mq_put(out, cut->id, sizeof cut->id);
}

void mq_cut_get(struct mq_cut *out, const struct mq_revocation *revocation, size_t i)
{
    MQ_ASSERT(i < revocation->cut_count);
    struct mq_reader reader = mq_reader(mq_span(revocation->cuts.data + i * MQ_CUT_SIZE, MQ_CUT_SIZE));
    mq_get(&reader, out->stream, sizeof out->stream);
    out->seq = mq_get_u32(&reader);
    mq_get(&reader, out->id, sizeof out->id);
}

void mq_revocation_subject(uint8_t out[MQ_ID_SIZE], const uint8_t certificate[MQ_HASH_SIZE])
{
    memcpy(out, certificate, MQ_ID_SIZE);
}

void mq_revocation_put(struct mq_buffer *out, const struct mq_revocation *revocation)
{
    MQ_ASSERT(revocation->cut_count <= MQ_CUTS_MAX && revocation->adopted_count <= MQ_ADOPTED_MAX);
    MQ_ASSERT(revocation->cuts.size == revocation->cut_count * MQ_CUT_SIZE);
    MQ_ASSERT(revocation->adopted.size == revocation->adopted_count * MQ_SEGMENT_ID_SIZE);
    mq_put(out, revocation->certificate, sizeof revocation->certificate);
    mq_put_u16(out, (uint16_t)revocation->cut_count);
    mq_put_span(out, revocation->cuts);
    mq_put_u16(out, (uint16_t)revocation->adopted_count);
    mq_put_span(out, revocation->adopted);
}

static bool rises(struct mq_span list, size_t item)
{
    for (size_t at = item; at < list.size; at += item)
        if (memcmp(list.data + at - item, list.data + at, item) >= 0)
            return false;
    return true;
}

enum mq_status mq_revocation_get(struct mq_revocation *out, const struct mq_control *control)
{
    struct mq_reader reader = mq_reader(control->body);
    uint8_t subject[MQ_ID_SIZE];

    mq_get(&reader, out->certificate, sizeof out->certificate);
    out->cut_count = mq_get_u16(&reader);
    out->cuts = mq_take(&reader, out->cut_count * MQ_CUT_SIZE);
    out->adopted_count = mq_get_u16(&reader);
    out->adopted = mq_take(&reader, out->adopted_count * MQ_SEGMENT_ID_SIZE);
    if (!mq_reader_done(&reader) || control->kind != MQ_CONTROL_REVOCATION || out->cut_count > MQ_CUTS_MAX ||
        out->adopted_count > MQ_ADOPTED_MAX)
        return MQ_REFUSED;
    mq_revocation_subject(subject, out->certificate);
    if (memcmp(subject, control->subject, sizeof subject) != 0)
        return MQ_REFUSED;
    return rises(out->cuts, MQ_CUT_SIZE) && rises(out->adopted, MQ_SEGMENT_ID_SIZE) ? MQ_OK : MQ_REFUSED;
}
