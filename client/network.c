/* Requests through the courier, and a whole sync over them. */
#include "client/network.h"

#include <string.h>

#include "replica/join_keys.h"
#include "replica/spool.h"

int64_t mq_network_left(const struct mq_network *network)
{
    const struct mq_platform *platform = network->device->platform;
    return network->deadline_ms - platform->monotonic_ms(platform->self);
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct mq_network *network = context;
    int64_t left = mq_network_left(network);
    struct mq_courier_request request = {.path = path, .body = body, .timeout_ms = left > 1 ? left : 1};
    struct mq_courier_answer said = {.outcome = MQ_COURIER_UNREACHABLE};
    enum mq_status status = mq_courier_post(network->courier, &request, reply, &said, error);
    answer->http_status = said.http_status;
    answer->retry_after = said.retry_after_s;
    answer->bytes_up = said.bytes_up;
    answer->bytes_down = said.bytes_down;
    return status;
}

enum mq_status mq_network_start(struct mq_network *network, const struct mq_device *device, const char *url,
                                struct mq_span pin, int64_t timeout_ms, struct mq_error *error)
{
    const struct mq_platform *platform = device->platform;
    *network =
        (struct mq_network){.device = device, .deadline_ms = platform->monotonic_ms(platform->self) + timeout_ms};
    network->transport = (struct mq_transport){.context = network, .post = post};
    bool plain = strncmp(url, "http://", 7) == 0; /* loopback only: the courier sees to it */
    return mq_courier_start(&network->courier, device->courier, url, plain ? mq_span(NULL, 0) : pin, error);
}

void mq_network_stop(struct mq_network *network)
{
    mq_courier_stop(network->courier);
    network->courier = NULL;
}

static enum mq_status sync_over(struct mq_device *device, struct mq_network *network, struct mq_sync_result *result,
                                struct mq_error *error)
{
    struct mq_team team;
    enum mq_status status = mq_team_find(device->replica, NULL, &team, error);
    if (status != MQ_OK)
        return status;
    return mq_sync(device->replica, &team, &network->transport, NULL, network->deadline_ms, result, error);
}

enum mq_status mq_device_sync(struct mq_device *device, int64_t timeout_ms, struct mq_device_sync *out,
                              struct mq_error *error)
{
    char url[MQ_INVITATION_URL_MAX + 1];
    uint8_t pin[MQ_HASH_SIZE];
    struct mq_network network;
    struct mq_safety before;
    struct mq_sync_result result = {0};
    *out = (struct mq_device_sync){0};
    enum mq_status status = mq_safety_count(device->replica, &before, error);
    if (status == MQ_OK)
        status = mq_join_address(device->replica, url, pin, error);
    if (status == MQ_OK)
        status = mq_network_start(&network, device, url, MQ_SPAN(pin), timeout_ms, error);
    if (status != MQ_OK)
        return status;
    status = sync_over(device, &network, &result, error);
    mq_network_stop(&network);

    struct mq_error counting = {0};
    if (status == MQ_OK && mq_device_reserve(device, &counting) != MQ_OK)
        mq_error_clear(&counting); /* the disk is still full; the next sync tries again */
    enum mq_status counted = mq_safety_count(device->replica, &out->safety, &counting);
    if (counted == MQ_OK)
        out->sent = before.saved - out->safety.saved;
    out->received = result.changes;
    out->bytes_up = result.bytes_up;
    out->bytes_down = result.bytes_down;
    out->requests = result.requests;
    out->round_trips = result.requests > 0 ? result.requests + 2 : 0; /* TCP and TLS before the first */
    out->moved_on = result.cloned;
    if (status == MQ_OK && counted != MQ_OK)
        *error = counting;
    return status == MQ_OK ? counted : status;
}

static enum mq_status send_locked(struct mq_device *device, int64_t timeout_ms, struct mq_spool_sent *out,
                                  struct mq_error *error)
{
    struct mq_spool_address address;
    struct mq_network network;
    enum mq_status status = mq_spool_address_read(device->platform, device->home, &address, error);
    if (status == MQ_NOT_FOUND) { /* nothing sealed waits here */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status == MQ_OK)
        status = mq_network_start(&network, device, address.url, MQ_SPAN(address.pin), timeout_ms, error);
    if (status != MQ_OK)
        return status;
    status = mq_spool_send(device->platform, device->home, &network.transport, network.deadline_ms, out, error);
    mq_network_stop(&network);
    return status;
}

enum mq_status mq_device_sync_locked(struct mq_device *device, int64_t timeout_ms, struct mq_spool_sent *out,
                                     struct mq_error *error)
{
    const struct mq_platform *platform = device->platform;
    int lock;
    *out = (struct mq_spool_sent){0};
    enum mq_status status = mq_device_hold(device, &lock, error);
    if (status != MQ_OK)
        return status;
    status = send_locked(device, timeout_ms, out, error);
    platform->lock_release(platform->self, lock);
    return status;
}
