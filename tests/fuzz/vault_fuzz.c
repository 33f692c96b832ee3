/* Aim: a vault opens only as it was written, gives the key that was put in, and says whether the file or the
 * passphrase is wrong; no single changed bit passes, which is tried before all else. Input: a mode, then the file as
 * it is, or what is laid over a good one (XOR). */
#include <string.h>

#include "platform/fake.h"
#include "protocol/assert.h"
#include "replica/vault.h"
#include "tests/fuzz/fuzz.h"

#define FILE_MAX 512

static struct mq_platform machine;
static uint8_t good[FILE_MAX], now[FILE_MAX];
static size_t good_size, now_size;

static enum mq_status read_now(void *self, const char *path, struct mq_buffer *out, struct mq_error *error)
{
    (void)self;
    if (strcmp(path, "home/vault") != 0)
        return mq_fail(error, MQ_NOT_FOUND, "no %s here", path);
    if (mq_reserve(out, now_size) == NULL)
        return mq_fail(error, MQ_NO_SPACE, "%s is too large", path);
    memcpy(out->data + out->size - now_size, now, now_size);
    return MQ_OK;
}

static enum mq_status write_now(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    (void)self, (void)path, (void)error;
    MQ_ASSERT(content.size <= sizeof now);
    memcpy(now, content.data, content.size);
    now_size = content.size;
    return MQ_OK;
}

static enum mq_status append_nothing(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    (void)self, (void)path, (void)content, (void)error;
    return MQ_OK;
}

static struct mq_secret store_key(void)
{
    struct mq_secret key;
    memset(key.bytes, 0x5a, sizeof key.bytes);
    return key;
}

void fuzz_start(void)
{
    const struct mq_secret key = store_key();
    struct mq_error error = {0};

    machine = *mq_fake_platform(mq_fake_new(1));
    machine.read = read_now;
    machine.write = write_now;
    machine.append = append_nothing;
    MQ_ASSERT(mq_vault_rewrap(&machine, "home", &key, mq_span_text("five words"), (struct mq_kdf_cost){8, 1}, &error) ==
              MQ_OK);
    memcpy(good, now, now_size);
    good_size = now_size;
    for (size_t bit = 0; bit < 8 * good_size; bit++) {
        uint8_t laid_over[1 + FILE_MAX] = {1};
        laid_over[1 + bit / 8] = (uint8_t)(1u << bit % 8);
        fuzz_one(laid_over, 1 + good_size);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_secret opened = {{0}};
    const struct mq_secret key = store_key();
    struct mq_error error = {0};

    if (size == 0 || size > sizeof now)
        return;
    now_size = data[0] & 1 ? good_size : size - 1;
    memcpy(now, good, sizeof now);
    for (size_t i = 0; i + 1 < size && i < now_size; i++)
        now[i] = data[0] & 1 ? good[i] ^ data[i + 1] : data[i + 1];
    bool same = now_size == good_size && memcmp(now, good, good_size) == 0;
    enum mq_status status = mq_vault_open(&machine, "home", mq_span_text("five words"), &opened, &error);
    MQ_ASSERT(mq_vault_exists(&machine, "home"));
    MQ_ASSERT((status == MQ_OK) == same);
    if (same)
        MQ_ASSERT(memcmp(&opened, &key, sizeof key) == 0);
    else
        MQ_ASSERT((status == MQ_DAMAGED || status == MQ_WRONG_KEY) && error.text[0] != '\0');
}
