/* A bad line between one member and the relay of a village: one message of a sync is cut, changed, repeated or swapped
 * for an older one, the others pass as they are. */
#ifndef MQ_TESTS_REPLICA_WIRE_H
#define MQ_TESTS_REPLICA_WIRE_H

#include "tests/replica/village.h"

enum wire_harm {
    WIRE_NONE,
    WIRE_CUT_UP,    /* the relay gets the first `at` bytes, takes them for all, and its answer is lost */
    WIRE_FLIP_UP,   /* bit `at` of the request is another one */
    WIRE_CUT_DOWN,  /* the member gets the first `at` bytes of the reply, and is told that it broke */
    WIRE_FLIP_DOWN, /* bit `at` of the reply is another one */
    WIRE_TWICE,     /* the request comes once more, later; the member gets the answer to the first */
    WIRE_STALE      /* the member gets the reply `stale` again instead of the true one */
};

struct wire {
    struct village *village;
    enum wire_harm harm;
    int message; /* which request of the sync it is done to, from 0 */
    size_t at;
    struct mq_span stale;
    bool thin; /* syncs begin with the smallest bodies */
    /* What was seen. */
    int messages;
    bool harmed;               /* it was done: the message was long enough */
    size_t up_size, down_size; /* of the message `message`, whole */
    int64_t segments;          /* whole segment frames in what got through of it, up or down */
    size_t last_size;          /* the last reply, whole */
    uint8_t last[MQ_REPLY_MAX];
};

/* A line as good as new, to this village. */
void wire_mend(struct wire *wire, struct village *village);
/* Syncs over it. `patient`: goes on after a failure; else it gives up at the first. */
enum mq_status wire_sync(struct wire *wire, struct village_member *member, bool patient);

/* What a member believes of its own progress: nothing of it may move by a message that did not come whole. */
struct wire_position {
    int64_t cursors, fingerprints, server_seq, stored, outbox_sent, segments, anchored;
};
void wire_position(struct village_member *member, struct wire_position *out);

/* Segments at the relay in the streams of this member. */
int64_t wire_held(struct village *village, struct village_member *member);

#endif
