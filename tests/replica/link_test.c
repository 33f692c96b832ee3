/* Aim: two people who were at one house make one record of it in the end, in whatever order they come home; both people's words
 * stay, and taking the merge back gives each side its own again, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "replica/duplicates.h"
#include "replica/journal.h"
#include "replica/view.h"
#include "tests/replica/village.h"

static struct mq_error problem;
static struct village village;

static int begin(void **state)
{
    (void)state;
    mq_error_clear(&problem);
    village_begin(&village, 47);
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

/* ---- what reading functions say, as lines of one text ---- */

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

static char *duplicates(struct village_member *member)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    const struct mq_emitter emitter = {.context = stream, .emit = take_line};
    mq_error_clear(&problem);
    assert_int_equal(mq_duplicates_list(member->replica, NULL, 0, &emitter, &problem), MQ_OK);
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

static void assert_hasnt(char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        print_message("%s in %s\n", part, text);
    assert_null(strstr(text, part));
    free(text);
}

static void merge(struct village_member *member, const char *a, const char *b, bool undo)
{
    mq_error_clear(&problem);
    enum mq_status status = mq_records_merge(member->replica, mq_span_text(a), mq_span_text(b), undo, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}


static void refuses(enum mq_status status, const char *words)
{
    assert_int_equal(status, MQ_REFUSED);
    if (strstr(problem.text, words) == NULL)
        print_message("no %s in %s\n", words, problem.text);
    assert_non_null(strstr(problem.text, words));
    mq_error_clear(&problem);
}

static enum mq_status try_merge(struct village_member *member, const char *a, const char *b, bool undo)
{
    mq_error_clear(&problem);
    return mq_records_merge(member->replica, mq_span_text(a), mq_span_text(b), undo, &problem);
}

static void hash_of(struct village_member *member, uint8_t out[MQ_HASH_SIZE])
{
    assert_int_equal(mq_view_hash(member->replica, out, &problem), MQ_OK);
}

/* ---- the second story: two people walked to one house ---- */

#define NAME "布买日穆罕默德·阿不都热合曼"

struct numbers {
    char zhao[64], shi[64]; /* of their needs */
};

/* Both have the household from the centre, and go there without a network. */
static void two_visits(struct numbers *numbers)
{
    struct village_member *zhao = &village.devices[0], *shi = &village.devices[1];
    struct mq_saved saved;
    village_add(&village.desk, "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"二组\","
                               "\"head\":\"" NAME "\",\"people\":4,\"residents\":3}", NULL);
    village_sync_all(&village, 2);
    village_set(zhao, "H-1", "phones=[{\"number\":\"15400000601\",\"whose\":\"女婿代接\"}]");
    village_add(zhao, "{\"kind\":\"need\",\"id\":\"N-zhao\",\"household\":\"H-1\",\"category\":\"08\",\"date\":\"2026-11-05\","
                      "\"words\":\"养老金断了两个月\"}", &saved);
    snprintf(numbers->zhao, sizeof numbers->zhao, "%s", saved.number);
    village_set(shi, "H-1", "residents=2");
    village_set(shi, "H-1", "phones=[{\"number\":\"15400000602\"}]");
    village_add(shi, "{\"kind\":\"need\",\"id\":\"N-shi\",\"household\":\"H-1\",\"category\":\"08\",\"date\":\"2026-11-05\","
                     "\"words\":\"爷爷的养老钱没到账\"}", &saved);
    snprintf(numbers->shi, sizeof numbers->shi, "%s", saved.number);
}

/* The desk merges the two needs, and takes it back: `before` and `after` get its state. */
static void the_desk_decides(const struct numbers *numbers, uint8_t before[MQ_HASH_SIZE])
{
    struct village_member *desk = &village.desk;
    hash_of(desk, before);
    assert_has(shown(desk, "H-1"), "\"residents\":2");
    assert_has(shown(desk, "H-1"), "\"conflicts\":[\"phones\"]");
    assert_has(shown(desk, "H-1"), NAME);
    assert_has(duplicates(desk), "养老金断了两个月");
    merge(desk, numbers->shi, numbers->zhao, false);
    assert_hasnt(duplicates(desk), "\"kind\":\"need\"");
    assert_has(shown(desk, numbers->zhao), "养老金断了两个月");
    assert_has(shown(desk, numbers->zhao), "爷爷的养老钱没到账");
    assert_has(shown(desk, numbers->shi), "养老金断了两个月");
    assert_has(shown(desk, "N-shi"), "words_more");
}

/* Leaves what the desk exports, merged. */
static char *story(bool shi_first)
{
    struct numbers numbers;
    uint8_t before[MQ_HASH_SIZE], merged[MQ_HASH_SIZE], device[MQ_HASH_SIZE];
    two_visits(&numbers);
    assert_int_equal(village_sync(&village, &village.devices[shi_first ? 1 : 0], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.devices[shi_first ? 0 : 1], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    the_desk_decides(&numbers, before);
    village_sync_all(&village, 2);
    hash_of(&village.desk, merged);
    for (int i = 0; i < 3; i++) {
        hash_of(&village.devices[i], device);
        assert_memory_equal(device, merged, MQ_HASH_SIZE);
    }
    char *text = village_export(&village.desk);
    merge(&village.desk, "N-zhao", "N-shi", true);
    village_sync_all(&village, 2);
    for (int i = 0; i < 3; i++) {
        struct village_member *member = i < 2 ? &village.devices[i] : &village.desk;
        assert_hasnt(shown(member, numbers.zhao), "爷爷的养老钱没到账");
        assert_hasnt(shown(member, numbers.shi), "养老金断了两个月");
        assert_hasnt(shown(member, numbers.shi), numbers.zhao);
    }
    assert_has(duplicates(&village.desk), "\"kind\":\"need\"");
    return text;
}

/* Whoever comes home first: residents merge by themselves, the telephone is a conflict, the two needs are put side by side, and
 * merged they keep both words and both numbers; apart again each has its own. */
static void two_people_at_one_house(void **state)
{
    (void)state;
    char *one = story(true);
    village_end(&village);
    village_begin(&village, 47);
    char *other = story(false);
    assert_string_equal(one, other);
    free(one);
    free(other);
}

/* ---- merging ---- */

#define HOUSE(id, head, more) \
    "{\"kind\":\"household\",\"id\":\"" id "\",\"place\":\"990527103204\",\"head\":\"" head "\"" more "}"
#define NEED(id, house, words, more) \
    "{\"kind\":\"need\",\"id\":\"" id "\",\"household\":\"" house "\",\"words\":\"" words "\"" more "}"

/* Both words are somebody's own and are shown as such, both numbers are shown and found, and steps, tellings and visits of
 * either are those of both. */
static void merged_keeps_all(void **state)
{
    struct village_member *desk = &village.desk;
    struct mq_saved first, second;
    (void)state;
    village_add(desk, HOUSE("H-1", "杨顺华", ""), NULL);
    village_add(desk, HOUSE("H-2", "杨顺花", ""), NULL);
    village_add(desk, NEED("N-1", "H-1", "井水浑了", ""), &first);
    village_add(desk, NEED("N-2", "H-2", "娃娃喝了拉肚子", ""), &second);
    village_add(desk, "{\"kind\":\"told\",\"id\":\"T-1\",\"need\":\"N-1\",\"date\":\"2026-11-06\",\"reaction\":\"满意\"}", NULL);
    village_add(desk, "{\"kind\":\"told\",\"id\":\"T-2\",\"need\":\"N-2\",\"date\":\"2026-11-07\",\"reaction\":\"满意\"}", NULL);
    village_add(desk, "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\"}", NULL);
    village_add(desk, "{\"kind\":\"visit\",\"id\":\"V-2\",\"households\":[\"H-2\"],\"date\":\"2026-11-06\"}", NULL);
    village_set(desk, "N-1", "words+=后来又清了");
    merge(desk, first.number, "N-2", false);
    merge(desk, "H-2", "H-1", false);
    char *need = shown(desk, second.number), *originals = strstr(need, "\"originals\":[");
    assert_non_null(originals);
    char *end_of_list = strchr(originals, ']');
    assert_non_null(end_of_list);
    *end_of_list = '\0';
    assert_non_null(strstr(originals, "井水浑了"));
    assert_non_null(strstr(originals, "娃娃喝了拉肚子"));
    assert_null(strstr(originals, "后来又清了"));
    free(need);
    assert_has(shown(desk, first.number), "\"numbers\":[");
    assert_has(shown(desk, first.number), second.number);
    assert_has(shown(desk, "N-1"), "2026-11-06");
    assert_has(shown(desk, "N-1"), "2026-11-07");
    assert_has(shown(desk, "H-1"), "V-1");
    assert_has(shown(desk, "H-1"), "V-2");
    assert_has(shown(desk, "H-2"), "\"needs\":[");
}

/* What is edited while two are one belongs to the record it was written on; apart again, each side has the values it had, and
 * that edit. */
static void edits_while_merged(void **state)
{
    struct village_member *desk = &village.desk, *device = &village.devices[0];
    uint8_t canonical[MQ_ID_SIZE];
    (void)state;
    village_add(device, HOUSE("H-1", "杨顺华", ",\"people\":4,\"residents\":3,\"tags\":[\"受灾\"]"), NULL);
    village_add(&village.devices[1], HOUSE("H-2", "杨顺花", ",\"people\":5,\"where\":\"老屋基\""), NULL);
    village_sync_all(&village, 2);
    char *one = shown(desk, "H-1"), *two = shown(desk, "H-2");
    merge(desk, "H-1", "H-2", false);
    village_sync_all(&village, 2);
    assert_int_equal(mq_view_find(device->replica, NULL, mq_span_text("H-2"), canonical, &problem), MQ_OK);
    village_set(device, "H-2", "people=6");
    village_set(desk, "H-1", "best_time=晚上");
    village_sync_all(&village, 2);
    assert_has(shown(desk, "H-1"), "\"people\":6");
    merge(desk, "H-2", "H-1", true);
    village_sync_all(&village, 2);
    /* Which of the two was canonical is chance; both edits went there, and the other is as it was, to the byte. */
    char *after_one = shown(desk, "H-1"), *after_two = shown(desk, "H-2");
    bool first = strcmp(after_two, two) == 0;
    assert_true(first || strcmp(after_one, one) == 0);
    char *edited = first ? after_one : after_two;
    assert_non_null(strstr(edited, "\"best_time\":\"晚上\""));
    assert_non_null(strstr(edited, "\"people\":6"));
    assert_non_null(strstr(edited, first ? "杨顺华" : "杨顺花"));
    free(one);
    free(two);
    free(after_one);
    free(after_two);
}

/* A merge is between the records that were named, so that taking it back undoes just that; where others still join the two,
 * they are named and nothing is changed. */
static void taken_apart_by_name(void **state)
{
    struct village_member *desk = &village.desk;
    (void)state;
    village_add(desk, HOUSE("A", "杨顺华", ""), NULL);
    village_add(desk, HOUSE("B", "杨顺花", ""), NULL);
    village_add(desk, HOUSE("C", "杨顺发", ""), NULL);
    merge(desk, "A", "B", false);
    merge(desk, "B", "C", false);
    refuses(try_merge(desk, "A", "C", false), "one record already");
    refuses(try_merge(desk, "A", "C", true), "nothing to undo");
    merge(desk, "C", "B", true);
    assert_hasnt(shown(desk, "A"), "杨顺发");
    merge(desk, "B", "C", false);
    merge(desk, "A", "B", true);
    assert_hasnt(shown(desk, "A"), "\"C\"");
    merge(desk, "A", "C", false); /* a chain now: A - C - B */
    char *before = village_export(desk);
    refuses(try_merge(desk, "A", "B", true), "nothing to undo");
    char *after = village_export(desk);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* Where others still join the two, they are named, and nothing is changed. */
static void ring_is_named(void **state)
{
    struct village_member *desk = &village.desk;
    uint8_t records[3][MQ_ID_SIZE], id[MQ_ID_SIZE], memory[128], value_memory[32];
    struct mq_buffer change = mq_buffer(memory, sizeof memory), value = mq_buffer(value_memory, sizeof value_memory);
    static const char *const houses[] = {HOUSE("A", "杨顺华", ""), HOUSE("B", "杨顺花", ""), HOUSE("C", "杨顺发", "")};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct mq_saved saved;
        village_add(desk, houses[i], &saved);
        memcpy(records[i], saved.record, MQ_ID_SIZE);
    }
    merge(desk, "A", "C", false);
    merge(desk, "C", "B", false);
    /* As another desk does that has not seen that: A and B are one. */
    mq_put_reference(&value, records[1]);
    mq_change_put_add(&change, records[0], MQ_FIELD_SAME_AS, mq_written(&value));
    assert_int_equal(mq_journal_add(desk->replica, &desk->team, mq_written(&change), records[0], id, &problem), MQ_OK);
    char *before = village_export(desk);
    refuses(try_merge(desk, "A", "B", true), "A - C - B");
    char *after = village_export(desk);
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(mq_records_unlink(desk->replica, mq_span_text("C"), mq_span_text("B"), &problem), MQ_OK);
    assert_has(shown(desk, "B"), "\"ids\"");
    merge(desk, "B", "A", true); /* the other way round names the same link */
    assert_hasnt(shown(desk, "B"), "\"ids\"");
}

/* Kinds, teams and the restricted stay apart, in words; and a device decides nothing. */
static void refusals(void **state)
{
    struct village_member *desk = &village.desk;
    (void)state;
    village_add(desk, HOUSE("H-1", "杨顺华", ""), NULL);
    village_add(desk, NEED("N-1", "H-1", "井水浑了", ""), NULL);
    village_add(desk, NEED("N-2", "H-1", "井水浑了", ",\"secrecy\":\"普通\""), NULL);
    village_add(desk, NEED("N-3", "H-1", "井水浑了", ",\"secrecy\":\"限定知悉\""), NULL);
    village_add(desk, HOUSE("H-9", "杨顺花", ""), NULL);
    refuses(try_merge(desk, "N-1", "N-3", false), "named persons");
    assert_hasnt(duplicates(desk), "N-3");
    refuses(try_merge(desk, "H-1", "N-1", false), "never one");
    refuses(try_merge(desk, "N-1", "N-1", false), "one record already");
    assert_int_equal(try_merge(desk, "N-1", "N-9", false), MQ_NOT_FOUND);
    village_sync_all(&village, 2);
    refuses(try_merge(&village.devices[0], "N-1", "N-2", false), "at the desk");
    mq_error_clear(&problem);
    refuses(mq_records_distinct(village.devices[0].replica, mq_span_text("N-1"), mq_span_text("N-2"), false, &problem),
            "at the desk");
}

/* A pair that a desk has called different is not listed again, on any desk's replica, until that is taken back; a merge outweighs
 * it. */
static void called_different(void **state)
{
    struct village_member *desk = &village.desk;
    (void)state;
    village_add(desk, HOUSE("H-1", "杨顺华", ",\"group\":\"三组\""), NULL);
    village_add(desk, HOUSE("H-2", "杨顺华", ",\"group\":\"三组\""), NULL);
    assert_has(duplicates(desk), "same_name");
    assert_int_equal(mq_records_distinct(desk->replica, mq_span_text("H-1"), mq_span_text("H-2"), false, &problem), MQ_OK);
    assert_hasnt(duplicates(desk), "same_name");
    assert_has(shown(desk, "H-1"), "\"not_same_as\":[\"H-2\"]");
    char *text = village_export(desk);
    assert_hasnt(text, "not_same_as");
    assert_int_equal(mq_records_distinct(desk->replica, mq_span_text("H-2"), mq_span_text("H-1"), true, &problem), MQ_OK);
    assert_has(duplicates(desk), "same_name");
    refuses(mq_records_distinct(desk->replica, mq_span_text("H-2"), mq_span_text("H-1"), true, &problem), "nothing to undo");
    merge(desk, "H-1", "H-2", false);
    assert_hasnt(duplicates(desk), "same_name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_people_at_one_house, begin, end),
        cmocka_unit_test_setup_teardown(merged_keeps_all, begin, end),
        cmocka_unit_test_setup_teardown(edits_while_merged, begin, end),
        cmocka_unit_test_setup_teardown(taken_apart_by_name, begin, end),
        cmocka_unit_test_setup_teardown(ring_is_named, begin, end),
        cmocka_unit_test_setup_teardown(refusals, begin, end),
        cmocka_unit_test_setup_teardown(called_different, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
