/* The way to a relay on another machine: through the courier, which holds no keys. */
#ifndef MQ_SERVER_REMOTE_H
#define MQ_SERVER_REMOTE_H

#include "platform/courier.h"
#include "replica/sync.h"

struct mq_remote {
    char url[MQ_URL_MAX];
    uint8_t pin[MQ_HASH_SIZE];
    bool pinned;                /* an http:// address of this machine has none */
    struct mq_courier *courier; /* NULL: not started yet, or it broke */
};

/* Nothing is connected yet. `pin` NULL: none. MQ_REFUSED: the address is too long, or needs a pin. The caller calls
 * mq_remote_close. */
MQ_MUST_USE enum mq_status mq_remote_open(struct mq_remote *remote, const char *url, const uint8_t *pin,
                                          struct mq_error *error);
/* Points into `remote`, which must not move. */
struct mq_transport mq_remote_transport(struct mq_remote *remote);
/* A zeroed one is fine. */
void mq_remote_close(struct mq_remote *remote);

#endif
