/* Requests to a relay on another machine, through the courier that stands beside this program. */
#include "server/remote.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/assert.h"

#define POST_MS 60000
#define COURIER_NAME "minqing-courier"
#define COURIER_PATH_SIZE 4096

enum mq_status mq_remote_open(struct mq_remote *remote, const char *url, const uint8_t *pin, struct mq_error *error)
{
    *remote = (struct mq_remote){.pinned = pin != NULL && strncmp(url, "http://", 7) != 0};
    if (strlen(url) >= sizeof remote->url)
        return mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), url);
    memcpy(remote->url, url, strlen(url) + 1);
    if (remote->pinned)
        memcpy(remote->pin, pin, sizeof remote->pin);
    if (!remote->pinned && strncmp(url, "http://", 7) != 0)
        return mq_fail(error, MQ_REFUSED, _("--pin is needed: the desk talks to no server that it does not know"));
    return MQ_OK;
}

static enum mq_status find_courier(char out[COURIER_PATH_SIZE], struct mq_error *error)
{
    char own[COURIER_PATH_SIZE - sizeof COURIER_NAME];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

    if (length <= 0)
        return mq_fail(error, MQ_FAULT, _("cannot tell where this program stands"));
    own[length] = '\0';
    char *slash = strrchr(own, '/');
    MQ_ASSERT(slash != NULL);
    *slash = '\0';
    snprintf(out, COURIER_PATH_SIZE, "%s/%s", own, COURIER_NAME);
    return MQ_OK;
}

static enum mq_status start(struct mq_remote *remote, struct mq_error *error)
{
    char program[COURIER_PATH_SIZE];
    struct mq_span pins = remote->pinned ? MQ_SPAN(remote->pin) : mq_span(NULL, 0);
    enum mq_status status = find_courier(program, error);

    return status == MQ_OK ? mq_courier_start(&remote->courier, program, remote->url, pins, error) : status;
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct mq_remote *remote = context;
    const struct mq_courier_request request = {.path = path, .body = body, .timeout_ms = POST_MS};
    struct mq_courier_answer told = {0};
    enum mq_status status = remote->courier == NULL ? start(remote, error) : MQ_OK;

    if (status != MQ_OK)
        return status;
    status = mq_courier_post(remote->courier, &request, reply, &told, error);
    *answer = (struct mq_post_answer){told.http_status, told.retry_after_s, told.bytes_up, told.bytes_down};
    if (status == MQ_OK)
        return MQ_OK;
    mq_remote_close(remote); /* the next post starts afresh */
    return status == MQ_REFUSED && told.outcome == MQ_COURIER_STRANGER ? MQ_BAD_SIGNATURE : status;
}

struct mq_transport mq_remote_transport(struct mq_remote *remote)
{
    return (struct mq_transport){remote, post};
}

void mq_remote_close(struct mq_remote *remote)
{
    mq_courier_stop(remote->courier);
    remote->courier = NULL;
}
