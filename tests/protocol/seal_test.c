/* Aim: a payload comes back byte for byte to who holds the key of that compartment, from that writer, in that place; to
 * nobody else, and nothing else ever comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "protocol/compress.h"
#include "tests/protocol/segment_kit.h"

#define MEMORY_BOUND_KIB (8 * 1024)

static struct chance chance;
static struct kit_writer writer, stranger;
static struct kit_sealed made;
static struct mq_seal_space *space;
static uint8_t payload[MQ_BATCH_MAX], linked[MQ_LINK_WINDOW], plain_memory[KIT_PLAIN_MAX];
static uint8_t segment_memory[MQ_SEGMENT_MAX], opened_memory[MQ_PAYLOAD_MAX];

static struct mq_span seal(const struct mq_seal_context *context, struct mq_span text, const struct mq_prefix *prefix)
{
    struct mq_buffer out = mq_buffer(segment_memory, sizeof segment_memory);

    assert_int_equal(mq_seal(&out, context, text, prefix, space), MQ_OK);
    return mq_written(&out);
}

/* All a receiver does, in order. On MQ_OK the payload's `size` bytes stand in opened_memory. */
static enum mq_status receive(struct mq_span bytes, const struct mq_seal_context *context,
                              const struct mq_prefix *prefix, size_t *size)
{
    struct mq_segment segment;
    struct mq_opened opened;
    struct mq_buffer out = mq_buffer(opened_memory, sizeof opened_memory);
    enum mq_status status = mq_segment_decode(&segment, bytes);

    status = status == MQ_OK ? mq_segment_verify(&segment, &writer.announce) : status;
    status = status == MQ_OK ? mq_open(&opened, &segment, context, space) : status;
    status = status == MQ_OK ? mq_inflate(&out, &opened, prefix, space) : status;
    *size = out.size;
    assert_true(status == MQ_OK || out.size == 0);
    return status;
}

/* Only decrypts and unpads: what is left when somebody signs rightly but with other bytes. */
static enum mq_status open_only(struct mq_opened *opened, struct mq_span bytes, const struct mq_seal_context *context)
{
    struct mq_segment segment;

    assert_int_equal(mq_segment_decode(&segment, bytes), MQ_OK);
    return mq_open(opened, &segment, context, space);
}

static void assert_round_trip(const struct mq_seal_context *context, struct mq_span text,
                              const struct mq_prefix *prefix)
{
    size_t size;
    struct mq_span bytes = seal(context, text, prefix);

    assert_int_equal(receive(bytes, context, prefix, &size), MQ_OK);
    assert_int_equal(size, text.size);
    assert_memory_equal(opened_memory, text.data, text.size);
}

/* Every small size and many larger ones, text and noise, come back; the largest noise fits a body. */
static void everything_comes_back(void **state)
{
    (void)state;
    struct mq_prefix prefix = {.prose = 1, .links = 2, .linked = mq_span(linked, 5000)};
    struct mq_seal_context context = kit_context(&writer, 0), restricted = kit_context(&writer, 2);
    kit_fill_text(&chance, linked, sizeof linked);

    for (size_t size = 0; size <= MQ_BATCH_MAX; size += size < 600 ? 1 : 1 + chance_below(&chance, 6000)) {
        chance_fill(&chance, payload, size);
        assert_round_trip(&context, mq_span(payload, size), kit_no_prefix());
        kit_fill_text(&chance, payload, size);
        assert_round_trip(&context, mq_span(payload, size), size % 3 == 0 ? &prefix : kit_no_prefix());
        assert_round_trip(&restricted, mq_span(payload, size), kit_no_prefix());
    }
    chance_fill(&chance, payload, sizeof payload);
    assert_round_trip(&context, MQ_SPAN(payload), kit_no_prefix());
    assert_round_trip(&restricted, MQ_SPAN(payload), kit_no_prefix());
    kit_fill_text(&chance, payload, sizeof payload);
    prefix = (struct mq_prefix){.prose = 1, .links = MQ_LINKS_MAX, .linked = MQ_SPAN(linked)};
    assert_round_trip(&context, MQ_SPAN(payload), &prefix);
}

/* Byte for byte what the second spelling of the format gives for the same plaintext, plain and write-only. */
static void the_bytes_are_those_of_the_document(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags <= 3; flags++) {
        struct mq_seal_context context = kit_context(&writer, flags);
        chance_fill(&chance, context.seed, sizeof context.seed);
        chance_fill(&chance, payload, 500);
        struct mq_span text = mq_span(payload, 500);
        kit_seal(&made, &context, kit_plain(plain_memory, sizeof plain_memory, 0, 0, 0, 500, text));
        struct mq_span bytes = seal(&context, text, kit_no_prefix());
        assert_int_equal(bytes.size, made.size);
        assert_memory_equal(bytes.data, made.bytes, made.size);
    }
}

/* Compression is used where the padded length gets shorter, and only there; a stored payload names no prefix. */
static void compression_is_used_where_it_helps(void **state)
{
    (void)state;
    struct mq_prefix prefix = {.prose = 1, .links = 3, .linked = mq_span(linked, 9000)};
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_opened opened;
    kit_fill_text(&chance, linked, 9000);

    kit_fill_text(&chance, payload, 3000);
    struct mq_span bytes = seal(&context, mq_span(payload, 3000), &prefix);
    assert_true(bytes.size < MQ_SEGMENT_FIXED_SIZE + 3000);
    assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    assert_int_equal(opened.compression, 1);
    assert_int_equal(opened.prose, 1);
    assert_int_equal(opened.links, 3);
    assert_int_equal(opened.raw_size, 3000);

    chance_fill(&chance, payload, 3000);
    bytes = seal(&context, mq_span(payload, 3000), &prefix);
    assert_int_equal(bytes.size, MQ_SEGMENT_FIXED_SIZE + mq_padme(3000 + 7));
    assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    assert_int_equal(opened.compression + opened.prose + opened.links, 0);

    chance_fill(&chance, payload, 40000); /* 200 bytes of 40 kB can be saved, but padding takes them back */
    memcpy(payload + 39800, payload, 200);
    bytes = seal(&context, mq_span(payload, 40000), &prefix);
    assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    assert_int_equal(opened.compression, 0);

    kit_fill_text(&chance, payload, 200); /* the least length anyhow */
    bytes = seal(&context, mq_span(payload, 200), &prefix);
    assert_int_equal(bytes.size, MQ_SEGMENT_FIXED_SIZE + MQ_PLAIN_MIN);
    assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    assert_int_equal(opened.compression, 0);
}

/* The prefix is prose, then links: nobody else's order inflates. */
static void the_prefix_is_prose_then_links(void **state)
{
    (void)state;
    static uint8_t joined[MQ_PROSE_MAX + 1000];
    struct mq_prefix prefix = {.prose = 1, .links = 1, .linked = mq_span(linked, 1000)};
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_opened opened;
    const struct mq_span prose = mq_prose(1);
    chance_fill(&chance, linked, 1000);
    memcpy(payload, prose.data, 1000); /* refers to the beginning of both */
    memcpy(payload + 1000, linked, 1000);

    struct mq_span bytes = seal(&context, mq_span(payload, 2000), &prefix);
    assert_int_equal(bytes.size, MQ_SEGMENT_FIXED_SIZE + MQ_PLAIN_MIN);
    assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    memcpy(joined, prose.data, prose.size);
    memcpy(joined + prose.size, linked, 1000);
    struct mq_buffer out = mq_buffer(opened_memory, sizeof opened_memory);
    assert_int_equal(mq_decompress(&out, 2000, opened.packed, mq_span(joined, prose.size + 1000)), MQ_OK);
    assert_memory_equal(opened_memory, payload, 2000);
}

/* M14: no bit of a whole segment, stored or compressed, plain or write-only, can change. */
static void every_changed_bit_is_refused(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags <= 2; flags = (uint8_t)(flags + 2)) {
        struct mq_seal_context context = kit_context(&writer, flags);
        size_t size;
        kit_fill_text(&chance, payload, 400);
        struct mq_span bytes = seal(&context, mq_span(payload, 400), kit_no_prefix());
        for (size_t bit = 0; bit < bytes.size * 8; bit++) {
            segment_memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(receive(bytes, &context, kit_no_prefix(), &size), MQ_OK);
            segment_memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(receive(bytes, &context, kit_no_prefix(), &size), MQ_OK);
    }
}

/* Encryption alone holds header and body together: without the signature's help, too, no bit of them can change. */
static void encryption_alone_refuses_every_changed_bit(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags <= 2; flags = (uint8_t)(flags + 2)) {
        struct mq_seal_context context = kit_context(&writer, flags);
        struct mq_segment segment;
        struct mq_opened opened;
        kit_fill_text(&chance, payload, 100);
        struct mq_span bytes = seal(&context, mq_span(payload, 100), kit_no_prefix());
        for (size_t bit = 0; bit < (bytes.size - MQ_SIGNATURE_SIZE) * 8; bit++) {
            segment_memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (mq_segment_decode(&segment, bytes) == MQ_OK) {
                assert_int_equal(mq_open(&opened, &segment, &context, space), MQ_BAD_SIGNATURE);
            }
            segment_memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    }
}

/* The key, the grant (and so team and epoch) and the writer's certificate must all be the right ones. */
static void other_keys_grants_and_certificates_are_refused(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags <= 2; flags = (uint8_t)(flags + 2)) {
        const struct mq_seal_context right = kit_context(&writer, flags);
        struct mq_seal_context wrong;
        struct mq_opened opened;
        struct mq_secret key = writer.key;
        struct mq_span bytes = seal(&right, mq_span_text("孩子上学太远"), kit_no_prefix());

        wrong = right;
        wrong.key = &stranger.key;
        assert_int_equal(open_only(&opened, bytes, &wrong), MQ_BAD_SIGNATURE);
        wrong.key = &key;
        key.bytes[31] ^= 0x80;
        assert_int_equal(open_only(&opened, bytes, &wrong), MQ_BAD_SIGNATURE);
        wrong = right;
        wrong.grant_hash[0] ^= 1;
        assert_int_equal(open_only(&opened, bytes, &wrong), MQ_BAD_SIGNATURE);
        wrong = right;
        wrong.certificate_hash[31] ^= 1;
        assert_int_equal(open_only(&opened, bytes, &wrong), MQ_BAD_SIGNATURE);
        assert_int_equal(open_only(&opened, bytes, &right), MQ_OK);
    }
}

/* A good body under another stream, seq, key id, predecessor or flag is refused, even signed anew by its own writer. */
static void a_body_cannot_be_moved(void **state)
{
    (void)state;
    static const size_t fields[] = {1, 2, 17, 18, 21, 22, 29, 30, 61}; /* a byte of each field of the header */
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_opened opened;
    uint8_t plain[256];
    context.seq = 0x06000006;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        kit_seal(&made, &context, kit_plain(plain, sizeof plain, 0, 0, 0, 3, mq_span_text("abc")));
        made.bytes[fields[i]] ^= 1;
        kit_sign(&made, &context);
        assert_int_equal(open_only(&opened, kit_bytes(&made), &context), MQ_BAD_SIGNATURE);
    }
}

/* The body of one good segment under the header of another is refused, signed anew or not. */
static void spliced_segments_are_refused(void **state)
{
    (void)state;
    static struct kit_sealed first, second;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_opened opened;
    uint8_t plain[256];
    size_t size;

    kit_seal(&first, &context, kit_plain(plain, sizeof plain, 0, 0, 0, 3, mq_span_text("abc")));
    memcpy(context.previous, first.id, sizeof context.previous);
    context.seq = 2;
    kit_seal(&second, &context, kit_plain(plain, sizeof plain, 0, 0, 0, 3, mq_span_text("abc")));
    memcpy(second.bytes + 65, first.bytes + 65, first.body_size);
    assert_int_equal(receive(kit_bytes(&second), &context, kit_no_prefix(), &size), MQ_BAD_SIGNATURE);
    kit_sign(&second, &context);
    assert_int_equal(open_only(&opened, kit_bytes(&second), &context), MQ_BAD_SIGNATURE);
}

/* A wrong, missing, shortened or differently named prefix is refused, always. */
static void a_wrong_prefix_is_refused(void **state)
{
    (void)state;
    const struct mq_prefix right = {.prose = 0, .links = 4, .linked = mq_span(linked, 4000)};
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_prefix wrong;
    size_t size;
    chance_fill(&chance, linked, 4000);
    memcpy(payload, linked, 4000);
    struct mq_span bytes = seal(&context, mq_span(payload, 4000), &right);
    assert_int_equal(bytes.size, MQ_SEGMENT_FIXED_SIZE + MQ_PLAIN_MIN);

    for (unsigned i = 0; i < 2000; i++) {
        size_t bit = 64 * 8 + chance_below(&chance, (4000 - 128) * 8); /* the ends may stand as literals */
        linked[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(receive(bytes, &context, &right, &size), MQ_REFUSED);
        linked[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    wrong = right;
    wrong.linked = mq_span(linked, 3999);
    assert_int_equal(receive(bytes, &context, &wrong, &size), MQ_REFUSED);
    wrong.linked = mq_span(linked + 128, 4000 - 128);
    assert_int_equal(receive(bytes, &context, &wrong, &size), MQ_REFUSED);
    wrong.linked = mq_span(NULL, 0);
    assert_int_equal(receive(bytes, &context, &wrong, &size), MQ_REFUSED);
    wrong = right;
    wrong.links = 3;
    assert_int_equal(receive(bytes, &context, &wrong, &size), MQ_REFUSED);
    wrong = right;
    wrong.prose = 1;
    assert_int_equal(receive(bytes, &context, &wrong, &size), MQ_REFUSED);
    assert_int_equal(receive(bytes, &context, kit_no_prefix(), &size), MQ_REFUSED);
    assert_int_equal(receive(bytes, &context, &right, &size), MQ_OK);
}

/* Two branches of a cloned device share key and seq; the nonce differs with the payload, the place or the chance. */
static void forks_never_share_a_nonce(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags <= 2; flags = (uint8_t)(flags + 2)) {
        const size_t nonce_at = MQ_SEGMENT_HEADER_SIZE + (flags ? MQ_SEALED_BOX_SIZE : 0);
        const struct mq_seal_context context = kit_context(&writer, flags);
        struct mq_seal_context fork;
        uint8_t nonce[MQ_NONCE_SIZE], first[MQ_SEGMENT_FIXED_SIZE + MQ_SEALED_BOX_SIZE + MQ_PLAIN_MIN];
        struct mq_span bytes = seal(&context, mq_span_text("a"), kit_no_prefix());
        memcpy(nonce, bytes.data + nonce_at, sizeof nonce);
        memcpy(first, bytes.data, bytes.size);

        bytes = seal(&context, mq_span_text("b"), kit_no_prefix()); /* chance repeated, other words */
        assert_memory_not_equal(bytes.data + nonce_at, nonce, sizeof nonce);
        fork = context;
        fork.seed[63] ^= 1; /* same words, other chance */
        bytes = seal(&fork, mq_span_text("a"), kit_no_prefix());
        assert_memory_not_equal(bytes.data + nonce_at, nonce, sizeof nonce);
        fork = context;
        fork.previous[0] ^= 1; /* same words and chance, other place */
        bytes = seal(&fork, mq_span_text("a"), kit_no_prefix());
        assert_memory_not_equal(bytes.data + nonce_at, nonce, sizeof nonce);
        bytes = seal(&context, mq_span_text("a"), kit_no_prefix()); /* all the same: the same bytes, so nothing leaks */
        assert_memory_equal(bytes.data, first, bytes.size);
    }
}

/* A write-only segment opens with the compartment's key alone, not with what its writer still has afterwards. */
static void write_only_opens_with_the_compartments_key_only(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, MQ_SEGMENT_FLAG_WRITE_ONLY);
    struct mq_seal_context reader = context;
    struct mq_secret team_key, commitment;
    struct mq_opened opened;
    size_t size;
    memset(team_key.bytes, 7, sizeof team_key.bytes);
    memcpy(commitment.bytes, writer.commitment, sizeof commitment.bytes);
    context.key = NULL; /* a field writer has none */
    kit_fill_text(&chance, payload, 2000);
    struct mq_span bytes = seal(&context, mq_span(payload, 2000), kit_no_prefix());

    assert_int_equal(receive(bytes, &reader, kit_no_prefix(), &size), MQ_OK);
    assert_int_equal(size, 2000);
    assert_memory_equal(opened_memory, payload, 2000);
    const struct mq_secret *const others[] = {&team_key, &commitment, &writer.identity.sign_seed,
                                              &writer.identity.box_seed};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        reader.key = others[i];
        assert_int_equal(open_only(&opened, bytes, &reader), MQ_BAD_SIGNATURE);
    }
}

/* Its own writer opens a write-only segment without any key, from the seed that he still has; with another seed, or a
 * commitment to which nobody can seal, he does not. */
static void writers_reopen_their_own(void **state)
{
    static const uint8_t zeros[MQ_PUBLIC_SIZE];
    struct mq_seal_context context = kit_context(&writer, MQ_SEGMENT_FLAG_WRITE_ONLY);
    struct mq_opened opened;
    size_t size;

    (void)state;
    context.key = NULL;
    struct mq_span bytes = seal(&context, mq_span_text("abc"), kit_no_prefix());
    assert_int_equal(receive(bytes, &context, kit_no_prefix(), &size), MQ_OK);
    assert_memory_equal(opened_memory, "abc", 3);

    struct mq_seal_context other = context;
    other.seed[0] ^= 1;
    assert_int_equal(open_only(&opened, bytes, &other), MQ_BAD_SIGNATURE);
    other = context;
    other.commitment = zeros;
    assert_int_equal(open_only(&opened, bytes, &other), MQ_BAD_SIGNATURE);
}

/* Plaintexts that only a rule-breaking key holder can make: each is refused for its own reason. */
static void plaintexts_outside_the_format_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t flags, compression, prose, links;
        size_t raw_size, packed_size;
        enum mq_status expected;
    } cases[] = {
        {"stored", 0, 0, 0, 0, 10, 10, MQ_OK},
        {"compressed, as far as mq_open sees", 0, 1, 0, 0, 10, 10, MQ_OK},
        {"compressed, unknown prose: mq_inflate refuses", 0, 1, 255, 15, 10, 10, MQ_OK},
        {"the greatest raw size", 0, 1, 0, 0, MQ_PAYLOAD_MAX, 10, MQ_OK},
        {"write-only", 2, 1, 1, 0, 10, 10, MQ_OK},
        {"raw size over the limit", 0, 1, 0, 0, MQ_PAYLOAD_MAX + 1, 10, MQ_REFUSED},
        {"unknown compression", 0, 2, 0, 0, 10, 10, MQ_REFUSED},
        {"too many links", 0, 1, 0, 16, 10, 10, MQ_REFUSED},
        {"write-only with links", 2, 1, 0, 1, 10, 10, MQ_REFUSED},
        {"stored with prose", 0, 0, 1, 0, 10, 10, MQ_REFUSED},
        {"stored with links", 0, 0, 0, 1, 10, 10, MQ_REFUSED},
        {"stored, one more declared", 0, 0, 0, 0, 11, 10, MQ_REFUSED},
        {"stored, one less declared", 0, 0, 0, 0, 9, 10, MQ_REFUSED},
    };

    chance_fill(&chance, payload, 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mq_seal_context context = kit_context(&writer, cases[i].flags);
        struct mq_opened opened;
        kit_seal(&made, &context,
                 kit_plain(plain_memory, sizeof plain_memory, cases[i].compression, cases[i].prose, cases[i].links,
                           cases[i].raw_size, mq_span(payload, cases[i].packed_size)));
        enum mq_status status = open_only(&opened, kit_bytes(&made), &context);
        if (status != cases[i].expected) {
            print_error("%s\n", cases[i].what);
        }
        assert_int_equal(status, cases[i].expected);
    }
}

/* One content has one padding: no other length, no missing mark, nothing after the mark but zeros. */
static void other_paddings_are_refused(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_opened opened;
    uint8_t plain[512] = {0, 0, 0, 0, 0, 0};

    plain[6] = 0x80; /* an empty payload */
    kit_seal(&made, &context, mq_span(plain, 256));
    assert_int_equal(open_only(&opened, kit_bytes(&made), &context), MQ_OK);
    kit_seal(&made, &context, mq_span(plain, 272)); /* longer than needed */
    assert_int_equal(open_only(&opened, kit_bytes(&made), &context), MQ_REFUSED);
    plain[6] = 0; /* no mark at all */
    kit_seal(&made, &context, mq_span(plain, 256));
    assert_int_equal(open_only(&opened, kit_bytes(&made), &context), MQ_REFUSED);
    plain[5] = 0x80; /* the mark inside the head */
    kit_seal(&made, &context, mq_span(plain, 256));
    assert_int_equal(open_only(&opened, kit_bytes(&made), &context), MQ_REFUSED);
    plain[5] = 0;
    for (unsigned mark = 1; mark < 256; mark++) { /* another mark */
        plain[6] = (uint8_t)mark;
        kit_seal(&made, &context, mq_span(plain, 256));
        assert_int_equal(open_only(&opened, kit_bytes(&made), &context), mark == 0x80 ? MQ_OK : MQ_REFUSED);
    }
    plain[6] = 0x80;
    plain[255] = 1; /* something after it */
    kit_seal(&made, &context, mq_span(plain, 256));
    assert_int_equal(open_only(&opened, kit_bytes(&made), &context), MQ_REFUSED);
}

/* Prose that this program does not have is refused, not guessed. */
static void unknown_prose_is_refused(void **state)
{
    (void)state;
    const struct mq_prefix prefix = {.prose = 2};
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_buffer frame = mq_buffer(payload, sizeof payload);
    size_t size;

    assert_int_equal(mq_compress(&frame, mq_span_text("words"), mq_span(NULL, 0)), MQ_OK);
    kit_seal(&made, &context, kit_plain(plain_memory, sizeof plain_memory, 1, 2, 0, 5, mq_written(&frame)));
    assert_int_equal(receive(kit_bytes(&made), &context, &prefix, &size), MQ_REFUSED);
    kit_seal(&made, &context, kit_plain(plain_memory, sizeof plain_memory, 1, 0, 0, 5, mq_written(&frame)));
    assert_int_equal(receive(kit_bytes(&made), &context, kit_no_prefix(), &size), MQ_OK);
}

/* A sealed bomb (60 KiB for 1.9 GiB, declared as 1 MiB) is refused within bounded memory. */
static void a_sealed_bomb_stays_small(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_buffer bomb = mq_buffer(payload, sizeof payload);
    struct rusage before, after;
    size_t size;
    mq_put(&bomb, "\x04\x50", 2); /* checksum; window 1 MiB */
    while (bomb.capacity - bomb.size >= 4) {
        mq_put(&bomb, "\x02\x00\x10\x00", 4); /* 128 KiB of zeros */
    }

    kit_seal(&made, &context, kit_plain(plain_memory, sizeof plain_memory, 1, 0, 0, MQ_PAYLOAD_MAX, mq_written(&bomb)));
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_int_equal(receive(kit_bytes(&made), &context, kit_no_prefix(), &size), MQ_REFUSED);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < MEMORY_BOUND_KIB);
}

/* A commitment that is no public key gives no segment, rather than one that nobody or everybody can open. */
static void an_impossible_commitment_is_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[MQ_PUBLIC_SIZE];
    struct mq_seal_context context = kit_context(&writer, MQ_SEGMENT_FLAG_WRITE_ONLY);
    struct mq_buffer out = mq_buffer(segment_memory, sizeof segment_memory);

    context.commitment = zeros;
    assert_int_equal(mq_seal(&out, &context, mq_span_text("abc"), kit_no_prefix(), space), MQ_REFUSED);
    assert_int_equal(out.size, 0);
}

/* Without its body a segment verifies but cannot be opened; without room it is neither sealed nor inflated. */
static void missing_bodies_and_room_are_said(void **state)
{
    (void)state;
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_segment segment;
    struct mq_opened opened;
    uint8_t skeleton[MQ_SKELETON_SIZE];
    struct mq_span bytes = seal(&context, mq_span_text("abc"), kit_no_prefix());
    size_t size = bytes.size;

    assert_int_equal(open_only(&opened, bytes, &context), MQ_OK);
    struct mq_buffer small = mq_buffer(opened_memory, 2);
    assert_int_equal(mq_inflate(&small, &opened, kit_no_prefix(), space), MQ_NO_SPACE);
    assert_int_equal(small.size, 0);
    assert_int_equal(mq_segment_decode(&segment, bytes), MQ_OK);
    mq_skeleton_encode(skeleton, &segment);
    assert_int_equal(mq_skeleton_decode(&segment, MQ_SPAN(skeleton)), MQ_OK);
    assert_int_equal(mq_open(&opened, &segment, &context, space), MQ_REFUSED);

    struct mq_buffer out = mq_buffer(segment_memory, size - 1);
    assert_int_equal(mq_seal(&out, &context, mq_span_text("abc"), kit_no_prefix(), space), MQ_NO_SPACE);
    assert_int_equal(out.size, 0);
    out = mq_buffer(segment_memory, size);
    assert_int_equal(mq_seal(&out, &context, mq_span_text("abc"), kit_no_prefix(), space), MQ_OK);
}

int main(void)
{
    MQ_ASSERT(mq_crypto_start() == MQ_OK);
    chance = chance_start("seal_test");
    writer = kit_writer(0x80);
    stranger = kit_writer(0x20);
    space = malloc(mq_seal_space_size());
    MQ_ASSERT(space != NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(the_bytes_are_those_of_the_document),
        cmocka_unit_test(compression_is_used_where_it_helps),
        cmocka_unit_test(the_prefix_is_prose_then_links),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(encryption_alone_refuses_every_changed_bit),
        cmocka_unit_test(other_keys_grants_and_certificates_are_refused),
        cmocka_unit_test(a_body_cannot_be_moved),
        cmocka_unit_test(spliced_segments_are_refused),
        cmocka_unit_test(a_wrong_prefix_is_refused),
        cmocka_unit_test(forks_never_share_a_nonce),
        cmocka_unit_test(write_only_opens_with_the_compartments_key_only),
        cmocka_unit_test(writers_reopen_their_own),
        cmocka_unit_test(plaintexts_outside_the_format_are_refused),
        cmocka_unit_test(other_paddings_are_refused),
        cmocka_unit_test(unknown_prose_is_refused),
        cmocka_unit_test(a_sealed_bomb_stays_small),
        cmocka_unit_test(an_impossible_commitment_is_refused),
        cmocka_unit_test(missing_bodies_and_room_are_said),
    };
    int failed = cmocka_run_group_tests_name("seal", tests, NULL, NULL);
    free(space);
    return failed;
}
