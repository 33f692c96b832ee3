/* Aim: tests/vectors/identity.txt is what this code computes, line by line, so that another implementation can be held
 * against it. `vectors_identity_test print` writes the file anew, for a new version of the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/assert.h"
#include "tests/protocol/identities.h"
#include "tests/protocol/vectors.h"

#define LINES_MAX 64

/* What is computed, in the order of the file. A line without bytes is a comment. */
struct line {
    const char *name;
    uint8_t bytes[MQ_GRANT_SIZE]; /* the longest of them */
    size_t size;
};

static struct line lines[LINES_MAX];
static size_t line_count;

static uint8_t *add(const char *name, size_t size)
{
    struct line *line = &lines[line_count++];

    MQ_ASSERT(line_count <= LINES_MAX && size <= sizeof line->bytes);
    line->name = name;
    line->size = size;
    return line->bytes;
}

static void add_copy(const char *name, const void *bytes, size_t size)
{
    memcpy(add(name, size), bytes, size);
}

static void comment(const char *text)
{
    add(text, 0);
}

static void add_identity(const char *const names[4], const struct mq_identity *identity)
{
    add_copy(names[0], &identity->sign_seed, MQ_KEY_SIZE);
    add_copy(names[1], &identity->box_seed, MQ_KEY_SIZE);
    add_copy(names[2], identity->sign_public, MQ_PUBLIC_SIZE);
    add_copy(names[3], identity->box_public, MQ_PUBLIC_SIZE);
}

static void compute_identities(const struct people *p)
{
    static const char *const root[] = {"root.sign_seed", "root.box_seed", "root.sign_public", "root.box_public"};
    static const char *const desk[] = {"desk.sign_seed", "desk.box_seed", "desk.sign_public", "desk.box_public"};
    static const char *const cadre[] = {"cadre.sign_seed", "cadre.box_seed", "cadre.sign_public", "cadre.box_public"};

    comment("Seeds, and the public keys made from them: Ed25519, and X25519 as of crypto_box_seed_keypair.");
    add_identity(root, &p->root);
    add_identity(desk, &p->desk);
    add_identity(cadre, &p->cadre);
    comment("key_name = H_8(\"kname\", sign_public)");
    mq_key_name(add("root.key_name", MQ_KID_SIZE), p->root.sign_public);
    mq_key_name(add("desk.key_name", MQ_KID_SIZE), p->desk.sign_public);
}

static void compute_certificates(const struct people *p)
{
    struct mq_announce announce = announce_for(&p->cadre_certificate, &p->cadre);

    comment("The root signs the desk's certificate, the desk the cadre's; hash = H_32(\"cert\", all but the sig)");
    add_copy("team", team_a, sizeof team_a);
    mq_certificate_encode(add("desk.certificate", MQ_CERTIFICATE_SIZE), &p->desk_certificate);
    mq_certificate_hash(add("desk.certificate_hash", MQ_HASH_SIZE), &p->desk_certificate);
    mq_certificate_encode(add("cadre.certificate", MQ_CERTIFICATE_SIZE), &p->cadre_certificate);
    mq_certificate_hash(add("cadre.certificate_hash", MQ_HASH_SIZE), &p->cadre_certificate);
    comment("The cadre opens a stream in compartment 3; hash = H_32(\"annc\", all but the sig)");
    mq_announce_encode(add("announce", MQ_ANNOUNCE_SIZE), &announce);
    mq_announce_hash(add("announce_hash", MQ_HASH_SIZE), &announce);
    comment("stream = H_16(\"strm\", certificate hash, nonce, compartment)");
    comment("mailbox = H_16(\"mbox\", team, compartment)");
    mq_announce_stream(add("stream", MQ_ID_SIZE), &announce);
    mq_mailbox(add("mailbox", MQ_ID_SIZE), team_a, 3);
}

static void compute_grants(const struct people *p)
{
    struct mq_secret key = secret_from(0xc8), previous = secret_from(0xe8), ephemeral = secret_from(0x18);
    struct mq_grant grant = grant_for(&key, &previous, &p->desk);

    comment("The desk grants epoch 2 of compartment 3, handing on the key of epoch 1 under K_32(key, \"prev\").");
    comment("commitment = box public key of the seed K_32(key, \"wbox\"); kid = H_8(\"kid\", grant hash)");
    add_copy("key", &key, sizeof key);
    add_copy("key_before", &previous, sizeof previous);
    mq_commitment(add("commitment", MQ_PUBLIC_SIZE), &key);
    mq_grant_encode(add("grant", MQ_GRANT_SIZE), &grant);
    mq_grant_hash(add("grant_hash", MQ_HASH_SIZE), &grant);
    mq_grant_kid(add("kid", MQ_KID_SIZE), &grant);
    comment("The key wrapped for the cadre, with the ephemeral key pair made from this seed.");
    add_copy("ephemeral_seed", &ephemeral, sizeof ephemeral);
    MQ_ASSERT(mq_wrap_seal(add("wrap", MQ_WRAP_SIZE), &key, p->cadre.box_public, &ephemeral) == MQ_OK);
}

static void compute(void)
{
    struct people p = people();

    compute_identities(&p);
    compute_certificates(&p);
    compute_grants(&p);
}

static void print_file(void)
{
    printf("# Identities, certificates, announces, grants and wraps (docs/protocol.md, section 1), big-endian.\n"
           "# H_n(word, x) is BLAKE2b-n over \"minqing/v1/\" and the word, padded with NUL to 16 bytes, and x.\n"
           "# K_n is the same, keyed. A signature is Ed25519 over \"minqing/v1/sign\", NUL, and the object's hash.\n");
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].size == 0) {
            bool first = i == 0 || lines[i - 1].size > 0;
            printf("%s# %s\n", first ? "\n" : "", lines[i].name);
            continue;
        }
        printf("%s = ", lines[i].name);
        for (size_t j = 0; j < lines[i].size; j++)
            printf("%02x", lines[i].bytes[j]);
        printf("\n");
    }
}

/* The file holds every computed value, in the same order and with the same bytes, and nothing more. */
static void file_is_what_we_compute(void **state)
{
    FILE *file = vectors_open("identity.txt");
    struct vector vector;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].size == 0)
            continue;
        assert_int_equal(vectors_next(file, &vector), 1);
        assert_string_equal(vector.name, lines[i].name);
        assert_int_equal(vector.size, lines[i].size);
        assert_memory_equal(vector.bytes, lines[i].bytes, vector.size);
    }
    assert_int_equal(vectors_next(file, &vector), 0);
    fclose(file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(file_is_what_we_compute)};

    if (mq_crypto_start() != MQ_OK)
        return 1;
    compute();
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        print_file();
        return 0;
    }
    return cmocka_run_group_tests_name("vectors/identity", tests, NULL, NULL);
}
