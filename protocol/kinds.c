/* The kinds of record and their fields (docs/domain.md, section 2). A number is never given to another field: a
 * new field gets the next one, at the end of its table. */
#include "protocol/codes.h"

#define REQUIRED MQ_FIELD_REQUIRED
#define MADE MQ_FIELD_MADE
#define PERSONAL MQ_FIELD_PERSONAL
#define CLASS_B MQ_FIELD_CLASS_B
#define SPOKEN MQ_FIELD_SPOKEN
#define ID_LIKE (MQ_FIELD_IDENTITY | MQ_FIELD_UNSCANNED)

/* Rows by type. The last argument is flags; what has no argument for them needs none. */
#define TEXT(n, name, bytes, f) {.number = n, .key = name, .type = MQ_TYPE_TEXT, .most = bytes, .flags = f}
#define LONG_TEXT(n, name, f) \
    {.number = n, .key = name, .type = MQ_TYPE_LONG_TEXT, .most = MQ_LONG_TEXT_MAX, .flags = f}
#define PLACE(n, name, f) {.number = n, .key = name, .type = MQ_TYPE_PLACE, .most = MQ_NAME_TEXT_MAX, .flags = f}
#define DATE(n, name, f) {.number = n, .key = name, .type = MQ_TYPE_DATE, .flags = f}
#define COUNT(n, name, greatest, f) {.number = n, .key = name, .type = MQ_TYPE_COUNT, .most = greatest, .flags = f}
#define CODE(n, name, list, f) {.number = n, .key = name, .type = MQ_TYPE_CODE, .codes = &(list), .flags = f}
#define CODES(n, name, list, f) \
    {.number = n, .key = name, .type = MQ_TYPE_CODE, .merge = MQ_MERGE_SET, .codes = &(list), .flags = f}
#define GUARDED_CODE(n, name, list, who) \
    {.number = n, .key = name, .type = MQ_TYPE_CODE, .codes = &(list), .guard = who}
#define BOOL(n, name) {.number = n, .key = name, .type = MQ_TYPE_BOOL}
#define PHONES(n, name, f) {.number = n, .key = name, .type = MQ_TYPE_PHONES, .most = MQ_PHONES_MAX, .flags = f}
#define TEXTS(n, name, items, f) {.number = n, .key = name, .type = MQ_TYPE_TEXTS, .most = items, .flags = f}
#define DATES(n, name) {.number = n, .key = name, .type = MQ_TYPE_DATES, .most = MQ_CALENDAR_DAYS_MAX}
#define REFERENCE(n, name, kind, f) \
    {.number = n, .key = name, .type = MQ_TYPE_REFERENCE, .target = kind, .flags = (f) | MQ_FIELD_UNSCANNED}
#define REFERENCES(n, name, kind, f) \
    {.number = n, .key = name, .type = MQ_TYPE_REFERENCE, .merge = MQ_MERGE_SET, .target = kind, \
     .flags = (f) | MQ_FIELD_UNSCANNED}
#define DESK_REFERENCES(n, name, kind) \
    {.number = n, .key = name, .type = MQ_TYPE_REFERENCE, .merge = MQ_MERGE_SET, .target = kind, \
     .flags = MADE | MQ_FIELD_UNSCANNED, .guard = MQ_GUARD_DESK}

/* What every kind begins with. */
#define COMMON(kind) \
    {.number = MQ_FIELD_LIFE, .key = "life", .type = MQ_TYPE_LIFE, .flags = MADE | MQ_FIELD_UNSCANNED}, \
    REFERENCES(MQ_FIELD_SAME_AS, "same_as", kind, MADE), \
    {.number = MQ_FIELD_ID, .key = "id", .type = MQ_TYPE_ID, .most = MQ_RECORD_ID_TEXT_MAX, \
     .flags = REQUIRED | ID_LIKE}

static const struct mq_field household[] = {
    COMMON(MQ_KIND_HOUSEHOLD),
    PLACE(3, "place", REQUIRED | SPOKEN),
    TEXT(4, "group", MQ_NAME_TEXT_MAX, SPOKEN),
    TEXT(5, "head", MQ_NAME_TEXT_MAX, REQUIRED | PERSONAL | SPOKEN),
    TEXT(6, "nickname", MQ_NAME_TEXT_MAX, PERSONAL | SPOKEN),
    TEXT(7, "where", MQ_SHORT_TEXT_MAX, PERSONAL),
    PHONES(8, "phones", PERSONAL),
    COUNT(9, "people", MQ_PEOPLE_MAX, 0),
    COUNT(10, "residents", MQ_PEOPLE_MAX, 0),
    CODES(11, "types", mq_codes_household_type, CLASS_B),
    CODES(12, "tags", mq_codes_household_tag, CLASS_B),
    TEXT(13, "best_time", MQ_SHORT_TEXT_MAX, 0),
    TEXT(14, "dialect", MQ_SHORT_TEXT_MAX, 0),
    CODE(15, "state", mq_codes_household_state, 0),
    REFERENCE(16, "split_from", MQ_KIND_HOUSEHOLD, 0), /* the household that it was part of before (分户) */
    DESK_REFERENCES(17, "not_same_as", MQ_KIND_HOUSEHOLD), /* it looks like those, and a desk found that it is none of them */
};

static const struct mq_field plan[] = {
    COMMON(MQ_KIND_PLAN),
    CODE(3, "purpose", mq_codes_purpose, REQUIRED),
    TEXTS(4, "questions", MQ_QUESTIONS_MAX, 0),
    CODE(5, "how_chosen", mq_codes_how_chosen, 0),
    REFERENCES(6, "households", MQ_KIND_HOUSEHOLD, 0),
    DATE(7, "from", 0),
    DATE(8, "to", 0),
    TEXT(9, "with", MQ_SHORT_TEXT_MAX, SPOKEN),
    TEXT(10, "topic", MQ_SHORT_TEXT_MAX, 0),
};

static const struct mq_field visit[] = {
    COMMON(MQ_KIND_VISIT),
    REFERENCE(3, "household", MQ_KIND_HOUSEHOLD, 0),
    REFERENCES(4, "households", MQ_KIND_HOUSEHOLD, 0),
    PLACE(5, "place", SPOKEN),
    DATE(6, "date", REQUIRED),
    CODE(7, "part", mq_codes_part, 0),
    CODE(8, "mode", mq_codes_visit_mode, 0),
    CODE(9, "result", mq_codes_visit_result, 0),
    REFERENCE(10, "plan", MQ_KIND_PLAN, 0),
    TEXT(11, "with", MQ_SHORT_TEXT_MAX, SPOKEN),
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
    CODE(22, "escort", mq_codes_escort, 0),
};
static const uint8_t visit_one_of[][4] = {{3, 4, 5, 0}}; /* household, households or place */

static const struct mq_field need[] = {
    COMMON(MQ_KIND_NEED),
    TEXT(3, "no", MQ_RECORD_ID_TEXT_MAX, MADE | ID_LIKE),
    REFERENCE(4, "visit", MQ_KIND_VISIT, 0),
    REFERENCE(5, "household", MQ_KIND_HOUSEHOLD, 0),
    TEXT(6, "reporter", MQ_SHORT_TEXT_MAX, PERSONAL | SPOKEN),
    CODE(7, "subject", mq_codes_subject, 0),
    CODE(8, "nature", mq_codes_nature, 0),
    {.number = 9, .key = "words", .type = MQ_TYPE_LONG_TEXT, .merge = MQ_MERGE_WORDS, .most = MQ_LONG_TEXT_MAX,
     .flags = REQUIRED},
    TEXT(10, "summary", MQ_SHORT_TEXT_MAX, 0),
    CODE(11, "category", mq_codes_category, 0),
    GUARDED_CODE(12, "urgency", mq_codes_urgency, MQ_GUARD_REASON),
    COUNT(13, "households_affected", MQ_AFFECTED_MAX, 0),
    CODES(14, "asks", mq_codes_ask, 0),
    {.number = 15, .key = "county_eyes", .type = MQ_TYPE_BOOL, .guard = MQ_GUARD_COUNTY, .flags = MQ_FIELD_RESTRICTED},
    TEXT(16, "external_no", MQ_NAME_TEXT_MAX, 0),
    CODE(17, "source", mq_codes_source, 0),
    CODE(18, "reporter_kind", mq_codes_reporter_kind, 0),
    PLACE(19, "place", SPOKEN),
    TEXT(20, "where", MQ_SHORT_TEXT_MAX, 0),
    TEXT(21, "county_reason", MQ_SHORT_TEXT_MAX, 0),
    GUARDED_CODE(22, "secrecy", mq_codes_secrecy, MQ_GUARD_COUNTY),
    REFERENCE(23, "part_of", MQ_KIND_NEED, 0),  /* the need of many that this one belongs to (并入集体需求) */
    REFERENCE(24, "again_of", MQ_KIND_NEED, 0), /* a closed need that comes back (再提) */
    TEXT(25, "policy", MQ_SHORT_TEXT_MAX, 0),
    CODES(26, "obstacles", mq_codes_obstacle, 0),
    DATE(27, "date", 0),
    TEXT(28, "called", MQ_SHORT_TEXT_MAX, SPOKEN), /* who was phoned at once, and when */
    CODE(29, "subcategory", mq_codes_subcategory, 0),
    DESK_REFERENCES(30, "not_same_as", MQ_KIND_NEED), /* as of a household */
};

static const struct mq_field step[] = {
    COMMON(MQ_KIND_STEP),
    REFERENCE(3, "need", MQ_KIND_NEED, REQUIRED),
    CODE(4, "step", mq_codes_step, REQUIRED),
    TEXT(5, "unit", MQ_SHORT_TEXT_MAX, SPOKEN),
    LONG_TEXT(6, "text", 0),
    DATE(7, "due", 0),
    TEXT(8, "reason", MQ_SHORT_TEXT_MAX, 0),
    CODE(9, "result", mq_codes_step_result, 0),
    REFERENCES(10, "after", 0, MADE), /* steps and tellings that were on the screen (docs/protocol.md, section 6) */
    CODE(11, "cause", mq_codes_cause, 0),
    TEXTS(12, "helpers", MQ_HELPERS_MAX, SPOKEN), /* units that help (协办); `unit` is the one that holds it */
    TEXT(13, "rule", MQ_NAME_TEXT_MAX, 0), /* the preset that `due` was worked out by */
    DATE(14, "date", 0),
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
    LONG_TEXT(4, "answer", 0),
};

/* Only where a need is about somebody other than the head, or a tag needs a name: there is no register of persons. */
static const struct mq_field person[] = {
    COMMON(MQ_KIND_PERSON),
    REFERENCE(3, "household", MQ_KIND_HOUSEHOLD, REQUIRED),
    TEXT(4, "name", MQ_NAME_TEXT_MAX, REQUIRED | PERSONAL | SPOKEN),
    TEXT(5, "relation", MQ_NAME_TEXT_MAX, 0),
    COUNT(6, "birth_year", MQ_YEAR_MAX, 0),
    CODE(7, "age_band", mq_codes_age_band, 0),
    PHONES(8, "phones", PERSONAL),
    CODES(9, "tags", mq_codes_household_tag, CLASS_B),
    REFERENCE(10, "consent", MQ_KIND_NOTICE, 0),
};

/* A household's official or claimed type over time; `types` of the household says what counts now. */
static const struct mq_field standing[] = {
    COMMON(MQ_KIND_STANDING),
    REFERENCE(3, "household", MQ_KIND_HOUSEHOLD, REQUIRED),
    CODE(4, "type", mq_codes_household_type, REQUIRED | CLASS_B),
    DATE(5, "from", 0),
    DATE(6, "to", 0),
    CODE(7, "basis", mq_codes_basis_of_type, CLASS_B),
    TEXT(8, "note", MQ_SHORT_TEXT_MAX, CLASS_B),
};

/* What people were told about their data, or agreed to. */
static const struct mq_field notice[] = {
    COMMON(MQ_KIND_NOTICE),
    REFERENCE(3, "household", MQ_KIND_HOUSEHOLD, REQUIRED),
    TEXT(4, "for_whom", MQ_SHORT_TEXT_MAX, PERSONAL | SPOKEN),
    TEXT(5, "version", MQ_NAME_TEXT_MAX, REQUIRED),
    DATE(6, "date", REQUIRED),
    CODE(7, "mode", mq_codes_notice_mode, 0),
    CODE(8, "basis", mq_codes_legal_basis, 0),
    DATE(9, "withdrawn", 0),
    TEXT(10, "note", MQ_SHORT_TEXT_MAX, 0),
};

/* Somebody wants to see, correct or delete what is kept about him. */
static const struct mq_field request[] = {
    COMMON(MQ_KIND_REQUEST),
    REFERENCE(3, "household", MQ_KIND_HOUSEHOLD, REQUIRED),
    TEXT(4, "by", MQ_SHORT_TEXT_MAX, PERSONAL | SPOKEN),
    CODE(5, "right", mq_codes_right, REQUIRED),
    LONG_TEXT(6, "text", 0),
    DATE(7, "date", REQUIRED),
    CODE(8, "decision", mq_codes_decision, 0),
    TEXT(9, "reason", MQ_SHORT_TEXT_MAX, 0),
    DATE(10, "done", 0),
};

/* What left the centre as a file, and why. It holds no contents. */
static const struct mq_field exported[] = {
    COMMON(MQ_KIND_EXPORTED),
    DATE(3, "date", REQUIRED),
    TEXT(4, "what", MQ_NAME_TEXT_MAX, REQUIRED),
    TEXT(5, "format", MQ_NAME_TEXT_MAX, REQUIRED),
    COUNT(6, "rows", MQ_ROWS_MAX, 0),
    BOOL(7, "unmasked"),
    BOOL(8, "sensitive"),
    {.number = 9, .key = "restricted", .type = MQ_TYPE_BOOL, .flags = MQ_FIELD_RESTRICTED}, /* how many, is restricted too */
    TEXT(10, "reason", MQ_SHORT_TEXT_MAX, 0),
    TEXT(11, "recipient", MQ_SHORT_TEXT_MAX, 0),
};

/* ---- reference data, by desks: dated, never deleted, numbers never given twice ---- */

static const struct mq_field code[] = {
    COMMON(MQ_KIND_CODE),
    TEXT(3, "list", MQ_NAME_TEXT_MAX, REQUIRED),
    COUNT(4, "code", MQ_CODE_NUMBER_MAX, REQUIRED),
    TEXT(5, "text", MQ_NAME_TEXT_MAX, 0), /* as printed, where it is not the label */
    TEXT(6, "label", MQ_NAME_TEXT_MAX, 0),
    TEXT(7, "alias", MQ_SHORT_TEXT_MAX, 0),
    DATE(8, "from", 0),
    DATE(9, "to", 0),
    COUNT(10, "replaced_by", MQ_CODE_NUMBER_MAX, 0),
    BOOL(11, "restricted"),
    TEXT(12, "unit", MQ_SHORT_TEXT_MAX, 0), /* who usually takes care of it: a hint */
    TEXT(13, "source", MQ_SHORT_TEXT_MAX, 0),
};

static const struct mq_field place[] = {
    COMMON(MQ_KIND_PLACE),
    TEXT(3, "name", MQ_NAME_TEXT_MAX, REQUIRED | SPOKEN),
    {.number = 4, .key = "codes", .type = MQ_TYPE_DATED_CODES, .most = MQ_PLACE_CODES_MAX},
    TEXTS(5, "earlier_names", MQ_PLACE_CODES_MAX, SPOKEN),
    CODE(6, "level", mq_codes_place_level, 0),
    CODE(7, "class", mq_codes_place_class, 0),
    REFERENCE(8, "parent", MQ_KIND_PLACE, 0),
    REFERENCE(9, "into", MQ_KIND_PLACE, 0), /* merged into that one, from `into_date` on */
    DATE(10, "into_date", 0),
    REFERENCE(11, "split_from", MQ_KIND_PLACE, 0),
    TEXT(12, "letters", MQ_NAME_TEXT_MAX, 0), /* in need numbers, where the name's initials will not do */
    TEXTS(13, "groups", MQ_GROUPS_MAX, 0),
};

static const struct mq_field unit[] = {
    COMMON(MQ_KIND_UNIT),
    TEXT(3, "name", MQ_NAME_TEXT_MAX, REQUIRED | SPOKEN),
    CODE(4, "level", mq_codes_unit_level, 0),
    PHONES(5, "phones", 0),
    CODES(6, "categories", mq_codes_category, 0),
    PLACE(7, "place", SPOKEN),
    DATE(8, "from", 0),
    DATE(9, "to", 0),
    BOOL(10, "emergency"), /* stands on the card of numbers to call at once */
};

static const struct mq_field calendar[] = {
    COMMON(MQ_KIND_CALENDAR),
    COUNT(3, "year", MQ_YEAR_MAX, REQUIRED),
    DATES(4, "holidays"),
    DATES(5, "workdays"), /* weekend days that are worked */
    TEXT(6, "source", MQ_SHORT_TEXT_MAX, 0),
};

static const struct mq_field preset[] = {
    COMMON(MQ_KIND_PRESET),
    TEXT(3, "name", MQ_NAME_TEXT_MAX, REQUIRED),
    CODE(4, "clock", mq_codes_clock, REQUIRED),
    COUNT(5, "days", MQ_PRESET_DAYS_MAX, 0),
    BOOL(6, "working"), /* working days, else calendar days */
    CODE(7, "urgency", mq_codes_urgency, 0),
    CODE(8, "category", mq_codes_category, 0),
    TEXT(9, "source", MQ_SHORT_TEXT_MAX, 0),
    BOOL(10, "binding"),
    DATE(11, "from", 0),
    DATE(12, "to", 0),
};

#define KIND(n, table) {.number = n, .key = #table, .fields = table, .field_count = sizeof table / sizeof *table}
#define DESK_KIND(n, table) \
    {.number = n, .key = #table, .fields = table, .field_count = sizeof table / sizeof *table, .desk_only = true}

const struct mq_kind mq_kinds[] = {
    KIND(MQ_KIND_HOUSEHOLD, household),
    KIND(MQ_KIND_PLAN, plan),
    {.number = MQ_KIND_VISIT, .key = "visit", .fields = visit, .field_count = sizeof visit / sizeof *visit,
     .one_of = visit_one_of, .one_of_count = 1},
    KIND(MQ_KIND_NEED, need),
    KIND(MQ_KIND_STEP, step),
    KIND(MQ_KIND_TOLD, told),
    KIND(MQ_KIND_SUGGESTION, suggestion),
    KIND(MQ_KIND_PERSON, person),
    KIND(MQ_KIND_STANDING, standing),
    KIND(MQ_KIND_NOTICE, notice),
    KIND(MQ_KIND_REQUEST, request),
    DESK_KIND(MQ_KIND_EXPORTED, exported),
    DESK_KIND(MQ_KIND_CODE, code),
    DESK_KIND(MQ_KIND_PLACE, place),
    DESK_KIND(MQ_KIND_UNIT, unit),
    DESK_KIND(MQ_KIND_CALENDAR, calendar),
    DESK_KIND(MQ_KIND_PRESET, preset),
};
const size_t mq_kind_count = sizeof mq_kinds / sizeof *mq_kinds;
