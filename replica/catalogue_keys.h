/* What the files of the catalogue share: its parts, one for each kind of reference data, and how they are read. */
#ifndef MQ_REPLICA_CATALOGUE_KEYS_H
#define MQ_REPLICA_CATALOGUE_KEYS_H

#include "protocol/merge.h"
#include "replica/catalogue.h"
#include "replica/replica_keys.h"

/* Memory given out piece by piece and given back at once. */
struct mq_pool {
    struct mq_pool_block *blocks;
};
void *mq_pool_take(struct mq_pool *pool, size_t size); /* zeroed, aligned for any type */
const char *mq_pool_text(struct mq_pool *pool, struct mq_span text);

/* The records of one kind, read. */
struct mq_catalogue_part {
    bool fresh;
    struct mq_pool pool;
    void *rows; /* of the part's own type, in the pool */
    size_t count;
};

enum mq_catalogue_part_name {
    MQ_PART_CODES,
    MQ_PART_PLACES,
    MQ_PART_UNITS,
    MQ_PART_CALENDARS,
    MQ_PART_PRESETS,
    MQ_PART_COUNT
};

struct mq_catalogue {
    struct mq_catalogue_part parts[MQ_PART_COUNT];
    /* Worked out from the rows, in the same pools. */
    const struct mq_code_list **lists;        /* as mq_code_lists */
    const struct mq_place *const *places;     /* one for each id, by id */
    size_t place_count;
    struct mq_place_names *names;             /* how they are found */
    const struct mq_unit *const *units;
    size_t unit_count;
    struct mq_calendar_year *years;
    size_t year_count;
    struct mq_preset *presets;
    size_t preset_count;
};

/* How a part is read: each record's state into one row. */
struct mq_part_reader {
    uint64_t kind;
    size_t row_size;
    /* `row` is zeroed; the state holds only during the call. false: the row is not to be kept. */
    enum mq_status (*read)(struct mq_replica *replica, struct mq_pool *pool, const struct mq_group_state *state,
                           void *row, bool *keep, struct mq_error *error);
};

/* The replica's catalogue with this part emptied, and its rows read, where it was not fresh; `*stale` says whether it
 * was, so that what depends on the rows is to be worked out again. */
MQ_MUST_USE enum mq_status mq_catalogue_read(struct mq_replica *replica, enum mq_catalogue_part_name name,
                                             const struct mq_part_reader *reader, bool *stale,
                                             struct mq_error *error);

/* The value of a field that is shown; empty where there is none, or where it is not such as the field's. */
struct mq_span mq_state_value(const struct mq_group_state *state, const char *key);
const struct mq_field_state *mq_state_field(const struct mq_group_state *state, const char *key);
const char *mq_state_text(struct mq_pool *pool, const struct mq_group_state *state, const char *key); /* NULL: none */
uint64_t mq_state_number(const struct mq_group_state *state, const char *key);                        /* 0: none */
bool mq_state_true(const struct mq_group_state *state, const char *key);
/* The record's `id` as text, in the pool. */
const char *mq_state_id(struct mq_pool *pool, const struct mq_group_state *state);
/* The texts of a list. */
const char *const *mq_state_texts(struct mq_pool *pool, const struct mq_group_state *state, const char *key,
                                  size_t *count);

#endif
