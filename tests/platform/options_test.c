/* Aim: one table parses and shows command lines; what is wrong on one is named together with what would be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/options.h"

static const struct mq_option common[] = {{"json", NULL, "one object a line"},
                                          {"passphrase-file", "FILE", "where the passphrase is"},
                                          {"version", NULL, "the version"},
                                          {0}};

static const struct mq_command commands[] = {
    {.name = "add",
     .arguments = "KIND [--FIELD VALUE ...]",
     .help = "one record",
     .words_min = 1,
     .words_max = 1,
     .takes_fields = true,
     .options = {{"place", "CODE", "where"}}},
    {.name = "list",
     .arguments = "KIND",
     .help = "what there is",
     .words_min = 1,
     .words_max = 2,
     .options = {{"limit", "N", "how many"}, {"search", "Q", "which"}}},
    {.name = "desk list", .arguments = "KIND", .help = "what the desk has", .words_min = 1, .words_max = 1},
    {.name = "desk show", .arguments = "ID", .help = "one record", .words_min = 1, .words_max = 1},
};
#define COUNT (sizeof commands / sizeof commands[0])

static const struct mq_command *command;
static struct mq_command_line line;
static struct mq_error error;
static char text[2000]; /* what the parsed line points into */

/* Parses words divided by single blanks behind the program's name. */
static enum mq_status parse(const char *words)
{
    char *arguments[100] = {"minqing"};
    int count = 1;
    snprintf(text, sizeof text, "%s", words);
    for (char *at = text; *at != '\0' && count < 100;) {
        size_t length = strcspn(at, " ");
        bool last = at[length] == '\0';
        at[length] = '\0';
        arguments[count++] = at;
        at += length + (last ? 0 : 1);
    }
    mq_error_clear(&error);
    return mq_options_parse(commands, COUNT, common, count, arguments, &command, &line, &error);
}

/* Asserts a refusal whose words contain `part`. */
static void refuse(const char *words, const char *part)
{
    assert_int_equal(parse(words), MQ_REFUSED);
    if (strstr(error.text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, error.text);
}

/* One- and two-word commands, options of both kinds and in both writings, before and behind the words. */
static void takes_options(void **state)
{
    (void)state;
    assert_int_equal(parse("list --limit 5 need --json --search=a=b -12"), MQ_OK);
    assert_string_equal(command->name, "list");
    assert_int_equal(line.word_count, 2);
    assert_string_equal(line.words[0], "need");
    assert_string_equal(line.words[1], "-12");
    assert_string_equal(mq_option_get(&line, "limit"), "5");
    assert_string_equal(mq_option_get(&line, "search"), "a=b");
    assert_string_equal(mq_option_get(&line, "json"), "");
    assert_null(mq_option_get(&line, "version"));

    assert_int_equal(parse("desk show x"), MQ_OK);
    assert_string_equal(command->name, "desk show");
    assert_string_equal(line.words[0], "x");
    assert_int_equal(parse("list -- --json"), MQ_OK);
    assert_string_equal(line.words[0], "--json");
    assert_null(mq_option_get(&line, "json"));
    assert_int_equal(parse("list -"), MQ_OK);
    assert_string_equal(line.words[0], "-");
}

/* Unknown pairs are fields where a command takes them, in their order; its own options stay options. */
static void takes_fields(void **state)
{
    (void)state;
    assert_int_equal(parse("add need --title 水管坏 --place 990101 --tags a --tags=--b --amount -5 --json"), MQ_OK);
    assert_int_equal(line.field_count, 4);
    assert_string_equal(line.fields[0].name, "title");
    assert_string_equal(line.fields[0].value, "水管坏");
    assert_string_equal(line.fields[2].name, "tags");
    assert_string_equal(line.fields[2].value, "--b");
    assert_string_equal(line.fields[3].value, "-5");
    assert_string_equal(mq_option_get(&line, "place"), "990101");
    refuse("add need --title", "--title needs a value");
    refuse("add need --title --json", "--title needs a value");
    refuse("add need --=x", "no option --=x");
}

/* Each mistake is named, and the right way beside it. */
static void names_what_is_wrong(void **state)
{
    (void)state;
    refuse("", "--help");
    refuse("lst need", "add, list, desk list, desk show");
    refuse("desk", "desk list, desk show");
    refuse("desk remove", "desk list, desk show");
    refuse("list need --limt 5", "--limit, --search, --json");
    refuse("list need -l", "no option -l");
    refuse("list need --limit", "--limit needs a value: --limit N");
    refuse("list need --json=1", "--json takes no value");
    refuse("list need --json --json", "twice");
    refuse("list", "list KIND");
    refuse("list a b c", "\"c\" is too much");
    refuse("--json list need", "the command comes first");
    refuse("--limit 5", "no option --limit");
}

/* More than the table of a line can hold is refused, not dropped. */
static void counts_are_bounded(void **state)
{
    (void)state;
    char words[1200] = "list";
    for (int i = 0; i <= MQ_ARGUMENTS_MAX; i++)
        memcpy(words + strlen(words), " w", 3);
    refuse(words, "too much");
    snprintf(words, sizeof words, "add need");
    for (int i = 0; i <= MQ_ARGUMENTS_MAX; i++)
        memcpy(words + strlen(words), " --f=1", 7);
    refuse(words, "too much");
}

/* Help is taken anywhere and excuses missing words; without a command only common options may come. */
static void asks_for_help(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), MQ_OK);
    assert_true(line.help);
    assert_null(command);
    assert_int_equal(parse("list --help"), MQ_OK);
    assert_true(line.help);
    assert_string_equal(command->name, "list");
    assert_int_equal(parse("desk --help"), MQ_OK);
    assert_true(line.help);
    assert_int_equal(parse("list -h"), MQ_OK);
    assert_true(line.help);
    assert_int_equal(parse("--version"), MQ_OK);
    assert_null(command);
    assert_non_null(mq_option_get(&line, "version"));
    assert_int_equal(parse("list x -- --help"), MQ_OK);
    assert_false(line.help);
}

/* What goes to stdout while the help is shown. */
static void show(const struct mq_command *shown, char *out, size_t size)
{
    char path[] = "/tmp/mq-help-XXXXXX";
    int file = mkstemp(path), kept = dup(STDOUT_FILENO);
    assert_true(file >= 0 && kept >= 0);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    mq_options_help("minqing", commands, COUNT, common, shown);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    ssize_t got = pread(file, out, size - 1, 0);
    assert_true(got > 0);
    out[got] = '\0';
    close(file);
    close(kept);
    unlink(path);
}

/* The list names every command once; a command's page its arguments and all its options, in columns. */
static void shows_help(void **state)
{
    (void)state;
    char out[4000];
    show(NULL, out, sizeof out);
    assert_non_null(strstr(out, "  add        one record\n"));
    assert_non_null(strstr(out, "  desk list  what the desk has\n"));
    assert_non_null(strstr(out, "  --passphrase-file FILE  where the passphrase is\n"));
    show(&commands[1], out, sizeof out);
    assert_non_null(strstr(out, "minqing list KIND\n"));
    assert_non_null(strstr(out, "  --limit N               how many\n"));
    assert_non_null(strstr(out, "  --json                  one object a line\n"));
    assert_non_null(strstr(out, "  --help "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_options),      cmocka_unit_test(takes_fields),  cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(counts_are_bounded), cmocka_unit_test(asks_for_help), cmocka_unit_test(shows_help),
    };
    return cmocka_run_group_tests_name("platform/options", tests, NULL, NULL);
}
