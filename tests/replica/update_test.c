/* Aim: `import --update` brings a record to what a line says and no further: values replaced, sets gained and lost,
 * words only added; a second run changes nothing, and a refused line leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "replica/likeness.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define HOUSEHOLD \
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"冯谷雨\",\"people\":4," \
    "\"tags\":[\"受灾\",\"独居老人\"],\"phones\":[{\"number\":\"13900000001\"}]}"
#define NEED "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-1\",\"words\":\"井水浑了。\",\"urgency\":\"紧急\"}"

static struct village village;
static struct mq_error problem;

static int begin(void **state)
{
    (void)state;
    struct mq_saved saved;
    village_begin(&village, 7);
    village_add(&village.devices[0], HOUSEHOLD, &saved);
    village_add(&village.devices[0], NEED, &saved);
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

static enum mq_status update(struct village_member *member, const char *line, struct mq_saved *saved)
{
    return village_import(member, line, true, saved, &problem);
}

static void assert_updated(struct village_member *member, const char *line)
{
    struct mq_saved saved;
    enum mq_status status = update(member, line, &saved);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    assert_true(saved.updated && !saved.known);
    assert_int_equal(update(member, line, &saved), MQ_OK);
    assert_true(saved.known && !saved.updated);
}

static void assert_exported(struct village_member *member, const char *part, bool there)
{
    char *text = village_export(member);
    if ((strstr(text, part) != NULL) != there)
        print_message("%s in %s\n", part, text);
    assert_true((strstr(text, part) != NULL) == there);
    free(text);
}

/* A value takes the place of the shown one, an element that is missing goes, one that is new comes, and what the line
 * does not speak of stays. */
static void values_and_sets(void **state)
{
    struct village_member *member = &village.devices[0];
    (void)state;
    assert_updated(member, "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"冯谷雨\",\"people\":3,"
                           "\"tags\":[\"受灾\",\"大病/慢病负担\"]}");
    assert_exported(member, "\"people\":3", true);
    assert_exported(member, "大病/慢病负担", true);
    assert_exported(member, "受灾", true);
    assert_exported(member, "独居老人", false);
    assert_exported(member, "13900000001", true);
    village_sync_all(&village, 3);
    assert_exported(&village.desk, "\"people\":3", true);
    assert_exported(&village.desk, "独居老人", false);
}

/* A person's own words stay; other words are added beside them, once. */
static void words_are_added(void **state)
{
    struct village_member *member = &village.devices[0];
    (void)state;
    assert_updated(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"娃娃喝了拉肚子。\"}");
    assert_exported(member, "\"words\":\"井水浑了。\",\"words_more\":[\"娃娃喝了拉肚子。\"]", true);
    struct mq_saved saved;
    assert_int_equal(update(member, NEED, &saved), MQ_OK);
    assert_true(saved.known);
}

/* What the device gave stays, what protects the person is not lowered without a reason, and then nothing else of the
 * line is taken either. */
static void refused_whole(void **state)
{
    struct village_member *member = &village.devices[0];
    struct mq_saved saved;
    (void)state;
    char *before = village_export(member);
    assert_int_equal(update(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"另外的话\",\"no\":\"SP-9-0001\"}", &saved),
                     MQ_REFUSED);
    assert_int_equal(update(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"另外的话\",\"urgency\":\"一般\"}", &saved),
                     MQ_REFUSED);
    assert_int_equal(update(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"另外的话\",\"category\":\"没有\"}", &saved),
                     MQ_REFUSED);
    char *after = village_export(member);
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_updated(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"井水浑了。\",\"urgency\":\"特急\"}");
}

/* Only the shown value is replaced: what two people wrote without seeing each other stays in conflict until somebody
 * decides. */
static void conflicts_stay(void **state)
{
    struct village_member *first = &village.devices[0], *second = &village.devices[1];
    (void)state;
    village_sync_all(&village, 3);
    village_set(first, "H-1", "people=5");
    village_set(second, "H-1", "people=6");
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(first).conflicts, 1);
    assert_updated(first, "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"冯谷雨\",\"people\":9}");
    assert_int_equal(village_safety(first).conflicts, 1);
}

/* Line after line of an export read back with --update changes nothing. */
static void export_is_known(void **state)
{
    struct village_member *member = &village.devices[0];
    struct mq_saved saved;
    (void)state;
    char *text = village_export(member), *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (*line == '\0')
            continue;
        assert_int_equal(update(member, line, &saved), MQ_OK);
        assert_true(saved.known);
    }
    free(text);
}

/* Of a new household is said which others it may be, the likeliest first; and it is learnt itself. */
static void likeness(void **state)
{
    struct village_member *member = &village.devices[0];
    struct mq_likeness *known;
    struct mq_like likes[MQ_LIKE_MAX];
    struct mq_saved saved;
    size_t count;
    (void)state;
    mq_error_clear(&problem);
    assert_int_equal(mq_likeness_begin(&known, member->replica, &problem), MQ_OK);
    village_add(member, "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"冯谷雨\"}", &saved);
    assert_int_equal(mq_likeness_take(known, saved.record, likes, &count, &problem), MQ_OK);
    assert_int_equal(count, 1);
    assert_true(mq_like_by_name(likes[0].reasons));
    village_add(member, "{\"kind\":\"household\",\"id\":\"H-3\",\"place\":\"990527103204\",\"group\":\"二组\",\"head\":\"冯谷雨\","
                        "\"phones\":[{\"number\":\"139-0000-0001\"}]}", &saved);
    assert_int_equal(mq_likeness_take(known, saved.record, likes, &count, &problem), MQ_OK);
    assert_int_equal(count, 2); /* of the other one only the group is not known */
    assert_true(MQ_LIKE_HAS(likes[0].reasons, MQ_ALIKE_SAME_PHONE) && likes[0].score > likes[1].score);
    village_add(member, "{\"kind\":\"household\",\"id\":\"H-4\",\"place\":\"990527103204\",\"group\":\"二组\",\"head\":\"余世海\","
                        "\"phones\":[{\"number\":\"没有\"}]}", &saved);
    assert_int_equal(mq_likeness_take(known, saved.record, likes, &count, &problem), MQ_OK);
    assert_int_equal(count, 0);
    village_add(member, "{\"kind\":\"household\",\"id\":\"H-5\",\"place\":\"990527103204\",\"group\":\"二组\",\"head\":\"余世海\"}",
                &saved);
    assert_int_equal(mq_likeness_take(known, saved.record, likes, &count, &problem), MQ_OK);
    assert_int_equal(count, 1);
    mq_likeness_end(known);
}

/* A line that is refused at its second value has not written its first: in the same transaction the others go on, and the view
 * is what it is when it is made anew. */
static void a_refused_line_leaves_nothing(void **state)
{
    struct village_member *member = &village.devices[0];
    struct mq_saved saved;
    uint8_t before[MQ_HASH_SIZE], after[MQ_HASH_SIZE];
    (void)state;
    village_add(member, "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"余世海\"}", NULL);
    int64_t changes = hostile_count(member, "SELECT count(*) FROM change");
    assert_int_equal(mq_view_hash(member->replica, before, &problem), MQ_OK);
    assert_int_equal(update(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-2\",\"words\":\"井水浑了。\",\"category\":\"18\"}",
                            &saved),
                     MQ_REFUSED);
    mq_error_clear(&problem);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM change"), changes);
    assert_int_equal(mq_view_hash(member->replica, after, &problem), MQ_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_updated(member, "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-2\",\"words\":\"井水浑了。\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_and_sets, begin, end),
        cmocka_unit_test_setup_teardown(words_are_added, begin, end),
        cmocka_unit_test_setup_teardown(refused_whole, begin, end),
        cmocka_unit_test_setup_teardown(conflicts_stay, begin, end),
        cmocka_unit_test_setup_teardown(export_is_known, begin, end),
        cmocka_unit_test_setup_teardown(likeness, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_line_leaves_nothing, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
