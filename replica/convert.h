/* The record format (docs/contract.md) into changes, and states into the record format. */
#ifndef MQ_REPLICA_CONVERT_H
#define MQ_REPLICA_CONVERT_H

#include "platform/json.h"
#include "protocol/merge.h"
#include "replica/replica.h"

/* What is to be said about values that are kept all the same. */
struct mq_remarks {
    bool typed;            /* given by the caller: a person is there who can put it right. Then a code's number that no
                            * list here has is refused, and what he should know is put into words */
    size_t masked;         /* resident ID and bank card numbers that were replaced by their masks */
    size_t unknown_places; /* that no list here has */
    char text[MQ_ERROR_TEXT_SIZE / 2]; /* of the first remark, "" for none */
};

/* A record as somebody gave it, checked and encoded. Values point into `memory`. */
struct mq_parsed_field {
    const struct mq_field *field;
    struct mq_span value; /* register, words: one value; set: an array of elements */
    struct mq_span later; /* words: what was said later, values one after another, each once and none of them `value` */
};
struct mq_parsed {
    const struct mq_kind *kind;
    struct mq_parsed_field fields[MQ_FIELDS_MAX]; /* by number */
    size_t count;
    struct mq_remarks remarks;
    struct mq_span made_id;  /* given by the caller: what `id` is where the object has none; empty: a fresh one */
    struct mq_buffer memory; /* the caller's, empty, MQ_CHANGE_MAX or more */
};

/* From an object with `kind`. MQ_REFUSED, naming key and value and what would be right: unknown kind or key, wrong
 * values, references to what is not here, missing keys, an `id` that is a resident ID. `id` may be missing only where
 * `make_id` (then one is made, and what was said later is no key). A second level without its first (subcategory) brings
 * that with it. */
MQ_MUST_USE enum mq_status mq_parse_record(struct mq_replica *replica, const struct mq_team *team,
                                           const struct mq_json *object, bool make_id, struct mq_parsed *out,
                                           struct mq_error *error);
/* One field's value from JSON, appended to memory; sets: an array of elements. For `set`. */
MQ_MUST_USE enum mq_status mq_parse_value(struct mq_replica *replica, const struct mq_team *team,
                                          const struct mq_field *field, const struct mq_json *json,
                                          struct mq_buffer *memory, struct mq_remarks *remarks,
                                          struct mq_span *value, struct mq_error *error);
/* What was said later beside given->value, from the list that stands under `key`; appended to out->memory. */
MQ_MUST_USE enum mq_status mq_parse_later(struct mq_replica *replica, const struct mq_team *team, const char *key,
                                          const struct mq_json *json, struct mq_parsed *out,
                                          struct mq_parsed_field *given, struct mq_error *error);
/* One more field, in its place; the value points into `memory`. MQ_REFUSED: it is given already. */
MQ_MUST_USE enum mq_status mq_parsed_put(struct mq_parsed *parsed, const struct mq_field *field, struct mq_span value,
                                         struct mq_error *error);
const struct mq_parsed_field *mq_parsed_find(const struct mq_parsed *parsed, uint8_t number);

/* The key of what was said later, beside that of a field of words: "words" has "words_more". */
#define MQ_LATER_KEY_SIZE 64
void mq_later_key(char out[MQ_LATER_KEY_SIZE], const struct mq_field *field);

/* What stands in an object besides the record itself. */
enum mq_print_extras {
    MQ_PRINT_EXACT,  /* nothing: what an import takes */
    MQ_PRINT_LISTED, /* record, conflicts where there are any, and how a need stands */
    MQ_PRINT_SHOWN   /* and the steps of a need, and what points to a household */
};
/* A state as one JSON object of the record format: kind, id, the shown values; words as the creator wrote them, later
 * words in `words_more`. MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_print_record(struct mq_replica *replica, const struct mq_group_state *state,
                                           enum mq_print_extras extras, struct mq_buffer *out, struct mq_error *error);
/* The choices from `first` on of a field of words, under its mq_later_key(); in the order of their values, which is the same
 * wherever they were brought to. */
MQ_MUST_USE enum mq_status mq_print_later(struct mq_replica *replica, const struct mq_field *field,
                                          const struct mq_field_state *state, size_t first,
                                          struct mq_json_writer *writer, struct mq_error *error);
/* One value as JSON: text, number, bool, array or object. `value` of a set's element or a register. */
MQ_MUST_USE enum mq_status mq_print_value(struct mq_replica *replica, const struct mq_field *field,
                                          struct mq_span value, struct mq_json_writer *writer, struct mq_error *error);
/* May a writer of this rank put `to` in the place of `from`, giving this reason (may be empty)? MQ_REFUSED, saying what
 * the field's guard wants (protocol/record.h). Values are CBOR; an empty `from` guards nothing. */
MQ_MUST_USE enum mq_status mq_guard_check(const struct mq_field *field, struct mq_span from, struct mq_span to,
                                          unsigned rank, struct mq_span reason, struct mq_error *error);
/* `by` and `at` of a change: who wrote it, and when by his clock. */
MQ_MUST_USE enum mq_status mq_print_origin(struct mq_replica *replica, const uint8_t change[MQ_ID_SIZE],
                                           struct mq_json_writer *writer, struct mq_error *error);
/* What a reference shows: the `id` of the record it points to, or its own id in hexadecimal. */
MQ_MUST_USE enum mq_status mq_print_reference(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                              struct mq_buffer *out, struct mq_error *error);

#endif
