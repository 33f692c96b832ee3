/* The centre's address in a file. */
#include "server/desk/reach.h"

#include <stdio.h>
#include <string.h>

#include "platform/hex.h"

#define FILE_SIZE (MQ_URL_MAX + 2 * MQ_HASH_SIZE + 2)
#define PATH_SIZE 1100

static enum mq_status path_of(char out[PATH_SIZE], const char *data, struct mq_error *error)
{
    int length = snprintf(out, PATH_SIZE, "%s/url", data);

    return length > 0 && length < PATH_SIZE ? MQ_OK : mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), data);
}

enum mq_status mq_reach_write(const struct mq_platform *platform, const char *data, const struct mq_reach *reach,
                              struct mq_error *error)
{
    char path[PATH_SIZE], text[FILE_SIZE + 1], pin[2 * MQ_HASH_SIZE + 1];
    enum mq_status status = path_of(path, data, error);

    mq_hex_write(pin, MQ_SPAN(reach->pin));
    snprintf(text, sizeof text, "%s\n%s\n", reach->url, pin);
    return status == MQ_OK ? platform->write(platform->self, path, mq_span_text(text), error) : status;
}

enum mq_status mq_reach_read(const struct mq_platform *platform, const char *data, struct mq_reach *reach,
                             struct mq_error *error)
{
    char path[PATH_SIZE];
    uint8_t memory[FILE_SIZE];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    enum mq_status status = path_of(path, data, error);

    memset(reach, 0, sizeof *reach);
    if (status == MQ_OK)
        status = platform->read(platform->self, path, &content, error);
    if (status == MQ_NOT_FOUND)
        mq_error_clear(error);
    if (status != MQ_OK)
        return status;
    const uint8_t *end = memchr(memory, '\n', content.size);
    size_t length = end == NULL ? content.size : (size_t)(end - memory);
    if (end == NULL || length == 0 || length >= sizeof reach->url ||
        !mq_hex_read(reach->pin, sizeof reach->pin, mq_span(end + 1, content.size - length - 1)))
        return mq_fail(error, MQ_DAMAGED, _("%s is damaged; start the server once to write it anew"), path);
    memcpy(reach->url, memory, length);
    return MQ_OK;
}
