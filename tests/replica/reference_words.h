/* What the tests of reference data say and look at. All of them assert; `problem` holds why something was refused. */
#ifndef MQ_TESTS_REPLICA_REFERENCE_WORDS_H
#define MQ_TESTS_REPLICA_REFERENCE_WORDS_H

#include "protocol/codes.h"
#include "replica/catalogue.h"
#include "tests/replica/village.h"

extern struct mq_error problem;

/* A desk writes reference data, or edits it (`two` may be NULL). */
enum mq_status desk_says(struct village_member *desk, const char *json);
enum mq_status desk_sets(struct village_member *desk, const char *id, const char *one, const char *two);
enum mq_status import_json(struct village_member *member, const char *json);
void expect_ok(enum mq_status status);
/* Refused, and the words name `part`. */
void expect_refused(enum mq_status status, const char *part);
/* The export has `part` in it. */
void expect_line(struct village_member *member, const char *part);
/* The record as show gives it, which an export may leave out, holds `part`. */
void expect_line_anywhere(struct village_member *member, const char *id, const char *part);
/* What is in force at a member: a code by number (NULL: none), the number that a word leads to (0: none), a place. */
const struct mq_code *code_here(struct village_member *member, const struct mq_code_list *own, uint64_t number);
uint64_t word_here(struct village_member *member, const struct mq_code_list *own, const char *word);
const struct mq_place *place_here(struct village_member *member, const char *text);
int32_t day_of(const char *text);
/* Desk and devices have the same view. */
void assert_agree(struct village *village);

#endif
