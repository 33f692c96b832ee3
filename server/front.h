/* The front: listener, relay and store, in a process without keys. Whoever breaks the parser that faces the network
 * stands where nothing can be read (docs/architecture.md). */
#ifndef MQ_SERVER_FRONT_H
#define MQ_SERVER_FRONT_H

#include "platform/listen.h"
#include "platform/platform.h"
#include "protocol/limits.h"

struct mq_front_options {
    const struct mq_platform *platform;
    const char *data;
    struct mq_address address;
    const char *certificate_path, *key_path; /* NULL: no TLS */
    bool plain;                              /* allows that beyond loopback */
    uint8_t root_public[MQ_PUBLIC_SIZE];
    int link;  /* socket to the desk; -1: a relay alone */
    int news;  /* eventfd that wakes the desk; -1: none */
    int ready; /* pipe: the address, once connections are accepted */
};

/* The whole life of the front, in its own process; returns the exit code. SIGTERM or SIGINT, or the desk's end of the
 * link closed, end it. */
int mq_front_run(const struct mq_front_options *options);

#endif
