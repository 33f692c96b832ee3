/* Aim: what people type in several ways compares equal, and folding never breaks a piece of a text off from the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/fold.h"
#include "tests/protocol/chance.h"

static const char *folded(const char *text)
{
    static char memory[256];
    struct mq_buffer out = mq_buffer(memory, sizeof memory - 1);

    mq_fold(&out, mq_span_text(text));
    assert_false(out.failed);
    memory[out.size] = '\0';
    return memory;
}

/* Capitals, full-width forms, the dots of long names, blanks, hyphens and apostrophes. */
static void ways_of_typing_are_one(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"Zhang SAN", "zhangsan"},
        {"ＳＰ－３－００１７", "sp30017"},
        {"买买提·吐逊", "买买提吐逊"},
        {"买买提•吐逊", "买买提吐逊"},
        {"买买提・吐逊．阿", "买买提吐逊阿"},
        {"买买提 吐逊", "买买提吐逊"},
        {"139 0000-1234", "13900001234"},
        {"xi'an LÜ lü", "xianlvlv"},
        {"ÀÉÞ Я Ё Ω", "àéþяёω"},
        {"𬎆䶮\xf3\xa0\x84\x80", "𬎆䶮"}, /* with a variation selector */
        {"一\n二", "一\n二"},
        {"×÷。，", "×÷。,"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(folded(cases[i].text), cases[i].expected);
}

/* Bytes that are no UTF-8 stay what they are, one by one: cut, overlong, surrogate-free or beyond Unicode. */
static void broken_bytes_stay(void **state)
{
    static const char *const broken[] = {"\xe4\xb8", "a\xff\xfe\x62", "\xc0\xaf", "\xf4\x90\x80\x80", "\x80"};

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_string_equal(folded(broken[i]), broken[i]);
}

/* For random texts and a random cut: folding both pieces gives what folding the whole gives, and folding twice is folding
 * once. So every piece of a text is found in it. */
static void folding_commutes_with_cutting(void **state)
{
    static const char *const pieces[] = {"A", "z", "ü", "·", "．", " ", "　", "-", "5", "５", "Ｑ", "李", "𬎆", "\n", "й", "'"};
    struct chance chance = chance_start("folding_commutes_with_cutting");

    (void)state;
    for (int run = 0; run < 2000; run++) {
        char whole[128], joined[256];
        struct mq_buffer text = mq_buffer(whole, sizeof whole - 1), both = mq_buffer(joined, sizeof joined - 1);
        uint64_t count = chance_below(&chance, 20), cut = chance_below(&chance, count + 1);
        size_t cut_at = 0;
        for (uint64_t i = 0; i < count; i++) {
            if (i == cut)
                cut_at = text.size;
            mq_put_text(&text, pieces[chance_below(&chance, sizeof pieces / sizeof *pieces)]);
        }
        mq_fold(&both, mq_span(whole, cut_at));
        mq_fold(&both, mq_span(whole + cut_at, text.size - cut_at));
        assert_false(text.failed || both.failed);
        whole[text.size] = joined[both.size] = '\0';
        assert_string_equal(joined, folded(whole));
        assert_string_equal(folded(joined), joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_of_typing_are_one),
        cmocka_unit_test(broken_bytes_stay),
        cmocka_unit_test(folding_commutes_with_cutting),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
