/* The words of reference_words.h. */
#include "tests/replica/reference_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/reference.h"
#include "replica/view.h"

struct mq_error problem;

enum mq_status desk_says(struct village_member *desk, const char *json)
{
    const struct mq_reference_teams teams = {.teams = &desk->team, .count = 1};
    struct mq_json *object;
    struct mq_saved saved;
    mq_error_clear(&problem);
    assert_int_equal(mq_json_parse(&object, mq_span_text(json), &problem), MQ_OK);
    enum mq_status status = mq_reference_add(desk->replica, &teams, object, &saved, &problem);
    mq_json_free(object);
    return status;
}

enum mq_status desk_sets(struct village_member *desk, const char *id, const char *one, const char *two)
{
    const struct mq_reference_teams teams = {.teams = &desk->team, .count = 1};
    const char *const assignments[] = {one, two};
    struct mq_saved saved;
    mq_error_clear(&problem);
    return mq_reference_set(desk->replica, &teams, mq_span_text(id), assignments, two == NULL ? 1 : 2, &saved, &problem);
}

void expect_ok(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

/* Refused, and the words name `part`. */
void expect_refused(enum mq_status status, const char *part)
{
    if (status != MQ_REFUSED || strstr(problem.text, part) == NULL)
        print_message("status %d, \"%s\" should name %s\n", (int)status, problem.text, part);
    assert_int_equal(status, MQ_REFUSED);
    assert_non_null(strstr(problem.text, part));
    mq_error_clear(&problem);
}

enum mq_status import_json(struct village_member *member, const char *json)
{
    struct mq_saved saved;
    mq_error_clear(&problem);
    return mq_records_import_line(member->replica, &member->team, mq_span_text(json), false, &saved, &problem);
}

void expect_line(struct village_member *member, const char *part)
{
    char *text = village_export(member);
    if (strstr(text, part) == NULL)
        print_message("%s is not in %s", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}

const struct mq_code *code_here(struct village_member *member, const struct mq_code_list *own, uint64_t number)
{
    const struct mq_code_list *list;
    expect_ok(mq_catalogue_codes(member->replica, own, &list, &problem));
    return mq_code_by_number(list, number);
}

uint64_t word_here(struct village_member *member, const struct mq_code_list *own, const char *word)
{
    const struct mq_code_list *list;
    expect_ok(mq_catalogue_codes(member->replica, own, &list, &problem));
    const struct mq_code *code = mq_code_by_text(list, mq_span_text(word));
    return code == NULL ? 0 : code->code;
}

const struct mq_place *place_here(struct village_member *member, const char *text)
{
    const struct mq_place *place = NULL;
    expect_ok(mq_catalogue_place_named(member->replica, mq_span_text(text), &place, &problem));
    return place;
}

int32_t day_of(const char *text)
{
    int32_t days = 0;
    assert_true(mq_date_parse(&days, mq_span_text(text)));
    return days;
}

void assert_agree(struct village *village)
{
    uint8_t first[MQ_HASH_SIZE], other[MQ_HASH_SIZE];
    expect_ok(mq_view_hash(village->desk.replica, first, &problem));
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        expect_ok(mq_view_hash(village->devices[i].replica, other, &problem));
        assert_memory_equal(first, other, sizeof first);
    }
}

static enum mq_status keep_line(void *context, struct mq_span object, struct mq_error *error)
{
    char **text = context;
    (void)error;
    free(*text);
    *text = strndup((const char *)object.data, object.size);
    return MQ_OK;
}

void expect_line_anywhere(struct village_member *member, const char *id, const char *part)
{
    char *text = NULL;
    const struct mq_emitter emitter = {&text, keep_line};
    mq_error_clear(&problem);
    assert_int_equal(mq_records_show(member->replica, mq_span_text(id), false, &emitter, &problem), MQ_OK);
    assert_non_null(text);
    if (strstr(text, part) == NULL)
        print_message("%s is not in %s", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}
