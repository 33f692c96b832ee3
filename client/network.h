/* The way out: requests through the keyless courier program, as a transport for a sync. */
#ifndef MQ_CLIENT_NETWORK_H
#define MQ_CLIENT_NETWORK_H

#include "client/device.h"
#include "platform/courier.h"
#include "replica/sync.h"

struct mq_network {
    const struct mq_device *device;
    struct mq_courier *courier;
    int64_t deadline_ms; /* monotonic */
    struct mq_transport transport;
};

/* `network` must stay where it is until mq_network_stop. */
MQ_MUST_USE enum mq_status mq_network_start(struct mq_network *network, const struct mq_device *device, const char *url,
                                            struct mq_span pin, int64_t timeout_ms, struct mq_error *error);
/* Takes the home without opening it, for what needs no passphrase; the caller gives the lock back. MQ_NOT_FOUND, MQ_BUSY. */
MQ_MUST_USE enum mq_status mq_device_hold(struct mq_device *device, int *lock, struct mq_error *error);
/* Space that a full disk cannot take: enough to seal what is saved (replica/sync.c). Made where it is missing; MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_device_reserve(const struct mq_device *device, struct mq_error *error);

int64_t mq_network_left(const struct mq_network *network); /* milliseconds */
void mq_network_stop(struct mq_network *network);

#endif
