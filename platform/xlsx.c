/* libxlsxwriter's one door. The rows go to memory as they come, one at a time; neither they nor the finished workbook
 * touch a disk before the person's own file, because they are in clear. */
#include "platform/xlsx.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xlsxwriter.h>

#include "protocol/assert.h"

#define COUNT_DIGITS 10 /* what is longer is no count, and a spreadsheet would round it */
#define WRAP_WIDTH 30   /* columns from this width on break their lines */

struct mq_xlsx {
    int file; /* in memory: what becomes the workbook */
    lxw_workbook *workbook;
    lxw_worksheet *sheet;
    lxw_format *wrapped;
    const struct mq_table_column *columns;
    size_t count;
    lxw_row_t row;
};

/* The library keeps rows and parts in temporary files, and asks this function of its own for each. Ours, which the
 * linker puts in its place, gives memory. */
FILE *lxw_tmpfile(char *directory)
{
    (void)directory;
    int descriptor = memfd_create("rows", MFD_CLOEXEC);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w+b");
    if (file == NULL && descriptor >= 0)
        close(descriptor);
    return file;
}

static enum mq_status failed(lxw_error code, struct mq_error *error)
{
    return mq_fail(error, MQ_FAULT, _("the workbook could not be written: %s"), lxw_strerror(code));
}

static lxw_error set_up(struct mq_xlsx *xlsx)
{
    lxw_format *bold = workbook_add_format(xlsx->workbook);
    xlsx->wrapped = workbook_add_format(xlsx->workbook);
    if (bold == NULL || xlsx->wrapped == NULL)
        return LXW_ERROR_MEMORY_MALLOC_FAILED;
    format_set_bold(bold);
    format_set_align(bold, LXW_ALIGN_CENTER);
    format_set_text_wrap(xlsx->wrapped);
    format_set_align(xlsx->wrapped, LXW_ALIGN_VERTICAL_TOP);
    worksheet_freeze_panes(xlsx->sheet, 1, 0);
    worksheet_set_landscape(xlsx->sheet);
    worksheet_set_paper(xlsx->sheet, 9); /* A4 */
    lxw_error code = worksheet_repeat_rows(xlsx->sheet, 0, 0);
    for (size_t i = 0; i < xlsx->count && code == LXW_NO_ERROR; i++)
        code = worksheet_set_column(xlsx->sheet, (lxw_col_t)i, (lxw_col_t)i, xlsx->columns[i].width, NULL);
    for (size_t i = 0; i < xlsx->count && code == LXW_NO_ERROR; i++)
        code = worksheet_write_string(xlsx->sheet, 0, (lxw_col_t)i, xlsx->columns[i].title, bold);
    xlsx->row = 1;
    return code;
}

enum mq_status mq_xlsx_begin(struct mq_xlsx **out, const char *sheet, const struct mq_table_column *columns,
                             size_t count, int64_t created, struct mq_error *error)
{
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    lxw_doc_properties properties = {.created = (time_t)created};
    char path[64];
    struct mq_xlsx *xlsx = calloc(1, sizeof *xlsx);
    mq_enough(xlsx);
    *out = NULL;
    *xlsx = (struct mq_xlsx){.file = memfd_create("workbook", MFD_CLOEXEC), .columns = columns, .count = count};
    if (xlsx->file < 0) {
        free(xlsx);
        return mq_fail(error, MQ_FAULT, _("there is not enough memory"));
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", xlsx->file);
    xlsx->workbook = workbook_new_opt(path, &options);
    xlsx->sheet = xlsx->workbook == NULL ? NULL : workbook_add_worksheet(xlsx->workbook, sheet);
    lxw_error code = xlsx->sheet == NULL ? LXW_ERROR_MEMORY_MALLOC_FAILED : set_up(xlsx);
    if (code == LXW_NO_ERROR)
        code = workbook_set_properties(xlsx->workbook, &properties);
    if (code != LXW_NO_ERROR) {
        mq_xlsx_drop(xlsx);
        return failed(code, error);
    }
    *out = xlsx;
    return MQ_OK;
}

static bool is_count(const struct mq_table_column *column, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return column->number && digits > 0 && digits <= COUNT_DIGITS && text[digits] == '\0';
}

enum mq_status mq_xlsx_row(struct mq_xlsx *xlsx, const struct mq_span *cells, struct mq_error *error)
{
    char text[MQ_CELL_MAX + 1];
    lxw_error code = LXW_NO_ERROR;
    if (xlsx->row == LXW_ROW_MAX)
        return mq_fail(error, MQ_REFUSED, _("a sheet has at most %d rows; export fewer, or as csv"), LXW_ROW_MAX - 1);
    for (size_t i = 0; i < xlsx->count && code == LXW_NO_ERROR; i++) {
        MQ_ASSERT(cells[i].size <= MQ_CELL_MAX);
        memcpy(text, cells[i].data, cells[i].size);
        text[cells[i].size] = '\0';
        lxw_format *format = xlsx->columns[i].width >= WRAP_WIDTH ? xlsx->wrapped : NULL;
        if (is_count(&xlsx->columns[i], text))
            code = worksheet_write_number(xlsx->sheet, xlsx->row, (lxw_col_t)i, strtod(text, NULL), format);
        else if (cells[i].size > 0)
            code = worksheet_write_string(xlsx->sheet, xlsx->row, (lxw_col_t)i, text, format);
    }
    xlsx->row++;
    return code == LXW_NO_ERROR ? MQ_OK : failed(code, error);
}

static enum mq_status copy_out(int file, FILE *out, struct mq_error *error)
{
    char piece[16 * 1024];
    ssize_t got;
    for (off_t at = 0; (got = pread(file, piece, sizeof piece, at)) > 0; at += got)
        if (fwrite(piece, 1, (size_t)got, out) != (size_t)got)
            return mq_fail(error, MQ_NO_SPACE, _("the result could not be written: no room where it should go"));
    return got == 0 ? MQ_OK : mq_fail(error, MQ_FAULT, _("the workbook could not be read back"));
}

enum mq_status mq_xlsx_end(struct mq_xlsx *xlsx, FILE *out, struct mq_error *error)
{
    lxw_error code = workbook_close(xlsx->workbook);
    xlsx->workbook = NULL;
    enum mq_status status = code == LXW_NO_ERROR ? copy_out(xlsx->file, out, error) : failed(code, error);
    mq_xlsx_drop(xlsx);
    return status;
}

void mq_xlsx_drop(struct mq_xlsx *xlsx)
{
    if (xlsx == NULL)
        return;
    if (xlsx->workbook != NULL)
        lxw_workbook_free(xlsx->workbook);
    close(xlsx->file);
    free(xlsx);
}
