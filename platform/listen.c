/* Listening sockets; see listen.h. */
#include "platform/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512

static bool parse_port(uint16_t *port, const char *text)
{
    unsigned value = 0;

    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
    }
    *port = (uint16_t)value;
    return value <= 65535;
}

/* 0 where `host` is neither an IPv4 nor an IPv6 address. */
static socklen_t to_socket_address(struct sockaddr_storage *out, const struct mq_address *address)
{
    memset(out, 0, sizeof *out);
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    if (inet_pton(AF_INET, address->host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(address->port);
        return sizeof *four;
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET6, address->host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(address->port);
        return sizeof *six;
    }
    return 0;
}

enum mq_status mq_address_parse(struct mq_address *out, const char *text, struct mq_error *error)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    struct sockaddr_storage unused;

    memset(out, 0, sizeof *out);
    if (colon == NULL || !parse_port(&out->port, colon + 1))
        goto refused;
    size_t size = (size_t)(colon - text);
    bool bracketed = size >= 2 && host[0] == '[' && host[size - 1] == ']';
    if (bracketed) {
        host++;
        size -= 2;
    }
    if (size >= sizeof out->host)
        goto refused;
    memcpy(out->host, host, size);
    if (to_socket_address(&unused, out) == 0 || bracketed != (strchr(out->host, ':') != NULL))
        goto refused;
    return MQ_OK;

refused:
    return mq_fail(error, MQ_REFUSED,
                   _("\"%s\" is not an address to listen on: write 127.0.0.1:8420 or [::1]:8420"), text);
}

bool mq_address_is_loopback(const struct mq_address *address)
{
    struct sockaddr_storage storage;

    if (to_socket_address(&storage, address) == 0)
        return false;
    if (storage.ss_family == AF_INET)
        return ntohl(((struct sockaddr_in *)&storage)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&storage)->sin6_addr);
}

static bool bind_and_listen(int descriptor, const struct sockaddr_storage *storage, socklen_t size)
{
    const int yes = 1, no = 0;

    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return false;
    if (storage->ss_family == AF_INET6 &&
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0)
        return false;
    return bind(descriptor, (const struct sockaddr *)storage, size) == 0 && listen(descriptor, BACKLOG) == 0;
}

enum mq_status mq_listen(int *descriptor, struct mq_address *address, struct mq_error *error)
{
    struct sockaddr_storage storage;
    socklen_t size = to_socket_address(&storage, address);

    *descriptor = -1;
    if (size == 0)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is not an IPv4 or IPv6 address"), address->host);
    int made = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return mq_fail(error, MQ_FAULT, _("cannot open a socket: %s"), strerror(errno));
    if (!bind_and_listen(made, &storage, size) || getsockname(made, (struct sockaddr *)&storage, &size) != 0) {
        mq_fail(error, MQ_REFUSED, _("cannot listen on %s port %u: %s"), address->host, (unsigned)address->port,
                strerror(errno));
        close(made);
        return MQ_REFUSED;
    }
    address->port = ntohs(storage.ss_family == AF_INET ? ((struct sockaddr_in *)&storage)->sin_port
                                                       : ((struct sockaddr_in6 *)&storage)->sin6_port);
    *descriptor = made;
    return MQ_OK;
}
