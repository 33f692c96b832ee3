/* Aim: whatever is called a ledger or a map of its columns is refused with words, or every row becomes an object that the
 * reader of records reads; and rows that were read come out of what is written of them again. Input: the kind and whether
 * the text is GB 18030, the size of the map u16, the map, the ledger. */
#include <stdlib.h>
#include <string.h>

#include "platform/csv.h"
#include "platform/json.h"
#include "protocol/assert.h"
#include "protocol/hash.h"
#include "replica/columns.h"
#include "tests/fuzz/fuzz.h"

struct reading {
    struct mq_columns columns;
    FILE *again; /* where the rows are written to; NULL: only looked at */
    uint8_t hash[MQ_HASH_SIZE];
};

static const uint8_t team[MQ_ID_SIZE] = {0x54};

static void look_at_object(const struct reading *reading, const struct mq_span *cells, size_t count)
{
    static uint8_t memory[MQ_LINE_MAX];
    struct mq_buffer object = mq_buffer(memory, sizeof memory);
    struct mq_row_notes notes;
    struct mq_error error = {0};
    struct mq_json *json;
    enum mq_status status = mq_columns_object(&reading->columns, team, cells, count, &object, &notes, &error);

    MQ_ASSERT(status == error.status && (status == MQ_OK || error.text[0] != '\0'));
    if (status != MQ_OK || !mq_utf8_valid(mq_written(&object)))
        return; /* a file that is not UTF-8 is not read as it is */
    status = mq_json_parse(&json, mq_written(&object), &error);
    if (status == MQ_REFUSED && memmem(object.data, object.size, "\\u0000", 6) != NULL)
        return; /* a zero byte in a cell is refused there */
    MQ_ASSERT(status == MQ_OK && mq_json_type(json) == MQ_JSON_OBJECT && mq_json_get(json, "kind") != NULL);
    mq_json_free(json);
}

static enum mq_status take_row(void *context, int64_t line, const struct mq_span *cells, size_t count,
                               struct mq_error *error)
{
    struct reading *reading = context;
    MQ_ASSERT(line > 0 && count > 0 && count <= MQ_CSV_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        const uint8_t end = i + 1 == count;
        const struct mq_span parts[] = {MQ_SPAN(reading->hash), mq_span(&end, 1), cells[i]};
        mq_hash(reading->hash, sizeof reading->hash, MQ_DOMAIN_BODY, parts, 3);
        if (reading->again != NULL) {
            mq_csv_put(reading->again, cells[i]);
            fputs(end ? "\r\n" : ",", reading->again);
        }
    }
    if (reading->columns.kind == NULL)
        return MQ_OK;
    if (reading->columns.count > 0) {
        look_at_object(reading, cells, count);
        return MQ_OK;
    }
    enum mq_status status = mq_columns_headings(&reading->columns, cells, count, error);
    MQ_ASSERT(status != MQ_OK || reading->columns.count == count);
    return status == MQ_WAITING ? MQ_OK : status;
}

/* Behind a row that says what separates them, so that a tab in the first one is no separator. */
static void read_back(struct mq_span text)
{
    static const char first[] = "a,b\r\n";
    struct reading one = {0}, two = {0};
    const struct mq_csv_rows rows = {.context = &one, .take = take_row}, same = {.context = &two, .take = take_row};
    struct mq_error error = {0};
    char *memory = NULL;
    size_t size = 0;
    const struct mq_span head[2] = {mq_span_text("a"), mq_span_text("b")};

    one.again = open_memstream(&memory, &size);
    MQ_ASSERT(one.again != NULL);
    enum mq_status status = take_row(&one, 1, head, 2, &error);
    if (status == MQ_OK)
        status = mq_csv_read(text, &rows, &error);
    MQ_ASSERT(fclose(one.again) == 0 && memcmp(memory, first, sizeof first - 1) == 0);
    if (status == MQ_OK) {
        status = mq_csv_read(mq_span(memory, size), &same, &error);
        MQ_ASSERT(status == MQ_OK && memcmp(one.hash, two.hash, sizeof one.hash) == 0);
    }
    free(memory);
}

static void read_ledger(const struct mq_kind *kind, struct mq_span map, struct mq_span text)
{
    static struct reading reading;
    const struct mq_csv_rows rows = {.context = &reading, .take = take_row};
    struct mq_error error = {0};

    memset(&reading, 0, sizeof reading);
    enum mq_status status = mq_columns_begin(&reading.columns, kind, map, &error);
    if (status == MQ_OK)
        status = mq_csv_read(text, &rows, &error);
    MQ_ASSERT(status == error.status && (status == MQ_OK || error.text[0] != '\0'));
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"household", "need", "visit", "person"};
    static uint8_t memory[2 * MQ_LINE_MAX];
    struct mq_buffer decoded = mq_buffer(memory, 0);
    struct mq_reader reader = mq_reader(mq_span(data, size));
    struct mq_error error = {0};
    uint8_t mode = mq_get_u8(&reader);
    size_t map_size = mq_get_u16(&reader);

    if (reader.failed || map_size > mq_left(&reader) || size > MQ_LINE_MAX)
        return;
    struct mq_span map = mq_take(&reader, map_size), text = fuzz_rest(&reader);
    if (mode & 4) {
        decoded.capacity = 2 * text.size; /* always enough, as is promised */
        enum mq_status status = mq_gb18030_decode(text, &decoded, &error);
        MQ_ASSERT(status == MQ_OK || status == MQ_REFUSED);
        if (status != MQ_OK)
            return;
        text = mq_written(&decoded);
        MQ_ASSERT(mq_utf8_valid(text));
    }
    read_ledger(mq_kind_by_key(mq_span_text(kinds[mode % 4])), map, text);
    read_back(text);
}
