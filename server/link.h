/* Between the desk, which has the keys, and the relay with its store, which has none: one question, one answer. Over a
 * socket pair where a server runs, by a call where one process does both. */
#ifndef MQ_SERVER_LINK_H
#define MQ_SERVER_LINK_H

#include "server/relay/relay.h"

enum mq_link_word {
    MQ_LINK_EXCHANGE = 1, /* body: an exchange's request; the answer is its reply */
    MQ_LINK_CHECK = 2,    /* of the whole store; no body, no answer */
    MQ_LINK_COPY = 3      /* body: the path that a copy of the store goes to */
};

struct mq_link {
    int descriptor;         /* -1: the relay is in this process */
    struct mq_relay *relay; /* then this one; NULL: the store is another machine's, out of reach but for exchanges */
};
bool mq_link_reaches_store(const struct mq_link *link);

/* `reply` must be empty and hold MQ_REPLY_MAX. What the relay's side answers; MQ_UNREACHABLE: it has gone. */
MQ_MUST_USE enum mq_status mq_link_ask(struct mq_link *link, enum mq_link_word word, struct mq_span body,
                                       struct mq_buffer *reply, struct mq_error *error);

/* The relay's side: takes one question from the socket. `question` needs MQ_REQUEST_MAX + 1. MQ_UNREACHABLE: the desk
 * has gone. */
MQ_MUST_USE enum mq_status mq_link_hear(int descriptor, struct mq_buffer *question, struct mq_error *error);
/* And answers it. `reply` is scratch of MQ_REPLY_MAX. */
MQ_MUST_USE enum mq_status mq_link_answer(int descriptor, struct mq_relay *relay, struct mq_span question,
                                          struct mq_buffer *reply, struct mq_error *error);

#endif
