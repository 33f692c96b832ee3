/* What the parts of a sync share: sync.c (the rounds), sync_request.c (what to say), sync_reply.c (what was said). */
#ifndef MQ_REPLICA_SYNC_KEYS_H
#define MQ_REPLICA_SYNC_KEYS_H

#include "protocol/exchange.h"
#include "replica/keyring_keys.h"
#include "replica/sync.h"

/* A segment that is larger than a body goes in parts; one that came in parts is asked for further. */
struct mq_part_state {
    bool active;
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    uint32_t size, offset; /* sent or received so far */
};

/* The last stream of a piece of the have-list, which goes by compartment and stream. */
struct mq_have_place {
    bool begun; /* false: before the first */
    int64_t compartment;
    uint8_t stream[MQ_ID_SIZE];
};

/* One mailbox of a request: what this replica reads, and its own open stream there. */
struct mq_sync_mailbox {
    uint8_t mailbox[MQ_ID_SIZE];
    uint8_t stream[MQ_ID_SIZE]; /* zeros: none */
    uint32_t head_seq;          /* of it, here */
    uint8_t head_id[MQ_SEGMENT_ID_SIZE];
    int64_t server_seq;         /* how far the server has it */
};

/* Bytes, so half a million bits: of 50,000 things one in ten is taken for known, and never eight rounds' in a row. */
#define MQ_SYNC_NOTED_SIZE (64 * 1024)

/* One sync's memory between its requests. */
struct mq_sync_state {
    struct mq_replica *replica;
    const struct mq_team *team;
    const struct mq_sync_hooks *hooks;
    struct mq_sync_result *result;
    struct mq_request request; /* as last sent */
    /* Of the last request: the team's own first, then as many others as fit. Where there are more, later requests ask for
     * those after the compartment `turn`. */
    struct mq_sync_mailbox mailboxes[MQ_MAILBOXES_MAX];
    size_t mailbox_count;
    int64_t turn, turn_end; /* compartments: where the last request's others began and ended */
    bool turn_more;         /* there are others behind turn_end */
    uint32_t budget;        /* bytes of a request's frames */
    uint32_t reply_budget;  /* bytes that a reply may have */
    struct mq_part_state up, down;
    uint8_t borrow[MQ_SEGMENT_ID_SIZE]; /* a body that was dropped here and is needed once more, as last asked for; random at first */
    unsigned borrow_misses;             /* such bodies that were asked for and did not come */
    bool borrow_ended;                  /* too many did not come: nothing more of the kind in this sync */
    bool heads_only;   /* the next request says nothing: the spool was sent, so the server may have it all (replica/spool.h) */
    bool have_list;    /* the last request carried what we hold, or some of it */
    bool have_more;    /* of which there is more than fitted */
    struct mq_have_place have_said, have_end; /* so far it was answered; so far it went in the last request */
    bool moved;        /* the last reply brought a cursor or a piece further than any before */
    bool answers_only; /* all that is left to say are answers to those who ask to join: strangers may ask for ever */
    bool introduced;   /* a stranger's outbox was said once more */
    bool stranger;     /* the last reply said that the server does not know us */
    bool more;         /* something waits here that did not fit */
    int64_t outbox_sent, carry_sent; /* greatest row numbers in the last request */
    uint8_t *noted; /* MQ_SYNC_NOTED_SIZE bytes, zeros at first: what moved in this sync, as bits by hash */
};

/* Was this not told before, in this sync? Notes it. Seldom false for something new, never true twice for the same. */
bool mq_sync_news(struct mq_sync_state *state, struct mq_span what);
/* The same of a piece that goes as far as `reached` into the segment, wherever it begins. */
bool mq_sync_piece_news(struct mq_sync_state *state, const uint8_t id[MQ_SEGMENT_ID_SIZE], uint32_t reached);

/* Rows of the outbox that go under this team's token (a parameter): a relay takes a wrap only from the team of its grant, whatever
 * else waits is signed. */
#define MQ_OUTBOX_OF(team) \
    "(frame <> 5 OR substr(bytes, 1, 8) IN (SELECT kid FROM grants JOIN mailbox USING(mailbox) WHERE team = " team "))"

/* Mailboxes whose segments are carried under this team's token (a parameter): its own, and those of teams to which this replica
 * does not belong, brought by a bundle. A relay takes segments of whatever team from every member. */
#define MQ_CARRIED_BY(team) "(mailbox.team = " team " OR mailbox.team NOT IN (SELECT own.team FROM team AS own))"

/* Fills `out` with a whole request. */
MQ_MUST_USE enum mq_status mq_sync_request(struct mq_sync_state *state, struct mq_buffer *out, struct mq_error *error);
/* Takes a whole reply in, in one transaction with the new cursor. `*again` says whether another round is needed. */
MQ_MUST_USE enum mq_status mq_sync_reply(struct mq_sync_state *state, struct mq_span reply, bool *again,
                                         struct mq_error *error);

/* Looks up the own open stream of `out->mailbox`. */
MQ_MUST_USE enum mq_status mq_sync_own_stream(struct mq_sync_state *state, struct mq_sync_mailbox *out,
                                              struct mq_error *error);

#endif
