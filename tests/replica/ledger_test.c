/* Aim: a ledger shows the familiar columns with names and numbers masked, and nothing that is nobody's business; the
 * notice for the board shows nothing else but what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/ledger.h"
#include "tests/replica/village.h"

static struct village village;
static struct mq_error problem;

static const char *const world[] = {
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"冉大珍\",\"nickname\":\"冉家幺婆\","
    "\"where\":\"标记位置\",\"phones\":[{\"number\":\"13900000001\",\"whose\":\"标记女婿\"}],\"people\":3,\"residents\":2,"
    "\"types\":[\"低保家庭\"],\"tags\":[\"独居老人\"],\"best_time\":\"标记赶集日\",\"dialect\":\"标记苗语\",\"state\":\"在住\"}",
    "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103205\",\"head\":\"余世海\"}",
    "{\"kind\":\"person\",\"id\":\"P-1\",\"household\":\"H-1\",\"name\":\"标记孙女小芳\"}",
    "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"part\":\"晚上\",\"mode\":\"入户\","
    "\"with\":\"标记同行\",\"escort\":\"村干部\",\"notes\":\"冉大珍说话喘，标记孙女小芳在家，打13900000002。\",\"checks\":{\"住房\":\"有问题\","
    "\"饮水\":\"好\"}}",
    "{\"kind\":\"visit\",\"id\":\"V-2\",\"households\":[\"H-1\",\"H-2\"],\"date\":\"2026-11-04\"}",
    "{\"kind\":\"need\",\"id\":\"N-1\",\"visit\":\"V-1\",\"household\":\"H-1\",\"words\":\"我冉大珍屋里漏雨，找标记孙女小芳 13900000002。\","
    "\"category\":\"住房\",\"reporter\":\"标记转述人\",\"external_no\":\"标记单号\"}",
    "{\"kind\":\"need\",\"id\":\"N-2\",\"place\":\"990527103204\",\"date\":\"2026-11-03\",\"words\":\"标记原话路灯\",\"summary\":\"标记摘要装路灯\","
    "\"category\":\"道路交通\",\"reporter_kind\":\"匿名\"}",
    "{\"kind\":\"need\",\"id\":\"N-3\",\"household\":\"H-1\",\"date\":\"2026-11-06\",\"words\":\"标记轮椅\",\"category\":\"残疾\"}",
    "{\"kind\":\"need\",\"id\":\"N-4\",\"household\":\"H-1\",\"date\":\"2026-11-06\",\"words\":\"标记优亲\",\"category\":\"村务干部作风\"}",
    "{\"kind\":\"need\",\"id\":\"N-5\",\"household\":\"H-1\",\"date\":\"2026-11-06\",\"words\":\"标记敏感\",\"secrecy\":\"限定知悉\"}",
    "{\"kind\":\"told\",\"id\":\"T-1\",\"need\":\"N-1\",\"date\":\"2026-11-07\",\"reaction\":\"不满意\",\"text\":\"标记告知\"}",
    "{\"kind\":\"told\",\"id\":\"T-2\",\"need\":\"N-1\",\"date\":\"2026-11-09\",\"reaction\":\"基本满意\"}",
};

static int begin(void **state)
{
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 11);
    for (size_t i = 0; i < sizeof world / sizeof *world; i++)
        village_add(&village.devices[0], world[i], &saved);
    village_add(&village.desk, "{\"kind\":\"place\",\"id\":\"SP\",\"name\":\"杉坪村\",\"codes\":[{\"code\":\"990527103204\"}]}", &saved);
    village_sync_all(&village, 3);
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

struct lines {
    const struct mq_ledger_choice *choice;
    FILE *out;
};

static enum mq_status take(void *context, const uint8_t record[MQ_ID_SIZE], const struct mq_span *cells,
                           struct mq_error *error)
{
    struct lines *lines = context;
    (void)record, (void)error;
    for (size_t i = 0; i < lines->choice->count; i++)
        fprintf(lines->out, "%s%.*s", i > 0 ? "|" : "", (int)cells[i].size, (const char *)cells[i].data);
    fputc('\n', lines->out);
    return MQ_OK;
}

static char *rows_of(const struct mq_ledger_choice *choice)
{
    char *text;
    size_t size;
    struct lines lines = {choice, open_memstream(&text, &size)};
    const struct mq_ledger_rows rows = {&lines, take};
    mq_error_clear(&problem);
    assert_non_null(lines.out);
    enum mq_status status = mq_ledger_write(village.devices[0].replica, choice, &rows, &problem);
    fclose(lines.out);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    return text;
}

static struct mq_ledger_choice choose(uint8_t kind, const char *names, bool sensitive)
{
    struct mq_ledger_choice choice;
    const struct mq_ledger *ledger = mq_ledger_find(mq_ledgers, mq_ledger_count, mq_kind_by_number(kind));
    assert_non_null(ledger);
    assert_int_equal(mq_ledger_choose(&choice, ledger, names, sensitive, &problem), MQ_OK);
    return choice;
}

static void assert_rows(const struct mq_ledger_choice *choice, const char *expected)
{
    char *text = rows_of(choice);
    assert_string_equal(text, expected);
    free(text);
}

/* The ledger of needs has the columns that offices know, oldest first, the last telling, and masks in the texts too. */
static void needs(void **state)
{
    (void)state;
    struct mq_ledger_choice choice = choose(MQ_KIND_NEED, NULL, false);
    assert_rows(&choice,
                "1|2026-11-03|杉坪村|匿名|标记摘要装路灯|道路交通|||已登记||\n"
                "2|2026-11-05|杉坪村三组|冉**|我冉**屋里漏雨，找标** 139****0002。|住房|||已登记|2026-11-09|基本满意\n"
                "3|2026-11-06|杉坪村三组|冉**|标记轮椅|残疾|||已登记||\n");
}

/* Types, tags, the hour and who came along are left out unless somebody asks for what is sensitive. */
static void households_and_visits(void **state)
{
    (void)state;
    struct mq_ledger_choice choice = choose(MQ_KIND_HOUSEHOLD, NULL, false);
    assert_rows(&choice, "1|990527103205|余**||||\n2|杉坪村三组|冉**|139****0001|3|2|在住\n");
    choice = choose(MQ_KIND_HOUSEHOLD, "head,where,nickname,types,tags", true);
    assert_rows(&choice, "余**||||\n冉**|***|***|低保家庭|独居老人\n");
    choice = choose(MQ_KIND_VISIT, NULL, false);
    assert_rows(&choice, "1|2026-11-04|杉坪村三组|冉**等2户|||||\n"
                         "2|2026-11-05|杉坪村三组|冉**|入户||冉**说话喘，标**在家，打139****0002。|住房|\n");
    choice = choose(MQ_KIND_VISIT, NULL, true);
    char *text = rows_of(&choice);
    assert_non_null(strstr(text, "晚上|标记同行|村干部"));
    free(text);
}

/* With a reason nothing is masked. */
static void unmasked(void **state)
{
    (void)state;
    struct mq_ledger_choice choice = choose(MQ_KIND_HOUSEHOLD, "head,phones,where", false);
    choice.unmasked = true;
    assert_rows(&choice, "余世海||\n冉大珍|13900000001（标记女婿）|标记位置\n");
}

/* A village and days narrow what is written; so does nothing else. */
static void filtered(void **state)
{
    (void)state;
    struct mq_ledger_choice choice = choose(MQ_KIND_NEED, "date", false);
    choice.filter.from = 20396; /* 2025-11-04 */
    assert_rows(&choice, "2026-11-03\n2026-11-05\n2026-11-06\n");
    assert_true(mq_date_parse(&choice.filter.from, mq_span_text("2026-11-04")));
    assert_true(mq_date_parse(&choice.filter.to, mq_span_text("2026-11-05")));
    assert_rows(&choice, "2026-11-05\n");
    choice = choose(MQ_KIND_HOUSEHOLD, "head", false);
    choice.filter.village = mq_span_text("990527103205");
    assert_rows(&choice, "余**\n");
    choice.filter.village = mq_span_text("990527103204"); /* by its code, though the ledger has its name */
    assert_rows(&choice, "冉**\n");
}

/* What nobody asked for by its name, or without a reason, is refused. */
static void wrong_columns(void **state)
{
    struct mq_ledger_choice choice;
    (void)state;
    mq_error_clear(&problem);
    assert_int_equal(mq_ledger_choose(&choice, &mq_ledgers[0], "head,age", false, &problem), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "\"age\""));
    assert_non_null(strstr(problem.text, "residents"));
    mq_error_clear(&problem);
    assert_int_equal(mq_ledger_choose(&choice, &mq_ledgers[0], "tags", false, &problem), MQ_REFUSED);
    assert_null(mq_ledger_find(mq_ledgers, mq_ledger_count, mq_kind_by_number(MQ_KIND_SUGGESTION)));
}


/* On the board: nothing of what was marked in all other fields, and nobody's name beside a matter of health. */
static void notices(void **state)
{
    static const char *const hidden[] = {"标记", "1390", "低保", "独居", "珍", "幺婆", "世海", "小芳", "漏雨", "晚上", "轮椅"};
    (void)state;
    for (size_t i = 0; i < mq_notice_count; i++) {
        struct mq_ledger_choice choice;
        assert_int_equal(mq_ledger_choose(&choice, &mq_notices[i], NULL, false, &problem), MQ_OK);
        char *text = rows_of(&choice);
        for (size_t h = 0; h < sizeof hidden / sizeof *hidden; h++)
            assert_null(strstr(text, hidden[h]));
        assert_non_null(strstr(text, mq_notices[i].kind == MQ_KIND_NEED ? "某户|残疾|已登记" : "冉**"));
        assert_int_equal(strstr(text, "冉**|住房") != NULL, mq_notices[i].kind == MQ_KIND_NEED);
        free(text);
    }
}

/* Every column masks a field that tells who it is, and leaves out a sensitive one unless asked for it. */
static void tables_are_true(void **state)
{
    (void)state;
    for (size_t i = 0; i < mq_ledger_count + mq_notice_count; i++) {
        const struct mq_ledger *ledger = i < mq_ledger_count ? &mq_ledgers[i] : &mq_notices[i - mq_ledger_count];
        for (size_t c = 0; c < ledger->column_count; c++) {
            const struct mq_ledger_column *column = &ledger->columns[c];
            uint8_t kind = column->source == MQ_LEDGER_HOUSEHOLD ? MQ_KIND_HOUSEHOLD : ledger->kind;
            if (column->field == NULL)
                continue;
            const struct mq_field *field = mq_field_by_key(mq_kind_by_number(kind), mq_span_text(column->field));
            assert_non_null(field);
            if (field->flags & MQ_FIELD_PERSONAL)
                assert_int_not_equal(column->mask, MQ_LEDGER_PLAIN);
            if (field->flags & MQ_FIELD_CLASS_B)
                assert_true(column->flags & MQ_LEDGER_SENSITIVE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs),         cmocka_unit_test(households_and_visits), cmocka_unit_test(unmasked),
        cmocka_unit_test(filtered),      cmocka_unit_test(wrong_columns),         cmocka_unit_test(notices),
        cmocka_unit_test(tables_are_true),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
