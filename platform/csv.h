/* Comma-separated values, as spreadsheets read and write them (RFC 4180). */
#ifndef MQ_PLATFORM_CSV_H
#define MQ_PLATFORM_CSV_H

#include <stdio.h>

#include "platform/error.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"

/* Takes one row; `line` is where it begins in the file, from 1. Cells are borrowed for the call. Anything but MQ_OK ends
 * the reading and is passed on. */
struct mq_csv_rows {
    void *context;
    enum mq_status (*take)(void *context, int64_t line, const struct mq_span *cells, size_t count,
                           struct mq_error *error);
};

/* Reads rows of UTF-8, with or without a byte order mark; cells in quotes may hold line ends; blanks around a cell that
 * is not in quotes go; lines may end with CR LF. The separator is a comma, or a tab where the first line has tabs and no comma. Lines
 * without anything are left out. MQ_REFUSED, with the line: a quote that is not closed, or stands inside a cell without
 * quotes; over MQ_CSV_COLUMNS_MAX cells or MQ_LINE_MAX bytes in a row. Working memory is wiped. */
MQ_MUST_USE enum mq_status mq_csv_read(struct mq_span text, const struct mq_csv_rows *rows, struct mq_error *error);

/* Writes one cell, in quotes where its content needs them. The caller writes "," and "\r\n"; a fault shows in
 * ferror(). */
void mq_csv_put(FILE *out, struct mq_span cell);

/* GB 18030, which older spreadsheets write, as UTF-8. MQ_REFUSED: it is not that either; MQ_NO_SPACE: `out` is too
 * small (twice the size is always enough). */
MQ_MUST_USE enum mq_status mq_gb18030_decode(struct mq_span text, struct mq_buffer *out, struct mq_error *error);

#endif
