/* Tables: CSV here, workbooks behind their own door. */
#include "platform/table.h"

#include <stdlib.h>
#include <string.h>

#include "platform/csv.h"
#include "platform/xlsx.h"
#include "protocol/assert.h"

struct mq_table {
    enum mq_table_format format;
    size_t count;
    FILE *out;
    struct mq_xlsx *workbook; /* XLSX */
};

/* ---- CSV ---- */

static void put_csv(FILE *out, struct mq_span cell)
{
    char memory[MQ_CELL_MAX + 1];
    if (cell.size == 0 || strchr("=+-@\t\r", cell.data[0]) == NULL) {
        mq_csv_put(out, cell);
        return;
    }
    MQ_ASSERT(cell.size <= MQ_CELL_MAX);
    memory[0] = '\'';
    memcpy(memory + 1, cell.data, cell.size);
    mq_csv_put(out, mq_span(memory, cell.size + 1));
}

static void put_csv_row(struct mq_table *table, const struct mq_span *cells)
{
    for (size_t i = 0; i < table->count; i++) {
        if (i > 0)
            fputc(',', table->out);
        put_csv(table->out, cells[i]);
    }
    fputs("\r\n", table->out);
}

/* ---- all ---- */

static enum mq_status put_titles(struct mq_table *table, const struct mq_table_column *columns)
{
    struct mq_span titles[MQ_CSV_COLUMNS_MAX];
    for (size_t i = 0; i < table->count; i++)
        titles[i] = mq_span_text(columns[i].title);
    fputs("\xef\xbb\xbf", table->out);
    put_csv_row(table, titles);
    return MQ_OK;
}

enum mq_status mq_table_begin(struct mq_table **out_table, enum mq_table_format format, const char *sheet,
                              const struct mq_table_column *columns, size_t count, int64_t created, FILE *out,
                              struct mq_error *error)
{
    struct mq_table *table = calloc(1, sizeof *table);
    MQ_ASSERT(table != NULL && count <= MQ_CSV_COLUMNS_MAX);
    *table = (struct mq_table){.format = format, .count = count, .out = out};
    enum mq_status status = format == MQ_TABLE_CSV
                                ? put_titles(table, columns)
                                : mq_xlsx_begin(&table->workbook, sheet, columns, count, created, error);
    if (status != MQ_OK)
        free(table);
    *out_table = status == MQ_OK ? table : NULL;
    return status;
}

/* Whole characters of what is too long, and a sign that it goes on. */
static struct mq_span fit(struct mq_span cell, char memory[MQ_CELL_MAX])
{
    static const char more[] = "…";
    size_t size = MQ_CELL_MAX - (sizeof more - 1);
    if (cell.size <= MQ_CELL_MAX)
        return cell;
    while (size > 0 && (cell.data[size] & 0xc0) == 0x80)
        size--;
    memcpy(memory, cell.data, size);
    memcpy(memory + size, more, sizeof more - 1);
    return mq_span(memory, size + sizeof more - 1);
}

enum mq_status mq_table_row(struct mq_table *table, const struct mq_span *cells, struct mq_error *error)
{
    struct mq_span fitted[MQ_CSV_COLUMNS_MAX];
    char *cut = NULL;
    for (size_t i = 0; i < table->count; i++) {
        if (cells[i].size > MQ_CELL_MAX && cut == NULL)
            cut = malloc(table->count * MQ_CELL_MAX);
        MQ_ASSERT(cells[i].size <= MQ_CELL_MAX || cut != NULL);
        fitted[i] = cut == NULL ? cells[i] : fit(cells[i], cut + i * MQ_CELL_MAX);
    }
    enum mq_status status = MQ_OK;
    if (table->format == MQ_TABLE_CSV)
        put_csv_row(table, fitted);
    else
        status = mq_xlsx_row(table->workbook, fitted, error);
    free(cut);
    return status;
}

enum mq_status mq_table_end(struct mq_table *table, struct mq_error *error)
{
    enum mq_status status =
        table->format == MQ_TABLE_XLSX ? mq_xlsx_end(table->workbook, table->out, error) : MQ_OK;
    free(table);
    return status;
}

void mq_table_drop(struct mq_table *table)
{
    if (table == NULL)
        return;
    mq_xlsx_drop(table->workbook);
    free(table);
}
