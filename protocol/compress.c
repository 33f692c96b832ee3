/* The one door to zstd: frames without magic but with checksum, behind a prefix (docs/protocol.md, section 2). */
#include "protocol/compress.h"

#define ZSTD_STATIC_LINKING_ONLY /* for the magic-less format; the shared library exports everything used here */
#include <zstd.h>
#include <zstd_errors.h>

#include "protocol/assert.h"

/* The one frame descriptor that is written and accepted: checksum, and neither content size, dictionary id nor single
 * segment. Without the checksum a wrong prefix may inflate, without any error, to wrong text. */
#define FRAME_DESCRIPTOR 0x04
#define FRAME_HEADER_SIZE 2 /* descriptor, window */

/* With these tables 27 kB behind a 300 KiB prefix take some 3 MiB; lower logs lose the gain of links again, zstd's own
 * choice needs three times the memory for 0.4 % (docs/protocol.md, section 2). */
#define WINDOW_LOG_MIN 17
#define HASH_LOG 16
#define CHAIN_LOG 19

/* The window covers the whole text, so that all of the prefix stays in reach until its end. */
static int window_log(size_t raw_size)
{
    int log = WINDOW_LOG_MIN;

    while (((size_t)1 << log) < raw_size) {
        log++;
    }
    return log;
}

/* deterministicRefPrefix: without it a text that happens to stand right behind its prefix in memory reaches no further
 * back than the window, so the same text would compress well or badly by accident. */
static bool set_up_compressor(ZSTD_CCtx *zstd, size_t raw_size, struct mq_span prefix)
{
    const struct {
        ZSTD_cParameter name;
        int value;
    } parameters[] = {
        {ZSTD_c_compressionLevel, MQ_ZSTD_LEVEL}, {ZSTD_c_format, ZSTD_f_zstd1_magicless},
        {ZSTD_c_contentSizeFlag, 0},              {ZSTD_c_checksumFlag, 1},
        {ZSTD_c_dictIDFlag, 0},                   {ZSTD_c_windowLog, window_log(raw_size)},
        {ZSTD_c_hashLog, HASH_LOG},               {ZSTD_c_chainLog, CHAIN_LOG},
        {ZSTD_c_deterministicRefPrefix, 1},
    };

    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        if (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, parameters[i].name, parameters[i].value))) {
            return false;
        }
    }
    return !ZSTD_isError(ZSTD_CCtx_refPrefix(zstd, prefix.data, prefix.size));
}

enum mq_status mq_compress(struct mq_buffer *out, struct mq_span raw, struct mq_span prefix)
{
    MQ_ASSERT(raw.size <= MQ_PAYLOAD_MAX);
    if (out->failed || out->size == out->capacity) {
        return MQ_NO_SPACE;
    }
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (zstd == NULL) {
        return MQ_FAULT;
    }
    enum mq_status status = MQ_FAULT;
    if (set_up_compressor(zstd, raw.size, prefix)) {
        size_t size = ZSTD_compress2(zstd, out->data + out->size, out->capacity - out->size, raw.data, raw.size);
        if (!ZSTD_isError(size)) {
            out->size += size;
            status = MQ_OK;
        } else if (ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall) {
            status = MQ_NO_SPACE;
        }
    }
    ZSTD_freeCCtx(zstd);
    return status;
}

static bool set_up_decompressor(ZSTD_DCtx *zstd, struct mq_span prefix)
{
    return !ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_format, ZSTD_f_zstd1_magicless)) &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, MQ_ZSTD_WINDOW_LOG_MAX)) &&
           !ZSTD_isError(ZSTD_DCtx_refPrefix(zstd, prefix.data, prefix.size));
}

/* One frame, all of the input, all of the output; MQ_FAULT only where memory runs out. */
static enum mq_status inflate_frame(ZSTD_DCtx *zstd, uint8_t *raw, size_t raw_size, struct mq_span packed)
{
    ZSTD_inBuffer in = {packed.data, packed.size, 0};
    ZSTD_outBuffer out = {raw, raw_size, 0};
    size_t before, wanted;

    do {
        before = in.pos + out.pos;
        wanted = ZSTD_decompressStream(zstd, &out, &in);
        if (ZSTD_isError(wanted)) {
            return ZSTD_getErrorCode(wanted) == ZSTD_error_memory_allocation ? MQ_FAULT : MQ_REFUSED;
        }
    } while (wanted != 0 && in.pos + out.pos > before);

    return wanted == 0 && in.pos == in.size && out.pos == out.size ? MQ_OK : MQ_REFUSED;
}

enum mq_status mq_decompress(struct mq_buffer *out, size_t raw_size, struct mq_span packed, struct mq_span prefix)
{
    if (raw_size > MQ_PAYLOAD_MAX || packed.size < FRAME_HEADER_SIZE || packed.data[0] != FRAME_DESCRIPTOR) {
        return MQ_REFUSED;
    }
    uint8_t *raw = mq_reserve(out, raw_size);
    if (out->failed) {
        return MQ_NO_SPACE;
    }
    enum mq_status status = MQ_FAULT;
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    if (zstd != NULL && set_up_decompressor(zstd, prefix)) {
        status = inflate_frame(zstd, raw, raw_size, packed);
    }
    ZSTD_freeDCtx(zstd);
    if (status != MQ_OK) {
        out->size -= raw_size;
    }
    return status;
}
