/* Restricted matters that were sealed here the moment they were written: what is left of them on their author's device
 * (docs/protocol.md, section 1). Of the text nothing is; `id`, number and day are, so that he can add to the matter and
 * ask what became of it. */
#ifndef MQ_REPLICA_MATTER_H
#define MQ_REPLICA_MATTER_H

#include "protocol/change.h"
#include "protocol/compartment.h"
#include "protocol/record.h"
#include "replica/replica.h"

struct mq_matter {
    uint8_t record[MQ_ID_SIZE], team[MQ_ID_SIZE];
    struct mq_belongs about; /* where it belongs at those who can read it */
    uint64_t kind;
    uint8_t id[MQ_RECORD_ID_TEXT_MAX + 8]; /* its `id`, as a CBOR value */
    size_t id_size;
    char label[MQ_RECORD_ID_TEXT_MAX + 1]; /* a need's `no`; "" for others */
    int32_t day;                           /* the date it was given, or else the day on which it was sealed */
};

/* The matter that this record is. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_matter_find(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                          struct mq_matter *out, struct mq_error *error);
/* By what a person has at hand: `id`, number, or the record's own id, whole or from the front, as mq_view_find. `kind` 0:
 * any. MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_matter_named(struct mq_replica *replica, uint64_t kind, struct mq_span text,
                                           struct mq_matter *out, struct mq_error *error);
/* Exactly by `id` (CBOR value). MQ_NOT_FOUND. */
MQ_MUST_USE enum mq_status mq_matter_by_id(struct mq_replica *replica, uint64_t kind, struct mq_span id,
                                           struct mq_matter *out, struct mq_error *error);
/* A record was found by an `id`: is there a matter of that `id` too that is another than it? A colleague can give a name
 * twice, and what was meant for the one must not go to the other. */
MQ_MUST_USE enum mq_status mq_matter_other(struct mq_replica *replica, uint64_t kind, struct mq_span id,
                                           const uint8_t canonical[MQ_ID_SIZE], bool *other, struct mq_error *error);
/* The same where the key is here too: does another record go by this `id` that is not for the same people to read? */
MQ_MUST_USE enum mq_status mq_matter_twice(struct mq_replica *replica, uint64_t kind, struct mq_span id,
                                           const uint8_t canonical[MQ_ID_SIZE], bool *twice, struct mq_error *error);
/* Each matter of a kind (0: of all), the oldest first; an answer other than MQ_OK ends the walk. */
MQ_MUST_USE enum mq_status mq_matter_each(struct mq_replica *replica, uint64_t kind,
                                          enum mq_status (*take)(void *context, const struct mq_matter *matter,
                                                                 struct mq_error *error),
                                          void *context, struct mq_error *error);

/* Writes down what is left of a change that goes into segment `number` (of table segment): within the same transaction.
 * `home` is the writer's own case. */
MQ_MUST_USE enum mq_status mq_matter_put(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint32_t home,
                                         int64_t number, const uint8_t record[MQ_ID_SIZE],
                                         const struct mq_change *change, struct mq_error *error);

#endif
