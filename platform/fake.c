/* A pretended machine: its own clock, chance and identity over the real machine's files. */
#include "platform/fake.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

#define FIRST_WALL_SECONDS 1780000000 /* a day in May 2026 */
#define UTC_OFFSET_SECONDS (8 * 3600)

struct mq_fake {
    struct mq_platform table;
    int64_t wall_ms, monotonic_ms;
    uint32_t boots;
    uint64_t chance; /* the generator's state */
    uint64_t moves;  /* how often the storage went to another medium */
    int fail_after;  /* file operations until one fails; 0: none will */
    enum mq_status fail_status;
};

static int64_t wall_seconds(void *self)
{
    return ((struct mq_fake *)self)->wall_ms / 1000;
}

static int64_t monotonic_ms(void *self)
{
    return ((struct mq_fake *)self)->monotonic_ms;
}

static uint32_t boot(void *self)
{
    return ((struct mq_fake *)self)->boots;
}

/* Nobody waits in a pretended world: its time goes on by itself. */
static void sleep_ms(void *self, uint32_t milliseconds)
{
    struct mq_fake *fake = self;
    fake->wall_ms += milliseconds;
    fake->monotonic_ms += milliseconds;
}

static int32_t utc_offset(void *self)
{
    (void)self;
    return UTC_OFFSET_SECONDS;
}

/* SplitMix64: every seed, zero too, gives a good sequence. For tests only. */
static uint64_t next_number(struct mq_fake *fake)
{
    uint64_t mixed = fake->chance += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static void random_bytes(void *self, void *out, size_t size)
{
    uint8_t *at = out;
    for (uint64_t number = 0; size > 0; size--, number >>= 8) {
        if (size % sizeof number == 0 || at == out)
            number = next_number(self);
        *at++ = (uint8_t)number;
    }
}

/* MQ_OK, or what the present file operation is to answer. */
static enum mq_status planned_failure(struct mq_fake *fake, const char *path, struct mq_error *error)
{
    if (fake->fail_after == 0 || --fake->fail_after > 0)
        return MQ_OK;
    return mq_fail(error, fake->fail_status, "%s: pretended failure", path);
}

static enum mq_status file_read(void *self, const char *path, struct mq_buffer *out, struct mq_error *error)
{
    (void)self;
    const struct mq_platform *real = mq_platform_real();
    return real->read(real->self, path, out, error);
}

static enum mq_status file_write(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    const struct mq_platform *real = mq_platform_real();
    enum mq_status status = planned_failure(self, path, error);
    return status != MQ_OK ? status : real->write(real->self, path, content, error);
}

static enum mq_status file_append(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    const struct mq_platform *real = mq_platform_real();
    enum mq_status status = planned_failure(self, path, error);
    return status != MQ_OK ? status : real->append(real->self, path, content, error);
}

static enum mq_status file_remove(void *self, const char *path, struct mq_error *error)
{
    const struct mq_platform *real = mq_platform_real();
    enum mq_status status = planned_failure(self, path, error);
    return status != MQ_OK ? status : real->remove(real->self, path, error);
}

static enum mq_status file_rename(void *self, const char *from, const char *to, struct mq_error *error)
{
    const struct mq_platform *real = mq_platform_real();
    enum mq_status status = planned_failure(self, from, error);
    return status != MQ_OK ? status : real->rename(real->self, from, to, error);
}

static enum mq_status make_directory(void *self, const char *path, struct mq_error *error)
{
    (void)self;
    const struct mq_platform *real = mq_platform_real();
    return real->make_directory(real->self, path, error);
}

static enum mq_status identify(void *self, const char *path, struct mq_file_identity *out, struct mq_error *error)
{
    const struct mq_platform *real = mq_platform_real();
    enum mq_status status = real->identify(real->self, path, out, error);
    if (status == MQ_OK)
        out->inode += ((struct mq_fake *)self)->moves << 32;
    return status;
}

static enum mq_status lock_take(void *self, const char *path, int wait_ms, int *lock, struct mq_error *error)
{
    (void)self;
    const struct mq_platform *real = mq_platform_real();
    return real->lock_take(real->self, path, wait_ms, lock, error);
}

static void lock_release(void *self, int lock)
{
    (void)self;
    const struct mq_platform *real = mq_platform_real();
    real->lock_release(real->self, lock);
}

struct mq_fake *mq_fake_new(uint64_t seed)
{
    struct mq_fake *fake = malloc(sizeof *fake);
    MQ_ASSERT(fake != NULL);
    *fake = (struct mq_fake){
        .table = {.self = fake,
                  .wall_seconds = wall_seconds,
                  .monotonic_ms = monotonic_ms,
                  .boot = boot,
                  .sleep_ms = sleep_ms,
                  .utc_offset = utc_offset,
                  .random = random_bytes,
                  .read = file_read,
                  .write = file_write,
                  .append = file_append,
                  .remove = file_remove,
                  .rename = file_rename,
                  .make_directory = make_directory,
                  .identify = identify,
                  .lock_take = lock_take,
                  .lock_release = lock_release},
        .wall_ms = FIRST_WALL_SECONDS * INT64_C(1000),
        .boots = 1,
        .chance = seed,
    };
    return fake;
}

void mq_fake_set_chance(struct mq_fake *fake, uint64_t seed)
{
    fake->chance = seed;
}

void mq_fake_free(struct mq_fake *fake)
{
    free(fake);
}

const struct mq_platform *mq_fake_platform(struct mq_fake *fake)
{
    return &fake->table;
}

void mq_fake_set_wall(struct mq_fake *fake, int64_t seconds)
{
    fake->wall_ms = seconds * 1000;
}

void mq_fake_advance(struct mq_fake *fake, int64_t seconds)
{
    fake->wall_ms += seconds * 1000;
    fake->monotonic_ms += seconds * 1000;
}

void mq_fake_reboot(struct mq_fake *fake)
{
    fake->boots++;
    fake->monotonic_ms = 0;
}

void mq_fake_move(struct mq_fake *fake)
{
    fake->moves++;
}

void mq_fake_fail_file(struct mq_fake *fake, int nth, enum mq_status status)
{
    MQ_ASSERT(nth >= 0 && (nth == 0 || status != MQ_OK));
    fake->fail_after = nth;
    fake->fail_status = status;
}
