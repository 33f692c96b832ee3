/* Aim: the bytes of a segment never change by accident, and another implementation has every step to compare with.
 *
 * All values are computed anew and compared with tests/vectors/segment.txt, except the plaintexts: what zstd writes may
 * differ between its versions, what it reads may not. `vectors_segment_test write` prints the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/protocol/segment_kit.h"
#include "tests/protocol/vectors.h"

#define VECTORS_MAX 128

static struct vector vectors[VECTORS_MAX];
static size_t vector_count, compared;
static bool writing;

static struct kit_writer writer;
static struct kit_sealed sealed;
static struct mq_seal_space *space;
static uint8_t segment_memory[MQ_SEGMENT_MAX], payload_memory[MQ_PAYLOAD_MAX];

static const char earlier_words[] =
    "[{\"types\":[3],\"words\":\"村口的路灯坏了，晚上老人看不见路。\"},{\"types\":[7],\"words\":\"水管漏水，厨房地上都是水。\"},"
    "{\"types\":[3],\"words\":\"桥头的路灯也坏了，说过两次，没有人来。\"},{\"types\":[11],\"words\":\"孩子上学太远，早上没有车。\"}]";
static const char later_words[] =
    "[{\"types\":[3],\"words\":\"村口的路灯坏了，晚上老人看不见路，还是没有人来。\"},{\"types\":[7],\"words\":\"水管又漏水，厨房地上都是水。\"},"
    "{\"types\":[11],\"words\":\"孩子上学太远，早上没有车，桥头的路灯也坏了。\"},{\"types\":[18],\"words\":\"想单独谈谈。\"}]";

static int load(void **state)
{
    (void)state;
    FILE *file = vectors_open("segment.txt");
    int more = 0;

    if (file == NULL) {
        return -1;
    }
    while (vector_count < VECTORS_MAX && (more = vectors_next(file, &vectors[vector_count])) == 1) {
        vector_count++;
    }
    fclose(file);
    return more;
}

static struct mq_span stored_vector(const char *name)
{
    for (size_t i = 0; i < vector_count; i++) {
        if (strcmp(vectors[i].name, name) == 0) {
            return mq_span(vectors[i].bytes, vectors[i].size);
        }
    }
    print_error("%s is not in segment.txt\n", name);
    fail();
    return mq_span(NULL, 0);
}

static void print_vector(const char *name, struct mq_span value)
{
    assert_in_range(value.size, 1, VECTOR_SIZE_MAX);
    printf("%s = ", name);
    for (size_t i = 0; i < value.size; i++) {
        printf("%02x", value.data[i]);
    }
    printf("\n");
}

/* Writing: prints `computed`. Reading: the file must say the same. */
static void check(const char *group, const char *name, struct mq_span computed)
{
    char full[64];

    snprintf(full, sizeof full, "%s.%s", group, name);
    compared++;
    if (writing) {
        print_vector(full, computed);
        return;
    }
    struct mq_span expected = stored_vector(full);
    if (!mq_span_equal(expected, computed)) {
        print_error("%s differs\n", full);
    }
    assert_true(mq_span_equal(expected, computed));
}

static struct mq_segment decoded(struct mq_span bytes)
{
    struct mq_segment segment;

    assert_int_equal(mq_segment_decode(&segment, bytes), MQ_OK);
    assert_int_equal(mq_segment_verify(&segment, &writer.announce), MQ_OK);
    return segment;
}

/* The padded plaintext: from the file, or in writing what mq_seal() puts inside. */
static struct mq_span plaintext(const char *group, const struct mq_seal_context *context, struct mq_span payload,
                                const struct mq_prefix *prefix)
{
    static uint8_t plain[MQ_PLAIN_MAX];
    struct mq_buffer out = mq_buffer(segment_memory, sizeof segment_memory);
    struct mq_opened opened;
    char name[64];

    if (!writing) {
        snprintf(name, sizeof name, "%s.padded_plaintext", group);
        return stored_vector(name);
    }
    assert_int_equal(mq_seal(&out, context, payload, prefix, space), MQ_OK);
    struct mq_segment segment = decoded(mq_written(&out));
    assert_int_equal(mq_open(&opened, &segment, context, space), MQ_OK);
    return kit_plain(plain, sizeof plain, opened.compression, opened.prose, opened.links, opened.raw_size,
                     opened.packed);
}

static void check_steps(const char *group, const struct mq_seal_context *context)
{
    check(group, "random32", MQ_SPAN(sealed.random.bytes));
    if (context->flags & MQ_SEGMENT_FLAG_WRITE_ONLY) {
        check(group, "s", MQ_SPAN(sealed.key.bytes));
        check(group, "ephemeral_seed", MQ_SPAN(sealed.ephemeral.bytes));
        check(group, "sealed_s", MQ_SPAN(sealed.sealed_key));
    }
    check(group, "k_aead", MQ_SPAN(sealed.aead_key.bytes));
    check(group, "k_nonce", MQ_SPAN(sealed.nonce_key.bytes));
    check(group, "header", mq_span(sealed.bytes, MQ_SEGMENT_HEADER_SIZE));
    check(group, "plaintext_hash", MQ_SPAN(sealed.plain_hash));
    check(group, "nonce", MQ_SPAN(sealed.nonce));
    check(group, "aad", MQ_SPAN(sealed.aad));
    check(group, "body", mq_span(sealed.bytes + MQ_SEGMENT_HEADER_SIZE, sealed.body_size));
    check(group, "body_hash", MQ_SPAN(sealed.body_hash));
    check(group, "segment_id", MQ_SPAN(sealed.id));
    check(group, "signature", mq_span(sealed.bytes + sealed.size - MQ_SIGNATURE_SIZE, MQ_SIGNATURE_SIZE));
}

/* All steps of one segment; then it must open to its payload, and where it is stored mq_seal() must give the same. */
static void check_segment(const char *group, const struct mq_seal_context *context, struct mq_span payload,
                          const struct mq_prefix *prefix)
{
    struct mq_buffer out = mq_buffer(payload_memory, sizeof payload_memory);
    struct mq_opened opened;

    if (prefix->links > 0) {
        check(group, "linked", prefix->linked);
    }
    check(group, "payload", payload);
    check(group, "seed", MQ_SPAN(context->seed));
    struct mq_span plain = plaintext(group, context, payload, prefix);
    check(group, "padded_plaintext", plain);
    kit_seal(&sealed, context, plain);
    check_steps(group, context);

    struct mq_segment segment = decoded(kit_bytes(&sealed));
    assert_memory_equal(segment.id, sealed.id, sizeof segment.id);
    assert_int_equal(mq_open(&opened, &segment, context, space), MQ_OK);
    assert_int_equal(mq_inflate(&out, &opened, prefix, space), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), payload));
    if (opened.compression == 0) {
        out = mq_buffer(segment_memory, sizeof segment_memory);
        assert_int_equal(mq_seal(&out, context, payload, prefix, space), MQ_OK);
        assert_true(mq_span_equal(mq_written(&out), kit_bytes(&sealed)));
    }
}

static void heading(const char *words)
{
    if (writing) {
        printf("\n# %s\n", words);
    }
}

/* The writer of all of them. */
static void check_writer(void)
{
    uint8_t announce[MQ_ANNOUNCE_SIZE];

    heading("The writer, the epoch's key, and what a segment is bound to");
    mq_announce_encode(announce, &writer.announce);
    check("writer", "sign_seed", MQ_SPAN(writer.identity.sign_seed.bytes));
    check("writer", "announce", MQ_SPAN(announce));
    check("writer", "certificate_hash", MQ_SPAN(writer.certificate_hash));
    check("writer", "stream", MQ_SPAN(writer.stream));
    check("writer", "epoch_key", MQ_SPAN(writer.key.bytes));
    check("writer", "commitment", MQ_SPAN(writer.commitment));
    check("writer", "grant_hash", MQ_SPAN(writer.grant_hash));
    check("writer", "kid", MQ_SPAN(writer.kid));
}

/* Four segments: stored, compressed and linked are a chain; the fourth is one that its writer cannot read. */
static void segments_are_those_of_the_file(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    const struct mq_prefix linked = {.links = 1, .linked = mq_span_text(earlier_words)};

    check_writer();
    heading("Stored: too short to gain anything from compression");
    check_segment("stored", &context, mq_span_text("路灯坏了"), kit_no_prefix());

    heading("Compressed by zstd, prose 0, no links; opened, not made, by the test");
    context.seq = 2;
    memcpy(context.previous, sealed.id, sizeof context.previous);
    count_up(context.seed, sizeof context.seed, 0x40);
    check_segment("compressed", &context, mq_span_text(earlier_words), kit_no_prefix());

    heading("Linked: compressed behind the payload of the segment before");
    context.seq = 3;
    memcpy(context.previous, sealed.id, sizeof context.previous);
    count_up(context.seed, sizeof context.seed, 0x80);
    check_segment("linked", &context, mq_span_text(later_words), &linked);

    heading("Write-only: sealed to the commitment, the first of a stream");
    context = kit_context(&writer, MQ_SEGMENT_FLAG_WRITE_ONLY);
    count_up(context.seed, sizeof context.seed, 0xc0);
    check_segment("write_only", &context, mq_span_text("想单独谈谈"), kit_no_prefix());
    assert_true(writing || compared == vector_count);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(segments_are_those_of_the_file, load)};

    MQ_ASSERT(mq_crypto_start() == MQ_OK);
    writer = kit_writer(0x80);
    space = malloc(mq_seal_space_size());
    MQ_ASSERT(space != NULL);
    writing = argc == 2 && strcmp(argv[1], "write") == 0;
    int failed = 0;
    if (writing) {
        printf("# Segments (docs/protocol.md, section 2) with all steps. Made by vectors_segment_test write.\n");
        segments_are_those_of_the_file(NULL);
    } else {
        failed = cmocka_run_group_tests_name("segment vectors", tests, NULL, NULL);
    }
    free(space);
    return failed;
}
