/* What a record is: kinds, fields, code lists, as tables of data. Journal, seal, sync and merge know only these tables,
 * so a new kind is a new row (docs/protocol.md, section 2; field list: docs/domain.md). */
#ifndef MQ_PROTOCOL_RECORD_H
#define MQ_PROTOCOL_RECORD_H

#include "protocol/bytes.h"
#include "protocol/cbor.h"
#include "protocol/limits.h"
#include "protocol/status.h"

/* What a value may be, and its CBOR. */
enum mq_field_type {
    MQ_TYPE_LIFE,           /* 0, or [1, [name ...]]: only of field 0, see merge.h */
    MQ_TYPE_ID,             /* text of 1 to `most` bytes; a UUID in lower-case hexadecimal travels as 16 bytes */
    MQ_TYPE_TEXT,           /* one line, at most `most` bytes */
    MQ_TYPE_LONG_TEXT,      /* lines allowed */
    MQ_TYPE_DATE,           /* YYYY-MM-DD as days since 1970-01-01, uint: 1970 to 2199 */
    MQ_TYPE_COUNT,          /* uint, 0 to `most` */
    MQ_TYPE_BOOL,
    MQ_TYPE_CODE,           /* uint, 1 to MQ_CODE_NUMBER_MAX; of `codes`, or of a list that was extended since */
    MQ_TYPE_PLACE,          /* 12-digit code as uint, or a name that is not such a code as text */
    MQ_TYPE_REFERENCE,      /* tag 6 over a record id; to a record of kind `target` */
    MQ_TYPE_PHONES,         /* array of [number text, whose text or null] */
    MQ_TYPE_TEXTS,          /* array of texts, one line each */
    MQ_TYPE_DATES,          /* array of dates */
    MQ_TYPE_DATED_CODES,    /* array of [12-digit code uint, first day or null, last day or null]: a place's, over time */
    MQ_TYPE_REFERENCES      /* array of references: only as a whole list; sets have element type REFERENCE */
};

/* Is one value a list, in JSON too? (A set is none: its elements are values.) */
bool mq_type_is_list(enum mq_field_type type);

enum mq_field_merge {
    MQ_MERGE_REGISTER,
    MQ_MERGE_SET,      /* add wins; the type is the element's */
    MQ_MERGE_WORDS     /* append-only; the create's value is canonical */
};

struct mq_code {
    uint16_t code;
    const char *text;  /* the code as printed, "04"; NULL: this list is printed by its labels */
    const char *label; /* Chinese; accepted everywhere */
    const char *alias; /* older or other words that are accepted, with a blank between them; NULL: none */
    int32_t from, to;  /* first and last day on which it is offered; 0: open. It is always accepted, and never reused */
    uint8_t flags;
    uint16_t replaced_by; /* the code that took its place; 0: none */
    const char *unit;  /* who usually takes care of it: a hint; NULL: nobody in particular */
};
#define MQ_CODE_RESTRICTED 1u /* whoever writes down such a thing seals it to named persons only */
#define MQ_CODE_HEALTH 2u     /* tells of illness or disability; then it is sensitive too */
#define MQ_CODE_SENSITIVE 4u  /* tells of something of class B (docs/domain.md, section 6) */
#define MQ_CODE_CALL_FIRST 8u /* somebody is in danger: phone first, then write */
#define MQ_CODE_ORDINARY 16u  /* tells of nothing of the kind, though its field is of class B */

#define MQ_CODE_CHILDREN 100 /* a code of a second level is its parent's number, and two digits more */

struct mq_code_list {
    const char *name;
    const struct mq_code *codes;
    size_t count;
    bool closed; /* the program itself goes by these numbers: a desk adds words and days, never a number */
    const struct mq_code_list *parent; /* the first level, of which this is the second; NULL: none */
};

#define MQ_FIELD_REQUIRED 1u
#define MQ_FIELD_IDENTITY 2u /* differing values in a group are all kept and are no conflict */
#define MQ_FIELD_UNSCANNED 4u /* not searched for bank cards (ids, references) */
#define MQ_FIELD_MADE 8u      /* given by the device or derived, never taken from input unless equal */
#define MQ_FIELD_CLASS_B 16u  /* sensitive: health, status, children (docs/domain.md, section 2); needs a right of its own */
#define MQ_FIELD_PERSONAL 32u /* tells who it is: masked in ledgers */
#define MQ_FIELD_SPOKEN 128u  /* what somebody, something or a place is called: search finds it by its sound too */
#define MQ_FIELD_RESTRICTED 64u /* a true value seals the record to named persons only, as MQ_CODE_RESTRICTED does */

/* Who may lower a value: make it less protective of the person who spoke. Protective is true before false, and of two
 * codes the smaller (docs/protocol.md, section 6). */
enum mq_field_guard {
    MQ_GUARD_NONE,
    MQ_GUARD_REASON, /* everybody, with a reason in the change's note */
    MQ_GUARD_COUNTY, /* a county desk */
    MQ_GUARD_DESK    /* not only lowering: what anybody below a desk says of the field counts for nothing */
};

struct mq_field {
    uint8_t number;   /* in the encoding; never reused. 0 is life, 1 same_as */
    const char *key;  /* in the record format; "checks.住房" nests */
    enum mq_field_type type;
    enum mq_field_merge merge;
    uint8_t flags;
    uint8_t target;   /* kind number that a reference points to; 0: any */
    uint32_t most;    /* bytes, items or the greatest number; of a set: of its elements */
    const struct mq_code_list *codes;
    enum mq_field_guard guard;
};

struct mq_kind {
    uint8_t number;
    const char *key;
    const struct mq_field *fields; /* by number */
    size_t field_count;
    /* Each row: at least one of these fields (up to 3 numbers, 0-ended) must be there. */
    const uint8_t (*one_of)[4];
    size_t one_of_count;
    bool desk_only; /* reference data: what anybody below a desk says of it counts for nothing */
};

#define MQ_FIELD_LIFE 0
#define MQ_FIELD_SAME_AS 1
#define MQ_FIELD_ID 2 /* of every kind */

/* Kind numbers; the tables are in kinds.c, the code lists in codes.c. */
enum mq_kind_number {
    MQ_KIND_HOUSEHOLD = 1,
    MQ_KIND_PLAN = 2,
    MQ_KIND_VISIT = 3,
    MQ_KIND_NEED = 4,
    MQ_KIND_STEP = 5,
    MQ_KIND_TOLD = 6,
    MQ_KIND_SUGGESTION = 7,
    MQ_KIND_PERSON = 8,
    MQ_KIND_STANDING = 9,
    MQ_KIND_NOTICE = 10,
    MQ_KIND_REQUEST = 11,
    MQ_KIND_EXPORTED = 12,
    MQ_KIND_CODE = 13,
    MQ_KIND_PLACE = 14,
    MQ_KIND_UNIT = 15,
    MQ_KIND_CALENDAR = 16,
    MQ_KIND_PRESET = 17
};

extern const struct mq_kind mq_kinds[];
extern const size_t mq_kind_count;

const struct mq_kind *mq_kind_by_number(uint64_t number);   /* NULL: unknown */
const struct mq_kind *mq_kind_by_key(struct mq_span key);
const struct mq_field *mq_field_by_number(const struct mq_kind *kind, uint64_t number);
const struct mq_field *mq_field_by_key(const struct mq_kind *kind, struct mq_span key);
/* The field of the same kind that a second level belongs to (`category` of `subcategory`); NULL where `field` is none. */
const struct mq_field *mq_field_first_level(const struct mq_kind *kind, const struct mq_field *field);
/* How protective a value of a guarded field is, 0 most; what is neither true, false nor a number least. */
uint64_t mq_value_openness(struct mq_span value);
/* How a field merges, also where kind or field is unknown to this program (then: register; 1 is a set for every
 * kind). */
enum mq_field_merge mq_merge_rule(const struct mq_kind *kind, uint64_t field);

const struct mq_code *mq_code_by_number(const struct mq_code_list *list, uint64_t code);
/* By printed code, label or alias. */
const struct mq_code *mq_code_by_text(const struct mq_code_list *list, struct mq_span text);
/* Is it offered to people on that day? (It is accepted on every day.) */
bool mq_code_offered(const struct mq_code *code, int32_t day);
/* Can a record of this kind be restricted by a value of its own? */
bool mq_kind_restricts(const struct mq_kind *kind);

/* All lists that come with the program; a desk adds to them by records of kind `code`. By name; NULL: there is none. */
extern const struct mq_code_list *const mq_code_lists[];
extern const size_t mq_code_list_count;
const struct mq_code_list *mq_code_list_by_name(struct mq_span name);

/* Is `value` one CBOR item of the field's type and within its limits? For a set: of one element. Texts are UTF-8
 * without control characters (but line feed and tab in LONG_TEXT), and not empty where the field is required. */
bool mq_value_valid(const struct mq_field *field, struct mq_span value);

/* A value of scalar type from the text a person or file gives ("2026-04-11", "饮水", "04", "14", "true"), as CBOR
 * into `out`, always such as mq_value_valid accepts. For ID, TEXT, LONG_TEXT, DATE, COUNT, BOOL, CODE, PLACE;
 * REFERENCE, PHONES, DATED_CODES and lists the caller builds himself (he must look things up, or parse JSON). A code
 * that the list does not have is taken as the decimal number that it is. MQ_REFUSED: not such a value. */
MQ_MUST_USE enum mq_status mq_value_from_text(const struct mq_field *field, struct mq_span text, struct mq_buffer *out);
/* The way back, for the same types: the text that the record format shows (a code by its printed code or label,
 * or its number where the list does not have it; a date, an id). MQ_REFUSED: not a valid value. */
MQ_MUST_USE enum mq_status mq_value_to_text(const struct mq_field *field, struct mq_span value, struct mq_buffer *out);

/* Days since 1970-01-01 of YYYY-MM-DD (years 1900 to 2199), and back; `out` gets a final NUL. */
#define MQ_DATE_FIRST "1900-01-01"
bool mq_date_parse(int32_t *days, struct mq_span text);
void mq_date_print(char out[11], int32_t days);

#endif
