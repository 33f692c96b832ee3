/* `serve`: two processes, a front without keys and the desk, and a parent that watches over both. The front starts
 * first, so that it never has the passphrase. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/log.h"
#include "platform/secret_key.h"
#include "platform/tls_key.h"
#include "protocol/assert.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/desk/reach.h"
#include "server/front.h"
#include "server/program.h"

#define DEFAULT_ADDRESS "127.0.0.1:8420"
#define LOCK_WAIT_MS 2000
#define END_WAIT_S 15 /* a sync that is under way; then the process is killed */
#define ROOM_FOR_MOVING 100

struct serve {
    const struct mq_program *program;
    const struct mq_command_line *line;
    const char *data;
    bool relay_alone;
    struct mq_front_options front;
    struct mq_data_path certificate, key;
    struct mq_reach reach;
    int desk_link, news; /* the desk's end; -1: none */
    pid_t front_pid, desk_pid;
};

/* ---- options ---- */

static enum mq_status refuse_not_yet(const struct mq_command_line *line, struct mq_error *error)
{
    static const char *const later[] = {"console", "store", "upstream"};

    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (mq_option_get(line, later[i]) != NULL)
            return mq_fail(error, MQ_REFUSED, _("--%s: not yet in this version"), later[i]);
    return MQ_OK;
}

static enum mq_status read_tls(struct serve *serve, struct mq_error *error)
{
    const struct mq_platform *platform = serve->program->platform;
    const char *certificate = mq_option_get(serve->line, "tls-cert"), *key = mq_option_get(serve->line, "tls-key");
    uint8_t memory[MQ_TLS_PEM_MAX];
    struct mq_buffer pem = mq_buffer(memory, sizeof memory);

    if ((certificate == NULL) != (key == NULL))
        return mq_fail(error, MQ_REFUSED, _("--tls-cert and --tls-key belong together"));
    serve->front.plain = mq_option_get(serve->line, "plain") != NULL;
    if (serve->front.plain && certificate != NULL)
        return mq_fail(error, MQ_REFUSED, _("--plain is without TLS; leave --tls-cert and --tls-key out"));
    if (serve->front.plain)
        return MQ_OK;
    enum mq_status status = MQ_OK;
    if (certificate == NULL) {
        status = mq_data_tls(platform, serve->data, error);
        if (status == MQ_OK)
            status = mq_data_path(&serve->certificate, serve->data, "tls.pem", error);
        if (status == MQ_OK)
            status = mq_data_path(&serve->key, serve->data, "tls_key.pem", error);
        certificate = serve->certificate.text;
        key = serve->key.text;
    }
    serve->front.certificate_path = certificate;
    serve->front.key_path = key;
    if (status == MQ_OK)
        status = platform->read(platform->self, certificate, &pem, error);
    return status == MQ_OK ? mq_tls_pin(serve->reach.pin, mq_written(&pem), error) : status;
}

static enum mq_status read_options(struct serve *serve, struct mq_error *error)
{
    const struct mq_platform *platform = serve->program->platform;
    const char *listen = mq_option_get(serve->line, "listen"), *root = mq_option_get(serve->line, "root");
    struct mq_data_path path;
    enum mq_status status = refuse_not_yet(serve->line, error);

    serve->relay_alone = mq_option_get(serve->line, "relay") != NULL;
    if (status == MQ_OK && serve->relay_alone && root == NULL)
        status = mq_fail(error, MQ_REFUSED,
                         _("a relay needs the centre's root: --relay --root FILE (root.pub, as `init` wrote it)"));
    if (status == MQ_OK && !serve->relay_alone && root != NULL)
        status =
            mq_fail(error, MQ_REFUSED, _("--root belongs to --relay; the centre's own root is in %s"), serve->data);
    if (status == MQ_OK)
        status = mq_data_whole(platform, serve->data, error);
    if (status == MQ_OK && !serve->relay_alone && !mq_data_has(platform, serve->data, "desk/vault"))
        status = mq_fail(error, MQ_REFUSED, _("there is no centre in %s; `minqingd init` makes one"), serve->data);
    if (status == MQ_OK && !serve->relay_alone && !mq_data_has(platform, serve->data, "tls.pem") &&
        !mq_data_has(platform, serve->data, "relay")) /* the desk's process looks once more */
        status = mq_fail(error, MQ_REFUSED,
                         _("the desk in %s is a township's and serves no devices; run `minqingd desk`"), serve->data);
    if (status == MQ_OK)
        status = mq_address_parse(&serve->front.address, listen != NULL ? listen : DEFAULT_ADDRESS, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, serve->data, "root.pub", error);
    if (status == MQ_OK)
        status = mq_data_root_read(platform, root != NULL ? root : path.text, serve->front.root_public, error);
    if (status == MQ_OK)
        status = platform->make_directory(platform->self, serve->data, error);
    return status;
}

/* ---- processes ---- */

/* Only these stay open, as 3, 4, ...: what else was inherited (the directory's lock, a passphrase's pipe) is not for
 * this process. */
static void keep_only(int *const *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (*descriptors[i] >= 0) {
            *descriptors[i] = fcntl(*descriptors[i], F_DUPFD_CLOEXEC, ROOM_FOR_MOVING);
            MQ_ASSERT(*descriptors[i] >= 0);
        }
    int next = STDERR_FILENO + 1;
    for (size_t i = 0; i < count; i++)
        if (*descriptors[i] >= 0) {
            MQ_ASSERT(dup3(*descriptors[i], next, O_CLOEXEC) == next);
            *descriptors[i] = next++;
        }
    close_range((unsigned)next, ~0u, 0);
}

static enum mq_status no_process(struct mq_error *error)
{
    return mq_fail(error, MQ_FAULT, _("cannot start the server's processes: %s"), strerror(errno));
}

/* *pid 0 in the child, which ends when its parent does. */
static enum mq_status fork_child(pid_t *pid, struct mq_error *error)
{
    pid_t parent = getpid(), child = fork();

    if (child < 0)
        return no_process(error);
    *pid = child;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            _exit(0);
    }
    return MQ_OK;
}

/* Everything that comes through the pipe until it is closed. */
static size_t read_all(int descriptor, char *out, size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t more = read(descriptor, out + got, size - got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return got;
}

static void tell_ended(const char *name, int how)
{
    mq_log(MQ_LOG_ERROR, "process_ended", mq_log_text("process", name),
           mq_log_number(WIFSIGNALED(how) ? "signal" : "code", WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how)));
}

/* A child that said why it cannot start ends with its exit code; of one that was killed it is said here. */
static int code_of(pid_t pid, const char *name)
{
    int how;

    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(how))
        tell_ended(name, how);
    return WIFEXITED(how) && WEXITSTATUS(how) != 0 ? WEXITSTATUS(how) : 70;
}

/* MQ_REFUSED without words: the front has said them, *code is its exit code. */
static enum mq_status start_front(struct serve *serve, int *code, struct mq_error *error)
{
    int link[2] = {-1, -1}, ready[2];

    serve->news = serve->relay_alone ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool linked =
        serve->relay_alone || (serve->news >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) == 0);
    if (!linked || pipe2(ready, O_CLOEXEC) != 0)
        return no_process(error);
    serve->front.link = link[1];
    serve->front.news = serve->news;
    serve->front.ready = ready[1];
    enum mq_status status = fork_child(&serve->front_pid, error);
    if (status != MQ_OK)
        return status;
    if (serve->front_pid == 0) {
        keep_only((int *const[]){&serve->front.link, &serve->front.news, &serve->front.ready}, 3);
        exit(mq_front_run(&serve->front));
    }
    close(ready[1]);
    if (link[1] >= 0)
        close(link[1]);
    serve->desk_link = link[0];
    size_t size = read_all(ready[0], serve->reach.url, sizeof serve->reach.url - 1);
    close(ready[0]);
    if (size > 0)
        return MQ_OK;
    *code = code_of(serve->front_pid, "front");
    serve->front_pid = 0;
    return MQ_REFUSED;
}

static enum mq_status start_desk(struct serve *serve, struct mq_phrase *phrase, int *code, struct mq_error *error)
{
    int ready[2];
    char byte;

    if (pipe2(ready, O_CLOEXEC) != 0)
        return no_process(error);
    enum mq_status status = fork_child(&serve->desk_pid, error);
    if (status != MQ_OK)
        return status;
    if (serve->desk_pid == 0) {
        struct mq_phrase *own = mq_secret_take_over(phrase, sizeof *phrase);
        struct mq_desk_options options = {.platform = serve->program->platform,
                                          .data = serve->data,
                                          .passphrase = own,
                                          .link = serve->desk_link,
                                          .news = serve->news,
                                          .ready = ready[1]};
        mq_enough(own);
        close(ready[0]);
        exit(mq_desk_run(&options));
    }
    close(ready[1]);
    close(serve->desk_link);
    bool started = read_all(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (started)
        return MQ_OK;
    *code = code_of(serve->desk_pid, "desk");
    serve->desk_pid = 0;
    return MQ_REFUSED;
}

/* ---- watching ---- */

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGCHLD);
}

/* Asks a child to end, and waits. False: it had to be killed, or ended badly. */
static bool end_child(pid_t *pid)
{
    const struct timespec moment = {.tv_nsec = 20 * 1000000L};
    int how = 0;

    if (*pid <= 0)
        return true;
    kill(*pid, SIGTERM);
    for (int waits = 0; waits < END_WAIT_S * 50; waits++) {
        pid_t ended = waitpid(*pid, &how, WNOHANG);
        if (ended == *pid) {
            *pid = 0;
            return WIFEXITED(how) && WEXITSTATUS(how) == 0;
        }
        nanosleep(&moment, NULL);
    }
    kill(*pid, SIGKILL);
    waitpid(*pid, &how, 0);
    *pid = 0;
    return false;
}

/* Has one of the two ended by itself? */
static bool child_ended(pid_t *pid, const char *name)
{
    int how;

    if (*pid <= 0 || waitpid(*pid, &how, WNOHANG) != *pid)
        return false;
    tell_ended(name, how);
    *pid = 0;
    return true;
}

/* Until a signal or the end of a child; the exit code. */
static int watch(struct serve *serve)
{
    sigset_t set;
    bool broken = false;

    watched_signals(&set);
    for (;;) {
        broken = child_ended(&serve->desk_pid, "desk") || child_ended(&serve->front_pid, "front");
        if (broken)
            break;
        int number = sigwaitinfo(&set, NULL);
        if (number == SIGTERM || number == SIGINT)
            break;
    }
    bool desk = end_child(&serve->desk_pid), front = end_child(&serve->front_pid);
    return !broken && desk && front ? 0 : 70;
}

static enum mq_status announce(const struct serve *serve, struct mq_error *error)
{
    if (mq_data_has(serve->program->platform, serve->data, "root.key"))
        mq_log(MQ_LOG_WARNING, "root_key_here", mq_log_text("move_away", "root.key"));
    enum mq_status status = mq_reach_write(serve->program->platform, serve->data, &serve->reach, error);

    if (status != MQ_OK)
        return status;
    printf("listening %s\n", serve->reach.url);
    return fflush(stdout) == 0 ? MQ_OK : mq_fail(error, MQ_FAULT, _("cannot write to stdout: %s"), strerror(errno));
}

static enum mq_status start_all(struct serve *serve, int *code, struct mq_error *error)
{
    struct mq_phrase *phrase = NULL;
    sigset_t set;
    enum mq_status status = start_front(serve, code, error);

    if (status == MQ_OK && !serve->relay_alone)
        status = mq_phrase_get(&phrase, serve->line, false, error);
    watched_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL); /* after the question at the terminal, which a signal must be able to end */
    if (status == MQ_OK && !serve->relay_alone)
        status = start_desk(serve, phrase, code, error);
    mq_secret_free(phrase);
    return status == MQ_OK ? announce(serve, error) : status;
}

int mq_run_serve(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    struct serve serve = {.program = program, .line = line, .data = mq_program_data(line), .desk_link = -1, .news = -1};
    struct mq_error error = {0};
    int code = 0;

    if (serve.data == NULL)
        return 2;
    serve.front.platform = program->platform;
    serve.front.data = serve.data;
    mq_log_start(program->platform, STDERR_FILENO);
    enum mq_status status = read_options(&serve, &error);
    if (status == MQ_OK)
        status = mq_data_lock(program->platform, serve.data, LOCK_WAIT_MS, &error);
    if (status == MQ_OK)
        status = read_tls(&serve, &error);
    if (status == MQ_OK)
        status = start_all(&serve, &code, &error);
    if (status == MQ_OK)
        return watch(&serve);
    end_child(&serve.desk_pid);
    end_child(&serve.front_pid);
    return code != 0 ? code : mq_program_fail(&error);
}
