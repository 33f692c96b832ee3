/* Who is connected, and how long each may take: absolute deadlines and limits for sockets that a library reads and
 * writes. The library's own time-out starts anew with every byte; these do not. */
#ifndef MQ_PLATFORM_REAPER_H
#define MQ_PLATFORM_REAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "platform/error.h"

struct mq_deadlines {
    int head_ms;  /* a request's head; the first counts from accept */
    int body_ms;  /* its body: this long, and a second for every `rate` bytes that came */
    int reply_ms; /* its reply: this long, and a second for every `rate` bytes of it */
    int idle_ms;  /* between a reply and the next request */
    int whole_ms; /* head, body and reply together */
    int rate;     /* bytes a second */
};

enum mq_phase { MQ_PHASE_HEAD, MQ_PHASE_BODY, MQ_PHASE_REPLY, MQ_PHASE_IDLE };

struct mq_reaper;
struct mq_guest; /* one connection, from accept to close */

/* A thread of its own looks every 100 ms. `total` and `for_one_address` (0: as many as `total`) are numbers of
 * connections; the deadlines are copied. The caller calls mq_reaper_stop; `*out` is NULL on failure. MQ_FAULT: no
 * memory, no thread. */
MQ_MUST_USE enum mq_status mq_reaper_start(struct mq_reaper **out, const struct mq_deadlines *deadlines, size_t total,
                                           size_t for_one_address, struct mq_error *error);
/* No guest may be left; NULL is fine. */
void mq_reaper_stop(struct mq_reaper *reaper);

/* A connection was accepted. Up to twice `total` are kept, beyond that NULL (which the other functions take). An IPv6
 * address counts by its /64. */
struct mq_guest *mq_reaper_admit(struct mq_reaper *reaper, int descriptor, const struct sockaddr *address);
/* Before the descriptor is closed: it will not be touched any more. */
void mq_reaper_leave(struct mq_reaper *reaper, struct mq_guest *guest);

/* Came when the limits were reached: to be told so and sent away. True for NULL. */
bool mq_guest_is_over(const struct mq_guest *guest);
/* Starts a phase; `bytes` is the reply's length for MQ_PHASE_REPLY, else 0. */
void mq_guest_enter(struct mq_reaper *reaper, struct mq_guest *guest, enum mq_phase phase, size_t bytes);
/* A first line came: MQ_PHASE_HEAD for a kept connection's next request; the first one's head counts from accept. */
void mq_guest_next_request(struct mq_reaper *reaper, struct mq_guest *guest);
/* More of the body came. */
void mq_guest_received(struct mq_reaper *reaper, struct mq_guest *guest, size_t bytes);

struct mq_reaper_counts {
    uint64_t accepted, over, cut; /* since the start */
    size_t now, busy;             /* connected; of these, with a body or reply under way */
};
struct mq_reaper_counts mq_reaper_counts(struct mq_reaper *reaper);

#endif
