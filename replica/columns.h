/* The columns of a spreadsheet and the fields of a record: which is which, and a row as an object of the record format
 * (docs/contract.md, "Ledgers that are there already"). */
#ifndef MQ_REPLICA_COLUMNS_H
#define MQ_REPLICA_COLUMNS_H

#include "platform/error.h"
#include "protocol/record.h"

/* A line of the map: a heading and its field (NULL: not taken over), or a constant that every row gets. */
struct mq_column_rule {
    struct mq_span heading;  /* empty: a constant */
    struct mq_span constant;
    const struct mq_field *field;
};

struct mq_columns {
    const struct mq_kind *kind;
    struct mq_column_rule rules[MQ_COLUMN_RULES_MAX];
    size_t rule_count;
    const struct mq_field *fields[MQ_CSV_COLUMNS_MAX]; /* of each column; NULL: not taken over */
    bool blank[MQ_CSV_COLUMNS_MAX];                    /* without a heading: has to be empty in each row */
    size_t count;                                      /* 0: the headings have not come yet */
};

/* Reads a map; `map` is borrowed as long as `out` is used, and may be empty: usual headings are known without one. Each
 * line is "HEADING = KEY", "HEADING = -" for a column that is not taken over, "KEY := VALUE" for a value that all rows
 * have, empty, or begins with "#"; a usual heading may stand for a key. MQ_REFUSED, with the line: none of these, a key
 * that the kind has not, or one that the device gives. */
MQ_MUST_USE enum mq_status mq_columns_begin(struct mq_columns *out, const struct mq_kind *kind, struct mq_span map,
                                            struct mq_error *error);
/* Is this the row of headings? MQ_WAITING: fewer than two are known, so it is a title above them. MQ_REFUSED: it is,
 * and names those that nobody knows, or two for one value. */
MQ_MUST_USE enum mq_status mq_columns_headings(struct mq_columns *columns, const struct mq_span *cells, size_t count,
                                               struct mq_error *error);

/* What a person should look at, though the row is taken. */
struct mq_row_notes {
    struct mq_span odd_phone; /* looks like no telephone number; points into the row. Empty: none */
    bool derived;             /* the `id` was made from the row's own values */
};
/* A row as one object of the record format, appended to `out`. Dates, counts, yes and no, lists and telephone numbers
 * may be written as people do. Without a column for `id` it is a hash of the team and of what a household is known by
 * (place, group, head), or of all values of the row for other kinds, so that the same ledger gives the same records.
 * MQ_REFUSED: a cell under no heading, a number that a spreadsheet cut short, too long a row. */
MQ_MUST_USE enum mq_status mq_columns_object(const struct mq_columns *columns, const uint8_t team[MQ_ID_SIZE],
                                             const struct mq_span *cells, size_t count, struct mq_buffer *out,
                                             struct mq_row_notes *notes, struct mq_error *error);

/* Does it look like a Chinese mobile or fixed number? */
bool mq_is_phone(struct mq_span text);

#endif
