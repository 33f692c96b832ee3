/* Absolute deadlines for connections; see reaper.h. */
#include "platform/reaper.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/stream.h"
#include "protocol/assert.h"

#define TICK_MS 100

struct mq_guest {
    bool present, over, cut;
    int descriptor;
    uint8_t address[16];
    enum mq_phase phase;
    int64_t phase_began, whole_ends; /* ms */
    size_t bytes;
};

struct mq_reaper {
    struct mq_deadlines deadlines;
    size_t total, for_one_address, admitted; /* admitted: present and not over */
    struct mq_reaper_counts counts;
    bool stopping;
    pthread_mutex_t lock; /* over everything here, and around every shutdown(): so a reused descriptor is never hit */
    pthread_cond_t wake;
    pthread_t thread;
    size_t guest_count;
    struct mq_guest guests[];
};

static int64_t deadline(const struct mq_deadlines *allowed, const struct mq_guest *guest)
{
    int64_t by_rate = guest->phase_began + (int64_t)guest->bytes * 1000 / allowed->rate;
    int64_t end = 0;

    switch (guest->phase) {
    case MQ_PHASE_HEAD:
        return guest->phase_began + allowed->head_ms;
    case MQ_PHASE_IDLE:
        return guest->phase_began + allowed->idle_ms;
    case MQ_PHASE_BODY:
        end = by_rate + allowed->body_ms;
        break;
    case MQ_PHASE_REPLY:
        end = by_rate + allowed->reply_ms;
        break;
    }
    return end < guest->whole_ends ? end : guest->whole_ends;
}

/* The library notices the shut socket and tidies up by itself. */
static void cut_the_late(struct mq_reaper *reaper, int64_t now)
{
    for (size_t i = 0; i < reaper->guest_count; i++) {
        struct mq_guest *guest = &reaper->guests[i];
        if (!guest->present || guest->cut || now < deadline(&reaper->deadlines, guest))
            continue;
        shutdown(guest->descriptor, SHUT_RDWR);
        guest->cut = true;
        reaper->counts.cut++;
    }
}

static void *watch(void *argument)
{
    struct mq_reaper *reaper = argument;
    struct timespec until;

    pthread_mutex_lock(&reaper->lock);
    while (!reaper->stopping) {
        if (reaper->counts.now == 0) { /* nobody there: the machine may sleep */
            pthread_cond_wait(&reaper->wake, &reaper->lock);
            continue;
        }
        cut_the_late(reaper, mq_clock_ms());
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&reaper->wake, &reaper->lock, &until);
    }
    pthread_mutex_unlock(&reaper->lock);
    return NULL;
}

enum mq_status mq_reaper_start(struct mq_reaper **out, const struct mq_deadlines *deadlines, size_t total,
                               size_t for_one_address, struct mq_error *error)
{
    MQ_ASSERT(deadlines->rate > 0 && total > 0 && total <= SIZE_MAX / 4 / sizeof(struct mq_guest));
    *out = NULL;
    struct mq_reaper *made = calloc(1, sizeof *made + 2 * total * sizeof made->guests[0]);
    if (made == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory for %zu connections"), total);
    made->deadlines = *deadlines;
    made->total = total;
    made->for_one_address = for_one_address == 0 ? total : for_one_address;
    made->guest_count = 2 * total;

    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&made->lock, NULL);
    int trouble = pthread_create(&made->thread, NULL, watch, made);
    if (trouble != 0) {
        pthread_cond_destroy(&made->wake);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return mq_fail(error, MQ_FAULT, _("cannot start a thread: %s"), strerror(trouble));
    }
    *out = made;
    return MQ_OK;
}

void mq_reaper_stop(struct mq_reaper *reaper)
{
    if (reaper == NULL)
        return;
    pthread_mutex_lock(&reaper->lock);
    MQ_ASSERT(reaper->counts.now == 0);
    reaper->stopping = true;
    pthread_cond_signal(&reaper->wake);
    pthread_mutex_unlock(&reaper->lock);
    pthread_join(reaper->thread, NULL);
    pthread_cond_destroy(&reaper->wake);
    pthread_mutex_destroy(&reaper->lock);
    free(reaper);
}

static void copy_address(uint8_t out[16], const struct sockaddr *address)
{
    memset(out, 0, 16);
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET) {
        out[10] = out[11] = 0xff; /* as IPv6 writes an IPv4 address */
        memcpy(out + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        /* One household or site has a whole /64, so the lower half tells nobody apart. */
        memcpy(out, six, IN6_IS_ADDR_V4MAPPED(six) ? 16 : 8);
    }
}

static size_t count_address(const struct mq_reaper *reaper, const uint8_t address[16])
{
    size_t count = 0;

    for (size_t i = 0; i < reaper->guest_count; i++) {
        const struct mq_guest *guest = &reaper->guests[i];
        count += guest->present && !guest->over && memcmp(guest->address, address, 16) == 0;
    }
    return count;
}

static struct mq_guest *free_place(struct mq_reaper *reaper)
{
    for (size_t i = 0; i < reaper->guest_count; i++)
        if (!reaper->guests[i].present)
            return &reaper->guests[i];
    return NULL;
}

static void enter(const struct mq_reaper *reaper, struct mq_guest *guest, enum mq_phase phase, size_t bytes)
{
    guest->phase = phase;
    guest->phase_began = mq_clock_ms();
    guest->bytes = bytes;
    if (phase == MQ_PHASE_HEAD)
        guest->whole_ends = guest->phase_began + reaper->deadlines.whole_ms;
}

struct mq_guest *mq_reaper_admit(struct mq_reaper *reaper, int descriptor, const struct sockaddr *address)
{
    uint8_t from[16];

    copy_address(from, address);
    pthread_mutex_lock(&reaper->lock);
    reaper->counts.accepted++;
    bool over = reaper->admitted >= reaper->total || count_address(reaper, from) >= reaper->for_one_address;
    reaper->counts.over += over;
    struct mq_guest *guest = free_place(reaper);
    if (guest != NULL) {
        *guest = (struct mq_guest){.present = true, .over = over, .descriptor = descriptor};
        memcpy(guest->address, from, sizeof from);
        enter(reaper, guest, MQ_PHASE_HEAD, 0);
        reaper->admitted += !over;
        if (reaper->counts.now++ == 0)
            pthread_cond_signal(&reaper->wake);
    }
    pthread_mutex_unlock(&reaper->lock);
    return guest;
}

void mq_reaper_leave(struct mq_reaper *reaper, struct mq_guest *guest)
{
    if (guest == NULL)
        return;
    pthread_mutex_lock(&reaper->lock);
    MQ_ASSERT(guest->present);
    guest->present = false;
    reaper->admitted -= !guest->over;
    reaper->counts.now--;
    pthread_mutex_unlock(&reaper->lock);
}

/* `over` never changes while the guest is there, so no lock. */
bool mq_guest_is_over(const struct mq_guest *guest)
{
    return guest == NULL || guest->over;
}

void mq_guest_enter(struct mq_reaper *reaper, struct mq_guest *guest, enum mq_phase phase, size_t bytes)
{
    if (guest == NULL)
        return;
    pthread_mutex_lock(&reaper->lock);
    enter(reaper, guest, phase, bytes);
    pthread_mutex_unlock(&reaper->lock);
}

void mq_guest_next_request(struct mq_reaper *reaper, struct mq_guest *guest)
{
    if (guest == NULL)
        return;
    pthread_mutex_lock(&reaper->lock);
    if (guest->phase == MQ_PHASE_IDLE)
        enter(reaper, guest, MQ_PHASE_HEAD, 0);
    pthread_mutex_unlock(&reaper->lock);
}

void mq_guest_received(struct mq_reaper *reaper, struct mq_guest *guest, size_t bytes)
{
    if (guest == NULL)
        return;
    pthread_mutex_lock(&reaper->lock);
    guest->bytes += bytes;
    pthread_mutex_unlock(&reaper->lock);
}

struct mq_reaper_counts mq_reaper_counts(struct mq_reaper *reaper)
{
    pthread_mutex_lock(&reaper->lock);
    struct mq_reaper_counts counts = reaper->counts;
    counts.busy = 0;
    for (size_t i = 0; i < reaper->guest_count; i++) {
        const struct mq_guest *guest = &reaper->guests[i];
        counts.busy += guest->present && (guest->phase == MQ_PHASE_BODY || guest->phase == MQ_PHASE_REPLY);
    }
    pthread_mutex_unlock(&reaper->lock);
    return counts;
}
