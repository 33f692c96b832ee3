/* Heads of request and reply, have-lists and fingerprints (docs/protocol.md, section 4). */
#include "protocol/exchange.h"

#include <string.h>

#include "protocol/assert.h"

/* ---- Request ---- */

static void put_mailbox_request(struct mq_buffer *out, const struct mq_mailbox_request *mailbox)
{
    mq_put(out, mailbox->mailbox, sizeof mailbox->mailbox);
    mq_put_u64(out, mailbox->cursor);
    mq_put(out, mailbox->fingerprint, sizeof mailbox->fingerprint);
    mq_put(out, mailbox->stream, sizeof mailbox->stream);
    mq_put_u32(out, mailbox->head_seq);
    mq_put(out, mailbox->head_id, sizeof mailbox->head_id);
}

static void get_mailbox_request(struct mq_mailbox_request *out, struct mq_reader *reader)
{
    mq_get(reader, out->mailbox, sizeof out->mailbox);
    out->cursor = mq_get_u64(reader);
    mq_get(reader, out->fingerprint, sizeof out->fingerprint);
    mq_get(reader, out->stream, sizeof out->stream);
    out->head_seq = mq_get_u32(reader);
    mq_get(reader, out->head_id, sizeof out->head_id);
}

void mq_request_put(struct mq_buffer *out, const struct mq_request *request)
{
    size_t before = out->size;

    MQ_ASSERT(request->mailbox_count <= MQ_MAILBOXES_MAX);
    mq_put_u8(out, MQ_EXCHANGE_VERSION);
    mq_put_u8(out, (uint8_t)request->mailbox_count);
    mq_put(out, request->server_id, sizeof request->server_id);
    mq_put_u32(out, request->budget);
    mq_put(out, request->token, sizeof request->token);
    for (size_t i = 0; i < request->mailbox_count; i++)
        put_mailbox_request(out, &request->mailboxes[i]);
    MQ_ASSERT(out->failed ||
              out->size - before == MQ_REQUEST_HEAD_SIZE + request->mailbox_count * MQ_REQUEST_MAILBOX_SIZE);
}

enum mq_status mq_request_get(struct mq_request *out, struct mq_reader *reader)
{
    uint8_t version = mq_get_u8(reader);

    out->mailbox_count = mq_get_u8(reader);
    if (version != MQ_EXCHANGE_VERSION || out->mailbox_count > MQ_MAILBOXES_MAX)
        return MQ_REFUSED;
    mq_get(reader, out->server_id, sizeof out->server_id);
    out->budget = mq_get_u32(reader);
    mq_get(reader, out->token, sizeof out->token);
    for (size_t i = 0; i < out->mailbox_count; i++)
        get_mailbox_request(&out->mailboxes[i], reader);
    return reader->failed ? MQ_REFUSED : MQ_OK;
}

/* ---- Reply ---- */

static void put_mailbox_reply(struct mq_buffer *out, const struct mq_mailbox_reply *mailbox)
{
    mq_put_u64(out, mailbox->cursor);
    mq_put(out, mailbox->fingerprint, sizeof mailbox->fingerprint);
    mq_put_u32(out, mailbox->head_seq);
    mq_put(out, mailbox->head_id, sizeof mailbox->head_id);
    mq_put_u32(out, mailbox->remaining);
}

static void get_mailbox_reply(struct mq_mailbox_reply *out, struct mq_reader *reader)
{
    out->cursor = mq_get_u64(reader);
    mq_get(reader, out->fingerprint, sizeof out->fingerprint);
    out->head_seq = mq_get_u32(reader);
    mq_get(reader, out->head_id, sizeof out->head_id);
    out->remaining = mq_get_u32(reader);
}

void mq_reply_put(struct mq_buffer *out, const struct mq_reply *reply)
{
    size_t before = out->size;

    MQ_ASSERT(reply->mailbox_count <= MQ_MAILBOXES_MAX);
    mq_put_u8(out, MQ_EXCHANGE_VERSION);
    mq_put_u8(out, (uint8_t)reply->status);
    mq_put(out, reply->server_id, sizeof reply->server_id);
    for (size_t i = 0; i < reply->mailbox_count; i++)
        put_mailbox_reply(out, &reply->mailboxes[i]);
    MQ_ASSERT(out->failed || out->size - before == MQ_REPLY_HEAD_SIZE + reply->mailbox_count * MQ_REPLY_MAILBOX_SIZE);
}

enum mq_status mq_reply_get(struct mq_reply *out, size_t mailbox_count, struct mq_reader *reader)
{
    uint8_t version = mq_get_u8(reader);
    uint8_t status = mq_get_u8(reader);

    MQ_ASSERT(mailbox_count <= MQ_MAILBOXES_MAX);
    if (version != MQ_EXCHANGE_VERSION || status > MQ_REPLY_STRANGER)
        return MQ_REFUSED;
    out->status = (enum mq_reply_status)status;
    out->mailbox_count = mailbox_count;
    mq_get(reader, out->server_id, sizeof out->server_id);
    for (size_t i = 0; i < mailbox_count; i++)
        get_mailbox_reply(&out->mailboxes[i], reader);
    return reader->failed ? MQ_REFUSED : MQ_OK;
}

/* ---- Have-lists, sums, tokens ---- */

static void sum_of(uint8_t out[MQ_EXCHANGE_SUM_SIZE], struct mq_span before)
{
    mq_hash_one(out, MQ_EXCHANGE_SUM_SIZE, MQ_DOMAIN_BODY, before);
}

void mq_exchange_end(struct mq_buffer *out)
{
    uint8_t sum[MQ_EXCHANGE_SUM_SIZE];

    if (out->failed)
        return;
    sum_of(sum, mq_written(out));
    mq_frame_put(out, MQ_FRAME_END, MQ_SPAN(sum));
}

bool mq_exchange_whole(struct mq_span message, struct mq_span frames)
{
    uint8_t sum[MQ_EXCHANGE_SUM_SIZE];
    struct mq_reader reader = mq_reader(frames);
    struct mq_frame frame;
    size_t head = message.size - frames.size;

    MQ_ASSERT(frames.size == 0 || (frames.size <= message.size && frames.data == message.data + head));
    for (size_t at = 0; mq_frame_next(&reader, &frame) == MQ_OK; at = reader.at) {
        if (frame.type != MQ_FRAME_END)
            continue;
        sum_of(sum, mq_span(message.data, head + at));
        return mq_reader_done(&reader) && mq_span_equal(frame.payload, MQ_SPAN(sum));
    }
    return false;
}


void mq_have_put(struct mq_buffer *out, const struct mq_have *have)
{
    mq_put(out, have->stream, sizeof have->stream);
    mq_put_u32(out, have->count);
    mq_put_u32(out, have->highest);
    mq_put(out, have->fingerprint, sizeof have->fingerprint);
}

void mq_have_get(struct mq_have *out, struct mq_reader *reader)
{
    mq_get(reader, out->stream, sizeof out->stream);
    out->count = mq_get_u32(reader);
    out->highest = mq_get_u32(reader);
    mq_get(reader, out->fingerprint, sizeof out->fingerprint);
}

void mq_sum_add(struct mq_sum *sum, const uint8_t id[MQ_HASH_SIZE])
{
    unsigned carry = 0;

    for (size_t i = MQ_HASH_SIZE; i > 0; i--) {
        carry += (unsigned)sum->total[i - 1] + id[i - 1];
        sum->total[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
    sum->count++;
}

void mq_sum_fingerprint(uint8_t out[MQ_FINGERPRINT_SIZE], const struct mq_sum *sum)
{
    uint8_t memory[sizeof sum->count];
    struct mq_buffer count = mq_buffer(memory, sizeof memory);

    if (sum->count == 0) {
        memset(out, 0, MQ_FINGERPRINT_SIZE);
        return;
    }
    mq_put_u64(&count, sum->count);
    const struct mq_span parts[] = {MQ_SPAN(sum->total), mq_written(&count)};
    mq_hash(out, MQ_FINGERPRINT_SIZE, MQ_DOMAIN_FINGERPRINT, parts, 2);
}

void mq_token_hash(uint8_t out[MQ_ID_SIZE], const uint8_t token[MQ_TOKEN_SIZE])
{
    mq_hash_one(out, MQ_ID_SIZE, MQ_DOMAIN_TOKEN, mq_span(token, MQ_TOKEN_SIZE));
}
