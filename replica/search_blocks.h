/* Which records have which pieces of long texts (replica/search_grams.h). New ones wait in a tail, each with its list; then
 * the tail becomes a block, in which each piece has the list of its records. Blocks are only added, and what is out of
 * date in one is a candidate in vain, until a sweep. */
#ifndef MQ_REPLICA_SEARCH_BLOCKS_H
#define MQ_REPLICA_SEARCH_BLOCKS_H

#include "replica/replica.h"

/* The long texts of the record in row `number` of table state have these pieces, and no others. Unless it is new, the
 * same pieces as before cost nothing. */
MQ_MUST_USE enum mq_status mq_search_blocks_put(struct mq_replica *replica, int64_t number, bool is_new,
                                                struct mq_span list, struct mq_error *error);
/* The record has no long texts, or is no more. */
MQ_MUST_USE enum mq_status mq_search_blocks_forget(struct mq_replica *replica, int64_t number, struct mq_error *error);
/* Takes everything out of tail and blocks that belongs to a forgotten record: its texts were erased, and pieces tell of
 * them. Reads all blocks. */
MQ_MUST_USE enum mq_status mq_search_blocks_sweep(struct mq_replica *replica, struct mq_error *error);

/* Sets the bit of every record (by row of table state, below `limit`) whose long texts may hold `word` (folded, not
 * empty): of all that do, and of some that do not. */
MQ_MUST_USE enum mq_status mq_search_candidates(struct mq_replica *replica, struct mq_span word, uint64_t *bits,
                                                size_t limit, struct mq_error *error);

#endif
