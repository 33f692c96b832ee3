/* The centre's address in a file. */
#include "server/desk/reach.h"

#include <stdio.h>
#include <string.h>

#define FILE_SIZE (MQ_URL_MAX + 2 * MQ_HASH_SIZE + 2)
#define PATH_SIZE 1100

static int digit(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

bool mq_hex_read(uint8_t *out, size_t size, struct mq_span text)
{
    if (text.size == 2 * size + 1 && text.data[2 * size] == '\n')
        text.size--;
    if (text.size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit(text.data[2 * i]), low = digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

void mq_hex_write(char *out, struct mq_span bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes.data[i]);
}

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
