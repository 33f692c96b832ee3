/* Commands on the life of a need: step, tell, today, brief. */
#include <stdio.h>
#include <string.h>

#include "client/cli/program.h"
#include "protocol/codes.h"
#include "replica/needs.h"

static int moved(struct program *program, const char *step)
{
    const struct mq_command_line *line = program->line;
    const struct mq_emitter emitter = program_emitter(program);
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_needs_step(program->device.replica, mq_span_text(line->words[0]), step, line->fields,
                               (size_t)line->field_count, &emitter, &program->error);
    return program_end(program, status);
}

int command_step(void *context, const struct mq_command_line *line)
{
    return moved(context, line->words[1]);
}

/* How he took it is half of what was brought home, so it is asked for. */
int command_tell(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    bool said = false;
    char reactions[200];
    size_t used = 0;
    for (int i = 0; i < line->field_count; i++)
        said = said || strcmp(line->fields[i].name, "reaction") == 0;
    if (said)
        return moved(program, NULL);
    for (size_t i = 0; i < mq_codes_reaction.count; i++)
        used += (size_t)snprintf(reactions + used, sizeof reactions - used, "%s%s", i > 0 ? "、" : "",
                                 mq_codes_reaction.codes[i].label);
    return program_end(program, mq_fail(&program->error, MQ_REFUSED,
                                        _("say how the villager took it: --reaction with one of %s"), reactions));
}

int command_today(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    (void)line;
    const struct mq_emitter emitter = program_emitter(program);
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_needs_today(program->device.replica, &emitter, &program->error);
    return program_end(program, status);
}

int command_brief(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_emitter emitter = program_pages(program);
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_needs_brief(program->device.replica, mq_span_text(line->words[0]), &emitter, &program->error);
    return program_end(program, status);
}
