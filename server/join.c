/* `join`: makes a township's desk in a directory of its own, or lets it into one more team of the same county. It has
 * neither a root's key nor a relay: it syncs through the county's (docs/protocol.md, section 1). */
#include <stdio.h>
#include <string.h>

#include "platform/hex.h"
#include "platform/json.h"
#include "platform/secret_key.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "replica/join_keys.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/program.h"

#define ANSWER_S 20
#define ANSWER_S_MAX 86400
#define DESK_WAIT_MS 2000
#define LINE_SIZE 1024

struct join {
    const struct mq_program *program;
    const struct mq_platform *platform;
    const struct mq_command_line *line;
    const char *data;
    const struct mq_phrase *phrase;
    int64_t kdf_memory; /* MiB; 0: chosen from what there is */
    int64_t answer_s;   /* how long to wait for the county */
    char org[MQ_NAME_TEXT_MAX + 1];
    struct mq_desk desk;
    struct mq_joining *joining;
};

/* ---- the home ---- */

static enum mq_status mark_township(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    return mq_setting_put_number(replica, MQ_DESK_TOWNSHIP, 1, error);
}

static enum mq_status open_home(struct join *work, struct mq_error *error)
{
    struct mq_data_path home;
    enum mq_status status = mq_data_path(&home, work->data, "desk", error);

    if (status != MQ_OK)
        return status;
    if (mq_vault_exists(work->platform, home.text))
        status = mq_desk_open(&work->desk, work->platform, work->data, work->phrase, DESK_WAIT_MS, error);
    else
        status = mq_replica_create(&work->desk.replica, work->platform, home.text,
                                   mq_span(work->phrase->bytes, work->phrase->size), (uint32_t)work->kdf_memory, error);
    if (status != MQ_OK || work->desk.township)
        return status;
    if (work->desk.replica->has_root)
        return mq_fail(error, MQ_REFUSED, _("the centre in %s is a county's own; a township's desk needs another directory"),
                       work->data);
    return mq_replica_transact(work->desk.replica, mark_township, NULL, error);
}

/* The township's name, as its first invitation gave it. */
static enum mq_status find_org(struct join *work, struct mq_error *error)
{
    struct mq_buffer known = mq_buffer((uint8_t *)work->org, MQ_NAME_TEXT_MAX);
    const char *org = mq_option_get(work->line, "org");

    if (org != NULL && (org[0] == '\0' || strlen(org) > MQ_NAME_TEXT_MAX || !mq_utf8_line(mq_span_text(org))))
        return mq_fail(error, MQ_REFUSED, _("--org is one line of 1 to %d bytes"), MQ_NAME_TEXT_MAX);
    if (org == NULL) {
        enum mq_status status = mq_setting_get(work->desk.replica, "org", &known, error);
        if (status == MQ_NOT_FOUND)
            return mq_fail(error, MQ_REFUSED, _("say which township this is: join INVITATION --org NAME"));
        return status;
    }
    memcpy(work->org, org, strlen(org) + 1);
    return mq_setting_put(work->desk.replica, "org", mq_span_text(org), error);
}

/* What the team is called here: as said; else as before; else the front of its id. One name means one team. */
static enum mq_status find_team_name(struct join *work, char name[MQ_NAME_TEXT_MAX + 1], struct mq_error *error)
{
    const uint8_t *id = work->joining->invitation.desk.team;
    const char *said = mq_option_get(work->line, "team");
    struct mq_team team;
    int64_t others;
    enum mq_status status = mq_team_find(work->desk.replica, id, &team, error);

    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    mq_error_clear(error);
    if (said != NULL && (said[0] == '\0' || strlen(said) > MQ_NAME_TEXT_MAX || !mq_utf8_line(mq_span_text(said))))
        return mq_fail(error, MQ_REFUSED, _("a team's name is one line of 1 to %d bytes"), MQ_NAME_TEXT_MAX);
    if (said != NULL)
        memcpy(name, said, strlen(said) + 1);
    else if (status == MQ_OK)
        memcpy(name, team.name, sizeof team.name);
    else
        mq_hex_write(name, mq_span(id, 4));
    status = mq_db_number(mq_replica_db(work->desk.replica), &others, error,
                          "SELECT count(*) FROM team WHERE name = ? AND team <> ?", "zb", name,
                          mq_span(id, MQ_ID_SIZE));
    if (status == MQ_OK && others > 0)
        return mq_fail(error, MQ_REFUSED, _("there is a team \"%s\" already; choose another name"), name);
    return status;
}

/* ---- asking ---- */

static enum mq_status ask_county(struct join *work, struct mq_error *error)
{
    const struct mq_invitation *invitation = &work->joining->invitation;
    struct mq_remote remote = {0};
    enum mq_status status = mq_remote_open(&remote, invitation->url, invitation->server_pin, error);
    struct mq_transport transport = mq_remote_transport(&remote);
    int64_t deadline = work->platform->monotonic_ms(work->platform->self) + work->answer_s * 1000;

    if (status == MQ_OK)
        status = mq_join_ask(work->joining, work->desk.replica, &transport, deadline, error);
    mq_remote_close(&remote);
    return status;
}

/* MQ_WAITING: the request is in its file. */
static enum mq_status get_reply(struct join *work, struct mq_error *error)
{
    const char *request_out = mq_option_get(work->line, "request-out"), *grant_in = mq_option_get(work->line, "grant-in");
    const struct mq_platform *platform = work->platform;
    enum mq_status status = mq_join_request(work->joining, work->desk.replica, work->org, error);

    if (status != MQ_OK)
        return status;
    if (request_out != NULL) {
        status = platform->write(platform->self, request_out, mq_written(&work->joining->request), error);
        return status == MQ_OK ? MQ_WAITING : status;
    }
    if (grant_in != NULL)
        return platform->read(platform->self, grant_in, &work->joining->reply, error);
    return ask_county(work, error);
}

static enum mq_status join_team(struct join *work, char name[MQ_NAME_TEXT_MAX + 1], struct mq_error *error)
{
    struct mq_data_path root;
    enum mq_status status = open_home(work, error);

    if (status == MQ_OK)
        status = find_org(work, error);
    if (status == MQ_OK)
        status = find_team_name(work, name, error);
    if (status == MQ_OK)
        status = get_reply(work, error);
    if (status == MQ_OK)
        status = mq_join_finish(work->joining, work->desk.replica, name, error);
    if (status == MQ_OK)
        status = mq_data_path(&root, work->data, "root.pub", error);
    return status == MQ_OK ? mq_data_root_write(work->platform, root.text, mq_replica_root(work->desk.replica), error)
                           : status;
}

/* ---- the command ---- */

static void print(const struct join *work, const char *name)
{
    const struct mq_certificate *certificate = &work->joining->answer.certificate;
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};

    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "team");
    mq_json_hex_value(&writer, MQ_SPAN(certificate->team));
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, name);
    mq_json_key(&writer, "serial");
    mq_json_int_value(&writer, certificate->serial);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    if (mq_option_get(work->line, "json") != NULL)
        printf("%.*s\n", (int)line.size, (const char *)line.data);
    else
        mq_say(stdout, _("This desk has joined the team \"%s\". Next: minqingd desk --data %s\n"), name, work->data);
}

/* The invitation is a secret: it goes from the command line, and from the copy that was parsed. */
static enum mq_status begin(struct join *work, struct mq_error *error)
{
    char *typed = (char *)(uintptr_t)work->line->words[0]; /* the parser's own copy */
    uint8_t *memory = mq_secret_alloc(MQ_INVITATION_TEXT_MAX);
    struct mq_buffer invitation = mq_buffer(memory, memory == NULL ? 0 : MQ_INVITATION_TEXT_MAX);

    for (int i = 0; i < work->program->argc; i++)
        if (work->program->argv[i] != typed && strcmp(work->program->argv[i], typed) == 0 && strcmp(typed, "-") != 0)
            memset(work->program->argv[i], '-', strlen(typed));
    enum mq_status status = mq_secret_argument(&invitation, typed, error);
    if (status == MQ_OK)
        status = mq_join_begin(work->joining, MQ_ROLE_DESK, mq_written(&invitation), error);
    mq_secret_free(memory);
    return status;
}

static enum mq_status prepare(struct join *work, struct mq_phrase **phrase, struct mq_error *error)
{
    const char *kdf = mq_option_get(work->line, "kdf-memory"), *timeout = mq_option_get(work->line, "timeout");
    enum mq_status status = MQ_OK;

    work->answer_s = ANSWER_S;
    if (timeout != NULL)
        status = mq_call_number(timeout, "--timeout", 1, ANSWER_S_MAX, &work->answer_s, error);

    if (status == MQ_OK && kdf != NULL)
        status = mq_call_number(kdf, "--kdf-memory", MQ_KDF_MIB_MIN, MQ_KDF_MIB_MAX, &work->kdf_memory, error);
    if (status == MQ_OK)
        status = mq_data_whole(work->platform, work->data, error);
    if (status == MQ_OK)
        status = begin(work, error);
    if (status == MQ_OK)
        status = work->platform->make_directory(work->platform->self, work->data, error);
    if (status == MQ_OK)
        status = mq_data_lock(work->platform, work->data, 0, error);
    if (status == MQ_OK)
        status = mq_phrase_get(phrase, work->line, !mq_data_has(work->platform, work->data, "desk/vault"), error);
    work->phrase = *phrase;
    return status;
}

int mq_run_join(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    struct join work = {.program = program, .platform = program->platform, .line = line, .data = mq_program_data(line)};
    char name[MQ_NAME_TEXT_MAX + 1];
    struct mq_phrase *phrase = NULL;
    struct mq_error error = {0};

    if (work.data == NULL)
        return 2;
    work.joining = mq_work_memory(sizeof *work.joining);
    enum mq_status status = prepare(&work, &phrase, &error);
    if (status == MQ_OK)
        status = join_team(&work, name, &error);
    if (status == MQ_OK)
        print(&work, name);
    if (status == MQ_WAITING)
        printf(_("The request is in %s. Bring it to the county, then: minqingd join INVITATION --grant-in FILE\n"),
               mq_option_get(line, "request-out"));
    mq_desk_close(&work.desk);
    mq_work_free(work.joining, sizeof *work.joining);
    mq_secret_free(phrase);
    return status == MQ_OK || status == MQ_WAITING ? 0 : mq_program_fail(&error);
}
