/* [handle, offset, directory, input, [argument ...]] and [exit code, handle, total, talk, piece] in CBOR. */
#include "server/local_call.h"

#include "protocol/assert.h"
#include "protocol/cbor.h"

void mq_call_request_put(struct mq_buffer *out, const struct mq_call_request *request)
{
    mq_cbor_put_array(out, 5);
    mq_cbor_put_uint(out, request->handle);
    mq_cbor_put_uint(out, request->offset);
    mq_cbor_put_bytes(out, request->directory);
    mq_cbor_put_bytes(out, request->input);
    mq_cbor_put_array(out, request->argument_count);
    for (size_t i = 0; i < request->argument_count; i++)
        mq_cbor_put_bytes(out, request->arguments[i]);
}

enum mq_status mq_call_request_get(struct mq_call_request *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);

    *out = (struct mq_call_request){0};
    if (mq_cbor_array(&reader, 5) != 5)
        return MQ_REFUSED;
    out->handle = mq_cbor_uint(&reader);
    out->offset = mq_cbor_uint(&reader);
    out->directory = mq_cbor_bytes(&reader, bytes.size);
    out->input = mq_cbor_bytes(&reader, bytes.size);
    out->argument_count = mq_cbor_array(&reader, MQ_CALL_ARGUMENTS_MAX);
    for (size_t i = 0; i < out->argument_count; i++)
        out->arguments[i] = mq_cbor_bytes(&reader, bytes.size);
    return mq_reader_done(&reader) ? MQ_OK : MQ_REFUSED;
}

void mq_call_reply_put(struct mq_buffer *out, const struct mq_call_reply *reply)
{
    mq_cbor_put_array(out, 5);
    mq_cbor_put_uint(out, reply->exit_code);
    mq_cbor_put_uint(out, reply->handle);
    mq_cbor_put_uint(out, reply->total);
    mq_cbor_put_bytes(out, reply->talk);
    mq_cbor_put_bytes(out, reply->piece);
}

enum mq_status mq_call_reply_get(struct mq_call_reply *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);

    *out = (struct mq_call_reply){0};
    if (mq_cbor_array(&reader, 5) != 5)
        return MQ_REFUSED;
    out->exit_code = mq_cbor_uint(&reader);
    out->handle = mq_cbor_uint(&reader);
    out->total = mq_cbor_uint(&reader);
    out->talk = mq_cbor_bytes(&reader, bytes.size);
    out->piece = mq_cbor_bytes(&reader, bytes.size);
    return mq_reader_done(&reader) && out->exit_code <= 255 ? MQ_OK : MQ_REFUSED;
}
