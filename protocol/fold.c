/* Text as search compares it. */
#include "protocol/fold.h"

/* Characters from `first` to `last` move by `by`; SKIPPED: they are left out. Sorted. */
struct range {
    uint32_t first, last;
    int32_t by;
};
#define SKIPPED INT32_MAX

static const struct range ranges[] = {
    {0x0009, 0x0009, SKIPPED}, {0x0020, 0x0020, SKIPPED}, {0x0027, 0x0027, SKIPPED}, {0x002d, 0x002e, SKIPPED},
    {0x0041, 0x005a, 0x20},    {0x0060, 0x0060, SKIPPED}, {0x00a0, 0x00a0, SKIPPED}, {0x00b7, 0x00b7, SKIPPED},
    {0x00c0, 0x00d6, 0x20},    {0x00d8, 0x00db, 0x20},    {0x00dc, 0x00dc, 'v' - 0xdc}, {0x00dd, 0x00de, 0x20},
    {0x00fc, 0x00fc, 'v' - 0xfc}, {0x02bc, 0x02bc, SKIPPED}, {0x0387, 0x0387, SKIPPED}, {0x0391, 0x03a9, 0x20},
    {0x0400, 0x040f, 0x50},    {0x0410, 0x042f, 0x20},    {0x16eb, 0x16eb, SKIPPED}, {0x2000, 0x2015, SKIPPED},
    {0x2018, 0x2019, SKIPPED}, {0x2022, 0x2022, SKIPPED}, {0x2024, 0x2024, SKIPPED}, {0x2027, 0x2027, SKIPPED},
    {0x202f, 0x202f, SKIPPED}, {0x205f, 0x2060, SKIPPED}, {0x2219, 0x2219, SKIPPED}, {0x22c5, 0x22c5, SKIPPED},
    {0x3000, 0x3000, SKIPPED}, {0x30fb, 0x30fb, SKIPPED}, {0xfe00, 0xfe0f, SKIPPED}, {0xfeff, 0xfeff, SKIPPED},
    {0xff07, 0xff07, SKIPPED}, {0xff0d, 0xff0e, SKIPPED}, {0xff21, 0xff3a, 0x20 - 0xfee0}, {0xff40, 0xff40, SKIPPED},
    {0xff65, 0xff65, SKIPPED}, {0xe0100, 0xe01ef, SKIPPED},
};
/* The full-width forms that the rows above leave. */
#define WIDE_FIRST 0xff01u
#define WIDE_LAST 0xff5eu
#define WIDE_BY 0xfee0u
#define HAN_FIRST 0x3400u /* nothing moves from here to HAN_LAST: most characters need no search */
#define HAN_LAST 0x9fffu

static uint32_t moved(uint32_t character)
{
    size_t low = 0, high = sizeof ranges / sizeof *ranges;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (character > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < sizeof ranges / sizeof *ranges && character >= ranges[low].first)
        return ranges[low].by == SKIPPED ? 0 : (uint32_t)((int32_t)character + ranges[low].by);
    return character >= WIDE_FIRST && character <= WIDE_LAST ? character - WIDE_BY : character;
}

/* One character of UTF-8 and its length; a byte that begins none is taken alone. */
static uint32_t decoded(struct mq_span text, size_t *size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = text.data[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    uint32_t point = length <= 1 ? lead : lead & (0x7fu >> length);

    *size = 1;
    if (length == 1)
        return lead;
    if (length == 0 || length > text.size)
        return MQ_FOLD_BAD + lead;
    for (size_t i = 1; i < length; i++) {
        if ((text.data[i] & 0xc0u) != 0x80)
            return MQ_FOLD_BAD + lead;
        point = point << 6 | (text.data[i] & 0x3fu);
    }
    if (point < least[length] || point >= MQ_FOLD_BAD)
        return MQ_FOLD_BAD + lead;
    *size = length;
    return point;
}

uint32_t mq_fold_next(struct mq_span *text)
{
    while (text->size > 0) {
        size_t size;
        uint32_t point = decoded(*text, &size);
        *text = (struct mq_span){text->data + size, text->size - size};
        uint32_t folded = point >= HAN_FIRST && point <= HAN_LAST ? point : moved(point);
        if (folded != 0)
            return folded;
    }
    return 0;
}

void mq_fold_put(struct mq_buffer *out, uint32_t character)
{
    if (character < 0x80 || character >= MQ_FOLD_BAD) {
        mq_put_u8(out, (uint8_t)(character & 0xffu));
        return;
    }
    if (character < 0x800) {
        mq_put_u8(out, (uint8_t)(0xc0 | character >> 6));
    } else if (character < 0x10000) {
        mq_put_u8(out, (uint8_t)(0xe0 | character >> 12));
        mq_put_u8(out, (uint8_t)(0x80 | (character >> 6 & 0x3f)));
    } else {
        mq_put_u8(out, (uint8_t)(0xf0 | character >> 18));
        mq_put_u8(out, (uint8_t)(0x80 | (character >> 12 & 0x3f)));
        mq_put_u8(out, (uint8_t)(0x80 | (character >> 6 & 0x3f)));
    }
    mq_put_u8(out, (uint8_t)(0x80 | (character & 0x3f)));
}

void mq_fold(struct mq_buffer *out, struct mq_span text)
{
    for (uint32_t character = mq_fold_next(&text); character != 0; character = mq_fold_next(&text))
        mq_fold_put(out, character);
}
