/* Aim: the tables are consistent, every code and date goes there and back, and only good values are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/record.h"
#include "tests/protocol/chance.h"

static const struct mq_field *field_of(const char *kind, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_key(mq_span_text(kind)), mq_span_text(key));

    if (field == NULL)
        fail_msg("no field %s of %s", key, kind);
    return field;
}

/* Kinds and fields are found by number and by key, and by nothing else. */
static void lookups(void **state)
{
    (void)state;
    assert_int_equal(mq_kind_count, 17);
    for (size_t k = 0; k < mq_kind_count; k++) {
        const struct mq_kind *kind = &mq_kinds[k];
        assert_int_equal(kind->number, k + 1);
        assert_ptr_equal(mq_kind_by_number(kind->number), kind);
        assert_ptr_equal(mq_kind_by_key(mq_span_text(kind->key)), kind);
        for (size_t i = 0; i < kind->field_count; i++) {
            assert_ptr_equal(mq_field_by_number(kind, kind->fields[i].number), &kind->fields[i]);
            assert_ptr_equal(mq_field_by_key(kind, mq_span_text(kind->fields[i].key)), &kind->fields[i]);
        }
        assert_null(mq_field_by_number(kind, kind->fields[kind->field_count - 1].number + 1u));
        assert_null(mq_field_by_number(kind, 256 + MQ_FIELD_ID));
        assert_null(mq_field_by_key(kind, mq_span_text("i")));
        assert_null(mq_field_by_key(kind, mq_span(NULL, 0)));
    }
    assert_null(mq_kind_by_number(0));
    assert_null(mq_kind_by_number(18));
    assert_null(mq_kind_by_number(UINT64_MAX));
    assert_null(mq_kind_by_key(mq_span_text("household ")));
    assert_null(mq_kind_by_key(mq_span(NULL, 0)));
    assert_null(mq_field_by_number(NULL, 2));
    assert_null(mq_field_by_key(NULL, mq_span_text("id")));
}

static void check_field(const struct mq_field *field)
{
    bool reference = field->type == MQ_TYPE_REFERENCE || field->type == MQ_TYPE_REFERENCES;
    bool text = field->type == MQ_TYPE_TEXT || field->type == MQ_TYPE_LONG_TEXT || field->type == MQ_TYPE_ID ||
                field->type == MQ_TYPE_PLACE;

    assert_int_equal(field->codes != NULL, field->type == MQ_TYPE_CODE);
    assert_true(field->target == 0 || (reference && mq_kind_by_number(field->target) != NULL));
    assert_true(!reference || (field->flags & MQ_FIELD_UNSCANNED) != 0);
    assert_true(!text || (field->most > 0 && field->most <= MQ_LONG_TEXT_MAX));
    assert_true(field->most > 0 || reference || field->type == MQ_TYPE_CODE || field->type == MQ_TYPE_DATE ||
                field->type == MQ_TYPE_BOOL || field->type == MQ_TYPE_LIFE);
}

/* Numbers rise, the first three fields are the same everywhere, and each row fits its type. */
static void fields_are_consistent(void **state)
{
    (void)state;
    for (size_t k = 0; k < mq_kind_count; k++) {
        const struct mq_kind *kind = &mq_kinds[k];
        const struct mq_field *fields = kind->fields;
        assert_true(kind->field_count > 3 && kind->field_count <= MQ_FIELDS_MAX);
        for (size_t i = 0; i < kind->field_count; i++) {
            assert_true(i == 0 || fields[i].number > fields[i - 1].number);
            check_field(&fields[i]);
        }
        assert_int_equal(fields[MQ_FIELD_LIFE].type, MQ_TYPE_LIFE);
        assert_string_equal(fields[MQ_FIELD_SAME_AS].key, "same_as");
        assert_int_equal(fields[MQ_FIELD_SAME_AS].merge, MQ_MERGE_SET);
        assert_int_equal(fields[MQ_FIELD_SAME_AS].target, kind->number);
        assert_string_equal(fields[MQ_FIELD_ID].key, "id");
        assert_int_equal(fields[MQ_FIELD_ID].number, MQ_FIELD_ID);
        assert_int_equal(fields[MQ_FIELD_ID].flags,
                         MQ_FIELD_REQUIRED | MQ_FIELD_IDENTITY | MQ_FIELD_UNSCANNED);
        for (size_t i = 0; i < kind->one_of_count; i++)
            for (size_t j = 0; j < 4 && kind->one_of[i][j] != 0; j++)
                assert_non_null(mq_field_by_number(kind, kind->one_of[i][j]));
    }
}

/* What the record format calls needed is required, and nothing else; sets and words are those of the protocol. */
static void required_and_merging(void **state)
{
    static const char *const required[] = {"household.place", "household.head", "plan.purpose", "visit.date",
                                           "need.words",      "step.need",      "step.step",    "told.need",
                                           "told.date",       "suggestion.text",
                                           "person.household", "person.name",    "standing.household", "standing.type",
                                           "notice.household", "notice.version", "notice.date", "request.household",
                                           "request.right", "request.date", "exported.date", "exported.what",
                                           "exported.format", "code.list", "code.code", "place.name", "unit.name", "calendar.year",
                                           "preset.name", "preset.clock"};
    static const char *const sets[] = {"household.types", "household.tags", "household.not_same_as", "plan.households",
                                       "visit.households", "need.asks",     "need.obstacles",        "need.not_same_as",
                                       "step.after",      "told.after",     "person.tags",           "unit.categories"};
    size_t required_count = 0, set_count = 0, words = 0;

    (void)state;
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t i = 3; i < mq_kinds[k].field_count; i++) {
            const struct mq_field *field = &mq_kinds[k].fields[i];
            char name[64];
            snprintf(name, sizeof name, "%s.%s", mq_kinds[k].key, field->key);
            if (field->flags & MQ_FIELD_REQUIRED)
                assert_string_equal(name, required[required_count++]);
            if (field->merge == MQ_MERGE_SET)
                assert_string_equal(name, sets[set_count++]);
            words += field->merge == MQ_MERGE_WORDS;
        }
    assert_int_equal(required_count, sizeof required / sizeof *required);
    assert_int_equal(set_count, sizeof sets / sizeof *sets);
    assert_int_equal(words, 1);
    assert_int_equal(field_of("need", "words")->merge, MQ_MERGE_WORDS);
    assert_int_equal(field_of("need", "no")->flags, MQ_FIELD_MADE | MQ_FIELD_IDENTITY | MQ_FIELD_UNSCANNED);
    assert_int_equal(mq_kind_by_number(MQ_KIND_VISIT)->one_of_count, 1);
}

/* Where kind or field is unknown, links are sets and all else registers. */
static void merge_rules(void **state)
{
    (void)state;
    for (uint64_t kind = 0; kind < 20; kind++) {
        assert_int_equal(mq_merge_rule(mq_kind_by_number(kind), MQ_FIELD_LIFE), MQ_MERGE_REGISTER);
        assert_int_equal(mq_merge_rule(mq_kind_by_number(kind), MQ_FIELD_SAME_AS), MQ_MERGE_SET);
        assert_int_equal(mq_merge_rule(mq_kind_by_number(kind), 200), MQ_MERGE_REGISTER);
    }
    assert_int_equal(mq_merge_rule(mq_kind_by_number(MQ_KIND_NEED), 9), MQ_MERGE_WORDS);
    assert_int_equal(mq_merge_rule(mq_kind_by_number(MQ_KIND_NEED), 14), MQ_MERGE_SET);
}

/* `word` leads to the code and back to what is printed of it. */
static void check_word(const struct mq_field *field, const struct mq_code *code, struct mq_span word)
{
    uint8_t value[16], text[64];
    struct mq_buffer out = mq_buffer(value, sizeof value), back = mq_buffer(text, sizeof text);

    if (mq_code_by_text(field->codes, word) != code)
        fail_msg("%.*s does not lead to %s", (int)word.size, (const char *)word.data, code->label);
    assert_int_equal(mq_value_from_text(field, word, &out), MQ_OK);
    assert_true(mq_value_valid(field, mq_written(&out)));
    assert_int_equal(mq_value_to_text(field, mq_written(&out), &back), MQ_OK);
    assert_true(mq_span_equal(mq_written(&back), mq_span_text(code->text != NULL ? code->text : code->label)));
}

/* Printed code, label and each alias lead to one code, and its number back to it; labels hold no explanation. */
static void codes_round_trip(void **state)
{
    (void)state;
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t i = 0; i < mq_kinds[k].field_count; i++) {
            const struct mq_field *field = &mq_kinds[k].fields[i];
            for (size_t c = 0; field->codes != NULL && c < field->codes->count; c++) {
                const struct mq_code *code = &field->codes->codes[c];
                assert_true(c == 0 || code->code > field->codes->codes[c - 1].code);
                assert_ptr_equal(mq_code_by_number(field->codes, code->code), code);
                check_word(field, code, mq_span_text(code->label));
                assert_null(strpbrk(code->label, " ()"));
                assert_null(strstr(code->label, "（"));
                assert_true(code->to == 0 || code->to > code->from);
                if (code->text != NULL)
                    check_word(field, code, mq_span_text(code->text));
                char aliases[128];
                snprintf(aliases, sizeof aliases, "%s", code->alias != NULL ? code->alias : "");
                for (char *rest = aliases, *word; (word = strsep(&rest, " ")) != NULL;)
                    if (code->alias != NULL)
                        check_word(field, code, mq_span_text(word));
            }
        }
}

/* The words that people are used to, those that no list has, and numbers: a code that was added elsewhere is kept, and is
 * its number until its words come. */
static void code_words(void **state)
{
    static const struct {
        const char *kind, *key, *text, *shown; /* NULL: refused */
    } rows[] = {
        {"household", "types", "五保", "特困人员"},       {"household", "types", "五保户", "特困人员"},
        {"household", "types", "低保户", "低保家庭"},     {"household", "types", "一般农户", "一般户"},
        {"household", "types", "边缘易致贫户", "边缘易致贫户"},
        {"household", "types", "五保 五保户", NULL},      {"household", "types", "", NULL},
        {"household", "types", "五", NULL},               {"household", "types", "特困人员(集中/分散)", NULL},
        {"household", "tags", "空巢老人", "空巢/留守老人"},
        {"need", "category", "04", "04"},                 {"need", "category", "饮水", "04"},
        {"need", "category", "4", "04"},                  {"need", "category", "人身安全", "90"},
        {"need", "category", "99", "99"},                 {"need", "category", "004", NULL},
        {"need", "category", "21", "21"},                 {"need", "category", "65535", "65535"},
        {"need", "category", "65536", NULL},              {"need", "category", "0", NULL},
        {"need", "urgency", "特急", "特急"},              {"need", "urgency", "1", "特急"},
        {"step", "step", "accept", "accept"},             {"step", "step", "受理", "accept"},
        {"step", "step", "Accept", NULL},                 {"step", "result", "转专门程序", "转专门程序"},
        {"visit", "checks.收入变化", "没问", "没问"},     {"told", "reaction", "未联系上", "未联系上"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct mq_field *field = field_of(rows[i].kind, rows[i].key);
        uint8_t value[16], text[64];
        struct mq_buffer out = mq_buffer(value, sizeof value), back = mq_buffer(text, sizeof text);
        enum mq_status status = mq_value_from_text(field, mq_span_text(rows[i].text), &out);
        if ((status == MQ_OK) != (rows[i].shown != NULL))
            fail_msg("%s", rows[i].text);
        if (status == MQ_OK) {
            assert_int_equal(mq_value_to_text(field, mq_written(&out), &back), MQ_OK);
            assert_true(mq_span_equal(mq_written(&back), mq_span_text(rows[i].shown)));
        }
    }
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

/* All days of 1900 to 2199, both ways, and every impossible one beside them refused. */
static void dates_exhaustively(void **state)
{
    int32_t expected = -25567, days; /* 1900-01-01 */
    char text[40], printed[11];

    (void)state;
    for (int year = 1899; year <= 2200; year++)
        for (int month = 0; month <= 13; month++)
            for (int day = 0; day <= 32; day++) {
                bool good = year >= 1900 && year <= 2199 && month >= 1 && month <= 12 && day >= 1 &&
                            day <= month_days(year, month);
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                if (mq_date_parse(&days, mq_span_text(text)) != good)
                    fail_msg("%s", text);
                if (!good)
                    continue;
                assert_int_equal(days, expected++);
                mq_date_print(printed, days);
                assert_string_equal(printed, text);
            }
    assert_int_equal(expected - 1, MQ_DAY_MAX);
    assert_true(mq_date_parse(&days, mq_span_text("1970-01-01")) && days == 0);
}

/* Only the one form of a date is one. */
static void date_forms(void **state)
{
    static const char *const refused[] = {"",           "2026-4-11",   "2026-04-1",    "2026-04-111", "2026/04/11",
                                          "20260411",   "2026-04-11 ", " 2026-04-11",  "2026-04-1a",  "+026-04-11",
                                          "2026-+4-11", "２026-04-11", "2026-04 11",   "2026-00-10",  "2025-02-29"};
    int32_t days;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (mq_date_parse(&days, mq_span_text(refused[i])))
            fail_msg("%s", refused[i]);
}

/* Text to value and back; what is shown is what was given. */
static void texts_come_back(void **state)
{
    static const struct {
        const char *kind, *key, *text;
        size_t size; /* of the value */
    } rows[] = {
        {"household", "id", "019686eb-26c0-715a-ad75-dedb618177ff", 17},
        {"household", "id", "00000000-0000-0000-0000-000000000000", 17},
        {"household", "id", "ffffffff-ffff-ffff-ffff-ffffffffffff", 17},
        {"household", "id", "019686EB-26c0-715a-ad75-dedb618177ff", 38},
        {"household", "id", "019686eb-26c0-715a-ad75dedb618177fff", 38},
        {"household", "id", "g19686eb-26c0-715a-ad75-dedb618177ff", 38},
        {"household", "id", "019686eb-26c0-715a-ad75-dedb618177f", 37},
        {"household", "id", "H-0012", 7},
        {"household", "id", "杉坪三组 12", 16},
        {"household", "place", "990527103204", 9},
        {"household", "place", "000000000001", 1},
        {"household", "place", "杉坪村", 10},
        {"household", "place", "99052710320", 12},
        {"household", "place", "9905271032041", 14},
        {"household", "nickname", "", 1},
        {"household", "head", "布买日穆罕默德·阿不都热合曼", 43},
        {"household", "head", "冉䶮", 7},
        {"household", "head", "石\xf0\xac\x8e\x86", 8},
        {"household", "people", "0", 1},
        {"household", "people", "999", 3},
        {"need", "county_eyes", "true", 1},
        {"need", "county_eyes", "false", 1},
        {"need", "words", "第一行\n\t第二行", 21},
        {"visit", "next", "2026-05-13", 11},
        {"visit", "date", "1970-01-01", 1},
        {"visit", "date", "2199-12-31", 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct mq_field *field = field_of(rows[i].kind, rows[i].key);
        uint8_t value[128], text[128];
        struct mq_buffer out = mq_buffer(value, sizeof value), back = mq_buffer(text, sizeof text);
        if (mq_value_from_text(field, mq_span_text(rows[i].text), &out) != MQ_OK || out.size != rows[i].size)
            fail_msg("%s: %zu bytes", rows[i].text, out.size);
        assert_true(mq_cbor_valid(mq_written(&out)) && mq_value_valid(field, mq_written(&out)));
        assert_int_equal(mq_value_to_text(field, mq_written(&out), &back), MQ_OK);
        assert_true(mq_span_equal(mq_written(&back), mq_span_text(rows[i].text)));
        out = mq_buffer(value, rows[i].size - 1);
        assert_int_equal(mq_value_from_text(field, mq_span_text(rows[i].text), &out), MQ_NO_SPACE);
    }
}

/* Texts that are no such value. */
static void texts_refused(void **state)
{
    static const struct {
        const char *kind, *key, *text;
    } rows[] = {
        {"household", "id", ""},           {"household", "id", "a\nb"},       {"household", "id", "a\x7f"},
        {"household", "place", ""},        {"household", "place", "村\t"},    {"household", "head", ""},
        {"household", "head", "李\x01"},   {"household", "head", "李\n"},     {"household", "head", "李\xc2\x85"},
        {"household", "head", "李\xff"},   {"household", "head", "\xe6\x9d"}, {"household", "head", "\xed\xa0\x80"},
        {"household", "people", "1000"},   {"household", "people", "-1"},     {"household", "people", "01"},
        {"household", "people", ""},       {"household", "people", "3.0"},    {"household", "people", " 3"},
        {"household", "people", "18446744073709551617"},
        {"need", "county_eyes", "True"},   {"need", "county_eyes", "1"},      {"need", "county_eyes", ""},
        {"need", "words", ""},             {"need", "words", "a\r\n"},        {"need", "words", "a\x1b[0m"},
        {"visit", "date", "1969-12-31"},   {"visit", "date", "2200-01-01"},   {"visit", "date", "今天"},
        {"household", "phones", "[]"},     {"plan", "questions", "a"},        {"visit", "household", "H-1"},
        {"household", "life", "0"},        {"household", "same_as", "H-1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t value[128];
        struct mq_buffer out = mq_buffer(value, sizeof value);
        if (mq_value_from_text(field_of(rows[i].kind, rows[i].key), mq_span_text(rows[i].text), &out) != MQ_REFUSED)
            fail_msg("%s.%s takes %s", rows[i].kind, rows[i].key, rows[i].text);
    }
}

/* Every limit on a text's size holds to the byte. */
static void sizes(void **state)
{
    static uint8_t text[MQ_LONG_TEXT_MAX + 1], value[MQ_LONG_TEXT_MAX + 16];

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t i = 0; i < mq_kinds[k].field_count; i++) {
            const struct mq_field *field = &mq_kinds[k].fields[i];
            bool sized = field->type == MQ_TYPE_TEXT || field->type == MQ_TYPE_LONG_TEXT ||
                         field->type == MQ_TYPE_ID || field->type == MQ_TYPE_PLACE;
            for (size_t over = 0; sized && over <= 1; over++) {
                struct mq_buffer out = mq_buffer(value, sizeof value);
                struct mq_span whole = mq_span(text, field->most + over);
                assert_int_equal(mq_value_from_text(field, whole, &out), over ? MQ_REFUSED : MQ_OK);
                out = mq_buffer(value, sizeof value);
                mq_cbor_put_text(&out, whole);
                assert_int_equal(mq_value_valid(field, mq_written(&out)), !over);
            }
        }
}

/* Values as they may come from outside, in hexadecimal. */
static const struct {
    bool accept;
    const char *kind, *key, *hex;
} outside[] = {
    {true, "household", "life", "00"},
    {true, "household", "life", "820180"},
    {true, "household", "life", "820181480102030405060708"},
    {false, "household", "life", "01"},
    {false, "household", "life", "820080"},
    {false, "household", "life", "82018147010203040506 07"},
    {false, "household", "life", "83018000"},
    {false, "household", "life", "8201"},
    {false, "household", "life", "830181480102030405060708"}, /* says three items, has two */
    {true, "household", "same_as", "c65000112233445566778899aabbccddeeff"},
    {false, "household", "same_as", "5000112233445566778899aabbccddeeff"},
    {false, "household", "same_as", "c600"},
    {false, "household", "same_as", "c65000112233445566778899aabbccddeeff00"},
    {true, "household", "id", "5000112233445566778899aabbccddeeff"},
    {false, "household", "id", "4f112233445566778899aabbccddeeff"},
    {false, "household", "id", "782430303131323233332d343435352d363637372d383839392d616162626363646465656666"},
    {true, "household", "id", "782430303131323233332d343435352d363637372d383839392d414162626363646465656666"},
    {false, "household", "id", "60"},
    {false, "household", "id", "00"},
    {true, "household", "place", "1b000000e8d4a50fff"},
    {false, "household", "place", "1b000000e8d4a51000"},
    {false, "household", "place", "6c393930353237313033323034"},
    {true, "household", "place", "6b3939303532373130333230"},
    {false, "household", "place", "60"},
    {false, "household", "place", "20"},
    {true, "household", "head", "6161"},
    {false, "household", "head", "4161"},
    {false, "household", "head", "616100"},
    {false, "household", "head", "60"},
    {true, "household", "nickname", "60"},
    {false, "household", "nickname", "f6"},
    {false, "household", "nickname", "6100"},
    {false, "household", "nickname", "610a"},
    {true, "need", "words", "62610a"},
    {false, "need", "words", "62610d"},
    {true, "household", "people", "1903e7"},
    {false, "household", "people", "1903e8"},
    {false, "household", "people", "1863f6"},
    {true, "household", "types", "01"},
    {false, "household", "types", "00"},
    {false, "household", "types", "8101"},
    {true, "household", "types", "1903e8"},
    {true, "household", "types", "19ffff"},
    {false, "household", "types", "1a00010000"},
    {true, "household", "phones", "80"},
    {true, "household", "phones", "818263313233f6"},
    {true, "household", "phones", "8282633132336361626382613160"},
    {false, "household", "phones", "8181633132 33"},
    {false, "household", "phones", "818260f6"},
    {false, "household", "phones", "818263313233f4"},
    {false, "household", "phones", "8182623100f6"},
    {false, "household", "phones", "818363313233f6f6"},
    {false, "household", "phones", "818201f6"},
    {false, "household", "phones", "8182623132610a"}, /* whose: a line feed */
    {true, "place", "codes", "81831b000000e67c8e1d6418641903e8"},
    {true, "place", "codes", "818300f6f6"},
    {true, "place", "codes", "818300f61864"},
    {true, "place", "codes", "81831b000000e8d4a50fff1a00014825f6"},
    {false, "place", "codes", "81831b000000e8d4a51000f6f6"},
    {false, "place", "codes", "8183001a00014826f6"},
    {false, "place", "codes", "818300f61a00014826"},
    {false, "place", "codes", "818300f6f4"},
    {false, "place", "codes", "818200f6"},
    {false, "place", "codes", "818400f6f6f6"},
    {false, "place", "codes", "81836131f6f6"},
    {false, "place", "codes", "8100"},
    {true, "calendar", "holidays", "8218641903e8"},
    {false, "calendar", "holidays", "81f6"},
    {false, "calendar", "holidays", "811a00014826"},
    {true, "plan", "questions", "8261616162"},
    {true, "plan", "questions", "85616161616161616161 61"},
    {false, "plan", "questions", "86616161616161616161616161"},
    {false, "plan", "questions", "8101"},
    {false, "plan", "questions", "81610a"},
    {true, "visit", "date", "1a00014825"},
    {false, "visit", "date", "1a00014826"},
    {false, "visit", "date", "20"},
    {true, "need", "county_eyes", "f5"},
    {false, "need", "county_eyes", "01"},
    {false, "need", "county_eyes", "f6"},
    {false, "need", "county_eyes", ""},
};

/* Of every type, the good and the bad ones just beside them. */
static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        uint8_t value[128];
        size_t size = 0;
        for (const char *hex = outside[i].hex; *hex != '\0';) {
            unsigned byte;
            hex += *hex == ' ';
            assert_int_equal(sscanf(hex, "%2x", &byte), 1);
            value[size++] = (uint8_t)byte;
            hex += 2;
        }
        if (mq_value_valid(field_of(outside[i].kind, outside[i].key), mq_span(value, size)) != outside[i].accept)
            fail_msg("%s.%s %s", outside[i].kind, outside[i].key, outside[i].hex);
    }
}

/* Random items: what a scalar field accepts, its text brings back byte by byte; nothing does harm. */
static void random_values(void **state)
{
    struct chance chance = chance_start("random values");
    size_t accepted = 0;

    (void)state;
    for (int round = 0; round < 300000; round++) {
        const struct mq_kind *kind = &mq_kinds[chance_below(&chance, mq_kind_count)];
        const struct mq_field *field = &kind->fields[chance_below(&chance, kind->field_count)];
        uint8_t value[24], text[64], again[32];
        size_t size = 1 + chance_below(&chance, sizeof value);
        chance_fill(&chance, value, size);
        if (chance_below(&chance, 2) == 0) {
            memset(value, 'a', size);
            value[0] = (uint8_t)(0x60 | (size - 1));
        } else if (chance_below(&chance, 2) == 0) {
            value[0] &= 0x1f;
        }
        struct mq_buffer shown = mq_buffer(text, sizeof text), out = mq_buffer(again, sizeof again);
        if (!mq_value_valid(field, mq_span(value, size)) ||
            mq_value_to_text(field, mq_span(value, size), &shown) != MQ_OK)
            continue;
        accepted++;
        assert_int_equal(mq_value_from_text(field, mq_written(&shown), &out), MQ_OK);
        assert_true(mq_span_equal(mq_written(&out), mq_span(value, size)));
    }
    assert_true(accepted > 1000);
}

/* A value that is not valid has no text, nor has one whose text needs more than the value. */
static void no_text(void **state)
{
    static const uint8_t zero = 0, reference[] = {0xc6, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    uint8_t text[64];
    struct mq_buffer out = mq_buffer(text, sizeof text);

    (void)state;
    assert_int_equal(mq_value_to_text(field_of("household", "types"), mq_span(&zero, 1), &out), MQ_REFUSED);
    assert_int_equal(mq_value_to_text(field_of("household", "life"), mq_span(&zero, 1), &out), MQ_REFUSED);
    assert_int_equal(mq_value_to_text(field_of("visit", "household"), MQ_SPAN(reference), &out), MQ_REFUSED);
    assert_true(mq_value_valid(field_of("visit", "household"), MQ_SPAN(reference)));
}

/* Lists have neither one text nor come from one, whatever they hold; a text that does not fit its buffer is said. */
static void lists_have_no_text(void **state)
{
    static const enum mq_field_type lists[] = {MQ_TYPE_PHONES, MQ_TYPE_TEXTS, MQ_TYPE_DATES, MQ_TYPE_DATED_CODES, MQ_TYPE_REFERENCES};
    static const uint8_t empty = 0x80, text[] = {0x62, 'a', 'b'};
    uint8_t memory[16];
    struct mq_buffer small = mq_buffer(memory, 1);

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct mq_field list = {.key = "list", .type = lists[i], .most = 2};
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        assert_true(mq_type_is_list(list.type));
        assert_true(mq_value_valid(&list, mq_span(&empty, 1)));
        assert_int_equal(mq_value_to_text(&list, mq_span(&empty, 1), &out), MQ_REFUSED);
        assert_int_equal(mq_value_from_text(&list, mq_span_text("[]"), &out), MQ_REFUSED);
        assert_int_equal(out.size, 0);
    }
    assert_false(mq_type_is_list(MQ_TYPE_TEXT) || mq_type_is_list(MQ_TYPE_REFERENCE));
    assert_int_equal(mq_value_to_text(field_of("household", "head"), MQ_SPAN(text), &small), MQ_NO_SPACE);
}

/* A whole list of references, which no kind has yet, holds references and not too many. */
static void lists_of_references(void **state)
{
    static const struct mq_field list = {.key = "list", .type = MQ_TYPE_REFERENCES, .most = 2};
    uint8_t value[64];

    (void)state;
    for (size_t count = 0; count <= 3; count++) {
        struct mq_buffer out = mq_buffer(value, sizeof value);
        mq_cbor_put_array(&out, count);
        for (size_t i = 0; i < count; i++) {
            mq_cbor_put_reference(&out);
            mq_cbor_put_bytes(&out, mq_span("0123456789abcdef", MQ_ID_SIZE));
        }
        assert_int_equal(mq_value_valid(&list, mq_written(&out)), count <= 2);
    }
    assert_false(mq_value_valid(&list, mq_span("\x81\x00", 2)));
    assert_int_equal(mq_value_from_text(&list, mq_span_text("a"), &(struct mq_buffer){0}), MQ_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups),          cmocka_unit_test(fields_are_consistent),
        cmocka_unit_test(required_and_merging), cmocka_unit_test(merge_rules),
        cmocka_unit_test(codes_round_trip), cmocka_unit_test(code_words),
        cmocka_unit_test(dates_exhaustively), cmocka_unit_test(date_forms),
        cmocka_unit_test(texts_come_back),  cmocka_unit_test(texts_refused),
        cmocka_unit_test(sizes),            cmocka_unit_test(values),
        cmocka_unit_test(random_values),    cmocka_unit_test(no_text),
        cmocka_unit_test(lists_of_references), cmocka_unit_test(lists_have_no_text),
    };

    return cmocka_run_group_tests_name("protocol/record", tests, NULL, NULL);
}
