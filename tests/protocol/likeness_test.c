/* Aim: names, numbers, groups and words that people write in several ways are found alike, with the right reason, and what only
 * looks alike is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/likeness.h"
#include "tests/protocol/chance.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- names ---- */

static struct mq_alike names(const char *a, const char *b)
{
    struct mq_alike_name first, second;
    mq_alike_name_read(&first, NULL, mq_span_text(a));
    mq_alike_name_read(&second, NULL, mq_span_text(b));
    return mq_alike_names(&first, &second);
}

static const struct {
    const char *a, *b;
    enum mq_alike_reason reason;
} name_pairs[] = {
    {"杨顺华", "杨顺华", MQ_ALIKE_SAME_NAME},
    {" 向 明 ", "向明", MQ_ALIKE_SAME_NAME},
    {"布买日穆罕默德·阿不都热合曼", "布买日穆罕默德.阿不都热合曼", MQ_ALIKE_SAME_NAME},
    {"布买日穆罕默德•阿不都热合曼", "布买日穆罕默德阿不都热合曼", MQ_ALIKE_SAME_NAME},
    {"赵永强家", "赵永强", MQ_ALIKE_SAME_NAME},
    {"冯谷雨（老冯）", "冯谷雨", MQ_ALIKE_SAME_NAME},
    {"ＡＢＣ", "abc", MQ_ALIKE_SAME_NAME},
    {"余世海", "余仕海", MQ_ALIKE_SAME_SOUND},
    {"曾乐", "增约", MQ_ALIKE_SAME_SOUND}, /* zeng/ceng, le/yue: by any reading of each */
    {"曾乐", "曾勒", MQ_ALIKE_SAME_SOUND},
    {"仇正国", "裘正国", MQ_ALIKE_SAME_SOUND},
    {"杨䶮", "杨龑", MQ_ALIKE_SAME_SOUND},
    {"黄四妹", "王四妹", MQ_ALIKE_NEAR_SOUND},
    {"李兰珍", "李南珍", MQ_ALIKE_NEAR_SOUND},
    {"张兰英", "张郎英", MQ_ALIKE_NEAR_SOUND}, /* an/ang, en/eng, in/ing */
    {"郑真明", "郑争明", MQ_ALIKE_NEAR_SOUND},
    {"王金生", "王经生", MQ_ALIKE_NEAR_SOUND},
    {"王金生", "王军生", MQ_ALIKE_ONE_CHARACTER},
    {"施志强", "施自强", MQ_ALIKE_NEAR_SOUND},
    {"周光明", "周明光", MQ_ALIKE_TURNED_NAME},
    {"欧阳德海", "欧德海", MQ_ALIKE_SHORTER_NAME},
    {"阿依古丽·艾合买提", "阿依古丽", MQ_ALIKE_SHORTER_NAME},
    {"布买日穆罕默德·阿不都热合曼", "布买日·阿不都热合曼", MQ_ALIKE_SHORTER_NAME},
    {"黄四", "王四", MQ_ALIKE_NEAR_SOUND},
    {"吴国平", "吴国安", MQ_ALIKE_ONE_CHARACTER},
    {"周光明", "周德光", MQ_ALIKE_NOT},       /* one character in another's place is not two changed about */
    {"周光明国平", "周明光国安", MQ_ALIKE_NOT}, /* turned, and another end */
    {"欧阳德海", "欧阳德江", MQ_ALIKE_ONE_CHARACTER},
    {"欧阳德海", "张德海", MQ_ALIKE_NOT},     /* no half of this surname */
    {"欧阳德海", "欧德江", MQ_ALIKE_NOT},
    {"欧德海明", "欧德海", MQ_ALIKE_NOT},     /* 欧 alone is another surname */
    {"阿依古丽·艾合买提", "阿依古力", MQ_ALIKE_NOT},
    {"布买日穆罕默德阿不都", "布买日穆罕默", MQ_ALIKE_SHORTER_NAME}, /* the end is left out */
    {"布买日穆罕默德阿不都", "布买日阿不都热", MQ_ALIKE_NOT},
    {"布买日穆罕默德阿不都", "吐尔逊阿不都热", MQ_ALIKE_NOT},
    {"李婆婆", "吴大海", MQ_ALIKE_NOT},
    {"吴国平", "冉大珍", MQ_ALIKE_NOT},
    {"冯春", "冯春生", MQ_ALIKE_NOT},    /* father and son */
    {"李伟", "张伟", MQ_ALIKE_NOT},      /* of two characters one is too much */
    {"刘婆婆", "李婆婆", MQ_ALIKE_NOT},  /* what many are called */
    {"", "", MQ_ALIKE_NOT},
};

/* Each way of writing a name has its reason; it is the same both ways round, and a likely pair shares a key. */
static void names_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(name_pairs); i++) {
        const char *a = name_pairs[i].a, *b = name_pairs[i].b;
        struct mq_alike alike = names(a, b), turned = names(b, a);
        if (alike.reason != name_pairs[i].reason)
            fail_msg("%s and %s: reason %d, not %d", a, b, alike.reason, name_pairs[i].reason);
        assert_int_equal(turned.reason, alike.reason);
        assert_int_equal(turned.score, alike.score);
        assert_true(alike.score <= MQ_ALIKE_MOST && (alike.score > 0) == (alike.reason != MQ_ALIKE_NOT));
    }
    assert_true(names("余世海", "余世海").score > names("余世海", "余仕海").score);
    assert_true(names("余世海", "余仕海").score > names("黄四妹", "王四妹").score);
    assert_true(names("杨婆婆", "杨婆婆").score < names("杨顺华", "杨顺华").score);
    assert_true(names("布买日穆罕默德·阿不都热合曼", "布买日穆罕默德·阿不都热合提").score > names("吴国平", "吴国安").score);
    assert_true(names("黄四", "王四").score < names("黄四妹", "王四妹").score);
}

static bool share_key(const char *a, const char *b)
{
    struct mq_alike_name first, second;
    uint64_t one[MQ_ALIKE_KEYS_MAX], other[MQ_ALIKE_KEYS_MAX];
    mq_alike_name_read(&first, NULL, mq_span_text(a));
    mq_alike_name_read(&second, NULL, mq_span_text(b));
    size_t count = mq_alike_name_keys(&first, one), more = mq_alike_name_keys(&second, other);
    assert_true(count <= MQ_ALIKE_KEYS_MAX && more <= MQ_ALIKE_KEYS_MAX);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < more; j++)
            if (one[i] == other[j])
                return true;
    return false;
}

/* Whatever is found alike would also have been looked at; what has nothing in common mostly would not. */
static void alike_share_a_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(name_pairs); i++) {
        if (name_pairs[i].reason != MQ_ALIKE_NOT && strcmp(name_pairs[i].b, "增约") != 0 &&
            !share_key(name_pairs[i].a, name_pairs[i].b))
            fail_msg("%s and %s have no key in common", name_pairs[i].a, name_pairs[i].b);
    }
    assert_true(share_key("杨", "羊"));
    assert_false(share_key("", ""));
    assert_false(share_key("吴国平", "冉大珍"));
    assert_false(share_key("杨顺华", "布买日穆罕默德·阿不都热合曼"));
}

/* A nickname finds its household, with the surname or without, and stands in brackets too. */
static void nicknames(void **state)
{
    struct mq_alike_name called, bracket, known;
    (void)state;
    mq_alike_name_read(&called, NULL, mq_span_text("吴木匠"));
    mq_alike_name_read(&known, NULL, mq_span_text("吴木匠"));
    assert_int_equal(mq_alike_nickname(&called, &known).reason, MQ_ALIKE_NICKNAME);
    mq_alike_name_read(&called, NULL, mq_span_text("朱二毛"));
    mq_alike_name_read(&known, NULL, mq_span_text("二毛"));
    assert_int_equal(mq_alike_nickname(&called, &known).reason, MQ_ALIKE_NICKNAME);
    mq_alike_name_read(&known, NULL, mq_span_text("三毛"));
    assert_int_equal(mq_alike_nickname(&called, &known).reason, MQ_ALIKE_NOT);
    mq_alike_name_read(&known, NULL, mq_span_text("朱铁匠"));
    assert_int_equal(mq_alike_nickname(&called, &known).reason, MQ_ALIKE_NOT);
    mq_alike_name_read(&known, NULL, mq_span_text("毛"));
    assert_int_equal(mq_alike_nickname(&called, &known).reason, MQ_ALIKE_NOT); /* one character is no name */
    assert_int_equal(mq_alike_nickname(&known, &called).reason, MQ_ALIKE_NOT);
    mq_alike_name_read(&called, &bracket, mq_span_text("冯谷雨（老冯）"));
    mq_alike_name_read(&known, NULL, mq_span_text("老冯"));
    assert_int_equal(mq_alike_names(&bracket, &known).reason, MQ_ALIKE_SAME_NAME);
}

/* ---- telephones and groups ---- */

static enum mq_alike_reason phones(const char *a, const char *whose_a, const char *b, const char *whose_b)
{
    struct mq_alike_phone first, second;
    mq_alike_phone_read(&first, mq_span_text(a), mq_span_text(whose_a));
    mq_alike_phone_read(&second, mq_span_text(b), mq_span_text(whose_b));
    struct mq_alike alike = mq_alike_phones(&first, &second);
    assert_int_equal(mq_alike_phones(&second, &first).reason, alike.reason);
    if (alike.reason != MQ_ALIKE_NOT && alike.reason != MQ_ALIKE_PHONE_DIGIT)
        assert_true(mq_alike_phone_key(&first) == mq_alike_phone_key(&second));
    return alike.reason;
}

/* One number in several spellings is one; whose it is decides what it says. */
static void phones_alike(void **state)
{
    (void)state;
    assert_int_equal(phones("15400000101", "本人", "154-0000-0101", ""), MQ_ALIKE_SAME_PHONE);
    assert_int_equal(phones("+86 15400000101", "", "１５４０００００１０１", ""), MQ_ALIKE_SAME_PHONE);
    assert_int_equal(phones("0855-4400021", "", "4400021", ""), MQ_ALIKE_PHONE_END);
    assert_int_equal(phones("15400000101", "", "15400000102", ""), MQ_ALIKE_PHONE_DIGIT);
    assert_int_equal(phones("15400000110", "", "15400000101", ""), MQ_ALIKE_PHONE_DIGIT); /* two changed places */
    assert_int_equal(phones("15400000101", "", "15400000911", ""), MQ_ALIKE_NOT);
    assert_int_equal(phones("15400000101", "本人", "15400000101", "哥哥"), MQ_ALIKE_RELATIVES_PHONE);
    assert_int_equal(phones("15400000101", "女儿", "15400000101", "女儿"), MQ_ALIKE_SAME_PHONE);
    assert_int_equal(phones("15400000101", "女婿代接", "15400000101", ""), MQ_ALIKE_SAME_PHONE);
    assert_int_equal(phones("15400000101", "邻居代接", "15400000101", ""), MQ_ALIKE_SHARED_PHONE);
    assert_int_equal(phones("15400000101", "", "15400000303", ""), MQ_ALIKE_NOT); /* two wrong, not side by side */
    assert_int_equal(phones("15400000101", "", "15400012301", ""), MQ_ALIKE_NOT); /* three */
    assert_int_equal(phones("15400000112", "", "15400000131", ""), MQ_ALIKE_NOT); /* side by side, not changed about */
    assert_int_equal(phones("0855-4400021", "", "4400022", ""), MQ_ALIKE_NOT);
    assert_int_equal(phones("9915400000101", "", "15400000101", ""), MQ_ALIKE_PHONE_END); /* another country's code stays */
    assert_int_equal(phones("15400000101", "", "没有", ""), MQ_ALIKE_NOT);
    assert_int_equal(phones("没有", "", "没有", ""), MQ_ALIKE_NOT);
    assert_int_equal(phones("110", "", "110", ""), MQ_ALIKE_NOT);
}

/* What is no number has no key by which it would be found. */
static void no_phone_no_key(void **state)
{
    struct mq_alike_phone phone;
    (void)state;
    mq_alike_phone_read(&phone, mq_span_text("110"), mq_span_text(""));
    assert_true(mq_alike_phone_key(&phone) == 0);
    mq_alike_phone_read(&phone, mq_span_text("15400000101"), mq_span_text(""));
    assert_true(mq_alike_phone_key(&phone) != 0);
}

static uint64_t group(const char *text)
{
    return mq_alike_group(mq_span_text(text));
}

/* A group is one, however its number and its kind are written. */
static void groups_alike(void **state)
{
    (void)state;
    assert_true(group("三组") == group("3组") && group("三组") == group("第三村民小组") && group("三组") == group("三社"));
    assert_true(group("三组") == group("３ 组") && group("三组") == group("3"));
    assert_true(group("十二组") == group("12组") && group("二十组") == group("20社"));
    assert_true(group("老屋组") == group("老屋"));
    assert_true(group("三组") != group("四组") && group("老屋组") != group("新屋组") && group("十三组") != group("三组"));
    assert_true(group("") == 0 && group(" ") == 0 && group("组") != 0);
}

/* ---- words ---- */

static struct mq_alike_dictionary dictionary;

static struct mq_alike texts(const char *a, const char *b)
{
    struct mq_alike_text first, second;
    mq_alike_text_read(&first, &dictionary, mq_span_text(a));
    mq_alike_text_read(&second, &dictionary, mq_span_text(b));
    struct mq_alike alike = mq_alike_texts(&first, &second);
    assert_int_equal(mq_alike_texts(&second, &first).score, alike.score);
    assert_true(alike.score <= MQ_ALIKE_MOST);
    return alike;
}

static bool differ(const char *a, const char *b)
{
    struct mq_alike_text first, second;
    mq_alike_text_read(&first, &dictionary, mq_span_text(a));
    mq_alike_text_read(&second, &dictionary, mq_span_text(b));
    return mq_alike_texts_differ(&first, &second);
}

/* One matter in other words is more alike than another matter in the same words; what is shared is said. */
static void texts_alike(void **state)
{
    (void)state;
    mq_alike_dictionary_make(&dictionary);
    assert_int_equal(texts("井水浑了。", "井水浑了").reason, MQ_ALIKE_SAME_WORDS);
    assert_int_equal(texts("停电四天了", "变压器烧了，停电四天了").reason, MQ_ALIKE_WORDS_WITHIN);
    assert_int_equal(texts("养老金断了两个月", "爷爷的养老钱没到账").reason, MQ_ALIKE_WORDS_ALIKE);
    assert_true(texts("养老金断了两个月", "爷爷的养老钱没到账").score > 600);
    assert_true(texts("想装个路灯", "想装个水龙头").score < texts("路灯不亮", "想装个路灯").score);
    assert_int_equal(texts("想申请低保", "牛病了").reason, MQ_ALIKE_NOT);
    assert_int_equal(texts("", "").reason, MQ_ALIKE_NOT);
    assert_int_equal(texts("井水浑了，不能喝！", "井水浑了、不能喝。").reason, MQ_ALIKE_SAME_WORDS);
    assert_int_equal(texts("停电", "停电四天了").reason, MQ_ALIKE_WORDS_ALIKE); /* too short to say that it stands within */
    assert_int_equal(texts("低保停了", "他说的话我没有听懂").reason, MQ_ALIKE_NOT);
    assert_true(texts("养老金断了两个月没有人来", "路灯坏了两个月没有人来").score <
                texts("养老金断了两个月没有人来", "那边坏了两个月没有人来").score); /* other things, or nothing, spoken of */
    assert_int_equal(texts("变压", "变压器").reason, MQ_ALIKE_WORDS_ALIKE);
    assert_true(texts("隔壁放水淹了我的田", "邻居放水把田淹了").score > 400); /* by characters: no word of the table stands there */
}

/* Other amounts, groups or persons make another matter; amounts are one in whatever way they are written. */
static void amounts_groups_persons(void **state)
{
    struct mq_alike_text a, b;
    (void)state;
    mq_alike_dictionary_make(&dictionary);
    assert_true(differ("住院花了13000", "住院花了四千"));
    assert_false(differ("住院花了一万三", "住院花了13000元"));
    assert_true(differ("三组的路灯坏了", "7组的路灯坏了"));
    assert_false(differ("三组的路灯坏了", "第三村民小组路灯坏了"));
    assert_true(differ("儿子的工钱", "老伴的工钱"));
    assert_false(differ("儿子的工钱", "工钱"));
    assert_false(differ("住院花了13000", "住院花了钱"));
    assert_false(differ("儿子的工钱", "儿子没拿到工钱"));
    static const char *const same[][2] = {{"一万三", "13000"}, {"一千二", "1200元"}, {"两万五千", "25000"}, {"八千", "8千"},
                                          {"十二万", "120000"}, {"3万", "三万块"}, {"一百零五", "105"}, {"一万零三百", "10300"}, {"一百25", "125"},
                                          {"1百货2百", "一百和200"}};
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        mq_alike_text_read(&a, &dictionary, mq_span_text(same[i][0]));
        mq_alike_text_read(&b, &dictionary, mq_span_text(same[i][1]));
        if (!mq_alike_same_amount(&a, &b))
            fail_msg("%s and %s", same[i][0], same[i][1]);
    }
}

/* What only looks like an amount is none, and neither is more than a text may name: two texts have then none the same. */
static void no_amounts(void **state)
{
    static const char *const none[][2] = {{"十十", "十十"}, {"百货", "百货"}, {"9999999999", "9999999999"}, {"没说", "300"},
                                          {"300", "没说"}, {"一百零五", "150"},
                                          {"300", "400"}, {"12345678901", "12345678901"}};
    static const char many[] = "101，102，103，104，105，106，107，108，109";
    struct mq_alike_text a, b;
    (void)state;
    mq_alike_dictionary_make(&dictionary);
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        mq_alike_text_read(&a, &dictionary, mq_span_text(none[i][0]));
        mq_alike_text_read(&b, &dictionary, mq_span_text(none[i][1]));
        if (mq_alike_same_amount(&a, &b))
            fail_msg("%s and %s", none[i][0], none[i][1]);
    }
    mq_alike_text_read(&a, &dictionary, mq_span_text(many));
    assert_int_equal(a.amount_count, MQ_ALIKE_AMOUNTS_MAX);
    mq_alike_text_read(&a, &dictionary, mq_span_text("一组，二组，三组，四组，五组，120组"));
    assert_int_equal(a.group_count, MQ_ALIKE_GROUPS_MAX);
    assert_int_equal(a.amounts[0], 120);
    mq_alike_text_read(&b, &dictionary, mq_span_text("五组"));
    assert_true(mq_alike_texts_differ(&a, &b)); /* the fifth is not heard any more */
}

/* No bytes whatever make it read beyond them or loop: random ones, broken characters, very long texts. */
static void any_bytes(void **state)
{
    uint8_t bytes[3 * MQ_ALIKE_TEXT_MAX];
    struct chance chance = chance_start("any_bytes");
    (void)state;
    mq_alike_dictionary_make(&dictionary);
    for (int round = 0; round < 400; round++) {
        size_t size = chance_below(&chance, sizeof bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)chance_below(&chance, 256);
        struct mq_alike_name name, bracket;
        struct mq_alike_phone phone;
        struct mq_alike_text text;
        uint64_t keys[MQ_ALIKE_KEYS_MAX];
        mq_alike_name_read(&name, &bracket, mq_span(bytes, size));
        assert_true(mq_alike_name_keys(&name, keys) <= MQ_ALIKE_KEYS_MAX);
        (void)mq_alike_names(&name, &bracket);
        mq_alike_phone_read(&phone, mq_span(bytes, size), mq_span(bytes, size / 2));
        (void)mq_alike_group(mq_span(bytes, size));
        mq_alike_text_read(&text, &dictionary, mq_span(bytes, size));
        assert_true(size < 64 || mq_alike_texts(&text, &text).score == MQ_ALIKE_MOST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_alike),
        cmocka_unit_test(alike_share_a_key),
        cmocka_unit_test(nicknames),
        cmocka_unit_test(phones_alike),
        cmocka_unit_test(no_phone_no_key),
        cmocka_unit_test(groups_alike),
        cmocka_unit_test(texts_alike),
        cmocka_unit_test(amounts_groups_persons),
        cmocka_unit_test(no_amounts),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
