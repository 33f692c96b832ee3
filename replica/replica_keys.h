/* What the parts of a replica share, and nobody outside this room includes: the open store, its keys, its working
 * memory. */
#ifndef MQ_REPLICA_REPLICA_KEYS_H
#define MQ_REPLICA_REPLICA_KEYS_H

#include "platform/db.h"
#include "protocol/grant_keys.h"
#include "protocol/merge.h"
#include "protocol/seal.h"
#include "replica/replica.h"
#include "replica/vault.h"

/* Payloads of the segments before the next one of a stream, as the compressor's prefix wants them (chain.c). */
struct mq_chain {
    bool loaded;
    bool borrowed; /* one of the payloads is of a body that was dropped here and came once more */
    bool lacking;  /* the last loading failed for want of such a body */
    uint8_t last[MQ_SEGMENT_ID_SIZE]; /* the segment whose payload came last */
    uint32_t run;                     /* segments since one without links, this one included */
    size_t sizes[MQ_LINKS_MAX];       /* of the payloads, newest last */
    size_t count;
    uint8_t *bytes; /* the last MQ_LINK_WINDOW bytes of them */
    size_t size;
};

struct mq_replica {
    const struct mq_platform *platform;
    struct mq_db *db;
    char home[MQ_PATH_MAX];
    int lock;
    struct mq_secret *store_key;  /* guarded memory */
    struct mq_identity *identity; /* guarded memory */
    uint8_t root_public[MQ_PUBLIC_SIZE];
    bool has_root;
    struct mq_chain chain;
    bool log_stale; /* the write-ahead log holds what was erased: emptied after the commit */
    bool regrouped;              /* records became one or parted since references were last looked at (view.c) */
    struct mq_seal_space *space; /* made when first needed: most commands never seal */
    uint8_t *payload;            /* MQ_PAYLOAD_MAX, likewise */
    uint8_t *expanded;           /* 4 * MQ_PAYLOAD_MAX, likewise */
    uint8_t *arena;              /* for merge, likewise */
    struct mq_catalogue *catalogue; /* what was read of reference data (catalogue.h); NULL: nothing yet */
    uint64_t catalogue_touched;  /* how often reference data was stored: a rolled back transaction looks */
    size_t arena_used;           /* the most that was ever used of it: what has to be wiped, and no page more */
};


/* Memory for plaintext: wiped when it is given back; NULL is fine there. Ends the program without memory. */
void *mq_work_memory(size_t size);
void mq_work_free(void *memory, size_t size);
/* The working memories, made at first use; end the program without memory (nothing is half-done then: transactions roll
 * back). */
struct mq_seal_space *mq_work_space(struct mq_replica *replica);
struct mq_buffer mq_work_payload(struct mq_replica *replica);
struct mq_buffer mq_work_expanded(struct mq_replica *replica);
struct mq_arena mq_work_arena(struct mq_replica *replica);
void mq_work_arena_used(struct mq_replica *replica, const struct mq_arena *arena);

extern const char *const mq_schema_steps[];
extern const int mq_schema_count;

/* What was erased stands in the write-ahead log until it is emptied. Nothing to do is fine. Every transaction and every
 * opening tries; a failure is told here. */
MQ_MUST_USE enum mq_status mq_replica_empty_log(struct mq_replica *replica, struct mq_error *error);

/* A segment's place among the stored ones. */
enum mq_segment_state {
    MQ_SEGMENT_WAITING = 0, /* for an announce, a key or a predecessor */
    MQ_SEGMENT_ADMITTED = 1,
    MQ_SEGMENT_QUARANTINED = 2, /* a person must look */
    MQ_SEGMENT_UNDECODABLE = 3
};

/* As conditions in SQL on table `segment`. Write-only: sealed here to a commitment (MQ_SEGMENT_FLAG_WRITE_ONLY, the second
 * byte). Sealed away: of these, one whose key is not here; it is as admitted as it will ever be. Foreign: carried for
 * somebody else, in a compartment that this replica does not read; nothing of it is counted or shown. */
#define MQ_SEGMENT_WRITE_ONLY "(mine = 1 AND substr(bytes, 2, 1) = x'02')"
#define MQ_SEGMENT_SEALED_AWAY \
    "(" MQ_SEGMENT_WRITE_ONLY " AND NOT EXISTS (SELECT 1 FROM grants WHERE kid = substr(segment.bytes, 23, 8)" \
    " AND key IS NOT NULL))"
#define MQ_SEGMENT_FOREIGN \
    "(mine = 0 AND state = 0 AND stream IN (SELECT stream FROM stream JOIN mailbox USING(mailbox)" \
    " WHERE compartment <> 0 AND asked = 0))"

/* The key that opens or seals under a kid, with its grant. MQ_NOT_FOUND: not here (yet). The caller wipes `key`. */
MQ_MUST_USE enum mq_status mq_key_find(struct mq_replica *replica, const uint8_t kid[MQ_KID_SIZE],
                                       struct mq_grant *grant, struct mq_secret *key, struct mq_error *error);
/* The newest epoch's key of a mailbox. */
MQ_MUST_USE enum mq_status mq_key_newest(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE],
                                         struct mq_grant *grant, struct mq_secret *key, struct mq_error *error);

/* The newest epoch's grant of a mailbox, with or without its key: what is sealed to its commitment. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_grant_newest(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE],
                                           struct mq_grant *grant, struct mq_error *error);
/* Does this replica hold a key of the compartment: does it read it? */
MQ_MUST_USE enum mq_status mq_key_here(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint32_t compartment,
                                       bool *here, struct mq_error *error);

/* The announce of a stream known here. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_announce_find(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE],
                                            struct mq_announce *out, struct mq_error *error);

/* Opens a stored segment: verified before. `payload` gets its raw payload. MQ_WAITING: key or predecessor is not here;
 * MQ_REFUSED, MQ_BAD_SIGNATURE: it does not open. `links` gets the number of payloads it leans on. The chain moves on
 * to it. */
MQ_MUST_USE enum mq_status mq_segment_open(struct mq_replica *replica, const struct mq_segment *segment,
                                           struct mq_buffer *payload, uint8_t *links, struct mq_error *error);
/* Brings the chain to stand right after segment `previous`; with no predecessor (seq 1) it is empty. MQ_WAITING. */
MQ_MUST_USE enum mq_status mq_chain_load(struct mq_replica *replica, uint32_t seq,
                                         const uint8_t previous[MQ_SEGMENT_ID_SIZE], struct mq_error *error);
/* The prefix that the last `links` payloads make. */
struct mq_span mq_chain_linked(const struct mq_chain *chain, uint8_t links);
void mq_chain_push(struct mq_chain *chain, const uint8_t id[MQ_SEGMENT_ID_SIZE], uint8_t links, struct mq_span payload);
void mq_chain_reset(struct mq_chain *chain);
/* The same, and wipes the payloads. */
void mq_chain_forget(struct mq_chain *chain);

/* What is owed of the list of what is held here, for each team by itself as it is said (docs/protocol.md, section 4): all of it; or
 * a sync has said the beginning, and goes on. The next sync begins anew either way. 0: nothing. Settings `have_owed:` and the team. */
enum { MQ_HAVE_OWED = 1, MQ_HAVE_BEGUN };
/* To every team of this replica. */
MQ_MUST_USE enum mq_status mq_have_list_owe(struct mq_replica *replica, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_have_list_owed(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], int64_t *owed,
                                        struct mq_error *error);
MQ_MUST_USE enum mq_status mq_have_list_put(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], int64_t owed,
                                       struct mq_error *error);

#endif
