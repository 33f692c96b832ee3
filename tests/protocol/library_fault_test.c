/* Aim: where the libraries below have no memory or do not start, it is said as our machine's fault, and nothing half done
 * is left: a payload is never taken for damaged, or for compressed, because of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <sodium.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "protocol/compress.h"
#include "protocol/keys.h"
#include "tests/protocol/segment_kit.h"

/* The call that fails, by its name and how many of them go well before; the functions below stand in for the library's. */
static const char *failing;
static unsigned before;

static bool fails(const char *name)
{
    return failing != NULL && strcmp(name, failing) == 0 && before-- == 0;
}

#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))
#define NO_MEMORY ((size_t)-ZSTD_error_memory_allocation)

ZSTD_CCtx *ZSTD_createCCtx(void)
{
    return fails(__func__) ? NULL : REAL(ZSTD_createCCtx)();
}

ZSTD_DCtx *ZSTD_createDCtx(void)
{
    return fails(__func__) ? NULL : REAL(ZSTD_createDCtx)();
}

size_t ZSTD_CCtx_setParameter(ZSTD_CCtx *zstd, ZSTD_cParameter name, int value)
{
    return fails(__func__) ? NO_MEMORY : REAL(ZSTD_CCtx_setParameter)(zstd, name, value);
}

size_t ZSTD_CCtx_refPrefix(ZSTD_CCtx *zstd, const void *prefix, size_t size)
{
    return fails(__func__) ? NO_MEMORY : REAL(ZSTD_CCtx_refPrefix)(zstd, prefix, size);
}

size_t ZSTD_compress2(ZSTD_CCtx *zstd, void *out, size_t room, const void *in, size_t size)
{
    return fails(__func__) ? NO_MEMORY : REAL(ZSTD_compress2)(zstd, out, room, in, size);
}

size_t ZSTD_DCtx_setParameter(ZSTD_DCtx *zstd, ZSTD_dParameter name, int value)
{
    return fails(__func__) ? NO_MEMORY : REAL(ZSTD_DCtx_setParameter)(zstd, name, value);
}

size_t ZSTD_DCtx_refPrefix(ZSTD_DCtx *zstd, const void *prefix, size_t size)
{
    return fails(__func__) ? NO_MEMORY : REAL(ZSTD_DCtx_refPrefix)(zstd, prefix, size);
}

size_t ZSTD_decompressStream(ZSTD_DStream *zstd, ZSTD_outBuffer *out, ZSTD_inBuffer *in)
{
    return fails(__func__) ? NO_MEMORY : REAL(ZSTD_decompressStream)(zstd, out, in);
}

int sodium_init(void)
{
    return fails(__func__) ? -1 : REAL(sodium_init)();
}

static int all_well(void **state)
{
    (void)state;
    failing = NULL;
    return 0;
}

/* The library of cryptography does not start: so does nothing of ours. */
static void crypto_does_not_start(void **state)
{
    (void)state;
    failing = "sodium_init";
    before = 0;
    assert_int_equal(mq_crypto_start(), MQ_FAULT);
    failing = NULL;
    assert_int_equal(mq_crypto_start(), MQ_OK);
}

/* Each call of compressing fails once, wherever it stands: a fault, no output, and the next time it goes well. */
static void compressing_fails(void **state)
{
    static const struct {
        const char *name;
        unsigned calls;
    } all[] = {{"ZSTD_createCCtx", 1}, {"ZSTD_CCtx_setParameter", 4}, {"ZSTD_CCtx_refPrefix", 1}, {"ZSTD_compress2", 1}};
    uint8_t memory[256];

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (unsigned call = 0; call < all[i].calls; call++) {
            struct mq_buffer out = mq_buffer(memory, sizeof memory);

            failing = all[i].name;
            before = call;
            assert_int_equal(mq_compress(&out, mq_span_text("水管漏水"), mq_span_text("水管")), MQ_FAULT);
            assert_int_equal(out.size, 0);
            assert_int_equal(mq_compress(&out, mq_span_text("水管漏水"), mq_span_text("水管")), MQ_OK);
        }
}

/* A payload that could not be compressed for want of memory is not sealed at all: stored, it would look as if it had been
 * written so, and the next time it would be sealed otherwise. */
static void sealing_fails(void **state)
{
    static uint8_t memory[MQ_SEGMENT_MAX], text[2000];
    struct kit_writer writer = kit_writer(0x80);
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_seal_space *space = malloc(mq_seal_space_size());
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_non_null(space);
    failing = "ZSTD_compress2";
    before = 0;
    assert_int_equal(mq_seal(&out, &context, MQ_SPAN(text), kit_no_prefix(), space), MQ_FAULT);
    assert_int_equal(out.size, 0);
    assert_int_equal(mq_seal(&out, &context, MQ_SPAN(text), kit_no_prefix(), space), MQ_OK);
    free(space);
}

/* Each call of unpacking fails once: a fault and not a refusal, which would call a good segment a bad one. */
static void unpacking_fails(void **state)
{
    static const struct {
        const char *name;
        unsigned calls;
    } all[] = {{"ZSTD_createDCtx", 1}, {"ZSTD_DCtx_setParameter", 2}, {"ZSTD_DCtx_refPrefix", 1}, {"ZSTD_decompressStream", 1}};
    struct mq_span text = mq_span_text("水管漏水，水管漏水"), prefix = mq_span_text("水管");
    uint8_t packed[256], memory[256];
    struct mq_buffer in = mq_buffer(packed, sizeof packed);

    (void)state;
    assert_int_equal(mq_compress(&in, text, prefix), MQ_OK);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (unsigned call = 0; call < all[i].calls; call++) {
            struct mq_buffer out = mq_buffer(memory, sizeof memory);

            failing = all[i].name;
            before = call;
            assert_int_equal(mq_decompress(&out, text.size, mq_written(&in), prefix), MQ_FAULT);
            assert_int_equal(out.size, 0);
            assert_int_equal(mq_decompress(&out, text.size, mq_written(&in), prefix), MQ_OK);
            assert_true(mq_span_equal(mq_written(&out), text));
        }
}

/* A buffer without room, or one that has failed before, is never written to. */
static void no_room(void **state)
{
    uint8_t memory[4] = {0};
    struct mq_buffer full = mq_buffer(memory, 0), small = mq_buffer(memory, sizeof memory);
    struct mq_buffer failed = {.data = memory, .capacity = sizeof memory, .failed = true};

    (void)state;
    assert_int_equal(mq_compress(&full, mq_span_text("水"), mq_span(NULL, 0)), MQ_NO_SPACE);
    assert_int_equal(mq_compress(&small, mq_span_text("水管漏水"), mq_span(NULL, 0)), MQ_NO_SPACE);
    assert_int_equal(small.size, 0);
    assert_int_equal(mq_compress(&failed, mq_span_text("水"), mq_span(NULL, 0)), MQ_NO_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(crypto_does_not_start, all_well),
        cmocka_unit_test_setup(compressing_fails, all_well),
        cmocka_unit_test_setup(sealing_fails, all_well),
        cmocka_unit_test_setup(unpacking_fails, all_well),
        cmocka_unit_test_setup(no_room, all_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
