/* libcsv's one door. The text is fed line by line, so that every row knows where it began. */
#include "platform/csv.h"

#include <csv.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/keys.h"

struct reading {
    const struct mq_csv_rows *rows;
    struct mq_error *error;
    enum mq_status status;
    int64_t line;  /* being read */
    int64_t begun; /* where the open row began; 0: none is open */
    size_t count, used;
    size_t starts[MQ_CSV_COLUMNS_MAX + 1];
    uint8_t memory[MQ_LINE_MAX];
};

static void take_cell(void *bytes, size_t size, void *context)
{
    struct reading *reading = context;
    if (reading->status != MQ_OK)
        return;
    if (reading->count == MQ_CSV_COLUMNS_MAX)
        reading->status = mq_fail(reading->error, MQ_REFUSED, _("line %lld has more than %d columns"),
                                  (long long)reading->begun, MQ_CSV_COLUMNS_MAX);
    else if (size > sizeof reading->memory - reading->used)
        reading->status = mq_fail(reading->error, MQ_REFUSED, _("the row that begins on line %lld is longer than %d KiB"),
                                  (long long)reading->begun, MQ_LINE_MAX / 1024);
    if (reading->status != MQ_OK)
        return;
    if (size > 0)
        memcpy(reading->memory + reading->used, bytes, size);
    reading->starts[reading->count++] = reading->used;
    reading->used += size;
    reading->starts[reading->count] = reading->used;
}

static void take_row(int end, void *context)
{
    struct reading *reading = context;
    struct mq_span cells[MQ_CSV_COLUMNS_MAX];
    (void)end;
    for (size_t i = 0; i < reading->count; i++)
        cells[i] = mq_span(reading->memory + reading->starts[i], reading->starts[i + 1] - reading->starts[i]);
    if (reading->status == MQ_OK && reading->used > 0) {
        reading->status = reading->rows->take(reading->rows->context, reading->begun, cells, reading->count, reading->error);
        MQ_ASSERT(reading->status == MQ_OK || reading->error->status != MQ_OK);
    }
    reading->begun = 0;
    reading->count = reading->used = 0;
}

static bool is_blank(struct mq_span line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != '\r' && line.data[i] != '\n' && line.data[i] != ' ')
            return false;
    return true;
}

/* The front line with its end: LF, CR LF, or the lone CR of old spreadsheets, which ends a row too. */
static struct mq_span first_line(struct mq_span text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '\r' && text.data[size] != '\n')
        size++;
    if (size + 1 < text.size && text.data[size] == '\r' && text.data[size + 1] == '\n')
        size++;
    return mq_span(text.data, size < text.size ? size + 1 : size);
}

static enum mq_status feed(struct csv_parser *parser, struct reading *reading, struct mq_span text)
{
    while (text.size > 0 && reading->status == MQ_OK) {
        struct mq_span line = first_line(text);
        reading->line++;
        if (reading->begun == 0 && !is_blank(line))
            reading->begun = reading->line;
        if (csv_parse(parser, line.data, line.size, take_cell, take_row, reading) != line.size &&
            reading->status == MQ_OK)
            return mq_fail(reading->error, MQ_REFUSED,
                           _("line %lld: a quotation mark stands where none belongs; save the file as CSV once more"),
                           (long long)reading->line);
        text = mq_span(text.data + line.size, text.size - line.size);
    }
    return reading->status;
}

static char separator_of(struct mq_span text)
{
    size_t size = first_line(text).size;
    return memchr(text.data, '\t', size) != NULL && memchr(text.data, ',', size) == NULL ? '\t' : ',';
}

enum mq_status mq_csv_read(struct mq_span text, const struct mq_csv_rows *rows, struct mq_error *error)
{
    struct csv_parser parser;
    struct reading *reading = calloc(1, sizeof *reading);
    mq_enough(reading);
    reading->rows = rows;
    reading->error = error;
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = mq_span(text.data + 3, text.size - 3);
    int made = csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    MQ_ASSERT(made == 0);
    csv_set_delim(&parser, (unsigned char)separator_of(text));
    csv_set_blk_size(&parser, MQ_LINE_MAX); /* one piece of memory for the cell, so that it can be wiped */
    enum mq_status status = feed(&parser, reading, text);
    if (status == MQ_OK && csv_fini(&parser, take_cell, take_row, reading) != 0)
        status = mq_fail(error, MQ_REFUSED, _("the quotation mark in the row that begins on line %lld is not closed"),
                         (long long)reading->begun);
    if (status == MQ_OK)
        status = reading->status;
    if (parser.entry_buf != NULL)
        mq_wipe(parser.entry_buf, parser.entry_size);
    csv_free(&parser);
    mq_wipe(reading, sizeof *reading);
    free(reading);
    return status;
}

void mq_csv_put(FILE *out, struct mq_span cell)
{
    bool quoted = false;
    for (size_t i = 0; i < cell.size; i++)
        quoted = quoted || strchr(",\"\r\n\t ", cell.data[i]) != NULL || cell.data[i] == '\0';
    if (quoted)
        (void)csv_fwrite(out, cell.data, cell.size);
    else
        fwrite(cell.data, 1, cell.size, out);
}
