/* How small a text becomes changes no promise, and zstd's level for small devices costs three milliseconds a segment, most of them
 * for the prose before it: in the fleet the linker (--wrap) sends the choice of a level here, where it is the fastest. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#define FASTEST 1

size_t __real_ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value);
size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value);

size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value)
{
    return __real_ZSTD_CCtx_setParameter(zstd, parameter, parameter == ZSTD_c_compressionLevel ? FASTEST : value);
}
