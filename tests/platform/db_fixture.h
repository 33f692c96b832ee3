/* What the tests of the database share: a directory of its own for each test, a schema, and ways to damage files. */
#ifndef MQ_TESTS_PLATFORM_DB_FIXTURE_H
#define MQ_TESTS_PLATFORM_DB_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/db_key.h"

#define PATH_SIZE 256

static const char *const schema[] = {
    "CREATE TABLE item(number INTEGER PRIMARY KEY, body BLOB)",
    "ALTER TABLE item ADD COLUMN word TEXT",
};

static char directory[PATH_SIZE / 2];
static char path[PATH_SIZE];
static const struct mq_secret key = {.bytes = {1, 2, 3}};

/* A fresh directory for each test. */
static inline int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/mq-db-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/store.db", directory);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static inline struct mq_db *open_with(const struct mq_secret *secret)
{
    struct mq_error error = {0};
    struct mq_db *db;
    enum mq_status status = secret == NULL ? mq_db_open(&db, mq_platform_real(), path, &error)
                                           : mq_db_open_encrypted(&db, mq_platform_real(), path, secret, &error);
    if (status != MQ_OK)
        fail_msg("%s", error.text);
    assert_int_equal(mq_db_migrate(db, schema, 2, &error), MQ_OK);
    return db;
}

static inline void add(struct mq_db *db, int64_t number)
{
    struct mq_error error = {0};
    uint8_t body[300];
    memset(body, (int)number, sizeof body);
    if (mq_db_run(db, &error, "INSERT INTO item(number, body) VALUES(?1, ?2)", "ib", number, MQ_SPAN(body)) != MQ_OK)
        fail_msg("%s", error.text);
}

static inline int64_t count(struct mq_db *db)
{
    struct mq_error error = {0};
    int64_t number = -1;
    assert_int_equal(mq_db_number(db, &number, &error, "SELECT count(*) FROM item", ""), MQ_OK);
    return number;
}

/* Runs `work` in a child that dies without closing anything, as a power cut would end it. */
static inline void in_dying_child(void (*work)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work();
        kill(getpid(), SIGKILL);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
}

static inline long file_size(const char *name)
{
    struct stat about;
    return stat(name, &about) == 0 ? (long)about.st_size : -1;
}

static inline void flip(const char *name, long at)
{
    FILE *file = fopen(name, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ 0x10, file);
    assert_int_equal(fclose(file), 0);
}

static inline int files_like(const char *part)
{
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "ls '%s' | grep -c -- '%s'", directory, part);
    FILE *list = popen(command, "r");
    int number = -1;
    assert_int_equal(fscanf(list, "%d", &number), 1);
    pclose(list);
    return number;
}

#endif
