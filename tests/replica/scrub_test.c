/* Aim: what is masked cannot be read back, what is no name and no number stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "replica/scrub.h"

static void assert_made(void make(struct mq_span, struct mq_buffer *), const char *from, const char *to)
{
    char memory[256] = "";
    struct mq_buffer out = mq_buffer(memory, sizeof memory - 1);
    make(mq_span_text(from), &out);
    memory[out.size] = '\0';
    assert_string_equal(memory, to);
}

/* The surname stays, and how long the name is cannot be told beyond two characters. */
static void names(void **state)
{
    (void)state;
    assert_made(mq_mask_name, "杨顺华", "杨**");
    assert_made(mq_mask_name, "杨华", "杨*");
    assert_made(mq_mask_name, "杨", "杨");
    assert_made(mq_mask_name, "欧阳修", "欧阳*");
    assert_made(mq_mask_name, "欧阳", "欧*");
    assert_made(mq_mask_name, "布买日穆罕默德·阿不都热合曼", "布**");
    assert_made(mq_mask_name, "𬎆䶮", "𬎆*");
    assert_made(mq_mask_name, "Anna Li", "A**");
    assert_made(mq_mask_name, "", "");
}

/* The first three and last four digits stay of a whole number, fewer of a short one. */
static void phones(void **state)
{
    (void)state;
    assert_made(mq_mask_phone, "13900000001", "139****0001");
    assert_made(mq_mask_phone, "0859-1234567", "085*-***4567");
    assert_made(mq_mask_phone, "1234567", "*****67");
    assert_made(mq_mask_phone, "110", "***");
    assert_made(mq_mask_phone, "１３９０００００００１", "１３９****０００１");
    assert_made(mq_mask_phone, "没有", "没有");
}

static void assert_scrubbed(enum mq_scrub how, const char *from, const char *to)
{
    char memory[512] = "";
    struct mq_buffer out = mq_buffer(memory, sizeof memory - 1);
    struct mq_names known = {0};
    mq_names_add(&known, mq_span_text("杨顺"));
    mq_names_add(&known, mq_span_text("杨顺华"));
    mq_names_add(&known, mq_span_text("老三"));
    mq_names_add(&known, mq_span_text("布买日·阿不都"));
    mq_names_add(&known, mq_span_text("井"));
    mq_scrub(mq_span_text(from), &known, how, &out);
    memory[out.size] = '\0';
    mq_names_end(&known);
    assert_string_equal(memory, to);
}

/* Known names and long runs of digits go, the longest name first; dates, counts and single characters stay. */
static void texts(void **state)
{
    (void)state;
    assert_scrubbed(MQ_SCRUB_AWAY, "杨顺华说井水浑了，打13900000001找老三。", "某某说井水浑了，打***********找某某。");
    assert_scrubbed(MQ_SCRUB_MASK, "杨顺华说井水浑了，打139 0000 0001找老三。", "杨**说井水浑了，打139 **** 0001找老*。");
    assert_scrubbed(MQ_SCRUB_AWAY, "2026-11-05 14户，一斤2.10元，2026年", "2026-11-05 14户，一斤2.10元，2026年");
    assert_scrubbed(MQ_SCRUB_AWAY, "布买日·阿不都的孙子 0859-1234567", "某某的孙子 ****-*******");
    assert_scrubbed(MQ_SCRUB_AWAY, "杨顺利，123456，1234567", "某某利，123456，*******");
    assert_scrubbed(MQ_SCRUB_AWAY, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(phones), cmocka_unit_test(texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
