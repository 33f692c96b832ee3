/* Joining a team: invitation, request, reply, and what is kept of them. */
#include "replica/join_keys.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "replica/keyring_keys.h"
#include "replica/outbox.h"
#include "replica/outgoing.h"
#include "replica/rotate.h"

#define ENROL_PATH "/v1/enrol"
#define POLL_MS 300

enum mq_status mq_join_begin(struct mq_joining *joining, enum mq_role role, struct mq_span invitation,
                             struct mq_error *error)
{
    memset(joining, 0, sizeof *joining);
    joining->role = role;
    joining->request = mq_buffer(joining->request_memory, sizeof joining->request_memory);
    joining->reply = mq_buffer(joining->reply_memory, sizeof joining->reply_memory);
    enum mq_status status = mq_invitation_parse(&joining->invitation, invitation);
    if (status == MQ_REFUSED)
        return mq_fail(error, MQ_REFUSED,
                       _("this is no invitation; it begins with \"minqing:\" and comes from the centre"));
    if (status == MQ_DAMAGED)
        return mq_fail(error, MQ_REFUSED, _("this invitation is mistyped or cut; copy it once more, whole"));
    if (status != MQ_OK)
        return mq_fail(error, MQ_REFUSED,
                       _("this invitation is not signed by the organisation it names; ask the centre for a new one"));
    return MQ_OK;
}

/* ---- the request ---- */

static enum mq_status request_recall(struct mq_joining *joining, struct mq_replica *replica, struct mq_error *error)
{
    uint8_t stored[MQ_ID_SIZE], wanted[MQ_ID_SIZE];
    enum mq_status status = mq_setting_get(replica, "enrol_request", &joining->request, error);
    if (status != MQ_OK)
        return status;
    mq_invitation_name(wanted, joining->invitation.secret);
    if (mq_enrol_request_name(stored, mq_written(&joining->request)) == MQ_OK &&
        memcmp(stored, wanted, sizeof stored) == 0)
        return MQ_OK;
    joining->request.size = 0;
    return MQ_NOT_FOUND;
}

enum mq_status mq_join_request(struct mq_joining *joining, struct mq_replica *replica, const char *name,
                               struct mq_error *error)
{
    struct mq_enrol_request request = {{0}, {0}, ""};
    struct mq_secret ephemeral;
    const struct mq_identity *identity = mq_replica_identity(replica);
    size_t size = strlen(name);
    if (replica->has_root && memcmp(mq_replica_root(replica), joining->invitation.root_public, MQ_PUBLIC_SIZE) != 0)
        return mq_fail(error, MQ_REFUSED,
                       _("this invitation is of another organisation than the one joined here; use another home"));
    enum mq_status status = request_recall(joining, replica, error);
    if (status != MQ_NOT_FOUND)
        return status;
    if (size > MQ_NAME_TEXT_MAX)
        return mq_fail(error, MQ_REFUSED, _("--name is longer than %d bytes"), MQ_NAME_TEXT_MAX);
    if (!mq_utf8_line(mq_span_text(name)))
        return mq_fail(error, MQ_REFUSED,
                       _("there is something in the name that cannot be shown; write it anew, as people read it, in UTF-8"));
    memcpy(request.sign_public, identity->sign_public, MQ_PUBLIC_SIZE);
    memcpy(request.box_public, identity->box_public, MQ_PUBLIC_SIZE);
    memcpy(request.name, name, size + 1);
    mq_random(replica->platform, ephemeral.bytes, sizeof ephemeral.bytes);
    status = mq_enrol_request_seal(&joining->request, &request, &joining->invitation, identity, &ephemeral);
    mq_secret_wipe(&ephemeral);
    if (status != MQ_OK)
        return mq_fail(error, MQ_FAULT, _("the request to join could not be made"));
    return mq_setting_put(replica, "enrol_request", mq_written(&joining->request), error);
}

enum mq_status mq_join_ask(struct mq_joining *joining, struct mq_replica *replica, const struct mq_transport *transport,
                           int64_t deadline_ms, struct mq_error *error)
{
    const struct mq_platform *platform = replica->platform;
    for (;;) {
        struct mq_post_answer answer = {0};
        joining->reply.size = 0;
        enum mq_status status = transport->post(transport->context, ENROL_PATH, mq_written(&joining->request),
                                                &joining->reply, &answer, error);
        if (status != MQ_OK || answer.http_status == 200)
            return status;
        if (answer.http_status != 202)
            return mq_fail(error, MQ_UNREACHABLE,
                           _("the server answered %u; try `join` again later, with the same invitation"),
                           answer.http_status);
        if (deadline_ms - platform->monotonic_ms(platform->self) <= POLL_MS)
            return mq_fail(
                error, MQ_UNREACHABLE,
                _("the server has the request, but the desk has not answered yet; run `join` again later, with the same invitation"));
        platform->sleep_ms(platform->self, POLL_MS);
    }
}

/* ---- the reply ---- */

static enum mq_status refusal(uint8_t reason, struct mq_error *error)
{
    switch ((enum mq_enrol_refusal)reason) {
    case MQ_ENROL_UNKNOWN:
        return mq_fail(error, MQ_REFUSED, _("the centre does not know this invitation; ask for a new one"));
    case MQ_ENROL_USED:
        return mq_fail(error, MQ_REFUSED,
                       _("this invitation was used already; each one is for one device. Ask for a new one"));
    case MQ_ENROL_EXPIRED: return mq_fail(error, MQ_REFUSED, _("this invitation has expired; ask for a new one"));
    case MQ_ENROL_WRONG: break;
    }
    return mq_fail(error, MQ_REFUSED, _("the centre could not read this request; ask for a new invitation"));
}

static enum mq_status reply_read(struct mq_joining *joining, const struct mq_replica *replica, struct mq_error *error)
{
    const struct mq_identity *own = mq_replica_identity(replica);
    struct mq_span reply = mq_written(&joining->reply);
    if (reply.size == 1)
        return refusal(reply.data[0], error);
    if (mq_enrol_reply_open(&joining->answer, reply, &joining->invitation, joining->role, own) == MQ_OK)
        return MQ_OK;
    enum mq_role other = joining->role == MQ_ROLE_CADRE ? MQ_ROLE_DESK : MQ_ROLE_CADRE;
    bool mistaken = mq_enrol_reply_open(&joining->answer, reply, &joining->invitation, other, own) == MQ_OK;
    mq_wipe(&joining->answer, sizeof joining->answer);
    if (mistaken && other == MQ_ROLE_DESK)
        return mq_fail(error, MQ_REFUSED,
                       _("this invitation was for a township's desk, not for a device; ask the centre for another one"));
    if (mistaken)
        return mq_fail(
            error, MQ_REFUSED,
            _("this invitation was for a device; for a desk the county makes one with `invite --role desk`"));
    return mq_fail(
        error, MQ_REFUSED,
        _("the answer is not from the centre that invited, or not for this device; ask for a new invitation"));
}

struct finish_work {
    struct mq_joining *joining;
    const char *name;
};

/* Streams are of one certificate: who is certified anew by his own team goes on under new ones. */
static enum mq_status team_store(struct mq_replica *replica, const struct finish_work *work, struct mq_error *error)
{
    const struct mq_enrol_reply *answer = &work->joining->answer;
    struct mq_team team = {.certificate = answer->certificate}, before = {.certificate.role = MQ_ROLE_CADRE};
    uint8_t old[MQ_HASH_SIZE], new[MQ_HASH_SIZE];
    bool again = mq_team_find(replica, answer->certificate.team, &before, error) == MQ_OK;
    mq_error_clear(error);
    MQ_ASSERT(strlen(work->name) < sizeof team.name);
    memcpy(team.team, answer->certificate.team, MQ_ID_SIZE);
    memcpy(team.token, answer->token, MQ_TOKEN_SIZE);
    memcpy(team.name, work->name, strlen(work->name));
    mq_certificate_hash(new, &team.certificate);
    mq_certificate_hash(old, &before.certificate);
    enum mq_status status = mq_team_put(replica, &team, error);
    if (status == MQ_OK && again && memcmp(old, new, sizeof old) != 0)
        status = mq_streams_close(replica, error);
    return status;
}

/* A desk tells whatever relay it comes to who it is; the devices of its team learn it from there. */
static enum mq_status own_desk_store(struct mq_replica *replica, const struct mq_certificate *own,
                                     struct mq_error *error)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    if (!mq_role_is_desk(own->role))
        return MQ_OK;
    mq_certificate_encode(bytes, own);
    enum mq_status status = mq_desk_put(replica, own, error);
    if (status != MQ_OK)
        return status;
    return mq_outbox_put(replica, MQ_FRAME_CERTIFICATE, mq_span(NULL, 0), MQ_SPAN(bytes), error);
}

static enum mq_status grants_store(struct mq_replica *replica, const struct mq_enrol_reply *answer,
                                   struct mq_error *error)
{
    static const uint8_t none[MQ_WRAP_SIZE]; /* written to and not read: only what to seal to */
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < answer->grant_count && status == MQ_OK; i++) {
        struct mq_secret key;
        if (answer->grants[i].compartment != MQ_COMPARTMENT_TEAM && memcmp(answer->wraps[i], none, sizeof none) == 0) {
            status = mq_grant_put(replica, &answer->grants[i], NULL, error);
            continue;
        }
        if (mq_wrap_open(&key, mq_span(answer->wraps[i], MQ_WRAP_SIZE), &answer->grants[i],
                         mq_replica_identity(replica)) != MQ_OK)
            return mq_fail(error, MQ_REFUSED,
                           _("the team's key in the answer does not open; ask for a new invitation"));
        status = mq_key_take(replica, &answer->grants[i], &key, error);
        mq_secret_wipe(&key);
    }
    return status;
}

static enum mq_status store_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct finish_work *work = context;
    const struct mq_invitation *invitation = &work->joining->invitation;
    const struct mq_enrol_reply *answer = &work->joining->answer;
    enum mq_status status = mq_root_put(replica, invitation->root_public, error);
    if (status == MQ_OK)
        status = mq_desk_put(replica, &answer->desk, error);
    if (status == MQ_OK)
        status = own_desk_store(replica, &answer->certificate, error);
    if (status == MQ_OK)
        status = team_store(replica, work, error);
    if (status == MQ_OK)
        status = grants_store(replica, answer, error);
    if (status == MQ_OK)
        status = mq_setting_put(replica, "url", mq_span_text(invitation->url), error);
    if (status == MQ_OK)
        status = mq_setting_put(replica, "pin", MQ_SPAN(invitation->server_pin), error);
    return status == MQ_OK ? mq_setting_put(replica, "enrol_request", (struct mq_span){(const uint8_t *)"", 0}, error)
                           : status;
}

enum mq_status mq_join_finish(struct mq_joining *joining, struct mq_replica *replica, const char *name,
                              struct mq_error *error)
{
    struct finish_work work = {joining, name};
    enum mq_status status = reply_read(joining, replica, error);
    return status == MQ_OK ? mq_replica_transact(replica, store_all, &work, error) : status;
}

enum mq_status mq_join_address(struct mq_replica *replica, char url[MQ_INVITATION_URL_MAX + 1],
                               uint8_t pin[MQ_HASH_SIZE], struct mq_error *error)
{
    struct mq_buffer url_buffer = mq_buffer(url, MQ_INVITATION_URL_MAX), pin_buffer = mq_buffer(pin, MQ_HASH_SIZE);
    enum mq_status status = mq_setting_get(replica, "url", &url_buffer, error);
    url[url_buffer.size] = '\0';
    return status == MQ_OK ? mq_setting_get(replica, "pin", &pin_buffer, error) : status;
}
