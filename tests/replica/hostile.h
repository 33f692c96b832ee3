/* What village.h leaves out: relays that lie, links that break in a chosen place, members who bypass their program. */
#ifndef MQ_TESTS_REPLICA_HOSTILE_H
#define MQ_TESTS_REPLICA_HOSTILE_H

#include "platform/db.h"
#include "protocol/segment.h"
#include "tests/replica/village.h"

/* The way between one member and the relay, for as long as a test wants it. Zeros: an honest one. */
struct hostile_way {
    struct village *village;
    int requests;           /* so far */
    int drop_from, drop_to; /* requests with these numbers, from 0, are lost; drop_to is the first that is not */
    uint32_t withheld_seq;  /* segments of this number are left out of every reply; 0: none */
    uint8_t lost_id[MQ_SEGMENT_ID_SIZE]; /* this segment the relay has lost; zeros: none */
    struct mq_span wanted;  /* this stream is asked for in every reply; empty: none */
    struct mq_span wanted_in_turn; /* this one in every second reply, instead of the other; empty: none */
    bool keeps_nothing;     /* what is sent never reaches the relay, and the reply says all is well */
    bool withholds_words;   /* control objects are left out of every reply */
    size_t reply_most;      /* bytes of a reply after which the link breaks; 0: any */
    size_t request_most;    /* larger requests are lost; 0: none */
    uint32_t claimed_seq;   /* the reply says that this is the head of the member's stream; 0: it says the truth */
    uint8_t claimed_id[MQ_ID_SIZE];
    struct mq_span skeleton; /* said with the claim; empty: none */
};

/* village_sync over such a way. */
enum mq_status hostile_sync(struct hostile_way *way, struct village_member *member, struct mq_sync_result *result);

/* A change that the member's program would not have written: into a batch of its own, and sealed. His own view does not
 * know it. */
void hostile_write(struct village_member *member, struct mq_span expanded);

/* The same into another compartment, sealed to its commitment, as everybody may write there. */
struct hostile_sealing {
    struct village_member *member;
    uint32_t compartment;
    struct mq_span expanded;
    const uint8_t *record; /* that it is about */
    uint8_t *id;           /* gets the change's */
};
void hostile_seal(struct hostile_sealing *sealing);

/* The first segment that the member sealed, as everybody sees it. */
struct hostile_copy {
    uint8_t bytes[MQ_SEGMENT_MAX], skeleton[MQ_SKELETON_SIZE];
    size_t size;
    struct mq_segment segment; /* borrows from bytes */
};
void hostile_copy(struct village_member *member, struct hostile_copy *out);

/* The one number that a query of a member's store gives. */
int64_t hostile_count(struct village_member *member, const char *sql);
/* At every member that is open: admitted, waiting, quarantined and undecodable segments make up all that are stored (M12). */
void hostile_accounted(struct village *village);

#endif
