/* Starting, asking and ending the network process; see courier.h. */
#include "platform/courier.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/stream.h"
#include "protocol/assert.h"

#define STOP_MS 300 /* for a polite end of the connection */
#define ANSWER_SIZE (1 + 2 + 4 + 4 + 4 + 4)
#define PIN_TEXT_SIZE 44 /* 32 bytes in base64 */

struct mq_courier {
    pid_t child;    /* 0: gone */
    int descriptor; /* ours of a pair of sockets; the child has the other as stdin and stdout */
    int exit_code;  /* once gone; -1: killed */
};

static void note_end(struct mq_courier *courier, int status)
{
    courier->child = 0;
    courier->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void wait_for_end(struct mq_courier *courier, int options)
{
    int status = 0;
    pid_t ended = 0;

    do
        ended = waitpid(courier->child, &status, options);
    while (ended < 0 && errno == EINTR);
    if (ended != 0)
        note_end(courier, status);
}

/* Leaves no zombie behind. */
static void end_child(struct mq_courier *courier, int64_t patience_ms)
{
    const struct timespec moment = {.tv_nsec = 5 * 1000000L};
    int64_t until = mq_clock_ms() + patience_ms;

    if (courier->child != 0)
        wait_for_end(courier, WNOHANG);
    while (courier->child != 0 && mq_clock_ms() < until) {
        nanosleep(&moment, NULL);
        wait_for_end(courier, WNOHANG);
    }
    if (courier->child != 0) {
        kill(courier->child, SIGKILL);
        wait_for_end(courier, 0);
    }
}

/* ---- Start ---- */

static void put_base64(struct mq_buffer *out, const uint8_t bytes[MQ_HASH_SIZE])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    _Static_assert(MQ_HASH_SIZE % 3 == 2 && (MQ_HASH_SIZE + 1) / 3 * 4 == PIN_TEXT_SIZE, "one '=' at the end");

    for (size_t i = 0; i < MQ_HASH_SIZE; i += 3) {
        unsigned three = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8;
        if (i + 2 < MQ_HASH_SIZE)
            three |= bytes[i + 2];
        mq_put_u8(out, (uint8_t)letters[three >> 18]);
        mq_put_u8(out, (uint8_t)letters[three >> 12 & 63]);
        mq_put_u8(out, (uint8_t)letters[three >> 6 & 63]);
        mq_put_u8(out, (uint8_t)(i + 2 < MQ_HASH_SIZE ? letters[three & 63] : '='));
    }
}

static void put_head(struct mq_buffer *out, const char *url, struct mq_span pins)
{
    mq_put_text(out, "POST-BASE ");
    mq_put_text(out, url);
    for (size_t i = 0; i < pins.size; i += MQ_HASH_SIZE) {
        mq_put_text(out, i == 0 ? "\nPIN sha256//" : ";sha256//");
        put_base64(out, pins.data + i);
    }
    mq_put_text(out, "\n\n");
}

/* No environment: no proxies, no preloaded libraries. Signals as a fresh program has them. */
static int spawn(pid_t *child, const char *program, int theirs)
{
    char *const arguments[] = {(char *)(uintptr_t)"minqing-courier", NULL};
    char *const environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
    if (code == 0) /* its words are for who starts it by hand; ours come from the outcome */
        code = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (code == 0)
        code = posix_spawn(child, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static enum mq_status start_child(struct mq_courier *courier, const char *program, struct mq_error *error)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return mq_fail(error, MQ_FAULT, _("cannot start the network program: %s"), strerror(errno));
    courier->descriptor = pair[0];
    int code = spawn(&courier->child, program, pair[1]);
    close(pair[1]);
    if (code == 0)
        return MQ_OK;
    courier->child = 0;
    return mq_fail(error, MQ_FAULT, _("cannot start the network program %s: %s"), program, strerror(code));
}

enum mq_status mq_courier_start(struct mq_courier **out, const char *program, const char *url, struct mq_span pins,
                                struct mq_error *error)
{
    uint8_t memory[MQ_URL_MAX + 3 * PIN_TEXT_SIZE];
    struct mq_buffer head = mq_buffer(memory, sizeof memory);

    *out = NULL;
    if (pins.size % MQ_HASH_SIZE != 0 || pins.size > 2 * MQ_HASH_SIZE || strlen(url) >= MQ_URL_MAX - 40 ||
        strpbrk(url, "\r\n") != NULL)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" with its key is not the address of a server"), url);
    put_head(&head, url, pins);
    MQ_ASSERT(!head.failed);

    struct mq_courier *made = calloc(1, sizeof *made);
    if (made == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    made->descriptor = -1;
    enum mq_status status = start_child(made, program, error);
    /* It fits the socket's buffer; where the child has already ended, the first post says so. */
    if (status == MQ_OK && mq_send_all(made->descriptor, mq_written(&head), mq_clock_ms() + STOP_MS) == MQ_TIME_OVER)
        status = mq_fail(error, MQ_FAULT, _("the network program does not listen"));
    if (status != MQ_OK)
        mq_courier_stop(made);
    else
        *out = made;
    return status;
}

void mq_courier_stop(struct mq_courier *courier)
{
    if (courier == NULL)
        return;
    if (courier->descriptor >= 0)
        close(courier->descriptor);
    end_child(courier, STOP_MS);
    free(courier);
}

/* ---- Post ---- */

static enum mq_status say_outcome(const struct mq_courier_answer *answer, struct mq_error *error)
{
    switch (answer->outcome) {
    case MQ_COURIER_ANSWERED:
        return MQ_OK;
    case MQ_COURIER_UNREACHABLE:
        return mq_fail(error, MQ_UNREACHABLE, _("the server cannot be reached; nothing is lost, try again later"));
    case MQ_COURIER_STRANGER:
        return mq_fail(error, MQ_REFUSED,
                       _("what answers at the server's address does not have the server's key. Perhaps the network "
                         "wants a log-in first; if not, tell whoever runs the server"));
    case MQ_COURIER_CUT:
        return mq_fail(error, MQ_UNREACHABLE, _("the connection broke; nothing is lost, try again later"));
    case MQ_COURIER_TOO_LARGE:
        return mq_fail(error, MQ_REFUSED, _("the server's reply is larger than was asked for"));
    case MQ_COURIER_NOT_OURS:
        return mq_fail(error, MQ_UNREACHABLE,
                       _("a web page answers instead of the server (HTTP status %u). Perhaps the network wants a "
                         "log-in first"),
                       (unsigned)answer->http_status);
    }
    return mq_fail(error, MQ_FAULT, _("the network program said something unknown"));
}

/* The child is of no more use: it hangs, or it is gone. */
static enum mq_status give_up(struct mq_courier *courier, enum mq_transfer how, struct mq_courier_answer *answer,
                              struct mq_error *error)
{
    if (how == MQ_TIME_OVER) {
        answer->outcome = MQ_COURIER_CUT;
        end_child(courier, 0);
        return mq_fail(error, MQ_UNREACHABLE, _("the server did not answer in time; nothing is lost, try again later"));
    }
    answer->outcome = MQ_COURIER_UNREACHABLE;
    end_child(courier, STOP_MS);
    if (courier->exit_code == 1)
        return mq_fail(error, MQ_REFUSED, _("the server's address must start with https:// and come with its key"));
    return mq_fail(error, MQ_FAULT, _("the network program ended by itself"));
}

static enum mq_transfer send_request(const struct mq_courier *courier, const struct mq_courier_request *request,
                                  int64_t until)
{
    uint8_t memory[1 + MQ_COURIER_PATH_MAX + 4];
    struct mq_buffer head = mq_buffer(memory, sizeof memory);
    size_t path_size = strlen(request->path);

    MQ_ASSERT(path_size <= MQ_COURIER_PATH_MAX && request->body.size <= MQ_REQUEST_MAX);
    mq_put_u8(&head, (uint8_t)path_size);
    mq_put_text(&head, request->path);
    mq_put_u32(&head, (uint32_t)request->body.size);
    enum mq_transfer how = mq_send_all(courier->descriptor, mq_written(&head), until);
    return how == MQ_MOVED ? mq_send_all(courier->descriptor, request->body, until) : how;
}

static bool read_answer(struct mq_courier_answer *answer, uint32_t *body_size, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    uint8_t outcome = mq_get_u8(&reader);

    answer->http_status = mq_get_u16(&reader);
    answer->retry_after_s = mq_get_u32(&reader);
    answer->bytes_up = mq_get_u32(&reader);
    answer->bytes_down = mq_get_u32(&reader);
    *body_size = mq_get_u32(&reader);
    if (outcome > MQ_COURIER_NOT_OURS || *body_size > MQ_REPLY_MAX)
        return false;
    answer->outcome = (enum mq_courier_outcome)outcome;
    return true;
}

/* A body that has no room in `reply` is read and dropped, so that the next answer is found. */
static enum mq_transfer receive_body(const struct mq_courier *courier, struct mq_buffer *reply, size_t size,
                                     int64_t until)
{
    uint8_t *room = mq_reserve(reply, size);
    uint8_t dropped[4096];
    enum mq_transfer how = MQ_MOVED;

    if (room != NULL) {
        how = mq_receive_all(courier->descriptor, room, size, until);
        if (how != MQ_MOVED)
            reply->size -= size;
        return how;
    }
    while (size > 0 && how == MQ_MOVED) {
        size_t part = size < sizeof dropped ? size : sizeof dropped;
        how = mq_receive_all(courier->descriptor, dropped, part, until);
        size -= part;
    }
    return how;
}

enum mq_status mq_courier_post(struct mq_courier *courier, const struct mq_courier_request *request,
                               struct mq_buffer *reply, struct mq_courier_answer *answer, struct mq_error *error)
{
    int64_t until = mq_clock_ms() + request->timeout_ms;
    uint8_t bytes[ANSWER_SIZE];
    uint32_t body_size = 0;

    *answer = (struct mq_courier_answer){.outcome = MQ_COURIER_UNREACHABLE};
    if (courier->child == 0)
        return mq_fail(error, MQ_UNREACHABLE, _("the network program has already ended"));
    enum mq_transfer how = send_request(courier, request, until);
    if (how == MQ_MOVED)
        how = mq_receive_all(courier->descriptor, bytes, sizeof bytes, until);
    if (how != MQ_MOVED)
        return give_up(courier, how, answer, error);
    if (!read_answer(answer, &body_size, MQ_SPAN(bytes))) {
        end_child(courier, 0);
        return mq_fail(error, MQ_FAULT, _("the network program answers nonsense"));
    }
    how = receive_body(courier, reply, body_size, until);
    if (how != MQ_MOVED)
        return give_up(courier, how, answer, error);
    if (reply->failed && body_size > 0)
        answer->outcome = MQ_COURIER_TOO_LARGE;
    return say_outcome(answer, error);
}
