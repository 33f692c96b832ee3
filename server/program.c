/* What every command of minqingd shares. */
#include "server/program.h"

#include <stdio.h>

int mq_program_fail(const struct mq_error *error)
{
    fprintf(stderr, "minqingd: %s\n", error->text);
    return mq_exit_code(error->status);
}

const char *mq_program_data(const struct mq_command_line *line)
{
    const char *data = mq_option_get(line, "data");

    if (data == NULL || data[0] == '\0') {
        fprintf(stderr, "minqingd: %s\n", _("say where the centre's directory is: --data DIR"));
        return NULL;
    }
    return data;
}

int mq_run_not_yet(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;

    (void)line;
    fprintf(stderr, _("minqingd: %s: not yet in this version\n"), program->command->name);
    return 1;
}
