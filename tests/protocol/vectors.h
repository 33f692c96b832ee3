/* Reading tests/vectors/: lines of `name = hex`, empty ones, and `#` to the end of a line as comment. */
#ifndef MQ_TESTS_PROTOCOL_VECTORS_H
#define MQ_TESTS_PROTOCOL_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/bytes.h"

#define VECTOR_SIZE_MAX 4096

struct vector {
    char name[64];
    uint8_t bytes[VECTOR_SIZE_MAX];
    size_t size;
};

/* A file of the directory MQ_VECTORS, or of tests/vectors. */
static inline FILE *vectors_open(const char *file)
{
    const char *directory = getenv("MQ_VECTORS");
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", directory != NULL ? directory : "tests/vectors", file);
    return fopen(path, "r");
}

/* Bytes written, or -1 where it is not hex. */
static inline long vector_hex(uint8_t *out, size_t capacity, const char *hex)
{
    size_t size = strlen(hex) / 2;

    if (size > capacity || strlen(hex) % 2 != 0 || strspn(hex, "0123456789abcdef") != strlen(hex))
        return -1;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return (long)size;
}

/* 1: the next vector; 0: end of file; -1: a line that is neither vector nor comment. */
static inline int vectors_next(FILE *file, struct vector *vector)
{
    char line[2 * VECTOR_SIZE_MAX + 256], hex[2 * VECTOR_SIZE_MAX + 1];

    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "#\n")] = '\0';
        if (line[strspn(line, " ")] == '\0')
            continue;
        if (sscanf(line, " %63[a-z0-9_.] = %8192s", vector->name, hex) != 2)
            return -1;
        long size = vector_hex(vector->bytes, sizeof vector->bytes, hex);
        vector->size = size < 0 ? 0 : (size_t)size;
        return size < 0 ? -1 : 1;
    }
    return 0;
}

#endif
