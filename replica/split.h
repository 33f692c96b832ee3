/* A household parts in two (分户): a new record that says where it came from, and what goes with it. Nothing but a create and
 * edits, so it merges like them, and a split at two devices at once loses nothing. */
#ifndef MQ_REPLICA_SPLIT_H
#define MQ_REPLICA_SPLIT_H

#include "platform/options.h"
#include "replica/records.h"

struct mq_split {
    struct mq_span household;            /* the old one: whatever mq_view_find takes */
    const struct mq_field_value *fields; /* of the new one; place, group and dialect are the old one's unless given. `moves` may
                                          * stand among them several times: a need or person that goes with it */
    size_t field_count;
    const char *left_people, *left_residents; /* that stay in the old one; NULL: not said */
    bool mark;                                /* the old one's state becomes 分户 */
};
/* All of it or nothing. Answers {"id":…,"split_from":…,"moved":[…],"masked":N,"saved":true}; `id` is the new household's.
 * MQ_REFUSED: what is named is no household, or no need or person of it; fields as mq_records_add refuses them. */
MQ_MUST_USE enum mq_status mq_records_split(struct mq_replica *replica, const struct mq_split *split,
                                            const struct mq_emitter *emitter, struct mq_error *error);

#endif
