/* Inside of client/import*.c: an import under way, whatever the file is. */
#ifndef MQ_CLIENT_IMPORT_H
#define MQ_CLIENT_IMPORT_H

#include "client/device.h"

struct import_work {
    struct mq_device *device;
    struct mq_team team;
    const struct mq_import_options *options;
    const struct mq_import_report *report;
    struct mq_import *so_far;
    struct mq_likeness *likeness; /* in a dry run */
    int in_group;
};

/* Takes one line of the record format: `line` has its number, of a row what was found in it, and `why` where it cannot
 * even be read as a record (then `object` does not matter). What became of it is filled in, counted and reported. */
MQ_MUST_USE enum mq_status import_take(struct import_work *work, struct mq_import_line *line, struct mq_span object,
                                       struct mq_error *error);
/* All rows of a CSV file. */
MQ_MUST_USE enum mq_status import_rows(struct import_work *work, int descriptor, struct mq_error *error);

#endif
