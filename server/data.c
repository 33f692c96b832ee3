/* The centre's directory. */
#include "server/data.h"

#include <ftw.h>
#include <stdio.h>

#include "platform/hex.h"
#include "platform/tls_key.h"
#include "protocol/keys.h"

#define HEX_ROOM (2 * MQ_PUBLIC_SIZE + 1)
#define TLS_NAME "minqing"
#define CLEAR_DESCRIPTORS 8

enum mq_status mq_data_path(struct mq_data_path *out, const char *data, const char *name, struct mq_error *error)
{
    int length = snprintf(out->text, sizeof out->text, "%s/%s", data, name);

    return length > 0 && (size_t)length < sizeof out->text
               ? MQ_OK
               : mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), data);
}

bool mq_data_has(const struct mq_platform *platform, const char *data, const char *name)
{
    struct mq_data_path path;
    struct mq_file_identity identity;
    struct mq_error error = {0};

    return mq_data_path(&path, data, name, &error) == MQ_OK &&
           platform->identify(platform->self, path.text, &identity, &error) == MQ_OK;
}

enum mq_status mq_data_lock(const struct mq_platform *platform, const char *data, int wait_ms, struct mq_error *error)
{
    struct mq_data_path path;
    int lock;
    enum mq_status status = mq_data_path(&path, data, "lock", error);

    return status == MQ_OK ? platform->lock_take(platform->self, path.text, wait_ms, &lock, error) : status;
}

enum mq_status mq_data_whole(const struct mq_platform *platform, const char *data, struct mq_error *error)
{
    if (!mq_data_has(platform, data, MQ_RESTORE_SCRATCH))
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("in %s a restore was broken off; run it again"), data);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void mq_data_clear(const char *path)
{
    (void)nftw(path, remove_one, CLEAR_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

static int remove_inside(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    return place->level == 0 ? 0 : remove_one(path, about, kind, place);
}

void mq_data_empty(const char *path)
{
    (void)nftw(path, remove_inside, CLEAR_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

static enum mq_status write_in(const struct mq_platform *platform, const char *data, const char *name,
                               struct mq_span content, struct mq_error *error)
{
    struct mq_data_path path;
    enum mq_status status = mq_data_path(&path, data, name, error);

    return status == MQ_OK ? platform->write(platform->self, path.text, content, error) : status;
}

enum mq_status mq_data_tls(const struct mq_platform *platform, const char *data, struct mq_error *error)
{
    uint8_t key_memory[MQ_TLS_PEM_MAX], certificate_memory[MQ_TLS_PEM_MAX];
    struct mq_buffer key = mq_buffer(key_memory, sizeof key_memory);
    struct mq_buffer certificate = mq_buffer(certificate_memory, sizeof certificate_memory);

    if (mq_data_has(platform, data, "tls.pem") && mq_data_has(platform, data, "tls_key.pem"))
        return MQ_OK;
    enum mq_status status = mq_tls_make(&key, &certificate, TLS_NAME, error);
    if (status == MQ_OK)
        status = write_in(platform, data, "tls_key.pem", mq_written(&key), error);
    if (status == MQ_OK)
        status = write_in(platform, data, "tls.pem", mq_written(&certificate), error);
    mq_wipe(key_memory, sizeof key_memory);
    return status;
}

enum mq_status mq_data_root_read(const struct mq_platform *platform, const char *path,
                                 uint8_t root_public[MQ_PUBLIC_SIZE], struct mq_error *error)
{
    uint8_t memory[HEX_ROOM];
    struct mq_buffer content = mq_buffer(memory, sizeof memory);
    enum mq_status status = platform->read(platform->self, path, &content, error);

    if (status != MQ_OK && status != MQ_NO_SPACE)
        return status;
    if (status == MQ_NO_SPACE || !mq_hex_read(root_public, MQ_PUBLIC_SIZE, mq_written(&content))) {
        mq_error_clear(error);
        return mq_fail(error, MQ_REFUSED,
                       _("%s is not a root's public key: 64 hexadecimal digits, as `init` writes root.pub"), path);
    }
    return MQ_OK;
}

enum mq_status mq_data_root_write(const struct mq_platform *platform, const char *path,
                                  const uint8_t root_public[MQ_PUBLIC_SIZE], struct mq_error *error)
{
    char text[HEX_ROOM + 1];

    mq_hex_write(text, mq_span(root_public, MQ_PUBLIC_SIZE));
    text[HEX_ROOM - 1] = '\n';
    return platform->write(platform->self, path, mq_span(text, HEX_ROOM), error);
}
