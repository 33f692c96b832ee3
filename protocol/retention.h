/* How long what is kept, and what goes when somebody asks (docs/domain.md, section 6). Tables of data: what is
 * counted, listed and erased by them is in replica/forget.h and replica/retention.h. */
#ifndef MQ_PROTOCOL_RETENTION_H
#define MQ_PROTOCOL_RETENTION_H

#include "protocol/record.h"

/* Fields as bits by their number; this one: all of them. */
#define MQ_FORGET_WHOLE (UINT64_C(1) << 63)
#define MQ_FORGET_KINDS 32 /* greater than every kind's number */

/* What a person may have taken out. */
enum mq_forget_scope {
    MQ_FORGET_HEALTH,    /* what tells of illness and disability; other tags stay */
    MQ_FORGET_SENSITIVE, /* everything of class B */
    MQ_FORGET_HOUSEHOLD, /* everything about the household; needs keep number, category and steps */
    MQ_FORGET_SCOPES
};
struct mq_forget_row {
    uint8_t kind;
    uint64_t fields[MQ_FORGET_SCOPES];
};
/* Records that point to the household, to its visits and to its needs. */
extern const struct mq_forget_row mq_forget_rows[];
extern const size_t mq_forget_row_count;

/* What stands in the place of words that were taken out. */
#define MQ_TAKEN_OUT "（原话已按规定删去）"

/* From when the time runs. */
enum mq_retention_since {
    MQ_SINCE_LAST_VISIT, /* to the household, of a visit: to the last of its households */
    MQ_SINCE_OVER,       /* of a need: its last step or telling, once it is over; of a step or telling: its need's */
    MQ_SINCE_FIELD       /* the date in `date`; where it is not said, it is kept */
};
struct mq_retention {
    uint8_t kind;
    enum mq_retention_since since;
    uint8_t date;   /* a field's number */
    uint16_t months;
    uint64_t fields; /* what goes then */
};
extern const struct mq_retention mq_retentions[];
extern const size_t mq_retention_count;

/* The day so many months before `day`; where that month is shorter, its last; where no date is that early, the first one. */
int32_t mq_months_before(int32_t day, unsigned months);

#endif
