/* Sending the spool: an exchange that says everything and asks for nothing but "your head", without any key. */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/compartment.h"
#include "protocol/control.h"
#include "protocol/exchange.h"
#include "protocol/grant.h"
#include "protocol/segment.h"
#include "replica/replica_keys.h"
#include "replica/spool.h"

#define REPLY_LEAST 2048 /* bytes: heads, skeletons and what is said to everybody */

/* What the spool holds, found once: it may be large, and each request asks for some of it. */
struct spooled {
    uint8_t stream[MQ_ID_SIZE], id[MQ_SEGMENT_ID_SIZE], kid[MQ_KID_SIZE];
    uint32_t seq;
    struct mq_span bytes;
    const uint8_t *grant; /* what it is sealed under, if no segment that goes before it brings that; NULL */
};

struct spooled_grant {
    uint8_t kid[MQ_KID_SIZE];
    const uint8_t *bytes;
    bool placed; /* some segment brings it */
};

struct spooled_announce {
    uint8_t stream[MQ_ID_SIZE], mailbox[MQ_ID_SIZE];
    struct mq_span bytes;
};

/* One stream that has segments in the request under way. */
struct sent_stream {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t head_seq; /* the last of it in this request */
    uint8_t head_id[MQ_SEGMENT_ID_SIZE];
    bool announced;
};

struct sending {
    const struct mq_platform *platform;
    const char *home;
    struct mq_spool_address address;
    struct mq_span frames; /* of the spool */
    struct spooled *segments;     /* in the order in which they go */
    const struct spooled **places; /* the same, by stream, seq and id */
    struct spooled_announce *announces;
    struct spooled_grant *grants;  /* by kid, once they are all here */
    struct mq_frame *introduction; /* desks' certificates and revocations: said before anything else */
    uint32_t total, announce_count, grant_count, introduction_count;
    uint32_t room, announce_room, grant_room, introduction_room; /* what was allotted to them */
    uint32_t part_offset;  /* bytes of the first one that is not taken, as far as the server has them */
    uint32_t introduced;   /* so many frames of the introduction does the server have */
    struct mq_error unkept; /* the note could not be written: what was sent was sent all the same */
    /* The request under way. */
    struct sent_stream streams[MQ_MAILBOXES_MAX];
    size_t stream_count;
    uint32_t introducing;      /* frames of the introduction in it */
    uint32_t chosen, part_end; /* whole ones in it; or up to where a part of one reaches (0: none) */
    struct mq_request request;
};

/* ---- the spool's frames ---- */

static int order_places(const void *left, const void *right)
{
    const struct spooled *a = *(const struct spooled *const *)left, *b = *(const struct spooled *const *)right;
    int order = memcmp(a->stream, b->stream, sizeof a->stream);
    if (order == 0)
        order = (a->seq > b->seq) - (a->seq < b->seq);
    return order != 0 ? order : memcmp(a->id, b->id, sizeof a->id);
}

static int order_grants(const void *left, const void *right)
{
    return memcmp(((const struct spooled_grant *)left)->kid, ((const struct spooled_grant *)right)->kid, MQ_KID_SIZE);
}

static void index_room(struct sending *work)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    while (mq_frame_next(&reader, &frame) == MQ_OK) {
        work->room += frame.type == MQ_FRAME_SEGMENT;
        work->announce_room += frame.type == MQ_FRAME_ANNOUNCE;
        work->grant_room += frame.type == MQ_FRAME_GRANT;
        work->introduction_room += frame.type == MQ_FRAME_CERTIFICATE || frame.type == MQ_FRAME_CONTROL;
    }
    work->segments = mq_work_memory((work->room + 1) * sizeof *work->segments);
    work->places = mq_work_memory((work->room + 1) * sizeof *work->places);
    work->announces = mq_work_memory((work->announce_room + 1) * sizeof *work->announces);
    work->grants = mq_work_memory((work->grant_room + 1) * sizeof *work->grants);
    work->introduction = mq_work_memory((work->introduction_room + 1) * sizeof *work->introduction);
}

static void index_free(struct sending *work)
{
    mq_work_free(work->segments, (work->room + 1) * sizeof *work->segments);
    mq_work_free(work->places, (work->room + 1) * sizeof *work->places);
    mq_work_free(work->announces, (work->announce_room + 1) * sizeof *work->announces);
    mq_work_free(work->grants, (work->grant_room + 1) * sizeof *work->grants);
    mq_work_free(work->introduction, (work->introduction_room + 1) * sizeof *work->introduction);
}

static void index_segment(struct sending *work, struct mq_span bytes)
{
    struct mq_segment segment;
    struct spooled *one = &work->segments[work->total];
    if (mq_segment_decode(&segment, bytes) != MQ_OK)
        return;
    work->places[work->total++] = one;
    *one = (struct spooled){.seq = segment.seq, .bytes = bytes};
    memcpy(one->stream, segment.stream, sizeof one->stream);
    memcpy(one->id, segment.id, sizeof one->id);
    memcpy(one->kid, segment.kid, sizeof one->kid);
}

static void index_announce(struct sending *work, struct mq_span bytes)
{
    struct mq_announce announce;
    struct spooled_announce *one = &work->announces[work->announce_count];
    if (mq_announce_decode(&announce, bytes) != MQ_OK)
        return;
    work->announce_count++;
    one->bytes = bytes;
    mq_announce_stream(one->stream, &announce);
    mq_mailbox(one->mailbox, announce.certificate.team, announce.compartment);
}

static void index_grant(struct sending *work, struct mq_span bytes)
{
    struct mq_grant grant;
    struct spooled_grant *one = &work->grants[work->grant_count];
    if (mq_grant_decode(&grant, bytes) != MQ_OK)
        return;
    work->grant_count++;
    *one = (struct spooled_grant){.bytes = bytes.data};
    mq_grant_kid(one->kid, &grant);
}

/* No store knows more desks; the spool stands where anybody may have written to it. */
static void index_introduction(struct sending *work, const struct mq_frame *frame, uint32_t *desks)
{
    struct mq_control control;
    bool wanted = frame->type == MQ_FRAME_CERTIFICATE
                      ? frame->payload.size == MQ_CERTIFICATE_SIZE && (*desks)++ < MQ_DESKS_MAX
                      : mq_control_decode(&control, frame->payload) == MQ_OK && control.kind == MQ_CONTROL_REVOCATION;
    if (wanted)
        work->introduction[work->introduction_count++] = *frame;
}

/* Each grant goes with the first segment that needs it, of those that the server has not taken. */
static void place_grants(struct sending *work)
{
    qsort(work->grants, work->grant_count, sizeof *work->grants, order_grants);
    for (uint32_t i = work->address.taken; i < work->total; i++) {
        struct spooled_grant wanted;
        memcpy(wanted.kid, work->segments[i].kid, sizeof wanted.kid);
        struct spooled_grant *found =
            bsearch(&wanted, work->grants, work->grant_count, sizeof *work->grants, order_grants);
        if (found == NULL || found->placed)
            continue;
        work->segments[i].grant = found->bytes;
        found->placed = true;
    }
}

/* What does not decode is passed over, as if it were not there. */
static void index_make(struct sending *work)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    uint32_t desks = 0;
    index_room(work);
    while (mq_frame_next(&reader, &frame) == MQ_OK)
        switch (frame.type) { /* tidy: not an enum, types come from outside */
        case MQ_FRAME_SEGMENT: index_segment(work, frame.payload); break;
        case MQ_FRAME_ANNOUNCE: index_announce(work, frame.payload); break;
        case MQ_FRAME_GRANT: index_grant(work, frame.payload); break;
        case MQ_FRAME_CERTIFICATE:
        case MQ_FRAME_CONTROL: index_introduction(work, &frame, &desks); break;
        default: break;
        }
    qsort(work->places, work->total, sizeof *work->places, order_places);
    if (work->address.taken > work->total)
        work->address.taken = 0;
    place_grants(work);
}

static const struct spooled_announce *find_announce(const struct sending *work, const uint8_t stream[MQ_ID_SIZE])
{
    for (uint32_t i = 0; i < work->announce_count; i++)
        if (memcmp(work->announces[i].stream, stream, MQ_ID_SIZE) == 0)
            return &work->announces[i];
    return NULL;
}

/* ---- the request ---- */

static struct sent_stream *stream_of(struct sending *work, const uint8_t stream[MQ_ID_SIZE])
{
    for (size_t i = 0; i < work->stream_count; i++)
        if (memcmp(work->streams[i].stream, stream, MQ_ID_SIZE) == 0)
            return &work->streams[i];
    return NULL;
}

/* What is left of the introduction, as far as the body reaches, and at least one frame of it. Gives its size. */
static size_t choose_introduction(struct sending *work)
{
    size_t size = 0;
    work->introducing = 0;
    for (uint32_t i = work->introduced; i < work->introduction_count; i++) {
        size_t more = MQ_FRAME_HEADER_SIZE + work->introduction[i].payload.size;
        if (work->introducing > 0 && size + more > work->address.body)
            break;
        size += more;
        work->introducing++;
    }
    return size;
}

/* What goes into this request: the introduction until all of it is said, so that every revocation is there before the first
 * grant; then as many segments as the body may have, of as many streams as a request can ask about. Where nothing else goes, one
 * segment at least, which may be larger than the body: then it goes in parts. */
static void choose(struct sending *work)
{
    size_t size = choose_introduction(work);
    work->stream_count = work->chosen = work->part_end = 0;
    if (work->introduced + work->introducing < work->introduction_count)
        return;
    for (uint32_t i = work->address.taken; i < work->total; i++) {
        const struct spooled *segment = &work->segments[i];
        struct sent_stream *stream = stream_of(work, segment->stream);
        size_t more = MQ_FRAME_HEADER_SIZE + segment->bytes.size;
        if (stream == NULL)
            more += MQ_FRAME_HEADER_SIZE + MQ_ANNOUNCE_SIZE;
        if (segment->grant != NULL)
            more += MQ_FRAME_HEADER_SIZE + MQ_GRANT_SIZE;
        bool too_many = stream == NULL && work->stream_count == MQ_MAILBOXES_MAX;
        if (size > 0 && (size + more > work->address.body || too_many))
            return;
        if (stream == NULL) {
            stream = &work->streams[work->stream_count++];
            *stream = (struct sent_stream){.head_seq = 0};
            memcpy(stream->stream, segment->stream, MQ_ID_SIZE);
        }
        stream->head_seq = segment->seq;
        memcpy(stream->head_id, segment->id, MQ_SEGMENT_ID_SIZE);
        size += more;
        work->chosen++;
    }
}

static void put_part(struct sending *work, struct mq_buffer *out, const struct spooled *segment)
{
    struct mq_span bytes = segment->bytes;
    uint8_t memory[MQ_PART_HEAD_SIZE + MQ_SEGMENT_MAX];
    struct mq_buffer part = mq_buffer(memory, sizeof memory);
    size_t left = bytes.size - work->part_offset, size = left < work->address.body ? left : work->address.body;
    mq_put(&part, segment->id, MQ_SEGMENT_ID_SIZE);
    mq_put_u24(&part, (uint32_t)bytes.size);
    mq_put_u24(&part, work->part_offset);
    mq_put(&part, bytes.data + work->part_offset, size);
    work->part_end = work->part_offset + (uint32_t)size;
    MQ_ASSERT(!part.failed);
    mq_frame_put(out, MQ_FRAME_PART, mq_written(&part));
}

static void put_frames(struct sending *work, struct mq_buffer *out)
{
    for (uint32_t i = work->introduced; i < work->introduced + work->introducing; i++)
        mq_frame_put(out, (enum mq_frame_type)work->introduction[i].type, work->introduction[i].payload);
    for (uint32_t i = 0; i < work->chosen; i++) {
        const struct spooled *segment = &work->segments[work->address.taken + i];
        struct sent_stream *stream = stream_of(work, segment->stream);
        const struct spooled_announce *announce = stream->announced ? NULL : find_announce(work, segment->stream);
        if (announce != NULL)
            mq_frame_put(out, MQ_FRAME_ANNOUNCE, announce->bytes);
        stream->announced = true;
        if (segment->grant != NULL)
            mq_frame_put(out, MQ_FRAME_GRANT, mq_span(segment->grant, MQ_GRANT_SIZE));
        if (work->chosen == 1 && segment->bytes.size > work->address.body)
            put_part(work, out, segment);
        else
            mq_frame_put(out, MQ_FRAME_SEGMENT, segment->bytes);
    }
}

static void request_make(struct sending *work, struct mq_buffer *out)
{
    struct mq_request *request = &work->request;
    choose(work);
    memset(request, 0, sizeof *request);
    request->budget = REPLY_LEAST;
    memcpy(request->token, work->address.token, MQ_TOKEN_SIZE);
    for (size_t i = 0; i < work->stream_count; i++) {
        const struct sent_stream *stream = &work->streams[i];
        struct mq_mailbox_request *entry = &request->mailboxes[request->mailbox_count];
        const struct spooled_announce *announce = find_announce(work, stream->stream);
        if (announce == NULL)
            continue;
        memcpy(entry->mailbox, announce->mailbox, MQ_ID_SIZE);
        entry->cursor = MQ_CURSOR_NONE;
        memcpy(entry->stream, stream->stream, MQ_ID_SIZE);
        entry->head_seq = stream->head_seq;
        memcpy(entry->head_id, stream->head_id, MQ_ID_SIZE);
        request->mailbox_count++;
    }
    mq_request_put(out, request);
    put_frames(work, out);
    mq_exchange_end(out);
    MQ_ASSERT(!out->failed);
}

/* ---- the reply ---- */

/* The server's head of a stream counts if it names a segment of the spool: then it has all before it too. Told is the front
 * of the id: what is not below it in the spool is the segment, or another. */
static bool head_counts(const struct sending *work, const uint8_t stream[MQ_ID_SIZE],
                        const struct mq_mailbox_reply *said)
{
    struct spooled wanted = {.seq = said->head_seq};
    const struct spooled *key = &wanted;
    uint32_t low = 0, high = work->total;
    memcpy(wanted.stream, stream, MQ_ID_SIZE);
    memcpy(wanted.id, said->head_id, MQ_ID_SIZE);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (order_places(&work->places[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return said->head_seq > 0 && low < work->total && work->places[low]->seq == said->head_seq &&
           memcmp(work->places[low]->stream, stream, MQ_ID_SIZE) == 0 &&
           memcmp(work->places[low]->id, said->head_id, MQ_ID_SIZE) == 0;
}

/* Of what comes next, the server may have something already: an earlier answer was lost. */
static void pass_over(struct sending *work, const struct mq_reply *reply)
{
    bool counts[MQ_MAILBOXES_MAX] = {false};
    for (size_t i = 0; i < reply->mailbox_count; i++)
        counts[i] = head_counts(work, work->request.mailboxes[i].stream, &reply->mailboxes[i]);
    for (; work->address.taken < work->total; work->address.taken++, work->part_offset = 0) {
        const struct spooled *segment = &work->segments[work->address.taken];
        bool has = false;
        for (size_t i = 0; i < reply->mailbox_count; i++)
            has = has || (counts[i] && segment->seq <= reply->mailboxes[i].head_seq &&
                          memcmp(segment->stream, work->request.mailboxes[i].stream, MQ_ID_SIZE) == 0);
        if (!has)
            return;
    }
}

static void keep_note(struct sending *work)
{
    struct mq_error error = {0};
    if (mq_spool_address_write(work->platform, work->home, &work->address, &error) != MQ_OK && work->unkept.status == MQ_OK)
        work->unkept = error;
}

static enum mq_status reply_take(struct sending *work, struct mq_span bytes, struct mq_error *error)
{
    struct mq_reply reply;
    struct mq_reader reader = mq_reader(bytes);
    if (mq_reply_get(&reply, work->request.mailbox_count, &reader) != MQ_OK ||
        !mq_exchange_whole(bytes, mq_span(bytes.data + reader.at, bytes.size - reader.at)))
        return mq_fail(error, MQ_UNREACHABLE,
                       _("the server's answer could not be read; nothing was lost, try again later"));
    if (reply.status == MQ_REPLY_STRANGER)
        return mq_fail(
            error, MQ_REFUSED,
            _("the server does not know this device (yet); the records stay saved here. Ask the centre whether it was admitted"));
    work->introduced += work->introducing;
    bool whole = true;
    if (work->part_end > 0) {
        whole = work->part_end == work->segments[work->address.taken].bytes.size;
        work->part_offset = whole ? 0 : work->part_end;
    }
    if (whole)
        work->address.taken += work->chosen;
    pass_over(work, &reply);
    keep_note(work);
    return MQ_OK;
}

/* ---- rounds ---- */

struct spool_round {
    struct mq_buffer request, reply;
    struct mq_post_answer answer;
};

/* Wiped as far as it was written: the whole of both buffers is far more than a usual round takes. */
static void empty(struct mq_buffer *buffer)
{
    mq_wipe(buffer->data, buffer->size);
    *buffer = mq_buffer(buffer->data, buffer->capacity);
}

static enum mq_status one_round(struct sending *work, const struct mq_transport *transport, struct spool_round *round,
                                struct mq_spool_sent *out, struct mq_error *error)
{
    empty(&round->request);
    empty(&round->reply);
    memset(&round->answer, 0, sizeof round->answer);
    request_make(work, &round->request);
    enum mq_status status = transport->post(transport->context, MQ_EXCHANGE_PATH, mq_written(&round->request),
                                            &round->reply, &round->answer, error);
    out->requests++;
    out->bytes_up += round->answer.bytes_up;
    out->bytes_down += round->answer.bytes_down;
    if (status == MQ_OK)
        status = mq_transport_status(&round->answer, error);
    return status == MQ_OK ? reply_take(work, mq_written(&round->reply), error) : status;
}

static enum mq_status rounds(struct sending *work, const struct mq_transport *transport, struct spool_round *round,
                             int64_t deadline_ms, struct mq_spool_sent *out, struct mq_error *error)
{
    unsigned failures = 0;
    for (int i = 0; i < MQ_ROUNDS_MAX && work->address.taken < work->total; i++) {
        enum mq_status status = one_round(work, transport, round, out, error);
        if (status == MQ_OK) {
            failures = 0;
            if (work->address.body < MQ_BODY_START)
                work->address.body *= 2;
            continue;
        }
        if (status != MQ_UNREACHABLE)
            return status;
        if (work->address.body > MQ_BODY_SMALLEST)
            work->address.body /= 2;
        mq_transport_wait(work->platform, failures++, round->answer.retry_after, deadline_ms);
        if (work->platform->monotonic_ms(work->platform->self) >= deadline_ms) {
            keep_note(work); /* how much the link bears */
            return status;
        }
        mq_error_clear(error);
    }
    return MQ_OK;
}

static enum mq_status send_file(struct sending *work, const struct mq_transport *transport, struct mq_span file,
                                int64_t deadline_ms, struct mq_spool_sent *out, struct mq_error *error)
{
    if (mq_bundle_open(&work->frames, file) != MQ_OK)
        return mq_fail(error, MQ_DAMAGED,
                       _("the file %s/spool is damaged; any command with the passphrase makes it anew, nothing is lost"),
                       work->home);
    index_make(work);
    if (work->address.body < MQ_BODY_SMALLEST || work->address.body > MQ_BODY_START)
        work->address.body = MQ_BODY_START;
    uint32_t before = work->address.taken;
    struct spool_round round = {.request = mq_buffer(mq_work_memory(MQ_REQUEST_MAX), MQ_REQUEST_MAX),
                                .reply = mq_buffer(mq_work_memory(MQ_REPLY_MAX), MQ_REPLY_MAX)};
    enum mq_status status = rounds(work, transport, &round, deadline_ms, out, error);
    out->sent = work->address.taken - before;
    out->left = work->total - work->address.taken;
    mq_work_free(round.request.data, round.request.size);
    mq_work_free(round.reply.data, round.reply.size);
    index_free(work);
    if (status == MQ_OK && work->unkept.status != MQ_OK)
        *error = work->unkept;
    return status == MQ_OK ? work->unkept.status : status;
}

enum mq_status mq_spool_send(const struct mq_platform *platform, const char *home, const struct mq_transport *transport,
                             int64_t deadline_ms, struct mq_spool_sent *out, struct mq_error *error)
{
    struct sending *work = mq_work_memory(sizeof *work);
    char path[MQ_PATH_MAX];
    *out = (struct mq_spool_sent){0};
    *work = (struct sending){.platform = platform, .home = home};
    enum mq_status status = mq_spool_address_read(platform, home, &work->address, error);
    if (status == MQ_NOT_FOUND) {
        mq_error_clear(error);
        mq_work_free(work, sizeof *work);
        return MQ_OK;
    }
    struct mq_buffer file = mq_buffer(mq_work_memory(MQ_BUNDLE_MAX), MQ_BUNDLE_MAX);
    mq_home_path(path, home, "spool");
    if (status == MQ_OK)
        status = platform->read(platform->self, path, &file, error);
    if (status == MQ_OK)
        status = send_file(work, transport, mq_written(&file), deadline_ms, out, error);
    mq_work_free(file.data, file.size);
    mq_work_free(work, sizeof *work);
    return status;
}
