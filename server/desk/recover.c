/* `member recover`: a member forgot his passphrase, and had wanted that the county can help (docs/protocol.md, section 1).
 * What the desk opens here is the key of everything on his device; so it is written down where the whole team sees it,
 * before anything is handed out. */
#include <string.h>

#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "protocol/recovery_keys.h"
#include "replica/records.h"
#include "replica/revoke.h"
#include "server/desk/call_keys.h"

#define NOTE_SIZE 4096
#define LINE_SIZE 1024

struct recover {
    struct mq_call *call;
    struct mq_recover_request request;
    struct mq_team team;
    char name[MQ_NAME_TEXT_MAX + 1]; /* "": joined after the backup that this centre came from */
    const char *reason;
};

/* ---- whose device ---- */

static enum mq_status request_read(struct recover *work, struct mq_error *error)
{
    const struct mq_certificate *device = &work->request.recovery.device;
    enum mq_status status = mq_recover_request_get(&work->request, work->call->input);

    if (status != MQ_OK)
        return mq_fail(error, MQ_REFUSED,
                       _("%s is no request for a forgotten passphrase; `minqing recover --request-out FILE` makes one"),
                       work->call->line->words[0]);
    status = mq_certificate_trust(work->call->desk->replica, device, error);
    if (status == MQ_OK)
        status = mq_team_find(work->call->desk->replica, device->team, &work->team, error);
    if (status == MQ_OK && device->role == MQ_ROLE_CADRE && mq_role_governs(work->team.certificate.role))
        return MQ_OK;
    mq_error_clear(error);
    return mq_fail(error, MQ_REFUSED, _("this is no device of this centre"));
}

static enum mq_status member_find(struct recover *work, struct mq_error *error)
{
    const struct mq_certificate *device = &work->request.recovery.device;
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_replica_db(work->call->desk->replica), &query, error,
                                        "SELECT name FROM member WHERE sign_public = ? AND team = ?", "bb",
                                        MQ_SPAN(device->sign_public), MQ_SPAN(device->team));

    bool revoked = false;
    if (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_span name = mq_db_text(query, 0);
        MQ_ASSERT(name.size < sizeof work->name);
        memcpy(work->name, name.data, name.size);
        mq_db_done(&query);
    }
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK)
        status = mq_revoked(work->call->desk->replica, device, &revoked, error);
    if (status == MQ_OK && revoked)
        return mq_fail(error, MQ_REFUSED, _("%s was revoked; nothing of that device is opened any more"), work->name);
    return status;
}

static enum mq_status print_whose(const struct recover *work, struct mq_error *error)
{
    struct mq_call *call = work->call;
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};

    if (!mq_call_json(call)) {
        mq_say(call->out,
               _("Device %u, %s, team %s. Call its owner, let him read out the code that his device showed, then: member "
                 "recover REQUEST --code CODE --reason TEXT --out FILE\n"),
               work->request.recovery.device.serial, work->name, work->team.name);
        return MQ_OK;
    }
    mq_json_begin(&writer, '{');
    mq_json_int_pair(&writer, "serial", work->request.recovery.device.serial);
    mq_json_text_pair(&writer, "name", work->name);
    mq_json_text_pair(&writer, "team", work->team.name);
    mq_json_end(&writer, '}');
    if (line.failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    mq_call_print(call, mq_written(&line));
    return MQ_OK;
}

/* ---- the answer ---- */

/* A file leaves the centre, so it is noted as every other (docs/domain.md, section 5). */
static enum mq_status note(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct recover *work = context;
    uint8_t memory[NOTE_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_json *object;
    struct mq_saved saved;
    char day[11], what[MQ_NAME_TEXT_MAX];

    mq_date_print(day, mq_call_today(work->call));
    snprintf(what, sizeof what, "device %u", work->request.recovery.device.serial);
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "kind", "exported");
    mq_json_text_pair(&writer, "date", day);
    mq_json_text_pair(&writer, "what", what);
    mq_json_text_pair(&writer, "format", "key");
    mq_json_text_pair(&writer, "reason", work->reason);
    if (work->name[0] != '\0')
        mq_json_text_pair(&writer, "recipient", work->name);
    mq_json_end(&writer, '}');
    if (out.failed)
        return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), "reason");
    enum mq_status status = mq_json_parse(&object, mq_written(&out), error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(replica, &work->team, object, &saved, error);
    mq_json_free(object);
    return status;
}

static enum mq_status answer(struct recover *work, struct mq_error *error)
{
    const struct mq_platform *platform = work->call->desk->platform;
    struct mq_replica *replica = work->call->desk->replica;
    struct mq_secret store_key, ephemeral;
    uint8_t memory[MQ_RECOVER_GRANT_SIZE];
    struct mq_buffer grant = mq_buffer(memory, sizeof memory);

    if (mq_recovery_open(&store_key, &work->request.recovery, mq_replica_identity(replica)) != MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("this request was made for another centre's key; nothing was opened"));
    mq_random(platform, &ephemeral, sizeof ephemeral);
    enum mq_status status = mq_recover_grant_seal(&grant, work->call->input, &store_key, &ephemeral);
    mq_secret_wipe(&ephemeral);
    mq_secret_wipe(&store_key);
    if (status != MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("nothing can be sealed to the key in this request; let the device ask once more"));
    status = mq_replica_transact(replica, note, work, error);
    if (status != MQ_OK)
        return status;
    work->call->changed = true;
    fwrite(grant.data, 1, grant.size, work->call->out); /* the caller puts it into the file of --out */
    fprintf(work->call->talk,
            _("The answer opens device %u (%s) and nothing else. That it was given stands in the team's records.\n"),
            work->request.recovery.device.serial, work->name);
    return MQ_OK;
}

enum mq_status mq_verb_member_recover(struct mq_call *call, struct mq_error *error)
{
    struct recover work = {.call = call, .reason = mq_option_get(call->line, "reason")};
    const char *typed = mq_option_get(call->line, "code");
    char code[MQ_RECOVER_CODE_SIZE];
    enum mq_status status = mq_call_merge(call, error); /* a desk that was restored hears first of who was revoked since */

    if (status == MQ_OK)
        status = request_read(&work, error);
    if (status == MQ_OK)
        status = member_find(&work, error);
    if (status != MQ_OK)
        return status;
    if (typed == NULL)
        return print_whose(&work, error);
    mq_recover_code(code, call->input);
    if (!mq_recover_code_is(typed, code))
        return mq_fail(error, MQ_REFUSED,
                       _("this is not the code of this request: ask once more on the phone, digit by digit. If it stays so, "
                         "somebody changed the request on the way; nothing was opened"));
    if (work.reason == NULL || *work.reason == '\0')
        return mq_fail(error, MQ_REFUSED, _("say why with --reason TEXT; it stands in the team's records"));
    return answer(&work, error);
}
