/* Headings that ledgers usually have. Inside of replica/columns*.c. */
#ifndef MQ_REPLICA_COLUMNS_USUAL_H
#define MQ_REPLICA_COLUMNS_USUAL_H

#include "protocol/record.h"

/* The field of a usual heading, or of a key that stands there as it is. false: nobody knows it. `*field` NULL: known,
 * and never taken over (numbers of papers and bank cards, a running number). */
bool mq_usual_column(const struct mq_kind *kind, struct mq_span heading, const struct mq_field **field);

#endif
