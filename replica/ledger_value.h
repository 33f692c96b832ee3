/* Values as cells have them, with the codes and places that are in force (replica/catalogue.h). Inside of
 * replica/ledger*.c, need_facts.c and digest*.c. */
#ifndef MQ_REPLICA_LEDGER_VALUE_H
#define MQ_REPLICA_LEDGER_VALUE_H

#include "protocol/merge.h"
#include "protocol/record.h"
#include "replica/replica.h"

/* The shown value of a field of this kind: an empty span where there is none. */
struct mq_span mq_shown_value(const struct mq_group_state *state, const char *key);
/* The record that a shown value points to, or the first of a set of them; false: none. */
bool mq_shown_reference(const struct mq_group_state *state, const char *key, uint8_t out[MQ_ID_SIZE]);
/* A shown number (a code, a date, a count); 0: none. */
uint64_t mq_shown_number(const struct mq_group_state *state, const char *key);
/* The shown text, borrowed; empty: none. */
struct mq_span mq_shown_text(const struct mq_group_state *state, const char *key);
/* Everything that a field shows, as people read it, appended to `out`: labels, dates, several with 、 between them, later
 * words behind earlier ones. Telephone numbers masked where `mask`, and then without whose they are. `replica` NULL: by the
 * program's own lists, and places as they stand. */
void mq_put_shown(struct mq_replica *replica, struct mq_buffer *out, const struct mq_group_state *state,
                  const char *key, bool mask);
/* Is it for named persons only: in a restricted compartment (replica/view.h), by what the tables mark (protocol/record.h),
 * or 限定知悉? Any value counts, shown or not.
 * Such records are in no ledger, notice or digest. */
bool mq_is_for_few(struct mq_replica *replica, const struct mq_group_state *state);
/* Should nobody be recognised beside it: is it 敏感, or does the very name of its category tell of illness, status,
 * disability, children or strife? */
bool mq_tells(const struct mq_group_state *state);
/* Village and group: 杉坪村三组, or 990527103204 三组. */
void mq_put_village(struct mq_replica *replica, struct mq_buffer *out, const struct mq_group_state *state);
/* A place as ledgers call it, from what a person types: the name it has today where it is known by code or name, else as
 * it was typed. Borrowed from there or from the catalogue. */
struct mq_span mq_place_called(struct mq_replica *replica, struct mq_span text);
void mq_put_day(struct mq_buffer *out, int32_t day); /* nothing for 0 */

#endif
