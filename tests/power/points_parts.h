/* What the steps whose every moment is tried have in common: records, beginnings, and what is asked behind each. */
#ifndef MQ_TESTS_POWER_POINTS_PARTS_H
#define MQ_TESTS_POWER_POINTS_PARTS_H

#include "tests/power/points.h"

#define HOUSEHOLD(id, head, people) \
    "{\"kind\":\"household\",\"id\":\"" id "\",\"place\":\"990527103204\",\"head\":\"" head "\",\"people\":" people "}"
#define FIRST HOUSEHOLD("H-1", "杨顺华", "3")
#define SECOND HOUSEHOLD("H-2", "余世海", "4")
#define THIRD HOUSEHOLD("H-3", "冉大珍", "5")
#define NEW HOUSEHOLD("H-9", "吴国平", "2")
#define FIRST_CHANGED HOUSEHOLD("H-1", "杨顺华", "6")

extern struct mq_error point_problem; /* of what has to succeed */

/* Asserts MQ_OK; else says the problem. */
void point_must(enum mq_status status);
bool point_shows(struct village_member *member, const char *line);
void point_assert_shows(struct village_member *member, const char *line);

/* FIRST and SECOND have come to everybody, THIRD only waits on the device. */
void point_prepare_three(struct stage *stage);
/* Besides, the device has sent; the desk will open, merge, write receipts and send them. */
void point_prepare_sent(struct stage *stage);

void point_begin_device(struct stage *stage);
void point_begin_desk(struct stage *stage);
void point_begin_server(struct stage *stage);
void point_begin_all(struct stage *stage);

/* What point_prepare_three wrote is there, FIRST perhaps changed, on the device now and at the desk in the end; the store takes
 * a new record. */
void point_judge_three(struct stage *stage);
/* The same, FIRST as it was. */
void point_judge_plain(struct stage *stage, bool acknowledged);

#endif
