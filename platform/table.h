/* A table on its way into a file that spreadsheets open: CSV, or a real XLSX workbook with one sheet. */
#ifndef MQ_PLATFORM_TABLE_H
#define MQ_PLATFORM_TABLE_H

#include <stdio.h>

#include "platform/error.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"

enum mq_table_format {
    MQ_TABLE_CSV,
    MQ_TABLE_XLSX
};

struct mq_table_column {
    const char *title;
    unsigned width; /* in characters of a spreadsheet's column */
    bool number;    /* cells are counts, to be added up; all others are text, however many digits they have */
};

struct mq_table;

/* Begins a table with its row of titles. `out` gets the bytes: of CSV as they come, of XLSX at the end. `created` is the
 * moment that a workbook says it was made at. Columns and names are borrowed until the end; at most MQ_CSV_COLUMNS_MAX. */
MQ_MUST_USE enum mq_status mq_table_begin(struct mq_table **out_table, enum mq_table_format format, const char *sheet,
                                          const struct mq_table_column *columns, size_t count, int64_t created,
                                          FILE *out, struct mq_error *error);
/* One row: as many cells as there are columns, UTF-8; longer ones than MQ_CELL_MAX are cut, and end with "…".
 *
 * CSV: UTF-8 with a byte order mark, CR LF (RFC 4180). A cell that a spreadsheet would take for a formula, because it
 * begins with = + - @, a tab or a carriage return, gets an apostrophe in front. XLSX: texts are text cells, which no
 * program computes. */
MQ_MUST_USE enum mq_status mq_table_row(struct mq_table *table, const struct mq_span *cells, struct mq_error *error);
/* Writes what is left and frees the table, whatever it answers. A fault of `out` itself shows in ferror(out). */
MQ_MUST_USE enum mq_status mq_table_end(struct mq_table *table, struct mq_error *error);
/* Frees an unfinished one; NULL is fine. */
void mq_table_drop(struct mq_table *table);

#endif
