/* Aim: a table is written so that a spreadsheet shows what was meant: texts as texts however many digits they have,
 * nothing computed, and a workbook that another program opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/csv.h"
#include "platform/table.h"

#define DAY 1793836800 /* 2026-11-05 */

static const struct mq_table_column columns[] = {{"序号", 6, true}, {"姓名", 12, false}, {"电话", 40, false}};
#define COUNT (sizeof columns / sizeof *columns)

static struct mq_error problem;

static void write_table(enum mq_table_format format, const char *const (*rows)[COUNT], size_t count, FILE *out)
{
    struct mq_table *table;
    struct mq_span cells[COUNT];
    mq_error_clear(&problem);
    assert_int_equal(mq_table_begin(&table, format, "群众台账", columns, COUNT, DAY, out, &problem), MQ_OK);
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < COUNT; c++)
            cells[c] = mq_span_text(rows[i][c]);
        assert_int_equal(mq_table_row(table, cells, &problem), MQ_OK);
    }
    assert_int_equal(mq_table_end(table, &problem), MQ_OK);
}

/* CSV has a byte order mark and CR LF; what a spreadsheet would compute begins with an apostrophe. */
static void csv(void **state)
{
    static const char *const rows[][COUNT] = {
        {"1", "杨顺华", "13900000001"}, {"2", "=1+1", "+8613900000001"}, {"3", "@SUM(A1)", "-1\t"}, {"4", "a,b", "\rx"}};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    write_table(MQ_TABLE_CSV, rows, 4, out);
    fclose(out);
    assert_string_equal(text, "\xef\xbb\xbf序号,姓名,电话\r\n1,杨顺华,13900000001\r\n2,'=1+1,'+8613900000001\r\n"
                              "3,'@SUM(A1),\"'-1\t\"\r\n4,\"a,b\",\"'\rx\"\r\n");
    free(text);
}

/* The cells of a workbook as another program reads them: "A1=s:序号|…", s for text, n for number; then what else it is
 * asked for. */
static char *read_workbook(const char *path)
{
    static const char script[] =
        "python3 -c '\n"
        "import re, sys, zipfile\n"
        "z = zipfile.ZipFile(sys.argv[1])\n"
        "assert z.testzip() is None\n"
        "sheet = z.read(\"xl/worksheets/sheet1.xml\").decode()\n"
        "assert \"<f>\" not in sheet\n"
        "for cell in re.findall(r\"<c r=.*?</c>\", sheet, re.S):\n"
        "    name = re.search(r\"r=.([A-Z]+[0-9]+)\", cell).group(1)\n"
        "    text = re.search(r\"<t[^>]*>(.*)</t>\", cell, re.S)\n"
        "    value = \"s:\" + text.group(1) if text else \"n:\" + re.search(\"<v>(.*)</v>\", cell).group(1)\n"
        "    print(f\"{name}={value}\", end=\"|\")\n"
        "bold = \"<b/>\" in z.read(\"xl/styles.xml\").decode()\n"
        "print(\"frozen\" if \"state=\\\"frozen\\\"\" in sheet else \"\", \"bold\" if bold else \"\","
        " re.search(\"sheet name=.(.*?).sheetId\", z.read(\"xl/workbook.xml\").decode()).group(1)[:-1],"
        " re.search(\"W3CDTF.>(.*?)<\", z.read(\"docProps/core.xml\").decode()).group(1))\n"
        "' ";
    char command[sizeof script + 128];
    char *text = calloc(1, 65536);
    assert_non_null(text);
    snprintf(command, sizeof command, "%s%s", script, path);
    FILE *pipe = popen(command, "r"); /* tidy: allow popen, another program must read what was written */
    assert_non_null(pipe);
    assert_true(fread(text, 1, 65535, pipe) > 0);
    assert_int_equal(pclose(pipe), 0);
    return text;
}

static char *workbook_of(const char *const (*rows)[COUNT], size_t count)
{
    char path[] = "/tmp/minqing-table-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *out = fdopen(descriptor, "w");
    write_table(MQ_TABLE_XLSX, rows, count, out);
    assert_int_equal(fclose(out), 0);
    char *text = read_workbook(path);
    unlink(path);
    return text;
}

/* A workbook has text cells but for counts, its titles bold and in sight, a Chinese sheet, and no hour of its making. */
static void workbook(void **state)
{
    static const char *const rows[][COUNT] = {
        {"1", "杨顺华", "13900000001"}, {"2", "=1+1", "布买日穆罕默德·阿不都热合曼 𬎆"}, {"12345678901", "", "a &lt; b\n<c>"}};
    (void)state;
    char *text = workbook_of(rows, 3);
    assert_string_equal(text, "A1=s:序号|B1=s:姓名|C1=s:电话|A2=n:1|B2=s:杨顺华|C2=s:13900000001|A3=n:2|B3=s:=1+1|"
                              "C3=s:布买日穆罕默德·阿不都热合曼 𬎆|A4=s:12345678901|C4=s:a &amp;lt; b\n&lt;c&gt;|"
                              "frozen bold 群众台账 2026-11-05T00:00:00Z\n");
    free(text);
}

/* A cell over the limit is cut at a whole character, and says that it goes on. */
static void long_cells(void **state)
{
    char *cell = malloc(MQ_CELL_MAX + 4), *text;
    (void)state;
    assert_non_null(cell);
    for (size_t at = 0; at + 3 <= MQ_CELL_MAX + 3; at += 3)
        memcpy(cell + at, "话", 3);
    cell[MQ_CELL_MAX / 3 * 3 + 3] = '\0';
    const char *const rows[][COUNT] = {{"1", cell, ""}};
    size_t size;
    FILE *out = open_memstream(&text, &size);
    write_table(MQ_TABLE_CSV, rows, 1, out);
    fclose(out);
    assert_non_null(strstr(text, "话…,"));
    assert_true(size < MQ_CELL_MAX + 64);
    free(text);
    text = workbook_of(rows, 1);
    assert_non_null(strstr(text, "话…|"));
    free(text);
    free(cell);
}

/* An unfinished table leaves nothing behind: the sanitizer would tell. */
static void dropped(void **state)
{
    struct mq_table *table;
    FILE *out = fopen("/dev/null", "w");
    (void)state;
    mq_error_clear(&problem);
    assert_int_equal(mq_table_begin(&table, MQ_TABLE_XLSX, "群众台账", columns, COUNT, DAY, out, &problem), MQ_OK);
    mq_table_drop(table);
    mq_table_drop(NULL);
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv), cmocka_unit_test(workbook), cmocka_unit_test(long_cells), cmocka_unit_test(dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
