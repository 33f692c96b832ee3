/* Local commands through a Unix socket; see local.h. */
#include "platform/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/stream.h"
#include "protocol/assert.h"

#define BACKLOG 16

struct mq_local {
    int descriptor;
    char *path;
};

/* ---- Addresses: a socket's path holds 107 bytes, a home directory may be deeper ---- */

/* Opens the directory of a long path, so that /proc names it in few bytes; `*directory` is -1 where that was not needed
 * and is closed by the caller after bind() or connect(). false, with errno, where there is no such directory. */
static bool make_address(struct sockaddr_un *out, int *directory, const char *path)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');

    *directory = -1;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof out->sun_path) {
        memcpy(out->sun_path, path, strlen(path));
        return true;
    }
    errno = ENAMETOOLONG;
    if (slash == NULL || (size_t)(slash - path) >= sizeof parent || strlen(slash) > 64)
        return false;
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    *directory = open(slash == path ? "/" : parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0)
        return false;
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d%s", *directory, slash);
    return true;
}

/* 0, or errno. */
static int connect_to(int descriptor, const char *path)
{
    struct sockaddr_un address;
    int directory = -1;

    if (!make_address(&address, &directory, path))
        return errno;
    int code = connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    if (directory >= 0)
        close(directory);
    return code;
}

static int bind_to(int descriptor, const char *path)
{
    struct sockaddr_un address;
    int directory = -1;

    if (!make_address(&address, &directory, path))
        return errno;
    /* The file takes the socket's own mode, so that it is never there with another. */
    int code = fchmod(descriptor, 0600) == 0 && bind(descriptor, (const struct sockaddr *)&address, sizeof address) == 0
                   ? 0
                   : errno;
    if (directory >= 0)
        close(directory);
    return code;
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- Frames ---- */

static enum mq_transfer send_frame(int descriptor, struct mq_span bytes, int64_t until)
{
    uint8_t memory[4];
    struct mq_buffer head = mq_buffer(memory, sizeof memory);

    mq_put_u32(&head, (uint32_t)bytes.size);
    enum mq_transfer how = mq_send_all(descriptor, mq_written(&head), until);
    return how == MQ_MOVED ? mq_send_all(descriptor, bytes, until) : how;
}

/* Sets out->failed where the frame is larger than `max` or its room. */
static enum mq_transfer receive_frame(int descriptor, struct mq_buffer *out, size_t max, int64_t until)
{
    uint8_t head[4];
    enum mq_transfer how = mq_receive_all(descriptor, head, sizeof head, until);

    if (how != MQ_MOVED)
        return how;
    struct mq_reader reader = mq_reader(MQ_SPAN(head));
    size_t size = mq_get_u32(&reader);
    if (size > max)
        out->failed = true;
    uint8_t *room = mq_reserve(out, size);
    if (room == NULL)
        return MQ_MOVED;
    how = mq_receive_all(descriptor, room, size, until);
    if (how != MQ_MOVED)
        out->size -= size;
    return how;
}

/* ---- The listening side ---- */

/* Is the file at `path` a socket that nobody listens on? Then it is left from a program that was killed. */
static enum mq_status remove_stale(const char *path, struct mq_error *error)
{
    struct stat found;

    if (lstat(path, &found) != 0)
        return errno == ENOENT ? MQ_OK : mq_fail(error, MQ_REFUSED, _("cannot look at %s: %s"), path, strerror(errno));
    if (!S_ISSOCK(found.st_mode))
        return mq_fail(error, MQ_REFUSED, _("%s is not a socket; move it away"), path);
    int probe = open_socket();
    if (probe < 0)
        return mq_fail(error, MQ_FAULT, _("cannot open a socket: %s"), strerror(errno));
    int code = connect_to(probe, path);
    close(probe);
    if (code != ECONNREFUSED && code != ENOENT)
        return mq_fail(error, MQ_BUSY, _("another program already listens at %s"), path);
    if (unlink(path) != 0 && errno != ENOENT)
        return mq_fail(error, MQ_REFUSED, _("cannot remove %s: %s"), path, strerror(errno));
    return MQ_OK;
}

enum mq_status mq_local_open(struct mq_local **out, const char *path, struct mq_error *error)
{
    *out = NULL;
    enum mq_status status = remove_stale(path, error);
    if (status != MQ_OK)
        return status;
    struct mq_local *made = calloc(1, sizeof *made);
    char *copy = strdup(path);
    int descriptor = open_socket();
    if (made == NULL || copy == NULL || descriptor < 0) {
        status = mq_fail(error, MQ_FAULT, _("cannot open a socket: %s"), strerror(errno));
        goto failed;
    }
    int code = bind_to(descriptor, path);
    if (code != 0) {
        status = mq_fail(error, MQ_REFUSED, _("cannot make the socket %s: %s"), path, strerror(code));
        goto failed;
    }
    if (listen(descriptor, BACKLOG) != 0) {
        status = mq_fail(error, MQ_FAULT, _("cannot listen at %s: %s"), path, strerror(errno));
        unlink(path);
        goto failed;
    }
    *made = (struct mq_local){.descriptor = descriptor, .path = copy};
    *out = made;
    return MQ_OK;

failed:
    if (descriptor >= 0)
        close(descriptor);
    free(copy);
    free(made);
    return status;
}

void mq_local_close(struct mq_local *local)
{
    if (local == NULL)
        return;
    unlink(local->path); /* first, so that no caller comes after the last one was taken */
    close(local->descriptor);
    free(local->path);
    free(local);
}

int mq_local_descriptor(const struct mq_local *local)
{
    return local->descriptor;
}

static bool is_same_user_or_root(int descriptor)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer &&
           (peer.uid == geteuid() || peer.uid == 0);
}

enum mq_status mq_local_accept(struct mq_local *local, int *call, struct mq_buffer *request, struct mq_error *error)
{
    *call = -1;
    int descriptor = accept4(local->descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
        return mq_fail(error, MQ_NOT_FOUND, _("no local command waits"));
    if (descriptor < 0)
        return mq_fail(error, MQ_FAULT, _("cannot take a local command: %s"), strerror(errno));
    if (!is_same_user_or_root(descriptor)) {
        close(descriptor);
        return mq_fail(error, MQ_REFUSED, _("a local command came from another user"));
    }
    enum mq_transfer how = receive_frame(descriptor, request, MQ_LOCAL_REQUEST_MAX, mq_clock_ms() + MQ_LOCAL_READ_MS);
    if (how == MQ_MOVED && !request->failed) {
        *call = descriptor;
        return MQ_OK;
    }
    close(descriptor);
    return mq_fail(error, MQ_UNREACHABLE, _("a local command was cut, too slow or too large"));
}

enum mq_status mq_local_answer(int call, struct mq_span reply, struct mq_error *error)
{
    MQ_ASSERT(call >= 0 && reply.size <= MQ_LOCAL_REPLY_MAX);
    enum mq_transfer how = send_frame(call, reply, mq_clock_ms() + MQ_LOCAL_WRITE_MS);
    close(call);
    return how == MQ_MOVED ? MQ_OK : mq_fail(error, MQ_UNREACHABLE, _("a local command did not wait for its answer"));
}

/* ---- The calling side ---- */

static enum mq_status exchange(int descriptor, struct mq_span request, struct mq_buffer *reply, int64_t until,
                               struct mq_error *error)
{
    enum mq_transfer how = send_frame(descriptor, request, until);

    if (how == MQ_MOVED)
        how = receive_frame(descriptor, reply, MQ_LOCAL_REPLY_MAX, until);
    switch (how) {
    case MQ_MOVED:
        return reply->failed ? mq_fail(error, MQ_NO_SPACE, _("the running program's answer is too large")) : MQ_OK;
    case MQ_TIME_OVER:
        return mq_fail(error, MQ_UNREACHABLE, _("the running program does not answer"));
    case MQ_CLOSED:
        return mq_fail(error, MQ_UNREACHABLE, _("the running program sent this command away"));
    }
    return MQ_FAULT;
}

enum mq_status mq_local_call(const char *path, struct mq_span request, struct mq_buffer *reply, int64_t timeout_ms,
                             struct mq_error *error)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000000L};
    int64_t until = mq_clock_ms() + timeout_ms;

    MQ_ASSERT(request.size <= MQ_LOCAL_REQUEST_MAX);
    int descriptor = open_socket();
    if (descriptor < 0)
        return mq_fail(error, MQ_FAULT, _("cannot open a socket: %s"), strerror(errno));
    int code = connect_to(descriptor, path);
    while (code == EAGAIN && mq_clock_ms() < until) { /* too many callers wait already */
        nanosleep(&moment, NULL);
        code = connect_to(descriptor, path);
    }
    enum mq_status status = MQ_OK;
    if (code == 0)
        status = exchange(descriptor, request, reply, until, error);
    else if (code == ENOENT || code == ENOTDIR || code == ECONNREFUSED)
        status = mq_fail(error, MQ_NOT_FOUND, _("no running program listens at %s"), path);
    else
        status = mq_fail(error, MQ_UNREACHABLE, _("cannot reach the running program at %s: %s"), path, strerror(code));
    close(descriptor);
    return status;
}
