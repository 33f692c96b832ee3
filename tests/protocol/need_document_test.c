/* Aim: the tables of states, steps and deadlines in docs/domain.md are those of the program, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"
#include "protocol/need.h"
#include "protocol/preset.h"

#define DOCUMENT "docs/domain.md"

static char *document;

static int read_document(void **state)
{
    FILE *file = fopen(DOCUMENT, "rb");
    (void)state;
    if (file == NULL)
        return -1;
    document = calloc(1, 1 << 20);
    size_t size = document == NULL ? 0 : fread(document, 1, (1 << 20) - 1, file);
    fclose(file);
    return size > 0 ? 0 : -1;
}

static int free_document(void **state)
{
    (void)state;
    free(document);
    return 0;
}

/* The lines of the one table under a heading must be these, in this order. */
static void assert_table(const char *heading, const char *rows)
{
    const char *at = strstr(document, heading);
    if (at == NULL)
        fail_msg("%s: no heading \"%s\"", DOCUMENT, heading);
    at = strstr(at, "\n|");
    assert_non_null(at);
    at = strchr(at + 1, '\n'); /* over the head */
    at = strchr(at + 1, '\n'); /* and the line below it */
    const char *end = strstr(at, "\n\n");
    assert_non_null(end);
    size_t size = (size_t)(end - at);
    if (size != strlen(rows) || memcmp(at, rows, size) != 0) {
        fprintf(stderr, "%s\n", rows); /* longer than what fail_msg shows */
        fail_msg("%s, \"%s\": the table should be as above", DOCUMENT, heading);
    }
}

static void add(char *out, size_t capacity, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(out);
    va_start(arguments, format);
    int length = vsnprintf(out + used, capacity - used, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < capacity - used);
}

static const char *rank_word(unsigned rank)
{
    return rank == MQ_RANK_CADRE ? "cadre" : rank == MQ_RANK_COUNTY ? "county" : "desk";
}

static void add_fields(char *out, size_t capacity, unsigned says, const char *between)
{
    static const char *const names[] = {"`unit`", "`text`", "`due`", "`reason`", "`result`", "`cause`", "some unit"};
    bool first = true;
    for (unsigned bit = 0; bit < 7; bit++)
        if (says >> bit & 1) {
            add(out, capacity, "%s%s", first ? "" : between, names[bit]);
            first = false;
        }
}

/* States: key, label, who holds a need that is in it. */
static void states_table(void **state)
{
    static const char *const holders[] = {"nobody", "the cadre", "the desk", "the unit", "the county",
                                          "who holds the other need"};
    static char rows[8192];
    (void)state;
    for (size_t i = 0; i < mq_need_state_count; i++) {
        const struct mq_need_state *each = &mq_need_states[i];
        add(rows, sizeof rows, "\n| `%s` | %s | %s |", each->key, each->label, holders[each->holder]);
    }
    assert_table("### 4.1 ", rows);
}

/* Steps: one line a row of the program's table. */
static void steps_table(void **state)
{
    static const char *const conditions[] = {
        "", "he is not dissatisfied", "he is dissatisfied", "nobody was reached", "the result is another than 挂账",
        "the result is 挂账", "the first or second", "the cause is 三次未联系上, 匿名 or 迁出", "the cause is 解释后办结",
    };
    static const char *const clocks[] = {"starts", "runs", "pauses", "new date", "stops", "ends"};
    static char rows[16384];
    (void)state;
    for (size_t i = 0; i < mq_need_rule_count; i++) {
        const struct mq_need_rule *rule = &mq_need_rules[i];
        bool first = true;
        add(rows, sizeof rows, "\n| ");
        for (size_t s = 0; s < mq_need_state_count; s++)
            if (rule->from >> mq_need_states[s].number & 1) {
                add(rows, sizeof rows, "%s%s", first ? "" : ", ", mq_need_states[s].key);
                first = false;
            }
        add(rows, sizeof rows, " | `%s` | %s | %s | ",
            rule->code == 0 ? "told" : mq_code_by_number(&mq_codes_step, rule->code)->text,
            rule->to == 0 ? "stays" : mq_need_state_by_number(rule->to)->key, rank_word(rule->rank));
        add_fields(rows, sizeof rows, rule->says, ", ");
        if (rule->says != 0 && rule->one_of != 0)
            add(rows, sizeof rows, ", ");
        add_fields(rows, sizeof rows, rule->one_of, " or ");
        add(rows, sizeof rows, " | %s | %s |", conditions[rule->when], clocks[rule->clock]);
    }
    assert_table("### 4.2 ", rows);
}

/* Deadlines: what is used, and where it comes from. */
static void presets_table(void **state)
{
    static char rows[8192];
    (void)state;
    for (size_t i = 0; i < mq_presets_built_in_count; i++) {
        const struct mq_preset *each = &mq_presets_built_in[i];
        add(rows, sizeof rows, "\n| `%s` | %s | %s | %u%s | %s | %s |", each->id, each->name,
            mq_code_by_number(&mq_codes_clock, each->clock)->text, each->days, each->working ? " working days" : " days",
            each->source, each->usual ? "used" : each->binding ? "binds there" : "local");
    }
    assert_table("### 4.3 ", rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_table),
        cmocka_unit_test(steps_table),
        cmocka_unit_test(presets_table),
    };
    return cmocka_run_group_tests(tests, read_document, free_document);
}
