/* What every command of minqingd is given, and the commands. */
#ifndef MQ_SERVER_PROGRAM_H
#define MQ_SERVER_PROGRAM_H

#include "platform/options.h"
#include "platform/platform.h"

struct mq_program {
    const struct mq_platform *platform;
    const struct mq_command *command;
    int argc;
    char **argv; /* as it came: the parser works on a copy */
};

extern const struct mq_command mq_server_commands[];
extern const size_t mq_server_command_count;
extern const struct mq_option mq_server_options[]; /* common to all */

/* Each returns the exit code; `program` is a struct mq_program. */
int mq_run_init(void *program, const struct mq_command_line *line);
int mq_run_serve(void *program, const struct mq_command_line *line);
int mq_run_restore(void *program, const struct mq_command_line *line);
int mq_run_join(void *program, const struct mq_command_line *line);
int mq_run_desk(void *program, const struct mq_command_line *line);
int mq_run_at_desk(void *program, const struct mq_command_line *line); /* whatever the desk's verbs do */
int mq_run_not_yet(void *program, const struct mq_command_line *line);

/* Words on stderr, and the exit code. */
int mq_program_fail(const struct mq_error *error);
/* Value of --data; NULL where it is missing, said on stderr: exit code 2. */
const char *mq_program_data(const struct mq_command_line *line);

#endif
