/* A device's home: opening it, joining a team. */
#include "client/device.h"

#include <string.h>

#include "client/network.h"
#include "protocol/recovery_keys.h"
#include "replica/join_keys.h"
#include "replica/outgoing.h"
#include "replica/recovery.h"
#include "replica/replica_keys.h"
#include "replica/spool.h"

void mq_device_close(struct mq_device *device)
{
    mq_replica_close(device->replica);
    device->replica = NULL;
}

enum mq_status mq_device_open(struct mq_device *device, struct mq_span passphrase, struct mq_error *error)
{
    struct mq_team team;
    enum mq_status status =
        mq_replica_open(&device->replica, device->platform, device->home, passphrase, MQ_HOME_WAIT_MS, error);
    if (status == MQ_OK)
        status = mq_team_find(device->replica, NULL, &team, error);
    if (status == MQ_OK)
        status = mq_spool_recall(device->replica, error);
    if (status != MQ_OK)
        mq_device_close(device);
    return status;
}

enum mq_status mq_device_rest(struct mq_device *device, struct mq_error *error)
{
    struct mq_team team;
    if (device->replica == NULL)
        return MQ_OK;
    enum mq_status status = mq_team_find(device->replica, NULL, &team, error);
    if (status == MQ_NOT_FOUND) { /* it has not joined yet: there is nothing, and nowhere to send it */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status == MQ_OK)
        status = mq_seal_aged(device->replica, MQ_SEAL_AGE_S, error);
    return status == MQ_OK ? mq_spool_update(device->replica, error) : status;
}

/* ---- joining ---- */

struct join_work {
    struct mq_device *device;
    const struct mq_join *join;
    struct mq_joining joining;
};

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
        mq_replica_open(&device->replica, device->platform, device->home, work->join->passphrase, MQ_HOME_WAIT_MS, error);
    if (status != MQ_OK)
        return status;
    /* Its own team may invite it again: a centre brought back from a backup does not know who joined after that. */
    if (mq_team_find(device->replica, NULL, &team, error) == MQ_OK &&
        memcmp(team.team, work->joining.invitation.desk.team, MQ_ID_SIZE) != 0)
        return mq_fail(
            error, MQ_REFUSED,
            _("this device has joined a team already; its records are left as they are. Another team needs another home"));
    mq_error_clear(error);
    return MQ_OK;
}

static enum mq_status ask_by_network(struct join_work *work, struct mq_error *error)
{
    struct mq_joining *joining = &work->joining;
    struct mq_network network;
    enum mq_status status = mq_network_start(&network, work->device, joining->invitation.url,
                                             MQ_SPAN(joining->invitation.server_pin), work->join->timeout_ms, error);
    if (status != MQ_OK)
        return status;
    status = mq_join_ask(joining, work->device->replica, &network.transport, network.deadline_ms, error);
    mq_network_stop(&network);
    return status;
}

static enum mq_status answer_get(struct join_work *work, struct mq_error *error)
{
    const struct mq_platform *platform = work->device->platform;
    struct mq_joining *joining = &work->joining;
    enum mq_status status = mq_join_request(joining, work->device->replica, work->join->name, error);
    if (status != MQ_OK)
        return status;
    if (work->join->request_out != NULL) {
        status = platform->write(platform->self, work->join->request_out, mq_written(&joining->request), error);
        return status == MQ_OK ? MQ_WAITING : status;
    }
    if (work->join->grant_in != NULL)
        return platform->read(platform->self, work->join->grant_in, &joining->reply, error);
    return ask_by_network(work, error);
}

static enum mq_status join_home(struct join_work *work, struct mq_error *error)
{
    enum mq_status status = answer_get(work, error);
    if (status == MQ_OK)
        status = mq_join_finish(&work->joining, work->device->replica, "", error);
    /* Certified anew, it is another device to the desk: what it could open of the old one would be refused. */
    if (status == MQ_OK && (work->join->recovery || mq_recovery_is_on(work->device->platform, work->device->home)))
        status = mq_recovery_on(work->device->replica, error);
    return status == MQ_OK ? mq_device_reserve(work->device, error) : status;
}

enum mq_status mq_device_join(struct mq_device *device, const struct mq_join *join, struct mq_error *error)
{
    struct join_work *work = mq_work_memory(sizeof *work);
    work->device = device;
    work->join = join;
    enum mq_status status = mq_join_begin(&work->joining, MQ_ROLE_CADRE, join->invitation, error);
    if (status == MQ_OK)
        status = home_begin(work, error);
    if (status == MQ_OK)
        status = join_home(work, error);
    mq_work_free(work, sizeof *work);
    return status;
}

/* ---- a forgotten passphrase ---- */

/* Without opening it, but nobody else may have it open. */
enum mq_status mq_device_hold(struct mq_device *device, int *lock, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    if (!mq_vault_exists(device->platform, device->home))
        return mq_fail(error, MQ_NOT_FOUND, _("there is no store in %s; `join` makes one from an invitation"), device->home);
    mq_home_path(path, device->home, "lock");
    return device->platform->lock_take(device->platform->self, path, MQ_HOME_WAIT_MS, lock, error);
}

enum mq_status mq_device_recover_ask(struct mq_device *device, const char *request_out, char *code, struct mq_error *error)
{
    const struct mq_platform *platform = device->platform;
    uint8_t memory[MQ_RECOVER_REQUEST_SIZE];
    struct mq_buffer request = mq_buffer(memory, sizeof memory);
    int lock;
    enum mq_status status = mq_device_hold(device, &lock, error);
    if (status != MQ_OK)
        return status;
    status = mq_recovery_request(platform, device->home, &request, code, error);
    if (status == MQ_OK)
        status = platform->write(platform->self, request_out, mq_written(&request), error);
    platform->lock_release(platform->self, lock);
    return status;
}

enum mq_status mq_device_recover_end(struct mq_device *device, const char *grant_in, struct mq_span passphrase,
                                     uint32_t kdf_memory_mib, struct mq_error *error)
{
    const struct mq_platform *platform = device->platform;
    uint8_t memory[MQ_RECOVER_GRANT_SIZE + 1]; /* one more tells that a file is none */
    struct mq_buffer grant = mq_buffer(memory, sizeof memory);
    int lock;
    enum mq_status status = mq_device_hold(device, &lock, error);
    if (status != MQ_OK)
        return status;
    status = platform->read(platform->self, grant_in, &grant, error);
    if (status == MQ_NO_SPACE) { /* larger than any answer: refused as such */
        mq_error_clear(error);
        status = MQ_OK;
    }
    if (status == MQ_OK)
        status = mq_recovery_finish(platform, device->home, mq_written(&grant), passphrase, kdf_memory_mib, error);
    mq_wipe(memory, sizeof memory);
    platform->lock_release(platform->self, lock);
    return status;
}
