/* Whether a family was told what is kept about it before something sensitive is written down (docs/domain.md, section 6.4).
 * Inside of replica/records_*.c. */
#ifndef MQ_REPLICA_NOTICE_H
#define MQ_REPLICA_NOTICE_H

#include "replica/convert.h"
#include "replica/records.h"

/* For a new record: `saved->without_notice` where it says something of class B and nobody was told. Unless `import`,
 * MQ_REFUSED: a child under 14 without a guardian's consent, or something sensitive after consent was taken back. */
MQ_MUST_USE enum mq_status mq_notice_new(struct mq_replica *replica, const struct mq_parsed *parsed, bool import,
                                         struct mq_saved *saved, struct mq_error *error);
/* The same for a value given to a field of a record that is here. */
MQ_MUST_USE enum mq_status mq_notice_edit(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                          const struct mq_field *field, struct mq_span value, struct mq_saved *saved,
                                          struct mq_error *error);

#endif
