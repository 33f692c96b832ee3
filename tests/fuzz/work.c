/* Stands in for mq_work_memory and mq_work_free in fuzz targets (the linker's --wrap): large pieces are kept for whoever
 * asks next. The sanitizer marks every byte of a piece that is taken or given back, of a spool's 64 MiB too, and a target
 * would do little else. What was used of a piece is out of bounds until it is taken again. */
#include <sanitizer/asan_interface.h>

#include "protocol/assert.h"
#include "replica/replica_keys.h"

#define LARGE (128 * 1024)
#define PIECES 16

void *__real_mq_work_memory(size_t size);
void __real_mq_work_free(void *memory, size_t size);
void *__wrap_mq_work_memory(size_t size);
void __wrap_mq_work_free(void *memory, size_t size);

static struct piece {
    void *memory;
    size_t size, used;
    bool taken;
} pieces[PIECES];

void *__wrap_mq_work_memory(size_t size)
{
    for (size_t i = 0; size >= LARGE && i < PIECES; i++) {
        struct piece *piece = &pieces[i];
        if (piece->memory == NULL)
            *piece = (struct piece){.memory = __real_mq_work_memory(size), .size = size};
        if (piece->size == size && !piece->taken) {
            piece->taken = true;
            ASAN_UNPOISON_MEMORY_REGION(piece->memory, piece->used);
            return piece->memory;
        }
    }
    return __real_mq_work_memory(size);
}

/* `size` is what was used of it. */
void __wrap_mq_work_free(void *memory, size_t size)
{
    for (size_t i = 0; memory != NULL && i < PIECES; i++)
        if (pieces[i].memory == memory) {
            MQ_ASSERT(pieces[i].taken && size <= pieces[i].size);
            mq_wipe(memory, size);
            pieces[i].taken = false;
            pieces[i].used = size;
            ASAN_POISON_MEMORY_REGION(memory, size);
            return;
        }
    __real_mq_work_free(memory, size);
}
