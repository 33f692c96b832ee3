/* Aim: what the tables say of a kind, a field or a code is found: its first level, its days, whether it restricts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/record.h"

static const struct mq_field *field_of(const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(key));

    assert_non_null(field);
    return field;
}

/* A second level knows the field of its first, nothing else has one; a list is found by its name. */
static void levels_and_lists(void **state)
{
    const struct mq_kind *need = mq_kind_by_number(MQ_KIND_NEED);
    const struct mq_kind without = {.fields = field_of("subcategory"), .field_count = 1};

    (void)state;
    assert_ptr_equal(mq_field_first_level(need, field_of("subcategory")), field_of("category"));
    assert_null(mq_field_first_level(need, field_of("category")));
    assert_null(mq_field_first_level(need, field_of("words")));
    assert_null(mq_field_first_level(&without, without.fields)); /* a kind that has the second level alone */
    for (size_t i = 0; i < mq_code_list_count; i++)
        assert_ptr_equal(mq_code_list_by_name(mq_span_text(mq_code_lists[i]->name)), mq_code_lists[i]);
    assert_null(mq_code_list_by_name(mq_span_text("nothing")));
}

/* A code is offered from its first day to its last, and always where it has none. */
static void codes_are_offered(void **state)
{
    const struct mq_code always = {.code = 1}, since = {.code = 2, .from = 100}, until = {.code = 3, .to = 200};

    (void)state;
    assert_true(mq_code_offered(&always, 0));
    assert_false(mq_code_offered(&since, 99));
    assert_true(mq_code_offered(&since, 100));
    assert_true(mq_code_offered(&until, 200));
    assert_false(mq_code_offered(&until, 201));
}

/* A kind restricts where a field does by itself, or a code of one of its lists. */
static void kinds_that_restrict(void **state)
{
    static const struct mq_code codes[] = {{.code = 1}, {.code = 2, .flags = MQ_CODE_RESTRICTED}};
    static const struct mq_code_list open = {.codes = codes, .count = 1}, closed = {.codes = codes, .count = 2};
    const struct mq_field by_list = {.type = MQ_TYPE_CODE, .codes = &closed}, plain = {.type = MQ_TYPE_CODE, .codes = &open};
    const struct mq_field itself = {.type = MQ_TYPE_BOOL, .flags = MQ_FIELD_RESTRICTED};

    (void)state;
    assert_true(mq_kind_restricts(&(struct mq_kind){.fields = &by_list, .field_count = 1}));
    assert_true(mq_kind_restricts(&(struct mq_kind){.fields = &itself, .field_count = 1}));
    assert_false(mq_kind_restricts(&(struct mq_kind){.fields = &plain, .field_count = 1}));
    assert_true(mq_kind_restricts(mq_kind_by_number(MQ_KIND_NEED)));
    assert_false(mq_kind_restricts(mq_kind_by_number(MQ_KIND_HOUSEHOLD)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_and_lists), cmocka_unit_test(codes_are_offered), cmocka_unit_test(kinds_that_restrict),
    };

    return cmocka_run_group_tests_name("protocol/record_tables", tests, NULL, NULL);
}
