/* Erasing: the list in which a desk names what is to go, and what is left of a change whose content went
 * (docs/protocol.md, section 8). A list is a change of type MQ_CHANGE_ERASE, [16, because, {field: [name ...]}]. It holds no
 * content: a change is named by the front 8 bytes of its id, as the values of its registers are. */
#ifndef MQ_PROTOCOL_ERASE_H
#define MQ_PROTOCOL_ERASE_H

#include "protocol/change.h"

/* In the place of a field's number: every field of the change. `life`, `same_as` and `id` always stay: they hold an
 * erased record in its place. */
#define MQ_ERASE_WHOLE 255

struct mq_erasure {
    bool because_known;
    uint8_t because[MQ_ID_SIZE]; /* the record that asked for it, a `request` */
    struct mq_span parts;        /* the map {field: names}, for mq_erasure_next; borrowed */
};

/* One thing to erase. */
struct mq_erase_entry {
    uint8_t name[MQ_NAME_SIZE];
    uint8_t field;
};

/* Writes a list of 1 to MQ_ERASE_ENTRIES_MAX entries, which it sorts first; each stands in it once. `because` may be
 * NULL. */
void mq_erasure_put(struct mq_buffer *out, const uint8_t *because, struct mq_erase_entry *entries, size_t count);
/* MQ_REFUSED: no such list, an empty one, or over its limits. */
MQ_MUST_USE enum mq_status mq_erasure_get(struct mq_erasure *out, struct mq_span expanded);
/* Goes through the entries of a list that was read. false: no more. */
struct mq_erasure_walk {
    struct mq_reader reader;
    uint64_t fields, names; /* that still come; of the present field */
    uint64_t field;
};
struct mq_erasure_walk mq_erasure_walk(const struct mq_erasure *list);
MQ_MUST_USE bool mq_erasure_next(struct mq_erasure_walk *walk, struct mq_erase_entry *out);

/* What is left of a change without `fields` (numbers, or MQ_ERASE_WHOLE): a create loses those values and stays the
 * creation of its record; any other change of such a field becomes a removal that names nothing. What is not touched
 * comes out as it went in. MQ_REFUSED: not a change of a known type. */
MQ_MUST_USE enum mq_status mq_change_void(struct mq_buffer *out, struct mq_span expanded, const uint8_t *fields,
                                          size_t count);
/* Is this what mq_change_void leaves of a change that is no create? No program writes such a removal. */
bool mq_change_is_void(const struct mq_change *change);

#endif
