/* A workbook with one sheet. Inside of platform/table.c, which says what it is for. */
#ifndef MQ_PLATFORM_XLSX_H
#define MQ_PLATFORM_XLSX_H

#include "platform/table.h"

struct mq_xlsx;

/* The first row is the titles, bold, and stays in sight. */
MQ_MUST_USE enum mq_status mq_xlsx_begin(struct mq_xlsx **out, const char *sheet, const struct mq_table_column *columns,
                                         size_t count, int64_t created, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_xlsx_row(struct mq_xlsx *xlsx, const struct mq_span *cells, struct mq_error *error);
/* Writes the whole file to `out` and frees it, whatever it answers. */
MQ_MUST_USE enum mq_status mq_xlsx_end(struct mq_xlsx *xlsx, FILE *out, struct mq_error *error);
void mq_xlsx_drop(struct mq_xlsx *xlsx); /* NULL is fine */

#endif
