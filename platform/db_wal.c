/* The log's silent end, and its torn beginning. SQLite takes the first frame that does not verify for the end of its
 * write-ahead log: right for a commit torn by a power cut, but a single damaged byte would drop every acknowledged commit
 * behind it without a word. The headers of log and frames are in clear, so the commits that stand in the file can be counted
 * and compared with those that were recovered. A damaged header of the log is worked out again from the frame behind it:
 * SQLite would throw the whole log away. All this sees accidents, not an attacker. */
#include "platform/db_parts.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_HEADER_SIZE 32
#define LOG_MAGIC 0x377f0682u /* and one more where checksums are taken big-endian */
#define LOG_VERSION 3007000
#define FRAME_HEADER_SIZE 24
#define SALTS_SIZE 8
#define PAGE_SIZE_USUAL 4096 /* what we create; used where the header that says so is the damaged part */
#define COPY_SIZE 65536
#define KEEP_TRIES 100
#define CIPHER_PREFIX "multipleciphers-" /* the encrypting layer's names: this, then the real VFS's */

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The VFS below the encrypting one: the log is read and kept as it stands on the disk. */
static sqlite3_vfs *raw_vfs(const struct mq_platform *platform)
{
    const char *name = platform->vfs == NULL ? "unix" : platform->vfs;
    if (strncmp(name, CIPHER_PREFIX, strlen(CIPHER_PREFIX)) == 0)
        name += strlen(CIPHER_PREFIX);
    return sqlite3_vfs_find(name);
}

static int open_file(sqlite3_vfs *vfs, const char *path, int flags, sqlite3_file **out)
{
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    if (file == NULL)
        return SQLITE_NOMEM;
    int result = vfs->xOpen(vfs, path, file, flags, NULL);
    if (result != SQLITE_OK) {
        if (file->pMethods != NULL)
            file->pMethods->xClose(file);
        free(file);
        file = NULL;
    }
    *out = file;
    return result;
}

static void close_file(sqlite3_file *file)
{
    file->pMethods->xClose(file);
    free(file);
}

enum mq_status mq_wal_sync(struct mq_wal *wal, struct mq_error *error)
{
    if (wal->file->pMethods->xSync(wal->file, SQLITE_SYNC_FULL) != SQLITE_OK)
        return mq_fail(error, MQ_FAULT, _("cannot write %s"), wal->path);
    return MQ_OK;
}

void mq_wal_close(struct mq_wal *wal)
{
    if (wal->file != NULL)
        close_file(wal->file);
    free(wal->path);
    *wal = (struct mq_wal){0};
}

/* One step of the log's running checksum over two words. */
static void sum_on(uint32_t sum[2], uint32_t first, uint32_t second)
{
    sum[0] += first + sum[1];
    sum[1] += second + sum[0];
}

/* In the byte order that the log's magic number names. */
static uint32_t word_at(const uint8_t *bytes, uint32_t magic)
{
    uint32_t word = number_at(bytes);
    return (magic & 1) == 0 ? __builtin_bswap32(word) : word;
}

/* The header's own checksum. */
static bool header_intact(const uint8_t header[LOG_HEADER_SIZE])
{
    uint32_t magic = number_at(header), sum[2] = {0, 0};
    if ((magic & ~1u) != LOG_MAGIC)
        return false;
    for (int i = 0; i < LOG_HEADER_SIZE - 8; i += 8)
        sum_on(sum, word_at(header + i, magic), word_at(header + i + 4, magic));
    return sum[0] == number_at(header + 24) && sum[1] == number_at(header + 28);
}

/* ---- a damaged header, worked out again ---- */

/* sum_on, backwards. */
static void sum_back(uint32_t sum[2], uint32_t first, uint32_t second)
{
    sum[1] -= second + sum[0];
    sum[0] -= first + sum[1];
}

/* `bytes`, a multiple of 8, taken out of the sum again, the last first. */
static void sum_without(uint32_t sum[2], const uint8_t *bytes, size_t size, uint32_t magic)
{
    for (size_t at = size; at >= 8; at -= 8)
        sum_back(sum, word_at(bytes + at - 8, magic), word_at(bytes + at - 4, magic));
}

static void put_number(uint8_t *out, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* The first frame's checksum goes on from the header's, which covers all of the header, and every step of it can be taken
 * back. So the frame tells what the header was: only the count of checkpoints is not known from it, and that is what is
 * left over. One of the two words has nothing left over, and has to agree. False: it does not, so the frame is damaged too,
 * or no frame. */
static bool header_from_frame(uint8_t header[LOG_HEADER_SIZE], const uint8_t *frame, uint32_t magic)
{
    const uint8_t *salts = frame + 8;
    uint32_t whole[2] = {number_at(frame + 16), number_at(frame + 20)}, front[2] = {0, 0};
    sum_without(whole, frame + FRAME_HEADER_SIZE, PAGE_SIZE_USUAL, magic);
    sum_without(whole, frame, 8, magic); /* page number and commit mark; the sum is the header's now */
    put_number(header, magic);
    put_number(header + 4, LOG_VERSION);
    put_number(header + 8, PAGE_SIZE_USUAL);
    memcpy(header + 16, salts, SALTS_SIZE);
    put_number(header + 24, whole[0]);
    put_number(header + 28, whole[1]);

    sum_without(whole, salts, SALTS_SIZE, magic);
    sum_on(front, word_at(header, magic), word_at(header + 4, magic));
    front[0] += word_at(header + 8, magic) + front[1];
    uint32_t checkpoints = whole[1] - front[1] - front[0];
    put_number(header + 12, (magic & 1) == 0 ? __builtin_bswap32(checkpoints) : checkpoints);
    return whole[0] == front[0] && header_intact(header);
}

/* A header that is not what it was is put back, where the frame behind it is whole. It may have been torn while the log was
 * begun anew: then every commit behind it is in the database already, and read once more changes nothing. Whoever opens a
 * store holds its lock, so nobody else writes here. */
static void mend_header(struct mq_wal *wal)
{
    uint8_t header[LOG_HEADER_SIZE], *frame = malloc(FRAME_HEADER_SIZE + PAGE_SIZE_USUAL);
    sqlite3_file *file = NULL;
    bool known = false;
    if (frame != NULL && wal->file->pMethods->xRead(wal->file, header, LOG_HEADER_SIZE, 0) == SQLITE_OK &&
        !header_intact(header) &&
        wal->file->pMethods->xRead(wal->file, frame, FRAME_HEADER_SIZE + PAGE_SIZE_USUAL, LOG_HEADER_SIZE) == SQLITE_OK)
        known = header_from_frame(header, frame, LOG_MAGIC) || header_from_frame(header, frame, LOG_MAGIC + 1);
    free(frame);
    if (!known || open_file(wal->vfs, wal->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, &file) != SQLITE_OK)
        return; /* then it is told as what it is */
    if (file->pMethods->xWrite(file, header, LOG_HEADER_SIZE, 0) == SQLITE_OK)
        (void)file->pMethods->xSync(file, SQLITE_SYNC_FULL); /* where that fails, SQLite's own will */
    close_file(file);
}

enum mq_status mq_wal_open(struct mq_wal *wal, const struct mq_platform *platform, const char *path,
                           struct mq_error *error)
{
    *wal = (struct mq_wal){.vfs = raw_vfs(platform)};
    if (wal->vfs == NULL)
        return mq_fail(error, MQ_FAULT, _("there is no file system \"%s\""),
                       platform->vfs == NULL ? "unix" : platform->vfs);
    size_t size = (size_t)wal->vfs->mxPathname + 64; /* zeros behind the name, as a VFS may expect them */
    wal->path = calloc(1, size);
    if (wal->path == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    /* Follows links, as SQLite does. */
    int result = wal->vfs->xFullPathname(wal->vfs, path, wal->vfs->mxPathname, wal->path);
    if ((result & 0xff) != SQLITE_OK)
        return mq_fail(error, MQ_REFUSED, _("not a path for a store: %s"), path);
    memcpy(wal->path + strlen(wal->path), "-wal", 4);

    int there = 0;
    result = wal->vfs->xAccess(wal->vfs, wal->path, SQLITE_ACCESS_EXISTS, &there);
    if (result == SQLITE_OK && there != 0)
        result = open_file(wal->vfs, wal->path, SQLITE_OPEN_READONLY | SQLITE_OPEN_WAL, &wal->file);
    if (result != SQLITE_OK)
        return mq_fail(error, MQ_REFUSED, _("cannot read %s"), wal->path);
    if (wal->file != NULL)
        mend_header(wal);
    return MQ_OK;
}

/* Behind its first `frames`. */
static int cut_behind(sqlite3_file *file, int64_t frames)
{
    uint8_t header[LOG_HEADER_SIZE];
    int result = file->pMethods->xRead(file, header, LOG_HEADER_SIZE, 0);
    if (result != SQLITE_OK)
        return result;
    if (!header_intact(header))
        return SQLITE_CORRUPT; /* the next opening tells it */
    int64_t frame = FRAME_HEADER_SIZE + (int64_t)number_at(header + 8);
    return file->pMethods->xTruncate(file, LOG_HEADER_SIZE + frames * frame);
}

/* Through SQLite's own handle: under the log's name may stand another store's by now. Synced, because a header that is
 * written next and finds no room must not come to stand, torn, before frames that were to be gone. */
int mq_wal_cut(struct sqlite3 *sqlite)
{
    sqlite3_file *file = NULL;
    int frames = 0, result = sqlite3_wal_checkpoint_v2(sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    bool full = (result & 0xff) == SQLITE_FULL;
    if (full)
        result = sqlite3_wal_checkpoint_v2(sqlite, "main", SQLITE_CHECKPOINT_NOOP, &frames, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (result == SQLITE_OK && file->pMethods == NULL)
        return SQLITE_OK; /* without a log this names a journal, and none is open */
    if (result == SQLITE_OK && full)
        result = cut_behind(file, frames);
    if (result == SQLITE_OK)
        result = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
    if (result != SQLITE_OK)
        sqlite3_set_errmsg(sqlite, result, NULL);
    return result;
}

/* Where the header is damaged: the salts of the first two frames in a row that agree on them, or of the only frame. Zeros are
 * no frame but a hole. */
static void salts_of_frames(sqlite3_file *file, int64_t page, uint8_t salts[SALTS_SIZE])
{
    static const uint8_t hole[SALTS_SIZE];
    uint8_t frame[FRAME_HEADER_SIZE];
    int64_t at = LOG_HEADER_SIZE;
    bool agreed = false;
    memset(salts, 0, SALTS_SIZE);
    while (!agreed && file->pMethods->xRead(file, frame, FRAME_HEADER_SIZE, at) == SQLITE_OK) {
        agreed = memcmp(frame + 8, salts, SALTS_SIZE) == 0 && memcmp(salts, hole, SALTS_SIZE) != 0;
        memcpy(salts, frame + 8, SALTS_SIZE);
        at += FRAME_HEADER_SIZE + page;
    }
}

/* Commits in the log that are not among its first `used` frames. Every frame of this log's generation is looked at
 * (older generations have other salts): a frame whose own header is damaged must not hide those behind it. A commit says
 * how many `pages` the database has then; one that says more than there can be is no commit but a scribbled frame. */
static int64_t count_lost(sqlite3_file *file, int64_t used, int64_t pages, bool *intact)
{
    uint8_t header[LOG_HEADER_SIZE], frame[FRAME_HEADER_SIZE], salts[SALTS_SIZE];
    *intact = true;
    if (file->pMethods->xRead(file, header, LOG_HEADER_SIZE, 0) != SQLITE_OK)
        return 0; /* too short for a header: nothing was ever committed to it */
    *intact = header_intact(header);
    uint32_t page = *intact ? number_at(header + 8) : PAGE_SIZE_USUAL;
    memcpy(salts, header + 16, SALTS_SIZE);
    if (!*intact)
        salts_of_frames(file, page, salts);

    sqlite3_int64 size = 0;
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return 0; /* SQLite has read it just now, and its own next step will fail */
    int64_t most = pages == 0 ? UINT32_MAX : pages + size / (FRAME_HEADER_SIZE + page);
    int64_t lost = 0, at = LOG_HEADER_SIZE;
    for (int64_t number = 1; file->pMethods->xRead(file, frame, FRAME_HEADER_SIZE, at) == SQLITE_OK; number++) {
        bool ours = memcmp(frame + 8, salts, SALTS_SIZE) == 0;
        bool commit = number_at(frame + 4) != 0 && number_at(frame + 4) <= most;
        if (number > used && ours && commit)
            lost++;
        at += FRAME_HEADER_SIZE + (int64_t)page;
    }
    return lost;
}

static int copy_content(sqlite3_file *from, sqlite3_file *to)
{
    sqlite3_int64 size = 0;
    uint8_t *block = malloc(COPY_SIZE);
    int result = block == NULL ? SQLITE_NOMEM : from->pMethods->xFileSize(from, &size);
    for (sqlite3_int64 at = 0; result == SQLITE_OK && at < size; at += COPY_SIZE) {
        int part = size - at < COPY_SIZE ? (int)(size - at) : COPY_SIZE;
        result = from->pMethods->xRead(from, block, part, at);
        if (result == SQLITE_OK)
            result = to->pMethods->xWrite(to, block, part, at);
    }
    if (result == SQLITE_OK)
        result = to->pMethods->xSync(to, SQLITE_SYNC_FULL);
    free(block);
    return result;
}

/* Durable, under a name that is free. */
static int keep_copy(const struct mq_wal *wal, int64_t now, char *kept, size_t kept_size)
{
    /* The kind of file for which a VFS makes the new name durable with the first sync. */
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_SUPER_JOURNAL;
    int there = 1, result = SQLITE_OK;
    memset(kept, 0, kept_size);
    for (int try = 0; try < KEEP_TRIES && there != 0 && result == SQLITE_OK; try++) {
        snprintf(kept, kept_size - 1, "%s.damaged-%lld", wal->path, (long long)now + try);
        result = wal->vfs->xAccess(wal->vfs, kept, SQLITE_ACCESS_EXISTS, &there);
    }
    if (result != SQLITE_OK || there != 0)
        return SQLITE_CANTOPEN;
    sqlite3_file *copy;
    result = open_file(wal->vfs, kept, flags, &copy);
    if (result != SQLITE_OK)
        return result;
    result = copy_content(wal->file, copy);
    close_file(copy);
    if (result != SQLITE_OK)
        wal->vfs->xDelete(wal->vfs, kept, 1);
    return result;
}

enum mq_status mq_wal_compare(struct mq_wal *wal, int64_t used, int64_t pages, int64_t now, struct mq_error *error)
{
    if (wal->file == NULL)
        return MQ_OK;
    bool intact;
    int64_t lost = count_lost(wal->file, used, pages, &intact);
    /* One commit at the end may be torn: it was never acknowledged. Not so under a damaged header, which is synced
     * before the first commit is written. */
    if (lost <= (intact ? 1 : 0))
        return MQ_OK;

    size_t size = strlen(wal->path) + 64;
    char *kept = malloc(size);
    if (kept == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    int result = keep_copy(wal, now, kept, size);
    enum mq_status status;
    if (result == SQLITE_OK)
        status = mq_fail(error, MQ_DAMAGED,
                         _("the storage medium damaged the log of this store: the last %lld savings cannot be "
                           "read. What was saved before them is whole and opens again now. The damaged log is "
                           "kept as %s; fetch what is missing from the server or from bundles"),
                         (long long)lost, kept);
    else
        status = mq_fail(error, result == SQLITE_FULL ? MQ_NO_SPACE : MQ_FAULT,
                         _("the log %s is damaged, and no copy of it can be kept (code %d); make room, "
                           "then try again"),
                         wal->path, result);
    free(kept);
    return status;
}
