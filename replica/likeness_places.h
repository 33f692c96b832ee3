/* Inside of likeness.c: which places are one, because a village went up in another. */
#ifndef MQ_REPLICA_LIKENESS_PLACES_H
#define MQ_REPLICA_LIKENESS_PLACES_H

#include "replica/replica.h"

struct mq_places;

/* Learns the place records that are here, with their codes and names of all times. NULL on failure. */
MQ_MUST_USE enum mq_status mq_places_begin(struct mq_places **out, struct mq_replica *replica, struct mq_error *error);
void mq_places_end(struct mq_places *places); /* NULL is fine */
/* A number for a place value (CBOR): equal where one place is meant, or two that became one. 0: no value. */
uint64_t mq_places_number(const struct mq_places *places, struct mq_span value);

#endif
