/* Aim: resident ID and bank card numbers are found in every way that people write them, and other numbers stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/mask.h"
#include "tests/protocol/chance.h"

struct row {
    size_t found;
    const char *text, *masked; /* NULL: as it was */
};

static void check_rows(const struct row *rows, size_t count, bool cards)
{
    for (size_t i = 0; i < count; i++) {
        const char *expected = rows[i].masked != NULL ? rows[i].masked : rows[i].text;
        char text[256];
        snprintf(text, sizeof text, "%s", rows[i].text);
        assert_int_equal(strlen(expected), strlen(text));
        size_t found = mq_mask((uint8_t *)text, strlen(text), cards);
        if (found != rows[i].found || strcmp(text, expected) != 0)
            fail_msg("%s: %zu, %s", rows[i].text, found, text);
    }
}

/* Resident IDs, alone, in a sentence, touched by letters, in groups, full-width; with the wrong check digit, date or
 * length they are other numbers. All of them are invented; the first is the one that the standard prints. */
static void resident_ids(void **state)
{
    static const struct row rows[] = {
        {1, "11010519491231002X", "110105********002X"},
        {1, "11010519491231002x", "110105********002x"},
        {1, "990527198001010028", "990527********0028"},
        {1, "户主身份证11010519491231002X，已看过。", "户主身份证110105********002X，已看过。"},
        {1, "ID11010519491231002Xabc", "ID110105********002Xabc"},
        {1, "1号11010519491231002X", "1号110105********002X"},
        {1, "110105 19491231 002X", "110105 ******** 002X"},
        {1, "110105-1949-1231-002X", "110105-****-****-002X"},
        {1, "110105－19491231－002X", "110105－********－002X"},
        {1, "110105　19491231　002X", "110105　********　002X"},
        {1, "１１０１０５１９４９１２３１００２Ｘ", "１１０１０５＊＊＊＊＊＊＊＊００２Ｘ"},
        {1, "１１０１０５19491231００２ｘ", "１１０１０５********００２ｘ"},
        {2, "11010519491231002X,990527198001010028", "110105********002X,990527********0028"},
        {2, "11010519491231002X 990527198001010028", "110105********002X 990527********0028"},
        {1, "电话15400008140 11010519491231002X", "电话15400008140 110105********002X"},
        {1, "12 11010519491231002X 18岁", "12 110105********002X 18岁"},
        {1, "11010519491231002X-", "110105********002X-"},
        {1, "11010519491231002XX", "110105********002XX"},
        {0, "110105194912310021", NULL},  /* check digit */
        {0, "11010519491331002X", NULL},  /* month 13 */
        {0, "11010518491231002X", NULL},
        {0, "11010519491231002", NULL},
        {0, "111010519491231002X", NULL}, /* inside a longer row of digits */
        {0, "110105  19491231 002X", NULL},
        {0, "110105194912310020 ", NULL},
        {0, "110105/19491231/002X", NULL},
        {0, "11010519491231002 X", NULL},
        {0, "", NULL},
        {0, "X", NULL},
        {0, "\xef\xbc", NULL},            /* a cut full-width digit */
        {0, "990527103204 15400008140", NULL},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, false);
    check_rows(rows, sizeof rows / sizeof *rows, true);
}

/* What stands behind the end of the text is neither read nor masked: a full-width number that is cut inside its last digit. */
static void cut_numbers(void **state)
{
    static const char number[] = "９９０５２７１９８００１０１００２８";

    (void)state;
    for (size_t cut = 0; cut <= 3; cut++) {
        char text[sizeof number];
        memcpy(text, number, sizeof number);
        size_t size = sizeof number - 1 - cut;
        assert_int_equal(mq_mask((uint8_t *)text, size, false), cut == 0);
        assert_int_equal(memcmp(text, number, sizeof number) == 0, cut > 0);
        assert_int_equal(mq_is_resident_id(mq_span(number, size)), cut == 0);
    }
}

/* A disability card is a resident ID and 2 or 4 digits; an X inside it is masked like a digit. */
static void disability_cards(void **state)
{
    static const struct row rows[] = {
        {1, "11010519491231002X43", "110105**********2X43"},
        {1, "11010519491231002x4311", "110105************4311"},
        {1, "１１０１０５１９４９１２３１００２ｘ4311", "１１０１０５＊＊＊＊＊＊＊＊＊＊＊＊4311"},
        {1, "99052719800101002843", "990527**********2843"},
        {0, "11010519491231002X431", NULL},
        {0, "11010519491231002X43111", NULL},
        {0, "110105194912310021430", NULL},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, false);
    check_rows(rows, sizeof rows / sizeof *rows, true);
}

/* Bank cards in a row or in fours, where they are looked for. */
static void bank_cards(void **state)
{
    static const struct row rows[] = {
        {1, "4111111111111111", "4111********1111"},
        {1, "4377428715982633", "4377********2633"}, /* doubled digits above 4 */
        {1, "6217998563749105826", "6217***********5826"},
        {1, "卡号6222020000000000018。", "卡号6222***********0018。"},
        {1, "4111 1111 1111 1111", "4111 **** **** 1111"},
        {1, "4111-1111-1111-1111", "4111-****-****-1111"},
        {1, "6222 0200 0000 0000 018", "6222 **** **** ***0 018"},
        {1, "４１１１１１１１１１１１１１１１", "４１１１＊＊＊＊＊＊＊＊１１１１"},
        {1, "CCB4111111111111111", "CCB4111********1111"},
        {1, "4111111111111111 12元", "4111********1111 12元"},
        {1, "12 4111 1111 1111 1111", "12 4111 **** **** 1111"},
        {1, "4111 1111 1111 1111 12", "4111 **** **** 1111 12"},
        {1, "4111 1111 1111 1111 2026", "4111 **** **** 1111 2026"},
        {0, "4111111111111112", NULL},                                  /* Luhn */
        {0, "4377428715982632", NULL},
        {0, "4111 1111 1111 1112", NULL},
        {0, "4111 1111 1111 1112 2026", NULL},
        {0, "1111111111111117", NULL},                                  /* first digit */
        {0, "7111111111111114", NULL},
        {0, "41111111111111111X", NULL},                                /* 17 digits and an X */
        {0, "411111111111116", NULL},                                   /* 15 digits */
        {0, "41111111111111111115", NULL},                              /* 20 digits */
        {0, "411111 1111111111", NULL},                                 /* not in fours */
        {0, "4111  1111 1111 1111", NULL},
        {0, "4111/1111/1111/1111", NULL},
        {0, "0a1b2c3d4e5f4111111111111111a0b1c2d3", NULL},              /* within a hash */
        {0, "9999aaaa9999AAAA4111111111111111", NULL},
        {1, "9999aaaa9999AAA4111111111111111", "9999aaaa9999AAA4111********1111"}, /* too short for one */
        {0, "0000aaaa-4111-1111-1111-111111111111", NULL},              /* a UUID */
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row unlooked = {0, rows[i].text, NULL};
        check_rows(&unlooked, 1, false);
    }
}

/* Phones, dates, places, numbers of needs and of papers stay as they are. */
static void other_numbers_stay(void **state)
{
    static const struct row rows[] = {
        {0, "15400008140", NULL},
        {0, "0990-0008130 15400008140", NULL},
        {0, "990527103204", NULL},
        {0, "2026-04-11 2026-05-13", NULL},
        {0, "SP-3-0017，12345-2026-00005，纸-2026-006", NULL},
        {0, "019686eb-26c0-715a-ad75-dedb618177ff", NULL},
        {0, "01963038-0500-7517-8123-123456789012", NULL},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, true);
}

/* In the records that this repository shows, nothing is masked. */
static void sample_stays(void **state)
{
    FILE *file = fopen("tests/data/sample.jsonl", "r");
    static char line[64 * 1024];
    size_t lines = 0;

    (void)state;
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; lines++)
        if (mq_mask((uint8_t *)line, strlen(line), true) != 0)
            fail_msg("%s", line);
    fclose(file);
    assert_int_equal(lines, 300);
}

/* An invented resident ID of a random birthday. */
static void random_id(struct chance *chance, char id[19])
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;

    snprintf(id, 19, "99%04u%04u%02u%02u%03u", (unsigned)chance_below(chance, 10000),
             1900 + (unsigned)chance_below(chance, 150), 1 + (unsigned)chance_below(chance, 12),
             1 + (unsigned)chance_below(chance, 28), (unsigned)chance_below(chance, 1000));
    for (int i = 0; i < 17; i++)
        sum += (id[i] - '0') * weights[i];
    id[17] = "10X98765432"[sum % 11];
    id[18] = '\0';
}

/* Random IDs are found with letters, blanks and other numbers around, and with any digit but a wrong one. */
static void random_ids(void **state)
{
    static const char *const around[] = {"", " ", "：", "a", "15400008140 ", "-", "\n", "3、"};
    struct chance chance = chance_start("random ids");

    (void)state;
    for (int round = 0; round < 100000; round++) {
        char id[19], text[128];
        const char *before = around[chance_below(&chance, sizeof around / sizeof *around)];
        const char *after = around[chance_below(&chance, 4)];
        random_id(&chance, id);
        snprintf(text, sizeof text, "%s%s%s", before, id, after);
        assert_int_equal(mq_mask((uint8_t *)text, strlen(text), false), 1);
        assert_memory_equal(text + strlen(before) + 6, "********", 8);
        assert_true(mq_is_resident_id(mq_span_text(id)));
        size_t at = chance_below(&chance, 17);
        id[at] = (char)('0' + (id[at] - '0' + 1 + (int)chance_below(&chance, 9)) % 10);
        assert_false(mq_is_resident_id(mq_span_text(id)));
    }
}

/* Only the whole text counts for an `id`. */
static void whole_texts(void **state)
{
    (void)state;
    assert_true(mq_is_resident_id(mq_span_text("11010519491231002X")));
    assert_true(mq_is_resident_id(mq_span_text("11010519491231002X43")));
    assert_true(mq_is_resident_id(mq_span_text("110105 19491231 002x")));
    assert_true(mq_is_resident_id(mq_span_text("１１０１０５１９４９１２３１００２Ｘ")));
    assert_false(mq_is_resident_id(mq_span_text("")));
    assert_false(mq_is_resident_id(mq_span_text("11010519491231002X ")));
    assert_false(mq_is_resident_id(mq_span_text("H11010519491231002X")));
    assert_false(mq_is_resident_id(mq_span_text("11010519491231002")));
    assert_false(mq_is_resident_id(mq_span_text("019686eb-26c0-715a-ad75-dedb618177ff")));
    assert_false(mq_is_resident_id(mq_span_text("H-0012")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resident_ids),       cmocka_unit_test(disability_cards), cmocka_unit_test(bank_cards),
        cmocka_unit_test(other_numbers_stay), cmocka_unit_test(sample_stays), cmocka_unit_test(cut_numbers),
            cmocka_unit_test(random_ids),
        cmocka_unit_test(whole_texts),
    };

    return cmocka_run_group_tests_name("protocol/mask", tests, NULL, NULL);
}
