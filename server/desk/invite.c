/* `invite`: an invitation for one device, or for a township's desk, to one team, as text and, for a phone's camera, as a code. */
#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "platform/json.h"
#include "platform/qr.h"
#include "platform/tls_key.h"
#include "protocol/assert.h"
#include "protocol/record.h"
#include "server/desk/call_keys.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/reach.h"
#include "server/desk/rights_keys.h"

#define DAYS_DEFAULT 7
#define LINE_SIZE (MQ_INVITATION_TEXT_MAX + 200)

/* The pin of the certificate that the centre made itself, where it has never listened yet. */
static enum mq_status own_pin(const struct mq_desk *desk, uint8_t pin[MQ_HASH_SIZE], struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[MQ_TLS_PEM_MAX];
    struct mq_buffer certificate = mq_buffer(memory, sizeof memory);

    mq_home_path(path, desk->data, "tls.pem");
    enum mq_status status = desk->platform->read(desk->platform->self, path, &certificate, error);
    return status == MQ_OK ? mq_tls_pin(pin, mq_written(&certificate), error) : status;
}

/* "https://[::]:8420" is where a server listens, not where anybody reaches it. */
static bool is_wildcard(const char *url)
{
    const char *host = strstr(url, "://");

    return host != NULL && (strncmp(host + 3, "0.0.0.0", 7) == 0 || strncmp(host + 3, "[::]", 4) == 0);
}

static enum mq_status find_reach(struct mq_call *call, struct mq_reach *reach, struct mq_error *error)
{
    static const uint8_t none[MQ_HASH_SIZE];
    const char *url = mq_option_get(call->line, "url"), *pin = mq_option_get(call->line, "pin");
    enum mq_status status = mq_reach_read(call->desk->platform, call->desk->data, reach, error);

    if (status == MQ_NOT_FOUND && url == NULL)
        return mq_fail(error, MQ_REFUSED,
                       _("the server has never listened yet: start `minqingd serve`, or name its address with --url"));
    if (status == MQ_NOT_FOUND)
        status = own_pin(call->desk, reach->pin, error);
    if (status != MQ_OK)
        return status;
    if (url != NULL &&
        (strlen(url) > MQ_INVITATION_URL_MAX || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)))
        return mq_fail(error, MQ_REFUSED, _("--url is https://HOST[:PORT], at most %d bytes"), MQ_INVITATION_URL_MAX);
    if (url != NULL)
        memcpy(reach->url, url, strlen(url) + 1);
    if (pin != NULL && !mq_hex_read(reach->pin, sizeof reach->pin, mq_span_text(pin)))
        return mq_fail(error, MQ_REFUSED, _("--pin is the SHA-256 of the server's public key: 64 hexadecimal digits"));
    if (strncmp(reach->url, "https://", 8) == 0 && memcmp(reach->pin, none, sizeof none) == 0)
        return mq_fail(error, MQ_REFUSED,
                       _("this server ends no TLS itself; say with --pin which key the one before it has"));
    if (is_wildcard(reach->url))
        return mq_fail(error, MQ_REFUSED,
                       _("the server listens on all its addresses; say with --url by which one devices reach it"));
    return MQ_OK;
}

static enum mq_status print(struct mq_call *call, const struct mq_invitation *invitation, enum mq_role role,
                            struct mq_error *error)
{
    uint8_t text_memory[MQ_INVITATION_TEXT_MAX], line_memory[LINE_SIZE];
    struct mq_buffer text = mq_buffer(text_memory, sizeof text_memory),
                     line = mq_buffer(line_memory, sizeof line_memory);
    struct mq_json_writer writer = {.out = &line};
    char day[11];

    if (mq_invitation_print(&text, invitation) != MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("the address %s cannot stand in an invitation: use visible ASCII"),
                       invitation->url);
    mq_date_print(day, (int32_t)invitation->expiry_day);
    if (mq_call_json(call)) {
        mq_json_begin(&writer, '{');
        mq_json_key(&writer, "invitation");
        mq_json_string_value(&writer, mq_written(&text));
        mq_json_key(&writer, "expires");
        mq_json_text_value(&writer, day);
        mq_json_end(&writer, '}');
        mq_call_print(call, mq_written(&line));
        return MQ_OK;
    }
    mq_call_print(call, mq_written(&text));
    if (mq_option_get(call->line, "qr") != NULL) {
        struct mq_buffer code = mq_buffer(malloc(MQ_QR_ROOM), MQ_QR_ROOM);
        mq_enough(code.data);
        enum mq_status status = mq_qr_put(&code, mq_written(&text), MQ_QR_ON_DARK, error);
        if (status == MQ_OK)
            mq_call_print(call, mq_written(&code));
        mq_wipe(code.data, MQ_QR_ROOM);
        free(code.data);
        if (status != MQ_OK)
            return status;
    }
    if (role == MQ_ROLE_DESK)
        fprintf(call->talk,
                _("Good for one township's desk, until %s: `minqingd join` there. Whoever has it reads the whole team and "
                  "decides for it: hand it over yourself.\n"),
                day);
    else
        fprintf(call->talk, _("Good for one device, until %s. Whoever has it can join: hand it to that person only.\n"),
                day);
    return MQ_OK;
}

static enum mq_status read_role(struct mq_call *call, enum mq_role *role, struct mq_error *error)
{
    const char *text = mq_option_get(call->line, "role");

    *role = text != NULL && strcmp(text, "desk") == 0 ? MQ_ROLE_DESK : MQ_ROLE_CADRE;
    if (text == NULL || *role == MQ_ROLE_DESK || strcmp(text, "cadre") == 0)
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("--role is cadre, for a device, or desk, for a township's desk; not \"%s\""), text);
}

/* A new member reads sensitive fields, as they belong to the records that he works with, unless the invitation says
 * otherwise. Restricted matters are opened for persons who are named one by one: `member right`. */
static enum mq_status read_rights(struct mq_call *call, unsigned *rights, struct mq_error *error)
{
    const char *without = mq_option_get(call->line, "without");
    unsigned right = 0;
    enum mq_status status = without == NULL ? MQ_OK : mq_rights_named(without, &right, error);

    *rights = MQ_RIGHT_SENSITIVE & ~right;
    return status;
}

enum mq_status mq_verb_invite(struct mq_call *call, struct mq_error *error)
{
    const char *text = mq_option_get(call->line, "days");
    struct mq_invitation invitation = {0};
    struct mq_team team;
    struct mq_reach reach;
    int64_t days = DAYS_DEFAULT;
    enum mq_role role;
    unsigned rights;

    if (mq_option_get(call->line, "confirm") != NULL)
        return mq_fail(error, MQ_REFUSED, _("--confirm: not yet in this version; invite without it"));
    enum mq_status status =
        text == NULL ? MQ_OK : mq_call_number(text, "--days", 1, MQ_INVITATION_DAYS_MAX, &days, error);
    if (status == MQ_OK)
        status = read_role(call, &role, error);
    if (status == MQ_OK)
        status = read_rights(call, &rights, error);
    if (status == MQ_OK)
        status = mq_call_team(call, mq_option_get(call->line, "team"), &team, error);
    if (status == MQ_OK)
        status = find_reach(call, &reach, error);
    if (status != MQ_OK)
        return status;
    MQ_ASSERT(strlen(reach.url) < sizeof invitation.url);
    memcpy(invitation.url, reach.url, strlen(reach.url));
    memcpy(invitation.server_pin, reach.pin, sizeof invitation.server_pin);
    invitation.expiry_day = mq_desk_today(call->desk) + (uint32_t)days;
    status = mq_invitation_make(call->desk, &team, role, rights, &invitation, error);
    if (status == MQ_OK)
        status = print(call, &invitation, role, error);
    mq_wipe(&invitation, sizeof invitation);
    return status;
}
