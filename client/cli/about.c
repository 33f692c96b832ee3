/* `device`: who this device is to the others. */
#include <stdio.h>

#include "client/cli/program.h"
#include "platform/db.h"
#include "replica/recovery.h"

/* One object for each own stream. */
static enum mq_status put_streams(struct program *program, struct mq_json_writer *writer)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(mq_replica_db(program->device.replica), &query, &program->error,
                    "SELECT stream, next_seq - 1, server_seq, closed FROM stream WHERE mine = 1 ORDER BY opened", "");
    if (status != MQ_OK)
        return status;
    mq_json_key(writer, "streams");
    mq_json_begin(writer, '[');
    while (mq_db_next(&query, &program->error)) {
        mq_json_begin(writer, '{');
        mq_json_key(writer, "stream");
        mq_json_hex_value(writer, mq_db_blob(query, 0));
        mq_json_key(writer, "segments");
        mq_json_int_value(writer, mq_db_int(query, 1));
        mq_json_key(writer, "stored");
        mq_json_int_value(writer, mq_db_int(query, 2));
        mq_json_key(writer, "closed");
        mq_json_bool_value(writer, mq_db_int(query, 3) != 0);
        mq_json_end(writer, '}');
    }
    mq_json_end(writer, ']');
    return program->error.status;
}

int command_device(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    static uint8_t memory[256 * 1024];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    const struct mq_emitter emitter = program_pages(program);
    struct mq_team team;
    (void)line;
    enum mq_status status = program->device.replica != NULL ? MQ_OK : program_open(program);
    if (status == MQ_OK)
        status = mq_team_find(program->device.replica, NULL, &team, &program->error);
    if (status != MQ_OK)
        return program_end(program, status);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "serial");
    mq_json_int_value(&writer, team.certificate.serial);
    mq_json_key(&writer, "team");
    mq_json_hex_value(&writer, MQ_SPAN(team.team));
    mq_json_key(&writer, "home");
    mq_json_text_value(&writer, program->home);
    mq_json_key(&writer, "recovery");
    mq_json_bool_value(&writer, mq_recovery_is_on(program->device.platform, program->home));
    status = put_streams(program, &writer);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out.failed)
        status = mq_fail(&program->error, MQ_NO_SPACE, _("this device has more streams than can be shown"));
    if (status == MQ_OK)
        status = emitter.emit(emitter.context, mq_written(&out), &program->error);
    return program_end(program, status);
}
