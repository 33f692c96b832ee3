/* The spool: copies of sealed pieces beside the store, so that a device whose passphrase nobody has at hand, or nobody knows
 * any more, still sends them (docs/protocol.md, section 4; docs/decisions/0027-spool.md).
 *
 * `spool` is a bundle of everything sealed that the server may not have, with its grants, whose keys a desk that was set back
 * may lack, and the revocations that belong before them. `spool.to` says where it goes: the server's address
 * and pin, and the token. Both open nothing. They are copies: the store is the truth, and nothing is ever taken out of it
 * because of them. */
#ifndef MQ_REPLICA_SPOOL_H
#define MQ_REPLICA_SPOOL_H

#include "replica/sync.h"

#define MQ_SPOOL_VERSION 1

/* What stands in `spool.to`: version 1, mark 16, pin 32, token 32, taken 4, body 4, length of the url 1, url, and
 * H_32("body", all before). */
struct mq_spool_address {
    uint8_t mark[MQ_FINGERPRINT_SIZE]; /* of the ids of what was owed when the spool was filled */
    uint8_t pin[MQ_HASH_SIZE];
    uint8_t token[MQ_TOKEN_SIZE];
    uint32_t taken; /* so many segments of the spool, from its front, has the server taken since then */
    uint32_t body;  /* bytes of a request that the link bore last */
    char url[MQ_INVITATION_URL_MAX + 1];
};
/* MQ_NOT_FOUND: nothing sealed waits here. MQ_DAMAGED. */
MQ_MUST_USE enum mq_status mq_spool_address_read(const struct mq_platform *platform, const char *home,
                                                 struct mq_spool_address *out, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_spool_address_write(const struct mq_platform *platform, const char *home,
                                                  const struct mq_spool_address *address, struct mq_error *error);

/* Brings the spool in line with the store: writes it anew where something else is owed now than when it was filled, and
 * removes it where nothing is. Seals nothing. MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_spool_update(struct mq_replica *replica, struct mq_error *error);
/* After opening, before anything is written: a spool that this store does not remember tells that the store was set back
 * behind it. Then own streams that the spool knows further are closed, and what it holds is taken in like a bundle's. */
MQ_MUST_USE enum mq_status mq_spool_recall(struct mq_replica *replica, struct mq_error *error);

struct mq_spool_sent {
    int64_t sent, left; /* segments */
    int64_t bytes_up, bytes_down, requests;
};
/* Sends the spool without any key, and notes what the server has taken. The caller holds the home's lock. MQ_OK also where
 * nothing waits. MQ_UNREACHABLE, MQ_BAD_SIGNATURE, MQ_REFUSED (a stranger to the server), MQ_DAMAGED (the spool; the next
 * command with the passphrase makes it anew). */
MQ_MUST_USE enum mq_status mq_spool_send(const struct mq_platform *platform, const char *home,
                                         const struct mq_transport *transport, int64_t deadline_ms,
                                         struct mq_spool_sent *out, struct mq_error *error);

#endif
