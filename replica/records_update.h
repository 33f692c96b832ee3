/* Inside of replica/records_*.c: a record that is here already is compared with what a line of a file says of it, or brought
 * to it. */
#ifndef MQ_REPLICA_RECORDS_UPDATE_H
#define MQ_REPLICA_RECORDS_UPDATE_H

#include "replica/convert.h"
#include "replica/records.h"

/* Does the group `canonical` say what `parsed` says, as far as that says anything? Then `saved->known`. Of words each text is
 * to be there, in whatever order; what cannot be read here is not compared. MQ_REFUSED: it does not. */
MQ_MUST_USE enum mq_status mq_records_compare(struct mq_replica *replica, const struct mq_team *team,
                                              const struct mq_parsed *parsed, const uint8_t canonical[MQ_ID_SIZE],
                                              struct mq_saved *saved, struct mq_error *error);

/* Writes the changes that make the group `canonical` say what `parsed` says: a register's shown value is replaced, a set
 * gains and loses elements, words that are not there yet are added beside the others, and what the line does not speak
 * of stays. All changes or none; where there are none to make, `saved->known`, else `saved->updated`. MQ_REFUSED: a value
 * that the device gave is another one, a guarded one would be lowered (protocol/record.h), or the record was deleted.
 * Within a transaction of the caller. */
MQ_MUST_USE enum mq_status mq_records_update(struct mq_replica *replica, const struct mq_team *team,
                                             const struct mq_parsed *parsed, const uint8_t canonical[MQ_ID_SIZE],
                                             struct mq_saved *saved, struct mq_error *error);
/* To the new record `record`, whose create is written: what `parsed` says was said later, each text as an addition of its
 * own, which goes where one to a record that is here would. Within a transaction of the caller. */
MQ_MUST_USE enum mq_status mq_records_add_later(struct mq_replica *replica, const struct mq_team *team,
                                                const struct mq_parsed *parsed, const uint8_t record[MQ_ID_SIZE],
                                                struct mq_error *error);

#endif
