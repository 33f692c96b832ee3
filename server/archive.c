/* Writing and reading backup files. */
#include "server/archive_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/assert.h"

#define MAGIC "MQBACKUP"
#define VERSION 1
#define FRONT_SIZE (MQ_NONCE_SIZE - 8)
#define HEAD_SIZE (8 + 1 + MQ_SALT_SIZE + 4 + 4 + FRONT_SIZE)
#define CHUNK_HEAD_SIZE 5
#define CHUNK_SIZE (64u * 1024)

struct mq_archive {
    int file;
    char path[4096];
    uint8_t head[HEAD_SIZE];
    struct mq_secret *key; /* guarded memory */
    uint64_t number;       /* of the next chunk */
    uint8_t plain[CHUNK_SIZE];
    size_t size, at;            /* of `plain`: filled; read */
    bool last;                  /* the chunk in `plain` is the last */
    uint64_t left;              /* of the present piece, reading */
    uint8_t hash[MQ_HASH_SIZE]; /* over all chunks' plaintext so far */
    uint8_t sealed[CHUNK_SIZE + MQ_TAG_SIZE];
};

/* ---- chunks ---- */

static enum mq_status trouble(const struct mq_archive *archive, const char *doing, struct mq_error *error)
{
    return mq_fail(error, errno == ENOSPC || errno == EDQUOT ? MQ_NO_SPACE : MQ_REFUSED, "%s %s: %s", doing,
                   archive->path, strerror(errno));
}

static enum mq_status damaged(const struct mq_archive *archive, struct mq_error *error)
{
    return mq_fail(error, MQ_DAMAGED, _("the backup %s is cut or damaged; use another one"), archive->path);
}

static bool write_all(int file, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(file, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        data += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

static size_t read_some(int file, uint8_t *out, size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t more = read(file, out + got, size - got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return got;
}

static void chunk_names(const struct mq_archive *archive, bool last, size_t size, uint8_t nonce[MQ_NONCE_SIZE],
                        uint8_t aad[HEAD_SIZE + CHUNK_HEAD_SIZE])
{
    struct mq_buffer nonce_out = mq_buffer(nonce, MQ_NONCE_SIZE), aad_out = mq_buffer(aad, HEAD_SIZE + CHUNK_HEAD_SIZE);

    mq_put(&nonce_out, archive->head + HEAD_SIZE - FRONT_SIZE, FRONT_SIZE);
    mq_put_u64(&nonce_out, archive->number);
    mq_put(&aad_out, archive->head, HEAD_SIZE);
    mq_put_u8(&aad_out, last);
    mq_put_u32(&aad_out, (uint32_t)size);
    MQ_ASSERT(!nonce_out.failed && !aad_out.failed);
}

static void hash_chunk(struct mq_archive *archive)
{
    const struct mq_span parts[] = {MQ_SPAN(archive->hash), mq_span(archive->plain, archive->size)};

    mq_hash(archive->hash, sizeof archive->hash, MQ_DOMAIN_BODY, parts, 2);
}

static enum mq_status write_chunk(struct mq_archive *archive, bool last, struct mq_error *error)
{
    uint8_t nonce[MQ_NONCE_SIZE], aad[HEAD_SIZE + CHUNK_HEAD_SIZE];
    struct mq_buffer sealed = mq_buffer(archive->sealed, sizeof archive->sealed);

    chunk_names(archive, last, archive->size, nonce, aad);
    enum mq_status status =
        mq_aead_seal(&sealed, mq_span(archive->plain, archive->size), MQ_SPAN(aad), nonce, archive->key);
    MQ_ASSERT(status == MQ_OK);
    hash_chunk(archive);
    archive->number++;
    archive->size = 0;
    if (!write_all(archive->file, aad + HEAD_SIZE, CHUNK_HEAD_SIZE) ||
        !write_all(archive->file, sealed.data, sealed.size))
        return trouble(archive, _("cannot write"), error);
    return MQ_OK;
}

static enum mq_status read_chunk(struct mq_archive *archive, struct mq_error *error)
{
    uint8_t nonce[MQ_NONCE_SIZE], aad[HEAD_SIZE + CHUNK_HEAD_SIZE], head[CHUNK_HEAD_SIZE];
    struct mq_buffer plain = mq_buffer(archive->plain, sizeof archive->plain);

    if (archive->last || read_some(archive->file, head, sizeof head) != sizeof head)
        return damaged(archive, error);
    struct mq_reader reader = mq_reader(MQ_SPAN(head));
    uint8_t last = mq_get_u8(&reader);
    size_t size = mq_get_u32(&reader);
    if (last > 1 || size > CHUNK_SIZE ||
        read_some(archive->file, archive->sealed, size + MQ_TAG_SIZE) != size + MQ_TAG_SIZE)
        return damaged(archive, error);
    chunk_names(archive, last, size, nonce, aad);
    if (mq_aead_open(&plain, mq_span(archive->sealed, size + MQ_TAG_SIZE), MQ_SPAN(aad), nonce, archive->key) !=
        MQ_OK) {
        if (archive->number > 0)
            return damaged(archive, error);
        return mq_fail(error, MQ_WRONG_KEY, _("the passphrase does not open the backup %s; nothing was changed"),
                       archive->path);
    }
    archive->size = size;
    archive->at = 0;
    archive->last = last;
    archive->number++;
    hash_chunk(archive);
    return MQ_OK;
}

/* ---- the file ---- */

void mq_archive_close(struct mq_archive *archive)
{
    if (archive == NULL)
        return;
    if (archive->file >= 0)
        close(archive->file);
    mq_secret_free(archive->key);
    mq_wipe(archive, sizeof *archive);
    free(archive);
}

static struct mq_archive *new_archive(const char *path)
{
    struct mq_archive *archive = calloc(1, sizeof *archive);
    size_t length = strlen(path);

    mq_enough(archive);
    archive->file = -1;
    archive->key = mq_secret_alloc(sizeof *archive->key);
    mq_enough(archive->key);
    if (length < sizeof archive->path)
        memcpy(archive->path, path, length);
    return archive;
}

enum mq_status mq_archive_create(struct mq_archive **out, const struct mq_platform *platform, const char *path,
                                 struct mq_span passphrase, struct mq_kdf_cost cost, struct mq_error *error)
{
    struct mq_archive *archive = new_archive(path);
    struct mq_buffer head = mq_buffer(archive->head, sizeof archive->head);
    uint8_t salt[MQ_SALT_SIZE], front[FRONT_SIZE];

    *out = NULL;
    mq_random(platform, salt, sizeof salt);
    mq_random(platform, front, sizeof front);
    mq_put_text(&head, MAGIC);
    mq_put_u8(&head, VERSION);
    mq_put(&head, salt, sizeof salt);
    mq_put_u32(&head, cost.memory_mib);
    mq_put_u32(&head, cost.passes);
    mq_put(&head, front, sizeof front);
    MQ_ASSERT(!head.failed && head.size == HEAD_SIZE);
    enum mq_status status = mq_kdf(archive->key, passphrase, salt, cost, error);
    if (status == MQ_OK) {
        archive->file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (archive->file < 0 || !write_all(archive->file, archive->head, HEAD_SIZE))
            status = trouble(archive, _("cannot write"), error);
    }
    if (status == MQ_OK)
        *out = archive;
    else
        mq_archive_close(archive);
    return status;
}

static enum mq_status read_head(struct mq_archive *archive, struct mq_span passphrase, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(MQ_SPAN(archive->head));
    struct mq_kdf_cost cost;

    if (read_some(archive->file, archive->head, HEAD_SIZE) != HEAD_SIZE ||
        !mq_span_equal(mq_take(&reader, 8), mq_span_text(MAGIC)) || mq_get_u8(&reader) != VERSION)
        return mq_fail(error, MQ_REFUSED, _("%s is not a backup of this program"), archive->path);
    struct mq_span salt = mq_take(&reader, MQ_SALT_SIZE);
    cost.memory_mib = mq_get_u32(&reader);
    cost.passes = mq_get_u32(&reader);
    return mq_kdf(archive->key, passphrase, salt.data, cost, error);
}

bool mq_archive_is(const char *path)
{
    uint8_t magic[sizeof MAGIC - 1];
    struct stat about;
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return false;
    bool is = fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
              read_some(file, magic, sizeof magic) == sizeof magic && memcmp(magic, MAGIC, sizeof magic) == 0;
    close(file);
    return is;
}

enum mq_status mq_archive_open(struct mq_archive **out, const char *path, struct mq_span passphrase,
                               struct mq_error *error)
{
    struct mq_archive *archive = new_archive(path);
    enum mq_status status = MQ_OK;

    *out = NULL;
    archive->file = open(path, O_RDONLY | O_CLOEXEC);
    if (archive->file < 0)
        status =
            mq_fail(error, errno == ENOENT ? MQ_NOT_FOUND : MQ_REFUSED, _("cannot read %s: %s"), path, strerror(errno));
    if (status == MQ_OK)
        status = read_head(archive, passphrase, error);
    if (status == MQ_OK)
        status = read_chunk(archive, error);
    if (status == MQ_OK)
        *out = archive;
    else
        mq_archive_close(archive);
    return status;
}

/* ---- writing pieces ---- */

static enum mq_status put(struct mq_archive *archive, const uint8_t *data, size_t size, struct mq_error *error)
{
    while (size > 0) {
        size_t room = CHUNK_SIZE - archive->size, part = size < room ? size : room;
        memcpy(archive->plain + archive->size, data, part);
        archive->size += part;
        data += part;
        size -= part;
        if (archive->size < CHUNK_SIZE)
            continue;
        enum mq_status status = write_chunk(archive, false, error);
        if (status != MQ_OK)
            return status;
    }
    return MQ_OK;
}

static enum mq_status put_content(struct mq_archive *archive, int file, uint64_t size, const char *path,
                                  struct mq_error *error)
{
    uint8_t buffer[16 * 1024];
    enum mq_status status = MQ_OK;

    while (status == MQ_OK && size > 0) {
        size_t got = read_some(file, buffer, size < sizeof buffer ? (size_t)size : sizeof buffer);
        if (got == 0)
            status = mq_fail(error, MQ_FAULT, _("%s changed while it was read"), path);
        else
            status = put(archive, buffer, got, error);
        size -= got;
    }
    mq_wipe(buffer, sizeof buffer);
    return status;
}

enum mq_status mq_archive_add(struct mq_archive *archive, const char *name, const char *path, struct mq_error *error)
{
    uint8_t memory[1 + MQ_ARCHIVE_NAME_SIZE + 8];
    struct mq_buffer head = mq_buffer(memory, sizeof memory);
    struct stat about;
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0 || fstat(file, &about) != 0) {
        enum mq_status status = mq_fail(error, MQ_REFUSED, _("cannot read %s: %s"), path, strerror(errno));
        if (file >= 0)
            close(file);
        return status;
    }
    MQ_ASSERT(strlen(name) < MQ_ARCHIVE_NAME_SIZE);
    mq_put_u8(&head, (uint8_t)strlen(name));
    mq_put_text(&head, name);
    mq_put_u64(&head, (uint64_t)about.st_size);
    enum mq_status status = put(archive, head.data, head.size, error);
    if (status == MQ_OK)
        status = put_content(archive, file, (uint64_t)about.st_size, path, error);
    close(file);
    return status;
}

/* From the disk, not from the system's memory, as far as it can be told to. */
static enum mq_status verify(struct mq_archive *archive, struct mq_error *error)
{
    uint8_t written[MQ_HASH_SIZE];
    enum mq_status status = MQ_OK;

    memcpy(written, archive->hash, sizeof written);
    memset(archive->hash, 0, sizeof archive->hash);
    archive->number = 0;
    (void)posix_fadvise(archive->file, 0, 0, POSIX_FADV_DONTNEED);
    if (lseek(archive->file, HEAD_SIZE, SEEK_SET) != HEAD_SIZE)
        return trouble(archive, _("cannot read"), error);
    while (status == MQ_OK && !archive->last)
        status = read_chunk(archive, error);
    if (status == MQ_OK && memcmp(written, archive->hash, sizeof written) != 0)
        status = damaged(archive, error);
    return status;
}

enum mq_status mq_archive_finish(struct mq_archive *archive, struct mq_error *error)
{
    const uint8_t end = 0;
    enum mq_status status = put(archive, &end, 1, error);

    if (status == MQ_OK)
        status = write_chunk(archive, true, error);
    if (status == MQ_OK && fsync(archive->file) != 0)
        status = trouble(archive, _("cannot write"), error);
    return status == MQ_OK ? verify(archive, error) : status;
}

/* ---- reading pieces ---- */

static enum mq_status take(struct mq_archive *archive, uint8_t *out, size_t size, struct mq_error *error)
{
    while (size > 0) {
        if (archive->at == archive->size) {
            enum mq_status status = read_chunk(archive, error);
            if (status != MQ_OK)
                return status;
        }
        size_t there = archive->size - archive->at, part = size < there ? size : there;
        memcpy(out, archive->plain + archive->at, part);
        archive->at += part;
        out += part;
        size -= part;
    }
    return MQ_OK;
}

/* Behind the last piece nothing may come. Where it fills its chunk, the last chunk is empty. */
static enum mq_status at_end(struct mq_archive *archive, struct mq_error *error)
{
    enum mq_status status = MQ_OK;

    while (status == MQ_OK && !archive->last && archive->at == archive->size)
        status = read_chunk(archive, error);
    if (status != MQ_OK)
        return status;
    return archive->at == archive->size ? MQ_NOT_FOUND : damaged(archive, error);
}

enum mq_status mq_archive_next(struct mq_archive *archive, char name[MQ_ARCHIVE_NAME_SIZE], struct mq_error *error)
{
    uint8_t length, number[8];
    enum mq_status status = take(archive, &length, 1, error);

    if (status != MQ_OK)
        return status;
    if (length == 0)
        return at_end(archive, error);
    if (length >= MQ_ARCHIVE_NAME_SIZE)
        return damaged(archive, error);
    status = take(archive, (uint8_t *)name, length, error);
    name[length] = '\0';
    if (status == MQ_OK)
        status = take(archive, number, sizeof number, error);
    struct mq_reader reader = mq_reader(MQ_SPAN(number));
    archive->left = mq_get_u64(&reader);
    return status;
}

enum mq_status mq_archive_extract(struct mq_archive *archive, const char *path, struct mq_error *error)
{
    uint8_t buffer[16 * 1024];
    enum mq_status status = MQ_OK;
    int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (path != NULL && file < 0)
        return mq_fail(error, MQ_REFUSED, _("cannot write %s: %s"), path, strerror(errno));
    while (status == MQ_OK && archive->left > 0) {
        size_t part = archive->left < sizeof buffer ? (size_t)archive->left : sizeof buffer;
        status = take(archive, buffer, part, error);
        if (status == MQ_OK && file >= 0 && !write_all(file, buffer, part))
            status = mq_fail(error, MQ_NO_SPACE, _("cannot write %s: %s"), path, strerror(errno));
        archive->left -= part;
    }
    if (status == MQ_OK && file >= 0 && fsync(file) != 0)
        status = mq_fail(error, MQ_NO_SPACE, _("cannot write %s: %s"), path, strerror(errno));
    if (file >= 0)
        close(file);
    mq_wipe(buffer, sizeof buffer);
    return status;
}
