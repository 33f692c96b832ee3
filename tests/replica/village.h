/* A small world in one process: an organisation's root, a relay with its real SQLite store, a desk and devices that are
 * real replicas on pretended machines. Bytes travel by a function call; whatever a network does wrong, a test does by
 * hand. */
#ifndef MQ_TESTS_REPLICA_VILLAGE_H
#define MQ_TESTS_REPLICA_VILLAGE_H

#include "platform/fake.h"
#include "protocol/frame.h"
#include "replica/keyring_keys.h"
#include "replica/receipts.h"
#include "replica/records.h"
#include "replica/sync.h"
#include "server/relay/relay.h"

#define VILLAGE_DEVICES 4

struct village_member {
    struct mq_fake *fake; /* NULL: a machine of the ground's */
    const struct mq_platform *platform;
    char home[256];
    struct mq_replica *replica;
    struct mq_team team;
    uint8_t rights; /* beside the team's: bits of an access list */
    bool revoked;
};

/* Other machines than pretended ones: 0 the server's, 1 the desk's, 2 and on the devices'. Their clocks stand at 1700000000. */
struct village_ground {
    void *context;
    const struct mq_platform *(*machine)(void *context, unsigned number);
};

struct village {
    char directory[128]; /* "" on another ground */
    const struct village_ground *ground;
    struct mq_fake *fake; /* the server's machine; NULL on another ground */
    struct mq_identity root;
    struct mq_store *store;
    struct mq_relay relay;
    struct village_member desk, devices[VILLAGE_DEVICES];
    struct village_member township; /* a second desk, below the first; made by village_township */
    /* What the network does to the next requests. */
    int drop_requests, drop_replies; /* that many vanish; the second after the server has done its part */
    size_t cut_reply_at;             /* bytes of the next reply that arrive; 0: all */
    int64_t requests;
    unsigned mailboxes; /* that the last request asked for */
};

/* Makes everything under a fresh temporary directory; asserts that it works. */
void village_begin(struct village *village, uint64_t seed);
void village_begin_on(struct village *village, const struct village_ground *ground);
void village_end(struct village *village);

/* A township's desk joins: certified by the root, with the team's key; the county's desk tells the relay. */
void village_township(struct village *village);

/* This member never had the right to what is sensitive: he may write it and not read it. Before he has any of it. */
void village_blind(struct village *village, struct village_member *member);

/* The county's desk changes the keys of the team and of what is sensitive. */
void village_rotate(struct village *village);
/* The county's desk takes this member's rights: what it has merged of him by now stays; the keys are changed, the relay is
 * told. */
void village_revoke(struct village *village, struct village_member *member);
/* The county's desk lets in a segment that waits, by name. */
void village_adopt(struct village *village, const uint8_t id[MQ_SEGMENT_ID_SIZE]);

/* The county's desk names this member: he may read restricted matters from now on; or no longer. */
void village_name(struct village *village, struct village_member *member, bool named);

/* The network as a transport, with all that it does wrong. */
struct mq_transport village_transport(struct village *village);

/* One sync of a member with the relay, until nothing is left. Desks make their receipts in between. */
enum mq_status village_sync(struct village *village, struct village_member *member, struct mq_sync_result *result);
/* The same, which must work. */
void village_sync_all(struct village *village, int rounds);

/* A record from JSON text; gives its id. Asserts that it is saved. */
void village_add(struct village_member *member, const char *json, struct mq_saved *saved);
/* One line of an import, in a transaction of its own, which goes on where the line is refused. */
enum mq_status village_import(struct village_member *member, const char *line, bool update, struct mq_saved *saved,
                              struct mq_error *error);
void village_set(struct village_member *member, const char *id, const char *assignment);
/* The export as one text, in a memory of its own that the caller frees. */
char *village_export(struct village_member *member);
struct mq_safety village_safety(struct village_member *member);
/* Closes, copies the home to another directory, opens both again: `copy` is a clone of `member` from now on. */
void village_clone(struct village *village, struct village_member *member, struct village_member *copy);
/* The relay, whose store was closed, keeps everything in this file of the village. */
void village_relay_open(struct village *village, const char *file);
/* The relay is another one that knows nothing; once in a village. */
void village_relay_empty(struct village *village);
/* The member takes in this frame, as from a relay. Gives how many were refused: 0 or 1. */
int64_t village_hear(struct village_member *member, const struct mq_frame *frame);
/* Copies the closed home aside, or brings the copy back in its place (same files, older content). */
void village_keep(struct village *village, struct village_member *member, const char *name);
void village_bring_back(struct village *village, struct village_member *member, const char *name);
void village_open(struct village_member *member);
void village_close(struct village_member *member);

#endif
