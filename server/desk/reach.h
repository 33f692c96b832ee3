/* Where devices reach this centre: written when it listens, read by invitations. */
#ifndef MQ_SERVER_DESK_REACH_H
#define MQ_SERVER_DESK_REACH_H

#include "platform/platform.h"
#include "protocol/limits.h"

struct mq_reach {
    char url[MQ_URL_MAX];
    uint8_t pin[MQ_HASH_SIZE]; /* of the server's public key; zeros where it ends no TLS itself */
};

/* DATA/url: the address and the pin in hexadecimal, a line each. Durable. */
MQ_MUST_USE enum mq_status mq_reach_write(const struct mq_platform *platform, const char *data,
                                          const struct mq_reach *reach, struct mq_error *error);
/* MQ_NOT_FOUND: it has never listened. */
MQ_MUST_USE enum mq_status mq_reach_read(const struct mq_platform *platform, const char *data, struct mq_reach *reach,
                                         struct mq_error *error);

#endif
