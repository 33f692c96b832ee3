/* Short pieces of a text, as numbers. */
#include "replica/search_grams.h"

#include "protocol/fold.h"

static uint16_t gram(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t mixed = (a * 0x9e3779b1u) ^ (b * 0x85ebca77u + 0x27220a95u) ^ (c * 0xc2b2ae3du);

    mixed ^= mixed >> 15;
    mixed *= 0x2c1b3c6du;
    return (uint16_t)(mixed >> 16);
}

static bool is_plain(uint32_t character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z');
}

static void put(struct mq_grams *grams, uint16_t number)
{
    uint64_t bit = (uint64_t)1 << number % 64;

    grams->count += (grams->seen[number / 64] & bit) == 0;
    grams->seen[number / 64] |= bit;
}

void mq_grams_add(struct mq_grams *grams, struct mq_span text)
{
    uint32_t before = 0, last = 0;

    for (uint32_t next = mq_fold_next(&text); next != 0; next = mq_fold_next(&text)) {
        if (next == '\n') {
            before = last = 0;
            continue;
        }
        put(grams, gram(next, 0, 0));
        if (last != 0)
            put(grams, gram(last, next, 0));
        if (is_plain(before) && is_plain(last) && is_plain(next))
            put(grams, gram(before, last, next));
        before = last;
        last = next;
    }
}

void mq_grams_list(struct mq_grams *grams, struct mq_buffer *out)
{
    for (uint32_t first = 0; first < MQ_GRAMS; first += 64) {
        uint64_t seen = grams->seen[first / 64];
        for (; seen != 0; seen &= seen - 1)
            mq_put_u16(out, (uint16_t)(first + (uint32_t)__builtin_ctzll(seen)));
        grams->seen[first / 64] = 0;
    }
    grams->count = 0;
}

bool mq_grams_have(struct mq_span list, uint16_t number)
{
    size_t low = 0, high = list.size / 2;

    while (low < high) {
        size_t middle = (low + high) / 2;
        uint32_t there = (uint32_t)list.data[2 * middle] << 8 | list.data[2 * middle + 1];
        if (there == number)
            return true;
        if (there < number)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The longest piece that begins at the front of `word`. */
static uint16_t longest_at(struct mq_span word)
{
    uint32_t a = mq_fold_next(&word), b = mq_fold_next(&word), c = mq_fold_next(&word);

    return gram(a, b, is_plain(a) && is_plain(b) && is_plain(c) ? c : 0);
}

/* From the front, from the end and between: pieces that lie apart say more than neighbours. */
size_t mq_grams_of_word(struct mq_span word, uint16_t *out, size_t most)
{
    size_t length = 0, count = 0, at = 0;
    struct mq_span rest = word;

    while (mq_fold_next(&rest) != 0)
        length++;
    size_t starts = length > 1 ? length - 1 : 1, wanted = starts < most ? starts : most;
    for (rest = word; count < wanted; at++) {
        if (at == (wanted > 1 ? count * (starts - 1) / (wanted - 1) : 0))
            out[count++] = longest_at(rest);
        (void)mq_fold_next(&rest);
    }
    return count;
}
