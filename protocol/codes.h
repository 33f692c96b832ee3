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
extern const struct mq_code_list mq_codes_escort, mq_codes_source, mq_codes_reporter_kind, mq_codes_secrecy;
extern const struct mq_code_list mq_codes_obstacle, mq_codes_subcategory, mq_codes_cause;
extern const struct mq_code_list mq_codes_age_band, mq_codes_basis_of_type;
extern const struct mq_code_list mq_codes_notice_mode, mq_codes_legal_basis, mq_codes_right, mq_codes_decision;
extern const struct mq_code_list mq_codes_place_level, mq_codes_place_class, mq_codes_unit_level, mq_codes_clock;

#endif
