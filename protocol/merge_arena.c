/* What merge works with: the caller's memory, and order. */
#include <stdalign.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge_values.h"

struct mq_arena mq_arena(void *memory, size_t capacity)
{
    MQ_ASSERT(memory != NULL);
    return (struct mq_arena){.data = memory, .capacity = capacity};
}

void *mq_arena_take(struct mq_arena *arena, size_t size)
{
    size_t left = arena->capacity - arena->size;
    size_t pad = (0 - (uintptr_t)(arena->data + arena->size)) % alignof(max_align_t);

    if (arena->failed || pad > left || size > left - pad) {
        arena->failed = true;
        return NULL;
    }
    uint8_t *room = arena->data + arena->size + pad;
    arena->size += pad + size;
    memset(room, 0, size);
    return room;
}

void *mq_merge_take(struct mq_arena *arena, size_t count, size_t size)
{
    MQ_ASSERT(count <= SIZE_MAX / size); /* what is counted stands in memory already */
    return mq_arena_take(arena, count * size);
}

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* Lets items[at] sink until no child of the heap stands above its parent. */
static void sink(uint8_t *items, size_t at, size_t count, size_t size, int (*order)(const void *, const void *))
{
    size_t child;

    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && order(items + child * size, items + (child + 1) * size) < 0)
            child++;
        if (order(items + at * size, items + child * size) >= 0)
            return;
        swap(items + at * size, items + child * size, size);
        at = child;
    }
}

void mq_merge_sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
    uint8_t *first = items;
    size_t i = 1;

    while (i < count && order(first + (i - 1) * size, first + i * size) <= 0)
        i++;
    if (i >= count)
        return;
    for (i = count / 2; i > 0; i--)
        sink(first, i - 1, count, size, order);
    for (i = count - 1; i > 0; i--) {
        swap(first, first + i * size, size);
        sink(first, 0, i, size, order);
    }
}
