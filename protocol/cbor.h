/* A strict, deterministic subset of CBOR (RFC 8949, section 4.2.1): definite lengths, shortest integers, no floats,
 * text that is UTF-8, simple values false, true, null. Map keys are integers or strings, sorted bytewise and unique.
 * The only tag is 6, on an unsigned integer or 16 bytes: a record reference, and never a key, since expanding it would
 * change the order. Anything else is refused, so that one value has one encoding and a signature covers one meaning
 * (docs/protocol.md, section 2). */
#ifndef MQ_PROTOCOL_CBOR_H
#define MQ_PROTOCOL_CBOR_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/status.h"

enum mq_cbor_type {
    MQ_CBOR_UINT,
    MQ_CBOR_NEGATIVE, /* the value is -1 - number */
    MQ_CBOR_BYTES,
    MQ_CBOR_TEXT,
    MQ_CBOR_ARRAY,    /* number = items */
    MQ_CBOR_MAP,      /* number = pairs */
    MQ_CBOR_REFERENCE,/* tag 6; its one item follows */
    MQ_CBOR_FALSE,
    MQ_CBOR_TRUE,
    MQ_CBOR_NULL
};

struct mq_cbor_item {
    enum mq_cbor_type type;
    uint64_t number;
    struct mq_span bytes; /* of BYTES and TEXT, borrowed from the input */
};

/* Writing: into a bounded buffer, sticky failure as everywhere. Keys of maps must be put in order; the encoder of maps
 * in this house always writes from sorted tables. Text must be valid UTF-8 (asserted). */
void mq_cbor_put_uint(struct mq_buffer *out, uint64_t number);
void mq_cbor_put_int(struct mq_buffer *out, int64_t number);
void mq_cbor_put_bytes(struct mq_buffer *out, struct mq_span bytes);
void mq_cbor_put_text(struct mq_buffer *out, struct mq_span text);
void mq_cbor_put_array(struct mq_buffer *out, uint64_t items);
void mq_cbor_put_map(struct mq_buffer *out, uint64_t pairs);
void mq_cbor_put_reference(struct mq_buffer *out); /* tag 6; the caller puts its item next */
void mq_cbor_put_bool(struct mq_buffer *out, bool value);
void mq_cbor_put_null(struct mq_buffer *out);

/* Is `encoded` exactly one item of the subset, with at most MQ_CBOR_DEPTH_MAX arrays and maps open at once? One pass.
 * Run once on what comes from outside: the readers below refuse everything else too, but do not see the order of keys
 * and the depth. */
MQ_MUST_USE bool mq_cbor_valid(struct mq_span encoded);

/* The next head (and the bytes of a string). Sets reader->failed and returns MQ_CBOR_NULL on anything refused. */
struct mq_cbor_item mq_cbor_next(struct mq_reader *reader);
/* The whole next item, whatever it is, as borrowed bytes. */
struct mq_span mq_cbor_take(struct mq_reader *reader);
/* The next item must be of this type, or the reader fails and 0 / empty comes back. */
uint64_t mq_cbor_uint(struct mq_reader *reader);
int64_t mq_cbor_int(struct mq_reader *reader); /* fails outside int64_t */
uint64_t mq_cbor_array(struct mq_reader *reader, uint64_t most);
uint64_t mq_cbor_map(struct mq_reader *reader, uint64_t most);
struct mq_span mq_cbor_bytes(struct mq_reader *reader, size_t most);
struct mq_span mq_cbor_text(struct mq_reader *reader, size_t most);

bool mq_utf8_valid(struct mq_span text);
/* Control characters stand for nothing that a person wrote: C0 and DEL; C1, which UTF-8 writes as c2 80 to c2 9f. `lines`:
 * line feeds and tabs are none. `text` is UTF-8. */
bool mq_utf8_controls(struct mq_span text, bool lines);
/* UTF-8 without control characters, as the names of people, teams and organisations are. */
bool mq_utf8_line(struct mq_span text);

#endif
