/* The desk of a centre: a replica with more rights. For those who work with its keys. */
#ifndef MQ_SERVER_DESK_DESK_KEYS_H
#define MQ_SERVER_DESK_DESK_KEYS_H

#include "replica/keyring_keys.h"
#include "replica/sync.h"

/* A passphrase in guarded memory (mq_secret_alloc). */
struct mq_phrase {
    uint8_t bytes[MQ_PASSPHRASE_MAX];
    size_t size;
};

struct mq_desk {
    struct mq_replica *replica;
    const struct mq_platform *platform;
    const char *data;                   /* the centre's directory; the replica's home is `desk` in it. Borrowed */
    const struct mq_phrase *passphrase; /* opens the root's key and seals backups; borrowed */
    bool township;                      /* it joined a county: teams, members and invitations are made there */
    struct mq_transport transport;      /* to the relay's store */
    bool cut_off;                       /* a county's, whose relay is elsewhere, and no way leads there from here */
    struct mq_error unreached;          /* of the last sync, where the store was out of reach */
    int64_t unreached_ms;               /* when that was */
    size_t turn;                        /* the team that the next sync begins with: behind one that found no way */
    bool rotated;                       /* keys were changed by themselves since the start, last at rotated_ms */
    int64_t rotated_ms;
};

/* Opens DATA/desk. The caller sets the transport before the first sync, and calls mq_desk_close. As mq_replica_open. */
MQ_MUST_USE enum mq_status mq_desk_open(struct mq_desk *desk, const struct mq_platform *platform, const char *data,
                                        const struct mq_phrase *passphrase, int wait_ms, struct mq_error *error);
void mq_desk_close(struct mq_desk *desk);

/* Merges everything that the store has, answers who asks to join, gives receipts, brings what waits here: for each
 * team. A team that fails does not stop the others, unless it is that the store is out of reach; the first failure comes
 * back. It may be out of reach for that team only, so the next sync begins with the one behind it. */
MQ_MUST_USE enum mq_status mq_desk_sync(struct mq_desk *desk, struct mq_error *error);

/* Changes the keys of teams whose last change is a month ago (replica/rotate.h), once in a day of running time at most: a
 * clock that jumps to and fro must not use up epochs. Nothing at a township. */
MQ_MUST_USE enum mq_status mq_desk_rotate(struct mq_desk *desk, struct mq_error *error);

/* Every team of the desk. The caller frees `*teams`, which is NULL where there is none. */
MQ_MUST_USE enum mq_status mq_desk_teams(struct mq_desk *desk, struct mq_team **teams, size_t *count,
                                         struct mq_error *error);

/* The root's key from a file, NULL: root.key in DIR; it must be the one pinned here. The caller wipes `root`, which is
 * zeros on failure. MQ_NOT_FOUND; MQ_WRONG_KEY: another passphrase, or another centre's root; MQ_DAMAGED. */
MQ_MUST_USE enum mq_status mq_root_of(struct mq_desk *desk, const char *file, struct mq_identity *root,
                                      struct mq_error *error);

/* A desk's setting: this home joined a county by invitation. */
#define MQ_DESK_TOWNSHIP "township"
/* A county's desk's setting: it ran alone last, so its relay is another machine's. */
#define MQ_DESK_RELAY_ELSEWHERE "relay_elsewhere"

/* Days since 1970, by this machine's clock. */
uint32_t mq_desk_today(const struct mq_desk *desk);
/* The next number for a certificate; within a transaction. */
MQ_MUST_USE enum mq_status mq_desk_serial(struct mq_desk *desk, uint32_t *serial, struct mq_error *error);

#endif
