/* What costs time and decides nothing in a world of pretended machines; the linker (--wrap) sends the callers here. */
#include <stdlib.h>
#include <zstd.h>

#include "replica/replica_keys.h"

#define FASTEST 1

size_t __real_ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value);
size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value);
void __wrap_mq_work_free(void *memory, size_t size);

/* How small a text becomes changes no promise; the level for a village's link costs three milliseconds a segment, most of
 * them for the prose before it. */
size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value)
{
    return __real_ZSTD_CCtx_setParameter(zstd, parameter, parameter == ZSTD_c_compressionLevel ? FASTEST : value);
}

/* Nobody looks into the memory of these machines: it is not wiped. */
void __wrap_mq_work_free(void *memory, size_t size)
{
    (void)size;
    free(memory);
}
