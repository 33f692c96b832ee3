/* What is counted of needs, and which needs a filter means: one reading for digests and for the lists that recount them.
 * By place, matter and state; never by who wrote something. */
#ifndef MQ_REPLICA_NEED_FACTS_H
#define MQ_REPLICA_NEED_FACTS_H

#include "platform/error.h"
#include "protocol/need.h"
#include "replica/replica.h"

/* Values of one option: "04,07". `items` are numbers of a list, or texts. count 0: any. */
struct mq_filter_numbers {
    uint16_t items[MQ_FILTER_VALUES_MAX];
    size_t count;
};
struct mq_filter_texts {
    struct mq_span items[MQ_FILTER_VALUES_MAX];
    size_t count;
};

struct mq_need_filter {
    struct mq_filter_texts villages; /* as mq_place_called */
    struct mq_filter_texts units;    /* who has it */
    struct mq_filter_texts policies;
    struct mq_filter_numbers categories, natures, states, obstacles, asks;
    struct mq_span topic; /* of the plan that its visit belongs to, or a policy */
    bool open;            /* not over yet */
    bool counted;         /* what a digest counts: nothing that is for named persons only */
    int32_t from, to;     /* days on which it was spoken, both included; 0: open */
};

/* Texts of the options, NULL where not given; several values have commas between them, "-" is what is not said. A
 * village may be given by any code or name that it has or had. Borrowed as long as `out` is used. */
struct mq_need_filter_text {
    const char *village, *unit, *policy, *category, *nature, *state, *obstacle, *ask, *topic, *from, *to, *counted;
};
/* MQ_REFUSED, naming the option: a label or code that the list has not (of `state`: "open" besides the states), a date
 * that is none, too many values. */
MQ_MUST_USE enum mq_status mq_need_filter_read(struct mq_need_filter *out, struct mq_replica *replica,
                                               const struct mq_need_filter_text *text, struct mq_error *error);

struct mq_need_facts {
    uint8_t record[MQ_ID_SIZE];
    uint8_t household[MQ_ID_SIZE]; /* its own record where it has none: it counts as one */
    int32_t day;
    uint16_t category, nature;     /* 0: not said */
    uint8_t state;                 /* enum mq_need_state_number */
    bool for_few;                  /* mq_is_for_few */
    bool tells;                    /* nobody should be recognised beside it: 敏感, or by its category */
    uint32_t obstacles, asks;      /* bits: 1 << code */
    char village[MQ_NAME_TEXT_MAX + 1], unit[MQ_SHORT_TEXT_MAX + 1], policy[MQ_SHORT_TEXT_MAX + 1],
        topic[MQ_SHORT_TEXT_MAX + 1];
};

/* MQ_NOT_FOUND: it is no need, deleted, or unreadable. */
MQ_MUST_USE enum mq_status mq_need_facts_read(struct mq_need_facts *out, struct mq_replica *replica,
                                              const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error);
bool mq_need_matches(const struct mq_need_filter *filter, const struct mq_need_facts *facts);

#endif
