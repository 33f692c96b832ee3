/* The manual page as man(7) text. */
#include "platform/manual.h"

#include <stdio.h>

#include "platform/error.h"

static const struct mq_manual_entry exit_codes[] = {
    {"0", N_("done")},
    {"1", N_("refused: the message says what would be right; nothing is lost")},
    {"2", N_("the command line could not be understood")},
    {"3", N_("the other side could not be reached; nothing is lost")},
    {"4", N_("damage was found")},
    {"70", N_("our fault, or the machine's")},
};
/* Of both programs (mq_exit_code). */
static const struct mq_manual_part exit_codes_part = {
    .title = N_("EXIT CODES"), .entries = exit_codes, .count = sizeof exit_codes / sizeof *exit_codes};

/* Text in which nothing is taken for a command of roff: a hyphen stays one that can be typed, a line never begins with
 * a point or a quote. */
static void put(const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        switch (*text) { /* tidy: not an enum */
        case '\\': fputs("\\e", stdout); break;
        case '-': fputs("\\-", stdout); break;
        case '\'': fputs("\\(aq", stdout); break;
        case '`': fputs("\\(ga", stdout); break;
        case '"': fputs("\\(dq", stdout); break;
        case '\n': fputs("\n.br\n", stdout); break;
        default: putchar(*text);
        }
    }
}

static void put_title(const char *title)
{
    fputs(".SH \"", stdout);
    put(title);
    fputs("\"\n", stdout);
}

static void put_options(const struct mq_option *options)
{
    for (const struct mq_option *option = options; option != NULL && option->name != NULL; option++) {
        fputs(".TP\n\\fB\\-\\-", stdout);
        put(option->name);
        fputs("\\fR", stdout);
        if (option->value != NULL) {
            fputs(" \\fI", stdout);
            put(option->value);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        put(_(option->help));
        putchar('\n');
    }
}

static void put_command(const char *program, const struct mq_command *command)
{
    fputs(".SS \"", stdout);
    put(program);
    putchar(' ');
    put(command->name);
    putchar(' ');
    put(command->arguments);
    fputs("\"\n", stdout);
    put(_(command->help));
    putchar('\n');
    put_options(command->options);
}

static void put_part(const struct mq_manual_part *part)
{
    put_title(_(part->title));
    for (size_t i = 0; i < part->count; i++) {
        fputs(".TP\n\\fB", stdout);
        put(part->entries[i].name);
        fputs("\\fR\n", stdout);
        put(_(part->entries[i].help));
        putchar('\n');
    }
}

void mq_manual_print(const struct mq_manual *manual, const struct mq_command *commands, size_t count,
                     const struct mq_option *common)
{
    fputs(".TH \"", stdout);
    put(manual->program);
    fputs("\" \"1\" \"\" \"Minqing\" \"Minqing\"\n.nh\n.ad l\n", stdout);
    put_title(_("NAME"));
    put(manual->program);
    fputs(" \\- ", stdout);
    put(_(manual->summary));
    putchar('\n');
    put_title(_("SYNOPSIS"));
    printf(".B %s\n\\fICOMMAND\\fR [\\fIARGUMENT\\fR ...]\n", manual->program);
    put_title(_("DESCRIPTION"));
    put(_(manual->about));
    putchar('\n');
    put_title(_("COMMANDS"));
    for (size_t i = 0; i < count; i++)
        put_command(manual->program, &commands[i]);
    put_title(_("OPTIONS OF EVERY COMMAND"));
    put_options(common);
    put_part(&exit_codes_part);
    for (size_t i = 0; i < manual->part_count; i++)
        put_part(&manual->parts[i]);
}
