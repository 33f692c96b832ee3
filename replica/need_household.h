/* Whose need it is, as people say it. Within this room: need_*.c. */
#ifndef MQ_REPLICA_NEED_HOUSEHOLD_H
#define MQ_REPLICA_NEED_HOUSEHOLD_H

#include "replica/convert.h"

/* A field's number, for queries over `refers`. The key is one of the kind's. */
unsigned mq_field_number(unsigned kind, const char *key);

/* Keys of an object that is open: `household_id`, and `household` as it is called in the village: group, head, and the
 * nickname in brackets. */
MQ_MUST_USE enum mq_status mq_put_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                            struct mq_json_writer *writer, struct mq_error *error);
/* The same of a need: its household, or that of its visit; else the reporter. Then `words`, the first of them, where
 * `with_words`. */
MQ_MUST_USE enum mq_status mq_put_need_household(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                                 bool with_words, struct mq_json_writer *writer, struct mq_error *error);

#endif
