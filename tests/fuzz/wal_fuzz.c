/* Aim: whatever stands in a write-ahead log, what was lost of it is told as the format of SQLite has it, and a damaged log
 * is kept whole. Input: frames that SQLite recovered, pages of the database then, a mode, then the log as it is, or frames
 * (page count u8, damage u8) behind a good header. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/db_parts.h"
#include "protocol/assert.h"
#include "tests/fuzz/fuzz.h"

#define LOG_MAX (64 * 1024)
#define HEADER 32
#define FRAME 24
#define PAGE 512
#define USUAL_PAGE 4096 /* of a log whose header cannot be believed */

static char directory[64], path[96], log_path[100];
static uint8_t log_bytes[LOG_MAX];

static void remove_kept(bool log_too)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (entry->d_name[0] != '.' && (log_too || strstr(entry->d_name, "damaged") != NULL))
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

static void remove_all(void)
{
    remove_kept(true);
    rmdir(directory);
}

void fuzz_start(void)
{
    struct stat about;
    struct mq_error error = {0};
    struct mq_db *db;

    snprintf(directory, sizeof directory, "%s/mq-wal-XXXXXX", stat("/dev/shm", &about) == 0 ? "/dev/shm" : "/tmp");
    MQ_ASSERT(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/store.db", directory);
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    MQ_ASSERT(mq_db_open(&db, mq_platform_real(), path, &error) == MQ_OK); /* wakes SQLite */
    mq_db_close(db);
    atexit(remove_all);
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void number_put(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* https://www.sqlite.org/fileformat2.html, section 4.2, for magic 0x377f0683. */
static void checksum(const uint8_t *bytes, size_t size, uint32_t sum[2])
{
    for (size_t i = 0; i < size; i += 8) {
        sum[0] += number_at(bytes + i) + sum[1];
        sum[1] += number_at(bytes + i + 4) + sum[0];
    }
}

static size_t make_log(struct mq_reader *input)
{
    uint32_t sum[2] = {0, 0};
    size_t size = HEADER;

    memset(log_bytes, 0, sizeof log_bytes);
    number_put(log_bytes, 0x377f0683);
    number_put(log_bytes + 4, 3007000);
    number_put(log_bytes + 8, PAGE);
    memcpy(log_bytes + 16, "saltsalt", 8);
    checksum(log_bytes, HEADER - 8, sum);
    number_put(log_bytes + 24, sum[0]);
    number_put(log_bytes + 28, sum[1]);
    while (mq_left(input) >= 2 && size + FRAME + PAGE <= LOG_MAX) {
        uint8_t pages = mq_get_u8(input), damage = mq_get_u8(input);
        number_put(log_bytes + size + 4, pages);
        memcpy(log_bytes + size + 8, "saltsalt", 8);
        log_bytes[size + damage % FRAME] ^= damage / FRAME;
        size += FRAME + PAGE;
    }
    return size - (mq_left(input) > 0 ? mq_get_u8(input) % HEADER : 0u);
}

/* Those of the first two frames in a row that agree, or of the last: for a header that cannot be believed. */
static const uint8_t *salts_of_frames(size_t size)
{
    static const uint8_t none[8];
    const uint8_t *salts = none;

    for (size_t at = HEADER; at + FRAME <= size; at += FRAME + USUAL_PAGE) {
        bool agreed = at > HEADER && memcmp(salts, log_bytes + at + 8, 8) == 0;
        salts = log_bytes + at + 8;
        if (agreed)
            break;
    }
    return salts;
}

static bool header_intact(void)
{
    uint32_t sum[2] = {0, 0}, magic = number_at(log_bytes);
    uint8_t words[HEADER];

    for (size_t i = 0; i < HEADER; i++)
        words[i] = log_bytes[magic & 1 ? i : (i & ~(size_t)3) + 3 - i % 4];
    checksum(words, HEADER - 8, sum);
    return (magic & ~1u) == 0x377f0682 && number_at(log_bytes + 24) == sum[0] && number_at(log_bytes + 28) == sum[1];
}

/* Commits behind the first `used` frames, as far as `pages` makes them likely; *allowed: how many may be lost without a
 * word. */
static int64_t model(size_t size, int64_t used, uint64_t pages, int64_t *allowed)
{
    int64_t lost = 0, number = 1;

    *allowed = 1;
    if (size < HEADER)
        return 0;
    bool intact = header_intact();
    uint64_t page = intact ? number_at(log_bytes + 8) : USUAL_PAGE;
    uint64_t most = pages == 0 ? UINT32_MAX : pages + size / (FRAME + page);
    const uint8_t *salts = intact ? log_bytes + 16 : salts_of_frames(size);
    *allowed = intact;
    for (uint64_t at = HEADER; at + FRAME <= size; at += FRAME + page, number++) {
        uint32_t commit = number_at(log_bytes + at + 4);
        lost += number > used && commit != 0 && commit <= most && memcmp(log_bytes + at + 8, salts, 8) == 0;
    }
    return lost;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_reader input = mq_reader(mq_span(data, size));
    int64_t used = mq_get_u8(&input), pages = mq_get_u8(&input), allowed;
    uint8_t mode = mq_get_u8(&input);
    struct mq_error error = {0};
    struct mq_wal wal;
    size_t log_size = mq_left(&input);

    if (input.failed || log_size > LOG_MAX)
        return;
    if (mode & 1)
        log_size = make_log(&input);
    else
        mq_get(&input, log_bytes, log_size);
    int file = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MQ_ASSERT(file >= 0 && write(file, log_bytes, log_size) == (ssize_t)log_size && close(file) == 0);
    MQ_ASSERT(mq_wal_open(&wal, mq_platform_real(), path, &error) == MQ_OK);
    enum mq_status status = mq_wal_compare(&wal, used, pages, 1, &error);
    mq_wal_close(&wal);
    int64_t lost = model(log_size, used, (uint64_t)pages, &allowed);
    MQ_ASSERT(status == (lost > allowed ? MQ_DAMAGED : MQ_OK));
    if (status == MQ_OK)
        return;
    char kept[200];
    struct stat about;
    snprintf(kept, sizeof kept, "%s.damaged-1", log_path);
    MQ_ASSERT(stat(kept, &about) == 0 && (size_t)about.st_size == log_size);
    remove_kept(false);
}
