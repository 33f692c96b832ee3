/* What a member brings: each frame is verified, then stored in the mailbox to which it belongs; what does not verify is
 * passed over (docs/protocol.md, sections 3 and 4). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/grant.h"
#include "protocol/segment.h"
#include "server/relay/relay_work.h"

/* ---- Appending ---- */

static enum mq_status append(struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE],
                             const struct mq_log_item *item)
{
    struct mq_store *store = work->relay->store;
    bool added = false;
    enum mq_status status = store->verbs->append(store, mailbox, item, &added, work->error);

    if (!added)
        return status;
    if (item->frame == MQ_FRAME_SEGMENT || item->frame == MQ_FRAME_ANNOUNCE) {
        work->news = true;
        work->revoked_bytes += item->bytes.size;
    }
    return status;
}

static struct mq_log_item item_of(enum mq_frame_type frame, struct mq_span bytes)
{
    struct mq_log_item item = {.frame = (uint8_t)frame, .bytes = bytes};

    mq_hash_one(item.id, sizeof item.id, MQ_DOMAIN_BODY, bytes);
    return item;
}

/* A revoked key may still bring what is its own, as far as its quota goes. */
static bool may_bring(const struct mq_relay_work *work, const struct mq_certificate *writer, size_t size)
{
    uint8_t name[MQ_KID_SIZE];

    if (!mq_work_may(work, MQ_ACCESS_REVOKED))
        return true;
    mq_key_name(name, writer->sign_public);
    return memcmp(name, work->access.key_name, sizeof name) == 0 && work->revoked_bytes + size <= MQ_REVOKED_QUOTA;
}

/* ---- Streams: announces, segments, parts ---- */

static enum mq_status take_announce(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_announce announce;
    uint8_t mailbox[MQ_ID_SIZE];

    if (mq_announce_decode(&announce, bytes) != MQ_OK || !mq_compartment_known(announce.compartment) ||
        mq_role_rank(announce.certificate.role) == 0 ||
        mq_certificate_verify(&announce.certificate, work->relay->root_public, work->desks, work->desk_count) !=
            MQ_OK ||
        !may_bring(work, &announce.certificate, bytes.size))
        return MQ_OK;
    struct mq_log_item item = item_of(MQ_FRAME_ANNOUNCE, bytes);
    mq_announce_stream(item.stream, &announce);
    mq_key_name(item.name, announce.certificate.sign_public);
    mq_mailbox(mailbox, announce.certificate.team, announce.compartment);
    return append(work, mailbox, &item);
}

/* MQ_NOT_FOUND: nobody announced this stream. */
static enum mq_status find_announce(struct mq_relay_work *work, const uint8_t stream[MQ_ID_SIZE],
                                    struct mq_announce *announce, uint8_t mailbox[MQ_ID_SIZE])
{
    struct mq_store *store = work->relay->store;
    uint8_t memory[MQ_ANNOUNCE_SIZE];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
    enum mq_status status = store->verbs->announce(store, stream, mailbox, &bytes, work->error);

    if (status != MQ_OK)
        return status;
    if (mq_announce_decode(announce, mq_written(&bytes)) != MQ_OK)
        return mq_fail(work->error, MQ_DAMAGED, _("an announce in the relay's store is damaged; run check"));
    return MQ_OK;
}

static enum mq_status take_segment(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_store *store = work->relay->store;
    struct mq_segment segment;
    struct mq_announce announce;
    struct mq_have have;
    uint8_t mailbox[MQ_ID_SIZE];
    uint64_t held = 0;

    if (mq_segment_decode(&segment, bytes) != MQ_OK)
        return MQ_OK;
    enum mq_status status = find_announce(work, segment.stream, &announce, mailbox);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    if (mq_segment_verify(&segment, &announce) != MQ_OK || !may_bring(work, &announce.certificate, bytes.size))
        return MQ_OK;
    status = store->verbs->held(store, segment.stream, &have, &held, work->error);
    if (status != MQ_OK || held + bytes.size > MQ_STREAM_QUOTA)
        return status;
    struct mq_log_item item = {.frame = MQ_FRAME_SEGMENT, .seq = segment.seq, .bytes = bytes};
    memcpy(item.id, segment.id, sizeof item.id);
    memcpy(item.stream, segment.stream, sizeof item.stream);
    memcpy(item.previous, segment.previous, sizeof item.previous);
    return append(work, mailbox, &item);
}

static enum mq_status take_part(struct mq_relay_work *work, struct mq_span payload)
{
    struct mq_store *store = work->relay->store;
    struct mq_reader reader = mq_reader(payload);
    struct mq_span id = mq_take(&reader, MQ_SEGMENT_ID_SIZE);
    uint32_t size = mq_get_u24(&reader), offset = mq_get_u24(&reader);
    struct mq_buffer whole = mq_buffer(work->segment, sizeof work->segment);

    if (reader.failed || !work->whole || mq_work_may(work, MQ_ACCESS_REVOKED))
        return MQ_OK; /* of a changed request it could not be verified, only the segment can */
    enum mq_status status = store->verbs->segment(store, id.data, &whole, work->error);
    if (status != MQ_NOT_FOUND)
        return status; /* it has come already */
    struct mq_span bytes = mq_take(&reader, mq_left(&reader));
    status = store->verbs->put_part(store, work->access.key_name, id.data, size, offset, bytes, work->day, &whole,
                                    work->error);
    if (status == MQ_OK)
        return take_segment(work, mq_written(&whole)); /* whoever sent them: it must verify like any other */
    if (status != MQ_REFUSED && status != MQ_WAITING)
        return status;
    mq_error_clear(work->error);
    return MQ_OK;
}

/* ---- Keys on their way: grants, wraps, certificates ---- */

static bool grant_good(const struct mq_relay_work *work, const struct mq_grant *grant)
{
    for (size_t i = 0; i < work->desk_count; i++)
        if (mq_role_governs(work->desks[i].role) && mq_grant_verify(grant, &work->desks[i]) == MQ_OK)
            return mq_compartment_known(grant->compartment);
    return false;
}

static enum mq_status take_grant(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_grant grant;
    uint8_t mailbox[MQ_ID_SIZE];

    if (mq_grant_decode(&grant, bytes) != MQ_OK || !grant_good(work, &grant))
        return MQ_OK;
    struct mq_log_item item = item_of(MQ_FRAME_GRANT, bytes);
    mq_grant_kid(item.name, &grant);
    mq_work_grant_mailbox(mailbox, &grant);
    return append(work, mailbox, &item);
}

/* Is it to the team's county desk, of a compartment that who brings it reads himself? So a desk that was set back gets its
 * keys again. */
static bool wrap_back(const struct mq_relay_work *work, const struct mq_grant *grant, const uint8_t *wrap)
{
    uint8_t name[MQ_KID_SIZE];

    for (size_t i = 0; i < work->desk_count; i++) {
        mq_key_name(name, work->desks[i].box_public);
        if (mq_role_governs(work->desks[i].role) && memcmp(work->desks[i].team, work->team, MQ_ID_SIZE) == 0 &&
            memcmp(name, wrap, sizeof name) == 0)
            return mq_work_reads(work, grant->compartment);
    }
    return false;
}

/* A wrap is not signed: a desk may bring one, or anybody one to the county's desk, only for a grant that is here, only into
 * its own team's mailbox. */
static enum mq_status take_wrap(struct mq_relay_work *work, struct mq_span payload)
{
    struct mq_store *store = work->relay->store;
    uint8_t mailbox[MQ_ID_SIZE], memory[MQ_GRANT_SIZE];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
    struct mq_grant grant;

    if (payload.size != MQ_WRAP_FRAME_SIZE)
        return MQ_OK;
    enum mq_status status = store->verbs->grant(store, payload.data, &bytes, work->error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    if (mq_grant_decode(&grant, mq_written(&bytes)) != MQ_OK || memcmp(grant.team, work->team, MQ_ID_SIZE) != 0 ||
        (!mq_work_may(work, MQ_ACCESS_DESK) && !wrap_back(work, &grant, payload.data + MQ_KID_SIZE)))
        return MQ_OK;
    struct mq_log_item item = item_of(MQ_FRAME_WRAP, payload);
    mq_mailbox(mailbox, grant.team, grant.compartment);
    return append(work, mailbox, &item);
}

/* A desk's certificate also goes to its team, who meet a new desk in this way. Pass one has verified and stored it. One
 * of a key that is silenced goes too: the county has to know of it, and revokes it. */
static enum mq_status take_certificate(struct mq_relay_work *work, struct mq_span bytes)
{
    uint8_t mailbox[MQ_ID_SIZE], known[MQ_CERTIFICATE_SIZE];

    for (size_t i = 0; i < work->desks_known; i++) {
        mq_certificate_encode(known, &work->desks[i]);
        if (!mq_span_equal(bytes, MQ_SPAN(known)))
            continue;
        struct mq_log_item item = item_of(MQ_FRAME_CERTIFICATE, bytes);
        mq_mailbox(mailbox, work->desks[i].team, MQ_COMPARTMENT_TEAM);
        return append(work, mailbox, &item);
    }
    return MQ_OK;
}

/* ---- What is asked for ---- */

/* Wanted where the sets differ; of a stream that is unknown nothing is held here. */
static enum mq_status compare(struct mq_relay_work *work, const struct mq_have *theirs, bool *wanted)
{
    struct mq_store *store = work->relay->store;
    struct mq_have ours;
    uint64_t bytes;
    enum mq_status status = store->verbs->held(store, theirs->stream, &ours, &bytes, work->error);

    *wanted = ours.count != theirs->count || memcmp(ours.fingerprint, theirs->fingerprint, MQ_FINGERPRINT_SIZE) != 0;
    return status;
}

static enum mq_status take_have(struct mq_relay_work *work, struct mq_span payload)
{
    struct mq_reader reader = mq_reader(payload);
    struct mq_span mailbox = mq_take(&reader, MQ_ID_SIZE);
    uint32_t compartment;

    if (reader.failed || mq_work_may(work, MQ_ACCESS_REVOKED))
        return MQ_OK;
    enum mq_status status = mq_work_place(work, mailbox.data, &compartment);
    if (status == MQ_REFUSED)
        return MQ_OK;
    if (status == MQ_NOT_FOUND) /* a store that was emptied has nothing there, and wants everything */
        status = MQ_OK;
    while (status == MQ_OK && mq_left(&reader) >= MQ_HAVE_ENTRY_SIZE && work->want_count < MQ_STREAMS_MAX) {
        struct mq_have have;
        bool wanted = false;
        mq_have_get(&have, &reader);
        status = compare(work, &have, &wanted);
        if (status == MQ_OK && wanted)
            memcpy(work->wants[work->want_count++], have.stream, sizeof have.stream);
    }
    return status;
}

static enum mq_status take_want_part(struct mq_relay_work *work, struct mq_span payload)
{
    struct mq_reader reader = mq_reader(payload);
    struct mq_want_part want;

    mq_get(&reader, want.id, sizeof want.id);
    want.offset = mq_get_u24(&reader);
    if (mq_reader_done(&reader) && work->want_part_count < MQ_WANT_PARTS_MAX)
        work->want_parts[work->want_part_count++] = want;
    return MQ_OK;
}

static enum mq_status take_enrolled(struct mq_relay_work *work, struct mq_span payload)
{
    struct mq_store *store = work->relay->store;
    struct mq_reader reader = mq_reader(payload);
    struct mq_span id = mq_take(&reader, MQ_ID_SIZE);
    struct mq_span reply = mq_take(&reader, mq_left(&reader));

    if (reader.failed || !mq_work_may(work, MQ_ACCESS_DESK) || reply.size == 0 || reply.size > MQ_ENROL_MAX)
        return MQ_OK;
    enum mq_status status = store->verbs->answer_enrol(store, id.data, reply, work->error);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* ---- All of them ---- */

static enum mq_status take_frame(struct mq_relay_work *work, const struct mq_frame *frame)
{
    bool revoked = mq_work_may(work, MQ_ACCESS_REVOKED);

    switch (frame->type) { /* tidy: not an enum, types come from outside */
    case MQ_FRAME_ANNOUNCE:
        return take_announce(work, frame->payload);
    case MQ_FRAME_SEGMENT:
        return take_segment(work, frame->payload);
    case MQ_FRAME_PART:
        return take_part(work, frame->payload);
    case MQ_FRAME_GRANT:
        return revoked ? MQ_OK : take_grant(work, frame->payload);
    case MQ_FRAME_WRAP:
        return revoked ? MQ_OK : take_wrap(work, frame->payload);
    case MQ_FRAME_CERTIFICATE:
        return revoked ? MQ_OK : take_certificate(work, frame->payload);
    case MQ_FRAME_HAVE:
        return take_have(work, frame->payload);
    case MQ_FRAME_WANT_PART:
        return take_want_part(work, frame->payload);
    case MQ_FRAME_ENROLLED:
        return revoked ? MQ_OK : take_enrolled(work, frame->payload);
    default: /* taken in pass one, or unknown to this version */
        return MQ_OK;
    }
}

enum mq_status mq_work_take_frames(struct mq_relay_work *work)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    enum mq_status status = MQ_OK;

    while (status == MQ_OK && mq_frame_next(&reader, &frame) == MQ_OK && frame.type != MQ_FRAME_END)
        status = take_frame(work, &frame);
    return status;
}
