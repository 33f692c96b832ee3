/* A directory of the test's own, with one store in it. */
#ifndef MQ_TESTS_SERVER_DIRECTORY_H
#define MQ_TESTS_SERVER_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[256], store_path[300];

static inline int directory_make(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(directory, sizeof directory, "%s/mq-relay-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(store_path, sizeof store_path, "%s/store.db", directory);
    return 0;
}

static inline void directory_empty(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".copy"};
    char path[400];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(path, sizeof path, "%s%s", store_path, ends[i]);
        unlink(path);
    }
}

static inline void directory_remove(void)
{
    directory_empty();
    rmdir(directory);
}

#endif
