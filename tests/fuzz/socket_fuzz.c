/* Aim: whatever comes through a local socket, from a command or from the other half of the server, is one whole frame or
 * refused; nobody waits for what was announced and does not come. Input: who listens, then what he gets before the other
 * side closes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/local.h"
#include "protocol/assert.h"
#include "server/link.h"
#include "tests/fuzz/fuzz.h"

static char directory[] = "/tmp/mq-socket-XXXXXX", path[64];
static struct mq_local *local;
static uint8_t memory[MQ_LOCAL_REQUEST_MAX], got[MQ_LOCAL_REQUEST_MAX];

static void remove_all(void)
{
    mq_local_close(local);
    rmdir(directory);
}

void fuzz_start(void)
{
    struct mq_error error = {0};

    MQ_ASSERT(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
    MQ_ASSERT(mq_local_open(&local, path, &error) == MQ_OK);
    atexit(remove_all);
}

/* All that the other side says; it fits the socket's buffer. */
static void say(int descriptor, struct mq_span bytes)
{
    MQ_ASSERT(send(descriptor, bytes.data, bytes.size, MSG_NOSIGNAL) == (ssize_t)bytes.size || bytes.size == 0);
    MQ_ASSERT(shutdown(descriptor, SHUT_WR) == 0);
}

/* What the first frame in `bytes` is; false: none that is whole. */
static bool frame_of(struct mq_span *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    size_t size = mq_get_u32(&reader);

    if (reader.failed || size > mq_left(&reader))
        return false;
    *out = mq_take(&reader, size);
    return true;
}

static void command(struct mq_span bytes)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct mq_buffer request = mq_buffer(got, sizeof got);
    struct mq_error error = {0};
    struct mq_span frame = {0};
    int call, caller = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    MQ_ASSERT(caller >= 0 && connect(caller, (const struct sockaddr *)&address, sizeof address) == 0);
    say(caller, bytes);
    enum mq_status status = mq_local_accept(local, &call, &request, &error);
    if (frame_of(&frame, bytes))
        MQ_ASSERT(status == MQ_OK && mq_span_equal(mq_written(&request), frame));
    else
        MQ_ASSERT(status == MQ_UNREACHABLE && call == -1);
    if (status == MQ_OK)
        MQ_ASSERT(mq_local_answer(call, frame, &error) == MQ_OK);
    close(caller);
}

/* A front that was taken over says anything to the desk. */
static void desk(int ours, int theirs, struct mq_span bytes)
{
    struct mq_link link = {.descriptor = ours};
    struct mq_buffer reply = mq_buffer(got, sizeof got);
    struct mq_error error = {0};
    struct mq_span frame;

    say(theirs, bytes);
    enum mq_status status = mq_link_ask(&link, MQ_LINK_EXCHANGE, mq_span_text("question"), &reply, &error);
    MQ_ASSERT(status == error.status);
    if (!frame_of(&frame, bytes) || frame.size == 0) {
        MQ_ASSERT(status == MQ_UNREACHABLE || status == MQ_FAULT);
        return;
    }
    MQ_ASSERT(status == (frame.data[0] <= MQ_FAULT ? frame.data[0] : MQ_FAULT));
    if (status == MQ_OK)
        MQ_ASSERT(mq_span_equal(mq_written(&reply), mq_span(frame.data + 1, frame.size - 1)));
}

static void front(int ours, int theirs, struct mq_span bytes)
{
    struct mq_buffer question = mq_buffer(got, MQ_REQUEST_MAX + 1), reply = mq_buffer(memory, sizeof memory);
    struct mq_relay relay = {0};
    struct mq_error error = {0};
    struct mq_span frame;
    uint8_t answer[5];

    say(theirs, bytes);
    enum mq_status status = mq_link_hear(ours, &question, &error);
    MQ_ASSERT((status == MQ_OK) == (frame_of(&frame, bytes) && frame.size > 0));
    if (status != MQ_OK)
        return;
    MQ_ASSERT(mq_span_equal(mq_written(&question), frame));
    if (frame.data[0] < MQ_LINK_EXCHANGE || frame.data[0] > MQ_LINK_COPY) { /* the others want a store: relay_fuzz */
        MQ_ASSERT(mq_link_answer(ours, &relay, frame, &reply, &error) == MQ_OK);
        MQ_ASSERT(recv(theirs, answer, sizeof answer, 0) == sizeof answer && answer[4] == MQ_FAULT);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    int pair[2];

    if (size == 0)
        return;
    struct mq_span bytes = mq_span(data + 1, size - 1);
    if (data[0] % 3 == 0) {
        command(bytes);
        return;
    }
    MQ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    if (data[0] % 3 == 1)
        desk(pair[0], pair[1], bytes);
    else
        front(pair[0], pair[1], bytes);
    close(pair[0]);
    close(pair[1]);
}
