/* Aim: two people who were at one house make one record of it in the end, in whatever order they come home; both people's words
 * stay, and taking the merge back gives each side its own again, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/duplicates.h"
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

static void story(bool shi_first)
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
    for (int i = 0; i < 2; i++) {
        hash_of(&village.devices[i], device);
        assert_memory_equal(device, merged, MQ_HASH_SIZE);
    }
    char *zhao = shown(&village.devices[2], "N-zhao");
    assert_has(zhao, "爷爷的养老钱没到账");
    merge(&village.desk, "N-zhao", "N-shi", true);
    village_sync_all(&village, 2);
    for (int i = 0; i < 3; i++) {
        struct village_member *member = i < 2 ? &village.devices[i] : &village.desk;
        assert_hasnt(shown(member, numbers.zhao), "爷爷的养老钱没到账");
        assert_hasnt(shown(member, numbers.shi), "养老金断了两个月");
    }
    assert_has(duplicates(&village.desk), "\"kind\":\"need\"");
}

/* Whoever comes home first: residents merge by themselves, the telephone is a conflict, the two needs are put side by side, and
 * merged they keep both words and both numbers; apart again each has its own. */
static void two_people_at_one_house(void **state)
{
    (void)state;
    story(true);
}

static void two_people_at_one_house_turned(void **state)
{
    (void)state;
    story(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_people_at_one_house, begin, end),
        cmocka_unit_test_setup_teardown(two_people_at_one_house_turned, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
