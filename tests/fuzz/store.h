/* For targets with a store: what a run did is taken back, so that the next one meets the same store. It is one transaction
 * from the first run to the last, with a savepoint for each: a ROLLBACK would make SQLite read and decrypt its pages again. */
#ifndef MQ_TESTS_FUZZ_STORE_H
#define MQ_TESTS_FUZZ_STORE_H

#include <stdlib.h>

#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/replica_keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/replica/village.h"

/* The village of this target, gone with the process. */
static struct village village;

static void fuzz_village_remove(void)
{
    village_end(&village);
}

static inline void fuzz_village(void)
{
    village_begin(&village, 1);
    atexit(fuzz_village_remove);
}

/* How many rows were written up to now, undone or not: where it stands still, nothing was written. */
static inline int64_t fuzz_rows_written(struct mq_replica *replica)
{
    struct mq_error error = {0};
    int64_t rows;

    MQ_ASSERT(mq_db_number(mq_replica_db(replica), &rows, &error, "SELECT total_changes()", "") == MQ_OK);
    return rows;
}

/* Does the work and takes it back. */
static inline void fuzz_undone(struct mq_replica *replica, void (*work)(struct mq_replica *replica, void *context),
                               void *context)
{
    struct mq_db *db = mq_replica_db(replica);
    struct mq_error error = {0};

    if (!mq_db_in_transaction(db))
        MQ_ASSERT(mq_db_begin(db, &error) == MQ_OK);
    MQ_ASSERT(mq_db_run(db, &error, "SAVEPOINT run", "") == MQ_OK);
    int64_t written = fuzz_rows_written(replica);
    work(replica, context);
    bool wrote = fuzz_rows_written(replica) != written;
    MQ_ASSERT(mq_db_run(db, &error, "ROLLBACK TO run", "") == MQ_OK);
    MQ_ASSERT(mq_db_run(db, &error, "RELEASE run", "") == MQ_OK);
    if (wrote)
        mq_catalogue_touch(replica, 0); /* it may have read what is not there any more */
}

#endif
