/* Aim: a household that parts in two at one device while another device edits it and the desk merges it loses nothing, and all end
 * in one state, in whatever order they come home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/split.h"
#include "replica/view.h"
#include "tests/replica/village.h"

static struct mq_error problem;
static struct village village;

#define HOUSE(id, head, more) \
    "{\"kind\":\"household\",\"id\":\"" id "\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"" head "\"" more "}"
#define NEED(id, words) "{\"kind\":\"need\",\"id\":\"" id "\",\"household\":\"H-1\",\"words\":\"" words "\"}"
#define VISIT(id, house) "{\"kind\":\"visit\",\"id\":\"" id "\",\"household\":\"" house "\",\"date\":\"2026-11-05\"}"
#define PERSON(id, name) "{\"kind\":\"person\",\"id\":\"" id "\",\"household\":\"H-1\",\"name\":\"" name "\"}"

static int begin(void **state)
{
    (void)state;
    mq_error_clear(&problem);
    village_begin(&village, 53);
    village_add(&village.desk, HOUSE("H-1", "杨顺华", ",\"people\":6,\"residents\":5,\"dialect\":\"苗语\""), NULL);
    village_add(&village.desk, HOUSE("H-2", "杨顺花", ",\"phones\":[{\"number\":\"15400000701\"}]"), NULL);
    village_add(&village.desk, NEED("N-1", "想批宅基地"), NULL);
    village_add(&village.desk, NEED("N-2", "井水浑了"), NULL);
    village_add(&village.desk, PERSON("P-1", "杨小华"), NULL);
    village_add(&village.desk, VISIT("V-1", "H-1"), NULL);
    village_sync_all(&village, 2);
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

static enum mq_status take_line(void *context, struct mq_span object, struct mq_error *error)
{
    (void)error;
    fprintf(context, "%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

static char *shown(struct village_member *member, const char *id)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    const struct mq_emitter emitter = {.context = stream, .emit = take_line};
    mq_error_clear(&problem);
    assert_int_equal(mq_records_show(member->replica, mq_span_text(id), false, &emitter, &problem), MQ_OK);
    fclose(stream);
    return text;
}

static void assert_has(char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        print_message("no %s in %s\n", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}

static enum mq_status ignore_line(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context;
    (void)object;
    (void)error;
    return MQ_OK;
}

static enum mq_status split_off(struct village_member *member, const char *household, const struct mq_field_value *fields,
                                size_t count, bool mark)
{
    const struct mq_split split = {.household = mq_span_text(household),
                                   .fields = fields,
                                   .field_count = count,
                                   .left_people = "4",
                                   .left_residents = "3",
                                   .mark = mark};
    const struct mq_emitter nobody = {.emit = ignore_line};
    mq_error_clear(&problem);
    enum mq_status status = mq_records_split(member->replica, &split, &nobody, &problem);
    if (status != MQ_OK && status != MQ_REFUSED)
        print_message("%s\n", problem.text);
    return status;
}

static const struct mq_field_value son[] = {
    {"id", "H-3"}, {"head", "杨小华"}, {"people", "2"}, {"tags", "务工不稳"}, {"tags", "缺劳力"}, {"moves", "N-1"}, {"moves", "P-1"}};
#define SON_COUNT (sizeof son / sizeof *son)

/* The new household says where it came from, the old one what became of it; what was named goes along, visits stay. */
static void parts_in_two(void **state)
{
    struct village_member *device = &village.devices[0];
    (void)state;
    assert_int_equal(split_off(device, "H-1", son, SON_COUNT, true), MQ_OK);
    assert_has(shown(device, "H-3"), "\"split_from\":\"H-1\"");
    assert_has(shown(device, "H-3"), "\"group\":\"三组\"");
    assert_has(shown(device, "H-3"), "\"dialect\":\"苗语\"");
    assert_has(shown(device, "H-3"), "\"needs\":[\"N-1\"]");
    assert_has(shown(device, "H-3"), "\"persons\":[\"P-1\"]");
    assert_has(shown(device, "H-3"), "缺劳力");
    assert_has(shown(device, "H-1"), "\"split_into\":[\"H-3\"]");
    assert_has(shown(device, "H-1"), "\"needs\":[\"N-2\"]");
    assert_has(shown(device, "H-1"), "\"visits\":[\"V-1\"]");
    assert_has(shown(device, "H-1"), "\"people\":4");
    assert_has(shown(device, "H-1"), "\"residents\":3");
    assert_has(shown(device, "H-1"), "\"state\":\"分户\"");
}

/* What cannot be split, or does not belong there, is refused in words, and nothing of it is done. */
static void refused_whole(void **state)
{
    static const struct mq_field_value headless[] = {{"people", "2"}}, visiting[] = {{"head", "杨小华"}, {"moves", "V-1"}},
                                       foreign[] = {{"head", "杨小华"}, {"moves", "N-9"}}, odd[] = {{"head", "杨小华"}, {"hobby", "x"}},
                                       made[] = {{"head", "杨小华"}, {"not_same_as", "H-1"}};
    struct village_member *device = &village.devices[0];
    (void)state;
    village_add(device, "{\"kind\":\"need\",\"id\":\"N-9\",\"household\":\"H-2\",\"words\":\"路灯坏了\"}", NULL);
    char *before = village_export(device);
    assert_int_equal(split_off(device, "H-1", headless, 1, true), MQ_REFUSED);
    assert_int_equal(split_off(device, "H-1", visiting, 2, true), MQ_REFUSED);
    assert_int_equal(split_off(device, "H-1", foreign, 2, true), MQ_REFUSED);
    assert_int_equal(split_off(device, "H-1", odd, 2, true), MQ_REFUSED);
    assert_int_equal(split_off(device, "H-1", made, 2, true), MQ_REFUSED);
    assert_int_equal(split_off(device, "N-1", son, SON_COUNT, true), MQ_REFUSED);
    char *after = village_export(device);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* ---- three who do not see each other ---- */

/* One splits, one edits and visits, the desk merges and moves a need. */
static void all_write(void)
{
    struct village_member *first = &village.devices[0], *second = &village.devices[1], *desk = &village.desk;
    assert_int_equal(split_off(first, "H-1", son, SON_COUNT, true), MQ_OK);
    village_add(first, VISIT("V-3", "H-3"), NULL);
    village_set(second, "H-1", "people=7");
    village_set(second, "N-1", "words+=房子住不下了");
    village_add(second, VISIT("V-2", "H-1"), NULL);
    village_add(second, NEED("N-3", "路灯坏了"), NULL);
    assert_int_equal(mq_records_merge(desk->replica, mq_span_text("H-1"), mq_span_text("H-2"), false, &problem), MQ_OK);
    village_set(desk, "N-1", "household=H-2");
    village_set(desk, "H-2", "state=合户");
}

static void assert_nothing_lost(struct village_member *member)
{
    char *text = village_export(member);
    static const char *const all[] = {"\"H-1\"", "\"H-3\"", "\"V-1\"", "\"V-2\"", "\"V-3\"", "\"N-1\"", "\"N-2\"", "\"N-3\"",
                                      "\"P-1\"", "房子住不下了", "15400000701", "缺劳力"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strstr(text, all[i]) == NULL)
            fail_msg("%s is lost: %s", all[i], text);
    free(text);
    /* Both say how many people, and what became of it: both stand. */
    assert_has(shown(member, "H-1"), "\"people\"");
    assert_has(shown(member, "H-1"), "\"conflicts\":[");
    assert_has(shown(member, "H-1"), "\"split_into\":[\"H-3\"]");
    assert_has(shown(member, "N-1"), "\"conflicts\":[\"household\"]");
}

/* In all six orders of coming home, and whatever is heard in between, everybody ends in one state, with nothing lost. */
static void any_order(void **state)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct village_member *all[] = {&village.devices[0], &village.devices[1], &village.desk};
    uint8_t first[MQ_HASH_SIZE], other[MQ_HASH_SIZE];
    char *exported = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (i > 0)
            begin(NULL);
        all_write();
        for (int turn = 0; turn < 3; turn++)
            assert_int_equal(village_sync(&village, all[orders[i][turn]], NULL), MQ_OK);
        village_sync_all(&village, 3);
        assert_int_equal(mq_view_hash(all[0]->replica, first, &problem), MQ_OK);
        for (int m = 1; m < 3; m++) {
            assert_int_equal(mq_view_hash(all[m]->replica, other, &problem), MQ_OK);
            assert_memory_equal(first, other, MQ_HASH_SIZE);
        }
        assert_nothing_lost(all[i % 3]);
        char *text = village_export(all[2]);
        if (exported != NULL)
            assert_string_equal(exported, text);
        free(exported);
        exported = text;
        if (i + 1 < sizeof orders / sizeof *orders)
            end(NULL);
    }
    free(exported);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_in_two, begin, end),
        cmocka_unit_test_setup_teardown(refused_whole, begin, end),
        cmocka_unit_test_setup_teardown(any_order, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
