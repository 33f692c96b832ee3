/* Aim: every reading of a character is known, what people type for a name finds it, and nothing else does: the matcher
 * agrees with one that tries all ways one after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/fold.h"
#include "protocol/pinyin.h"
#include "tests/protocol/chance.h"

static uint32_t first_character(const char *text)
{
    struct mq_span span = mq_span_text(text);
    return mq_fold_next(&span);
}

static bool has_reading(const char *character, const char *reading)
{
    const char *readings[MQ_PINYIN_READINGS_MAX];
    size_t count = mq_pinyin_readings(first_character(character), readings, MQ_PINYIN_READINGS_MAX);

    for (size_t i = 0; i < count; i++)
        if (strcmp(readings[i], reading) == 0)
            return true;
    return false;
}

static bool matches(const char *text, const char *word)
{
    struct mq_pinyin_word compiled;
    return mq_pinyin_word(&compiled, mq_span_text(word)) && mq_pinyin_matches(&compiled, mq_span_text(text), false);
}

/* ---- readings ---- */

/* Surnames that are read as no dictionary's first line says, characters with several readings, and rare ones. */
static void surnames_have_all_their_readings(void **state)
{
    static const char *const known[] = {
        "单 shan dan", "仇 qiu chou", "覃 qin tan",  "曾 zeng ceng", "盖 gai ge",    "查 zha cha",   "朴 piao pu",
        "解 xie jie",  "任 ren",      "尉 yu wei",   "区 ou qu",     "繁 po fan",    "折 she zhe",   "黑 he hei",
        "员 yun yuan", "乐 yue le",   "翟 zhai di",  "召 shao zhao", "种 chong zhong", "秘 bi mi",   "万 mo wan",
        "俟 qi si",    "长 zhang chang", "澹 tan dan", "冼 xian",    "洗 xian xi",   "郗 xi chi",    "隗 wei kui",
        "祭 zhai ji",  "那 na nuo",   "能 nai neng", "盛 sheng cheng", "褚 chu zhe", "晟 cheng sheng", "牟 mou mu",
        "柏 bai bo",   "薄 bo bao",   "车 che ju",   "谌 chen shen", "费 fei bi",    "俞 yu shu",    "贾 jia gu",
        "句 gou ju",   "乜 nie mie",  "么 yao me",   "莘 shen xin",  "强 qiang jiang", "谷 gu yu",   "郇 xun huan",
        "行 xing hang", "晁 chao zhao", "宿 su xiu", "笮 ze zuo",    "藏 zang cang", "炅 gui jiong", "粘 nian zhan",
        "吕 lv",       "女 nv",       "略 lve",      "绿 lv lu",     "阿 a e",       "䶮 yan",       "𬎆 ying",
        "𫖯 fu",       "𬭊 du",       "𠮷 ji",       "㛃 jie",       "重 zhong chong", "石 shi dan", "冉 ran",
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char line[64], *rest = line;
        snprintf(line, sizeof line, "%s", known[i]);
        const char *character = strsep(&rest, " ");
        for (const char *reading = strsep(&rest, " "); reading != NULL; reading = strsep(&rest, " "))
            if (!has_reading(character, reading))
                fail_msg("%s should be read %s too", character, reading);
    }
}

/* What has no reading has none, at the table's edges too; `most` is kept. */
static void others_have_none(void **state)
{
    static const uint32_t none[] = {0, 'a', '7', 0xb7, 0x33ff, 0x4dc0, 0xac00, 0xffff, 0x323b0, 0x10ffff, 0x110000, UINT32_MAX};
    const char *readings[MQ_PINYIN_READINGS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(mq_pinyin_readings(none[i], readings, MQ_PINYIN_READINGS_MAX), 0);
    assert_int_equal(mq_pinyin_readings(first_character("单"), readings, 1), 1);
    assert_string_equal(readings[0], "dan");
    assert_int_equal(mq_pinyin_readings(first_character("单"), readings, 0), 0);
}

/* Readings are such as the matcher reads them: ASCII letters, each once, never more than the header says; tens of thousands
 * of characters have one. */
static void the_table_is_whole(void **state)
{
    size_t characters = 0;

    (void)state;
    for (uint32_t character = 0; character < 0x110000; character++) {
        const char *readings[MQ_PINYIN_READINGS_MAX + 1];
        size_t count = mq_pinyin_readings(character, readings, MQ_PINYIN_READINGS_MAX + 1);
        assert_in_range(count, 0, MQ_PINYIN_READINGS_MAX);
        characters += count > 0;
        for (size_t i = 0; i < count; i++) {
            assert_in_range(strspn(readings[i], "abcdefghijklmnopqrstuvwxyz"), 1, 6);
            assert_int_equal(strspn(readings[i], "abcdefghijklmnopqrstuvwxyz"), strlen(readings[i]));
            for (size_t j = 0; j < i; j++)
                assert_ptr_not_equal(readings[i], readings[j]);
        }
    }
    assert_in_range(characters, 41000, 60000);
}

/* ---- matching ---- */

/* By hand: what a cadre types, and what must not be found by it. */
static void what_people_type_is_found(void **state)
{
    static const struct {
        const char *text, *word;
        bool expected;
    } cases[] = {
        {"陈六合", "chenliuhe", true}, {"陈六合", "chlh", true},     {"陈六合", "clh", true},    {"陈六合", "陈lh", true},
        {"陈六合", "liuh", true},      {"陈六合", "六", true},       {"陈六合", "CHLH", true},   {"陈六合", "chleh", false},
        {"陈六合", "cl h", true},      {"陈六合", "chenhe", false},  {"陈六合", "hl", false},    {"陈六合", "chlhx", false},
        {"单兰蓉", "danlr", true},     {"单兰蓉", "shanlr", true},   {"单兰蓉", "chanlanrong", true},
        {"曾乐", "zengle", true},      {"曾乐", "zengyue", true},    {"曾乐", "cengle", true},   {"曾乐", "zy", true},
        {"李国芳", "lgf", true},       {"李国芳", "liguof", true},   {"李国芳", "李国", true},   {"李国芳", "guo芳", true},
        {"李国芳", "李f", false},      {"吕绿", "lvlv", true},       {"吕绿", "lulu", true},     {"吕绿", "lülü", true},
        {"吕略", "lulue", true},       {"路", "lv", false},          {"西安", "xi'an", true},    {"西安", "xian", true},
        {"先", "xian", true},          {"䶮", "yan", true},          {"𬎆", "𬎆", true},          {"张𬎆", "zhying", true},
        {"布买日穆罕默德·阿不都热合曼", "德阿不都", true},
        {"布买日穆罕默德·阿不都热合曼", "德•阿", true},
        {"布买日穆罕默德·阿不都热合曼", "bumairimuhanmodeabudurehema", true},
        {"布买日穆罕默德·阿不都热合曼", "bmrmhmdabdrhm", true},
        {"王５组", "w5z", true},       {"Zhang伟", "zhangw", true},  {"李\n国", "lg", false},    {"", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (matches(cases[i].text, cases[i].word) != cases[i].expected)
            fail_msg("%s in %s: should %sbe found", cases[i].word, cases[i].text, cases[i].expected ? "" : "not ");
}

/* From the start only; and words that are no words. */
static void starts_and_limits(void **state)
{
    struct mq_pinyin_word word;
    char long_word[MQ_SEARCH_WORD_MAX + 2], text[MQ_SEARCH_WORD_MAX + 2];

    (void)state;
    assert_true(mq_pinyin_word(&word, mq_span_text("lg")));
    assert_true(mq_pinyin_matches(&word, mq_span_text("李国芳"), true));
    assert_false(mq_pinyin_matches(&word, mq_span_text("小李国芳"), true));
    assert_false(mq_pinyin_word(&word, mq_span_text("")));
    assert_false(mq_pinyin_word(&word, mq_span_text(" ·-")));
    memset(long_word, 'a', sizeof long_word);
    memset(text, 'a', sizeof text);
    assert_false(mq_pinyin_word(&word, mq_span(long_word, MQ_SEARCH_WORD_MAX + 1)));
    assert_true(mq_pinyin_word(&word, mq_span(long_word, MQ_SEARCH_WORD_MAX)));
    assert_true(mq_pinyin_matches(&word, mq_span(text, MQ_SEARCH_WORD_MAX), false));
    assert_false(mq_pinyin_matches(&word, mq_span(text, MQ_SEARCH_WORD_MAX - 1), false));
    text[100] = 'b';
    assert_false(mq_pinyin_matches(&word, mq_span(text, MQ_SEARCH_WORD_MAX), false));
}

/* Tries one way after another: does the word, from its front, stand at the front of the text? Both folded. */
static bool slowly_at_front(struct mq_span text, struct mq_span word)
{
    if (word.size == 0)
        return true;
    struct mq_span rest = text, left = word;
    uint32_t character = mq_fold_next(&rest);
    if (character == 0)
        return false;
    if (character == mq_fold_next(&left) && slowly_at_front(rest, left))
        return true;
    const char *readings[MQ_PINYIN_READINGS_MAX];
    size_t count = mq_pinyin_readings(character, readings, MQ_PINYIN_READINGS_MAX);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < word.size && readings[i][n] != '\0'; n++) {
            bool same = readings[i][n] == (char)word.data[n] || (readings[i][n] == 'v' && word.data[n] == 'u');
            if (!same)
                break;
            if (slowly_at_front(rest, mq_span(word.data + n + 1, word.size - n - 1)))
                return true;
        }
    return false;
}

static bool slowly(const char *text, const char *word)
{
    struct mq_span at = mq_span_text(text);
    do {
        if (slowly_at_front(at, mq_span_text(word)))
            return true;
    } while (mq_fold_next(&at) != 0);
    return false;
}

/* Random names and random words, most of them made from the names so that many are found: the same answer as the slow
 * way's. */
static void the_matcher_agrees_with_all_ways(void **state)
{
    static const char *const characters[] = {"单", "曾", "乐", "吕", "先", "西", "安", "长", "行", "阿", "女", "略", "重", "𬎆", "x", "5"};
    static const size_t count = sizeof characters / sizeof *characters;
    struct chance chance = chance_start("the_matcher_agrees_with_all_ways");
    int found = 0;

    (void)state;
    for (int run = 0; run < 20000; run++) {
        char text[64], word[64];
        struct mq_buffer name = mq_buffer(text, sizeof text - 1), typed = mq_buffer(word, sizeof word - 1);
        for (uint64_t i = 1 + chance_below(&chance, 6); i > 0; i--) {
            const char *character = characters[chance_below(&chance, count)];
            const char *readings[MQ_PINYIN_READINGS_MAX];
            size_t known = mq_pinyin_readings(first_character(character), readings, MQ_PINYIN_READINGS_MAX);
            mq_put_text(&name, character);
            if (known == 0 || chance_below(&chance, 6) == 0)
                mq_put_text(&typed, character);
            else if (chance_below(&chance, 8) > 0) {
                const char *reading = readings[chance_below(&chance, known)];
                mq_put(&typed, reading, 1 + chance_below(&chance, strlen(reading)));
            }
        }
        assert_false(name.failed || typed.failed);
        text[name.size] = word[typed.size] = '\0';
        if (typed.size == 0)
            continue;
        for (char *v = strchr(word, 'v'); v != NULL && chance_below(&chance, 2) == 0; v = strchr(word, 'v'))
            *v = 'u';
        bool expected = slowly(text, word);
        found += expected;
        if (matches(text, word) != expected)
            fail_msg("%s in %s: should %sbe found", word, text, expected ? "" : "not ");
    }
    assert_in_range(found, 2000, 19000);
}

/* ---- names ---- */

/* By hand: villages, communities, towns; a name that is nothing but its kind keeps it. */
static void initials_of_places(void **state)
{
    static const char *const cases[][2] = {
        {"杉坪村", "SP"},   {"龙塘村", "LT"},       {"和平社区", "HP"}, {"石板镇", "SB"}, {"李家沟居委会", "LJG"},
        {"青山村民委员会", "QS"}, {"村", "C"},      {"社区", "SQ"},     {"3组", "3Z"},    {"Ａ区", "AQ"},
        {"布依·河村", "BYH"}, {"", ""},             {"村村", "C"},      {"？村", ""}, {"龙#塘村", "LT"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        struct mq_buffer out = mq_buffer(text, sizeof text - 1);
        mq_pinyin_initials(mq_span_text(cases[i][0]), &out);
        assert_false(out.failed);
        text[out.size] = '\0';
        assert_string_equal(text, cases[i][1]);
    }
}

/* Names that may be one, heard; and others. */
static void names_that_sound_alike(void **state)
{
    static const struct {
        const char *a, *b;
        bool expected;
    } cases[] = {
        {"李国芳", "李国芳", true},  {"李国芳", "李果方", true}, {"单兰", "善岚", true},   {"单兰", "丹岚", true},
        {"李国芳", "李国", false},   {"李国芳", "王国芳", false}, {"吕伟", "路伟", false}, {"买买提·吐逊", "买买提吐逊", true},
        {"", "", false},             {"", "李", false},          {"Zhang", "zhang", true}, {"李5", "李6", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(mq_pinyin_same(mq_span_text(cases[i].a), mq_span_text(cases[i].b)), cases[i].expected);
        assert_int_equal(mq_pinyin_same(mq_span_text(cases[i].b), mq_span_text(cases[i].a)), cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(surnames_have_all_their_readings),
        cmocka_unit_test(others_have_none),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(what_people_type_is_found),
        cmocka_unit_test(starts_and_limits),
        cmocka_unit_test(the_matcher_agrees_with_all_ways),
        cmocka_unit_test(initials_of_places),
        cmocka_unit_test(names_that_sound_alike),
    };
    return cmocka_run_group_tests_name("pinyin", tests, NULL, NULL);
}
