/* A device's home: opening it, joining a team. */
#include "client/device.h"

#include <string.h>

#include "client/network.h"
#include "protocol/assert.h"
#include "protocol/enrol_keys.h"
#include "protocol/exchange.h"
#include "replica/keyring_keys.h"
#include "replica/outgoing.h"

#define LOCK_WAIT_MS 3000
#define ENROL_POLL_MS 300

void mq_device_close(struct mq_device *device)
{
    mq_replica_close(device->replica);
    device->replica = NULL;
}

enum mq_status mq_device_open(struct mq_device *device, struct mq_span passphrase, struct mq_error *error)
{
    struct mq_team team;
    enum mq_status status =
        mq_replica_open(&device->replica, device->platform, device->home, passphrase, LOCK_WAIT_MS, error);
    if (status == MQ_OK)
        status = mq_team_find(device->replica, NULL, &team, error);
    if (status != MQ_OK)
        mq_device_close(device);
    return status;
}

/* ---- joining ---- */

struct join_work {
    struct mq_device *device;
    const struct mq_join *join;
    struct mq_invitation invitation;
    uint8_t request_memory[MQ_ENROL_MAX], reply_memory[MQ_ENROL_MAX];
    struct mq_buffer request, reply;
    struct mq_enrol_reply answer;
};

static enum mq_status invitation_read(struct join_work *work, struct mq_error *error)
{
    enum mq_status status = mq_invitation_parse(&work->invitation, work->join->invitation);
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

/* The request is kept in the store: asked again with the same invitation, it is the same. Another invitation wants
 * another request, for the same keys. */
static enum mq_status request_make(struct join_work *work, struct mq_error *error)
{
    struct mq_replica *replica = work->device->replica;
    uint8_t stored[MQ_ID_SIZE], wanted[MQ_ID_SIZE];
    enum mq_status status = mq_setting_get(replica, "enrol_request", &work->request, error);
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    mq_invitation_name(wanted, work->invitation.secret);
    if (status == MQ_OK && mq_enrol_request_name(stored, mq_written(&work->request)) == MQ_OK &&
        memcmp(stored, wanted, sizeof stored) == 0)
        return MQ_OK;
    work->request.size = 0;
    struct mq_enrol_request request = {{0}, {0}, ""};
    struct mq_secret ephemeral;
    const struct mq_identity *identity = mq_replica_identity(replica);
    size_t size = strlen(work->join->name);
    if (size > MQ_NAME_TEXT_MAX)
        return mq_fail(error, MQ_REFUSED, _("--name is longer than %d bytes"), MQ_NAME_TEXT_MAX);
    memcpy(request.sign_public, identity->sign_public, MQ_PUBLIC_SIZE);
    memcpy(request.box_public, identity->box_public, MQ_PUBLIC_SIZE);
    memcpy(request.name, work->join->name, size + 1);
    mq_random(work->device->platform, ephemeral.bytes, sizeof ephemeral.bytes);
    status = mq_enrol_request_seal(&work->request, &request, &work->invitation, identity, &ephemeral);
    mq_secret_wipe(&ephemeral);
    if (status != MQ_OK)
        return mq_fail(error, MQ_FAULT, _("the request to join could not be made"));
    return mq_setting_put(replica, "enrol_request", mq_written(&work->request), error);
}

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

static enum mq_status reply_read(struct join_work *work, struct mq_error *error)
{
    if (work->reply.size == 1)
        return refusal(work->reply.data[0], error);
    enum mq_status status = mq_enrol_reply_open(&work->answer, mq_written(&work->reply), &work->invitation,
                                                mq_replica_identity(work->device->replica));
    if (status != MQ_OK)
        return mq_fail(
            error, MQ_REFUSED,
            _("the answer is not from the centre that invited, or not for this device; ask for a new invitation"));
    return MQ_OK;
}

/* Everything that membership is, in one transaction: a device has joined, or it has not. */
static enum mq_status keys_store(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct join_work *work = context;
    const struct mq_enrol_reply *answer = &work->answer;
    struct mq_team team = {.certificate = answer->certificate}, before = {.certificate.role = MQ_ROLE_CADRE};
    uint8_t old[MQ_HASH_SIZE], new[MQ_HASH_SIZE];
    bool again = mq_team_find(replica, answer->certificate.team, &before, error) == MQ_OK;
    mq_error_clear(error);
    memcpy(team.team, answer->certificate.team, MQ_ID_SIZE);
    memcpy(team.token, answer->token, MQ_TOKEN_SIZE);
    enum mq_status status = mq_root_put(replica, work->invitation.root_public, error);
    if (status == MQ_OK)
        status = mq_desk_put(replica, &answer->desk, error);
    if (status == MQ_OK)
        status = mq_team_put(replica, &team, error);
    mq_certificate_hash(new, &team.certificate);
    mq_certificate_hash(old, &before.certificate);
    if (status == MQ_OK && again && memcmp(old, new, sizeof old) != 0) /* streams are of one certificate */
        status = mq_streams_close(replica, error);
    for (size_t i = 0; i < answer->grant_count && status == MQ_OK; i++) {
        struct mq_secret key;
        if (mq_wrap_open(&key, mq_span(answer->wraps[i], MQ_WRAP_SIZE), &answer->grants[i],
                         mq_replica_identity(replica)) != MQ_OK)
            return mq_fail(error, MQ_REFUSED,
                           _("the team's key in the answer does not open; ask for a new invitation"));
        status = mq_grant_put(replica, &answer->grants[i], &key, error);
        mq_secret_wipe(&key);
    }
    if (status == MQ_OK)
        status = mq_setting_put(replica, "url", mq_span_text(work->invitation.url), error);
    if (status == MQ_OK)
        status = mq_setting_put(replica, "pin", MQ_SPAN(work->invitation.server_pin), error);
    return status == MQ_OK ? mq_setting_put(replica, "enrol_request", (struct mq_span){(const uint8_t *)"", 0}, error)
                           : status;
}

enum mq_status mq_device_reserve(const struct mq_device *device, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    struct mq_file_identity there;
    mq_home_path(path, device->home, "reserve");
    if (device->platform->identify(device->platform->self, path, &there, error) == MQ_OK)
        return MQ_OK;
    mq_error_clear(error);
    uint8_t *memory = mq_work_memory(MQ_RESERVE_SIZE);
    mq_random(device->platform, memory, MQ_RESERVE_SIZE); /* not zeros: some file systems store none of these */
    enum mq_status status =
        device->platform->write(device->platform->self, path, mq_span(memory, MQ_RESERVE_SIZE), error);
    mq_work_free(memory, MQ_RESERVE_SIZE);
    return status;
}

static enum mq_status home_begin(struct join_work *work, struct mq_error *error)
{
    struct mq_device *device = work->device;
    struct mq_team team;
    if (!mq_vault_exists(device->platform, device->home))
        return mq_replica_create(&device->replica, device->platform, device->home, work->join->passphrase,
                                 work->join->kdf_memory_mib, error);
    enum mq_status status =
        mq_replica_open(&device->replica, device->platform, device->home, work->join->passphrase, LOCK_WAIT_MS, error);
    if (status != MQ_OK)
        return status;
    /* Its own team may invite it again: a centre brought back from a backup does not know who joined after that. */
    if (mq_team_find(device->replica, NULL, &team, error) == MQ_OK &&
        memcmp(team.team, work->invitation.desk.team, MQ_ID_SIZE) != 0)
        return mq_fail(
            error, MQ_REFUSED,
            _("this device has joined a team already; its records are left as they are. Another team needs another home"));
    mq_error_clear(error);
    return MQ_OK;
}

static enum mq_status ask_by_network(struct join_work *work, struct mq_error *error)
{
    struct mq_network network;
    enum mq_status status = mq_network_start(&network, work->device, work->invitation.url,
                                             MQ_SPAN(work->invitation.server_pin), work->join->timeout_ms, error);
    if (status != MQ_OK)
        return status;
    do {
        struct mq_post_answer answer = {0};
        work->reply.size = 0;
        status = network.transport.post(network.transport.context, "/v1/enrol", mq_written(&work->request),
                                        &work->reply, &answer, error);
        if (status == MQ_OK && answer.http_status == 200)
            break;
        if (status == MQ_OK && answer.http_status != 202)
            status = mq_fail(error, MQ_UNREACHABLE,
                             _("the server answered %u; try `join` again later, with the same invitation"),
                             answer.http_status);
        if (status == MQ_OK && mq_network_left(&network) <= ENROL_POLL_MS)
            status = mq_fail(
                error, MQ_UNREACHABLE,
                _("the server has the request, but the desk has not answered yet; run `join` again later, with the same invitation"));
        if (status == MQ_OK)
            work->device->platform->sleep_ms(work->device->platform->self, ENROL_POLL_MS);
    } while (status == MQ_OK);
    mq_network_stop(&network);
    return status;
}

static enum mq_status answer_get(struct join_work *work, struct mq_error *error)
{
    const struct mq_platform *platform = work->device->platform;
    enum mq_status status = request_make(work, error);
    if (status != MQ_OK)
        return status;
    if (work->join->request_out != NULL) {
        status = platform->write(platform->self, work->join->request_out, mq_written(&work->request), error);
        return status == MQ_OK ? MQ_WAITING : status;
    }
    if (work->join->grant_in != NULL)
        return platform->read(platform->self, work->join->grant_in, &work->reply, error);
    return ask_by_network(work, error);
}

static enum mq_status join_home(struct join_work *work, struct mq_error *error)
{
    enum mq_status status = answer_get(work, error);
    if (status != MQ_OK)
        return status;
    status = reply_read(work, error);
    if (status == MQ_OK)
        status = mq_replica_transact(work->device->replica, keys_store, work, error);
    return status == MQ_OK ? mq_device_reserve(work->device, error) : status;
}

enum mq_status mq_device_join(struct mq_device *device, const struct mq_join *join, struct mq_error *error)
{
    struct join_work *work = mq_work_memory(sizeof *work);
    *work = (struct join_work){.device = device, .join = join};
    work->request = mq_buffer(work->request_memory, sizeof work->request_memory);
    work->reply = mq_buffer(work->reply_memory, sizeof work->reply_memory);
    enum mq_status status = invitation_read(work, error);
    if (status == MQ_OK)
        status = home_begin(work, error);
    if (status == MQ_OK)
        status = join_home(work, error);
    mq_work_free(work, sizeof *work);
    return status;
}
