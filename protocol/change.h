/* A change: the smallest thing a person does to a record, and the payload that carries a batch of them
 * (docs/protocol.md, section 2). Everywhere but inside a payload a change stands in its expanded form: every record
 * reference is tag 6 over 16 bytes. */
#ifndef MQ_PROTOCOL_CHANGE_H
#define MQ_PROTOCOL_CHANGE_H

#include "protocol/cbor.h"
#include "protocol/hash.h"

#define MQ_SCHEMA 1

enum mq_change_type {
    MQ_CHANGE_CREATE = 1,
    MQ_CHANGE_SET = 2,
    MQ_CHANGE_ADD = 3,
    MQ_CHANGE_REMOVE = 4,
    MQ_CHANGE_ATTACH = 5,
    MQ_CHANGE_DECIDE = 6,
    MQ_CHANGE_ERASE = 16,  /* a desk's list of what is to go: protocol/erase.h takes it apart */
    MQ_CHANGE_RETURN = 17  /* a piece of a segment for a desk that lost it: protocol/returned.h */
};

/* A change taken apart; spans borrow from its expanded bytes. Extras at the end of the array are kept in the bytes. */
struct mq_change {
    uint64_t type;         /* enum mq_change_type; others are unknown: kept, counted, passed on */
    uint64_t kind;         /* create */
    struct mq_span fields; /* create: the CBOR map {field: value}; a set's value is an array of elements */
    uint8_t record[MQ_ID_SIZE]; /* all but create */
    uint64_t field;
    struct mq_span value;    /* one CBOR item; empty for remove */
    struct mq_span replaced; /* CONTENT: names of 8 bytes one after another */
    struct mq_span note;     /* decide, and a set that gives a reason: text */
};

/* Building, expanded, into `out`. `replaced` is names of 8 bytes one after another, at most MQ_REPLACED_MAX. Of a
 * create the map's content is given: `pairs` (number, value) pairs, sorted by number, already encoded. */
void mq_change_put_create(struct mq_buffer *out, uint64_t kind, uint64_t pairs, struct mq_span encoded_pairs);
/* `note` empty: none is written. */
void mq_change_put_set(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field, struct mq_span value,
                       struct mq_span replaced, struct mq_span note);
void mq_change_put_add(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field, struct mq_span value);
void mq_change_put_remove(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field,
                          struct mq_span replaced);
void mq_change_put_decide(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE], uint64_t field, struct mq_span value,
                          struct mq_span replaced, struct mq_span note);
void mq_put_reference(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE]); /* tag 6 over 16 bytes */

/* Takes an expanded change apart. MQ_REFUSED: over MQ_CHANGE_MAX, or of a known type and not of its shape; whoever
 * journals a change asks here first, since a payload with such a change is refused by everybody. Unknown types pass
 * with only `type` set. `replaced` names are copied together behind what `names` holds, because CBOR has a head before
 * each; MQ_REPLACED_MAX * 8 bytes are always enough. MQ_NO_SPACE: they were not. */
MQ_MUST_USE enum mq_status mq_change_decode(struct mq_change *out, struct mq_span expanded, struct mq_buffer *names);

/* change_id = H_16("chgid", salt, index u32, expanded change); of a create it is the record's id. */
void mq_change_id(uint8_t out[MQ_ID_SIZE], const uint8_t salt[MQ_SALT_SIZE], uint32_t index, struct mq_span expanded);
/* Of a set's element: H_8("elem", change id, value). A register's value is named by the first 8 bytes of its change
 * id. */
void mq_element_name(uint8_t out[MQ_NAME_SIZE], const uint8_t change_id[MQ_ID_SIZE], struct mq_span value);

struct mq_clock {
    uint32_t boot;
    uint64_t monotonic_seconds;
    int64_t wall_seconds;
    bool offset_known;
    int32_t utc_offset; /* seconds; only where known */
};

struct mq_frontier_entry {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq;
    uint8_t id_prefix[MQ_NAME_SIZE];
};

struct mq_stamp {
    uint32_t minutes; /* since the previous change's stamp; of the first: since the batch was opened */
    uint8_t actor;    /* index into actors */
};

/* What a payload says besides its changes. */
struct mq_payload_head {
    uint64_t schema; /* a newer one than MQ_SCHEMA is no reason to refuse */
    uint8_t salt[MQ_SALT_SIZE];
    struct mq_clock clock;
    struct mq_frontier_entry frontier[MQ_FRONTIER_MAX];
    size_t frontier_count;
    uint64_t extra_count;  /* items that a newer schema put behind the stamps: kept, without references */
    struct mq_span extras; /* borrowed from the payload; both are zero in what this program writes */
};

/* One change of a batch, as encoder's input and decoder's output. */
struct mq_batch_change {
    struct mq_span expanded;
    struct mq_stamp stamp;
    uint8_t id[MQ_ID_SIZE]; /* the decoder fills it; the encoder is given it, as it was when the change was journaled */
};

/* A payload is the array [schema, salt, clock, frontier, refs, changes, stamps], in CBOR:
 *   clock     [boot, monotonic seconds, wall seconds (may be negative), offset or null]
 *   frontier  [[stream, seq, id prefix] ...]
 *   refs      one byte string, 16 bytes for each record, in the order in which the changes first mention them, each
 *             once; never a record that this batch creates
 *   changes   [change ...], in which a reference is tag 6 over an index: below refs' count into refs, beyond it the
 *             record that change (index - count) of this batch creates, which must stand earlier
 *   stamps    [minutes * MQ_ACTORS_MAX + actor ...], one for each change
 * So a batch has one payload, and decode and encode undo each other. Extras may stand at the end of the payload and of
 * each change; clock and frontier entries are never longer. */

/* MQ_NO_SPACE: `out` is too small, or there are more than MQ_REFS_MAX references. Asserts that the changes are such as
 * mq_change_decode takes, that each reference to a record of this batch follows its create, and that counts are within
 * limits. */
MQ_MUST_USE enum mq_status mq_payload_encode(struct mq_buffer *out, const struct mq_payload_head *head,
                                             const struct mq_batch_change *changes, size_t count);
/* Decodes and expands. Each reference grows by at most 16 bytes; `space` receives the expanded changes, to which
 * `changes` points, so it must stay as long as they are used. MQ_REFUSED: not the one form above, a known change in
 * another than its shape, counts over limits, expanded changes over MQ_EXPANDED_MAX together. Newer schemas, unknown
 * types and extras are not refused. MQ_NO_SPACE: more than `most` changes, or `space` is too small; MQ_CHANGES_MAX and
 * MQ_EXPANDED_MAX are always enough. */
MQ_MUST_USE enum mq_status mq_payload_decode(struct mq_payload_head *head, struct mq_batch_change *changes, size_t most,
                                             size_t *count, struct mq_span payload, struct mq_buffer *space);

#endif
