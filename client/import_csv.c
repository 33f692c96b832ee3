/* A ledger that is there already: a CSV file, row by row into the record format (replica/columns.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/import.h"
#include "platform/csv.h"
#include "protocol/assert.h"
#include "protocol/mask.h"
#include "replica/columns.h"
#include "replica/replica_keys.h"

#define SEEN_START 1024 /* a power of two, as all sizes are */

/* Ids of this file and where they stood, so that two rows for one record are told and not written over each other. */
struct seen {
    struct {
        uint64_t hash; /* 0: free */
        int64_t line;
    } *entries;
    size_t size, used;
};

struct rows_work {
    struct import_work *import;
    struct mq_columns columns;
    struct seen seen;
    int titles;              /* lines above the headings */
    uint8_t *object_memory;  /* MQ_LINE_MAX: the row as an object */
    uint8_t *scratch_memory; /* MQ_LINE_MAX: a cell to look for numbers in */
};

/* ---- the file ---- */

static enum mq_status read_file(int descriptor, struct mq_buffer *out, struct mq_error *error)
{
    for (;;) {
        if (out->size == out->capacity)
            return mq_fail(error, MQ_REFUSED, _("the ledger is larger than %d MiB; split it"),
                           MQ_CSV_FILE_MAX / (1024 * 1024));
        ssize_t got = read(descriptor, out->data + out->size, out->capacity - out->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mq_fail(error, MQ_FAULT, _("the file could not be read further: %s"), strerror(errno));
        if (got == 0)
            return MQ_OK;
        out->size += (size_t)got;
    }
}

/* ---- rows ---- */

static void seen_put(struct seen *seen, uint64_t hash, int64_t line)
{
    size_t at = hash & (seen->size - 1);
    while (seen->entries[at].hash != 0)
        at = (at + 1) & (seen->size - 1);
    seen->entries[at].hash = hash;
    seen->entries[at].line = line;
    seen->used++;
}

static void seen_grow(struct seen *seen)
{
    struct seen larger = {.size = seen->size == 0 ? SEEN_START : 2 * seen->size};
    larger.entries = calloc(larger.size, sizeof *larger.entries);
    mq_enough(larger.entries);
    for (size_t i = 0; i < seen->size; i++)
        if (seen->entries[i].hash != 0)
            seen_put(&larger, seen->entries[i].hash, seen->entries[i].line);
    free(seen->entries);
    *seen = larger;
}

/* Where the same id stood before; 0: nowhere, and from now on here. */
static int64_t seen_before(struct seen *seen, struct mq_span id, int64_t line)
{
    uint8_t bytes[8];
    mq_hash_one(bytes, sizeof bytes, MQ_DOMAIN_ROW, id);
    struct mq_reader reader = mq_reader(MQ_SPAN(bytes));
    uint64_t hash = ((uint64_t)mq_get_u32(&reader) << 32 | mq_get_u32(&reader)) | 1;
    if (2 * (seen->used + 1) > seen->size)
        seen_grow(seen);
    for (size_t at = hash & (seen->size - 1); seen->entries[at].hash != 0; at = (at + 1) & (seen->size - 1))
        if (seen->entries[at].hash == hash)
            return seen->entries[at].line;
    seen_put(seen, hash, line);
    return 0;
}

static enum mq_status check_twice(struct rows_work *work, const struct mq_row_notes *notes, struct mq_span object,
                                  int64_t line, struct mq_error *why)
{
    struct mq_json *json;
    enum mq_status status = mq_json_parse(&json, object, why);
    if (status != MQ_OK)
        return status;
    const struct mq_json *id = mq_json_get(json, "id");
    int64_t before = id != NULL && mq_json_type(id) == MQ_JSON_STRING
                         ? seen_before(&work->seen, mq_json_string(id), line)
                         : 0;
    mq_json_free(json);
    if (before == 0)
        return MQ_OK;
    if (notes->derived && work->columns.kind->number == MQ_KIND_HOUSEHOLD)
        return mq_fail(why, MQ_REFUSED,
                       _("the same place, group and head as in line %lld; give both a column \"id\" if they are two households"),
                       (long long)before);
    return mq_fail(why, MQ_REFUSED, _("the same record as in line %lld"), (long long)before);
}

static void count_numbers(const struct rows_work *work, const struct mq_span *cells, size_t count,
                          struct mq_import_line *line)
{
    for (size_t i = 0; i < count; i++) {
        MQ_ASSERT(cells[i].size <= MQ_LINE_MAX);
        memcpy(work->scratch_memory, cells[i].data, cells[i].size);
        size_t ids = mq_mask(work->scratch_memory, cells[i].size, false);
        line->resident_ids += ids;
        line->bank_cards += mq_mask(work->scratch_memory, cells[i].size, true);
    }
}

static enum mq_status take_row(void *context, int64_t number, const struct mq_span *cells, size_t count,
                               struct mq_error *error)
{
    struct rows_work *work = context;
    struct import_work *import = work->import;
    struct mq_buffer object = mq_buffer(work->object_memory, MQ_LINE_MAX);
    struct mq_import_line line = {.number = number};
    struct mq_row_notes notes;
    if (work->columns.count == 0) {
        enum mq_status status = mq_columns_headings(&work->columns, cells, count, error);
        if (status == MQ_WAITING && ++work->titles > MQ_CSV_TITLES_MAX)
            return mq_fail(error, MQ_REFUSED,
                           _("no headings are known in the first %d lines; say in a map which column is which field"),
                           MQ_CSV_TITLES_MAX);
        return status == MQ_WAITING ? MQ_OK : status;
    }
    import->so_far->lines++;
    count_numbers(work, cells, count, &line);
    import->so_far->resident_ids += (int64_t)line.resident_ids;
    import->so_far->bank_cards += (int64_t)line.bank_cards;
    if (mq_columns_object(&work->columns, import->team.team, cells, count, &object, &notes, &line.why) == MQ_OK &&
        check_twice(work, &notes, mq_written(&object), number, &line.why) == MQ_OK)
        line.odd_phone = notes.odd_phone;
    return import_take(import, &line, mq_written(&object), error);
}

static enum mq_status skip_row(void *context, int64_t line, const struct mq_span *cells, size_t count,
                               struct mq_error *error)
{
    (void)context, (void)line, (void)cells, (void)count, (void)error;
    return MQ_OK;
}

/* Read once for its form before anything is kept: a file that is no CSV somewhere may be shifted anywhere. */
static enum mq_status take_text(struct rows_work *work, struct mq_span text, struct mq_error *error)
{
    const struct mq_csv_rows form = {.take = skip_row}, rows = {.context = work, .take = take_row};
    enum mq_status status = mq_csv_read(text, &form, error);
    if (status == MQ_OK)
        status = mq_csv_read(text, &rows, error);
    if (status == MQ_OK && work->columns.count == 0)
        return mq_fail(error, MQ_REFUSED, _("no headings are known in this file; say in a map which column is which field"));
    return status;
}

static enum mq_status take_bytes(struct rows_work *work, struct mq_span bytes, struct mq_error *error)
{
    const struct mq_import_report *report = work->import->report;
    if (mq_utf8_valid(bytes))
        return take_text(work, bytes, error);
    size_t room = 2 * bytes.size;
    uint8_t *memory = mq_work_memory(room);
    struct mq_buffer text = mq_buffer(memory, room);
    enum mq_status status = mq_gb18030_decode(bytes, &text, error);
    if (status == MQ_OK)
        report->note(report->context, _("the file is not UTF-8; it is read as GB 18030"));
    if (status == MQ_OK)
        status = take_text(work, mq_written(&text), error);
    mq_work_free(memory, text.size);
    return status;
}

enum mq_status import_rows(struct import_work *import, int descriptor, struct mq_error *error)
{
    struct rows_work *work = mq_work_memory(sizeof *work);
    struct mq_buffer file = mq_buffer(mq_work_memory(MQ_CSV_FILE_MAX + 1), MQ_CSV_FILE_MAX + 1);
    *work = (struct rows_work){.import = import,
                               .object_memory = mq_work_memory(MQ_LINE_MAX),
                               .scratch_memory = mq_work_memory(MQ_LINE_MAX)};
    enum mq_status status = mq_columns_begin(&work->columns, import->options->kind, import->options->map, error);
    if (status == MQ_OK)
        status = read_file(descriptor, &file, error);
    if (status == MQ_OK)
        status = take_bytes(work, mq_written(&file), error);
    mq_work_free(file.data, file.size);
    mq_work_free(work->object_memory, MQ_LINE_MAX);
    mq_work_free(work->scratch_memory, MQ_LINE_MAX);
    free(work->seen.entries);
    mq_work_free(work, sizeof *work);
    return status;
}
