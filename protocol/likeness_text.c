/* What people said, compared: by what they speak of, and by the characters that they share. */
#include "protocol/likeness.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/fold.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* What weighs how much among the words of the table. */
enum {
    WEIGHT_TOPIC = 4,
    WEIGHT_ASPECT = 1
};
enum {
    SCORE_EQUAL = 1000,
    SCORE_WITHIN = 900
};
#define PAIRS_LEAST 3 /* fewer shared pairs of characters say nothing ... */
#define SINGLES_LEAST 2 /* ... nor do fewer shared characters */

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* ---- numbers ---- */

/* A text as characters; longer ones are cut, which may only make them look less alike. */
struct line {
    uint32_t characters[MQ_ALIKE_TEXT_MAX];
    size_t count;
};

static uint32_t character_of(const char *text)
{
    struct mq_span span = mq_span_text(text);
    return mq_fold_next(&span);
}

/* Of 〇 to 九 and 0 to 9; -1: none. 两 counts as two. */
static int digit_of(uint32_t character)
{
    static const char *const digits[] = {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"};

    if (character >= '0' && character <= '9')
        return (int)(character - '0');
    if (character == character_of("零"))
        return 0;
    if (character == character_of("两"))
        return 2;
    for (size_t i = 0; i < COUNT_OF(digits); i++)
        if (character == character_of(digits[i]))
            return (int)i;
    return -1;
}

static uint64_t unit_of(uint32_t character)
{
    static const struct {
        const char *text;
        uint64_t value;
    } units[] = {{"十", 10}, {"百", 100}, {"千", 1000}, {"万", 10000}};

    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (character == character_of(units[i].text))
            return units[i].value;
    return 0;
}

/* The number that begins at `*at`, which moves behind it: 13000, 十三, 一万三 (and what is left out at its end is
 * counted in: one unit below the last), 3.5万 as 35000. False: none begins there. */
static bool number_take(const struct line *line, size_t *at, uint64_t *out)
{
    uint64_t total = 0, digits = 0, unit, last = 1;
    bool pending = false, any = false;
    size_t i = *at;

    for (; i < line->count; i++) {
        int digit = digit_of(line->characters[i]);
        if (digit >= 0) {
            if (digit == 0 && !pending)
                last = 1; /* 一百零五: a unit that is not said was not left out */
            digits = pending && digits < 1000000000u ? digits * 10 + (uint64_t)digit : (uint64_t)digit;
            pending = any = true;
        } else if ((unit = unit_of(line->characters[i])) > 0 && (pending || (unit == 10 && !any))) {
            uint64_t base = pending ? digits : 1;
            total = unit == 10000 ? (total + base) * unit : total + base * unit;
            last = unit;
            digits = 0;
            pending = false;
            any = true;
        } else {
            break;
        }
    }
    if (!any)
        return false;
    *out = total + (pending && last > 10 && digits < 10 ? digits * (last / 10) : digits);
    *at = i;
    return true;
}

/* ---- groups ---- */

static size_t suffix_of_group(const struct line *line, size_t at)
{
    static const char *const suffixes[] = {"村民小组", "村民组", "小组", "组", "社", "屯", "寨", "队"};

    for (size_t s = 0; s < COUNT_OF(suffixes); s++) {
        struct mq_span text = mq_span_text(suffixes[s]);
        size_t count = 0;
        uint32_t one;
        while ((one = mq_fold_next(&text)) != 0 && at + count < line->count && line->characters[at + count] == one)
            count++;
        if (one == 0)
            return count;
    }
    return 0;
}

static void line_read(struct line *line, struct mq_span text)
{
    line->count = 0;
    for (uint32_t one = mq_fold_next(&text); one != 0 && line->count < MQ_ALIKE_TEXT_MAX; one = mq_fold_next(&text))
        line->characters[line->count++] = one;
}

uint64_t mq_alike_group(struct mq_span text)
{
    struct line line;
    uint64_t number, hash = 6;
    size_t at = 0, count;

    line_read(&line, text);
    if (line.count == 0)
        return 0;
    if (line.characters[0] == character_of("第"))
        at++;
    if (number_take(&line, &at, &number) && (at == line.count || at + suffix_of_group(&line, at) == line.count))
        return mixed(7, number) | 1;
    for (count = line.count; count > 1 && suffix_of_group(&line, count - 1) == line.count - count + 1; count--)
        ;
    for (size_t i = 0; i < count; i++)
        hash = mixed(hash, line.characters[i]);
    return hash | 1;
}

/* ---- reading a text ---- */

static void dictionary_put(struct mq_alike_dictionary *out, size_t row, size_t at, size_t length)
{
    struct mq_span word = {(const uint8_t *)mq_alike_words[row].words + at, length};
    uint32_t first = mq_fold_next(&word);
    size_t place = out->count++;

    MQ_ASSERT(place < MQ_ALIKE_WORDS_MAX && length > 0);
    for (; place > 0 && out->entries[place - 1].first > first; place--)
        out->entries[place] = out->entries[place - 1];
    out->entries[place] = (struct mq_alike_entry){first, (uint16_t)row, (uint16_t)at, (uint16_t)length};
}

void mq_alike_dictionary_make(struct mq_alike_dictionary *out)
{
    uint8_t bits[MQ_WORD_PERSON + 1] = {0};

    memset(out, 0, sizeof *out);
    for (size_t row = 0; row < mq_alike_word_count; row++) {
        const char *words = mq_alike_words[row].words;
        out->bits[row] = bits[mq_alike_words[row].word_class]++;
        for (size_t at = 0, size = strlen(words); at < size;) {
            const char *blank = strchr(words + at, ' ');
            size_t length = blank == NULL ? size - at : (size_t)(blank - words) - at;
            dictionary_put(out, row, at, length);
            at += length + 1;
        }
    }
}

/* The longest word that begins here: its row, and its length in `*length` (0: none). */
static size_t word_at(const struct mq_alike_dictionary *dictionary, const struct line *line, size_t at, size_t *length)
{
    size_t low = 0, high = dictionary->count, best = 0;

    *length = 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dictionary->entries[middle].first < line->characters[at])
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < dictionary->count && dictionary->entries[low].first == line->characters[at]; low++) {
        const struct mq_alike_entry *entry = &dictionary->entries[low];
        struct mq_span word = {(const uint8_t *)mq_alike_words[entry->row].words + entry->at, entry->length};
        size_t count = 0;
        uint32_t one;
        while ((one = mq_fold_next(&word)) != 0 && at + count < line->count && line->characters[at + count] == one)
            count++;
        if (one == 0 && count > *length) {
            *length = count;
            best = entry->row;
        }
    }
    return best;
}

static void note_word(struct mq_alike_text *out, enum mq_alike_word_class word_class, unsigned bit)
{
    switch (word_class) {
    case MQ_WORD_TOPIC:
        MQ_ASSERT(bit < 128);
        out->topics[bit / 64] |= (uint64_t)1 << bit % 64;
        return;
    case MQ_WORD_ASPECT:
        MQ_ASSERT(bit < 64);
        out->aspects |= (uint64_t)1 << bit;
        return;
    case MQ_WORD_PERSON:
        MQ_ASSERT(bit < 64);
        out->persons |= (uint64_t)1 << bit;
        return;
    }
}

static void note_words(struct mq_alike_text *out, const struct mq_alike_dictionary *dictionary, const struct line *line)
{
    for (size_t at = 0, length; at < line->count; at += length > 0 ? length : 1) {
        size_t row = word_at(dictionary, line, at, &length);
        if (length > 0)
            note_word(out, mq_alike_words[row].word_class, dictionary->bits[row]);
    }
}

static void note_numbers(struct mq_alike_text *out, const struct line *line)
{
    for (size_t at = 0; at < line->count;) {
        uint64_t number;
        if (!number_take(line, &at, &number)) {
            at++;
            continue;
        }
        if (suffix_of_group(line, at) > 0 && number < 100) {
            if (out->group_count < MQ_ALIKE_GROUPS_MAX)
                out->groups[out->group_count++] = mixed(7, number) | 1;
        } else if (number >= 100 && number <= UINT32_MAX && out->amount_count < MQ_ALIKE_AMOUNTS_MAX) {
            out->amounts[out->amount_count++] = (uint32_t)number;
        }
    }
}

static bool is_letter_of_words(uint32_t character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           (character > 0x2fff && character != character_of("。") && character != character_of("、")) || /* ，！？ are folded */
           (character >= 0xc0 && character < 0x2000);
}

/* Characters that stand in nearly every sentence. */
static bool says_nothing(uint32_t character)
{
    static const char common[] = "的了没不有想要家一二三两个人去来到上下在是我你他她们得子里就也还都说会能和给把被从过大小多少年月日天今明后前点些么什怎这那为因所以好做打出起着吧呢啊";
    struct mq_span rest = mq_span(common, sizeof common - 1);

    for (uint32_t one = mq_fold_next(&rest); one != 0; one = mq_fold_next(&rest))
        if (one == character)
            return true;
    return false;
}

static unsigned bits_in(uint64_t word)
{
    unsigned count = 0;

    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

static void note_pairs(struct mq_alike_text *out, const struct line *line)
{
    uint32_t before = 0;
    uint64_t whole = 8;

    for (size_t i = 0; i < line->count; i++) {
        uint32_t one = line->characters[i];
        if (!is_letter_of_words(one)) {
            before = 0;
            continue;
        }
        whole = mixed(whole, one);
        uint64_t bit = mixed(mixed(9, before), one) % (64 * MQ_ALIKE_PAIR_WORDS);
        if (before != 0)
            out->pairs[bit / 64] |= (uint64_t)1 << bit % 64;
        bit = mixed(10, one) % (64 * MQ_ALIKE_PAIR_WORDS);
        if (!says_nothing(one))
            out->single[bit / 64] |= (uint64_t)1 << bit % 64;
        before = one;
    }
    out->whole = whole;
    for (size_t i = 0; i < MQ_ALIKE_PAIR_WORDS; i++) {
        out->pair_count += bits_in(out->pairs[i]);
        out->single_count += bits_in(out->single[i]);
    }
}

void mq_alike_text_read(struct mq_alike_text *out, const struct mq_alike_dictionary *dictionary, struct mq_span text)
{
    struct line line;

    memset(out, 0, sizeof *out);
    line_read(&line, text);
    note_words(out, dictionary, &line);
    note_numbers(out, &line);
    note_pairs(out, &line);
}

/* ---- two of them ---- */

static unsigned shared_bits(const uint64_t *a, const uint64_t *b)
{
    unsigned count = 0;

    for (size_t i = 0; i < MQ_ALIKE_PAIR_WORDS; i++)
        count += bits_in(a[i] & b[i]);
    return count;
}

/* How much of their characters two texts share, in pairs or alone, whichever says more. */
static unsigned characters_alike(const struct mq_alike_text *a, const struct mq_alike_text *b, unsigned shared,
                                 unsigned fewer)
{
    unsigned alone = shared_bits(a->single, b->single);
    unsigned pairs = shared < PAIRS_LEAST ? 0 : 600 * 2 * shared / (a->pair_count + b->pair_count) + 400 * shared / fewer;
    unsigned singles = alone < SINGLES_LEAST ? 0 : 2000 * alone / (a->single_count + b->single_count);

    return singles > pairs ? singles : pairs;
}

static unsigned weight(uint64_t first, uint64_t second, uint64_t aspects)
{
    return WEIGHT_TOPIC * (bits_in(first) + bits_in(second)) + WEIGHT_ASPECT * bits_in(aspects);
}

struct mq_alike mq_alike_texts(const struct mq_alike_text *a, const struct mq_alike_text *b)
{
    unsigned fewer = a->pair_count < b->pair_count ? a->pair_count : b->pair_count, shared = shared_bits(a->pairs, b->pairs);
    uint64_t first = a->topics[0] & b->topics[0], second = a->topics[1] & b->topics[1];
    bool both_speak = (a->topics[0] | a->topics[1]) != 0 && (b->topics[0] | b->topics[1]) != 0;

    if (fewer == 0)
        return (struct mq_alike){0};
    if (a->whole == b->whole)
        return (struct mq_alike){SCORE_EQUAL, MQ_ALIKE_SAME_WORDS};
    if (shared == fewer && fewer >= PAIRS_LEAST)
        return (struct mq_alike){SCORE_WITHIN, MQ_ALIKE_WORDS_WITHIN};
    struct mq_alike result = {characters_alike(a, b, shared, fewer), MQ_ALIKE_WORDS_ALIKE};
    if ((first | second) != 0) { /* two witnesses: what is spoken of, and how */
        unsigned both = weight(first, second, a->aspects & b->aspects);
        unsigned all = weight(a->topics[0], a->topics[1], a->aspects) + weight(b->topics[0], b->topics[1], b->aspects);
        unsigned topics = 2000 * both / all;
        result.score = topics + (SCORE_EQUAL - topics) * result.score / SCORE_EQUAL * 6 / 10;
    } else if (both_speak) { /* of other things, in words that happen to be alike */
        result.score /= 2;
    }
    return result.score > 0 ? result : (struct mq_alike){0};
}

static bool none_shared(const void *a, size_t a_count, const void *b, size_t b_count, size_t size)
{
    if (a_count == 0 || b_count == 0)
        return false;
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            if (memcmp((const char *)a + i * size, (const char *)b + j * size, size) == 0)
                return false;
    return true;
}

bool mq_alike_texts_differ(const struct mq_alike_text *a, const struct mq_alike_text *b)
{
    return (a->persons != 0 && b->persons != 0 && (a->persons & b->persons) == 0) ||
           none_shared(a->groups, a->group_count, b->groups, b->group_count, sizeof *a->groups) ||
           none_shared(a->amounts, a->amount_count, b->amounts, b->amount_count, sizeof *a->amounts);
}

bool mq_alike_same_amount(const struct mq_alike_text *a, const struct mq_alike_text *b)
{
    return a->amount_count > 0 && b->amount_count > 0 &&
           !none_shared(a->amounts, a->amount_count, b->amounts, b->amount_count, sizeof *a->amounts);
}
