/* Aim: a row of a real ledger becomes the record that a person would have typed, whatever words and forms its columns
 * use; what nobody knows is refused by name; the same row gives the same id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/json.h"
#include "replica/columns.h"
#include "replica/columns_usual.h"

#define CELLS_MAX 16
#define OBJECT_MAX 2048
#define ID_MAX 128

static const uint8_t team[MQ_ID_SIZE] = {1, 2, 3};
static struct mq_error problem;

/* "a|b|c" as cells. */
static size_t cells_of(const char *text, struct mq_span cells[CELLS_MAX])
{
    size_t count = 0;
    for (const char *at = text;; at = strchr(at, '|') + 1) {
        assert_true(count < CELLS_MAX);
        cells[count++] = mq_span(at, strcspn(at, "|"));
        if (strchr(at, '|') == NULL)
            return count;
    }
}

static enum mq_status begin(struct mq_columns *columns, uint8_t kind, const char *map, const char *headings)
{
    struct mq_span cells[CELLS_MAX];
    mq_error_clear(&problem);
    enum mq_status status = mq_columns_begin(columns, mq_kind_by_number(kind), mq_span_text(map), &problem);
    return status == MQ_OK ? mq_columns_headings(columns, cells, cells_of(headings, cells), &problem) : status;
}

/* The object without its id, which `id` gets where it is not NULL. */
static enum mq_status object_of(const struct mq_columns *columns, const char *row, char *out, char *id)
{
    static uint8_t memory[MQ_LINE_MAX];
    struct mq_buffer object = mq_buffer(memory, sizeof memory);
    struct mq_span cells[CELLS_MAX];
    struct mq_row_notes notes;
    mq_error_clear(&problem);
    enum mq_status status = mq_columns_object(columns, team, cells, cells_of(row, cells), &object, &notes, &problem);
    if (status != MQ_OK)
        return status;
    char *text = strndup((const char *)object.data, object.size), *made = strstr(text, ",\"id\":\"");
    assert_non_null(made);
    if (id != NULL)
        snprintf(id, ID_MAX, "%s", made);
    *made = '\0';
    snprintf(out, OBJECT_MAX, "%s", text);
    free(text);
    return MQ_OK;
}

static void assert_object(uint8_t kind, const char *headings, const char *row, const char *expected)
{
    struct mq_columns columns;
    char out[OBJECT_MAX];
    assert_int_equal(begin(&columns, kind, "", headings), MQ_OK);
    enum mq_status status = object_of(&columns, row, out, NULL);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    assert_string_equal(out, expected);
}

/* Headings of real ledgers are known, broken or with a unit in brackets; numbers of papers are left out. */
static void usual_headings(void **state)
{
    (void)state;
    assert_object(MQ_KIND_HOUSEHOLD, "序号|村|组 别|户主\n姓名|身份证号码|家庭人口（人）|银行账号",
                  "1|杉坪村|三组|杨顺华|11010519491231002X|4人|6222",
                  "{\"kind\":\"household\",\"place\":\"杉坪村\",\"group\":\"三组\",\"head\":\"杨顺华\",\"people\":\"4\"");
    assert_object(MQ_KIND_HOUSEHOLD, "place|head", "990527103204|余世海",
                  "{\"kind\":\"household\",\"place\":\"990527103204\",\"head\":\"余世海\"");
}

/* Telephone numbers stand in one cell or several, with or without whose they are. */
static void phones(void **state)
{
    (void)state;
    assert_object(MQ_KIND_HOUSEHOLD, "村|户主|联系电话1|联系电话2",
                  "杉坪村|冉大珍|13900000001（女儿）、13900000002；女婿:13900000003/0859-1234567|本人13900000004",
                  "{\"kind\":\"household\",\"place\":\"杉坪村\",\"head\":\"冉大珍\",\"phones\":["
                  "{\"number\":\"13900000001\",\"whose\":\"女儿\"},{\"number\":\"13900000002\"},"
                  "{\"number\":\"13900000003\",\"whose\":\"女婿\"},{\"number\":\"0859-1234567\"},"
                  "{\"number\":\"13900000004\",\"whose\":\"本人\"}]");
    struct mq_columns columns;
    char out[OBJECT_MAX];
    assert_int_equal(begin(&columns, MQ_KIND_HOUSEHOLD, "", "村|户主|电话"), MQ_OK);
    assert_int_equal(object_of(&columns, "杉坪村|甲|1.39E+10", out, NULL), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "1.39E+10"));
}

/* What looks like a telephone number in China does, and nothing else. */
static void phone_forms(void **state)
{
    static const char *const good[] = {"13900000001", "19912345678", "0859-1234567", "08591234567", "010-12345678"};
    static const char *const odd[] = {"12900000001", "1390000000", "139000000011", "0859-123", "1234567", "", "1390000000a"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(mq_is_phone(mq_span_text(good[i])));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(mq_is_phone(mq_span_text(odd[i])));
}

/* Dates as people write them; what is none stays, to be refused by name where the record is read. */
static void dates(void **state)
{
    static const char *const forms[][2] = {
        {"2026-11-05", "2026-11-05"}, {"2026/3/5", "2026-03-05"},        {"2026.3.15", "2026-03-15"},
        {"2026年3月5日", "2026-03-05"}, {"20260305", "2026-03-05"},      {"2026/3/5 0:00", "2026-03-05"},
        {"２０２６年11月5日", "2026-11-05"}, {"腊月二十", "腊月二十"},      {"2026/3", "2026/3"},
        {"2026351", "2026351"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char row[64], expected[128];
        snprintf(row, sizeof row, "杉坪村|%s", forms[i][0]);
        snprintf(expected, sizeof expected, "{\"kind\":\"visit\",\"place\":\"杉坪村\",\"date\":\"%s\"", forms[i][1]);
        assert_object(MQ_KIND_VISIT, "村|走访日期", row, expected);
    }
}

/* Several labels in one cell, also those that have a slash of their own. */
static void labels(void **state)
{
    (void)state;
    assert_object(MQ_KIND_HOUSEHOLD, "村|户主|户类型|关注标签", "杉坪村|甲|低保户、脱贫户|空巢/留守老人；独居老人/受灾",
                  "{\"kind\":\"household\",\"place\":\"杉坪村\",\"head\":\"甲\",\"types\":[\"低保户\",\"脱贫户\"],"
                  "\"tags\":[\"空巢/留守老人\",\"独居老人\",\"受灾\"]");
}

/* The dot of a name is the one of identity papers; what a CSV of ours made harmless is itself again. */
static void names(void **state)
{
    (void)state;
    assert_object(MQ_KIND_HOUSEHOLD, "村|户主|位置", "杉坪村|布买日穆罕默德.阿不都热合曼|'=路口 1.5公里",
                  "{\"kind\":\"household\",\"place\":\"杉坪村\",\"head\":\"布买日穆罕默德·阿不都热合曼\",\"where\":\"=路口 1.5公里\"");
    assert_object(MQ_KIND_HOUSEHOLD, "村|户主", " 杉坪村　|阿依•古丽",
                  "{\"kind\":\"household\",\"place\":\"杉坪村\",\"head\":\"阿依·古丽\"");
}

/* A map says what is not usual: other headings, columns to leave out, values for every row. */
static void maps(void **state)
{
    static const char map[] = "# 杉坪\r\n当家人 = head\r\n养殖 = -\r\nplace := 990527103204\r\n组 := 三组\r\n";
    struct mq_columns columns;
    char out[OBJECT_MAX];
    (void)state;
    assert_int_equal(begin(&columns, MQ_KIND_HOUSEHOLD, map, "当家人|养殖|电话"), MQ_OK);
    assert_int_equal(object_of(&columns, "杨顺华|猪|", out, NULL), MQ_OK);
    assert_string_equal(out, "{\"kind\":\"household\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"杨顺华\"");
}

static void assert_no(const char *map, const char *headings, const char *words)
{
    struct mq_columns columns;
    assert_int_equal(begin(&columns, MQ_KIND_HOUSEHOLD, map, headings), MQ_REFUSED);
    if (strstr(problem.text, words) == NULL)
        print_message("%s\n", problem.text);
    assert_non_null(strstr(problem.text, words));
}

/* What a map or a line of headings gets wrong is refused with its line or by name. */
static void wrong_maps(void **state)
{
    struct mq_columns columns;
    (void)state;
    assert_no("户主 head\n", "村|户主", "line 1");
    assert_no("\n户主 = chef\n", "村|户主", "line 2");
    assert_no("户主 = \n", "村|户主", "line 1");
    assert_no("x = same_as\n", "村|户主", "line 1");
    assert_no("", "村|户主|养殖|年收入", "\"养殖\", \"年收入\"");
    assert_no("", "村|村代码|户主", "several columns");
    assert_no("place := 杉坪村\n", "村|户主|组", "several columns");
    assert_int_equal(begin(&columns, MQ_KIND_HOUSEHOLD, "", "石桥镇农户台账|"), MQ_WAITING);
    char out[OBJECT_MAX];
    assert_int_equal(begin(&columns, MQ_KIND_HOUSEHOLD, "", "村|户主|"), MQ_OK);
    assert_int_equal(object_of(&columns, "杉坪村|甲|", out, NULL), MQ_OK);
    assert_int_equal(object_of(&columns, "杉坪村|甲|什么", out, NULL), MQ_REFUSED);
    assert_int_equal(object_of(&columns, "杉坪村|甲||什么", out, NULL), MQ_REFUSED);
}

/* The id of a household hangs on place, group and head, and on nothing else; of other kinds on all they say. */
static void ids(void **state)
{
    struct mq_columns columns;
    char out[OBJECT_MAX], first[ID_MAX], second[ID_MAX];
    (void)state;
    assert_int_equal(begin(&columns, MQ_KIND_HOUSEHOLD, "", "村|组|户主|电话"), MQ_OK);
    assert_int_equal(object_of(&columns, "杉坪村|三组|杨顺华|13900000001", out, first), MQ_OK);
    assert_int_equal(object_of(&columns, " 杉坪村|三组|杨顺华|13900000002", out, second), MQ_OK);
    assert_string_equal(first, second);
    assert_int_equal(object_of(&columns, "杉坪村|二组|杨顺华|13900000001", out, second), MQ_OK);
    assert_string_not_equal(first, second);
    assert_int_equal(object_of(&columns, "杉坪村||三组杨顺华|13900000001", out, second), MQ_OK);
    assert_string_not_equal(first, second);
    assert_int_equal(begin(&columns, MQ_KIND_NEED, "", "诉求内容|反映人"), MQ_OK);
    assert_int_equal(object_of(&columns, "井水浑了|杨顺华", out, first), MQ_OK);
    assert_int_equal(object_of(&columns, "井水浑了|余世海", out, second), MQ_OK);
    assert_string_not_equal(first, second);
}

/* Each usual heading is the heading of a field that there is. */
static void table_is_true(void **state)
{
    static const char *const headings[] = {"反映时间", "来源", "地点", "需要上级给什么", "紧急程度"};
    const struct mq_field *field;
    (void)state;
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++) {
        assert_true(mq_usual_column(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(headings[i]), &field));
        assert_non_null(field);
    }
    assert_true(mq_usual_column(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("身份证号"), &field));
    assert_null(field);
    assert_false(mq_usual_column(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("户主"), &field));
    assert_false(mq_usual_column(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("no"), &field));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_headings), cmocka_unit_test(phones), cmocka_unit_test(phone_forms),
        cmocka_unit_test(dates),          cmocka_unit_test(labels), cmocka_unit_test(names),
        cmocka_unit_test(maps),           cmocka_unit_test(wrong_maps), cmocka_unit_test(ids),
        cmocka_unit_test(table_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
