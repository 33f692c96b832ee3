/* Aim: whoever holds the key may put anything into a segment; opening it yields just the declared bytes or a refusal,
 * and one content has one plaintext. Input: a mode, then what is rightly encrypted: a whole plaintext; a head and a
 * payload, rightly padded; or changes (position u16, value u8) to the plaintext of a good compressed segment. */
#include "protocol/compress.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/segment_kit.h"

#define FRAMES 3

static struct kit_writer writer;
static struct mq_seal_context contexts[2]; /* the usual one, and of one who may write and not read */
static struct mq_seal_space *space;
static uint8_t linked[3000], text[1000], frames[FRAMES][1200];
static size_t frame_sizes[FRAMES];

static struct mq_span linked_for(uint8_t links)
{
    return mq_span(linked, links > 0 ? sizeof linked : 0);
}

/* Text behind nothing, text behind links, noise behind nothing. */
void fuzz_start(void)
{
    struct chance chance = {1};

    writer = kit_writer(0x80);
    contexts[0] = kit_context(&writer, 0);
    contexts[1] = kit_context(&writer, MQ_SEGMENT_FLAG_WRITE_ONLY);
    space = malloc(mq_seal_space_size());
    MQ_ASSERT(space != NULL);
    kit_fill_text(&chance, linked, sizeof linked);
    kit_fill_text(&chance, text, sizeof text);
    for (size_t i = 0; i < FRAMES; i++) {
        struct mq_buffer frame = mq_buffer(frames[i], sizeof frames[i]);
        if (i == 2) {
            chance_fill(&chance, text, sizeof text);
        }
        MQ_ASSERT(mq_compress(&frame, MQ_SPAN(text), linked_for(i == 1)) == MQ_OK);
        frame_sizes[i] = frame.size;
    }
}

/* Rightly padded: the head's six bytes from the input, and the payload. */
static struct mq_span padded(uint8_t *memory, const uint8_t head[6], struct mq_span packed)
{
    size_t raw_size = (size_t)head[3] << 16 | (size_t)head[4] << 8 | head[5];

    return kit_plain(memory, KIT_PLAIN_MAX, head[0], head[1], head[2], raw_size, packed);
}

static struct mq_span choose_plaintext(uint8_t *memory, struct mq_reader *input, uint8_t mode)
{
    uint8_t head[6];

    if (mode % 5 == 0) {
        size_t size = mq_left(input);
        mq_get(input, memory, size);
        return mq_span(memory, size);
    }
    if (mode % 5 == 1) {
        mq_get(input, head, sizeof head);
        return padded(memory, head, fuzz_rest(input));
    }
    size_t i = mode % 5 - 2u;
    const uint8_t good_head[6] = {1, 0, i == 1, 0, sizeof text >> 8, sizeof text & 0xff};
    struct mq_span plain = padded(memory, good_head, mq_span(frames[i], frame_sizes[i]));
    fuzz_change(memory, plain.size, input);
    return plain;
}

static void try_inflate(const struct mq_opened *opened)
{
    static uint8_t memory[MQ_PAYLOAD_MAX];
    struct mq_prefix prefix = {opened->prose, opened->links, linked_for(opened->links)};
    struct mq_buffer payload = mq_buffer(memory, sizeof memory);

    enum mq_status status = mq_inflate(&payload, opened, &prefix, space);
    MQ_ASSERT(status == MQ_OK || status == MQ_REFUSED);
    MQ_ASSERT(payload.size == (status == MQ_OK ? opened->raw_size : 0));
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t plain_memory[KIT_PLAIN_MAX], again[KIT_PLAIN_MAX];
    static struct kit_sealed sealed;
    struct mq_reader input = mq_reader(mq_span(data, size));
    struct mq_segment segment;
    struct mq_opened opened;

    if (size == 0 || size > KIT_PLAIN_MAX / 2) {
        return;
    }
    uint8_t mode = mq_get_u8(&input);
    const struct mq_seal_context *context = &contexts[mode >= 0xe0]; /* seldom the second, whose box is slow */
    struct mq_span plain = choose_plaintext(plain_memory, &input, mode);
    kit_encrypt(&sealed, context, plain);
    if (mq_segment_decode(&segment, kit_bytes(&sealed)) != MQ_OK) {
        MQ_ASSERT(plain.size != mq_padme(plain.size) || plain.size > MQ_PLAIN_MAX);
        return;
    }
    enum mq_status status = mq_open(&opened, &segment, context, space);
    MQ_ASSERT(status == MQ_OK || status == MQ_REFUSED);
    if (status == MQ_OK) {
        MQ_ASSERT(opened.raw_size <= MQ_PAYLOAD_MAX && opened.links <= MQ_LINKS_MAX);
        struct mq_span same = kit_plain(again, sizeof again, opened.compression, opened.prose, opened.links,
                                        opened.raw_size, opened.packed);
        MQ_ASSERT(mq_span_equal(same, plain));
        try_inflate(&opened);
    }
}
