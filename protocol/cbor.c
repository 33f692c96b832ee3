/* The strict subset of CBOR in which payloads are written (docs/protocol.md, section 2). */
#include "protocol/cbor.h"

#include "protocol/assert.h"

enum major {
    MAJOR_UINT = 0,
    MAJOR_NEGATIVE = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    MAJOR_SIMPLE = 7
};

enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, TAG_REFERENCE = 6 };

/* Writing. */

static void put_head(struct mq_buffer *out, enum major major, uint64_t number)
{
    unsigned high = (unsigned)major << 5;

    if (number < 24) {
        mq_put_u8(out, (uint8_t)(high | number));
    } else if (number <= UINT8_MAX) {
        mq_put_u8(out, (uint8_t)(high | 24));
        mq_put_u8(out, (uint8_t)number);
    } else if (number <= UINT16_MAX) {
        mq_put_u8(out, (uint8_t)(high | 25));
        mq_put_u16(out, (uint16_t)number);
    } else if (number <= UINT32_MAX) {
        mq_put_u8(out, (uint8_t)(high | 26));
        mq_put_u32(out, (uint32_t)number);
    } else {
        mq_put_u8(out, (uint8_t)(high | 27));
        mq_put_u64(out, number);
    }
}

void mq_cbor_put_uint(struct mq_buffer *out, uint64_t number)
{
    put_head(out, MAJOR_UINT, number);
}

void mq_cbor_put_int(struct mq_buffer *out, int64_t number)
{
    if (number < 0)
        put_head(out, MAJOR_NEGATIVE, (uint64_t)(-1 - number));
    else
        put_head(out, MAJOR_UINT, (uint64_t)number);
}

void mq_cbor_put_bytes(struct mq_buffer *out, struct mq_span bytes)
{
    put_head(out, MAJOR_BYTES, bytes.size);
    mq_put_span(out, bytes);
}

void mq_cbor_put_text(struct mq_buffer *out, struct mq_span text)
{
    MQ_ASSERT(mq_utf8_valid(text));
    put_head(out, MAJOR_TEXT, text.size);
    mq_put_span(out, text);
}

void mq_cbor_put_array(struct mq_buffer *out, uint64_t items)
{
    put_head(out, MAJOR_ARRAY, items);
}

void mq_cbor_put_map(struct mq_buffer *out, uint64_t pairs)
{
    put_head(out, MAJOR_MAP, pairs);
}

void mq_cbor_put_reference(struct mq_buffer *out)
{
    put_head(out, MAJOR_TAG, TAG_REFERENCE);
}

void mq_cbor_put_bool(struct mq_buffer *out, bool value)
{
    put_head(out, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void mq_cbor_put_null(struct mq_buffer *out)
{
    put_head(out, MAJOR_SIMPLE, SIMPLE_NULL);
}

/* Reading. */

/* The argument of a head, refused where a shorter form exists. */
static uint64_t get_argument(struct mq_reader *reader, unsigned info)
{
    uint64_t number = info, least = 0;

    switch (info) {
    case 24:
        number = mq_get_u8(reader);
        least = 24;
        break;
    case 25:
        number = mq_get_u16(reader);
        least = UINT8_MAX + UINT64_C(1);
        break;
    case 26:
        number = mq_get_u32(reader);
        least = UINT16_MAX + UINT64_C(1);
        break;
    case 27:
        number = mq_get_u64(reader);
        least = UINT32_MAX + UINT64_C(1);
        break;
    case 28:
    case 29:
    case 30:
    case 31:
        reader->failed = true;
        break;
    }
    if (number < least)
        reader->failed = true;
    return number;
}

static struct mq_cbor_item get_string(struct mq_reader *reader, enum mq_cbor_type type, uint64_t size)
{
    struct mq_cbor_item item = {.type = type, .number = size};

    /* Compared before it is narrowed: size_t may have 32 bits. */
    if (size > mq_left(reader)) {
        reader->failed = true;
        return item;
    }
    item.bytes = mq_take(reader, (size_t)size);
    if (type == MQ_CBOR_TEXT && !mq_utf8_valid(item.bytes))
        reader->failed = true;
    return item;
}

/* Every item takes a byte, so a count above what is left cannot be true: refused before anybody makes room for it. */
static struct mq_cbor_item get_container(struct mq_reader *reader, enum mq_cbor_type type, uint64_t count)
{
    uint64_t most = type == MQ_CBOR_MAP ? mq_left(reader) / 2 : mq_left(reader);

    if (count > most)
        reader->failed = true;
    return (struct mq_cbor_item){.type = type, .number = count};
}

static struct mq_cbor_item get_simple(struct mq_reader *reader, uint64_t number)
{
    if (number == SIMPLE_FALSE)
        return (struct mq_cbor_item){.type = MQ_CBOR_FALSE};
    if (number == SIMPLE_TRUE)
        return (struct mq_cbor_item){.type = MQ_CBOR_TRUE};
    if (number != SIMPLE_NULL)
        reader->failed = true;
    return (struct mq_cbor_item){.type = MQ_CBOR_NULL};
}

static struct mq_cbor_item get_item(struct mq_reader *reader)
{
    uint8_t initial = mq_get_u8(reader);
    uint64_t number = get_argument(reader, initial & 0x1fu);

    switch ((enum major)(initial >> 5)) {
    case MAJOR_UINT:
        return (struct mq_cbor_item){.type = MQ_CBOR_UINT, .number = number};
    case MAJOR_NEGATIVE:
        return (struct mq_cbor_item){.type = MQ_CBOR_NEGATIVE, .number = number};
    case MAJOR_BYTES:
        return get_string(reader, MQ_CBOR_BYTES, number);
    case MAJOR_TEXT:
        return get_string(reader, MQ_CBOR_TEXT, number);
    case MAJOR_ARRAY:
        return get_container(reader, MQ_CBOR_ARRAY, number);
    case MAJOR_MAP:
        return get_container(reader, MQ_CBOR_MAP, number);
    case MAJOR_TAG:
        if (number != TAG_REFERENCE)
            reader->failed = true;
        return (struct mq_cbor_item){.type = MQ_CBOR_REFERENCE};
    case MAJOR_SIMPLE:
        return get_simple(reader, number);
    }
    MQ_NO_OTHER(); /* three bits, eight cases */
}

/* A reference is an index or a record's id. `ahead` is a copy: the item stays to be read. */
static bool reference_follows(struct mq_reader ahead)
{
    struct mq_cbor_item item = get_item(&ahead);

    return !ahead.failed &&
           (item.type == MQ_CBOR_UINT || (item.type == MQ_CBOR_BYTES && item.bytes.size == MQ_ID_SIZE));
}

struct mq_cbor_item mq_cbor_next(struct mq_reader *reader)
{
    struct mq_cbor_item item = get_item(reader);

    if (!reader->failed && item.type == MQ_CBOR_REFERENCE && !reference_follows(*reader))
        reader->failed = true;
    if (reader->failed)
        return (struct mq_cbor_item){.type = MQ_CBOR_NULL, .bytes = mq_span(NULL, 0)};
    return item;
}

struct mq_span mq_cbor_take(struct mq_reader *reader)
{
    size_t start = reader->at;
    uint64_t items = 1;

    while (items > 0) {
        struct mq_cbor_item item = mq_cbor_next(reader);
        items--;
        if (item.type == MQ_CBOR_ARRAY)
            items += item.number;
        else if (item.type == MQ_CBOR_MAP)
            items += 2 * item.number;
        else if (item.type == MQ_CBOR_REFERENCE)
            items++;
        /* Also keeps the sum from ever overflowing. */
        if (items > mq_left(reader))
            reader->failed = true;
        if (reader->failed)
            return mq_span(NULL, 0);
    }
    return mq_span(reader->data + start, reader->at - start);
}

/* The next item, which must be of this type with a number of at most `most`. */
static struct mq_cbor_item expect(struct mq_reader *reader, enum mq_cbor_type type, uint64_t most)
{
    struct mq_cbor_item item = mq_cbor_next(reader);

    if (item.type != type || item.number > most)
        reader->failed = true;
    if (reader->failed)
        return (struct mq_cbor_item){.type = MQ_CBOR_NULL, .bytes = mq_span(NULL, 0)};
    return item;
}

uint64_t mq_cbor_uint(struct mq_reader *reader)
{
    return expect(reader, MQ_CBOR_UINT, UINT64_MAX).number;
}

int64_t mq_cbor_int(struct mq_reader *reader)
{
    struct mq_cbor_item item = mq_cbor_next(reader);
    bool negative = item.type == MQ_CBOR_NEGATIVE;

    if ((item.type != MQ_CBOR_UINT && !negative) || item.number > INT64_MAX)
        reader->failed = true;
    if (reader->failed)
        return 0;
    return negative ? -1 - (int64_t)item.number : (int64_t)item.number;
}

uint64_t mq_cbor_array(struct mq_reader *reader, uint64_t most)
{
    return expect(reader, MQ_CBOR_ARRAY, most).number;
}

uint64_t mq_cbor_map(struct mq_reader *reader, uint64_t most)
{
    return expect(reader, MQ_CBOR_MAP, most).number;
}

struct mq_span mq_cbor_bytes(struct mq_reader *reader, size_t most)
{
    return expect(reader, MQ_CBOR_BYTES, most).bytes;
}

struct mq_span mq_cbor_text(struct mq_reader *reader, size_t most)
{
    return expect(reader, MQ_CBOR_TEXT, most).bytes;
}

/* Validity. */

/* An array or map of which `left` items (of a map: keys and values together) are still to come. */
struct level {
    bool map;
    uint64_t left;
    struct mq_span key; /* the last one; empty before the first, which no encoding is */
};

/* Keys are integers or strings, in rising order. A reference may not be a key: its order would change when it is
 * expanded to a record's id. */
static bool key_fits(struct level *level, enum mq_cbor_type type, struct mq_span key)
{
    bool simple = type == MQ_CBOR_UINT || type == MQ_CBOR_NEGATIVE || type == MQ_CBOR_BYTES || type == MQ_CBOR_TEXT;
    bool rising = mq_span_order(level->key, key) < 0;

    level->key = key;
    return simple && rising;
}

/* One pass with a stack of MQ_CBOR_DEPTH_MAX open containers; each key is compared with its neighbour once. */
bool mq_cbor_valid(struct mq_span encoded)
{
    struct mq_reader reader = mq_reader(encoded);
    struct level levels[MQ_CBOR_DEPTH_MAX];
    size_t depth = 0;

    do {
        size_t start = reader.at;
        struct mq_cbor_item item = mq_cbor_next(&reader);
        if (item.type == MQ_CBOR_REFERENCE)
            (void)mq_cbor_next(&reader);
        if (reader.failed)
            return false;
        if (depth > 0) {
            struct level *level = &levels[depth - 1];
            bool key = level->map && level->left % 2 == 0;
            if (key && !key_fits(level, item.type, mq_span(encoded.data + start, reader.at - start)))
                return false;
            level->left--;
        }
        if (item.type == MQ_CBOR_ARRAY || item.type == MQ_CBOR_MAP) {
            bool map = item.type == MQ_CBOR_MAP;
            if (depth == MQ_CBOR_DEPTH_MAX)
                return false;
            levels[depth++] = (struct level){.map = map, .left = map ? 2 * item.number : item.number};
        }
        while (depth > 0 && levels[depth - 1].left == 0)
            depth--;
    } while (depth > 0);
    return mq_reader_done(&reader);
}

/* Bytes of a character by its first byte; 0 where none begins so. */
static size_t utf8_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* UTF-8 as RFC 3629 has it: no longer form than needed, no surrogates, nothing above U+10FFFF. */
bool mq_utf8_valid(struct mq_span text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < text.size;) {
        size_t size = utf8_size(text.data[i]);
        if (size == 0 || size > text.size - i)
            return false;
        uint32_t point = size == 1 ? text.data[i] : text.data[i] & (0x7fu >> size);
        for (size_t j = 1; j < size; j++) {
            if ((text.data[i + j] & 0xc0u) != 0x80)
                return false;
            point = point << 6 | (text.data[i + j] & 0x3fu);
        }
        if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        i += size;
    }
    return true;
}

bool mq_utf8_controls(struct mq_span text, bool lines)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 && !(lines && (byte == '\n' || byte == '\t')))
            return true;
        MQ_ASSERT(byte != 0xc2 || i + 1 < text.size); /* `text` is UTF-8 */
        if (byte == 0x7f || (byte == 0xc2 && text.data[i + 1] < 0xa0))
            return true;
    }
    return false;
}

bool mq_utf8_line(struct mq_span text)
{
    return mq_utf8_valid(text) && !mq_utf8_controls(text, false);
}
