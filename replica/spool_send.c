/* Sending the spool: an exchange that says everything and asks for nothing but "your head", without any key. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/compartment.h"
#include "protocol/exchange.h"
#include "protocol/segment.h"
#include "replica/replica_keys.h"
#include "replica/spool.h"

#define REPLY_LEAST 2048 /* bytes: heads, skeletons and what is said to everybody */

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
    uint32_t total;        /* segments among them */
    uint32_t part_offset;  /* bytes of the first one that is not taken, as far as the server has them */
    bool introduced;       /* the desks' certificates were said */
    struct mq_error unkept; /* the note could not be written: what was sent was sent all the same */
    /* The request under way. */
    struct sent_stream streams[MQ_MAILBOXES_MAX];
    size_t stream_count;
    uint32_t segments, part_end; /* whole ones in it; or up to where a part of one reaches (0: none) */
    struct mq_request request;
};

/* ---- the spool's frames ---- */

/* The next segment behind the reader; false: there is none. One that does not decode is passed over, as if it were not
 * there. */
static bool next_segment(struct mq_reader *reader, struct mq_frame *frame, struct mq_segment *segment)
{
    while (mq_frame_next(reader, frame) == MQ_OK)
        if (frame->type == MQ_FRAME_SEGMENT && mq_segment_decode(segment, frame->payload) == MQ_OK)
            return true;
    return false;
}

static uint32_t count_segments(struct mq_span frames)
{
    struct mq_reader reader = mq_reader(frames);
    struct mq_frame frame;
    struct mq_segment segment;
    uint32_t count = 0;
    while (next_segment(&reader, &frame, &segment))
        count++;
    return count;
}

/* A reader that stands before the first segment that was not taken. */
static struct mq_reader untaken(const struct sending *work)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    struct mq_segment segment;
    for (uint32_t i = 0; i < work->address.taken && next_segment(&reader, &frame, &segment); i++)
        continue;
    return reader;
}

static bool find_announce(const struct sending *work, const uint8_t stream[MQ_ID_SIZE], struct mq_announce *out,
                          struct mq_span *bytes)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    uint8_t name[MQ_ID_SIZE];
    while (mq_frame_next(&reader, &frame) == MQ_OK) {
        if (frame.type != MQ_FRAME_ANNOUNCE || mq_announce_decode(out, frame.payload) != MQ_OK)
            continue;
        mq_announce_stream(name, out);
        *bytes = frame.payload;
        if (memcmp(name, stream, MQ_ID_SIZE) == 0)
            return true;
    }
    return false;
}

/* ---- the request ---- */

static struct sent_stream *stream_of(struct sending *work, const uint8_t stream[MQ_ID_SIZE])
{
    for (size_t i = 0; i < work->stream_count; i++)
        if (memcmp(work->streams[i].stream, stream, MQ_ID_SIZE) == 0)
            return &work->streams[i];
    return NULL;
}

/* What goes into this request: as many segments as the body may have, of as many streams as a request can ask about. At
 * least one, which may be larger than the body: then it goes in parts. */
static void choose(struct sending *work)
{
    struct mq_reader reader = untaken(work);
    struct mq_frame frame;
    struct mq_segment segment;
    size_t size = 0;
    work->stream_count = work->segments = work->part_end = 0;
    while (next_segment(&reader, &frame, &segment)) {
        struct sent_stream *stream = stream_of(work, segment.stream);
        size_t more = MQ_FRAME_HEADER_SIZE + frame.payload.size;
        if (stream == NULL)
            more += MQ_FRAME_HEADER_SIZE + MQ_ANNOUNCE_SIZE;
        bool too_many = stream == NULL && work->stream_count == MQ_MAILBOXES_MAX;
        if (work->segments > 0 && (size + more > work->address.body || too_many))
            return;
        if (stream == NULL) {
            stream = &work->streams[work->stream_count++];
            *stream = (struct sent_stream){.head_seq = 0};
            memcpy(stream->stream, segment.stream, MQ_ID_SIZE);
        }
        stream->head_seq = segment.seq;
        memcpy(stream->head_id, segment.id, MQ_SEGMENT_ID_SIZE);
        size += more;
        work->segments++;
    }
}

static void put_part(struct sending *work, struct mq_buffer *out, const struct mq_segment *segment, struct mq_span bytes)
{
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
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    struct mq_segment segment;
    size_t desks = 0; /* no store has more; the spool stands where anybody may have written to it */
    while (!work->introduced && desks < MQ_DESKS_MAX && mq_frame_next(&reader, &frame) == MQ_OK)
        if (frame.type == MQ_FRAME_CERTIFICATE && frame.payload.size == MQ_CERTIFICATE_SIZE) {
            mq_frame_put(out, MQ_FRAME_CERTIFICATE, frame.payload);
            desks++;
        }
    reader = untaken(work);
    for (uint32_t i = 0; i < work->segments && next_segment(&reader, &frame, &segment); i++) {
        struct sent_stream *stream = stream_of(work, segment.stream);
        struct mq_announce announce;
        struct mq_span bytes;
        if (!stream->announced && find_announce(work, segment.stream, &announce, &bytes))
            mq_frame_put(out, MQ_FRAME_ANNOUNCE, bytes);
        stream->announced = true;
        if (work->segments == 1 && frame.payload.size > work->address.body)
            put_part(work, out, &segment, frame.payload);
        else
            mq_frame_put(out, MQ_FRAME_SEGMENT, frame.payload);
    }
}

static void request_make(struct sending *work, struct mq_buffer *out)
{
    struct mq_request *request = &work->request;
    struct mq_announce announce;
    struct mq_span bytes;
    choose(work);
    memset(request, 0, sizeof *request);
    request->budget = REPLY_LEAST;
    memcpy(request->token, work->address.token, MQ_TOKEN_SIZE);
    for (size_t i = 0; i < work->stream_count; i++) {
        const struct sent_stream *stream = &work->streams[i];
        struct mq_mailbox_request *entry = &request->mailboxes[request->mailbox_count];
        if (!find_announce(work, stream->stream, &announce, &bytes))
            continue;
        mq_mailbox(entry->mailbox, announce.certificate.team, announce.compartment);
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

/* The server's head of a stream counts if it names a segment of the spool: then it has all before it too. */
static bool head_counts(const struct sending *work, const uint8_t stream[MQ_ID_SIZE],
                        const struct mq_mailbox_reply *said)
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    struct mq_segment segment;
    while (said->head_seq > 0 && next_segment(&reader, &frame, &segment))
        if (segment.seq == said->head_seq && memcmp(segment.stream, stream, MQ_ID_SIZE) == 0)
            return memcmp(segment.id, said->head_id, MQ_ID_SIZE) == 0;
    return false;
}

/* Of what comes next, the server may have something already: an earlier answer was lost. */
static void pass_over(struct sending *work, const struct mq_reply *reply)
{
    bool counts[MQ_MAILBOXES_MAX] = {false};
    struct mq_reader reader = untaken(work);
    struct mq_frame frame;
    struct mq_segment segment;
    for (size_t i = 0; i < reply->mailbox_count; i++)
        counts[i] = head_counts(work, work->request.mailboxes[i].stream, &reply->mailboxes[i]);
    while (next_segment(&reader, &frame, &segment)) {
        bool has = false;
        for (size_t i = 0; i < reply->mailbox_count; i++)
            has = has || (counts[i] && segment.seq <= reply->mailboxes[i].head_seq &&
                          memcmp(segment.stream, work->request.mailboxes[i].stream, MQ_ID_SIZE) == 0);
        if (!has)
            return;
        work->address.taken++;
        work->part_offset = 0;
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
    work->introduced = true;
    bool whole = true;
    if (work->part_end > 0) {
        struct mq_reader ahead = untaken(work);
        struct mq_frame frame;
        struct mq_segment segment;
        whole = next_segment(&ahead, &frame, &segment) && work->part_end == frame.payload.size;
        work->part_offset = whole ? 0 : work->part_end;
    }
    if (whole)
        work->address.taken += work->segments;
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
    work->total = count_segments(work->frames);
    if (work->address.taken > work->total)
        work->address.taken = 0;
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
