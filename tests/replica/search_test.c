/* tidy: long, every case needs the same people and the same slow reader */
/* Aim: search finds what a person means by the little that he types, best first, and never misses a record: the same set as
 * a slow reader of all records finds, whatever was written, renamed, joined and deleted before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/fold.h"
#include "protocol/pinyin.h"
#include "replica/convert.h"
#include "replica/erase.h"
#include "replica/journal.h"
#include "replica/replica_keys.h"
#include "replica/search_blocks.h"
#include "replica/search_index.h"
#include "replica/view.h"
#include "tests/protocol/chance.h"
#include "tests/replica/village.h"

static struct mq_error problem;
static struct village village;

/* ---- asking ---- */

struct found {
    char ids[24 * 1024]; /* " id id id": in the order in which they came */
    size_t size;
    int64_t count;
};

static enum mq_status take(void *context, struct mq_span object, struct mq_error *error)
{
    struct found *found = context;
    struct mq_json *json;
    assert_int_equal(mq_json_parse(&json, object, error), MQ_OK);
    struct mq_span id = mq_json_string(mq_json_get(json, "id"));
    found->size += (size_t)snprintf(found->ids + found->size, sizeof found->ids - found->size, " %.*s", (int)id.size,
                                    (const char *)id.data);
    assert_true(found->size < sizeof found->ids);
    found->count++;
    mq_json_free(json);
    return MQ_OK;
}

static enum mq_status ignore(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context, (void)object, (void)error;
    return MQ_OK;
}

static enum mq_status search(struct village_member *member, const char *kind, const char *query, int64_t limit,
                             struct found *found)
{
    const struct mq_emitter emitter = {found, take};
    *found = (struct found){.size = 0};
    mq_error_clear(&problem);
    return mq_records_list(member->replica, mq_kind_by_key(mq_span_text(kind)), mq_span_text(query), limit, &emitter,
                           &problem);
}

static void finds(struct village_member *member, const char *kind, const char *query, const char *expected)
{
    struct found found;
    assert_int_equal(search(member, kind, query, 0, &found), MQ_OK);
    if (strcmp(found.ids, expected) != 0)
        fail_msg("%s \"%s\" should find%s, but found%s", kind, query, expected, found.ids);
}

static void add(struct village_member *member, const char *json)
{
    struct mq_saved saved;
    village_add(member, json, &saved);
}

static void delete(struct village_member *member, const char *id)
{
    uint8_t canonical[MQ_ID_SIZE], made[MQ_ID_SIZE], memory[8192], names[4096], bytes[4096];
    struct mq_buffer change = mq_buffer(memory, sizeof memory), all = mq_buffer(names, sizeof names);
    struct mq_buffer value = mq_buffer(bytes, sizeof bytes);
    struct mq_group_state state;
    size_t count = 0;
    assert_int_equal(mq_view_find(member->replica, NULL, mq_span_text(id), canonical, &problem), MQ_OK);
    assert_int_equal(mq_view_group(member->replica, canonical, &state, &problem), MQ_OK);
    for (size_t f = 0; f < state.field_count; f++)
        for (size_t c = 0; c < state.fields[f].choice_count; c++)
            for (size_t n = 0; n < state.fields[f].choices[c].name_count; n++, count++)
                mq_cbor_put_bytes(&all, mq_span(state.fields[f].choices[c].names + n * MQ_NAME_SIZE, MQ_NAME_SIZE));
    mq_cbor_put_array(&value, 2);
    mq_cbor_put_uint(&value, 1);
    mq_cbor_put_array(&value, count);
    mq_put_span(&value, mq_written(&all));
    mq_change_put_set(&change, canonical, MQ_FIELD_LIFE, mq_written(&value),
                      mq_span(state.life_names, state.life_count * MQ_NAME_SIZE), mq_span(NULL, 0));
    assert_false(all.failed || value.failed || change.failed);
    assert_int_equal(mq_journal_add(member->replica, &member->team, mq_written(&change), canonical, made, &problem), MQ_OK);
}

/* ---- by hand ---- */

#define HOUSEHOLD(id, rest) "{\"kind\":\"household\",\"id\":\"" id "\",\"place\":\"990527103204\"," rest "}"
#define NEED(id, household, words) \
    "{\"kind\":\"need\",\"id\":\"" id "\",\"household\":\"" household "\",\"words\":\"" words "\"}"

static void people(struct village_member *member)
{
    add(member, HOUSEHOLD("H1", "\"head\":\"陈六合\",\"nickname\":\"石匠\",\"group\":\"3组\","
                                "\"phones\":[{\"number\":\"139 0000-4711\",\"whose\":\"儿子\"}]"));
    add(member, HOUSEHOLD("H2", "\"head\":\"单兰蓉\",\"group\":\"12组\""));
    add(member, HOUSEHOLD("H3", "\"head\":\"曾乐\",\"where\":\"过桥第三家，门口有槐树\""));
    add(member, HOUSEHOLD("H4", "\"head\":\"布买日穆罕默德·阿不都热合曼\""));
    add(member, HOUSEHOLD("H5", "\"head\":\"张𬎆\",\"phones\":[{\"number\":\"13947110000\"}]"));
    add(member, HOUSEHOLD("H6", "\"head\":\"小陈六合\""));
    add(member, "{\"kind\":\"household\",\"id\":\"H7\",\"place\":\"龙塘村\",\"head\":\"陈六\"}");
    add(member, NEED("N1", "H1", "水管冻裂了，Wi-Fi 也没有。\\n路灯坏了"));
    add(member, NEED("N2", "H2", "石匠说的路，灯不亮"));
    add(member, "{\"kind\":\"visit\",\"id\":\"V1\",\"household\":\"H1\",\"date\":\"2026-03-07\",\"notes\":\"说起路灯\"}");
    add(member, "{\"kind\":\"visit\",\"id\":\"V2\",\"households\":[\"H2\",\"H3\"],\"date\":\"2026-03-08\",\"with\":\"冉大珍\"}");
}

/* Names in all the ways of typing them: characters, whole pinyin, initials, a surname's reading, dots or none, capitals. */
static void names_are_found_as_people_type_them(void **state)
{
    static const char *const cases[][2] = {
        {"陈六合", " H1 H6"},      {"六合", " H1 H6"},       {"chenliuhe", " H1 H6"}, {"chlh", " H1 H6"},
        {"CHLH", " H1 H6"},        {"陈lh", " H1 H6"},       {"danlr", " H2"},        {"shanlr", " H2"},
        {"zengle", " H3"},         {"zengyue", " H3"},       {"石匠", " H1"},         {"shij", " H1"},
        {"德阿不都", " H4"},       {"德・阿", " H4"},        {"bumr", " H4"},         {"𬎆", " H5"},
        {"zhangy", " H5"},         {"4711", " H1 H5"},       {"00004711", " H1"},     {"０００－４７１１", " H1"},
        {"陈六", " H7 H1 H6"},     {"clh 3组", " H1"},       {"3组 clh", " H1"},      {"lh 儿子", " H1"},
        {"龙塘", " H7"},           {"ltc", " H7"},           {"990527", " H1 H2 H3 H4 H5 H6"}, {"3204", ""},
        {"槐树", " H3"},           {"huaishu", ""},          {"曾单", ""},            {"chenl　sj", " H1"},
        {"lanrong", " H2"},        {"xyz", ""},
    };
    (void)state;
    village_begin(&village, 31);
    struct village_member *member = &village.devices[0];
    people(member);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        finds(member, "household", cases[i][0], cases[i][1]);
    finds(member, "household", "", " H1 H2 H3 H4 H5 H6 H7");
    finds(member, "household", " · ", " H1 H2 H3 H4 H5 H6 H7");
    village_end(&village);
}

/* What was said and noted is found by any piece of it, and by whom it was about; two words may stand in different places;
 * a line end parts. */
static void texts_are_found_and_by_their_household(void **state)
{
    (void)state;
    village_begin(&village, 32);
    struct village_member *member = &village.devices[0];
    people(member);
    finds(member, "need", "水管", " N1");
    finds(member, "need", "冻", " N1");
    finds(member, "need", "wifi", " N1");
    finds(member, "need", "路灯", " N1");
    finds(member, "need", "有路", "");
    finds(member, "need", "石匠", " N1 N2"); /* the household's nickname before a word in a text */
    finds(member, "need", "chlh", " N1");
    finds(member, "need", "chlh 水管", " N1");
    finds(member, "need", "chlh 灯不亮", "");
    finds(member, "need", "单 灯", " N2");
    finds(member, "visit", "路灯", " V1");
    finds(member, "visit", "曾乐", " V2");
    finds(member, "visit", "randazhen", " V2");
    finds(member, "visit", "shanlr rdz zengle", " V2");
    finds(member, "all", "路灯", " N1 V1");
    finds(member, "plan", "路灯", "");
    struct found found;
    assert_int_equal(search(member, "need", "X", 0, &found), MQ_OK);
    assert_int_equal(search(member, "need", "1 2 3 4 5 6 7 8 9", 0, &found), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "8"));
    village_end(&village);
}

/* Best first, and no more than asked for. */
static void the_best_come_first_and_the_limit_holds(void **state)
{
    struct found found;
    (void)state;
    village_begin(&village, 33);
    struct village_member *member = &village.devices[0];
    add(member, HOUSEHOLD("other", "\"head\":\"王一\",\"where\":\"李华家旁边\""));
    add(member, HOUSEHOLD("sound", "\"head\":\"黎花\""));
    add(member, HOUSEHOLD("part", "\"head\":\"小李华\""));
    add(member, HOUSEHOLD("front", "\"head\":\"李华明\""));
    add(member, HOUSEHOLD("whole", "\"head\":\"李华\""));
    finds(member, "household", "李华", " whole front part other");
    finds(member, "household", "lihua", " sound front whole part");
    for (int64_t limit = 1; limit <= 5; limit++) {
        assert_int_equal(search(member, "household", "李华", limit, &found), MQ_OK);
        assert_int_equal(found.count, limit < 4 ? limit : 4);
    }
    assert_int_equal(search(member, "household", "李华", 1, &found), MQ_OK);
    assert_string_equal(found.ids, " whole");
    village_end(&village);
}

/* Edits, deletions and a name in conflict: what stands is found, what was replaced is not. */
static void only_what_stands_is_found(void **state)
{
    (void)state;
    village_begin(&village, 34);
    struct village_member *one = &village.devices[0], *two = &village.devices[1];
    people(one);
    village_set(one, "H1", "head=余世海");
    finds(one, "household", "chlh", " H6");
    finds(one, "household", "yushihai", " H1");
    finds(one, "need", "yushihai", " N1");
    village_set(one, "N1", "words+=还说要修水窖");
    finds(one, "need", "水窖", " N1");
    finds(one, "need", "冻裂", " N1");
    delete(one, "N1");
    finds(one, "need", "水窖", "");
    finds(one, "all", "路灯", " V1");
    delete(one, "H6");
    finds(one, "household", "chlh", "");
    village_sync_all(&village, 2);
    village_set(one, "H2", "nickname=老幺");
    village_set(two, "H2", "nickname=幺妹");
    village_sync_all(&village, 2);
    finds(one, "household", "laoyao", " H2"); /* both values stand until a person decides */
    finds(one, "household", "yaomei", " H2");
    finds(&village.desk, "household", "yaomei", " H2");
    village_end(&village);
}

/* A place's name, given by the desk, finds who lives there. */
static void places_are_found_by_their_names(void **state)
{
    (void)state;
    village_begin(&village, 35);
    struct village_member *desk = &village.desk;
    people(desk);
    add(desk, "{\"kind\":\"place\",\"id\":\"P1\",\"name\":\"杉坪村\",\"earlier_names\":[\"红旗大队\"],"
              "\"codes\":[{\"code\":\"990527103204\"}]}");
    finds(desk, "household", "shanp", " H1 H2 H3 H4 H5 H6");
    finds(desk, "household", "hqdd zengl", " H3");
    finds(desk, "need", "杉坪 水管", " N1");
    finds(desk, "place", "sp", " P1");
    finds(desk, "household", "龙坪", "");
    village_end(&village);
}

/* ---- against a slow reader ---- */

static const char *const names[] = {"陈", "单", "曾", "乐", "吕", "六", "合", "兰", "长", "安", "·", "x", "𬎆", "石"};
static const char *const texts[] = {"水", "管", "路", "灯", "坏", "了", "，", "12", "7", "ab", "陈", "合", "\\n", " "};

static const char *random_text(struct chance *chance, const char *const *parts, size_t most)
{
    static char memory[4][400];
    static size_t turn;
    char *text = memory[turn++ % 4];
    struct mq_buffer out = mq_buffer(text, sizeof memory[0] - 1);
    for (size_t i = 1 + chance_below(chance, most); i > 0; i--)
        mq_put_text(&out, parts[chance_below(chance, 14)]);
    assert_false(out.failed);
    text[out.size] = '\0';
    return text;
}

/* One random record or edit. */
static void random_act(struct chance *chance, struct village_member *member, int number)
{
    char json[2000], id[32], field[600];
    struct mq_saved saved;
    bool known = false;
    for (int i = 0; i < 10 && !known; i++) {
        snprintf(id, sizeof id, "h%zu", chance_below(chance, (size_t)number + 1));
        known = mq_view_find(member->replica, NULL, mq_span_text(id), saved.record, &problem) == MQ_OK;
        mq_error_clear(&problem);
    }
    size_t what = chance_below(chance, 12);
    if (what < 4 || !known) {
        snprintf(json, sizeof json,
                 "{\"kind\":\"household\",\"id\":\"h%d\",\"place\":\"%s\",\"head\":\"陈%s\",\"where\":\"家%s\","
                 "\"phones\":[{\"number\":\"1390%d\"}]}",
                 number, chance_below(chance, 2) ? "990527103204" : "990527103205", random_text(chance, names, 3),
                 random_text(chance, names, 2), number);
        add(member, json);
    } else if (what < 9) {
        snprintf(json, sizeof json, "{\"kind\":\"%s\",\"id\":\"n%d\",\"household\":\"%s\",\"%s\":\"说%s\"%s}",
                 what < 7 ? "need" : "visit", number, id, what < 7 ? "words" : "notes", random_text(chance, texts, 12),
                 what < 7 ? "" : ",\"date\":\"2026-03-07\"");
        add(member, json);
    } else if (what < 11) {
        snprintf(field, sizeof field, "head=%s陈", random_text(chance, names, 3));
        village_set(member, id, field);
    } else {
        delete(member, id);
    }
}

static bool slow_text(const struct mq_field *field, struct mq_span text, const char *word)
{
    char a[1200], b[200];
    struct mq_buffer folded = mq_buffer(a, sizeof a), wanted = mq_buffer(b, sizeof b);
    struct mq_pinyin_word compiled;
    mq_fold(&folded, text);
    mq_fold(&wanted, mq_span_text(word));
    assert_false(folded.failed || wanted.failed);
    if (memmem(a, folded.size, b, wanted.size) != NULL)
        return true;
    return (field->flags & MQ_FIELD_SPOKEN) && mq_pinyin_word(&compiled, mq_span_text(word)) &&
           mq_pinyin_matches(&compiled, text, false);
}

/* Does some text of the record have the word? `spoken`: only what it is called by. */
static bool slow_record(struct village_member *member, const uint8_t record[MQ_ID_SIZE], const char *word, bool spoken)
{
    struct mq_group_state state;
    uint8_t household[MQ_ID_SIZE];
    bool found = false, has_household = false;
    assert_int_equal(mq_view_group(member->replica, record, &state, &problem), MQ_OK);
    const struct mq_kind *kind = mq_kind_by_number(state.kind);
    for (size_t f = 0; f < state.field_count && !state.deleted; f++) {
        const struct mq_field *field = mq_field_by_number(kind, state.fields[f].number);
        for (size_t c = 0; c < state.fields[f].choice_count; c++) {
            struct mq_reader reader = mq_reader(state.fields[f].choices[c].value);
            while (mq_left(&reader) > 0) {
                struct mq_cbor_item item = mq_cbor_next(&reader);
                if (item.type == MQ_CBOR_TEXT && field->type != MQ_TYPE_ID &&
                    (!spoken || (field->flags & MQ_FIELD_SPOKEN)))
                    found = found || slow_text(field, item.bytes, word);
                if (item.type == MQ_CBOR_REFERENCE && field->target == MQ_KIND_HOUSEHOLD) {
                    memcpy(household, mq_cbor_bytes(&reader, MQ_ID_SIZE).data, MQ_ID_SIZE);
                    has_household = true;
                }
            }
        }
    }
    return found || (has_household && !spoken && slow_record(member, household, word, true));
}

struct slow_walk {
    struct village_member *member;
    const char *words[2];
    struct found *found;
};

static enum mq_status slow_one(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct slow_walk *walk = context;
    for (size_t i = 0; i < 2 && walk->words[i] != NULL; i++)
        if (!slow_record(walk->member, canonical, walk->words[i], false))
            return MQ_OK;
    char text[64];
    struct mq_buffer id = mq_buffer(text, sizeof text);
    assert_int_equal(mq_print_reference(walk->member->replica, canonical, &id, error), MQ_OK);
    walk->found->size += (size_t)snprintf(walk->found->ids + walk->found->size,
                                          sizeof walk->found->ids - walk->found->size, " %.*s", (int)id.size, text);
    assert_true(walk->found->size < sizeof walk->found->ids);
    walk->found->count++;
    return MQ_OK;
}

/* Both lists name the same records, whatever their order. */
static void same_records(const struct found *a, const struct found *b, const char *kind, const char *query)
{
    bool same = a->count == b->count;
    char ids[sizeof a->ids + 1], *rest = ids;
    snprintf(ids, sizeof ids, "%s", a->ids + (a->size > 0));
    while (same && rest != NULL && a->size > 0) {
        char one[80], all[sizeof b->ids + 2];
        snprintf(one, sizeof one, " %s ", strsep(&rest, " "));
        snprintf(all, sizeof all, "%s ", b->ids);
        same = strstr(all, one) != NULL;
    }
    if (!same)
        fail_msg("%s \"%s\": search found%s, the slow reader%s", kind, query, a->ids, b->ids);
}

static int64_t compare(struct chance *chance, struct village_member *member)
{
    static const char *const typed[] = {"c", "ch", "chen", "s", "shan", "zeng", "l", "le", "lv", "h", "he", "an", "lu", "ca"};
    static const char *const kinds[] = {"household", "need", "visit", "all"};
    static struct found fast, slow;
    const char *kind = kinds[chance_below(chance, 4)];
    const char *words[2] = {NULL, NULL};
    char query[900];
    size_t count = 1 + chance_below(chance, 2);
    for (size_t i = 0; i < count; i++) {
        static const char *const *const lists[] = {names, texts, typed};
        do
            words[i] = random_text(chance, lists[chance_below(chance, 3)], 1 + chance_below(chance, 3));
        while (strpbrk(words[i], " \\") != NULL || strcmp(words[i], "·") == 0 || strcmp(words[i], "··") == 0 ||
               strcmp(words[i], "···") == 0);
    }
    snprintf(query, sizeof query, "%s %s", words[0], words[1] == NULL ? "" : words[1]);
    assert_int_equal(search(member, kind, query, 0, &fast), MQ_OK);
    slow = (struct found){.size = 0};
    struct slow_walk walk = {.member = member, .words = {words[0], words[1]}, .found = &slow};
    const struct mq_kind *one = mq_kind_by_key(mq_span_text(kind));
    assert_int_equal(mq_view_each(member->replica, one == NULL ? 0 : one->number, false, slow_one, &walk, &problem), MQ_OK);
    same_records(&fast, &slow, kind, query);
    return fast.count;
}

/* Random acts on a device, and random queries in between: the same records as the slow reader's. Enough long texts to fill
 * blocks of the index. Then the same at the desk after a sync, and after everything derived was made again. */
static void search_agrees_with_a_slow_reader(void **state)
{
    struct chance chance = chance_start("search_agrees_with_a_slow_reader");
    int64_t found = 0;
    (void)state;
    village_begin(&village, 36);
    struct village_member *device = &village.devices[0];
    for (int i = 0; i < 900; i++) {
        random_act(&chance, device, i);
        if (i % 9 == 0)
            found += compare(&chance, device);
    }
    assert_in_range(found, 100, 1000000);
    int64_t blocks;
    assert_int_equal(mq_db_number(mq_replica_db(device->replica), &blocks, &problem, "SELECT count(*) FROM search_block", ""),
                     MQ_OK);
    assert_in_range(blocks, 1, 10); /* else no long text was looked up in one */
    village_sync_all(&village, 2);
    for (int i = 0; i < 40; i++)
        compare(&chance, &village.desk);
    assert_int_equal(mq_view_rebuild(device->replica, &problem), MQ_OK);
    for (int i = 0; i < 40; i++)
        compare(&chance, device);
    village_end(&village);
}

/* Two devices made one household each and the desk says that they are one: needs of both are found by either's name, and
 * by neither once it is undone for the other's. */
static void joined_households_find_the_needs_of_both(void **state)
{
    (void)state;
    village_begin(&village, 37);
    struct village_member *one = &village.devices[0], *two = &village.devices[1], *desk = &village.desk;
    add(one, HOUSEHOLD("A", "\"head\":\"冉大珍\""));
    add(one, NEED("NA", "A", "修路"));
    add(two, HOUSEHOLD("B", "\"head\":\"吴国平\""));
    add(two, NEED("NB", "B", "修桥"));
    village_sync_all(&village, 2);
    finds(desk, "need", "randa", " NA");
    assert_int_equal(mq_records_merge(desk->replica, mq_span_text("A"), mq_span_text("B"), false, &problem), MQ_OK);
    struct found found;
    assert_int_equal(search(desk, "need", "randa", 0, &found), MQ_OK);
    assert_int_equal(found.count, 2);
    assert_int_equal(search(desk, "household", "wugp", 0, &found), MQ_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(mq_records_merge(desk->replica, mq_span_text("A"), mq_span_text("B"), true, &problem), MQ_OK);
    finds(desk, "need", "randa", " NA");
    finds(desk, "need", "wugp", " NB");
    village_end(&village);
}

/* A store that an older program made has none of the tables: they are filled when it is first opened. */
static void an_older_store_gets_its_index(void **state)
{
    static const char older[] =
        "DROP TABLE search; DROP TABLE search_long; DROP TABLE search_tail; DROP TABLE search_block; DROP TABLE search_gram;"
        "ALTER TABLE state RENAME TO newer;"
        "CREATE TABLE state(canonical BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, deleted INTEGER NOT NULL,"
        "  review INTEGER NOT NULL, conflicts INTEGER NOT NULL, leans INTEGER NOT NULL);"
        "INSERT INTO state SELECT canonical, kind, deleted, review, conflicts, leans FROM newer; DROP TABLE newer;";
    (void)state;
    village_begin(&village, 38);
    struct village_member *member = &village.devices[0];
    people(member);
    assert_int_equal(mq_db_script(mq_replica_db(member->replica), older, &problem), MQ_OK);
    int steps = 0;
    for (int i = 0; i < mq_schema_count; i++)
        if (strstr(mq_schema_steps[i], "CREATE TABLE search(") != NULL && ++steps)
            assert_int_equal(mq_db_script(mq_replica_db(member->replica), mq_schema_steps[i], &problem), MQ_OK);
    assert_int_equal(steps, 1);
    village_close(member);
    village_open(member);
    finds(member, "household", "chlh", " H1 H6");
    finds(member, "need", "水管", " N1");
    village_end(&village);
}

/* An index that lost its rows finds nothing: `check` says that it is damaged, and `check --rebuild` brings it back. */
static void a_rebuild_brings_the_index_back(void **state)
{
    static const char *const losses[] = {"DELETE FROM search", "DELETE FROM search_long; DELETE FROM search_tail"};
    struct mq_check_result result;
    struct found found = {.size = 0};
    const struct mq_emitter emitter = {&found, ignore};
    (void)state;
    village_begin(&village, 39);
    struct village_member *member = &village.devices[0];
    people(member);
    assert_int_equal(mq_records_check(member->replica, false, &result, &emitter, &problem), MQ_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mq_db_script(mq_replica_db(member->replica), losses[i], &problem), MQ_OK);
        finds(member, "household", "chlh", i == 0 ? "" : " H1 H6");
        finds(member, "need", "水管", i == 0 ? " N1" : "");
        assert_int_equal(mq_records_check(member->replica, false, &result, &emitter, &problem), MQ_DAMAGED);
        mq_error_clear(&problem);
        assert_int_equal(mq_records_check(member->replica, true, &result, &emitter, &problem), MQ_DAMAGED);
        mq_error_clear(&problem);
        finds(member, "household", "chlh", " H1 H6");
        finds(member, "need", "水管", " N1");
        assert_int_equal(mq_records_check(member->replica, true, &result, &emitter, &problem), MQ_OK);
    }
    village_end(&village);
}

/* A plan names two households that turn out to be one: search keeps the same of it whether the plan or that came first. */
static void sets_follow_what_they_name(void **state)
{
    uint8_t here[MQ_HASH_SIZE], there[MQ_HASH_SIZE];
    (void)state;
    village_begin(&village, 41);
    struct village_member *desk = &village.desk, *cadre = &village.devices[1];
    people(desk);
    village_sync_all(&village, 2);
    village_add(cadre, "{\"kind\":\"plan\",\"id\":\"P1\",\"purpose\":\"回访告知\",\"households\":[\"H1\",\"H2\"]}", NULL);
    assert_int_equal(mq_records_merge(desk->replica, mq_span_text("H1"), mq_span_text("H2"), false, &problem), MQ_OK);
    village_sync_all(&village, 2);
    assert_int_equal(mq_search_hash(desk->replica, here, &problem), MQ_OK);
    assert_int_equal(mq_search_hash(cadre->replica, there, &problem), MQ_OK);
    assert_memory_equal(here, there, sizeof here);
    village_end(&village);
}

/* What only named persons may read leaves nothing to search on its author's device but its number; the county finds it. */
static void what_is_sealed_is_found_by_its_number_only(void **state)
{
    struct mq_saved saved;
    struct found found;
    (void)state;
    village_begin(&village, 41);
    struct village_member *author = &village.devices[0];
    add(author, HOUSEHOLD("H1", "\"head\":\"冉大珍\""));
    add(author, NEED("N1", "H1", "路灯坏了"));
    village_add(author,
                "{\"kind\":\"need\",\"id\":\"M1\",\"household\":\"H1\",\"secrecy\":\"限定知悉\",\"words\":\"说有人打人\"}",
                &saved);
    finds(author, "need", "打人", "");
    finds(author, "need", "randa", " N1");
    finds(author, "need", "m001", " M1");
    finds(author, "need", saved.number, " M1");
    village_sync_all(&village, 2);
    finds(&village.desk, "need", "打人", " M1");
    finds(&village.devices[1], "need", "打人", "");
    finds(&village.devices[1], "need", "randa", " N1");
    assert_int_equal(search(author, "need", "1", 1, &found), MQ_OK); /* numbers of both hold a 1 */
    assert_int_equal(found.count, 1);
    village_end(&village);
}

static size_t candidates(struct village_member *member, const char *word)
{
    uint64_t bits[32] = {0};
    size_t count = 0;
    assert_int_equal(mq_search_candidates(member->replica, mq_span_text(word), bits, 2048, &problem), MQ_OK);
    for (size_t i = 0; i < 2048; i++)
        count += bits[i / 64] >> i % 64 & 1;
    return count;
}

/* What was erased leaves no piece behind, neither in a full block nor in the tail; its neighbours in the block stay. */
static void erasing_takes_the_pieces_out(void **state)
{
    struct mq_erase_list list = {.items = NULL};
    uint8_t record[MQ_ID_SIZE];
    char json[300];
    (void)state;
    village_begin(&village, 40);
    struct village_member *desk = &village.desk;
    add(desk, HOUSEHOLD("H1", "\"head\":\"冉大珍\""));
    for (int i = 0; i < 300; i++) {
        snprintf(json, sizeof json,
                 "{\"kind\":\"visit\",\"id\":\"V%d\",\"household\":\"H1\",\"date\":\"2026-03-07\",\"notes\":\"%s%d\"}",
                 i, i == 7 || i == 290 ? "鼎铛" : i == 8 ? "瓯窑" : "路灯", i);
        add(desk, json);
    }
    assert_int_equal(candidates(desk, "鼎铛"), 2);
    for (int i = 7; i < 300; i += 283) {
        snprintf(json, sizeof json, "V%d", i);
        assert_int_equal(mq_view_find(desk->replica, NULL, mq_span_text(json), record, &problem), MQ_OK);
        assert_int_equal(mq_erase_list_field(desk->replica, &list, record, 12, &problem), MQ_OK);
    }
    assert_int_equal(mq_erase(desk->replica, &desk->team, NULL, &list, &problem), MQ_OK);
    mq_erase_list_free(&list);
    assert_int_equal(candidates(desk, "鼎铛"), 0);
    assert_int_equal(candidates(desk, "鼎"), 0);
    assert_int_equal(candidates(desk, "瓯窑"), 1);
    finds(desk, "visit", "瓯窑", " V8");
    finds(desk, "visit", "灯19", " V19 V190 V191 V192 V193 V194 V195 V196 V197 V198 V199");
    finds(desk, "visit", "鼎", "");
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_as_people_type_them),
        cmocka_unit_test(texts_are_found_and_by_their_household),
        cmocka_unit_test(the_best_come_first_and_the_limit_holds),
        cmocka_unit_test(only_what_stands_is_found),
        cmocka_unit_test(places_are_found_by_their_names),
        cmocka_unit_test(search_agrees_with_a_slow_reader),
        cmocka_unit_test(joined_households_find_the_needs_of_both),
        cmocka_unit_test(an_older_store_gets_its_index),
        cmocka_unit_test(a_rebuild_brings_the_index_back),
        cmocka_unit_test(sets_follow_what_they_name),
        cmocka_unit_test(what_is_sealed_is_found_by_its_number_only),
        cmocka_unit_test(erasing_takes_the_pieces_out),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
