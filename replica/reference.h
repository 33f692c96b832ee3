/* Reference data as a desk writes it: the same record, with the same `id`, in each of its teams, all or none. What is
 * written is checked against what is in force: a number keeps its meaning and every word keeps leading where it led, a
 * place code is one place's for ever, nothing is deleted (docs/domain.md, section 3). */
#ifndef MQ_REPLICA_REFERENCE_H
#define MQ_REPLICA_REFERENCE_H

#include "replica/records.h"

/* The teams of a desk; borrowed. */
struct mq_reference_teams {
    const struct mq_team *teams;
    size_t count;
};

/* A new record from an object of the record format: kind code, place, unit, calendar or preset. A code's `id` is its
 * list and number (`household_type:15`), a calendar's its year; others may have any, and are given one. MQ_REFUSED. */
MQ_MUST_USE enum mq_status mq_reference_add(struct mq_replica *replica, const struct mq_reference_teams *teams,
                                            const struct mq_json *object, struct mq_saved *saved,
                                            struct mq_error *error);
/* Edits of the record with that `id`, in every team, as mq_records_set. A code of the program that no record is about
 * yet gets one. */
MQ_MUST_USE enum mq_status mq_reference_set(struct mq_replica *replica, const struct mq_reference_teams *teams,
                                            struct mq_span id, const char *const *assignments, size_t count,
                                            struct mq_saved *saved, struct mq_error *error);
/* Everything that the other teams have of reference data, for a team that has not (all of) it. Within a transaction, or
 * in one of its own. */
MQ_MUST_USE enum mq_status mq_reference_copy(struct mq_replica *replica, const struct mq_team *to,
                                             struct mq_error *error);
/* Is a record of this kind reference data that this function's callers may write? */
bool mq_reference_kind(const struct mq_kind *kind);

/* The codes in force: {"list":…,"code":…,"text":…,"label":…,"alias":…,"from":…,"to":…,"replaced_by":…,"restricted":…,
 * "unit":…}, those of today, or with `all` every one. `list` empty: all lists. MQ_REFUSED: there is no such list. */
MQ_MUST_USE enum mq_status mq_reference_codes(struct mq_replica *replica, struct mq_span list, bool all,
                                              const struct mq_emitter *emitter, struct mq_error *error);

#endif
