/* What a field device can do beyond records: join a team, sync, import, say how safe its records are. Every front end
 * of the device (commands, page, agent) calls these and replica/records.h, so that they cannot differ. */
#ifndef MQ_CLIENT_DEVICE_H
#define MQ_CLIENT_DEVICE_H

#include "replica/receipts.h"
#include "replica/records.h"

struct mq_device {
    const struct mq_platform *platform;
    const char *home;
    const char *courier;        /* path of the network program */
    struct mq_replica *replica; /* NULL until opened; owned */
};

/* Opens the home; a device that never finished joining is refused, with words. Closing twice is fine. */
MQ_MUST_USE enum mq_status mq_device_open(struct mq_device *device, struct mq_span passphrase, struct mq_error *error);
void mq_device_close(struct mq_device *device);

struct mq_join {
    struct mq_span invitation, passphrase;
    const char *name;        /* of the person or the device, as the centre sees it; may be "" */
    uint32_t kdf_memory_mib; /* 0: chosen */
    const char *request_out; /* by files: the request goes here and nothing is sent */
    const char *grant_in;    /* by files: the answer */
    int64_t timeout_ms;      /* how long to wait for the desk */
};
/* Makes the home and enrols; called again after MQ_UNREACHABLE it goes on where it was. After
 * a refusal another invitation can be tried in the same home, with the same passphrase; and its own team may invite a
 * member again. MQ_WAITING: the request was written to request_out. On MQ_OK the device is open. */
MQ_MUST_USE enum mq_status mq_device_join(struct mq_device *device, const struct mq_join *join, struct mq_error *error);

struct mq_device_sync {
    int64_t sent, received; /* records that became safer; changes of others that came */
    int64_t bytes_up, bytes_down, requests, round_trips;
    bool moved_on; /* this store was copied or set back, and goes on under a new stream */
    struct mq_safety safety;
};
/* One sync over the network, `timeout_ms` at most. MQ_UNREACHABLE: nothing is lost; `out->safety` is filled all the
 * same. */
MQ_MUST_USE enum mq_status mq_device_sync(struct mq_device *device, int64_t timeout_ms, struct mq_device_sync *out,
                                          struct mq_error *error);

struct mq_import {
    int64_t lines, saved, known, refused, masked;
    int64_t durable; /* all lines up to this one are on disk */
};
struct mq_import_report {
    void *context;
    void (*refused)(void *context, int64_t line, const struct mq_error *why);
    void (*masked)(void *context, int64_t line, size_t numbers);
    void (*durable)(void *context, const struct mq_import *so_far); /* after each group of lines is synced to disk */
};
/* Lines of the record format from an open file descriptor. Good lines are kept whatever the others are: MQ_REFUSED in
 * the end where one was refused. */
MQ_MUST_USE enum mq_status mq_device_import(struct mq_device *device, int descriptor,
                                            const struct mq_import_report *report, struct mq_import *out,
                                            struct mq_error *error);

#endif
