/* Addresses to listen on, and the socket for one. */
#ifndef MQ_PLATFORM_LISTEN_H
#define MQ_PLATFORM_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/error.h"
#include "protocol/limits.h"

struct mq_address {
    char host[MQ_HOST_MAX]; /* an IPv4 or IPv6 address, without brackets */
    uint16_t port;          /* 0: any free one */
};

/* "127.0.0.1:8420" or "[::1]:8420". MQ_REFUSED, with words, for anything else; names are not looked up. */
MQ_MUST_USE enum mq_status mq_address_parse(struct mq_address *out, const char *text, struct mq_error *error);
/* True for 127.0.0.0/8 and ::1: nobody outside this machine can reach it. */
bool mq_address_is_loopback(const struct mq_address *address);

/* A bound, listening, non-blocking TCP socket with SO_REUSEADDR; the caller closes it. `address->port` becomes the port
 * that was bound. "::" takes IPv4 too. MQ_REFUSED: not an address, not ours, or taken. */
MQ_MUST_USE enum mq_status mq_listen(int *descriptor, struct mq_address *address, struct mq_error *error);

#endif
