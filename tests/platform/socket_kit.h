/* For tests that speak to a listener byte by byte over a loopback socket. */
#ifndef MQ_TESTS_PLATFORM_SOCKET_KIT_H
#define MQ_TESTS_PLATFORM_SOCKET_KIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/stream.h"

static inline void kit_sleep(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

/* -1 where nobody listens. `receive_buffer` 0: as the system has it. */
static inline int kit_connect(uint16_t port, int receive_buffer)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (receive_buffer > 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* false: the other side has closed. */
static inline bool kit_send(int descriptor, struct mq_span bytes)
{
    return mq_send_all(descriptor, bytes, mq_clock_ms() + 5000) == MQ_MOVED;
}

/* Reads until the other side closes or `ms` are over; a NUL after it. Returns true where it was closed. */
static inline bool kit_read(int descriptor, char *out, size_t capacity, int ms)
{
    int64_t until = mq_clock_ms() + ms;
    size_t size = 0;

    for (;;) {
        out[size] = '\0';
        struct pollfd one = {.fd = descriptor, .events = POLLIN};
        int64_t left = until - mq_clock_ms();
        if (left <= 0 || poll(&one, 1, (int)left) <= 0)
            return false;
        char scratch[4096];
        ssize_t got = recv(descriptor, scratch, sizeof scratch, 0);
        if (got <= 0)
            return true;
        size_t kept = (size_t)got < capacity - 1 - size ? (size_t)got : capacity - 1 - size;
        memcpy(out + size, scratch, kept);
        size += kept;
    }
}

/* Sends `one` every `every_ms` until the other side closes or `ms` are over; returns how long that took. */
static inline int64_t kit_drip(int descriptor, struct mq_span one, int every_ms, int ms)
{
    int64_t start = mq_clock_ms();

    while (mq_clock_ms() - start < ms) {
        struct pollfd look = {.fd = descriptor, .events = POLLIN | POLLRDHUP};
        if (poll(&look, 1, every_ms) > 0)
            break;
        if (one.size > 0 && !kit_send(descriptor, one))
            break;
    }
    return mq_clock_ms() - start;
}

/* 0 where this is no HTTP reply. */
static inline int kit_status(const char *reply)
{
    return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? (int)strtol(reply + 9, NULL, 10) : 0;
}

#endif
