/* minqingd: the centre's program. A table of commands, and the call of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/locale.h"
#include "platform/manual.h"
#include "platform/secret_key.h"
#include "server/program.h"

#define VERSION "0.1.0"

static const struct mq_manual_entry environment[] = {
    {"MINQING_PASSPHRASE_FILE", N_("a file whose first line is the passphrase")},
    {"LANGUAGE, LC_ALL, LANG", N_("the language of the words: Chinese or English")},
};
static const struct mq_manual_part manual_parts[] = {
    {N_("ENVIRONMENT"), environment, sizeof environment / sizeof *environment},
};
static const struct mq_manual manual = {
    .program = "minqingd",
    .summary = N_("the centre of a visit diary: takes in, merges, answers"),
    .about = N_("minqingd takes in what devices bring, sealed. `serve` runs the relay, which holds no key, and the desk, "
                "which merges and answers; the other commands ask the running desk, or open the centre's directory where none "
                "runs."),
    .parts = manual_parts,
    .part_count = sizeof manual_parts / sizeof *manual_parts,
};

/* The parser writes where a field's name ends; what goes to a running server must be what was typed. */
static char **copy_arguments(int argc, char **argv)
{
    char **copy = calloc((size_t)argc + 1, sizeof *copy);

    for (int i = 0; copy != NULL && i < argc; i++) {
        copy[i] = strdup(argv[i]);
        if (copy[i] == NULL)
            return NULL;
    }
    return copy;
}

static void free_arguments(char **arguments)
{
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++)
        free(arguments[i]);
    free(arguments);
}

static int run(struct mq_program *program, char **arguments)
{
    struct mq_command_line line;
    struct mq_error error = {0};

    if (mq_options_parse(mq_server_commands, mq_server_command_count, mq_server_options, program->argc, arguments,
                         &program->command, &line, &error) != MQ_OK) {
        fprintf(stderr, "minqingd: %s\n", error.text);
        return 2;
    }
    if (mq_option_get(&line, "manual") != NULL) {
        mq_manual_print(&manual, mq_server_commands, mq_server_command_count, mq_server_options);
        return 0;
    }
    if (line.help || (program->command == NULL && mq_option_get(&line, "version") == NULL)) {
        mq_options_help("minqingd", mq_server_commands, mq_server_command_count, mq_server_options, program->command);
        return 0;
    }
    if (mq_option_get(&line, "version") != NULL) {
        printf("minqingd %s\n", VERSION);
        return 0;
    }
    return program->command->run(program, &line);
}

int main(int argc, char **argv)
{
    struct mq_program program = {.platform = mq_platform_real(), .argc = argc, .argv = argv};

    mq_secret_guard_process();
    mq_locale_start();
    char **arguments = copy_arguments(argc, argv);
    if (arguments == NULL || mq_crypto_start() != MQ_OK) {
        fprintf(stderr, "minqingd: %s\n", _("the program cannot start on this machine"));
        return 70;
    }
    int code = run(&program, arguments);
    free_arguments(arguments);
    return code;
}
