/* The life of a need: its states, the table of steps that move it, and its state as a pure function of the set of its
 * steps, in whatever order they came (docs/protocol.md, section 6; the table for people: docs/domain.md, section 4).
 * Device and desk use the same table; records of steps are kept whatever it says. */
#ifndef MQ_PROTOCOL_NEED_H
#define MQ_PROTOCOL_NEED_H

#include "protocol/certificate.h"
#include "protocol/record.h"

enum mq_need_state_number {
    MQ_NEED_REGISTERED = 1,
    MQ_NEED_ACCEPTED,
    MQ_NEED_RETURNED,
    MQ_NEED_REDIRECTED,
    MQ_NEED_ASSIGNED,
    MQ_NEED_DISPUTED,
    MQ_NEED_WORKING,
    MQ_NEED_ESCALATED,
    MQ_NEED_PARKED,
    MQ_NEED_ANSWERED,
    MQ_NEED_TOLD,
    MQ_NEED_UNSATISFIED,
    MQ_NEED_REOPENED,
    MQ_NEED_MERGED,
    MQ_NEED_CLOSED,
    MQ_NEED_WITHDRAWN
};

/* Whose turn it is: for every open state exactly one. */
enum mq_need_holder {
    MQ_HOLDER_NOBODY, /* it is over */
    MQ_HOLDER_CADRE,
    MQ_HOLDER_DESK,
    MQ_HOLDER_UNIT,   /* the one that the last step with a unit names */
    MQ_HOLDER_COUNTY,
    MQ_HOLDER_TARGET  /* whoever holds the need that it is part of */
};

struct mq_need_state {
    uint8_t number;
    const char *key;   /* in --json; never changes */
    const char *label; /* Chinese */
    enum mq_need_holder holder;
    bool open;         /* not over yet */
    bool tells;        /* entered with a sentence that the villager has to be told */
};
extern const struct mq_need_state mq_need_states[];
extern const size_t mq_need_state_count;
const struct mq_need_state *mq_need_state_by_number(unsigned number);
const struct mq_need_state *mq_need_state_by_text(struct mq_span text); /* by key or label; NULL */

/* Codes of the list `step` (protocol/codes.c), and a telling. */
enum mq_step_code {
    MQ_STEP_TOLD = 0,
    MQ_STEP_ACCEPT = 1,
    MQ_STEP_RETURN = 2,
    MQ_STEP_REDIRECT = 3,
    MQ_STEP_ASSIGN = 4,
    MQ_STEP_DISPUTE = 5,
    MQ_STEP_START = 6,
    MQ_STEP_EXTEND = 7,
    MQ_STEP_ESCALATE = 8,
    MQ_STEP_PARK = 9,
    MQ_STEP_ANSWER = 10,
    MQ_STEP_SETTLE = 11,
    MQ_STEP_CLOSE = 12,
    MQ_STEP_REOPEN = 13,
    MQ_STEP_WITHDRAW = 14,
    MQ_STEP_SUPPLEMENT = 15,
    MQ_STEP_MERGE_INTO = 16
};
/* Codes that decide which row counts; of the lists `step_result`, `reaction` and `cause`. */
enum { MQ_RESULT_PARKED = 7 };
enum { MQ_REACTION_UNSATISFIED = 3, MQ_REACTION_UNREACHED = 5 };
enum { MQ_CAUSE_UNREACHED = 21, MQ_CAUSE_ANONYMOUS = 22, MQ_CAUSE_MOVED = 23, MQ_CAUSE_EXPLAINED = 24 };

#define MQ_RANK_CADRE 1u /* ranks as in mq_role_rank; the desk's is MQ_RANK_DESK */

/* What a step says, as bits. */
#define MQ_SAYS_UNIT 1u
#define MQ_SAYS_TEXT 2u
#define MQ_SAYS_DUE 4u
#define MQ_SAYS_REASON 8u
#define MQ_SAYS_RESULT 16u
#define MQ_SAYS_CAUSE 32u
#define MQ_SAYS_NO_NEW_UNIT 64u /* in a rule only: a unit, unless an earlier step named one */

/* When a row counts, besides its states. */
enum mq_need_when {
    MQ_WHEN_ALWAYS,
    MQ_WHEN_HEARD,       /* told, and he did not say that he is not satisfied */
    MQ_WHEN_UNSATISFIED, /* told, and he is not */
    MQ_WHEN_UNREACHED,   /* nobody was reached */
    MQ_WHEN_FOR_GOOD,    /* the result is an answer */
    MQ_WHEN_NO_MEANS,    /* the result is that there are no means for now */
    MQ_WHEN_DISPUTABLE,  /* fewer than MQ_DISPUTES_MAX disputes so far */
    MQ_WHEN_EXCEPTION,   /* the cause says why nobody could be told */
    MQ_WHEN_EXPLAINED    /* the cause is that it was explained once more */
};

/* What a step does to the time that is left. */
enum mq_need_clock {
    MQ_CLOCK_START, /* time begins anew, with the due date that the step gives */
    MQ_CLOCK_RUN,   /* goes on; a due date in the step replaces the one before */
    MQ_CLOCK_PAUSE, /* stands still until somebody has answered */
    MQ_CLOCK_DATE,  /* the step must give a new date */
    MQ_CLOCK_STOP,  /* the unit's time ends; the time to tell the villager begins */
    MQ_CLOCK_END
};

/* One row: from any of these states, this step of a writer with at least this rank, with all of `says` and one of
 * `one_of`, leads to `to`. Of several rows that allow a step the first counts. */
struct mq_need_rule {
    uint32_t from;      /* bits: 1 << state */
    uint8_t code;       /* enum mq_step_code */
    uint8_t to;         /* 0: stays where it is */
    uint8_t rank;
    uint8_t says, one_of;
    enum mq_need_when when;
    enum mq_need_clock clock;
};
extern const struct mq_need_rule mq_need_rules[];
extern const size_t mq_need_rule_count;

/* How a need stands after a step. Steps are named by their place in the array that was derived from; -1: none. */
struct mq_need_status {
    uint8_t state;
    bool told;         /* the sentence was told since it was given */
    int16_t dated;     /* the step that gave the due date; -1: there is none */
    int16_t unit;      /* the step that named the unit which has it */
    int16_t sentence;  /* the step whose text is for the villager */
    uint16_t disputes; /* so far */
    uint16_t unreached; /* attempts to tell in which nobody was reached, since the sentence was given */
    int32_t due;
};

/* A step or a telling. The caller fills the first part from the record's create: what others change of it later moves
 * nothing. */
struct mq_need_step {
    uint8_t record[MQ_ID_SIZE];
    unsigned rank;  /* of its writer */
    uint8_t code;   /* 0: a telling */
    uint8_t reaction, result, cause; /* 0: not said */
    uint8_t says;
    int32_t due;
    const uint8_t *after; /* after_count * 16 bytes: the steps that were on the screen */
    size_t after_count;
    /* Filled by mq_need_derive: */
    bool effective; /* it moved the need; otherwise it was out of turn and is shown as such */
    bool late;      /* effective, but not in the past of the step that the need stands at */
    bool head;      /* effective, and no effective step knew it */
    uint32_t depth;
    struct mq_need_status status; /* after it; out of turn: as before */
};

struct mq_need {
    struct mq_need_status status;
    int16_t head;       /* the step at which the need stands; -1: it is only registered */
    size_t late;        /* other heads: they arrived late and wait for a desk's step that names them */
    size_t out_of_turn;
    bool overflow;      /* there are more than MQ_NEED_STEPS_MAX: of those of lowest rank some count for nothing */
};

/* Why a row does not allow a step: the first thing that is wrong, the gravest last. */
enum mq_need_verdict {
    MQ_VERDICT_ALLOWED,
    MQ_VERDICT_DATA,  /* a field is missing */
    MQ_VERDICT_WHEN,
    MQ_VERDICT_RANK,
    MQ_VERDICT_STATE,
    MQ_VERDICT_STEP   /* a row for another step */
};
enum mq_need_verdict mq_need_judge(const struct mq_need_rule *rule, const struct mq_need_status *before,
                                   const struct mq_need_step *step);
/* The row that allows a step; NULL: none does. */
const struct mq_need_rule *mq_need_rule_find(const struct mq_need_status *before, const struct mq_need_step *step);

/* A need that nobody has touched. */
struct mq_need_status mq_need_registered(void);

/* The state from the set of steps, each record once. Sorts `steps` by record id; where there are more than
 * MQ_NEED_STEPS_MAX, those that count come first. Gives how many count. Names of steps that are not among them count for
 * nothing, and neither do names within a ring, which takes forged names. */
size_t mq_need_derive(struct mq_need *out, struct mq_need_step *steps, size_t count);

#endif
