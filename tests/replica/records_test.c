/* tidy: long, every case needs the same village and the same listener */
/* Aim: what a person or a file says in the record format is kept to the letter or refused by name, and an edit replaces
 * what was on the screen and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define ID_NUMBER "11010519491231002X" /* the published test number of the standard */
#define CARD_NUMBER "4111111111111111"
#define H_1 "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\","
#define HOUSEHOLD H_1 "\"head\":\"冯谷雨\",\"tags\":[\"受灾\"]}"
#define NEED "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-1\",\"words\":\"井水浑了。\"}"

static struct mq_error problem;

/* ---- what reading functions say, as lines of one text ---- */

struct said {
    FILE *stream;
    char *text;
    size_t size;
};

static enum mq_status take_line(void *context, struct mq_span object, struct mq_error *error)
{
    struct said *said = context;
    (void)error;
    fprintf(said->stream, "%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

static struct mq_emitter listen_to(struct said *said)
{
    *said = (struct said){0};
    said->stream = open_memstream(&said->text, &said->size);
    assert_non_null(said->stream);
    mq_error_clear(&problem);
    return (struct mq_emitter){.context = said, .emit = take_line};
}

static char *history_of(struct village_member *member, const char *id)
{
    struct said said;
    const struct mq_emitter emitter = listen_to(&said);
    assert_int_equal(mq_records_show(member->replica, mq_span_text(id), true, &emitter, &problem), MQ_OK);
    fclose(said.stream);
    return said.text;
}

static char *conflicts_of(struct village_member *member)
{
    struct said said;
    const struct mq_emitter emitter = listen_to(&said);
    assert_int_equal(mq_records_conflicts(member->replica, &emitter, &problem), MQ_OK);
    fclose(said.stream);
    return said.text;
}

static char *export_of(struct village_member *member)
{
    struct said said;
    const struct mq_emitter emitter = listen_to(&said);
    assert_int_equal(mq_records_export(member->replica, NULL, &emitter, &problem), MQ_OK);
    fclose(said.stream);
    return said.text;
}

static void assert_shown(struct village_member *member, const char *id, const char *part)
{
    char *text = history_of(member, id);
    if (strstr(text, part) == NULL)
        print_message("%s is not in %s", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}

/* ---- files ---- */

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 512 * 1024);
    assert_non_null(text);
    size_t size = fread(text, 1, 512 * 1024 - 1, file);
    assert_true(size > 0 && feof(file));
    fclose(file);
    return text;
}

/* The next line of a text, without its end; false after the last. */
static bool next_line(const char **at, struct mq_span *line)
{
    if (**at == '\0')
        return false;
    size_t size = strcspn(*at, "\n");
    *line = mq_span((const uint8_t *)*at, size);
    *at += size + ((*at)[size] == '\n');
    return true;
}

static enum mq_status import_line(struct village_member *member, struct mq_span line, struct mq_saved *saved)
{
    struct mq_db *db = mq_replica_db(member->replica);
    mq_error_clear(&problem);
    assert_int_equal(mq_db_begin(db, &problem), MQ_OK);
    enum mq_status status = mq_records_import_line(member->replica, &member->team, line, false, saved, &problem);
    struct mq_error unneeded = {0};
    assert_int_equal(mq_db_commit(db, &unneeded), MQ_OK);
    return status;
}

static void import_text(struct village_member *member, const char *text, bool known)
{
    struct mq_saved saved;
    struct mq_span line;
    while (next_line(&text, &line)) {
        enum mq_status status = import_line(member, line, &saved);
        if (status != MQ_OK)
            print_message("%.*s: %s\n", (int)line.size, (const char *)line.data, problem.text);
        assert_int_equal(status, MQ_OK);
        assert_int_equal(saved.known, known);
    }
}

/* ---- equal in meaning ---- */

static bool same_json(const struct mq_json *a, const struct mq_json *b)
{
    if (mq_json_type(a) != mq_json_type(b))
        return false;
    switch (mq_json_type(a)) {
    case MQ_JSON_STRING: return mq_span_equal(mq_json_string(a), mq_json_string(b));
    case MQ_JSON_INTEGER: return mq_json_integer(a) == mq_json_integer(b);
    case MQ_JSON_BOOL: return mq_json_bool(a) == mq_json_bool(b);
    case MQ_JSON_ARRAY:
        for (size_t i = 0; i < mq_json_size(a) && i < mq_json_size(b); i++)
            if (!same_json(mq_json_item(a, i), mq_json_item(b, i)))
                return false;
        return mq_json_size(a) == mq_json_size(b);
    case MQ_JSON_OBJECT: {
        void *iterator = NULL;
        const char *key;
        const struct mq_json *value;
        while (mq_json_each(a, &iterator, &key, &value))
            if (mq_json_get(b, key) == NULL || !same_json(value, mq_json_get(b, key)))
                return false;
        return mq_json_size(a) == mq_json_size(b);
    }
    case MQ_JSON_REAL:
    case MQ_JSON_NULL: break;
    }
    return false;
}

/* One element or scalar of a field: a code may be said by number, label or alias. */
static bool same_value(const struct mq_field *field, const struct mq_json *given, const struct mq_json *shown)
{
    if (field->type != MQ_TYPE_CODE)
        return same_json(given, shown);
    const struct mq_code *code = mq_code_by_text(field->codes, mq_json_string(given));
    return code != NULL && code == mq_code_by_text(field->codes, mq_json_string(shown));
}

static bool same_field(const struct mq_field *field, const struct mq_json *given, const struct mq_json *shown)
{
    if (field->merge != MQ_MERGE_SET)
        return same_value(field, given, shown);
    size_t found = 0;
    for (size_t i = 0; i < mq_json_size(given); i++)
        for (size_t j = 0; j < mq_json_size(shown); j++)
            found += same_value(field, mq_json_item(given, i), mq_json_item(shown, j));
    return found == mq_json_size(given) && found == mq_json_size(shown);
}

static bool seen[MQ_KIND_PRESET + 1][MQ_FIELDS_MAX]; /* by kind and field number */

/* Every key of `given`, and of the objects in it, stands in `shown` with the same value, and no other does. */
static void assert_keys_shown(const struct mq_kind *kind, const char *before, const struct mq_json *given,
                              const struct mq_json *shown)
{
    void *iterator = NULL;
    const char *key;
    const struct mq_json *value;
    assert_int_equal(mq_json_size(given), mq_json_size(shown));
    while (mq_json_each(given, &iterator, &key, &value)) {
        char path[128];
        const struct mq_json *other = mq_json_get(shown, key);
        snprintf(path, sizeof path, "%s%s", before, key);
        const struct mq_field *field = mq_field_by_key(kind, mq_span_text(path));
        if (other == NULL)
            print_message("%s is not shown\n", path);
        assert_non_null(other);
        if (strcmp(path, "kind") == 0)
            continue;
        if (field == NULL) {
            snprintf(path, sizeof path, "%s.", key);
            assert_keys_shown(kind, path, value, other);
            continue;
        }
        if (!same_field(field, value, other))
            print_message("%s differs\n", path);
        assert_true(same_field(field, value, other));
        seen[kind->number][field->number] = true;
    }
}

/* The exported line with the same kind and id. */
static struct mq_json *find_exported(const char *exported, const struct mq_json *given)
{
    struct mq_span line;
    struct mq_json *shown;
    while (next_line(&exported, &line)) {
        assert_int_equal(mq_json_parse(&shown, line, &problem), MQ_OK);
        if (same_json(mq_json_get(shown, "kind"), mq_json_get(given, "kind")) &&
            same_json(mq_json_get(shown, "id"), mq_json_get(given, "id")))
            return shown;
        mq_json_free(shown);
    }
    return NULL;
}

static void assert_all_exported(const char *text, const char *exported)
{
    struct mq_span line;
    struct mq_json *given;
    while (next_line(&text, &line)) {
        assert_int_equal(mq_json_parse(&given, line, &problem), MQ_OK);
        struct mq_json *shown = find_exported(exported, given);
        assert_non_null(shown);
        assert_keys_shown(mq_kind_by_key(mq_json_string(mq_json_get(given, "kind"))), "", given, shown);
        mq_json_free(shown);
        mq_json_free(given);
    }
}

/* ---- import and export ---- */

/* Every key of every kind that a device may write comes out as it went in; what is exported imports elsewhere, line by
 * line, and comes out the same; and each file, imported again, is known. */
static void files_come_out_as_they_went_in(void **state)
{
    static const char *const paths[] = {"tests/data/kinds.jsonl", "tests/data/sample.jsonl"};
    struct village village;
    (void)state;
    memset(seen, 0, sizeof seen);
    village_begin(&village, 41);
    for (int i = 0; i < 2; i++) {
        char *text = file_text(paths[i]);
        import_text(&village.devices[i], text, false);
        char *exported = export_of(&village.devices[i]);
        assert_all_exported(text, exported);
        import_text(&village.devices[i], text, true);
        import_text(&village.devices[i + 2], exported, false);
        char *again = export_of(&village.devices[i + 2]);
        assert_all_exported(exported, again); /* the order within a set says nothing */
        assert_int_equal(strlen(exported), strlen(again));
        free(again);
        free(exported);
        free(text);
    }
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t f = 0; f < mq_kinds[k].field_count && !mq_kinds[k].desk_only; f++) {
            const struct mq_field *field = &mq_kinds[k].fields[f];
            if (!seen[mq_kinds[k].number][field->number] && !(field->flags & MQ_FIELD_MADE))
                print_message("no line has %s of a %s\n", field->key, mq_kinds[k].key);
            assert_true(seen[mq_kinds[k].number][field->number] || (field->flags & MQ_FIELD_MADE));
        }
    village_end(&village);
}

/* Each refusal names the key, or what else is wrong, and keeps nothing of the line (tests/data/README.md). */
static void refusals_name_the_key(void **state)
{
    static const char *const named[] = {
        NULL,          "",           "object",         "\"kind\"",     "\"kind\"",        "\"hobby\"",
        "\"lat\"",     "\"head\"",   "\"id\"",         "\"words\"",    "\"household\"",   "R-9999",
        "\"need\"",    "\"date\"",   "2026/11/10",     "不急",         "\"category\"",    "富裕户",
        "checks.电视", "\"words\"",  "\"id\"",         "\"id\"",       "head",            "\"people\"",
        "\"people\"",  "\"questions\"", "\"head\"",    "",             "R-0001",          NULL};
    struct village village;
    struct mq_saved saved;
    struct mq_span line;
    (void)state;
    village_begin(&village, 42);
    char *text = file_text("tests/data/refusals.jsonl");
    const char *at = text;
    size_t lines = 0;
    for (; next_line(&at, &line); lines++) {
        assert_true(lines < sizeof named / sizeof *named);
        enum mq_status status = import_line(&village.devices[0], line, &saved);
        assert_int_equal(status, named[lines] == NULL ? MQ_OK : MQ_REFUSED);
        if (status != MQ_OK && strstr(problem.text, named[lines]) == NULL)
            print_message("line %zu: %s\n", lines + 1, problem.text);
        assert_true(status == MQ_OK || (problem.text[0] != '\0' && strstr(problem.text, named[lines]) != NULL));
    }
    assert_int_equal(lines, sizeof named / sizeof *named);
    assert_int_equal(village_safety(&village.devices[0]).records, 2);
    free(text);
    village_end(&village);
}

static void set_expect(struct village_member *member, const char *id, const char *assignment, enum mq_status expected,
                       const char *part)
{
    struct mq_saved saved;
    mq_error_clear(&problem);
    assert_int_equal(
        mq_records_set(member->replica, mq_span_text(id), &assignment, 1, mq_span_text(""), &saved, &problem), expected);
    if (strstr(problem.text, part) == NULL)
        print_message("%s: %s\n", assignment, problem.text);
    assert_non_null(strstr(problem.text, part));
    mq_error_clear(&problem);
}

static void import_expect(struct village_member *member, const char *line, enum mq_status expected, const char *part)
{
    struct mq_saved saved;
    assert_int_equal(import_line(member, mq_span_text(line), &saved), expected);
    if (strstr(problem.text, part) == NULL)
        print_message("%s: %s\n", line, problem.text);
    assert_non_null(strstr(problem.text, part));
    mq_error_clear(&problem);
}

/* A line that is known and equal is skipped, one that says less too, one that says otherwise is refused. */
static void known_lines_are_skipped(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 43);
    struct village_member *device = &village.devices[0];
    assert_int_equal(import_line(device, mq_span_text(HOUSEHOLD), &saved), MQ_OK);
    assert_false(saved.known);
    int64_t changes = hostile_count(device, "SELECT count(*) FROM change");
    assert_int_equal(import_line(device, mq_span_text(HOUSEHOLD), &saved), MQ_OK);
    assert_true(saved.known);
    assert_string_equal(saved.id, "H-1");
    import_expect(device, H_1 "\"head\":\"冯谷雨\"}", MQ_OK, "");
    import_expect(device, H_1 "\"head\":\"冯立夏\"}", MQ_REFUSED, "H-1");
    import_expect(device, H_1 "\"head\":\"冯谷雨\",\"tags\":[\"残疾人\"]}", MQ_REFUSED, "H-1");
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM change"), changes);
    village_end(&village);
}

/* Resident ID and bank card numbers are masked wherever text is kept, and counted; as an `id` they are refused. */
static void numbers_are_masked(void **state)
{
    struct village village;
    struct mq_saved saved;
    const char *assignment = "where=卡号" CARD_NUMBER;
    (void)state;
    village_begin(&village, 44);
    struct village_member *device = &village.devices[0];
    village_add(device, HOUSEHOLD, NULL);
    village_add(device,
                "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\","
                "\"notes\":\"证" ID_NUMBER "，卡" CARD_NUMBER "。\"}",
                &saved);
    assert_int_equal(saved.masked, 2);
    assert_int_equal(
        mq_records_set(device->replica, mq_span_text("H-1"), &assignment, 1, mq_span_text(""), &saved, &problem), MQ_OK);
    assert_int_equal(saved.masked, 1);
    import_expect(device, "{\"kind\":\"household\",\"id\":\"" ID_NUMBER "\",\"place\":\"990527103204\",\"head\":\"甲\"}",
                  MQ_REFUSED, "\"id\"");
    char *exported = export_of(device);
    assert_non_null(strstr(exported, "证110105********002X，卡4111********1111。"));
    assert_non_null(strstr(exported, "卡号4111********1111"));
    assert_null(strstr(exported, CARD_NUMBER));
    assert_null(strstr(exported, ID_NUMBER));
    free(exported);
    village_end(&village);
}

/* `after` is said by the program, from what was on the screen, and by no file: it is refused by name. */
static void after_is_refused(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 45);
    struct village_member *device = &village.devices[0];
    village_add(device, HOUSEHOLD, NULL);
    village_add(device, NEED, NULL);
    village_add(device, "{\"kind\":\"step\",\"id\":\"S-1\",\"need\":\"N-1\",\"step\":\"accept\"}", NULL);
    import_expect(device, "{\"kind\":\"step\",\"id\":\"S-2\",\"need\":\"N-1\",\"step\":\"answer\",\"after\":[\"S-1\"]}",
                  MQ_REFUSED, "\"after\"");
    import_expect(device, "{\"kind\":\"step\",\"id\":\"S-2\",\"need\":\"N-1\",\"step\":\"answer\",\"after\":\"S-1\"}",
                  MQ_REFUSED, "\"after\"");
    import_expect(device,
                  "{\"kind\":\"told\",\"id\":\"T-1\",\"need\":\"N-1\",\"date\":\"2026-11-05\",\"after\":[\"S-1\"]}",
                  MQ_REFUSED, "\"after\"");
    set_expect(device, "S-1", "after=[\"S-1\"]", MQ_REFUSED, "\"after\"");
    assert_int_equal(village_safety(device).records, 3);
    village_end(&village);
}

/* ---- edits ---- */

/* H-1 with two values of `nickname`, written on two devices, known to all. */
static void begin_conflict(struct village *village, uint64_t seed)
{
    village_begin(village, seed);
    village_add(&village->devices[0], HOUSEHOLD, NULL);
    village_sync_all(village, 2);
    village_set(&village->devices[0], "H-1", "nickname=老大");
    village_set(&village->devices[1], "H-1", "nickname=老二");
    village_sync_all(village, 2);
    assert_int_equal(village_safety(&village->devices[2]).conflicts, 1);
}

/* A new value replaces the one that was shown, and leaves the other of a conflict for a person to decide. */
static void set_replaces_only_what_was_shown(void **state)
{
    struct village village;
    (void)state;
    begin_conflict(&village, 46);
    struct village_member *device = &village.devices[2];
    char *before = conflicts_of(device);
    bool first_shown = strstr(before, "老大") < strstr(before, "老二");
    village_set(device, "H-1", "nickname=老三");
    village_sync_all(&village, 2);
    char *after = conflicts_of(&village.desk);
    assert_non_null(strstr(after, "老三"));
    assert_non_null(strstr(after, first_shown ? "老二" : "老大"));
    assert_null(strstr(after, first_shown ? "老大" : "老二"));
    assert_int_equal(village_safety(&village.desk).conflicts, 1);
    free(before);
    free(after);
    village_end(&village);
}

/* Elements are added and taken out; what another added unseen stays; what does not fit the field is refused. */
static void sets_take_elements(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 47);
    struct village_member *one = &village.devices[0], *two = &village.devices[1];
    village_add(one, HOUSEHOLD, NULL);
    village_sync_all(&village, 2);
    village_set(one, "H-1", "tags+=残疾人");
    village_set(two, "H-1", "tags+=残疾人"); /* both say so: one removal takes out both */
    village_set(two, "H-1", "tags+=留守儿童");
    village_sync_all(&village, 2);
    village_set(one, "H-1", "tags-=残疾人");
    village_set(one, "H-1", "tags-=受灾");
    village_set(two, "H-1", "tags+=受灾"); /* again, without having seen that: it stays */
    village_sync_all(&village, 2);
    char *shown = history_of(&village.desk, "H-1");
    shown[strcspn(shown, "\n")] = '\0';
    assert_non_null(strstr(shown, "受灾"));
    assert_non_null(strstr(shown, "留守儿童"));
    assert_null(strstr(shown, "残疾人"));
    free(shown);
    set_expect(one, "H-1", "tags-=残疾人", MQ_REFUSED, "\"tags\"");
    set_expect(one, "H-1", "tags=受灾", MQ_REFUSED, "\"tags\"");
    set_expect(one, "H-1", "tags+=无此标签", MQ_REFUSED, "\"tags\"");
    set_expect(one, "H-1", "head+=冯", MQ_REFUSED, "\"head\"");
    set_expect(one, "H-1", "head=", MQ_REFUSED, "\"head\"");
    set_expect(one, "H-1", "hobby=钓鱼", MQ_REFUSED, "\"hobby\"");
    village_end(&village);
}

/* Several assignments are all kept or none is. */
static void assignments_are_all_or_none(void **state)
{
    static const char *const assignments[] = {"nickname=谷雨", "people=三"};
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 48);
    struct village_member *device = &village.devices[0];
    village_add(device, HOUSEHOLD, NULL);
    int64_t changes = hostile_count(device, "SELECT count(*) FROM change");
    mq_error_clear(&problem);
    assert_int_equal(
        mq_records_set(device->replica, mq_span_text("H-1"), assignments, 2, mq_span_text(""), &saved, &problem),
        MQ_REFUSED);
    assert_non_null(strstr(problem.text, "\"people\""));
    mq_error_clear(&problem);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM change"), changes);
    village_set(device, "H-1", assignments[0]);
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM change"), changes + 1);
    village_set(device, "H-1", assignments[0]); /* it says so already */
    assert_int_equal(hostile_count(device, "SELECT count(*) FROM change"), changes + 1);
    village_end(&village);
}

/* A person's words stay the creator's, to the letter; later words stand beside them, and none can be taken out. */
static void words_stay(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 49);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_add(&village.devices[0], NEED, NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[1], "N-1", "words+=娃娃喝了拉肚子。");
    set_expect(&village.devices[1], "N-1", "words-=井水浑了。", MQ_REFUSED, "words");
    village_sync_all(&village, 2);
    for (int i = 0; i < 2; i++)
        assert_shown(&village.devices[i], "N-1", "\"words\":\"井水浑了。\",\"words_more\":[\"娃娃喝了拉肚子。\"]");
    village_end(&village);
}

/* A decision is a `set` where a device makes it and a `decide` where a desk does; both end the conflict everywhere. */
static void decisions_by_device_and_desk(void **state)
{
    (void)state;
    for (int desk = 0; desk < 2; desk++) {
        struct village village;
        begin_conflict(&village, 50 + (uint64_t)desk);
        struct village_member *judge = desk ? &village.desk : &village.devices[2];
        assert_int_equal(
            mq_records_resolve(judge->replica, mq_span_text("H-1"), mq_span_text("nickname"), 3, mq_span(NULL, 0), &problem), MQ_REFUSED);
        mq_error_clear(&problem);
        assert_int_equal(
            mq_records_resolve(judge->replica, mq_span_text("H-1"), mq_span_text("nickname"), 2, mq_span(NULL, 0), &problem), MQ_OK);
        village_sync_all(&village, 2);
        char *text = history_of(&village.devices[1], "H-1");
        assert_int_equal(strstr(text, "\"change\":\"decide\"") != NULL, desk);
        free(text);
        for (int i = 0; i < VILLAGE_DEVICES; i++)
            assert_int_equal(village_safety(&village.devices[i]).conflicts, 0);
        assert_int_equal(mq_records_resolve(judge->replica, mq_span_text("H-1"), mq_span_text("nickname"), 1, mq_span(NULL, 0), &problem),
                         MQ_REFUSED); /* there is nothing to decide any more */
        mq_error_clear(&problem);
        village_end(&village);
    }
}

/* A history begins with the create, then its changes in their order: where it was written, where it came, made anew. */
static void history_begins_with_the_create(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 52);
    village_add(&village.devices[0], HOUSEHOLD, NULL);
    village_set(&village.devices[0], "H-1", "nickname=谷雨");
    village_set(&village.devices[0], "H-1", "nickname=冯二");
    village_sync_all(&village, 2);
    assert_int_equal(mq_view_rebuild(village.devices[1].replica, &problem), MQ_OK);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        char *text = history_of(&village.devices[i], "H-1");
        const char *create = strstr(text, "\"change\":\"create\""), *set = strstr(text, "\"change\":\"set\"");
        assert_true(create != NULL && set != NULL && create < set);
        assert_true(strstr(create, "谷雨") < strstr(set, "冯二"));
        free(text);
    }
    village_end(&village);
}

/* That a record was taken away, or lives again, stands in its history like any change. */
static void history_tells_of_life(void **state)
{
    struct village village;
    struct mq_saved saved;
    uint8_t memory[256], lives[] = {0};
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    (void)state;
    village_begin(&village, 54);
    village_add(&village.devices[0], HOUSEHOLD, &saved);
    mq_change_put_set(&change, saved.record, MQ_FIELD_LIFE, MQ_SPAN(lives), mq_span(NULL, 0), mq_span(NULL, 0));
    hostile_write(&village.devices[0], mq_written(&change));
    village_sync_all(&village, 2);
    assert_shown(&village.devices[1], "H-1", "\"field\":\"life\",\"value\":\"lives\",\"safety\"");
    village_end(&village);
}

/* Who adds a visit need not say that it is today; a line of an import without its date is refused. */
static void a_visit_is_of_today(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 52);
    struct village_member *member = &village.devices[0];
    mq_fake_set_wall(member->fake, 1794268800); /* 2026-11-10, midnight */
    village_add(member, "{\"kind\":\"visit\",\"id\":\"V-1\",\"place\":\"990527103204\"}", &saved);
    char *text = export_of(member);
    assert_non_null(strstr(text, "\"date\":\"2026-11-10\""));
    free(text);
    const char *line = "{\"kind\":\"visit\",\"id\":\"V-2\",\"place\":\"990527103204\"}";
    assert_int_equal(import_line(member, mq_span_text(line), &saved), MQ_REFUSED);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_out_as_they_went_in),
        cmocka_unit_test(refusals_name_the_key),
        cmocka_unit_test(known_lines_are_skipped),
        cmocka_unit_test(numbers_are_masked),
        cmocka_unit_test(after_is_refused),
        cmocka_unit_test(set_replaces_only_what_was_shown),
        cmocka_unit_test(sets_take_elements),
        cmocka_unit_test(assignments_are_all_or_none),
        cmocka_unit_test(words_stay),
        cmocka_unit_test(decisions_by_device_and_desk),
        cmocka_unit_test(history_begins_with_the_create),
        cmocka_unit_test(history_tells_of_life),
        cmocka_unit_test(a_visit_is_of_today),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
