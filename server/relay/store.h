/* The relay's store: a few verbs of our domain, behind which SQLite stands by default. Every backend passes the same
 * suite, tests/server/store_contract.c. It holds sealed bytes and signed objects only; nothing here can open anything.
 *
 * What every backend promises: a call that answered MQ_OK is on disk (within a group: once commit did); a call that did
 * not has changed nothing (within a group: commit then refuses, and all of it is undone), except that after MQ_FAULT, a
 * disk error, nothing more is written until the store is opened anew, and only then does it show whether what was under
 * way got there: whole or not at all; one object is stored once
 * however often it comes; log numbers of a mailbox are 1, 2, 3 ... without gaps, in the order in which they become
 * visible. MQ_REFUSED, MQ_NOT_FOUND and MQ_WAITING are answers, not failures: they do not undo a group, and the latter
 * two leave `error` untouched. Any verb may answer MQ_NO_SPACE (the disk is full), MQ_DAMAGED or MQ_FAULT. */
#ifndef MQ_SERVER_RELAY_STORE_H
#define MQ_SERVER_RELAY_STORE_H

#include "platform/platform.h"
#include "protocol/control.h"
#include "protocol/exchange.h"

struct mq_store;

/* One thing in a mailbox's log. Bytes are borrowed: by the store during append, by the callback during list. */
struct mq_log_item {
    uint8_t frame; /* enum mq_frame_type: segment, announce, grant, wrap, certificate, control */
    uint8_t id[MQ_HASH_SIZE];     /* the segment's id; of others H_32("body", bytes) */
    uint8_t stream[MQ_ID_SIZE];   /* of segments and announces; zeros otherwise */
    uint32_t seq;                 /* of segments; 0 otherwise */
    uint8_t previous[MQ_SEGMENT_ID_SIZE]; /* of segments */
    uint8_t name[MQ_KID_SIZE];    /* of a grant its kid, of an announce mq_key_name of the writer's sign key */
    struct mq_span bytes;         /* the frame's payload */
    uint64_t number;              /* given by the store */
};

struct mq_stream_head {
    uint32_t seq; /* end of the unbroken chain that is stored; 0: nothing */
    uint8_t id[MQ_SEGMENT_ID_SIZE];
};

struct mq_log_position {
    uint64_t number;
    struct mq_sum sum; /* of all ids up to number */
};

/* Callbacks of listings: false stops it. They may call no verb. */
typedef bool mq_take_item(void *context, const struct mq_log_item *item);
typedef bool mq_take_bytes(void *context, struct mq_span bytes);
typedef bool mq_take_stream(void *context, const uint8_t stream[MQ_ID_SIZE]);

struct mq_store_verbs {
    void (*close)(struct mq_store *); /* NULL is fine */
    /* The id of this store's life: random, made at creation, changed by renew (after a restore). */
    enum mq_status (*server_id)(struct mq_store *, uint8_t out[MQ_SERVER_ID_SIZE], struct mq_error *);
    enum mq_status (*renew)(struct mq_store *, struct mq_error *);
    /* One durable group of writes: begin, any number of verbs, commit; rollback forgets them. Groups do not nest. */
    enum mq_status (*begin)(struct mq_store *, struct mq_error *);
    enum mq_status (*commit)(struct mq_store *, struct mq_error *);
    void (*rollback)(struct mq_store *);

    /* Appends unless it is there; *added says which. A stream has one announce, the first. For a segment the stream's
     * head moves on along `previous` as far as the chain is unbroken; of two that follow the same one, the first
     * to come stays. */
    enum mq_status (*append)(struct mq_store *, const uint8_t mailbox[MQ_ID_SIZE], const struct mq_log_item *,
                             bool *added, struct mq_error *);
    /* The newest position, and the one at a given number (MQ_NOT_FOUND beyond the end). */
    enum mq_status (*last)(struct mq_store *, const uint8_t mailbox[MQ_ID_SIZE], struct mq_log_position *,
                           struct mq_error *);
    enum mq_status (*position)(struct mq_store *, const uint8_t mailbox[MQ_ID_SIZE], uint64_t number,
                               struct mq_log_position *, struct mq_error *);
    /* Items after `cursor` in order, until `take` answers false. */
    enum mq_status (*list)(struct mq_store *, const uint8_t mailbox[MQ_ID_SIZE], uint64_t cursor, mq_take_item *take,
                           void *context, struct mq_error *);
    /* The announce of a stream (302 bytes) and its mailbox. MQ_NOT_FOUND. */
    enum mq_status (*announce)(struct mq_store *, const uint8_t stream[MQ_ID_SIZE], uint8_t mailbox[MQ_ID_SIZE],
                               struct mq_buffer *bytes, struct mq_error *);
    /* The grant (345 bytes) that wraps name by this kid. MQ_NOT_FOUND. */
    enum mq_status (*grant)(struct mq_store *, const uint8_t kid[MQ_KID_SIZE], struct mq_buffer *bytes,
                            struct mq_error *);
    /* Every grant of every team, in the order in which they came. */
    enum mq_status (*grants)(struct mq_store *, mq_take_bytes *take, void *context, struct mq_error *);
    /* A stored segment by id. MQ_NOT_FOUND. */
    enum mq_status (*segment)(struct mq_store *, const uint8_t id[MQ_SEGMENT_ID_SIZE], struct mq_buffer *bytes,
                              struct mq_error *);
    /* Of a stream: its head; what is held, for have-lists, and its bytes for the quota. Unknown streams: zeros. */
    enum mq_status (*head)(struct mq_store *, const uint8_t stream[MQ_ID_SIZE], struct mq_stream_head *,
                           struct mq_error *);
    enum mq_status (*held)(struct mq_store *, const uint8_t stream[MQ_ID_SIZE], struct mq_have *, uint64_t *bytes,
                           struct mq_error *);
    /* Streams that a key announced (by mq_key_name of its sign key), the newest first. */
    enum mq_status (*streams_of)(struct mq_store *, const uint8_t key_name[MQ_KID_SIZE], mq_take_stream *take,
                                 void *context, struct mq_error *);

    /* Control slots, by team, kind, subject and owner (mq_control_owner): stored only if the number is greater; *kept says
     * whether. MQ_REFUSED: number over INT64_MAX.
     * Listing by team, kind (0: all) and subject (NULL: all), the greatest number first. */
    enum mq_status (*put_control)(struct mq_store *, const struct mq_control *, bool *kept, struct mq_error *);
    enum mq_status (*controls)(struct mq_store *, const uint8_t team[MQ_ID_SIZE], uint8_t kind, const uint8_t *subject,
                               mq_take_bytes *take, void *context, struct mq_error *);
    /* Desk certificates, verified by the relay before. MQ_REFUSED: there are MQ_DESKS_MAX already. */
    enum mq_status (*put_desk)(struct mq_store *, struct mq_span certificate, struct mq_error *);
    enum mq_status (*desks)(struct mq_store *, struct mq_certificate *out, size_t most, size_t *count,
                            struct mq_error *);
    /* Tokens: the whole list of a team is replaced at once; a token that another team has already stays there.
     * MQ_REFUSED: no list. access: MQ_NOT_FOUND: a stranger. */
    enum mq_status (*set_access)(struct mq_store *, const uint8_t team[MQ_ID_SIZE], struct mq_span entries,
                                 struct mq_error *);
    enum mq_status (*access)(struct mq_store *, const uint8_t token_hash[MQ_ID_SIZE], struct mq_access *,
                             uint8_t team[MQ_ID_SIZE], struct mq_error *);

    /* Parts of a segment that did not fit a body; put answers the whole once all of one owner (the key name of who
     * brings them) are there (then they are forgotten), MQ_WAITING before. Of two with one offset the later counts.
     * Beyond MQ_PARTS_OWNER_MAX of an owner or MQ_PARTS_WAITING_MAX of all, the oldest are forgotten. `whole` needs
     * MQ_SEGMENT_MAX. MQ_REFUSED: lengths that do not fit. */
    enum mq_status (*put_part)(struct mq_store *, const uint8_t owner[MQ_KID_SIZE],
                               const uint8_t id[MQ_SEGMENT_ID_SIZE], uint32_t size, uint32_t offset,
                               struct mq_span bytes, int32_t day, struct mq_buffer *whole, struct mq_error *);
    /* Enrolment: requests wait here for a desk, replies for a device. id = first 16 of H_32("body", request). Beyond
     * MQ_ENROLS_WAITING_MAX the oldest is forgotten; its device asks again. enrols: those without a reply, the oldest
     * first. answer: MQ_NOT_FOUND; a reply may replace a refusal (1 byte), nothing replaces a reply. */
    enum mq_status (*put_enrol)(struct mq_store *, const uint8_t id[MQ_ID_SIZE], struct mq_span request, int32_t day,
                                struct mq_error *);
    enum mq_status (*enrols)(struct mq_store *, mq_take_bytes *take, void *context, struct mq_error *);
    enum mq_status (*answer_enrol)(struct mq_store *, const uint8_t id[MQ_ID_SIZE], struct mq_span reply,
                                   struct mq_error *);
    /* MQ_WAITING: no answer yet; MQ_NOT_FOUND: no such request. */
    enum mq_status (*enrol_reply)(struct mq_store *, const uint8_t id[MQ_ID_SIZE], struct mq_buffer *reply,
                                  struct mq_error *);
    /* Parts and enrolments older than `day` are dropped. */
    enum mq_status (*expire)(struct mq_store *, int32_t day, struct mq_error *);

    /* Does everything in the logs still have its id, its number and its running sum? MQ_DAMAGED. */
    enum mq_status (*check)(struct mq_store *, struct mq_error *);
    enum mq_status (*copy)(struct mq_store *, const char *path, struct mq_error *);
};

/* A backend embeds this as its first member. */
struct mq_store {
    const struct mq_store_verbs *verbs;
};

/* The embedded default. Creates the file where missing. The caller closes with (*store)->verbs->close; *store is NULL
 * on failure. `platform` must outlive it. */
MQ_MUST_USE enum mq_status mq_store_sqlite_open(struct mq_store **store, const struct mq_platform *platform,
                                                const char *path, struct mq_error *error);

#endif
