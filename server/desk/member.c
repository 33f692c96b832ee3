/* `member list` and `member admit`. */
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "protocol/control.h"
#include "server/desk/call_keys.h"
#include "server/desk/enrol_keys.h"

#define LINE_SIZE 2048

/* ---- list ---- */

struct member_row {
    uint8_t sign_public[MQ_PUBLIC_SIZE], team[MQ_ID_SIZE];
    char name[MQ_NAME_TEXT_MAX + 1];
    int64_t serial, joined, last_contact;
    enum mq_role role;
    bool revoked;
};

/* The desk's clock at the newest receipt for one of his streams: when something new of his was last merged here. */
static enum mq_status find_last_contact(struct mq_desk *desk, struct member_row *row, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_control control;
    enum mq_status status =
        mq_db_query(mq_replica_db(desk->replica), &query, error,
                    "SELECT o.bytes FROM stream AS s JOIN outbox AS o ON o.slot = s.stream"
                    " JOIN mailbox AS m ON m.mailbox = s.mailbox"
                    " WHERE s.mine = 0 AND m.team = ? AND substr(s.announce, 19, 32) = ?", /* the certificate's key */
                    "bb", MQ_SPAN(row->team), MQ_SPAN(row->sign_public));

    row->last_contact = row->joined;
    while (status == MQ_OK && mq_db_next(&query, error))
        if (mq_control_decode(&control, mq_db_blob(query, 0)) == MQ_OK && control.wall_seconds > row->last_contact)
            row->last_contact = control.wall_seconds;
    return status == MQ_OK ? error->status : status;
}

/* The next by serial. MQ_NOT_FOUND: there are no more. */
static enum mq_status next_member(struct mq_desk *desk, int64_t after, struct member_row *row, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT sign_public, team, name, serial, joined, role, state FROM member WHERE serial > ?"
                                        " ORDER BY serial LIMIT 1",
                                        "i", after);

    memset(row, 0, sizeof *row);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    struct mq_span key = mq_db_blob(query, 0), team = mq_db_blob(query, 1), name = mq_db_text(query, 2);
    MQ_ASSERT(key.size == sizeof row->sign_public && team.size == sizeof row->team && name.size < sizeof row->name);
    memcpy(row->sign_public, key.data, key.size);
    memcpy(row->team, team.data, team.size);
    memcpy(row->name, name.data, name.size);
    row->serial = mq_db_int(query, 3);
    row->joined = mq_db_int(query, 4);
    row->role = (enum mq_role)mq_db_int(query, 5);
    row->revoked = mq_db_int(query, 6) != 0;
    mq_db_done(&query);
    return MQ_OK;
}

static void print_member(struct mq_call *call, const struct member_row *row, const struct mq_team *team)
{
    uint8_t memory[LINE_SIZE], id[MQ_KID_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    char contact[MQ_TIME_TEXT_SIZE];

    mq_key_name(id, row->sign_public);
    mq_time_text(contact, row->last_contact);
    if (!mq_call_json(call)) {
        mq_say(call->out, "%lld  %s  %s  %s%s%s%s%s\n", (long long)row->serial, row->name, team->name, contact,
               row->role == MQ_ROLE_DESK ? "  " : "", row->role == MQ_ROLE_DESK ? _("township's desk") : "",
               row->revoked ? "  " : "", row->revoked ? _("without rights any more") : "");
        return;
    }
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_hex_value(&writer, MQ_SPAN(id));
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, row->name);
    mq_json_key(&writer, "team");
    mq_json_text_value(&writer, team->name);
    mq_json_key(&writer, "role");
    mq_json_text_value(&writer, row->role == MQ_ROLE_DESK ? "desk" : "cadre");
    mq_json_key(&writer, "serial");
    mq_json_int_value(&writer, row->serial);
    mq_json_key(&writer, "state");
    mq_json_text_value(&writer, row->revoked ? "revoked" : "active");
    mq_json_key(&writer, "last_contact");
    mq_json_text_value(&writer, contact);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    mq_call_print(call, mq_written(&line));
}

enum mq_status mq_verb_member_list(struct mq_call *call, struct mq_error *error)
{
    struct member_row row;
    struct mq_team team;
    enum mq_status status = next_member(call->desk, 0, &row, error);

    while (status == MQ_OK) {
        status = find_last_contact(call->desk, &row, error);
        if (status == MQ_OK)
            status = mq_team_find(call->desk->replica, row.team, &team, error);
        if (status != MQ_OK)
            break;
        print_member(call, &row, &team);
        status = next_member(call->desk, row.serial, &row, error);
    }
    return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
}

/* ---- admit: a request from a file, or the desks that wait for the root's key ---- */

struct admit {
    struct mq_call *call;
    const char *root;
    struct mq_buffer reply;
    int64_t count;
};

static enum mq_status admit_file(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct admit *work = context;

    (void)replica;
    return mq_enrol_admit(work->call->desk, work->call->input, work->root, &work->reply, error);
}

static enum mq_status admit_waiting(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct admit *work = context;

    (void)replica;
    return mq_enrol_admit_waiting(work->call->desk, work->root, &work->count, error);
}

static enum mq_status answer_file(struct admit *work, struct mq_error *error)
{
    struct mq_call *call = work->call;

    work->reply = mq_buffer(malloc(MQ_ENROL_MAX), MQ_ENROL_MAX);
    mq_enough(work->reply.data);
    enum mq_status status = mq_replica_transact(call->desk->replica, admit_file, work, error);
    if (status == MQ_OK)
        fwrite(work->reply.data, 1, work->reply.size, call->out); /* the caller puts it into the file of --out */
    free(work->reply.data);
    return status;
}

static enum mq_status answer_waiting(struct admit *work, struct mq_error *error)
{
    uint8_t memory[64];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    struct mq_call *call = work->call;
    int64_t waiting;
    enum mq_status status = mq_enrol_waiting(call->desk, &waiting, error);

    if (status == MQ_OK && waiting == 0)
        return mq_fail(error, MQ_REFUSED,
                       _("no desk waits to be admitted; a request in a file: member admit REQUEST --out FILE"));
    if (status == MQ_OK)
        status = mq_replica_transact(call->desk->replica, admit_waiting, work, error);
    if (status != MQ_OK)
        return status;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "admitted");
    mq_json_int_value(&writer, work->count);
    mq_json_end(&writer, '}');
    if (mq_call_json(call))
        mq_call_print(call, mq_written(&line));
    else
        fprintf(call->out, ngettext("%lld desk is admitted.\n", "%lld desks are admitted.\n", (unsigned long)work->count),
                (long long)work->count);
    return MQ_OK;
}

enum mq_status mq_verb_member_admit(struct mq_call *call, struct mq_error *error)
{
    struct admit work = {.call = call};
    char path[MQ_PATH_MAX];
    enum mq_status status = mq_call_root_file(call, path, &work.root, error);

    if (status == MQ_OK)
        status = call->line->word_count > 0 ? answer_file(&work, error) : answer_waiting(&work, error);
    call->changed = status == MQ_OK;
    return status;
}
