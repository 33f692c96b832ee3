/* Names, telephones and groups, compared. */
#include "protocol/likeness.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/fold.h"
#include "protocol/pinyin.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Scores, in one place. */
enum {
    SCORE_EQUAL = 1000,
    SCORE_GENERAL = 850,     /* equal, but many are called so */
    SCORE_SOUND = 950,       /* three characters or more sound the same ... */
    SCORE_SOUND_SHORT = 850, /* ... or two */
    SCORE_NEAR = 830,
    SCORE_NEAR_SHORT = 700,
    SCORE_TURNED = 830,
    SCORE_LEFT_OUT = 830,
    SCORE_FIRST_PART = 700,
    SCORE_ONE_OF_MANY = 900, /* one character of six or more */
    SCORE_ONE_OF_FEW = 500,
    SCORE_NICKNAME = 900,
    SCORE_NICKNAME_PART = 850, /* 二毛 for 朱二毛 */
    SCORE_PHONE_END = 900,
    SCORE_PHONE_DIGIT = 300
};
#define LONG_NAME 6

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u; /* an odd number near 2^64 divided by the golden ratio */
    return hash ^ hash >> 32;
}

/* ---- sounds ---- */

/* What several dialects do not tell apart becomes one: the first of each pair is written as the second. */
static const char *const initials[][2] = {{"zh", "z"}, {"ch", "c"}, {"sh", "s"}, {"l", "n"}};
static const char *const finals[][2] = {{"ang", "an"}, {"eng", "en"}, {"ing", "in"}};
static const char *const whole[][2] = {{"hu", "fu"}, {"huang", "wan"}, {"wang", "wan"}};

static bool starts_with(const char *text, const char *start)
{
    return strlen(text) >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* A syllable as dialects hear it; `out` has room for the longest syllable. */
static void dialect(const char *syllable, char out[8])
{
    MQ_ASSERT(strlen(syllable) < 8);
    for (size_t i = 0; i < COUNT_OF(whole); i++)
        if (strcmp(syllable, whole[i][0]) == 0) {
            memcpy(out, whole[i][1], strlen(whole[i][1]) + 1);
            return;
        }
    const char *begin = "", *end = "";
    size_t cut_front = 0, cut_back = 0;
    for (size_t i = 0; i < COUNT_OF(initials) && cut_front == 0; i++)
        if (starts_with(syllable, initials[i][0])) {
            cut_front = strlen(initials[i][0]);
            begin = initials[i][1];
        }
    for (size_t i = 0; i < COUNT_OF(finals) && cut_back == 0; i++)
        if (ends_with(syllable, finals[i][0])) {
            cut_back = strlen(finals[i][0]);
            end = finals[i][1];
        }
    struct mq_buffer text = mq_buffer(out, 8);
    mq_put_text(&text, begin);
    mq_put(&text, syllable + cut_front, strlen(syllable) - cut_front - cut_back);
    mq_put_text(&text, end);
    mq_put_u8(&text, '\0');
    MQ_ASSERT(!text.failed);
}

enum sound {
    SOUND_OTHER,
    SOUND_NEAR,
    SOUND_SAME
};

/* Of two different characters. */
static enum sound compare(uint32_t a, uint32_t b)
{
    const char *first[MQ_PINYIN_READINGS_MAX], *second[MQ_PINYIN_READINGS_MAX];
    char heard[8], other[8];
    enum sound best = SOUND_OTHER;

    size_t first_count = mq_pinyin_readings(a, first, MQ_PINYIN_READINGS_MAX);
    size_t second_count = mq_pinyin_readings(b, second, MQ_PINYIN_READINGS_MAX);
    for (size_t i = 0; i < first_count; i++) {
        dialect(first[i], heard);
        for (size_t j = 0; j < second_count; j++) {
            if (strcmp(first[i], second[j]) == 0)
                return SOUND_SAME;
            dialect(second[j], other);
            if (strcmp(heard, other) == 0)
                best = SOUND_NEAR;
        }
    }
    return best;
}

/* One number for all readings that may meet: the least of the dialect's. Characters whose readings overlap only in part may
 * get two; a key leaves one character out, and so still finds them. */
static uint16_t sound_number(uint32_t character)
{
    const char *readings[MQ_PINYIN_READINGS_MAX];
    char heard[8];
    size_t count = mq_pinyin_readings(character, readings, MQ_PINYIN_READINGS_MAX);
    uint64_t least = count == 0 ? mixed(1, character) : UINT64_MAX;

    for (size_t i = 0; i < count; i++) {
        uint64_t number = 0;
        dialect(readings[i], heard);
        for (const char *letter = heard; *letter != '\0'; letter++)
            number = number << 8 | (uint8_t)*letter;
        if (number < least)
            least = number;
    }
    return (uint16_t)(mixed(2, least) | 1);
}

/* ---- names ---- */

static const char *const general_ends[] = {"婆婆", "公公", "爷爷", "奶奶", "大爷", "大娘", "大妈", "大叔", "大伯", "大嫂", "二嫂",
                                           "三嫂", "嬢嬢", "幺婆", "幺爷", "老大", "老二", "老三", "老四", "老幺", "某某"};
static const char *const double_surnames[] = {"欧阳", "尉迟", "司马", "诸葛", "上官", "夏侯", "皇甫", "司徒", "令狐",
                                              "东方", "公孙", "慕容", "宇文", "长孙", "独孤", "南宫", "西门", "端木"};

static bool is_dot(struct mq_span rest)
{
    static const char *const dots[] = {"·", "•", "・", "‧", "∙", ".", "．"};

    for (size_t i = 0; i < COUNT_OF(dots); i++)
        if (rest.size >= strlen(dots[i]) && memcmp(rest.data, dots[i], strlen(dots[i])) == 0)
            return true;
    return false;
}

static void name_put(struct mq_alike_name *name, uint32_t character)
{
    if (name->count == MQ_ALIKE_NAME_MAX)
        return;
    name->characters[name->count++] = character;
}

static bool name_has_end(const struct mq_alike_name *name, const char *end)
{
    struct mq_span text = mq_span_text(end);
    uint32_t characters[8];
    size_t count = 0;

    for (uint32_t one = mq_fold_next(&text); one != 0; one = mq_fold_next(&text)) {
        MQ_ASSERT(count < COUNT_OF(characters)); /* the ends are ours */
        characters[count++] = one;
    }
    return name->count > count && memcmp(name->characters + name->count - count, characters, count * sizeof *characters) == 0;
}

static void name_finish(struct mq_alike_name *name)
{
    if (name->count > 2 && name_has_end(name, "家"))
        name->count--;
    for (size_t i = 0; i < COUNT_OF(general_ends); i++)
        name->general |= name->count <= 4 && name_has_end(name, general_ends[i]);
}

void mq_alike_name_read(struct mq_alike_name *out, struct mq_alike_name *bracket, struct mq_span text)
{
    struct mq_alike_name none, *into = out;

    memset(out, 0, sizeof *out);
    bracket = bracket == NULL ? &none : bracket;
    memset(bracket, 0, sizeof *bracket);
    while (text.size > 0) {
        if (is_dot(text) && into->first_part == 0)
            into->first_part = into->count;
        size_t step = 1; /* one character at a time: folding by itself would pass a dot unseen */
        while (step < text.size && (text.data[step] & 0xc0u) == 0x80)
            step++;
        struct mq_span alone = {text.data, step};
        uint32_t character = mq_fold_next(&alone);
        text = (struct mq_span){text.data + step, text.size - step};
        if (character == '(')
            into = bracket;
        else if (character == ')')
            into = out;
        else if (character != 0)
            name_put(into, character);
    }
    name_finish(out);
    name_finish(bracket);
}

/* How many of the pairs at each place are equal, the same sound, near, other. */
struct tally {
    size_t same, sound, near, other;
};

static struct tally tally(const uint32_t *a, const uint32_t *b, size_t count)
{
    struct tally result = {0};

    for (size_t i = 0; i < count; i++) {
        if (a[i] == b[i]) {
            result.same++;
            continue;
        }
        switch (compare(a[i], b[i])) {
        case SOUND_SAME: result.sound++; break;
        case SOUND_NEAR: result.near++; break;
        case SOUND_OTHER: result.other++; break;
        }
    }
    return result;
}

/* 周光明 and 周明光: two given characters side by side, each in the other's place. Of two names of one length, not equal. */
static bool turned(const struct mq_alike_name *a, const struct mq_alike_name *b)
{
    size_t at = 1;

    if (a->count < 3 || a->characters[0] != b->characters[0])
        return false;
    for (; a->characters[at] == b->characters[at]; at++)
        MQ_ASSERT(at + 1 < a->count);
    if (at + 1 >= a->count || a->characters[at] != b->characters[at + 1] || a->characters[at + 1] != b->characters[at])
        return false;
    return memcmp(a->characters + at + 2, b->characters + at + 2, (a->count - at - 2) * sizeof *a->characters) == 0;
}

static bool is_double_surname(const uint32_t *characters)
{
    for (size_t i = 0; i < COUNT_OF(double_surnames); i++) {
        struct mq_span text = mq_span_text(double_surnames[i]);
        uint32_t first = mq_fold_next(&text), second = mq_fold_next(&text);
        if (characters[0] == first && characters[1] == second)
            return true;
    }
    return false;
}

/* Does `shorter` leave out parts of `longer`: the second half of a surname, the father's name, the middle of a long name? */
static struct mq_alike shortened(const struct mq_alike_name *longer, const struct mq_alike_name *shorter)
{
    const uint32_t *all = longer->characters, *some = shorter->characters;
    size_t at = 0;

    if (longer->count == shorter->count + 1 && shorter->count >= 3 && is_double_surname(all) && all[0] == some[0] &&
        memcmp(all + 2, some + 1, (shorter->count - 1) * sizeof *all) == 0)
        return (struct mq_alike){SCORE_LEFT_OUT, MQ_ALIKE_SHORTER_NAME};
    if (longer->first_part >= 2 && shorter->count == longer->first_part &&
        memcmp(all, some, shorter->count * sizeof *all) == 0)
        return (struct mq_alike){SCORE_FIRST_PART, MQ_ALIKE_SHORTER_NAME};
    if (shorter->count < LONG_NAME || all[0] != some[0])
        return (struct mq_alike){0};
    for (size_t i = 0; i < longer->count && at < shorter->count; i++)
        at += all[i] == some[at];
    return at == shorter->count ? (struct mq_alike){SCORE_LEFT_OUT, MQ_ALIKE_SHORTER_NAME} : (struct mq_alike){0};
}

struct mq_alike mq_alike_names(const struct mq_alike_name *a, const struct mq_alike_name *b)
{
    if (a->count == 0 || b->count == 0)
        return (struct mq_alike){0};
    if (a->count != b->count)
        return a->count > b->count ? shortened(a, b) : shortened(b, a);
    struct tally found = tally(a->characters, b->characters, a->count);
    bool few = a->count <= 2;
    if (found.same == a->count)
        return (struct mq_alike){a->general ? SCORE_GENERAL : SCORE_EQUAL, MQ_ALIKE_SAME_NAME};
    if (found.other == 0 && found.near == 0)
        return (struct mq_alike){few ? SCORE_SOUND_SHORT : SCORE_SOUND, MQ_ALIKE_SAME_SOUND};
    if (a->general || b->general)
        return (struct mq_alike){0};
    if (found.other == 0)
        return (struct mq_alike){few ? SCORE_NEAR_SHORT : SCORE_NEAR, MQ_ALIKE_NEAR_SOUND};
    if (turned(a, b))
        return (struct mq_alike){SCORE_TURNED, MQ_ALIKE_TURNED_NAME};
    if (found.same + 1 == a->count && !few)
        return (struct mq_alike){a->count >= LONG_NAME ? SCORE_ONE_OF_MANY : SCORE_ONE_OF_FEW, MQ_ALIKE_ONE_CHARACTER};
    return (struct mq_alike){0};
}

struct mq_alike mq_alike_nickname(const struct mq_alike_name *called, const struct mq_alike_name *nickname)
{
    if (called->count < 2 || nickname->count < 2)
        return (struct mq_alike){0};
    if (called->count == nickname->count && tally(called->characters, nickname->characters, called->count).other == 0)
        return (struct mq_alike){SCORE_NICKNAME, MQ_ALIKE_NICKNAME};
    if (called->count == nickname->count + 1 &&
        memcmp(called->characters + 1, nickname->characters, nickname->count * sizeof *nickname->characters) == 0)
        return (struct mq_alike){SCORE_NICKNAME_PART, MQ_ALIKE_NICKNAME};
    return (struct mq_alike){0};
}

/* The sounds but for the one at `without` (`count`: none), in whatever order. */
static uint64_t key_of(const uint16_t *sounds, size_t count, size_t without)
{
    uint64_t sum = 0, product = 1;

    for (size_t i = 0; i < count; i++) {
        if (i == without)
            continue;
        uint64_t one = mixed(3, sounds[i]);
        sum += one;
        product *= one | 1;
    }
    return mixed(sum, product);
}

size_t mq_alike_name_keys(const struct mq_alike_name *name, uint64_t out[MQ_ALIKE_KEYS_MAX])
{
    uint16_t sounds[MQ_ALIKE_NAME_MAX];
    size_t kept = 0, count = name->count;

    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        sounds[i] = sound_number(name->characters[i]);
    out[kept++] = key_of(sounds, count, count);
    for (size_t i = 0; i < count && count >= 2; i++)
        out[kept++] = key_of(sounds, count, i);
    /* What is left of a long name when parts of it were left out. */
    if (count >= LONG_NAME)
        out[kept++] = mixed(4, key_of(sounds, 3, 3));
    if (name->first_part >= 2)
        out[kept++] = key_of(sounds, name->first_part, name->first_part);
    MQ_ASSERT(kept <= MQ_ALIKE_KEYS_MAX); /* for each character one, and three */
    return kept;
}

/* ---- telephones ---- */

static bool contains_any(struct mq_span text, const char *const *words, size_t count)
{
    for (size_t w = 0; w < count; w++) {
        size_t size = strlen(words[w]);
        for (size_t i = 0; i + size <= text.size; i++)
            if (memcmp(text.data + i, words[w], size) == 0)
                return true;
    }
    return false;
}

static enum mq_alike_whose whose_of(struct mq_span whose)
{
    static const char *const own[] = {"本人", "自己", "户主", "家里", "家庭"};
    static const char *const others[] = {"邻", "村医", "医生", "组长", "店", "村部", "村委", "干部", "书记", "主任", "老师", "侄", "朋友", "亲戚"};
    static const char *const relatives[] = {"儿", "女", "子", "孙", "媳", "婿", "父", "母", "爸", "妈", "爹", "娘", "哥", "弟",
                                            "姐", "妹", "夫", "妻", "老伴", "老婆", "爱人", "家属", "嫂", "舅", "叔", "伯"};

    if (whose.size == 0)
        return MQ_WHOSE_UNSAID;
    if (contains_any(whose, own, COUNT_OF(own)))
        return MQ_WHOSE_OWN;
    if (contains_any(whose, others, COUNT_OF(others)))
        return MQ_WHOSE_OTHERS;
    return contains_any(whose, relatives, COUNT_OF(relatives)) ? MQ_WHOSE_RELATIVE : MQ_WHOSE_OTHERS;
}

void mq_alike_phone_read(struct mq_alike_phone *out, struct mq_span number, struct mq_span whose)
{
    *out = (struct mq_alike_phone){.whose = whose_of(whose)};
    for (uint32_t one = mq_fold_next(&number); one != 0; one = mq_fold_next(&number))
        if (one >= '0' && one <= '9' && out->count < MQ_ALIKE_PHONE_MAX)
            out->digits[out->count++] = (char)one;
    if (out->count == 13 && starts_with(out->digits, "86")) {
        memmove(out->digits, out->digits + 2, out->count - 1);
        out->count -= 2;
    }
    if (out->count < MQ_ALIKE_PHONE_LEAST)
        out->count = 0;
    out->digits[out->count] = '\0';
}

static bool one_digit_off(const struct mq_alike_phone *a, const struct mq_alike_phone *b)
{
    size_t wrong = 0, first = 0, last = 0;

    for (size_t i = 0; i < a->count; i++) {
        if (a->digits[i] == b->digits[i])
            continue;
        first = wrong++ == 0 ? i : first;
        last = i;
    }
    return wrong == 1 || (wrong == 2 && last == first + 1 && a->digits[first] == b->digits[last] &&
                          a->digits[last] == b->digits[first]);
}

struct mq_alike mq_alike_phones(const struct mq_alike_phone *a, const struct mq_alike_phone *b)
{
    const struct mq_alike_phone *longer = a->count >= b->count ? a : b, *shorter = longer == a ? b : a;
    struct mq_alike result = {SCORE_EQUAL, MQ_ALIKE_SAME_PHONE};

    if (a->count == 0 || b->count == 0)
        return (struct mq_alike){0};
    if (longer->count > shorter->count)
        result = (struct mq_alike){ends_with(longer->digits, shorter->digits) ? SCORE_PHONE_END : 0, MQ_ALIKE_PHONE_END};
    else if (strcmp(a->digits, b->digits) != 0)
        result = (struct mq_alike){one_digit_off(a, b) ? SCORE_PHONE_DIGIT : 0, MQ_ALIKE_PHONE_DIGIT};
    if (result.score == 0)
        return (struct mq_alike){0};
    if (result.score < SCORE_PHONE_END)
        return result;
    if (a->whose == MQ_WHOSE_OTHERS || b->whose == MQ_WHOSE_OTHERS)
        result.reason = MQ_ALIKE_SHARED_PHONE;
    else if ((a->whose == MQ_WHOSE_OWN && b->whose == MQ_WHOSE_RELATIVE) ||
             (a->whose == MQ_WHOSE_RELATIVE && b->whose == MQ_WHOSE_OWN))
        result.reason = MQ_ALIKE_RELATIVES_PHONE;
    return result;
}

uint64_t mq_alike_phone_key(const struct mq_alike_phone *phone)
{
    uint64_t key = 5;

    if (phone->count == 0)
        return 0;
    for (size_t i = phone->count - MQ_ALIKE_PHONE_LEAST; i < phone->count; i++)
        key = mixed(key, (uint64_t)phone->digits[i]);
    return key | 1;
}
