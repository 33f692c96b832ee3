/* `desk`: the desk alone, where the relay is another machine; reached through the courier, which holds no keys. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/courier.h"
#include "platform/log.h"
#include "platform/secret_key.h"
#include "protocol/assert.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/desk/reach.h"
#include "server/program.h"

#define LOCK_WAIT_MS 2000
#define POST_MS 60000
#define COURIER_NAME "minqing-courier"

struct remote {
    char courier_path[4096];
    const char *url;
    uint8_t pin[MQ_HASH_SIZE];
    bool pinned;                /* an http:// address of this machine has none */
    struct mq_courier *courier; /* NULL: not started yet, or it broke */
};

/* The courier stands beside this program. */
static enum mq_status find_courier(struct remote *remote, struct mq_error *error)
{
    char own[sizeof remote->courier_path - sizeof COURIER_NAME];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

    if (length <= 0)
        return mq_fail(error, MQ_FAULT, _("cannot tell where this program stands"));
    own[length] = '\0';
    char *slash = strrchr(own, '/');
    MQ_ASSERT(slash != NULL);
    *slash = '\0';
    snprintf(remote->courier_path, sizeof remote->courier_path, "%s/%s", own, COURIER_NAME);
    return MQ_OK;
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct remote *remote = context;
    const struct mq_courier_request request = {.path = path, .body = body, .timeout_ms = POST_MS};
    struct mq_courier_answer told = {0};
    struct mq_span pins = remote->pinned ? MQ_SPAN(remote->pin) : mq_span(NULL, 0);
    enum mq_status status = MQ_OK;

    if (remote->courier == NULL)
        status = mq_courier_start(&remote->courier, remote->courier_path, remote->url, pins, error);
    if (status != MQ_OK)
        return status;
    status = mq_courier_post(remote->courier, &request, reply, &told, error);
    *answer = (struct mq_post_answer){told.http_status, told.retry_after_s, told.bytes_up, told.bytes_down};
    if (status == MQ_OK)
        return MQ_OK;
    mq_courier_stop(remote->courier); /* the next post starts afresh */
    remote->courier = NULL;
    return status == MQ_REFUSED && told.outcome == MQ_COURIER_STRANGER ? MQ_BAD_SIGNATURE : status;
}

static enum mq_status read_options(struct remote *remote, const struct mq_command_line *line, struct mq_error *error)
{
    const char *pin = mq_option_get(line, "pin");

    remote->url = mq_option_get(line, "upstream");
    if (remote->url == NULL)
        return mq_fail(error, MQ_REFUSED,
                       _("say where the relay is: desk --upstream URL --pin HEX; for both on one machine: serve"));
    remote->pinned = pin != NULL;
    if (pin != NULL && !mq_hex_read(remote->pin, sizeof remote->pin, mq_span_text(pin)))
        return mq_fail(error, MQ_REFUSED, _("--pin is the SHA-256 of the relay's public key: 64 hexadecimal digits"));
    if (pin == NULL && strncmp(remote->url, "http://", 7) != 0)
        return mq_fail(error, MQ_REFUSED, _("--pin is needed: the desk talks to no server that it does not know"));
    return find_courier(remote, error);
}

int mq_run_desk(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    struct remote remote = {0};
    const struct mq_transport transport = {&remote, post};
    struct mq_desk_options options = {.platform = program->platform,
                                      .data = mq_program_data(line),
                                      .link = -1,
                                      .transport = &transport,
                                      .news = -1,
                                      .ready = -1};
    struct mq_phrase *phrase = NULL;
    struct mq_error error = {0};

    if (options.data == NULL)
        return 2;
    enum mq_status status = read_options(&remote, line, &error);
    if (status == MQ_OK)
        status = mq_data_whole(program->platform, options.data, &error);
    if (status == MQ_OK && !mq_data_has(program->platform, options.data, "desk/vault"))
        status = mq_fail(&error, MQ_REFUSED, _("there is no centre in %s; `minqingd init` makes one"), options.data);
    if (status == MQ_OK)
        status = mq_data_lock(program->platform, options.data, LOCK_WAIT_MS, &error);
    if (status == MQ_OK)
        status = mq_phrase_get(&phrase, line, false, &error);
    if (status != MQ_OK)
        return mq_program_fail(&error);
    mq_log_start(program->platform, STDERR_FILENO);
    options.passphrase = phrase;
    int code = mq_desk_run(&options);
    mq_courier_stop(remote.courier);
    mq_secret_free(phrase);
    return code;
}
