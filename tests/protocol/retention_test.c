/* Aim: every field has a purpose, a class and a time in docs/domain.md, and they are those of the program; months are counted
 * as people count them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/retention.h"

#define DOCUMENT "docs/domain.md"
#define HEADING "### 6.1 Every field"

static int32_t day(const char *text)
{
    int32_t out;
    assert_true(mq_date_parse(&out, mq_span_text(text)));
    return out;
}

/* A month earlier is the same day, or the last one where that month is shorter; years follow. */
static void months_are_counted(void **state)
{
    static const struct {
        const char *from;
        unsigned months;
        const char *to;
    } cases[] = {{"2026-11-15", 1, "2026-10-15"},  {"2026-03-31", 1, "2026-02-28"},  {"2028-03-31", 1, "2028-02-29"},
                 {"2026-01-31", 24, "2024-01-31"}, {"2028-02-29", 36, "2025-02-28"}, {"2026-01-01", 1, "2025-12-01"},
                 {"1970-01-01", 840, "1900-01-01"}, {"1970-01-01", 841, "1900-01-01"}, {"1970-01-31", 65535, "1900-01-01"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(mq_months_before(day(cases[i].from), cases[i].months), day(cases[i].to));
}

/* What goes with time or on request is a field of its kind, never one that holds the record in its place. */
static void tables_name_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < mq_retention_count + mq_forget_row_count; i++) {
        bool time = i < mq_retention_count;
        size_t at = time ? i : i - mq_retention_count;
        const struct mq_kind *kind = mq_kind_by_number(time ? mq_retentions[at].kind : mq_forget_rows[at].kind);
        assert_non_null(kind);
        assert_true(kind->number < MQ_FORGET_KINDS);
        for (int scope = 0; scope < (time ? 1 : MQ_FORGET_SCOPES); scope++) {
            uint64_t fields = time ? mq_retentions[at].fields : mq_forget_rows[at].fields[scope];
            for (unsigned n = 0; n < 63; n++)
                if (fields >> n & 1) {
                    assert_true(n > MQ_FIELD_ID);
                    assert_non_null(mq_field_by_number(kind, n));
                    assert_false(mq_field_by_number(kind, n)->flags & MQ_FIELD_MADE);
                }
        }
    }
}

/* Everything of class B goes when what is sensitive goes. */
static void class_b_is_sensitive(void **state)
{
    (void)state;
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t f = 0; f < mq_kinds[k].field_count; f++) {
            uint64_t fields = 0;
            if (!(mq_kinds[k].fields[f].flags & MQ_FIELD_CLASS_B))
                continue;
            for (size_t i = 0; i < mq_forget_row_count; i++)
                if (mq_forget_rows[i].kind == mq_kinds[k].number)
                    fields = mq_forget_rows[i].fields[MQ_FORGET_SENSITIVE];
            assert_true((fields & (MQ_FORGET_WHOLE | UINT64_C(1) << mq_kinds[k].fields[f].number)) != 0);
        }
}

/* ---- the document ---- */

static unsigned months_of(const struct mq_kind *kind, const struct mq_field *field)
{
    for (size_t i = 0; i < mq_retention_count; i++)
        if (mq_retentions[i].kind == kind->number &&
            (mq_retentions[i].fields & (MQ_FORGET_WHOLE | UINT64_C(1) << field->number)) != 0)
            return mq_retentions[i].months;
    return 0;
}

static const char *class_of(const struct mq_field *field)
{
    return field->flags & MQ_FIELD_CLASS_B ? " B " : field->flags & MQ_FIELD_PERSONAL ? " P " : " ";
}

/* The cells of a row, up to five; false: it is none. */
static bool read_row(char *line, char *cells[5])
{
    size_t count = 0;
    for (char *at = line; count < 6 && (at = strchr(at, '|')) != NULL; count++) {
        *at++ = '\0';
        if (count < 5)
            cells[count] = at;
    }
    return count == 6;
}

static void check_field(const struct mq_kind *kind, const struct mq_field *field, char *cells[5])
{
    char *end;
    unsigned long months = strtoul(cells[4], &end, 10);
    if (strspn(cells[2], " ") == strlen(cells[2]))
        fail_msg("%s.%s has no purpose", kind->key, field->key);
    if (strcmp(cells[3], class_of(field)) != 0)
        fail_msg("%s.%s: class \"%s\" should be \"%s\"", kind->key, field->key, cells[3], class_of(field));
    if (months != months_of(kind, field))
        fail_msg("%s.%s is kept for %u months, not %lu", kind->key, field->key, months_of(kind, field), months);
}

/* Counts how often each field stands in the row; `seen` is by kind and field. */
static void take_row(char *cells[5], unsigned seen[MQ_FORGET_KINDS][64])
{
    for (size_t k = 0; k < mq_kind_count; k++) {
        const struct mq_kind *kind = &mq_kinds[k];
        char word[64];
        snprintf(word, sizeof word, "`%s`", kind->key);
        if (strstr(cells[0], word) == NULL)
            continue;
        for (size_t f = 0; f < kind->field_count; f++) {
            const struct mq_field *field = &kind->fields[f];
            snprintf(word, sizeof word, "`%s`", field->key);
            if (field->number <= MQ_FIELD_ID || (strstr(cells[1], word) == NULL && strcmp(cells[1], " all ") != 0))
                continue;
            seen[kind->number][field->number]++;
            check_field(kind, field, cells);
        }
    }
}

/* Each field of each kind stands in the document once, with its class and its time. */
static void document_is_complete(void **state)
{
    static unsigned seen[MQ_FORGET_KINDS][64];
    static char text[1 << 20];
    (void)state;
    FILE *file = fopen(DOCUMENT, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    char *rest = strstr(text, HEADING), *line;
    assert_non_null(rest);
    rest = strstr(rest, "|---");
    assert_non_null(rest);
    (void)strsep(&rest, "\n");
    while ((line = strsep(&rest, "\n")) != NULL && *line == '|') {
        char *cells[5];
        assert_true(read_row(line, cells));
        take_row(cells, seen);
    }
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t f = 0; f < mq_kinds[k].field_count; f++) {
            const struct mq_field *field = &mq_kinds[k].fields[f];
            if (field->number > MQ_FIELD_ID && seen[mq_kinds[k].number][field->number] != 1)
                fail_msg("%s: %s.%s stands there %u times", HEADING, mq_kinds[k].key, field->key,
                         seen[mq_kinds[k].number][field->number]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_are_counted),
        cmocka_unit_test(tables_name_fields),
        cmocka_unit_test(class_b_is_sensitive),
        cmocka_unit_test(document_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
