/* How characters sound, and what people type for them. The word is a row of positions, of which a set is reachable after
 * each character of the text: all ways to read the text are followed at once. */
#include "protocol/pinyin.h"

#include <string.h>

#include "protocol/fold.h"

#include "generated/pinyin.h"

#define INDEX_COUNT (sizeof pinyin_index / sizeof *pinyin_index)

/* Where the readings of a character begin in the pool; 0: it has none. */
static size_t pool_at(uint32_t character)
{
    size_t page = character / MQ_PINYIN_PAGE;

    return page < INDEX_COUNT ? pinyin_pages[pinyin_index[page] * MQ_PINYIN_PAGE + character % MQ_PINYIN_PAGE] : 0;
}

size_t mq_pinyin_readings(uint32_t character, const char *out[], size_t most)
{
    size_t at = pool_at(character), count = 0;

    for (bool more = at != 0; more && count < most; at++) {
        out[count++] = pinyin_syllables[pinyin_pool[at] & (MQ_PINYIN_LAST - 1)];
        more = (pinyin_pool[at] & MQ_PINYIN_LAST) == 0;
    }
    return count;
}

/* ---- a word against a text ---- */

struct positions {
    uint64_t bits[MQ_PINYIN_BLOCKS];
};

static bool is_letter(uint32_t character)
{
    return character >= 'a' && character <= 'z';
}

static const uint64_t *places_of(const struct mq_pinyin_word *word, uint32_t character)
{
    if (is_letter(character))
        return word->letters[character - 'a'];
    for (size_t i = 0; i < word->other_count; i++)
        if (word->others[i] == character)
            return word->other_at[i];
    return NULL;
}

bool mq_pinyin_word(struct mq_pinyin_word *out, struct mq_span word)
{
    memset(out, 0, sizeof *out);
    for (uint32_t character = mq_fold_next(&word); character != 0; character = mq_fold_next(&word)) {
        if (out->length == MQ_SEARCH_WORD_MAX)
            return false;
        if (!is_letter(character) && places_of(out, character) == NULL)
            out->others[out->other_count++] = character;
        uint64_t *places = is_letter(character) ? out->letters[character - 'a'] : NULL;
        for (size_t i = 0; places == NULL; i++)
            if (out->others[i] == character)
                places = out->other_at[i];
        places[out->length / MQ_PINYIN_BITS] |= (uint64_t)1 << out->length % MQ_PINYIN_BITS;
        out->length++;
    }
    out->blocks = out->length / MQ_PINYIN_BITS + 1;
    return out->length > 0;
}

/* From every position in `from` at which `places` (or `also`) has the character, one on. False: there is none. */
static bool step(const struct mq_pinyin_word *word, struct positions *from, const uint64_t *places, const uint64_t *also)
{
    uint64_t carry = 0, any = 0;

    for (size_t i = 0; i < word->blocks; i++) {
        uint64_t here = from->bits[i] & (places[i] | also[i]);
        from->bits[i] = here << 1 | carry;
        carry = here >> (MQ_PINYIN_BITS - 1);
        any |= from->bits[i];
    }
    return any != 0;
}

static void join(const struct mq_pinyin_word *word, struct positions *into, const struct positions *other)
{
    for (size_t i = 0; i < word->blocks; i++)
        into->bits[i] |= other->bits[i];
}

/* All positions that one character of the text leads to. */
static struct positions after(const struct mq_pinyin_word *word, const struct positions *before, uint32_t character)
{
    struct positions result = {{0}}, way = *before;
    const uint64_t *places = places_of(word, character);
    const uint64_t *const u = word->letters['u' - 'a'];
    size_t at = pool_at(character);

    if (places != NULL && step(word, &way, places, places))
        join(word, &result, &way);
    for (bool more = at != 0; more; at++) {
        const char *syllable = pinyin_syllables[pinyin_pool[at] & (MQ_PINYIN_LAST - 1)];
        way = *before;
        for (; *syllable != '\0'; syllable++) {
            places = word->letters[*syllable - 'a'];
            if (!step(word, &way, places, *syllable == 'v' ? u : places))
                break;
            join(word, &result, &way);
        }
        more = (pinyin_pool[at] & MQ_PINYIN_LAST) == 0;
    }
    return result;
}

bool mq_pinyin_matches(const struct mq_pinyin_word *word, struct mq_span text, bool from_start)
{
    struct positions reached = {{1}};

    for (uint32_t character = mq_fold_next(&text); character != 0; character = mq_fold_next(&text)) {
        reached = after(word, &reached, character);
        if (reached.bits[word->length / MQ_PINYIN_BITS] >> word->length % MQ_PINYIN_BITS & 1)
            return true;
        if (!from_start)
            reached.bits[0] |= 1;
    }
    return false;
}

/* ---- names ---- */

static bool sounds_alike(uint32_t a, uint32_t b)
{
    const char *first[MQ_PINYIN_READINGS_MAX], *second[MQ_PINYIN_READINGS_MAX];

    if (a == b)
        return true;
    size_t first_count = mq_pinyin_readings(a, first, MQ_PINYIN_READINGS_MAX);
    size_t second_count = mq_pinyin_readings(b, second, MQ_PINYIN_READINGS_MAX);
    for (size_t i = 0; i < first_count; i++)
        for (size_t j = 0; j < second_count; j++)
            if (first[i] == second[j])
                return true;
    return false;
}

bool mq_pinyin_same(struct mq_span a, struct mq_span b)
{
    for (bool some = false;; some = true) {
        uint32_t first = mq_fold_next(&a), second = mq_fold_next(&b);
        if (first == 0 || second == 0)
            return some && first == second;
        if (!sounds_alike(first, second))
            return false;
    }
}

static struct mq_span without_kind_of_place(struct mq_span name)
{
    static const char *const kinds[] = {"村民委员会", "居民委员会", "村委会", "居委会", "社区", "街道", "村", "镇", "乡"};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct mq_span kind = mq_span_text(kinds[i]);
        if (name.size > kind.size && memcmp(name.data + name.size - kind.size, kind.data, kind.size) == 0)
            return mq_span(name.data, name.size - kind.size);
    }
    return name;
}

void mq_pinyin_initials(struct mq_span name, struct mq_buffer *out)
{
    const char *reading;
    struct mq_span rest = without_kind_of_place(name);

    for (uint32_t character = mq_fold_next(&rest); character != 0; character = mq_fold_next(&rest)) {
        if (character >= '0' && character <= '9')
            mq_put_u8(out, (uint8_t)character);
        else if (is_letter(character))
            mq_put_u8(out, (uint8_t)(character - 'a' + 'A'));
        else if (mq_pinyin_readings(character, &reading, 1) == 1)
            mq_put_u8(out, (uint8_t)(reading[0] - 'a' + 'A'));
    }
}
