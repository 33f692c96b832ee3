/* The view: every admitted change by record, the groups that records form, and what each group's state is. All of it is
 * derived: it can be dropped and made again (docs/protocol.md, section 6). */
#ifndef MQ_REPLICA_VIEW_H
#define MQ_REPLICA_VIEW_H

#include "protocol/compartment.h"
#include "protocol/merge.h"
#include "replica/replica.h"

/* One admitted change on its way into the view. All pointers borrowed. */
struct mq_view_change {
    const uint8_t *id, *record, *team; /* 16 bytes each */
    struct mq_said said;               /* where it came from: whether it counts for its record (protocol/compartment.h) */
    unsigned rank;
    uint32_t serial; /* of the writer's certificate */
    int64_t segment; /* number of the carrying segment; minus the open batch's number */
    int64_t wall;    /* when it was written, by the writer's clock: shown only */
    struct mq_span expanded;
};
/* Adds it (once: a change that is known only raises its rank, and belongs to the stricter compartment). Then each record
 * that was touched must be settled, once, in the same transaction. */
MQ_MUST_USE enum mq_status mq_view_add(struct mq_replica *replica, const struct mq_view_change *change,
                                       struct mq_error *error);
/* After the last of a run of settled records: where records became one or parted, looks again at every field that shows
 * or hid a conflict between references to them; then works out how the needs stand that were touched. */
MQ_MUST_USE enum mq_status mq_view_settle_references(struct mq_replica *replica, struct mq_error *error);
/* Works out again which group `record` belongs to, and the state of every group concerned. */
MQ_MUST_USE enum mq_status mq_view_settle(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                          struct mq_error *error);

/* The state of the group that `record` belongs to. It points into memory of the replica and holds until the next call
 * that takes the replica. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_view_group(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                         struct mq_group_state *out, struct mq_error *error);

/* The same in the caller's arena, of MQ_ARENA_SIZE, for one who must not disturb a state in the replica's. */
MQ_MUST_USE enum mq_status mq_view_group_in(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                            struct mq_arena *arena, struct mq_group_state *out,
                                            struct mq_error *error);

/* A record by what a person has at hand: its `id`, a need's `no`, the record's own id in hexadecimal (32 digits, or at
 * least 6 from the front). `kind` NULL: any. `canonical` gets the group's id. MQ_NOT_FOUND, or MQ_REFUSED with the
 * candidates where several fit. */
MQ_MUST_USE enum mq_status mq_view_find(struct mq_replica *replica, const struct mq_kind *kind, struct mq_span text,
                                        uint8_t canonical[MQ_ID_SIZE], struct mq_error *error);
/* Exactly by `id` (CBOR value) within a team, for references and imports; MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_view_by_id(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint64_t kind,
                                         struct mq_span id, uint8_t canonical[MQ_ID_SIZE], struct mq_error *error);
/* The kind of a record's group, and its team. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_view_kind(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], uint64_t *kind,
                                        uint8_t team[MQ_ID_SIZE], struct mq_error *error);

/* The groups that lists show, as a condition on table state: the one place that says so. */
#define MQ_VIEW_LISTED " NOT deleted AND kind > 0 "
/* The group in row `number` of table state, if lists of `kind` (NULL: of all) show it. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_view_listed(struct mq_replica *replica, int64_t number, const struct mq_kind *kind,
                                          uint8_t canonical[MQ_ID_SIZE], struct mq_error *error);
/* Where a record belongs: of one that this replica sealed and cannot read, as it wrote it down then. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_view_belongs(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                         struct mq_belongs *out, struct mq_error *error);
/* Is it a restricted matter, or part of one? Such records are marked where they are shown, and left out where records
 * are handed on. A record that is not here is none. */
MQ_MUST_USE enum mq_status mq_view_restricted(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                              bool *restricted, struct mq_error *error);

/* Walks the groups of a kind (0: of all), oldest first, without the deleted ones. `take` may call any reading function;
 * an answer other than MQ_OK ends the walk. */
MQ_MUST_USE enum mq_status mq_view_each(struct mq_replica *replica, uint64_t kind, bool conflicts_only,
                                        enum mq_status (*take)(void *context, const uint8_t canonical[MQ_ID_SIZE],
                                                               struct mq_error *error),
                                        void *context, struct mq_error *error);

/* A desk has reference data in each of its teams, and is shown one of them: is it this group? True for what is no
 * reference data. A state in the replica's memory is left alone. */
MQ_MUST_USE enum mq_status mq_view_shown(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE], bool *shown,
                                         struct mq_error *error);

/* A group that no device can merge (a hostile writer's): kept, counted for review, shown by nothing else. */
#define MQ_KIND_UNREADABLE 0

/* Drops everything derived and makes it again from journal and segments. */
MQ_MUST_USE enum mq_status mq_view_rebuild(struct mq_replica *replica, struct mq_error *error);
/* A hash over the encoded state of every group: equal on every replica that admitted the same changes. */
MQ_MUST_USE enum mq_status mq_view_hash(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error);

#endif
