/* Aim: what spreadsheets write is read cell by cell, each row with the line it began on; what is no CSV is refused with
 * its line; and what is written is read back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/csv.h"

static struct mq_error problem;

static enum mq_status note(void *context, int64_t line, const struct mq_span *cells, size_t count,
                           struct mq_error *error)
{
    FILE *out = context;
    (void)error;
    fprintf(out, "%lld", (long long)line);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "|%.*s", (int)cells[i].size, (const char *)cells[i].data);
    fputs("$", out);
    return MQ_OK;
}

static enum mq_status read_text(struct mq_span text, char **out)
{
    size_t size;
    FILE *stream = open_memstream(out, &size);
    const struct mq_csv_rows rows = {stream, note};
    assert_non_null(stream);
    mq_error_clear(&problem);
    enum mq_status status = mq_csv_read(text, &rows, &problem);
    fclose(stream);
    return status;
}

static void assert_rows(const char *text, const char *rows)
{
    char *out;
    assert_int_equal(read_text(mq_span_text(text), &out), MQ_OK);
    assert_string_equal(out, rows);
    free(out);
}

static void assert_refused(const char *text, const char *words)
{
    char *out;
    assert_int_equal(read_text(mq_span_text(text), &out), MQ_REFUSED);
    if (strstr(problem.text, words) == NULL)
        print_message("%s\n", problem.text);
    assert_non_null(strstr(problem.text, words));
    free(out);
}

/* Cells come with their quotes undone and their blanks gone, and each row knows where it began. */
static void rows_and_lines(void **state)
{
    (void)state;
    assert_rows("\xef\xbb\xbf户主,组\r\n杨顺华,三组\r\n", "1|户主|组$2|杨顺华|三组$");
    assert_rows("a, b ,c", "1|a|b|c$");
    assert_rows("户主\r杨顺华\r", "1|户主$2|杨顺华$"); /* as very old spreadsheets end a line */
    assert_rows("\"x,\"\"y\"\"\",z\n\n\r\nq,\n", "1|x,\"y\"|z$4|q|$");
    assert_rows("\"two\nlines\",b\nc,d\n", "1|two\nlines|b$3|c|d$");
    assert_rows(",,\n1,2\n", "2|1|2$");
    assert_rows("a\tb, c\n", "1|a\tb|c$");
    assert_rows("a\tb\n1,5\t2\n", "1|a|b$2|1,5|2$");
    assert_rows("", "");
}

/* A quotation mark in the wrong place shifts everything behind it, so the file is refused with the line. */
static void broken_quotes(void **state)
{
    (void)state;
    assert_refused("a,b\nc,\"d\n", "line 2");
    assert_refused("a,b\nc\"d,e\n", "line 2");
    assert_refused("a,b\n\"c\"d,e\n", "line 2");
}

/* A row has at most MQ_CSV_COLUMNS_MAX cells and MQ_LINE_MAX bytes. */
static void limits(void **state)
{
    char *text = malloc(MQ_LINE_MAX + 100), *out;
    (void)state;
    assert_non_null(text);
    memset(text, ',', MQ_CSV_COLUMNS_MAX);
    text[0] = 'a';
    text[MQ_CSV_COLUMNS_MAX] = '\0';
    assert_int_equal(read_text(mq_span_text(text), &out), MQ_OK);
    free(out);
    memset(text, ',', MQ_CSV_COLUMNS_MAX + 1);
    text[MQ_CSV_COLUMNS_MAX + 1] = '\0';
    assert_refused(text, "columns");
    memset(text, 'x', MQ_LINE_MAX);
    assert_int_equal(read_text(mq_span(text, MQ_LINE_MAX), &out), MQ_OK);
    free(out);
    text[MQ_LINE_MAX] = 'x';
    text[MQ_LINE_MAX + 1] = '\0';
    assert_refused(text, "longer than");
    free(text);
}

/* Every cell that is written is read back as it was. */
static void round_trip(void **state)
{
    static const char *const cells[] = {"杨顺华", "a,b", "say \"no\"", "two\r\nlines", " blanks ", "", "13900000001"};
    char *text, *out, *expected;
    size_t size, expected_size, count = sizeof cells / sizeof *cells;
    FILE *stream = open_memstream(&text, &size), *same = open_memstream(&expected, &expected_size);
    (void)state;
    assert_true(stream != NULL && same != NULL);
    fputc('1', same);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', stream);
        mq_csv_put(stream, mq_span_text(cells[i]));
        fprintf(same, "|%s", cells[i]);
    }
    fputs("\r\n", stream);
    fputc('$', same);
    fclose(stream);
    fclose(same);
    assert_int_equal(read_text(mq_span(text, size), &out), MQ_OK);
    assert_string_equal(out, expected);
    free(out);
    free(expected);
    free(text);
}

/* GB 18030 becomes UTF-8, characters of four bytes too; bytes that are neither are refused. */
static void gb18030(void **state)
{
    static const uint8_t name[] = {0xd1, 0xee, 0xcb, 0xb3, 0xbb, 0xaa, ',', 0x99, 0x31, 0xde, 0x30}; /* 杨顺华,𬎆 */
    static const uint8_t neither[] = {0xff, 0xff, 0x81};
    uint8_t memory[64];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    (void)state;
    mq_error_clear(&problem);
    assert_int_equal(mq_gb18030_decode(MQ_SPAN(name), &out, &problem), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("杨顺华,𬎆")));
    out.size = 0;
    assert_int_equal(mq_gb18030_decode(MQ_SPAN(neither), &out, &problem), MQ_REFUSED);
    struct mq_buffer small = mq_buffer(memory, 4);
    mq_error_clear(&problem);
    assert_int_equal(mq_gb18030_decode(MQ_SPAN(name), &small, &problem), MQ_NO_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_lines), cmocka_unit_test(broken_quotes), cmocka_unit_test(limits),
        cmocka_unit_test(round_trip),     cmocka_unit_test(gb18030),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
