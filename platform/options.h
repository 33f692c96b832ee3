/* Command lines from a table: the same table parses, prints --help and makes the documents (docs/contract.md). */
#ifndef MQ_PLATFORM_OPTIONS_H
#define MQ_PLATFORM_OPTIONS_H

#include "platform/error.h"
#include "protocol/bytes.h"
#include "protocol/limits.h"


struct mq_option {
    const char *name;  /* without "--" */
    const char *value; /* placeholder in the help, e.g. "FILE"; NULL: a switch */
    const char *help;  /* N_() text */
};

struct mq_option_value {
    const struct mq_option *option;
    const char *value; /* NULL for a switch */
};

/* --NAME VALUE pairs of a command that takes fields of a record. */
struct mq_field_value {
    const char *name, *value;
};

struct mq_command_line {
    const char *words[MQ_ARGUMENTS_MAX]; /* what is not an option, in order */
    int word_count;
    struct mq_option_value values[MQ_OPTIONS_MAX];
    int value_count;
    struct mq_field_value fields[MQ_ARGUMENTS_MAX];
    int field_count;
    bool help;
};

struct mq_command {
    const char *name;      /* "add", or two words: "desk list" */
    const char *arguments; /* as shown in the help: "KIND [--FIELD VALUE ...]" */
    const char *help;      /* N_() text, one line */
    int words_min, words_max;
    bool takes_fields;                        /* unknown --NAME VALUE pairs are fields of a record, not errors */
    struct mq_option options[MQ_OPTIONS_MAX + 1]; /* ends with a NULL name */
    int (*run)(void *program, const struct mq_command_line *line); /* returns the exit code */
};

/* Finds the command (one- or two-word name) in argv[1], argv[2] and parses the rest; options common to all commands
 * come in `common` (NULL-name ended). "--" ends options; "--name=value" works too; a value in an argument of its own
 * never begins with "--". `--help` and `-h` are known by themselves. `*command` is NULL with MQ_OK where only common
 * options came (--help, --version), or a group's --help ("desk --help"). `line` points into argv, which is written to
 * where a field's name ends. Status MQ_REFUSED (exit code 2 at the caller) with words that name what is wrong and what
 * would be right. */
MQ_MUST_USE enum mq_status mq_options_parse(const struct mq_command *commands, size_t count,
                                            const struct mq_option *common, int argc, char **argv,
                                            const struct mq_command **command, struct mq_command_line *line,
                                            struct mq_error *error);
/* Value of an option, NULL where it was not given; for a switch: "" where given. */
const char *mq_option_get(const struct mq_command_line *line, const char *name);
/* The whole list of commands, or one command's page, to stdout. */
void mq_options_help(const char *program, const struct mq_command *commands, size_t count,
                     const struct mq_option *common, const struct mq_command *command);

#endif
