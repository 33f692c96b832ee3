/* One POST both ways: what a replica says of what it has, and what a relay answers (docs/protocol.md, section 4). */
#ifndef MQ_PROTOCOL_EXCHANGE_H
#define MQ_PROTOCOL_EXCHANGE_H

#include "protocol/frame.h"

#define MQ_EXCHANGE_VERSION 1
/* As a cursor: no records for this mailbox, only "your head". A mailbox may be listed again for another stream of the
 * same writer. */
#define MQ_CURSOR_NONE UINT64_MAX

/* What is already mine is not sent to me: of `stream`, in any entry, the announce and the segments up to head_seq. A
 * writer who learns that his stream has forked opens a new one, lists the old no more, and asks again from cursor 0. */
struct mq_mailbox_request {
    uint8_t mailbox[MQ_ID_SIZE];
    uint64_t cursor;                           /* last log number received, 0 at first */
    uint8_t fingerprint[MQ_FINGERPRINT_SIZE];  /* as the server gave it with that cursor; zeros at 0 */
    uint8_t stream[MQ_ID_SIZE];                /* mine; zeros: none yet */
    uint32_t head_seq;                         /* my newest sealed segment, this request's included; 0: none */
    uint8_t head_id[MQ_ID_SIZE];               /* first 16 bytes of its id */
};

struct mq_request {
    uint8_t server_id[MQ_SERVER_ID_SIZE]; /* the server I think I talk to; zeros at first */
    uint32_t budget;                      /* bytes that the reply may have */
    uint8_t token[MQ_TOKEN_SIZE];
    struct mq_mailbox_request mailboxes[MQ_MAILBOXES_MAX];
    size_t mailbox_count;
};

enum mq_reply_status {
    MQ_REPLY_OK = 0,
    MQ_REPLY_RESET = 1,   /* server id, cursor and fingerprint do not fit together: start from 0 and send a have-list */
    MQ_REPLY_STRANGER = 2 /* the token is not on the access list: nothing stored, nothing given */
};

struct mq_mailbox_reply {
    uint64_t cursor;
    uint8_t fingerprint[MQ_FINGERPRINT_SIZE];
    uint32_t head_seq;   /* of the stream asked about: the end of its unbroken chain as stored here */
    uint8_t head_id[MQ_ID_SIZE];
    uint32_t remaining;  /* log items beyond the new cursor */
};

struct mq_reply {
    enum mq_reply_status status;
    uint8_t server_id[MQ_SERVER_ID_SIZE];
    struct mq_mailbox_reply mailboxes[MQ_MAILBOXES_MAX]; /* in the request's order */
    size_t mailbox_count;
};

/* Heads only; frames follow in the same buffer. */
void mq_request_put(struct mq_buffer *out, const struct mq_request *request);
MQ_MUST_USE enum mq_status mq_request_get(struct mq_request *out, struct mq_reader *reader);
void mq_reply_put(struct mq_buffer *out, const struct mq_reply *reply);
/* `mailbox_count` is that of the request: the reply does not repeat it. MQ_REFUSED. */
MQ_MUST_USE enum mq_status mq_reply_get(struct mq_reply *out, size_t mailbox_count, struct mq_reader *reader);

/* Ends a request or a reply: an end frame with a sum of everything before it. The buffer holds the message from its first
 * byte on. */
void mq_exchange_end(struct mq_buffer *out);
/* Did all of it come, as it was sent? `frames` is what follows the head in `message`. Where not, whole frames count, each
 * for itself, but nobody may conclude anything from what is not there. Against accidents behind the end of TLS; who wants
 * to deceive can make a sum too. */
bool mq_exchange_whole(struct mq_span message, struct mq_span frames);

/* A have-list says for each stream how many of its segments are held, the highest seq and the fingerprint of their ids;
 * where the receiver's own differ, it wants the stream. Forks and holes need no special case. */
#define MQ_HAVE_ENTRY_SIZE (MQ_ID_SIZE + 4 + 4 + MQ_FINGERPRINT_SIZE)
struct mq_have {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t count, highest;
    uint8_t fingerprint[MQ_FINGERPRINT_SIZE];
};
void mq_have_put(struct mq_buffer *out, const struct mq_have *have);
void mq_have_get(struct mq_have *out, struct mq_reader *reader);

/* A running sum of ids modulo 2^256, and its fingerprint H_16("fp", sum, count): equal sets in any order are equal. */
struct mq_sum {
    uint8_t total[MQ_HASH_SIZE];
    uint64_t count;
};
void mq_sum_add(struct mq_sum *sum, const uint8_t id[MQ_HASH_SIZE]);
void mq_sum_fingerprint(uint8_t out[MQ_FINGERPRINT_SIZE], const struct mq_sum *sum); /* zeros for count 0 */

/* What the access list knows a token by: H_16("token", token). */
void mq_token_hash(uint8_t out[MQ_ID_SIZE], const uint8_t token[MQ_TOKEN_SIZE]);

#endif
