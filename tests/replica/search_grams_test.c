/* Aim: every text has all pieces of every word in it, a list says exactly what was put in, and few pieces of other words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/fold.h"
#include "replica/search_grams.h"
#include "tests/protocol/chance.h"

static uint8_t memory[2 * MQ_GRAMS];

static struct mq_span list_of(const char *text)
{
    static struct mq_grams grams;
    struct mq_buffer list = mq_buffer(memory, sizeof memory);
    mq_grams_add(&grams, mq_span_text(text));
    size_t count = grams.count;
    mq_grams_list(&grams, &list);
    assert_false(list.failed);
    assert_int_equal(list.size, 2 * count);
    assert_int_equal(grams.count, 0);
    return mq_written(&list);
}

/* How many of a word's pieces a list has, of how many. */
static size_t have(struct mq_span list, const char *word, size_t *of)
{
    uint16_t grams[4];
    uint8_t folded[256];
    struct mq_buffer text = mq_buffer(folded, sizeof folded);
    size_t count = 0;
    mq_fold(&text, mq_span_text(word));
    *of = mq_grams_of_word(mq_written(&text), grams, 4);
    assert_in_range(*of, 1, 4);
    for (size_t i = 0; i < *of; i++)
        count += mq_grams_have(list, grams[i]);
    return count;
}

/* A list is sorted, holds each piece once, and nothing else. */
static void a_list_is_the_set(void **state)
{
    struct mq_span list = list_of("水管水管坏12");
    (void)state;
    /* 水 管 坏 1 2; 水管 管水 管坏 坏1 12 */
    assert_int_equal(list.size, 2 * 10);
    for (size_t i = 2; i < list.size; i += 2)
        assert_true(memcmp(list.data + i - 2, list.data + i, 2) < 0);
    size_t found = 0;
    for (uint32_t gram = 0; gram < MQ_GRAMS; gram++)
        found += mq_grams_have(list, (uint16_t)gram);
    assert_int_equal(found, 10);
    assert_int_equal(list_of("").size, 0);
    assert_int_equal(list_of("·  -").size, 0);
}

/* Random texts and random parts of them: no piece of the part is missing. */
static void a_part_has_all_its_pieces_in_the_text(void **state)
{
    static const char *const parts[] = {"水", "管", "路", "A", "b", "7", "３", "·", " ", "𬎆", "，", "é"};
    struct chance chance = chance_start("a_part_has_all_its_pieces_in_the_text");
    (void)state;
    for (int run = 0; run < 3000; run++) {
        char text[200], word[200];
        struct mq_buffer whole = mq_buffer(text, sizeof text - 1), part = mq_buffer(word, sizeof word - 1);
        size_t count = 1 + chance_below(&chance, 30), from = chance_below(&chance, count);
        size_t to = from + 1 + chance_below(&chance, count - from);
        for (size_t i = 0; i < count; i++) {
            const char *one = parts[chance_below(&chance, sizeof parts / sizeof *parts)];
            mq_put_text(&whole, one);
            if (i >= from && i < to)
                mq_put_text(&part, one);
        }
        assert_false(whole.failed || part.failed);
        text[whole.size] = word[part.size] = '\0';
        struct mq_span folded = mq_span_text(word);
        if (mq_fold_next(&folded) == 0)
            continue;
        size_t of, found = have(list_of(text), word, &of);
        if (found != of)
            fail_msg("\"%s\" has %zu of %zu pieces of \"%s\"", text, found, of, word);
    }
}

/* Words that are not there are hardly ever thought to be: by order, by a line end, by digits that stand apart. */
static void other_words_lack_a_piece(void **state)
{
    static const char *const cases[][2] = {
        {"路灯坏了", "灯路"}, {"水管\n坏了", "管坏"}, {"47 and 71 and 11", "4711"}, {"水管坏了路灯也不亮", "水管也不亮"},
        {"问低保怎么申请", "低保户"}, {"abab", "aba b c"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t of, found = have(list_of(cases[i][0]), cases[i][1], &of);
        assert_true(found < of);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_the_set),
        cmocka_unit_test(a_part_has_all_its_pieces_in_the_text),
        cmocka_unit_test(other_words_lack_a_piece),
    };
    return cmocka_run_group_tests_name("search_grams", tests, NULL, NULL);
}
