/* The simulated world: one organisation with its server (relay and desk on one machine), its devices, perhaps a township's
 * desk, the links between them, the sticks that people carry, and whatever goes wrong. Everything that decides about records
 * is the real code; the machines, the links and the people are made up here.
 *
 * A run is a list of events, each drawn by choices; the world tells what happens in plain lines (story.h). */
#ifndef MQ_TESTS_SIM_FLEET_H
#define MQ_TESTS_SIM_FLEET_H

#include "replica/keyring_keys.h"
#include "replica/sync.h"
#include "server/relay/relay.h"
#include "tests/sim/choices.h"
#include "tests/sim/machine.h"
#include "tests/sim/tally.h"

#define SIM_DEVICES_MAX 6  /* that a run begins with */
#define SIM_MEMBERS_MAX 11 /* the desk, those devices, a township's desk, clones of them, and new ones for lost ones */
#define SIM_BACKUPS 3
#define SIM_POCKETS 6
#define SIM_OLD_POSTS 6
#define SIM_DESK 0

#define SIM_ENDED_MAX 32
#define SIM_ENDS_MAX 512

struct sim_fleet;
struct sim_ghost;
struct sim_wire;
struct sim_story;

/* One replica on its machine. The desk's, by which the county's is meant, is the server's: the relay is on it too. */
struct sim_member {
    struct sim_fleet *fleet;
    unsigned number; /* in fleet->members */
    char name[16];
    struct sim_machine *machine;
    const struct mq_platform *platform;
    struct mq_replica *replica; /* NULL: switched off, or the program is not running */
    struct mq_team team;
    bool working;        /* in the middle of something: nobody else may touch it */
    bool revoked;        /* the desk took its rights, and those of its copies */
    bool stolen;         /* of a township's desk: somebody else says what he likes with its key */
    bool gone;           /* its store is lost for good; another device took its place */
    bool rotten;         /* bits of its disk flipped, so damage may be found */
    bool lying;          /* its disk lied about syncing, so anything may be missing after a power cut */
    bool damaged;        /* pages of its store are missing: a command has said so, or a check would */
    bool ruined;         /* its store cannot be opened any more: it waits for an older copy, or for a successor */
    unsigned phrase;     /* which passphrase counts, as far as the person knows */
    bool phrase_unsure;  /* it was being changed when something went wrong */
    bool failing;        /* its disk is to refuse something during this event */
    int64_t failures;    /* of its disk before */
    uint32_t asleep;     /* events until its owner takes it out of the drawer */
    uint32_t requests;   /* of its present sync */
    uint32_t last_saving; /* number of the first text of its last transaction that had any */
    int64_t operations;  /* of its disk, when the present event began: for the story */
    struct sim_ended {
        uint8_t stream[MQ_ID_SIZE];
        int64_t next;
    } ended[SIM_ENDED_MAX]; /* its streams when it learnt that it is a copy: nothing is added to them any more */
    size_t ended_count;
    struct sim_machine *image; /* an old copy of its disk; NULL: none */
    unsigned image_phrase;     /* that opens it */
};

/* How often what happens: once in so many; 0: never. Drawn anew for each run, so that some runs are all cuts and others
 * all clones. */
struct sim_swarm {
    /* of requests */
    uint32_t request_lost, reply_lost, request_cut, reply_cut, request_flip, reply_flip, twice, slow, old_request,
        old_reply, crossed, busy, portal, nested;
    /* of operations */
    uint32_t power, power_again, disk_error, disk_full;
    bool same_chance; /* the machines find the same randomness at every start */
    /* of events, as weights */
    uint32_t clone, image, rot, server_rot, lie, clock, sleeper, backup, restore, emptied, carry, restricted, byzantine,
        passphrase, locked, large, revoke, rotate, thief;
};

/* A file on a stick. */
struct sim_pocket {
    uint8_t *bytes;
    size_t size;
};

struct sim_post {
    uint8_t *request, *reply;
    size_t request_size, reply_size;
    unsigned member;
};

struct sim_fleet {
    struct sim_choices *choices;
    struct sim_swarm swarm;
    struct sim_tally tally;
    struct sim_ghost *ghost;
    struct sim_wire *wire;
    struct sim_story *story;

    struct sim_member members[SIM_MEMBERS_MAX];
    size_t member_count;
    struct mq_store *store; /* NULL: the server is down */
    struct mq_relay relay;
    struct sim_machine *backups[SIM_BACKUPS]; /* [0] is as old as the world */
    size_t backup_count;

    struct sim_pocket pockets[SIM_POCKETS];
    struct sim_post old_posts[SIM_OLD_POSTS];
    size_t old_post_next;
    uint8_t withheld[MQ_ID_SIZE]; /* the relay says nothing of this stream; zeros: it is honest */
    bool lied;                    /* some reply was not what an honest relay says: in the end another takes its place */
    unsigned next_machine; /* number of the next new one */
    uint64_t chance;       /* what new machines and keys are drawn from: no choice */
    int64_t wall;          /* the true time, seconds since 1970 */
    int depth;             /* of requests within requests */
    bool copied;       /* some device is a copy of another, or was set back, or its disk may have set it back */
    bool relay_rotten; /* a bit of its store flipped */
    bool relay_failed; /* its machine refused something: the server's program has to be started anew */
    struct sim_end {
        uint32_t serial; /* of the certificate */
        uint8_t id[MQ_SEGMENT_ID_SIZE];
    } ends[SIM_ENDS_MAX]; /* the last of each branch that the desk had merged of a revoked device when it took its rights */
    size_t end_count;
    bool rotated;      /* keys were made that a restored desk may know nothing of, or a damaged device lost those it had */
    bool healing;
};

static inline void sim_happened(struct sim_fleet *fleet, enum sim_kind kind)
{
    fleet->tally.kinds[kind]++;
}

/* Makes the organisation that every run begins with: keys, certificates, grants, an empty relay. Once a process. */
void sim_template_make(void);
void sim_template_free(void);

/* A new world, as the template was, with new choices. `choices` and `story` are the caller's; `seed` is for keys and nonces. */
void sim_fleet_begin(struct sim_fleet *fleet, struct sim_choices *choices, struct sim_story *story, uint64_t seed);
void sim_fleet_end(struct sim_fleet *fleet);

/* A device or a township's desk that never was: machine, store, certificate; the desk's next access list names it. NULL: no
 * room. */
struct sim_member *sim_fleet_enrol(struct sim_fleet *fleet, enum mq_role role);
/* A member's place, with an empty machine; the caller fills both. NULL: no room. */
struct sim_member *sim_fleet_place(struct sim_fleet *fleet, const char *name);
uint64_t sim_fleet_seed(struct sim_fleet *fleet);
/* The desk tells the relay who belongs to the team. False: it could not be written down. */
bool sim_fleet_tell_access(struct sim_fleet *fleet);

static inline struct sim_member *sim_desk(struct sim_fleet *fleet)
{
    return &fleet->members[SIM_DESK];
}
static inline bool sim_is_desk(const struct sim_member *member)
{
    return member->number == SIM_DESK;
}
static inline bool sim_is_township(const struct sim_member *member)
{
    return member->team.certificate.role == MQ_ROLE_DESK;
}
static inline bool sim_has_township(const struct sim_fleet *fleet)
{
    for (size_t i = 0; i < fleet->member_count; i++)
        if (sim_is_township(&fleet->members[i]))
            return true;
    return false;
}
/* The county's or a township's: it merges, decides and gives receipts. */
static inline bool sim_merges(const struct sim_member *member)
{
    return mq_role_is_desk(member->team.certificate.role);
}

#endif
