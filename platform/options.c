/* One table of commands: parsed by it, shown from it. */
#include "platform/options.h"

#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"

/* What the parts of one parsing share. */
struct parse {
    const struct mq_command *commands;
    size_t count;
    const struct mq_option *common;
    const struct mq_command *command; /* NULL before it is known */
    struct mq_command_line *line;
    struct mq_error *error;
};

/* ---- finding ---- */

/* `length` bytes of `text` are exactly `name`. */
static bool is_named(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static const struct mq_option *find_in(const struct mq_option *options, const char *text, size_t length)
{
    for (const struct mq_option *option = options; option != NULL && option->name != NULL; option++)
        if (is_named(option->name, text, length))
            return option;
    return NULL;
}

static const struct mq_option *find_option(const struct parse *parse, const char *text, size_t length)
{
    const struct mq_option *own = parse->command == NULL ? NULL : find_in(parse->command->options, text, length);
    return own != NULL ? own : find_in(parse->common, text, length);
}

/* A two-word name goes before a one-word one; `used` says how many arguments the name took. */
static const struct mq_command *find_command(const struct parse *parse, int argc, char **argv, int *used)
{
    const struct mq_command *found = NULL;
    for (size_t i = 0; i < parse->count; i++) {
        const struct mq_command *command = &parse->commands[i];
        const char *space = strchr(command->name, ' ');
        if (space == NULL && found == NULL && strcmp(command->name, argv[1]) == 0) {
            found = command;
            *used = 1;
        } else if (space != NULL && argc > 2 && is_named(argv[1], command->name, (size_t)(space - command->name)) &&
                   strcmp(space + 1, argv[2]) == 0) {
            *used = 2;
            return command;
        }
    }
    return found;
}

/* ---- refusing ---- */

/* Adds ", NAME" to a list of what would be right. */
static void list(char *out, size_t size, const char *mark, const char *name)
{
    size_t length = strlen(out);
    snprintf(out + length, size - length, "%s%s%s", length == 0 ? "" : ", ", mark, name);
}

static enum mq_status unknown_command(const struct parse *parse, const char *word)
{
    char names[400] = "";
    size_t length = strlen(word);
    for (size_t i = 0; i < parse->count; i++) { /* the second words of a name that begins like this */
        const char *name = parse->commands[i].name;
        if (strncmp(name, word, length) == 0 && name[length] == ' ')
            list(names, sizeof names, "", name);
    }
    if (names[0] != '\0')
        return mq_fail(parse->error, MQ_REFUSED, _("\"%s\" needs a second word: %s"), word, names);
    for (size_t i = 0; i < parse->count; i++)
        list(names, sizeof names, "", parse->commands[i].name);
    return mq_fail(parse->error, MQ_REFUSED, _("there is no command \"%s\"; there are: %s"), word, names);
}

static enum mq_status unknown_option(const struct parse *parse, const char *given)
{
    char names[400] = "";
    const struct mq_option *own = parse->command == NULL ? NULL : parse->command->options;
    for (; own != NULL && own->name != NULL; own++)
        list(names, sizeof names, "--", own->name);
    for (const struct mq_option *option = parse->common; option != NULL && option->name != NULL; option++)
        list(names, sizeof names, "--", option->name);
    list(names, sizeof names, "--", "help");
    return mq_fail(parse->error, MQ_REFUSED, _("there is no option %s here; there are: %s"), given, names);
}

static enum mq_status too_many(const struct parse *parse)
{
    return mq_fail(parse->error, MQ_REFUSED,
                   _("too much on one command line: at most %d words, %d fields and %d options"), MQ_ARGUMENTS_MAX,
                   MQ_ARGUMENTS_MAX, MQ_OPTIONS_MAX);
}

/* ---- parsing ---- */

static enum mq_status add_word(const struct parse *parse, const char *word)
{
    struct mq_command_line *line = parse->line;
    if (line->word_count == MQ_ARGUMENTS_MAX)
        return too_many(parse);
    line->words[line->word_count++] = word;
    return MQ_OK;
}

static enum mq_status add_option(const struct parse *parse, const struct mq_option *option, const char *value)
{
    struct mq_command_line *line = parse->line;
    for (int i = 0; i < line->value_count; i++)
        if (line->values[i].option == option)
            return mq_fail(parse->error, MQ_REFUSED, _("--%s is given twice; once is enough"), option->name);
    if (line->value_count == MQ_OPTIONS_MAX)
        return too_many(parse);
    line->values[line->value_count++] = (struct mq_option_value){option, value};
    return MQ_OK;
}

/* `name` is the argument itself behind its dashes; a '=' in it is overwritten, so that the name ends there. */
static enum mq_status add_field(const struct parse *parse, char *name, size_t length, const char *value)
{
    struct mq_command_line *line = parse->line;
    if (line->field_count == MQ_ARGUMENTS_MAX)
        return too_many(parse);
    name[length] = '\0';
    line->fields[line->field_count++] = (struct mq_field_value){name, value};
    return MQ_OK;
}

/* argv[*at] begins with two dashes; a value may be behind '=' or in the next argument, over which *at moves then. */
static enum mq_status take_option(const struct parse *parse, int argc, char **argv, int *at)
{
    char *given = argv[*at], *name = given + 2, *equals = strchr(name, '=');
    size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    if (is_named("help", name, length) && equals == NULL) {
        parse->line->help = true;
        return MQ_OK;
    }
    const struct mq_option *option = find_option(parse, name, length);
    bool field = option == NULL && length > 0 && parse->command != NULL && parse->command->takes_fields;
    if (option == NULL && !field)
        return unknown_option(parse, given);
    if (option != NULL && option->value == NULL) {
        if (equals != NULL)
            return mq_fail(parse->error, MQ_REFUSED, _("--%s takes no value"), option->name);
        return add_option(parse, option, NULL);
    }

    const char *value = equals == NULL ? NULL : equals + 1;
    if (value == NULL && *at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0)
        value = argv[++*at];
    if (value == NULL)
        return mq_fail(parse->error, MQ_REFUSED,
                       _("%s needs a value: %s %s (or %s=%s, where it begins with two dashes)"), given, given,
                       field ? "VALUE" : option->value, given, field ? "VALUE" : option->value);
    return field ? add_field(parse, name, length, value) : add_option(parse, option, value);
}

static enum mq_status take_argument(const struct parse *parse, int argc, char **argv, int *at)
{
    const char *given = argv[*at];
    if (strncmp(given, "--", 2) == 0)
        return take_option(parse, argc, argv, at);
    if (strcmp(given, "-h") == 0) {
        parse->line->help = true;
        return MQ_OK;
    }
    bool number = given[1] >= '0' && given[1] <= '9';
    if (given[0] == '-' && given[1] != '\0' && !number)
        return unknown_option(parse, given);
    return add_word(parse, given);
}

static enum mq_status check_words(const struct parse *parse)
{
    const struct mq_command *command = parse->command;
    int words = parse->line->word_count;
    if (words < command->words_min)
        return mq_fail(parse->error, MQ_REFUSED, _("something is missing; write: %s %s"), command->name,
                       command->arguments);
    if (words > command->words_max)
        return mq_fail(parse->error, MQ_REFUSED, _("\"%s\" is too much; write: %s %s"),
                       parse->line->words[command->words_max], command->name, command->arguments);
    return MQ_OK;
}

enum mq_status mq_options_parse(const struct mq_command *commands, size_t count, const struct mq_option *common,
                                int argc, char **argv, const struct mq_command **command, struct mq_command_line *line,
                                struct mq_error *error)
{
    struct parse parse = {commands, count, common, NULL, line, error};
    int used = 0;
    for (size_t i = 0; i < count; i++) /* a full table has no end */
        MQ_ASSERT(commands[i].options[MQ_OPTIONS_MAX - 1].name == NULL);
    *command = NULL;
    *line = (struct mq_command_line){0};
    if (argc < 2)
        return mq_fail(error, MQ_REFUSED, _("say what to do; --help shows what can be done"));
    if (argv[1][0] != '-') {
        parse.command = *command = find_command(&parse, argc, argv, &used);
        bool group_help = argc > 2 && strcmp(argv[2], "--help") == 0;
        if (*command == NULL && !group_help)
            return unknown_command(&parse, argv[1]);
        if (*command == NULL)
            used = 1;
    }

    enum mq_status status = MQ_OK;
    bool only_words = false;
    for (int at = 1 + used; at < argc && status == MQ_OK; at++) {
        if (only_words)
            status = add_word(&parse, argv[at]);
        else if (strcmp(argv[at], "--") == 0)
            only_words = true;
        else
            status = take_argument(&parse, argc, argv, &at);
    }
    if (status != MQ_OK || line->help)
        return status;
    if (*command != NULL)
        return check_words(&parse);
    if (line->word_count > 0)
        return mq_fail(error, MQ_REFUSED, _("the command comes first, then its options: %s ..."), line->words[0]);
    return MQ_OK;
}

const char *mq_option_get(const struct mq_command_line *line, const char *name)
{
    for (int i = 0; i < line->value_count; i++)
        if (strcmp(line->values[i].option->name, name) == 0)
            return line->values[i].value == NULL ? "" : line->values[i].value;
    return NULL;
}

/* ---- showing ---- */

static int option_width(const struct mq_option *options, int width)
{
    for (const struct mq_option *option = options; option != NULL && option->name != NULL; option++) {
        int own = (int)(strlen(option->name) + (option->value == NULL ? 0 : 1 + strlen(option->value)));
        width = own > width ? own : width;
    }
    return width;
}

static void show_options(const struct mq_option *options, int width)
{
    for (const struct mq_option *option = options; option != NULL && option->name != NULL; option++) {
        const char *value = option->value == NULL ? "" : option->value;
        int rest = width - (int)strlen(option->name) - 1;
        printf("  --%s %-*s  %s\n", option->name, rest, value, _(option->help));
    }
}

static void show_command(const char *program, const struct mq_option *common, const struct mq_command *command)
{
    int width = option_width(common, option_width(command->options, 5));
    printf("%s\n\n  %s %s %s\n\n%s\n", _(command->help), program, command->name, command->arguments, _("Options:"));
    show_options(command->options, width);
    show_options(common, width);
    show_options((const struct mq_option[]){{"help", NULL, N_("shows this")}, {0}}, width);
}

void mq_options_help(const char *program, const struct mq_command *commands, size_t count,
                     const struct mq_option *common, const struct mq_command *command)
{
    if (command != NULL) {
        show_command(program, common, command);
        return;
    }
    int width = 0;
    for (size_t i = 0; i < count; i++)
        width = (int)strlen(commands[i].name) > width ? (int)strlen(commands[i].name) : width;
    printf("%s COMMAND [ARGUMENT ...]\n\n%s\n", program, _("Commands:"));
    for (size_t i = 0; i < count; i++)
        printf("  %-*s  %s\n", width, commands[i].name, _(commands[i].help));
    printf("\n%s\n", _("Options of every command:"));
    width = option_width(common, 5);
    show_options(common, width);
    show_options((const struct mq_option[]){{"help", NULL, N_("shows a command's arguments and options")}, {0}}, width);
}
