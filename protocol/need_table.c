/* The states of a need and the steps between them (docs/domain.md, section 4). Whoever changes a row changes that page:
 * a test compares the two. */
#include "protocol/certificate.h"
#include "protocol/need.h"

const struct mq_need_state mq_need_states[] = {
    {MQ_NEED_REGISTERED, "registered", "已登记", MQ_HOLDER_DESK, true, false},
    {MQ_NEED_ACCEPTED, "accepted", "已受理", MQ_HOLDER_DESK, true, false},
    {MQ_NEED_RETURNED, "returned", "退回补充", MQ_HOLDER_CADRE, true, false},
    {MQ_NEED_REDIRECTED, "redirected", "已指路", MQ_HOLDER_CADRE, true, true},
    {MQ_NEED_ASSIGNED, "assigned", "已交办", MQ_HOLDER_UNIT, true, false},
    {MQ_NEED_DISPUTED, "disputed", "退回异议", MQ_HOLDER_DESK, true, false},
    {MQ_NEED_WORKING, "working", "办理中", MQ_HOLDER_UNIT, true, false},
    {MQ_NEED_ESCALATED, "escalated", "已上报县级", MQ_HOLDER_COUNTY, true, false},
    {MQ_NEED_PARKED, "parked", "挂账", MQ_HOLDER_UNIT, true, true},
    {MQ_NEED_ANSWERED, "answered", "已答复", MQ_HOLDER_CADRE, true, true},
    {MQ_NEED_TOLD, "told", "已告知", MQ_HOLDER_DESK, true, false},
    {MQ_NEED_UNSATISFIED, "unsatisfied", "不满意待重办", MQ_HOLDER_DESK, true, false},
    {MQ_NEED_REOPENED, "reopened", "重办", MQ_HOLDER_DESK, true, false},
    {MQ_NEED_MERGED, "merged", "已并入", MQ_HOLDER_TARGET, true, false},
    {MQ_NEED_CLOSED, "closed", "办结", MQ_HOLDER_NOBODY, false, false},
    {MQ_NEED_WITHDRAWN, "withdrawn", "撤回", MQ_HOLDER_NOBODY, false, false},
};
const size_t mq_need_state_count = sizeof mq_need_states / sizeof *mq_need_states;

#define IN(state) (1u << MQ_NEED_##state)

/* Where the township has it and may decide what comes next. */
#define AT_THE_DESK (IN(ACCEPTED) | IN(DISPUTED) | IN(REOPENED))
#define AT_A_UNIT (IN(ASSIGNED) | IN(WORKING))
#define TO_BE_TOLD (IN(REDIRECTED) | IN(ANSWERED))
/* Under way: a telling now is news of how it goes, and moves nothing. */
#define UNDER_WAY (IN(REGISTERED) | IN(RETURNED) | AT_THE_DESK | AT_A_UNIT | IN(ESCALATED))
#define HEARD (IN(TOLD) | IN(UNSATISFIED))
#define OPEN (UNDER_WAY | TO_BE_TOLD | IN(PARKED) | IN(MERGED) | HEARD)

#define CADRE MQ_RANK_CADRE
#define DESK MQ_RANK_DESK
#define COUNTY MQ_RANK_COUNTY

#define UNIT MQ_SAYS_UNIT
#define TEXT MQ_SAYS_TEXT
#define DUE MQ_SAYS_DUE
#define REASON MQ_SAYS_REASON
#define RESULT MQ_SAYS_RESULT
#define CAUSE MQ_SAYS_CAUSE
#define SOME_UNIT MQ_SAYS_NO_NEW_UNIT

/* From, step, to, rank, what it must say, one of which it must say, when, clock. */
#define ROW(states, step, state, who, all, some, condition, time) \
    {.from = (states), .code = MQ_STEP_##step, .to = (state), .rank = (who), .says = (all), .one_of = (some), \
     .when = MQ_WHEN_##condition, .clock = MQ_CLOCK_##time}

const struct mq_need_rule mq_need_rules[] = {
    ROW(IN(REGISTERED), ACCEPT, MQ_NEED_ACCEPTED, DESK, 0, 0, ALWAYS, START),
    ROW(IN(REGISTERED), RETURN, MQ_NEED_RETURNED, DESK, 0, TEXT | REASON | CAUSE, ALWAYS, PAUSE),
    ROW(IN(RETURNED), SUPPLEMENT, MQ_NEED_REGISTERED, CADRE, TEXT, 0, ALWAYS, START),
    ROW(IN(REGISTERED) | IN(ACCEPTED), REDIRECT, MQ_NEED_REDIRECTED, DESK, TEXT, 0, ALWAYS, STOP),
    ROW(IN(REGISTERED) | IN(RETURNED), SETTLE, MQ_NEED_TOLD, CADRE, TEXT, 0, ALWAYS, END),

    ROW(AT_THE_DESK | AT_A_UNIT, ASSIGN, MQ_NEED_ASSIGNED, DESK, UNIT, 0, ALWAYS, RUN),
    ROW(IN(PARKED), ASSIGN, MQ_NEED_ASSIGNED, DESK, UNIT, 0, ALWAYS, START),
    ROW(IN(ESCALATED), ASSIGN, MQ_NEED_ASSIGNED, COUNTY, UNIT, 0, ALWAYS, START),
    ROW(IN(ASSIGNED), DISPUTE, MQ_NEED_DISPUTED, DESK, 0, REASON | CAUSE, DISPUTABLE, RUN),
    ROW(IN(ASSIGNED), START, MQ_NEED_WORKING, DESK, 0, 0, ALWAYS, RUN),
    ROW(IN(PARKED), START, MQ_NEED_WORKING, DESK, 0, 0, ALWAYS, START),
    ROW(IN(WORKING), EXTEND, 0, DESK, REASON | DUE, 0, ALWAYS, DATE),
    ROW(AT_THE_DESK | AT_A_UNIT, ESCALATE, MQ_NEED_ESCALATED, DESK, REASON, 0, ALWAYS, START),

    ROW(AT_THE_DESK | AT_A_UNIT | HEARD | IN(PARKED), PARK, MQ_NEED_PARKED, DESK, REASON | TEXT | DUE | SOME_UNIT, 0,
        ALWAYS, DATE),
    ROW(IN(ESCALATED), PARK, MQ_NEED_PARKED, COUNTY, REASON | TEXT | DUE | SOME_UNIT, 0, ALWAYS, DATE),
    ROW(AT_THE_DESK | AT_A_UNIT | IN(PARKED), ANSWER, MQ_NEED_PARKED, DESK, REASON | TEXT | DUE | RESULT | SOME_UNIT, 0,
        NO_MEANS, DATE),
    ROW(IN(ESCALATED), ANSWER, MQ_NEED_PARKED, COUNTY, REASON | TEXT | DUE | RESULT | SOME_UNIT, 0, NO_MEANS, DATE),
    ROW(AT_THE_DESK | AT_A_UNIT | IN(PARKED) | IN(ANSWERED), ANSWER, MQ_NEED_ANSWERED, DESK, RESULT | TEXT, 0, FOR_GOOD,
        STOP),
    ROW(IN(ESCALATED), ANSWER, MQ_NEED_ANSWERED, COUNTY, RESULT | TEXT, 0, FOR_GOOD, STOP),

    ROW(TO_BE_TOLD | IN(MERGED) | HEARD, TOLD, MQ_NEED_TOLD, CADRE, 0, 0, HEARD, END),
    ROW(IN(PARKED), TOLD, 0, CADRE, 0, 0, HEARD, RUN),
    ROW(TO_BE_TOLD | IN(PARKED) | IN(MERGED) | HEARD, TOLD, MQ_NEED_UNSATISFIED, CADRE, 0, 0, UNSATISFIED, END),
    ROW(TO_BE_TOLD | IN(PARKED) | IN(MERGED) | HEARD, TOLD, 0, CADRE, 0, 0, UNREACHED, RUN),
    ROW(UNDER_WAY, TOLD, 0, CADRE, 0, 0, ALWAYS, RUN),

    ROW(IN(TOLD), CLOSE, MQ_NEED_CLOSED, DESK, 0, 0, ALWAYS, END),
    ROW(IN(UNSATISFIED), CLOSE, MQ_NEED_CLOSED, DESK, REASON | CAUSE, 0, EXPLAINED, END),
    ROW(TO_BE_TOLD | IN(MERGED), CLOSE, MQ_NEED_CLOSED, DESK, CAUSE, 0, EXCEPTION, END),
    ROW(IN(CLOSED), CLOSE, 0, DESK, REASON, 0, ALWAYS, END),
    ROW(HEARD | TO_BE_TOLD | IN(MERGED) | IN(CLOSED) | IN(WITHDRAWN), REOPEN, MQ_NEED_REOPENED, DESK, REASON, 0, ALWAYS,
        START),
    ROW(OPEN, WITHDRAW, MQ_NEED_WITHDRAWN, CADRE, REASON, 0, ALWAYS, END),
    ROW(UNDER_WAY | IN(PARKED), MERGE_INTO, MQ_NEED_MERGED, DESK, 0, 0, ALWAYS, END),
};
const size_t mq_need_rule_count = sizeof mq_need_rules / sizeof *mq_need_rules;
