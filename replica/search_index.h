/* What search reads instead of merging every record: derived, noted where a group's state is stored, in the same
 * transaction. Short texts stand folded in one row a record, by kind, and are read through. Long ones (what people said,
 * notes) are known by their pieces only, in blocks of records; what an index of pieces names is a candidate and is looked
 * at (docs/decisions/0017-search-reads-rows.md). */
#ifndef MQ_REPLICA_SEARCH_INDEX_H
#define MQ_REPLICA_SEARCH_INDEX_H

#include "protocol/merge.h"
#include "replica/replica.h"

/* A record's row: how many record ids follow (2 bytes); the first half of each; then one entry after another: a field's
 * number, a folded text, a line end. The ids are a household's own, or those of the households that a record of another
 * kind names, so that it is found by what they are called. */
#define MQ_SEARCH_ENTRY_END '\n'
#define MQ_SEARCH_ID_SIZE 8
/* Where the rows of a kind stand: by row of table state, from here on. */
#define MQ_SEARCH_KIND_SHIFT 40

/* A group's state was stored in row `number` of table state, where it had the kind `before` (-1: it is new). */
MQ_MUST_USE enum mq_status mq_search_note(struct mq_replica *replica, int64_t number, int64_t before,
                                          const struct mq_group_state *state, struct mq_error *error);
/* The row is about to go. */
MQ_MUST_USE enum mq_status mq_search_forget(struct mq_replica *replica, int64_t number, int64_t kind,
                                            struct mq_error *error);

/* Is it a text that stands in the row, or one that is known by its pieces? */
bool mq_search_is_long(const struct mq_field *field);
/* The texts of a record are about to be erased: nothing of them may stay behind in what is kept of long texts. After the
 * last of a run mq_search_blocks_sweep must follow, and each record is settled again. */
MQ_MUST_USE enum mq_status mq_search_erase(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                           struct mq_error *error);

/* Over what stands there of each group: equal after a rebuild, or the index was damaged. */
MQ_MUST_USE enum mq_status mq_search_hash(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error);

/* Empties all of it. */
extern const char mq_search_drop[];

#endif
