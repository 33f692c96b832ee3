/* Aim: what was said later beside a person's words (`words_more`) leaves with an export and comes back with an import, to the
 * letter and once; where it is wrong the line is refused by name, and where the matter is restricted all of it is sealed. */
#include "tests/replica/traces.h"

#define LATER_1 "娃娃喝了拉肚子。"
#define LATER_2 "二组那口井也是。\n\"去年\"就说过。"
#define LATER_2_JSON "二组那口井也是。\\n\\\"去年\\\"就说过。"
#define LATER_3 "急。"
#define LATER_4 "水利站的人来看过一回，没有下文。"
#define SAID "{\"kind\":\"need\",\"id\":\"N-9\",\"words\":\"井水浑了。\""

static enum mq_status import(struct village_member *member, const char *line, bool update, struct mq_saved *saved)
{
    return village_import(member, line, update, saved, &problem);
}

static void assert_imported(struct village_member *member, const char *line, bool update)
{
    struct mq_saved saved;
    enum mq_status status = import(member, line, update, &saved);
    if (status != MQ_OK)
        print_message("%s\n%s\n", line, problem.text);
    assert_int_equal(status, MQ_OK);
    assert_false(saved.known);
    assert_int_equal(saved.updated, update);
}

/* It is here already: nothing is written, however it is brought. */
static void assert_known(struct village_member *member, const char *line)
{
    int64_t changes = hostile_count(member, "SELECT count(*) FROM change");
    for (int update = 0; update < 2; update++) {
        struct mq_saved saved;
        enum mq_status status = import(member, line, update != 0, &saved);
        if (status != MQ_OK)
            print_message("%s\n%s\n", line, problem.text);
        assert_int_equal(status, MQ_OK);
        assert_true(saved.known && !saved.updated);
    }
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM change"), changes);
}

/* Refused with these words, and nothing of it is kept. */
static void assert_refused(struct village_member *member, const char *line, bool update, const char *why)
{
    struct mq_saved saved;
    int64_t changes = hostile_count(member, "SELECT count(*) FROM change");
    assert_int_equal(import(member, line, update, &saved), MQ_REFUSED);
    if (strstr(problem.text, why) == NULL)
        print_message("%s\n%s\n", line, problem.text);
    assert_non_null(strstr(problem.text, why));
    mq_error_clear(&problem);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM change"), changes);
}

static void assert_exports(struct village_member *member, const char *part)
{
    char *text = village_export(member);
    if (strstr(text, part) == NULL)
        print_message("%s in %s\n", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}

/* What several people said later is exported, taken in by a store that knows nothing, and exported by it in the same bytes;
 * there and where it came from the lines are known. */
static void later_words_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) { /* change ids differ, and with them what merging puts first */
        struct village here, fresh;
        village_begin(&here, 940 + seed);
        village_begin(&fresh, 960 + seed);
        village_add(&here.devices[0], SAID "}", NULL);
        village_sync_all(&here, 2);
        village_set(&here.devices[1], "N-9", "words+=" LATER_1);
        village_set(&here.devices[0], "N-9", "words+=" LATER_2);
        village_set(&here.devices[2], "N-9", "words+=" LATER_3);
        village_set(&here.desk, "N-9", "words+=" LATER_4);
        village_sync_all(&here, 3);
        char *text = village_export(&here.devices[3]);
        assert_non_null(strstr(text, "\"words_more\":["));
        assert_imported(&fresh.devices[0], text, false);
        char *again = village_export(&fresh.devices[0]);
        assert_string_equal(again, text);
        free(again);
        assert_known(&fresh.devices[0], text);
        assert_known(&here.devices[3], text);
        village_sync_all(&fresh, 2);
        again = village_export(&fresh.desk);
        assert_string_equal(again, text);
        free(again);
        free(text);
        village_end(&fresh);
        village_end(&here);
    }
}

/* Of what a line says was said later, only what is not here yet is added, and only where --update asks for it; in whatever
 * order and however often the line says it. */
static void only_what_is_missing_is_added(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 980);
    struct village_member *device = &village.devices[0];
    assert_imported(device, SAID ",\"words_more\":[\"" LATER_1 "\",\"井水浑了。\",\"" LATER_3 "\",\"" LATER_1 "\"]}", false);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM change"), 3); /* each once, and the first is there */
    assert_known(device, SAID "}");
    assert_known(device, SAID ",\"words_more\":null}");
    assert_known(device, SAID ",\"words_more\":[]}");
    assert_known(device, SAID ",\"words_more\":[\"" LATER_1 "\"]}");
    assert_known(device, SAID ",\"words_more\":[\"" LATER_1 "\",\"" LATER_3 "\"]}");
    assert_known(device, SAID ",\"words_more\":[\"" LATER_3 "\",\"井水浑了。\",\"" LATER_1 "\"]}");
    assert_known(device, "{\"kind\":\"need\",\"id\":\"N-9\",\"words_more\":[\"井水浑了。\"],\"words\":\"" LATER_3 "\"}");
    assert_refused(device, SAID ",\"words_more\":[\"" LATER_1 "\",\"" LATER_4 "\"]}", false, "--update");
    assert_imported(device, SAID ",\"words_more\":[\"" LATER_4 "\",\"" LATER_1 "\",\"" LATER_2_JSON "\",\"" LATER_4 "\"]}",
                    true);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM change"), 5);
    assert_known(device, SAID ",\"words_more\":[\"" LATER_1 "\",\"" LATER_2_JSON "\",\"" LATER_3 "\",\"" LATER_4 "\"]}");
    assert_exports(device, "\"words\":\"井水浑了。\",\"words_more\":[");
    village_end(&village);
}

/* Wrong values are refused by name, and nothing of the line is kept; so is what stands beside no words, or beside another
 * kind; a number that is never stored is masked like one in the words themselves. */
static void wrong_values(void **state)
{
    struct village village;
    struct mq_saved saved;
    char *line = malloc(MQ_LINE_MAX + 1);
    (void)state;
    assert_non_null(line);
    village_begin(&village, 981);
    struct village_member *device = &village.devices[0];
    assert_refused(device, SAID ",\"words_more\":\"" LATER_1 "\"}", false, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":{\"1\":\"" LATER_1 "\"}}", false, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":[\"" LATER_1 "\",7]}", false, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":[null]}", false, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":[\"" LATER_1 "\",\"\"]}", false, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":[\"一\\u0007二\"]}", false, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":[\"\xe4\xba\"]}", false, "JSON");
    assert_refused(device, "{\"kind\":\"need\",\"id\":\"N-9\",\"words_more\":[\"" LATER_1 "\"]}", false, "\"words\"");
    assert_refused(device, "{\"kind\":\"need\",\"id\":\"N-9\",\"words\":null,\"words_more\":[\"" LATER_1 "\"]}", false, "\"words\"");
    assert_refused(device, SAID ",\"summary_more\":[\"" LATER_1 "\"]}", false, "\"summary_more\"");
    assert_refused(device, SAID ",\"_more\":[\"" LATER_1 "\"]}", false, "\"_more\"");
    assert_refused(device, "{\"kind\":\"visit\",\"id\":\"V-9\",\"place\":\"990527103204\",\"words_more\":[\"" LATER_1 "\"]}", false,
                   "\"words_more\"");
    snprintf(line, MQ_LINE_MAX, SAID ",\"words_more\":[\"%0*d\"]}", MQ_LONG_TEXT_MAX + 1, 0);
    assert_refused(device, line, false, "\"words_more\"");
    assert_int_equal(import(device, SAID ",\"words_more\":[\"卡号6222021234567890128\"]}", false, &saved), MQ_OK);
    assert_int_equal(saved.masked, 1);
    char *text = village_export(device);
    assert_null(strstr(text, "6222021234567890128"));
    assert_known(device, text);
    free(text);
    assert_refused(device, SAID ",\"words_more\":[\"" LATER_1 "\",7]}", true, "\"words_more\"");
    free(line);
    village_end(&village);
}

/* A text of its own of this size, and what closes it. */
static void put_long_text(char *line, size_t *at, size_t size, int number, const char *closing)
{
    line[(*at)++] = '"';
    memset(line + *at, 'a' + number, size);
    *at += size;
    *at += (size_t)snprintf(line + *at, MQ_LINE_MAX + 1 - *at, "%s", closing);
}

/* As many texts are taken as a line can bring back, no more of one line and no more with those that are here. */
static void as_many_as_come_back(void **state)
{
    struct village village;
    char line[8 * MQ_SET_MAX + 100];
    (void)state;
    village_begin(&village, 986);
    struct village_member *device = &village.devices[0];
    size_t size = (size_t)snprintf(line, sizeof line, SAID ",\"words_more\":[\"0\"");
    for (int i = 1; i < MQ_SET_MAX; i++)
        size += (size_t)snprintf(line + size, sizeof line - size, ",\"%d\"", i);
    snprintf(line + size, sizeof line - size, ",\"" LATER_1 "\"]}");
    assert_refused(device, line, false, "\"words_more\"");
    snprintf(line + size, sizeof line - size, "]}");
    assert_imported(device, line, false);
    assert_refused(device, "{\"kind\":\"need\",\"id\":\"N-9\",\"words\":\"" LATER_1 "\"}", true, "\"words_more\"");
    assert_refused(device, SAID ",\"words_more\":[\"" LATER_1 "\"]}", true, "\"words_more\"");
    char *text = village_export(device);
    assert_known(device, text);
    free(text);
    village_end(&village);
}

/* As much as one line can say is taken in, and said again; one byte more is refused. */
static void a_full_line(void **state)
{
    struct village village;
    char *line = malloc(MQ_LINE_MAX + 2);
    size_t size;
    (void)state;
    assert_non_null(line);
    village_begin(&village, 982);
    size = (size_t)snprintf(line, MQ_LINE_MAX, SAID ",\"words_more\":[");
    put_long_text(line, &size, MQ_LINE_MAX - size - 3 * (MQ_LONG_TEXT_MAX + 3) - 1 - 3, 0, "\",");
    for (int i = 1; i < 4; i++)
        put_long_text(line, &size, MQ_LONG_TEXT_MAX, i, i < 3 ? "\"," : "\"]}");
    assert_int_equal(size, MQ_LINE_MAX);
    assert_imported(&village.devices[0], line, false);
    char *text = village_export(&village.devices[0]);
    assert_int_equal(strlen(text), size + 1);
    assert_memory_equal(text, line, size);
    text[size] = '\0';
    assert_known(&village.devices[0], text);
    free(text);
    memcpy(line + size, " ", 2);
    assert_refused(&village.devices[0], line, true, "64 KiB");
    free(line);
    village_end(&village);
}

/* A person who writes down something new says it once: `add` takes no words for later. */
static void add_takes_none(void **state)
{
    struct village village;
    struct mq_saved saved;
    struct mq_json *object;
    (void)state;
    village_begin(&village, 983);
    assert_int_equal(mq_json_parse(&object, mq_span_text(SAID ",\"words_more\":[\"" LATER_1 "\"]}"), &problem), MQ_OK);
    assert_int_equal(mq_records_add(village.devices[0].replica, NULL, object, &saved, &problem), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "\"words_more\""));
    mq_error_clear(&problem);
    mq_json_free(object);
    village_end(&village);
}

#define MATTER_LATER \
    "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"" WORDS "\",\"category\":\"18\"," \
    "\"words_more\":[\"" REPLY "-1\",\"" REPLY "-2\"]}"

/* Of a restricted matter from a file, what was said later is sealed like the rest from the moment of the import, and is read
 * where the rest is; the line brought again is known, and nothing of it comes into the open. */
static void restricted_words_are_sealed(void **state)
{
    struct village village;
    char path[300];
    (void)state;
    village_begin(&village, 984);
    village_name(&village, &village.devices[2], true);
    village_sync_all(&village, 1);
    assert_imported(&village.devices[0], NEED, false);
    assert_imported(&village.devices[0], MATTER_LATER, false);
    assert_false(store_holds(&village, &village.devices[0], MARK));
    assert_false(store_holds(&village, &village.devices[0], REPLY));
    assert_false(shows(&village, &village.devices[0], REPLY));
    assert_known(&village.devices[0], MATTER_LATER);
    village_sync_all(&village, 2);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 2);
    assert_knows_nothing(&village, &village.devices[1]);
    assert_false(store_holds(&village, &village.devices[1], REPLY));
    assert_false(store_holds(&village, &village.devices[0], REPLY));
    snprintf(path, sizeof path, "%s/relay.db", village.directory);
    assert_false(file_holds(path, REPLY));
    assert_reads(&village, &village.desk, REPLY "-1");
    assert_reads(&village, &village.devices[2], REPLY "-2");
    char *shown = show(&village.desk, "M-1");
    assert_non_null(strstr(shown, "\"words\":\"" WORDS "\",\"words_more\":[\"" REPLY "-1\",\"" REPLY "-2\"]"));
    free(shown);
    village_end(&village);
}

/* Where the county brings a line about a restricted matter that it reads, what is missing is added in the same place, and
 * nobody else hears of it. */
static void added_to_a_restricted_matter(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 985);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    const char *line = "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"" WORDS "\",\"words_more\":[\"" REPLY "\"]}";
    assert_refused(&village.desk, line, false, "--update");
    assert_imported(&village.desk, line, true);
    assert_known(&village.desk, line);
    village_sync_all(&village, 2);
    assert_reads(&village, &village.desk, REPLY);
    assert_knows_nothing(&village, &village.devices[1]);
    assert_false(store_holds(&village, &village.devices[1], REPLY));
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_words_come_back),        cmocka_unit_test(only_what_is_missing_is_added),
        cmocka_unit_test(wrong_values),                 cmocka_unit_test(a_full_line),
        cmocka_unit_test(add_takes_none),               cmocka_unit_test(restricted_words_are_sealed),
        cmocka_unit_test(added_to_a_restricted_matter), cmocka_unit_test(as_many_as_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
