/* Erasing in a replica (docs/protocol.md, section 8): what a desk's list names goes out of the view at once, and out of
 * the stored segments as soon as it is certain that the desk has them; what else stood in such a segment is kept. */
#ifndef MQ_REPLICA_ERASE_H
#define MQ_REPLICA_ERASE_H

#include "protocol/erase.h"
#include "protocol/segment.h"
#include "replica/replica.h"

/* ---- for whoever takes changes in; all within a transaction of the caller ---- */

/* Which changes a list counts for: those of its own team and compartment. */
struct mq_erase_scope {
    const uint8_t *team; /* borrowed */
    uint32_t compartment;
};
/* Notes what a list names. After the last of a run mq_erase_settle must follow. */
MQ_MUST_USE enum mq_status mq_erase_note(struct mq_replica *replica, const struct mq_erase_scope *scope, int64_t wall,
                                         struct mq_span expanded, struct mq_error *error);
/* What is left of a change that comes in: MQ_NOT_FOUND where nothing of it was erased, else it is written to `out`. */
MQ_MUST_USE enum mq_status mq_erase_incoming(struct mq_replica *replica, const struct mq_erase_scope *scope,
                                             const uint8_t id[MQ_ID_SIZE], struct mq_span expanded,
                                             struct mq_buffer *out, struct mq_error *error);
/* Does all that is noted and not yet done, and drops the bodies that may go by now. After everything that waits was
 * tried. */
MQ_MUST_USE enum mq_status mq_erase_settle(struct mq_replica *replica, struct mq_error *error);

/* The whole bytes of a segment whose body was dropped here, brought once more: kept for as long as a segment that leans
 * on it waits to be opened, and not longer than the sync. */
MQ_MUST_USE enum mq_status mq_erase_lend(struct mq_replica *replica, const struct mq_segment *segment,
                                         struct mq_span bytes, struct mq_error *error);

/* A sync ends, and what was waited for with these bodies did not come: they go, and are asked for anew in the next. */
MQ_MUST_USE enum mq_status mq_erase_return_lent(struct mq_replica *replica, struct mq_error *error);

/* ---- at a desk ---- */

/* What is to go, while it is put together. */
struct mq_erase_item {
    struct mq_erase_entry entry;
    uint32_t compartment; /* in which the change stands; it is erased by a list there */
};
struct mq_erase_list {
    struct mq_erase_item *items;
    size_t count, room;
};
void mq_erase_list_free(struct mq_erase_list *list);
/* Every value that the field of the record's group ever had, those included that only others have and that were
 * replaced; MQ_ERASE_WHOLE: of every field. Adds nothing where there is nothing. */
MQ_MUST_USE enum mq_status mq_erase_list_field(struct mq_replica *replica, struct mq_erase_list *list,
                                               const uint8_t record[MQ_ID_SIZE], uint8_t field, struct mq_error *error);
/* Erases it here and, with the next sync of each, everywhere. `because`: the request that it answers, or NULL. What was
 * written before is sealed first, and the list in segments of its own, which nothing ever has to be erased from. A failure that
 * says so came after it was erased: the store's log could not be emptied yet. */
MQ_MUST_USE enum mq_status mq_erase(struct mq_replica *replica, const struct mq_team *team, const uint8_t *because,
                                    struct mq_erase_list *list, struct mq_error *error);
/* The same, and `then` in the same transaction: what must not be left undone where the power goes in between. It writes
 * nothing that may have to be erased. */
typedef enum mq_status mq_erase_then(struct mq_replica *replica, void *context, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_erase_and(struct mq_replica *replica, const struct mq_team *team, const uint8_t *because,
                                        struct mq_erase_list *list, mq_erase_then *then, void *context,
                                        struct mq_error *error);

#endif
