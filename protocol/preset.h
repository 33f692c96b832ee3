/* How long things may take: presets, each with its source. No law sets a clock for a need that was merely noted on a
 * visit, so what is used unless somebody says otherwise is the project's own and is called that (本地约定); others bind
 * only what was handed to that channel. A desk adds to them, or goes before them, by records of kind `preset`. */
#ifndef MQ_PROTOCOL_PRESET_H
#define MQ_PROTOCOL_PRESET_H

#include "protocol/bytes.h"
#include "protocol/workday.h"

/* What a preset is for: codes of the list `clock`. */
enum mq_preset_clock {
    MQ_PRESET_ACCEPT = 1,
    MQ_PRESET_ANSWER = 2,
    MQ_PRESET_TELL = 3,
    MQ_PRESET_RECHECK = 4,
    MQ_PRESET_EXTEND = 5
};

struct mq_preset {
    const char *id;   /* what a step's `rule` says */
    const char *name; /* Chinese */
    uint8_t clock;
    uint16_t days;
    bool working;     /* working days, else calendar days */
    uint8_t urgency;  /* code that it is for; 0: any */
    uint8_t category; /* the same */
    bool usual;       /* used where nobody chose one */
    bool binding;     /* a law or rule, for what was handed to that channel */
    const char *source;
    int32_t from, to; /* days; 0: open */
};
extern const struct mq_preset mq_presets_built_in[];
extern const size_t mq_presets_built_in_count;

/* Presets that go before the built-in ones. */
struct mq_preset_list {
    const struct mq_preset *presets;
    size_t count;
};

/* By id; `own` first. NULL: there is none. */
const struct mq_preset *mq_preset_by_id(const struct mq_preset_list *own, struct mq_span id);
/* The usual one for a clock on a day: of `own` if one fits, and the one that says most (category, urgency). NULL: none. */
const struct mq_preset *mq_preset_usual(const struct mq_preset_list *own, unsigned clock, unsigned urgency,
                                        unsigned category, int32_t day);
/* The last day of it, counted from `day`. `missing` as in mq_workday. */
int32_t mq_preset_due(const struct mq_preset *preset, const struct mq_calendar *calendar, int32_t day, int *missing);

#endif
