/* Aim: what is sensitive is never lost for want of a notice, but whoever writes it is told; a child is written down only with
 * a guardian's consent, and nothing sensitive after consent was taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "tests/replica/village.h"

#define PLAIN "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"吴国平\"}"
#define NOTICE(id, date, more) \
    "{\"kind\":\"notice\",\"id\":\"" id "\",\"household\":\"H-1\",\"version\":\"1\",\"date\":\"" date "\"" more "}"
#define PERSON(id, more) "{\"kind\":\"person\",\"id\":\"" id "\",\"household\":\"H-1\",\"name\":\"小石\"" more "}"

static struct village village;
static struct mq_error problem;

static int begin(void **state)
{
    (void)state;
    village_begin(&village, 3); /* its clocks say 2023-11-14 */
    village_add(&village.devices[0], PLAIN, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

static enum mq_status add(const char *json, struct mq_saved *saved)
{
    struct mq_json *object;
    mq_error_clear(&problem);
    assert_int_equal(mq_json_parse(&object, mq_span_text(json), &problem), MQ_OK);
    enum mq_status status = mq_records_add(village.devices[0].replica, NULL, object, saved, &problem);
    mq_json_free(object);
    return status;
}

static enum mq_status set(const char *assignment, struct mq_saved *saved)
{
    mq_error_clear(&problem);
    *saved = (struct mq_saved){.known = false};
    return mq_records_set(village.devices[0].replica, mq_span_text("H-1"), &assignment, 1, mq_span(NULL, 0), saved,
                          &problem);
}

static enum mq_status import(const char *line, struct mq_saved *saved)
{
    return village_import(&village.devices[0], line, false, saved, &problem);
}

/* Something sensitive is saved, and whoever wrote it hears that the family is to be told; after a notice he does not. */
static void sensitive_is_saved_and_said(void **state)
{
    struct mq_saved saved;
    (void)state;
    assert_int_equal(set("tags+=独居老人", &saved), MQ_OK);
    assert_true(saved.without_notice);
    assert_non_null(strstr(mq_saved_unnoticed(&saved), "add notice --household"));
    assert_int_equal(set("best_time=晚上", &saved), MQ_OK);
    assert_false(saved.without_notice);
    assert_int_equal(set("types+=一般户", &saved), MQ_OK); /* of the field's codes the one that tells nothing */
    assert_false(saved.without_notice);
    assert_int_equal(set("tags-=独居老人", &saved), MQ_OK);
    assert_false(saved.without_notice);
    village_add(&village.devices[0], NOTICE("G-0", "2099-01-01", ""), NULL); /* not told yet */
    assert_int_equal(set("tags+=受灾", &saved), MQ_OK);
    assert_true(saved.without_notice);
    village_add(&village.devices[0], NOTICE("G-1", "2023-11-01", ""), NULL);
    assert_int_equal(set("tags+=残疾人", &saved), MQ_OK);
    assert_false(saved.without_notice);
    assert_null(mq_saved_unnoticed(&saved));
    assert_int_equal(add(PERSON("P-1", ",\"tags\":[\"残疾人\"]"), &saved), MQ_OK);
    assert_false(saved.without_notice);
}

/* A line of an import is kept whatever it says, and counted. */
static void imports_keep_everything(void **state)
{
    struct mq_saved saved;
    (void)state;
    assert_int_equal(import("{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"冉大珍\","
                            "\"types\":[\"低保家庭\"]}",
                            &saved),
                     MQ_OK);
    assert_true(saved.without_notice);
    assert_int_equal(import(PERSON("P-1", ",\"age_band\":\"未满14岁\""), &saved), MQ_OK);
    assert_true(saved.without_notice);
    assert_int_equal(import(PERSON("P-2", ",\"birth_year\":1950"), &saved), MQ_OK);
    assert_false(saved.without_notice);
    village_add(&village.devices[0], NOTICE("G-1", "2023-11-01", ",\"withdrawn\":\"2023-11-02\""), NULL);
    assert_int_equal(import(PERSON("P-3", ",\"tags\":[\"残疾人\"]"), &saved), MQ_OK);
    assert_true(saved.without_notice);
}

/* A child's record needs a guardian's consent; any other notice will not do. */
static void children_need_consent(void **state)
{
    struct mq_saved saved;
    (void)state;
    village_add(&village.devices[0], NOTICE("G-1", "2023-11-01", ",\"basis\":\"法定职责\""), NULL);
    assert_int_equal(add(PERSON("P-1", ",\"age_band\":\"未满14岁\""), &saved), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "监护人同意"));
    assert_int_equal(add(PERSON("P-1", ",\"birth_year\":2014"), &saved), MQ_REFUSED);
    assert_int_equal(add(PERSON("P-1", ",\"birth_year\":2008"), &saved), MQ_OK);
    village_add(&village.devices[0], NOTICE("G-2", "2023-11-01", ",\"basis\":\"监护人同意\""), NULL);
    assert_int_equal(add(PERSON("P-2", ",\"age_band\":\"未满14岁\""), &saved), MQ_OK);
    assert_int_equal(add(PERSON("P-3", ",\"birth_year\":2014"), &saved), MQ_OK);
}

/* After consent was taken back nothing sensitive is written down, until they agree again; anything else is. */
static void withdrawn_consent_holds(void **state)
{
    struct mq_saved saved;
    (void)state;
    village_add(&village.devices[0], NOTICE("G-1", "2023-11-01", ",\"basis\":\"本人同意\",\"withdrawn\":\"2023-11-10\""),
                NULL);
    assert_int_equal(set("tags+=残疾人", &saved), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "H-1"));
    assert_int_equal(set("people=3", &saved), MQ_OK);
    assert_int_equal(add(PERSON("P-1", ",\"tags\":[\"残疾人\"]"), &saved), MQ_REFUSED);
    village_add(&village.devices[0], NOTICE("G-2", "2023-11-12", ""), NULL);
    assert_int_equal(set("tags+=残疾人", &saved), MQ_OK);
    assert_false(saved.without_notice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sensitive_is_saved_and_said, begin, end),
        cmocka_unit_test_setup_teardown(imports_keep_everything, begin, end),
        cmocka_unit_test_setup_teardown(children_need_consent, begin, end),
        cmocka_unit_test_setup_teardown(withdrawn_consent_holds, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
