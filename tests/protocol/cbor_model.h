/* A second, naive reader of the strict CBOR subset, recursive and written straight from docs/protocol.md, section 2. It
 * shares no code with protocol/cbor.c, so that a test can compare the two. */
#ifndef MQ_TESTS_PROTOCOL_CBOR_MODEL_H
#define MQ_TESTS_PROTOCOL_CBOR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool model_text(const uint8_t *s, size_t n)
{
    while (n > 0) {
        size_t more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
        uint8_t low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
        uint8_t high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;

        if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4 || n <= more)
            return false;
        for (size_t i = 1; i <= more; i++)
            if (s[i] < (i == 1 ? low : 0x80) || s[i] > (i == 1 ? high : 0xbf))
                return false;
        s += more + 1;
        n -= more + 1;
    }
    return true;
}

/* Bytes of the valid item in front of b[0..n), with at most `depth` containers inside one another; 0: none. */
static inline size_t model_item(const uint8_t *b, size_t n, int depth)
{
    if (n == 0)
        return 0;
    unsigned major = b[0] / 32, info = b[0] % 32;
    size_t width = info < 24 ? 0 : info < 28 ? (size_t)1 << (info - 24) : n;
    uint64_t number = info;

    if (width >= n)
        return 0;
    if (width > 0) {
        number = 0;
        for (size_t i = 1; i <= width; i++)
            number = number * 256 + b[i];
        if (width == 1 ? number < 24 : number >> (4 * width) == 0)
            return 0;
    }
    size_t at = 1 + width;
    if (major < 2)
        return at;
    if (major == 7)
        return number >= 20 && number <= 22 ? at : 0;
    if (major < 4)
        return number <= n - at && (major == 2 || model_text(b + at, (size_t)number)) ? at + (size_t)number : 0;
    if (major == 6) {
        size_t size = number == 6 ? model_item(b + at, n - at, 0) : 0;
        bool fits = size > 0 && (b[at] < 0x20 || b[at] == 0x50);
        return fits ? at + size : 0;
    }
    if (depth == 0)
        return 0;
    const uint8_t *before = NULL;
    size_t before_size = 0;
    for (; number > 0; number--) {
        size_t size = model_item(b + at, n - at, depth - 1);
        if (size == 0)
            return 0;
        if (major == 5) {
            int order = before == NULL ? -1 : memcmp(before, b + at, before_size < size ? before_size : size);
            if (b[at] >= 0x80 || order > 0 || (order == 0 && before_size >= size))
                return 0;
            before = b + at;
            before_size = size;
            at += size;
            size = model_item(b + at, n - at, depth - 1);
            if (size == 0)
                return 0;
        }
        at += size;
    }
    return at;
}

#endif
