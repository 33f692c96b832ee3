/* What a person asks for by place: lists, draws and ledgers of one village or town, by its code, its name or an earlier
 * name. After a merging the same records are counted by the old reckoning or by the new (docs/domain.md, section 3). */
#ifndef MQ_REPLICA_PLACE_FILTER_H
#define MQ_REPLICA_PLACE_FILTER_H

#include "replica/catalogue.h"
#include "replica/records.h"

/* A place that somebody asked for. Holds as long as what the catalogue hands out. */
struct mq_place_asked {
    struct mq_span text;          /* as it was asked; empty: everywhere */
    const struct mq_place *place; /* NULL: in no list; then a record must say the same text */
    int32_t day;                  /* as of which; 0: as it ever was, or is today */
    int32_t today;
};
/* `text` is a 12-digit code, a name of today or earlier, a place's id, or the 9 digits that a town's codes begin with;
 * borrowed. With `day` every record is in one place: where it belongs on that day. Without, a village that was merged is
 * found by its own name and by that of the whole. MQ_REFUSED: several places are called so. */
MQ_MUST_USE enum mq_status mq_place_ask(struct mq_replica *replica, struct mq_span text, int32_t day,
                                        struct mq_place_asked *out, struct mq_error *error);
/* Is a stored value of type MQ_TYPE_PLACE what was asked for, or within it? */
MQ_MUST_USE enum mq_status mq_place_is_asked(struct mq_replica *replica, const struct mq_place_asked *asked,
                                             struct mq_span value, bool *yes, struct mq_error *error);

/* An emitter that lets through records in the place that was asked for: what says the place itself, or is about a
 * household, a visit or a need that does. */
struct mq_place_filter {
    struct mq_replica *replica;
    struct mq_place_asked asked;
    int64_t left; /* of the limit; < 0: none */
    const struct mq_emitter *next;
};
/* Between a list of records (with `record`, as mq_records_list gives them) and `next`; `limit` 0: none. */
MQ_MUST_USE enum mq_status mq_place_filter_begin(struct mq_place_filter *filter, struct mq_replica *replica,
                                                 struct mq_span place, int32_t day, int64_t limit,
                                                 const struct mq_emitter *next, struct mq_error *error);
/* The day of an option such as --place-as-of; 0 where it was not given (NULL). MQ_REFUSED: no date. */
MQ_MUST_USE enum mq_status mq_place_day(const char *text, int32_t *day, struct mq_error *error);
struct mq_emitter mq_place_filter_emitter(struct mq_place_filter *filter);

#endif
