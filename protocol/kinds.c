/* The seven kinds of record and their fields (docs/domain.md, section 2). A number is never given to another field: a
 * new field gets the next one, at the end of its table. */
#include "protocol/codes.h"

#define REQUIRED MQ_FIELD_REQUIRED
#define MADE MQ_FIELD_MADE
#define ID_LIKE (MQ_FIELD_IDENTITY | MQ_FIELD_UNSCANNED)

/* Rows by type. The last argument is flags; what has no argument for them needs none. */
#define TEXT(n, name, bytes, f) {.number = n, .key = name, .type = MQ_TYPE_TEXT, .most = bytes, .flags = f}
#define LONG_TEXT(n, name, f) \
    {.number = n, .key = name, .type = MQ_TYPE_LONG_TEXT, .most = MQ_LONG_TEXT_MAX, .flags = f}
#define PLACE(n, name, f) {.number = n, .key = name, .type = MQ_TYPE_PLACE, .most = MQ_NAME_TEXT_MAX, .flags = f}
#define DATE(n, name, f) {.number = n, .key = name, .type = MQ_TYPE_DATE, .flags = f}
#define COUNT(n, name, greatest) {.number = n, .key = name, .type = MQ_TYPE_COUNT, .most = greatest}
#define CODE(n, name, list, f) {.number = n, .key = name, .type = MQ_TYPE_CODE, .codes = &(list), .flags = f}
#define CODES(n, name, list) {.number = n, .key = name, .type = MQ_TYPE_CODE, .merge = MQ_MERGE_SET, .codes = &(list)}
#define REFERENCE(n, name, kind, f) \
    {.number = n, .key = name, .type = MQ_TYPE_REFERENCE, .target = kind, .flags = (f) | MQ_FIELD_UNSCANNED}
#define REFERENCES(n, name, kind, f) \
    {.number = n, .key = name, .type = MQ_TYPE_REFERENCE, .merge = MQ_MERGE_SET, .target = kind, \
     .flags = (f) | MQ_FIELD_UNSCANNED}

/* What every kind begins with. */
#define COMMON(kind) \
    {.number = MQ_FIELD_LIFE, .key = "life", .type = MQ_TYPE_LIFE, .flags = MADE | MQ_FIELD_UNSCANNED}, \
    REFERENCES(MQ_FIELD_SAME_AS, "same_as", kind, MADE), \
    {.number = MQ_FIELD_ID, .key = "id", .type = MQ_TYPE_ID, .most = MQ_RECORD_ID_TEXT_MAX, \
     .flags = REQUIRED | ID_LIKE}

static const struct mq_field household[] = {
    COMMON(MQ_KIND_HOUSEHOLD),
    PLACE(3, "place", REQUIRED),
    TEXT(4, "group", MQ_NAME_TEXT_MAX, 0),
    TEXT(5, "head", MQ_NAME_TEXT_MAX, REQUIRED),
    TEXT(6, "nickname", MQ_NAME_TEXT_MAX, 0),
    TEXT(7, "where", MQ_SHORT_TEXT_MAX, 0),
    {.number = 8, .key = "phones", .type = MQ_TYPE_PHONES, .most = MQ_PHONES_MAX},
    COUNT(9, "people", MQ_PEOPLE_MAX),
    COUNT(10, "residents", MQ_PEOPLE_MAX),
    CODES(11, "types", mq_codes_household_type),
    CODES(12, "tags", mq_codes_household_tag),
    TEXT(13, "best_time", MQ_SHORT_TEXT_MAX, 0),
    TEXT(14, "dialect", MQ_SHORT_TEXT_MAX, 0),
    CODE(15, "state", mq_codes_household_state, 0),
};

static const struct mq_field plan[] = {
    COMMON(MQ_KIND_PLAN),
    CODE(3, "purpose", mq_codes_purpose, REQUIRED),
    {.number = 4, .key = "questions", .type = MQ_TYPE_TEXTS, .most = MQ_QUESTIONS_MAX},
    CODE(5, "how_chosen", mq_codes_how_chosen, 0),
    REFERENCES(6, "households", MQ_KIND_HOUSEHOLD, 0),
    DATE(7, "from", 0),
    DATE(8, "to", 0),
    TEXT(9, "with", MQ_SHORT_TEXT_MAX, 0),
};

static const struct mq_field visit[] = {
    COMMON(MQ_KIND_VISIT),
    REFERENCE(3, "household", MQ_KIND_HOUSEHOLD, 0),
    REFERENCES(4, "households", MQ_KIND_HOUSEHOLD, 0),
    PLACE(5, "place", 0),
    DATE(6, "date", REQUIRED),
    CODE(7, "part", mq_codes_part, 0),
    CODE(8, "mode", mq_codes_visit_mode, 0),
    CODE(9, "result", mq_codes_visit_result, 0),
    REFERENCE(10, "plan", MQ_KIND_PLAN, 0),
    TEXT(11, "with", MQ_SHORT_TEXT_MAX, 0),
    LONG_TEXT(12, "notes", 0),
    CODE(13, "checks.吃穿", mq_codes_check, 0),
    CODE(14, "checks.住房", mq_codes_check, 0),
    CODE(15, "checks.看病", mq_codes_check, 0),
    CODE(16, "checks.上学", mq_codes_check, 0),
    CODE(17, "checks.饮水", mq_codes_check, 0),
    CODE(18, "checks.收入变化", mq_codes_check, 0),
    CODE(19, "checks.其他", mq_codes_check, 0),
    TEXT(20, "next", MQ_SHORT_TEXT_MAX, 0), /* a date or words: kept as it was written */
    TEXT(21, "paper_no", MQ_NAME_TEXT_MAX, 0),
};
static const uint8_t visit_one_of[][4] = {{3, 4, 5, 0}}; /* household, households or place */

static const struct mq_field need[] = {
    COMMON(MQ_KIND_NEED),
    TEXT(3, "no", MQ_RECORD_ID_TEXT_MAX, MADE | ID_LIKE),
    REFERENCE(4, "visit", MQ_KIND_VISIT, 0),
    REFERENCE(5, "household", MQ_KIND_HOUSEHOLD, 0),
    TEXT(6, "reporter", MQ_SHORT_TEXT_MAX, 0),
    CODE(7, "subject", mq_codes_subject, 0),
    CODE(8, "nature", mq_codes_nature, 0),
    {.number = 9, .key = "words", .type = MQ_TYPE_LONG_TEXT, .merge = MQ_MERGE_WORDS, .most = MQ_LONG_TEXT_MAX,
     .flags = REQUIRED},
    TEXT(10, "summary", MQ_SHORT_TEXT_MAX, 0),
    CODE(11, "category", mq_codes_category, 0),
    CODE(12, "urgency", mq_codes_urgency, 0),
    COUNT(13, "households_affected", MQ_AFFECTED_MAX),
    CODES(14, "asks", mq_codes_ask),
    {.number = 15, .key = "county_eyes", .type = MQ_TYPE_BOOL},
    TEXT(16, "external_no", MQ_NAME_TEXT_MAX, 0),
};

static const struct mq_field step[] = {
    COMMON(MQ_KIND_STEP),
    REFERENCE(3, "need", MQ_KIND_NEED, REQUIRED),
    CODE(4, "step", mq_codes_step, REQUIRED),
    TEXT(5, "unit", MQ_SHORT_TEXT_MAX, 0),
    LONG_TEXT(6, "text", 0),
    DATE(7, "due", 0),
    TEXT(8, "reason", MQ_SHORT_TEXT_MAX, 0),
    CODE(9, "result", mq_codes_step_result, 0),
    REFERENCES(10, "after", 0, MADE), /* steps and tellings that were on the screen (docs/protocol.md, section 6) */
};

static const struct mq_field told[] = {
    COMMON(MQ_KIND_TOLD),
    REFERENCE(3, "need", MQ_KIND_NEED, REQUIRED),
    DATE(4, "date", REQUIRED),
    CODE(5, "mode", mq_codes_told_mode, 0),
    LONG_TEXT(6, "text", 0),
    CODE(7, "reaction", mq_codes_reaction, 0),
    REFERENCES(8, "after", 0, MADE),
};

static const struct mq_field suggestion[] = {
    COMMON(MQ_KIND_SUGGESTION),
    LONG_TEXT(3, "text", REQUIRED),
};

#define KIND(n, table) {.number = n, .key = #table, .fields = table, .field_count = sizeof table / sizeof *table}

const struct mq_kind mq_kinds[] = {
    KIND(MQ_KIND_HOUSEHOLD, household),
    KIND(MQ_KIND_PLAN, plan),
    {.number = MQ_KIND_VISIT, .key = "visit", .fields = visit, .field_count = sizeof visit / sizeof *visit,
     .one_of = visit_one_of, .one_of_count = 1},
    KIND(MQ_KIND_NEED, need),
    KIND(MQ_KIND_STEP, step),
    KIND(MQ_KIND_TOLD, told),
    KIND(MQ_KIND_SUGGESTION, suggestion),
};
const size_t mq_kind_count = sizeof mq_kinds / sizeof *mq_kinds;
