/* Ledgers: records as rows of a table, in the columns that offices are used to (docs/domain.md, "What leaves the centre").
 * What a ledger shows is a table of columns; nothing here knows how a file is written. */
#ifndef MQ_REPLICA_LEDGER_H
#define MQ_REPLICA_LEDGER_H

#include "platform/error.h"
#include "protocol/record.h"
#include "replica/replica.h"

/* Where the content of a cell comes from. */
enum mq_ledger_source {
    MQ_LEDGER_NUMBER,    /* of the row, from 1 */
    MQ_LEDGER_OWN,       /* `field` of the record */
    MQ_LEDGER_HOUSEHOLD, /* `field` of the household it is about, or its own where it is one */
    MQ_LEDGER_VILLAGE,   /* village and group: the household's, else its own */
    MQ_LEDGER_WHO,       /* who spoke: the head, else the reporter, else 匿名 or what kind of person */
    MQ_LEDGER_DAY,       /* of a need: its date, else its visit's, else when it was written down */
    MQ_LEDGER_CONTENT,   /* of a need: the summary, else the words */
    MQ_LEDGER_UNIT,      /* of a need: who has it */
    MQ_LEDGER_DUE,       /* until when */
    MQ_LEDGER_PROGRESS,  /* where it stands, and the sentence for the villager */
    MQ_LEDGER_STATE,     /* where it stands */
    MQ_LEDGER_TOLD,      /* when the villager was told last */
    MQ_LEDGER_REACTION,  /* what he said to it */
    MQ_LEDGER_CHECKS     /* of a visit: what was found wrong */
};

/* How a cell is masked unless somebody asks for the whole, with a reason. */
enum mq_ledger_mask {
    MQ_LEDGER_PLAIN,
    MQ_LEDGER_NAME,
    MQ_LEDGER_PHONES,
    MQ_LEDGER_TEXT,  /* names of the household and numbers within it */
    MQ_LEDGER_HIDDEN /* only a sign that something is there */
};

#define MQ_LEDGER_USUAL 1u     /* is there where no columns are asked for */
#define MQ_LEDGER_SENSITIVE 2u /* class B, and what would tell how somebody works: only when asked for, with a reason */
#define MQ_LEDGER_COUNT 4u     /* a number to be added up */

struct mq_ledger_column {
    const char *key;   /* as --columns names it */
    const char *title; /* as forms have it */
    unsigned width;
    enum mq_ledger_source source;
    const char *field;
    enum mq_ledger_mask mask;
    unsigned flags;
};

struct mq_ledger {
    uint8_t kind;
    const char *sheet;
    const struct mq_ledger_column *columns;
    size_t column_count;
};

extern const struct mq_ledger mq_ledgers[];
extern const size_t mq_ledger_count;
/* Of the board in the village: its own table, in which nothing tells who it was but a masked name. */
extern const struct mq_ledger mq_notices[];
extern const size_t mq_notice_count;
/* NULL: there is none for this kind. */
const struct mq_ledger *mq_ledger_find(const struct mq_ledger *ledgers, size_t count, const struct mq_kind *kind);

/* Which records: all where nothing is said. */
struct mq_ledger_filter {
    struct mq_span village; /* a place as records have it, code or name; empty: all */
    int32_t from, to;       /* days, both included, of when a need was spoken or a visit made; 0: open */
};

struct mq_ledger_choice {
    const struct mq_ledger *ledger;
    const struct mq_ledger_column *columns[MQ_CSV_COLUMNS_MAX];
    size_t count;
    bool unmasked;
    struct mq_ledger_filter filter;
};
/* The usual columns, or those that `names` lists ("no,head,phones"; NULL: the usual), and with `sensitive` the sensitive
 * ones too. MQ_REFUSED: an unknown column, with those there are; a sensitive one that was not asked for as such. */
MQ_MUST_USE enum mq_status mq_ledger_choose(struct mq_ledger_choice *out, const struct mq_ledger *ledger,
                                            const char *names, bool sensitive, struct mq_error *error);

/* Takes a row with a cell for each chosen column, and the record it is of; anything but MQ_OK ends the work and is passed
 * on. */
struct mq_ledger_rows {
    void *context;
    enum mq_status (*take)(void *context, const uint8_t record[MQ_ID_SIZE], const struct mq_span *cells,
                           struct mq_error *error);
};
/* The records of the kind that the filter lets through: no deleted ones, and none that are for named persons only. */
MQ_MUST_USE enum mq_status mq_ledger_write(struct mq_replica *replica, const struct mq_ledger_choice *choice,
                                           const struct mq_ledger_rows *rows, struct mq_error *error);

#endif
