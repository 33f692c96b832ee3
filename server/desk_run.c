/* The desk's process: syncs with the store, and takes local commands, one thing after another. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/log.h"
#include "server/centre_keys.h"
#include "server/confine.h"
#include "server/data.h"

#define SYNC_EVERY_MS 30000       /* the front wakes us for what is new */
#define SYNC_EVERY_REMOTE_MS 5000 /* another machine does not, and who joins is waiting */

struct desk_process {
    const struct mq_desk_options *options;
    struct mq_centre centre;
    struct mq_desk_service *service;
    int signals;
};

static int64_t now_ms(const struct desk_process *desk)
{
    return desk->options->platform->monotonic_ms(desk->options->platform->self);
}

static void sync_now(struct desk_process *desk)
{
    struct mq_error error = {0};

    if (mq_desk_rotate(&desk->centre.desk, &error) != MQ_OK)
        mq_log(MQ_LOG_WARNING, "rotation_failed", mq_log_text("reason", error.text));
    error = (struct mq_error){0};
    if (mq_desk_sync(&desk->centre.desk, &error) != MQ_OK)
        mq_log(MQ_LOG_WARNING, "sync_failed", mq_log_text("reason", error.text));
}

static enum mq_status start(struct desk_process *desk, struct mq_error *error)
{
    const struct mq_desk_options *options = desk->options;
    struct mq_data_path path;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    desk->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (desk->signals < 0)
        return mq_fail(error, MQ_FAULT, _("cannot wait for signals: %s"), strerror(errno));
    enum mq_status status = mq_data_path(&path, options->data, "desk.sock", error);
    if (status == MQ_OK && options->link >= 0)
        status =
            mq_centre_open(&desk->centre, options->platform, options->data, options->passphrase, options->link, error);
    else if (status == MQ_OK)
        status = mq_centre_open_remote(&desk->centre, options->platform, options->data, options->passphrase,
                                       options->upstream, options->pin, error);
    if (status != MQ_OK)
        return status;
    desk->service = mq_desk_service_open(&desk->centre, path.text, error);
    if (desk->service == NULL)
        return error->status;
    if (options->link >= 0) /* else it will start the courier, a program that needs the network */
        mq_confine_desk();
    sync_now(desk); /* who calls meanwhile waits for the answer, and need not find out that somebody works here */
    if (options->ready < 0)
        return MQ_OK;
    if (write(options->ready, "", 1) != 1)
        return mq_fail(error, MQ_FAULT, _("the server's parent process has gone"));
    close(options->ready);
    return MQ_OK;
}

static enum mq_status work(struct desk_process *desk, struct mq_error *error)
{
    struct pollfd waits[] = {{.fd = desk->signals, .events = POLLIN},
                             {.fd = desk->options->news, .events = POLLIN},
                             {.fd = mq_desk_service_descriptor(desk->service), .events = POLLIN}};
    const int64_t every = desk->options->link >= 0 ? SYNC_EVERY_MS : SYNC_EVERY_REMOTE_MS;
    int64_t due = now_ms(desk) + every;
    uint64_t news;

    for (;;) {
        int64_t left = due - now_ms(desk);
        if (poll(waits, 3, left < 0 ? 0 : (int)left) < 0) {
            if (errno == EINTR)
                continue; /* what poll would have said is not said */
            return mq_fail(error, MQ_FAULT, _("cannot wait for work: %s"), strerror(errno));
        }
        if (waits[0].revents != 0)
            return MQ_OK;
        if (waits[1].revents != 0 && read(desk->options->news, &news, sizeof news) == (ssize_t)sizeof news)
            due = now_ms(desk);
        if (waits[2].revents != 0)
            mq_desk_service_take(desk->service);
        if (now_ms(desk) < due)
            continue;
        sync_now(desk);
        mq_desk_service_expire(desk->service);
        due = now_ms(desk) + (desk->centre.desk.unreached.status == MQ_OK ? every : SYNC_EVERY_MS);
    }
}

int mq_desk_run(const struct mq_desk_options *options)
{
    struct desk_process desk = {.options = options, .signals = -1};
    struct mq_error error = {0};
    enum mq_status status = start(&desk, &error);

    if (status == MQ_OK)
        status = work(&desk, &error);
    mq_desk_service_close(desk.service);
    mq_centre_close(&desk.centre);
    if (status != MQ_OK)
        fprintf(stderr, "minqingd: %s\n", error.text);
    return mq_exit_code(status);
}
