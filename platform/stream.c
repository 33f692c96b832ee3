/* Whole transfers until a moment; see stream.h. */
#include "platform/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define LONGEST_WAIT_MS 60000

int64_t mq_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum mq_transfer wait_ready(int descriptor, short events, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - mq_clock_ms();
        if (left <= 0)
            return MQ_TIME_OVER;
        struct pollfd one = {.fd = descriptor, .events = events};
        int ready = poll(&one, 1, left > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)left);
        if (ready > 0)
            return MQ_MOVED;
        if (ready < 0 && errno != EINTR)
            return MQ_CLOSED;
    }
}

enum mq_transfer mq_send_all(int descriptor, struct mq_span bytes, int64_t until_ms)
{
    while (bytes.size > 0) {
        enum mq_transfer how = wait_ready(descriptor, POLLOUT, until_ms);
        if (how != MQ_MOVED)
            return how;
        ssize_t sent = send(descriptor, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (sent < 0)
            return MQ_CLOSED;
        bytes = mq_span(bytes.data + sent, bytes.size - (size_t)sent);
    }
    return MQ_MOVED;
}

enum mq_transfer mq_receive_all(int descriptor, uint8_t *out, size_t size, int64_t until_ms)
{
    while (size > 0) {
        enum mq_transfer how = wait_ready(descriptor, POLLIN, until_ms);
        if (how != MQ_MOVED)
            return how;
        ssize_t got = recv(descriptor, out, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            return MQ_CLOSED;
        out += got;
        size -= (size_t)got;
    }
    return MQ_MOVED;
}
