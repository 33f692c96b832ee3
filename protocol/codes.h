/* The code lists that fields refer to. For kinds.c; everybody else finds them through a field (protocol/record.h). */
#ifndef MQ_PROTOCOL_CODES_H
#define MQ_PROTOCOL_CODES_H

#include "protocol/record.h"

extern const struct mq_code_list mq_codes_household_type, mq_codes_household_tag, mq_codes_household_state;
extern const struct mq_code_list mq_codes_purpose, mq_codes_how_chosen;
extern const struct mq_code_list mq_codes_part, mq_codes_visit_mode, mq_codes_visit_result, mq_codes_check;
extern const struct mq_code_list mq_codes_subject, mq_codes_nature, mq_codes_category, mq_codes_urgency, mq_codes_ask;
extern const struct mq_code_list mq_codes_step, mq_codes_step_result;
extern const struct mq_code_list mq_codes_told_mode, mq_codes_reaction;

#endif
